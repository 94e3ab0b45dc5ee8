//! What is accepted, from the first baseline to the last entry that is over: new recordings with new tokens are
//! known, what comes beside them is new, and every form of the report tells them apart.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .output()
        .unwrap()
}

fn scan(dir: &Path, options: &[&str]) -> (Option<i32>, Value) {
    let fixed = ["scan", "e2e.har", "--as-of", "2026-11-24", "-f", "json"];
    let output = run(dir, &[&fixed, options].concat());
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap())
}

/// A capture of a login by the implicit grant, with tokens of its own.
fn record(dir: &Path, token: &str, more: &[&str]) {
    let entry = |url: &str| {
        json!({
            "startedDateTime": "2026-11-23T05:00:00.000Z",
            "request": {"method": "GET", "url": url, "headers": []},
            "response": {"status": 200, "headers": [], "content": {}},
        })
    };
    let login = format!(
        "https://idp.example/authorize?response_type=token&client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&state=s{token}"
    );
    let back = format!(
        "https://shop.example/cb#access_token={token}&token_type=Bearer&expires_in=3600&state=s{token}"
    );
    let urls = [&*login, &*back].into_iter().chain(more.iter().copied());
    let entries: Vec<Value> = urls.map(entry).collect();
    let har = json!({"log": {"version": "1.2", "creator": {"name": "t"}, "entries": entries}});
    fs::write(dir.join("e2e.har"), har.to_string()).unwrap();
}

const FIRST: &str = "Qm7xZ2kLw9TfYb3NcR8vHs5JdGp4Ae6U";
const SECOND: &str = "h4WnV9rXe2KzPq7BtMy6LsDf3CgJa8Tu";
const OTHER: &str = "https://api.example/list?access_token=Zr5TnKx8Vb2WqYm4HcPs9LfJd7GaEu3N";

/// Writes a baseline from the first recording.
fn accepted(dir: &Path, options: &[&str]) {
    record(dir, FIRST, &[]);
    let (code, report) = scan(dir, &[]);
    assert_eq!(code, Some(1));
    fs::write(dir.join("result.json"), report.to_string()).unwrap();
    let write = [
        "baseline",
        "write",
        "result.json",
        "--baseline",
        "known.toml",
    ];
    let output = run(dir, &[&write, options].concat());
    assert!(output.status.success(), "{output:?}");
}

fn statuses(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|it| it["status"].as_str().unwrap()).collect()
}

#[test]
fn a_new_recording_with_new_tokens_is_known() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &[]);
    record(dir.path(), SECOND, &[]);
    let (code, report) = scan(dir.path(), &["--baseline", "known.toml"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert!(statuses(&report).iter().all(|it| *it == "known"));
    assert_eq!(report["summary"]["gated"], 0);
    let number = report["findings"].as_array().unwrap().len();
    assert_eq!(report["summary"]["by_status"], json!({"known": number}));
    assert!(number >= 2, "the token, and that it was asked for");
}

/// Whoever reads "nothing is usable" must be able to believe it.
#[test]
fn what_is_accepted_and_usable_is_not_called_harmless() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &[]);
    let report = |options: &[&str], format: &str| {
        let fixed = ["scan", "e2e.har", "--as-of", "2026-11-23T05:10:00Z", "-f"];
        let output = run(dir.path(), &[&fixed, &[format][..], options].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let known = ["--baseline", "known.toml"];
    let table = report(&known, "table");
    let said = "nothing new that is usable at 2026-11-23T05:10:00Z; one that the baseline accepts may be\n";
    assert!(table.contains(said), "{table}");
    let all_is_well = [
        "Nothing was found.",
        "Nothing that was found is usable now.",
        "No credential in this evidence is usable",
    ];
    let claims = |page: &str| all_is_well.iter().any(|claim| page.contains(claim));
    let page = report(&known, "html");
    assert!(page.contains("Nothing new is usable now."));
    assert!(page.contains("1 credential that the baseline accepts may be usable."));
    assert!(!claims(&page));
    let filtered = report(&["--verdict", "expired"], "html");
    assert!(filtered.contains("The filters leave nothing to show."));
    assert!(!claims(&filtered));
    fs::write(dir.path().join("e2e.har"), "{\"log\":{\"entries\":[]}}").unwrap();
    assert!(claims(&report(&known, "html")));
}

#[test]
fn what_comes_beside_it_is_new_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    accepted(
        dir.path(),
        &["--reason", "a demo, until the SPA is rewritten"],
    );
    record(dir.path(), SECOND, &[OTHER]);
    let (code, report) = scan(dir.path(), &["--baseline", "known.toml"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["summary"]["by_status"]["new"], 1, "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let new = findings.iter().find(|it| it["status"] == "new").unwrap();
    assert_eq!(new["flow"], "bearer-in-query");
    let old = findings.iter().find(|it| it["status"] != "new").unwrap();
    assert_eq!(old["status"], "suppressed");
    assert_eq!(
        old["baseline"]["reason"],
        "a demo, until the SPA is rewritten"
    );
}

#[test]
fn an_entry_that_is_over_accepts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &["--until", "2026-11-23"]);
    let (code, report) = scan(dir.path(), &["--baseline", "known.toml"]);
    assert_eq!(code, Some(1));
    assert!(statuses(&report).iter().all(|it| *it == "new"));
    assert_eq!(report["findings"][0]["baseline"]["is_over"], true);
    // Written again, it is accepted anew.
    accepted(dir.path(), &["--until", "2027-01-01"]);
    let (code, _) = scan(dir.path(), &["--baseline", "known.toml"]);
    assert_eq!(code, Some(0));
}

#[test]
fn what_people_wrote_survives_and_what_is_gone_is_pruned() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &["--reason", "first"]);
    record(dir.path(), SECOND, &[OTHER]);
    let (_, report) = scan(dir.path(), &[]);
    fs::write(dir.path().join("result.json"), report.to_string()).unwrap();
    let files = ["result.json", "--baseline", "known.toml"];
    let write = [&["baseline", "write"], &files[..], &["--reason", "second"]].concat();
    let output = run(dir.path(), &write);
    assert_eq!(output.stdout, b"1 more leaks accepted\n");
    let text = fs::read_to_string(dir.path().join("known.toml")).unwrap();
    assert!(
        text.contains("\"first\"") && text.contains("\"second\""),
        "{text}"
    );
    assert!(!text.contains(SECOND) && !text.contains(FIRST), "{text}");

    record(dir.path(), SECOND, &[]);
    let (_, report) = scan(dir.path(), &[]);
    fs::write(dir.path().join("result.json"), report.to_string()).unwrap();
    let output = run(dir.path(), &[&["baseline", "prune"], &files[..]].concat());
    assert_eq!(output.stdout, b"1 leaks forgotten\n", "{output:?}");
    let text = fs::read_to_string(dir.path().join("known.toml")).unwrap();
    assert!(
        text.contains("\"first\"") && !text.contains("\"second\""),
        "{text}"
    );
}

#[test]
fn a_result_that_does_not_tell_of_everything_prunes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &[]);
    let before = fs::read(dir.path().join("known.toml")).unwrap();
    let prune = [
        "baseline",
        "prune",
        "result.json",
        "--baseline",
        "known.toml",
    ];
    for options in [["--min-severity", "critical"], ["--verdict", "revoked"]] {
        let (_, report) = scan(dir.path(), &options);
        assert!(report["summary"]["left_out"].as_u64().unwrap() > 0);
        fs::write(dir.path().join("result.json"), report.to_string()).unwrap();
        assert_eq!(run(dir.path(), &prune).status.code(), Some(2));
    }
    let har = fs::read_to_string(dir.path().join("e2e.har")).unwrap();
    fs::write(dir.path().join("e2e.har"), &har[..har.len() - 9]).unwrap();
    let (_, report) = scan(dir.path(), &[]);
    fs::write(dir.path().join("result.json"), report.to_string()).unwrap();
    assert_eq!(run(dir.path(), &prune).status.code(), Some(2));
    assert_eq!(fs::read(dir.path().join("known.toml")).unwrap(), before);
}

#[test]
fn formats_for_others_tell_new_from_known() {
    let dir = tempfile::tempdir().unwrap();
    accepted(dir.path(), &["--reason", "a demo"]);
    record(dir.path(), SECOND, &[OTHER]);
    let fixed = [
        "scan",
        ".",
        "--glob",
        "*.har",
        "--baseline",
        "known.toml",
        "-f",
    ];
    let output = run(dir.path(), &[&fixed[..], &["sarif"]].concat());
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of = |state: &str| {
        results
            .iter()
            .filter(|it| it["baselineState"] == state)
            .count()
    };
    assert_eq!(of("new"), 1);
    assert_eq!(of("unchanged"), results.len() - 1);
    for result in results {
        let is_new = result["baselineState"] == "new";
        assert_eq!(result["suppressions"].is_null(), is_new);
    }
    let output = run(dir.path(), &[&fixed[..], &["table"]].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("by the baseline"), "{table}");
    assert!(table.contains("suppressed: a demo"), "{table}");
}
