//! The stories under `tests/flows/`: each explains one flow and what it leaves behind, holds the evidence that
//! it would leave, and says what must be found in it. This file reads them and runs them through the library.
//!
//! A story is Markdown with fenced blocks:
//!
//! - `values`: `name = jwt {…}`, `name = saml Response`, `name = text …`; `"@12:00:00"` is that time as a number.
//!   A name that is not defined is a made-up opaque value.
//! - `history`: `12:00:00 <1 redirect https://…`, where `<1` is the line that the visit came from.
//! - `log`: `12:00:00 GET https://… 302 -> https://… referer https://…`.
//! - `app-log`: `12:00:00 {…}` or `12:00:00 text`, as a program writes of itself.
//! - `shell`: `12:00:00 command`, as the history of a shell has it; lines that begin with a blank are of the same command.
//! - `har-entry`: such a line, then `> Header: value`, `> form: …`, `< json: …`, `< Set-Cookie: …`.
//! - `storage local https://origin` (or `session`, `cookie`): `key = value`.
//! - `expect`: `as-of`, and one line for each trail and each finding.
//!
//! In all of them `{name}` is a value, `{%name}` the value percent-encoded, `{s256:name}` its SHA-256 as a PKCE
//! challenge, `{hash:name}` the left half of it, as in `at_hash`.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and speed is no concern"
)]

#[path = "flows/account.rs"]
mod account;
#[path = "flows/found.rs"]
mod found;
#[path = "flows/grouped.rs"]
mod grouped;
#[path = "flows/story.rs"]
mod story;

use std::collections::BTreeSet;
use std::path::Path;

use account::Told;
use grouped::Account;
use story::Story;
use tokentrail::atoms::rules::Rules;
use tokentrail::detect::Sighting;
use tokentrail::flow::{self, Correlated};
use tokentrail::judge::Finding;

#[test]
fn every_story_tells_what_is_found_in_its_evidence() {
    let rules = Rules::builtin().expect("the built-in rules");
    let mut failures = Vec::new();
    for (name, text) in stories().into_iter().chain(cases()) {
        if let Err(difference) = tell(&Story::parse(&text), &rules) {
            failures.push(format!("{name}\n{difference}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} stories differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Groups that have nothing to do with each other can be put together apart, as on many machines.
#[test]
fn every_story_is_told_alike_in_groups() {
    let rules = Rules::builtin().expect("the built-in rules");
    let mut groups = 0;
    for (name, text) in stories().into_iter().chain(cases()) {
        let whole = Told::of(&Story::parse(&text), &rules).correlated;
        let (apart, more) = Account::in_groups(&whole, &rules);
        assert_eq!(apart, Account::of(&whole), "{name}");
        groups += more;
    }
    let told = stories().len() + cases().len();
    assert!(groups > told, "{groups} groups of {told} stories");
}

/// All that is said of each story, down to the sightings that a clue names: `SNAPSHOTS=overwrite cargo test --test
/// flows` accepts it; read the diff.
#[test]
fn every_story_is_told_as_in_the_snapshot() {
    let rules = Rules::builtin().expect("the built-in rules");
    let mut told = String::new();
    for (name, text) in stories().into_iter().chain(cases()) {
        told += &Told::of(&Story::parse(&text), &rules).account(&name);
    }
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .eq(told, snapbox::file!["flows/told.txt"].raw());
}

#[test]
fn the_table_of_flows_lists_every_story_and_no_other() {
    let table = read(&root().join("docs/flows.md"));
    let mut listed = BTreeSet::new();
    for (_, after) in table
        .match_indices("(../tests/flows/")
        .map(|(at, found)| table.split_at(at + found.len()))
    {
        let (name, _) = after.split_once(')').expect("a closing parenthesis");
        listed.insert(name.to_owned());
    }
    let told: BTreeSet<String> = stories().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, told);
}

/// The difference between what a story expects and what is found, if there is one.
fn tell(story: &Story, rules: &Rules) -> Result<(), String> {
    let Told {
        correlated,
        findings,
        ..
    } = Told::of(story, rules);
    let mut expected = story.expected.clone();
    let mut found = lines(&correlated, &findings);
    // A story that gives no verdict is about the flow alone.
    let verdicts = |line: &String| line.starts_with("finding") && line.contains(" | ");
    if findings.is_empty() || !expected.iter().any(verdicts) {
        expected = expected.iter().map(|line| without_verdict(line)).collect();
        found = found.iter().map(|line| without_verdict(line)).collect();
    }
    expected.sort();
    found.sort();
    if expected == found {
        return Ok(());
    }
    let marked = |mark: char, lines: &[String], other: &[String]| -> String {
        let new = lines.iter().filter(|line| !other.contains(line));
        new.map(|line| format!("  {mark} {line}\n")).collect()
    };
    let mut report = marked('-', &expected, &found) + &marked('+', &found, &expected);
    if report.is_empty() {
        report = format!(
            "  expected {} lines, found {}: {found:#?}\n",
            expected.len(),
            found.len()
        );
    }
    for sighting in &correlated.sightings {
        report += &format!("    {}\n", shown(sighting));
    }
    Err(report)
}

/// One sighting, to see why a story differs. Stories hold made-up values only.
fn shown(sighting: &Sighting) -> String {
    let credentials: Vec<_> = sighting
        .credentials
        .iter()
        .map(|c| format!("{}@{}={}", c.name, c.slot.as_str(), c.kind.as_str()))
        .collect();
    let url = sighting.url.as_ref().map(tokentrail::atoms::Masked::as_str);
    format!(
        "{} {} [{}]",
        sighting.role.as_str(),
        url.unwrap_or("-"),
        credentials.join(" ")
    )
}

/// What was found, in the words of an `expect` block.
fn lines(correlated: &Correlated, findings: &[Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for trail in &correlated.trails {
        let modifiers: Vec<_> = trail
            .modifiers
            .iter()
            .map(|modifier| modifier.as_str())
            .collect();
        let weaknesses: Vec<_> = trail
            .weaknesses
            .iter()
            .map(|weakness| weakness.kind.as_str())
            .collect();
        let mut line = format!("trail {}", trail.grant.as_str());
        part(&mut line, "modifiers", &modifiers.join(" "));
        if trail.pkce != flow::Pkce::NotObserved {
            part(&mut line, "pkce", trail.pkce.as_str());
        }
        part(&mut line, "weaknesses", &weaknesses.join(" "));
        lines.push(line);
    }
    for exposure in &correlated.exposures {
        let mut line = format!(
            "finding {} {}",
            exposure.kind.as_str(),
            exposure.flow.as_str()
        );
        if let Some(finding) = findings
            .iter()
            .find(|f| f.credential == Some(exposure.credential))
        {
            part(&mut line, "at exposure", finding.at_exposure.state.as_str());
            part(&mut line, "now", finding.now.state.as_str());
            part(&mut line, "needs", &finding.at_exposure.needs.join(" "));
        }
        lines.push(line);
    }
    lines
}

fn part(line: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        line.push_str(&format!(" | {name}: {value}"));
    }
}

fn without_verdict(line: &str) -> String {
    if line.starts_with("finding") {
        line.split(" | ").next().unwrap().to_owned()
    } else {
        line.to_owned()
    }
}

/// File name and text of every story, by name.
fn stories() -> Vec<(String, String)> {
    texts("tests/flows")
}

/// The cases under `tests/flows/cases/`: stories of one sentence, several to a file, each under its own heading.
fn cases() -> Vec<(String, String)> {
    let mut cases = Vec::new();
    for (name, text) in texts("tests/flows/cases") {
        for case in format!("\n{text}").split("\n# ").skip(1) {
            let (title, text) = case.split_once('\n').expect("a text below its title");
            cases.push((format!("{name}: {title}"), text.to_owned()));
        }
    }
    cases
}

fn texts(folder: &str) -> Vec<(String, String)> {
    let mut texts: Vec<_> = std::fs::read_dir(root().join(folder))
        .expect("a folder of the tests")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, read(&path))
        })
        .collect();
    texts.sort();
    texts
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
