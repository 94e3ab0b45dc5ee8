// Firefox ESR, driven by Marionette, with a profile that is kept, killed, cleared or deleted row by row.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clients, few } from '../clients.mjs';
import { marionettePort, origin } from '../places.mjs';
import { password } from '../servers/idp.mjs';
import { marionette } from './marionette.mjs';
import { emptyStorage, frozen, play } from './play.mjs';

/** The session store saves every 15 s (browser.sessionstore.interval). */
const saver = 16_000;

const prefs = {
  'marionette.port': marionettePort,
  'network.dns.forceResolve': '127.0.0.1',
  'app.update.disabledForTesting': true,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'https://127.0.0.1:1',
};

/** The history as the dialog "Clear recent history" clears it, and nothing else. */
const clear = `const done = arguments[arguments.length - 1];
  const { Sanitizer } = ChromeUtils.importESModule('resource:///modules/Sanitizer.sys.mjs');
  Sanitizer.sanitize(['history'], { ignoreTimespan: true }).then(() => done('cleared'), (error) => done(String(error)));`;

/** Deletes page by page what the history lists, with hidden pages (the hops of a redirect) or without; says how many. */
const remove = `const [includeHidden, done] = arguments;
  const { PlacesUtils } = ChromeUtils.importESModule('resource://gre/modules/PlacesUtils.sys.mjs');
  const options = Object.assign(PlacesUtils.history.getNewQueryOptions(), { includeHidden });
  const { root } = PlacesUtils.history.executeQuery(PlacesUtils.history.getNewQuery(), options);
  root.containerOpen = true;
  const pages = Array.from({ length: root.childCount }, (_, at) => root.getChild(at).uri);
  root.containerOpen = false;
  (async () => {
    for (const page of pages) await PlacesUtils.history.remove(page);
    return pages.length;
  })().then(done, (error) => done(String(error)));`;

/** Bookmarks the newest page with a token; says its id. */
const bookmark = `const [done] = arguments;
  const { PlacesUtils } = ChromeUtils.importESModule('resource://gre/modules/PlacesUtils.sys.mjs');
  (async () => {
    const database = await PlacesUtils.promiseDBConnection();
    const query = 'SELECT url FROM moz_places WHERE instr(url, :token) ORDER BY id DESC';
    const [row] = await database.execute(query, { token: '#access_token=' });
    const url = row.getResultByName('url');
    return (await PlacesUtils.bookmarks.insert({ parentGuid: PlacesUtils.bookmarks.unfiledGuid, url, title: 'App' })).guid;
  })().then(done, (error) => done(String(error)));`;

/** Deletes a bookmark, and cookie by cookie as the settings do; says how many cookies there were. */
const deleteStored = `const [guid, done] = arguments;
  const { PlacesUtils } = ChromeUtils.importESModule('resource://gre/modules/PlacesUtils.sys.mjs');
  const cookies = [...Services.cookies.cookies];
  for (const { host, name, path, originAttributes } of cookies) Services.cookies.remove(host, name, path, originAttributes);
  PlacesUtils.bookmarks.remove(guid).then(() => done(cookies.length), (error) => done(String(error)));`;

/** What a user does at the login page; a second call, on a page that is being left, does nothing. */
const type = `const [form] = document.forms;
  if (!form || form.dataset.sent) return;
  form.dataset.sent = 'yes';
  [form.elements.username.value, form.elements.password.value] = arguments;
  form.querySelector('button').click();`;

function start(root) {
  const home = path.join(root, 'home/carol');
  const profile = path.join(home, '.mozilla/firefox/lab.default-esr');
  fs.mkdirSync(profile, { recursive: true });
  const lines = Object.entries(prefs).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  fs.writeFileSync(path.join(profile, 'user.js'), lines.join('\n'));
  const flags = ['--headless', '--no-remote', '--marionette', '--remote-allow-system-access', '--profile', profile];
  // A process group of its own, so that it can be stopped and ended whole.
  return spawn('firefox-esr', flags, {
    detached: true, stdio: 'ignore', env: { ...process.env, HOME: home, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
}

const gone = (child) => new Promise((resolve) => {
  if (child.exitCode !== null || child.signalCode !== null) resolve();
  else child.once('exit', resolve);
});

/** Starts Firefox below `root`, gives `work` its {child, send}, quits it as a user would; resolves to the version. */
async function session(root, work) {
  const child = start(root);
  const end = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  try {
    const { send, close } = await marionette(marionettePort);
    const { capabilities } = await send('WebDriver:NewSession', { acceptInsecureCerts: true, pageLoadStrategy: 'none' });
    await work({ child, send });
    await send('Marionette:Quit', { flags: ['eAttemptQuit'] }).catch(() => {});
    await Promise.race([gone(child), pause(30_000)]);
    close();
    return capabilities.browserVersion;
  } finally {
    end();
    await gone(child);
    process.off('exit', end);
  }
}

const visit = (send, chosen) => play({
  go: (url) => send('WebDriver:Navigate', { url }),
  title: async () => (await send('WebDriver:GetTitle').catch(() => ({ value: '' }))).value,
  signIn: () => send('WebDriver:ExecuteScript', { script: type, args: ['alice', password] }),
}, chosen);

/** Runs a script in the browser's own context; resolves to what it hands to `done`. */
async function inside(send, script, ...args) {
  await send('Marionette:SetContext', { value: 'chrome' });
  return (await send('WebDriver:ExecuteAsyncScript', { script, args, scriptTimeout: 60_000 })).value;
}

/** Plays with a profile in a home below `root`; calls `running` while the browser is stopped; resolves to the version. */
export const playProfile = (root, running) => session(root, async ({ child, send }) => {
  await visit(send, clients);
  await pause(saver);
  await frozen(child.pid, running);
});

/** Plays until the session store has been written, goes on, and is killed in the middle. */
export const playKilled = (root, chosen) => session(root, async ({ child, send }) => {
  await visit(send, chosen);
  await pause(saver);
  await visit(send, chosen);
  process.kill(-child.pid, 'SIGKILL');
});

/** Plays, then has the browser clear its history, and nothing else. */
export const playCleared = (root, chosen) => session(root, async ({ send }) => {
  await visit(send, chosen);
  await pause(saver);
  const value = await inside(send, clear);
  if (value !== 'cleared') throw new Error(`Firefox did not clear its history: ${value}`);
  await pause(2_000);
});

/** Goes to a page of the application and empties its local storage there. */
async function signOut(send) {
  await send('Marionette:SetContext', { value: 'content' });
  await send('WebDriver:Navigate', { url: `${origin('spa.lab.test')}/done/` });
  const script = `if (location.pathname !== '/done/') return false; ${emptyStorage} return true;`;
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await send('WebDriver:ExecuteScript', { script, args: [] })).value) return;
    await pause(50);
  }
  throw new Error('Firefox does not open the application');
}

/**
 * Starts a profile that was played and closed, plays a little more and keeps a bookmark, and deletes page by page of its
 * history, the bookmark, its cookies and its local storage one by one; calls `taken` with `deleting` when what a user
 * sees of the history is gone and with `deleted` when all is, while the browser is stopped.
 */
export const playDeleted = (root, taken) => session(root, async ({ child, send }) => {
  const some = async (count) => {
    if (!(await count > 0)) throw new Error(`Firefox deleted nothing: ${await count}`);
  };
  await visit(send, few);
  const guid = await inside(send, bookmark);
  await some(inside(send, remove, false));
  await frozen(child.pid, () => taken('deleting'));
  await signOut(send);
  await some(inside(send, deleteStored, guid));
  await some(inside(send, remove, true));
  await frozen(child.pid, () => taken('deleted'));
});
