//! Protocol runs: requests and what answers them, put together. Each different answer is a run of its own.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::component::Sets;
use super::index::{Index, is_response, is_token, param};
use super::link::Linker;
use super::tie::{Link, Tie};
use super::wanted::Wanted;
use crate::atoms::Kind;

/// Requests that one of several answers takes, of those at one moment, and of those that no clock compares with it: as
/// many as the places that show one request, and a bound where thousands were answered.
const MAX_OWN: usize = 8;

/// One protocol run.
pub(super) struct Run {
    /// The authorization request, in every source that has it, pushed form included. Sorted.
    pub(super) requests: Vec<usize>,
    /// Everything else.
    pub(super) rest: Vec<usize>,
    /// Why they belong together.
    pub(super) ties: Vec<Tie>,
    /// Both together, sorted.
    members: Vec<usize>,
    wanted: OnceCell<Wanted>,
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
            wanted: OnceCell::new(),
        }
    }

    /// What the requests ask for, in sum.
    pub(super) fn wanted(&self, index: &Index<'_>) -> &Wanted {
        self.wanted
            .get_or_init(|| Wanted::of(index, &self.requests, &self.ties))
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
    let moment = |core: &Core| first_moment(index, &core.members);
    let moments: Vec<Option<Timestamp>> = heads.iter().map(moment).collect();
    for core in followers {
        let followed = moments.partition_point(|it| *it <= moment(&core));
        if let Some(head) = heads.get_mut(followed.saturating_sub(1)) {
            head.members.extend(core.members);
            head.ties.extend(core.ties);
        }
    }
    let [head] = &mut *heads else {
        return apart(index, requests, heads);
    };
    let (members, ties) = (
        std::mem::take(&mut head.members),
        std::mem::take(&mut head.ties),
    );
    vec![Run::new(requests.to_vec(), members, ties)]
}

/// Several answers of one request, each a run with its own sending of it.
fn apart(index: &Index<'_>, requests: &[usize], heads: Vec<Core>) -> Vec<Run> {
    let sent = Sent::of(index, requests);
    let mut unanswered: BTreeSet<usize> = requests.iter().copied().collect();
    let mut runs: Vec<Run> = Vec::new();
    for head in heads {
        let own = sent.of_answer(index, &head);
        for at in &own {
            unanswered.remove(at);
        }
        let ties = head.ties.into_iter();
        let ties = ties.filter(|tie| own.contains(&tie.request)).collect();
        runs.push(Run::new(own.into_iter().collect(), head.members, ties));
    }
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

/// A sending of a request: the number of its source, its moment, and its own number.
type Sending = (u32, Option<Timestamp>, usize);

/// A request that was sent several times, in the order of sources, then of time.
struct Sent(Vec<Sending>);

impl Sent {
    fn of(index: &Index<'_>, requests: &[usize]) -> Self {
        let requests = requests.iter().filter_map(|at| sending(index, *at));
        let mut all: Vec<Sending> = requests.collect();
        all.sort_unstable();
        Self(all)
    }

    /// The sightings nearest before an answer, and those that no clock compares with it.
    fn of_answer(&self, index: &Index<'_>, head: &Core) -> BTreeSet<usize> {
        let tied: BTreeSet<usize> = head.ties.iter().map(|tie| tie.request).collect();
        let tied: Vec<Sending> = tied.iter().filter_map(|at| sending(index, *at)).collect();
        let anchor = index
            .each(&head.members)
            .filter(|(_, sighting)| is_response(sighting))
            .find_map(|(at, sighting)| Some((index.number_of(at)?, sighting.at?.instant)));
        let Some((source, answered)) = anchor else {
            return some(&tied, &[&self.0]);
        };
        let part = |from: usize, to: usize| self.0.get(from..to).unwrap_or_default();
        let until = |moment| {
            self.0
                .partition_point(|it| (it.0, it.1) <= (source, moment))
        };
        let (start, end) = (until(None), self.0.partition_point(|it| it.0 <= source));
        let earlier = part(start, until(Some(answered)));
        let nearest = earlier.last().and_then(|it| it.1);
        let before = earlier.partition_point(|it| it.1 < nearest);
        let at_once = earlier.get(before..).unwrap_or_default();
        let (own, others): (Vec<Sending>, Vec<Sending>) = tied
            .into_iter()
            .partition(|it| it.0 == source && it.1.is_some());
        let own: Vec<Sending> = own.into_iter().filter(|it| it.1 == nearest).collect();
        let mut chosen = some(&own, &[at_once]);
        chosen.extend(some(&others, &[part(0, start), part(end, self.0.len())]));
        chosen
    }
}

fn sending(index: &Index<'_>, at: usize) -> Option<Sending> {
    let moment = index.get(at)?.at.map(|when| when.instant);
    Some((index.number_of(at)?, moment, at))
}

/// All of them, where they are few; else those that something ties to the answer, or the first.
fn some(tied: &[Sending], all: &[&[Sending]]) -> BTreeSet<usize> {
    let all = || all.iter().copied().flatten();
    let few = all().nth(MAX_OWN).is_none();
    let numbers = |sendings: &mut dyn Iterator<Item = &Sending>| {
        sendings.take(MAX_OWN).map(|(_, _, at)| *at).collect()
    };
    if few || tied.is_empty() {
        numbers(&mut all())
    } else {
        numbers(&mut tied.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::atoms::Source;
    use crate::atoms::rules::Rules;
    use crate::detect::{Role, Sighting, sample};
    use crate::flow::census::Common;

    #[test]
    fn what_is_tied_to_an_answer_counts_where_a_request_was_sent_often() {
        let sent: Vec<Sending> = (0..10).map(|at| (0, None, at)).collect();
        let few: Vec<Sending> = sent[..2].to_vec();
        let (tied, first) = (BTreeSet::from([9]), (0..MAX_OWN).collect::<BTreeSet<_>>());
        assert_eq!(some(&sent[9..], &[&sent]), tied);
        assert_eq!(some(&[], &[&sent]), first);
        assert_eq!(some(&sent[9..], &[&few]), BTreeSet::from([0, 1]));
    }

    /// A request is sent in two files, in both ten times at one moment, in the first twice before. Its answer in the
    /// first follows; ties lead to one before, to one at that moment, and to one of the other file.
    #[test]
    fn an_answer_goes_with_the_last_sending_and_with_what_is_tied_to_it_elsewhere() {
        let file = |path: &str| {
            Arc::new(Source {
                path: path.into(),
                ..Source::default()
            })
        };
        let (one, other) = (file("a.log"), file("b.log"));
        let request = |source: &Arc<Source>, number, second| {
            let mut it = sample::bare(number, second, Role::AuthorizationRequest);
            it.place.source = source.clone();
            it
        };
        let mut all: Vec<Sighting> = (0..2).map(|number| request(&one, number, 5)).collect();
        all.extend((2..12).map(|number| request(&one, number, 10)));
        all.push(Sighting {
            role: Role::ResponseInQuery,
            ..request(&one, 12, 11)
        });
        all.extend((13..23).map(|number| request(&other, number, 10)));
        let (common, rules) = (Common::default(), Rules::builtin().unwrap());
        let index = Index::new(&all, &common, &rules.providers);
        let requests: Vec<usize> = (0..23).filter(|at| *at != 12).collect();
        let tie = |request| Tie {
            link: Link::State,
            request,
            response: 12,
            key: None,
        };
        let head = Core {
            members: vec![12],
            ties: [0, 5, 15].map(tie).to_vec(),
        };
        let chosen = Sent::of(&index, &requests).of_answer(&index, &head);
        assert_eq!(chosen, BTreeSet::from([5, 15]));
    }
}
