//! A report as one JSON object a line, for pipelines: the objects of the report, each with its `type` and
//! the id of its run, the run first and the summary last.

use std::io;

use serde::Serialize;

use super::json;
use super::wire::{Counts, Finding, Report, Run, Summary, Tool, Trail};
use crate::atoms::Digest;

/// The report, line by line.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let tags = Tags::of(report)?;
    begin(report, &tags, out)?;
    let finding = |it: &Finding, to: &mut Vec<u8>| tags.put(FINDING, &json::text(it)?, to);
    json::in_shares(&report.findings, &finding, out)?;
    let trail = |it: &Trail, to: &mut Vec<u8>| tags.put(TRAIL, &json::text(it)?, to);
    json::in_shares(&report.trails, &trail, out)?;
    end(report, &tags, out)
}

/// The same with these findings and trails, and not its own. Each is what [`json::text`] makes of it.
pub fn render_each(
    report: &Report,
    findings: impl Iterator<Item = io::Result<Vec<u8>>>,
    trails: impl Iterator<Item = io::Result<Vec<u8>>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let tags = Tags::of(report)?;
    begin(report, &tags, out)?;
    let mut line = Vec::new();
    let findings = findings.map(|text| (FINDING, text));
    for (name, text) in findings.chain(trails.map(|text| (TRAIL, text))) {
        line.clear();
        tags.put(name, &text?, &mut line)?;
        out.write_all(&line)?;
    }
    end(report, &tags, out)
}

/// What comes before the findings.
fn begin(report: &Report, tags: &Tags, out: &mut dyn io::Write) -> io::Result<()> {
    let line = Line::Run {
        schema: &report.schema,
        tool: &report.tool,
        details: &report.run,
    };
    tags.write(&line, out)
}

/// What comes behind the trails.
fn end(report: &Report, tags: &Tags, out: &mut dyn io::Write) -> io::Result<()> {
    let mut emit = |line: &Line<'_>| tags.write(line, out);
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

/// The `type` of a line.
type Name = &'static [u8];

const FINDING: Name = b"finding";
const TRAIL: Name = b"trail";

/// What every line has beside its object.
struct Tags {
    run: String,
}

impl Tags {
    fn of(report: &Report) -> io::Result<Self> {
        Ok(Self {
            run: run_id(report)?,
        })
    }

    fn write(&self, line: &Line<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let run = &self.run;
        json::line(&Tagged { line, run }, out)
    }

    /// Appends the line of an object that is JSON already, and not empty.
    fn put(&self, name: Name, object: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let fields = object
            .strip_prefix(b"{")
            .and_then(|it| it.strip_suffix(b"}"));
        let fields = fields.ok_or_else(|| io::Error::other("a line of the report is no object"))?;
        // A name and an id: nothing in them is to be escaped.
        let parts = [
            &b"{\"type\":\""[..],
            name,
            b"\",",
            fields,
            b",\"run\":\"",
            self.run.as_bytes(),
            b"\"}\n",
        ];
        for part in parts {
            out.extend_from_slice(part);
        }
        Ok(())
    }
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
    Profile(&'a super::wire::Profile),
    Source(&'a super::wire::Source),
    Problem(&'a super::wire::Problem),
    Summary {
        #[serde(flatten)]
        summary: &'a Summary,
        not_claimed_by_reason: &'a Counts,
    },
}
