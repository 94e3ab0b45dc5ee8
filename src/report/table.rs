//! A report for people: a summary that says how bad it is, then the findings, worst first. Fits the width
//! it is given; escapes everything that the evidence wrote.

use std::io;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::summary::{self, plural};
use super::terminal::escape;
use super::wire::{Finding, Locator, Report, Sighting, Verdict};
use crate::atoms::View;
use crate::detect::Channel;

/// Findings that the table shows. More than two screens are read as JSON, or filtered first.
const FINDINGS: usize = 50;

/// Problems that the table shows.
const PROBLEMS: usize = 20;

/// How the table looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether to colour severities.
    pub color: bool,
}

/// Width of the labels: `code flow`, indented, and a space.
const LABEL: u16 = 12;

/// The least width that is used: what is narrower wraps.
const NARROWEST: u16 = 40;

/// Severities as they are shown, worst first, with their colour (ECMA-48 §8.3.117).
pub(super) const SEVERITIES: [(&str, &str); 5] = [
    ("critical", "\x1b[1;31m"),
    ("high", "\x1b[31m"),
    ("medium", "\x1b[33m"),
    ("low", "\x1b[36m"),
    ("info", "\x1b[2m"),
];

/// Writes the table.
pub fn render(report: &Report, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    summary::render(report, out)?;
    if !report.findings.is_empty() {
        let table = findings(report, look.width.max(NARROWEST));
        for line in table.lines() {
            writeln!(out, "{}", colored(line.trim_end(), look.color))?;
        }
        let more = report.findings.len().saturating_sub(FINDINGS);
        if more > 0 {
            writeln!(
                out,
                "\n{more} more findings: `--format json` has them all, `--min-severity` shortens the list."
            )?;
        }
    }
    problems(report, out)
}

/// `3 d 4 h`: the two largest units of a number of seconds.
pub fn age(seconds: i64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400, "y"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "min"),
        (1, "s"),
    ];
    let mut rest = seconds.unsigned_abs();
    let mut words = Vec::new();
    for (size, unit) in UNITS {
        let number = rest / size;
        rest %= size;
        if number > 0 {
            words.push(format!("{number} {unit}"));
        }
        // The unit after the largest one, or nothing: `3 d 4 h`, and `3 d` rather than `3 d 5 s`.
        if words.len() == 2 || (words.len() == 1 && number == 0) {
            break;
        }
    }
    let words = if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    };
    if seconds < 0 {
        format!("{words} after as-of")
    } else {
        words
    }
}

/// Each finding as rows of a label and a text, with an empty row before it.
fn findings(report: &Report, width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    for finding in report.findings.iter().take(FINDINGS) {
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
    let told = told(finding);
    let mut rows = vec![(finding.severity.to_uppercase(), title(finding))];
    let mut say = |label: &str, text: String| rows.push((format!("  {label}"), text));
    if let Some(value) = &finding.value {
        say("value", value.clone());
    }
    for (name, value) in finding.identities.iter().flatten() {
        say("person", format!("{name}: {value}"));
    }
    say("age", seen(finding));
    say("then", verdict(&finding.at_exposure));
    say("now", verdict(&finding.now));
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

/// The sighting that stands for the others: the first that travelled through the address bar, since that is
/// what its flow is named after.
fn told(finding: &Finding) -> Option<&Sighting> {
    let front = |sighting: &&Sighting| sighting.channel == Channel::Front.as_str();
    let mut sightings = finding.sightings.iter();
    sightings.clone().find(front).or_else(|| sightings.next())
}

fn title(finding: &Finding) -> String {
    let part = told(finding).and_then(|sighting| {
        let (slot, name) = (sighting.slot.as_ref()?, sighting.name.as_ref()?);
        Some(format!(" in {slot} `{name}`"))
    });
    let what = match &finding.weakness {
        Some(weakness) => format!("weakness {weakness}"),
        None => format!("{} ({})", finding.kind, finding.shown),
    };
    format!("{what}{}, flow {}", part.unwrap_or_default(), finding.flow)
}

/// The age, and the span in which it was seen.
fn seen(finding: &Finding) -> String {
    let Some((age, first)) = finding
        .age_seconds
        .map(age)
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

fn verdict(verdict: &Verdict) -> String {
    let expires = verdict.expires_at.as_ref();
    let needs = (!verdict.needs.is_empty()).then(|| verdict.needs.join(" and "));
    let because = (!verdict.because.is_empty()).then_some(&verdict.because);
    [
        format!("{} ({})", verdict.state, verdict.basis),
        expires.map_or(String::new(), |at| format!(", until {at}")),
        needs.map_or(String::new(), |needs| format!(", needs {needs}")),
        because.map_or(String::new(), |because| format!(": {because}")),
    ]
    .concat()
}

fn place(sighting: &Sighting, finding: &Finding) -> String {
    let source = path(&sighting.source.path, &sighting.source.members);
    let locator = locator(&sighting.locator);
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

fn path(path: &str, members: &[String]) -> String {
    let members = members.iter().map(String::as_str);
    let parts: Vec<&str> = std::iter::once(path).chain(members).collect();
    parts.join(" › ")
}

fn locator(locator: &Locator) -> String {
    match locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => format!(", {table} row {rowid}, column {column}"),
        Locator::Line { number, .. } => format!(":{number}"),
        Locator::Entry {
            pointer,
            line,
            column,
            ..
        } => format!(":{line}:{column} {pointer}"),
        Locator::Record {
            file,
            key,
            sequence,
        } => format!(" {file} {key} #{sequence}"),
        Locator::Bytes {
            offset,
            file,
            within,
            uncertain,
        } => {
            let file = file.as_ref().map(|file| format!(", {file}"));
            let within = within
                .as_deref()
                .map(|within| format!(" ({})", self::within(within)));
            let guess = if *uncertain {
                ", where it ends is a guess"
            } else {
                ""
            };
            format!(
                "{} byte {offset}{}{guess}",
                file.unwrap_or_default(),
                within.unwrap_or_default()
            )
        }
    }
}

/// What residue lies in, in words.
fn within(name: &str) -> &str {
    match name {
        "free_page" => "page that was given up",
        "freeblock" => "block between rows",
        "unallocated" => "unused part of a page",
        "slack" => "behind the last page",
        "wal" => "log",
        "wal_slack" => "log behind its last commit",
        other => other,
    }
}

fn problems(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNot read, or not to the end:")?;
    for problem in report.problems.iter().take(PROBLEMS) {
        let path = path(&problem.path, &problem.members);
        writeln!(out, "  {}: {}", escape(&path), escape(&problem.reason))?;
    }
    let more = report.problems.len().saturating_sub(PROBLEMS);
    if more > 0 {
        writeln!(out, "  and {more} more: `--format json` has them all.")?;
    }
    Ok(())
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
    fn ages_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (273_600, "3 d 4 h"),
            (3 * 86_400 + 5, "3 d"),
            (400 * 86_400, "1 y 35 d"),
            (-60, "1 min after as-of"),
        ] {
            assert_eq!(age(seconds), words);
        }
        assert!(age(i64::MIN).ends_with("after as-of"));
    }

    #[test]
    fn only_the_left_column_is_coloured() {
        assert_eq!(colored("HIGH  x", true), "\x1b[31mHIGH\x1b[0m  x");
        assert_eq!(colored("  url HIGH", true), "  url HIGH");
        assert_eq!(colored("HIGH  x", false), "HIGH  x");
    }
}
