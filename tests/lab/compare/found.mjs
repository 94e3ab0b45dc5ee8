// Truth against report, for one holder: what lies in each file, what of it was found, and what was made up.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { evidence, lab } from '../places.mjs';
import { ledger, publicKinds } from '../truth.mjs';
import { index, search } from './bytes.mjs';
import { snappy, v10 } from './decode.mjs';
import { files, residue } from './scan.mjs';
import { nameOf } from './names.mjs';

/** A database and the files beside it that belong to it are one store. */
const storeOf = (file) => file.replace(/-(wal|shm|journal)$/, '');

/** Kinds that tokentrail may give to what the ledger calls so, besides the same name. */
const alsoCalled = {
  interaction: ['session_id'],
  // Under plain they are one value (RFC 7636 §4.2).
  code_challenge: ['code_verifier'], code_verifier: ['code_challenge'],
};

const pathsOf = (finding) => [
  ...finding.sightings.map((sighting) => sighting.source.path),
  ...finding.sightings_by_source.map((seen) => seen.path ?? seen.source?.path),
].map(storeOf);

/** Whether a value is among the found ones; a Basic header may be reported as the pair in it or as its secret. */
function isFound(entry, found) {
  if (found?.has(entry.value)) return true;
  if (entry.kind === 'basic_credentials') return found?.has(entry.value.split(':')[1]);
  return entry.kind === 'client_secret' && found?.has(`${entry.client}:${entry.value}`);
}

/** For every database of a folder: what its rows hold, each cell whole and opened where it is packed. */
function rowsOf(folder, all, values) {
  const isDatabase = (file) => {
    const head = Buffer.alloc(16);
    const handle = fs.openSync(path.join(folder, file));
    fs.readSync(handle, head, 0, 16, 0);
    fs.closeSync(handle);
    return head.toString('latin1') === 'SQLite format 3\0';
  };
  const databases = all.filter(isDatabase);
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'lab-cells-'));
  execFileSync('python3', [path.join(lab, 'compare/cells.py'), folder, out], { input: databases.join('\n') });
  const rows = new Map(databases.map((file, number) => {
    const dump = fs.readFileSync(path.join(out, `${number}`));
    const cells = [];
    for (let at = 0; at + 4 <= dump.length;) {
      const cell = dump.subarray(at + 4, at + 4 + dump.readUInt32LE(at));
      cells.push(cell, v10(cell), snappy(cell));
      at += 4 + cell.length;
    }
    const text = Buffer.concat(cells.filter(Boolean).flatMap((cell) => [cell, Buffer.alloc(1)]));
    return [file, search(values, text, file)];
  }));
  fs.rmSync(out, { recursive: true });
  return rows;
}

/** File and its digest → hits: what stays as it is between two states of a profile is searched once. */
const searched = new Map();

function searchFile(values, folder, file) {
  const bytes = fs.readFileSync(path.join(folder, file));
  const key = `${createHash('sha256').update(bytes).digest('hex')} ${file}`;
  if (!searched.has(key)) searched.set(key, search(values, bytes, file));
  return searched.get(key);
}

/** Which of a holder's values each reader found: store → values. */
function foundIn(report) {
  const found = new Map();
  for (const finding of report.findings) {
    for (const place of pathsOf(finding)) {
      if (!found.has(place)) found.set(place, new Set());
      found.get(place).add(finding.value);
    }
  }
  return found;
}

/** Files that a HAR names as its bodies → that HAR, unless the report says that it did not read them. */
function bodiesOf(folder, all, report) {
  const unread = (har) => report.problems.some(({ path: at, reason }) => at === har && reason.includes('_file'));
  const hars = all.filter((file) => file.endsWith('.har') && !unread(file));
  return new Map(hars.flatMap((har) => {
    const names = fs.readFileSync(path.join(folder, har), 'utf8').matchAll(/"_file": ?"([^"]+)"/g);
    return [...names].map(([, name]) => [path.join(path.dirname(har), name), har]);
  }));
}

/**
 * Stores of a holder: {store, reader, lying, missed: [{entry, file}], buried, messages}. A store whose reader says that
 * it cannot read it counts as one without. `buried` lies in no row of a database: in free pages, journals, slack.
 */
function stores(name, report, values) {
  const folder = path.join(evidence, name);
  const found = foundIn(report);
  const all = files(folder);
  const rows = rowsOf(folder, all, values);
  const bodies = bodiesOf(folder, all, report);
  const result = new Map();
  for (const file of all) {
    const store = bodies.get(file) ?? storeOf(file);
    const sources = report.sources.filter((one) => one.path === store && one.status !== 'unsupported');
    if (!result.has(store)) {
      const reader = [...new Set(sources.map((one) => one.reader))].join(', ');
      result.set(store, { store, reader, lying: new Set(), missed: new Map(), buried: new Set(), messages: new Set() });
    }
    const row = result.get(store);
    const inRows = rows.get(store);
    const hits = searchFile(values, folder, file);
    for (const value of new Set([...hits, ...(inRows ?? [])])) {
      const entry = ledger.get(value);
      const buried = inRows !== undefined && !inRows.has(value) && !residue;
      if (/^(authorization|token)_/.test(entry.kind) && publicKinds.has(entry.kind) && !buried) row.messages.add(entry);
      if (publicKinds.has(entry.kind)) continue;
      if (buried) {
        if (!isFound(entry, found.get(store))) row.buried.add(entry);
        continue;
      }
      row.lying.add(entry);
      if (!isFound(entry, found.get(store))) row.missed.set(entry, [...(row.missed.get(entry) ?? []), file]);
    }
  }
  return [...result.values()].filter((row) => row.lying.size + row.buried.size + row.messages.size > 0).map((row) => ({
    ...row, lying: [...row.lying], buried: [...row.buried], messages: [...row.messages],
    missed: [...row.missed].map(([entry, where]) => ({ entry, where })),
  }));
}

/** Whether a finding is what deletion left of a value, and each of its sightings says that it is a guess. */
const isBeginning = (finding) => finding.sightings.every(({ locator }) => locator.uncertain)
  && [...ledger.keys()].some((value) => value.startsWith(finding.value));

/** Judges one scan, with an index of the ledger: {name, stores, invented, cut, kinds, flows: {right, less, vague, wrong}, untouched}. */
export function compare({ name, report, untouched, seconds }, values) {
  const reported = report.findings.filter((finding) => finding.kind !== 'flow_weakness');
  const held = stores(name, report, values);
  const messages = held.filter((row) => row.reader).flatMap((row) => row.messages);
  const flows = { right: 0, less: [], vague: [], wrong: [] };
  const kinds = [];
  const [invented, cut] = [[], []];
  for (const finding of reported) {
    const entry = ledger.get(finding.value);
    if (!entry) { (isBeginning(finding) ? cut : invented).push(finding); continue; }
    if (entry.kind !== finding.kind && !alsoCalled[entry.kind]?.includes(finding.kind)) kinds.push({ entry, finding });
    const verdict = nameOf(entry, finding, messages);
    if (verdict === 'right') flows.right += 1;
    else if (verdict) flows[verdict].push({ entry, finding });
  }
  return { name, stores: held, invented, cut, kinds, flows, untouched, seconds, problems: report.problems };
}
