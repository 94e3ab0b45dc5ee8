//! The first screen: what must be revoked now, who leaks by which flow, the one change that removes most of it, and
//! how much was read.

use std::collections::BTreeMap;
use std::io;

use super::super::headline::{Headline, USABLE, is_usable, most};
use super::super::table::SEVERITIES;
use super::super::telling::{bytes, plural, words};
use super::super::wire::Report;
use super::svg::{Part, bar};
use super::text::{clipped, escaped, moment};

/// Rows of a card: what fits the first screen.
const ROWS: usize = 5;

/// Issuers that a row names.
const NAMED: usize = 1;

/// Rows of applications and flows.
const PAIRS: usize = 7;

/// Characters of a name in a card.
const NAME: usize = 60;

/// Writes the first screen.
pub(super) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let headline = Headline::of(report);
    heading(report, &headline, out)?;
    write!(out, "<div class=\"cards\">")?;
    revoke(report, &headline, out)?;
    leaking(&headline, out)?;
    change(report, &headline, out)?;
    read(report, out)?;
    write!(out, "</div>")
}

fn heading(report: &Report, headline: &Headline<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let of = |states: &[&str]| -> usize {
        let all = headline.usable.iter();
        all.filter(|(state, _)| states.contains(state))
            .map(|(_, count)| count)
            .sum()
    };
    let (usable, unknown) = (of(&["live", "replayable"]), of(&["unknown"]));
    let said = match (usable, unknown) {
        (0, 0) => nothing(report, headline).to_owned(),
        (0, n) => format!("{} may be usable now.", plural(n as u64, "credential")),
        (n, 0) => format!("{} usable now.", are(n)),
        (n, m) => format!("{} usable now, and {m} more may be.", are(n)),
    };
    write!(
        out,
        "<section class=\"hero\" aria-labelledby=\"said\"><h1 id=\"said\">{said}</h1><p class=\"sub\">"
    )?;
    for (name, _) in SEVERITIES {
        if let Some(count) = report.summary.by_severity.get(name) {
            write!(
                out,
                "<button type=\"button\" class=\"chip s-{name}\" data-set=\"severity\" data-to=\"{name}\"><b>{count}</b> {name}</button>"
            )?;
        }
    }
    let run = &report.run;
    let labels = [run.label.as_deref(), run.host.as_deref()];
    for label in labels.into_iter().flatten() {
        write!(out, "<span class=\"tag\">{}</span>", escaped(label))?;
    }
    write!(out, "<span class=\"asof\">as of {}", moment(&run.as_of))?;
    if report.summary.left_out > 0 {
        write!(out, ", {} left out by filters", report.summary.left_out)?;
    }
    for status in ["known", "suppressed"] {
        if let Some(count) = report.summary.by_status.get(status) {
            write!(out, ", {count} {status}")?;
        }
    }
    write!(out, "</span></p></section>")
}

/// What is said when no new credential is usable: of all the evidence only where nothing was left out or accepted.
fn nothing(report: &Report, headline: &Headline<'_>) -> &'static str {
    let is_empty = report.findings.is_empty();
    match (report.summary.left_out, headline.accepted) {
        (0, _) if is_empty => "Nothing was found.",
        (_, _) if is_empty => "The filters leave nothing to show.",
        (0, 0) => "Nothing that was found is usable now.",
        (_, 0) => "Nothing that is shown is usable now.",
        (0, _) => "Nothing new is usable now.",
        (_, _) => "Nothing new that is shown is usable now.",
    }
}

/// `1 credential is`, `2 credentials are`.
fn are(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", plural(number as u64, "credential"))
}

/// Kinds, their states, and who can revoke them.
fn revoke(report: &Report, headline: &Headline<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let open = report.findings.iter().filter(|it| it.status == "new");
    let mut kinds: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for finding in open.filter(|it| is_usable(it)) {
        kinds.entry(&finding.kind).or_default().push(finding);
    }
    if kinds.is_empty() {
        let none = match report.summary.left_out {
            0 => "No credential in this evidence is usable as far as it shows.",
            _ => "No credential that is shown is usable.",
        };
        let said = match headline.accepted {
            0 => format!("<p class=\"calm\">{none}</p>"),
            n => {
                let accepted = plural(n as u64, "credential");
                format!("<p>Nothing new. {accepted} that the baseline accepts may be usable.</p>")
            }
        };
        return write!(
            out,
            "<section class=\"card\"><h2>Revoke now</h2>{said}</section>"
        );
    }
    write!(
        out,
        "<section class=\"card alarm\"><h2>Revoke now</h2><table class=\"plain\"><thead><tr><th scope=\"col\">Kind</th><th scope=\"col\">Worth</th><th scope=\"col\">Issued by</th></tr></thead><tbody>"
    )?;
    for (kind, _) in headline.kinds.iter().take(ROWS) {
        let Some(of_kind) = kinds.get(kind) else {
            continue;
        };
        write!(
            out,
            "<tr><th scope=\"row\"><button type=\"button\" class=\"link\" data-set=\"kind\" data-to=\"{}\">{}</button></th><td>",
            escaped(kind),
            escaped(&words(kind))
        )?;
        for state in USABLE {
            let count = of_kind.iter().filter(|it| it.now.state == state).count();
            if count > 0 {
                write!(
                    out,
                    "<span class=\"state v-{state}\">{count} {state}</span> "
                )?;
            }
        }
        let issuers = most(of_kind.iter().filter_map(|it| it.issuer.as_deref()));
        write!(out, "</td><td>{}</td></tr>", names(&issuers))?;
    }
    write!(out, "</tbody></table>")?;
    more(headline.kinds.len().saturating_sub(ROWS), out)?;
    if !headline.persons.is_empty() {
        let persons = headline.persons.iter().take(ROWS);
        let persons: Vec<String> = persons
            .map(|(name, value)| format!("{} {}", escaped(name), escaped(&clipped(value, NAME))))
            .collect();
        write!(out, "<p class=\"whose\">Whose: {}", persons.join(", "))?;
        match headline.persons.len().saturating_sub(ROWS) {
            0 => write!(out, "</p>")?,
            more => write!(out, " and {more} more</p>")?,
        }
    }
    write!(out, "</section>")
}

fn names(issuers: &[(&str, usize)]) -> String {
    let shown = issuers.iter().take(NAMED);
    let shown: Vec<String> = shown
        .map(|(name, _)| {
            let short = name.strip_prefix("https://").unwrap_or(name);
            escaped(&clipped(short, NAME))
        })
        .collect();
    match (shown.is_empty(), issuers.len().saturating_sub(NAMED)) {
        (true, _) => "<span class=\"faint\">not known</span>".into(),
        (_, 0) => shown.join(", "),
        (_, more) => format!(
            "{} <span class=\"faint\" title=\"and {more} more\">+{more}</span>",
            shown.join(", ")
        ),
    }
}

fn leaking(headline: &Headline<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "<section class=\"card\"><h2>Who leaks, by which flow</h2>"
    )?;
    let largest = headline.leaking.first().map_or(1, |(.., count)| *count) as u64;
    if headline.leaking.is_empty() {
        return write!(out, "<p class=\"calm\">No application.</p></section>");
    }
    write!(
        out,
        "<table class=\"plain\"><thead><tr><th scope=\"col\">Application</th><th scope=\"col\">Flow</th><th scope=\"col\" class=\"num\">Findings</th></tr></thead><tbody>"
    )?;
    for (application, flow, count) in headline.leaking.iter().take(PAIRS) {
        write!(
            out,
            "<tr><th scope=\"row\"><button type=\"button\" class=\"link\" data-set=\"app\" data-to=\"{}\">{}</button></th><td><span class=\"flow {}\">{}</span></td><td class=\"num\">{}{count}</td></tr>",
            escaped(application),
            escaped(&clipped(application, NAME)),
            super::charts::weight(flow),
            escaped(flow),
            bar(&[("b-usable", *count as u64)], largest)
        )?;
    }
    write!(out, "</tbody></table>")?;
    more(headline.leaking.len().saturating_sub(PAIRS), out)?;
    write!(out, "</section>")
}

fn more(number: usize, out: &mut dyn io::Write) -> io::Result<()> {
    match number {
        0 => Ok(()),
        more => write!(out, "<p class=\"faint\">and {more} more below</p>"),
    }
}

fn change(report: &Report, headline: &Headline<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "<section class=\"card\"><h2>The one change that removes most</h2>"
    )?;
    if let Some((text, references, of)) = headline.change {
        let all = report.summary.findings;
        write!(
            out,
            "<p class=\"big\">{}</p><div class=\"meter\">{}<p><b>{of}</b> of {}</p></div><p class=\"faint\">{}</p>",
            escaped(text),
            bar(&[("b-good", of as u64)], all),
            plural(all, "finding"),
            escaped(&references.join(", "))
        )?;
    } else {
        write!(out, "<p class=\"calm\">Nothing needs a change.</p>")?;
    }
    write!(out, "</section>")
}

fn read(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let sources = &report.summary.sources;
    let count = |status: &str| sources.get(status).copied().unwrap_or_default();
    let all: u64 = sources.values().sum();
    let parts: [Part; 4] = [
        ("b-good", count("read")),
        ("b-unknown", count("partial")),
        ("b-over", count("unsupported")),
        ("b-usable", count("failed")),
    ];
    write!(
        out,
        "<section class=\"card\"><h2>How much was read</h2><p class=\"big\"><b>{}</b> of {}, {}</p>{}<ul class=\"facts\">",
        count("read"),
        plural(all, "source"),
        bytes(report.summary.bytes),
        bar(&parts, all)
    )?;
    for status in ["partial", "unsupported", "failed"] {
        if count(status) > 0 {
            write!(out, "<li><b>{}</b> {status}</li>", count(status))?;
        }
    }
    if report.summary.not_claimed > 0 {
        write!(
            out,
            "<li><b>{}</b> not evidence</li>",
            plural(report.summary.not_claimed, "file")
        )?;
    }
    write!(
        out,
        "<li><b>{}</b> put together</li>",
        plural(report.summary.trails, "protocol run")
    )?;
    write!(
        out,
        "</ul><p class=\"faint\"><a href=\"#coverage\">What was read, and what was not</a></p></section>"
    )
}
