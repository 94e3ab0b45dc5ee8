//! OCSF 1.8.0: each finding as a Detection Finding (class 2004), and what was not read as a Base Event (class 0), one a
//! line. Times are milliseconds since 1970; `time`
//! is when the finding was made, not when the leak happened.

use std::io;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::terminal::escape;
use super::wire::{Finding, Problem, Report, Sighting};
use super::{json as writer, telling};

/// The version of the schema that is meant.
const VERSION: &str = "1.8.0";

/// Writes the findings, line by line.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &report.findings {
        writer::line(&event(finding, report), out)?;
    }
    for problem in &report.problems {
        writer::line(&unread(problem, report), out)?;
    }
    Ok(())
}

fn event(finding: &Finding, report: &Report) -> Value {
    let (severity_id, severity) = severity(&finding.severity);
    let (status_id, status) = match &*finding.status {
        "new" => (1, "New"),
        _ => (3, "Suppressed"),
    };
    let mut event = object(json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": 2004,
        "count": finding.sightings_total,
        "evidences": finding.sightings.iter().map(evidence).collect::<Vec<_>>(),
        "finding_info": info(finding, report),
        "is_alert": status_id == 1,
        "message": escape(&telling::title(finding)),
        "metadata": metadata(report),
        "observables": observables(finding),
        "severity": severity,
        "severity_id": severity_id,
        "status": status,
        "status_id": status_id,
        "time": millis(Some(&report.run.as_of)).unwrap_or_default(),
        "type_name": "Detection Finding: Create",
        "type_uid": 200_401,
        "unmapped": {"tokentrail": own(finding)},
    }));
    let times = [
        ("start_time", millis(finding.first_seen_at.as_deref())),
        ("end_time", millis(finding.last_seen_at.as_deref())),
    ];
    for (name, at) in times {
        event.extend(at.map(|at| (name.into(), json!(at))));
    }
    let reason = finding.baseline.as_ref().and_then(|it| it.reason.as_ref());
    event.extend(reason.map(|it| ("status_detail".into(), json!(escape(it)))));
    let resources = resources(finding);
    if !resources.is_empty() {
        event.insert("resources".into(), json!(resources));
    }
    if !finding.remediation.text.is_empty() {
        let fix =
            json!({"desc": finding.remediation.text, "references": finding.remediation.references});
        event.insert("remediation".into(), fix);
    }
    Value::Object(event)
}

/// What was not read, or not to its end: a SIEM that shows no finding must be able to tell it from a clean run.
fn unread(problem: &Problem, report: &Report) -> Value {
    let path = telling::path(&problem.path, &problem.members);
    json!({
        "activity_id": 99,
        "activity_name": "Read",
        "category_name": "Uncategorized",
        "category_uid": 0,
        "class_name": "Base Event",
        "class_uid": 0,
        "message": escape(&format!("not read, or not to its end: {path}: {}", problem.reason)),
        "metadata": metadata(report),
        "severity": "Low",
        "severity_id": 2,
        "status": "Failure",
        "status_detail": escape(&problem.reason),
        "status_id": 2,
        "time": millis(Some(&report.run.as_of)).unwrap_or_default(),
        "type_name": "Base Event: Other",
        "type_uid": 99,
        "unmapped": {"tokentrail": {"path": escape(&path)}},
    })
}

fn info(finding: &Finding, report: &Report) -> Value {
    let mut sources: Vec<&str> = finding
        .sightings
        .iter()
        .map(|it| &*it.source.reader)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let mut info = object(json!({
        "analytic": {"name": finding.rule, "type": "Rule", "type_id": 1, "uid": finding.rule},
        "data_sources": sources,
        "desc": format!("{} {}", telling::verdict(&finding.now), finding.exposed_to.code_flow).trim(),
        "title": escape(&telling::title(finding)),
        "types": [finding.kind, finding.flow],
        "uid": finding.id,
        "uid_alt": finding.leak,
    }));
    let times = [
        ("created_time", Some(&*report.run.as_of)),
        ("first_seen_time", finding.first_seen_at.as_deref()),
        ("last_seen_time", finding.last_seen_at.as_deref()),
    ];
    for (name, at) in times {
        info.extend(millis(at).map(|at| (name.into(), json!(at))));
    }
    Value::Object(info)
}

fn metadata(report: &Report) -> Value {
    let mut metadata = object(json!({
        "product": {
            "name": report.tool.name,
            "vendor_name": report.tool.name,
            "version": report.tool.version,
        },
        "version": VERSION,
    }));
    let label = report.run.label.as_ref();
    metadata.extend(label.map(|it| ("labels".into(), json!([escape(it)]))));
    Value::Object(metadata)
}

/// One place. `http_request` alone is no evidence to OCSF; a file and a URL are.
fn evidence(sighting: &Sighting) -> Value {
    let source = &sighting.source;
    let path = telling::path(&source.path, &source.members);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(&path);
    let name = if name.is_empty() { &path } else { name };
    let mut file = object(json!({
        "name": escape(name),
        "path": escape(&path),
        // 1: regular file; 0: a stream, whose kind is not known.
        "type_id": i32::from(source.path != "-"),
    }));
    if let Some(sha256) = &source.sha256 {
        let hash = json!([{"algorithm": "SHA-256", "algorithm_id": 3, "value": sha256}]);
        file.insert("hashes".into(), hash);
    }
    let mut evidence = object(json!({
        "data": {
            "channel": sighting.channel,
            "locator": sighting.locator,
            "name": sighting.name.as_deref().map(escape),
            "role": sighting.role,
            "slot": sighting.slot,
            "view": sighting.view,
        },
        "file": file,
        "uid": sighting.id,
    }));
    if let Some(url) = &sighting.url {
        let mut shown = object(json!({"url_string": escape(url)}));
        let host = telling::host(url);
        shown.extend(host.map(|host| ("hostname".into(), json!(escape(host)))));
        evidence.insert("url".into(), Value::Object(shown));
    }
    Value::Object(evidence)
}

/// What a search looks for: types 6 (URL string), 45 (file path), 1 (hostname) and 19 (credential).
fn observables(finding: &Finding) -> Vec<Value> {
    let Some(told) = telling::told(finding) else {
        return Vec::new();
    };
    let path = telling::path(&told.source.path, &told.source.members);
    let url = told.url.as_deref();
    let all = [
        ("evidences.file.path", 45, Some(&*path)),
        ("evidences.url.url_string", 6, url),
        ("evidences.url.hostname", 1, url.and_then(telling::host)),
        (
            "unmapped.tokentrail.fingerprint",
            19,
            finding.fingerprint.as_deref(),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, id, value)| {
            Some(json!({"name": name, "type_id": id, "value": escape(value?)}))
        })
        .collect()
}

fn resources(finding: &Finding) -> Vec<Value> {
    let all = [
        (telling::application(finding), "Application"),
        (finding.issuer.as_deref(), "Issuer"),
    ];
    all.into_iter()
        .filter_map(|(name, kind)| Some(json!({"name": escape(name?), "type": kind})))
        .collect()
}

/// What OCSF has no place for.
fn own(finding: &Finding) -> Value {
    let mut own = object(json!({
        "application": telling::application(finding).map(escape),
        "at_exposure": finding.at_exposure.state,
        "attack": finding.exposed_to.attack,
        "basis": finding.now.basis,
        "expires_at": finding.now.expires_at,
        "fingerprint": finding.fingerprint,
        "flow": finding.flow,
        "kind": finding.kind,
        "needs": finding.now.needs,
        "now": finding.now.state,
        "reference": finding.exposed_to.reference,
        "shown": finding.shown,
        "status": finding.status,
        "trails": finding.trails,
        "weakness": finding.weakness,
    }));
    own.extend(finding.value.as_ref().map(|it| ("value".into(), json!(it))));
    own.extend(
        finding
            .identities
            .as_ref()
            .map(|it| ("identities".into(), json!(it))),
    );
    Value::Object(own)
}

fn severity(name: &str) -> (i32, &'static str) {
    match name {
        "critical" => (5, "Critical"),
        "high" => (4, "High"),
        "medium" => (3, "Medium"),
        "low" => (2, "Low"),
        "info" => (1, "Informational"),
        _ => (0, "Unknown"),
    }
}

fn millis(at: Option<&str>) -> Option<i64> {
    let at: Timestamp = at?.parse().ok()?;
    Some(at.as_millisecond())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
