// The ledger: every value that a server issued or was sent, as the servers saw it. What tokentrail reports is
// compared with this, never the other way round.

/** value → {value, kind, client, run, at, via, redeemed, revoked}; the first entry of a value stands. */
export const ledger = new Map();

/**
 * Kinds that are public by themselves: searched for, never expected as a finding. The whole text of a message tells
 * which messages of a run a holder has, and so what the name of a flow can be expected to say.
 */
export const publicKinds = new Set([
  'state', 'nonce', 's256_challenge', 'request_uri', 'interaction', 'saml_request', 'relay_state',
  'authorization_request', 'authorization_response', 'token_request', 'token_response',
]);

/** run → {type, method} of its authorization request, as the server understood it. */
export const runs = new Map();

/** `run` names the protocol run that the value belongs to, by its `state` or what stands for one. */
export function record(kind, value, client, via, run) {
  if (typeof value !== 'string' || value.length < 8) return;
  const known = ledger.get(value);
  if (known) {
    known.run ??= run;
    known.client ??= client;
  } else {
    ledger.set(value, { value, kind, client, run, at: Date.now(), via, redeemed: null, revoked: null });
  }
}

/** Notes that a server took a single-use value, or that it stopped honouring a value. */
export function mark(value, field) {
  const entry = ledger.get(value);
  if (entry && !entry[field]) entry[field] = Date.now();
}

/** The run of the first of these values that belongs to one. */
export const runOf = (...values) => values.map((value) => ledger.get(value)?.run).find(Boolean);

/** Names of protocol parameters → kind. `code_challenge` and `response` are told apart by `recordParams`. */
const kinds = {
  access_token: 'access_token', id_token: 'id_token', id_token_hint: 'id_token', refresh_token: 'refresh_token',
  code: 'authorization_code', code_verifier: 'code_verifier', client_secret: 'client_secret', state: 'state',
  nonce: 'nonce', response: 'jarm_response', request_uri: 'request_uri', device_code: 'device_code',
  user_code: 'user_code', password: 'password', client_assertion: 'client_assertion', request: 'request_object',
};

/** Records every protocol parameter of an iterable of [name, value]. */
export function recordParams(params, client, via, run) {
  const all = Object.fromEntries(params);
  const own = run ?? all.state ?? runOf(all.code, all.refresh_token, all.device_code, all.id_token_hint, all.request_uri);
  for (const [name, value] of Object.entries(all)) {
    if (kinds[name]) record(kinds[name], value, client, via, own);
  }
  if (all.code_challenge) {
    const kind = all.code_challenge_method === 'S256' ? 's256_challenge' : 'code_challenge';
    record(kind, all.code_challenge, client, via, own);
  }
}

/** Records the values of Set-Cookie headers. oidc-provider names a sign-in under way in a cookie and in its URL. */
export function recordCookies(headers, client, via) {
  for (const line of [headers ?? []].flat()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (!value) continue;
    record(name.startsWith('_interaction') ? 'interaction' : 'session_id', value, client, `${via} ${name}`);
  }
}
