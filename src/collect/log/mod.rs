//! Reads logs: needles over a buffer of whole lines, the record around each hit, its parts, its
//! observations. What a format looks like is data (`rules/logs.toml`); a line in no known format goes on
//! as text.

mod claim;
mod columns;
mod escape;
mod json;
mod lines;
mod observe;
mod partial;
mod record;
mod request;
mod stamp;
mod threads;
mod transcode;

use std::cell::Cell;
use std::io::Read;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::evidence::Encoding;
use super::{Context, Evidence, Observation, ReadError, Reader, Sink};
use crate::atoms::rules::log_format::LogFormats;
use crate::atoms::{Digest, Source};
pub(super) use claim::{is_log_name, is_text};
pub use lines::{MAX_LINE, WINDOW};
use lines::{Run, Runs};
use observe::Position;
use partial::{Joined, Joiner};
use record::Grammar;
pub use record::{Part, Record};

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
    let (input, start): (Box<dyn Read + Send>, u64) = match utf16 {
        Some((encoding, mark)) => (
            Box::new(transcode::Utf16::new(input, encoding, mark)),
            mark as u64,
        ),
        None => (input, 0),
    };
    let mut session = Session::new(source, ctx, utf16.is_some(), start);
    session.joiner = Joiner::new(bounds.max_line);
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

/// What is known while a log is read from its start to its end.
struct Session<'a> {
    ctx: &'a Context<'a>,
    source: &'a Arc<Source>,
    digest: Digest,
    header: columns::Header,
    joiner: Joiner,
    /// Number and offset of the next line.
    number: u64,
    byte: u64,
    utf16: bool,
    /// Whether the next run goes on in a line that was cut.
    inside: bool,
    /// Whether it is known that no header line comes.
    headless: bool,
}

impl<'a> Session<'a> {
    fn new(source: &'a Arc<Source>, ctx: &'a Context<'a>, utf16: bool, start: u64) -> Self {
        Self {
            ctx,
            source,
            digest: source.digest(),
            header: columns::Header::default(),
            joiner: Joiner::without_envelope(),
            number: 1,
            byte: start,
            utf16,
            inside: false,
            headless: false,
        }
    }

    /// Whether what a line means depends on nothing above it, and where it stands on its bytes alone.
    fn may_be_split(&self) -> bool {
        let stateful = self.header.is_set() || self.joiner.needs_every_line() || self.utf16;
        !stateful && rayon::current_num_threads() > 1
    }

    /// One for the lines of a run without a header line, where [`Self::may_be_split`].
    fn fork(&self, number: u64, byte: u64) -> Self {
        Self {
            number,
            byte,
            headless: true,
            ..Self::new(self.source, self.ctx, false, 0)
        }
    }

    /// Whether any line of the run says what the lines below it mean.
    fn has_header(&self, run: &[u8]) -> bool {
        let mut header = columns::Header::default();
        // A `#` is rarer in a log than a line's end.
        memchr::memchr_iter(b'#', run).any(|mark| {
            let (before, from) = run.split_at_checked(mark).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
            if without_noise(before.get(start..).unwrap_or_default()).is_empty() {
                let end = memchr::memchr(b'\n', from).unwrap_or(from.len());
                let line = from.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                header.read(line, &self.ctx.rules.formats);
            }
            header.is_set()
        })
    }

    /// Every line of the run that may matter.
    fn run(&mut self, run: &Run<'_>, sink: &mut dyn FnMut(Observation)) {
        let bytes = run.bytes;
        let mut ahead = Ahead::new(bytes);
        let (mut at, mut counted) = (0, 0);
        while at < bytes.len() {
            if at == 0 && !self.inside {
                self.joiner.look(bytes);
            }
            let Some(next) = self.next(bytes, at, &mut ahead) else {
                break;
            };
            let before = bytes.get(at..next).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(at, |newline| at + newline + 1);
            let after = bytes.get(next..).unwrap_or_default();
            let end = memchr::memchr(b'\n', after).map_or(bytes.len(), |newline| next + newline);
            self.advance(bytes.get(counted..start).unwrap_or_default());
            counted = start;
            self.line(bytes.get(start..end).unwrap_or_default(), sink);
            at = end + 1;
        }
        self.advance(bytes.get(counted..).unwrap_or_default());
        self.inside = run.cut;
    }

    /// Offset, at or after `at`, of something in the next line that matters.
    fn next(&self, bytes: &[u8], at: usize, ahead: &mut Ahead<'_>) -> Option<usize> {
        let passwords = self
            .header
            .section
            .as_ref()
            .is_some_and(|section| section.holds_passwords);
        if passwords || self.joiner.needs_every_line() {
            return Some(at);
        }
        let header = (!self.headless).then(|| ahead.header(at)).flatten();
        // Between here and the next header line only.
        let reach = header.map_or(bytes, |header| bytes.get(..header).unwrap_or(bytes));
        self.ctx.rules.needles.find(reach, at).or(header)
    }

    fn advance(&mut self, bytes: &[u8]) {
        self.number += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.byte += if self.utf16 {
            transcode::width(bytes)
        } else {
            bytes.len() as u64
        };
    }

    fn line(&mut self, line: &[u8], sink: &mut dyn FnMut(Observation)) {
        let line = without_noise(line.strip_suffix(b"\r").unwrap_or(line));
        if line.starts_with(b"#") && self.header.read(line, &self.ctx.rules.formats) {
            return self.remark(line, sink);
        }
        let (number, byte) = (self.number, self.byte);
        if !self.joiner.needs_every_line() {
            return self.records(line, number, byte, sink);
        }
        match self.joiner.take(line, number, byte) {
            Joined::Whole => self.records(line, number, byte, sink),
            Joined::Kept => {}
            Joined::Complete(joined) => {
                self.records(&joined.bytes, joined.number, joined.byte, sink);
            }
        }
    }

    /// What a header line says beside what it says of the records below it: a remark may be anything, and so may a word
    /// in a list of columns that is no name.
    fn remark(&self, line: &[u8], sink: &mut dyn FnMut(Observation)) {
        let needles = &self.ctx.rules.needles;
        let position = Position {
            number: self.number,
            byte: self.byte,
            ordinal: 0,
        };
        for text in columns::remarks(line).filter(|text| needles.hit(text)) {
            let members = Cell::new(json::MAX_MEMBERS);
            let record = self.grammar(None, &members).unknown(text);
            observe::observe(&record, position, self.source, &self.digest, needles, sink);
        }
    }

    fn grammar<'g>(
        &'g self,
        section: Option<&'g columns::Section>,
        members: &'g Cell<usize>,
    ) -> Grammar<'g> {
        Grammar {
            formats: &self.ctx.rules.formats,
            section,
            tz: self.ctx.log_timezone,
            members,
        }
    }

    /// Records of a line: one, except where the writer glued two together.
    fn records(&self, line: &[u8], number: u64, byte: u64, sink: &mut dyn FnMut(Observation)) {
        let passwords = self
            .header
            .section
            .as_ref()
            .is_some_and(|section| section.holds_passwords);
        let needles = &self.ctx.rules.needles;
        if line.is_empty() || !(passwords || needles.hit(line)) {
            return;
        }
        let members = Cell::new(json::MAX_MEMBERS);
        let grammar = self.grammar(self.header.section.as_ref(), &members);
        for (ordinal, (offset, bytes)) in record::glued(line, &self.ctx.rules.formats)
            .into_iter()
            .enumerate()
        {
            let position = Position {
                number,
                byte: byte + offset as u64,
                ordinal: ordinal as u64,
            };
            let record = grammar.read(bytes);
            observe::observe(&record, position, self.source, &self.digest, needles, sink);
        }
    }

    /// Records whose last part never came.
    fn end(&mut self, sink: &mut dyn FnMut(Observation)) {
        for joined in self.joiner.rest() {
            self.records(&joined.bytes, joined.number, joined.byte, sink);
        }
    }
}

/// A line without what may stand before it: a byte order mark, and the NULs that a crash leaves where the tail of a file
/// was not written.
fn without_noise(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let nuls = line.iter().take_while(|byte| **byte == 0).count();
    line.get(nuls..).unwrap_or_default()
}

/// Where the next header line of a run is. Asked for rising offsets, so each is found once.
struct Ahead<'a> {
    bytes: &'a [u8],
    found: Option<usize>,
    searched: bool,
}

impl<'a> Ahead<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            found: None,
            searched: false,
        }
    }

    /// Offset of the next `#` at the start of a line, at or after `at`, which is the start of one.
    fn header(&mut self, at: usize) -> Option<usize> {
        let stale = !self.searched || self.found.is_some_and(|found| found < at);
        if stale {
            self.searched = true;
            let rest = self.bytes.get(at..)?;
            // A `#` is rarer in a log than a line's end.
            let mut marks = memchr::memchr_iter(b'#', rest);
            let begins = |mark: &usize| {
                mark.checked_sub(1)
                    .is_none_or(|before| rest.get(before) == Some(&b'\n'))
            };
            self.found = marks.find(begins).map(|mark| at + mark);
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_are_found_at_any_start() {
        let bytes = b"#a\nb#\n#c\nd";
        let mut ahead = Ahead::new(bytes);
        assert_eq!(ahead.header(0), Some(0));
        assert_eq!(ahead.header(3), Some(6));
        assert_eq!(ahead.header(9), None);
    }

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
