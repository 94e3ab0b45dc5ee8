//! Logs in UTF-16 (PowerShell writes them), and logs that change between UTF-16 and 8-bit text (its `>>` appends UTF-16
//! to whatever there is), as 8-bit text, and back to offsets in the file.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

/// Bytes that are taken at once where some are UTF-16.
const CHUNK: usize = 64 * 1024;

/// So many letters of ASCII one after the other, each in two bytes, are UTF-16 in 8-bit text.
const UNITS: usize = 8;

/// So many bytes of ASCII one after the other are 8-bit text in UTF-16. Fewer are Chinese: a fifth of its common
/// characters has two bytes that are letters.
const ASCII: usize = 32;

/// Bytes at the end of what was read that may begin a change of the encoding, with the mark before it.
const HELD: usize = ASCII + 4;

/// A stream of UTF-16 and 8-bit text, read as 8-bit text. What is no UTF-16 there becomes U+FFFD.
pub(super) struct Text<R> {
    input: R,
    /// What undoes UTF-16; nothing in 8-bit text.
    wide: Option<Wide>,
    /// What was read and not yet looked at.
    raw: Vec<u8>,
    decoded: io::Cursor<Vec<u8>>,
    /// Last byte of 8-bit text that was handed on.
    last: u8,
    /// Bytes that were handed on, and bytes of the file that they were.
    given: u64,
    taken: u64,
    seams: Seams,
    ended: bool,
}

struct Wide {
    decoder: Decoder,
    /// Bytes of its mark that are still to be dropped.
    mark: usize,
}

impl<R: Read> Text<R> {
    /// Decodes `input`, which begins in UTF-16 where that is given, with the bytes of its mark.
    pub(super) fn new(input: R, utf16: Option<(&'static Encoding, usize)>) -> Self {
        let seams = Seams::default();
        if let Some((_, mark)) = utf16 {
            seams.lock().push_back(Seam {
                text: 0,
                file: mark as u64,
                is_wide: true,
            });
        }
        let wide = utf16.map(|(encoding, mark)| Wide {
            decoder: encoding.new_decoder_without_bom_handling(),
            mark,
        });
        Self {
            input,
            wide,
            raw: Vec::new(),
            decoded: io::Cursor::default(),
            last: b'\n',
            given: 0,
            taken: 0,
            seams,
            ended: false,
        }
    }

    /// Where the encoding changes, as far as it was read.
    pub(super) fn seams(&self) -> Seams {
        self.seams.clone()
    }

    /// 8-bit text goes on as it is read: it costs a look for a NUL.
    fn read_plain(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let fresh = buffer.get(..read).unwrap_or_default();
        self.ended = read == 0;
        if memchr::memchr(0, fresh).is_none() {
            self.last = fresh.last().copied().unwrap_or(self.last);
            self.given += read as u64;
            self.taken += read as u64;
            return Ok(read);
        }
        self.raw.extend_from_slice(fresh);
        self.decode();
        Ok(0)
    }

    fn refill(&mut self) -> io::Result<()> {
        let from = self.raw.len();
        self.raw.resize(from.saturating_add(CHUNK), 0);
        let read = self
            .input
            .read(self.raw.get_mut(from..).unwrap_or_default());
        self.raw
            .truncate(from.saturating_add(read.as_ref().map_or(0, |read| *read)));
        self.ended = read? == 0;
        self.decode();
        Ok(())
    }

    /// Decodes what was read up to where the encoding may change behind it.
    fn decode(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        let (mut rest, mut out) = (raw.as_slice(), Vec::new());
        loop {
            let next = match &self.wide {
                None => begin_of_utf16(rest, self.last),
                Some(wide) => begin_of_ascii(rest, wide.decoder.encoding()),
            };
            let end = next.map_or_else(|| self.known(rest), |(end, _)| end);
            let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let before = out.len();
            self.put(piece, next.is_some() || self.ended, &mut out);
            self.given += (out.len() - before) as u64;
            self.taken += piece.len() as u64;
            rest = behind;
            let Some((_, encoding)) = next else { break };
            self.turn(encoding, &mut rest);
        }
        self.raw = rest.to_vec();
        self.decoded = io::Cursor::new(out);
    }

    /// Goes on in UTF-16, or in 8-bit text.
    fn turn(&mut self, encoding: Option<&'static Encoding>, rest: &mut &[u8]) {
        self.wide = encoding.map(|encoding| Wide {
            decoder: encoding.new_decoder_without_bom_handling(),
            mark: 0,
        });
        if let (Some(_), [0, behind @ ..], true) = (encoding, *rest, self.last != b'\n') {
            // Half a letter, of which the other half is handed on already.
            *rest = behind;
            self.taken += 1;
        }
        self.last = b'\n';
        self.seams.lock().push_back(Seam {
            text: self.given,
            file: self.taken,
            is_wide: encoding.is_some(),
        });
    }

    /// How many of these bytes, in which the encoding does not change, are not needed to see whether it does so behind
    /// them.
    fn known(&self, rest: &[u8]) -> usize {
        if self.ended {
            return rest.len();
        }
        // Units are not cut.
        rest.len().saturating_sub(HELD) & !1
    }

    fn put(&mut self, piece: &[u8], is_last: bool, out: &mut Vec<u8>) {
        let Some(wide) = &mut self.wide else {
            self.last = piece.last().copied().unwrap_or(self.last);
            return out.extend_from_slice(piece);
        };
        let dropped = wide.mark.min(piece.len());
        wide.mark -= dropped;
        let fresh = piece.get(dropped..).unwrap_or_default();
        let room = wide.decoder.max_utf8_buffer_length(fresh.len());
        let from = out.len();
        out.resize(from.saturating_add(room.unwrap_or(CHUNK * 4)), 0);
        let free = out.get_mut(from..).unwrap_or_default();
        let (_, _, written, _) = wide.decoder.decode_to_utf8(fresh, free, is_last);
        out.truncate(from.saturating_add(written));
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoded.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            if self.wide.is_some() || !self.raw.is_empty() {
                self.refill()?;
                continue;
            }
            let read = self.read_plain(buffer)?;
            if read > 0 {
                return Ok(read);
            }
        }
    }
}

/// What begins there, and in which encoding; 8-bit text where none is given.
type Begin = (usize, Option<&'static Encoding>);

/// Where UTF-16 begins in 8-bit text, its mark included; `last` is the byte before the text.
fn begin_of_utf16(text: &[u8], last: u8) -> Option<Begin> {
    let mut at = 0;
    loop {
        let nul = at + memchr::memchr(0, text.get(at..)?)?;
        let (units, _) = text.get(nul..)?.as_chunks();
        let mut letters = units.iter().take(UNITS);
        let is_wide = units.len() >= UNITS;
        if is_wide && letters.all(|[high, low]| *high == 0 && is_ascii(*low)) {
            let before = text.get(..nul).unwrap_or_default();
            return Some(match before {
                [.., 0xff, 0xfe, _] => (nul - 3, Some(UTF_16LE)),
                [.., 0xfe, 0xff] => (nul - 2, Some(UTF_16BE)),
                // What is behind a whole line begins with a whole letter.
                [.., b'\n'] => (nul, Some(UTF_16BE)),
                [] if last == b'\n' => (nul, Some(UTF_16BE)),
                _ => (nul.saturating_sub(1), Some(UTF_16LE)),
            });
        }
        at = nul + 1;
    }
}

/// Where 8-bit text begins in UTF-16.
fn begin_of_ascii(text: &[u8], encoding: &'static Encoding) -> Option<Begin> {
    let mut run = 0;
    let end = text.iter().position(|byte| {
        run = if is_ascii(*byte) { run + 1 } else { 0 };
        run == ASCII
    })?;
    let start = (end + 1).saturating_sub(ASCII);
    // The second half of the last letter in UTF-16.
    let half = usize::from(encoding == UTF_16BE && start % 2 == 1);
    Some((start + half, None))
}

fn is_ascii(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Where the encoding of a text changes, in order. What lies before the place that was asked for last is forgotten.
#[derive(Clone, Default, Debug)]
pub(super) struct Seams(Arc<Mutex<VecDeque<Seam>>>);

/// One change: where it is in the text as it is handed on and in the file.
#[derive(Clone, Copy, Debug)]
struct Seam {
    text: u64,
    file: u64,
    is_wide: bool,
}

impl Seams {
    /// Whether anything that was read, or will be next, is not as it lies in the file.
    pub(super) fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Whether the text is UTF-16 at this place, which is none before that of the last call.
    pub(super) fn is_wide(&self, at: u64) -> bool {
        let mut seams = self.lock();
        while seams.get(1).is_some_and(|next| next.text <= at) {
            seams.pop_front();
        }
        seams.front().is_some_and(|it| it.text <= at && it.is_wide)
    }

    /// Where in the file a piece of the text ends that begins at these places of the text and the file.
    pub(super) fn end(&self, text: u64, file: u64, piece: &[u8]) -> u64 {
        let mut is_wide = self.is_wide(text);
        let (mut file, mut rest) = (file, piece);
        let mut at = text;
        let end = text.saturating_add(piece.len() as u64);
        for seam in self.lock().iter().take_while(|seam| seam.text <= end) {
            let within = seam
                .text
                .checked_sub(at)
                .and_then(|it| usize::try_from(it).ok());
            let Some((_, behind)) = within.and_then(|within| rest.split_at_checked(within)) else {
                continue;
            };
            (rest, at, file, is_wide) = (behind, seam.text, seam.file, seam.is_wide);
        }
        file.saturating_add(width(rest, is_wide))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Seam>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes of the file a text was. Of UTF-16 two for each unit, and characters outside the first plane have two
/// units.
pub(super) fn width(text: &[u8], is_wide: bool) -> u64 {
    if !is_wide {
        return text.len() as u64;
    }
    let units = text.iter().map(|byte| match byte {
        0x80..=0xbf => 0,
        0xf0..=0xff => 4,
        _ => 2,
    });
    units.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A reader that hands on so many bytes at once.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len());
            self.0.read(&mut buffer[..len])
        }
    }

    #[test]
    fn text_and_offsets_survive() {
        let text = "GET /cb?code=ä😀\r\nnext";
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend_from_slice(&utf16(text));
        let mut out = String::new();
        let mut reader = Text::new(bytes.as_slice(), Some((UTF_16LE, 2)));
        let seams = reader.seams();
        reader.read_to_string(&mut out).unwrap();
        assert_eq!(out, text);
        assert_eq!(seams.end(0, 2, out.as_bytes()), bytes.len() as u64);
    }

    #[test]
    fn encodings_may_change_at_any_line() {
        let lines = [
            "192.0.2.1 - GET /cb?code=a and so on\n",
            "GET /cb?code=ä😀 in both halves of a pair\r\n",
            "上 stands in two bytes of which one is the end of a line: 《上》\r\n",
        ];
        let big =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
        let mark = b"\xff\xfe".to_vec();
        let parts: [Vec<u8>; 7] = [
            lines[0].into(),
            utf16(&[lines[1], lines[2]].concat()),
            lines[0].into(),
            big(lines[1]),
            [lines[0], lines[0]].concat().into(),
            [mark, utf16(lines[1])].concat(),
            [lines[0], "a\0b\0\0\0 are NULs in 8-bit text"]
                .concat()
                .into(),
        ];
        let expected = [
            lines[0],
            lines[1],
            lines[2],
            lines[0],
            lines[1],
            lines[0],
            lines[0],
            "\u{feff}",
            lines[1],
            lines[0],
            "a\0b\0\0\0 are NULs in 8-bit text",
        ];
        let expected = expected.concat();
        let bytes = parts.concat();
        for step in [1, 2, 3, 7, 50, CHUNK] {
            let mut out = String::new();
            let mut reader = Text::new(Dribble(&bytes, step), None);
            let seams = reader.seams();
            reader.read_to_string(&mut out).unwrap();
            assert_eq!(out, expected, "{step}");
            let (mut text, mut file) = (0, 0);
            let mut ends = Vec::new();
            for line in out.split_inclusive('\n') {
                file = seams.end(text, file, line.as_bytes());
                text += line.len() as u64;
                ends.push(file);
            }
            let newlines = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'\n'));
            assert_eq!(ends.last(), Some(&(bytes.len() as u64)));
            assert_eq!(ends[0], newlines.min().unwrap() as u64 + 1);
            assert_eq!(ends[2], (parts[0].len() + parts[1].len()) as u64, "{step}");
        }
    }

    #[test]
    fn chinese_in_utf_16_and_nuls_in_8_bit_text_are_no_change() {
        let chinese = "日志：用户在系统上打开了一个新的会话，然后关闭\r\n".repeat(4_000);
        let mut out = String::new();
        let bytes = utf16(&chinese);
        Text::new(bytes.as_slice(), Some((UTF_16LE, 0)))
            .read_to_string(&mut out)
            .unwrap();
        assert_eq!(out, chinese);
        let nuls = [
            vec![0; 3 * CHUNK],
            b"GET /\0\0 and \0s\0e\0v\0e\0n\0 \0l not\n".to_vec(),
        ]
        .concat();
        let mut out = Vec::new();
        Text::new(nuls.as_slice(), None)
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out, nuls);
    }
}
