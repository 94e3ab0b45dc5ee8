//! Sightings that say the same of the same values, over and over: a token in a million lines of one log. The first
//! ones are put together with the rest; the others are counted, and nothing else.

use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::index::is_response;
use crate::atoms::{Digest, Source, When};
use crate::collect::Store;
use crate::detect::Sighting;

/// Sightings of one message in one source that are put together with others: far more than anybody looks at, and
/// little enough for a value that is in every line.
pub const REPEATS: usize = 1_000;

/// Takes in the sightings of whole groups, and sets repeats aside.
#[derive(Debug, Default)]
pub struct Sieve {
    alike: HashMap<u64, BinaryHeap<Kept>>,
    rest: Vec<Sighting>,
    repeats: Repeats,
}

impl Sieve {
    /// Takes in a sighting; which ones are set aside does not depend on the order.
    pub fn add(&mut self, sighting: Sighting) {
        // A visit has its own place in a history, and a person makes no million of them.
        if sighting.credentials.is_empty() || sighting.visit.is_some() {
            self.rest.push(sighting);
            return;
        }
        let alike = self.alike.entry(message(&sighting)).or_default();
        let mut sighting = Kept(sighting);
        if alike.len() >= REPEATS
            && let Some(mut last) = alike.peek_mut()
        {
            // Most come after those that are kept already.
            if sighting < *last {
                std::mem::swap(&mut *last, &mut sighting);
            }
            self.repeats.add(&sighting.0);
        } else {
            alike.push(sighting);
        }
    }

    /// Takes in a sighting of a group that is too small for repeats.
    pub fn keep(&mut self, sighting: Sighting) {
        self.rest.push(sighting);
    }

    /// The sightings to be put together, in no order, and the account of the others.
    pub fn finish(mut self) -> (Vec<Sighting>, Repeats) {
        let kept = self.alike.into_values().flatten();
        self.rest.extend(kept.map(|Kept(sighting)| sighting));
        (self.rest, self.repeats)
    }
}

/// The sightings to be put together, in no order, and the account of the others.
pub fn set_aside(sightings: Vec<Sighting>) -> (Vec<Sighting>, Repeats) {
    // Repeats have all their values in common, the first of them too.
    let mut seen: HashMap<Digest, usize> = HashMap::new();
    for sighting in &sightings {
        if let Some(first) = sighting.credentials.first() {
            *seen.entry(first.id).or_default() += 1;
        }
    }
    if seen.values().all(|count| *count <= REPEATS) {
        return (sightings, Repeats::default());
    }
    let mut sieve = Sieve::default();
    for sighting in sightings {
        let first = sighting.credentials.first();
        let count = first.and_then(|first| seen.get(&first.id));
        if count.is_some_and(|count| *count > REPEATS) {
            sieve.add(sighting);
        } else {
            sieve.keep(sighting);
        }
    }
    sieve.finish()
}

/// By credential and source: the sightings that were set aside.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Repeats(HashMap<Digest, BTreeMap<Arc<Source>, Repeated>>);

/// Sightings that were set aside.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Repeated {
    /// How many.
    pub count: u64,
    /// The earliest moment.
    pub first: Option<When>,
    /// The latest moment.
    pub last: Option<When>,
}

impl Repeated {
    /// One sighting.
    pub fn once(at: Option<When>) -> Self {
        Self {
            count: 1,
            first: at,
            last: at,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let firsts = [self.first, other.first].into_iter().flatten();
        let lasts = [self.last, other.last].into_iter().flatten();
        Self {
            count: self.count.saturating_add(other.count),
            first: firsts.min_by_key(|at| at.instant),
            last: lasts.max_by_key(|at| at.instant),
        }
    }
}

impl Repeats {
    /// Those of a credential, by source.
    pub fn of(&self, credential: Digest) -> impl Iterator<Item = (&Arc<Source>, &Repeated)> {
        self.0.get(&credential).into_iter().flatten()
    }

    fn add(&mut self, sighting: &Sighting) {
        for credential in &sighting.credentials {
            let sources = self.0.entry(credential.id).or_default();
            let known = sources.entry(sighting.place.source.clone()).or_default();
            *known = known.and(Repeated::once(sighting.at));
        }
    }
}

/// What the sighting says, apart from where and when: equal for repeats of one message.
fn message(sighting: &Sighting) -> u64 {
    let mut hash = DefaultHasher::new();
    sighting.place.source.path.hash(&mut hash);
    sighting.place.source.members.hash(&mut hash);
    sighting.via.as_str().hash(&mut hash);
    (sighting.role, sighting.channel, sighting.status).hash(&mut hash);
    sighting.method.hash(&mut hash);
    sighting.store.map(Store::as_str).hash(&mut hash);
    sighting.address.hash(&mut hash);
    sighting.redirect.hash(&mut hash);
    // Pages of one application have many addresses; where an answer lands has one.
    if is_response(sighting) {
        sighting.landing.hash(&mut hash);
    }
    for param in &sighting.params {
        (&param.name, &param.value, param.slot).hash(&mut hash);
    }
    for credential in &sighting.credentials {
        (credential.id, credential.kind, credential.slot).hash(&mut hash);
        (&credential.name, credential.score).hash(&mut hash);
    }
    sighting.keys.hash(&mut hash);
    hash.finish()
}

/// A sighting in the order in which sightings are kept: the earliest first, those without a time last.
#[derive(Debug)]
struct Kept(Sighting);

impl Kept {
    fn order(&self) -> impl Ord + '_ {
        let at = self.0.at.map(|at| at.instant);
        (at.is_none(), at, &self.0.place, self.0.id)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}
