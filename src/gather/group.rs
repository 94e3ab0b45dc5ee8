//! Which sightings may have to do with each other: those that share a link, directly or through others. Coarser than
//! what `flow` makes of them, and never finer. Knows half of every key, which may join strangers and parts nobody.

use crate::atoms::{Digest, JoinKey, KeyKind};
use crate::detect::{Role, Sighting};
use crate::flow::census::{Weak, half, short};
use crate::flow::near;

/// Links of sightings: each the high and the low half of what it is, and the sighting's number. Small, because there
/// are ten for each of ten million.
#[derive(Debug, Default)]
pub(super) struct Links {
    all: Vec<[u32; 3]>,
}

impl Links {
    /// Adds the links of a sighting.
    pub(super) fn add(&mut self, number: usize, sighting: &Sighting) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let mut link = |value: u64| {
            let [high, low] = [value >> 32, value & u64::from(u32::MAX)];
            let half = |it: u64| u32::try_from(it).unwrap_or_default();
            self.all.push([half(high), half(low), number]);
        };
        // Only requests are near others.
        if sighting.role == Role::AuthorizationRequest {
            link(certain(near::by_id(sighting.id)));
        }
        for credential in &sighting.credentials {
            link(of_credential(credential.id));
        }
        for key in &sighting.keys {
            // A verifier opens every request with its challenge, however many there are (RFC 7636 §4.6).
            let challenge = matches!(key.kind, KeyKind::ChallengeS256 | KeyKind::ChallengePlain);
            link(if challenge {
                certain(*key)
            } else {
                short(*key)
            });
        }
        let visit = sighting.visit.iter();
        let visits = visit.flat_map(|it| {
            let before = it.ancestors.iter().map(|(_, key)| *key);
            before.chain([it.own])
        });
        let others = sighting.near.iter().copied().chain(sighting.exchange);
        visits.chain(others).for_each(|key| link(certain(key)));
    }

    /// The groups of so many sightings, in the order of their first.
    pub(super) fn groups(mut self, sightings: usize, weak: &Weak) -> Groups {
        let mut unions = Unions::new(sightings);
        self.all.sort_unstable();
        for (one, other) in self.all.iter().zip(self.all.iter().skip(1)) {
            let ([high, low, first], [other_high, other_low, second]) = (*one, *other);
            let value = u64::from(high) << 32 | u64::from(low);
            if (high, low) == (other_high, other_low) && !weak.has(value) {
                unions.join(first, second);
            }
        }
        unions.groups()
    }
}

/// A link that no count makes weak.
fn certain(key: JoinKey) -> u64 {
    short(key).rotate_left(1)
}

fn of_credential(id: Digest) -> u64 {
    half(id).rotate_left(2)
}

/// Sightings by group.
pub(super) struct Groups {
    members: Vec<u32>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Each group.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let bounds = starts.zip(&self.ends);
        bounds.filter_map(|(start, end)| self.members.get(start..*end))
    }
}

/// Disjoint sets over numbers; the smallest member stands for its set.
struct Unions(Vec<u32>);

impl Unions {
    fn new(len: usize) -> Self {
        Self((0..u32::try_from(len).unwrap_or(u32::MAX)).collect())
    }

    fn find(&mut self, mut at: u32) -> u32 {
        while let Some(&up) = self.0.get(at as usize)
            && up != at
        {
            let above = self.0.get(up as usize).copied().unwrap_or(up);
            if let Some(slot) = self.0.get_mut(at as usize) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.find(one), self.find(other));
        if let Some(slot) = self.0.get_mut(one.max(other) as usize) {
            *slot = one.min(other);
        }
    }

    fn groups(mut self) -> Groups {
        let mut members: Vec<u32> = (0..).take(self.0.len()).collect();
        let roots: Vec<u32> = (0..).take(self.0.len()).map(|at| self.find(at)).collect();
        let root = |at: u32| roots.get(at as usize).copied();
        members.sort_by_key(|at| root(*at));
        let mut ends = Vec::new();
        for (end, (one, other)) in (1..).zip(members.iter().zip(members.iter().skip(1))) {
            if root(*one) != root(*other) {
                ends.push(end);
            }
        }
        ends.push(members.len());
        Groups { members, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_through_others_is_one_group() {
        let mut unions = Unions::new(7);
        for (one, other) in [(5, 3), (1, 6), (3, 0)] {
            unions.join(one, other);
        }
        let groups = unions.groups();
        let groups: Vec<&[u32]> = groups.iter().collect();
        assert_eq!(groups, [&[0, 3, 5][..], &[1, 6], &[2], &[4]]);
    }
}
