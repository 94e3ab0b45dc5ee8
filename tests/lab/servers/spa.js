// The page of every public client, run in the browser: starts the flow, or takes the answer and uses it.
'use strict';
const client = JSON.parse(document.body.dataset.client);

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(16)));
const sha256 = async (text) =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
const post = async (url, form) =>
  (await fetch(url, { method: 'POST', body: new URLSearchParams({ ...form, client_id: client.id }) })).json();
const finish = (word) => { document.title = `${word} ${client.id}`; };

async function start() {
  const state = random();
  const params = { response_type: client.type, redirect_uri: client.callback, scope: 'openid profile', state };
  if (client.type.includes('id_token')) params.nonce = random();
  if (client.slow) params.prompt = 'login';
  if (client.mode) params.response_mode = client.mode;
  if (client.jwt) Object.assign(params, { resource: client.api, scope: 'openid profile read' });
  if (client.pkce !== 'none') {
    // Derived from `state`, so that the lab's ledger knows verifiers that never leave the browser.
    const verifier = await sha256(`lab-verifier:${state}`);
    sessionStorage.setItem(`pkce.${state}`, verifier);
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
  const got = answer();
  if (got.error) return finish(`failed ${got.error}`);
  if (client.strip) history.replaceState(null, '', location.pathname);
  if (got.code && client.redeem) {
    const form = { grant_type: 'authorization_code', code: got.code, redirect_uri: client.callback };
    const verifier = sessionStorage.getItem(`pkce.${got.state}`);
    if (client.jwt) form.resource = client.api;
    Object.assign(got, await post(`${client.issuer}/token`, verifier ? { ...form, code_verifier: verifier } : form));
    if (got.error) return finish(`failed ${got.error}`);
    sessionStorage.removeItem(`pkce.${got.state}`);
  }
  localStorage.setItem(`tokens.${client.id}`, JSON.stringify(got));
  if (got.access_token && !client.jwt) {
    await fetch(`${client.issuer}/me`, { headers: { authorization: `Bearer ${got.access_token}` } });
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
