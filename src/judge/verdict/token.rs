//! Access, refresh and ID tokens, and signed protocol messages.

use jiff::Timestamp;

use super::client::Client;
use super::{Case, Reach, Ruling};
use crate::atoms::rules::provider::{Provider, Replaced};
use crate::atoms::{JoinKey, Kind};
use crate::detect::{Credential, Role, Signature};
use crate::flow::Modifier;
use crate::judge::clock::Age;
use crate::judge::facts::{Event, param, private_keys, thumbprints};
use crate::judge::{Basis, State};

/// Rows 13a to 17.
pub(super) fn access(case: &Case<'_>, at: Option<Timestamp>, age: Age, reach: Reach) -> Ruling {
    if let Some(ruling) = not_a_token(case).or_else(|| case.inactive(at, reach)) {
        return ruling;
    }
    // RFC 9700 §2.2.1, §4.10.1.
    if bound(case) {
        return match own_key_within(case, reach) {
            Some(Basis::Proven) => Ruling::proven(
                State::Live,
                "it is bound to a key, and the private key lies in the same hands",
            ),
            Some(basis) => Ruling::new(
                State::Live,
                basis,
                "it is bound to a key, and a private key lies in the same hands; nothing tells whether it is the same",
            ),
            None => Ruling::proven(
                State::Bound,
                "it is bound to a key of its client, which was not found",
            )
            .needing(&["private_key"]),
        };
    }
    // Of a bound one it may have been the proof that failed (RFC 9449 §7.1).
    let doubt = case.denied(at, reach);
    if let Some(ruling) = doubt.or_else(|| case.disowned(at, reach)) {
        return ruling;
    }
    match age {
        // Measured: a logout withdraws opaque tokens, and leaves those that APIs verify by themselves.
        Age::Fresh if case.claims.is_none() && case.logged_out(at, reach) => Ruling::assumed(
            State::Unknown,
            "a logout of its session was asked for after it, which withdraws it at many servers",
        ),
        Age::Fresh => Ruling::new(State::Live, case.clock.basis, fresh(case, at, reach)),
        Age::Past | Age::Unlimited | Age::Untold => Ruling::assumed(State::Unknown, opaque(case)),
    }
}

/// Rows 18 to 21 (RFC 9700 §4.14.2; RFC 6749 §6, §10.4).
pub(super) fn refresh(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    let told = rotated(case, at, reach).or_else(|| not_a_token(case));
    if let Some(ruling) = told.or_else(|| case.inactive(at, reach)) {
        return ruling;
    }
    case.unless_refused(held(case, at, reach), at, reach)
}

/// What follows a second use (RFC 9700 §4.14.2).
const FAMILY: &str = "its replay makes the server revoke the whole family where it detects reuse";

/// Row 19: RFC 6749 §6 lets a server end the old token, and does not ask for it.
fn rotated(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
    if !case.happened(Event::Rotated, at, reach) || case.used_again(at, reach) {
        return None;
    }
    match case.provider.and_then(Provider::replaced) {
        Some(Replaced::Ends) => Some(Ruling::new(
            State::Revoked,
            Basis::Documented,
            format!("it was used, and the answer replaced it by another, which ends it; {FAMILY}"),
        )),
        Some(Replaced::Lives) => None,
        Some(Replaced::PerSetting) => Some(Ruling::assumed(
            State::Unknown,
            "it was used, and the answer brought another; a setting of the server tells whether that ends it",
        )),
        // RFC 9700 §4.14.2.
        None => Some(Ruling::assumed(
            State::Revoked,
            format!("it was used, and the answer replaced it by another; {FAMILY}"),
        )),
    }
}

/// What a refresh token is worth to its holder while the grant lasts.
fn held(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    // Back-Channel Logout §2.7: without offline_access it should end with the session.
    if case.logged_out(at, reach) && !case.has(Modifier::Offline) {
        return Ruling::assumed(
            State::Unknown,
            "a logout of its session was asked for after it, which should end it unless it is for offline use",
        );
    }
    let client = case.client();
    // RFC 9449 §5: that of a confidential client is bound to the client, and to no key of DPoP.
    let unbound = case.claims.is_none_or(|claims| claims.cnf.is_none());
    let authenticates = matches!(client, Client::Confidential(_)) && unbound;
    match client {
        _ if bound(case) && !authenticates && own_key_within(case, reach).is_none() => {
            Ruling::proven(
                State::Bound,
                "the client's tokens are bound to its key, which was not found",
            )
            .needing(&["private_key"])
        }
        Client::Public(_) => Ruling::assumed(
            State::Live,
            "the client does not authenticate, so the refresh token alone yields new access tokens until it is revoked",
        ),
        Client::Confidential(_) if case.secret_within(reach) => Ruling::assumed(
            State::Live,
            "the client secret lies in the same hands, so it yields new access tokens until it is revoked",
        ),
        Client::Confidential(basis) => Ruling::new(
            State::Guarded,
            basis,
            "the client authenticates at the token endpoint, and its secret was not found",
        )
        .needing(&["client_secret"]),
        Client::NotObserved => Ruling::assumed(
            State::Unknown,
            "client-auth-not-observed: usable until it is revoked, unless the client authenticates at the token endpoint",
        )
        .needing(&["client_secret"]),
    }
}

/// Row 22: an assertion of identity, never access to an API by itself (OpenID Connect Core §2).
pub(super) fn identity(case: &Case<'_>, age: Age) -> Ruling {
    if let Some(ruling) = not_a_token(case) {
        return ruling;
    }
    match age {
        Age::Fresh => Ruling::new(
            State::Live,
            case.clock.basis,
            "it asserts the user's identity to its audience until its exp claim; it is not meant to open an API",
        ),
        _ => Ruling::assumed(State::Unknown, "its expiry cannot be read"),
    }
}

/// Signed messages: what they carry is judged as its own finding.
pub(super) fn message(case: &Case<'_>) -> Ruling {
    let encrypted = case.claims.is_some_and(|claims| claims.encrypted);
    match case.kind {
        Kind::LogoutToken => Ruling::assumed(
            State::Unknown,
            "it ends a session where its jti is not remembered (OpenID Connect Back-Channel Logout §2.6)",
        ),
        _ if encrypted => Ruling::assumed(
            State::Unknown,
            "it is encrypted, so what it carries cannot be judged",
        ),
        _ => Ruling::proven(
            State::Inert,
            "it is a signed envelope; what it carries is judged by itself",
        ),
    }
}

/// Row 13a: what no verifier would take is never called live (RFC 8725 §3.1, §3.2).
pub(super) fn not_a_token(case: &Case<'_>) -> Option<Ruling> {
    match case.signature {
        Signature::Unsigned => Some(Ruling::proven(
            State::Unknown,
            "not-a-valid-jwt: its alg is none, so nobody signed it",
        )),
        Signature::Invalid => Some(Ruling::proven(
            State::Unknown,
            "not-a-valid-jwt: a key that was given says that its signature is false",
        )),
        Signature::Cut => Some(Ruling::proven(
            State::Unknown,
            "not-a-valid-jwt: the end of its signature was not found",
        )),
        Signature::None | Signature::Unverified | Signature::Verified => None,
    }
}

fn bound(case: &Case<'_>) -> bool {
    case.claims.is_some_and(|claims| claims.cnf.is_some())
        || case.sightings().any(|(_, it)| {
            param(it, "token_type").is_some_and(|value| value.eq_ignore_ascii_case("dpop"))
        })
        || case.credentials().any(|(_, sighting, credential)| {
            let named = |name| credential.name.eq_ignore_ascii_case(name);
            sighting.role == Role::ResourceRequest && named("dpop") || named("authorization_dpop")
        })
        || (case.kind == Kind::RefreshToken && case.has(Modifier::Dpop))
}

/// Whether the private key that a token tells of itself lies in the same hands (RFC 9449 §6.1).
fn own_key_within(case: &Case<'_>, reach: Reach) -> Option<Basis> {
    let all = case.credentials();
    let bound_to: Vec<JoinKey> = all.flat_map(|(_, _, own)| thumbprints(own)).collect();
    key_within(case, reach, &bound_to)
}

/// Whether the private key lies in the same hands: in the same run, or written down together with the value. Proven by
/// its thumbprint (RFC 7638) where both tell one, and a key of another is none.
pub(super) fn key_within(case: &Case<'_>, reach: Reach, bound_to: &[JoinKey]) -> Option<Basis> {
    let fits = |key: &Credential| {
        let mut own = thumbprints(key).peekable();
        if own.peek().is_none() || bound_to.is_empty() {
            return Some(Basis::Assumed);
        }
        let is_same = own.any(|it| bound_to.contains(&it));
        is_same.then_some(Basis::Proven)
    };
    let steps = case.steps().filter(|(index, _)| case.within(reach, *index));
    let in_run = steps.flat_map(|(_, step)| private_keys(step));
    let seen = case
        .sightings()
        .filter(|(index, _)| case.within(reach, *index));
    let beside = seen
        .flat_map(|(index, sighting)| case.facts.keys_beside(index, sighting))
        .flat_map(private_keys);
    in_run.chain(beside).filter_map(fits).min()
}

fn fresh(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> String {
    let says = &case.clock.says;
    let ended = [Event::Revoked, Event::Inactive, Event::Denied];
    let seen = if ended.iter().any(|event| case.happened(*event, at, reach)) {
        "it was taken after a server had said that it is not valid"
    } else {
        "no revocation was seen"
    };
    match case.signature {
        Signature::Verified => {
            format!("its signature is verified, and {says} has not passed; {seen}")
        }
        Signature::Unverified => {
            format!("{says}, unverified, has not passed; {seen}")
        }
        _ => format!("{says} has not passed; {seen}"),
    }
}

fn opaque(case: &Case<'_>) -> &'static str {
    let encrypted = case.claims.is_some_and(|claims| claims.encrypted);
    let stated = case.claims.is_some_and(|claims| claims.exp.is_some());
    match case.clock.expires_at {
        Some(_) => "it expires, but the evidence does not tell when it was exposed",
        None if encrypted => "opaque: it is encrypted, and no expiry stands beside it",
        // A number that is no moment.
        None if stated => "its expiry cannot be read",
        None => "opaque: nothing tells when it expires, so it may be usable",
    }
}
