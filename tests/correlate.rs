//! Two halves make the whole: what `scan --sightings` writes, `correlate` reports as `scan` would have; and
//! what is lost on the way is noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test"
)]

mod child;
mod disguise;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{self, Output};
use std::sync::Arc;

use clap::Parser;
use serde_json::Value;
use tokentrail::atoms::rules::Rules;
use tokentrail::cli::{Cli, Command};
use tokentrail::flow::repeats::REPEATS;
use tokentrail::reduce::{self, Reducing};
use tokentrail::report::{self, Format};
use tokentrail::{settings, shards};

/// The moment of every judgement here, and what keeps the exit code to what was read.
const JUDGED: [&str; 4] = ["--as-of", "2026-11-24T00:00:00Z", "--fail-on", "never"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tokentrail_in(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = process::Command::new(env!("CARGO_BIN_EXE_tokentrail"));
    child::run(command.args(args).current_dir(dir).env_clear(), input)
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
fn a_trailer_that_counts_more_files_is_missed_in_their_name() {
    let whole = sightings(&["fixtures/laptop"], &[]);
    let counts = |line: &&[u8]| line.windows(11).any(|it| it == b"not_claimed");
    let cut = lines(&whole).into_iter();
    // The trailer, which says how many there were, stays.
    let cut = cut.filter(|line| !counts(line) || line.windows(7).any(|it| it == b"trailer"));
    let cut = cut.collect::<Vec<_>>().concat();
    let problems = problems(&json(&correlate(&cut, &["-f", "json"])));
    let told = problems.iter().any(|it| it.contains("and 0 of "));
    assert!(told, "{problems:?}");
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

/// What the reduce half is asked for with these options.
fn reducing(options: &[&str]) -> Reducing {
    let args = [&["tokentrail", "correlate"], &JUDGED[..], options].concat();
    let Command::Correlate(asked) = Cli::try_parse_from(args).unwrap().command else {
        panic!("not the reduce half");
    };
    let rules = Arc::new(settings::rules(&[]).unwrap());
    let now = "2026-11-24T00:00:00Z".parse().unwrap();
    settings::reducing(&asked.judging, &asked.gate, &[], rules, now).unwrap()
}

/// The report of these lines, when no more sightings than `room` are kept in memory.
fn within(room: usize, lines: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    let merged = shards::read(&[file.path().to_owned()], room, &Rules::builtin().unwrap()).unwrap();
    let (told, _) = reduce::reduce(merged, &reducing(&[])).unwrap();
    let mut out = Vec::new();
    told.render(Format::Json, &mut out).unwrap();
    let mut lines = [Vec::new(), Vec::new()];
    told.render(Format::Ndjson, &mut lines[0]).unwrap();
    let whole = told.whole().unwrap();
    report::ndjson::render(whole, &mut lines[1]).unwrap();
    assert!(lines[0] == lines[1], "room for {room}");
    out
}

/// Sightings of groups that have nothing to do with each other, and all other lines: as an engine groups them.
fn grouped(text: &[u8], stats: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let weak = weak_keys(stats);
    let mut others = Vec::new();
    let mut group_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&[u8]>> = Vec::new();
    for line in lines(text) {
        let value: Value = serde_json::from_slice(line).unwrap();
        if value["type"] != "sighting" {
            others.extend(line);
            continue;
        }
        let links = links(&value, &weak);
        let known: BTreeSet<usize> = links
            .iter()
            .filter_map(|link| group_of.get(link).copied())
            .collect();
        let own = groups.len();
        let mut merged = vec![line];
        for group in known {
            merged.append(&mut groups[group]);
        }
        groups.push(merged);
        for group in group_of.values_mut() {
            if groups[*group].is_empty() {
                *group = own;
            }
        }
        group_of.extend(links.into_iter().map(|link| (link, own)));
    }
    let groups = groups.iter().filter(|group| !group.is_empty());
    (groups.map(|group| group.concat()).collect(), others)
}

fn weak_keys(stats: &[u8]) -> BTreeSet<String> {
    let mut sets: BTreeMap<(String, &str, String), BTreeSet<String>> = BTreeMap::new();
    for line in lines(stats) {
        let value: Value = serde_json::from_slice(line).unwrap();
        for what in ["beside", "answers"] {
            for (kind, digests) in value[what].as_object().into_iter().flatten() {
                let key = value["key"].as_str().unwrap().to_owned();
                let set = sets.entry((key, what, kind.clone())).or_default();
                let digests = digests.as_array().unwrap().iter();
                set.extend(digests.map(|it| it.as_str().unwrap().to_owned()));
            }
        }
    }
    let least = |what: &str| if what == "beside" { 2 } else { 3 };
    let weak = sets
        .iter()
        .filter(|((_, what, _), set)| set.len() >= least(what));
    weak.map(|((key, ..), _)| key.clone()).collect()
}

fn links(sighting: &Value, weak: &BTreeSet<String>) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut links = vec![format!("near:{}", text(&sighting["id"]))];
    links.extend(list(&sighting["near"]).iter().map(text));
    for credential in list(&sighting["credentials"]) {
        links.push(format!("credential:{}", text(&credential["id"])));
    }
    for key in list(&sighting["keys"]).iter().map(text) {
        if key.starts_with("challenge-") || !weak.contains(&key) {
            links.push(key);
        }
    }
    links.extend(sighting["exchange"].as_str().map(ToOwned::to_owned));
    if let Some(visit) = sighting["visit"].as_object() {
        links.push(text(&visit["own"]));
        let before = visit.get("ancestors").map(list).unwrap_or_default();
        links.extend(before.iter().map(|it| text(&it["key"])));
    }
    links
}

/// One log with one token in very many lines, and other lines between.
fn a_log_that_repeats_itself(lines: usize) -> String {
    let line = |number: usize| {
        let (minute, second) = (number / 60 % 60, number % 60);
        let hour = 1 + number / 3600;
        let path = match number % 100 {
            7 => format!(
                "/cb?code=SplxlOBeZQQYbYS6WxSb{number:06}&state=af0ifjsldkj0a1b2{number:06}"
            ),
            _ => "/api/items?access_token=2YotnFZFEjr1zCsicMWpAAbcdefgh".to_owned(),
        };
        format!(
            "203.0.113.7 - - [23/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 0 \"-\" \"-\"\n"
        )
    };
    (0..lines).map(line).collect()
}

#[test]
fn parts_of_whole_groups_are_one_scan() {
    let whole = sightings(&["fixtures"], &[]);
    let dir = tempfile::tempdir().unwrap();
    let stats_file = dir.path().join("stats");
    let stats_file = stats_file.to_str().unwrap();
    // Each machine says what it knows of its own share, in any cut.
    let all = lines(&whole);
    let mut stats = Vec::new();
    for share in all.chunks(all.len() / 3 + 1) {
        let share = share.concat();
        stats.extend(tokentrail(&["correlate", "--write-key-stats"], &share).stdout);
    }
    std::fs::write(stats_file, shuffled(&stats, 3)).unwrap();
    let (groups, others) = grouped(&whole, &stats);
    assert!(groups.len() > 50, "{} groups", groups.len());
    for (parts, options) in [
        (1, &[][..]),
        (3, &["--min-severity", "medium", "--since", "2026-11-01"]),
        (
            7,
            &["--verdict", "live", "--verdict", "inert", "--gate", "now"],
        ),
    ] {
        let mut told = others.clone();
        for part in 0..parts {
            let own = groups
                .iter()
                .enumerate()
                .filter(|(number, _)| number % parts == part);
            let own: Vec<&[u8]> = own.map(|(_, group)| &**group).collect();
            let input = shuffled(&[&*others, &own.concat()].concat(), part as u64 + 1);
            let options = [&["--key-stats", stats_file, "--part"], options].concat();
            let output = correlate(&input, &options);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            told.extend(&output.stdout);
            // A task that is run twice adds nothing.
            told.extend(&output.stdout);
        }
        for format in ["json", "table"] {
            let options = [&["-f", format], options].concat();
            let direct = scan(&["fixtures"], &options);
            let behind = correlate(&shuffled(&told, 5), &options);
            assert_eq!(behind.status, direct.status);
            assert!(behind.stdout == direct.stdout, "{parts} parts, {format}");
        }
    }
}

#[test]
fn what_waits_in_a_temporary_file_is_judged_alike() {
    let mut whole = sightings(&["fixtures"], &[]);
    let near = within(usize::MAX, &whole);
    assert!(near == scan(&["fixtures"], &["-f", "json"]).stdout);
    for room in [0, 1, 50, 400] {
        assert!(
            within(room, &shuffled(&whole, 7)) == near,
            "room for {room}"
        );
    }
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let told = pool.build().unwrap().install(|| within(100, &whole));
        assert!(told == near, "{threads} threads");
    }
    whole.extend(shuffled(&whole, 9));
    assert!(within(10, &whole) == near, "twice");
}

#[test]
fn a_value_in_very_many_lines_is_one_finding() {
    const LINES: usize = 5_000;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("access.log"),
        a_log_that_repeats_itself(LINES),
    )
    .unwrap();
    let map = tokentrail_in(dir.path(), &["scan", "--sightings", "access.log"], b"").stdout;
    let near = within(usize::MAX, &map);
    assert!(within(20, &shuffled(&map, 2)) == near);
    let report: Value = serde_json::from_slice(&near).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let tokens: Vec<&Value> = findings
        .iter()
        .filter(|it| it["kind"] == "access_token")
        .collect();
    let [token] = tokens[..] else {
        panic!("{} tokens", tokens.len());
    };
    assert_eq!(token["sightings_total"], LINES - LINES / 100);
    let by_source = &token["sightings_by_source"][0];
    assert_eq!(by_source["sightings"], LINES - LINES / 100);
    assert_eq!(by_source["first_at"], "2026-11-23T01:00:00Z");
    assert_eq!(by_source["last_at"], "2026-11-23T02:23:19Z");
    assert_eq!(token["last_seen_at"], "2026-11-23T02:23:19Z");
    let steps = |trail: &Value| trail["steps"].as_array().unwrap().len();
    let trails = report["trails"].as_array().unwrap().iter();
    assert_eq!(trails.map(steps).max(), Some(REPEATS));
}

#[test]
fn key_stats_that_are_none_stop_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let stats = dir.path().join("stats");
    std::fs::write(&stats, "{\"type\":\"redirect\",\"digest\":\"hunter2\"}\n").unwrap();
    let whole = sightings(&["fixtures/har"], &[]);
    for name in [&stats, &dir.path().join("missing")] {
        let output = tokentrail(
            &["correlate", "--key-stats", name.to_str().unwrap()],
            &whole,
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(
            !String::from_utf8(output.stderr)
                .unwrap()
                .contains("hunter2")
        );
    }
}
