//! Findings of one weakness, and profiles, that several parts of the evidence have in common: put together as if the
//! evidence had been one part. Decides nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::restore;
use super::wire::part::Told;
use super::wire::{self, Act, Finding, SeenIn};
use crate::atoms::Digest;
use crate::judge::{self, Severity, State};

/// Puts a weakness together with the same one of another part.
pub fn weakness(known: &mut Told, other: Told) {
    let mut more = other;
    // Who holds it is said by the first trail.
    if more.finding.trails < known.finding.trails {
        std::mem::swap(known, &mut more);
    }
    known.meets |= more.meets;
    let (finding, more) = (&mut known.finding, more.finding);
    let firsts = [finding.first_seen_at.take(), more.first_seen_at];
    finding.first_seen_at = firsts.into_iter().flatten().min_by_key(|at| moment(at));
    let lasts = [finding.last_seen_at.take(), more.last_seen_at];
    finding.last_seen_at = lasts.into_iter().flatten().max_by_key(|at| moment(at));
    finding.age_seconds = finding.age_seconds.max(more.age_seconds);
    finding.trails.extend(more.trails);
    // Stable: it takes two sorted lists as the two runs that they are.
    finding.trails.sort();
    finding.trails.dedup();
    let sightings = std::mem::take(&mut finding.sightings);
    finding.sightings = earliest(sightings.into_iter().chain(more.sightings));
    finding.sightings_by_source =
        by_source(&finding.sightings_by_source, &more.sightings_by_source);
    finding.sightings_total = finding.sightings_total.saturating_add(more.sightings_total);
}

/// Leaves out the count per source where all sightings are shown.
pub fn settle(finding: &mut Finding) {
    if finding.sightings_total <= wire::SIGHTINGS as u64 {
        finding.sightings_by_source.clear();
    }
}

/// Worst first; equal ones by first moment and id.
pub fn order(finding: &Finding) -> Order {
    let rank = |state: &str| State::named(state).map(State::rank);
    let first = finding.first_seen_at.as_deref().and_then(moment);
    (
        Reverse(Severity::named(&finding.severity)),
        rank(&finding.now.state),
        rank(&finding.at_exposure.state),
        first.is_none(),
        first,
        Digest::parse(&finding.id),
    )
}

/// Where a finding stands among others.
pub type Order = (
    Reverse<Option<Severity>>,
    Option<u8>,
    Option<u8>,
    bool,
    Option<Timestamp>,
    Option<Digest>,
);

/// Puts what a thief can do together with what the same thief can do in another part, worst first.
pub fn acts(known: Vec<Act>, others: Vec<Act>) -> Vec<Act> {
    type Place = (Option<judge::Act>, Option<String>, Option<String>);
    let place = |act: &Act| -> Place {
        let name = judge::Act::ALL
            .into_iter()
            .find(|it| it.as_str() == act.act);
        (name, act.issuer.clone(), act.application.clone())
    };
    let rank = |act: &Act| State::named(&act.state).map(State::rank);
    let mut merged: BTreeMap<Place, Act> = BTreeMap::new();
    for act in known.into_iter().chain(others) {
        let place = place(&act);
        match merged.get_mut(&place) {
            Some(known) => {
                if rank(&act) < rank(known) {
                    known.state = act.state;
                }
                let until = known.until.take().zip(act.until);
                known.until = until.map(|(one, other)| {
                    if moment(&one) < moment(&other) {
                        other
                    } else {
                        one
                    }
                });
                known.findings.extend(act.findings);
                known.findings.sort_unstable();
                known.findings.dedup();
                known.held_in.extend(act.held_in);
                known.held_in.sort_unstable();
                known.held_in.dedup();
            }
            None => {
                merged.insert(place, act);
            }
        }
    }
    let mut acts: Vec<Act> = merged.into_values().collect();
    // Stable: equal ones stay in the order of acts and names.
    acts.sort_by_key(rank);
    acts
}

fn by_source(known: &[SeenIn], others: &[SeenIn]) -> Vec<SeenIn> {
    let mut merged: BTreeMap<(String, Vec<String>), SeenIn> = BTreeMap::new();
    for seen in known.iter().chain(others) {
        let source = (seen.path.clone(), seen.members.clone());
        match merged.get_mut(&source) {
            Some(known) => {
                known.sightings = known.sightings.saturating_add(seen.sightings);
                let firsts = [known.first_at.take(), seen.first_at.clone()];
                known.first_at = firsts.into_iter().flatten().min_by_key(|at| moment(at));
                let lasts = [known.last_at.take(), seen.last_at.clone()];
                known.last_at = lasts.into_iter().flatten().max_by_key(|at| moment(at));
            }
            None => {
                merged.insert(source, seen.clone());
            }
        }
    }
    merged.into_values().collect()
}

/// The earliest, as many as are shown. Sightings without a time come last; equal ones in the order of places.
fn earliest(sightings: impl Iterator<Item = wire::Sighting>) -> Vec<wire::Sighting> {
    let timed = sightings.map(|it| (it.at.as_deref().and_then(moment), it));
    let mut timed: Vec<(Option<Timestamp>, wire::Sighting)> = timed.collect();
    // Few happen at once, so that places are seldom asked for.
    timed.sort_by(|(at, one), (other_at, other)| {
        let place = |it: &wire::Sighting| (restore::place(it).ok(), it.id.clone());
        (at.is_none(), at)
            .cmp(&(other_at.is_none(), other_at))
            .then_with(|| place(one).cmp(&place(other)))
    });
    let mut sightings: Vec<wire::Sighting> = timed.into_iter().map(|(_, it)| it).collect();
    sightings.dedup_by(|one, other| one.id == other.id);
    sightings.truncate(wire::SIGHTINGS);
    sightings
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
