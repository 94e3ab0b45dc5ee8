//! What a sighting may belong to where nothing names it for certain: requests shortly before it, or the same request, in
//! its own source. Noted while the whole source is at hand, so that a part of its sightings can be judged without the rest.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::census::{Census, Weak, facts};
use super::index::{client_id, is_pushed, is_request, is_response, names_request, request_keys};
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Place, Slot};
use crate::detect::{Role, Sighting};

/// A response is at most this many hops behind its request: the login pages of a provider lie between.
pub(super) const MAX_HOPS: u8 = 12;

/// A response comes within this many seconds of its request when only time and attributes tie them: the time
/// a person takes to sign in.
pub(super) const LOGIN_SECONDS: i64 = 30 * 60;

/// Requests before a response that are noted, of all and of those that share a key with it: enough for the tabs of a
/// person, and a bound for a log with thousands in half an hour.
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

/// A request, and when it was sent.
type Asked<'a> = (Timestamp, &'a Sighting);

/// The requests of a source.
struct Source<'a> {
    digest: Digest,
    weak: Weak,
    /// Those with a time, in the order of time, then of places.
    in_time: Vec<Asked<'a>>,
    /// The same by each key that they carry.
    by_key: HashMap<JoinKey, Vec<Asked<'a>>>,
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
        let mut in_time: Vec<Asked<'_>> = asked()
            .filter_map(|it| Some((it.at?.instant, it)))
            .collect();
        in_time.sort_by(|one, other| order(one).cmp(&order(other)));
        let mut by_key: HashMap<JoinKey, Vec<Asked<'_>>> = HashMap::new();
        for asked in &in_time {
            for key in request_keys(asked.1) {
                by_key.entry(key).or_default().push(*asked);
            }
        }
        Some(Self {
            digest: own,
            weak: census.common().weak,
            in_time,
            by_key,
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
        if in_fragment || may_answer(sighting) && !self.is_led_to(sighting) {
            let any = in_fragment || !self.is_named(sighting);
            near = self.before(sighting, any);
        }
        if self.belongs_to_request(sighting) {
            near.extend(stretches(sighting, self.digest));
        }
        near
    }

    /// Whether a key names the request of a response, as far as this source tells.
    fn is_named(&self, sighting: &Sighting) -> bool {
        let mut keys = sighting.keys.iter();
        keys.any(|key| self.keys.contains(key) && !self.weak.contains(key))
    }

    /// Whether the exchange or the chain of a response leads to its request, whatever other sources hold.
    fn is_led_to(&self, sighting: &Sighting) -> bool {
        let exchange = sighting.exchange;
        exchange.is_some_and(|key| self.exchanges.contains(&key))
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

    /// The latest requests at or before the sighting that share a key with it, and of `any` keys: the nearest first.
    /// Another source may show that a key which names a request here is a reused one.
    fn before(&self, sighting: &Sighting, any: bool) -> Vec<JoinKey> {
        let Some(when) = sighting.at.map(|at| at.instant) else {
            return Vec::new();
        };
        let sharing = sighting.keys.iter().filter_map(|key| self.by_key.get(key));
        let mut near: Vec<&Asked<'_>> = sharing.flat_map(|it| latest(it, when)).collect();
        nearest_first(&mut near);
        near.truncate(MAX_NEAR);
        if any {
            near.extend(latest(&self.in_time, when));
            nearest_first(&mut near);
        }
        near.into_iter().map(|(_, it)| by_id(it.id)).collect()
    }

    fn belongs_to_request(&self, sighting: &Sighting) -> bool {
        let pushed = |key: JoinKey| self.pushed.contains(&key);
        is_request(sighting)
            || (matches!(sighting.role, Role::TokenResponse | Role::TokenRequest)
                && sighting.exchange.is_some_and(pushed))
    }
}

/// Of requests in the order of time, the latest at or before a moment.
fn latest<'a, 'b>(
    requests: &'b [Asked<'a>],
    when: Timestamp,
) -> impl Iterator<Item = &'b Asked<'a>> {
    let soon = move |asked: &Timestamp| {
        when.as_second().saturating_sub(asked.as_second()) <= LOGIN_SECONDS
    };
    let until = requests.partition_point(|(asked, _)| *asked <= when);
    let earlier = requests.iter().take(until).rev().take(MAX_NEAR);
    earlier.take_while(move |(asked, _)| soon(asked))
}

/// Sorted, and each once.
fn nearest_first(requests: &mut Vec<&Asked<'_>>) {
    requests.sort_by(|one, other| order(other).cmp(&order(one)));
    requests.dedup_by_key(|(_, it)| it.id);
}

fn order<'a>((asked, request): &Asked<'a>) -> (Timestamp, &'a Place, Digest) {
    (*asked, &request.place, request.id)
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
            client_id(sighting).unwrap_or_default().as_bytes(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sample;

    #[test]
    fn the_latest_request_comes_first_and_none_twice() {
        let of = |number| sample::bare(number, 0, Role::AuthorizationRequest);
        let (one, other) = (of(1), of(2));
        let at = |second| Timestamp::from_second(second).unwrap();
        let asked = [(at(1), &one), (at(3), &other), (at(1), &one)];
        let mut requests: Vec<_> = asked.iter().collect();
        nearest_first(&mut requests);
        let told: Vec<_> = requests.iter().map(|(when, it)| (*when, it.id)).collect();
        assert_eq!(told, [(at(3), other.id), (at(1), one.id)]);
    }
}
