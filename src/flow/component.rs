//! What belongs together for certain: sightings that share a value or a key that one protocol run alone
//! has. Knows nothing of time, and guesses nothing.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::index::{
    Index, client_id, is_answer, is_of_one_run, is_request, is_response, is_sent_along, is_token,
    names_request,
};
use super::near::SAME_REQUEST_SECONDS;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Source};
use crate::detect::{Credential, Role, Sighting};

/// A page that a back end hands a token to follows its callback within this many hops.
const HANDOFF_HOPS: u8 = 2;

/// Sets of sightings, each by its members in order.
pub(super) type Sets = Vec<Vec<usize>>;

/// Sightings of one authorization request each: what the browser sent, what was pushed before, and the same
/// request in other sources.
pub(super) fn requests(index: &Index<'_>) -> Sets {
    let mut unions = Unions::new(index.all.len());
    let mut by_key: HashMap<JoinKey, usize> = HashMap::new();
    let mut alike: BTreeMap<Alike<'_>, Vec<(Option<Timestamp>, usize)>> = BTreeMap::new();
    let members: Vec<usize> = (0..index.all.len())
        .filter(|&at| index.get(at).is_some_and(|s| belongs_to_request(index, s)))
        .collect();
    for (at, sighting) in index.each(&members) {
        for key in sighting.keys.iter().filter(|key| names_request(**key)) {
            if !index.weak.contains(key) {
                unions.join(at, *by_key.entry(*key).or_insert(at));
            }
        }
        if let Some(exchange) = sighting
            .exchange
            .filter(|_| sighting.role != Role::AuthorizationRequest)
        {
            // A pushed request and its answer.
            unions.join(at, *by_key.entry(exchange).or_insert(at));
        }
        if let Some(of) = Alike::of(sighting) {
            let when = sighting.at.map(|when| when.instant);
            alike.entry(of).or_default().push((when, at));
        }
    }
    for mut times in alike.into_values() {
        times.sort_unstable();
        for (one, other) in times.iter().zip(times.iter().skip(1)) {
            if close(one.0, other.0) {
                unions.join(one.1, other.1);
            }
        }
    }
    unions.sets(&members)
}

/// All other sightings, joined by what one run alone has.
pub(super) fn cores(index: &Index<'_>) -> Sets {
    let mut unions = Unions::new(index.all.len());
    let mut by_id: HashMap<Digest, usize> = HashMap::new();
    let mut by_key: HashMap<JoinKey, usize> = HashMap::new();
    let members: Vec<usize> = (0..index.all.len())
        .filter(|&at| index.get(at).is_some_and(|s| !belongs_to_request(index, s)))
        .collect();
    for (at, sighting) in index.each(&members) {
        let mut of_others: Vec<JoinKey> = Vec::new();
        for credential in &sighting.credentials {
            if is_of_one_run(credential.kind) && !is_constant(index, credential) {
                unions.join(at, *by_id.entry(credential.id).or_insert(at));
            } else {
                of_others.extend(&credential.keys);
            }
        }
        for key in sighting.keys.iter().filter(|key| joins_run(**key)) {
            if !index.weak.contains(key) && !of_others.contains(key) {
                unions.join(at, *by_key.entry(*key).or_insert(at));
            }
        }
        if let Some(visit) = sighting.visit.as_ref().filter(|_| is_response(sighting)) {
            unions.join(at, *by_key.entry(visit.own).or_insert(at));
        }
        if let Some(before) = callback_before(index, sighting) {
            unions.join(at, before);
        }
    }
    for within in index.exchanges.values() {
        join_exchange(index, within, &mut unions);
    }
    unions.sets(&members)
}

/// Whether the sighting is an authorization request, or the answer to a pushed one.
fn belongs_to_request(index: &Index<'_>, sighting: &Sighting) -> bool {
    let pushed_here = || sighting.exchange.is_some_and(|key| index.pushes(key));
    is_request(sighting)
        || (matches!(sighting.role, Role::TokenResponse | Role::TokenRequest) && pushed_here())
}

/// Keys that one run alone has, whichever messages carry them.
fn joins_run(key: JoinKey) -> bool {
    matches!(
        key.kind,
        KeyKind::Code
            | KeyKind::Nonce
            | KeyKind::ChallengeS256
            | KeyKind::ChallengePlain
            | KeyKind::AtHash
            | KeyKind::CHash
            | KeyKind::DeviceCode
            | KeyKind::Jti
            | KeyKind::Value
    )
}

/// Whether the value is a verifier or a challenge that other runs have, too.
fn is_constant(index: &Index<'_>, credential: &Credential) -> bool {
    matches!(credential.kind, Kind::CodeVerifier | Kind::CodeChallenge)
        && credential.keys.iter().any(|key| index.weak.contains(key))
}

/// Joins what one request and its answer have to do with each other.
fn join_exchange(index: &Index<'_>, within: &[usize], unions: &mut Unions) {
    let parts = || {
        index
            .each(within)
            .filter(|(_, s)| !is_sent_along(s) && !belongs_to_request(index, s))
    };
    if parts().any(|(_, s)| s.role == Role::TokenRequest || s.role == Role::TokenResponse) {
        let mut first = None;
        for (at, _) in parts() {
            unions.join(at, *first.get_or_insert(at));
        }
        return;
    }
    let Some((callback, sent)) = parts().find(|(_, s)| is_response(s) && !is_answer(s)) else {
        return;
    };
    for (at, answer) in parts().filter(|(_, s)| is_answer(s)) {
        if follows_from(sent, answer) {
            unions.join(at, callback);
        }
    }
}

/// The callback that the browser came from when this page was handed a token (RFC 6749 has no such step,
/// so that nothing but the chain shows it).
fn callback_before(index: &Index<'_>, sighting: &Sighting) -> Option<usize> {
    let hands_token = sighting
        .credentials
        .iter()
        .any(|c| is_token(c.kind) && c.slot.is_url());
    if !hands_token {
        return None;
    }
    let hops = &sighting.visit.as_ref()?.ancestors;
    let near = hops.iter().filter(|(hops, _)| *hops <= HANDOFF_HOPS);
    let mut before = near.flat_map(|(_, key)| index.each(index.of_visit(*key)));
    let (at, callback) = before.next()?;
    (is_response(callback) && has_code(callback) && follows_from(callback, sighting)).then_some(at)
}

/// Whether `later` can be a consequence of the callback rather than another run's response: it brings no code
/// and no `state` of its own.
fn follows_from(callback: &Sighting, later: &Sighting) -> bool {
    let mut states = later.keys.iter().filter(|key| key.kind == KeyKind::State);
    !has_code(later) && states.all(|key| callback.keys.contains(key))
}

fn has_code(sighting: &Sighting) -> bool {
    let mut kinds = sighting
        .credentials
        .iter()
        .map(|credential| credential.kind);
    kinds.any(|kind| kind == Kind::AuthorizationCode)
}

/// What two sightings of one request in one source have in common, whether or not a key names it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    source: &'a Source,
    redirect: Option<Digest>,
    client: Option<&'a str>,
    address: &'a crate::detect::Address,
    keys: Vec<JoinKey>,
}

impl<'a> Alike<'a> {
    fn of(sighting: &'a Sighting) -> Option<Self> {
        let keys = sighting.keys.iter().copied();
        Some(Self {
            source: &sighting.place.source,
            redirect: sighting.redirect,
            client: client_id(sighting),
            address: sighting.address.as_ref()?,
            keys: keys.filter(|key| names_request(*key)).collect(),
        })
    }
}

fn close(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            let apart = one.as_second().abs_diff(other.as_second());
            apart <= SAME_REQUEST_SECONDS.unsigned_abs()
        }
        (None, None) => true,
        _ => false,
    }
}

/// Disjoint sets over indices; the smallest member stands for its set, so that no order of joining shows.
struct Unions {
    parent: Vec<usize>,
}

impl Unions {
    fn new(len: usize) -> Self {
        Self {
            parent: (0..len).collect(),
        }
    }

    fn find(&mut self, mut at: usize) -> usize {
        while let Some(&up) = self.parent.get(at) {
            if up == at {
                break;
            }
            // Halving keeps every walk short without a second array.
            let above = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(at) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        if let Some(slot) = self.parent.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }

    fn sets(mut self, members: &[usize]) -> Sets {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &member in members {
            sets.entry(self.find(member)).or_default().push(member);
        }
        sets.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::Digest;
    use crate::atoms::rules::Rules;
    use crate::detect::sample;
    use crate::flow::census::{Census, Fact};

    #[test]
    fn a_constant_is_a_challenge_that_several_requests_have() {
        let key = |kind, name: &str| JoinKey {
            kind,
            digest: Digest::of([name.as_bytes()]),
        };
        let [common, own] = ["common", "own"].map(|name| key(KeyKind::ChallengeS256, name));
        let mut census = Census::default();
        for state in ["one", "other"] {
            census.note(Fact::Beside {
                key: common,
                other: key(KeyKind::State, state),
            });
        }
        let (common_to_all, rules) = (census.common(), Rules::builtin().unwrap());
        let index = Index::new(&[], &common_to_all, &rules.providers);
        let is_constant = |kind, key| {
            let mut credential = sample::credential(kind);
            credential.keys.push(key);
            is_constant(&index, &credential)
        };
        assert!(is_constant(Kind::CodeChallenge, common));
        assert!(!is_constant(Kind::CodeChallenge, own));
        assert!(!is_constant(Kind::AuthorizationCode, common));
    }
}
