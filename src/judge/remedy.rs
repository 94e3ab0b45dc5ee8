//! What to change: one sentence per finding, chosen here, worded in the rules.

use super::Remediation;
use super::holder::Hands;
use super::severity::to_third_party;
use super::verdict::Case;
use crate::atoms::rules::Explanations;
use crate::atoms::{Kind, Slot};
use crate::detect::Channel;
use crate::flow::{Flow, Pkce, WeaknessKind};

/// Every remedy that a finding may name.
pub const REMEDIES: &[&str] = &[
    "implicit",
    "bearer-in-query",
    "code-in-history",
    "code-under-s256",
    "pkce",
    "pkce-enforced",
    "verifier-in-url",
    "secret-in-url",
    "handoff",
    "refresh-token",
    "referer",
    "logout",
    "password-grant",
    "password-in-url",
    "saml",
    "saml-request",
    "one-time-link",
    "signed-url",
    "webhook",
    "api-key",
    "private-key",
    "session-in-url",
    "cas",
    "oauth1",
    "device",
    "storage",
    "assertion",
    "capture",
    "cache",
    "log",
    "token-in-url",
    "state",
    "https",
    "custom-scheme",
    "front-channel-object",
];

pub(super) fn remediation(case: &Case<'_>, texts: &Explanations) -> Remediation {
    worded(remedy(case), texts)
}

pub(super) fn remediation_of(kind: WeaknessKind, texts: &Explanations) -> Remediation {
    let id = match kind {
        WeaknessKind::NoState | WeaknessKind::ConstantState => "state",
        WeaknessKind::ConstantChallenge | WeaknessKind::PkcePlain | WeaknessKind::NoPkce => "pkce",
        WeaknessKind::PkceNotEnforced => "pkce-enforced",
        WeaknessKind::HttpRedirect => "https",
        WeaknessKind::CustomScheme => "custom-scheme",
        WeaknessKind::ImplicitRequested => "implicit",
        WeaknessKind::Ropc => "password-grant",
    };
    worded(id, texts)
}

fn worded(id: &str, texts: &Explanations) -> Remediation {
    texts.remedy(id).map_or_else(
        || Remediation {
            text: Box::default(),
            references: Vec::new(),
        },
        |remedy| Remediation {
            text: remedy.text.clone(),
            references: remedy.references.clone(),
        },
    )
}

fn remedy(case: &Case<'_>) -> &'static str {
    let in_url = case.credentials().any(|(_, _, it)| it.slot.is_url());
    let query = case.credentials().any(|(_, _, it)| it.slot == Slot::Query);
    let in_front = case.sightings().any(|(_, it)| it.channel == Channel::Front);
    let stored = case
        .sightings()
        .all(|(_, it)| it.channel == Channel::Storage);
    let token = matches!(
        case.kind,
        Kind::AccessToken | Kind::IdToken | Kind::OpaqueToken | Kind::RefreshToken
    );
    // A token does not belong into a URL, whoever is told of it; a code or a link does.
    if !token && case.sightings().any(|(_, it)| to_third_party(it)) {
        return "referer";
    }
    match (case.kind, case.exposure.flow) {
        (_, Flow::HandoffFragment | Flow::HandoffQuery) => "handoff",
        (Kind::SamlMessage, _) if case.asserts_nothing() => "saml-request",
        (_, Flow::LogoutLeak) => "logout",
        (Kind::RefreshToken, _) => "refresh-token",
        _ if token && !in_url && !in_front => kept(case),
        (Kind::AccessToken | Kind::IdToken | Kind::OpaqueToken, flow) if flow.is_front() => {
            "implicit"
        }
        (_, Flow::BearerInQuery) => "bearer-in-query",
        (Kind::AccessToken, _) if query => "bearer-in-query",
        (Kind::AccessToken | Kind::IdToken | Kind::OpaqueToken, _) => "token-in-url",
        (Kind::AuthorizationCode, _) if weak_pkce(case) => "pkce",
        (Kind::AuthorizationCode, _) if case.is_unenforced() => "pkce-enforced",
        (Kind::AuthorizationCode, _) if case.trails().any(|it| it.pkce == Pkce::S256) => {
            "code-under-s256"
        }
        (Kind::AuthorizationCode, _) => "code-in-history",
        (Kind::CodeChallenge, _) => "pkce",
        (Kind::CodeVerifier, _) if stored => "storage",
        // What travelled where it belongs is to be kept out of what wrote it down.
        (Kind::CodeVerifier | Kind::ClientAssertion | Kind::Assertion | Kind::DeviceCode, _)
            if !in_url && !in_front =>
        {
            kept(case)
        }
        (Kind::CodeVerifier, _) => "verifier-in-url",
        (Kind::ClientSecret, _) => "secret-in-url",
        (Kind::Password, Flow::Ropc) => "password-grant",
        (Kind::Password | Kind::BasicCredentials, _) => "password-in-url",
        (Kind::SamlMessage | Kind::SamlArtifact | Kind::WsfedToken, _) => "saml",
        (Kind::OneTimeLink, _) => "one-time-link",
        (Kind::SignedUrl, _) => "signed-url",
        (Kind::WebhookUrl, _) => "webhook",
        (Kind::ApiKey, _) => "api-key",
        (Kind::PrivateKey, _) => "private-key",
        (Kind::SessionId, _) => "session-in-url",
        (Kind::CasTicket, _) => "cas",
        (Kind::Oauth1Token | Kind::Oauth1Verifier, _) => "oauth1",
        (Kind::DeviceCode | Kind::UserCode, _) => "device",
        (Kind::Assertion | Kind::ClientAssertion | Kind::LogoutToken, _) => "assertion",
        (Kind::RequestObject | Kind::JarmResponse | Kind::FlowWeakness, _) => {
            "front-channel-object"
        }
    }
}

/// For a token that no address bar had: where the application keeps it, else the cache of a browser, which keeps
/// the responses that it may (RFC 6749 §5.1 forbids it), else who wrote down what went over the wire.
fn kept(case: &Case<'_>) -> &'static str {
    let holders = &case.facts.holders;
    let hands = |index| holders.get(holders.holder(index)).map(|it| it.hands);
    let places: Vec<_> = case
        .sightings()
        .map(|(index, it)| (hands(index), it.channel))
        .collect();
    let profile = Some(Hands::Profile);
    if places.contains(&(profile, Channel::Storage)) {
        "storage"
    } else if places.iter().all(|(hands, _)| *hands == profile) {
        "cache"
    } else if places.iter().any(|(hands, _)| *hands == Some(Hands::Log)) {
        "log"
    } else {
        "capture"
    }
}

fn weak_pkce(case: &Case<'_>) -> bool {
    case.trails()
        .any(|trail| matches!(trail.pkce, Pkce::None | Pkce::Plain))
}
