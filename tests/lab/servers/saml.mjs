// SAML 2.0: an identity provider of its own host, and the service providers' half of it, both by samlify.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import samlify from 'samlify';
import { clientOf, clients, lifetime } from '../clients.mjs';
import { hosts, origin, work } from '../places.mjs';
import { ledger, record } from '../truth.mjs';

const entity = `${origin('saml.lab.test')}/metadata`;
const binding = (name, Location) => ({ Binding: `urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${name}`, Location });
const email = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const user = 'alice@lab.test';
const query = (url) => Object.fromEntries(new URL(url, 'https://x.invalid').searchParams);

// Schema validation is a plug-in of samlify; here both ends are its own.
samlify.setSchemaValidator({ validate: async () => 'valid' });

const made = {};
/** The two ends, made when the certificate is there: {idp, sp(client)}. */
function ends() {
  if (made.idp) return made;
  const read = (name) => fs.readFileSync(path.join(work, 'tls', name), 'utf8');
  made.idp = samlify.IdentityProvider({
    entityID: entity, privateKey: read('saml.key'), signingCert: read('saml.pem').replace(/-----[^-]+-----|\s/g, ''),
    singleSignOnService: [binding('Redirect', `${origin('saml.lab.test')}/sso`)],
    singleLogoutService: [binding('Redirect', `${origin('saml.lab.test')}/slo`)],
    loginResponseTemplate: { context: samlify.SamlLib.defaultLoginResponseTemplate.context, attributes: [] },
  });
  const providers = new Map(clients.filter(({ saml }) => saml).map((client) => [client.id, samlify.ServiceProvider({
    entityID: client.id, wantAssertionsSigned: true,
    assertionConsumerService: [binding('POST', client.callback), binding('Redirect', client.callback)],
    singleLogoutService: [binding('Redirect', client.done)],
  })]));
  made.sp = (client) => providers.get(client.id);
  return made;
}

/** Fills the response's template: an assertion about the user for this service provider, good for `lifetime`. */
const fill = (client, request) => (template) => {
  const id = `_${randomUUID()}`;
  const until = new Date(Date.now() + lifetime * 1000).toISOString();
  const now = new Date().toISOString();
  const values = {
    ID: id, AssertionID: `_${randomUUID()}`, Issuer: entity, IssueInstant: now, InResponseTo: request,
    Destination: client.callback, AssertionConsumerServiceURL: client.callback, SubjectRecipient: client.callback,
    Audience: client.id, EntityID: client.id, ConditionsNotBefore: now, ConditionsNotOnOrAfter: until,
    SubjectConfirmationDataNotOnOrAfter: until, NameIDFormat: email, NameID: user,
    StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success', AuthnStatement: '', AttributeStatement: '',
  };
  return { id, context: samlify.SamlLib.replaceTagsByValue(template, values) };
};

/** The service provider sends the user to the identity provider. */
export function startSaml(client) {
  const { idp, sp } = ends();
  const { id, context } = sp(client).createLoginRequest(idp, 'redirect', { relayState: randomUUID() });
  const { SAMLRequest, RelayState } = query(context);
  record('saml_request', SAMLRequest, client.id, 'service provider', id);
  record('relay_state', RelayState, client.id, 'service provider', id);
  record('authorization_request', new URL(context).search.slice(1), client.id, 'service provider', id);
  return { status: 302, headers: { location: context } };
}

const seen = new Set();

/** The user whom a response names, if it is genuine and new (SAML profiles §4.1.4.5); throws otherwise. */
export async function consume(client, { url, form }) {
  const { idp, sp } = ends();
  const given = form ? Object.fromEntries(form) : query(url);
  const octetString = form ? undefined : new URL(url).search.slice(1).replace(/&Signature=.*/, '');
  const { extract } = await sp(client).parseLoginResponse(idp, form ? 'post' : 'redirect', {
    body: given, query: given, octetString,
  });
  if (seen.has(extract.response.id)) throw new Error('a response seen before');
  seen.add(extract.response.id);
  return extract.nameID;
}

/** The service provider signs the user out at the identity provider. */
export function logoutUrl(client) {
  const { idp, sp } = ends();
  const { context } = sp(client).createLogoutRequest(idp, 'redirect', {
    logoutNameID: user, sessionIndex: `_${randomUUID()}`,
  });
  record('saml_message', query(context).SAMLRequest, client.id, 'logout request');
  return context;
}

async function signOn(request) {
  const { idp, sp } = ends();
  const given = query(request.url);
  const client = clients.find(({ saml, id }) => saml && inflated(given.SAMLRequest).includes(`>${id}<`));
  const info = await idp.parseLoginRequest(sp(client), 'redirect', { query: given });
  const id = info.extract.request.id;
  const relay = given.RelayState;
  const { context } = await idp.createLoginResponse(
    sp(client), info, client.binding, { email: user }, fill(client, id), false, relay,
  );
  if (client.binding === 'redirect') {
    const value = query(context).SAMLResponse;
    record('saml_message', value, client.id, 'Location', id);
    ledger.get(value).url = context;
    return { status: 302, headers: { location: context } };
  }
  record('saml_message', context, client.id, 'form', id);
  return { body: `<!doctype html><title>Signing in</title><form method="post" action="${client.callback}">
    <input type="hidden" name="SAMLResponse" value="${context}"><input type="hidden" name="RelayState" value="${relay}">
    </form><script>document.forms[0].submit()</script>` };
}

const inflated = (value) => samlify.Utility.inflateString(value);

async function signOut(request) {
  const { idp, sp } = ends();
  const given = query(request.url);
  const client = clientOf('saml-logout');
  const info = await idp.parseLogoutRequest(sp(client), 'redirect', { query: given });
  const { context } = idp.createLogoutResponse(sp(client), info, 'redirect', given.RelayState ?? '');
  return { status: 302, headers: { location: context } };
}

/** Starts the identity provider; resolves to {server}. */
export async function startSamlIdp() {
  const server = http.createServer(async (request, response) => {
    try {
      const answer = await (request.url.startsWith('/slo') ? signOut(request) : signOn(request));
      response.writeHead(answer.status ?? 200, { 'content-type': 'text/html', ...answer.headers }).end(answer.body);
    } catch (error) {
      console.error('saml:', error);
      response.writeHead(500).end('<!doctype html><title>failed 500</title>');
    }
  });
  await new Promise((resolve) => server.listen(hosts['saml.lab.test'], '127.0.0.1', resolve));
  return { server };
}
