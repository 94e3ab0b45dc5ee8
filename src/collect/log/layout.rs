//! How the records of a log follow each other, where not each line is one, as it stands there. Knows no format.

use super::commands::Shell;
use super::document::Document;
use super::{audit, claim};

/// How the records of a log follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// As JSON.
    Document(Document),
    /// As commands that a shell was given.
    Commands(Shell),
    /// As lines, which have fields in hexadecimal.
    Audit,
}

impl Layout {
    /// The layout of a text that begins so, in a file of this name; `None` where each line is a record.
    pub(super) fn of(name: &str, text: &[u8]) -> Option<Self> {
        let text = claim::beginning(text);
        let document = Document::of(text).map(Self::Document);
        let commands = || Shell::of(name, text).map(Self::Commands);
        let audit = || audit::is_audit(text).then_some(Self::Audit);
        document.or_else(commands).or_else(audit)
    }

    /// How many lines of the file end in these bytes of [`super::records::Records`].
    pub(super) fn lines(self, bytes: &[u8]) -> usize {
        match self {
            Self::Audit => memchr::memchr_iter(b'\n', bytes).count(),
            Self::Document(Document::Array) => memchr::memchr_iter(b'\r', bytes).count(),
            _ => memchr::memchr2_iter(b'\r', b'\n', bytes).count(),
        }
    }
}
