// Where everything is: names, ports and folders. All names resolve to 127.0.0.1, by flags of the browsers and by
// `lookup` in call.mjs; nothing here is reachable from another machine.
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

/** nginx's port; the servers behind it count up from the next one. */
export const port = Number(process.env.LAB_PORT ?? 8443);

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
