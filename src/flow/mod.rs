//! Stage 3: sightings become trails, and every credential learns which flow put it where it lies.
//! Knows OAuth; opens no file, reads no clock, and cannot fail.

mod asked;
pub mod census;
mod classify;
pub mod client;
mod clue;
mod component;
mod expose;
mod handoff;
mod index;
mod link;
mod modifier;
mod named;
mod names;
pub mod near;
mod pkce;
mod place;
mod promote;
pub mod repeats;
mod run;
mod tie;
mod trail;
mod wanted;
mod weakness;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use census::{Census, Clients, Common};
use repeats::Repeats;

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, JoinKey, Kind, Locator, Masked, Source, View, When};
use crate::detect::{Role, Sighting};
pub use names::{Flow, Modifier, Pkce, WeaknessKind};

/// Puts together what belongs together, of all the evidence. Insensitive to the order of the sightings and to
/// duplicates.
pub fn trails(sightings: Vec<Sighting>, rules: &Rules) -> Correlated {
    let mut sightings = in_order(sightings);
    near::note_all(&mut sightings);
    let mut census = Census::default();
    for sighting in &sightings {
        census.add(sighting);
    }
    let (sightings, repeats) = repeats::set_aside(sightings);
    trails_of(sightings, repeats, &census.common(), rules)
}

/// The same for a part of the evidence that nothing joins to the rest of it, beside what all of it has in common.
/// What has nothing to do with each other can be put together at once or apart: the trails are the same.
pub fn trails_of(
    sightings: Vec<Sighting>,
    repeats: Repeats,
    common: &Common,
    rules: &Rules,
) -> Correlated {
    let sightings = in_order(sightings);
    let mut index = index::Index::new(&sightings, common, &rules.providers);
    index.real = promote::real(&index);
    let requests = component::requests(&index);
    let cores = component::cores(&index);
    let runs = run::runs(&index, &requests, cores);
    let mut told: Vec<(&run::Run, Option<Trail>)> = runs
        .iter()
        .map(|run| (run, trail::of(&index, run)))
        .collect();
    told.sort_by(|one, other| order(one).cmp(&order(other)));
    let mut trails = Vec::new();
    let mut placed = Vec::new();
    for (run, trail) in told {
        let at = trail.as_ref().map(|trail| (trails.len(), trail.grant));
        placed.push(expose::Told { run, trail: at });
        trails.extend(trail);
    }
    let exposures = expose::all(&index, &placed);
    Correlated {
        sightings,
        trails,
        exposures,
        clients: common.clients.clone(),
        repeats,
    }
}

/// By id; what became no trail comes first, by its sightings.
fn order<'a>((run, trail): &(&'a run::Run, Option<Trail>)) -> (Option<Digest>, &'a [usize]) {
    (trail.as_ref().map(|trail| trail.id), run.members())
}

/// Sorted by source, place and id, each id once.
fn in_order(sightings: Vec<Sighting>) -> Vec<Sighting> {
    // Names are compared once for each source, and not for each pair of sightings.
    let ranks = ranks(&sightings);
    // Numbers are sorted, since sightings are large, and then each sighting is moved once.
    let mut order: Vec<(u32, usize)> = ranks.into_iter().zip(0..).collect();
    order.sort_by(|(rank, at), (other_rank, other_at)| {
        rank.cmp(other_rank).then_with(|| {
            let (one, other) = (sightings.get(*at), sightings.get(*other_at));
            one.map(within_source).cmp(&other.map(within_source))
        })
    });
    let mut sightings: Vec<Option<Sighting>> = sightings.into_iter().map(Some).collect();
    let mut seen = HashSet::with_capacity(sightings.len());
    let sorted = order.into_iter();
    let sorted = sorted.filter_map(|(_, at)| sightings.get_mut(at)?.take());
    sorted.filter(|it| seen.insert(it.id)).collect()
}

/// For each sighting: where its source stands among all sources.
fn ranks(sightings: &[Sighting]) -> Vec<u32> {
    let mut sources: HashMap<*const Source, u32> = HashMap::new();
    let mut distinct: Vec<&Arc<Source>> = Vec::new();
    let mut last: Option<(&Arc<Source>, u32)> = None;
    let mut numbers: Vec<u32> = Vec::with_capacity(sightings.len());
    for sighting in sightings {
        let source = &sighting.place.source;
        let number = match last {
            Some((before, number)) if Arc::ptr_eq(before, source) => number,
            _ => *sources.entry(Arc::as_ptr(source)).or_insert_with(|| {
                distinct.push(source);
                u32::try_from(distinct.len() - 1).unwrap_or(u32::MAX)
            }),
        };
        last = Some((source, number));
        numbers.push(number);
    }
    let mut order: Vec<(&Arc<Source>, usize)> = distinct.into_iter().zip(0..).collect();
    order.sort();
    let mut ranks = vec![0; order.len()];
    let (mut rank, mut before) = (0, None);
    for (source, number) in order {
        // Two that are equal are one.
        rank += u32::from(before.is_some_and(|before| before != source));
        before = Some(source);
        if let Some(slot) = ranks.get_mut(number) {
            *slot = rank;
        }
    }
    let numbers = numbers.into_iter();
    numbers
        .map(|number| ranks.get(number as usize).copied().unwrap_or_default())
        .collect()
}

/// Where a sighting stands among those of its source.
fn within_source(sighting: &Sighting) -> (&Locator, View, Digest) {
    let place = &sighting.place;
    (&place.locator, place.view, sighting.id)
}

/// The sightings of one protocol run in time order, and what follows from them.
#[derive(Clone, PartialEq, Debug)]
pub struct Trail {
    /// Digest of its sightings' ids.
    pub id: Digest,
    /// What the run was.
    pub grant: Flow,
    /// What else is true of it.
    pub modifiers: Vec<Modifier>,
    /// Client, where a message names it.
    pub client_id: Option<Box<str>>,
    /// Issuer: response `iss`, claim, provider table, or the origin of the authorization endpoint.
    pub issuer: Option<Box<str>>,
    /// Where the response was to land, masked.
    pub redirect_uri: Option<Masked>,
    /// PKCE as observed.
    pub pkce: Pkce,
    /// Steps in protocol order.
    pub steps: Vec<Step>,
    /// Why it is believed: each names the sightings that support it.
    pub clues: Vec<Clue>,
    /// What is wrong with the flow itself.
    pub weaknesses: Vec<Weakness>,
}

/// One step of a protocol run.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The sighting; `None` for a step that must have happened and was not seen.
    pub sighting: Option<Digest>,
    /// What it was.
    pub role: Role,
    /// When.
    pub at: Option<When>,
}

/// Why a trail is believed.
#[derive(Clone, PartialEq, Debug)]
pub struct Clue {
    /// What was seen, in one clause: `state is equal in request and response`.
    pub text: Box<str>,
    /// The sightings that show it. Never empty.
    pub sightings: Vec<Digest>,
    /// The key they share, where it is one.
    pub key: Option<JoinKey>,
}

/// What is wrong with a flow, credential or not.
#[derive(Clone, PartialEq, Debug)]
pub struct Weakness {
    /// Which.
    pub kind: WeaknessKind,
    /// The sightings that show it. Never empty.
    pub sightings: Vec<Digest>,
}

/// One credential, everywhere it was seen, and the flow that put it there.
#[derive(Clone, PartialEq, Debug)]
pub struct Exposure {
    /// [`crate::detect::Credential::id`].
    pub credential: Digest,
    /// What it is, by all evidence together.
    pub kind: Kind,
    /// How this value got where it lies, by its worst sighting.
    pub flow: Flow,
    /// Where it was seen: index into [`Correlated::sightings`], index into that sighting's credentials.
    /// Never empty.
    pub seen: Vec<(usize, usize)>,
    /// Trails that it takes part in: indices into [`Correlated::trails`].
    pub trails: Vec<usize>,
}

/// What the reduce half knows once everything that belongs together is together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Correlated {
    /// All sightings, sorted by source, place and id.
    pub sightings: Vec<Sighting>,
    /// All trails, sorted by id.
    pub trails: Vec<Trail>,
    /// All credentials that the evidence supports, sorted by id.
    pub exposures: Vec<Exposure>,
    /// How clients prove who they are, by all the evidence.
    pub clients: Arc<Clients>,
    /// Sightings that say no more than others do, and were counted instead.
    pub repeats: Repeats,
}
