//! What the evidence says of PKCE in a run. Says nothing of a request that was not seen.

use super::index::{Index, is_request, param, value};
use super::names::Pkce;
use super::run::Run;
use crate::atoms::{KeyKind, Kind};
use crate::detect::{Role, Sighting};

/// PKCE as observed. A missing request proves nothing: it may have been pushed, posted, or pruned.
pub(super) fn observed(index: &Index<'_>, run: &Run) -> Pkce {
    let asked = || {
        index
            .each(&run.requests)
            .map(|(_, s)| s)
            .filter(|s| is_request(s))
    };
    if let Some(pkce) = asked().filter_map(challenge).max() {
        return pkce;
    }
    // A challenge of which nothing tells what opens it is one all the same.
    let lacks = |s: &Sighting| shows_parameters(s) && param(s, "code_challenge").is_none();
    if asked().any(lacks) {
        return Pkce::None;
    }
    let redemptions = index.each(&run.rest).filter(|(_, s)| redeems_code(s));
    match redemptions.map(|(_, s)| has_verifier(s)).max() {
        None => Pkce::NotObserved,
        Some(true) => Pkce::VerifierOnly,
        Some(false) => Pkce::None,
    }
}

/// Whether the sighting is a token request that redeems a code, seen with its parameters.
pub(super) fn redeems_code(sighting: &Sighting) -> bool {
    sighting.role == Role::TokenRequest
        && matches!(
            value(sighting, "grant_type"),
            Some("authorization_code" | "pkce")
        )
}

/// Whether the request speaks OAuth and shows all that it asks: what may have lost its end does not.
pub(super) fn shows_parameters(request: &Sighting) -> bool {
    if request.place.is_uncertain() {
        return false;
    }
    let speaks_oauth = ["client_id", "response_type", "code_challenge"]
        .iter()
        .any(|name| param(request, name).is_some());
    speaks_oauth && !hides_parameters(request)
}

/// Whether the request keeps its parameters elsewhere: pushed, or in a request object that was not opened.
fn hides_parameters(request: &Sighting) -> bool {
    let opened = || {
        request.credentials.iter().any(|credential| {
            credential.kind == Kind::RequestObject
                && credential
                    .claims
                    .as_ref()
                    .is_some_and(|claims| !claims.encrypted)
        })
    };
    param(request, "request_uri").is_some() || (param(request, "request").is_some() && !opened())
}

/// The challenge of a request. A missing method is plain (RFC 7636 §4.3); one that is neither says nothing.
fn challenge(request: &Sighting) -> Option<Pkce> {
    let has = |kind| request.keys.iter().any(|key| key.kind == kind);
    if has(KeyKind::ChallengeS256) {
        return Some(Pkce::S256);
    }
    if has(KeyKind::ChallengePlain) {
        return Some(Pkce::Plain);
    }
    param(request, "code_challenge")?;
    match value(request, "code_challenge_method") {
        Some(method) if method.eq_ignore_ascii_case("S256") => Some(Pkce::S256),
        Some(method) if method.eq_ignore_ascii_case("plain") => Some(Pkce::Plain),
        _ if param(request, "code_challenge_method").is_some() => None,
        _ if request.place.is_uncertain() => None,
        _ => Some(Pkce::Plain),
    }
}

/// Whether a verifier was sent. A log may show the name without the value, and a client may have a name of its own for
/// the value.
pub(super) fn has_verifier(sighting: &Sighting) -> bool {
    param(sighting, "code_verifier").is_some()
        || sighting
            .credentials
            .iter()
            .any(|credential| credential.kind == Kind::CodeVerifier)
}
