//! What a person reads first: a handful of lines that say how bad it is, and the words for counts and sizes.

use std::io;

use super::table::SEVERITIES;
use super::terminal::escape;
use super::wire::{Act, Counts, Report};

/// States of a verdict, worst first.
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

/// Statuses of a source.
const STATUSES: [&str; 4] = ["read", "partial", "unsupported", "failed"];

/// Things that a thief can do which one line names.
const ACTS: usize = 4;

/// Writes the summary: how many and how bad, what they are worth, what they are, which flows, how much was
/// read; then what whoever copies each browser profile can do.
pub(super) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let summary = &report.summary;
    let severities = SEVERITIES.map(|(name, _)| name);
    let by_severity = counts(&summary.by_severity, &severities);
    write!(out, "{}", plural(summary.findings, "finding"))?;
    write_after(out, ": ", &by_severity)?;
    if summary.left_out > 0 {
        write!(out, " ({} left out by filters)", summary.left_out)?;
    }
    write!(out, "\nWorth at {}", report.run.as_of)?;
    match counts(&summary.by_state_now, &STATES).as_str() {
        "" => write!(out, ": nothing found")?,
        states => write_after(out, ": ", states)?,
    }
    writeln!(out, "\nKinds: {}", most(&summary.by_kind))?;
    writeln!(out, "Flows: {}", most(&summary.by_flow))?;
    write!(out, "Sources: {}", bytes(summary.bytes))?;
    write_after(out, ", ", &counts(&summary.sources, &STATUSES))?;
    if summary.not_claimed > 0 {
        write!(out, "; not evidence: {}", most(&report.not_claimed))?;
    }
    writeln!(out)?;
    thieves(report, out)
}

/// What whoever copies a profile can do with it at `as_of`; profiles that give nothing away are not named.
fn thieves(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
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
        writeln!(out, "A thief of {name}: {}{more}", shown.join("; "))?;
    }
    Ok(())
}

/// `call api at portal-bff (live)`.
fn act(act: &Act) -> String {
    let place = act.application.as_ref().or(act.issuer.as_ref());
    let place = place.map_or(String::new(), |place| format!(" at {}", escape(place)));
    format!("{}{place} ({})", act.act.replace('_', " "), act.state)
}

fn write_after(out: &mut dyn io::Write, joint: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    write!(out, "{joint}{text}")
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
    if words.is_empty() {
        "none".into()
    } else {
        words.join(", ")
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A size in the unit that keeps it short.
fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    for (shift, unit) in UNITS {
        if number >> shift > 0 {
            let tenths = (number >> (shift - 10)).saturating_mul(10) >> 10;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{number} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }
}
