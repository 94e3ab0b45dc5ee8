// Chromium by Playwright: with a profile that is kept, killed or cleared; and with a HAR recorded.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { clients } from '../clients.mjs';
import { password } from '../servers/idp.mjs';
import { certificateHash } from '../servers/nginx.mjs';
import { frozen, play } from './play.mjs';

const options = (home) => ({
  executablePath: '/usr/bin/chromium',
  chromiumSandbox: false,
  args: [
    // Unlike ignoreHTTPSErrors this leaves the HTTP cache as it is for a trusted server.
    `--ignore-certificate-errors-spki-list=${certificateHash()}`,
    '--host-resolver-rules=MAP * 127.0.0.1', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--password-store=basic',
  ],
  ...(home && { env: { ...process.env, HOME: home, XDG_CONFIG_HOME: '', XDG_CACHE_HOME: '' } }),
});
/** History commits every 10 s (kCommitIntervalSeconds in history_backend.cc). */
const commit = 11_000;

const home = (root) => path.join(root, 'home/alice');
const folder = (root) => path.join(home(root), '.config/chromium');

async function visit(context, chosen) {
  const page = await context.newPage();
  const title = () => page.title().catch(() => '');
  const signIn = async () => {
    await page.fill('[name=username]', 'alice');
    await page.fill('[name=password]', password);
    await Promise.all([page.waitForEvent('framenavigated'), page.click('button')]);
  };
  await play({ go: (url) => page.goto(url, { waitUntil: 'commit' }), title, signIn }, chosen);
}

/** Chromium's main process, as the profile's own lock names it; it leads a process group. */
const pidOf = (profile) => Number(fs.readlinkSync(path.join(profile, 'SingletonLock')).split('-').pop());

async function launch(root) {
  fs.mkdirSync(folder(root), { recursive: true });
  return chromium.launchPersistentContext(folder(root), options(home(root)));
}

/** Plays with a profile in a home below `root`; calls `running` while the browser is stopped; resolves to the version. */
export async function playProfile(root, running) {
  const context = await launch(root);
  const version = context.browser()?.version();
  try {
    await visit(context, clients);
    await pause(commit);
    await frozen(pidOf(folder(root)), running);
  } finally {
    await context.close();
  }
  return version;
}

/** Plays until shortly after a commit, and is killed in the middle. */
export async function playKilled(root, chosen) {
  const context = await launch(root);
  const group = -pidOf(folder(root));
  await visit(context, chosen);
  await pause(commit);
  await visit(context, chosen);
  process.kill(group, 'SIGKILL');
  await context.close().catch(() => {});
}

/** Plays, then deletes the history of the last 15 minutes by the settings' own dialog, and nothing else. */
export async function playCleared(root, chosen) {
  const context = await launch(root);
  try {
    await visit(context, chosen);
    await pause(commit);
    const page = await context.newPage();
    await page.goto('chrome://settings/clearBrowserData');
    const boxes = page.locator('#deleteBrowsingDataDialog settings-checkbox');
    await page.locator('#deleteButton').waitFor();
    const labels = await boxes.evaluateAll((all) => all.map((box) => box.label || box.textContent.trim()));
    const history = labels.findIndex((label) => label === 'Browsing history');
    if (history < 0) throw new Error(`the dialog has no box for the history: ${labels.join(', ')}`);
    for (const [at, box] of (await boxes.all()).entries()) {
      if (at !== history) await box.click();
    }
    await page.locator('#deleteButton').click();
    await page.locator('#deleteBrowsingDataDialog').waitFor({ state: 'detached' });
    await pause(commit);
  } finally {
    await context.close();
  }
}

/** Plays in a fresh context and writes a HAR to `file`; `how` is Playwright's {content, mode}. */
export async function playHar(file, how, chosen = clients.filter((client) => !client.slow)) {
  await playFresh({ recordHar: { path: file, ...how } }, chosen);
}

/** Plays through a proxy that ends TLS itself. */
export async function playProxied(server, chosen) {
  await playFresh({ proxy: { server }, ignoreHTTPSErrors: true }, chosen);
}

async function playFresh(how, chosen) {
  const browser = await chromium.launch(options());
  try {
    const context = await browser.newContext(how);
    await visit(context, chosen);
    await context.close();
  } finally {
    await browser.close();
  }
}
