//! Whether a file is a HAR document, and how it is built, told from its head. Reads no entry.

use super::piece::{Kind, Limits, Shape};
use super::split::{Splitter, split};
use super::text::Charset;
use crate::collect::json::Value;
use crate::collect::{Context, Evidence};

/// Whether the head looks like a HAR document: entries, pages, or `log.entries`. The name counts only for
/// what begins like JSON.
pub(super) fn claims(evidence: &Evidence, _context: &Context<'_>) -> bool {
    let charset = Charset::of(evidence.head());
    let head = charset.head(evidence.head());
    if root(&head).is_none() {
        return false;
    }
    is_har_name(evidence.file_name()) || has_entries(&head)
}

/// Whether files of this name are HAR files.
pub(in crate::collect) fn is_har_name(name: &str) -> bool {
    [".har", ".zhar"].iter().any(|ending| {
        name.len()
            .checked_sub(ending.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    })
}

/// How the document is built.
pub(super) fn shape(head: &[u8]) -> Shape {
    let root = root(head).and_then(|at| Value::at(head, at));
    match root {
        // A document may have what an entry has beside its entries.
        Some(root) if is_document(root) => Shape::Document,
        Some(root) if is_entry(root) => Shape::Entry,
        Some(root) if root.items().next().is_some_and(is_entry) => Shape::Entries,
        _ => Shape::Document,
    }
}

/// Whether an object has a place for entries.
fn is_document(root: Value<'_>) -> bool {
    let log = root.get("log").is_some_and(Value::is_object);
    log || root.get("entries").is_some_and(Value::is_array)
}

/// Offset of the root's bracket: behind a byte order mark, blanks, and `name(` of JSONP.
fn root(head: &[u8]) -> Option<usize> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let bracket = text.iter().position(|byte| matches!(byte, b'{' | b'['))?;
    let before = text.get(..bracket)?.trim_ascii();
    let is_call = before.strip_suffix(b"(").is_some_and(|name| {
        name.trim_ascii_end()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_$.".contains(byte))
    });
    let mark = head.len().saturating_sub(text.len());
    (before.is_empty() || is_call).then(|| mark.saturating_add(bracket))
}

/// Whether an object is an entry by its members. Logs in JSON lines have a `request` too, but no list
/// of headers in it, or one that is a list of lists, and no `startedDateTime`.
fn is_entry(value: Value<'_>) -> bool {
    let mut messages = value
        .members()
        .filter(|(name, value)| {
            matches!(name.as_ref(), b"request" | b"response") && value.is_object()
        })
        .map(|(_, message)| message.get("headers").is_some_and(is_list))
        .peekable();
    messages.peek().is_some()
        && (value.get("startedDateTime").is_some() || messages.any(|list| list))
}

/// Whether a value is a list of objects, or an empty one.
fn is_list(value: Value<'_>) -> bool {
    value.is_array() && value.items().next().is_none_or(Value::is_object)
}

fn has_entries(head: &[u8]) -> bool {
    let shape = shape(head);
    if shape != Shape::Document {
        return true;
    }
    let mut found = false;
    let splitter = Splitter::new(shape, Charset::Utf8.start(), Limits::USUAL);
    let mut input = head;
    let (outcome, _) = split(&mut input, head.len(), splitter, &mut |piece| {
        let Some(value) = Value::at(piece.bytes, 0) else {
            return;
        };
        found |= match piece.kind {
            Kind::Entry => is_entry(value),
            Kind::Page => value.get("startedDateTime").is_some() && value.get("id").is_some(),
            Kind::Other => false,
        };
    });
    found || outcome.has_log
}
