// mitmproxy between Chromium and the lab: a HAR and a flow file by another producer than the browser.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lab, mitmdump, port, proxyPort, work } from '../places.mjs';
import { playProxied } from './chromium.mjs';

/** Seconds that mitmproxy may take to start and to write its files when it ends. */
const patience = 30;

const listening = () => new Promise((resolve) => {
  const socket = net.connect(proxyPort, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

async function until(test, what) {
  for (let tries = 0; tries < patience * 10; tries += 1) {
    if (await test()) return;
    await pause(100);
  }
  throw new Error(what);
}

/** Plays through mitmproxy, which writes `flows.mitm` below `flows` and `mitmproxy.har` below `har`. */
export async function playRecorded({ flows, har }, chosen) {
  for (const folder of [flows, har]) fs.mkdirSync(folder, { recursive: true });
  const child = spawn(mitmdump, [
    '--quiet', '--listen-host', '127.0.0.1', '--listen-port', `${proxyPort}`,
    '--set', `confdir=${path.join(work, 'mitmproxy')}`,
    '--set', `ssl_verify_upstream_trusted_ca=${path.join(work, 'tls/ca.pem')}`,
    '--set', `hardump=${path.join(har, 'mitmproxy.har')}`, '-w', path.join(flows, 'flows.mitm'),
    '-s', path.join(lab, 'players/loopback.py'),
  ], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, LAB_PORT: `${port}` } });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  try {
    await until(listening, 'mitmproxy does not listen');
    await playProxied(`http://127.0.0.1:${proxyPort}`, chosen);
    child.kill('SIGTERM');
    await until(() => child.exitCode !== null || child.signalCode !== null, 'mitmproxy does not end');
  } finally {
    end();
    process.off('exit', end);
  }
}
