//! SARIF 2.1.0, in the part of it that code scanning accepts: each result has one physical location with a
//! relative path, and what is more than a consumer takes is left out, worst kept, with a notification.

mod place;
mod rule;

use std::collections::{BTreeMap, HashMap};
use std::io;

use serde_json::{Value, json};

use super::telling::{self, plural, words};
use super::terminal::escape;
use super::wire::{Finding, Problem, Report, Step, Trail};
use super::{json as writer, table};
use place::{Place, location};

/// Results in one run. GitHub refuses a file with more than 25,000 and keeps the 5,000 worst.
const RESULTS: usize = 5_000;

/// Steps of all flows of a result. GitHub shows 1,000 of its thread flow locations, and refuses a file with a result
/// that has more than 10,000.
const STEPS: usize = 1_000;

/// Steps of all flows of a run: a trail stands in each of its findings, so that there may be as many as the product of
/// both. GitHub takes 10 MB packed, and this many are below that.
const RUN_STEPS: usize = 100_000;

/// Problems that become notifications.
const PROBLEMS: usize = 1_000;

/// Characters of a message: evidence can make a title of any length.
const MESSAGE: usize = 1_000;

/// Where the schema is published (SARIF 2.1.0 §3.13.3).
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the report.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    writer::pretty(&log(report)?, out)
}

fn log(report: &Report) -> io::Result<Value> {
    let shown = report.findings.get(..RESULTS).unwrap_or(&report.findings);
    let rules = rule::rules(shown)?;
    let numbers: BTreeMap<String, usize> = rules
        .iter()
        .enumerate()
        .map(|(number, rule)| (rule.id.clone(), number))
        .collect();
    let trails: HashMap<&str, &Trail> = report.trails.iter().map(|it| (&*it.id, it)).collect();
    let (mut left, mut cut) = (RUN_STEPS, 0);
    let mut results = Vec::with_capacity(shown.len());
    for finding in shown {
        let mut result = result(finding, report, &numbers);
        let flows = flows(finding, &trails, left.min(STEPS));
        left = left.saturating_sub(flows.steps);
        cut += usize::from(flows.is_cut);
        if !flows.told.is_empty() {
            set(&mut result, "codeFlows", json!(flows.told));
        }
        results.push(result);
    }
    Ok(json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "shortDescription": {"text": "Finds credentials that OAuth and its relatives left behind"},
                "rules": rules.into_iter().map(|rule| rule.descriptor).collect::<Vec<_>>(),
            }},
            // Code scanning tells runs apart by it (SARIF 2.1.0 §3.17.3).
            "automationDetails": {"id": format!("tokentrail/{}", escape(report.run.label.as_deref().unwrap_or("")))},
            "columnKind": "utf16CodeUnits",
            "invocations": [invocation(report, cut)],
            "results": results,
        }],
    }))
}

/// A text as a SARIF message. Brackets and braces would be links and placeholders (SARIF 2.1.0 §3.11.5, §3.11.6).
fn message(text: &str) -> Value {
    let mut out = String::new();
    for (count, character) in escape(text).chars().enumerate() {
        if count == MESSAGE {
            out.push('…');
            break;
        }
        match character {
            '{' | '}' => out.extend([character, character]),
            '[' | ']' | '\\' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    json!({ "text": out })
}

fn result(finding: &Finding, report: &Report, numbers: &BTreeMap<String, usize>) -> Value {
    let told = telling::told(finding);
    let place = told.map(|it| Place {
        path: &it.source.path,
        members: &it.source.members,
        locator: &it.locator,
    });
    let id = rule::id(finding);
    let others = finding.sightings.iter().filter(|it| Some(*it) != told);
    let related: Vec<Value> = others
        .enumerate()
        .map(|(index, it)| {
            let place = Place {
                path: &it.source.path,
                members: &it.source.members,
                locator: &it.locator,
            };
            let text = format!("also seen in the {}", words(&it.role));
            let mut place = location(Some(&place), &text);
            set(&mut place, "id", json!(index + 1));
            place
        })
        .collect();
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": numbers.get(&id),
        "level": level(&finding.severity),
        "kind": "fail",
        "message": message(&said(finding)),
        "locations": [location(place.as_ref(), "")],
        // Code scanning follows an alert by the first alone.
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:1", finding.leak),
            "tokentrail/leak/v1": finding.leak,
        },
        "properties": properties(finding),
    });
    if let Some(fingerprint) = &finding.fingerprint {
        set(
            &mut result,
            "fingerprints",
            json!({"tokentrail/value/v1": fingerprint}),
        );
    }
    if !related.is_empty() {
        set(&mut result, "relatedLocations", json!(related));
    }
    baseline(finding, report, &mut result);
    result
}

/// What people read of a result.
fn said(finding: &Finding) -> String {
    let now = &finding.now.state;
    let then = &finding.at_exposure.state;
    let worth = match &finding.weakness {
        Some(_) => String::new(),
        None if now == then => format!(" It is {now}: {}.", finding.now.because),
        None => format!(
            " It was {then} when it was exposed and is {now} now: {}.",
            finding.now.because
        ),
    };
    let times = plural(finding.sightings_total, "time");
    format!(
        "{}, seen {times}.{worth} {}",
        telling::title(finding),
        finding.remediation.text
    )
}

fn properties(finding: &Finding) -> Value {
    let mut properties = json!({
        "id": finding.id,
        "kind": finding.kind,
        "flow": finding.flow,
        "severity": finding.severity,
        "severityNow": finding.severity_now,
        "status": finding.status,
        "atExposure": finding.at_exposure.state,
        "now": finding.now.state,
        "attack": finding.exposed_to.attack,
        "reference": finding.exposed_to.reference,
    });
    let optional = [
        ("application", &finding.application),
        ("issuer", &finding.issuer),
        ("firstSeenAt", &finding.first_seen_at),
        ("lastSeenAt", &finding.last_seen_at),
        ("expiresAt", &finding.now.expires_at),
        ("value", &finding.value),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            set(&mut properties, name, json!(text));
        }
    }
    if let Some(identities) = &finding.identities {
        set(&mut properties, "identities", json!(identities));
    }
    properties
}

/// The code flows of a result.
#[derive(Default)]
struct Flows {
    told: Vec<Value>,
    steps: usize,
    is_cut: bool,
}

/// The trails of a finding as code flows, with so many steps in all and no more.
fn flows(finding: &Finding, trails: &HashMap<&str, &Trail>, limit: usize) -> Flows {
    let mut flows = Flows::default();
    for trail in finding.trails.iter().filter_map(|id| trails.get(&**id)) {
        let seen = trail.steps.iter().filter(|it| it.seen.is_some()).count();
        let left = limit.saturating_sub(flows.steps);
        flows.is_cut |= seen > left;
        if let Some(told) = code_flow(trail, finding, left) {
            flows.told.push(told);
            flows.steps += seen.min(left);
        }
    }
    flows
}

/// The trail as a code flow: each step that was seen, in protocol order. Steps that were not seen have no place,
/// and a location without one makes code scanning refuse the file; they are told in the message.
fn code_flow(trail: &Trail, finding: &Finding, limit: usize) -> Option<Value> {
    let own = |step: &Step| {
        let mut sightings = finding.sightings.iter();
        sightings.any(|it| step.sighting.as_ref() == Some(&it.id))
    };
    let seen = trail
        .steps
        .iter()
        .filter_map(|step| Some((step, step.seen.as_ref()?)));
    let steps: Vec<Value> = seen
        .take(limit)
        .enumerate()
        .map(|(index, (step, seen))| {
            let place = Place {
                path: &seen.path,
                members: &seen.members,
                locator: &seen.locator,
            };
            let is_own = own(step);
            let leaks = if is_own { ": the value lies here" } else { "" };
            let mut shown = json!({
                "location": location(Some(&place), &format!("{}{leaks}", words(&step.role))),
                "executionOrder": index + 1,
                "importance": if is_own { "essential" } else { "important" },
            });
            if let Some(at) = &step.at {
                set(&mut shown, "executionTimeUtc", json!(at));
            }
            shown
        })
        .collect();
    if steps.is_empty() {
        return None;
    }
    let unseen: Vec<String> = trail
        .steps
        .iter()
        .filter(|step| step.inferred)
        .map(|step| words(&step.role))
        .collect();
    let unseen = match &*unseen {
        [] => String::new(),
        unseen => format!("; not seen: {}", unseen.join(", ")),
    };
    Some(json!({
        "message": message(&format!("{}{unseen}", trail.grant)),
        "threadFlows": [{"id": trail.id, "locations": steps}],
    }))
}

/// What a baseline says (SARIF 2.1.0 §3.27.23, §3.27.24).
fn baseline(finding: &Finding, report: &Report, result: &mut Value) {
    if !report.run.options.baseline {
        return;
    }
    let state = if finding.status == "new" {
        "new"
    } else {
        "unchanged"
    };
    set(result, "baselineState", json!(state));
    if finding.status != "new" {
        let reason = finding
            .baseline
            .as_ref()
            .and_then(|it| it.reason.as_deref());
        let reason = escape(reason.unwrap_or("known before"));
        let accepted = json!({"kind": "external", "status": "accepted", "justification": reason});
        set(result, "suppressions", json!([accepted]));
    }
}

fn invocation(report: &Report, cut: usize) -> Value {
    let problems = report.problems.iter().take(PROBLEMS).map(problem);
    let notice = |text: String| json!({"level": "warning", "message": message(&text)});
    let mut notices: Vec<Value> = problems.collect();
    let left = report.findings.len().saturating_sub(RESULTS);
    if left > 0 {
        notices.push(notice(format!(
            "{left} findings of lower severity were left out: a run holds {RESULTS} results"
        )));
    }
    if cut > 0 {
        notices.push(notice(format!(
            "steps of the flows of {} were left out: a result holds {STEPS}, a run {RUN_STEPS}",
            plural(cut as u64, "result")
        )));
    }
    let left = report.problems.len().saturating_sub(PROBLEMS);
    if left > 0 {
        notices.push(notice(format!("{left} more problems were left out")));
    }
    if report.sources.iter().any(|it| place::is_absolute(&it.path)) {
        notices.push(notice(
            "paths are absolute, and code scanning asks for relative ones: give --source-root"
                .into(),
        ));
    }
    json!({
        // Whether the run took place; what it did not read is told below.
        "executionSuccessful": true,
        "toolExecutionNotifications": notices,
        "properties": {"asOf": report.run.as_of},
    })
}

fn problem(problem: &Problem) -> Value {
    let path = telling::path(&problem.path, &problem.members);
    json!({
        "level": "warning",
        "message": message(&format!("{path}: {}", problem.reason)),
    })
}

fn level(severity: &str) -> &'static str {
    match severity {
        "critical" | "high" => "error",
        "medium" => "warning",
        _ => "note",
    }
}

/// Severities as code scanning counts them: above 9 is critical, from 7 high, from 4 medium.
fn score(severity: &str) -> &'static str {
    match severity {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.5",
        "low" => "2.5",
        _ => "0.5",
    }
}

fn rank(severity: &str) -> usize {
    let mut names = table::SEVERITIES.iter();
    names
        .position(|(name, _)| *name == severity)
        .unwrap_or(usize::MAX)
}

/// Adds a member to an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_link_no_placeholder_and_an_end() {
        let text = message("[x](https://a.example) {0} \\ \u{202e}");
        assert_eq!(
            text["text"],
            "\\[x\\](https://a.example) {{0}} \\\\ \\\\u{{202e}}"
        );
        let long = message(&"a".repeat(100_000));
        assert_eq!(long["text"].as_str().unwrap().chars().count(), MESSAGE + 1);
    }
}
