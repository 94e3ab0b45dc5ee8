// The clients, one a flow: what each asks for, how it keeps or loses its values. Everything else reads this table.
import { randomBytes } from 'node:crypto';
import { origin } from './places.mjs';

/**
 * Seconds that codes, device codes and SAML assertions live: longer than any run, so that no slow machine makes one
 * expire between the scan and the replay.
 */
export const lifetime = 3600;
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
export const api = `${origin('api.lab.test')}/`;

/*
 * spa: a public client in the page; web: a confidential one on a server; saml: a service provider. `type` is the
 * response_type. pkce: S256, plain or none. redeem false: the callback stops short, so the code or assertion stays
 * unused. strip: the page removes the answer from the address bar, by replaceState or by emptying the hash.
 * device: the device grant, its browser half. dpop: tokens bound to a key of the page (RFC 9449); jkt: the code too.
 * jwt: asks for the API's resource, hence a JWT access token. seconds: lifetime of its access token.
 * auth: how it authenticates at the token endpoint. few: played by the players that play only some.
 */
const spa = [
  { id: 'logout-opaque', type: 'id_token token', after: 'logout' },
  { id: 'logout-jwt', type: 'id_token token', jwt: true, after: 'logout' },
  { id: 'implicit-short', type: 'id_token token', seconds: 8 },
  { id: 'implicit-token', type: 'token' },
  { id: 'implicit-token-strip', type: 'token', strip: 'replace' },
  { id: 'implicit-token-hash', type: 'token', strip: 'hash' },
  { id: 'implicit-token-jwt', type: 'token', jwt: true },
  { id: 'implicit-keep', type: 'id_token token', few: true },
  { id: 'implicit-strip', type: 'id_token token', strip: 'replace', few: true },
  { id: 'implicit-hash', type: 'id_token token', strip: 'hash' },
  { id: 'implicit-jwt', type: 'id_token token', jwt: true },
  { id: 'implicit-silent', type: 'id_token token', after: 'silent' },
  { id: 'implicit-id-token', type: 'id_token' },
  { id: 'implicit-id-token-strip', type: 'id_token', strip: 'replace' },
  { id: 'hybrid-code-id-token', type: 'code id_token', pkce: 'S256' },
  { id: 'hybrid-code-token', type: 'code token', pkce: 'S256' },
  { id: 'hybrid-all', type: 'code id_token token', pkce: 'S256' },
  { id: 'hybrid-all-strip', type: 'code id_token token', pkce: 'S256', strip: 'replace' },
  { id: 'public-s256', type: 'code', pkce: 'S256', few: true },
  { id: 'public-s256-strip', type: 'code', pkce: 'S256', strip: 'replace' },
  { id: 'public-s256-fragment', type: 'code', pkce: 'S256', mode: 'fragment' },
  { id: 'public-s256-open', type: 'code', pkce: 'S256', redeem: false },
  { id: 'public-s256-slow', type: 'code', pkce: 'S256', redeem: false, slow: true },
  { id: 'public-none', type: 'code' },
  { id: 'public-none-open', type: 'code', redeem: false },
  { id: 'public-plain', type: 'code', pkce: 'plain' },
  { id: 'public-plain-open', type: 'code', pkce: 'plain', redeem: false, few: true },
  { id: 'par', type: 'code', pkce: 'S256', par: true },
  { id: 'par-open', type: 'code', pkce: 'S256', par: true, redeem: false },
  { id: 'jarm', type: 'code', pkce: 'S256', mode: 'jwt' },
  { id: 'jarm-fragment', type: 'code', pkce: 'S256', mode: 'fragment.jwt' },
  { id: 'refresh', type: 'code', pkce: 'S256', after: 'refresh', few: true },
  { id: 'silent', type: 'code', pkce: 'S256', after: 'silent' },
  { id: 'dpop', type: 'code', pkce: 'S256', dpop: true },
  { id: 'dpop-jkt-open', type: 'code', pkce: 'S256', dpop: true, jkt: true, redeem: false },
  { id: 'query-api', type: 'code', pkce: 'S256', jwt: true, after: 'query' },
];

const web = [
  { id: 'web-s256', type: 'code', pkce: 'S256' },
  { id: 'web-none', type: 'code', few: true },
  { id: 'web-plain', type: 'code', pkce: 'plain' },
  { id: 'web-s256-open', type: 'code', pkce: 'S256', redeem: false },
  { id: 'web-none-open', type: 'code', redeem: false },
  { id: 'web-plain-open', type: 'code', pkce: 'plain', redeem: false },
  { id: 'web-secret-post', type: 'code', auth: 'client_secret_post' },
  { id: 'web-private-key', type: 'code', auth: 'private_key_jwt' },
  { id: 'web-jar', type: 'code', pkce: 'S256', jar: true },
  { id: 'web-form-post', type: 'code id_token', pkce: 'S256', mode: 'form_post' },
  { id: 'web-form-post-open', type: 'code', pkce: 'S256', mode: 'form_post', redeem: false },
  { id: 'web-referer', type: 'code', pkce: 'S256', after: 'referer' },
  { id: 'web-refresh', type: 'code', pkce: 'S256', after: 'refresh' },
  { id: 'bff-cookie', type: 'code', pkce: 'S256', after: 'cookie' },
  { id: 'token-cookie', type: 'code', pkce: 'S256', after: 'token-cookie' },
  { id: 'device', device: true },
  { id: 'machine', machine: true },
  { id: 'bff-fragment', type: 'code', pkce: 'S256', after: 'fragment', few: true },
  { id: 'bff-query', type: 'code', pkce: 'S256', after: 'hand-query' },
];

const saml = [
  { id: 'saml-post', binding: 'post', few: true },
  { id: 'saml-post-open', binding: 'post', redeem: false },
  { id: 'saml-redirect', binding: 'redirect' },
  { id: 'saml-redirect-open', binding: 'redirect', redeem: false },
  { id: 'saml-logout', binding: 'post', after: 'logout' },
];

const complete = (client, host) => ({
  redeem: true, pkce: 'none', type: '', ...client, host,
  public: host === 'spa.lab.test',
  saml: client.binding !== undefined,
  // oidc-provider 9 has S256 only; plain needs the older line.
  issuer: origin(client.binding ? 'saml.lab.test' : client.pkce === 'plain' ? 'legacy.lab.test' : 'idp.lab.test'),
  secret: host === 'spa.lab.test' || client.binding || client.auth === 'private_key_jwt'
    ? undefined : randomBytes(24).toString('base64url'),
  start: `${origin(host)}/start/${client.id}`,
  callback: `${origin(host)}/cb/${client.id}`,
  done: `${origin(host)}/done/${client.id}`,
});

/** In the order in which they are played: those that log out first, as a logout ends the session of the others. */
export const clients = [
  ...spa.map((client) => complete(client, 'spa.lab.test')),
  ...web.map((client) => complete(client, 'web.lab.test')),
  ...saml.map((client) => complete(client, 'web.lab.test')),
];

export const few = clients.filter((client) => client.few);
/** Those of an authorization server, for its configuration. */
export const oauthClients = clients.filter((client) => !client.saml);
export const clientOf = (id) => clients.find((client) => client.id === id);

/** The client as oidc-provider wants it registered (OpenID Connect Dynamic Registration names). */
export function metadata(client, jwks) {
  const implicit = /id_token|token/.test(client.type);
  const code = client.type.includes('code');
  return {
    client_id: client.id,
    client_secret: client.secret,
    token_endpoint_auth_method: client.public ? 'none' : (client.auth ?? 'client_secret_basic'),
    ...(client.auth === 'private_key_jwt' && { jwks }),
    ...(client.jar && { request_object_signing_alg: 'HS256' }),
    redirect_uris: client.device || client.machine ? [] : [client.callback],
    post_logout_redirect_uris: [client.done],
    response_types: client.device || client.machine ? [] : [client.type],
    grant_types: [
      ...(client.device ? [deviceGrant] : []),
      ...(client.machine ? ['client_credentials'] : []),
      ...(implicit ? ['implicit'] : []),
      ...(code ? ['authorization_code'] : []),
      ...(client.after === 'refresh' ? ['refresh_token'] : []),
    ],
  };
}
