//! Cuts a HAR document of any size into its entries and pages while it streams by, and keeps no more
//! than one of them. Knows JSON's brackets and strings, and the two member names; judges no entry.

use std::borrow::Cow;
use std::io::{self, Read};

use super::piece::{End, Item, Kept, Kind, Limits, Outcome, Outside, Piece, Shape};
use super::text::Position;
use crate::collect::json::unescape;
use crate::collect::names::public_name;

/// Levels above the entries whose names are remembered. A HAR has two; `serde_json` stops here too.
const MAX_DEPTH: usize = 128;

/// Bytes of a member name above the entries that are kept.
const MAX_KEY: usize = 256;

/// Reads `input` to its end, `buffer` bytes at a time, and hands on the pieces in their order.
/// When reading fails, the piece at hand is handed on as cut, and the error comes with the outcome.
pub(super) fn split(
    input: &mut dyn Read,
    buffer: usize,
    mut splitter: Splitter,
    on: &mut dyn FnMut(Piece<'_>),
) -> (Outcome, Option<io::Error>) {
    let mut block = vec![0; buffer.max(1)];
    let mut error = None;
    loop {
        let read = match input.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(failed) if failed.kind() == io::ErrorKind::Interrupted => continue,
            Err(failed) => {
                error = Some(failed);
                break;
            }
        };
        if !splitter.feed(block.get(..read).unwrap_or_default(), on) {
            break;
        }
    }
    let mut outcome = splitter.finish(on);
    outcome.held = outcome.held.saturating_add(block.len());
    (outcome, error)
}

/// The state between two blocks.
#[derive(Debug)]
pub(super) struct Splitter {
    shape: Shape,
    limits: Limits,
    here: Position,
    frames: Vec<Frame>,
    /// Levels open beyond [`MAX_DEPTH`].
    deeper: u64,
    string: Option<Text>,
    item: Option<Item>,
    kept: Kept,
    outside: Outside,
    pages: u64,
    root_seen: bool,
    followed: bool,
    outcome: Outcome,
}

/// An open container above the entries.
#[derive(Debug)]
enum Frame {
    Object { key: Vec<u8>, expects_key: bool },
    Array { index: u64, holds: Option<Kind> },
}

/// An open string above the entries.
#[derive(Debug)]
struct Text {
    escaped: bool,
    is_key: bool,
}

impl Splitter {
    /// A splitter for a document of this shape whose first byte stands at `start`.
    pub(super) fn new(shape: Shape, start: Position, limits: Limits) -> Self {
        Self {
            shape,
            limits,
            here: start,
            frames: Vec::new(),
            deeper: 0,
            string: None,
            item: None,
            kept: Kept::default(),
            outside: Outside::new(start),
            pages: 0,
            root_seen: false,
            followed: false,
            outcome: Outcome {
                entries: 0,
                has_entries: shape != Shape::Document,
                has_log: false,
                end: End::Whole,
                at: start,
                held: 0,
            },
        }
    }

    /// Takes the next bytes; false when the document has ended and something else follows.
    fn feed(&mut self, block: &[u8], on: &mut dyn FnMut(Piece<'_>)) -> bool {
        let mut rest = block;
        while !rest.is_empty() && !self.followed {
            let is_outside = self.item.is_none();
            let used = if let Some(mut item) = self.item.take() {
                let (used, ended) = item.take(rest, self.limits, on);
                if ended {
                    self.kept = item.into_kept();
                } else {
                    self.item = Some(item);
                }
                used
            } else if let Some(text) = self.string.take() {
                self.in_string(text, rest)
            } else if self.frames.is_empty() {
                self.at_root(rest)
            } else {
                self.between(rest)
            };
            let (seen, after) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            if is_outside {
                self.outside.take(seen, self.here, self.limits, on);
                if self.item.is_some() {
                    self.outside.end(true, on);
                }
            }
            self.here.advance(seen);
            rest = after;
        }
        !self.followed
    }

    fn finish(mut self, on: &mut dyn FnMut(Piece<'_>)) -> Outcome {
        let cut = self.item.is_some() || self.string.is_some() || !self.frames.is_empty();
        if let Some(mut item) = self.item.take() {
            item.cut(on);
            self.kept = item.into_kept();
        }
        self.outside.end(!cut, on);
        self.outcome.end = match (self.followed, cut) {
            (true, _) => End::Followed,
            (false, true) => End::Cut,
            (false, false) => End::Whole,
        };
        self.outcome.at = self.here;
        self.outcome.held = self.kept.capacity().max(self.outside.capacity());
        self.outcome
    }

    /// Before, between and behind root values. What stands before the first one was looked at by
    /// whoever claimed the file: blanks, a byte order mark, the call of JSONP.
    fn at_root(&mut self, rest: &[u8]) -> usize {
        let stop = rest.iter().position(|byte| match byte {
            b'{' | b'[' => true,
            b')' | b';' => false,
            _ => self.root_seen && !byte.is_ascii_whitespace(),
        });
        match stop {
            None => rest.len(),
            Some(0) => self.structure(rest.first().copied()),
            Some(blanks) => blanks,
        }
    }

    fn between(&mut self, rest: &[u8]) -> usize {
        let stop = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b':' | b','));
        match stop {
            None => rest.len(),
            Some(0) => self.structure(rest.first().copied()),
            Some(blanks) => blanks,
        }
    }

    /// Takes one structural byte; returns 0 when it was left for the entry that it begins.
    fn structure(&mut self, byte: Option<u8>) -> usize {
        match byte {
            Some(open @ (b'{' | b'[')) => return self.open(open),
            Some(b'}' | b']') if self.deeper > 0 => self.deeper = self.deeper.saturating_sub(1),
            Some(b'}' | b']') => drop(self.frames.pop()),
            Some(b'"') => {
                let is_key = self.deeper == 0
                    && matches!(
                        self.frames.last(),
                        Some(Frame::Object {
                            expects_key: true,
                            ..
                        })
                    );
                if let (true, Some(Frame::Object { key, .. })) = (is_key, self.frames.last_mut()) {
                    key.clear();
                }
                self.string = Some(Text {
                    escaped: false,
                    is_key,
                });
            }
            Some(b':' | b',') if self.deeper > 0 => {}
            Some(sign @ (b':' | b',')) => match self.frames.last_mut() {
                Some(Frame::Object { expects_key, .. }) => *expects_key = sign == b',',
                Some(Frame::Array { index, .. }) if sign == b',' => {
                    *index = index.saturating_add(1);
                }
                _ => {}
            },
            _ => self.followed = true,
        }
        1
    }

    fn open(&mut self, byte: u8) -> usize {
        let at_root = self.frames.is_empty();
        self.root_seen = true;
        if self.deeper > 0 || self.frames.len() >= MAX_DEPTH {
            self.deeper = self.deeper.saturating_add(1);
            return 1;
        }
        let item = match (byte, self.frames.last()) {
            (b'{', None) if self.shape == Shape::Entry => Some(Kind::Entry),
            (b'{', Some(Frame::Array { holds, .. })) => *holds,
            _ => None,
        };
        if let Some(kind) = item {
            self.begin(kind);
            return 0;
        }
        let frame = match byte {
            b'{' => Frame::Object {
                key: Vec::new(),
                expects_key: true,
            },
            _ if at_root && self.shape == Shape::Entries => Frame::Array {
                index: 0,
                holds: Some(Kind::Entry),
            },
            _ => Frame::Array {
                index: 0,
                holds: self.named_array(),
            },
        };
        self.frames.push(frame);
        1
    }

    /// What the array that begins here holds, by its name.
    fn named_array(&mut self) -> Option<Kind> {
        // A list in a list of entries.
        if let Some(Frame::Array { holds, .. }) = self.frames.last() {
            return *holds;
        }
        let mut names = self.frames.iter().rev().map(|frame| match frame {
            Frame::Object { key, .. } => unescape(key),
            Frame::Array { .. } => Cow::default(),
        });
        match names.next()?.as_ref() {
            b"entries" => {
                self.outcome.has_entries = true;
                self.outcome.has_log |= names.next().is_some_and(|name| *name == *b"log");
                Some(Kind::Entry)
            }
            b"pages" => Some(Kind::Page),
            _ => None,
        }
    }

    fn begin(&mut self, kind: Kind) {
        let counter = match kind {
            Kind::Entry => &mut self.outcome.entries,
            Kind::Page | Kind::Other => &mut self.pages,
        };
        let index = *counter;
        *counter = counter.saturating_add(1);
        let pointer = self.frames.iter().map(Frame::segment).collect();
        let kept = std::mem::take(&mut self.kept);
        self.item = Some(Item::new(kind, index, pointer, self.here, kept));
    }

    fn in_string(&mut self, mut text: Text, rest: &[u8]) -> usize {
        let mut used = 0_usize;
        let ended = loop {
            let tail = rest.get(used..).unwrap_or_default();
            if tail.is_empty() {
                break false;
            }
            if std::mem::take(&mut text.escaped) {
                used = used.saturating_add(1);
                continue;
            }
            let stop = memchr::memchr2(b'"', b'\\', tail);
            used = used.saturating_add(stop.map_or(tail.len(), |at| at.saturating_add(1)));
            match stop.and_then(|at| tail.get(at)) {
                Some(b'"') => break true,
                Some(_) => text.escaped = true,
                None => {}
            }
        };
        if let (true, Some(Frame::Object { key, .. })) = (text.is_key, self.frames.last_mut()) {
            let content = used.saturating_sub(usize::from(ended));
            let space = MAX_KEY.saturating_sub(key.len());
            key.extend(rest.iter().take(content).take(space));
        }
        self.string = (!ended).then_some(text);
        used
    }
}

impl Frame {
    /// Its reference token in a JSON pointer (RFC 6901 §3).
    fn segment(&self) -> String {
        match self {
            Self::Array { index, .. } => format!("/{index}"),
            Self::Object { key, .. } => segment(&unescape(key)),
        }
    }
}

/// Names of HAR 1.2 that are no words.
const OWN: [&str; 2] = ["redirectURL", "serverIPAddress"];

/// The reference token of a member. Its name comes from the evidence and may be anything, a token or a URL with one in it
/// too: one that is not plainly a name is shown as `*`.
pub(super) fn segment(name: &[u8]) -> String {
    let name = std::str::from_utf8(name).unwrap_or_default();
    // An item of a list is told by its index; a number of five digits is no credential either.
    let is_index = name.len() <= 5 && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = is_index && !name.is_empty() || OWN.contains(&name);
    let shown = if is_known { name } else { public_name(name) };
    format!("/{}", if shown.is_empty() { "*" } else { shown })
}

#[cfg(test)]
mod tests {
    use super::super::piece::Part;
    use super::super::text::Charset;
    use super::*;

    fn splitter(limits: Limits) -> Splitter {
        Splitter::new(Shape::Document, Charset::Utf8.start(), limits)
    }

    /// A capture that is made while it is read.
    struct Endless {
        entry: Vec<u8>,
        left: u64,
        at: usize,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Ok(0);
            }
            let read = (&self.entry[self.at..]).read(buffer)?;
            self.at = (self.at + read) % self.entry.len();
            self.left -= u64::from(self.at == 0);
            Ok(read)
        }
    }

    #[test]
    fn memory_is_that_of_one_entry_whatever_the_size_of_the_capture() {
        let body = "x\\\"{[".repeat(10_000);
        let entry =
            format!("{{\"response\":{{\"content\":{{\"text\":\"{body}\"}}}}}},\n").into_bytes();
        let entries = (200 << 20) / entry.len() as u64;
        let stream = Endless {
            entry,
            left: entries,
            at: 0,
        };
        let mut input = io::Cursor::new(b"{\"log\":{\"entries\":[".to_vec()).chain(stream);
        let mut pieces = 0;
        let (outcome, error) = split(&mut input, 1 << 16, splitter(Limits::USUAL), &mut |piece| {
            pieces += u64::from(piece.kind == Kind::Entry && piece.part == Part::Whole);
        });
        assert!(error.is_none());
        assert_eq!((pieces, outcome.end), (entries, End::Cut));
        assert_eq!(outcome.at.line, entries + 1);
        assert!(outcome.held < 1 << 18, "{}", outcome.held);
    }

    #[test]
    fn a_large_entry_comes_in_windows_that_overlap_and_the_next_one_whole() {
        let body: String = (0..10_000_u32)
            .map(|n| char::from_digit(n * n % 7 + n % 3, 10).unwrap())
            .collect();
        let file = format!("{{\"entries\":[\n{{\"text\":\"{body}\"}},\n{{\"b\":2}}]}}");
        let limits = Limits {
            item: 1000,
            window: 300,
            overlap: 50,
        };
        for size in [1, 7, 64, 5000, 100_000] {
            let (mut rebuilt, mut pieces) = (Vec::new(), Vec::new());
            let mut input = file.as_bytes();
            let (outcome, _) = split(&mut input, size, splitter(limits), &mut |piece| {
                pieces.push((piece.index, piece.part));
                let from = usize::try_from(piece.at.byte).unwrap();
                assert!(file.as_bytes()[from..].starts_with(piece.bytes));
                assert_eq!(piece.at.line, 2 + piece.index);
                if piece.index == 0 {
                    let known = rebuilt.len().saturating_sub(from - 13);
                    assert!(known == 0 || known == 50);
                    rebuilt.extend_from_slice(&piece.bytes[known..]);
                }
            });
            assert_eq!(rebuilt, &file.as_bytes()[13..file.len() - 11]);
            assert_eq!((pieces[0], pieces[1]), ((0, Part::Head), (0, Part::Rest)));
            assert_eq!(pieces.last(), Some(&(1, Part::Whole)));
            assert_eq!(outcome.end, End::Whole);
            // A vector doubles as it grows.
            assert!(outcome.held <= 2 * limits.item + size);
        }
    }

    #[test]
    fn the_names_above_an_entry_make_its_pointer() {
        let file =
            br#"[0, {"a b": {"entries": [[], {"x": [1]}, 7, {"pages": [{}]}]}, "pages": [{}]}]"#;
        let mut pointers = Vec::new();
        let _ = split(
            &mut file.as_slice(),
            3,
            splitter(Limits::USUAL),
            &mut |piece| {
                pointers.push((piece.kind, piece.pointer.to_owned()));
            },
        );
        let expected = [
            (Kind::Other, ""),
            (Kind::Entry, "/1/a b/entries/1"),
            (Kind::Entry, "/1/a b/entries/3"),
            (Kind::Page, "/1/pages/0"),
        ];
        assert_eq!(
            pointers,
            expected.map(|(kind, pointer)| (kind, pointer.to_owned()))
        );
    }
}
