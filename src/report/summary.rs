//! What a person reads first: five lines that say how bad it is, what to revoke, who leaks, what to change and how
//! much was read; then what a thief of each browser profile can do.

use std::io;

use super::headline::Headline;
use super::table::{Look, NARROWEST, SEVERITIES};
use super::telling::{bytes, plural, words};
use super::terminal::{escape, wrap};
use super::wire::{Act, Counts, Report};

/// Statuses of a source.
const STATUSES: [&str; 4] = ["read", "partial", "unsupported", "failed"];

/// Things that a thief can do which one line names.
const ACTS: usize = 4;

/// Names of a kind that one line holds.
const NAMES: usize = 3;

/// Width of the labels.
const LABEL: usize = 9;

/// Writes the summary.
pub(super) fn render(report: &Report, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let summary = &report.summary;
    let headline = Headline::of(report);
    let severities = SEVERITIES.map(|(name, _)| name);
    let mut found = plural(summary.findings, "finding");
    add(&mut found, ": ", &counts(&summary.by_severity, &severities));
    if summary.left_out > 0 {
        let left_out = summary.left_out.to_string();
        add(&mut found, " (", &(left_out + " left out by filters)"));
    }
    let accepted = counts(&summary.by_status, &["known", "suppressed"]);
    add(&mut found, "; by the baseline ", &accepted);
    let change = headline.change.map_or("nothing".into(), |(text, _, of)| {
        format!("{} ({of} of {})", escape(text), summary.findings)
    });
    let mut read = bytes(summary.bytes);
    add(&mut read, ", ", &counts(&summary.sources, &STATUSES));
    if summary.not_claimed > 0 {
        add(&mut read, "; not evidence: ", &most(&report.not_claimed));
    }
    say("", &found, look, out)?;
    say("Revoke:", &revoke(&headline, report), look, out)?;
    say("Leaking:", &leaking(&headline), look, out)?;
    say("Change:", &change, look, out)?;
    say("Read:", &read, look, out)?;
    thieves(report, look, out)
}

/// Writes an answer: as one line, or as wide as the terminal, with what follows below what it says.
fn say(label: &str, text: &str, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let indent = if label.is_empty() { 0 } else { LABEL };
    if !look.terminal {
        return writeln!(out, "{label:indent$}{text}");
    }
    let width = usize::from(look.width.max(NARROWEST)) - LABEL;
    for (index, line) in wrap(text, width).iter().enumerate() {
        match index {
            0 => writeln!(out, "{label:indent$}{line}")?,
            _ => writeln!(out, "{:LABEL$}{line}", "")?,
        }
    }
    Ok(())
}

/// `1 live, 2 unknown at 2026-11-24T00:00:00Z: 2 access_token, 1 refresh_token; issued by …`.
fn revoke(headline: &Headline<'_>, report: &Report) -> String {
    let as_of = &report.run.as_of;
    if headline.usable.is_empty() {
        let nothing = match (report.summary.left_out, headline.accepted) {
            (0, 0) => "nothing that is usable",
            (0, _) => "nothing new that is usable",
            (_, 0) => "nothing of what is shown is usable",
            (_, _) => "nothing new of what is shown is usable",
        };
        let accepted = match headline.accepted {
            0 => String::new(),
            1 => "; one that the baseline accepts may be".into(),
            more => format!("; {more} that the baseline accepts may be"),
        };
        return format!("{nothing} at {as_of}{accepted}");
    }
    let issuers = names(headline.issuers.iter().map(|(name, _)| escape(name)));
    let issuers = match &*issuers {
        "" => String::new(),
        issuers => format!("; issued by {issuers}"),
    };
    format!(
        "{} at {as_of}: {}{issuers}",
        numbered(&headline.usable),
        numbered(&headline.kinds)
    )
}

fn leaking(headline: &Headline<'_>) -> String {
    let all = headline.leaking.iter();
    let each =
        all.map(|(application, flow, _)| format!("{} by {flow}", escape(application)).into());
    match names(each) {
        none if none.is_empty() => "no application".into(),
        names => names,
    }
}

/// The first few, and how many more.
fn names<'a>(all: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> String {
    let mut all: Vec<_> = all.collect();
    let more = all.len().saturating_sub(NAMES);
    all.truncate(NAMES);
    match more {
        0 => all.join(", "),
        more => format!("{} and {more} more", all.join(", ")),
    }
}

fn numbered(counts: &[(&str, usize)]) -> String {
    let each = counts.iter().map(|(name, count)| format!("{count} {name}"));
    each.collect::<Vec<_>>().join(", ")
}

/// What whoever copies a profile can do with it at `as_of`; profiles that give nothing away are not named.
fn thieves(report: &Report, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    for profile in &report.profiles {
        let acts = &profile.thief_can.acts;
        if acts.is_empty() {
            continue;
        }
        let names = [
            &profile.host,
            &profile.user,
            &profile.browser,
            &profile.profile,
        ];
        let name: Vec<String> = names
            .into_iter()
            .flatten()
            .map(|name| escape(name).into_owned())
            .collect();
        let shown: Vec<String> = acts.iter().take(ACTS).map(act).collect();
        let more = match acts.len().saturating_sub(ACTS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let name = match name.join(" / ") {
            name if name.is_empty() => "the profile".to_owned(),
            name => name,
        };
        let text = format!("A thief of {name}: {}{more}", shown.join("; "));
        say("", &text, look, out)?;
    }
    Ok(())
}

/// `call api at portal-bff (live)`.
fn act(act: &Act) -> String {
    let place = act.application.as_ref().or(act.issuer.as_ref());
    let place = place.map_or(String::new(), |place| format!(" at {}", escape(place)));
    let held = held_in(act).map_or(String::new(), |stores| format!(", in {stores}"));
    format!("{}{place} ({}{held})", words(&act.act), act.state)
}

/// The first store, and how many more.
fn held_in(act: &Act) -> Option<String> {
    let (first, others) = act.held_in.split_first()?;
    let name = escape(&first.store).into_owned();
    Some(match others.len() {
        0 => name,
        more => format!("{name} and {more} more"),
    })
}

fn add(line: &mut String, joint: &str, text: &str) {
    if !text.is_empty() {
        line.push_str(joint);
        line.push_str(text);
    }
}

/// Counts in the order of their names in `order`.
fn counts(counts: &Counts, order: &[&str]) -> String {
    let words: Vec<String> = order
        .iter()
        .filter_map(|name| Some(format!("{} {name}", counts.get(*name)?)))
        .collect();
    words.join(", ")
}

/// All counts, largest first.
fn most(counts: &Counts) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let words: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {}", escape(name)))
        .collect();
    words.join(", ")
}
