// Which flow names are right for a value, by what its client really did (rules/flows.toml), and which ones say as much
// as the holder's evidence can tell.
import { clientOf } from '../clients.mjs';
import { runs } from '../truth.mjs';

const implicit = {
  token: 'implicit', 'id_token token': 'implicit-oidc-both', id_token: 'implicit-oidc-idtoken',
  'code id_token': 'hybrid-code-idtoken', 'code token': 'hybrid-code-token',
  'code id_token token': 'hybrid-code-idtoken-token',
};
/** Names that say less than the truth, and nothing wrong. */
const vague = new Set(['unknown', 'code', 'fragment-token-unattributed']);
/** No protocol run put these where they are. */
const without = new Set(['session_id', 'password', 'interaction']);

/** The name of the run itself; `seen` says whether the holder has its token request. */
function grant({ type, method }, client, seen) {
  if (implicit[type]) return [implicit[type]];
  if (method === 'S256') return ['code-pkce-s256'];
  if (method) return ['code-pkce-plain'];
  const exact = client.public ? 'code-nopkce-public' : 'code-secret';
  return seen ? [exact] : ['code-nopkce', exact];
}

/** How the client passed the value on, or took it again. */
function detours({ after }, kind) {
  const token = ['access_token', 'id_token'].includes(kind);
  switch (after) {
    case 'fragment': return token ? ['handoff-fragment'] : [];
    case 'hand-query': return kind === 'access_token' ? ['handoff-query'] : [];
    case 'query': return kind === 'access_token' ? ['bearer-in-query'] : [];
    case 'logout': return kind === 'id_token' ? ['logout-leak'] : [];
    // Whoever refreshes authenticates for it as for the code.
    case 'refresh': return ['access_token', 'id_token', 'refresh_token', 'client_secret', 'basic_credentials'].includes(kind) ? ['refresh'] : [];
    default: return [];
  }
}

/** Whether these messages of the holder's tell what the run was, and that the value belongs to it. */
function tells(messages, entry, client) {
  const own = messages.filter((message) => (entry.run ? message.run === entry.run : message.client === client.id));
  const asked = own.some(({ kind }) => kind === 'authorization_request');
  // A secret stands in no message of the run, but beside one.
  const beside = ['client_secret', 'basic_credentials', 'client_assertion'].includes(entry.kind);
  const sent = own.some(({ kind }) => kind === 'token_request');
  // A token response says what it is an answer to by its exchange alone: stored by itself it belongs to no run.
  const telling = own.filter(({ kind }) => kind !== 'authorization_request' && (kind !== 'token_response' || sent));
  const within = telling.some(({ value }) => value.includes(entry.value));
  return asked && (within || (beside && sent));
}

/**
 * right; less: it says less than the truth, and so does this holder's evidence; vague: it says less than that; wrong.
 * Null where no flow is to be named.
 */
export function nameOf(entry, finding, messages) {
  const client = clientOf(entry.client);
  if (!client || without.has(finding.kind)) return null;
  const redeemed = messages.some(({ kind, run }) => kind === 'token_request' && run && run === entry.run);
  const run = runs.get(entry.run) ?? { type: client.type, method: client.pkce === 'none' ? undefined : client.pkce };
  let names;
  if (client.saml) names = [entry.via === 'logout request' ? 'logout-leak' : `saml-${client.binding}`];
  else if (client.device) names = ['device'];
  else if (client.machine) names = ['client-credentials'];
  else names = [...grant(run, client, redeemed), ...detours(client, finding.kind)];
  if (names.includes(finding.flow)) return 'right';
  // True, but this holder has the token request, which tells of the client.
  if (finding.flow === 'code-nopkce' && names.some((name) => /code-(secret|nopkce-public)/.test(name))) return 'vague';
  if (!vague.has(finding.flow)) return 'wrong';
  return client.saml || client.machine || tells(messages, entry, client) ? 'vague' : 'less';
}
