// A client of Firefox's remote protocol Marionette: `length:[type, id, …]` over a loopback socket.
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

async function connect(port) {
  for (let tries = 0; tries < 150; tries += 1) {
    const socket = net.connect(port, '127.0.0.1');
    const opened = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (opened) return socket;
    await pause(200);
  }
  throw new Error('Firefox does not open its Marionette port');
}

/** Resolves to {send(command, parameters), close()}. */
export async function marionette(port) {
  const socket = await connect(port);
  const waiting = new Map();
  let buffer = Buffer.alloc(0);
  let next = 1;
  socket.on('data', (part) => {
    buffer = Buffer.concat([buffer, part]);
    for (let colon = buffer.indexOf(':'); colon > 0; colon = buffer.indexOf(':')) {
      const end = colon + 1 + Number(buffer.subarray(0, colon));
      if (buffer.length < end) return;
      const message = JSON.parse(buffer.subarray(colon + 1, end).toString());
      buffer = buffer.subarray(end);
      if (!Array.isArray(message)) continue;
      const [, id, error, result] = message;
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) reject?.(new Error(`${error.error}: ${error.message}`));
      else resolve?.(result);
    }
  });
  const lost = (error) => waiting.forEach(({ reject }) => reject(error ?? new Error('Firefox has gone')));
  socket.on('error', lost);
  socket.on('close', () => lost());
  const send = (command, parameters = {}) => new Promise((resolve, reject) => {
    const id = next;
    next += 1;
    waiting.set(id, { resolve, reject });
    const text = JSON.stringify([0, id, command, parameters]);
    socket.write(`${Buffer.byteLength(text)}:${text}`);
  });
  return { send, close: () => socket.destroy() };
}
