//! Two halves make the whole: what `scan --sightings` writes, `correlate` reports as `scan` would have; and
//! what is lost on the way is noticed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test")]

mod disguise;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The moment of every judgement here, and what keeps the exit code to what was read.
const JUDGED: [&str; 4] = ["--as-of", "2026-11-24T00:00:00Z", "--fail-on", "never"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tokentrail_in(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _may_be_closed_early = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn tokentrail(args: &[&str], input: &[u8]) -> Output {
    tokentrail_in(root(), args, input)
}

/// The map half.
fn sightings(paths: &[&str], options: &[&str]) -> Vec<u8> {
    let output = tokentrail(&[&["scan", "--sightings"], paths, options].concat(), b"");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    output.stdout
}

/// The reduce half over what stands on standard input.
fn correlate(input: &[u8], options: &[&str]) -> Output {
    let output = tokentrail(&[&["correlate", "-"], &JUDGED[..], options].concat(), input);
    assert!(output.stderr.is_empty(), "{output:?}");
    output
}

fn scan(paths: &[&str], options: &[&str]) -> Output {
    tokentrail(&[&["scan"], paths, &JUDGED, options].concat(), b"")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The lines in another order: those of a linear congruential generator.
fn shuffled(text: &[u8], mut seed: u64) -> Vec<u8> {
    let mut lines = lines(text);
    for last in (1..lines.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = usize::try_from(seed >> 33).unwrap() % (last + 1);
        lines.swap(last, other);
    }
    lines.concat()
}

/// What stands in `fixtures/` and one level below: the shares of the evidence that machines are given.
fn shares() -> Vec<String> {
    let mut names = Vec::new();
    for folder in [
        "fixtures/archives",
        "fixtures/captured",
        "fixtures/har",
        "fixtures/laptop",
        "fixtures/logs",
    ] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            names.push(format!("{folder}/{name}"));
        }
    }
    names.sort();
    names
}

fn problems(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().unwrap();
    let reasons = problems.iter().map(|it| it["reason"].as_str().unwrap());
    reasons.map(ToOwned::to_owned).collect()
}

#[test]
fn scan_is_correlate_of_sightings_in_every_format() {
    let whole = sightings(&["fixtures"], &[]);
    for format in ["table", "json", "ndjson"] {
        let direct = scan(&["fixtures"], &["-f", format]);
        let behind = correlate(&whole, &["-f", format]);
        assert_eq!(behind.status, direct.status);
        assert!(behind.stdout == direct.stdout, "{format}");
    }
}

#[test]
fn options_of_both_halves_are_reported_as_by_one_scan() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, [7; 32]).unwrap();
    let key = key.to_str().unwrap();
    for map in [
        &["--label", "night"] as &[&str],
        &["--fingerprint-key", key, "--hash"],
        &["--all-text", "--log-timezone", "+02:00"],
        &["--type", "log"],
        &["--source-root", "fixtures"],
    ] {
        let reduce = ["-f", "json", "--min-severity", "medium", "--gate", "now"];
        let direct = scan(&["fixtures"], &[map, &reduce].concat());
        let behind = correlate(&sightings(&["fixtures"], map), &reduce);
        assert_eq!(behind.status, direct.status, "{map:?}");
        assert!(behind.stdout == direct.stdout, "{map:?}");
    }
}

#[test]
fn the_gate_decides_as_in_one_scan() {
    let whole = sightings(&["fixtures"], &[]);
    for fail_on in ["low", "critical", "flow:implicit", "kind:cas_ticket"] {
        let options = ["--as-of", "2026-11-24", "--fail-on", fail_on];
        let direct = tokentrail(&[&["scan", "fixtures"], &options[..]].concat(), b"");
        let behind = tokentrail(&[&["correlate"], &options[..]].concat(), &whole);
        assert_eq!(behind.status, direct.status, "{fail_on}");
        assert!(behind.stdout == direct.stdout, "{fail_on}");
    }
}

#[test]
fn shares_in_any_order_and_twice_are_one_scan() {
    let direct = scan(&["fixtures"], &["-f", "json"]).stdout;
    let mut all = Vec::new();
    let shares = shares();
    for (number, share) in shares.chunks(5).enumerate() {
        let threads = if number % 2 == 0 { "1" } else { "4" };
        let share: Vec<&str> = share.iter().map(String::as_str).collect();
        all.extend(sightings(&share, &["-j", threads]));
    }
    let sum = |report: &Value| report["not_claimed"].to_string();
    let whole: Value = serde_json::from_slice(&direct).unwrap();
    for seed in 1..4 {
        let once = correlate(&shuffled(&all, seed), &["-f", "json"]);
        assert_eq!(sum(&json(&once)), sum(&whole));
        assert!(once.stdout == direct, "shuffled with {seed}");
        let twice = shuffled(&[&*all, &*shuffled(&all, seed + 10)].concat(), seed);
        let twice = correlate(&twice, &["-f", "json"]);
        assert!(twice.stdout == direct, "twice, shuffled with {seed}");
    }
}

#[test]
fn shares_that_overlap_are_one_scan() {
    let direct = scan(&["fixtures/har", "fixtures/logs"], &["-f", "json"]);
    let mut all = sightings(&["fixtures/har", "fixtures/logs/squid-access.log"], &[]);
    all.extend(sightings(&["fixtures/logs"], &[]));
    let behind = correlate(&all, &["-f", "json"]);
    assert!(behind.stdout == direct.stdout);
}

#[test]
fn files_and_standard_input_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("har.ndjson");
    let path = path.to_str().unwrap();
    let written = sightings(&["fixtures/har"], &["-o", path]);
    assert!(written.is_empty());
    let rest = sightings(
        &[
            "fixtures/archives",
            "fixtures/captured",
            "fixtures/laptop",
            "fixtures/logs",
        ],
        &[],
    );
    let options = [&["correlate", path, "-", "-f", "json"], &JUDGED[..]].concat();
    let behind = tokentrail(&options, &rest);
    assert!(behind.stdout == scan(&["fixtures"], &["-f", "json"]).stdout);
}

#[test]
fn threads_change_no_byte_of_the_sightings() {
    let one = sightings(&["fixtures"], &["-j", "1"]);
    for threads in ["2", "4", "9"] {
        assert!(
            one == sightings(&["fixtures"], &["-j", threads]),
            "{threads}"
        );
    }
    assert!(one != sightings(&["fixtures/har"], &[]));
}

#[test]
fn the_same_evidence_has_the_same_sightings_wherever_it_lies() {
    let copies: Vec<tempfile::TempDir> = (0..2)
        .map(|_| {
            let dir = tempfile::tempdir().unwrap();
            for entry in walkdir::WalkDir::new(root().join("fixtures")) {
                let entry = entry.unwrap();
                let relative = entry.path().strip_prefix(root()).unwrap();
                let to = dir.path().join(relative);
                if entry.file_type().is_dir() {
                    std::fs::create_dir_all(to).unwrap();
                } else {
                    std::fs::copy(entry.path(), to).unwrap();
                }
            }
            dir
        })
        .collect();
    let of = |dir: &Path| {
        let dir = dir.to_str().unwrap();
        sightings(&[dir], &["--source-root", dir])
    };
    let first = of(copies[0].path());
    assert!(first == of(copies[1].path()));
    assert!(first == sightings(&["fixtures"], &[]));
}

#[test]
fn a_shard_that_was_cut_off_is_noticed_and_judged_as_far_as_it_goes() {
    let whole = sightings(&["fixtures/har"], &[]);
    let all = lines(&whole);
    for kept in [1, 2, all.len() / 2, all.len() - 1] {
        let cut = all[..kept].concat();
        let output = correlate(&cut, &["-f", "json"]);
        assert_eq!(output.status.code(), Some(3), "{kept} lines");
        let report = json(&output);
        let problems = problems(&report);
        assert!(problems[0].contains("no trailer"), "{problems:?}");
        let sources = report["sources"].as_array().unwrap();
        assert!(
            sources
                .iter()
                .any(|it| it["reader"] == "sightings" && it["status"] == "partial")
        );
    }
    let mid_line = &whole[..whole.len() - 10];
    let problems = problems(&json(&correlate(mid_line, &["-f", "json"])));
    assert_eq!(problems.len(), 2, "{problems:?}");
    // What a second attempt wrote makes up for the first.
    let both = [mid_line, b"\n", &whole].concat();
    let output = correlate(&both, &["-f", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let problems = self::problems(&json(&output));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("is damaged or cut off"),
        "{problems:?}"
    );
}

#[test]
fn a_line_that_is_missing_is_noticed() {
    let whole = sightings(&["fixtures"], &[]);
    let all = lines(&whole);
    for missing in (0..all.len()).step_by(29) {
        let mut some = all.clone();
        some.remove(missing);
        let output = correlate(&some.concat(), &["-f", "json"]);
        assert_eq!(output.status.code(), Some(3), "line {missing}");
    }
}

#[test]
fn an_empty_shard_beside_others_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a"), sightings(&["fixtures/har"], &[])).unwrap();
    std::fs::write(dir.path().join("b"), "").unwrap();
    for second in ["b", "missing"] {
        let options = [&["correlate", "a", second, "-f", "json"], &JUDGED[..]].concat();
        let output = tokentrail_in(dir.path(), &options, b"");
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let report = json(&output);
        assert_eq!(report["problems"][0]["path"], second);
    }
}

#[test]
fn damaged_and_unknown_lines_are_problems_and_are_not_shown() {
    let mut all = sightings(&["fixtures/har"], &[]);
    let run = serde_json::from_slice::<Value>(lines(&all)[0]).unwrap()["run"].to_string();
    all.extend(b"hunter2 is no JSON\n\n[\"hunter2\"]\n\xff\xfe\n");
    all.extend(format!("{{\"type\":\"hunter2\",\"run\":{run}}}\n").bytes());
    all.extend(format!("{{\"type\":\"sighting\",\"run\":{run},\"id\":\"hunter2\"}}\n").bytes());
    all.extend(b"{\"type\":\"trailer\",\"run\":\"hunter2\"}\n");
    all.extend("[".repeat(100_000).bytes());
    let output = correlate(&all, &["-f", "json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        !String::from_utf8(output.stdout.clone())
            .unwrap()
            .contains("hunter2")
    );
    let problems = problems(&json(&output));
    assert_eq!(problems.len(), 7, "{problems:?}");
    assert!(problems[0].starts_with("line "), "{problems:?}");
    assert!(
        problems
            .iter()
            .any(|it| it.contains("type that this version"))
    );
    let clean = scan(&["fixtures/har"], &["-f", "json"]);
    assert_eq!(json(&clean)["findings"], json(&output)["findings"]);
}

#[test]
fn a_line_of_any_length_costs_itself_alone() {
    let mut all = b"{\"type\":\"sighting\",\"run\":\"".to_vec();
    all.resize(17 << 20, b'x');
    all.push(b'\n');
    all.extend(sightings(&["fixtures/har"], &[]));
    let problems = problems(&json(&correlate(&all, &["-f", "json"])));
    assert_eq!(problems, ["line 1 is too long; it was left out"]);
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let whole = sightings(&["fixtures"], &[]);
    let mut later = Vec::new();
    for line in lines(&whole) {
        let mut line: Value = serde_json::from_slice(line).unwrap();
        line["later"] = serde_json::json!({"a": [1]});
        later.extend(serde_json::to_vec(&line).unwrap());
        later.push(b'\n');
    }
    let behind = correlate(&later, &["-f", "json"]);
    assert!(behind.stdout == scan(&["fixtures"], &["-f", "json"]).stdout);
}

#[test]
fn one_name_for_two_states_is_noticed_whatever_the_order() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("access.log");
    let line = |path: &str| {
        format!(
            "203.0.113.7 - - [23/Nov/2026:05:00:00 +0000] \"GET /{path}?access_token=SplxlOBeZQQYbYS6WxSbIA4f7Qk2 HTTP/1.1\" 200 0 \"-\" \"-\"\n"
        )
    };
    let map = || tokentrail_in(dir.path(), &["scan", "--sightings", "access.log"], b"").stdout;
    std::fs::write(&log, line("old")).unwrap();
    let old = map();
    std::fs::write(&log, line("newer").repeat(2)).unwrap();
    let new = map();
    let one = correlate(&[&*old, &*new].concat(), &["-f", "json"]);
    let other = correlate(&[&*new, &*old].concat(), &["-f", "json"]);
    assert!(one.stdout == other.stdout);
    assert_eq!(one.status.code(), Some(3));
    let problems = problems(&json(&one));
    assert!(problems[0].contains("two different things"), "{problems:?}");
}

#[test]
fn what_does_not_fit_together_stops_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("1"), dir.path().join("2"));
    std::fs::write(&one, [1; 32]).unwrap();
    std::fs::write(&other, [2; 32]).unwrap();
    let bare = sightings(&["fixtures/har"], &[]);
    let keyed = |key: &Path| {
        let options = ["--fingerprint-key", key.to_str().unwrap()];
        sightings(&["fixtures/laptop"], &options)
    };
    let report = scan(&["fixtures/har"], &["-f", "ndjson"]).stdout;
    for (input, says) in [
        ([bare.clone(), keyed(&one)].concat(), "fingerprint key"),
        ([keyed(&one), keyed(&other)].concat(), "fingerprint key"),
        ([bare, report].concat(), "tokentrail-sightings/1"),
        (Vec::new(), "no sightings"),
        (b"hunter2".to_vec(), "no sightings"),
    ] {
        let output = tokentrail(&["correlate"], &input);
        assert_eq!(output.status.code(), Some(2), "{says}");
        assert!(output.stdout.is_empty(), "{says}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains(says) && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_bad_file_is_a_row_and_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let cut = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut off here";
    std::fs::write(dir.path().join("access.log.gz"), cut).unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    let paths = ["scan", "access.log.gz", "empty", "missing"];
    let map = tokentrail_in(dir.path(), &[&paths[..], &["--sightings"]].concat(), b"");
    assert_eq!(map.status.code(), Some(0), "{map:?}");
    let direct = [&paths[..], &JUDGED, &["-f", "json"]].concat();
    let direct = tokentrail_in(dir.path(), &direct, b"");
    assert_eq!(direct.status.code(), Some(3));
    let behind = correlate(&map.stdout, &["-f", "json"]);
    assert_eq!(behind.status.code(), Some(3));
    assert!(behind.stdout == direct.stdout);
    let nothing = tokentrail_in(dir.path(), &["scan", "missing", "--sightings"], b"");
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn options_that_say_nothing_where_nothing_is_judged_are_refused() {
    for option in [
        &["--reveal", "values"] as &[&str],
        &["--as-of", "2026-11-24"],
        &["--fail-on", "high"],
        &["--format", "json"],
        &["--strict"],
    ] {
        let args = [&["scan", "fixtures", "--sightings"], option].concat();
        assert_eq!(tokentrail(&args, b"").status.code(), Some(2), "{option:?}");
    }
}

#[test]
fn no_sighting_shows_a_credential() {
    let revealed = json(&scan(
        &["fixtures"],
        &["-f", "json", "--reveal", "values", "--reveal", "identities"],
    ));
    let findings = revealed["findings"].as_array().unwrap();
    let values = |finding: &Value| {
        let identities = finding["identities"].as_object().cloned();
        let identities = identities.into_iter().flatten().map(|(_, value)| value);
        let value = finding["value"].as_str().map(ToOwned::to_owned);
        let identities = identities.filter_map(|value| value.as_str().map(ToOwned::to_owned));
        value.into_iter().chain(identities).collect::<Vec<_>>()
    };
    let values: BTreeSet<String> = findings
        .iter()
        .flat_map(values)
        .filter(|value| value.len() >= disguise::ACCIDENT)
        .collect();
    assert!(values.len() > 20, "--reveal shows nothing");
    let text = String::from_utf8(sightings(&["fixtures"], &[])).unwrap();
    for value in values {
        for disguise in disguise::disguises(&value) {
            assert!(!text.contains(&disguise), "{value} as {disguise}");
        }
    }
}

#[test]
fn every_line_fits_the_schema_that_is_checked_in() {
    let path = root().join("docs/tokentrail-sightings-1.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut types = BTreeSet::new();
    let evidence = ["fixtures", "README.md", "missing"];
    for line in lines(&sightings(&evidence, &["--hash", "--label", "x"])) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&line)
            .map(|it| it.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{line}");
        types.insert(line["type"].as_str().unwrap().to_owned());
    }
    let all = [
        "not_claimed",
        "problem",
        "run",
        "sighting",
        "source",
        "trailer",
    ];
    assert_eq!(types, all.map(ToOwned::to_owned).into());
    assert!(!validator.is_valid(&serde_json::json!({"type": "sighting"})));
}
