//! Reads logs: needles over a buffer of whole lines, the record around each hit, its parts, its
//! observations. What a format looks like is data (`rules/logs.toml`); a line in no known format goes on
//! as text.

mod apart;
mod audit;
mod claim;
mod columns;
mod commands;
mod document;
mod escape;
mod field;
mod json;
mod layout;
mod lines;
mod observe;
mod partial;
mod pem;
mod record;
mod records;
mod request;
mod session;
mod stamp;
mod threads;
mod transcode;

use std::cell::Cell;
use std::io::Read;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::evidence::Encoding;
use super::{Context, Evidence, ReadError, Reader, Sink};
use crate::atoms::Source;
use crate::atoms::rules::log_format::LogFormats;
pub(super) use audit::message as audit_message;
pub(super) use claim::{is_log_name, is_text};
pub(super) use field::Field;
use layout::Layout;
use lines::Runs;
pub use lines::{MAX_LINE, WINDOW};
pub(super) use observe::Spot;
use record::Grammar;
pub use record::{Part, Record};
use session::Session;

/// Logs, by their content or their name.
pub static LOG: Reader = Reader {
    name: "log",
    claims: |evidence, ctx| claim::looks_like_log(evidence, &ctx.rules.formats),
    read,
};

/// Any text, read as a log: for `--all-text`. Stands in no table.
pub static ANY_TEXT: Reader = Reader {
    name: "text",
    claims: |evidence, _| is_text(evidence.head()),
    read,
};

/// Bytes after which a log is worth the work of several threads.
const LONG: usize = 2 << 20;

/// How much more is decompressed at once than is read: threads hand a decoder on one to the other.
const DECODED: usize = 4;

/// Bounds of a reading, so that tests can bring every edge to every byte.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes read at once.
    pub window: usize,
    /// Longest line that is read as one.
    pub max_line: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            window: WINDOW,
            max_line: MAX_LINE,
        }
    }
}

/// Reads evidence as a log, with bounds of the caller's choice.
pub fn read_bounded(
    evidence: &Evidence,
    source: &Arc<Source>,
    ctx: &Context<'_>,
    sink: &mut Sink<'_>,
    bounds: Bounds,
) -> Result<(), ReadError> {
    let input = evidence.open()?;
    let utf16 = claim::utf16(evidence.head());
    let input = transcode::Text::new(input, utf16);
    let seams = input.seams();
    let layout =
        claim::text(evidence.head()).and_then(|head| Layout::of(evidence.file_name(), &head));
    let mut session = match layout {
        // What is read of the lines of an audit log are lines.
        None | Some(Layout::Audit) => Session::of_lines(source, ctx, bounds.max_line),
        Some(layout) => Session::of_records(source, ctx, layout),
    };
    let input: Box<dyn Read + Send> = match layout {
        Some(layout) => Box::new(records::Records::new(input, layout)),
        None => Box::new(input),
    };
    session.has_seams(seams, utf16.map_or(0, |(_, mark)| mark));
    let window = match (evidence.encoding(), evidence.len().map(usize::try_from)) {
        // A small file needs no large buffer; one byte more shows its end.
        (Encoding::Plain, Some(Ok(len))) => bounds.window.min(len.saturating_add(1)),
        (Encoding::Plain, _) => bounds.window,
        _ => bounds.window.saturating_mul(DECODED),
    };
    let mut runs = Runs::new(input, window, bounds.max_line);
    let mut cuts: u64 = 0;
    let mut alone = 0;
    while let Some(run) = runs.next() {
        cuts += u64::from(run.cut);
        session.run(&run, sink.observe);
        let before = alone;
        alone += run.bytes.len();
        if before < LONG && alone >= LONG && session.may_be_split() {
            cuts += threads::read(&mut runs, &mut session, sink.observe);
        }
    }
    session.end(sink.observe);
    cuts += session.joiner.cuts();
    if cuts > 0 {
        let mib = bounds.max_line >> 20;
        let why =
            format!("has lines longer than {mib} MiB, which were read in pieces ({cuts} cuts)");
        (sink.problem)(ReadError::Limit(why.into()));
    }
    runs.error()
        .map_or(Ok(()), |error| Err(evidence.error(error)))
}

/// Reads one record, header lines above it included, as the reader would. For tests of formats.
pub fn read_record(text: &[u8], formats: &LogFormats, tz: Option<&TimeZone>) -> Record<'static> {
    let mut header = columns::Header::default();
    let mut record = Record::default();
    for line in text.split(|byte| *byte == b'\n') {
        if line.starts_with(b"#") && header.read(line, formats) {
            continue;
        }
        let section = header.section.as_ref();
        let grammar = Grammar {
            formats,
            section,
            tz,
            members: &Cell::new(json::MAX_MEMBERS),
        };
        record = grammar.read(line).into_owned();
    }
    record
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    ctx: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    read_bounded(evidence, source, ctx, sink, Bounds::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_json_takes_of_the_members_of_its_line() {
        let formats = LogFormats::builtin().unwrap();
        let inner = format!("{{\\\"a\\\":[{}0]}}", "1,".repeat(9_000));
        let members: Vec<_> = (0..20).map(|n| format!("\"m{n}\":\"{inner}\"")).collect();
        let line = format!("{{{},\"end\":\"code=x\"}}", members.join(","));
        let record = read_record(line.as_bytes(), &formats, None);
        assert!(record.parts.len() < json::MAX_MEMBERS + 100);
        let values = record.parts.iter().map(|part| &part.value);
        assert!(values.clone().any(|value| value.ends_with(b"code=x")));
        let held: usize = values.map(|value| value.len()).sum();
        assert!(held <= line.len());
    }

    #[test]
    fn plain_words_are_one_text() {
        let formats = LogFormats::builtin().unwrap();
        let record = read_record(b"plain words", &formats, None);
        assert_eq!((record.format, record.parts.len()), (None, 1));
    }
}
