// The play, in order: servers, browsers, evidence, comparison, replay, tables. Started by `run`.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Provider as Provider9 } from 'oidc-provider';
import Provider8 from 'oidc-provider-8';
import { clients, few } from './clients.mjs';
import { index } from './compare/bytes.mjs';
import { compare } from './compare/found.mjs';
import { replay, shortEnds } from './compare/replay.mjs';
import { image, scan } from './compare/scan.mjs';
import { evidence, logs, work } from './places.mjs';
import * as chromium from './players/chromium.mjs';
import * as firefox from './players/firefox.mjs';
import { playRecorded } from './players/proxy.mjs';
import { startApps } from './servers/apps.mjs';
import { startIdp } from './servers/idp.mjs';
import { makeCertificates, startNginx } from './servers/nginx.mjs';
import { startSamlIdp } from './servers/saml.mjs';
import { faultsOf, writeTables } from './tables.mjs';
import { ledger } from './truth.mjs';

const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const keep = (name, value) => fs.writeFileSync(path.join(work, `${name}.json`), JSON.stringify(value, null, 1));

const quick = clients.filter((client) => !client.slow);
/** Playwright's ways of recording: bodies inside, none, in files beside, and all of that in one archive. */
const hars = [
  ['har', 'playwright.har', { content: 'embed', mode: 'full' }, quick],
  ['har-minimal', 'playwright.har', { mode: 'minimal' }, few],
  ['har-attach', 'playwright.har', { content: 'attach', mode: 'full' }, few],
  ['har-zip', 'playwright.har.zip', { content: 'attach', mode: 'full' }, few],
];

/** Plays everything; resolves to {holders: name → whether the scan in place left it as it was, versions}. */
async function playAll() {
  const holders = new Map();
  const versions = {};
  const taken = (folder, name) => holders.set(name, image(folder, name));
  fs.mkdirSync(evidence, { recursive: true });
  for (const [name, player] of [['chromium', chromium], ['firefox', firefox]]) {
    const root = (state) => path.join(work, 'players', `${name}-${state}`);
    say(`${name} plays`);
    versions[name] = await player.playProfile(root('whole'), () => taken(root('whole'), `${name}-running`));
    taken(root('whole'), `${name}-closed`);
    say(`${name} deletes row by row`);
    await player.playDeleted(root('whole'), (state) => taken(root('whole'), `${name}-${state}`));
    taken(root('whole'), `${name}-deleted-closed`);
    say(`${name} plays and is killed`);
    await player.playKilled(root('killed'), few);
    taken(root('killed'), `${name}-killed`);
    say(`${name} plays and is cleared`);
    await player.playCleared(root('cleared'), few);
    taken(root('cleared'), `${name}-cleared`);
  }
  say('chromium plays for HARs');
  for (const [name, file, how, chosen] of hars) {
    const folder = path.join(work, 'players', name);
    fs.mkdirSync(folder);
    await chromium.playHar(path.join(folder, file), how, chosen);
    taken(folder, name);
  }
  say('chromium plays through mitmproxy');
  const recorded = (part) => path.join(work, 'players', `mitmproxy-${part}`);
  await playRecorded({ flows: recorded('flows'), har: recorded('har') }, quick);
  for (const part of ['flows', 'har']) taken(recorded(part), `mitmproxy-${part}`);
  for (const log of fs.readdirSync(logs)) taken(path.join(logs, log), log);
  return { holders, versions };
}

/** Scans what every holder has as of now, compares it with the truth, and puts its verdicts to the servers. */
async function judgeAll({ holders, versions }) {
  // A token that is about to expire would be judged before its end and tried after it.
  await pause(Math.max(0, shortEnds() - Date.now()));
  const asOf = new Date().toISOString();
  const scans = [...holders].map(([name, untouched]) => {
    const one = scan(name, asOf);
    return { ...one, untouched: one.untouched && untouched };
  });
  say(`${ledger.size} values in the ledger; comparing`);
  const values = index(ledger.keys());
  const found = scans.map((one) => compare(one, values));
  keep('ledger', [...ledger.values()]);
  keep('scans', scans);
  keep('found', found);
  say('replay');
  const replayed = await replay(scans, found);
  keep('replayed', replayed);
  const faults = faultsOf(found, replayed);
  writeTables({ found, replayed, versions, faults });
  faults.forEach((fault) => console.log(`FAULT ${fault}`));
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** A stopped lab stops what it started: the exit handlers of Firefox, mitmproxy and nginx run on a signal too. */
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

async function main() {
  makeCertificates();
  const issuers = [
    await startIdp(Provider9, 'idp.lab.test', ['token']),
    await startIdp(Provider8, 'legacy.lab.test'),
  ];
  const servers = [...issuers, await startApps(issuers), await startSamlIdp()];
  const nginx = await startNginx();
  try {
    await judgeAll(await playAll());
  } finally {
    nginx.kill();
    for (const { server } of servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

await main();
say(`end, exit code ${process.exitCode ?? 0}`);
