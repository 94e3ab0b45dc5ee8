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
use crate::judge::baseline::{Baseline, Status};
use crate::judge::{Finding, Grip, Held, Profile};

/// All that is known of a part of the evidence.
#[derive(Debug)]
pub struct Results<'a> {
    /// Moment of the `now` verdicts.
    pub as_of: Timestamp,
    /// Sightings and trails.
    pub correlated: &'a Correlated,
    /// What is accepted.
    pub baseline: &'a Baseline,
    /// What `--reveal` may show.
    pub revealed: &'a Revealed,
    /// Account of the sources, sorted.
    pub rows: &'a [Row],
}

/// All that a run knows at its end.
#[derive(Debug)]
pub struct Whole<'a> {
    /// Moment of the `now` verdicts.
    pub as_of: Timestamp,
    /// `--label`.
    pub label: Option<&'a str>,
    /// Options in effect.
    pub options: wire::Options,
    /// The numbers of findings and trails.
    pub tally: Tally,
    /// What a thief of each browser profile can do.
    pub profiles: Vec<wire::Profile>,
    /// Account of the sources, sorted.
    pub rows: &'a [Row],
    /// By source digest: seconds that its clock was ahead.
    pub clock_errors: &'a BTreeMap<Digest, f64>,
    /// Files that no reader claimed, by reason.
    pub not_claimed: &'a Counts,
}

/// The numbers of findings and trails, counted as they come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    findings: u64,
    /// How many findings meet the gate.
    pub gated: u64,
    /// How many findings the filters left out.
    pub left_out: u64,
    /// How many trails there are.
    pub trails: u64,
    by_severity: Counts,
    by_kind: Counts,
    by_flow: Counts,
    by_state_at_exposure: Counts,
    by_state_now: Counts,
    by_status: Counts,
}

impl Tally {
    /// Counts a finding. What the baseline accepts meets no gate.
    pub fn add(&mut self, told: &wire::part::Told) {
        let finding = &told.finding;
        self.findings += 1;
        self.gated += u64::from(told.meets && finding.status == Status::New.as_str());
        one_more(&mut self.by_severity, &finding.severity);
        one_more(&mut self.by_kind, &finding.kind);
        one_more(&mut self.by_flow, &finding.flow);
        one_more(&mut self.by_state_at_exposure, &finding.at_exposure.state);
        one_more(&mut self.by_state_now, &finding.now.state);
        one_more(&mut self.by_status, &finding.status);
    }

    /// Adds the numbers of others.
    pub fn join(&mut self, other: Self) {
        self.findings += other.findings;
        self.gated += other.gated;
        self.left_out = self.left_out.saturating_add(other.left_out);
        self.trails += other.trails;
        for (own, more) in [
            (&mut self.by_severity, other.by_severity),
            (&mut self.by_kind, other.by_kind),
            (&mut self.by_flow, other.by_flow),
            (&mut self.by_state_at_exposure, other.by_state_at_exposure),
            (&mut self.by_state_now, other.by_state_now),
            (&mut self.by_status, other.by_status),
        ] {
            for (name, count) in more {
                *own.entry(name).or_default() += count;
            }
        }
    }
}

/// The report, but for its findings and trails.
pub fn report(whole: Whole<'_>) -> wire::Report {
    wire::Report {
        schema: wire::SCHEMA.into(),
        tool: wire::Tool::this(),
        run: wire::Run {
            as_of: whole.as_of.to_string(),
            label: whole.label.map(Into::into),
            host: only_host(whole.rows),
            options: whole.options.clone(),
        },
        summary: summary(&whole),
        sources: whole.rows.iter().map(|row| source(row, &whole)).collect(),
        not_claimed: whole.not_claimed.clone(),
        problems: whole.rows.iter().flat_map(problems).collect(),
        profiles: whole.profiles,
        findings: Vec::new(),
        trails: Vec::new(),
    }
}

/// A finding of a part, with its sightings.
pub fn finding(finding: &Finding, results: &Results<'_>) -> wire::Finding {
    finding::finding(finding, results)
}

fn summary(whole: &Whole<'_>) -> wire::Summary {
    let Tally {
        findings,
        gated,
        left_out,
        trails,
        by_severity,
        by_kind,
        by_flow,
        by_state_at_exposure,
        by_state_now,
        by_status,
    } = whole.tally.clone();
    let mut sources = Counts::new();
    for row in whole.rows {
        one_more(&mut sources, row.status.as_str());
    }
    let rows = whole.rows.iter();
    wire::Summary {
        findings,
        left_out,
        gated,
        by_severity,
        by_kind,
        by_flow,
        by_state_at_exposure,
        by_state_now,
        by_status,
        trails,
        sources,
        // What lies in an archive is counted with it.
        bytes: rows
            .filter(|row| row.source.members.is_empty())
            .filter_map(|row| row.bytes)
            .fold(0, u64::saturating_add),
        not_claimed: (whole.not_claimed.values()).fold(0, |sum, it| sum.saturating_add(*it)),
    }
}

/// The trails of a part.
pub fn trails(correlated: &Correlated) -> impl Iterator<Item = wire::Trail> + '_ {
    let sightings = correlated.sightings.iter();
    let by_id: HashMap<Digest, &Sighting> = sightings.map(|it| (it.id, it)).collect();
    let trails = correlated.trails.iter();
    trails.map(move |it| trail(it, &by_id))
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

/// A profile of a part.
pub fn profile(profile: &Profile) -> wire::part::Profile {
    let nameless = profile.nameless.as_ref();
    wire::part::Profile {
        name: wire::part::Name {
            host: text(profile.host.as_deref()),
            user: text(profile.user.as_deref()),
            browser: text(profile.browser.as_deref()),
            profile: text(profile.profile.as_deref()),
            file: nameless.map(|source| ((&*source.path).into(), texts(&source.members))),
        },
        acts: profile.thief_can.iter().map(act).collect(),
    }
}

/// A profile, once all parts are together.
pub fn whole_profile(profile: wire::part::Profile) -> wire::Profile {
    let name = profile.name;
    wire::Profile {
        host: name.host,
        user: name.user,
        browser: name.browser,
        profile: name.profile,
        thief_can: wire::ThiefCan {
            worst: profile.acts.first().map(|act| act.state.clone()),
            acts: profile.acts,
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

fn source(row: &Row, whole: &Whole<'_>) -> wire::Source {
    let clock_error = whole.clock_errors.get(&row.source.digest());
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

fn one_more(counts: &mut Counts, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.into(), 1);
        }
    }
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
