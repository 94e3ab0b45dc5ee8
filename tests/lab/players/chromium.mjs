// Chromium by Playwright: once with a profile that is kept, once with a HAR recorded.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { clients } from '../clients.mjs';
import { certificateHash } from '../servers/nginx.mjs';
import { frozen, play } from './play.mjs';

const options = () => ({
  executablePath: '/usr/bin/chromium',
  chromiumSandbox: false,
  args: [
    // Unlike ignoreHTTPSErrors this leaves the HTTP cache as it is for a trusted server.
    `--ignore-certificate-errors-spki-list=${certificateHash()}`,
    '--host-resolver-rules=MAP * 127.0.0.1', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--password-store=basic',
  ],
});
/** History commits every 10 s (kCommitIntervalSeconds in history_backend.cc). */
const commit = 11_000;

async function visit(context, chosen) {
  const page = await context.newPage();
  const title = () => page.title().catch(() => '');
  await play({ go: (url) => page.goto(url, { waitUntil: 'commit' }), title }, chosen);
}

/** Chromium's main process, as the profile's own lock names it; it leads a process group. */
const pidOf = (profile) => Number(fs.readlinkSync(path.join(profile, 'SingletonLock')).split('-').pop());

/** Plays with a profile in `folder`; calls `running` while the browser is stopped. */
export async function playProfile(folder, running) {
  const context = await chromium.launchPersistentContext(folder, options());
  const version = context.browser()?.version();
  try {
    await visit(context, clients);
    await pause(commit);
    await frozen(pidOf(folder), running);
  } finally {
    await context.close();
  }
  return version;
}

/** Plays once more in a fresh context and writes a HAR with embedded bodies to `file`. */
export async function playHar(file) {
  const browser = await chromium.launch(options());
  try {
    const context = await browser.newContext({ recordHar: { path: file, content: 'embed', mode: 'full' } });
    await visit(context, clients.filter((client) => !client.slow));
    await context.close();
    return browser.version();
  } finally {
    await browser.close();
  }
}
