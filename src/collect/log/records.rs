//! A log whose records are no lines, read as lines: each record is one, the ends of lines in it are `\r`; and one whose
//! lines are not as they were written. Byte for byte, so that every offset stays what it was.

use std::io::{self, Read};

use super::layout::Layout;
use super::{audit, commands, document};

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Bytes from one on that tell what it is in a record: a time in a line of its own, and the end before it.
const AHEAD: usize = 16;

/// The records of a stream.
pub(super) struct Records<R> {
    input: R,
    place: Place,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were handed on, that are lines, and that were read.
    taken: usize,
    ready: usize,
    filled: usize,
    ended: bool,
}

/// Where in a log a reader is.
enum Place {
    Document(document::Place),
    Commands(commands::Place),
    Audit(audit::Place),
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, layout: Layout) -> Self {
        let place = match layout {
            Layout::Document(document) => Place::Document(document::Place::new(document)),
            Layout::Commands(shell) => Place::Commands(commands::Place::new(shell)),
            Layout::Audit => Place::Audit(audit::Place::default()),
        };
        Self {
            input,
            place,
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
        let is_full = self.filled == self.chunk.len();
        let filled = self.chunk.get_mut(..self.filled).unwrap_or_default();
        self.ready = match &mut self.place {
            Place::Document(place) => {
                each(filled, self.ended, |first, rest| place.step(first, rest))
            }
            Place::Commands(place) => {
                each(filled, self.ended, |first, rest| place.step(first, rest))
            }
            Place::Audit(place) => place.step(filled, self.ended, is_full),
        };
        Ok(())
    }
}

/// Puts what a step makes of it, and of what follows it, in the place of each byte; says how many it was asked for.
fn each(filled: &mut [u8], ended: bool, mut step: impl FnMut(u8, &[u8]) -> u8) -> usize {
    let ahead = if ended { 0 } else { AHEAD };
    let ready = filled.len().saturating_sub(ahead);
    for at in 0..ready {
        let rest = filled.get(at..).unwrap_or_default();
        let Some(first) = rest.first().copied() else {
            break;
        };
        let byte = step(first, rest);
        filled.get_mut(at).into_iter().for_each(|it| *it = byte);
    }
    ready
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

/// Holds what is read of a text, in pieces of any length, against lines.
#[cfg(test)]
pub(super) fn check(name: &str, text: &str, layout: Layout, lines: &[&str]) {
    /// A reader that hands on so many bytes at once.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len());
            self.0.read(&mut buffer[..len])
        }
    }

    assert_eq!(Layout::of(name, text.as_bytes()), Some(layout), "{text}");
    for step in [1, 2, 3, 7, CHUNK] {
        let mut read = String::new();
        let mut records = Records::new(Dribble(text.as_bytes(), step), layout);
        records.read_to_string(&mut read).unwrap();
        let told: Vec<_> = read.split('\n').collect();
        assert_eq!(told, lines, "{text}");
        assert_eq!(read.len(), text.len());
        let ends = text.matches('\n').count();
        assert_eq!(layout.lines(read.as_bytes()), ends, "{text}");
    }
}
