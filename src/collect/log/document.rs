//! JSON documents: arrays, as the exports of identity providers and clouds are, and objects that go on over many lines,
//! as `jq` writes them. Knows no format.

use crate::collect::json::Value;

/// What begins a record at the first column of a line. Behind it, a damaged record before this one is over.
const BEGIN: &[u8] = b"{\"";

/// How the records of a document follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Document {
    /// As items of an array, with commas between them.
    Array,
    /// As objects, each on lines of its own.
    Objects,
}

impl Document {
    /// The layout of a text that begins so; `None` for what is no document: JSON lines have an object each.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        match text.split_first()? {
            (b'[', rest) => matches!(rest.trim_ascii_start(), [b'{', ..]).then_some(Self::Array),
            (b'{', rest) if matches!(rest.trim_ascii_start(), [b'"' | b'}', ..]) => {
                let first = Value::at(text, 0)?;
                memchr::memchr(b'\n', first.raw).map(|_| Self::Objects)
            }
            _ => None,
        }
    }
}

/// Where in a document a reader is.
pub(super) struct Place {
    document: Document,
    /// Objects and arrays that are open.
    depth: u64,
    string: InString,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// Behind a `\`.
    Escaped,
}

impl Place {
    pub(super) fn new(document: Document) -> Self {
        Self {
            document,
            depth: 0,
            string: InString::No,
        }
    }

    /// The first byte of the rest, as a record has it: the comma behind an item of an array, or the bracket, ends one.
    pub(super) fn step(&mut self, byte: u8, rest: &[u8]) -> u8 {
        let between = u64::from(self.document == Document::Array);
        if byte == b'\n' {
            if rest.get(1..).is_some_and(|below| below.starts_with(BEGIN)) {
                (self.depth, self.string) = (between, InString::No);
            }
            let is_end = self.document == Document::Objects && self.depth == 0;
            return if is_end { b'\n' } else { b'\r' };
        }
        if byte == b'\r' {
            return b' ';
        }
        let is_open = self.string == InString::No;
        self.string = match (self.string, byte) {
            (InString::Yes, b'\\') => InString::Escaped,
            (InString::Yes, b'"') => InString::No,
            (InString::Escaped, _) | (InString::No, b'"') => InString::Yes,
            (as_before, _) => as_before,
        };
        match byte {
            b'{' | b'[' if is_open => self.depth += 1,
            b']' if is_open && between == 1 && self.depth == 1 => {
                self.depth = 0;
                return b'\n';
            }
            b'}' | b']' if is_open => self.depth = self.depth.saturating_sub(1),
            b',' if is_open && between == 1 && self.depth == 1 => return b'\n',
            _ => {}
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::*;

    fn check(text: &str, document: Document, lines: &[&str]) {
        super::super::records::check("x", text, Layout::Document(document), lines);
    }

    #[test]
    fn items_of_an_array_are_lines() {
        check(
            "[\n  {\n    \"a\": [1, 2]\n  },\n  {\"b\": \"],[\\\",\"}\n]\n",
            Document::Array,
            &[
                "[\r  {\r    \"a\": [1, 2]\r  }",
                "\r  {\"b\": \"],[\\\",\"}\r",
                "\r",
            ],
        );
        check("[{\"a\":1},{}]", Document::Array, &["[{\"a\":1}", "{}", ""]);
        check(
            "[{\"a\":1}]\n[{\"b\":[]}]\n",
            Document::Array,
            &["[{\"a\":1}", "\r[{\"b\":[]}", "\r"],
        );
    }

    #[test]
    fn objects_over_many_lines_are_lines() {
        check(
            "{\r\n  \"a\": 1\r\n}\n{\n  \"b\": 2\n}\n",
            Document::Objects,
            &["{ \r  \"a\": 1 \r}", "{\r  \"b\": 2\r}", ""],
        );
    }

    #[test]
    fn damage_costs_the_record_that_it_hit() {
        check(
            "{\"a\": \"cut\n{\"b\": 2}\n{\"c\": [\n{\"d\": 4},\n{\"e\": 5}]}\n",
            Document::Objects,
            &[
                "{\"a\": \"cut",
                "{\"b\": 2}",
                "{\"c\": [",
                "{\"d\": 4},",
                "{\"e\": 5}]}",
                "",
            ],
        );
        check(
            "[\n{\"a\": \"cut\n{\"b\": 2},\n{\"c\": 3}\n]",
            Document::Array,
            &["[\r{\"a\": \"cut\r{\"b\": 2}", "\r{\"c\": 3}\r", ""],
        );
    }

    #[test]
    fn lines_are_no_document() {
        for text in [
            "{\"a\":1}\n{\"b\":2}\n",
            "{\"a\":1} started\nplain\n",
            "{not json\n}\n",
            "[Wed Aug 14 2024] [error] x\n",
            "[1] started\n",
            "",
        ] {
            assert_eq!(Document::of(text.as_bytes()), None, "{text}");
        }
    }
}
