//! Findings put together from what the other rooms decide, and their order.

use std::collections::BTreeMap;

use super::exposed::{exposed_by, exposed_to};
use super::facts::Facts;
use super::leak::{leak, leak_of};
use super::remedy::{remediation, remediation_of};
use super::severity::severity;
use super::verdict::Case;
use super::{Basis, Finding, Judging, Severity, State, Verdict};
use crate::atoms::{Digest, Kind, Masked};
use crate::detect::Sighting;
use crate::flow::{Correlated, Trail, Weakness, WeaknessKind};

pub(super) fn findings(correlated: &Correlated, judging: &Judging<'_>) -> Vec<Finding> {
    let facts = Facts::of(correlated, judging);
    let mut findings: Vec<Finding> = correlated
        .exposures
        .iter()
        .map(|exposure| Case::of(&facts, exposure))
        .filter_map(|case| of_credential(&case))
        .collect();
    findings.extend(of_weaknesses(&facts));
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings
}

/// Worst first; equal ones by first moment and id.
fn order(finding: &Finding) -> impl Ord {
    (
        std::cmp::Reverse(finding.severity),
        finding.now.state.rank(),
        finding.at_exposure.state.rank(),
        finding.first_seen.is_none(),
        finding.first_seen,
        finding.id,
    )
}

fn of_credential(case: &Case<'_>) -> Option<Finding> {
    let judging = case.facts.judging;
    let texts = &judging.rules.explanations;
    // What the flow proved is found by the rule that was surest.
    let (_, _, shown) = case
        .credentials()
        .max_by_key(|(_, _, it)| (it.score, std::cmp::Reverse(it.rule.clone())))?;
    let times = || {
        case.sightings()
            .filter_map(|(_, it)| it.at.map(|at| at.instant))
    };
    let repeats = case.facts.correlated.repeats.of(case.exposure.credential);
    let repeated = repeats.filter_map(|(_, it)| it.last.map(|at| at.instant));
    let at_exposure = case.verdict(None);
    let now = case.verdict(Some(judging.as_of));
    let worst = [now.state, at_exposure.state]
        .into_iter()
        .min_by_key(|state| state.rank())?;
    Some(Finding {
        id: Digest::of([b"finding".as_slice(), case.exposure.credential.as_bytes()]),
        leak: leak(case),
        fingerprint: case.credentials().find_map(|(_, _, it)| it.fingerprint),
        credential: Some(case.exposure.credential),
        kind: case.kind,
        weakness: None,
        rule: (*shown.rule).into(),
        flow: case.exposure.flow,
        severity: severity(case, &at_exposure),
        severity_now: severity(case, &now),
        shown: shown.shown.clone(),
        first_seen: times().min(),
        last_seen: times().chain(repeated).max(),
        at_exposure,
        now,
        exposed_to: exposed_to(case, worst, texts),
        remediation: remediation(case, texts),
        seen: case
            .exposure
            .seen
            .iter()
            .map(|&(sighting, credential)| (sighting, Some(credential)))
            .collect(),
        trails: case.exposure.trails.clone(),
    })
}

/// One finding for each weakness of each client: many runs of one client are one leak.
fn of_weaknesses(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<Digest, Finding> = BTreeMap::new();
    for (index, trail) in facts.correlated.trails.iter().enumerate() {
        for weakness in &trail.weaknesses {
            let Some(finding) = of_weakness(facts, index, trail, weakness) else {
                continue;
            };
            match found.get_mut(&finding.id) {
                None => {
                    found.insert(finding.id, finding);
                }
                Some(known) => merge(known, &finding),
            }
        }
    }
    // Once for all that was merged: a client may have a run for each line of a log.
    for finding in found.values_mut() {
        finding.seen.sort_unstable();
        finding.seen.dedup();
        finding.trails.sort_unstable();
        finding.trails.dedup();
    }
    found.into_values().collect()
}

/// Sorted once all are there: a constant `state` in thousands of runs must not cost their square.
fn merge(known: &mut Finding, more: &Finding) {
    known.first_seen = [known.first_seen, more.first_seen]
        .into_iter()
        .flatten()
        .min();
    known.last_seen = known.last_seen.max(more.last_seen);
    known.severity = known.severity.max(more.severity);
    known.severity_now = known.severity;
    known.seen.extend(&more.seen);
    known.trails.extend(&more.trails);
}

fn of_weakness(
    facts: &Facts<'_>,
    index: usize,
    trail: &Trail,
    weakness: &Weakness,
) -> Option<Finding> {
    let texts = &facts.judging.rules.explanations;
    let mut seen: Vec<usize> = weakness
        .sightings
        .iter()
        .filter_map(|id| facts.index_of(*id))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    let sightings: Vec<&Sighting> = seen.iter().filter_map(|at| facts.sighting(*at)).collect();
    let first = *seen.first()?;
    let leak = leak_of(weakness, trail, &sightings);
    let times = || sightings.iter().filter_map(|it| it.at.map(|at| at.instant));
    let holder = facts.holders.get(facts.holders.holder(first));
    let verdict = Verdict {
        state: State::Inert,
        basis: Basis::Proven,
        expires_at: None,
        needs: Vec::new(),
        holder: holder.map_or_else(Box::default, |it| it.label.clone()),
        because: "a weakness of the flow holds no credential".into(),
        alone: State::Inert,
    };
    let severity = weight(weakness.kind);
    Some(Finding {
        id: Digest::of([b"weakness".as_slice(), leak.as_bytes()]),
        leak,
        fingerprint: None,
        credential: None,
        kind: Kind::FlowWeakness,
        weakness: Some(weakness.kind),
        rule: format!("flow/{}", weakness.kind.as_str()).into(),
        flow: trail.grant,
        severity,
        severity_now: severity,
        shown: Masked::vouch(weakness.kind.as_str()),
        first_seen: times().min(),
        last_seen: times().max(),
        at_exposure: verdict.clone(),
        now: verdict,
        exposed_to: exposed_by(weakness.kind, trail.grant, texts),
        remediation: remediation_of(weakness.kind, texts),
        seen: seen.into_iter().map(|at| (at, None)).collect(),
        trails: vec![index],
    })
}

/// What a weakness is worth: RFC 9700 forbids the high ones, and warns of the others.
fn weight(kind: WeaknessKind) -> Severity {
    match kind {
        WeaknessKind::Ropc
        | WeaknessKind::ImplicitRequested
        | WeaknessKind::HttpRedirect
        | WeaknessKind::PkceNotEnforced => Severity::High,
        WeaknessKind::NoPkce
        | WeaknessKind::PkcePlain
        | WeaknessKind::NoState
        | WeaknessKind::ConstantChallenge
        | WeaknessKind::ConstantState => Severity::Medium,
        WeaknessKind::CustomScheme => Severity::Low,
    }
}
