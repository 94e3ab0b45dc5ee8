//! Why something was not read, in words for the user. Knows no format.

use std::io;

use super::decode::MAX_RATIO;

/// Why evidence, or a part of it, was not read. Says what the user can do. The file's name is the problem's
/// own field, and no variant holds bytes of the evidence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("cannot be read: {0}; check its permissions, or scan a copy")]
    Io(#[from] io::Error),
    /// Compressed data is damaged, or something follows it.
    #[error(
        "compressed data is damaged or followed by something else ({0}); what came before was read"
    )]
    Compression(Box<str>),
    /// Expands beyond all bounds.
    #[error(
        "expands more than {MAX_RATIO} times, like a decompression bomb; unpack it yourself if it is genuine"
    )]
    Bomb,
    /// Recognised, but this version does not read it.
    #[error("{0}")]
    Unsupported(Box<str>),
    /// The content breaks the rules of its format.
    #[error("{0}")]
    Malformed(Box<str>),
    /// A bound of ours was reached.
    #[error("{0}")]
    Limit(Box<str>),
}
