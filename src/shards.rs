//! Reads shards back: the lines that `scan --sightings` wrote, from many files, in any order, some of them
//! twice. What is missing, damaged or contradicts itself costs a problem in the report; no line is ever
//! quoted. Knows the wire form; judges nothing.

mod input;
mod lines;
mod run;
mod sightings;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use lines::each;
use lines::{parse, text};
use run::Run;
use serde::Deserialize;
use sightings::Sighted;

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, Source};
use crate::collect::read::{self, Reasons, Row, Status};
use crate::detect::path;
use crate::gather::Gathered;
use crate::parts::{Parts, Seen};
use crate::reduce::{Beside, Merged};
use crate::report::restore::{self, NotUnderstood};
use crate::report::wire::part as wire_part;
use crate::report::wire::shard as wire;

/// Sightings, sources, problems or runs that are kept. More sightings than this do not fit the machine that
/// would put them together.
const MAX_ROWS: usize = 1 << 24;

/// Name of what read a shard, where a shard itself is a problem.
const READER: &str = "sightings";

/// Why shards cannot be put together at all.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Another version, or no shard.
    #[error("{0}: line {1} is not `{schema}`; write it with `tokentrail scan --sightings` of this version", schema = wire::SCHEMA)]
    Schema(String, u64),
    /// Join keys of one do not fit those of the other.
    #[error(
        "the sightings were made under different fingerprint keys, or some under none; scan again with one --fingerprint-key everywhere"
    )]
    Keys,
    /// What was to be kept.
    #[error("{0}")]
    Kept(io::Error),
    /// A file, where a part of what it says would be no answer.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// Whoever is told of the sightings.
    #[error("{0}")]
    Told(io::Error),
    /// None could be opened.
    #[error("{0}: {1}")]
    Unopened(Box<str>, String),
    /// Nothing in it.
    #[error("{0}: no sightings there; write them with `tokentrail scan --sightings`")]
    Nothing(String),
}

/// Reads all inputs; `-` is standard input. More sightings than `room` are packed. A credential in the name of an
/// input is masked by the rules, as in the name of a piece of evidence.
pub fn read(inputs: &[PathBuf], room: usize, rules: &Rules) -> Result<Merged, ShardError> {
    let mut reading = Reading::new(room);
    let (mut rows, mut unopened) = (Vec::new(), None);
    for input in inputs {
        let name: Box<str> = path::displayed(input, rules).into();
        reading.inputs.push((name.clone(), Reasons::default()));
        let opened: io::Result<Box<dyn Read>> = if input == Path::new("-") {
            Ok(Box::new(io::stdin()))
        } else {
            File::open(input).map(|file| Box::new(file) as _)
        };
        match opened {
            Ok(input) => reading.input(&name, BufReader::new(input))?,
            Err(error) => {
                let why = error.to_string();
                rows.push(read::unopened(&name, false, &error.into()));
                unopened.get_or_insert((name, why));
            }
        }
    }
    if let (true, Some((name, why))) = (reading.runs.is_empty(), unopened) {
        return Err(ShardError::Unopened(name, why));
    }
    if reading.runs.is_empty() {
        let names: Vec<_> = reading.inputs.iter().map(|(name, _)| &**name).collect();
        return Err(ShardError::Nothing(names.join(", ")));
    }
    let mut merged = reading.merged()?;
    merged.beside.rows.append(&mut rows);
    Ok(merged)
}

/// What was read so far.
struct Reading {
    /// Names of the inputs, and what is wrong with each.
    inputs: Vec<(Box<str>, Reasons)>,
    runs: BTreeMap<Digest, Run>,
    sources: BTreeMap<Digest, Told>,
    problems: BTreeMap<Digest, BTreeSet<(u64, String)>>,
    /// Sightings with the ids of their sources; the source that each holds is filled in at the end.
    gathered: Gathered,
    /// By id: number of the sighting.
    known: HashMap<Digest, u32>,
    /// By sighting: the run that had it first, and what tells its state from another.
    first: Vec<(u32, u64)>,
    /// Runs of sightings, by their numbers here.
    numbers: Vec<Digest>,
    /// Sightings that further runs have too.
    also: HashSet<(u32, u32)>,
    /// What parts came to.
    parts: Parts,
    seen: Seen,
    /// Sources of which two different things were told.
    in_two_states: BTreeSet<Digest>,
    nowhere: Arc<Source>,
}

/// What was told of a source.
struct Told {
    text: String,
    row: Row,
    clock_error: Option<f64>,
}

/// Why a line is not used.
enum Refused {
    TooLong,
    Damaged,
    Unknown,
    TooMany,
    Schema,
    Kept(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Kept(error)
    }
}

impl From<NotUnderstood> for Refused {
    fn from(_: NotUnderstood) -> Self {
        Self::Damaged
    }
}

impl Reading {
    fn new(room: usize) -> Self {
        Self {
            inputs: Vec::new(),
            runs: BTreeMap::new(),
            sources: BTreeMap::new(),
            problems: BTreeMap::new(),
            gathered: Gathered::new(room),
            known: HashMap::new(),
            first: Vec::new(),
            numbers: Vec::new(),
            also: HashSet::new(),
            parts: Parts::new(room),
            seen: Seen::default(),
            in_two_states: BTreeSet::new(),
            nowhere: Arc::default(),
        }
    }

    /// A problem of the input that is read.
    fn problem(&mut self, reason: &str) {
        if let Some((_, reasons)) = self.inputs.last_mut() {
            reasons.add(&reason);
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        let head: wire::Head = parse(line)?;
        if matches!(&*head.r#type, "finding" | "trail" | "profile" | "part") {
            return self.part(line);
        }
        let head_run = head.run.ok_or(Refused::Damaged)?;
        if head.r#type == "run" {
            #[derive(Deserialize)]
            struct Version {
                schema: String,
            }
            let version: Version = parse(line)?;
            if version.schema != wire::SCHEMA {
                return Err(Refused::Schema);
            }
        }
        let id = Digest::parse(&head_run).ok_or(Refused::Damaged)?;
        match head.r#type.as_str() {
            "run" => {
                let header: wire::Run = parse(line)?;
                let text = text(&header);
                self.run(id)?.headers.insert(text, header);
            }
            "source" => self.source(id, parse(line)?)?,
            "problem" => self.reason(id, parse(line)?)?,
            "not_claimed" => {
                let told: wire::NotClaimed = parse(line)?;
                let known = &mut self.run(id)?.not_claimed;
                for (reason, count) in told.files {
                    let known = known.entry(reason).or_default();
                    *known = count.max(*known);
                }
            }
            "sighting" => self.sighting(Sighted::by(line, &self.nowhere)?)?,
            "trailer" => {
                let trailer: wire::Trailer = parse(line)?;
                self.run(id)?.trailers.insert(trailer.totals);
            }
            _ => return Err(Refused::Unknown),
        }
        Ok(())
    }

    fn run(&mut self, id: Digest) -> Result<&mut Run, Refused> {
        if self.runs.len() >= MAX_ROWS && !self.runs.contains_key(&id) {
            return Err(Refused::TooMany);
        }
        let input = self.inputs.len().saturating_sub(1);
        Ok(self.runs.entry(id).or_insert_with(|| Run {
            input,
            ..Run::default()
        }))
    }

    fn source(&mut self, run: Digest, mut told: wire::Source) -> Result<(), Refused> {
        // What two runs tell of one source is compared without their names.
        told.run.clear();
        let new = Told {
            text: text(&told),
            clock_error: told.clock_error_seconds,
            row: restore::row(told)?,
        };
        let id = new.row.source.digest();
        let is_full = self.sources.len() >= MAX_ROWS;
        match self.sources.get_mut(&id) {
            Some(known) if known.text == new.text => {}
            Some(known) => {
                self.in_two_states.insert(id);
                if (new.row.status, &new.text) < (known.row.status, &known.text) {
                    *known = new;
                }
            }
            None if is_full => return Err(Refused::TooMany),
            None => {
                self.sources.insert(id, new);
            }
        }
        self.run(run)?.sources.insert(id);
        Ok(())
    }

    fn reason(&mut self, run: Digest, told: wire::Problem) -> Result<(), Refused> {
        let source = Digest::parse(&told.source).ok_or(Refused::Damaged)?;
        if self.problems.len() >= MAX_ROWS {
            return Err(Refused::TooMany);
        }
        let run = self.run(run)?;
        run.problems.insert((source, told.number));
        let known = self.problems.entry(source).or_default();
        known.insert((told.number, told.reason));
        Ok(())
    }

    /// What a part of the evidence came to.
    fn part(&mut self, line: &[u8]) -> Result<(), Refused> {
        let told: wire_part::Line = parse(line)?;
        if !self.seen.is_new(line) {
            return Ok(());
        }
        if let wire_part::Line::Part(account) = &told {
            for (run, count) in &account.sightings {
                let run = Digest::parse(run).ok_or(Refused::Damaged)?;
                let known = &mut self.run(run)?.sightings;
                *known = known.saturating_add(*count);
            }
        }
        Ok(self.parts.add(told)?)
    }

    /// Everything together.
    fn merged(mut self) -> Result<Merged, ShardError> {
        let mut beside = Beside::default();
        self.rows(&mut beside);
        for (source, (run, _)) in self.gathered.sources().zip(&self.first) {
            if !self.sources.contains_key(&source)
                && let Some(run) = self.numbers.get(*run as usize)
                && let Some(run) = self.runs.get_mut(run)
            {
                run.orphans += 1;
            }
        }
        for (id, run) in &self.runs {
            for problem in run.problems(*id) {
                if let Some((_, reasons)) = self.inputs.get_mut(run.input) {
                    reasons.add(&problem);
                }
            }
            for (reason, count) in &run.not_claimed {
                let sum = beside.not_claimed.entry(reason.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
            beside.counted.insert(id.to_string(), run.sightings);
        }
        run::headers(&self.runs, &mut beside)?;
        for (path, reasons) in self.inputs {
            if !reasons.is_empty() {
                beside.rows.push(shard_row(path, reasons));
            }
        }
        Ok(Merged {
            gathered: self.gathered,
            parts: self.parts,
            beside,
        })
    }

    /// The account of the sources.
    fn rows(&mut self, beside: &mut Beside) {
        const TWO_STATES: &str = "the sightings tell two different things of this source; it was read at different times, or two files have one path";
        for (id, told) in &self.sources {
            let mut row = told.row.clone();
            let reasons = self.problems.remove(id).unwrap_or_default();
            row.reasons = reasons.into_iter().map(|(_, reason)| reason).collect();
            if self.in_two_states.contains(id) {
                row.status = row.status.max(Status::Partial);
                row.reasons.push(TWO_STATES.into());
            }
            beside.rows.push(row);
            beside
                .clock_errors
                .extend(told.clock_error.map(|error| (*id, error)));
        }
    }
}

/// An input that is a problem itself stands among the sources.
fn shard_row(path: Box<str>, reasons: Reasons) -> Row {
    Row {
        source: Arc::new(Source {
            path,
            reader: READER.into(),
            ..Source::default()
        }),
        bytes: None,
        status: Status::Partial,
        reasons: reasons.into_lines(),
        sha256: None,
    }
}
