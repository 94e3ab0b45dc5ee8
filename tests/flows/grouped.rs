//! What comes of evidence whose sightings are put together group by group, as the reduce half does: each group without
//! the others, beside what all of them have in common.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, Kind, Source};
use tokentrail::flow::{self, Correlated, Flow, Trail};
use tokentrail::gather::Gathered;

/// So many sightings fit that each group is a part of its own.
const ROOM: usize = 8;

/// What is told of evidence, without the numbers that its sightings and trails have among each other.
#[derive(PartialEq, Debug, Default)]
pub(crate) struct Account {
    trails: BTreeMap<Digest, Trail>,
    exposures: BTreeMap<Digest, (Kind, Flow, Vec<Digest>, Vec<Digest>)>,
}

impl Account {
    pub(crate) fn of(correlated: &Correlated) -> Self {
        let mut account = Self::default();
        account.add(correlated);
        account
    }

    /// That of the same sightings in groups, and how many groups there are.
    pub(crate) fn in_groups(whole: &Correlated, rules: &Rules) -> (Self, usize) {
        let mut gathered = Gathered::new(ROOM);
        let mut known: HashMap<Digest, Arc<Source>> = HashMap::new();
        for sighting in &whole.sightings {
            let source = &sighting.place.source;
            known.insert(source.digest(), Arc::clone(source));
            gathered.add(source.digest(), sighting.clone()).unwrap();
        }
        let (mut account, mut groups) = (Self::default(), 0);
        gathered
            .parts(
                &known,
                |part| flow::trails_of(part.sightings, part.repeats, part.common, rules),
                &mut |correlated| {
                    account.add(&correlated);
                    groups += 1;
                    Ok(())
                },
            )
            .unwrap();
        (account, groups)
    }

    fn add(&mut self, correlated: &Correlated) {
        let sightings = &correlated.sightings;
        let trails = &correlated.trails;
        for exposure in &correlated.exposures {
            let seen = exposure.seen.iter().map(|(at, _)| sightings[*at].id);
            let took_part = exposure.trails.iter().map(|at| trails[*at].id);
            let mut told = (
                exposure.kind,
                exposure.flow,
                seen.collect::<Vec<_>>(),
                took_part.collect::<Vec<_>>(),
            );
            told.2.sort_unstable();
            told.3.sort_unstable();
            let before = self.exposures.insert(exposure.credential, told);
            assert!(before.is_none(), "one credential in two groups");
        }
        let trails = trails.iter().map(|trail| (trail.id, trail.clone()));
        self.trails.extend(trails);
    }
}
