//! How bad: a base by kind, the effect of the verdict, and what the evidence adds or takes away.

use super::holder::Hands;
use super::verdict::Case;
use super::{Severity, State, Verdict};
use crate::atoms::{Kind, Method};
use crate::collect::Via;
use crate::detect::{Address, Role, Sighting, Signature};
use crate::flow::{Flow, Pkce};

/// Seconds above which a lifetime makes a leak worse (RFC 9700 §4.14).
const LONG: i64 = 24 * 3600;

/// Scopes that let their holder do more than read: words in them, without case.
const STRONG_SCOPES: &[&str] = &[
    "admin",
    "write",
    "manage",
    "delete",
    "full",
    "offline",
    "repo",
    "owner",
    "impersonat",
];

/// The severity of a credential under one of its verdicts.
pub(super) fn severity(case: &Case<'_>, verdict: &Verdict) -> Severity {
    if kept_by_s256(case, verdict) {
        return step(Severity::Info, astray(case));
    }
    let base = base(case, verdict.state);
    match verdict.state {
        State::Inert if case.signature == Signature::Cut && identity(case) => Severity::Medium,
        // Of nobody's login, but of somebody's name and session.
        State::Inert if case.asserts_nothing() => Severity::Low,
        State::Inert => inert(case.kind),
        State::Expired if identity(case) => Severity::Medium,
        State::Spent | State::Revoked | State::Expired => base.min(Severity::Low),
        State::Live => modified(case, base, true).min(ceiling(case)),
        // What nothing shows to be usable is not lifted to what is.
        State::Unknown => {
            let base = step(base, -i8::from(case.kind == Kind::SessionId));
            modified(case, base, true).min(base.max(Severity::High))
        }
        State::Replayable => modified(case, Severity::Critical, true),
        State::Guarded => modified(case, step(base, -1), false),
        State::Bound => modified(case, step(base, -2), false),
    }
}

/// Whether it is a code as RFC 9700 §2.1.1 wants it: asked for under S256 of a server that enforces it, and of no use to
/// whoever reads it, now or later, since the verifier that nobody there has is good for this one code (RFC 7636 §4.6)
/// or the code has had its one use (RFC 6749 §4.1.2). A code flow cannot do without the code in the redirect: where it
/// lies, and how many read it, takes nothing from it.
fn kept_by_s256(case: &Case<'_>, verdict: &Verdict) -> bool {
    let useless = match verdict.state {
        State::Guarded => verdict.needs.contains(&"code_verifier"),
        State::Bound | State::Spent | State::Revoked | State::Expired => true,
        State::Live | State::Replayable | State::Unknown | State::Inert => false,
    };
    let s256 = || case.trails().any(|trail| trail.pkce == Pkce::S256);
    case.kind == Kind::AuthorizationCode && useless && s256() && !case.is_unenforced()
}

/// Steps for what no code flow needs: a third party that was told (RFC 9700 §4.2), a wire that all can read (§2.6).
fn astray(case: &Case<'_>) -> i8 {
    let any = |test: fn(&Sighting) -> bool| case.sightings().any(|(_, it)| test(it));
    i8::from(any(to_third_party)) + i8::from(any(over_http))
}

/// What the value is worth in the wrong hands when nothing else is known.
fn base(case: &Case<'_>, state: State) -> Severity {
    match case.kind {
        Kind::OpaqueToken => opaque(case, state),
        Kind::OneTimeLink => link(case),
        Kind::SignedUrl if writes(case) => Severity::Critical,
        Kind::AccessToken
        | Kind::RefreshToken
        | Kind::ClientSecret
        | Kind::PrivateKey
        | Kind::Assertion
        | Kind::SamlMessage
        | Kind::WsfedToken
        | Kind::Password
        | Kind::BasicCredentials => Severity::Critical,
        Kind::IdToken
        | Kind::AuthorizationCode
        | Kind::CodeVerifier
        | Kind::CodeChallenge
        | Kind::DeviceCode
        | Kind::CasTicket
        | Kind::ApiKey
        | Kind::SessionId
        | Kind::SignedUrl
        | Kind::WebhookUrl => Severity::High,
        Kind::ClientAssertion
        | Kind::JarmResponse
        | Kind::LogoutToken
        | Kind::SamlArtifact
        | Kind::Oauth1Token
        | Kind::Oauth1Verifier => Severity::Medium,
        Kind::RequestObject | Kind::UserCode => Severity::Low,
        Kind::FlowWeakness => Severity::Info,
    }
}

/// A value of no known form under a name like `token`: it may be anything, unless it came as the token of a
/// login, or says how long it is good for.
fn opaque(case: &Case<'_>, state: State) -> Severity {
    let of_login = matches!(
        case.exposure.flow,
        Flow::HandoffFragment | Flow::HandoffQuery | Flow::FragmentTokenUnattributed
    );
    match state {
        State::Live => Severity::Critical,
        _ if of_login => Severity::High,
        _ => Severity::Medium,
    }
}

/// A link that signs in, or that sets a password, gives the account away; one that confirms an address or
/// accepts an invitation does not.
fn link(case: &Case<'_>) -> Severity {
    let takes_over = |sighting: &Sighting| {
        let path = sighting.address.as_ref().map_or("", |it| &it.path);
        let mode = ["mode", "type"]
            .iter()
            .filter_map(|name| super::facts::param(sighting, name));
        let names = sighting.credentials.iter().map(|it| &*it.name);
        let mut words = [path].into_iter().chain(mode).chain(names);
        words.any(|word| {
            let word = word.to_ascii_lowercase();
            ["reset", "password", "recover", "action-token"]
                .iter()
                .any(|part| word.contains(part))
        })
    };
    let magic = case.exposure.flow == Flow::MagicLink;
    if magic || case.sightings().any(|(_, it)| takes_over(it)) {
        Severity::Critical
    } else {
        Severity::Medium
    }
}

/// Whether a signed URL lets its holder change what it names: by its method, or by the permissions of a shared
/// access signature (`sp`: write, delete, list, add, create), which for a whole account has `ss`.
fn writes(case: &Case<'_>) -> bool {
    case.sightings().any(|(_, it)| {
        let method = it.method.map(Method::as_str);
        let granted = super::facts::param(it, "sp").unwrap_or_default();
        matches!(method, Some("PUT" | "POST" | "DELETE" | "PATCH"))
            || granted.contains(['w', 'd', 'l', 'a', 'c'])
            || super::facts::param(it, "ss").is_some()
    })
}

/// Critical is what lets its holder act as the user or the client. A usable ID token asserts an identity, and a
/// signed URL that reads opens one object: whoever may read it, they are no more than that.
fn ceiling(case: &Case<'_>) -> Severity {
    match case.kind {
        Kind::IdToken | Kind::LogoutToken => Severity::High,
        Kind::SignedUrl if !writes(case) => Severity::High,
        _ => Severity::Critical,
    }
}

fn inert(kind: Kind) -> Severity {
    match kind {
        // A verifier in a URL or in a store shows a broken client, whatever became of the code.
        Kind::CodeVerifier | Kind::CodeChallenge | Kind::RequestObject | Kind::UserCode => {
            Severity::Low
        }
        _ => Severity::Info,
    }
}

fn modified(case: &Case<'_>, base: Severity, usable: bool) -> Severity {
    let mut steps = astray(case);
    steps += i8::from(shared(case));
    steps += i8::from(strong(case));
    steps += i8::from(long_lived(case));
    let narrow = case.kind == Kind::AccessToken && case.claims.is_some_and(|it| it.aud.len() == 1);
    let reduced = step(base, steps - i8::from(narrow));
    // A narrow audience never takes a usable token below medium.
    if usable && narrow {
        reduced.max(Severity::Medium)
    } else {
        reduced
    }
}

/// RFC 9700 §4.2: the value left in a `Referer` to a host of another site.
pub(super) fn to_third_party(sighting: &Sighting) -> bool {
    third_party(sighting).is_some()
}

/// The host of another registrable domain that a `Referer` told the value.
pub(super) fn third_party(sighting: &Sighting) -> Option<&str> {
    let Via::Referer {
        sent_to: Some(host),
    } = &sighting.via
    else {
        return None;
    };
    // The header names a host and may name a port.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    let own = sighting
        .address
        .as_ref()
        .map_or("", |address| &address.host);
    // A page whose host was not recorded may be of any site.
    (!own.is_empty() && !host.is_empty() && site(host) != site(own)).then_some(host)
}

fn site(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

/// RFC 9700 §2.6. Loopback is the one legal http (RFC 8252 §7.3).
pub(super) fn over_http(sighting: &Sighting) -> bool {
    let Some(Address { scheme, host, .. }) = &sighting.address else {
        return false;
    };
    **scheme == *"http" && !is_loopback(host) && sighting.role != Role::Stored
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// A log or a capture has more readers than one local profile.
fn shared(case: &Case<'_>) -> bool {
    case.sightings().any(|(index, _)| {
        let holder = case.facts.holders.holder(index);
        let hands = case.facts.holders.get(holder).map(|it| it.hands);
        matches!(hands, Some(Hands::Log | Hands::Capture))
    })
}

/// RFC 9700 §2.3.
fn strong(case: &Case<'_>) -> bool {
    let claimed = case.claims.and_then(|it| it.scope.as_deref());
    let beside = case
        .sightings()
        .filter_map(|(_, it)| super::facts::param(it, "scope"));
    case.claims.is_some_and(|it| it.privileged)
        || claimed.into_iter().chain(beside).any(|scope| {
            let scope = scope.to_ascii_lowercase();
            STRONG_SCOPES.iter().any(|word| scope.contains(word))
        })
}

fn long_lived(case: &Case<'_>) -> bool {
    let (Some(until), Some(from)) = (case.clock.expires_at, case.first_seen()) else {
        return false;
    };
    until.as_second().saturating_sub(from.as_second()) > LONG
}

/// Personal data stays when the token is worthless (OpenID Connect Core §17.1).
fn identity(case: &Case<'_>) -> bool {
    matches!(case.kind, Kind::SamlMessage | Kind::WsfedToken)
        || case.claims.is_some_and(|claims| claims.personal)
        || (case.kind == Kind::IdToken && case.exposure.flow == Flow::LogoutLeak)
}

fn step(from: Severity, steps: i8) -> Severity {
    let at = Severity::ALL
        .iter()
        .position(|it| *it == from)
        .unwrap_or_default();
    let to = i8::try_from(at).unwrap_or_default().saturating_add(steps);
    let to = usize::try_from(to.max(0)).unwrap_or_default();
    Severity::ALL.get(to).copied().unwrap_or(Severity::Critical)
}
