//! Who can read a value where it lies, which attack follows, and what the code flow would have changed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::holder::Hands;
use super::severity::{over_http, third_party};
use super::verdict::Case;
use super::{ExposedTo, State};
use crate::atoms::Kind;
use crate::atoms::rules::Explanations;
use crate::detect::{Channel, Role, Sighting};
use crate::flow::{Flow, WeaknessKind};

/// Every attack that a finding may name; `explain` knows each.
pub const ATTACKS: &[&str] = &[
    "token-in-history",
    "code-in-history",
    "referer-leak",
    "log-disclosure",
    "capture-disclosure",
    "storage-theft",
    "redirect-interception",
    "network-eavesdropping",
    "refresh-token-theft",
    "client-impersonation",
    "password-theft",
    "session-hijacking",
    "assertion-replay",
    "link-theft",
    "device-code-theft",
    "identity-disclosure",
    "key-theft",
    "code-injection",
    "csrf",
];

/// Readers of a credential, those who hold the evidence first, and the attack that they can mount.
pub(super) fn exposed_to(case: &Case<'_>, worst: State, texts: &Explanations) -> ExposedTo {
    let mut found: BTreeSet<(u8, Cow<'static, str>)> = BTreeSet::new();
    for (index, sighting) in case.sightings() {
        let holder = case.facts.holders.get(case.facts.holders.holder(index));
        readers(sighting, holder.map(|it| it.hands), &mut found);
    }
    let who = found.into_iter().map(|(_, who)| who.into()).collect();
    let sightings: Vec<_> = case.sightings().collect();
    // What S256 says of a code does not hold for a holder who has its verifier too, nor where no verifier is asked for.
    let opened = matches!(worst, State::Replayable | State::Unknown);
    let answer = match (case.exposure.flow, case.kind) {
        (_, Kind::AuthorizationCode) if case.is_unenforced() => {
            code_flow_despite(WeaknessKind::PkceNotEnforced, texts).unwrap_or_default()
        }
        (flow @ Flow::CodePkceS256, Kind::AuthorizationCode) if opened => {
            code_flow(flow, Kind::CodeVerifier, texts)
        }
        // The answer for the flow holds while its secrets are kept.
        (Flow::Oauth1, kind @ Kind::Oauth1Token) if worst == State::Replayable => {
            code_flow(Flow::Unknown, kind, texts)
        }
        // What is said of a logout is said of a token.
        (Flow::LogoutLeak, Kind::SamlMessage) => code_flow(Flow::SamlRedirect, case.kind, texts),
        (flow, kind) => code_flow(flow, kind, texts),
    };
    named(who, attack(case, &sightings), answer, texts)
}

/// Readers and attack of a weakness.
pub(super) fn exposed_by(kind: WeaknessKind, flow: Flow, texts: &Explanations) -> ExposedTo {
    let (who, attack) = match kind {
        WeaknessKind::NoState | WeaknessKind::ConstantState => (
            "a site that sends the user to the callback with a code of its own",
            "csrf",
        ),
        WeaknessKind::ConstantChallenge
        | WeaknessKind::PkcePlain
        | WeaknessKind::NoPkce
        | WeaknessKind::PkceNotEnforced => (
            "whoever sees the code on its way, or where it was recorded",
            "code-injection",
        ),
        WeaknessKind::HttpRedirect => (
            "whoever reads the network between browser and callback",
            "network-eavesdropping",
        ),
        WeaknessKind::CustomScheme => (
            "another app that claims the redirect URI's scheme",
            "redirect-interception",
        ),
        WeaknessKind::ImplicitRequested => (
            "whoever reads the browser's history, and every script in the page",
            "token-in-history",
        ),
        WeaknessKind::Ropc => (
            "the client, which handles the user's password",
            "password-theft",
        ),
    };
    let answer = code_flow_despite(kind, texts);
    let answer = answer.unwrap_or_else(|| code_flow(flow, Kind::FlowWeakness, texts));
    named(vec![who.into()], attack, answer, texts)
}

fn named(
    who: Vec<Box<str>>,
    attack: &'static str,
    code_flow: Box<str>,
    texts: &Explanations,
) -> ExposedTo {
    let entry = texts.get(&format!("attack:{attack}"));
    ExposedTo {
        who,
        attack,
        reference: entry
            .and_then(|entry| entry.references.first().cloned())
            .unwrap_or_default(),
        code_flow,
    }
}

/// What the code flow comes to where a weakness takes away what is said of it.
fn code_flow_despite(kind: WeaknessKind, texts: &Explanations) -> Option<Box<str>> {
    let entry = texts.get(&format!("weakness:{}", kind.as_str()))?;
    entry.code_flow.clone()
}

/// The flow's answer, unless it speaks of another value than this one: then the answer for the kind.
fn code_flow(flow: Flow, kind: Kind, texts: &Explanations) -> Box<str> {
    let answer = |id: String| texts.get(&id)?.code_flow.clone();
    let by_kind = if speaks_of(flow, kind) {
        None
    } else {
        answer(format!("kind:{}", kind.as_str()))
    };
    by_kind
        .or_else(|| answer(format!("flow:{}", flow.as_str())))
        .unwrap_or_default()
}

/// Whether what is said of a flow is said of values of this kind. A code flow's answer is about its code; what
/// follows the flow, or stands before it, is not its matter.
fn speaks_of(flow: Flow, kind: Kind) -> bool {
    let code_flow = matches!(
        flow,
        Flow::Code
            | Flow::CodeNopkce
            | Flow::CodeNopkcePublic
            | Flow::CodeSecret
            | Flow::CodePkceS256
            | Flow::CodePkcePlain
    );
    match kind {
        Kind::SessionId | Kind::PrivateKey => false,
        Kind::ClientSecret | Kind::ClientAssertion => flow == Flow::ClientCredentials,
        Kind::AccessToken | Kind::IdToken | Kind::RefreshToken | Kind::CodeVerifier => {
            !code_flow && flow != Flow::Unknown
        }
        _ => flow != Flow::Unknown,
    }
}

/// Readers of one place, each with its rank: who holds the evidence, whom it was told, who else could look.
fn readers(sighting: &Sighting, hands: Option<Hands>, who: &mut BTreeSet<(u8, Cow<'static, str>)>) {
    let holder = match hands {
        Some(Hands::Profile) => "whoever copies the browser profile",
        Some(Hands::Log) => "readers of the log",
        Some(Hands::Capture) => "recipients of the capture",
        Some(Hands::File) | None => "whoever has the file",
    };
    who.insert((0, holder.into()));
    if let Some(host) = third_party(sighting) {
        who.insert((1, format!("{host}, by Referer").into()));
    }
    let script = sighting.store != Some(crate::collect::Store::Cookie);
    let history = sighting.channel == Channel::Front && hands == Some(Hands::Profile);
    let others = [
        (over_http(sighting), "whoever reads the network"),
        (
            custom_scheme(sighting),
            "another app that claims the redirect URI",
        ),
        (history, "browser extensions that may read the history"),
        (
            in_page(sighting),
            "every script in the page that received it",
        ),
        (
            sighting.channel == Channel::Storage && script,
            "every script and extension that runs in the page",
        ),
    ];
    for (rank, (is, reader)) in (2..).zip(others) {
        if is {
            who.insert((rank, reader.into()));
        }
    }
}

fn in_page(sighting: &Sighting) -> bool {
    matches!(
        sighting.role,
        Role::ResponseInQuery | Role::ResponseInFragment
    )
}

fn custom_scheme(sighting: &Sighting) -> bool {
    let scheme = sighting.address.as_ref().map_or("", |it| &it.scheme);
    let web = matches!(scheme, "" | "http" | "https" | "ws" | "wss" | "file");
    in_page(sighting) && !web
}

/// The attack: by what the value is, then by the worst place where it lies.
fn attack(case: &Case<'_>, seen: &[(usize, &Sighting)]) -> &'static str {
    let hands = |wanted: Hands| {
        seen.iter().any(|(index, _)| {
            let holder = case.facts.holders.holder(*index);
            case.facts
                .holders
                .get(holder)
                .is_some_and(|it| it.hands == wanted)
        })
    };
    let any = |test: &dyn Fn(&Sighting) -> bool| seen.iter().any(|(_, it)| test(it));
    let in_url = || case.credentials().any(|(_, _, it)| it.slot.is_url());
    match case.kind {
        Kind::RefreshToken => "refresh-token-theft",
        Kind::ClientSecret | Kind::ClientAssertion => "client-impersonation",
        Kind::Password | Kind::BasicCredentials => "password-theft",
        Kind::SessionId => "session-hijacking",
        Kind::SamlMessage if case.asserts_nothing() => "identity-disclosure",
        Kind::Assertion
        | Kind::SamlMessage
        | Kind::SamlArtifact
        | Kind::WsfedToken
        | Kind::CasTicket => "assertion-replay",
        Kind::OneTimeLink | Kind::SignedUrl | Kind::WebhookUrl => "link-theft",
        Kind::DeviceCode | Kind::UserCode => "device-code-theft",
        Kind::ApiKey | Kind::PrivateKey => "key-theft",
        Kind::IdToken | Kind::LogoutToken => "identity-disclosure",
        _ if any(&|it| third_party(it).is_some()) => "referer-leak",
        _ if any(&custom_scheme) => "redirect-interception",
        _ if any(&over_http) => "network-eavesdropping",
        _ if hands(Hands::Capture) => "capture-disclosure",
        _ if hands(Hands::Log) => "log-disclosure",
        // A store, or the cache, which keeps whole responses.
        _ if !in_url() => "storage-theft",
        Kind::AuthorizationCode | Kind::CodeVerifier | Kind::CodeChallenge | Kind::JarmResponse => {
            "code-in-history"
        }
        _ => "token-in-history",
    }
}
