//! The fixtures, scanned by the program as a user runs it: what is reported, that it does not depend on
//! threads or order, that it fits its schema, and that it shows no credential.
//!
//! `SNAPSHOTS=overwrite cargo test --test golden` accepts new snapshots; read the diff before you commit.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test")]

mod disguise;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use disguise::{ACCIDENT, disguises};
use serde_json::Value;

/// The moment of every judgement here.
const AS_OF: &str = "2026-11-24T00:00:00Z";

/// Every form of the report.
const FORMATS: [&str; 7] = ["table", "json", "ndjson", "sarif", "html", "ocsf", "ecs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tokentrail(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap()
}

fn scan(paths: &[&str], options: &[&str]) -> Output {
    let fixed = ["--as-of", AS_OF, "--fail-on", "never"];
    let output = tokentrail(&[&["scan"], paths, &fixed, options].concat());
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{output:?} for {paths:?}"
    );
    output
}

fn json(paths: &[&str], options: &[&str]) -> Value {
    serde_json::from_slice(&scan(paths, &[options, &["-f", "json"]].concat()).stdout).unwrap()
}

/// What stands directly in `fixtures/`, as arguments.
fn stories() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && name != "README.md")
        .map(|name| format!("fixtures/{name}"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no fixtures");
    names
}

fn snapshot(name: &str, actual: &[u8]) {
    let path = root().join("tests/snapshots").join(name);
    let text = String::from_utf8(actual.to_vec()).unwrap();
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .eq(
            snapbox::IntoData::raw(text),
            snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw(),
        );
}

#[test]
fn every_fixture_is_reported_as_in_its_snapshot() {
    for story in stories() {
        let name = story.strip_prefix("fixtures/").unwrap();
        snapshot(
            &format!("{name}.json"),
            &scan(&[&story], &["-f", "json"]).stdout,
        );
        snapshot(&format!("{name}.txt"), &scan(&[&story], &[]).stdout);
    }
}

#[test]
fn all_fixtures_together_are_reported_as_in_their_snapshot() {
    snapshot("fixtures.txt", &scan(&["fixtures"], &[]).stdout);
}

#[test]
fn every_report_fits_the_schema_that_is_checked_in() {
    let schema = std::fs::read(root().join("docs/tokentrail-1.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let every_reveal = ["--hash", "--reveal", "values", "--reveal", "identities"];
    for options in [&[] as &[&str], &every_reveal] {
        let report = json(&["fixtures"], options);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"schema": "tokentrail/1"})));
}

#[test]
fn lines_hold_the_objects_of_the_document() {
    let document = json(&["fixtures"], &[]);
    let lines = scan(&["fixtures"], &["-f", "ndjson"]).stdout;
    let mut lines: Vec<Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let runs: BTreeSet<String> = lines.iter().map(|line| line["run"].to_string()).collect();
    assert_eq!(runs.len(), 1, "one run has one id");
    assert_eq!(lines.first().unwrap()["type"], "run");
    assert_eq!(lines.last().unwrap()["type"], "summary");
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("run");
    }
    for (list, kind) in [
        ("findings", "finding"),
        ("trails", "trail"),
        ("profiles", "profile"),
        ("sources", "source"),
        ("problems", "problem"),
    ] {
        let mut expected = document[list].clone();
        for object in expected.as_array_mut().unwrap() {
            object["type"] = kind.into();
        }
        let of_kind = lines.iter().filter(|line| line["type"] == kind);
        let actual: Vec<Value> = of_kind.cloned().collect();
        assert_eq!(Value::Array(actual), expected, "{list}");
    }
}

#[test]
fn threads_and_order_change_no_byte() {
    let stories = stories();
    let forward: Vec<&str> = stories.iter().map(String::as_str).collect();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    for format in FORMATS {
        let whole = scan(&["fixtures"], &["-f", format, "-j", "1"]).stdout;
        let many = scan(&["fixtures"], &["-f", format, "-j", "8"]).stdout;
        assert!(whole == many, "{format}: one thread and many differ");
        let shuffled = scan(&backward, &["-f", format, "-j", "3"]).stdout;
        let sorted = scan(&forward, &["-f", format]).stdout;
        assert!(shuffled == sorted, "{format}: order of arguments matters");
    }
}

#[test]
fn a_saved_result_renders_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("result.json");
    let saved = saved.to_str().unwrap();
    scan(&["fixtures"], &["-f", "json", "-o", saved]);
    for format in FORMATS {
        let direct = scan(&["fixtures"], &["-f", format]).stdout;
        let again = tokentrail(&["report", saved, "-f", format]);
        assert!(again.status.success(), "{again:?}");
        assert!(direct == again.stdout, "{format}");
    }
}

#[test]
fn no_output_shows_a_credential() {
    let revealed = json(&["fixtures"], &["--reveal", "values"]);
    let findings = revealed["findings"].as_array().unwrap();
    let values: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding["value"].as_str())
        .filter(|value| value.len() >= ACCIDENT)
        .collect();
    assert!(!values.is_empty(), "--reveal values shows nothing");
    let mut outputs = Vec::new();
    for format in FORMATS {
        for options in [&[] as &[&str], &["--reveal", "identities"]] {
            let output = scan(&["fixtures"], &[options, &["-f", format]].concat());
            outputs.push(String::from_utf8(output.stdout).unwrap());
            outputs.push(String::from_utf8(output.stderr).unwrap());
        }
    }
    for value in values {
        for disguise in disguises(value) {
            for output in &outputs {
                assert!(
                    !output.contains(&disguise),
                    "a report shows {value} as {disguise}"
                );
            }
        }
    }
}

#[test]
fn evidence_is_left_as_it_was() {
    let state = || -> Vec<_> {
        walkdir::WalkDir::new(root().join("fixtures"))
            .sort_by_file_name()
            .into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let meta = entry.metadata().unwrap();
                let bytes = meta.is_file().then(|| std::fs::read(entry.path()).unwrap());
                (entry.into_path(), meta.modified().unwrap(), bytes)
            })
            .collect()
    };
    let before = state();
    scan(&["fixtures"], &["--hash"]);
    assert!(before == state());
}
