//! The pipeline, once through: the map half per source in parallel, and behind it the reduce half, in one process or
//! in two.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, FingerprintKey};
use crate::collect::Context;
use crate::collect::archive::{self, Opened};
use crate::collect::find::{File, Found, Inputs, find};
use crate::collect::read::{self, Outcome, Row};
use crate::detect::clock::clock_error;
use crate::detect::taken::{SIGHTINGS, Taken};
use crate::detect::{self, Detector, Memory, Reveal, Revealed, Sighting};
use crate::flow;
use crate::gather::ROOM;
use crate::ordered::ordered;
use crate::reduce::{Merged, Reducing, Verdict, reduce};
use crate::report::shard::Shard;
use crate::report::wire::{self, Counts};
use crate::told::Told;

/// Sightings that wait for those of an earlier source: some hundred megabytes.
const HOLD: usize = 100_000;

/// What the map half is asked for, checked.
#[derive(Debug)]
pub struct Mapping {
    /// Rules in effect.
    pub rules: Arc<Rules>,
    /// Key of fingerprints and join keys.
    pub key: FingerprintKey,
    /// Keys of `--jwks`.
    pub jwks: Option<jsonwebtoken::jwk::JwkSet>,
    /// What may be shown.
    pub reveal: Reveal,
    /// Zone of logs that state none.
    pub log_timezone: Option<jiff::tz::TimeZone>,
    /// Which reader gets what.
    pub reading: read::Options,
    /// Whether databases are searched for bytes that no row uses.
    pub residue: bool,
    /// Name of the run.
    pub label: Option<String>,
    /// The options as the shard states them.
    pub options: wire::shard::Options,
}

/// The evidence under the inputs. A name that holds a credential, or the text of one, is masked from here on.
pub fn evidence(inputs: &Inputs, rules: &Rules) -> Found {
    let mut found = find(inputs);
    let files = found.files.iter_mut().map(|file| &mut file.shown);
    let problems = found.problems.iter_mut().map(|(path, _)| path);
    for name in files.chain(problems) {
        if let Some(masked) = detect::path::shown(name, rules) {
            *name = masked.into();
        }
    }
    found
}

/// Reads what was found, correlates, judges. `progress` is told the bytes of each source that is done.
pub fn scan(
    found: &Found,
    mapping: &Mapping,
    reducing: &Reducing,
    progress: &(dyn Progress + Sync),
) -> io::Result<(Told, Verdict)> {
    let mut merged = Merged::new(ROOM);
    let end = map_all(found, HOLD, mapping, progress, &mut |mapped| {
        let added = add(&mut merged, mapped);
        added.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    });
    if let ControlFlow::Break(error) = end {
        return Err(error);
    }
    let beside = &mut merged.beside;
    beside.options = mapping.options.clone();
    beside.is_keyed = mapping.key.is_keyed();
    beside.label.clone_from(&mapping.label);
    // What was found and not opened.
    beside.rows.extend(unopened(found));
    for (reason, count) in passed_over(found) {
        *beside.not_claimed.entry(reason).or_default() += count;
    }
    reduce(merged, reducing)
}

/// The map half alone: reads what was found, and writes each source once it and those before it are done.
pub fn sightings(
    found: &Found,
    mapping: &Mapping,
    out: &mut (dyn io::Write + Send),
    progress: &(dyn Progress + Sync),
) -> io::Result<()> {
    let mut shard = Shard::begin(run(found, mapping)?, out)?;
    for row in unopened(found) {
        shard.source(&row, None, &[])?;
    }
    let mut not_claimed = passed_over(found);
    let end = map_all(found, HOLD, mapping, progress, &mut |mapped| {
        let written = match &mapped.outcome {
            Outcome::Row(row) => shard.source(row, mapped.clock_error, &mapped.sightings),
            Outcome::NotClaimed(reason, count) => {
                *not_claimed.entry((*reason).into()).or_default() += count;
                Ok(())
            }
        };
        written.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    });
    if let ControlFlow::Break(error) = end {
        return Err(error);
    }
    shard.end(not_claimed)
}

/// Is told how far a run is.
pub trait Progress {
    /// The size of everything to be read, in bytes.
    fn start(&self, bytes: u64);
    /// Bytes of a source that is done.
    fn advance(&self, bytes: u64);
}

/// What the map half yields for one source.
struct Mapped {
    outcome: Outcome,
    sightings: Vec<Sighting>,
    revealed: Revealed,
    clock_error: Option<f64>,
}

/// The map half over all sources, in parallel; results are taken in the order of the sources.
fn map_all<E: Send>(
    found: &Found,
    hold: usize,
    mapping: &Mapping,
    progress: &(dyn Progress + Sync),
    take: &mut (dyn FnMut(Mapped) -> ControlFlow<E> + Send),
) -> ControlFlow<E> {
    progress.start(found.files.iter().map(|file| file.len).sum());
    let naming = |name: &str| detect::path::shown(name, &mapping.rules);
    let work = |file: &File| {
        let map = |opened| map(opened, mapping);
        let mapped = archive::sources(file, &mapping.reading, &naming, &map, |it| &it.outcome);
        progress.advance(file.len);
        mapped
    };
    let weight = |all: &Vec<Mapped>| all.iter().map(|it| it.sightings.len()).sum();
    ordered(&found.files, hold, weight, work, &mut |all: Vec<Mapped>| {
        all.into_iter().try_for_each(&mut *take)
    })
}

/// The map half: one source, and nothing but it.
fn map(opened: Opened, mapping: &Mapping) -> Mapped {
    let context = Context {
        rules: &mapping.rules,
        log_timezone: mapping.log_timezone.as_ref(),
        residue: mapping.residue,
    };
    let detector = Detector {
        rules: &mapping.rules,
        key: &mapping.key,
        jwks: mapping.jwks.as_ref(),
        reveal: mapping.reveal,
    };
    let mut memory = Memory::default();
    let mut taken = Taken::default();
    let mut outcome = read::observations(opened, &context, &mapping.reading, &mut |observation| {
        taken.add(|| detect::sightings(&observation, &detector, &mut memory));
    });
    if let Outcome::Row(row) = &mut outcome {
        if memory.cut_short > 0 {
            row.cut_short(memory.cut_short);
        }
        if taken.left_out > 0 {
            row.full(SIGHTINGS, taken.left_out);
        }
    }
    let mut sightings = taken.sightings;
    let clock_error = clock_error(&sightings);
    // A place that is read twice yields its sightings twice.
    let mut seen = HashSet::new();
    sightings.retain(|sighting| seen.insert(sighting.id));
    flow::near::note(&mut sightings);
    Mapped {
        outcome,
        clock_error,
        sightings,
        revealed: memory.revealed,
    }
}

/// Adds what one source yielded.
fn add(merged: &mut Merged, source: Mapped) -> io::Result<()> {
    let beside = &mut merged.beside;
    let Mapped {
        outcome,
        sightings,
        mut revealed,
        clock_error,
    } = source;
    match outcome {
        Outcome::Row(row) => {
            let digest = row.source.digest();
            let error = clock_error.map(|error| (digest, error));
            beside.clock_errors.extend(error);
            beside.rows.push(row);
            for sighting in sightings {
                merged.gathered.add(digest, sighting)?;
            }
        }
        Outcome::NotClaimed(reason, count) => {
            *beside.not_claimed.entry(reason.into()).or_default() += count;
        }
    }
    beside.revealed.values.append(&mut revealed.values);
    let identities = &mut revealed.identities;
    beside.revealed.identities.append(identities);
    Ok(())
}

fn unopened(found: &Found) -> impl Iterator<Item = Row> + '_ {
    let problems = found.problems.iter();
    problems.map(|(path, error)| read::unopened(path, false, error))
}

fn passed_over(found: &Found) -> Counts {
    let reasons = found.passed_over.iter();
    reasons
        .map(|(reason, count)| ((*reason).into(), *count))
        .collect()
}

/// The first line of a shard. The run's name follows from its options and from what it reads, so that a
/// second attempt has the same name, and another share of the evidence another one.
fn run(found: &Found, mapping: &Mapping) -> io::Result<wire::shard::Run> {
    /// What is hashed to tell one key from another. Longer than the shortest value that is hashed.
    const KEY_CHECK: &[u8] = b"tokentrail names this fingerprint key";
    let key = mapping.key.digest("fingerprint-key", KEY_CHECK);
    let mut run = wire::shard::Run {
        run: String::new(),
        schema: wire::shard::SCHEMA.into(),
        tool: wire::Tool::this(),
        label: mapping.label.clone(),
        fingerprint_key: key
            .filter(|_| mapping.key.is_keyed())
            .map(|key| key.to_string()),
        options: mapping.options.clone(),
    };
    let files: Vec<_> = found.files.iter().map(|it| (&it.shown, it.len)).collect();
    let problems: Vec<_> = found.problems.iter().map(|(path, _)| path).collect();
    let named = serde_json::to_vec(&(&run, files, problems, &found.passed_over))?;
    run.run = Digest::of([b"shard".as_slice(), &named]).to_string();
    Ok(run)
}
