//! Property lists in XML (`PropertyList-1.0.dtd`): elements in document order, text unescaped. Takes what a strict
//! parser refuses, and follows no entity but the five of XML itself.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::collect::entities;

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
    Date(Cow<'a, [u8]>),
    /// Where its text lies, and the text: base64.
    Data(usize, Cow<'a, [u8]>),
    /// Any other value.
    Other,
}

/// What begins with `<` and is no tag: XML 1.0 §2.5 to §2.7, with what ends it.
const SECTIONS: [(&[u8], &[u8]); 3] = [(b"<!--", b"-->"), (CDATA, b"]]>"), (b"<?", b"?>")];

/// Begins text in which nothing is escaped.
const CDATA: &[u8] = b"<![CDATA[";

/// Elements, one after the other.
pub(super) struct Events<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The text of the element that was just opened, up to the next tag, and where it begins. A comment in it is none
    /// of it.
    fn content(&mut self) -> (usize, Cow<'a, [u8]>) {
        let start = self.at;
        let mut text = Cow::Borrowed(&[][..]);
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let end = memchr(b'<', rest).unwrap_or(rest.len());
            let (plain, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            join(&mut text, entities::undo(plain));
            self.at = self.at.saturating_add(end);
            let Some((inside, len)) = section(rest) else {
                return (start, text);
            };
            if rest.starts_with(CDATA) {
                join(&mut text, Cow::Borrowed(inside));
            }
            self.at = self.at.saturating_add(len);
        }
    }
}

/// The content of the section that these bytes begin with, and the length of all of it. One without an end goes on to
/// the last byte.
fn section(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut known = SECTIONS.iter();
    let (begin, end) = known.find(|(begin, _)| bytes.starts_with(begin))?;
    let inside = bytes.get(begin.len()..)?;
    let found = memmem::find(inside, end);
    let inside = found.and_then(|at| inside.get(..at)).unwrap_or(inside);
    let len = begin.len().saturating_add(inside.len());
    Some((inside, len.saturating_add(found.map_or(0, |_| end.len()))))
}

fn join<'a>(text: &mut Cow<'a, [u8]>, more: Cow<'a, [u8]>) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        text.to_mut().extend_from_slice(&more);
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let open = self.at.checked_add(memchr(b'<', rest)?)?;
            let rest = self.text.get(open..)?;
            if let Some((_, len)) = section(rest) {
                self.at = open.checked_add(len)?;
                continue;
            }
            let end = memchr(b'>', rest)?;
            self.at = open.checked_add(end)?.checked_add(1)?;
            let tag = rest.get(1..end)?;
            let name = tag.split(u8::is_ascii_whitespace).next()?;
            return Some(match name {
                b"dict" | b"array" => Event::Begin,
                b"/dict" | b"/array" => Event::End,
                b"key" => Event::Key(self.content().1),
                b"string" => {
                    let (at, text) = self.content();
                    Event::String(at, text)
                }
                b"date" => Event::Date(self.content().1),
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
                Event::Date(b" 2026-11-23T05:00:00Z ".into()),
                Event::End,
            ]
        );
    }

    #[test]
    fn sections_and_comments_are_a_part_of_their_element() {
        let text = |content: &str| {
            let list = format!(
                "<![CDATA[<string>no</string>]]><dict><string>{content}</string><true/></dict>"
            );
            let events: Vec<Event<'_>> = Events::new(list.as_bytes()).collect();
            let [Event::Begin, Event::String(_, text), rest @ ..] = events.as_slice() else {
                panic!("{events:?}")
            };
            assert_eq!(rest, [Event::Other, Event::End], "{content}");
            String::from_utf8(text.to_vec()).unwrap()
        };
        for (content, meant) in [
            (
                "<![CDATA[https://a.example/?b=1&amp;c]]>",
                "https://a.example/?b=1&amp;c",
            ),
            ("a<!-- <string>b</string> -->&amp;<?c d>?>e", "a&e"),
            (
                "a&lt;<![CDATA[]]]]><![CDATA[></string>]]>b",
                "a<]]></string>b",
            ),
            ("<!---->", ""),
        ] {
            assert_eq!(text(content), meant);
        }
        let cut: Vec<Event<'_>> = Events::new(b"<string>a<![CDATA[b]]").collect();
        assert_eq!(cut, [Event::String(8, b"ab]]".into())]);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(
            &*entities::undo(b"a&b&;&nope;&#xD800;&amp"),
            b"a&b&;&nope;&#xD800;&amp"
        );
    }
}
