//! The reduce half: everything that the sources yielded, put together, judged and told; in one go while it is little,
//! part by part once it is much, and on many machines each its parts.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::atoms::rules::Rules;
use crate::atoms::{Digest, Source};
use crate::collect::read::{Row, Status};
use crate::detect::Revealed;
use crate::flow;
use crate::gather::{Gathered, Part};
use crate::judge::baseline::Baseline;
use crate::judge::gate::Gate;
use crate::judge::{self, Finding, Judging, Severity, State};
use crate::parts::Parts;
use crate::report::assemble;
use crate::report::wire::part::{self, Account, Line};
use crate::report::wire::{self, Counts};
use crate::told::Told;

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

/// What the map half yields for all sources.
#[derive(Debug)]
pub struct Merged {
    /// All sightings.
    pub gathered: Gathered,
    /// What parts came to that were put together elsewhere.
    pub parts: Parts,
    /// What is known beside.
    pub beside: Beside,
}

impl Merged {
    /// Nothing yet. More sightings, findings or trails than `room` are packed, and wait in temporary files once they are
    /// many.
    pub fn new(room: usize) -> Self {
        Self {
            gathered: Gathered::new(room),
            parts: Parts::new(room),
            beside: Beside::default(),
        }
    }
}

/// What the map half yields beside sightings.
#[derive(Debug, Default)]
pub struct Beside {
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
    /// Sightings by run, where the runs have names.
    pub counted: BTreeMap<String, u64>,
}

/// Sightings of which the findings are kept as they are: some ten megabytes of them. Those of more are packed by the
/// thread that made them.
const AS_THEY_ARE: usize = 1 << 13;

/// Everything, to its report.
pub fn reduce(merged: Merged, reducing: &Reducing) -> io::Result<(Told, Verdict)> {
    let Merged {
        gathered,
        mut parts,
        mut beside,
    } = merged;
    let is_packed = gathered.len() > AS_THEY_ARE;
    let one = |lines: Vec<Line>| Parts::one(lines, is_packed);
    each_part(gathered, &mut beside, reducing, one, &mut |one| {
        parts.join(one?)
    })?;
    let sum = parts.sum(&|weakness| is_weakness_asked_for(weakness, reducing))?;
    let gated = sum.tally.gated;
    let options = reducing.options.clone();
    let report = assemble::report(assemble::Whole {
        as_of: reducing.as_of,
        label: reducing.label.as_deref().or(beside.label.as_deref()),
        options: options.behind(&beside.options, beside.is_keyed),
        tally: sum.tally,
        profiles: sum.profiles,
        rows: &beside.rows,
        clock_errors: &beside.clock_errors,
        not_claimed: &beside.not_claimed,
    });
    let unread = |row: &Row| match row.status {
        Status::Read => false,
        Status::Unsupported => reducing.strict,
        Status::Partial | Status::Failed => true,
    };
    let verdict = if gated > 0 {
        Verdict::Gated
    } else if beside.rows.iter().any(unread) {
        Verdict::Unread
    } else {
        Verdict::Clean
    };
    Ok((Told::new(report, sum.findings, sum.trails), verdict))
}

/// A part of the evidence, to the lines that [`reduce`] takes together with those of other parts.
pub fn part(
    merged: Merged,
    reducing: &Reducing,
    tell: &mut dyn FnMut(&Line) -> io::Result<()>,
) -> io::Result<()> {
    let Merged {
        gathered,
        mut beside,
        ..
    } = merged;
    let mut account = Account {
        part: gathered.name().to_string(),
        sightings: std::mem::take(&mut beside.counted),
        left_out: 0,
    };
    let lines = |lines: Vec<Line>| lines;
    each_part(gathered, &mut beside, reducing, lines, &mut |lines| {
        lines.iter().try_for_each(|line| match line {
            Line::Part(one) => {
                account.left_out = account.left_out.saturating_add(one.left_out);
                Ok(())
            }
            line => tell(line),
        })
    })?;
    tell(&Line::Part(account))
}

/// What the sightings come to, part by part: on all threads up to what `finish` makes of a part.
fn each_part<U: Send>(
    gathered: Gathered,
    beside: &mut Beside,
    reducing: &Reducing,
    finish: impl Fn(Vec<Line>) -> U + Sync,
    take: &mut dyn FnMut(U) -> io::Result<()>,
) -> io::Result<()> {
    beside.rows.sort_by(|a, b| a.source.cmp(&b.source));
    let rows = beside.rows.iter();
    let known: HashMap<Digest, Arc<Source>> = rows
        .map(|row| (row.source.digest(), row.source.clone()))
        .collect();
    let beside = &*beside;
    let work = |part: Part<'_>| finish(judged(part, beside, reducing));
    gathered.parts(&known, work, take)
}

/// Puts a part together, judges it, and says what it comes to.
fn judged(part: Part<'_>, beside: &Beside, reducing: &Reducing) -> Vec<Line> {
    let correlated = flow::trails_of(part.sightings, part.repeats, part.common, &reducing.rules);
    let judging = Judging {
        as_of: reducing.as_of,
        code_lifetime: reducing.code_lifetime,
        rules: &reducing.rules,
        clock_errors: &beside.clock_errors,
    };
    let mut findings = judge::findings(&correlated, &judging);
    let all = findings.len();
    findings.retain(|it| it.weakness.is_some() || is_asked_for(it, reducing));
    let results = assemble::Results {
        as_of: reducing.as_of,
        correlated: &correlated,
        baseline: &reducing.baseline,
        revealed: &beside.revealed,
        rows: &beside.rows,
    };
    let told = findings.iter().map(|finding| part::Told {
        finding: assemble::finding(finding, &results),
        meets: reducing.gate.meets(finding, &correlated),
    });
    let mut lines: Vec<Line> = told.map(|told| Line::Finding(Box::new(told))).collect();
    let profiles = judge::profiles(&correlated, &findings, &reducing.rules.stores);
    let profiles = profiles.iter().map(assemble::profile);
    lines.extend(profiles.map(Line::Profile));
    let trails = assemble::trails(&correlated).map(Box::new);
    lines.extend(trails.map(|trail| Line::Trail { trail }));
    lines.push(Line::Part(Account {
        left_out: all.saturating_sub(findings.len()) as u64,
        ..Account::default()
    }));
    lines
}

/// Whether the filters let a finding through. One without a time is never left out for its time.
fn is_asked_for(finding: &Finding, reducing: &Reducing) -> bool {
    passes(
        reducing,
        Some((finding.severity, finding.now.state)),
        finding.first_seen,
        finding.last_seen,
    )
}

/// The same for a weakness, which is whole only once all parts are together.
fn is_weakness_asked_for(finding: &wire::Finding, reducing: &Reducing) -> bool {
    let moment = |at: &Option<String>| at.as_deref().and_then(|at| at.parse().ok());
    passes(
        reducing,
        Severity::named(&finding.severity).zip(State::named(&finding.now.state)),
        moment(&finding.first_seen_at),
        moment(&finding.last_seen_at),
    )
}

fn passes(
    reducing: &Reducing,
    worth: Option<(Severity, State)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> bool {
    worth.is_some_and(|(severity, now)| {
        severity >= reducing.min_severity
            && (reducing.verdicts.is_empty() || reducing.verdicts.contains(&now))
    }) && !matches!((last, reducing.since), (Some(last), Some(since)) if last < since)
        && !matches!((first, reducing.until), (Some(first), Some(until)) if first >= until)
}
