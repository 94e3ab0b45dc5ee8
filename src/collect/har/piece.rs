//! What the splitter hands on: an entry or a page, whole or, when it is too large to be kept together,
//! its head and then windows on the rest. Looks for no name.

use super::nesting::Nesting;
use super::sieve::Signs;
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
    /// What stands outside of them.
    Other,
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
    /// What was met in it; nothing in a window on the rest of one.
    pub(super) signs: &'a Signs,
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

/// Memory that one item after the other uses.
#[derive(Default, Debug)]
pub(super) struct Kept {
    /// The bytes of an item that are kept.
    bytes: Vec<u8>,
    signs: Signs,
}

impl Kept {
    /// Bytes that there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// What stands outside of entries and pages, since the last of them.
#[derive(Debug)]
pub(super) struct Outside {
    bytes: Vec<u8>,
    at: Position,
    /// How many pieces came before.
    index: u64,
    signs: Signs,
}

impl Outside {
    /// Bytes that hold nothing: brackets, commas and the shortest names.
    const NOTHING: usize = 16;

    pub(super) fn new(at: Position) -> Self {
        Self {
            bytes: Vec::new(),
            at,
            index: 0,
            signs: Signs::default(),
        }
    }

    /// Bytes that there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Takes bytes, which stand at `at`, and hands on what is due.
    pub(super) fn take(
        &mut self,
        mut block: &[u8],
        at: Position,
        limits: Limits,
        on: &mut dyn FnMut(Piece<'_>),
    ) {
        if self.bytes.is_empty() {
            self.at = at;
        }
        while !block.is_empty() {
            let space = limits.window.saturating_sub(self.bytes.len());
            let (taken, rest) = block.split_at_checked(space).unwrap_or((block, &[]));
            self.bytes.extend_from_slice(taken);
            block = rest;
            if self.bytes.len() >= limits.window {
                self.hand_on(false, on);
                let spent = self.bytes.len().saturating_sub(limits.overlap);
                self.at.advance(self.bytes.get(..spent).unwrap_or_default());
                self.bytes.drain(..spent);
            }
        }
    }

    /// Hands on what is left where an entry or a page begins, or the document ends, whole or not.
    pub(super) fn end(&mut self, whole: bool, on: &mut dyn FnMut(Piece<'_>)) {
        if self.bytes.len() >= Self::NOTHING {
            self.hand_on(whole, on);
        }
        self.bytes.clear();
    }

    fn hand_on(&mut self, whole: bool, on: &mut dyn FnMut(Piece<'_>)) {
        on(Piece {
            kind: Kind::Other,
            index: self.index,
            pointer: "",
            at: self.at,
            bytes: &self.bytes,
            part: if whole { Part::Whole } else { Part::Cut },
            signs: &self.signs,
        });
        self.index = self.index.saturating_add(1);
    }
}

/// An entry or page whose end was not seen yet, and the bytes of it that are kept.
#[derive(Debug)]
pub(super) struct Item {
    kind: Kind,
    index: u64,
    pointer: String,
    at: Position,
    kept: Kept,
    nesting: Nesting,
    headless: bool,
}

impl Item {
    /// One whose first byte, its bracket, stands at `at`. `kept` is memory to be used again.
    pub(super) fn new(
        kind: Kind,
        index: u64,
        pointer: String,
        at: Position,
        mut kept: Kept,
    ) -> Self {
        kept.bytes.clear();
        kept.signs.clear();
        Self {
            kind,
            index,
            pointer,
            at,
            kept,
            nesting: Nesting::default(),
            headless: false,
        }
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
        let base = self.kept.bytes.len();
        let block = block.get(..limit.saturating_sub(base)).unwrap_or(block);
        let (used, ended) = if self.headless {
            self.nesting.consume(block, &mut |_| {})
        } else {
            let signs = &mut self.kept.signs;
            let mut note = |at| signs.note(block, at, base);
            self.nesting.consume(block, &mut note)
        };
        let taken = block.get(..used).unwrap_or(block);
        if ended && base == 0 {
            // Most begin and end in one block: they are looked at where they lie.
            self.hand_on(taken, whole, on);
            return (used, true);
        }
        self.kept.bytes.extend_from_slice(taken);
        let mut kept = std::mem::take(&mut self.kept.bytes);
        if ended {
            self.hand_on(&kept, whole, on);
        } else if kept.len() >= limit {
            self.hand_on(&kept, part, on);
            self.headless = true;
            self.kept.signs.clear();
            let spent = kept.len().saturating_sub(limits.overlap);
            self.at.advance(kept.get(..spent).unwrap_or_default());
            kept.drain(..spent);
        }
        self.kept.bytes = kept;
        (used, ended)
    }

    /// Hands on what is kept of one that the input ended in.
    pub(super) fn cut(&mut self, on: &mut dyn FnMut(Piece<'_>)) {
        let kept = std::mem::take(&mut self.kept.bytes);
        let part = if self.headless { Part::Rest } else { Part::Cut };
        self.hand_on(&kept, part, on);
        self.kept.bytes = kept;
    }

    /// Its memory, for the next one.
    pub(super) fn into_kept(self) -> Kept {
        self.kept
    }

    fn hand_on(&mut self, bytes: &[u8], part: Part, on: &mut dyn FnMut(Piece<'_>)) {
        self.kept.signs.settle(bytes);
        on(Piece {
            kind: self.kind,
            index: self.index,
            pointer: &self.pointer,
            at: self.at,
            bytes,
            part,
            signs: &self.kept.signs,
        });
    }
}
