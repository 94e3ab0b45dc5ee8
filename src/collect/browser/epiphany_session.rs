//! GNOME Web's `session_state.xml`: the open tabs, each with its URL and, in base64, WebKit's list of the pages
//! before it. Reads attributes of one element by their quotes; knows no more of XML.

use std::sync::Arc;

use memchr::memmem;

use super::pairs;
use crate::atoms::{Locator, Place, Raw, Source, View};
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
        let element = bytes.get(at..).unwrap_or_default();
        let Some(url) = attribute(element, b" url=\"") else {
            continue;
        };
        observe(&entities::undo(url));
        if let Some(history) = attribute(element, b" history=\"") {
            let list = data_encoding::BASE64.decode(history).unwrap_or_default();
            for page in urls(&list).filter(|page| **page != *entities::undo(url)) {
                observe(page);
            }
        }
    }
    if memmem::find(&bytes, b"</session>").is_none() {
        (sink.problem)(ReadError::Malformed(
            "its end is missing; the tabs before it were read, copy it again for the rest".into(),
        ));
    }
    Ok(())
}

/// An attribute of the element that `bytes` begin with; a raw `>` cannot stand in a value that libxml wrote.
fn attribute<'a>(bytes: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let element = bytes.get(..memchr::memchr(b'>', bytes)?)?;
    let value = element.get(memmem::find(element, name)? + name.len()..)?;
    value.get(..memchr::memchr(b'"', value)?)
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
        assert_eq!(
            &*entities::undo(attribute(element, b" url=\"").unwrap()),
            b"a?b=1&c=2"
        );
        assert_eq!(attribute(element, b" history=\""), None);
    }
}
