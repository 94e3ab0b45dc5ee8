// The play, in order: servers, browsers, evidence, comparison, replay, tables. Started by `run`.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider as Provider9 } from 'oidc-provider';
import Provider8 from 'oidc-provider-8';
import { compare } from './compare/found.mjs';
import { replay } from './compare/replay.mjs';
import { scan } from './compare/scan.mjs';
import { evidence, logs, work } from './places.mjs';
import * as chromium from './players/chromium.mjs';
import * as firefox from './players/firefox.mjs';
import { startApps } from './servers/apps.mjs';
import { startIdp } from './servers/idp.mjs';
import { makeCertificates, startNginx } from './servers/nginx.mjs';
import { faultsOf, writeTables } from './tables.mjs';
import { ledger } from './truth.mjs';

const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const keep = (name, value) => fs.writeFileSync(path.join(work, `${name}.json`), JSON.stringify(value, null, 1));
const copy = (from, to) => execFileSync('cp', ['-a', from, to]);

/** Scans a profile in place while the browser stands still, and keeps a copy for the byte search. */
const image = (profile, name, scans) => () => {
  scans.push(scan(profile, name));
  copy(profile, path.join(evidence, name));
};

async function playAll() {
  const scans = [];
  const profiles = path.join(work, 'profiles');
  fs.mkdirSync(evidence, { recursive: true });
  fs.mkdirSync(profiles, { recursive: true });
  const versions = {};
  for (const [name, player] of [['chromium', chromium], ['firefox', firefox]]) {
    say(`${name} plays`);
    const profile = path.join(profiles, name);
    versions[name] = await player.playProfile(profile, image(profile, `${name}-running`, scans));
    image(profile, `${name}-closed`, scans)();
  }
  say('chromium plays for a HAR');
  fs.mkdirSync(path.join(evidence, 'har'));
  versions.playwright = await chromium.playHar(path.join(evidence, 'har/playwright.har'));
  scans.push(scan(path.join(evidence, 'har'), 'har'));
  for (const log of fs.readdirSync(logs)) {
    copy(path.join(logs, log), path.join(evidence, log));
    scans.push(scan(path.join(evidence, log), log));
  }
  return { scans, versions };
}

async function keys() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256', kid: 'lab' }] };
}

/** A stopped lab stops what it started: the exit handlers of Firefox and nginx run on a signal too. */
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

async function main() {
  makeCertificates();
  const jwks = await keys();
  const issuers = [
    await startIdp(Provider9, 'idp.lab.test', jwks),
    await startIdp(Provider8, 'legacy.lab.test', jwks),
  ];
  const apps = await startApps(issuers);
  const nginx = await startNginx();
  try {
    const { scans, versions } = await playAll();
    say(`${ledger.size} values in the ledger`);
    const found = scans.map(compare);
    keep('ledger', [...ledger.values()]);
    keep('scans', scans);
    say('replay');
    const replayed = await replay(scans);
    keep('found', found);
    keep('replayed', replayed);
    const faults = faultsOf(found, replayed);
    writeTables({ found, replayed, versions, faults });
    faults.forEach((fault) => console.log(`FAULT ${fault}`));
    process.exitCode = faults.length > 0 ? 1 : 0;
  } finally {
    nginx.kill();
    for (const { server } of [...issuers, apps]) {
      server.close();
      server.closeAllConnections();
    }
  }
}

await main();
say(`end, exit code ${process.exitCode ?? 0}`);
