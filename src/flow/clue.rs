//! Why a run is believed: clauses for people, each with the sightings that show it.

use std::collections::{BTreeMap, BTreeSet};

use super::Clue;
use super::index::{Index, is_of_one_run, is_response};
use super::names::{Flow, Pkce};
use super::repeats::REPEATS;
use super::run::Run;
use super::tie::Link;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind};
use crate::detect::{Role, Sighting};

/// The clues of a run: what ties it together, then what names it. Never empty for a run that has a sighting.
pub(super) fn of(index: &Index<'_>, run: &Run, grant: Flow, pkce: Pkce) -> Vec<Clue> {
    let mut clues = ties(index, run);
    clues.extend(values(index, run));
    clues.extend(keys(index, run));
    clues.extend(reloads(index, run));
    clues.extend(names(index, run, grant, pkce));
    clues
}

/// Clause of a tie between request and response.
fn clause(link: Link) -> String {
    match link {
        Link::Chain(1) => {
            "the redirect chain leads from the request straight to the response".into()
        }
        Link::Chain(hops) => {
            format!("the redirect chain leads from the request to the response, {hops} hops long")
        }
        Link::Exchange => "the response is the answer in the request's exchange".into(),
        Link::State => "`state` is equal in request and response".into(),
        Link::ReusedState => {
            "`state` is equal in request and response, and in other runs too".into()
        }
        Link::Nonce => "`nonce` is equal in request and ID token".into(),
        Link::StateHash => "`s_hash` of the ID token fits the request's `state`".into(),
        Link::Challenge => "the verifier opens the request's challenge".into(),
        Link::ReusedChallenge => {
            "the verifier opens the request's challenge, and that of other runs too".into()
        }
        Link::RedirectUri => "the response is at the request's `redirect_uri`".into(),
        Link::ClientId => "the response is for the request's client".into(),
        Link::Issuer => "the response is by the request's server".into(),
        Link::Time => "the response follows the request within half an hour".into(),
    }
}

fn ties(index: &Index<'_>, run: &Run) -> Vec<Clue> {
    let mut by_link: BTreeMap<(Link, Option<JoinKey>), BTreeSet<usize>> = BTreeMap::new();
    for tie in &run.ties {
        let sightings = by_link.entry((tie.link, tie.key)).or_default();
        sightings.extend([tie.request, tie.response]);
    }
    let clue = |((link, key), sightings): ((Link, Option<JoinKey>), BTreeSet<usize>)| Clue {
        text: clause(link).into(),
        sightings: ids(index, sightings),
        key,
    };
    by_link.into_iter().map(clue).collect()
}

/// One value in several messages.
fn values(index: &Index<'_>, run: &Run) -> Vec<Clue> {
    let mut seen: BTreeMap<Digest, (Kind, BTreeSet<usize>)> = BTreeMap::new();
    for (at, sighting) in index.each(&run.rest) {
        for (credential, kind) in index.credentials(sighting) {
            if is_of_one_run(kind) {
                let entry = seen.entry(credential.id).or_insert((kind, BTreeSet::new()));
                entry.1.insert(at);
            }
        }
    }
    let several = seen.into_values().filter(|(_, at)| at.len() > 1);
    several
        .map(|(kind, at)| {
            let redeemed = has_role(index, &at, |role| role == Role::TokenRequest);
            let text = match kind {
                Kind::AuthorizationCode if redeemed => {
                    "the token request redeems the code of the response".into()
                }
                _ => format!("the same {} is in all of these", words(kind)),
            };
            Clue {
                text: text.into(),
                sightings: ids(index, at),
                key: None,
            }
        })
        .collect()
}

fn words(kind: Kind) -> String {
    kind.as_str().replace('_', " ")
}

/// Hashes and handles that fit each other.
fn keys(index: &Index<'_>, run: &Run) -> Vec<Clue> {
    let mut seen: BTreeMap<JoinKey, BTreeSet<usize>> = BTreeMap::new();
    let mut claimed: BTreeSet<JoinKey> = BTreeSet::new();
    let mut computed: BTreeSet<JoinKey> = BTreeSet::new();
    for (at, sighting) in index.each(&run.rest) {
        for key in &sighting.keys {
            if !index.weak.contains(key) {
                seen.entry(*key).or_default().insert(at);
            }
        }
        for credential in &sighting.credentials {
            if credential.kind == Kind::IdToken {
                claimed.extend(&credential.keys);
            } else {
                computed.extend(&credential.keys);
            }
        }
    }
    // Two sightings of one code have its hash in common, and that says nothing.
    let fits = |key: &JoinKey| {
        !matches!(key.kind, KeyKind::AtHash | KeyKind::CHash)
            || (claimed.contains(key) && computed.contains(key))
    };
    let text = |kind| match kind {
        KeyKind::AtHash => Some("`at_hash` of the ID token fits the access token"),
        KeyKind::CHash => Some("`c_hash` of the ID token fits the code"),
        KeyKind::DeviceCode => Some("the poll carries the handle that the device got"),
        KeyKind::Jti => Some("`jti` is equal"),
        KeyKind::Nonce => Some("`nonce` is equal in the ID tokens"),
        _ => None,
    };
    let several = seen.into_iter().filter(|(key, at)| {
        let hash = matches!(key.kind, KeyKind::AtHash | KeyKind::CHash);
        fits(key) && (hash || at.len() > 1)
    });
    several
        .filter_map(|(key, at)| {
            Some(Clue {
                text: text(key.kind)?.into(),
                sightings: ids(index, at),
                key: Some(key),
            })
        })
        .collect()
}

/// One code at its callback more than once: a reload, or the back button. Denied by a server that follows
/// RFC 6749 §4.1.2, and no proof that anything was revoked.
fn reloads(index: &Index<'_>, run: &Run) -> Vec<Clue> {
    let mut loads: BTreeMap<(Digest, Digest), BTreeSet<usize>> = BTreeMap::new();
    for (at, sighting) in index.each(&run.rest).filter(|(_, s)| is_load(s)) {
        for (credential, kind) in index.credentials(sighting) {
            if kind == Kind::AuthorizationCode {
                let place = (credential.id, index.source(sighting));
                loads.entry(place).or_default().insert(at);
            }
        }
    }
    loads
        .into_values()
        .map(|at| (moments(index, &at), at))
        .filter(|(times, _)| *times > 1)
        .map(|(times, at)| Clue {
            text: format!(
                "the callback with this code was loaded {}{times} times: a reload, or the back button",
                // Of more than these, the rest is only counted.
                if times < REPEATS { "" } else { "at least " },
            )
            .into(),
            sightings: ids(index, at),
            key: None,
        })
        .collect()
}

/// Whether the browser went there, rather than being sent there or telling about it.
fn is_load(sighting: &Sighting) -> bool {
    use crate::collect::Via;
    is_response(sighting)
        && !matches!(
            sighting.via,
            Via::Location | Via::Response | Via::Referer { .. } | Via::Stored | Via::Text
        )
}

fn moments(index: &Index<'_>, at: &BTreeSet<usize>) -> usize {
    let at: Vec<usize> = at.iter().copied().collect();
    let moments: BTreeSet<_> = index
        .each(&at)
        .filter_map(|(_, sighting)| sighting.at.map(|when| when.instant))
        .collect();
    moments.len()
}

/// What gave the run its name.
fn names(index: &Index<'_>, run: &Run, grant: Flow, pkce: Pkce) -> Vec<Clue> {
    let of = |role: &dyn Fn(Role) -> bool| {
        let members = run.members();
        let chosen: BTreeSet<usize> = index
            .each(members)
            .filter(|(_, sighting)| role(sighting.role))
            .map(|(at, _)| at)
            .collect();
        ids(index, chosen)
    };
    let mut clues = Vec::new();
    let mut add = |text: &str, sightings: Vec<Digest>| {
        if !sightings.is_empty() {
            clues.push(Clue {
                text: text.into(),
                sightings,
                key: None,
            });
        }
    };
    let asked = &|role| role == Role::AuthorizationRequest;
    let redeemed = &|role| role == Role::TokenRequest;
    match pkce {
        Pkce::S256 => add("the request has a challenge under S256", of(asked)),
        Pkce::Plain => add(
            "the request has a challenge under plain, or names no method",
            of(asked),
        ),
        Pkce::None if !run.requests.is_empty() => add("the request has no challenge", of(asked)),
        Pkce::None => add("the token request has no verifier", of(redeemed)),
        Pkce::VerifierOnly => add("the token request has a verifier", of(redeemed)),
        Pkce::NotObserved => {}
    }
    let all = of(&|_| true);
    let named = format!("the messages are those of the flow `{}`", grant.as_str());
    add(&named, all);
    clues
}

fn has_role(index: &Index<'_>, at: &BTreeSet<usize>, of: impl Fn(Role) -> bool) -> bool {
    let at: Vec<usize> = at.iter().copied().collect();
    index.each(&at).any(|(_, sighting)| of(sighting.role))
}

fn ids(index: &Index<'_>, at: impl IntoIterator<Item = usize>) -> Vec<Digest> {
    let sightings = at.into_iter().filter_map(|at| index.get(at));
    sightings.map(|sighting| sighting.id).collect()
}
