//! What the parts of the evidence come to, on its way to one report: sums that come out the same in whatever order and
//! however often a part is added. Many wait packed.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atoms::Digest;
use crate::pile::{Form, Pile};
use crate::report::assemble::{self, Tally};
use crate::report::json;
use crate::report::merge::{self, Order};
use crate::report::wire::part::{Line, Name, Profile, Told};
use crate::report::wire::{self, Finding, Trail};
use crate::told::Sorted;

/// Sightings that weigh as much as one finding or one trail: both hold the texts of several.
const WEIGHT: usize = 4;

/// What was added so far.
#[derive(Debug)]
pub struct Parts {
    findings: Pile<Finding>,
    orders: Vec<Order>,
    trails: Pile<Trail>,
    ids: Vec<Option<Digest>>,
    /// One of each, by the finding's id: its parts are merged.
    weaknesses: BTreeMap<String, Told>,
    profiles: BTreeMap<Name, Profile>,
    tally: Tally,
}

/// What all parts come to.
#[derive(Debug)]
pub struct Sum {
    /// Findings, worst first.
    pub findings: Sorted<Finding>,
    /// Trails, by id.
    pub trails: Sorted<Trail>,
    /// Profiles, sorted.
    pub profiles: Vec<wire::Profile>,
    /// Their numbers.
    pub tally: Tally,
}

impl Parts {
    /// Nothing yet. Where there is room for so many sightings, more findings or trails than weigh as much are packed.
    pub fn new(room: usize) -> Self {
        let room = room / WEIGHT;
        Self {
            findings: Pile::new(form(), room),
            orders: Vec::new(),
            trails: Pile::new(form(), room),
            ids: Vec::new(),
            weaknesses: BTreeMap::new(),
            profiles: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// What one part comes to, by itself: packed right away where there are too many of them to be kept as they are.
    pub fn one(lines: Vec<Line>, is_packed: bool) -> io::Result<Self> {
        let mut one = Self::new(usize::MAX);
        if is_packed {
            one.findings = Pile::packed(form())?;
            one.trails = Pile::packed(form())?;
        }
        for line in lines {
            one.add(line)?;
        }
        Ok(one)
    }

    /// Adds what other parts come to.
    pub fn join(&mut self, other: Self) -> io::Result<()> {
        self.findings.join(other.findings)?;
        self.orders.extend(other.orders);
        self.trails.join(other.trails)?;
        self.ids.extend(other.ids);
        for told in other.weaknesses.into_values() {
            self.weakness(told);
        }
        for profile in other.profiles.into_values() {
            self.profile(profile);
        }
        self.tally.join(other.tally);
        Ok(())
    }

    /// Adds a line of a part.
    pub fn add(&mut self, line: Line) -> io::Result<()> {
        match line {
            Line::Finding(told) if told.finding.weakness.is_some() => self.weakness(*told),
            Line::Finding(told) => return self.finding(*told),
            Line::Trail { trail } => {
                self.tally.trails += 1;
                self.ids.push(Digest::parse(&trail.id));
                return self.trails.push(*trail);
            }
            Line::Profile(more) => self.profile(more),
            Line::Part(account) => {
                self.tally.left_out = self.tally.left_out.saturating_add(account.left_out);
            }
        }
        Ok(())
    }

    /// All together, but for the weaknesses that `asked` leaves out.
    pub fn sum(mut self, asked: &dyn Fn(&Finding) -> bool) -> io::Result<Sum> {
        for told in std::mem::take(&mut self.weaknesses).into_values() {
            if asked(&told.finding) {
                self.finding(told)?;
            } else {
                self.tally.left_out = self.tally.left_out.saturating_add(1);
            }
        }
        let profiles = self.profiles.into_values();
        Ok(Sum {
            findings: Sorted::by(self.findings, &self.orders),
            trails: Sorted::by(self.trails, &self.ids),
            profiles: profiles.map(assemble::whole_profile).collect(),
            tally: self.tally,
        })
    }

    fn weakness(&mut self, told: Told) {
        match self.weaknesses.get_mut(&told.finding.id) {
            Some(known) => merge::weakness(known, told),
            None => {
                self.weaknesses.insert(told.finding.id.clone(), told);
            }
        }
    }

    fn profile(&mut self, more: Profile) {
        match self.profiles.get_mut(&more.name) {
            Some(known) => known.acts = merge::acts(std::mem::take(&mut known.acts), more.acts),
            None => {
                self.profiles.insert(more.name.clone(), more);
            }
        }
    }

    fn finding(&mut self, mut told: Told) -> io::Result<()> {
        merge::settle(&mut told.finding);
        self.tally.add(&told);
        self.orders.push(merge::order(&told.finding));
        self.findings.push(told.finding)
    }
}

/// Lines that were added, so that a part that comes twice is added once.
#[derive(Debug, Default)]
pub struct Seen(HashSet<u64>);

impl Seen {
    /// Whether the line is there for the first time.
    pub fn is_new(&mut self, line: &[u8]) -> bool {
        let mut hash = DefaultHasher::new();
        line.trim_ascii().hash(&mut hash);
        self.0.insert(hash.finish())
    }
}

/// Packed as the report shows it, which is then written as it is.
fn form<T: Serialize + DeserializeOwned>() -> Form<T> {
    Form {
        pack: |item, out| {
            // Nothing in them cannot be written: no map has keys but texts.
            let _written = json::put_text(item, out);
        },
        unpack: |bytes| serde_json::from_slice(bytes).ok(),
    }
}
