//! Property lists in XML (`PropertyList-1.0.dtd`): elements in document order, text unescaped. Takes what a strict
//! parser refuses, and follows no entity but the five of XML itself.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// What comes next in a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A dictionary or an array begins.
    Begin,
    /// It ends.
    End,
    /// Name of a member.
    Key(Cow<'a, [u8]>),
    /// Where its text lies, and the text unescaped.
    String(usize, Cow<'a, [u8]>),
    /// `2026-11-23T05:00:00Z`.
    Date(&'a [u8]),
    /// Where its text lies, and the text: base64.
    Data(usize, &'a [u8]),
    /// Any other value.
    Other,
}

/// Elements, one after the other.
pub(super) struct Events<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The content of the element that was just opened, up to the next tag, and where it begins.
    fn content(&mut self) -> (usize, &'a [u8]) {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let end = memchr(b'<', rest).unwrap_or(rest.len());
        self.at = start.saturating_add(end);
        (start, rest.get(..end).unwrap_or_default())
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let open = self.at.checked_add(memchr(b'<', rest)?)?;
            let tag = self.text.get(open.checked_add(1)?..)?;
            let (stop, skip): (&[u8], usize) = if tag.starts_with(b"!--") {
                (b"-->", 3)
            } else {
                (b">", 1)
            };
            let end = memmem::find(tag, stop)?;
            self.at = open.checked_add(1)?.checked_add(end)?.checked_add(skip)?;
            let tag = tag.get(..end)?;
            let name = tag.split(u8::is_ascii_whitespace).next()?;
            return Some(match name {
                b"dict" | b"array" => Event::Begin,
                b"/dict" | b"/array" => Event::End,
                b"key" => Event::Key(unescape(self.content().1)),
                b"string" => {
                    let (at, text) = self.content();
                    Event::String(at, unescape(text))
                }
                b"date" => Event::Date(self.content().1.trim_ascii()),
                b"data" => {
                    let (at, text) = self.content();
                    Event::Data(at, text)
                }
                b"integer" | b"real" | b"true/" | b"false/" | b"string/" | b"dict/" | b"array/" => {
                    Event::Other
                }
                _ => continue,
            });
        }
    }
}

/// Undoes the escapes of XML 1.0 §4.6, and numbers of characters.
fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'&', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr(b'&', rest) {
        let (plain, escape) = rest.split_at_checked(start).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        // The longest is `&#x10FFFF;`.
        let end = escape.iter().take(12).position(|byte| *byte == b';');
        let name = end.and_then(|end| escape.get(1..end)).unwrap_or_default();
        let (meant, passed) = match character(name) {
            Some(char) => (char, name.len().saturating_add(2)),
            None => ('&', 1),
        };
        out.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(passed..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn character(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let number = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_in_order_and_lead_back() {
        let text = b"<?xml version=\"1.0\"?><!-- <key>no</key> --><plist><dict><key>a&amp;b</key><string>x&#x3d;y&lt;</string><true/><date> 2026-11-23T05:00:00Z </date></dict></plist>";
        let events: Vec<Event<'_>> = Events::new(text).collect();
        let at = memmem::find(text, b"x&#").unwrap();
        assert_eq!(
            events,
            [
                Event::Begin,
                Event::Key(b"a&b".into()),
                Event::String(at, b"x=y<".into()),
                Event::Other,
                Event::Date(b"2026-11-23T05:00:00Z"),
                Event::End,
            ]
        );
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(
            &*unescape(b"a&b&;&nope;&#xD800;&amp"),
            b"a&b&;&nope;&#xD800;&amp"
        );
    }
}
