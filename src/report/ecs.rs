//! The Elastic Common Schema: each finding as an alert, and what was not read as a pipeline error, one a line, for Elasticsearch and what reads like it. What the
//! schema has no field for stands under `tokentrail`. `url.original` is the masked URL; `url.full` is never written.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};

use super::terminal::escape;
use super::wire::{Finding, Locator, Problem, Report};
use super::{json as writer, telling};
use crate::collect::journal::is_journal;

/// The version whose fields are used; all are older.
const VERSION: &str = "8.17.0";

/// Writes the findings, line by line.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &report.findings {
        writer::line(&without_nulls(document(finding, report)), out)?;
    }
    for problem in &report.problems {
        writer::line(&without_nulls(unread(problem, report)), out)?;
    }
    Ok(())
}

fn document(finding: &Finding, report: &Report) -> Value {
    let told = telling::told(finding);
    let source = told.map(|it| &it.source);
    let path = source.map(|it| telling::path(&it.path, &it.members));
    let path = path.as_deref().map(escape);
    let url = told.and_then(|it| it.url.as_deref());
    let is_log = |reader: &str| matches!(reader, "log" | "text") || is_journal(reader);
    let is_log = source.is_some_and(|it| is_log(&it.reader));
    let sources = || finding.sightings.iter().map(|it| &it.source);
    let each = |names: &mut dyn Iterator<Item = Option<&str>>| -> BTreeSet<String> {
        names.flatten().map(|it| escape(it).into_owned()).collect()
    };
    let urls = finding.sightings.iter().map(|it| it.url.as_deref());
    let hosts = urls.map(|url| url.and_then(telling::host));
    let hosts = each(&mut hosts.chain(sources().map(|it| it.host.as_deref())));
    let users = each(&mut sources().map(|it| it.user.as_deref()));
    json!({
        // A finding without a time in the evidence is dated by its run.
        "@timestamp": finding.first_seen_at.as_ref().unwrap_or(&report.run.as_of),
        "message": escape(&telling::title(finding)),
        "tags": report.run.label.as_ref().map(|it| [escape(it)]),
        "ecs": {"version": VERSION},
        "event": {
            "kind": "alert",
            "category": ["web", "iam"],
            "type": ["info"],
            "module": report.tool.name,
            "dataset": "tokentrail.finding",
            "provider": report.tool.name,
            "id": finding.id,
            "created": report.run.as_of,
            "start": finding.first_seen_at,
            "end": finding.last_seen_at,
            "severity": score(&finding.severity),
            "risk_score": score(&finding.severity_now),
            "reason": escape(&telling::verdict(&finding.now)),
            "reference": finding.exposed_to.reference,
        },
        "rule": {
            "id": finding.rule,
            "name": finding.rule,
            "category": finding.kind,
            "ruleset": report.tool.name,
            "version": report.tool.version,
            "reference": finding.remediation.references.first(),
            "description": finding.remediation.text,
        },
        "url": {"original": url.map(escape), "domain": url.and_then(telling::host).map(domain).map(escape)},
        "file": {"path": path, "hash": {"sha256": source.and_then(|it| it.sha256.as_ref())}},
        "log": {"file": {"path": path.as_ref().filter(|_| is_log)}},
        "host": {"name": source.and_then(|it| it.host.as_deref()).map(escape)},
        "user": {"name": source.and_then(|it| it.user.as_deref()).map(escape)},
        "observer": {"product": report.tool.name, "type": "scanner", "version": report.tool.version},
        "related": {"hash": finding.fingerprint.as_ref().map(|it| [it]), "hosts": hosts, "user": users},
        "tokentrail": own(finding, told.map(|it| &it.locator)),
    })
}

/// What was not read, or not to its end: a dashboard that shows no finding must be able to tell it from a clean run.
fn unread(problem: &Problem, report: &Report) -> Value {
    let path = telling::path(&problem.path, &problem.members);
    json!({
        "@timestamp": report.run.as_of,
        "message": escape(&format!("not read, or not to its end: {path}: {}", problem.reason)),
        "tags": report.run.label.as_ref().map(|it| [escape(it)]),
        "ecs": {"version": VERSION},
        "event": {
            "kind": "pipeline_error",
            "module": report.tool.name,
            "dataset": "tokentrail.problem",
            "provider": report.tool.name,
            "created": report.run.as_of,
            "reason": escape(&problem.reason),
        },
        "file": {"path": escape(&path)},
        "observer": {"product": report.tool.name, "type": "scanner", "version": report.tool.version},
    })
}

fn own(finding: &Finding, locator: Option<&Locator>) -> Value {
    json!({
        "application": telling::application(finding).map(escape),
        "attack": finding.exposed_to.attack,
        "at_exposure": {"state": finding.at_exposure.state, "basis": finding.at_exposure.basis, "expires_at": finding.at_exposure.expires_at},
        "baseline": finding.baseline.as_ref().and_then(|it| it.reason.as_deref()).map(escape),
        "fingerprint": finding.fingerprint,
        "flow": finding.flow,
        "identities": finding.identities,
        "issuer": finding.issuer.as_deref().map(escape),
        "kind": finding.kind,
        "leak": finding.leak,
        "locator": locator,
        "now": {"state": finding.now.state, "basis": finding.now.basis, "expires_at": finding.now.expires_at},
        "severity": finding.severity,
        "shown": finding.shown,
        "sightings": finding.sightings_total,
        "status": finding.status,
        "value": finding.value,
        "weakness": finding.weakness,
    })
}

/// A host without its port.
fn domain(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Severities as Elastic's rules count risk: from 0 to 100.
fn score(severity: &str) -> u8 {
    match severity {
        "critical" => 99,
        "high" => 73,
        "medium" => 47,
        "low" => 21,
        _ => 1,
    }
}

/// Without members that say nothing: a mapping made from them would be wrong.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(name, it)| (name, without_nulls(it)));
            Value::Object(kept.filter(|(_, it)| !says_nothing(it)).collect())
        }
        other => other,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
