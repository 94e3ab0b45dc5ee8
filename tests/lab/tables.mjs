// The tables of README.md, written by the run between two markers, and the list of what fails it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { clients } from './clients.mjs';
import { lab, mitmdump, tokentrail } from './places.mjs';

const columns = {
  access_token: 'access', id_token: 'ID', refresh_token: 'refresh', authorization_code: 'code', jarm_response: 'JARM',
  code_verifier: 'verifier', code_challenge: 'plain challenge', client_secret: 'secret', basic_credentials: 'Basic',
  device_code: 'device', user_code: 'user code', password: 'password', session_id: 'session',
  client_assertion: 'client assertion', request_object: 'request object', saml_message: 'SAML',
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

/** A store's name without its home and what differs from run to run. */
const named = (store) => store
  .replace(/^home\/\w+\/(\.config\/chromium|\.mozilla\/firefox\/[^/]+)\//, '')
  .replace(/^home\/\w+\/(\.cache\/(chromium|mozilla\/firefox))\/(.*)$/, '$1/$3')
  .replace(/(\/https\+\+\+[^/+]+)\+\d+\//, '$1+*/')
  .replace(/(Cache_Data|entries|doomed)\/[^/]+$/, '$1/*').replace(/(Session|Tabs)_\d+$/, '$1_*')
  .replace(/^[0-9a-f]{40}\.(\w+)$/, '*.$1');

/** Stores of all holders, alike ones as one: key → rows. */
const merged = (found, chosen) => grouped(
  found.flatMap(({ name, stores }) => stores.filter(chosen).map((row) => ({ ...row, name }))),
  (row) => [row.name, named(row.store), ...(row.reader ? [row.reader] : [])].join(' | '),
);

/** Columns without an entry in any row say nothing, and are left out. */
function kindTable(head, groups, cell) {
  const cells = [...groups].map(([key, rows]) => [key, kinds.map((kind) => cell(rows, kind))]);
  const shown = kinds.map((_, at) => cells.some(([, row]) => row[at] !== ''));
  const kept = (row) => row.filter((_, at) => shown[at]);
  if (cells.length === 0) return 'None.';
  return table([...head, ...kept(Object.values(columns))], cells.map(([key, row]) => [key, ...kept(row)]));
}

const ofKind = (entries, kind) => new Set(entries.filter((entry) => entry.kind === kind)).size;

const foundTable = (found) => kindTable(['holder', 'store', 'reader'],
  merged(found, (row) => row.reader && row.lying.length > 0), (rows, kind) => {
    const count = (of) => rows.reduce((sum, row) => sum + ofKind(of(row), kind), 0);
    const lying = count((row) => row.lying);
    return lying ? `${lying - count((row) => row.missed.map(({ entry }) => entry))}/${lying}` : '';
  });

const countTable = (found, chosen, of) => kindTable(['holder', 'store'], merged(found, chosen),
  (rows, kind) => ofKind(rows.flatMap(of), kind) || '');

const unreadTable = (found) => countTable(found, (row) => !row.reader && row.lying.length > 0, (row) => row.lying);
const buriedTable = (found) => countTable(found, (row) => row.reader && row.buried.length > 0, (row) => row.buried);

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

const problemList = (found) => found.flatMap(({ name, problems }) =>
  problems.map(({ path: at, reason }) => `- ${name}, ${at}: ${reason}`)).join('\n') || 'Nothing.';

const cutList = (found) => found.flatMap(({ name, cut }) => cut.map(({ kind, value, sightings: [{ source }] }) =>
  `- ${name}, ${named(source.path)}: ${kind}, ${value.length} characters`)).join('\n') || 'None.';

const flowTable = (found) => table(
  ['holder', 'right', 'all that the evidence tells', 'less than it tells', 'wrong', 'unchanged by the scan', 'seconds'],
  found.map(({ name, flows, untouched, seconds }) => [
    name, flows.right, flows.less.length, flows.vague.length, flows.wrong.length, untouched ? 'yes' : 'no', seconds.toFixed(2),
  ]),
);

/** What fails the run, one line each, equal ones counted. */
export function faultsOf(found, replayed) {
  const lines = found.flatMap(({ name, stores, invented, kinds: wrong, flows, untouched }) => [
    ...(untouched ? [] : [`${name}: the scan changed the evidence`]),
    ...stores.filter((row) => row.reader).flatMap((row) => row.missed.map(({ entry, where }) =>
      `${name}: missed ${entry.kind} of ${entry.client} in ${[...new Set(where.map(named))].join(', ')}`)),
    ...invented.map(({ kind, value, rule, sightings: [{ name: at, source }] }) =>
      `${name}: never issued: ${kind} \`${short(value)}\` (rule ${rule}, ${at}) in ${named(source.path)}`),
    ...wrong.map(({ entry, finding }) => `${name}: ${entry.kind} of ${entry.client} reported as ${finding.kind}`),
    ...misnamed(name, flows.wrong, 'wrongly'), ...misnamed(name, flows.vague, 'though the evidence tells more'),
  ]);
  return counted([...lines, ...contradictions(replayed, ['proven', 'documented'])]);
}

const misnamed = (name, values, how) => [...grouped(values, ({ finding }) => `${finding.kind} | ${finding.flow}`)].map(
  ([, same]) => {
    const [{ finding: { kind, flow } }] = same;
    return `${name}: ${same.length} ${kind} have the flow ${flow}, ${how}: of ${clientsOf(same.map(({ entry }) => entry))}`;
  },
);

/** Verdicts of these bases that a server contradicts. */
const contradictions = (replayed, bases) => replayed
  .filter((row) => row.outcome === 'contradicted' && bases.includes(row.basis))
  .map((row) => `${row.holder}: ${row.kind} of ${row.client} is ${row.state} (${row.basis}), the server says ${row.said}`);

/** Lines, equal ones once with their number. */
function counted(lines) {
  return [...grouped(lines, (line) => line)].map(([line, same]) =>
    (same.length > 1 ? `${line} (${same.length} times)` : line));
}

/** Versions of everything that took part, as each says itself. */
function versionsOf(browsers) {
  const npm = (name) => JSON.parse(fs.readFileSync(path.join(lab, 'node_modules', name, 'package.json'))).version;
  const nginx = execFileSync('/bin/sh', ['-c', '/usr/sbin/nginx -v 2>&1']).toString().split('/').pop().trim();
  const own = execFileSync(tokentrail, ['--version']).toString().trim();
  const mitmproxy = /mitmproxy: (\S+)/i.exec(execFileSync(mitmdump, ['--version']).toString())?.[1];
  return `${own}, Chromium ${browsers.chromium}, Firefox ${browsers.firefox}, nginx ${nginx}, Node ${process.versions.node}, `
    + `oidc-provider ${npm('oidc-provider')} and ${npm('oidc-provider-8')}, samlify ${npm('samlify')}, `
    + `playwright-core ${npm('playwright-core')}, mitmproxy ${mitmproxy}`;
}

/** Writes the tables of this run into README.md. */
export function writeTables({ found, replayed, versions, faults }) {
  const text = [
    `Run of ${new Date().toISOString().slice(0, 16)}Z: ${versionsOf(versions)}.`,
    `${clients.length} clients: ${clients.map((client) => `\`${client.id}\``).join(', ')}.`,
    `### Faults: ${faults.length}`, faults.map((fault) => `- ${fault}`).join('\n') || 'None.',
    '### Found, of what lies there', foundTable(found),
    '### Stores that no reader exists for yet', unreadTable(found),
    '### In no row of a database any more, and searched with `--residue` only', buriedTable(found),
    '### Beginnings of values in unused bytes, all told as `uncertain`', cutList(found),
    '### What the reports say was not read', problemList(found),
    '### Flow names', flowTable(found),
    '### Verdicts put to the servers', replayTable(replayed),
    '### Assumed verdicts that a server contradicts',
    counted(contradictions(replayed, ['assumed'])).map((line) => `- ${line}`).join('\n') || 'None.',
    '### What the evidence cannot show', unseenTable(replayed),
  ].join('\n\n');
  const file = path.join(lab, 'README.md');
  const markers = /(<!-- tables -->\n)[^]*(\n<!-- end of tables -->)/;
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(markers, (_all, open, close) => open + text + close));
}
