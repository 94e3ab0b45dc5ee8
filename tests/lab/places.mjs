// Where everything is: names, ports and folders. All names resolve to 127.0.0.1, by flags of the browsers and by
// `lookup` in call.mjs; nothing here is reachable from another machine.
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const lab = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(lab, '../..');
/** Everything a run writes; `run` empties it at the start. */
export const work = path.join(root, 'target/lab/work');
export const evidence = path.join(work, 'evidence');
export const logs = path.join(work, 'logs');
/** `run` builds it and says where it is. */
export const tokentrail = process.env.TOKENTRAIL;
/** mitmproxy's own Python, in `run`'s environment. */
export const mitmdump = path.join(root, 'target/lab/venv/bin/mitmdump');

/** A server that listens on a port of this machine, or undefined where something else does. */
const listen = (at) => new Promise((resolve) => {
  const server = net.createServer();
  server.once('error', () => resolve(undefined));
  server.listen(at, '127.0.0.1', () => resolve(server));
});

/** Ports that a run takes, and the one among them that nothing uses: whoever listens there has them all. */
const block = 10;
const mark = 7;

/** Whether the ports from `first` on were free; then they are this run's until it ends. */
async function claim(first) {
  const marked = await listen(first + mark);
  const others = [];
  for (let at = first; marked && at < first + block; at += 1) {
    if (at !== first + mark) others.push(await listen(at));
  }
  others.forEach((server) => server?.close());
  const free = Boolean(marked) && others.every(Boolean);
  if (free) marked.unref();
  else marked?.close();
  return free;
}

/** Two runs on one machine do not meet: each takes the first block that is free. */
async function freePort() {
  const wanted = process.env.LAB_PORT;
  if (wanted && !await claim(Number(wanted))) throw new Error(`the ports from ${wanted} on are not all free`);
  if (wanted) return Number(wanted);
  for (let first = 8443; first < 9443; first += block) {
    if (await claim(first)) return first;
  }
  throw new Error('no ten ports in a row are free from 8443 to 9442; LAB_PORT names others');
}

/** nginx's port; the servers behind it count up from the next one. */
export const port = await freePort();

/** Virtual host → port of the plain http server behind nginx. */
export const hosts = {
  'idp.lab.test': port + 1,
  'legacy.lab.test': port + 2,
  'spa.lab.test': port + 3,
  'web.lab.test': port + 3,
  'api.lab.test': port + 3,
  'ads.third.test': port + 3,
  'saml.lab.test': port + 4,
};

export const marionettePort = port + 9;
export const proxyPort = port + 8;

/** Origin of a virtual host as browsers see it. */
export const origin = (host) => `https://${host}:${port}`;
