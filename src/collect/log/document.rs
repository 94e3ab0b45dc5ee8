//! JSON documents as lines of records: arrays, as the exports of identity providers and clouds are, and objects that
//! go on over many lines, as `jq` writes them. Byte for byte, so that every offset stays what it was. Knows no format.

use std::io::{self, Read};

use crate::collect::json::Value;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// What begins a record at the first column of a line. Behind it, a damaged record before this one is over.
const BEGIN: &[u8] = b"{\"";

/// How the records of a document follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// As items of an array, with commas between them.
    Array,
    /// As objects, each on lines of its own.
    Objects,
}

impl Layout {
    /// The layout of a text that begins so; `None` for what is no document: JSON lines have an object each.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let text = text.trim_ascii_start();
        match text.split_first()? {
            (b'[', rest) => matches!(rest.trim_ascii_start(), [b'{', ..]).then_some(Self::Array),
            (b'{', rest) if matches!(rest.trim_ascii_start(), [b'"' | b'}', ..]) => {
                let first = Value::at(text, 0)?;
                memchr::memchr(b'\n', first.raw).map(|_| Self::Objects)
            }
            _ => None,
        }
    }

    /// How many lines of the document end in these bytes of [`Records`].
    pub(super) fn lines(self, bytes: &[u8]) -> usize {
        match self {
            Self::Array => memchr::memchr_iter(b'\r', bytes).count(),
            Self::Objects => memchr::memchr2_iter(b'\r', b'\n', bytes).count(),
        }
    }
}

/// A document, read as lines: each record is one, the ends of lines in it are `\r`, and the comma behind an item of an
/// array, or the bracket, is `\n`.
pub(super) struct Records<R> {
    input: R,
    layout: Layout,
    /// Objects and arrays that are open.
    depth: u64,
    string: InString,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were handed on, that are lines, and that were read.
    taken: usize,
    ready: usize,
    filled: usize,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// Behind a `\`.
    Escaped,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, layout: Layout) -> Self {
        Self {
            input,
            layout,
            depth: 0,
            string: InString::No,
            chunk: vec![0; CHUNK],
            taken: 0,
            ready: 0,
            filled: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.chunk.copy_within(self.ready..self.filled, 0);
        self.filled -= self.ready;
        (self.taken, self.ready) = (0, 0);
        let free = self.chunk.get_mut(self.filled..).unwrap_or_default();
        let read = self.input.read(free)?;
        self.ended = read == 0;
        self.filled += read;
        // What begins a record must be seen whole.
        let ahead = if self.ended { 0 } else { BEGIN.len() };
        self.ready = self.filled.saturating_sub(ahead);
        for at in 0..self.ready {
            let begins = self.begins(at + 1);
            if let Some(byte) = self.chunk.get(at).copied() {
                let byte = self.step(byte, begins);
                self.chunk.get_mut(at).into_iter().for_each(|it| *it = byte);
            }
        }
        Ok(())
    }

    /// Whether a record begins there, if a line does.
    fn begins(&self, at: usize) -> bool {
        let read = self.chunk.get(at..self.filled);
        read.is_some_and(|rest| rest.starts_with(BEGIN))
    }

    fn step(&mut self, byte: u8, begins: bool) -> u8 {
        let between = u64::from(self.layout == Layout::Array);
        if byte == b'\n' {
            if begins {
                (self.depth, self.string) = (between, InString::No);
            }
            let is_end = self.layout == Layout::Objects && self.depth == 0;
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

impl<R: Read> Read for Records<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready && !self.ended && !buffer.is_empty() {
            self.refill()?;
        }
        let lines = self.chunk.get(self.taken..self.ready).unwrap_or_default();
        let len = lines.len().min(buffer.len());
        let copied = buffer.iter_mut().zip(lines);
        copied.for_each(|(to, from)| *to = *from);
        self.taken += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that hands on so many bytes at once.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len());
            self.0.read(&mut buffer[..len])
        }
    }

    fn check(document: &str, layout: Layout, lines: &[&str]) {
        assert_eq!(Layout::of(document.as_bytes()), Some(layout), "{document}");
        for step in [1, 2, 3, 7, CHUNK] {
            let mut text = String::new();
            let mut records = Records::new(Dribble(document.as_bytes(), step), layout);
            records.read_to_string(&mut text).unwrap();
            let told: Vec<_> = text.split('\n').collect();
            assert_eq!(told, lines, "{document}");
            assert_eq!(text.len(), document.len());
            let ends = document.matches('\n').count();
            assert_eq!(layout.lines(text.as_bytes()), ends, "{document}");
        }
    }

    #[test]
    fn items_of_an_array_are_lines() {
        check(
            "[\n  {\n    \"a\": [1, 2]\n  },\n  {\"b\": \"],[\\\",\"}\n]\n",
            Layout::Array,
            &[
                "[\r  {\r    \"a\": [1, 2]\r  }",
                "\r  {\"b\": \"],[\\\",\"}\r",
                "\r",
            ],
        );
        check("[{\"a\":1},{}]", Layout::Array, &["[{\"a\":1}", "{}", ""]);
        check(
            "[{\"a\":1}]\n[{\"b\":[]}]\n",
            Layout::Array,
            &["[{\"a\":1}", "\r[{\"b\":[]}", "\r"],
        );
    }

    #[test]
    fn objects_over_many_lines_are_lines() {
        check(
            "{\r\n  \"a\": 1\r\n}\n{\n  \"b\": 2\n}\n",
            Layout::Objects,
            &["{ \r  \"a\": 1 \r}", "{\r  \"b\": 2\r}", ""],
        );
    }

    #[test]
    fn damage_costs_the_record_that_it_hit() {
        check(
            "{\"a\": \"cut\n{\"b\": 2}\n{\"c\": [\n{\"d\": 4},\n{\"e\": 5}]}\n",
            Layout::Objects,
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
            Layout::Array,
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
            assert_eq!(Layout::of(text.as_bytes()), None, "{text}");
        }
    }
}
