//! What the splitter hands on: an entry or a page, whole or, when it is too large to be kept together,
//! its head and then windows on the rest. Looks for no name.

use super::nesting::Nesting;
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

/// An entry or page whose end was not seen yet, and the bytes of it that are kept.
#[derive(Debug)]
pub(super) struct Item {
    kind: Kind,
    index: u64,
    pointer: String,
    at: Position,
    kept: Vec<u8>,
    nesting: Nesting,
    headless: bool,
}

impl Item {
    /// One whose first byte, its bracket, stands at `at`. `kept` is a buffer to be used again.
    pub(super) fn new(
        kind: Kind,
        index: u64,
        pointer: String,
        at: Position,
        kept: Vec<u8>,
    ) -> Self {
        let mut item = Self {
            kind,
            index,
            pointer,
            at,
            kept,
            nesting: Nesting::default(),
            headless: false,
        };
        item.kept.clear();
        item
    }

    /// Takes bytes up to its end, the end of the block, or the bound, and hands on what is due.
    /// Says how many it took, and whether they end it.
    pub(super) fn take(
        &mut self,
        block: &[u8],
        limits: Limits,
        on: &mut dyn FnMut(Piece<'_>),
    ) -> (usize, bool) {
        let (limit, whole, part) = if self.headless {
            (limits.window, Part::Rest, Part::Rest)
        } else {
            (limits.item, Part::Whole, Part::Head)
        };
        let space = limit.saturating_sub(self.kept.len());
        let block = block.get(..space).unwrap_or(block);
        let (used, ended) = self.nesting.consume(block);
        self.kept
            .extend_from_slice(block.get(..used).unwrap_or(block));
        if ended {
            self.hand_on(whole, on);
        } else if self.kept.len() >= limit {
            self.hand_on(part, on);
            self.headless = true;
            let spent = self.kept.len().saturating_sub(limits.overlap);
            self.at.advance(self.kept.get(..spent).unwrap_or_default());
            self.kept.drain(..spent);
        }
        (used, ended)
    }

    /// Hands on what is kept of one that the input ended in.
    pub(super) fn cut(&self, on: &mut dyn FnMut(Piece<'_>)) {
        self.hand_on(if self.headless { Part::Rest } else { Part::Cut }, on);
    }

    /// The buffer, for the next one.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.kept
    }

    fn hand_on(&self, part: Part, on: &mut dyn FnMut(Piece<'_>)) {
        on(Piece {
            kind: self.kind,
            index: self.index,
            pointer: &self.pointer,
            at: self.at,
            bytes: &self.kept,
            part,
        });
    }
}
