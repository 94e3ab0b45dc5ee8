//! The pipeline, once through: the map half per source in parallel, the reduce half over all sightings.
//! Beside `main.rs` the only file that sees every stage.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, FingerprintKey};
use crate::collect::Context;
use crate::collect::find::{File, Found, Inputs, find};
use crate::collect::read::{self, Outcome, Row, Status};
use crate::detect::clock::clock_error;
use crate::detect::{self, Detector, Memory, Reveal, Revealed, Sighting};
use crate::flow;
use crate::judge::gate::Gate;
use crate::judge::{self, Finding, Judging, Severity};
use crate::report::{Report, assemble, wire};

/// What a run is asked for, checked.
#[derive(Debug)]
pub struct Settings {
    /// Rules in effect.
    pub rules: Rules,
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
    /// What makes the run fail.
    pub gate: Gate,
    /// Whether unsupported sources count as unread.
    pub strict: bool,
    /// Name of the run.
    pub label: Option<String>,
    /// The options as the report states them.
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

/// Reads, finds, correlates, judges. `progress` is told the bytes of each source that is done. Nothing when
/// no path matched anything.
pub fn scan(
    inputs: &Inputs,
    settings: &Settings,
    progress: &(dyn Progress + Sync),
) -> Option<(Report, Verdict)> {
    let mut found = find(inputs);
    mask_names(&mut found, &settings.rules);
    if !found.matched {
        return None;
    }
    progress.start(found.files.iter().map(|file| file.len).sum());
    let mapped: Vec<Mapped> = found
        .files
        .par_iter()
        .map(|file| {
            let mapped = map(file, settings);
            progress.advance(file.len);
            mapped
        })
        .collect();
    Some(reduce(merge(found, mapped), settings))
}

/// Is told how far a run is.
pub trait Progress {
    /// The size of everything to be read, in bytes.
    fn start(&self, bytes: u64);
    /// Bytes of a source that is done.
    fn advance(&self, bytes: u64);
}

/// Names of files go into every part of the report.
fn mask_names(found: &mut Found, rules: &Rules) {
    let files = found.files.iter_mut().map(|file| &mut file.shown);
    let problems = found.problems.iter_mut().map(|(path, _)| path);
    for name in files.chain(problems) {
        if let Some(masked) = detect::path::shown(name, rules) {
            *name = masked.into();
        }
    }
}

/// What the map half yields for one source.
struct Mapped {
    outcome: Outcome,
    sightings: Vec<Sighting>,
    revealed: Revealed,
    clock_error: Option<f64>,
}

/// The map half: one source, and nothing but it.
fn map(file: &File, settings: &Settings) -> Mapped {
    let context = Context {
        rules: &settings.rules,
        log_timezone: settings.log_timezone.as_ref(),
    };
    let detector = Detector {
        rules: &settings.rules,
        key: &settings.key,
        jwks: settings.jwks.as_ref(),
        reveal: settings.reveal,
    };
    let mut memory = Memory::default();
    let mut sightings = Vec::new();
    let outcome = read::observations(file, &context, &settings.reading, &mut |observation| {
        sightings.extend(detect::sightings(&observation, &detector, &mut memory));
    });
    Mapped {
        outcome,
        clock_error: clock_error(&sightings),
        sightings,
        revealed: memory.revealed,
    }
}

/// What the map half yields for all sources.
struct Merged {
    sightings: Vec<Sighting>,
    revealed: Revealed,
    rows: Vec<Row>,
    not_claimed: BTreeMap<&'static str, u64>,
    clock_errors: BTreeMap<Digest, f64>,
}

fn merge(found: Found, mapped: Vec<Mapped>) -> Merged {
    let mut merged = Merged {
        sightings: Vec::new(),
        revealed: Revealed::default(),
        rows: Vec::new(),
        not_claimed: found.passed_over,
        clock_errors: BTreeMap::new(),
    };
    for (path, error) in &found.problems {
        merged.rows.push(read::unopened(path, false, error));
    }
    for mut source in mapped {
        match source.outcome {
            Outcome::Row(row) => {
                let error = source.clock_error.map(|error| (row.source.digest(), error));
                merged.clock_errors.extend(error);
                merged.rows.push(row);
            }
            Outcome::NotClaimed(reason) => *merged.not_claimed.entry(reason).or_default() += 1,
        }
        merged.sightings.append(&mut source.sightings);
        merged.revealed.values.append(&mut source.revealed.values);
        let identities = &mut source.revealed.identities;
        merged.revealed.identities.append(identities);
    }
    merged.rows.sort_by(|a, b| a.source.cmp(&b.source));
    merged
}

/// The reduce half: everything that the sources yielded, together.
fn reduce(merged: Merged, settings: &Settings) -> (Report, Verdict) {
    let correlated = flow::trails(merged.sightings, &settings.rules);
    let judging = Judging {
        as_of: settings.as_of,
        code_lifetime: settings.code_lifetime,
        rules: &settings.rules,
        clock_errors: &merged.clock_errors,
    };
    let mut findings = judge::findings(&correlated, &judging);
    let all = findings.len();
    findings.retain(|finding| is_asked_for(finding, settings));
    let gated = findings
        .iter()
        .filter(|finding| settings.gate.meets(finding, &correlated))
        .count();
    let report = assemble::report(&assemble::Results {
        as_of: settings.as_of,
        label: settings.label.as_deref(),
        options: settings.options.clone(),
        correlated: &correlated,
        findings: &findings,
        profiles: &judge::profiles(&correlated, &findings),
        left_out: all.saturating_sub(findings.len()) as u64,
        gated: gated as u64,
        revealed: &merged.revealed,
        rows: &merged.rows,
        clock_errors: &merged.clock_errors,
        not_claimed: &merged.not_claimed,
    });
    let unread = |row: &Row| match row.status {
        Status::Read => false,
        Status::Unsupported => settings.strict,
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
fn is_asked_for(finding: &Finding, settings: &Settings) -> bool {
    finding.severity >= settings.min_severity
        && !matches!((finding.last_seen, settings.since), (Some(last), Some(since)) if last < since)
        && !matches!((finding.first_seen, settings.until), (Some(first), Some(until)) if first >= until)
}
