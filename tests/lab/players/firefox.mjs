// Firefox ESR, driven by Marionette, with a profile that is kept.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { port as labPort } from '../places.mjs';
import { marionette } from './marionette.mjs';
import { frozen, play } from './play.mjs';

const marionettePort = labPort + 9;
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

function start(profile) {
  fs.mkdirSync(profile, { recursive: true });
  const lines = Object.entries(prefs).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  fs.writeFileSync(path.join(profile, 'user.js'), lines.join('\n'));
  // A process group of its own, so that it can be stopped and ended whole.
  return spawn('firefox-esr', ['--headless', '--no-remote', '--marionette', '--profile', profile], {
    detached: true, stdio: 'ignore', env: { ...process.env, HOME: path.dirname(profile), MOZ_CRASHREPORTER_DISABLE: '1' },
  });
}

const gone = (child) => new Promise((resolve) => {
  if (child.exitCode !== null) resolve();
  else child.once('exit', resolve);
});

/** Plays with a profile in `folder`; calls `running` while the browser is stopped; resolves to the version. */
export async function playProfile(folder, running) {
  const child = start(folder);
  const end = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  try {
    const { send, close } = await marionette(marionettePort);
    const { capabilities } = await send('WebDriver:NewSession', { acceptInsecureCerts: true, pageLoadStrategy: 'none' });
    await play({
      go: (url) => send('WebDriver:Navigate', { url }),
      title: async () => (await send('WebDriver:GetTitle').catch(() => ({ value: '' }))).value,
    });
    await pause(saver);
    await frozen(child.pid, running);
    await send('Marionette:Quit', { flags: ['eAttemptQuit'] }).catch(() => {});
    await Promise.race([gone(child), pause(15_000)]);
    close();
    return capabilities.browserVersion;
  } finally {
    end();
  }
}
