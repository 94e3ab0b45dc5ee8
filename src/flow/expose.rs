//! One exposure for each credential: what it is by all evidence, and how it got to the worst place that
//! shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::names::Flow;
use super::run::Run;
use super::{Exposure, place};
use crate::atoms::Digest;
use crate::detect::{Role, Sighting};

/// A run, and the trail that it became, if it became one.
pub(super) struct Told<'a> {
    pub(super) run: &'a Run,
    /// Index of the trail, and its grant.
    pub(super) trail: Option<(usize, Flow)>,
}

/// All exposures, sorted by credential.
pub(super) fn all<'a>(index: &Index<'a>, told: &[Told<'_>]) -> Vec<Exposure> {
    let mut places: BTreeMap<Digest, Places<'a>> = BTreeMap::new();
    for Told { run, trail } in told {
        let grant = trail.map_or(Flow::Unknown, |(_, grant)| grant);
        for (at, sighting) in index.each(run.members()) {
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
                entry.see(worst, sighting);
                entry.seen.insert((at, slot));
                entry.trails.extend(trail.map(|(trail, _)| trail));
            }
        }
    }
    let exposure = |(credential, places): (Digest, Places<'_>)| {
        Some(Exposure {
            credential,
            kind: *index.real.get(&credential)?,
            flow: places.flow()?,
            seen: places.seen.into_iter().collect(),
            trails: places.trails.into_iter().collect(),
        })
    };
    places.into_iter().filter_map(exposure).collect()
}

/// How openly a value lies somewhere, how bad it is that it got there, and how it did.
type Worst = (u8, u8, Flow);

/// Host and path of a page; the host is empty where it was not recorded.
type Page<'a> = (&'a str, &'a str);

/// Where one credential was seen.
#[derive(Default)]
struct Places<'a> {
    worst: Option<Worst>,
    /// Calls with the token in their query, by page.
    calls: BTreeMap<Page<'a>, Worst>,
    /// Pages that were handed the token in their query.
    handed: BTreeSet<Page<'a>>,
    seen: BTreeSet<(usize, usize)>,
    trails: BTreeSet<usize>,
}

impl<'a> Places<'a> {
    fn see(&mut self, worst: Worst, sighting: &'a Sighting) {
        let address = sighting.address.as_ref();
        let page = address.map_or(("", ""), |it| (&*it.host, &*it.path));
        match worst.2 {
            Flow::BearerInQuery => {
                let known = self.calls.entry(page).or_insert(worst);
                *known = (*known).max(worst);
            }
            flow => {
                if flow == Flow::HandoffQuery || sighting.role == Role::ResponseInQuery {
                    self.handed.insert(page);
                }
                self.worst = self.worst.max(Some(worst));
            }
        }
    }

    /// The worst of all. What was handed to a page is not a call when the page is then loaded with it: a log or
    /// a capture shows that request too, and by itself it looks like one.
    fn flow(&self) -> Option<Flow> {
        let is_load = |call: &Page<'_>| {
            let mut pages = self.handed.iter();
            pages.any(|page| page.1 == call.1 && (page.0 == call.0 || call.0.is_empty()))
        };
        let calls = self.calls.iter().filter(|(page, _)| !is_load(page));
        let worst = calls.map(|(_, worst)| *worst).max();
        self.worst.max(worst).map(|(_, _, flow)| flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sample;

    #[test]
    fn a_call_is_no_load_of_a_page_that_was_handed_its_token_elsewhere() {
        let handed = |role| {
            let message = sample::bare(0, 0, role);
            let call = sample::bare(1, 0, Role::None);
            let mut places = Places::default();
            places.see((1, 0, Flow::Implicit), &message);
            places.see((2, 0, Flow::BearerInQuery), &call);
            places.flow()
        };
        let in_fragment = handed(Role::ResponseInFragment);
        assert_eq!(in_fragment, Some(Flow::BearerInQuery));
        assert_eq!(handed(Role::ResponseInQuery), Some(Flow::Implicit));
    }
}
