//! A report for people: a summary that says how bad it is, then the findings, worst first. Fits the width
//! it is given; escapes everything that the evidence wrote.

use std::collections::HashMap;
use std::io;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::summary;
use super::telling::{self, plural};
use super::terminal::escape;
use super::wire::{Finding, Report, Sighting};
use crate::atoms::View;

/// Findings that the table shows. More than two screens are read as JSON, or filtered first.
const FINDINGS: usize = 50;

/// Problems that the table shows.
const PROBLEMS: usize = 20;

/// How the table looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether it is one. Elsewhere each answer of the summary is one line, so that it can be taken by its line.
    pub terminal: bool,
    /// Whether to colour severities.
    pub color: bool,
    /// Order of the findings.
    pub sort: Sort,
    /// What they are put together by.
    pub group: Option<Group>,
}

/// Orders of the findings. What is equal stays in the order of the report: worst first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// Worst first.
    #[default]
    Severity,
    /// Usable first.
    Verdict,
    /// Newest first; those without a time last.
    Newest,
    /// Oldest first; those without a time last.
    Oldest,
}

/// What findings are put together by. Groups stand in the order of their first finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// The client, or where nothing names it, the host.
    Application,
    /// The issuer.
    Issuer,
    /// The flow.
    Flow,
    /// The piece of evidence.
    Source,
}

/// Width of the labels: `code flow`, indented, and a space.
const LABEL: u16 = 12;

/// The least width that is used: what is narrower wraps.
pub(super) const NARROWEST: u16 = 40;

/// Severities as they are shown, worst first, with their colour (ECMA-48 §8.3.117).
pub(super) const SEVERITIES: [(&str, &str); 5] = [
    ("critical", "\x1b[1;31m"),
    ("high", "\x1b[31m"),
    ("medium", "\x1b[33m"),
    ("low", "\x1b[36m"),
    ("info", "\x1b[2m"),
];

/// States of a verdict, usable ones first.
const STATES: [&str; 9] = [
    "live",
    "replayable",
    "unknown",
    "guarded",
    "bound",
    "spent",
    "revoked",
    "expired",
    "inert",
];

/// Writes the table.
pub fn render(report: &Report, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    summary::render(report, look, out)?;
    let groups = grouped(&sorted(report, look.sort), look.group);
    for Grouped { name, all, shown } in groups.iter().take(FINDINGS) {
        if let Some(name) = name {
            let count = plural(*all, "finding");
            let less = match shown.len() as u64 {
                count if count == *all => String::new(),
                count => format!(", {count} shown"),
            };
            writeln!(out, "\n== {}: {count}{less}", escape(name))?;
        }
        let table = findings(shown, look.width.max(NARROWEST));
        for line in table.lines() {
            writeln!(out, "{}", colored(line.trim_end(), look.color))?;
        }
    }
    let more = groups.len().saturating_sub(FINDINGS);
    if more > 0 {
        writeln!(out, "\n{more} more groups.")?;
    }
    let more = report.findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        writeln!(
            out,
            "\n{more} more findings: `--format json` has them all, `--min-severity` and `--verdict` shorten the list."
        )?;
    }
    problems(report, out)
}

fn sorted(report: &Report, sort: Sort) -> Vec<&Finding> {
    let mut all: Vec<&Finding> = report.findings.iter().collect();
    let rank = |it: &Finding| STATES.iter().position(|state| *state == it.now.state);
    match sort {
        Sort::Severity => {}
        Sort::Verdict => all.sort_by_key(|it| rank(it)),
        // RFC 3339 in UTC with its zeros cut sorts as text but for fractions of a second.
        Sort::Newest => all.sort_by(|a, b| {
            let (a, b) = (&a.last_seen_at, &b.last_seen_at);
            (a.is_none(), b).cmp(&(b.is_none(), a))
        }),
        Sort::Oldest => all.sort_by_key(|it| (it.first_seen_at.is_none(), &it.first_seen_at)),
    }
    all
}

/// What is put together.
struct Grouped<'a> {
    name: Option<&'a str>,
    /// How many there are.
    all: u64,
    /// Those among the first [`FINDINGS`].
    shown: Vec<&'a Finding>,
}

fn grouped<'a>(findings: &[&'a Finding], group: Option<Group>) -> Vec<Grouped<'a>> {
    let mut groups: Vec<Grouped<'a>> = Vec::new();
    let mut places = HashMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let name = group.map(|group| group_of(finding, group).unwrap_or("not known"));
        let place = *places.entry(name).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Grouped {
                name,
                all: 0,
                shown: Vec::new(),
            });
        }
        if let Some(group) = groups.get_mut(place) {
            group.all += 1;
            group.shown.extend((at < FINDINGS).then_some(*finding));
        }
    }
    groups
}

fn group_of(finding: &Finding, group: Group) -> Option<&str> {
    match group {
        Group::Application => telling::application(finding),
        Group::Issuer => finding.issuer.as_deref(),
        Group::Flow => Some(&finding.flow),
        Group::Source => telling::told(finding).map(|told| &*told.source.path),
    }
}

/// Each finding as rows of a label and a text, with an empty row before it.
fn findings(shown: &[&Finding], width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    for finding in shown {
        table.add_row(["", ""]);
        for (label, text) in rows(finding) {
            table.add_row([escape(&label), escape(&text)]);
        }
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 1));
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(LABEL)));
    }
    if let Some(column) = table.column_mut(1) {
        column.set_padding((0, 0));
    }
    table
}

fn rows(finding: &Finding) -> Vec<(String, String)> {
    let told = telling::told(finding);
    let mut rows = vec![(finding.severity.to_uppercase(), telling::title(finding))];
    if finding.status != "new" {
        let why = finding.baseline.as_ref().and_then(|it| it.reason.as_ref());
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        rows.push(("  status".into(), format!("{}{why}", finding.status)));
    }
    let mut say = |label: &str, text: String| rows.push((format!("  {label}"), text));
    if let Some(value) = &finding.value {
        say("value", value.clone());
    }
    for (name, value) in finding.identities.iter().flatten() {
        say("person", format!("{name}: {value}"));
    }
    say("age", seen(finding));
    say("then", telling::verdict(&finding.at_exposure));
    say("now", telling::verdict(&finding.now));
    if let Some(sighting) = told {
        say("where", place(sighting, finding));
        if let Some(url) = &sighting.url {
            say("url", url.clone());
        }
    }
    let exposed = &finding.exposed_to;
    if !exposed.who.is_empty() {
        let reference = in_brackets(&exposed.reference);
        let who = exposed.who.join(", ");
        say("readers", format!("{who}: {}{reference}", exposed.attack));
    }
    if !exposed.code_flow.is_empty() {
        say("code flow", exposed.code_flow.clone());
    }
    if !finding.remediation.text.is_empty() {
        say("fix", finding.remediation.text.clone());
    }
    say("id", finding.id.clone());
    rows
}

/// The age, and the span in which it was seen.
fn seen(finding: &Finding) -> String {
    let Some((age, first)) = finding
        .age_seconds
        .map(telling::age)
        .zip(finding.first_seen_at.as_ref())
    else {
        return "the evidence has no time".into();
    };
    match &finding.last_seen_at {
        Some(last) if last != first => format!("{age}, seen {first} to {last}"),
        _ => format!("{age}, seen {first}"),
    }
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

fn place(sighting: &Sighting, finding: &Finding) -> String {
    let source = telling::path(&sighting.source.path, &sighting.source.members);
    let locator = telling::locator(&sighting.locator);
    let more = match finding.sightings_total.saturating_sub(1) {
        0 => String::new(),
        more => format!(", and {}", plural(more, "other sighting")),
    };
    let zone = if sighting.at_zone_assumed {
        ", zone of its time assumed"
    } else {
        ""
    };
    let deleted = if sighting.view == View::Recovered.as_str() {
        ", deleted, recovered"
    } else {
        ""
    };
    format!("{source}{locator}{deleted}{zone}{more}")
}

fn problems(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNot read, or not to the end:")?;
    let alike = telling::alike(&report.problems);
    for (path, others, reason) in alike.iter().take(PROBLEMS) {
        writeln!(out, "  {}{others}: {}", escape(path), escape(reason))?;
    }
    match alike.len().saturating_sub(PROBLEMS) {
        0 if alike.len() == report.problems.len() => Ok(()),
        0 => writeln!(out, "  `--format json` names each."),
        more => writeln!(out, "  and {more} more: `--format json` names each."),
    }
}

/// Colours the severity that stands at the start of a line. Only labels can stand there, and they are
/// our own words.
fn colored(line: &str, color: bool) -> String {
    if color {
        for (name, code) in SEVERITIES {
            let word = name.to_uppercase();
            if line.starts_with(&word) {
                return line.replacen(&word, &format!("{code}{word}\x1b[0m"), 1);
            }
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_fits_a_terminal_and_is_five_lines_elsewhere() {
        let saved = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/har.json");
        let report = super::super::json::parse(&std::fs::read(saved).unwrap()).unwrap();
        let summary = |width, terminal| {
            let look = Look {
                width,
                terminal,
                color: false,
                sort: Sort::default(),
                group: None,
            };
            let mut out = Vec::new();
            render(&report, look, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            text.split("\n\n").next().unwrap().to_owned()
        };
        let whole = summary(100, false);
        assert_eq!(whole.lines().count(), 5, "{whole}");
        for width in [40, 60, 80] {
            let wrapped = summary(width, true);
            assert!(
                wrapped.lines().all(|it| it.chars().count() <= width.into()),
                "{wrapped}"
            );
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&wrapped), words(&whole));
        }
        assert_eq!(summary(400, true), whole);
    }

    #[test]
    fn only_the_left_column_is_coloured() {
        assert_eq!(colored("HIGH  x", true), "\x1b[31mHIGH\x1b[0m  x");
        assert_eq!(colored("  url HIGH", true), "  url HIGH");
        assert_eq!(colored("HIGH  x", false), "HIGH  x");
    }
}
