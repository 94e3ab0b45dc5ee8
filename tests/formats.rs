//! Every form of the report, from the fixtures, against what its readers publish: schemas that are checked in
//! under `tests/schemas`, and what code scanning refuses beyond them.
//!
//! `SNAPSHOTS=overwrite cargo test --test formats` accepts new snapshots; read the diff before you commit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const AS_OF: &str = "2026-11-24T00:00:00Z";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tokentrail(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .output()
        .unwrap()
}

fn scan(paths: &[&str], options: &[&str]) -> String {
    let fixed = ["--as-of", AS_OF, "--fail-on", "never"];
    let output = tokentrail(root(), &[&["scan"], paths, &fixed, options].concat());
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn snapshot(name: &str, text: String) {
    let path = root().join("tests/snapshots").join(name);
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .eq(
            snapbox::IntoData::raw(text),
            snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw(),
        );
}

fn errors(schema: &str, value: &Value) -> Vec<String> {
    let schema = std::fs::read_to_string(root().join("tests/schemas").join(schema)).unwrap();
    let mut schema = json(&schema);
    // SARIF's own pattern of a language has a stray bracket, and is no regular expression; nothing here has one.
    for part in ["run", "toolComponent"] {
        let language = format!("/definitions/{part}/properties/language");
        if let Some(language) = schema.pointer_mut(&language) {
            language.as_object_mut().unwrap().remove("pattern");
        }
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

const SARIF: &str = "sarif-2.1.0.schema.json";

#[test]
fn sarif_fits_the_schema_of_the_standard() {
    let every_reveal = ["--reveal", "values", "--reveal", "identities"];
    for options in [&[] as &[&str], &every_reveal] {
        let log = json(&scan(&["fixtures"], &[options, &["-f", "sarif"]].concat()));
        assert_eq!(errors(SARIF, &log), [""; 0]);
        assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty());
    }
    assert!(!errors(SARIF, &serde_json::json!({"version": "2.1.0"})).is_empty());
}

#[test]
fn sarif_is_as_in_its_snapshot() {
    snapshot("laptop.sarif", scan(&["fixtures/laptop"], &["-f", "sarif"]));
}

/// What the schema allows and code scanning refuses (C4 of its documentation): a location that is none, a URI
/// that is not relative, an empty text, more than it takes.
#[test]
fn sarif_holds_nothing_that_code_scanning_refuses() {
    let log = json(&scan(&["fixtures"], &["-f", "sarif"]));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            let text = rule[text]["text"].as_str().unwrap();
            assert!(!text.is_empty() && text.len() < 8192, "{rule:#}");
        }
        let description = rule["fullDescription"]["text"].as_str().unwrap();
        assert!(description.chars().count() <= 1024);
        let severity = rule["properties"]["security-severity"].as_str().unwrap();
        assert!((0.1..=10.0).contains(&severity.parse::<f64>().unwrap()));
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
    }
    for result in run["results"].as_array().unwrap() {
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let line = result["partialFingerprints"]["primaryLocationLineHash"].as_str();
        assert_eq!(line.unwrap().len(), 34);
        let mut flows = Vec::new();
        for flow in result["codeFlows"].as_array().into_iter().flatten() {
            flows.extend(flow["threadFlows"][0]["locations"].as_array().unwrap());
        }
        let steps = flows.iter().map(|step| &step["location"]);
        let related = result["relatedLocations"].as_array();
        let own = result["locations"].as_array().unwrap().iter();
        for location in own.chain(steps).chain(related.into_iter().flatten()) {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.starts_with("fixtures/"), "{uri}");
            assert!(root().join(uri).is_file(), "{uri} is not in the checkout");
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            assert!(place["region"]["startColumn"].as_u64().unwrap() >= 1);
        }
    }
}

/// The line and the column lead to the value, in a log and in a capture.
#[test]
fn sarif_regions_lead_to_the_value() {
    let log = json(&scan(
        &["fixtures/har", "fixtures/logs/nginx-access.log"],
        &["-f", "sarif", "--reveal", "values", "--channel", "all"],
    ));
    let mut looked_up = 0;
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let bytes = std::fs::read(root().join(uri)).unwrap();
        let number = |name: &str| {
            let number = place["region"][name].as_u64().unwrap();
            usize::try_from(number).unwrap() - 1
        };
        let line = bytes
            .split(|byte| *byte == b'\n')
            .nth(number("startLine"))
            .unwrap();
        let rest = String::from_utf8_lossy(&line[number("startColumn")..]).into_owned();
        // What the evidence encodes is not spelt as its value is.
        let Some(value) = result["properties"]["value"].as_str() else {
            continue;
        };
        if value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            assert!(rest.contains(value), "{uri} {place}");
            looked_up += 1;
        }
    }
    assert!(looked_up > 3, "{looked_up}");
}

#[test]
fn sarif_keeps_the_worst_and_says_how_many_it_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let lines: String = (0..5_100)
        .map(|number| {
            format!("192.0.2.1 - - [23/Nov/2026:05:00:00 +0000] \"GET /cb?code=SplxlOBeZQQYbYS6Wx{number:06}&state=af0ifjsldkj{number:06} HTTP/1.1\" 302 0\n")
        })
        .collect();
    std::fs::write(dir.path().join("access.log"), lines).unwrap();
    let args = [
        "scan",
        ".",
        "-f",
        "sarif",
        "--as-of",
        AS_OF,
        "--source-root",
        ".",
    ];
    let log = json(&String::from_utf8(tokentrail(dir.path(), &args).stdout).unwrap());
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    let notices = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(
        notices.contains("findings of lower severity were left out"),
        "{notices}"
    );
}
