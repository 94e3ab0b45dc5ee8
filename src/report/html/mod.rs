//! One page that people look at: opens offline, asks nobody for anything, and runs no script but its own. The parts
//! that do not change are drawn here; the list and the details of findings by the scripts beside this, from embedded JSON.

mod charts;
mod coverage;
mod data;
mod front;
mod svg;
mod text;
mod timeline;

use std::io;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::telling;
use super::wire::Report;
use crate::atoms::rules::Explanations;
use text::escaped;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// One function, so that no name of the script is a name of the page.
const SCRIPT: &str = concat!(
    "(() => {\n",
    include_str!("kit.js"),
    include_str!("diagram.js"),
    include_str!("detail.js"),
    include_str!("list.js"),
    "})();\n",
);

/// Writes the page.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let texts = Explanations::builtin().map_err(io::Error::other)?;
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("[[") {
        let (name, after) = after.split_once("]]").unwrap_or((after, ""));
        out.write_all(before.as_bytes())?;
        part(name, report, &texts, out)?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn part(
    name: &str,
    report: &Report,
    texts: &Explanations,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match name {
        "policy" => write!(out, "{}", policy()),
        "title" => write!(out, "{}", escaped(&title(report))),
        "style" => write!(out, "{STYLE}"),
        "script" => write!(out, "{SCRIPT}"),
        "menu" => menu(report, out),
        "front" => front::render(report, out),
        "timeline" => timeline::render(report, out),
        "charts" => charts::render(report, out),
        "thieves" => charts::thieves(report, out),
        "coverage" => coverage::render(report, out),
        "legend" => coverage::legend(texts, out),
        "footer" => footer(report, out),
        "data" => data::render(report, texts, out),
        _ => Ok(()),
    }
}

/// Nothing but what stands in the page. A meta tag may not name `frame-ancestors` or `sandbox` (CSP 3 §3.3).
fn policy() -> String {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

fn title(report: &Report) -> String {
    let of = report.run.label.as_ref().or(report.run.host.as_ref());
    let of = of.map_or(String::new(), |of| format!(" in {of}"));
    let count = telling::plural(report.summary.findings, "finding");
    format!("tokentrail: {count}{of}")
}

fn menu(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let parts = [
        ("timeline", "Timeline", timeline::has_any(report)),
        ("breakdown", "Breakdown", !report.findings.is_empty()),
        ("thieves", "Thieves", !report.profiles.is_empty()),
        ("findings", "Findings", true),
        ("coverage", "Coverage", true),
        ("words", "Verdicts", true),
    ];
    for (id, name, _) in parts.into_iter().filter(|(.., is_there)| *is_there) {
        write!(out, "<a href=\"#{id}\">{name}</a>")?;
    }
    Ok(())
}

fn footer(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let revealed = &report.run.options.reveal;
    if revealed.is_empty() {
        write!(
            out,
            "<p>This page holds no credential: values are masked by kind and length.</p>"
        )?;
    } else {
        write!(
            out,
            "<p class=\"warn\">This page shows {}: treat it like the evidence.</p>",
            escaped(&revealed.join(" and "))
        )?;
    }
    write!(
        out,
        "<p>{} {}, {}. Judged as of {}. The page opens no connection.</p>",
        escaped(&report.tool.name),
        escaped(&report.tool.version),
        escaped(&report.schema),
        escaped(&report.run.as_of)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_page_is_known() {
        let mut names: Vec<&str> = Vec::new();
        for part in PAGE.split("[[").skip(1) {
            names.push(part.split_once("]]").unwrap().0);
        }
        let known = [
            "policy", "title", "style", "menu", "front", "timeline", "charts", "thieves",
            "coverage", "legend", "footer", "data", "script",
        ];
        assert_eq!(names, known);
    }

    #[test]
    fn style_and_script_do_what_the_policy_allows() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "eval(",
            ".style",
            "http:",
        ] {
            let is_namespace = forbidden == "http:";
            let found = SCRIPT
                .lines()
                .any(|line| line.contains(forbidden) && !(is_namespace && line.contains("w3.org")));
            assert!(!found, "the script has {forbidden}");
        }
        assert!(!PAGE.contains("style=") && !PAGE.contains(" on"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
    }
}
