// The clients, one a flow: what each asks for, how it keeps or loses its values. Everything else reads this table.
import { randomBytes } from 'node:crypto';
import { origin } from './places.mjs';

/** Seconds an authorization code lives, so that a replay at the end of a run still meets a valid one. */
export const codeLifetime = 600;
export const api = `${origin('api.lab.test')}/`;

/*
 * spa: a public client in the page; web: a confidential one on a server. `type` is the response_type.
 * pkce: S256, plain or none. redeem false: the callback stops short, so the code stays unredeemed.
 * jwt: asks for the API's resource, hence a JWT access token. seconds: lifetime of its access token.
 */
const spa = [
  { id: 'logout-opaque', type: 'id_token token', after: 'logout' },
  { id: 'logout-jwt', type: 'id_token token', jwt: true, after: 'logout' },
  { id: 'implicit-keep', type: 'id_token token' },
  { id: 'implicit-strip', type: 'id_token token', strip: true },
  { id: 'implicit-jwt', type: 'id_token token', jwt: true },
  { id: 'implicit-short', type: 'id_token token', seconds: 8 },
  { id: 'implicit-id-token', type: 'id_token' },
  { id: 'hybrid-code-id-token', type: 'code id_token', pkce: 'S256' },
  { id: 'hybrid-code-token', type: 'code token', pkce: 'S256' },
  { id: 'hybrid-all', type: 'code id_token token', pkce: 'S256' },
  { id: 'public-s256', type: 'code', pkce: 'S256' },
  { id: 'public-s256-strip', type: 'code', pkce: 'S256', strip: true },
  { id: 'public-s256-open', type: 'code', pkce: 'S256', redeem: false },
  { id: 'public-s256-slow', type: 'code', pkce: 'S256', redeem: false, slow: true },
  { id: 'public-none', type: 'code' },
  { id: 'public-none-open', type: 'code', redeem: false },
  { id: 'public-plain', type: 'code', pkce: 'plain' },
  { id: 'public-plain-open', type: 'code', pkce: 'plain', redeem: false },
  { id: 'par', type: 'code', pkce: 'S256', par: true },
  { id: 'jarm', type: 'code', pkce: 'S256', mode: 'jwt' },
  { id: 'refresh', type: 'code', pkce: 'S256', after: 'refresh' },
  { id: 'query-api', type: 'code', pkce: 'S256', jwt: true, after: 'query' },
];

const web = [
  { id: 'web-s256', type: 'code', pkce: 'S256' },
  { id: 'web-none', type: 'code' },
  { id: 'web-s256-open', type: 'code', pkce: 'S256', redeem: false },
  { id: 'web-none-open', type: 'code', redeem: false },
  { id: 'web-form-post', type: 'code id_token', pkce: 'S256', mode: 'form_post' },
  { id: 'web-referer', type: 'code', pkce: 'S256', after: 'referer' },
  { id: 'bff-cookie', type: 'code', pkce: 'S256', after: 'cookie' },
  { id: 'bff-fragment', type: 'code', pkce: 'S256', after: 'fragment' },
];

const complete = (client, host) => ({
  redeem: true, pkce: 'none', ...client, host,
  public: host === 'spa.lab.test',
  // oidc-provider 9 has S256 only; plain needs the older line.
  issuer: origin(client.pkce === 'plain' ? 'legacy.lab.test' : 'idp.lab.test'),
  secret: host === 'spa.lab.test' ? undefined : randomBytes(24).toString('base64url'),
  start: `${origin(host)}/start/${client.id}`,
  callback: `${origin(host)}/cb/${client.id}`,
  done: `${origin(host)}/done/${client.id}`,
});

/** In the order in which they are played: those that log out first, as a logout ends the session of the others. */
export const clients = [
  ...spa.map((client) => complete(client, 'spa.lab.test')),
  ...web.map((client) => complete(client, 'web.lab.test')),
];

export const clientOf = (id) => clients.find((client) => client.id === id);

/** The client as oidc-provider wants it registered (OpenID Connect Dynamic Registration names). */
export function metadata(client) {
  const implicit = /id_token|token/.test(client.type);
  const code = client.type.includes('code');
  return {
    client_id: client.id,
    client_secret: client.secret,
    token_endpoint_auth_method: client.public ? 'none' : 'client_secret_basic',
    redirect_uris: [client.callback],
    post_logout_redirect_uris: [client.done],
    response_types: [client.type],
    grant_types: [
      ...(implicit ? ['implicit'] : []),
      ...(code ? ['authorization_code'] : []),
      ...(client.after === 'refresh' ? ['refresh_token'] : []),
    ],
  };
}
