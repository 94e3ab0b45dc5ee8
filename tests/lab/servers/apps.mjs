// The relying parties, the API and a third party, told apart by the Host header.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SignJWT, createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { basic, call } from '../call.mjs';
import { api, clientOf, deviceGrant } from '../clients.mjs';
import { hosts, lab, origin } from '../places.mjs';
import { mark, record, recordCookies } from '../truth.mjs';
import { clientKeys } from './keys.mjs';
import { consume, logoutUrl, startSaml } from './saml.mjs';

const random = () => randomBytes(16).toString('base64url');
const page = (title, body = '') => `<!doctype html><meta charset="utf-8"><title>${title}</title><body>${body}`;
const pixel = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAAC', 'base64');
/** state → verifier, of sign-ins under way; sid → tokens, of sessions. Verifiers stay: replay needs them. */
export const pending = new Map();
export const sessions = new Map();

const spaPage = (client) => {
  const { secret, ...shown } = { ...client, api };
  const data = JSON.stringify(shown).replaceAll('"', '&quot;');
  return `<!doctype html><meta charset="utf-8"><title>working</title><body data-client="${data}">
    <script src="/spa.js"></script>`;
};

function spa(url, client) {
  if (url.pathname === '/spa.js') {
    return { type: 'text/javascript', body: fs.readFileSync(path.join(lab, 'servers/spa.js')) };
  }
  if (url.pathname.startsWith('/done/') || url.pathname === '/app') return { body: page('done') };
  return client ? { body: spaPage(client) } : { status: 404, body: page('no such page') };
}

/** A signed request object with these parameters (RFC 9101 §2), under the client's secret. */
const signedRequest = (client, params) => new SignJWT(Object.fromEntries(params)).setProtectedHeader({ alg: 'HS256' })
  .setIssuer(client.id).setAudience(client.issuer).setIssuedAt().setExpirationTime('1h')
  .sign(new TextEncoder().encode(client.secret));

async function startWeb(client) {
  const [state, nonce, verifier] = [random(), random(), randomBytes(32).toString('base64url')];
  pending.set(state, verifier);
  let params = new URLSearchParams({
    client_id: client.id, response_type: client.type, redirect_uri: client.callback, scope: 'openid profile', state, nonce,
  });
  if (client.mode) params.set('response_mode', client.mode);
  if (client.pkce !== 'none') {
    record(client.pkce === 'plain' ? 'code_challenge' : 'code_verifier', verifier, client.id, 'web server', state);
    const s256 = createHash('sha256').update(verifier).digest('base64url');
    params.set('code_challenge', client.pkce === 'plain' ? verifier : s256);
    params.set('code_challenge_method', client.pkce);
  }
  if (client.jar) {
    const request = await signedRequest(client, params);
    params = new URLSearchParams({ client_id: client.id, response_type: client.type, scope: 'openid', request });
  }
  return { status: 302, headers: { location: `${client.issuer}/auth?${params}` } };
}

/** A request to the token endpoint, authenticated as the client is registered (OpenID Connect Core §9). */
async function tokenRequest(client, form) {
  const url = `${client.issuer}/token`;
  switch (client.auth) {
    case 'client_secret_post':
      return call(url, { form: { ...form, client_id: client.id, client_secret: client.secret } });
    case 'private_key_jwt': {
      const assertion = await new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid: 'client' }).setJti(random())
        .setIssuer(client.id).setSubject(client.id).setAudience(client.issuer).setIssuedAt().setExpirationTime('1m')
        .sign(clientKeys.privateKey);
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      return call(url, { form: { ...form, client_id: client.id, client_assertion_type: type, client_assertion: assertion } });
    }
    default:
      return call(url, { form, headers: { authorization: basic(client.id, client.secret) } });
  }
}

async function startMachine(client) {
  const { status } = await tokenRequest(client, { grant_type: 'client_credentials' });
  return { body: page(`${status === 200 ? 'done' : 'failed'} ${client.id}`) };
}

/** The device's half of RFC 8628: asks for codes, sends the user to the page, and polls behind the user's back. */
async function startDevice(client) {
  const headers = { authorization: basic(client.id, client.secret) };
  const { json } = await call(`${client.issuer}/device/auth`, { form: { scope: 'openid profile' }, headers });
  const form = { grant_type: deviceGrant, device_code: json.device_code };
  (async () => {
    for (let tries = 0; tries < 20; tries += 1) {
      await pause(500);
      if ((await call(`${client.issuer}/token`, { form, headers })).status === 200) return;
    }
  })().catch((error) => console.error('device:', error));
  return { status: 302, headers: { location: json.verification_uri_complete } };
}

async function answerWeb(client, given) {
  if (given.get('error')) return { body: page(`failed ${given.get('error')}`) };
  if (!client.redeem) return { body: page(`done ${client.id}`) };
  const form = { grant_type: 'authorization_code', code: given.get('code'), redirect_uri: client.callback };
  if (client.pkce !== 'none') form.code_verifier = pending.get(given.get('state'));
  const { status, json } = await tokenRequest(client, form);
  if (status !== 200) return { body: page(`failed ${status}`) };
  const sid = random();
  sessions.set(sid, json);
  const cookie = { 'set-cookie': `sid=${sid}; HttpOnly; Secure; SameSite=Lax; Path=/` };
  switch (client.after) {
    case 'fragment': {
      const { access_token, id_token, expires_in } = json;
      const handed = new URLSearchParams({ access_token, id_token, expires_in, token_type: 'Bearer' });
      return { status: 302, headers: { location: `${origin('spa.lab.test')}/app#${handed}` } };
    }
    case 'hand-query': {
      const handed = new URLSearchParams({ access_token: json.access_token, token_type: 'Bearer' });
      return { status: 302, headers: { location: `${origin('spa.lab.test')}/app?${handed}` } };
    }
    case 'refresh': {
      const fresh = await tokenRequest(client, { grant_type: 'refresh_token', refresh_token: json.refresh_token });
      return { headers: cookie, body: page(`${fresh.status === 200 ? 'done' : 'failed'} ${client.id}`) };
    }
    case 'cookie':
      return { status: 302, headers: { ...cookie, location: '/app' } };
    case 'token-cookie': {
      const kept = ['access_token', 'id_token'].map((name) => `${name}=${json[name]}; Secure; SameSite=Lax; Path=/`);
      return { headers: { 'set-cookie': kept }, body: page(`done ${client.id}`) };
    }
    case 'referer': {
      const image = `<meta name="referrer" content="unsafe-url"><img src="${origin('ads.third.test')}/pixel.gif"
        onload="document.title='done'">`;
      return { headers: cookie, body: page('working', image) };
    }
    default:
      return { headers: cookie, body: page(`done ${client.id}`) };
  }
}

/** The assertion consumer service; a replay of the lab's is taken in spite of `redeem`. */
async function answerSaml(client, url, body, replay) {
  if (!client.redeem && !replay) return { body: page(`done ${client.id}`) };
  const form = body ? new URLSearchParams(body) : undefined;
  try {
    await consume(client, { url: url.href, form });
  } catch (error) {
    return { status: 403, body: page(`failed ${error.message ?? error}`) };
  }
  mark((form ?? url.searchParams).get('SAMLResponse'), 'redeemed');
  const sid = random();
  sessions.set(sid, { user: true });
  const headers = { 'set-cookie': `sid=${sid}; HttpOnly; Secure; SameSite=Lax; Path=/` };
  if (client.after !== 'logout') return { headers, body: page(`done ${client.id}`) };
  return { status: 302, headers: { ...headers, location: logoutUrl(client) } };
}

async function web(url, client, request, body) {
  const sid = /\bsid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  if (url.pathname === '/me') return sessions.has(sid) ? { body: page('hello') } : { status: 401, body: page('who?') };
  if (url.pathname === '/app') {
    return { body: page('working', `<script>fetch('/me').then((r)=>{document.title=r.ok?'done':'failed'})</script>`) };
  }
  if (!client) return { status: 404, body: page('no such page') };
  if (url.pathname.startsWith('/done/')) return { body: page('done') };
  if (url.pathname.startsWith('/start/')) {
    if (client.saml) return startSaml(client);
    if (client.machine) return startMachine(client);
    return client.device ? startDevice(client) : startWeb(client);
  }
  if (client.saml) return answerSaml(client, url, body, request.headers['x-lab-replay']);
  return answerWeb(client, body ? new URLSearchParams(body) : url.searchParams);
}

/** The keys of the authorization server; both issuers sign with the same. */
const keys = createRemoteJWKSet(new URL(`${origin('idp.lab.test')}/jwks`), {
  [customFetch]: async (address) => {
    const { status, text } = await call(address);
    return new Response(text, { status });
  },
});

/** Payload of a JWT of the lab's issuers, checked for signature, issuer, audience and time; throws otherwise. */
export async function verified(jwt, audience) {
  const issuer = [origin('idp.lab.test'), origin('legacy.lab.test')];
  return (await jwtVerify(jwt, keys, { issuer, audience })).payload;
}

async function resource(url, request, issuers) {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('access_token');
  const opaque = bearer && (await Promise.all(issuers.map(({ provider }) => provider.AccessToken.find(bearer))));
  const valid = opaque?.some((token) => token?.isValid)
    || (bearer && await verified(bearer, api).then(() => true, () => false));
  return valid ? { body: page('done') } : { status: 401, body: page('failed 401') };
}

async function route(request, body, issuers) {
  const host = request.headers.host.split(':')[0];
  const url = new URL(request.url, origin(host));
  const client = clientOf(url.pathname.split('/')[2]);
  if (url.pathname === '/favicon.ico') return { type: 'image/gif', body: pixel };
  switch (host) {
    case 'spa.lab.test': return spa(url, client);
    case 'web.lab.test': return web(url, client, request, body);
    case 'api.lab.test': return resource(url, request, issuers);
    default: return { type: 'image/gif', body: pixel };
  }
}

/** Starts the one server of all applications; `issuers` lets the API ask about opaque tokens. */
export async function startApps(issuers) {
  const server = http.createServer(async (request, response) => {
    try {
      const parts = [];
      for await (const part of request) parts.push(part);
      const answer = await route(request, Buffer.concat(parts).toString(), issuers);
      const headers = { 'content-type': answer.type ?? 'text/html', ...answer.headers };
      recordCookies(headers['set-cookie'], undefined, 'web.lab.test');
      response.writeHead(answer.status ?? 200, headers).end(answer.body);
    } catch (error) {
      console.error('apps:', error);
      response.writeHead(500).end(page('failed 500'));
    }
  });
  await new Promise((resolve) => server.listen(hosts['spa.lab.test'], '127.0.0.1', resolve));
  return { server };
}
