//! One exposure for each credential: what it is by all evidence, and how it got to the worst place that
//! shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::names::Flow;
use super::run::Run;
use super::{Exposure, place};
use crate::atoms::Digest;

/// A run, and the trail that it became, if it became one.
pub(super) struct Told<'a> {
    pub(super) run: &'a Run,
    /// Index of the trail, and its grant.
    pub(super) trail: Option<(usize, Flow)>,
}

/// All exposures, sorted by credential.
pub(super) fn all(index: &Index<'_>, told: &[Told<'_>]) -> Vec<Exposure> {
    let mut places: BTreeMap<Digest, Places> = BTreeMap::new();
    for Told { run, trail } in told {
        let grant = trail.map_or(Flow::Unknown, |(_, grant)| grant);
        for (at, sighting) in index.each(&run.members()) {
            for (slot, credential) in sighting.credentials.iter().enumerate() {
                let Some(&kind) = index.real.get(&credential.id) else {
                    continue;
                };
                let flow = place::of(index, run, grant, sighting, credential, kind);
                let worst = (
                    place::openness(sighting, credential),
                    place::badness(flow),
                    flow,
                );
                let entry = places.entry(credential.id).or_default();
                entry.worst = entry.worst.max(Some(worst));
                entry.seen.insert((at, slot));
                entry.trails.extend(trail.map(|(trail, _)| trail));
            }
        }
    }
    let exposure = |(credential, places): (Digest, Places)| {
        let (_, _, flow) = places.worst?;
        Some(Exposure {
            credential,
            kind: *index.real.get(&credential)?,
            flow,
            seen: places.seen.into_iter().collect(),
            trails: places.trails.into_iter().collect(),
        })
    };
    places.into_iter().filter_map(exposure).collect()
}

/// Where one credential was seen.
#[derive(Default)]
struct Places {
    worst: Option<(u8, u8, Flow)>,
    seen: BTreeSet<(usize, usize)>,
    trails: BTreeSet<usize>,
}
