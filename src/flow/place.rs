//! How one value got where one sighting shows it, whatever the run was.

use super::handoff::{self, Origin};
use super::index::{Index, is_response, is_token, param, same_name};
use super::names::Flow;
use super::run::Run;
use crate::atoms::{Kind, Slot};
use crate::detect::{Channel, Credential, Role, Sighting};

/// How a credential got where the sighting shows it. `grant` is what its run was.
pub(super) fn of(
    index: &Index<'_>,
    run: &Run,
    grant: Flow,
    sighting: &Sighting,
    credential: &Credential,
    kind: Kind,
) -> Flow {
    match (kind, sighting.role, credential.slot) {
        (Kind::SignedUrl, ..) => Flow::SignedUrl,
        (Kind::WebhookUrl, ..) => Flow::Webhook,
        (Kind::OneTimeLink, ..) => one_time(sighting),
        (_, Role::Logout, _) if credential.slot.is_url() => Flow::LogoutLeak,
        (_, Role::ResourceRequest, slot) if slot.is_url() && is_token(kind) => Flow::BearerInQuery,
        (_, _, Slot::Fragment) if is_token(kind) => fragment(index, run, grant, sighting),
        (_, Role::ResponseInQuery, Slot::Query) if is_token(kind) && !is_jarm(sighting) => {
            query(index, run, grant, sighting)
        }
        (_, Role::None, Slot::Query | Slot::Path) if is_token(kind) => page_or_call(sighting),
        (Kind::ApiKey, _, Slot::Query | Slot::Path | Slot::Userinfo) => Flow::BearerInQuery,
        (
            Kind::SamlMessage
            | Kind::SamlArtifact
            | Kind::WsfedToken
            | Kind::CasTicket
            | Kind::Oauth1Token
            | Kind::Oauth1Verifier,
            ..,
        ) => other_protocol(kind, grant, credential),
        (Kind::AuthorizationCode, ..) if grant == Flow::Unknown => Flow::Code,
        (Kind::DeviceCode, ..) if same_name(&credential.name, "auth_req_id") => Flow::Ciba,
        (Kind::UserCode | Kind::DeviceCode, ..) => Flow::Device,
        _ => grant,
    }
}

/// The name of a run that is no protocol run: how its worst value got there.
pub(super) fn of_run(index: &Index<'_>, run: &Run) -> Flow {
    let members = run.members();
    let flows = index.each(members).flat_map(|(_, sighting)| {
        index.credentials(sighting).map(move |(credential, kind)| {
            of(index, run, Flow::Unknown, sighting, credential, kind)
        })
    });
    let worst = flows.max_by_key(|flow| (badness(*flow), *flow));
    match worst {
        // A signed URL or a webhook is no run.
        Some(Flow::SignedUrl | Flow::Webhook) | None => Flow::Unknown,
        Some(flow) => flow,
    }
}

/// How bad it is that a value got somewhere this way: a query is in logs, a fragment in the browser alone, and
/// what the protocol does by itself comes after what somebody did to it.
pub(super) fn badness(flow: Flow) -> u8 {
    match flow {
        Flow::BearerInQuery => 9,
        Flow::HandoffQuery => 8,
        Flow::HandoffFragment => 7,
        Flow::Implicit | Flow::ImplicitOidcBoth | Flow::ImplicitOidcIdtoken => 6,
        Flow::HybridCodeToken | Flow::HybridCodeIdtokenToken | Flow::HybridCodeIdtoken => 5,
        Flow::FragmentTokenUnattributed => 4,
        Flow::LogoutLeak => 3,
        Flow::Unknown => 0,
        _ => 1,
    }
}

/// How openly a sighting shows its values.
pub(super) fn openness(sighting: &Sighting, credential: &Credential) -> u8 {
    match (sighting.channel, credential.slot.is_url()) {
        (_, true) => 3,
        (Channel::Front, _) => 2,
        (Channel::Direct, _) => 1,
        (Channel::Storage, _) => 0,
    }
}

/// A fragment token of an implicit or hybrid run is what was asked for; any other was handed over.
fn fragment(index: &Index<'_>, run: &Run, grant: Flow, sighting: &Sighting) -> Flow {
    if grant.is_front() {
        return grant;
    }
    match handoff::origin(index, run, sighting) {
        Origin::BackEnd | Origin::Hosted => Flow::HandoffFragment,
        // A code flow brings no token in a fragment by itself.
        _ if is_code_flow(grant) => Flow::HandoffFragment,
        Origin::Server => Flow::Implicit,
        Origin::Open => Flow::FragmentTokenUnattributed,
    }
}

/// A token in the query of a response was handed over, but for one that a request asked for at this place: some servers
/// answer so where the request wants the query, which they must not (Multiple Response Types §3, §5). No server issues
/// a refresh token there (RFC 6749 §4.2.2).
fn query(index: &Index<'_>, run: &Run, grant: Flow, sighting: &Sighting) -> Flow {
    let refreshes = || {
        let mut kinds = sighting.credentials.iter().map(|it| it.kind);
        kinds.any(|kind| kind == Kind::RefreshToken)
    };
    if grant.is_front() && run.wanted(index).tokens_at(sighting) && !refreshes() {
        grant
    } else {
        Flow::HandoffQuery
    }
}

fn is_code_flow(grant: Flow) -> bool {
    matches!(
        grant,
        Flow::Code
            | Flow::CodeNopkce
            | Flow::CodeNopkcePublic
            | Flow::CodeSecret
            | Flow::CodePkceS256
            | Flow::CodePkcePlain
    )
}

/// A token in the query of a page was handed over; in that of an API it is a call (RFC 6750 §2.3).
fn page_or_call(sighting: &Sighting) -> Flow {
    let is_call = sighting.address.as_ref().is_some_and(|address| {
        let api_host = ["api.", "graph."]
            .iter()
            .any(|start| address.host.starts_with(start));
        let mut segments = address.path.split('/').map(str::to_ascii_lowercase);
        let api_path = segments.any(|segment| {
            matches!(
                &*segment,
                "api" | "rest" | "graphql" | "userinfo" | "introspect" | "tokeninfo" | "ws"
            ) || is_version(&segment)
        });
        api_host || api_path
    });
    if is_call || sighting.visit.is_none() && !has_page_name(sighting) {
        Flow::BearerInQuery
    } else {
        Flow::HandoffQuery
    }
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|number| {
        !number.is_empty()
            && number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn has_page_name(sighting: &Sighting) -> bool {
    let path = sighting
        .address
        .as_ref()
        .map(|address| address.path.to_ascii_lowercase());
    path.is_some_and(|path| {
        ["callback", "login", "signin", "sso", "auth", "welcome"]
            .iter()
            .any(|word| path.contains(word))
    })
}

fn is_jarm(sighting: &Sighting) -> bool {
    sighting
        .credentials
        .iter()
        .any(|c| c.kind == Kind::JarmResponse)
}

/// A link that signs in, or one that acts on an account.
fn one_time(sighting: &Sighting) -> Flow {
    let path = sighting
        .address
        .as_ref()
        .map(|address| address.path.to_ascii_lowercase());
    let path = path.unwrap_or_default();
    let text = |name| {
        super::index::value(sighting, name)
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let (mode, purpose) = (text("mode"), text("type"));
    let account = [
        "reset",
        "password",
        "recover",
        "verify",
        "confirm",
        "invit",
        "activate",
        "join",
        "claim",
        "unsubscribe",
        "action-token",
    ];
    let named = sighting.credentials.iter().any(|credential| {
        let name = credential.name.to_ascii_lowercase();
        let name_says = ["reset", "invit", "confirm", "activation"];
        credential.kind == Kind::OneTimeLink && name_says.iter().any(|word| name.contains(word))
    });
    match (&*mode, &*purpose) {
        ("signin", _) | (_, "magiclink" | "magic_link" | "email") => Flow::MagicLink,
        ("resetpassword" | "verifyemail" | "recoveremail" | "verifyandchangeemail", _)
        | (_, "recovery" | "invite" | "signup" | "email_change") => Flow::AccountAction,
        _ if path.contains("magic") || param(sighting, "__clerk_ticket").is_some() => {
            Flow::MagicLink
        }
        _ if named || account.iter().any(|word| path.contains(word)) => Flow::AccountAction,
        _ => Flow::MagicLink,
    }
}

fn other_protocol(kind: Kind, grant: Flow, credential: &Credential) -> Flow {
    match (kind, grant) {
        (Kind::WsfedToken, Flow::Unknown) => Flow::Wsfed,
        (Kind::CasTicket, Flow::Unknown) => Flow::Cas,
        (Kind::SamlArtifact, Flow::Unknown) => Flow::SamlArtifact,
        (Kind::SamlMessage, Flow::Unknown) if credential.slot == Slot::Query => Flow::SamlRedirect,
        (Kind::SamlMessage, Flow::Unknown) => Flow::SamlPost,
        (_, Flow::Unknown) => Flow::Oauth1,
        (_, grant) => grant,
    }
}

/// Whether a run that has no name shows a message of a protocol all the same.
pub(super) fn has_message(index: &Index<'_>, run: &Run) -> bool {
    !run.requests.is_empty()
        || index.each(&run.rest).any(|(_, sighting)| {
            matches!(sighting.role, Role::TokenRequest | Role::TokenResponse)
                || ((is_response(sighting) || sighting.role == Role::Logout)
                    && index.credentials(sighting).next().is_some())
        })
}
