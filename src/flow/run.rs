//! Protocol runs: requests and what answers them, put together. Each different answer is a run of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::component::Sets;
use super::index::{Index, is_response, is_token, param};
use super::link::Linker;
use super::tie::{Link, Tie};
use crate::atoms::Kind;

/// One protocol run.
pub(super) struct Run {
    /// The authorization request, in every source that has it, pushed form included.
    pub(super) requests: Vec<usize>,
    /// Everything else.
    pub(super) rest: Vec<usize>,
    /// Why they belong together.
    pub(super) ties: Vec<Tie>,
    /// Both together, sorted.
    members: Vec<usize>,
}

impl Run {
    fn new(requests: Vec<usize>, rest: Vec<usize>, ties: Vec<Tie>) -> Self {
        let mut members: Vec<usize> = requests.iter().chain(&rest).copied().collect();
        members.sort_unstable();
        members.dedup();
        Self {
            requests,
            rest,
            ties,
            members,
        }
    }

    /// Every sighting of the run, in order.
    pub(super) fn members(&self) -> &[usize] {
        &self.members
    }
}

/// All protocol runs, and all sightings that are none: every sighting is in one at least.
pub(super) fn runs(index: &Index<'_>, requests: &Sets, cores: Sets) -> Vec<Run> {
    let linker = Linker::new(index, requests);
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut answered: BTreeMap<usize, Vec<Core>> = BTreeMap::new();
    let mut loose: Vec<Vec<usize>> = Vec::new();
    for core in in_time_order(index, cores) {
        match linker.best(&core, |_, ties| {
            ties.iter().any(|tie| tie.link.is_certain())
        }) {
            Some((group, ties)) => {
                taken.insert(group);
                answered.entry(group).or_default().push(Core {
                    members: core,
                    ties,
                });
            }
            None => loose.push(core),
        }
    }
    let mut runs: Vec<Run> = Vec::new();
    for core in loose {
        // A request that has its response for certain is not guessed to have another.
        match linker.best(&core, |group, _| !taken.contains(&group)) {
            Some((group, ties)) => {
                taken.insert(group);
                answered.entry(group).or_default().push(Core {
                    members: core,
                    ties,
                });
            }
            None => runs.push(Run::new(Vec::new(), core, Vec::new())),
        }
    }
    for (group, members) in requests.iter().enumerate() {
        let answers = answered.remove(&group).unwrap_or_default();
        runs.extend(assemble(index, members, answers));
    }
    runs
}

/// Sightings that belong together, and why they belong to a request.
struct Core {
    members: Vec<usize>,
    ties: Vec<Tie>,
}

fn in_time_order(index: &Index<'_>, mut cores: Sets) -> Sets {
    cores.sort_by_cached_key(|core| (first_moment(index, core), core.first().copied()));
    cores
}

fn first_moment(index: &Index<'_>, members: &[usize]) -> Option<Timestamp> {
    let moments = index.each(members).filter_map(|(_, s)| s.at);
    moments.map(|when| when.instant).min()
}

/// One request and all that answers it, as runs: each different answer is a run, and what only follows from
/// an answer goes with it.
fn assemble(index: &Index<'_>, requests: &[usize], cores: Vec<Core>) -> Vec<Run> {
    let (heads, followers): (Vec<Core>, Vec<Core>) =
        cores.into_iter().partition(|core| is_head(index, core));
    let mut heads = one_failure(index, heads);
    if heads.is_empty() {
        let whole = Core {
            members: Vec::new(),
            ties: Vec::new(),
        };
        heads.push(whole);
    }
    heads.sort_by_cached_key(|head| {
        (
            first_moment(index, &head.members),
            head.members.first().copied(),
        )
    });
    for core in followers {
        let moment = first_moment(index, &core.members);
        let before = heads
            .iter()
            .rposition(|head| first_moment(index, &head.members) <= moment)
            .unwrap_or_default();
        if let Some(head) = heads.get_mut(before) {
            head.members.extend(core.members);
            head.ties.extend(core.ties);
        }
    }
    let several = heads.len() > 1;
    let mut unanswered: BTreeSet<usize> = requests.iter().copied().collect();
    let mut runs: Vec<Run> = heads
        .into_iter()
        .map(|head| {
            let own = if several {
                own_requests(index, requests, &head)
            } else {
                requests.to_vec()
            };
            unanswered.retain(|at| !own.contains(at));
            let ties = head.ties.into_iter();
            let ties = ties.filter(|tie| own.contains(&tie.request)).collect();
            Run::new(own, head.members, ties)
        })
        .collect();
    if !unanswered.is_empty() {
        let requests = unanswered.into_iter().collect();
        runs.push(Run::new(requests, Vec::new(), Vec::new()));
    }
    runs
}

/// An error has no value that would tell two sightings of it from two errors: all that answer one request are one.
fn one_failure(index: &Index<'_>, heads: Vec<Core>) -> Vec<Core> {
    let (failures, mut heads): (Vec<Core>, Vec<Core>) =
        heads.into_iter().partition(|head| !brings_any(index, head));
    heads.extend(failures.into_iter().reduce(|mut all, more| {
        all.members.extend(more.members);
        all.ties.extend(more.ties);
        all
    }));
    heads
}

fn brings_any(index: &Index<'_>, core: &Core) -> bool {
    let mut responses = index.each(&core.members).filter(|(_, s)| is_response(s));
    responses.any(|(_, sighting)| index.credentials(sighting).next().is_some())
}

/// Whether a core is an answer of its own: it lands where the request asked, and brings something.
fn is_head(index: &Index<'_>, core: &Core) -> bool {
    let brings = |of: fn(Kind) -> bool| {
        index.each(&core.members).any(|(_, sighting)| {
            is_response(sighting) && index.credentials(sighting).any(|(_, kind)| of(kind))
        })
    };
    let failed = || {
        let mut all = index.each(&core.members);
        all.any(|(_, sighting)| is_response(sighting) && param(sighting, "error").is_some())
    };
    let lands = || {
        core.ties
            .iter()
            .any(|tie| !matches!(tie.link, Link::Chain(_) | Link::Challenge | Link::Time))
    };
    brings(|kind| kind == Kind::AuthorizationCode) || (lands() && (brings(is_token) || failed()))
}

/// Of a request that was sent several times, the sightings nearest before this answer, and those that no clock
/// compares with it.
fn own_requests(index: &Index<'_>, requests: &[usize], head: &Core) -> Vec<usize> {
    let anchor = index
        .each(&head.members)
        .filter(|(_, sighting)| is_response(sighting))
        .find_map(|(_, sighting)| Some((&sighting.place.source, sighting.at?.instant)));
    let Some((source, answered)) = anchor else {
        return requests.to_vec();
    };
    let moment = |at: usize| {
        let sighting = index.get(at)?;
        (sighting.place.source == *source)
            .then_some(sighting.at)
            .flatten()
            .map(|when| when.instant)
    };
    let nearest = requests
        .iter()
        .filter_map(|&at| moment(at))
        .filter(|asked| *asked <= answered)
        .max();
    requests
        .iter()
        .copied()
        .filter(|&at| match moment(at) {
            Some(asked) => Some(asked) == nearest,
            None => true,
        })
        .collect()
}
