//! A baseline written and pruned by what a saved result holds. Renders text; what an entry means is decided in
//! `judge::baseline`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;

use jiff::Timestamp;

use super::telling;
use super::terminal::escape;
use super::wire::{Finding, Report};
use crate::atoms::Digest;
use crate::judge::baseline::{Accepted, Baseline, VERSION};

/// Why a result cannot prune a baseline: what it does not tell of may still be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PruneError {
    /// Filters were in effect.
    #[error(
        "left {0} findings out; prune with a result without --min-severity, --verdict, --since and --until"
    )]
    Filtered(u64),
    /// Something was not read.
    #[error("tells of {0} sources that were not read to their end; prune with a complete result")]
    Unread(usize),
    /// Its moment is no time.
    #[error("has an `as_of` that is no time")]
    Moment,
}

/// Accepts every leak of the result that is not accepted at its moment; the count of those.
pub fn accept(
    baseline: &mut Baseline,
    report: &Report,
    reason: Option<&str>,
    until: Option<Timestamp>,
) -> usize {
    if let Ok(as_of) = report.run.as_of.parse() {
        baseline.retain(|_, entry| !entry.is_over(as_of));
    }
    let before = baseline.entries().count();
    for finding in &report.findings {
        if let Some(leak) = Digest::parse(&finding.leak) {
            baseline.add(
                leak,
                Accepted {
                    what: Some(what(finding).into()),
                    reason: reason.map(Into::into),
                    until,
                },
            );
        }
    }
    baseline.entries().count().saturating_sub(before)
}

/// Forgets leaks that the result no longer has, and those whose time has passed; the count of those.
pub fn prune(baseline: &mut Baseline, report: &Report) -> Result<usize, PruneError> {
    let as_of: Timestamp = report.run.as_of.parse().map_err(|_| PruneError::Moment)?;
    if report.summary.left_out > 0 {
        return Err(PruneError::Filtered(report.summary.left_out));
    }
    let sources = report.sources.iter();
    let unread = sources.filter(|it| matches!(&*it.status, "partial" | "failed"));
    match unread.count() {
        0 => {}
        unread => return Err(PruneError::Unread(unread)),
    }
    let leaks: BTreeSet<Digest> = report
        .findings
        .iter()
        .filter_map(|finding| Digest::parse(&finding.leak))
        .collect();
    Ok(baseline.retain(|leak, entry| leaks.contains(&leak) && !entry.is_over(as_of)))
}

/// The text of a baseline, sorted by what people read.
pub fn render(baseline: &Baseline, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "# Leaks that are accepted, by `leak` of the findings. With a reason they are suppressed, without one\n# known; neither makes a run fail. After `until` (a date or a time) a leak counts again.\nversion = {VERSION}"
    )?;
    let mut entries: Vec<(Digest, &Accepted)> = baseline.entries().collect();
    entries.sort_by(|a, b| (&a.1.what, a.0).cmp(&(&b.1.what, b.0)));
    for (leak, entry) in entries {
        writeln!(out, "\n[[leak]]\nid = \"{leak}\"")?;
        let until = entry.until.map(|until| until.to_string());
        let fields = [
            ("what", entry.what.as_deref()),
            ("reason", entry.reason.as_deref()),
            ("until", until.as_deref()),
        ];
        for (name, text) in fields {
            if let Some(text) = text {
                writeln!(out, "{name} = {}", quoted(text))?;
            }
        }
    }
    Ok(())
}

/// `access_token in fragment access_token, flow implicit, of shop at https://app.example`.
fn what(finding: &Finding) -> String {
    let what = finding.weakness.as_ref().unwrap_or(&finding.kind);
    let told = telling::told(finding);
    let part = told.and_then(|told| Some((told.slot.as_ref()?, told.name.as_ref()?)));
    let part = part.map_or(String::new(), |(slot, name)| format!(" in {slot} {name}"));
    let of = telling::application(finding).map_or(String::new(), |it| format!(", of {it}"));
    escape(&format!("{what}{part}, flow {}{of}", finding.flow)).into_owned()
}

/// A basic string of TOML 1.0.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\x1f' | '\x7f' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        let mut baseline = Baseline::default();
        for (name, reason) in [("a", Some("quote \" back \\ line\nend\u{7f}")), ("b", None)] {
            baseline.add(
                Digest::of([name.as_bytes()]),
                Accepted {
                    what: Some(name.into()),
                    reason: reason.map(Into::into),
                    until: Some(Timestamp::UNIX_EPOCH),
                },
            );
        }
        let mut out = Vec::new();
        render(&baseline, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let read = Baseline::parse(&text, |text| text.parse().ok());
        assert_eq!(read, Ok(baseline), "{text}");
    }
}
