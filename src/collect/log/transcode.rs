//! UTF-16 logs (PowerShell writes them) as UTF-8, and back to offsets in the file.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding};

/// Bytes of UTF-16 that are taken at once.
const CHUNK: usize = 64 * 1024;

/// A stream of UTF-16, read as UTF-8. What is no UTF-16 becomes U+FFFD.
pub(super) struct Utf16<R> {
    input: R,
    decoder: Decoder,
    /// Bytes of the mark that are still to be dropped.
    mark: usize,
    raw: Vec<u8>,
    decoded: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    /// Decodes `input` after the `mark` bytes of its byte order mark.
    pub(super) fn new(input: R, encoding: &'static Encoding, mark: usize) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            mark,
            raw: vec![0; CHUNK],
            decoded: io::Cursor::default(),
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = self.input.read(&mut self.raw)?;
        self.ended = read == 0;
        let dropped = self.mark.min(read);
        self.mark -= dropped;
        let fresh = self.raw.get(dropped..read).unwrap_or_default();
        let room = self
            .decoder
            .max_utf8_buffer_length(fresh.len())
            .unwrap_or(CHUNK * 4);
        let mut out = vec![0; room];
        let (_, _, written, _) = self.decoder.decode_to_utf8(fresh, &mut out, self.ended);
        out.truncate(written);
        self.decoded = io::Cursor::new(out);
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoded.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            self.refill()?;
        }
    }
}

/// How many bytes of UTF-16 `utf8` was decoded from: two for each unit, and characters outside the first
/// plane have two units.
pub(super) fn width(utf8: &[u8]) -> u64 {
    let units = utf8.iter().map(|byte| match byte {
        0x80..=0xbf => 0,
        0xf0..=0xff => 4,
        _ => 2,
    });
    units.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_offsets_survive() {
        let text = "GET /cb?code=ä😀\r\nnext";
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend_from_slice(&units);
        let mut out = String::new();
        let mut reader = Utf16::new(bytes.as_slice(), encoding_rs::UTF_16LE, 2);
        reader.read_to_string(&mut out).unwrap();
        assert_eq!(out, text);
        assert_eq!(width(out.as_bytes()), units.len() as u64);
    }
}
