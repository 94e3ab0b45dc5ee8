//! Where a value lies, so exactly that an examiner, or a test, can go back to it.

use std::borrow::Cow;
use std::sync::Arc;

use super::identity::Digest;

/// One piece of evidence that a reader claimed: a file, a member of an archive, standard input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Source {
    /// Path as given, relative to `--source-root`; `-` is standard input. `/` separates on every platform.
    pub path: Box<str>,
    /// Members inside archives, outermost first.
    pub members: Vec<Box<str>>,
    /// Name of the reader that claimed it. Owned only where it was read back.
    pub reader: Cow<'static, str>,
    /// Machine, where the path tells it.
    pub host: Option<Box<str>>,
    /// Account, where the path tells it.
    pub user: Option<Box<str>>,
    /// Browser, where the path or the content tells it.
    pub browser: Option<Box<str>>,
    /// Browser profile, where the path tells it.
    pub profile: Option<Box<str>>,
}

impl Source {
    /// Identity of the source: its path and members, nothing of the machine it was scanned on.
    pub fn digest(&self) -> Digest {
        let members = self.members.iter().map(|member| member.as_bytes());
        Digest::of(
            [b"source".as_slice(), self.path.as_bytes()]
                .into_iter()
                .chain(members),
        )
    }
}

/// Where in a source, and in which view of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The evidence.
    pub source: Arc<Source>,
    /// Where in it.
    pub locator: Locator,
    /// Which state of a file that has several.
    pub view: View,
}

impl Place {
    /// Whether what stands here may have lost a part, or have more at its end than was its own.
    pub fn is_uncertain(&self) -> bool {
        matches!(
            self.locator,
            Locator::Residue {
                uncertain: true,
                ..
            }
        )
    }
}

/// Where in a source. Counting starts at 1 for lines and columns, at 0 for bytes and indices.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Locator {
    /// A cell of a SQLite table.
    Row {
        /// Table.
        table: Cow<'static, str>,
        /// SQLite rowid.
        rowid: i64,
        /// Column.
        column: Cow<'static, str>,
    },
    /// A line of text, after decompression.
    Line {
        /// Line, from 1.
        number: u64,
        /// Offset of the line's first byte, from 0; of the record's own, where a line has several, or a record many lines.
        byte: u64,
    },
    /// A value of a HAR entry, or of another JSON document.
    Entry {
        /// Index of the entry, from 0; 0 where the document has none.
        index: u64,
        /// JSON pointer from the document's root (RFC 6901); `*` for a name that may be a value.
        pointer: Box<str>,
        /// Line of the value in the file, from 1.
        line: u64,
        /// Column of the value in the file, in bytes, from 1.
        column: u64,
    },
    /// A record of a key-value store, a session file, a cache or a journal.
    Record {
        /// File inside the store, or the part of the source that it is in.
        file: Box<str>,
        /// Key, when it is public.
        key: Box<str>,
        /// Sequence number.
        sequence: u64,
    },
    /// Bytes that no structure explains.
    Bytes {
        /// Offset in the file, from 0.
        offset: u64,
    },
    /// Bytes of a database that no row holds any more.
    Residue {
        /// The file that has them, where it is not the source itself but lies beside it.
        beside: Option<Box<str>>,
        /// Offset in that file, from 0.
        offset: u64,
        /// What they lie in.
        within: Within,
        /// Whether nothing tells where the value begins or ends, so that it may have lost a part, or may have
        /// been taken together with what follows it.
        uncertain: bool,
    },
}

/// What the residue of a database lies in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Within {
    /// A page that was given up.
    FreePage,
    /// A block between the cells of a page, where a cell was.
    Freeblock,
    /// The part of a page that no cell was given yet, or not again.
    Unallocated,
    /// Behind the last page.
    Slack,
    /// A page in a write-ahead log, or what its cells leave of it.
    Wal,
    /// A write-ahead log behind its last commit.
    WalSlack,
    /// A rollback journal.
    Journal,
}

impl Within {
    /// Every place.
    pub const ALL: [Self; 7] = [
        Self::FreePage,
        Self::Freeblock,
        Self::Unallocated,
        Self::Slack,
        Self::Wal,
        Self::WalSlack,
        Self::Journal,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FreePage => "free_page",
            Self::Freeblock => "freeblock",
            Self::Unallocated => "unallocated",
            Self::Slack => "slack",
            Self::Wal => "wal",
            Self::WalSlack => "wal_slack",
            Self::Journal => "journal",
        }
    }
}

/// Which state of a file holds the value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum View {
    /// What the application sees now.
    Live,
    /// Only in a write-ahead log that was not yet copied back.
    Uncheckpointed,
    /// Deleted, and still there.
    Recovered,
}

impl View {
    /// Every view.
    pub const ALL: [Self; 3] = [Self::Live, Self::Uncheckpointed, Self::Recovered];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Uncheckpointed => "uncheckpointed",
            Self::Recovered => "recovered",
        }
    }
}
