//! GNOME Web's `session_state.xml`: the open tabs, each with its URL and, in base64, WebKit's list of the pages
//! before it. Reads attributes of one element by their quotes; knows no more of XML.

use std::sync::Arc;

use memchr::memmem;

use super::pairs;
use crate::atoms::{Locator, Place, Raw, Source, View};
use crate::collect::har::parts;
use crate::collect::{
    Context, Evidence, Observation, Payload, ReadError, Reader, Sink, Via, entities,
};

/// Reads a `session_state.xml` (`ephy-session.c`).
pub static EPIPHANY_SESSION: Reader = Reader {
    name: "gnome-web-session",
    claims: |evidence, _| is_session(evidence.head()),
    read,
};

/// Bytes of a session. A tab's list of pages has some KiB.
const MAX_SESSION: u64 = 64 << 20;

const ELEMENT: &[u8] = b"<embed ";

fn is_session(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    head.starts_with(b"<?xml")
        && memmem::find(head, b"<session").is_some()
        && memmem::find(head, ELEMENT).is_some()
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let bytes = evidence.bytes(MAX_SESSION)?;
    let needles = &context.rules.needles;
    let mut line = 1;
    let mut start = 0;
    let mut seen = 0;
    let mut is_whole = true;
    for at in memmem::find_iter(&bytes, ELEMENT) {
        for end in memchr::memchr_iter(b'\n', bytes.get(seen..at).unwrap_or_default()) {
            line += 1;
            start = seen + end + 1;
        }
        seen = at;
        let mut observe = |url: &[u8]| {
            if !pairs::is_hit(b"", url, needles) {
                return;
            }
            (sink.observe)(Observation {
                place: Place {
                    source: source.clone(),
                    locator: Locator::Line {
                        number: line,
                        byte: start as u64,
                    },
                    view: View::Live,
                },
                at: None,
                via: Via::Unknown,
                visit: None,
                exchange: None,
                payload: Payload::Url(Raw::new(url)),
            });
        };
        let (tag, has_end) = tag(bytes.get(at..).unwrap_or_default());
        is_whole &= has_end;
        let Some(url) = attribute(tag, b" url=\"") else {
            continue;
        };
        let url = entities::undo(url);
        observe(&url);
        if let Some(history) = attribute(tag, b" history=\"") {
            let (list, is_list_whole) = list(history);
            is_whole &= is_list_whole;
            for page in urls(&list).filter(|page| **page != *url) {
                observe(page);
            }
        }
    }
    let why = if memmem::find(&bytes, b"</session>").is_none() {
        "its end is missing; the tabs before it were read, copy it again for the rest"
    } else if !is_whole {
        "is damaged in places; what could be told from the damage was read, copy it again for the rest"
    } else {
        return Ok(());
    };
    (sink.problem)(ReadError::Malformed(why.into()));
    Ok(())
}

/// The tag that `bytes` begin with, and whether it has its end. A raw `>` or `<` cannot stand in a value that libxml
/// wrote: where the end is missing, the next tag begins, and nothing behind that is looked at.
fn tag(bytes: &[u8]) -> (&[u8], bool) {
    let inside = bytes.get(1..).unwrap_or_default();
    let end = memchr::memchr2(b'>', b'<', inside).unwrap_or(inside.len());
    let has_end = inside.get(end) == Some(&b'>');
    (inside.get(..end).unwrap_or_default(), has_end)
}

/// An attribute of a tag.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = tag.get(memmem::find(tag, name)? + name.len()..)?;
    value.get(..memchr::memchr(b'"', value)?)
}

/// A serialised list out of its base64, and whether that was whole. A byte that is wrong costs what it stood for: it
/// counts, so that those behind it mean what they did.
fn list(history: &[u8]) -> (Vec<u8>, bool) {
    if let Ok(list) = data_encoding::BASE64.decode(history) {
        return (list, true);
    }
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut digits = history.to_vec();
    for byte in digits.iter_mut().filter(|byte| !is_digit(byte)) {
        *byte = b'A';
    }
    (parts::base64(&digits), false)
}

/// URLs in a serialised list: each ends with a zero byte (`GVariant`), and what stands before it may be a number
/// that looks like a letter.
fn urls(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == 0).filter_map(|text| {
        let colon = memmem::find(text, b"://")?;
        let before = text.get(..colon)?;
        let scheme = if before.ends_with(b"https") {
            "https"
        } else {
            "http"
        };
        text.get(
            before
                .ends_with(scheme.as_bytes())
                .then(|| colon - scheme.len())?..,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_end_with_a_zero_and_begin_with_their_scheme() {
        let list = b"\x01\0\0hhttps://a.example/?code=1\0title\0http://b.example/\0ftp\0x://y";
        let found: Vec<_> = urls(list).map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["https://a.example/?code=1", "http://b.example/"]);
    }

    #[test]
    fn attributes_end_with_their_element() {
        let element = b"<embed url=\"a?b=1&amp;c=2\" title=\"x\"/><embed history=\"eA==\"/>";
        let (first, has_end) = tag(element);
        assert!(has_end);
        assert_eq!(
            &*entities::undo(attribute(first, b" url=\"").unwrap()),
            b"a?b=1&c=2"
        );
        assert_eq!(attribute(first, b" history=\""), None);
    }

    #[test]
    fn a_tag_without_its_end_ends_where_the_next_begins() {
        assert_eq!(tag(b"<embed a <embed b>"), (&b"embed a "[..], false));
        assert_eq!(tag(b"<embed a"), (&b"embed a"[..], false));
        assert_eq!(tag(b""), (&b""[..], false));
    }

    #[test]
    fn a_byte_that_is_wrong_costs_what_it_stood_for() {
        assert_eq!(list(b"YWJjZGVm"), (b"abcdef".to_vec(), true));
        for broken in [&b"!WJjZGVm"[..], b"=WJjZGVm", b"YWJj\0GVmZ", b"YWJjZGVmZw"] {
            let (list, is_whole) = list(broken);
            assert!(!is_whole);
            assert!(list.windows(2).any(|pair| pair == b"ef"), "{list:?}");
        }
    }
}
