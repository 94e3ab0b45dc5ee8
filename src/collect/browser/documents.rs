//! The JSON files of a profile: bookmarks, preferences, the list of logins. Told by their first members, or by
//! their name; only what looks like a URL is of interest in them, since digests and settings fill the rest. Knows
//! no setting.

use std::sync::Arc;

use jiff::Timestamp;
use memchr::memmem;

use super::{epoch, pairs};
use crate::atoms::{Basis, Locator, Place, Raw, Source, View, When, Zone};
use crate::collect::json::Value;
use crate::collect::sqlite::Number;
use crate::collect::{Context, Evidence, Observation, Payload, ReadError, Reader, Sink, Via};

/// Reads the JSON files of Chromium and Firefox profiles.
pub static JSON: Reader = Reader {
    name: "browser-json",
    claims: |evidence, _| is_document(evidence),
    read,
};

/// Bytes of a document. Preferences with many extensions have a few MiB.
const MAX_DOCUMENT: u64 = 64 << 20;

/// Containers inside one another. Bookmarks are as deep as their folders.
const MAX_DEPTH: usize = 64;

/// Bytes of a pointer; what lies deeper is told by line and column.
const MAX_POINTER: usize = 1024;

/// Letters of a member's name that a pointer shows. A longer one may be a value: preferences are keyed by URLs.
const MAX_NAME: usize = 24;

/// Members that the head of a document must have to be one of ours: Chromium's bookmarks, Firefox's logins and
/// its bookmarks of old.
const SHAPES: &[[&[u8]; 2]] = &[
    [b"\"roots\"", b"\"bookmark_bar\""],
    [b"\"nextId\"", b"\"logins\""],
    [b"\"type\"", b"\"text/x-moz-place-container\""],
];

/// Documents whose members differ from one to the next.
const NAMES: [&str; 3] = ["Preferences", "Secure Preferences", "Local State"];

type Clock = fn(Number) -> Option<Timestamp>;

/// Members with the time of their object, and its clock.
const TIMES: [(&str, Clock); 3] = [
    ("date_added", epoch::webkit),
    ("timeCreated", epoch::unix),
    ("dateAdded", epoch::unix),
];

/// The member of a login that is encrypted under a key of `key4.db`.
const SEALED: &[u8] = b"\"encryptedPassword\":";

fn is_document(evidence: &Evidence) -> bool {
    let head = evidence.head().trim_ascii_start();
    let has = |member: &&[u8]| memmem::find(head, member).is_some();
    let named = NAMES.contains(&evidence.file_name()) && head.get(1..).is_some_and(begins_member);
    head.first() == Some(&b'{') && (named || SHAPES.iter().any(|shape| shape.iter().all(has)))
}

fn begins_member(rest: &[u8]) -> bool {
    matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}'))
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let bytes = evidence.bytes(MAX_DOCUMENT)?;
    let mut walk = Walk {
        document: &bytes,
        source,
        context,
        sink,
        pointer: String::new(),
        line: Line::default(),
        too_deep: false,
    };
    if let Some(root) = Value::at(&bytes, 0) {
        walk.value(root, 0, None);
    }
    if walk.too_deep {
        (walk.sink.problem)(ReadError::Limit(
            format!("is nested more than {MAX_DEPTH} deep, like a crafted file; what lies deeper was not read").into(),
        ));
    } else if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
        (walk.sink.problem)(ReadError::Malformed(
            "is no whole JSON document; what comes before the damage was read, copy it again for the rest".into(),
        ));
    }
    match memmem::find_iter(&bytes, SEALED).count() {
        0 => Ok(()),
        count => Err(ReadError::Unsupported(
            format!("its logins ({count}) are encrypted under a key that this file does not hold, and were not read; their user can see them in the browser").into(),
        )),
    }
}

/// A pass over one document.
struct Walk<'a, 's> {
    document: &'a [u8],
    source: &'a Arc<Source>,
    context: &'a Context<'a>,
    sink: &'a mut Sink<'s>,
    pointer: String,
    line: Line,
    too_deep: bool,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: Value<'_>, depth: usize, at: Option<Timestamp>) {
        if !value.is_object() && !value.is_array() {
            if let Some(text) = value.text() {
                self.text(value.start, &text, at);
            }
            return;
        }
        // Most of a profile's preferences is of no interest.
        if !self.context.rules.needles.hit(value.raw) {
            return;
        }
        if depth == MAX_DEPTH {
            self.too_deep = true;
            return;
        }
        let len = self.pointer.len();
        if value.is_array() {
            for (index, item) in value.items().enumerate() {
                self.push(&index.to_string());
                self.value(item, depth + 1, at);
                self.pointer.truncate(len);
            }
            return;
        }
        let at = time(value).or(at);
        for (name, member) in value.members() {
            self.push(&shown(&name));
            // A name may be a URL itself; it stands before its value.
            self.text(member.start, &name, at);
            self.value(member, depth + 1, at);
            self.pointer.truncate(len);
        }
    }

    fn push(&mut self, segment: &str) {
        if self.pointer.len() + segment.len() < MAX_POINTER {
            self.pointer.push('/');
            self.pointer.push_str(segment);
        }
    }

    /// A string that begins like a URL, or has one in it.
    fn text(&mut self, start: usize, text: &[u8], at: Option<Timestamp>) {
        let Some(colon) = memmem::find(text, b"://") else {
            return;
        };
        if !pairs::is_hit(b"", text, &self.context.rules.needles) {
            return;
        }
        let scheme = text.get(..colon).unwrap_or_default();
        let bytes = Raw::new(text);
        let payload = if !scheme.is_empty() && scheme.iter().all(|byte| is_of_scheme(*byte)) {
            Payload::Url(bytes)
        } else {
            Payload::Text(bytes)
        };
        let (line, column) = self.line.of(self.document, start);
        (self.sink.observe)(Observation {
            place: Place {
                source: self.source.clone(),
                locator: Locator::Entry {
                    index: 0,
                    pointer: self.pointer.as_str().into(),
                    line,
                    column,
                },
                view: View::Live,
            },
            at: at.map(|instant| When {
                instant,
                basis: Basis::Row,
                zone: Zone::Stated,
            }),
            via: Via::Stored,
            visit: None,
            exchange: None,
            payload,
        });
    }
}

/// RFC 3986 §3.1.
fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// The time that an object states.
fn time(object: Value<'_>) -> Option<Timestamp> {
    object.members().find_map(|(name, value)| {
        let (_, clock) = TIMES.iter().find(|(known, _)| *name == *known.as_bytes())?;
        let digits = value.content().map_or(value.raw, |(_, content)| content);
        clock(Number::Integer(str::from_utf8(digits).ok()?.parse().ok()?))
    })
}

/// A member's name for a pointer. What is not made of a few letters may be a value.
fn shown(name: &[u8]) -> Box<str> {
    let plain = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    match str::from_utf8(name) {
        Ok(text) if name.len() <= MAX_NAME && name.iter().all(plain) => text.into(),
        _ => "*".into(),
    }
}

/// Counts lines; the places that are asked for ascend.
struct Line {
    number: u64,
    start: usize,
    seen: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            number: 1,
            start: 0,
            seen: 0,
        }
    }
}

impl Line {
    fn of(&mut self, document: &[u8], at: usize) -> (u64, u64) {
        let from = self.seen.min(at);
        for end in memchr::memchr_iter(b'\n', document.get(from..at).unwrap_or_default()) {
            self.number += 1;
            self.start = from + end + 1;
        }
        self.seen = at;
        let column = at.saturating_sub(self.start).saturating_add(1);
        (self.number, column as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let document = b"ab\ncd\n\nef";
        let mut line = Line::default();
        let places: Vec<_> = [0, 1, 3, 4, 7, 8].map(|at| line.of(document, at)).to_vec();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2)]);
    }

    #[test]
    fn only_plain_names_are_shown_in_pointers() {
        assert_eq!(&*shown(b"bookmark_bar"), "bookmark_bar");
        for name in [
            &b"https://app.example/cb?code=1"[..],
            b"Zm9vYmFyYmF6cXV4",
            b"abcdefghijklmnopqrstuvwxyz",
            b"a/b",
            b"\xff",
        ] {
            assert_eq!(&*shown(name), "*");
        }
    }
}
