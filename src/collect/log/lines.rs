//! A stream becomes runs of whole lines in one reusable buffer, with the number and offset of the first.
//! No line is cut by the buffer's edge; only one beyond [`MAX_LINE`] comes in pieces. Knows no format.

use std::io::{self, Read};

use super::pem;

/// Bytes that are read at once: what is searched is then still in the core's own cache. Less costs calls.
pub const WINDOW: usize = 1 << 18;

/// Longest line that is read as one. Request lines end at some 8 to 64 KiB; the longest genuine records
/// are JSON lines with a body in them.
pub const MAX_LINE: usize = 16 << 20;

/// A piece of a longer line ends at a blank or a quotation mark in its last bytes, so that no token is cut.
const SOFT_EDGE: usize = 64 * 1024;

/// Whole lines, the last with its newline unless the stream ended or the line is too long.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether its last line goes on in the next run.
    pub(super) cut: bool,
}

/// The runs of a stream.
pub(super) struct Runs<R> {
    input: R,
    /// What was read beyond the last run.
    rest: Vec<u8>,
    /// For who has no buffer of its own.
    buffer: Vec<u8>,
    window: usize,
    limit: usize,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Runs<R> {
    /// Reads `input` through buffers of `window` bytes that grow to `limit` for a long line.
    pub(super) fn new(input: R, window: usize, limit: usize) -> Self {
        Self {
            input,
            rest: Vec::new(),
            buffer: Vec::new(),
            window: window.max(1),
            limit: limit.max(window),
            ended: false,
            error: None,
        }
    }

    /// The next run; `None` at the end, or where reading failed.
    pub(super) fn next(&mut self) -> Option<Run<'_>> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let run = self.next_in(&mut buffer);
        self.buffer = buffer;
        let (end, cut) = run?;
        let bytes = self.buffer.get(..end).unwrap_or_default();
        Some(Run { bytes, cut })
    }

    /// Lets go of the buffer of its own, when further runs go into others.
    pub(super) fn let_go(&mut self) {
        self.buffer = Vec::new();
    }

    /// The next run in a buffer of the caller: where it ends there, and whether its last line goes on in the next
    /// run. What the buffer held is lost.
    pub(super) fn next_in(&mut self, buffer: &mut Vec<u8>) -> Option<(usize, bool)> {
        let mut filled = self.rest.len();
        buffer.resize(buffer.len().max(self.window).max(filled), 0);
        let start = buffer.iter_mut().zip(&self.rest);
        start.for_each(|(to, from)| *to = *from);
        let mut searched = 0;
        let (end, cut) = loop {
            filled = self.fill(buffer, filled);
            let fresh = buffer.get(searched..filled).unwrap_or_default();
            if let Some(newline) = memchr::memrchr(b'\n', fresh) {
                let lines = buffer.get(..=searched + newline).unwrap_or_default();
                let whole = pem::whole(lines);
                if self.ended {
                    // The last line of a key may be that of the file, and have no end.
                    let is_whole = whole == lines.len();
                    break (if is_whole { whole } else { filled }, false);
                }
                if whole > 0 {
                    break (whole, false);
                }
            }
            if self.ended {
                break (filled, false);
            }
            searched = filled;
            if buffer.len() >= self.limit {
                break (soft_edge(buffer.get(..filled).unwrap_or_default()), true);
            }
            buffer.resize(buffer.len().saturating_mul(2).min(self.limit), 0);
        };
        self.rest.clear();
        self.rest
            .extend_from_slice(buffer.get(end..filled).unwrap_or_default());
        (end > 0).then_some((end, cut))
    }

    /// What ended the stream early.
    pub(super) fn error(self) -> Option<io::Error> {
        self.error
    }

    /// Fills the buffer from here on, or meets the end. Says how far it is filled.
    fn fill(&mut self, buffer: &mut [u8], from: usize) -> usize {
        let mut filled = from;
        while !self.ended {
            let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) else {
                break;
            };
            match self.input.read(free) {
                Ok(0) => self.ended = true,
                Ok(read) => filled = buffer.len().min(filled + read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
        filled
    }
}

/// Where a piece of a line that is too long ends: between words, when there are any.
pub(super) fn soft_edge(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(SOFT_EDGE);
    let tail = bytes.get(from..).unwrap_or_default();
    let edge = memchr::memrchr3(b' ', b'"', b'\t', tail);
    edge.map_or(bytes.len(), |edge| from + edge + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str, window: usize, limit: usize) -> Vec<(String, bool)> {
        let mut runs = Runs::new(text.as_bytes(), window, limit);
        let mut out = Vec::new();
        while let Some(run) = runs.next() {
            out.push((String::from_utf8_lossy(run.bytes).into_owned(), run.cut));
        }
        out
    }

    #[test]
    fn a_key_that_ends_with_its_file_is_in_one_run() {
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----";
        for before in ["", "one\n"] {
            let text = format!("{before}{key}");
            for window in [1, 7, 64, 1024] {
                let runs = runs(&text, window, 1024);
                assert!(
                    runs.iter().any(|(run, _)| run.ends_with(key)),
                    "{window} {runs:?}"
                );
                let all: String = runs.into_iter().map(|(run, _)| run).collect();
                assert_eq!(all, text);
            }
        }
    }

    #[test]
    fn runs_end_at_lines_whatever_the_window() {
        let text = "one\ntwo, which is longer\n\nthree without an end";
        for window in 1..60 {
            let runs = runs(text, window, 1000);
            assert_eq!(
                runs.iter().map(|(run, _)| run.as_str()).collect::<String>(),
                text
            );
            let (_, whole) = runs.split_last().unwrap();
            assert!(
                whole.iter().all(|(run, cut)| run.ends_with('\n') && !cut),
                "{window}"
            );
        }
    }

    #[test]
    fn runs_in_buffers_of_others_are_whole_lines_too() {
        let text = "one\ntwo, which is longer than others\n\nthree without an end";
        for window in 1..60 {
            let mut all = Runs::new(text.as_bytes(), window, 20);
            let mut buffers = [vec![b'?'; 7], Vec::new()];
            let mut out = String::new();
            while let Some((end, cut)) = all.next_in(&mut buffers[0]) {
                out.push_str(&String::from_utf8_lossy(&buffers[0][..end]));
                assert_eq!(cut, !out.ends_with('\n') && out != text, "{window}");
                buffers.reverse();
            }
            assert_eq!(out, text);
        }
    }

    #[test]
    fn a_line_beyond_the_bound_is_cut_between_words() {
        let runs = runs("alpha beta gamma delta\nend\n", 4, 12);
        let text: Vec<_> = runs.iter().map(|(run, _)| run.as_str()).collect();
        assert_eq!(text, ["alpha beta ", "gamma delta\n", "end\n"]);
        assert!(runs.first().unwrap().1);
    }
}
