//! A stream becomes runs of whole lines in one reusable buffer, with the number and offset of the first.
//! No line is cut by the buffer's edge; only one beyond [`MAX_LINE`] comes in pieces. Knows no format.

use std::io::{self, Read};

/// Bytes that are read at once: more gives no speed (measured 64 KiB to 4 MiB alike), less costs calls.
pub const WINDOW: usize = 1 << 20;

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
    buffer: Vec<u8>,
    /// Bytes of the buffer that were handed out.
    consumed: usize,
    /// Bytes of the buffer that hold content.
    filled: usize,
    window: usize,
    limit: usize,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Runs<R> {
    /// Reads `input` through a buffer of `window` bytes that grows to `limit` for a long line.
    pub(super) fn new(input: R, window: usize, limit: usize) -> Self {
        Self {
            input,
            buffer: vec![0; window.max(1)],
            consumed: 0,
            filled: 0,
            window: window.max(1),
            limit: limit.max(window),
            ended: false,
            error: None,
        }
    }

    /// Bytes that are read at once.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// The next run; `None` at the end, or where reading failed.
    pub(super) fn next(&mut self) -> Option<Run<'_>> {
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        let mut searched = 0;
        let (end, cut) = loop {
            self.fill();
            let fresh = self.buffer.get(searched..self.filled).unwrap_or_default();
            if let Some(newline) = memchr::memrchr(b'\n', fresh) {
                break (searched + newline + 1, false);
            }
            if self.ended {
                break (self.filled, false);
            }
            searched = self.filled;
            if self.buffer.len() >= self.limit {
                break (self.soft_edge(), true);
            }
            let size = self.buffer.len().saturating_mul(2).min(self.limit);
            self.buffer.resize(size, 0);
        };
        self.consumed = end;
        let bytes = self.buffer.get(..end).unwrap_or_default();
        (!bytes.is_empty()).then_some(Run { bytes, cut })
    }

    /// The next run as the start of a buffer: the buffer, where the run ends in it, and whether its last
    /// line goes on in the next run. `spare` takes the buffer's place.
    pub(super) fn next_owned(&mut self, mut spare: Vec<u8>) -> Option<(Vec<u8>, usize, bool)> {
        let run = self.next()?;
        let (end, cut) = (run.bytes.len(), run.cut);
        let rest = self.buffer.get(end..self.filled).unwrap_or_default();
        spare.resize(self.window.max(rest.len()), 0);
        spare
            .iter_mut()
            .zip(rest)
            .for_each(|(to, from)| *to = *from);
        self.filled = rest.len();
        self.consumed = 0;
        Some((std::mem::replace(&mut self.buffer, spare), end, cut))
    }

    /// What ended the stream early.
    pub(super) fn error(self) -> Option<io::Error> {
        self.error
    }

    /// Fills the buffer, or meets the end.
    fn fill(&mut self) {
        while !self.ended {
            let Some(free) = self
                .buffer
                .get_mut(self.filled..)
                .filter(|free| !free.is_empty())
            else {
                return;
            };
            match self.input.read(free) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled = self.buffer.len().min(self.filled + read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
    }

    fn soft_edge(&self) -> usize {
        let from = self.filled.saturating_sub(SOFT_EDGE);
        let tail = self.buffer.get(from..self.filled).unwrap_or_default();
        let edge = memchr::memrchr3(b' ', b'"', b'\t', tail);
        edge.map_or(self.filled, |edge| from + edge + 1)
    }
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
    fn owned_runs_are_the_same_runs() {
        let text = "one\ntwo, which is longer than others\n\nthree without an end";
        for window in 1..60 {
            let mut owned = Runs::new(text.as_bytes(), window, 20);
            let mut out = Vec::new();
            while let Some((buffer, end, cut)) = owned.next_owned(vec![b'?'; 7]) {
                out.push((String::from_utf8_lossy(&buffer[..end]).into_owned(), cut));
            }
            assert_eq!(
                out.iter().map(|(run, _)| run.as_str()).collect::<String>(),
                text
            );
            assert!(out.iter().all(|(run, cut)| *cut != (run.ends_with('\n') || text.ends_with(run.as_str()))));
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
