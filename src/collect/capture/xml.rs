//! As much of XML as a document of items needs: where an element begins and ends, and its text. What looks like a tag
//! in a CDATA section or a comment is none. Resolves no entity, holds no tree, and knows no element by name.

use std::io::BufRead;

use memchr::memmem;

use super::MAX_EXCHANGE;
use super::place::Position;
use crate::collect::har::parts;

/// Begin and end of what holds text in which a tag is none (XML 1.0 §2.7).
const DATA: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");

/// The same for what is not even text (XML 1.0 §2.5).
const COMMENT: (&[u8], &[u8]) = (b"<!--", b"-->");

/// Bytes of the longest mark that is looked for.
const LONGEST: usize = DATA.0.len();

/// What ended a search for a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    Mark,
    End,
    /// The end, inside a CDATA section or a comment.
    Inside,
}

/// Reads up to and with the mark, a tag of up to nine bytes, outside of CDATA sections and comments. Of what is
/// longer than [`MAX_EXCHANGE`] only so much is kept as shows that it is.
pub(super) fn until(
    input: &mut impl BufRead,
    mark: &[u8],
    bytes: &mut Vec<u8>,
    at: &mut Position,
) -> std::io::Result<Until> {
    let most = usize::try_from(MAX_EXCHANGE).unwrap_or(usize::MAX);
    let mut tail: Vec<u8> = Vec::new();
    // The end of the section or the comment.
    let mut inside: Option<&[u8]> = None;
    loop {
        let block = input.fill_buf()?;
        // Last bytes of what is looked for.
        let end = match inside {
            Some(_) => memchr::memchr(b'>', block),
            None => memchr::memchr3(b'>', b'[', b'-', block),
        };
        let used = end.map_or(block.len(), |end| end.saturating_add(1));
        let taken = block.get(..used).unwrap_or_default();
        if taken.is_empty() {
            return Ok(inside.map_or(Until::End, |_| Until::Inside));
        }
        *at = at.behind(taken);
        if bytes.len() <= most {
            bytes.extend_from_slice(taken);
        }
        let last = taken.get(taken.len().saturating_sub(LONGEST)..);
        tail.extend_from_slice(last.unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(LONGEST));
        input.consume(used);
        match inside {
            None if tail.ends_with(mark) => return Ok(Until::Mark),
            None => {
                let mut opaque = [DATA, COMMENT].into_iter();
                inside = opaque.find(|it| tail.ends_with(it.0)).map(|it| it.1);
                if inside.is_some() {
                    // `<!-->` does not end what it begins.
                    tail.clear();
                }
            }
            Some(end) if tail.ends_with(end) => inside = None,
            Some(_) => {}
        }
    }
}

/// The text of an element.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: &'static str,
    /// Offset of the text.
    pub(super) at: usize,
    /// The text, without the coding that its `base64` attribute states.
    pub(super) text: Vec<u8>,
    base64: bool,
    /// Where what stands in one piece begins, in the text and in the document.
    pieces: Vec<(usize, usize)>,
}

impl Element {
    /// Where a byte of the text stands. Inside base64 there is no place but that of the whole.
    pub(super) fn place(&self, offset: usize) -> usize {
        let before = self.pieces.partition_point(|(from, _)| *from <= offset);
        let piece = self.pieces.get(before.saturating_sub(1));
        match piece.filter(|_| !self.base64) {
            Some((from, at)) => at.saturating_add(offset.saturating_sub(*from)),
            None => self.at,
        }
    }

    /// Takes a piece, unless it is the blanks between tags.
    fn take(&mut self, bytes: &[u8], from: usize, to: usize) {
        let piece = bytes.get(from..to).unwrap_or_default();
        if !piece.trim_ascii().is_empty() {
            if self.pieces.is_empty() {
                self.at = from;
            }
            self.pieces.push((self.text.len(), from));
            self.text.extend_from_slice(piece);
        }
    }
}

/// The elements of these names, in order.
pub(super) fn elements<'a>(
    bytes: &'a [u8],
    names: &'a [&'static str],
) -> impl Iterator<Item = Element> + 'a {
    let mut passed = 0_usize;
    std::iter::from_fn(move || {
        loop {
            let begin = find(bytes, passed, b"<")?;
            let rest = bytes.get(begin..)?;
            let mut opaque = [DATA, COMMENT].into_iter();
            if let Some((open, close)) = opaque.find(|it| rest.starts_with(it.0)) {
                passed = behind(bytes, begin.saturating_add(open.len()), close);
                continue;
            }
            passed = behind(bytes, begin, b">");
            let tag = bytes.get(begin..passed)?;
            let inner = tag.get(1..)?.strip_suffix(b">")?;
            let mut names = names.iter();
            let name = names.find(|name| is_named(inner, name));
            if let Some(name) = name.filter(|_| !inner.ends_with(b"/")) {
                let base64 = memmem::find(tag, b"base64=\"true\"").is_some();
                let element = element(bytes, &mut passed, name, base64);
                return Some(element);
            }
        }
    })
}

/// Reads the text of an element up to its end, and moves `passed` there. All of it counts: what follows a section
/// that its text has ended is text still, though its tags were not escaped.
fn element(bytes: &[u8], passed: &mut usize, name: &'static str, base64: bool) -> Element {
    let mut element = Element {
        name,
        at: *passed,
        text: Vec::new(),
        base64,
        pieces: Vec::new(),
    };
    let mut begun = *passed;
    while let Some(at) = find(bytes, *passed, b"<") {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(DATA.0) {
            element.take(bytes, begun, at);
            let start = at.saturating_add(DATA.0.len());
            let end = find(bytes, start, DATA.1).unwrap_or(bytes.len());
            element.take(bytes, start, end);
            *passed = end.saturating_add(DATA.1.len()).min(bytes.len());
            begun = *passed;
        } else if base64
            || rest
                .strip_prefix(b"</")
                .is_some_and(|it| is_named(it, name))
        {
            *passed = at;
            break;
        } else {
            *passed = at.saturating_add(1);
        }
    }
    let end = find(bytes, *passed, b"<").unwrap_or(bytes.len());
    element.take(bytes, begun, end);
    *passed = end;
    if base64 {
        element.text = parts::base64(&element.text);
    }
    element
}

/// Whether a tag, which begins behind its `<` or `</`, is of this name.
fn is_named(tag: &[u8], name: &str) -> bool {
    let rest = tag.strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| matches!(rest, [] | [b'>' | b'/', ..]) || starts_blank(rest))
}

fn starts_blank(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_whitespace)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let found = memmem::find(bytes.get(from..)?, what)?;
    from.checked_add(found)
}

/// Where the byte behind the next of these marks is; the end where there is none.
fn behind(bytes: &[u8], from: usize, mark: &[u8]) -> usize {
    find(bytes, from, mark).map_or(bytes.len(), |at| at.saturating_add(mark.len()))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Name, text, and the byte of the document at which the text's last byte stands.
    fn told(document: &str) -> Vec<(&'static str, String, char)> {
        elements(document.as_bytes(), &["url", "body"])
            .map(|it| {
                let at = it.place(it.text.len().saturating_sub(1));
                (
                    it.name,
                    String::from_utf8(it.text.clone()).unwrap(),
                    char::from(document.as_bytes()[at]),
                )
            })
            .collect()
    }

    #[test]
    fn marks_are_found_at_every_edge() {
        let text = b"<items><!-- <item><![CDATA[ --><item>a</item>\n<item><![CDATA[<item></item>]] > --]]>b<!--></item>--></item></items>";
        for size in 1..text.len() {
            let mut input = BufReader::with_capacity(size, text.as_slice());
            let mut at = Position::START;
            let mut items = Vec::new();
            let mut bytes = Vec::new();
            while until(&mut input, b"<item>", &mut bytes, &mut at).unwrap() == Until::Mark {
                bytes.clear();
                let end = until(&mut input, b"</item>", &mut bytes, &mut at).unwrap();
                assert_eq!(end, Until::Mark);
                items.push(String::from_utf8(std::mem::take(&mut bytes)).unwrap());
            }
            let second = "<![CDATA[<item></item>]] > --]]>b<!--></item>--></item>";
            assert_eq!(items, ["a</item>", second], "{size}");
            assert_eq!(at.line, 2);
        }
        let mut input = b"<items><![CDATA[<item>]]".as_slice();
        let end = until(&mut input, b"<item>", &mut Vec::new(), &mut {
            Position::START
        });
        assert_eq!(end.unwrap(), Until::Inside);
    }

    #[test]
    fn the_text_of_an_element_is_all_of_it() {
        for (document, text, last) in [
            ("<body>ab</body>", "ab", 'b'),
            ("<body a='1'>\n <![CDATA[ab]]>\n</body>", "ab", 'b'),
            ("<body><![CDATA[a]]]]><![CDATA[>b]]></body>", "a]]>b", 'b'),
            ("<body><![CDATA[</body><url>]]></body>", "</body><url>", '>'),
            ("<body><![CDATA[a]]></a>b</body>", "a</a>b", 'b'),
            ("<body><![CDATA[ab", "ab", 'b'),
            ("<body>a<b", "a<b", 'b'),
            (
                "<!-- <url>x</url> --><c><![CDATA[<url>]]></c><body>b",
                "b",
                'b',
            ),
        ] {
            assert_eq!(
                told(document),
                [("body", text.to_owned(), last)],
                "{document}"
            );
        }
        let both =
            "<body/><url\n>a</url><body base64=\"true\"><![CDATA[Y29k]]><![CDATA[ZQ==]]><url>b";
        let expected = [("url", "a", 'a'), ("body", "code", 'Y'), ("url", "b", 'b')];
        assert_eq!(
            told(both),
            expected.map(|(name, text, at)| (name, text.to_owned(), at))
        );
        assert!(told("<urls>a</urls><bodyx>b</bodyx><").is_empty());
    }
}
