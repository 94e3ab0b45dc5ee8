// Chromium by Playwright: with a profile that is kept, killed, cleared or deleted row by row; and with a HAR recorded.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { clients, few } from '../clients.mjs';
import { origin } from '../places.mjs';
import { password } from '../servers/idp.mjs';
import { certificateHash } from '../servers/nginx.mjs';
import { emptyStorage, frozen, play } from './play.mjs';

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

/** What the history page lists, newest first: pages of one name and host that follow each other are one item. */
const listed = (page) => page.locator('#infiniteList')
  .evaluate((list) => list.items.map(({ time, url }) => `${time} ${url}`));

/** Deletes the newest item by its menu, as a user does. */
async function deleteNewest(page, [newest]) {
  await page.locator('history-item').first().locator('#menuButton').click();
  await page.locator('#menuRemoveButton').click();
  for (let tries = 0; tries < 500; tries += 1) {
    const left = await listed(page);
    if (left[0] !== newest) return left;
    await pause(20);
  }
  throw new Error('Chromium does not delete an item of its history');
}

/** Bookmarks a page; its id. The pages of the browser may use what extensions may. */
async function bookmark(context, url) {
  const page = await context.newPage();
  await page.goto('chrome://bookmarks');
  const id = await page.evaluate(async (at) => (await chrome.bookmarks.create({ title: 'App', url: at })).id, url);
  // A page behind another is drawn once a second, and takes as long for a click.
  await page.close();
  return id;
}

/** Deletes a bookmark, cookie by cookie as the settings do, and item by item what a page keeps in its local storage. */
async function deleteStored(context, id) {
  const page = await context.newPage();
  await page.goto('chrome://bookmarks');
  await page.evaluate((at) => chrome.bookmarks.remove(at), id);
  await page.goto(`${origin('spa.lab.test')}/app`);
  await page.evaluate(emptyStorage);
  const session = await context.newCDPSession(page);
  for (const { name, domain, path: at } of await context.cookies()) {
    await session.send('Network.deleteCookies', { name, domain, path: at });
  }
  await page.close();
}

/**
 * Starts a profile that was played and closed, plays a little more and keeps a bookmark, and deletes item by item of its
 * history, the bookmark, its cookies and its local storage one by one; calls `taken` with `deleting` when half of the
 * history is gone and with `deleted` when all is, while the browser is stopped.
 */
export async function playDeleted(root, taken) {
  const context = await launch(root);
  const stopped = (state) => frozen(pidOf(folder(root)), () => taken(state));
  try {
    await visit(context, few);
    const page = await context.newPage();
    await page.goto('chrome://history');
    await page.locator('history-item').first().waitFor();
    let left = await listed(page);
    const token = left.find((item) => item.includes('#access_token='));
    const kept = await bookmark(context, token.slice(token.indexOf('https:')));
    for (const half = left.length / 2; left.length > half;) left = await deleteNewest(page, left);
    await stopped('deleting');
    await deleteStored(context, kept);
    await page.reload();
    await page.locator('history-item').first().waitFor();
    for (left = await listed(page); left.length > 0;) left = await deleteNewest(page, left);
    await stopped('deleted');
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
