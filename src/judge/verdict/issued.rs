//! Who issued a value: which credential of a message its lifetime is that of, and which provider's documentation
//! speaks of it. One message may carry what two servers issued, and one run may lead through two.

use std::collections::HashSet;

use super::Case;
use crate::atoms::Kind;
use crate::atoms::rules::provider::Provider;
use crate::detect::{Credential, Role, Sighting};
use crate::judge::facts::param;

/// Its sightings in messages that tell its lifetime, if they tell one.
pub(in crate::judge) fn with_own_lifetime<'a>(
    case: &Case<'a>,
) -> impl Iterator<Item = (usize, &'a Sighting)> {
    let all = case.credentials();
    all.filter(|(index, _, credential)| case.facts.is_own(*index, credential))
        .map(|(index, sighting, _)| (index, sighting))
}

/// The provider that issued it, as far as the evidence tells: by what it says itself, by the endpoint that it came from
/// or is redeemed at, by the request that it answers, else by what its run says of its issuer.
pub(super) fn provider<'a>(case: &Case<'a>) -> Option<&'a Provider> {
    let is_foreign = |(index, _, credential): (usize, &Sighting, &Credential)| {
        case.kind != Kind::AuthorizationCode && !case.facts.is_own(index, credential)
    };
    if case.credentials().any(is_foreign) {
        return None;
    }
    let providers = &case.facts.judging.rules.providers;
    let claimed = case.claims.and_then(|claims| claims.iss.as_deref());
    // RFC 9207 §2.
    let stated = case.sightings().filter_map(|(_, it)| param(it, "iss"));
    let mut issuers = claimed.into_iter().chain(stated);
    issuers
        .find_map(|issuer| providers.by_issuer(issuer))
        .or_else(|| at(case, direct(case)))
        .or_else(|| at(case, answered(case)))
        .or_else(|| {
            let landed = landed(case);
            let issuers = case.trails().filter_map(|trail| trail.issuer.as_deref());
            let mut issuers = issuers.filter(|issuer| !landed.contains(authority(issuer)));
            let issuer = issuers.find_map(|issuer| providers.by_issuer(issuer));
            issuer.or_else(|| at(case, around(case, &landed)))
        })
}

/// The first provider to which one of these was sent, or which sent it.
fn at<'a>(case: &Case<'a>, mut messages: impl Iterator<Item = usize>) -> Option<&'a Provider> {
    messages.find_map(|index| case.facts.provider(index))
}

/// Messages of a token endpoint that hold it.
fn direct(case: &Case<'_>) -> impl Iterator<Item = usize> {
    let all = case.sightings();
    all.filter(|(_, it)| matches!(it.role, Role::TokenRequest | Role::TokenResponse))
        .map(|(index, _)| index)
}

/// Authorization requests of its runs that asked for an answer where it landed.
fn answered(case: &Case<'_>) -> impl Iterator<Item = usize> {
    let landings: HashSet<_> = fronts(case).filter_map(|it| it.landing).collect();
    to_providers(case)
        .filter(move |(_, it)| {
            let asked = it
                .redirect
                .filter(|_| it.role == Role::AuthorizationRequest);
            asked.is_some_and(|asked| landings.contains(&asked))
        })
        .map(|(index, _)| index)
}

/// Messages of its runs that a server was sent or sent itself, but for a server at which it landed.
fn around(case: &Case<'_>, landed: &HashSet<&str>) -> impl Iterator<Item = usize> {
    to_providers(case)
        .chain(case.sightings())
        .filter(move |(_, it)| {
            let host = it.address.as_ref().map_or("", |at| &*at.host);
            !landed.contains(host)
        })
        .map(|(index, _)| index)
}

fn to_providers<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, &'a Sighting)> {
    let trails = case.exposure.trails.iter();
    trails.flat_map(|trail| case.facts.to_providers(*trail))
}

/// The hosts at which it landed. No server sends its answer to itself: there it is the client of another, as a hosted
/// login is. A request target on an unnamed server is of any host.
fn landed<'a>(case: &Case<'a>) -> HashSet<&'a str> {
    let addresses = fronts(case).filter_map(|it| it.address.as_ref());
    let hosts = addresses.map(|at| &*at.host);
    hosts.filter(|host| !host.is_empty()).collect()
}

/// Its sightings in answers that came through the browser.
fn fronts<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Sighting> {
    let all = case.sightings().map(|(_, it)| it);
    all.filter(|it| it.role.is_response())
}

/// The host of an issuer.
pub(super) fn authority(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}
