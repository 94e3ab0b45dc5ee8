// The authorization server: oidc-provider with our clients, a login page that submits itself, and the ledger.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { api, clients, clientOf, codeLifetime, metadata } from '../clients.mjs';
import { hosts, origin } from '../places.mjs';
import { mark, record, recordCookies, recordParams } from '../truth.mjs';

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

function seeRequest(ctx) {
  const params = [...new URLSearchParams(ctx.querystring)];
  const all = Object.fromEntries(params);
  recordParams(params, all.client_id, `query of ${ctx.path}`);
  if (all.code_challenge && all.state) {
    const verifier = verifierOf(all.state);
    const s256 = createHash('sha256').update(verifier).digest('base64url');
    if (s256 === all.code_challenge) record('code_verifier', verifier, all.client_id, 'page');
  }
  const auth = ctx.get('authorization');
  if (auth.startsWith('Basic ')) {
    const [id, secret] = Buffer.from(auth.slice(6), 'base64').toString().split(':');
    record('basic_credentials', auth.slice(6), id, 'token endpoint');
    record('client_secret', secret, id, 'token endpoint');
  }
}

function seeAnswer(ctx) {
  const client = ctx.oidc?.client?.clientId;
  recordParams(Object.entries(ctx.oidc?.body ?? {}), client, `body of ${ctx.path}`);
  const location = ctx.response.get('location');
  if (location) {
    const url = new URL(location, 'https://x.invalid');
    recordParams(url.searchParams, client, 'Location');
    recordParams(new URLSearchParams(url.hash.slice(1)), client, 'Location');
  }
  if (typeof ctx.body === 'string') {
    const fields = ctx.body.matchAll(/name="(\w+)" value="([^"]+)"/g);
    recordParams([...fields].map(([, name, value]) => [name, value]), client, 'form_post');
  } else if (ctx.body && !Buffer.isBuffer(ctx.body)) {
    recordParams(Object.entries(ctx.body).filter(([, v]) => typeof v === 'string'), client, `answer of ${ctx.path}`);
  }
  recordCookies(ctx.response.headers['set-cookie'], client, ctx.host.split(':')[0]);
}

/** The user's page: a form that its own script fills in and sends. */
async function interact(provider, ctx, next) {
  const [, uid, submit] = /^\/interaction\/([^/]+)(\/login)?$/.exec(ctx.path) ?? [];
  if (!uid) return next();
  const { prompt, params } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name !== 'login') throw new Error(`unexpected prompt ${prompt.name} for ${params.client_id}`);
  if (!submit) {
    if (clientOf(params.client_id).slow) await pause(slowLogin);
    record('password', password, undefined, 'login page');
    ctx.type = 'html';
    ctx.body = `<!doctype html><title>Sign in</title><form method="post" action="/interaction/${uid}/login">
      <input name="username"><input name="password" type="password"></form>
      <script>const f=document.forms[0];f.username.value='alice';f.password.value=${JSON.stringify(password)};
      f.submit()</script>`;
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

const logoutPage = (ctx, form) => {
  ctx.body = `<!doctype html><title>Log out</title>${form}<script>const f=document.forms[0];
    f.insertAdjacentHTML('beforeend','<input type=hidden name=logout value=yes>');f.submit()</script>`;
};

/** A grant of its own for every authorization, so that no replay touches another one's tokens. */
async function grantFor(ctx) {
  const grant = new ctx.oidc.provider.Grant({
    clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope('openid profile');
  grant.addResourceScope(api, 'read');
  await grant.save();
  return grant;
}

const configuration = (host, jwks) => ({
  adapter: adapter(),
  clients: clients.filter((client) => client.issuer === origin(host)).map(metadata),
  jwks,
  clientBasedCORS: () => true,
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Alice Lab' }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  loadExistingGrant: grantFor,
  pkce: { required: () => false, ...(host === 'legacy.lab.test' && { methods: ['S256', 'plain'] }) },
  responseTypes: ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'],
  ttl: {
    AccessToken: (_ctx, _token, client) => clientOf(client.clientId).seconds ?? 3600,
    AuthorizationCode: codeLifetime, IdToken: 3600, RefreshToken: 86400, Session: 86400, Interaction: 600, Grant: 86400,
  },
  features: {
    devInteractions: { enabled: false },
    jwtResponseModes: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, _resource, client) => ({
        scope: 'read', audience: api, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        accessTokenTTL: clientOf(client.clientId).seconds ?? 3600,
      }),
      useGrantedResource: () => false,
    },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true, logoutSource: logoutPage,
      postLogoutSuccessSource: (ctx) => { ctx.body = '<!doctype html><title>done</title>'; },
    },
  },
});

/** Starts the authorization server of `host` with this class of oidc-provider; resolves to {provider, server}. */
export async function startIdp(Provider, host, jwks) {
  const provider = new Provider(origin(host), configuration(host, jwks));
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
