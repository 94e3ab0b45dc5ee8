// What a thief would do with each finding: its verdict of now is put to the servers. Only the lab may do this: a code
// that is redeemed twice revokes live tokens (RFC 6749 §4.1.2), so codes come last, each on a grant of its own.
import { basic, call } from '../call.mjs';
import { api, clientOf, clients } from '../clients.mjs';
import { origin } from '../places.mjs';
import { verified } from '../servers/apps.mjs';
import { password } from '../servers/idp.mjs';
import { ledger } from '../truth.mjs';

/** What the server must say to a verdict's state: true accepts, false refuses; others make no promise. */
const promises = {
  live: true, replayable: true, guarded: false, bound: false, spent: false, revoked: false, expired: false,
};

const verifiers = () => [...ledger.values()].filter((entry) => entry.kind === 'code_verifier');

/** Everything of these kinds that the same report shows for the same protocol runs: the thief's kit. */
function kit(finding, report) {
  const same = report.findings.filter((other) => other.trails.some((trail) => finding.trails.includes(trail)));
  const values = (...kinds) => same.filter((other) => kinds.includes(other.kind)).map((other) => other.value);
  return { verifiers: values('code_verifier', 'code_challenge'), secrets: values('client_secret') };
}

/** Everything that the lab knows about the client: what the verdict's `needs` keeps from the thief. */
function allOf(client) {
  const own = verifiers().filter((entry) => entry.client === client.id).map((entry) => entry.value);
  return { verifiers: own, secrets: client.secret ? [client.secret] : [] };
}

/** Tries a code with every combination of a kit, and with nothing; resolves to the first success or last refusal. */
async function redeem(code, client, { verifiers: known, secrets }) {
  let last;
  for (const secret of new Set([undefined, ...secrets])) {
    for (const verifier of new Set([undefined, ...known])) {
      const form = { grant_type: 'authorization_code', code, redirect_uri: client.callback };
      if (verifier) form.code_verifier = verifier;
      if (!secret) form.client_id = client.id;
      const headers = secret ? { authorization: basic(client.id, secret) } : {};
      last = await call(`${client.issuer}/token`, { form, headers });
      if (last.status === 200) return { ok: true, said: '200', used: { verifier, secret } };
    }
  }
  return { ok: false, said: `${last.status} ${last.json?.error ?? ''}` };
}

async function useAccess(value, client) {
  const at = value.split('.').length === 3 ? api : `${client?.issuer ?? origin('idp.lab.test')}/me`;
  const { status } = await call(at, { headers: { authorization: `Bearer ${value}` } });
  return { ok: status === 200, said: `${status}` };
}

async function useRefresh(value, client, { secrets }) {
  const form = { grant_type: 'refresh_token', refresh_token: value, client_id: client.id };
  const headers = secrets[0] ? { authorization: basic(client.id, secrets[0]) } : {};
  const { status, json } = await call(`${client.issuer}/token`, { form, headers });
  return { ok: status === 200, said: `${status} ${json?.error ?? ''}` };
}

/** A relying party would take it: its signature, audience and time are right (OpenID Connect Core §3.1.3.7). */
const useIdToken = (value, client) =>
  verified(value, client?.id).then(() => ({ ok: true, said: 'valid' }), (error) => ({ ok: false, said: error.code }));

async function useSecret(value, client) {
  const { status } = await call(`${client.issuer}/token/revocation`, {
    form: { token: 'none' }, headers: { authorization: basic(client.id, value) },
  });
  return { ok: status === 200, said: `${status}` };
}

/** A session of the application opens its page; one of the authorization server signs in without asking. */
async function useSession(value) {
  const [host, name] = ledger.get(value).via.split(' ');
  const headers = { cookie: `${name}=${value}` };
  if (name === 'sid') {
    const { status } = await call(`${origin(host)}/me`, { headers });
    return { ok: status === 200, said: `${status}` };
  }
  const client = clients.find((one) => one.issuer === origin(host) && one.type === 'code');
  const asked = new URLSearchParams({
    client_id: client.id, response_type: 'code', redirect_uri: client.callback, scope: 'openid', prompt: 'none',
    ...(client.pkce === 'plain' && { code_challenge: value.padEnd(43, 'x'), code_challenge_method: 'plain' }),
  });
  const answer = await call(`${client.issuer}/auth?${asked}`, { headers });
  const given = new URL(answer.headers.location ?? 'x:').searchParams;
  return { ok: given.has('code'), said: given.get('error') ?? `${answer.status}` };
}

/** How the lab uses a value of this kind, in this order; kinds without an entry cannot be put to a server. */
const uses = {
  access_token: (f, c) => useAccess(f.value, c),
  id_token: (f, c) => useIdToken(f.value, c),
  session_id: (f) => useSession(f.value),
  password: async (f) => ({ ok: f.value === password, said: 'compared' }),
  client_secret: (f, c) => useSecret(f.value, c),
  refresh_token: (f, c, k) => useRefresh(f.value, c, k),
  authorization_code: (f, c, k) => redeem(f.value, c, k),
};
const order = Object.keys(uses);
/** Refused states before accepted ones: a success uses a code up. Those seen used come last: they revoke a grant. */
const states = ['live', 'unknown', 'guarded', 'bound', 'replayable', 'expired', 'revoked', 'spent', 'inert'];

/** Why an honest verdict may differ from the server: what this holder's files do not show. */
function unseen({ value, kind }, accepted, begin) {
  const entry = ledger.get(value);
  const before = (time) => time !== null && time < begin;
  if (accepted) return null;
  if (before(entry.redeemed)) return kind === 'refresh_token' ? 'used, and replaced in an answer it does not hold' : 'redeemed';
  return before(entry.revoked) ? 'withdrawn at the server by the logout' : null;
}

/**
 * Puts every finding's `now` verdict to the servers. One row a finding and holder:
 * {holder, kind, state, basis, client, said, accepted, outcome, note}; outcome is held, contradicted, unseen,
 * recorded (no promise), or untested.
 */
export async function replay(scans) {
  const begin = Date.now();
  // A used value comes after every unused one: its replay may revoke the grant of the others.
  const rank = ({ finding }) => order.indexOf(finding.kind) * 100 + states.indexOf(finding.now.state)
    + (ledger.get(finding.value)?.redeemed ? 50 : 0);
  const tasks = scans.flatMap(({ name, report }) => report.findings
    .filter((finding) => finding.kind !== 'flow_weakness')
    .map((finding) => ({ name, report, finding })));
  tasks.sort((a, b) => rank(a) - rank(b));
  const taken = new Map();
  const rows = [];
  for (const task of tasks) rows.push(await replayOne(task, taken, begin));
  return [...rows, ...(await guards(tasks, taken, begin))];
}

/** A value that an earlier row used up: this holder would have had the same success if its kit holds what that took. */
function again({ verifier, secret }, { verifiers: known, secrets }) {
  const ok = (!verifier || known.includes(verifier)) && (!secret || secrets.includes(secret));
  return { ok, said: ok ? '200 in an earlier row, which needed no more' : 'refused, as an earlier row needed more' };
}

async function replayOne({ name, report, finding }, taken, begin) {
  const { state, basis, needs } = finding.now;
  const entry = ledger.get(finding.value);
  const row = {
    holder: name, kind: finding.kind, state, basis, needs, client: entry?.client, flow: finding.flow,
    because: finding.now.because, value: finding.value,
  };
  const client = clientOf(entry?.client);
  const single = ['authorization_code', 'refresh_token'].includes(finding.kind);
  if (!entry || !uses[finding.kind] || (single && !client)) return { ...row, outcome: 'untested' };
  const own = kit(finding, report);
  const { ok, said, used } = taken.has(finding.value) ? again(taken.get(finding.value), own)
    : await uses[finding.kind](finding, client, own);
  if (ok && single && !taken.has(finding.value)) taken.set(finding.value, used ?? {});
  const result = { ...row, accepted: ok, said };
  if (promises[state] === undefined) return { ...result, outcome: 'recorded' };
  if (promises[state] === ok) return { ...result, outcome: 'held' };
  const note = unseen(finding, ok, begin);
  return { ...result, outcome: note ? 'unseen' : 'contradicted', note };
}

/** Guarded codes once more, with what `needs` names: the guard was all that stood in the way, or they are spent. */
async function guards(tasks, taken, begin) {
  const rows = [];
  for (const { name, finding } of tasks) {
    const client = clientOf(ledger.get(finding.value)?.client);
    if (finding.kind !== 'authorization_code' || finding.now.state !== 'guarded' || taken.has(finding.value)) continue;
    taken.set(finding.value, {});
    const { ok, said } = await redeem(finding.value, client, allOf(client));
    const note = unseen(finding, ok, begin);
    rows.push({
      holder: name, kind: 'authorization_code', state: 'guarded, given its needs', basis: finding.now.basis,
      needs: finding.now.needs, client: client.id, said, accepted: ok, value: finding.value, note,
      because: finding.now.because, outcome: ok ? 'held' : (note && 'unseen') ?? 'contradicted',
    });
  }
  return rows;
}
