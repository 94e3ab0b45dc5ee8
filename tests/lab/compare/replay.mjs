// What a thief would do with each finding: its verdict of now is put to the servers. Only the lab may do this: a code
// that is redeemed twice revokes live tokens (RFC 6749 §4.1.2), so codes come last, each on a grant of its own.
import { basic, call } from '../call.mjs';
import { api, clientOf, deviceGrant, oauthClients } from '../clients.mjs';
import { origin } from '../places.mjs';
import { verified } from '../servers/apps.mjs';
import { password } from '../servers/idp.mjs';
import { ledger } from '../truth.mjs';

/** Milliseconds after its expiry for which oidc-provider 9 takes a token (`clockTolerance`, 15 s), and one for rounding. */
const tolerance = 16_000;

/** The moment from which no short-lived token of the run is taken any more. */
export const shortEnds = () => Math.max(0, ...[...ledger.values()].map(({ client, at }) =>
  at + (clientOf(client)?.seconds ?? -Infinity) * 1000 + tolerance));

/** What the server must say to a verdict's state: true accepts, false refuses; others make no promise. */
const promises = {
  live: true, replayable: true, guarded: false, bound: false, spent: false, revoked: false, expired: false,
};

/** Under plain the challenge is the verifier (RFC 7636 §4.2). */
const verifiers = () => [...ledger.values()].filter(({ kind }) => ['code_verifier', 'code_challenge'].includes(kind));

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
  // Userinfo wants the scope openid, which the bare implicit grant was not asked for.
  const direct = value.split('.').length === 3 || client?.type === 'token' || client?.machine;
  const at = direct ? api : `${client?.issuer ?? origin('idp.lab.test')}/me`;
  const { status } = await call(at, { headers: { authorization: `Bearer ${value}` } });
  return { ok: status === 200, said: `${status}` };
}

async function useRefresh(value, client, { secrets }) {
  const form = { grant_type: 'refresh_token', refresh_token: value, client_id: client.id };
  const headers = secrets[0] ? { authorization: basic(client.id, secrets[0]) } : {};
  const { status, json } = await call(`${client.issuer}/token`, { form, headers });
  return { ok: status === 200, said: `${status} ${json?.error ?? ''}` };
}

/** The server remembers the `jti` of an assertion (RFC 7523 §3). */
async function useAssertion(value, client) {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const form = { token: 'none', client_id: client.id, client_assertion_type: type, client_assertion: value };
  const { status, json } = await call(`${client.issuer}/token/revocation`, { form });
  return { ok: status === 200, said: `${status} ${json?.error ?? ''}` };
}

async function useDeviceCode(value, client) {
  const form = { grant_type: deviceGrant, device_code: value };
  const headers = { authorization: basic(client.id, client.secret) };
  const { status, json } = await call(`${client.issuer}/token`, { form, headers });
  return { ok: status === 200, said: `${status} ${json?.error ?? ''}` };
}

/** A relying party would take it: its signature, audience and time are right (OpenID Connect Core §3.1.3.7). */
const useIdToken = (value, client) =>
  verified(value, client?.id).then(() => ({ ok: true, said: 'valid' }), (error) => ({ ok: false, said: error.code }));

async function useSecret(value, client) {
  const secret = value.includes(':') ? value.slice(value.indexOf(':') + 1) : value;
  const inBody = client.auth === 'client_secret_post';
  const { status } = await call(`${client.issuer}/token/revocation`, {
    form: { token: 'none', ...(inBody && { client_id: client.id, client_secret: secret }) },
    headers: inBody ? {} : { authorization: basic(client.id, secret) },
  });
  return { ok: status === 200, said: `${status}` };
}

/** Sends a response to its service provider once more, as the browser did. */
async function useSaml({ value, url }, client) {
  const headers = { 'x-lab-replay': 'yes' };
  // By redirect the URL as a whole is signed (SAML bindings §3.4.4.1), and whoever has the response has it too.
  const { status, text } = url ? await call(url, { headers })
    : await call(client.callback, { form: { SAMLResponse: value }, headers });
  return { ok: status < 400, said: `${status} ${/<title>([^<]*)/.exec(text)?.[1] ?? ''}`.trim() };
}

/** A session of the application opens its page; one of the authorization server signs in without asking. */
async function useSession(value) {
  const [host, name] = ledger.get(value).via.split(' ');
  const headers = { cookie: `${name}=${value}` };
  if (name === 'sid') {
    const { status } = await call(`${origin(host)}/me`, { headers });
    return { ok: status === 200, said: `${status}` };
  }
  const client = oauthClients.find((one) => one.issuer === origin(host) && one.type === 'code');
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
  basic_credentials: (f, c) => useSecret(f.value, c),
  client_assertion: (f, c) => useAssertion(f.value, c),
  device_code: (f, c) => useDeviceCode(f.value, c),
  saml_message: (f, c) => useSaml(ledger.get(f.value), c),
  refresh_token: (f, c, k) => useRefresh(f.value, c, k),
  authorization_code: (f, c, k) => redeem(f.value, c, k),
};
const order = Object.keys(uses);
/** Refused states before accepted ones: a success uses a code up. Those seen used come last: they revoke a grant. */
const states = ['live', 'unknown', 'guarded', 'bound', 'replayable', 'expired', 'revoked', 'spent', 'inert'];

/** Why an honest verdict may differ from the server: what this holder's files do not show. `shows(kind, run)` tells. */
function unseen({ value, kind, now }, accepted, { begin, shows }) {
  const entry = ledger.get(value);
  const before = (time) => time !== null && time < begin;
  if (kind === 'authorization_code' && shows('token_request', entry.run)) return null;
  const late = Date.now() - Date.parse(now.expires_at);
  if (accepted && now.state === 'expired' && late < tolerance) return 'taken within the clock tolerance of the server';
  if (accepted) return null;
  if (before(entry.redeemed) && kind === 'client_assertion') return 'used once, and its jti remembered by the server';
  if (before(entry.redeemed) && kind === 'saml_message') return 'taken once, and remembered by the service provider';
  if (before(entry.redeemed)) return kind === 'refresh_token' ? 'used, and replaced in an answer it does not hold' : 'redeemed';
  return before(entry.revoked) ? 'withdrawn at the server by the logout' : null;
}

/**
 * Puts every finding's `now` verdict to the servers. One row a finding and holder:
 * {holder, kind, state, basis, client, said, accepted, outcome, note}; outcome is held, contradicted, unseen,
 * recorded (no promise), or untested.
 */
export async function replay(scans, found) {
  const begin = Date.now();
  const messages = new Map(found.map(({ name, stores }) => [name, stores.filter((row) => row.reader).flatMap((row) => row.messages)]));
  const seenBy = (name) => ({
    begin, shows: (kind, run) => messages.get(name).some((message) => message.kind === kind && run && message.run === run),
  });
  // A used value comes after every unused one: its replay may revoke the grant of the others.
  const rank = ({ finding }) => order.indexOf(finding.kind) * 100 + states.indexOf(finding.now.state)
    + (ledger.get(finding.value)?.redeemed ? 50 : 0);
  const tasks = scans.flatMap(({ name, report }) => report.findings
    .filter((finding) => finding.kind !== 'flow_weakness')
    .map((finding) => ({ name, report, finding })));
  tasks.sort((a, b) => rank(a) - rank(b));
  const taken = new Map();
  const rows = [];
  for (const task of tasks) rows.push(await replayOne(task, taken, seenBy(task.name)));
  return [...rows, ...(await guards(tasks, taken, seenBy))];
}

/** A value that an earlier row used up: this holder would have had the same success if its kit holds what that took. */
function again({ verifier, secret }, { verifiers: known, secrets }) {
  const ok = (!verifier || known.includes(verifier)) && (!secret || secrets.includes(secret));
  return { ok, said: ok ? '200 in an earlier row, which needed no more' : 'refused, as an earlier row needed more' };
}

async function replayOne({ name, report, finding }, taken, seen) {
  const { state, basis, needs } = finding.now;
  const entry = ledger.get(finding.value);
  const row = {
    holder: name, kind: finding.kind, state, basis, needs, client: entry?.client, flow: finding.flow,
    because: finding.now.because, value: finding.value,
  };
  const client = clientOf(entry?.client);
  const single = ['authorization_code', 'refresh_token', 'saml_message'].includes(finding.kind);
  const usable = entry && uses[finding.kind] && entry.via !== 'logout request' && (client || !single);
  if (!usable) return { ...row, outcome: 'untested' };
  const own = kit(finding, report);
  const { ok, said, used } = taken.has(finding.value) ? again(taken.get(finding.value), own)
    : await uses[finding.kind](finding, client, own);
  if (ok && single && !taken.has(finding.value)) taken.set(finding.value, used ?? {});
  const result = { ...row, accepted: ok, said };
  if (promises[state] === undefined) return { ...result, outcome: 'recorded' };
  if (promises[state] === ok) return { ...result, outcome: 'held' };
  const note = unseen(finding, ok, seen);
  return { ...result, outcome: note ? 'unseen' : 'contradicted', note };
}

/** Guarded codes once more, with what `needs` names: the guard was all that stood in the way, or they are spent. */
async function guards(tasks, taken, seenBy) {
  const rows = [];
  for (const { name, finding } of tasks) {
    const client = clientOf(ledger.get(finding.value)?.client);
    if (finding.kind !== 'authorization_code' || finding.now.state !== 'guarded' || taken.has(finding.value)) continue;
    taken.set(finding.value, {});
    const { ok, said } = await redeem(finding.value, client, allOf(client));
    const note = unseen(finding, ok, seenBy(name));
    rows.push({
      holder: name, kind: 'authorization_code', state: 'guarded, given its needs', basis: finding.now.basis,
      needs: finding.now.needs, client: client.id, said, accepted: ok, value: finding.value, note,
      because: finding.now.because, outcome: ok ? 'held' : (note && 'unseen') ?? 'contradicted',
    });
  }
  return rows;
}
