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

    /// Members of a dictionary, up to the first that breaks the syntax. One bit makes a list of it, whose items are
    /// names and values too.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        let mut values = Values::of(self);
        std::iter::from_fn(move || {
            let key = values.next()?.text()?;
            Some((key, values.next()?))
        })
    }

    /// Items of a list, up to the first that breaks the syntax.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        Values::of(self).take_while(move |_| self.is_list())
    }

    /// The first two items of a list: a name and its value. One bit makes a dictionary of it.
    pub(super) fn pair(self) -> Option<(Self, Self)> {
        let mut values = Values::of(self);
        values.next().zip(values.next())
    }

    /// The last member of this name: mitmproxy reads a dictionary into one of Python.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        let members = self.members().filter(|(key, _)| *key == name.as_bytes());
        members.last().map(|(_, value)| value)
    }

    /// Hands on what `members` and `items` do not reach: what follows a break of the syntax, what is not what its kind
    /// says, and what lies deeper than so many levels. Offset and bytes, in the order in which they stand.
    pub(super) fn unread(self, levels: usize, found: &mut dyn FnMut(usize, &'a [u8])) {
        if !self.holds_values() {
            return found(self.at, self.content);
        }
        let mut open = vec![Values::of(self)];
        loop {
            let is_deepest = open.len() >= levels;
            let Some(values) = open.last_mut() else {
                return;
            };
            let from = values.passed;
            match values.step() {
                Some(value) if value.is_sound() => {}
                Some(value) if value.holds_values() && !is_deepest => open.push(Values::of(value)),
                Some(value) => found(value.at, value.content),
                None => {
                    let rest = values.of.content.get(from..).unwrap_or_default();
                    if !rest.is_empty() {
                        found(values.of.at.saturating_add(from), rest);
                    }
                    open.pop();
                }
            }
        }
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

    /// Whether it is a list.
    pub(super) fn is_list(self) -> bool {
        self.kind == b']'
    }

    fn holds_values(self) -> bool {
        matches!(self.kind, b'}' | b']')
    }

    /// Whether it holds no other values and is what its kind says.
    fn is_sound(self) -> bool {
        match self.kind {
            b',' | b';' => true,
            // What Python writes of a number, which may be none and may be infinite.
            b'#' | b'^' => {
                let text = std::str::from_utf8(self.content);
                text.is_ok_and(|text| text.parse::<f64>().is_ok())
            }
            b'!' => matches!(self.content, b"true" | b"false"),
            b'~' | b'}' | b']' => self.content.is_empty(),
            _ => false,
        }
    }
}

/// The values in another one, up to the first that breaks the syntax.
struct Values<'a> {
    of: Value<'a>,
    /// Bytes of its content that were read.
    passed: usize,
}

impl<'a> Values<'a> {
    fn of(value: Value<'a>) -> Self {
        let passed = if value.holds_values() {
            0
        } else {
            value.content.len()
        };
        Self { of: value, passed }
    }

    /// The value of the next member of a dictionary, or the next item of a list.
    fn step(&mut self) -> Option<Value<'a>> {
        if !self.of.is_list() {
            self.next()?.text()?;
        }
        self.next()
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let rest = self.of.content.get(self.passed..)?;
        let (value, len) = Value::read(rest, self.of.at.checked_add(self.passed)?)?;
        self.passed = self.passed.checked_add(len)?;
        Some(value)
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
        assert_eq!(unread(bytes), [] as [&str; 0]);
        let twice = put(
            &(members.concat() + &put("a", ';') + &put("last", ',')),
            '}',
        );
        let (value, _) = Value::read(twice.as_bytes(), 0).unwrap();
        assert_eq!(value.get("a").unwrap().text(), Some(b"last".as_slice()));
    }

    fn unread(bytes: &[u8]) -> Vec<&str> {
        let (value, _) = Value::read(bytes, 0).unwrap();
        let mut rest = Vec::new();
        value.unread(4, &mut |at, part| {
            assert_eq!(&bytes[at..at + part.len()], part);
            rest.push(std::str::from_utf8(part).unwrap());
        });
        rest
    }

    #[test]
    fn what_is_not_reached_is_told() {
        let whole = put("a", ';') + &put("b", ',');
        let of = |inner: &str| {
            let members = whole.clone() + inner + &put("c", ';') + &put("d", ',');
            put(&members, '}')
        };
        let deep = |levels| (0..levels).fold(put("x", ';'), |inner, _| put(&inner, ']'));
        let rest = put("c", ';') + &put("d", ',');
        for (inner, expected) in [
            (put("e", ';') + &deep(4), "1:x;".to_owned()),
            ("99:e;1:f,".to_owned(), format!("99:e;1:f,{rest}")),
            (put("e", '#') + "1:f,", format!("1:e#1:f,{rest}")),
            (put("e", ';') + "99:f;", format!("1:e;99:f;{rest}")),
            (put("e", ';') + &put("true", '#'), "true".to_owned()),
            (put("e", ';') + &put("x", '~'), "x".to_owned()),
            (put("e", ';') + &put("x", '?'), "x".to_owned()),
            (put("e", ';') + &put("5:y", ']'), "5:y".to_owned()),
        ] {
            assert_eq!(unread(of(&inner).as_bytes()), [expected], "{inner}");
        }
        let inner = put("e", ';') + &deep(3);
        assert_eq!(unread(of(&inner).as_bytes()), [] as [&str; 0]);
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
