//! The name of a run: one `match` over what was seen of request, response and token request, and what
//! else is true of it. Concludes nothing from a half that was not seen.

use super::client::{self, authenticates};
use super::handoff::{self, Origin};
use super::index::{Index, is_request, is_response, is_token, param, value};
use super::names::{Flow, Pkce};
use super::pkce::shows_parameters;
use super::place;
use super::run::Run;
use crate::atoms::{Kind, Slot};
use crate::detect::{Role, Sighting};

/// `response_type`, as the set of words that it is (OAuth 2.0 Multiple Response Types §2), or what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Words {
    pub(super) code: bool,
    pub(super) token: bool,
    pub(super) id_token: bool,
}

impl Words {
    /// What a request asks for, when it says so.
    pub(super) fn of(request: &Sighting) -> Option<Self> {
        let mut words = Self::default();
        for word in value(request, "response_type")?.split([' ', '+', ',']) {
            match word {
                "code" => words.code = true,
                "token" => words.token = true,
                "id_token" => words.id_token = true,
                _ => {}
            }
        }
        Some(words)
    }
}

/// The protocol that the messages speak.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Dialect {
    OAuth,
    Saml,
    Wsfed,
    Cas,
    Oauth1,
}

/// What was seen of a run.
#[derive(Debug)]
struct Seen {
    dialect: Dialect,
    /// What the request asks for; `None` when no request was seen, or it does not say.
    asked: Option<Words>,
    /// Whether a request was seen that shows its parameters.
    open_request: bool,
    /// What the front-channel response brought.
    brought: Words,
    /// Who put its tokens there, when it brought no code.
    origin: Option<Origin>,
    /// `grant_type` of the token request; the first one that is no refresh.
    grant_type: Option<Box<str>>,
    /// Whether the client authenticated.
    authenticated: bool,
    /// Whether a token request was recorded with all by which a client authenticates.
    whole: bool,
    pkce: Pkce,
    failed: bool,
    /// Whether a device's user code was typed or followed (RFC 8628 §3.3).
    user_code: bool,
}

/// The name of a run.
pub(super) fn grant(index: &Index<'_>, run: &Run, pkce: Pkce) -> Flow {
    let seen = Seen::of(index, run, pkce);
    let (code, token, id_token) = match seen.asked {
        Some(asked) => (asked.code, asked.token, asked.id_token),
        None => (seen.brought.code, seen.brought.token, seen.brought.id_token),
    };
    match (seen.dialect, seen.grant_type.as_deref()) {
        _ if seen.failed => Flow::Failed,
        (Dialect::Saml, None) => saml(index, run),
        (Dialect::Wsfed, None) => Flow::Wsfed,
        (Dialect::Cas, None) => Flow::Cas,
        (Dialect::Oauth1, None) => Flow::Oauth1,
        (_, Some("password")) => Flow::Ropc,
        (_, Some("client_credentials")) => Flow::ClientCredentials,
        (_, Some("urn:ietf:params:oauth:grant-type:device_code")) => Flow::Device,
        (_, Some("urn:ietf:params:oauth:grant-type:jwt-bearer")) => Flow::JwtBearer,
        (_, Some("urn:ietf:params:oauth:grant-type:saml2-bearer")) => Flow::SamlBearer,
        (_, Some("urn:ietf:params:oauth:grant-type:token-exchange")) => Flow::TokenExchange,
        (_, Some("urn:openid:params:grant-type:ciba")) => Flow::Ciba,
        // OpenID Connect Core §3.3: the response type names the hybrid, whatever came of it.
        _ if code && token && id_token => Flow::HybridCodeIdtokenToken,
        _ if code && id_token => Flow::HybridCodeIdtoken,
        _ if code && token => Flow::HybridCodeToken,
        (_, Some("authorization_code" | "pkce")) => code_flow(&seen),
        _ if code => code_flow(&seen),
        _ if token || id_token => tokens(&seen, token, id_token),
        (_, Some("refresh_token")) => Flow::Refresh,
        _ if seen.user_code => Flow::Device,
        // GitHub and others take a request without `response_type` for one that asks for a code.
        _ if seen.open_request => code_flow(&seen),
        _ => place::of_run(index, run),
    }
}

/// Whether the sighting shows tokens in a fragment.
pub(super) fn has_fragment_token(index: &Index<'_>, sighting: &Sighting) -> bool {
    index
        .credentials(sighting)
        .any(|(credential, kind)| is_token(kind) && credential.slot == Slot::Fragment)
}

impl Seen {
    fn of(index: &Index<'_>, run: &Run, pkce: Pkce) -> Self {
        let rest = || index.each(&run.rest).map(|(_, sighting)| sighting);
        let requests = || {
            index
                .each(&run.requests)
                .map(|(_, s)| s)
                .filter(|s| is_request(s))
        };
        let responses = || rest().filter(|sighting| brings(index, sighting) != Words::default());
        let response = responses()
            .find(|s| brings(index, s).code)
            .or_else(|| responses().next());
        let brought = response.map(|s| brings(index, s)).unwrap_or_default();
        let fragment = rest().find(|s| has_fragment_token(index, s));
        let origin = fragment
            .filter(|_| !brought.code)
            .map(|s| handoff::origin(index, run, s));
        let grants = || {
            rest()
                .filter(|s| s.role == Role::TokenRequest)
                .filter_map(|s| value(s, "grant_type"))
        };
        let grant_type = grants()
            .find(|grant| *grant != "refresh_token")
            .or_else(|| grants().next());
        let errors = || rest().any(|s| is_response(s) && param(s, "error").is_some());
        let credentials = || rest().any(|s| index.credentials(s).next().is_some());
        Self {
            dialect: dialect(index, run),
            asked: requests()
                .filter_map(Words::of)
                .find(|words| *words != Words::default()),
            open_request: requests().any(shows_parameters),
            brought,
            origin,
            grant_type: grant_type.map(Into::into),
            authenticated: rest().any(|s| s.role == Role::TokenRequest && authenticates(s)),
            whole: !rest().any(client::is_of_certificate)
                && rest().any(|s| s.role == Role::TokenRequest && shows_client(index, s)),
            pkce,
            failed: errors() && !credentials(),
            user_code: requests().any(|s| param(s, "user_code").is_some())
                || rest().any(|s| index.credentials(s).any(|(_, kind)| kind == Kind::UserCode)),
        }
    }
}

/// Whether the client of a token request would be seen to authenticate.
fn shows_client(index: &Index<'_>, request: &Sighting) -> bool {
    let clients = &index.common.clients;
    client::may_be_public(request) && clients.keeps_headers(index.source(request))
}

/// The code grant, by what is known of PKCE and of the client. `code-secret` needs a token request, and `-public` one
/// that was recorded with all that it could have had.
fn code_flow(seen: &Seen) -> Flow {
    let redeemed = seen.grant_type.is_some();
    match seen.pkce {
        Pkce::S256 => Flow::CodePkceS256,
        Pkce::Plain => Flow::CodePkcePlain,
        Pkce::None if redeemed && seen.authenticated => Flow::CodeSecret,
        Pkce::None if redeemed && seen.whole => Flow::CodeNopkcePublic,
        Pkce::None => Flow::CodeNopkce,
        Pkce::NotObserved | Pkce::VerifierOnly => Flow::Code,
    }
}

/// Tokens without a code: by the request where it was seen, else by who put them there.
fn tokens(seen: &Seen, token: bool, id_token: bool) -> Flow {
    let by_server = match (token, id_token) {
        (true, true) => Flow::ImplicitOidcBoth,
        (false, true) => Flow::ImplicitOidcIdtoken,
        _ => Flow::Implicit,
    };
    match (seen.asked, seen.origin) {
        (None, Some(Origin::BackEnd | Origin::Hosted)) => Flow::HandoffFragment,
        (None, Some(Origin::Open)) => Flow::FragmentTokenUnattributed,
        // What no fragment brought, a form or a signed response did, which are response modes of the server (OAuth
        // 2.0 Form Post Response Mode §2; JARM §2.3).
        _ => by_server,
    }
}

/// What a response brought, or a page that may be one: a code that other rows made one of, or a URL in the body of
/// an answer, where a script finds it to go there. Only what lies in the response itself counts, not what is nested
/// in it.
fn brings(index: &Index<'_>, sighting: &Sighting) -> Words {
    let mut words = Words::default();
    let may = is_response(sighting) || sighting.role == Role::None;
    // A message may hold thousands of tokens: asked once, and not of each.
    let is_wrapped = may && wrapped(sighting);
    for (credential, kind) in index.credentials(sighting).filter(|_| may) {
        match (kind, credential.slot) {
            (Kind::AuthorizationCode, _) => words.code = true,
            (Kind::AccessToken | Kind::OpaqueToken, Slot::Fragment) => words.token = true,
            (Kind::IdToken, Slot::Fragment) => words.id_token = true,
            (Kind::AccessToken, Slot::Form) if is_response(sighting) => words.token = true,
            (Kind::IdToken, Slot::Form) if is_response(sighting) => words.id_token = true,
            (Kind::AccessToken | Kind::IdToken, _) if is_wrapped => {
                words.token |= kind == Kind::AccessToken;
                words.id_token |= kind == Kind::IdToken;
            }
            _ => {}
        }
    }
    words
}

fn wrapped(sighting: &Sighting) -> bool {
    let mut kinds = sighting
        .credentials
        .iter()
        .map(|credential| credential.kind);
    kinds.any(|kind| kind == Kind::JarmResponse)
}

/// Whether a run is one of OAuth.
pub(super) fn speaks_oauth(index: &Index<'_>, run: &Run) -> bool {
    dialect(index, run) == Dialect::OAuth
}

/// OAuth as soon as one message speaks it: an assertion of another protocol may be its grant.
fn dialect(index: &Index<'_>, run: &Run) -> Dialect {
    let members = run.members();
    let of = |sighting: &Sighting| {
        let has = |name| param(sighting, name).is_some();
        let kinds = || index.credentials(sighting).map(|(_, kind)| kind);
        if has("client_id") || has("grant_type") || has("response_type") {
            Some(Dialect::OAuth)
        } else if is_saml(sighting) {
            Some(Dialect::Saml)
        } else if has("wa") || has("wresult") || kinds().any(|kind| kind == Kind::WsfedToken) {
            Some(Dialect::Wsfed)
        } else if kinds().any(|kind| kind == Kind::CasTicket)
            || (has("service") && sighting.role == Role::AuthorizationRequest)
        {
            Some(Dialect::Cas)
        } else if has("oauth_token") && sighting.role == Role::AuthorizationRequest
            || kinds().any(|kind| matches!(kind, Kind::Oauth1Token | Kind::Oauth1Verifier))
        {
            Some(Dialect::Oauth1)
        } else {
            None
        }
    };
    let found = index.each(members).filter_map(|(_, sighting)| of(sighting));
    found.min().unwrap_or(Dialect::OAuth)
}

fn is_saml(sighting: &Sighting) -> bool {
    let mut kinds = sighting
        .credentials
        .iter()
        .map(|credential| credential.kind);
    kinds.any(|kind| matches!(kind, Kind::SamlMessage | Kind::SamlArtifact))
        || ["SAMLRequest", "SAMLResponse", "SAMLart"]
            .iter()
            .any(|name| param(sighting, name).is_some())
}

/// The binding of the response names a SAML run; that of the request where no response was seen.
fn saml(index: &Index<'_>, run: &Run) -> Flow {
    let members = run.members();
    let all = || index.each(members).map(|(_, sighting)| sighting);
    let artifact = all().any(|s| s.credentials.iter().any(|c| c.kind == Kind::SamlArtifact));
    let logout = all().all(|s| s.role == Role::Logout);
    let posted = all().any(|s| {
        s.role == Role::ResponseInBody
            || (s.role != Role::AuthorizationRequest
                && s.credentials
                    .iter()
                    .any(|c| c.kind == Kind::SamlMessage && c.slot == Slot::Form))
    });
    let request_posted = || {
        all().any(|s| {
            let of_request = param(s, "SAMLRequest");
            of_request.is_some_and(|param| param.slot == Slot::Form)
        })
    };
    match (artifact, posted, logout) {
        (true, ..) => Flow::SamlArtifact,
        (_, true, _) => Flow::SamlPost,
        (_, _, true) => Flow::LogoutLeak,
        _ if request_posted() => Flow::SamlPost,
        _ => Flow::SamlRedirect,
    }
}
