//! The character encoding of a document, and where in the file each byte of its text stands.
//! Knows nothing of what the text says.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};

/// Bytes read at a time from a file in UTF-16.
const BLOCK: usize = 64 * 1024;

/// How the file writes its characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Charset {
    /// UTF-8, or a single-byte encoding whose ASCII half is all that JSON's syntax needs. A byte order
    /// mark stays in the text.
    Utf8,
    /// UTF-16, with or without a byte order mark.
    Utf16 { little: bool, mark: bool },
}

impl Charset {
    /// Told by the byte order mark, or by the NUL beside the first character, which is ASCII in JSON
    /// (RFC 4627 §3).
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Self::Utf16 {
                little: true,
                mark: true,
            },
            [0xfe, 0xff, ..] => Self::Utf16 {
                little: false,
                mark: true,
            },
            [1..=255, 0, 1..=255, 0, ..] => Self::Utf16 {
                little: true,
                mark: false,
            },
            [0, 1..=255, 0, 1..=255, ..] => Self::Utf16 {
                little: false,
                mark: false,
            },
            _ => Self::Utf8,
        }
    }

    /// The head of a file as UTF-8.
    pub(super) fn head(self, head: &[u8]) -> Vec<u8> {
        match self.encoding() {
            None => head.to_vec(),
            Some(encoding) => encoding
                .decode_with_bom_removal(head)
                .0
                .into_owned()
                .into_bytes(),
        }
    }

    /// The whole of a file as UTF-8. What UTF-16 cannot mean becomes U+FFFD.
    pub(super) fn text<'a>(self, input: Box<dyn Read + Send + 'a>) -> Box<dyn Read + Send + 'a> {
        match self.encoding() {
            None => input,
            Some(encoding) => Box::new(Transcoder {
                input,
                decoder: encoding.new_decoder_with_bom_removal(),
                block: vec![0; BLOCK],
                text: Vec::with_capacity(4 * BLOCK),
                taken: 0,
                ended: false,
            }),
        }
    }

    /// Where the first byte of the text stands.
    pub(super) fn start(self) -> Position {
        let mark = match self {
            Self::Utf16 { mark: true, .. } => 2,
            _ => 0,
        };
        Position {
            byte: mark,
            line: 1,
            column: 1 + mark,
            wide: self != Self::Utf8,
        }
    }

    fn encoding(self) -> Option<&'static Encoding> {
        match self {
            Self::Utf8 => None,
            Self::Utf16 { little: true, .. } => Some(UTF_16LE),
            Self::Utf16 { little: false, .. } => Some(UTF_16BE),
        }
    }
}

/// A place in the file, kept up while its text is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    /// Offset in the file, in bytes, from 0.
    pub(super) byte: u64,
    /// Line, from 1.
    pub(super) line: u64,
    /// Column in bytes of the file, from 1.
    pub(super) column: u64,
    /// Whether the file has two bytes for a character's UTF-16 unit.
    wide: bool,
}

impl Position {
    /// Moves over `text`, which is UTF-8 whatever the file is.
    pub(super) fn advance(&mut self, text: &[u8]) {
        let width = self.width(text);
        self.byte = self.byte.saturating_add(width);
        let Some(last) = memchr::memrchr(b'\n', text) else {
            self.column = self.column.saturating_add(width);
            return;
        };
        let lines = memchr::memchr_iter(b'\n', text).count() as u64;
        self.line = self.line.saturating_add(lines);
        let tail = text.get(last.saturating_add(1)..).unwrap_or_default();
        self.column = self.width(tail).saturating_add(1);
    }

    fn width(&self, text: &[u8]) -> u64 {
        if !self.wide {
            return text.len() as u64;
        }
        // A character has one lead byte in UTF-8; those of four bytes are two units in UTF-16.
        text.iter()
            .map(|byte| match byte {
                0x80..=0xbf => 0,
                0xf0.. => 4,
                _ => 2,
            })
            .sum()
    }
}

struct Transcoder<'a> {
    input: Box<dyn Read + Send + 'a>,
    decoder: Decoder,
    block: Vec<u8>,
    text: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Transcoder<'_> {
    fn refill(&mut self) -> io::Result<()> {
        let read = self.input.read(&mut self.block)?;
        self.ended = read == 0;
        let mut block = self.block.get(..read).unwrap_or_default();
        self.text.clear();
        self.taken = 0;
        // Three bytes of UTF-8 for two of UTF-16 at most, and what the decoder held back.
        self.text
            .resize(read.saturating_mul(2).saturating_add(16), 0);
        let mut written = 0_usize;
        loop {
            let space = self.text.get_mut(written..).unwrap_or_default();
            let (result, used, wrote, _) = self.decoder.decode_to_utf8(block, space, self.ended);
            written = written.saturating_add(wrote);
            block = block.get(used..).unwrap_or_default();
            match result {
                CoderResult::InputEmpty => break,
                CoderResult::OutputFull => {
                    let longer = self.text.len().saturating_mul(2);
                    self.text.resize(longer, 0);
                }
            }
        }
        self.text.truncate(written);
        Ok(())
    }
}

impl Read for Transcoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let mut rest = self.text.get(self.taken..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.taken = self.taken.saturating_add(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_bytes_of_the_file_in_either_width() {
        let text = "{\n  \"ключ\": \"😀x".as_bytes();
        let mut narrow = Charset::Utf8.start();
        narrow.advance(text);
        assert_eq!((narrow.line, narrow.column), (2, 21));
        let wide = Charset::of(&[0xff, 0xfe, b'{', 0]);
        let mut wide = wide.start();
        wide.advance(text);
        assert_eq!((wide.line, wide.column), (2, 29));
        assert_eq!(wide.byte, 2 + 4 + 28);
    }

    #[test]
    fn utf_16_becomes_utf_8_in_any_order_with_and_without_a_mark() {
        let text = "{\"a\": \"ключ😀\"}";
        for mark in [true, false] {
            for little in [true, false] {
                let mut bytes = Vec::new();
                let marked = mark.then_some(0xfeff_u16);
                for unit in marked.into_iter().chain(text.encode_utf16()) {
                    let pair = if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    };
                    bytes.extend(pair);
                }
                let charset = Charset::of(&bytes);
                assert_eq!(charset, Charset::Utf16 { little, mark });
                let mut read = String::new();
                charset
                    .text(Box::new(bytes.as_slice()))
                    .read_to_string(&mut read)
                    .unwrap();
                assert_eq!(read, text);
                assert_eq!(charset.head(&bytes), text.as_bytes());
            }
        }
    }
}
