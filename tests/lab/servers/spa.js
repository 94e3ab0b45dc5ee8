// The page of every public client, run in the browser: starts the flow, or takes the answer and uses it.
'use strict';
const client = JSON.parse(document.body.dataset.client);

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(16)));
const sha256 = async (text) =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
const post = async (url, form, headers = {}) =>
  (await fetch(url, { method: 'POST', headers, body: new URLSearchParams({ ...form, client_id: client.id }) })).json();
const finish = (word) => { document.title = `${word} ${client.id}`; };

/** A DPoP proof (RFC 9449 §4.2) for a request, with the page's key; the key leaves memory never. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
let pair;
async function publicKey() {
  pair ??= await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  return crypto.subtle.exportKey('jwk', pair.publicKey);
}
/** Thumbprint of the page's key (RFC 7638), which binds a code to it (RFC 9449 §10). */
async function thumbprint() {
  const { kty, crv, x, y } = await publicKey();
  return sha256(JSON.stringify({ crv, kty, x, y }));
}
async function proof(htm, htu, token) {
  const { kty, crv, x, y } = await publicKey();
  const payload = { jti: random(), htm, htu, iat: Math.floor(Date.now() / 1000), ...(token && { ath: await sha256(token) }) };
  const part = (object) => base64url(new TextEncoder().encode(JSON.stringify(object)));
  const signed = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })}.${part(payload)}`;
  const signature = await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** The hidden frame of a renewal tells its parent, and does nothing else. */
function renew() {
  const params = {
    client_id: client.id, response_type: client.type, redirect_uri: client.callback, scope: 'openid', prompt: 'none',
    state: random(), ...(client.type.includes('id_token') && { nonce: random() }),
  };
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.src = `${client.issuer}/auth?${new URLSearchParams(params)}`;
  addEventListener('message', (event) => finish(/code=|access_token=/.test(event.data) ? 'done' : `failed ${event.data}`));
  document.body.append(frame);
}

async function start() {
  const state = random();
  // The bare implicit grant is OAuth alone: it asks for the API and for no scope of OpenID Connect.
  const oidc = client.type === 'token' ? [] : ['openid', 'profile'];
  const own = client.jwt || client.type === 'token' ? ['read'] : [];
  const params = {
    response_type: client.type, redirect_uri: client.callback, scope: [...oidc, ...own].join(' '), state,
    ...(own.length > 0 && { resource: client.api }),
  };
  if (client.type.includes('id_token')) params.nonce = random();
  if (client.slow) params.prompt = 'login';
  if (client.mode) params.response_mode = client.mode;
  if (client.jkt) params.dpop_jkt = await thumbprint();
  if (client.pkce !== 'none') {
    // Derived from `state`, so that the lab's ledger knows verifiers that never leave the browser.
    const verifier = await sha256(`lab-verifier:${state}`);
    // As oidc-client-ts keeps it.
    const kept = { id: state, code_verifier: verifier, client_id: client.id, redirect_uri: client.callback };
    sessionStorage.setItem(`oidc.${state}`, JSON.stringify(kept));
    params.code_challenge = client.pkce === 'plain' ? verifier : await sha256(verifier);
    params.code_challenge_method = client.pkce;
  }
  const asked = client.par ? { request_uri: (await post(`${client.issuer}/request`, params)).request_uri } : params;
  location.assign(`${client.issuer}/auth?${new URLSearchParams({ client_id: client.id, ...asked })}`);
}

function answer() {
  const given = new URLSearchParams(location.hash.slice(1) || location.search);
  const jarm = given.get('response');
  if (!jarm) return Object.fromEntries(given);
  return JSON.parse(atob(jarm.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
}

async function callback() {
  if (window !== window.top) return window.parent.postMessage(location.search + location.hash, location.origin);
  const got = answer();
  if (got.error) return finish(`failed ${got.error}`);
  if (client.strip === 'replace') history.replaceState(null, '', location.pathname);
  if (client.strip === 'hash') location.hash = '';
  if (got.code && client.redeem) {
    const form = { grant_type: 'authorization_code', code: got.code, redirect_uri: client.callback };
    const kept = sessionStorage.getItem(`oidc.${got.state}`);
    if (client.jwt) form.resource = client.api;
    if (kept) form.code_verifier = JSON.parse(kept).code_verifier;
    const headers = client.dpop ? { dpop: await proof('POST', `${client.issuer}/token`) } : {};
    Object.assign(got, await post(`${client.issuer}/token`, form, headers));
    if (got.error) return finish(`failed ${got.error}`);
    sessionStorage.removeItem(`oidc.${got.state}`);
  }
  localStorage.setItem(`tokens.${client.id}`, JSON.stringify(got));
  // Userinfo wants the scope openid, which a client of the bare implicit grant does not ask for.
  if (got.access_token && !client.jwt && client.type !== 'token') {
    const headers = client.dpop
      ? { authorization: `DPoP ${got.access_token}`, dpop: await proof('GET', `${client.issuer}/me`, got.access_token) }
      : { authorization: `Bearer ${got.access_token}` };
    const { status } = await fetch(`${client.issuer}/me`, { headers });
    if (status !== 200) return finish(`failed ${status}`);
  }
  return after(got);
}

async function after(got) {
  switch (client.after) {
    case 'refresh': {
      const form = { grant_type: 'refresh_token', refresh_token: got.refresh_token };
      const fresh = await post(`${client.issuer}/token`, form);
      localStorage.setItem(`tokens.${client.id}`, JSON.stringify(fresh));
      return finish(fresh.error ? `failed ${fresh.error}` : 'done');
    }
    case 'silent':
      return renew();
    case 'query':
      return location.assign(`${client.api}report?${new URLSearchParams({ access_token: got.access_token })}`);
    case 'logout':
      return location.assign(`${client.issuer}/session/end?${new URLSearchParams({
        id_token_hint: got.id_token, post_logout_redirect_uri: client.done,
      })}`);
    default:
      return finish('done');
  }
}

(location.pathname.startsWith('/start/') ? start() : callback()).catch((error) => finish(`failed ${error}`));
