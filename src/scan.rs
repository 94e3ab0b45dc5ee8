//! The pipeline, once through: the map half per source in parallel, the reduce half over all sightings, in
//! one process or in two. Beside `main.rs` the only file that sees every stage.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, FingerprintKey};
use crate::collect::Context;
use crate::collect::archive::{self, Opened};
use crate::collect::find::{File, Found, Inputs, find};
use crate::collect::read::{self, Outcome, Row, Status};
use crate::detect::clock::clock_error;
use crate::detect::taken::{SIGHTINGS, Taken};
use crate::detect::{self, Detector, Memory, Reveal, Revealed, Sighting};
use crate::flow;
use crate::judge::baseline::Baseline;
use crate::judge::gate::Gate;
use crate::judge::{self, Finding, Judging, Severity, State};
use crate::ordered::ordered;
use crate::report::shard::Shard;
use crate::report::wire::{self, Counts};
use crate::report::{Report, assemble};

/// Sightings that wait for those of an earlier source, when they are written as they come: some hundred
/// megabytes.
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

/// What the reduce half is asked for, checked.
#[derive(Debug)]
pub struct Reducing {
    /// Rules in effect.
    pub rules: Arc<Rules>,
    /// Moment of the `now` verdicts.
    pub as_of: Timestamp,
    /// Lifetime of codes whose provider is unknown.
    pub code_lifetime: Option<SignedDuration>,
    /// Least severity to be reported.
    pub min_severity: Severity,
    /// Only what was seen from this moment on.
    pub since: Option<Timestamp>,
    /// Only what was seen before this moment.
    pub until: Option<Timestamp>,
    /// Only what is worth one of these at `as_of`; empty for everything.
    pub verdicts: Vec<State>,
    /// What makes the run fail.
    pub gate: Gate,
    /// What is accepted, and does not.
    pub baseline: Baseline,
    /// Whether unsupported sources count as unread.
    pub strict: bool,
    /// Name of the run; that of the map half when not given.
    pub label: Option<String>,
    /// The options as the report states them, without those of the map half.
    pub options: wire::Options,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything that a reader claimed was read, and nothing meets the gate.
    Clean,
    /// Something meets the gate.
    Gated,
    /// Nothing meets it, but not everything was read.
    Unread,
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
) -> (Report, Verdict) {
    let mut merged = Merged {
        options: mapping.options.clone(),
        is_keyed: mapping.key.is_keyed(),
        label: mapping.label.clone(),
        ..Merged::default()
    };
    let ControlFlow::Continue(()) = map_all(found, usize::MAX, mapping, progress, &mut |mapped| {
        merged.add(mapped);
        ControlFlow::<Infallible>::Continue(())
    });
    reduce(merged.with(found), reducing)
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
    Mapped {
        outcome,
        clock_error,
        sightings,
        revealed: memory.revealed,
    }
}

/// What the map half yields for all sources.
#[derive(Debug, Default)]
pub struct Merged {
    /// All sightings.
    pub sightings: Vec<Sighting>,
    /// What `--reveal` may show.
    pub revealed: Revealed,
    /// Account of the sources.
    pub rows: Vec<Row>,
    /// Files that no reader claimed, by reason.
    pub not_claimed: Counts,
    /// By source digest: seconds that its clock was ahead.
    pub clock_errors: BTreeMap<Digest, f64>,
    /// Options in effect.
    pub options: wire::shard::Options,
    /// Whether there was a key of fingerprints.
    pub is_keyed: bool,
    /// Name of the run.
    pub label: Option<String>,
}

impl Merged {
    /// Adds what one source yielded.
    fn add(&mut self, mut source: Mapped) {
        match source.outcome {
            Outcome::Row(row) => {
                let error = source.clock_error.map(|error| (row.source.digest(), error));
                self.clock_errors.extend(error);
                self.rows.push(row);
            }
            Outcome::NotClaimed(reason, count) => {
                *self.not_claimed.entry(reason.into()).or_default() += count;
            }
        }
        self.sightings.append(&mut source.sightings);
        self.revealed.values.append(&mut source.revealed.values);
        let identities = &mut source.revealed.identities;
        self.revealed.identities.append(identities);
    }

    /// Adds what was found and not opened.
    fn with(mut self, found: &Found) -> Self {
        self.rows.extend(unopened(found));
        for (reason, count) in passed_over(found) {
            *self.not_claimed.entry(reason).or_default() += count;
        }
        self
    }
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

/// The reduce half: everything that the sources yielded, together.
pub fn reduce(mut merged: Merged, reducing: &Reducing) -> (Report, Verdict) {
    merged.rows.sort_by(|a, b| a.source.cmp(&b.source));
    let correlated = flow::trails(merged.sightings, &reducing.rules);
    let judging = Judging {
        as_of: reducing.as_of,
        code_lifetime: reducing.code_lifetime,
        rules: &reducing.rules,
        clock_errors: &merged.clock_errors,
    };
    let mut findings = judge::findings(&correlated, &judging);
    let all = findings.len();
    findings.retain(|finding| is_asked_for(finding, reducing));
    let gated = findings
        .iter()
        .filter(|finding| reducing.baseline.is_new(finding.leak, reducing.as_of))
        .filter(|finding| reducing.gate.meets(finding, &correlated))
        .count();
    let label = reducing.label.as_deref().or(merged.label.as_deref());
    let report = assemble::report(&assemble::Results {
        as_of: reducing.as_of,
        label,
        options: reducing
            .options
            .clone()
            .behind(&merged.options, merged.is_keyed),
        correlated: &correlated,
        findings: &findings,
        profiles: &judge::profiles(&correlated, &findings, &reducing.rules.stores),
        left_out: all.saturating_sub(findings.len()) as u64,
        gated: gated as u64,
        baseline: &reducing.baseline,
        revealed: &merged.revealed,
        rows: &merged.rows,
        clock_errors: &merged.clock_errors,
        not_claimed: &merged.not_claimed,
    });
    let unread = |row: &Row| match row.status {
        Status::Read => false,
        Status::Unsupported => reducing.strict,
        Status::Partial | Status::Failed => true,
    };
    let verdict = if gated > 0 {
        Verdict::Gated
    } else if merged.rows.iter().any(unread) {
        Verdict::Unread
    } else {
        Verdict::Clean
    };
    (report, verdict)
}

/// Whether the filters let a finding through. One without a time is never left out for its time.
fn is_asked_for(finding: &Finding, reducing: &Reducing) -> bool {
    finding.severity >= reducing.min_severity
        && (reducing.verdicts.is_empty() || reducing.verdicts.contains(&finding.now.state))
        && !matches!((finding.last_seen, reducing.since), (Some(last), Some(since)) if last < since)
        && !matches!((finding.first_seen, reducing.until), (Some(first), Some(until)) if first >= until)
}
