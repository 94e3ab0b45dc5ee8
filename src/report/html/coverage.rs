//! What was read and what was not, source by source; and the words of the page.

use std::io;

use super::super::telling::{self, bytes};
use super::super::wire::Report;
use super::text::escaped;
use crate::atoms::rules::Explanations;
use crate::atoms::rules::explain::Topic;

/// Sources that are listed: those that were not read come first.
const SOURCES: usize = 500;

/// Problems that are listed.
const PROBLEMS: usize = 200;

/// Writes the coverage.
pub(super) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "<section id=\"coverage\" aria-labelledby=\"coverage-title\"><h2 id=\"coverage-title\">Coverage</h2>"
    )?;
    problems(report, out)?;
    if !report.not_claimed.is_empty() {
        write!(
            out,
            "<h3>Files that are no evidence</h3><ul class=\"facts\">"
        )?;
        for (reason, count) in &report.not_claimed {
            write!(out, "<li><b>{count}</b> {}</li>", escaped(reason))?;
        }
        write!(out, "</ul>")?;
    }
    write!(
        out,
        "<h3>Sources</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sources\"><table><thead><tr><th scope=\"col\">Source</th><th scope=\"col\">Reader</th><th scope=\"col\" class=\"num\">Size</th><th scope=\"col\">Status</th><th scope=\"col\">SHA-256</th></tr></thead><tbody>"
    )?;
    let mut sources: Vec<_> = report.sources.iter().collect();
    sources.sort_by_key(|it| it.status == "read");
    for source in sources.iter().take(SOURCES) {
        let path = telling::path(&source.path, &source.members);
        let status = escaped(&source.status);
        let clock = source
            .clock_error_seconds
            .filter(|seconds| seconds.abs() >= 1.0);
        let clock = clock.map_or(String::new(), |seconds| format!(", clock {seconds:+} s"));
        write!(
            out,
            "<tr><th scope=\"row\" class=\"path\">{}</th><td>{}</td><td class=\"num\">{}</td><td><span class=\"r-{status}\">{status}</span>{clock}</td><td class=\"path\">{}</td></tr>",
            escaped(&path),
            escaped(source.reader.as_deref().unwrap_or("")),
            source.bytes.map(bytes).unwrap_or_default(),
            escaped(source.sha256.as_deref().unwrap_or("")),
        )?;
    }
    write!(out, "</tbody></table></div>")?;
    match report.sources.len().saturating_sub(SOURCES) {
        0 => write!(out, "</section>"),
        more => write!(out, "<p class=\"faint\">and {more} more</p></section>"),
    }
}

fn problems(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return write!(
            out,
            "<p class=\"calm\">Everything that a reader claimed was read to its end.</p>"
        );
    }
    write!(
        out,
        "<h3>Not read, or not to the end</h3><ul class=\"problems\">"
    )?;
    let alike = telling::alike(&report.problems);
    for (path, others, reason) in alike.iter().take(PROBLEMS) {
        write!(
            out,
            "<li><span class=\"path\">{}</span>{others}: {}</li>",
            escaped(path),
            escaped(reason)
        )?;
    }
    write!(out, "</ul>")?;
    match alike.len().saturating_sub(PROBLEMS) {
        0 => Ok(()),
        more => write!(out, "<p class=\"faint\">and {more} more</p>"),
    }
}

/// What the verdicts mean, in the words of `explain`.
pub(super) fn legend(texts: &Explanations, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "<section id=\"words\" aria-labelledby=\"words-title\"><h2 id=\"words-title\">What the verdicts mean</h2><dl class=\"words\">"
    )?;
    for entry in texts.entries() {
        if entry.topic == Topic::Verdict {
            write!(
                out,
                "<div><dt><span class=\"state v-{0}\">{0}</span> {1}</dt><dd>{2} {3}</dd></div>",
                escaped(&entry.id),
                escaped(&entry.title),
                escaped(&entry.means),
                escaped(&entry.fix)
            )?;
        }
    }
    write!(
        out,
        "</dl><p class=\"lead\">A verdict says how it is known: <b>proven</b> by the evidence, <b>documented</b> by a provider, <b>assumed</b> from a specification. Whether a token was revoked is not known unless the evidence shows it.</p></section>"
    )
}
