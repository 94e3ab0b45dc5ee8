// The relying parties, the API and a third party, told apart by the Host header.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { basic, call } from '../call.mjs';
import { api, clientOf } from '../clients.mjs';
import { hosts, lab, origin } from '../places.mjs';
import { record, recordCookies } from '../truth.mjs';

const random = () => randomBytes(16).toString('base64url');
const page = (title, body = '') => `<!doctype html><meta charset="utf-8"><title>${title}</title><body>${body}`;
const pixel = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAAC', 'base64');
/** state → verifier, of sign-ins under way; sid → tokens, of sessions. Verifiers stay: replay needs them. */
export const pending = new Map();
export const sessions = new Map();

const spaPage = (client) => {
  const { secret, ...shown } = { ...client, api };
  const data = JSON.stringify(shown).replaceAll('"', '&quot;');
  return `<!doctype html><meta charset="utf-8"><title>working</title><body data-client="${data}"><script src="/spa.js"></script>`;
};

function spa(url, client) {
  if (url.pathname === '/spa.js') {
    return { type: 'text/javascript', body: fs.readFileSync(path.join(lab, 'servers/spa.js')) };
  }
  if (url.pathname.startsWith('/done/') || url.pathname === '/app') return { body: page('done') };
  return client ? { body: spaPage(client) } : { status: 404, body: page('no such page') };
}

function startWeb(client) {
  const [state, nonce, verifier] = [random(), random(), randomBytes(32).toString('base64url')];
  pending.set(state, verifier);
  const params = new URLSearchParams({
    client_id: client.id, response_type: client.type, redirect_uri: client.callback, scope: 'openid profile', state, nonce,
  });
  if (client.mode) params.set('response_mode', client.mode);
  if (client.pkce === 'S256') {
    record('code_verifier', verifier, client.id, 'web server');
    params.set('code_challenge', createHash('sha256').update(verifier).digest('base64url'));
    params.set('code_challenge_method', 'S256');
  }
  return { status: 302, headers: { location: `${client.issuer}/auth?${params}` } };
}

async function answerWeb(client, given) {
  if (given.get('error')) return { body: page(`failed ${given.get('error')}`) };
  if (!client.redeem) return { body: page(`done ${client.id}`) };
  const form = { grant_type: 'authorization_code', code: given.get('code'), redirect_uri: client.callback };
  if (client.pkce === 'S256') form.code_verifier = pending.get(given.get('state'));
  const headers = { authorization: basic(client.id, client.secret) };
  const { status, json } = await call(`${client.issuer}/token`, { form, headers });
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
    case 'cookie':
      return { status: 302, headers: { ...cookie, location: '/app' } };
    case 'referer': {
      const image = `<meta name="referrer" content="unsafe-url"><img src="${origin('ads.third.test')}/pixel.gif"
        onload="document.title='done'">`;
      return { headers: cookie, body: page('working', image) };
    }
    default:
      return { headers: cookie, body: page(`done ${client.id}`) };
  }
}

async function web(url, client, request, body) {
  const sid = /\bsid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  if (url.pathname === '/me') return sessions.has(sid) ? { body: page('hello') } : { status: 401, body: page('who?') };
  if (url.pathname === '/app') {
    return { body: page('working', `<script>fetch('/me').then((r)=>{document.title=r.ok?'done':'failed'})</script>`) };
  }
  if (!client) return { status: 404, body: page('no such page') };
  if (url.pathname.startsWith('/start/')) return startWeb(client);
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
