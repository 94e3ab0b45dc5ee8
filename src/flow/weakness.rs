//! What is wrong with a flow itself, whether a credential leaked or not.

use super::Weakness;
use super::classify::Words;
use super::index::{Index, is_request, is_response, param, value};
use super::link::host_of;
use super::modifier::{is_loopback, is_private_scheme};
use super::names::{Flow, Pkce, WeaknessKind};
use super::pkce::{shows_parameters, unenforced};
use super::run::Run;
use crate::atoms::{Digest, KeyKind};
use crate::detect::{Role, Sighting};

/// The weaknesses of a run, in the order of their names, each with the sightings that show it.
pub(super) fn of(index: &Index<'_>, run: &Run, grant: Flow, pkce: Pkce) -> Vec<Weakness> {
    let members = run.members();
    let ids = |of: &dyn Fn(&Sighting) -> bool| -> Vec<Digest> {
        let all = index.each(members).filter(|(_, sighting)| of(sighting));
        all.map(|(_, sighting)| sighting.id).collect()
    };
    let open = |s: &Sighting| is_request(s) && shows_parameters(s);
    let weak = |s: &Sighting, kinds: &[KeyKind]| {
        s.keys
            .iter()
            .any(|key| kinds.contains(&key.kind) && index.weak.contains(key))
    };
    let without_state = |s: &Sighting| open(s) && is_without_state(s);
    let no_state = if index
        .each(&run.requests)
        .any(|(_, s)| open(s) && !is_without_state(s))
    {
        Vec::new()
    } else {
        ids(&without_state)
    };
    let redeems = |s: &Sighting| open(s) || s.role == Role::TokenRequest;
    let found = [
        (WeaknessKind::NoState, no_state),
        (
            WeaknessKind::ConstantState,
            ids(&|s| (is_request(s) || is_response(s)) && weak(s, &[KeyKind::State])),
        ),
        (
            WeaknessKind::ConstantChallenge,
            ids(&|s| {
                let challenges = [KeyKind::ChallengeS256, KeyKind::ChallengePlain];
                (is_request(s) || s.role == Role::TokenRequest) && weak(s, &challenges)
            }),
        ),
        (
            WeaknessKind::PkcePlain,
            only(pkce == Pkce::Plain, || {
                ids(&|s| is_request(s) && param(s, "code_challenge").is_some())
            }),
        ),
        (
            WeaknessKind::NoPkce,
            only(lacks_pkce(index, run, grant), || ids(&redeems)),
        ),
        (WeaknessKind::PkceNotEnforced, unenforced(index, run)),
        (WeaknessKind::HttpRedirect, ids(&is_http_redirect)),
        (WeaknessKind::CustomScheme, ids(&is_custom_scheme)),
        (
            WeaknessKind::ImplicitRequested,
            ids(&|s| is_request(s) && Words::of(s).is_some_and(|words| words.token)),
        ),
        (
            WeaknessKind::Ropc,
            ids(&|s| s.role == Role::TokenRequest && value(s, "grant_type") == Some("password")),
        ),
    ];
    found
        .into_iter()
        .filter(|(_, sightings)| !sightings.is_empty())
        .map(|(kind, sightings)| Weakness { kind, sightings })
        .collect()
}

fn only(is: bool, ids: impl FnOnce() -> Vec<Digest>) -> Vec<Digest> {
    if is { ids() } else { Vec::new() }
}

/// PKCE, or `nonce` in OpenID Connect, protects as `state` does (RFC 9700 §2.1.1, §4.7). What the ID token of an
/// earlier login says, that the request hints at, protects nothing.
fn is_without_state(request: &Sighting) -> bool {
    ["state", "nonce", "code_challenge"]
        .iter()
        .all(|name| param(request, name).is_none())
}

/// A code grant without PKCE. A client that authenticates and uses `nonce` detects an injected code by itself
/// (RFC 9700 §4.5.3.2).
fn lacks_pkce(index: &Index<'_>, run: &Run, grant: Flow) -> bool {
    let nonce = || {
        index
            .each(&run.requests)
            .any(|(_, request)| param(request, "nonce").is_some())
    };
    match grant {
        Flow::CodeNopkce | Flow::CodeNopkcePublic => true,
        Flow::CodeSecret => !nonce(),
        _ => false,
    }
}

/// Plain http to another machine (RFC 9700 §2.6); loopback is legal (RFC 8252 §7.3).
fn is_http_redirect(sighting: &Sighting) -> bool {
    let by_param = is_request(sighting)
        && value(sighting, "redirect_uri").is_some_and(|uri| {
            uri.starts_with("http://") && !host_of(uri).is_some_and(is_loopback)
        });
    let by_landing = is_response(sighting)
        && sighting.address.as_ref().is_some_and(|address| {
            &*address.scheme == "http" && !address.host.is_empty() && !is_loopback(&address.host)
        });
    by_param || by_landing
}

fn is_custom_scheme(sighting: &Sighting) -> bool {
    let by_param = is_request(sighting)
        && value(sighting, "redirect_uri")
            .and_then(|uri| uri.split_once(':'))
            .is_some_and(|(scheme, _)| is_private_scheme(scheme));
    let by_landing = is_response(sighting)
        && sighting
            .address
            .as_ref()
            .is_some_and(|address| is_private_scheme(&address.scheme));
    by_param || by_landing
}
