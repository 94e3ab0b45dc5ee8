// The authorization server: oidc-provider with our clients, a login page, and the ledger.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync } from 'node:zlib';
import { api, clientOf, lifetime, metadata, oauthClients } from '../clients.mjs';
import { hosts, origin } from '../places.mjs';
import { mark, record, recordCookies, recordParams, runOf, runs } from '../truth.mjs';
import { clientKeys, serverKeys } from './keys.mjs';

/** Milliseconds at the login page of a slow sign-in: long enough for the browsers to write their storage. */
const slowLogin = 8_000;
/** Test user's password, new in every run. */
export const password = randomBytes(15).toString('base64url');

// oidc-provider 9 calls `URL.parse`, which Node has from 22 on.
URL.parse ??= (text, base) => { try { return new URL(text, base); } catch { return null; } };

/** Models of oidc-provider whose id is the value itself → kind. */
const stored = {
  AccessToken: 'access_token', AuthorizationCode: 'authorization_code', RefreshToken: 'refresh_token',
  DeviceCode: 'device_code',
};

/** A store that tells the ledger what is used up or withdrawn; for one issuer. */
function adapter() {
  const rows = new Map();
  const grants = new Map();
  return class Store {
    constructor(model) { this.model = model; }
    key(id) { return `${this.model}:${id}`; }
    async upsert(id, payload) {
      if (stored[this.model]) record(stored[this.model], id, payload.clientId, 'store');
      rows.set(this.key(id), payload);
      if (payload.grantId) grants.set(payload.grantId, [...(grants.get(payload.grantId) ?? []), this.key(id)]);
    }
    async find(id) { return rows.get(this.key(id)); }
    async findByUid(uid) { return this.#by('uid', uid); }
    async findByUserCode(code) { return this.#by('userCode', code); }
    #by(field, value) {
      return [...rows].find(([key, row]) => key.startsWith(`${this.model}:`) && row[field] === value)?.[1];
    }
    async consume(id) {
      rows.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
      mark(id, 'redeemed');
    }
    async destroy(id) {
      rows.delete(this.key(id));
      mark(id, 'revoked');
    }
    async revokeByGrantId(grant) {
      for (const key of grants.get(grant) ?? []) {
        rows.delete(key);
        mark(key.slice(key.indexOf(':') + 1), 'revoked');
      }
    }
  };
}

/** The verifier that the page derived from its `state` (pages/spa.js), so that the ledger knows unredeemed ones too. */
const verifierOf = (state) => createHash('sha256').update(`lab-verifier:${state}`).digest('base64url');

const payload = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString());

function seeRequest(ctx) {
  const params = [...new URLSearchParams(ctx.querystring)];
  const all = Object.fromEntries(params);
  const run = all.state ?? (all.request && payload(all.request).state) ?? runOf(all.request_uri);
  recordParams(params, all.client_id, `query of ${ctx.path}`, run);
  if (all.response_type) record('authorization_request', ctx.querystring, all.client_id, ctx.path, run);
  if (all.code_challenge && all.state) seeVerifier(all);
  const auth = ctx.get('authorization');
  if (auth.startsWith('Basic ')) {
    const [id, secret] = Buffer.from(auth.slice(6), 'base64').toString().split(':');
    record('basic_credentials', `${id}:${secret}`, id, 'token endpoint');
    record('client_secret', secret, id, 'token endpoint');
  }
}

function seeVerifier({ state, code_challenge: challenge, client_id: client }) {
  const verifier = verifierOf(state);
  const s256 = createHash('sha256').update(verifier).digest('base64url');
  if (s256 === challenge) record('code_verifier', verifier, client, 'page', state);
}

/** The body of a direct request, and its text as it was sent: both kinds of client encode it alike. */
function seeBody(ctx, client) {
  const body = ctx.oidc?.body;
  if (!body) return undefined;
  const run = body.state ?? runOf(body.code, body.refresh_token, body.device_code);
  recordParams(Object.entries(body), client, `body of ${ctx.path}`, run);
  const text = new URLSearchParams(body).toString();
  mark(body.client_assertion, 'redeemed');
  if (body.grant_type) record('token_request', text, client, ctx.path, run);
  if (body.response_type) record('authorization_request', text, client, ctx.path, run);
  if (body.code_challenge && body.state) seeVerifier({ ...body, client_id: client });
  return run;
}

function seeAnswer(ctx) {
  const client = ctx.oidc?.client?.clientId;
  const asked = ctx.oidc?.params;
  const run = seeBody(ctx, client) ?? asked?.state;
  if (asked?.state && asked.response_type) {
    runs.set(asked.state, { type: asked.response_type, method: asked.code_challenge && asked.code_challenge_method });
  }
  const location = ctx.response.get('location');
  if (location) {
    const url = new URL(location, 'https://x.invalid');
    const given = (url.hash || url.search).slice(1);
    if (run && given.includes(run)) record('authorization_response', given, client, 'Location', run);
    recordParams(url.searchParams, client, 'Location', run);
    recordParams(new URLSearchParams(url.hash.slice(1)), client, 'Location', run);
    const jarm = url.searchParams.get('response') ?? new URLSearchParams(url.hash.slice(1)).get('response');
    if (jarm) recordParams(Object.entries(payload(jarm)), client, 'JARM', run);
  }
  if (typeof ctx.body === 'string') {
    const fields = ctx.body.matchAll(/name="(\w+)" value="([^"]+)"/g);
    recordParams([...fields].map(([, name, value]) => [name, value]), client, 'form_post', run);
  } else if (ctx.body && !Buffer.isBuffer(ctx.body)) {
    const texts = Object.entries(ctx.body).filter(([, v]) => typeof v === 'string');
    recordParams(texts, client, `answer of ${ctx.path}`, run);
    if (ctx.body.access_token) record('token_response', JSON.stringify(ctx.body), client, ctx.path, run);
  }
  recordCookies(ctx.response.headers['set-cookie'], client, ctx.host.split(':')[0]);
}

/** The user's page: a form that the player fills in and sends. */
async function interact(provider, ctx, next) {
  const [, uid, submit] = /^\/interaction\/([^/]+)(\/login)?$/.exec(ctx.path) ?? [];
  if (!uid) return next();
  const { prompt, params } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name !== 'login') throw new Error(`unexpected prompt ${prompt.name} for ${params.client_id}`);
  if (!submit) {
    if (clientOf(params.client_id).slow) await pause(slowLogin);
    record('password', password, undefined, 'login page');
    const page = `<!doctype html><title>Sign in</title><form method="post" action="/interaction/${uid}/login">
      <input name="username"><input name="password" type="password"><button>Sign in</button></form>`;
    ctx.type = 'html';
    // The older server compresses by itself, the other leaves it to nginx: the browsers' caches keep both as sent.
    const brotli = ctx.host.startsWith('legacy') && ctx.acceptsEncodings('br');
    if (brotli) ctx.set('content-encoding', 'br');
    ctx.body = brotli ? brotliCompressSync(page) : page;
    return undefined;
  }
  const sent = [];
  for await (const part of ctx.req) sent.push(part);
  const form = new URLSearchParams(Buffer.concat(sent).toString());
  ctx.assert(form.get('password') === password, 403, 'wrong password');
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'alice' } });
  ctx.respond = false;
  return undefined;
}

/** A page of the server whose form sends itself; `more` is put into the form. */
const autoPage = (title, more = '') => (ctx, form) => {
  ctx.body = `<!doctype html><title>${title}</title>${form}<script>const f=document.forms[0];
    f.insertAdjacentHTML('beforeend',${JSON.stringify(more)});f.submit()</script>`;
};
const askUserCode = (ctx, form, _out, error) => {
  if (error) ctx.body = `<!doctype html><title>failed ${error.message}</title>`;
  else autoPage('Device')(ctx, form);
};
const donePage = (ctx) => { ctx.body = '<!doctype html><title>done</title>'; };

/** One grant for a client in a session, given without asking: replays in one browser touch no other browser's tokens. */
async function grantFor(ctx) {
  const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
  if (known) return ctx.oidc.provider.Grant.find(known);
  const grant = new ctx.oidc.provider.Grant({
    clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope('openid profile');
  grant.addResourceScope(api, 'read');
  await grant.save();
  return grant;
}

const configuration = (host, bare) => ({
  adapter: adapter(),
  clients: oauthClients.filter((client) => client.issuer === origin(host)).map((client) => metadata(client, clientKeys.open)),
  jwks: serverKeys.secret,
  clientBasedCORS: () => true,
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Alice Lab' }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  loadExistingGrant: grantFor,
  pkce: { required: () => false, ...(host === 'legacy.lab.test' && { methods: ['S256', 'plain'] }) },
  responseTypes: [...bare, 'code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'],
  ttl: {
    AccessToken: (_ctx, _token, client) => clientOf(client.clientId).seconds ?? 3600,
    ClientCredentials: 3600, AuthorizationCode: lifetime, DeviceCode: lifetime, IdToken: 3600, RefreshToken: 86400,
    Session: 86400, Interaction: 600, Grant: 86400,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    deviceFlow: {
      enabled: true, userCodeInputSource: askUserCode, successSource: donePage,
      userCodeConfirmSource: autoPage('Confirm'),
    },
    dPoP: { enabled: true },
    jwtResponseModes: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    ...(host === 'idp.lab.test' && { requestObjects: { enabled: true } }),
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, _resource, client) => ({
        scope: 'read', audience: api, accessTokenFormat: clientOf(client.clientId).jwt ? 'jwt' : 'opaque', jwt: { sign: { alg: 'RS256' } },
        accessTokenTTL: clientOf(client.clientId).seconds ?? 3600,
      }),
      useGrantedResource: () => false,
    },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true, postLogoutSuccessSource: donePage,
      logoutSource: autoPage('Log out', '<input type=hidden name=logout value=yes>'),
    },
  },
});

/**
 * Starts the authorization server of `host` with this class of oidc-provider; resolves to {provider, server}. `bare`
 * are the response types that it offers besides the usual ones.
 */
export async function startIdp(Provider, host, bare = []) {
  const provider = new Provider(origin(host), configuration(host, bare));
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    seeRequest(ctx);
    await next();
    seeAnswer(ctx);
  });
  provider.use((ctx, next) => interact(provider, ctx, next));
  provider.on('server_error', (_ctx, error) => console.error(`${host}:`, error));
  const server = http.createServer(provider.callback());
  await new Promise((resolve) => server.listen(hosts[host], '127.0.0.1', resolve));
  return { provider, server };
}
