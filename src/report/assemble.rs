//! The domain becomes the wire format: the one place that does it. Counts, names and caps; judges nothing.

mod finding;
pub mod shard;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::wire::{self, Counts};
use crate::atoms::{Digest, Masked, When};
use crate::collect::read::Row;
use crate::detect::{Revealed, Sighting};
use crate::flow::{Correlated, Trail};
use crate::judge::baseline::Baseline;
use crate::judge::{Finding, Grip, Held, Profile};

/// All that a run knows at its end.
#[derive(Debug)]
pub struct Results<'a> {
    /// Moment of the `now` verdicts.
    pub as_of: Timestamp,
    /// `--label`.
    pub label: Option<&'a str>,
    /// Options in effect.
    pub options: wire::Options,
    /// Sightings and trails.
    pub correlated: &'a Correlated,
    /// Findings to be shown, worst first.
    pub findings: &'a [Finding],
    /// What a thief of each browser profile can do.
    pub profiles: &'a [Profile],
    /// How many findings the filters left out.
    pub left_out: u64,
    /// How many findings meet the gate.
    pub gated: u64,
    /// What is accepted.
    pub baseline: &'a Baseline,
    /// What `--reveal` may show.
    pub revealed: &'a Revealed,
    /// Account of the sources, sorted.
    pub rows: &'a [Row],
    /// By source digest: seconds that its clock was ahead.
    pub clock_errors: &'a BTreeMap<Digest, f64>,
    /// Files that no reader claimed, by reason.
    pub not_claimed: &'a Counts,
}

/// The report.
pub fn report(results: &Results<'_>) -> wire::Report {
    let findings: Vec<wire::Finding> = results
        .findings
        .iter()
        .map(|finding| finding::finding(finding, results))
        .collect();
    wire::Report {
        schema: wire::SCHEMA.into(),
        tool: wire::Tool::this(),
        run: wire::Run {
            as_of: results.as_of.to_string(),
            label: results.label.map(Into::into),
            host: only_host(results.rows),
            options: results.options.clone(),
        },
        summary: summary(results),
        profiles: results.profiles.iter().map(profile).collect(),
        findings,
        trails: trails(results.correlated),
        sources: results
            .rows
            .iter()
            .map(|row| source(row, results))
            .collect(),
        not_claimed: results.not_claimed.clone(),
        problems: results.rows.iter().flat_map(problems).collect(),
    }
}

fn summary(results: &Results<'_>) -> wire::Summary {
    let findings = results.findings;
    wire::Summary {
        findings: findings.len() as u64,
        left_out: results.left_out,
        gated: results.gated,
        by_severity: count(findings.iter().map(|f| f.severity.as_str())),
        by_kind: count(findings.iter().map(|f| f.kind.as_str())),
        by_flow: count(findings.iter().map(|f| f.flow.as_str())),
        by_state_at_exposure: count(findings.iter().map(|f| f.at_exposure.state.as_str())),
        by_state_now: count(findings.iter().map(|f| f.now.state.as_str())),
        by_status: count(
            findings
                .iter()
                .map(|f| results.baseline.status(f.leak, results.as_of).as_str()),
        ),
        trails: results.correlated.trails.len() as u64,
        sources: count(results.rows.iter().map(|row| row.status.as_str())),
        // What lies in an archive is counted with it.
        bytes: results
            .rows
            .iter()
            .filter(|row| row.source.members.is_empty())
            .filter_map(|row| row.bytes)
            .sum(),
        not_claimed: results.not_claimed.values().sum(),
    }
}

fn trails(correlated: &Correlated) -> Vec<wire::Trail> {
    let sightings = correlated.sightings.iter();
    let by_id: HashMap<Digest, &Sighting> = sightings.map(|it| (it.id, it)).collect();
    let trails = correlated.trails.iter();
    trails.map(|it| trail(it, &by_id)).collect()
}

fn seen(sighting: &Sighting) -> wire::Seen {
    let source = &sighting.place.source;
    wire::Seen {
        path: (&*source.path).into(),
        members: texts(&source.members),
        reader: source.reader.to_string(),
        locator: finding::locator(&sighting.place.locator),
        channel: sighting.channel.as_str().into(),
        url: text(sighting.url.as_ref().map(Masked::as_str)),
    }
}

fn trail(trail: &Trail, sightings: &HashMap<Digest, &Sighting>) -> wire::Trail {
    let ids = |ids: &[Digest]| ids.iter().map(ToString::to_string).collect();
    wire::Trail {
        id: trail.id.to_string(),
        grant: trail.grant.as_str().into(),
        modifiers: trail.modifiers.iter().map(|m| m.as_str().into()).collect(),
        client_id: text(trail.client_id.as_deref()),
        issuer: text(trail.issuer.as_deref()),
        redirect_uri: text(trail.redirect_uri.as_ref().map(Masked::as_str)),
        pkce: trail.pkce.as_str().into(),
        steps: trail
            .steps
            .iter()
            .map(|step| wire::Step {
                sighting: step.sighting.map(|id| id.to_string()),
                role: step.role.as_str().into(),
                at: moment(step.at),
                inferred: step.sighting.is_none(),
                seen: step
                    .sighting
                    .and_then(|id| sightings.get(&id))
                    .map(|sighting| seen(sighting)),
            })
            .collect(),
        clues: trail
            .clues
            .iter()
            .map(|clue| wire::Clue {
                text: (&*clue.text).into(),
                sightings: ids(&clue.sightings),
            })
            .collect(),
        weaknesses: trail
            .weaknesses
            .iter()
            .map(|weakness| wire::Weakness {
                kind: weakness.kind.as_str().into(),
                sightings: ids(&weakness.sightings),
            })
            .collect(),
    }
}

fn profile(profile: &Profile) -> wire::Profile {
    let acts = profile.thief_can.iter();
    wire::Profile {
        host: text(profile.host.as_deref()),
        user: text(profile.user.as_deref()),
        browser: text(profile.browser.as_deref()),
        profile: text(profile.profile.as_deref()),
        thief_can: wire::ThiefCan {
            worst: profile
                .thief_can
                .first()
                .map(|act| act.state.as_str().into()),
            acts: acts.map(act).collect(),
        },
    }
}

fn act(grip: &Grip) -> wire::Act {
    wire::Act {
        act: grip.act.as_str().into(),
        issuer: text(grip.issuer.as_deref()),
        application: text(grip.application.as_deref()),
        state: grip.state.as_str().into(),
        until: grip.until.map(|until| until.to_string()),
        findings: grip.findings.iter().map(ToString::to_string).collect(),
        held_in: grip.held_in.iter().map(held).collect(),
    }
}

fn held(held: &Held) -> wire::HeldIn {
    wire::HeldIn {
        store: (*held.store).into(),
        cleared_by: text(held.cleared_by.as_deref()),
        leaves: text(held.leaves.as_deref()),
        measured: held.measured,
    }
}

fn source(row: &Row, results: &Results<'_>) -> wire::Source {
    let clock_error = results.clock_errors.get(&row.source.digest());
    wire::Source {
        path: (&*row.source.path).into(),
        members: texts(&row.source.members),
        reader: (!row.source.reader.is_empty()).then(|| row.source.reader.to_string()),
        bytes: row.bytes,
        status: row.status.as_str().into(),
        reason: row.reasons.first().cloned(),
        // Whole seconds: no clock in the evidence supports more, and they survive being saved.
        clock_error_seconds: clock_error.map(|seconds| seconds.round()),
        sha256: row.sha256.clone(),
    }
}

fn problems(row: &Row) -> impl Iterator<Item = wire::Problem> {
    row.reasons.iter().map(|reason| wire::Problem {
        path: (&*row.source.path).into(),
        members: texts(&row.source.members),
        reason: reason.clone(),
    })
}

/// The machine that all attributed evidence comes from.
fn only_host(rows: &[Row]) -> Option<String> {
    let mut hosts = rows.iter().filter_map(|row| row.source.host.as_deref());
    let first = hosts.next()?;
    hosts.all(|host| host == first).then(|| first.into())
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::new();
    for name in names {
        *counts.entry(name.into()).or_default() += 1;
    }
    counts
}

fn moment(at: Option<When>) -> Option<String> {
    at.map(|at| at.instant.to_string())
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(Into::into)
}

fn texts(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(|text| (&**text).into()).collect()
}
