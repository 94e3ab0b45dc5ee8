// The ledger: every value that a server issued or was sent, as the servers saw it. What tokentrail reports is
// compared with this, never the other way round.

/** value → {value, kind, client, at, via, redeemed, revoked}; the first entry of a value stands. */
export const ledger = new Map();

/** Kinds that are public by themselves: searched for, never expected as a finding. */
export const publicKinds = new Set(['state', 'nonce', 's256_challenge', 'request_uri', 'interaction']);

export function record(kind, value, client, via) {
  if (typeof value !== 'string' || value.length < 8 || ledger.has(value)) return;
  ledger.set(value, { value, kind, client, at: Date.now(), via, redeemed: null, revoked: null });
}

/** Notes that a server took a single-use value, or that it stopped honouring a value. */
export function mark(value, field) {
  const entry = ledger.get(value);
  if (entry && !entry[field]) entry[field] = Date.now();
}

/** Names of protocol parameters → kind. `code_challenge` and `response` are told apart by `recordParams`. */
const kinds = {
  access_token: 'access_token', id_token: 'id_token', id_token_hint: 'id_token', refresh_token: 'refresh_token',
  code: 'authorization_code', code_verifier: 'code_verifier', client_secret: 'client_secret', state: 'state',
  nonce: 'nonce', response: 'jarm_response', request_uri: 'request_uri', device_code: 'device_code',
  user_code: 'user_code', password: 'password',
};

/** Records every protocol parameter of an iterable of [name, value]. */
export function recordParams(params, client, via) {
  const all = Object.fromEntries(params);
  for (const [name, value] of Object.entries(all)) {
    if (kinds[name]) record(kinds[name], value, client, via);
  }
  if (all.code_challenge) {
    const kind = all.code_challenge_method === 'S256' ? 's256_challenge' : 'code_challenge';
    record(kind, all.code_challenge, client, via);
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
