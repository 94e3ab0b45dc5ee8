//! A report as one JSON object a line, for pipelines: the objects of the report, each with its `type` and
//! the id of its run, the run first and the summary last.

use std::borrow::Borrow;
use std::io;

use serde::Serialize;

use super::json;
use super::wire::{Counts, Finding, Report, Run, Summary, Tool, Trail};
use crate::atoms::Digest;

/// The report, line by line.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = report.findings.iter().map(Ok);
    let trails = report.trails.iter().map(Ok);
    render_each(report, findings, trails, out)
}

/// The same with these findings and trails, and not its own.
pub fn render_each(
    report: &Report,
    findings: impl Iterator<Item = io::Result<impl Borrow<Finding>>>,
    trails: impl Iterator<Item = io::Result<impl Borrow<Trail>>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let run = run_id(report)?;
    let mut emit = |line: &Line<'_>| json::line(&Tagged { line, run: &run }, &mut *out);
    emit(&Line::Run {
        schema: &report.schema,
        tool: &report.tool,
        details: &report.run,
    })?;
    for finding in findings {
        emit(&Line::Finding(finding?.borrow()))?;
    }
    for trail in trails {
        emit(&Line::Trail(trail?.borrow()))?;
    }
    for profile in &report.profiles {
        emit(&Line::Profile(profile))?;
    }
    for source in &report.sources {
        emit(&Line::Source(source))?;
    }
    for problem in &report.problems {
        emit(&Line::Problem(problem))?;
    }
    emit(&Line::Summary {
        summary: &report.summary,
        not_claimed_by_reason: &report.not_claimed,
    })
}

/// The same for the same evidence and options, on any machine.
fn run_id(report: &Report) -> io::Result<String> {
    let run = serde_json::to_vec(&report.run)?;
    let sources = serde_json::to_vec(&report.sources)?;
    Ok(Digest::of([b"run".as_slice(), &run, &sources]).to_string())
}

#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(flatten)]
    line: &'a Line<'a>,
    run: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Run {
        schema: &'a str,
        tool: &'a Tool,
        #[serde(flatten)]
        details: &'a Run,
    },
    Finding(&'a Finding),
    Trail(&'a Trail),
    Profile(&'a super::wire::Profile),
    Source(&'a super::wire::Source),
    Problem(&'a super::wire::Problem),
    Summary {
        #[serde(flatten)]
        summary: &'a Summary,
        not_claimed_by_reason: &'a Counts,
    },
}
