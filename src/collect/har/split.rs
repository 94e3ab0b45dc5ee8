//! Cuts a HAR document of any size into its entries and pages while it streams by, and keeps no more
//! than one of them. Knows JSON's brackets and strings, and the two member names; judges no entry.

use std::io::{self, Read};

use super::json::unescape;
use super::text::Position;

/// Bounds of what is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of an entry that are kept together.
    pub(super) item: usize,
    /// Bytes of each window on the rest of a larger one.
    pub(super) window: usize,
    /// Bytes that two windows share, so that no credential shorter than half of it is cut in both.
    pub(super) overlap: usize,
}

impl Limits {
    /// 16 MiB hold the bodies that browsers keep (Firefox stops at 1 MiB) and bound the memory of a worker.
    /// Header fields and tokens end at 8 KiB in common servers, hence the overlap.
    pub(super) const USUAL: Self = Self {
        item: 16 << 20,
        window: 1 << 20,
        overlap: 16 << 10,
    };
}

/// Levels above the entries whose names are remembered. A HAR has two; `serde_json` stops here too.
const MAX_DEPTH: usize = 128;

/// Bytes of a member name above the entries that are kept.
const MAX_KEY: usize = 256;

/// What the document is, told from its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Entries are the items of arrays called `entries`.
    Document,
    /// The root object is an entry.
    Entry,
    /// The root array holds the entries.
    Entries,
}

/// What a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// An item of `entries`.
    Entry,
    /// An item of `pages`.
    Page,
}

/// How much of it a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// All.
    Whole,
    /// The input ended inside.
    Cut,
    /// The first [`Limits::item`] bytes.
    Head,
    /// A window on what follows the head.
    Rest,
}

/// An entry or a page, as it stands in the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    /// How many of its kind came before it in the file, whichever array they stood in.
    pub(super) index: u64,
    /// JSON pointer of the entry or page.
    pub(super) pointer: &'a str,
    /// Where `bytes` begin.
    pub(super) at: Position,
    pub(super) bytes: &'a [u8],
    pub(super) part: Part,
}

/// How the document ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// With its last bracket.
    Whole,
    /// Inside a value.
    Cut,
    /// Something that is no JSON follows it.
    Followed,
}

/// What was seen of the document as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Entries, the cut one included.
    pub(super) entries: u64,
    /// Whether there was a place for entries, be it empty.
    pub(super) has_entries: bool,
    /// Whether `entries` stood in `log`.
    pub(super) has_log: bool,
    pub(super) end: End,
    /// Where reading stopped.
    pub(super) at: Position,
    /// Most bytes held at a time.
    pub(super) held: usize,
}

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
    buffer: Vec<u8>,
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

/// An entry or page whose end was not seen yet.
#[derive(Debug)]
struct Item {
    kind: Kind,
    index: u64,
    pointer: String,
    at: Position,
    depth: u64,
    in_string: bool,
    escaped: bool,
    headless: bool,
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
            buffer: Vec::new(),
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
            let used = if let Some(item) = self.item.take() {
                self.inside(item, rest, on)
            } else if let Some(text) = self.string.take() {
                self.in_string(text, rest)
            } else if self.frames.is_empty() {
                self.at_root(rest)
            } else {
                self.between(rest)
            };
            let (seen, after) = rest.split_at_checked(used).unwrap_or((rest, &[]));
            self.here.advance(seen);
            rest = after;
        }
        !self.followed
    }

    fn finish(mut self, on: &mut dyn FnMut(Piece<'_>)) -> Outcome {
        let cut = self.item.is_some() || self.string.is_some() || !self.frames.is_empty();
        if let Some(item) = self.item.take() {
            let part = if item.headless { Part::Rest } else { Part::Cut };
            self.hand_on(&item, part, on);
        }
        self.outcome.end = match (self.followed, cut) {
            (true, _) => End::Followed,
            (false, true) => End::Cut,
            (false, false) => End::Whole,
        };
        self.outcome.at = self.here;
        self.outcome.held = self.buffer.capacity();
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
        let mut names = self.frames.iter().rev().map(|frame| match frame {
            Frame::Object { key, .. } => key.as_slice(),
            Frame::Array { .. } => &[],
        });
        match names.next()? {
            b"entries" => {
                self.outcome.has_entries = true;
                self.outcome.has_log |= names.next() == Some(b"log");
                Some(Kind::Entry)
            }
            b"pages" => Some(Kind::Page),
            _ => None,
        }
    }

    fn begin(&mut self, kind: Kind) {
        let counter = match kind {
            Kind::Entry => &mut self.outcome.entries,
            Kind::Page => &mut self.pages,
        };
        let index = *counter;
        *counter = counter.saturating_add(1);
        self.buffer.clear();
        self.item = Some(Item {
            kind,
            index,
            pointer: self.frames.iter().map(Frame::segment).collect(),
            at: self.here,
            depth: 0,
            in_string: false,
            escaped: false,
            headless: false,
        });
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

    /// Takes the bytes of an entry up to its end, the end of the block, or the bound.
    fn inside(&mut self, mut item: Item, rest: &[u8], on: &mut dyn FnMut(Piece<'_>)) -> usize {
        let limit = if item.headless {
            self.limits.window
        } else {
            self.limits.item
        };
        let space = limit.saturating_sub(self.buffer.len());
        let rest = rest.get(..space).unwrap_or(rest);
        let (used, ended) = item.consume(rest);
        self.buffer
            .extend_from_slice(rest.get(..used).unwrap_or(rest));
        if ended {
            let part = if item.headless {
                Part::Rest
            } else {
                Part::Whole
            };
            self.hand_on(&item, part, on);
            return used;
        }
        if self.buffer.len() >= limit {
            let part = if item.headless {
                Part::Rest
            } else {
                Part::Head
            };
            self.hand_on(&item, part, on);
            item.headless = true;
            let spent = self.buffer.len().saturating_sub(self.limits.overlap);
            item.at
                .advance(self.buffer.get(..spent).unwrap_or_default());
            self.buffer.drain(..spent);
        }
        self.item = Some(item);
        used
    }

    fn hand_on(&self, item: &Item, part: Part, on: &mut dyn FnMut(Piece<'_>)) {
        on(Piece {
            kind: item.kind,
            index: item.index,
            pointer: &item.pointer,
            at: item.at,
            bytes: &self.buffer,
            part,
        });
    }
}

impl Frame {
    /// Its reference token in a JSON pointer (RFC 6901 §3). A member name from the evidence may be
    /// anything, a URL with a token in it too: one that is not plainly a name is shown as `*`.
    fn segment(&self) -> String {
        match self {
            Self::Array { index, .. } => format!("/{index}"),
            Self::Object { key, .. } => {
                let name = unescape(key);
                let plain = name.len() <= 40
                    && name
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte));
                let name = if plain {
                    String::from_utf8_lossy(&name)
                } else {
                    "*".into()
                };
                format!("/{name}")
            }
        }
    }
}

impl Item {
    /// Number of bytes that belong to it, and whether they end it.
    fn consume(&mut self, rest: &[u8]) -> (usize, bool) {
        let mut used = 0_usize;
        loop {
            let tail = rest.get(used..).unwrap_or_default();
            if tail.is_empty() {
                return (used, false);
            }
            if std::mem::take(&mut self.escaped) {
                used = used.saturating_add(1);
                continue;
            }
            let stop = if self.in_string {
                memchr::memchr2(b'"', b'\\', tail)
            } else {
                tail.iter()
                    .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))
            };
            used = used.saturating_add(stop.map_or(tail.len(), |at| at.saturating_add(1)));
            match stop.and_then(|at| tail.get(at)) {
                Some(b'"') => self.in_string = !self.in_string,
                Some(b'\\') => self.escaped = true,
                Some(b'{' | b'[') => self.depth = self.depth.saturating_add(1),
                Some(_) => self.depth = self.depth.saturating_sub(1),
                None => {}
            }
            if self.depth == 0 {
                return (used, true);
            }
        }
    }
}
