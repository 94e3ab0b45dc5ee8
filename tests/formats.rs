//! Every form of the report, from the fixtures, against what its readers publish: schemas that are checked in
//! under `tests/schemas`, and what code scanning refuses beyond them.
//!
//! `SNAPSHOTS=overwrite cargo test --test formats` accepts new snapshots; read the diff before you commit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_collect,
    clippy::panic,
    reason = "test"
)]

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

/// A path out of a relative reference.
fn decoded(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut path = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        path.push(u8::from_str_radix(&part[..2], 16).unwrap());
        path.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(path).unwrap()
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
            let path = decoded(uri);
            assert!(root().join(path).exists(), "{uri} is not in the checkout");
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

/// A result that no scan of these fixtures yields: one long trail, and many findings in it.
#[test]
fn sarif_bounds_the_steps_of_flows_and_says_so() {
    let mut report = json(&scan(&["fixtures/har"], &["-f", "json"]));
    let trails = report["trails"].as_array().unwrap();
    let is_seen = |step: &Value| !step["seen"].is_null();
    let lengthened = trails
        .iter()
        .position(|it| it["steps"].as_array().unwrap().iter().any(is_seen))
        .unwrap();
    let id = trails[lengthened]["id"].clone();
    let steps = trails[lengthened]["steps"].as_array().unwrap();
    let step = steps.iter().find(|it| is_seen(it)).unwrap().clone();
    report["trails"][lengthened]["steps"] = Value::Array(vec![step; 1_500]);
    let mut finding = report["findings"][0].clone();
    finding["trails"] = serde_json::json!([id, id]);
    report["findings"] = Value::Array(vec![finding; 120]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("result.json"), report.to_string()).unwrap();
    let output = tokentrail(dir.path(), &["report", "result.json", "-f", "sarif"]);
    let sarif = json(&String::from_utf8(output.stdout).unwrap());
    let steps_of = |result: &Value| -> usize {
        let flows = result["codeFlows"].as_array().into_iter().flatten();
        let steps = flows.map(|flow| {
            flow["threadFlows"][0]["locations"]
                .as_array()
                .unwrap()
                .len()
        });
        steps.sum()
    };
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let steps: Vec<usize> = results.iter().map(steps_of).collect();
    assert_eq!((steps[0], steps.iter().sum::<usize>()), (1_000, 100_000));
    let notices = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notices.contains("the flows of 120 results"), "{notices}");
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

const OCSF: &str = "ocsf-1.8.0-detection-finding.schema.json";

/// Of what was not read.
const OCSF_BASE: &str = "ocsf-1.8.0-base-event.schema.json";

#[test]
fn ocsf_fits_the_published_class() {
    let every_reveal = [
        "--hash",
        "--label",
        "a run",
        "--reveal",
        "values",
        "--reveal",
        "identities",
    ];
    for options in [&[] as &[&str], &every_reveal] {
        let events = lines(&scan(&["fixtures"], &[options, &["-f", "ocsf"]].concat()));
        assert!(events.len() > 50);
        for event in events {
            let class = match event["class_uid"].as_u64() {
                Some(2004) => OCSF,
                _ => OCSF_BASE,
            };
            assert_eq!(errors(class, &event), [""; 0], "{event:#}");
        }
    }
    assert!(!errors(OCSF, &serde_json::json!({"class_uid": 2004})).is_empty());
}

/// A folder with a capture that ends in the middle, and no finding.
fn cut() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let har = r#"{"log": {"version": "1.2", "entries": [{"startedDateTime": "2026-11-23T05:00:00Z", "request": {"method": "GET", "url": "https://a.example/"}, "#;
    std::fs::write(dir.path().join("cut.har"), har).unwrap();
    dir
}

#[test]
fn what_was_not_read_is_told_to_a_siem_too() {
    let dir = cut();
    for format in ["ocsf", "ecs"] {
        let output = tokentrail(dir.path(), &["scan", ".", "--as-of", AS_OF, "-f", format]);
        assert_eq!(output.status.code(), Some(3));
        let events = lines(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(events.len(), 1, "{format}");
        let told = &events[0];
        assert!(told["message"].as_str().unwrap().contains("cut.har"));
        if format == "ocsf" {
            assert_eq!(errors(OCSF_BASE, told), [""; 0]);
        } else {
            assert_eq!(told["event"]["kind"], "pipeline_error");
        }
    }
}

#[test]
fn ocsf_is_as_in_its_snapshot() {
    snapshot(
        "laptop.ocsf.ndjson",
        scan(&["fixtures/laptop"], &["-f", "ocsf"]),
    );
}

/// Fields by their dotted name, with their values; what stands under `tokentrail` is our own.
fn flat(value: &Value, name: &str, fields: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if name != "tokentrail" => {
            for (member, value) in members {
                let dot = if name.is_empty() { "" } else { "." };
                flat(value, &format!("{name}{dot}{member}"), fields);
            }
        }
        _ => fields.push((name.into(), value.clone())),
    }
}

#[test]
fn ecs_uses_fields_of_the_schema_as_it_means_them() {
    let table = std::fs::read_to_string(root().join("tests/schemas/ecs-fields.tsv")).unwrap();
    let known: std::collections::BTreeMap<&str, Vec<&str>> = table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|row| (row[0], row[1..].to_vec()))
        .collect();
    let documents = lines(&scan(&["fixtures"], &["-f", "ecs", "--hash"]));
    assert!(documents.len() > 50);
    for document in documents {
        let mut fields = Vec::new();
        flat(&document, "", &mut fields);
        for (name, value) in fields {
            if name == "tokentrail" {
                continue;
            }
            let Some([kind, array, allowed]) = known.get(&*name).map(Vec::as_slice) else {
                panic!("ECS has no {name}");
            };
            assert_eq!(value.is_array(), *array == "array", "{name}: {value}");
            let one = [value.clone()];
            for value in value.as_array().map_or(&one[..], |all| all) {
                let is_number = matches!(*kind, "long" | "float");
                assert_eq!(value.is_number(), is_number, "{name}: {value}");
                if !allowed.is_empty() {
                    let value = value.as_str().unwrap();
                    assert!(allowed.split(',').any(|it| it == value), "{name}: {value}");
                }
                if *kind == "date" {
                    assert!(value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
                }
            }
        }
        let is_alert = document["event"]["kind"] == "alert";
        for required in ["@timestamp", "ecs", "event", "file", "rule"] {
            let is_there = !document[required].is_null();
            assert!(is_there || (required == "rule" && !is_alert), "{required}");
        }
        assert!(document["url"]["full"].is_null());
    }
}

#[test]
fn ecs_is_as_in_its_snapshot() {
    snapshot(
        "laptop.ecs.ndjson",
        scan(&["fixtures/laptop"], &["-f", "ecs"]),
    );
}

/// The page without its style, its script and its data, which have tests of their own.
fn still(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    for (start, end) in [
        ("content=\"default-src", "\">"),
        ("<style>", "</style>"),
        ("id=\"data\">", "</script>"),
        ("<script>", "</script>"),
    ] {
        let (before, after) = rest.split_once(start).unwrap();
        out += before;
        out += start;
        rest = &after[after.find(end).unwrap()..];
    }
    (out + rest).replace("><", ">\n<")
}

#[test]
fn html_is_as_in_its_snapshot() {
    let page = scan(&["fixtures/laptop"], &["-f", "html"]);
    snapshot("laptop.html", still(&page));
}

#[test]
fn html_allows_its_own_style_and_script_alone() {
    use sha2::{Digest, Sha256};
    let page = scan(&["fixtures/laptop"], &["-f", "html"]);
    let between = |start: &str, end: &str| {
        let (_, after) = page.split_once(start).unwrap();
        after.split_once(end).unwrap().0
    };
    let policy = between("Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "));
    for (directive, text) in [
        ("style-src", between("<style>", "</style>")),
        ("script-src", between("<script>", "</script>")),
    ] {
        let hash = data_encoding::BASE64.encode(&Sha256::digest(text));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")));
    }
    assert!(!policy.contains("unsafe"));
    let data = json(between("id=\"data\">", "</script>"));
    let report = json(&scan(&["fixtures/laptop"], &["-f", "json"]));
    assert_eq!(
        data["findings"].as_array().unwrap().len(),
        report["findings"].as_array().unwrap().len()
    );
}

/// Every text of a saved result is hostile, and the page has no element more for it. A browser looks at the same in
/// `tests/browser`.
#[test]
fn html_keeps_the_text_of_the_evidence_text() {
    const PAYLOAD: &str = "</script><img src=x onerror=\"x()\"></style>' onload='x()'\u{202e}";
    fn twist(value: &mut Value) {
        match value {
            Value::String(text) => *text = PAYLOAD.into(),
            Value::Array(all) => all.iter_mut().for_each(twist),
            Value::Object(all) => all.values_mut().for_each(twist),
            _ => {}
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("result.json");
    let mut report = json(&scan(
        &["fixtures"],
        &["-f", "json", "--reveal", "identities"],
    ));
    for part in ["run", "summary", "profiles", "sources", "problems", "tool"] {
        twist(&mut report[part]);
    }
    for list in ["findings", "trails"] {
        for one in report[list].as_array_mut().unwrap() {
            for (name, part) in one.as_object_mut().unwrap() {
                // Locators say what they are.
                if !matches!(&**name, "sightings" | "steps" | "status") {
                    twist(part);
                }
            }
        }
    }
    std::fs::write(&saved, report.to_string()).unwrap();
    let output = tokentrail(dir.path(), &["report", "result.json", "-f", "html"]);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    let count = |text: &str| page.matches(text).count();
    assert_eq!(
        (count("<script"), count("</script"), count("</style")),
        (2, 2, 1)
    );
    assert_eq!((count("<img"), count("\u{202e}")), (0, 0));
    assert!(count("onerror") > 20, "the payload is not there");
    let outside_of_data = still(&page);
    assert!(!outside_of_data.contains("onerror=\"") && !outside_of_data.contains("onload='"));
}

/// The value that a dotted path leads to in one of the objects.
fn leads_somewhere(all: &[Value], path: &str) -> bool {
    let pointer = format!("/{}", path.replace('.', "/"));
    all.iter()
        .any(|it| it.pointer(&pointer).is_some_and(|it| !it.is_null()))
}

fn dashboard(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/dashboards").join(name)).unwrap()
}

#[test]
fn the_grafana_dashboard_names_fields_of_a_result() {
    let report = json(&scan(&["fixtures"], &["-f", "json"]));
    let mut named = 0;
    for panel in json(&dashboard("grafana.json"))["panels"]
        .as_array()
        .unwrap()
    {
        let target = &panel["targets"][0];
        // The fixtures are read whole.
        let list = target["root_selector"].as_str().unwrap();
        let all = match list {
            "problems" => vec![serde_json::json!({"path": "", "reason": ""})],
            list => report[list].as_array().unwrap().clone(),
        };
        for column in target["columns"].as_array().unwrap() {
            let selector = column["selector"].as_str().unwrap();
            assert!(leads_somewhere(&all, selector), "{list} has no {selector}");
            named += 1;
        }
    }
    assert!(named > 20);
}

#[test]
fn the_kibana_dashboard_names_fields_of_a_document_that_the_template_maps() {
    let documents = lines(&scan(&["fixtures"], &["-f", "ecs"]));
    let template = json(&dashboard("elasticsearch-template.json"));
    let own = &template["template"]["mappings"]["properties"]["tokentrail"]["properties"];
    let objects = lines(&dashboard("kibana.ndjson"));
    let ids: Vec<&str> = objects
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    let mut fields = 0;
    for object in &objects {
        for reference in object["references"].as_array().unwrap() {
            assert!(ids.contains(&reference["id"].as_str().unwrap()));
        }
        let Some(state) = object["attributes"]["visState"].as_str() else {
            continue;
        };
        for aggregation in json(state)["aggs"].as_array().unwrap() {
            let Some(field) = aggregation["params"]["field"].as_str() else {
                continue;
            };
            fields += 1;
            let is_named = leads_somewhere(&documents, field);
            // No fixture names its machine.
            assert!(is_named || field == "host.name", "{field}");
            if let Some(name) = field.strip_prefix("tokentrail.") {
                let pointer = format!("/{}/type", name.replace('.', "/properties/"));
                assert_eq!(own.pointer(&pointer).unwrap(), "keyword", "{field}");
            }
        }
    }
    assert!(fields > 6);
    // What the template maps and no document has would be a name that was changed here and not there.
    for name in own.as_object().unwrap().keys() {
        let is_rare = matches!(&**name, "baseline" | "identities");
        assert!(
            is_rare || leads_somewhere(&documents, &format!("tokentrail.{name}")),
            "{name}"
        );
    }
}
