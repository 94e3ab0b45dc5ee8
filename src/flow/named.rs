//! What requests and answers have for names, to tell whether they contradict each other. Weighs nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{Index, is_response};
use super::pkce::{is_of_redemption, sends_verifier};
use super::tie::{Link, Tie};
use crate::atoms::{JoinKey, KeyKind};
use crate::detect::Sighting;

/// The key of a request that comes back with its answer.
pub(super) const STATE: &[KeyKind] = &[KeyKind::State];

/// The keys of a request that a verifier opens.
pub(super) const CHALLENGES: &[KeyKind] = &[KeyKind::ChallengeS256, KeyKind::ChallengePlain];

/// Keys of some sightings, and where they can be compared with others.
#[derive(Default)]
pub(super) struct Named {
    pub(super) keys: BTreeSet<JoinKey>,
    /// Sources by their marks, since all keys of one source can be compared; `None` for keys that hold everywhere.
    scopes: BTreeSet<Option<[u8; 4]>>,
}

impl Named {
    /// Those of some kinds, in the sightings that count.
    pub(super) fn of(
        index: &Index<'_>,
        members: &[usize],
        kinds: &[KeyKind],
        of: impl Fn(&Sighting) -> bool,
    ) -> Self {
        let mut named = Self::default();
        for (_, sighting) in index.each(members).filter(|(_, sighting)| of(sighting)) {
            let keys = sighting.keys.iter();
            for key in keys.filter(|key| kinds.contains(&key.kind)) {
                let source = index.source(sighting).mark();
                named.keys.insert(*key);
                named.scopes.extend([key.digest.scope(), Some(source)]);
            }
        }
        named
    }

    /// Whether these are others. A short `state` in two sources has two keys, and may be one (`detect::keys`).
    pub(super) fn differs(&self, other: &Self) -> bool {
        !self.scopes.is_disjoint(&other.scopes) && self.keys.is_disjoint(&other.keys)
    }
}

/// What a core says of the request that it can belong to.
pub(super) struct Own {
    pub(super) states: Named,
    pub(super) verifiers: Named,
    /// Whether a code was redeemed, and no verifier sent with it.
    pub(super) unverified: bool,
    /// Challenges that many requests have and its verifiers open, each with a message that shows it.
    reused: BTreeMap<JoinKey, usize>,
}

impl Own {
    /// What the sightings of a core say.
    pub(super) fn of(index: &Index<'_>, core: &[usize]) -> Self {
        let redemptions = index.each(core).filter(|(_, s)| is_of_redemption(index, s));
        let verified = redemptions
            .filter_map(|(_, s)| sends_verifier(index, s))
            .max();
        let mut reused = BTreeMap::new();
        for (at, sighting) in index.each(core).filter(|(_, s)| is_of_redemption(index, s)) {
            let keys = sighting.keys.iter();
            for key in keys.filter(|key| CHALLENGES.contains(&key.kind) && index.weak.contains(key))
            {
                reused.entry(*key).or_insert(at);
            }
        }
        Self {
            states: Named::of(index, core, STATE, is_response),
            verifiers: Named::of(index, core, CHALLENGES, |s| is_of_redemption(index, s)),
            unverified: verified == Some(false),
            reused,
        }
    }

    /// What ties the core to a request whose challenge is no name of it alone.
    pub(super) fn redeems(&self, index: &Index<'_>, request: usize) -> Option<Tie> {
        let mut keys = index.get(request)?.keys.iter();
        keys.find_map(|key| {
            Some(Tie {
                link: Link::ReusedChallenge,
                request,
                response: *self.reused.get(key)?,
                key: Some(*key),
            })
        })
    }
}
