//! Everything that the sources yielded, on its way to the reduce half: counted as it comes, kept in a temporary
//! file once it is much, and handed on in parts that have nothing to do with each other. Judges nothing.

mod group;
mod packed;
mod unpacked;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use group::Links;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::atoms::{Digest, Source};
use crate::detect::Sighting;
use crate::flow::census::{Census, Common, Fact, facts};
use crate::flow::repeats::{REPEATS, Repeats, Sieve};
use crate::pile::Pile;

/// Sightings that are kept as they are, and that are in work at a time when there are more: some hundred megabytes.
pub const ROOM: usize = 1 << 17;

/// Parts that the sightings are put into, where they are many enough: work for the threads of many processors.
const PARTS: usize = 16;

/// Sightings that a part has at least: less is not worth another thread.
const LEAST: usize = 1 << 11;

/// Parts that are in work at a time where the sightings wait packed: few, since what is the same in many parts (the
/// weaknesses of a client) has to be put together again.
const IN_WORK: usize = 8;

/// A sighting, whose source is a number.
#[derive(Clone, PartialEq, Debug)]
struct Held {
    source: u32,
    sighting: Sighting,
}

/// The sightings of all sources.
#[derive(Debug)]
pub struct Gathered {
    room: usize,
    census: Census,
    pile: Pile<Held>,
    links: Links,
    sources: Vec<Digest>,
    numbers: HashMap<Digest, u32>,
    /// By sighting: the number of its source.
    source_of: Vec<u32>,
    /// The ids, one over the other.
    name: [u8; 16],
}

impl Gathered {
    /// Nothing yet. More sightings than `room` are packed, and go to a temporary file once they are many.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            census: Census::default(),
            pile: Pile::new(packed::FORM, room),
            links: Links::default(),
            sources: Vec::new(),
            numbers: HashMap::new(),
            source_of: Vec::new(),
            name: [0; 16],
        }
    }

    /// How many sightings there are.
    pub fn len(&self) -> usize {
        self.source_of.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.source_of.is_empty()
    }

    /// Tells a sighting of a source from another state of it.
    pub fn hash(source: Digest, sighting: &Sighting) -> u64 {
        let mut packed = Vec::new();
        packed::pack_sighting(sighting, &mut packed);
        let mut hash = DefaultHasher::new();
        (source, packed).hash(&mut hash);
        hash.finish()
    }

    /// Adds a sighting of a source. The source that it holds may be another: it is put in place at the end.
    pub fn add(&mut self, source: Digest, sighting: Sighting) -> io::Result<()> {
        let held = self.taken_in(source, self.len(), sighting);
        self.source_of.push(held.source);
        for (byte, more) in self.name.iter_mut().zip(held.sighting.id.as_bytes()) {
            *byte ^= more;
        }
        self.pile.push(held)
    }

    /// Puts another sighting in the place of one that has the same id.
    pub fn replace(&mut self, number: usize, source: Digest, sighting: Sighting) -> io::Result<()> {
        let held = self.taken_in(source, number, sighting);
        if let Some(slot) = self.source_of.get_mut(number) {
            *slot = held.source;
        }
        self.pile.replace(number, held)
    }

    /// Takes notice of another state of a sighting that is not kept.
    pub fn take_in(&mut self, source: Digest, number: usize, sighting: &Sighting) {
        facts(sighting, source, &mut |fact| self.census.note(fact));
        self.links.add(number, sighting);
    }

    /// A sighting, and its source.
    pub fn get(&mut self, number: usize) -> io::Result<(Digest, Sighting)> {
        let held = self.pile.get(number)?;
        let source = self.sources.get(held.source as usize).copied();
        let source = source.ok_or_else(|| io::Error::other("a sighting has no source"))?;
        Ok((source, held.sighting))
    }

    /// Names these sightings, whatever their order.
    pub fn name(&self) -> Digest {
        Digest::from_bytes(self.name)
    }

    /// Notes what sightings that are not here say.
    pub fn note(&mut self, fact: Fact) {
        self.census.note(fact);
    }

    /// The digest of each sighting's source, in the order in which the sightings came.
    pub fn sources(&self) -> impl Iterator<Item = Digest> + '_ {
        let numbers = self.source_of.iter();
        numbers.filter_map(|number| self.sources.get(*number as usize).copied())
    }

    /// Puts all sightings whose source is known into parts of whole groups, works on the parts on all threads of the
    /// current pool, and hands on what comes of them, in the order of the parts. How many there are follows from the
    /// sightings alone.
    pub fn parts<U: Send>(
        mut self,
        known: &HashMap<Digest, Arc<Source>>,
        work: impl Fn(Part<'_>) -> U + Sync,
        take: &mut dyn FnMut(U) -> io::Result<()>,
    ) -> io::Result<()> {
        let common = std::mem::take(&mut self.census).common();
        let share = self.len().div_ceil(PARTS).max(LEAST);
        let share = share.min(self.room / IN_WORK);
        let groups = std::mem::take(&mut self.links).groups(self.len(), &common.weak);
        let mut sightings = Sightings {
            sources: self
                .sources
                .iter()
                .map(|id| known.get(id).cloned())
                .collect(),
            held: match self.pile.into_items() {
                Ok(all) => HeldIn::Memory(all.into_iter().map(Some).collect()),
                Err(pile) => HeldIn::Packed(pile),
            },
        };
        let (mut waiting, mut in_waiting) = (Vec::new(), 0);
        let (mut sieve, mut size) = (Sieve::default(), 0);
        for group in groups.iter() {
            for number in group {
                match sightings.take(*number as usize)? {
                    Some(sighting) if group.len() > REPEATS => sieve.add(sighting),
                    Some(sighting) => sieve.keep(sighting),
                    None => {}
                }
            }
            size += group.len();
            if size >= share {
                size = 0;
                let part = std::mem::take(&mut sieve).finish();
                in_waiting += part.0.len();
                waiting.push(part);
            }
            // Few enough that what waits is not more than what is in work.
            if in_waiting >= self.room.min(2 * share * rayon::current_num_threads()) {
                in_waiting = 0;
                hand_on(std::mem::take(&mut waiting), &common, &work, take)?;
            }
        }
        waiting.push(sieve.finish());
        // What held them takes room, and is of no more use.
        drop(sightings);
        hand_on(waiting, &common, &work, take)
    }

    fn taken_in(&mut self, source: Digest, number: usize, sighting: Sighting) -> Held {
        self.take_in(source, number, &sighting);
        let next = self.sources.len();
        let known = self.numbers.entry(source).or_insert_with(|| {
            self.sources.push(source);
            u32::try_from(next).unwrap_or(u32::MAX)
        });
        Held {
            source: *known,
            sighting,
        }
    }
}

/// Works on parts on all threads, and hands on what comes of them in their order.
fn hand_on<U: Send>(
    parts: Vec<(Vec<Sighting>, Repeats)>,
    common: &Common,
    work: &(impl Fn(Part<'_>) -> U + Sync),
    take: &mut dyn FnMut(U) -> io::Result<()>,
) -> io::Result<()> {
    let one = |(sightings, repeats): (Vec<Sighting>, Repeats)| {
        let part = Part {
            sightings,
            repeats,
            common,
        };
        (!part.sightings.is_empty()).then(|| work(part))
    };
    // One part needs no other thread.
    let done: Vec<Option<U>> = if parts.len() > 1 {
        parts.into_par_iter().map(one).collect()
    } else {
        parts.into_iter().map(one).collect()
    };
    done.into_iter().flatten().try_for_each(take)
}

/// The sightings, each to be taken once.
struct Sightings {
    /// By number; `None` where nothing is known of the source.
    sources: Vec<Option<Arc<Source>>>,
    held: HeldIn,
}

enum HeldIn {
    Memory(Vec<Option<Held>>),
    Packed(Pile<Held>),
}

impl Sightings {
    /// A sighting in its source, where that is known.
    fn take(&mut self, number: usize) -> io::Result<Option<Sighting>> {
        let held = match &mut self.held {
            HeldIn::Memory(all) => all.get_mut(number).and_then(Option::take),
            HeldIn::Packed(pile) => Some(pile.get(number)?),
        };
        let placed = |held: Held| {
            let mut sighting = held.sighting;
            sighting.place.source = self.sources.get(held.source as usize)?.clone()?;
            Some(sighting)
        };
        Ok(held.and_then(placed))
    }
}

/// Sightings that nothing joins to others.
#[derive(Debug)]
pub struct Part<'a> {
    /// The sightings, without those that were set aside.
    pub sightings: Vec<Sighting>,
    /// Those that were set aside.
    pub repeats: Repeats,
    /// What all sightings say together.
    pub common: &'a Common,
}
