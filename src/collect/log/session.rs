//! What is known while a log is read from its start to its end, and what is done with each of its lines that may
//! matter.

use std::cell::Cell;
use std::sync::Arc;

use super::layout::Layout;
use super::lines::Run;
use super::observe::{self, Spot};
use super::partial::{Joined, Joiner};
use super::record::Grammar;
use super::transcode::{self, Seams};
use super::{apart, columns, json, pem};
use crate::atoms::{Digest, Locator, Source};
use crate::collect::{Context, Observation};

/// A reading, and where it is.
pub(super) struct Session<'a> {
    ctx: &'a Context<'a>,
    source: &'a Arc<Source>,
    digest: Digest,
    header: columns::Header,
    pub(super) joiner: Joiner,
    /// Number and offset of the next line.
    pub(super) number: u64,
    pub(super) byte: u64,
    /// The offset in the text, and where that is not as it lies in the file.
    text: u64,
    seams: Seams,
    /// How the records follow each other, where they are no lines.
    layout: Option<Layout>,
    /// Whether the next run goes on in a line that was cut.
    inside: bool,
    /// Whether it is known that no header line comes.
    pub(super) headless: bool,
}

impl<'a> Session<'a> {
    /// One for lines of which so many bytes are read as one.
    pub(super) fn of_lines(source: &'a Arc<Source>, ctx: &'a Context<'a>, max_line: usize) -> Self {
        Self {
            joiner: Joiner::new(max_line),
            ..Self::new(source, ctx)
        }
    }

    /// One for records that are no lines, and above which nothing stands.
    pub(super) fn of_records(
        source: &'a Arc<Source>,
        ctx: &'a Context<'a>,
        layout: Layout,
    ) -> Self {
        Self {
            layout: Some(layout),
            headless: true,
            ..Self::new(source, ctx)
        }
    }

    fn new(source: &'a Arc<Source>, ctx: &'a Context<'a>) -> Self {
        Self {
            ctx,
            source,
            digest: source.digest(),
            header: columns::Header::default(),
            joiner: Joiner::without_envelope(),
            number: 1,
            byte: 0,
            text: 0,
            seams: Seams::default(),
            layout: None,
            inside: false,
            headless: false,
        }
    }

    /// Counts the bytes of a text that is not all as it lies in the file, behind a mark of so many.
    pub(super) fn has_seams(&mut self, seams: Seams, mark: usize) {
        self.seams = seams;
        self.byte = mark as u64;
    }

    /// Whether the text, as far as it was read, is not all as it lies in the file.
    pub(super) fn is_transcoded(&self) -> bool {
        self.seams.any()
    }

    /// Goes on behind so many lines and bytes, which are as they lie in the file.
    pub(super) fn go_on(&mut self, number: u64, byte: u64) {
        (self.number, self.byte, self.text) = (number, byte, byte);
    }

    /// Whether what a line means depends on nothing above it, and where it stands on its bytes alone.
    pub(super) fn may_be_split(&self) -> bool {
        let stateful =
            self.header.is_set() || self.joiner.needs_every_line() || self.is_transcoded();
        !stateful && rayon::current_num_threads() > 1
    }

    /// One for the lines of a run without a header line, where [`Self::may_be_split`].
    pub(super) fn fork(&self, number: u64, byte: u64) -> Self {
        Self {
            number,
            byte,
            layout: self.layout,
            headless: true,
            ..Self::new(self.source, self.ctx)
        }
    }

    /// Whether any line of the run says what the lines below it mean.
    pub(super) fn has_header(&self, run: &[u8]) -> bool {
        let mut header = columns::Header::default();
        marked(run).any(|line| {
            header.read(line, &self.ctx.rules.formats);
            header.is_set()
        })
    }

    /// Every line of the run that may matter.
    pub(super) fn run(&mut self, run: &Run<'_>, sink: &mut dyn FnMut(Observation)) {
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
            let end = pem::end(bytes, start, end);
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
        if self.holds_passwords() || self.joiner.needs_every_line() {
            return Some(at);
        }
        let header = (!self.headless).then(|| ahead.header(at)).flatten();
        // Between here and the next header line only.
        let reach = header.map_or(bytes, |header| bytes.get(..header).unwrap_or(bytes));
        self.ctx.rules.needles.find(reach, at).or(header)
    }

    /// Whether a column of the section has passwords, which need no needle.
    fn holds_passwords(&self) -> bool {
        let section = self.header.section.as_ref();
        section.is_some_and(|section| section.holds_passwords)
    }

    /// Lines of the file that end in these bytes.
    pub(super) fn lines(&self, bytes: &[u8]) -> u64 {
        let lines = match self.layout {
            Some(layout) => layout.lines(bytes),
            None => memchr::memchr_iter(b'\n', bytes).count(),
        };
        lines as u64
    }

    /// How many bytes of the file these of the line were.
    fn width(&self, bytes: &[u8]) -> u64 {
        transcode::width(bytes, self.seams.is_wide(self.text))
    }

    fn advance(&mut self, bytes: &[u8]) {
        self.number += self.lines(bytes);
        self.byte = self.seams.end(self.text, self.byte, bytes);
        self.text += bytes.len() as u64;
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
        for text in columns::remarks(line).filter(|text| needles.hit(text)) {
            let members = Cell::new(json::MAX_MEMBERS);
            let record = self.grammar(None, &members).unknown(text);
            let spot = self.spot(self.number, self.byte, 0);
            observe::observe(&record, spot, needles, sink);
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

    /// Records of a line: one, except where the writer glued two together, or wrote a document.
    fn records(&self, line: &[u8], number: u64, byte: u64, sink: &mut dyn FnMut(Observation)) {
        let passwords = self.holds_passwords();
        let needles = &self.ctx.rules.needles;
        let may_matter = |bytes: &[u8]| passwords || needles.hit(bytes);
        if line.is_empty() || !may_matter(line) {
            return;
        }
        let (mut number, mut byte, mut ordinal) = (number, byte, 0);
        let mut counted = 0;
        apart::each(line, &self.ctx.rules.formats, &mut |offset, bytes| {
            let before = line.get(counted..offset).unwrap_or_default();
            number += self.lines(before);
            byte += self.width(before);
            counted = offset;
            if bytes.len() == line.len() || may_matter(bytes) {
                let members = Cell::new(json::MAX_MEMBERS);
                let grammar = self.grammar(self.header.section.as_ref(), &members);
                let record = grammar.read(bytes);
                let spot = self.spot(number, byte, ordinal);
                observe::observe(&record, spot, needles, sink);
            }
            ordinal += 1;
        });
    }

    /// Where a record stands: on this line, at this byte, as which one on its line. The byte is that of the line, and
    /// for a record of a document, a later one on the same line, or a later piece of a line beyond the bound, its own.
    fn spot(&self, number: u64, byte: u64, ordinal: u64) -> Spot<'_> {
        Spot {
            source: self.source,
            digest: &self.digest,
            locator: Locator::Line { number, byte },
            record: [number, ordinal],
        }
    }

    /// Records whose last part never came.
    pub(super) fn end(&mut self, sink: &mut dyn FnMut(Observation)) {
        for joined in self.joiner.rest() {
            self.records(&joined.bytes, joined.number, joined.byte, sink);
        }
    }
}

/// The lines that begin with `#`, from there on.
fn marked(run: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = run;
    let lines = std::iter::from_fn(move || {
        // A `#` is rarer in a log than a line's end. Of each line only the first one is looked at: a line may hold
        // nothing else.
        let (before, from) = rest.split_at_checked(memchr::memchr(b'#', rest)?)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', from).unwrap_or(from.len());
        let (line, after) = from.split_at_checked(end)?;
        rest = after;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let before = without_noise(before.get(start..).unwrap_or_default());
        Some(before.is_empty().then_some(line))
    });
    lines.flatten()
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
    fn of_a_line_only_its_first_mark_is_looked_at() {
        let run = b"#a#\r\nx###\n\0\0#b\n\n \xff#\n\xef\xbb\xbf#c";
        assert_eq!(
            marked(run).collect::<Vec<_>>(),
            [b"#a#".as_slice(), b"#b", b"#c"]
        );
    }

    #[test]
    fn header_lines_are_found_at_any_start() {
        let bytes = b"#a\nb#\n#c\nd";
        let mut ahead = Ahead::new(bytes);
        assert_eq!(ahead.header(0), Some(0));
        assert_eq!(ahead.header(3), Some(6));
        assert_eq!(ahead.header(9), None);
    }
}
