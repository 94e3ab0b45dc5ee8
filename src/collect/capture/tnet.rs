//! Tagged netstrings: `LENGTH:CONTENT` and a byte that says what the content is (tnetstrings.info; mitmproxy's
//! `io/tnetstring.py` writes text as `;`). Values are spans of the bytes that they were found in. Nothing recurses.

/// Digits of a length that are believed: a terabyte.
pub(super) const MAX_DIGITS: usize = 12;

/// A value and where its content stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    /// Offset of the content in the outermost bytes.
    pub(super) at: usize,
    pub(super) content: &'a [u8],
    kind: u8,
}

impl<'a> Value<'a> {
    /// The value that `bytes` begin with, which stand at `at`, and how long it is with its length and its kind.
    pub(super) fn read(bytes: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let colon = memchr::memchr(b':', bytes.get(..MAX_DIGITS + 1).unwrap_or(bytes))?;
        let len: usize = std::str::from_utf8(bytes.get(..colon)?)
            .ok()?
            .parse()
            .ok()?;
        let start = colon.checked_add(1)?;
        let end = start.checked_add(len)?;
        let value = Self {
            at: at.checked_add(start)?,
            content: bytes.get(start..end)?,
            kind: *bytes.get(end)?,
        };
        Some((value, end.checked_add(1)?))
    }

    /// Members of a dictionary, up to the first that breaks the syntax.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        let mut values = self.values(b'}');
        std::iter::from_fn(move || {
            let key = values.next()?.text()?;
            Some((key, values.next()?))
        })
    }

    /// Items of a list, up to the first that breaks the syntax.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        self.values(b']')
    }

    /// The first member of this name.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        let mut members = self.members();
        let found = members.find(|(key, _)| *key == name.as_bytes());
        found.map(|(_, value)| value)
    }

    /// Bytes or text.
    pub(super) fn text(self) -> Option<&'a [u8]> {
        matches!(self.kind, b',' | b';').then_some(self.content)
    }

    /// A number, with a fraction or without.
    pub(super) fn number(self) -> Option<f64> {
        let text = std::str::from_utf8(self.content).ok()?;
        let number: f64 = text.parse().ok()?;
        (matches!(self.kind, b'#' | b'^') && number.is_finite()).then_some(number)
    }

    /// Whether it is true.
    pub(super) fn is_true(self) -> bool {
        self.kind == b'!' && self.content == b"true"
    }

    fn values(self, kind: u8) -> impl Iterator<Item = Self> {
        let mut passed = if self.kind == kind {
            0
        } else {
            self.content.len()
        };
        std::iter::from_fn(move || {
            let rest = self.content.get(passed..)?;
            let (value, len) = Self::read(rest, self.at.checked_add(passed)?)?;
            passed = passed.checked_add(len)?;
            Some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(content: &str, kind: char) -> String {
        format!("{}:{content}{kind}", content.len())
    }

    #[test]
    fn values_are_read_with_their_places() {
        let list = put(
            &[put("1", '#'), put("2.5", '^'), put("true", '!')].concat(),
            ']',
        );
        let members = [
            put("a", ';'),
            put("xyz", ','),
            put("b", ';'),
            list,
            put("c", ';'),
            put("", '~'),
        ];
        let whole = put(&members.concat(), '}');
        let bytes = whole.as_bytes();
        let (value, len) = Value::read(bytes, 0).unwrap();
        assert_eq!(len, bytes.len());
        let text = value.get("a").unwrap();
        assert_eq!(&bytes[text.at..text.at + 3], text.text().unwrap());
        let items: Vec<_> = value.get("b").unwrap().items().collect();
        assert_eq!(items[0].number(), Some(1.0));
        assert_eq!(items[1].number(), Some(2.5));
        assert!(items[2].is_true());
        assert!(value.get("c").unwrap().text().is_none());
        assert!(value.get("d").is_none());
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        for bytes in ["9:x,", "99999999999999999999:x,", "-1:x,", "1:xy", ":", ""] {
            let read = Value::read(bytes.as_bytes(), 0);
            assert!(
                read.is_none_or(|(value, _)| value.text().is_none()),
                "{bytes}"
            );
        }
        let cut = put("1:a;9:xyz", '}');
        let (value, _) = Value::read(cut.as_bytes(), 0).unwrap();
        assert_eq!(value.members().count(), 0);
    }
}
