//! Stage 3: sightings become trails, and every credential learns which flow put it where it lies.
//! Knows OAuth; opens no file, reads no clock, and cannot fail.

pub mod census;
mod classify;
mod clue;
mod component;
mod expose;
mod handoff;
mod index;
mod link;
mod modifier;
mod names;
pub mod near;
mod pkce;
mod place;
mod promote;
pub mod repeats;
mod run;
mod tie;
mod trail;
mod weakness;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use census::{Census, Clients, Common};
use repeats::Repeats;

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, JoinKey, Kind, Masked, Source, When};
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
    told.sort_by_key(|(run, trail)| (trail.as_ref().map(|trail| trail.id), run.members()));
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

/// Sorted by source, place and id, each id once.
fn in_order(mut sightings: Vec<Sighting>) -> Vec<Sighting> {
    // Names are compared once for each source, and not for each pair of sightings.
    let mut sources: Vec<&Arc<Source>> = Vec::new();
    let mut ranks: HashMap<*const Source, usize> = HashMap::new();
    for sighting in &sightings {
        let source = &sighting.place.source;
        ranks.entry(Arc::as_ptr(source)).or_insert_with(|| {
            sources.push(source);
            0
        });
    }
    sources.sort();
    let mut rank = 0;
    for (at, source) in sources.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| sources.get(at));
        rank += usize::from(before != Some(source));
        ranks.insert(Arc::as_ptr(source), rank);
    }
    let rank = |it: &Sighting| ranks.get(&Arc::as_ptr(&it.place.source)).copied();
    sightings.sort_by(|one, other| {
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.place.locator.cmp(&other.place.locator))
            .then_with(|| (one.place.view, one.id).cmp(&(other.place.view, other.id)))
    });
    let mut seen = HashSet::new();
    sightings.retain(|sighting| seen.insert(sighting.id));
    sightings
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
