// The tables of README.md, written by the run between two markers, and the list of what fails it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { clients } from './clients.mjs';
import { lab, tokentrail } from './places.mjs';

const columns = {
  access_token: 'access', id_token: 'ID', refresh_token: 'refresh', authorization_code: 'code', jarm_response: 'JARM',
  code_verifier: 'verifier', code_challenge: 'plain challenge', client_secret: 'secret', basic_credentials: 'Basic',
  password: 'password', session_id: 'session',
};
const kinds = Object.keys(columns);

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const short = (value) => (value.length > 40 ? `${value.slice(0, 12)}… (${value.length} characters)` : value);

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

const clientsOf = (entries) => [...new Set(entries.map((entry) => entry.client))].join(', ');

/** A store's name without what differs from run to run. */
const named = (store) => store
  .replace(/(Cache_Data|entries)\/[^/]+$/, '$1/*').replace(/(Session|Tabs)_\d+$/, '$1_*');

function foundTable(found) {
  const rows = found.flatMap(({ name, stores }) => stores.filter((row) => row.reader).map((row) => [
    name, named(row.store), row.reader,
    ...kinds.map((kind) => {
      const lying = row.lying.filter((entry) => entry.kind === kind).length;
      const missed = row.missed.filter(({ entry }) => entry.kind === kind).length;
      return lying ? `${lying - missed}/${lying}` : '';
    }),
  ]));
  return table(['holder', 'store', 'reader', ...Object.values(columns)], rows);
}

function unreadTable(found) {
  const merged = new Map();
  for (const { name, stores } of found) {
    for (const row of stores.filter((one) => !one.reader)) {
      const key = `${name} | ${named(row.store)}`;
      merged.set(key, new Set([...(merged.get(key) ?? []), ...row.lying]));
    }
  }
  const count = (entries, kind) => [...entries].filter((entry) => entry.kind === kind).length || '';
  const rows = [...merged].map(([key, entries]) => [key, ...kinds.map((kind) => count(entries, kind))]);
  return table(['holder', 'store', ...Object.values(columns)], rows);
}

function replayTable(replayed) {
  const groups = new Map();
  for (const row of replayed) {
    const key = [row.kind, row.state, row.basis].join(' | ');
    const counts = groups.get(key) ?? { held: 0, unseen: 0, contradicted: 0, accepted: 0, refused: 0, untested: 0 };
    if (row.outcome === 'recorded') counts[row.accepted ? 'accepted' : 'refused'] += 1;
    else counts[row.outcome] += 1;
    groups.set(key, counts);
  }
  const rows = [...groups].sort().map(([key, c]) => [
    key, ...[c.held, c.contradicted, c.unseen, c.accepted, c.refused, c.untested].map((n) => n || ''),
  ]);
  const head = ['kind', 'verdict', 'basis', 'held', 'contradicted', 'evidence cannot show', 'no promise: accepted',
    'no promise: refused', 'not put to a server'];
  return table(head, rows);
}

const unseenTable = (replayed) => {
  const cases = replayed.filter((row) => row.outcome === 'unseen');
  const groups = grouped(cases, (row) => [row.kind, row.state, row.basis, row.note, row.holder].join(' | '));
  return table(['kind', 'verdict', 'basis', 'what happened', 'holder', 'values', 'of'],
    [...groups].sort().map(([key, rows]) => [key, rows.length, clientsOf(rows)]));
};

const flowTable = (found) => table(['holder', 'right', 'less than the truth', 'wrong', 'unchanged by the scan', 'seconds'],
  found.map(({ name, flows, untouched, seconds }) => [
    name, flows.right, flows.vague, flows.wrong.length, untouched ? 'yes' : 'no', seconds.toFixed(2),
  ]));

/** What fails the run, one line each, equal ones counted. */
export function faultsOf(found, replayed) {
  const lines = found.flatMap(({ name, stores, invented, kinds: wrong, flows, untouched, problems }) => [
    ...(untouched ? [] : [`${name}: the scan changed the evidence`]),
    ...problems.map((problem) => `${name}: problem ${JSON.stringify(problem)}`),
    ...stores.filter((row) => row.reader).flatMap((row) => row.missed.map(({ entry, where }) =>
      `${name}: missed ${entry.kind} of ${entry.client} in ${[...new Set(where.map(named))].join(', ')}`)),
    ...invented.map((finding) =>
      `${name}: never issued: ${finding.kind} \`${short(finding.value)}\` (rule ${finding.rule}, ${finding.sightings[0].name}) in ${named(finding.sightings[0].source.path)}`),
    ...wrong.map(({ entry, finding }) => `${name}: ${entry.kind} of ${entry.client} reported as ${finding.kind}`),
    ...[...grouped(flows.wrong, ({ finding }) => finding.flow)].map(([flow, wrong]) =>
      `${name}: ${wrong.length} values have the flow ${flow}, wrongly: of ${clientsOf(wrong.map(({ entry }) => entry))}`),
  ]);
  const contradicted = replayed.filter((row) => row.outcome === 'contradicted').map((row) =>
    `${row.holder}: ${row.kind} of ${row.client} is ${row.state} (${row.basis}), the server says ${row.said}`);
  return [...grouped([...lines, ...contradicted], (line) => line)].map(([line, same]) =>
    (same.length > 1 ? `${line} (${same.length} times)` : line));
}

/** Versions of everything that took part, as each says itself. */
function versionsOf(browsers) {
  const require = createRequire(import.meta.url);
  const npm = (name) => JSON.parse(fs.readFileSync(path.join(lab, 'node_modules', name, 'package.json'))).version;
  const nginx = execFileSync('/bin/sh', ['-c', '/usr/sbin/nginx -v 2>&1']).toString().split('/').pop().trim();
  const own = execFileSync(tokentrail, ['--version']).toString().trim();
  return `${own}, Chromium ${browsers.chromium}, Firefox ${browsers.firefox}, nginx ${nginx}, Node ${process.versions.node}, `
    + `oidc-provider ${npm('oidc-provider')} and ${npm('oidc-provider-8')}, playwright-core ${require('playwright-core/package.json').version}`;
}

/** Writes the tables of this run into README.md. */
export function writeTables({ found, replayed, versions, faults }) {
  const text = [
    `Run of ${new Date().toISOString().slice(0, 16)}Z: ${versionsOf(versions)}.`,
    `${clients.length} clients: ${clients.map((client) => `\`${client.id}\``).join(', ')}.`,
    `### Faults: ${faults.length}`, faults.map((fault) => `- ${fault}`).join('\n') || 'None.',
    '### Found, of what lies there', foundTable(found),
    '### Stores that no reader exists for yet', unreadTable(found),
    '### Flow names', flowTable(found),
    '### Verdicts put to the servers', replayTable(replayed),
    '### What the evidence cannot show', unseenTable(replayed),
  ].join('\n\n');
  const file = path.join(lab, 'README.md');
  const markers = /(<!-- tables -->\n)[^]*(\n<!-- end of tables -->)/;
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(markers, (_all, open, close) => open + text + close));
}
