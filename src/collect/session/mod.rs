//! Session files of Firefox, and its other JSON files in the same wrapping: open and closed tabs with their pages,
//! frames, form data and session storage. Firefox keeps no longer URL than 2000 characters in its history, so that
//! tokens in fragments are here. Knows the file format; nothing of OAuth.

mod walk;

use std::cmp::Ordering;
use std::sync::Arc;

use memchr::memmem;

use super::cursor::Cursor;
use super::{Context, Evidence, ReadError, Reader, Sink, lz4};
use crate::atoms::Source;

/// `sessionstore.jsonlz4`, `recovery.baklz4`, `search.json.mozlz4` and the like, and `sessionstore.js` of old Firefox.
pub static FIREFOX_SESSION: Reader = Reader {
    name: "firefox-session",
    claims: |evidence, _| {
        let head = evidence.head();
        head.starts_with(MAGIC) || is_plain_session(head)
    },
    read,
};

/// `MAGIC_NUMBER` of `toolkit/components/lz4` in Firefox: a size and one LZ4 block follow.
const MAGIC: &[u8] = b"mozLz40\0";

/// Decoded bytes that are searched. Session files of hundreds of tabs have some 20 MiB.
const MAX_JSON: usize = 128 << 20;

/// Whether a file of this name is a session file: `sessionstore.jsonlz4`, `upgrade.jsonlz4-20261123`.
pub(super) fn is_session_name(name: &str) -> bool {
    let (_, ending) = name.split_once('.').unwrap_or_default();
    ["jsonlz4", "baklz4"].iter().any(|known| {
        let rest = ending.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// What a session file without compression holds near its beginning (`SessionSaver`, Firefox 3 to 55).
fn is_plain_session(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"(").unwrap_or(head);
    let has = |name: &[u8]| memmem::find(text, name).is_some();
    text.starts_with(b"{") && has(b"\"windows\":[") && has(b"\"tabs\":[") && has(b"\"entries\":[")
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let bytes = evidence.bytes(MAX_JSON as u64)?;
    let (json, problem) = match bytes.strip_prefix(MAGIC) {
        Some(wrapped) => unwrapped(wrapped),
        None => (bytes, None),
    };
    walk::document(&json, source, &context.rules.needles, sink);
    problem.map_or(Ok(()), Err)
}

/// The JSON in the wrapping, and why it is not whole. The size before the block is only compared with what is there:
/// one that is too small would hide the rest.
fn unwrapped(wrapped: &[u8]) -> (Vec<u8>, Option<ReadError>) {
    let mut cursor = Cursor::new(wrapped);
    let Some(size) = cursor.u32_le() else {
        return (Vec::new(), Some(cut_off()));
    };
    let (json, end) = lz4::block(cursor.rest(), MAX_JSON);
    let problem = match end {
        lz4::End::Damaged => Some(cut_off()),
        lz4::End::Bound => Some(ReadError::Limit(
            format!(
                "is larger than {} MiB once decoded; what follows was not read",
                MAX_JSON >> 20
            )
            .into(),
        )),
        lz4::End::Whole => match json.len().cmp(&(size as usize)) {
            Ordering::Less => Some(cut_off()),
            Ordering::Equal => None,
            Ordering::Greater => Some(ReadError::Malformed(
                "has more in it than the size that it states, so Firefox does not read it; all of it was read here".into(),
            )),
        },
    };
    (json, problem)
}

fn cut_off() -> ReadError {
    ReadError::Malformed("is cut off or damaged; copy it again, what came before was read".into())
}
