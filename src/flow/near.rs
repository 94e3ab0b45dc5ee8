//! What a sighting may belong to where nothing names it: requests shortly before it, or the same request, in its own
//! source. Noted while the whole source is at hand, so that a part of its sightings can be judged without the rest.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::census::{Census, Weak, facts};
use super::index::{is_pushed, is_request, is_response, names_request, request_keys, value};
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Slot};
use crate::detect::{Role, Sighting};

/// A response is at most this many hops behind its request: the login pages of a provider lie between.
pub(super) const MAX_HOPS: u8 = 12;

/// A response comes within this many seconds of its request when only time and attributes tie them: the time
/// a person takes to sign in.
pub(super) const LOGIN_SECONDS: i64 = 30 * 60;

/// Requests before a response that are compared when no key names one: enough for the tabs of a person,
/// and a bound for a log with thousands in half an hour.
const MAX_NEAR: usize = 16;

/// Two sightings of one request in one source lie at most this many seconds apart when no key names it:
/// a capture has the redirect and the request that follows it.
pub(super) const SAME_REQUEST_SECONDS: i64 = 5;

/// Notes it, in all sightings of one source.
pub fn note(sightings: &mut [Sighting]) {
    let noted = match Source::of(sightings) {
        Some(source) => sightings.iter().map(|it| source.near(it)).collect(),
        None => Vec::new(),
    };
    let mut noted: Vec<Vec<JoinKey>> = noted;
    noted.resize_with(sightings.len(), Vec::new);
    for (sighting, near) in sightings.iter_mut().zip(noted) {
        sighting.near = near;
    }
}

/// Names a sighting as something near.
pub fn by_id(sighting: Digest) -> JoinKey {
    JoinKey {
        kind: KeyKind::Near,
        digest: sighting,
    }
}

/// The requests of a source.
struct Source<'a> {
    digest: Digest,
    weak: Weak,
    /// Those with a time, in the order of time, then of places.
    in_time: Vec<(Timestamp, &'a Sighting)>,
    keys: HashSet<JoinKey>,
    exchanges: HashSet<JoinKey>,
    pushed: HashSet<JoinKey>,
    visits: HashMap<JoinKey, Vec<&'a Sighting>>,
}

impl<'a> Source<'a> {
    fn of(sightings: &'a [Sighting]) -> Option<Self> {
        let requests = || sightings.iter().filter(|it| is_request(it));
        requests().next()?;
        let mut census = Census::default();
        let mut visits: HashMap<JoinKey, Vec<&Sighting>> = HashMap::new();
        let own = sightings.first()?.place.source.digest();
        for sighting in sightings {
            facts(sighting, own, &mut |fact| census.note(fact));
            if let Some(visit) = &sighting.visit {
                visits.entry(visit.own).or_default().push(sighting);
            }
        }
        let asked = || requests().filter(|it| it.role == Role::AuthorizationRequest);
        let mut in_time: Vec<_> = asked()
            .filter_map(|it| Some((it.at?.instant, it)))
            .collect();
        in_time.sort_by(|(one, first), (other, second)| {
            (one, &first.place, first.id).cmp(&(other, &second.place, second.id))
        });
        Some(Self {
            digest: own,
            weak: census.common().weak,
            in_time,
            keys: requests().flat_map(request_keys).collect(),
            exchanges: asked().filter_map(|it| it.exchange).collect(),
            pushed: requests()
                .filter(|it| is_pushed(it))
                .filter_map(|it| it.exchange)
                .collect(),
            visits,
        })
    }

    fn near(&self, sighting: &Sighting) -> Vec<JoinKey> {
        let in_fragment = sighting
            .credentials
            .iter()
            .any(|credential| credential.slot == Slot::Fragment);
        let mut near = Vec::new();
        if in_fragment || may_answer(sighting) && !self.is_named(sighting) {
            near = self.before(sighting);
        }
        if self.belongs_to_request(sighting) {
            near.extend(stretches(sighting, self.digest));
        }
        near
    }

    /// Whether something names the request of a response for certain.
    fn is_named(&self, sighting: &Sighting) -> bool {
        let by_key = |key: &JoinKey| self.keys.contains(key) && !self.weak.contains(key);
        sighting.keys.iter().any(by_key)
            || sighting
                .exchange
                .is_some_and(|key| self.exchanges.contains(&key))
            || self.is_behind_request(sighting)
    }

    /// Whether the chain leads to a request before it may lead to another response.
    fn is_behind_request(&self, sighting: &Sighting) -> bool {
        let hops = sighting.visit.iter().flat_map(|visit| &visit.ancestors);
        let before = hops
            .filter(|(hops, _)| *hops <= MAX_HOPS)
            .flat_map(|(_, key)| self.visits.get(key).into_iter().flatten());
        let mut decided =
            before.filter(|it| it.role == Role::AuthorizationRequest || is_response(it));
        decided
            .next()
            .is_some_and(|it| it.role == Role::AuthorizationRequest)
    }

    /// The latest requests at or before the sighting, the nearest first.
    fn before(&self, sighting: &Sighting) -> Vec<JoinKey> {
        let Some(when) = sighting.at.map(|at| at.instant) else {
            return Vec::new();
        };
        let soon =
            |asked: &Timestamp| when.as_second().saturating_sub(asked.as_second()) <= LOGIN_SECONDS;
        let until = self.in_time.partition_point(|(asked, _)| *asked <= when);
        let earlier = self.in_time.iter().take(until).rev().take(MAX_NEAR);
        earlier
            .take_while(|(asked, _)| soon(asked))
            .map(|(_, request)| by_id(request.id))
            .collect()
    }

    fn belongs_to_request(&self, sighting: &Sighting) -> bool {
        let pushed = |key: JoinKey| self.pushed.contains(&key);
        is_request(sighting)
            || (matches!(sighting.role, Role::TokenResponse | Role::TokenRequest)
                && sighting.exchange.is_some_and(pushed))
    }
}

/// Whether the sighting can be a response: it says so, or holds what other rows may make a code.
fn may_answer(sighting: &Sighting) -> bool {
    is_response(sighting)
        || (sighting.role == Role::None
            && sighting.credentials.iter().any(|credential| {
                credential.kind == Kind::AuthorizationCode && credential.slot.is_url()
            }))
}

/// The two stretches of time around a request, among those that are like it: any two that may be one request
/// share one.
fn stretches(sighting: &Sighting, source: Digest) -> Vec<JoinKey> {
    let Some(address) = &sighting.address else {
        return Vec::new();
    };
    let stretch = |number: Option<i64>| {
        let number = number.map(i64::to_le_bytes);
        let port = address.port.unwrap_or_default().to_le_bytes();
        let optional = |digest: &'_ Option<Digest>| digest.map(|it| *it.as_bytes());
        let redirect = optional(&sighting.redirect);
        let mut parts: Vec<&[u8]> = vec![
            b"stretch",
            source.as_bytes(),
            number.as_ref().map_or(b"", |it| it),
            redirect.as_ref().map_or(b"", |it| it),
            value(sighting, "client_id").unwrap_or_default().as_bytes(),
            address.scheme.as_bytes(),
            address.host.as_bytes(),
            &port,
            address.path.as_bytes(),
        ];
        for key in sighting.keys.iter().filter(|key| names_request(**key)) {
            parts.push(key.kind.as_str().as_bytes());
            parts.push(key.digest.as_bytes());
        }
        by_id(Digest::of(parts))
    };
    let Some(when) = sighting.at else {
        return vec![stretch(None)];
    };
    let number = when.instant.as_second().div_euclid(SAME_REQUEST_SECONDS);
    vec![stretch(Some(number)), stretch(Some(number + 1))]
}

/// Notes it in the sightings of several sources.
pub(super) fn note_all(sightings: &mut Vec<Sighting>) {
    let mut by_source: HashMap<Digest, Vec<Sighting>> = HashMap::new();
    for sighting in sightings.drain(..) {
        let source = sighting.place.source.digest();
        by_source.entry(source).or_default().push(sighting);
    }
    for mut of_source in by_source.into_values() {
        note(&mut of_source);
        sightings.append(&mut of_source);
    }
}
