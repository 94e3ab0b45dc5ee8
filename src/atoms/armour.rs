//! Marks of private keys in textual encoding (RFC 7468 §10): by what a reader keeps the lines of one together, and by what
//! one is found in a text.

/// Longest key that is looked at: one of 16,384 bits has 13 KiB, and each end of its lines may be escaped.
pub const MAX_KEY: usize = 16 << 10;

/// Longest word in a label, with the blank behind it: `ENCRYPTED `.
const MAX_LABEL: usize = 10;

/// What the first line begins with.
pub const BEGIN: &str = "-----BEGIN ";

/// What the first line ends with.
pub const MARK: &str = "PRIVATE KEY-----";

/// Where the first line of a key begins whose [`MARK`] stands behind `before`. A label is looked for as far as one reaches:
/// a text may be full of marks.
pub fn label_before(before: &[u8]) -> Option<usize> {
    let from = before.len().saturating_sub(BEGIN.len() + MAX_LABEL);
    let begin = memchr::memmem::rfind(before.get(from..)?, BEGIN.as_bytes())?;
    Some(from + begin)
}
