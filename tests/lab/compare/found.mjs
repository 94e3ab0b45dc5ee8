// Truth against report, for one holder: what lies in each file, what of it was found, and what was made up.
import fs from 'node:fs';
import path from 'node:path';
import { clientOf } from '../clients.mjs';
import { evidence } from '../places.mjs';
import { ledger, publicKinds } from '../truth.mjs';
import { index, search } from './bytes.mjs';
import { files } from './scan.mjs';

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
];

/** A Basic header counts as found when the secret in it was. */
const secretIn = (entry) => entry.kind === 'basic_credentials'
  && Buffer.from(entry.value, 'base64').toString().split(':')[1];

/** Stores of a holder: {store, reader, status, lying: [entry], missed: [{entry, file}]}. */
function stores(name, report) {
  const folder = path.join(evidence, name);
  const values = index(ledger.keys());
  const found = new Map();
  for (const finding of report.findings) {
    for (const place of pathsOf(finding)) {
      if (!found.has(place)) found.set(place, new Set());
      found.get(place).add(finding.value);
    }
  }
  const result = new Map();
  for (const file of files(folder)) {
    const hits = [...search(values, fs.readFileSync(path.join(folder, file)))].map((value) => ledger.get(value));
    const credentials = hits.filter((entry) => !publicKinds.has(entry.kind));
    const store = storeOf(file);
    const source = report.sources.find((one) => one.path === store);
    if (!result.has(store)) {
      result.set(store, { store, reader: source?.reader, status: source?.status, lying: new Set(), missed: new Map() });
    }
    const row = result.get(store);
    for (const entry of credentials) {
      row.lying.add(entry);
      const got = found.get(store);
      if (!got?.has(entry.value) && !got?.has(secretIn(entry))) row.missed.set(entry, [...(row.missed.get(entry) ?? []), file]);
    }
  }
  return [...result.values()].filter((row) => row.lying.size > 0).map((row) => ({
    ...row, lying: [...row.lying], missed: [...row.missed].map(([entry, where]) => ({ entry, where })),
  }));
}

/** The flow name that fits how this value got where it is, by what the client really does (rules/flows.toml). */
function flowOf(entry, finding) {
  const client = clientOf(entry.client);
  if (!client) return null;
  const grant = {
    'id_token token': 'implicit-oidc-both', id_token: 'implicit-oidc-idtoken', 'code id_token': 'hybrid-code-idtoken',
    'code token': 'hybrid-code-token', 'code id_token token': 'hybrid-code-idtoken-token',
  }[client.type];
  const token = ['access_token', 'id_token'].includes(finding.kind);
  const slots = new Set(finding.sightings.map((sighting) => `${sighting.role} ${sighting.slot}`));
  const flows = [grant ?? { S256: 'code-pkce-s256', plain: 'code-pkce-plain' }[client.pkce] ?? 'code-nopkce'];
  if (client.pkce === 'none' && client.type === 'code') flows.push(client.public ? 'code-nopkce-public' : 'code-secret');
  if (client.after === 'fragment' && token) flows.push('handoff-fragment');
  if (client.after === 'query' && finding.kind === 'access_token') flows.push('bearer-in-query');
  if (client.after === 'logout' && finding.kind === 'id_token') flows.push('logout-leak');
  if (client.after === 'refresh' && token) flows.push('refresh');
  if (finding.kind === 'refresh_token' && client.after === 'refresh') flows.push('refresh');
  return { flows, slots: [...slots] };
}

/** Names that say less than the truth, and nothing wrong. */
const vague = new Set(['unknown', 'code', 'fragment-token-unattributed']);

/** Judges one scan: {name, stores, invented, kinds, flows: {right, vague, wrong}, untouched}. */
export function compare({ name, report, untouched, seconds }) {
  const reported = report.findings.filter((finding) => finding.kind !== 'flow_weakness');
  const flows = { right: 0, vague: 0, wrong: [] };
  const kinds = [];
  const invented = [];
  for (const finding of reported) {
    const entry = ledger.get(finding.value);
    if (!entry) { invented.push(finding); continue; }
    if (entry.kind !== finding.kind && !alsoCalled[entry.kind]?.includes(finding.kind)) kinds.push({ entry, finding });
    const truth = flowOf(entry, finding);
    if (!truth) continue;
    if (truth.flows.includes(finding.flow)) flows.right += 1;
    else if (vague.has(finding.flow)) flows.vague += 1;
    else flows.wrong.push({ entry, finding, expected: truth.flows });
  }
  return { name, stores: stores(name, report), invented, kinds, flows, untouched, seconds, problems: report.problems };
}
