//! Long logs on all cores: waves of runs, of which one is read, or decompressed, while the one before it is
//! searched and the one before that is handed on. What is handed on, and in which order, is the same as on
//! one core. Knows no format.

use std::io::Read;

use rayon::prelude::*;

use super::Session;
use super::columns::Header;
use super::lines::{Run, Runs, WINDOW};
use crate::collect::Observation;

/// Runs of a wave for each thread: enough that no thread waits long for the slowest.
const SHARE: usize = 2;

/// Runs of a wave at most, so that memory does not grow with the number of cores.
const MOST: usize = 16;

/// Largest buffer that is kept to be used again.
const KEPT: usize = 2 * WINDOW;

/// Reads `runs` to their end, or to the first header line: from there on what a line means depends on
/// what stands above it, and the session reads on alone. Says how many lines were cut.
pub(super) fn read<R: Read + Send>(
    runs: &mut Runs<R>,
    session: &mut Session<'_>,
    sink: &mut dyn FnMut(Observation),
) -> u64 {
    let most = (rayon::current_num_threads() * SHARE).min(MOST);
    let (mut wave, mut next) = (Wave::default(), Wave::default());
    // The first wave is filled while there is nothing to search, so it is a small one.
    let mut width = 1;
    wave.fill(runs, width);
    let mut ready: Vec<Observation> = Vec::new();
    let mut cuts = 0;
    while !(wave.used.is_empty() && ready.is_empty()) {
        let start: &Session<'_> = session;
        width = (width * 2).min(most);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next.fill(runs, width));
            scope.spawn(|_| wave.search(start));
            ready.drain(..).for_each(&mut *sink);
        });
        cuts += wave.cuts();
        let header = wave.used.iter_mut().position(|piece| {
            ready.append(&mut piece.found);
            session.number += piece.lines;
            session.byte += piece.bytes().len() as u64;
            piece.header.is_some()
        });
        if let Some(at) = header {
            ready.drain(..).for_each(&mut *sink);
            cuts += next.cuts();
            let mut rest = wave.used.drain(at..);
            session.header = rest
                .next()
                .and_then(|piece| piece.header)
                .unwrap_or_default();
            for piece in rest.chain(next.used) {
                session.run(&piece.run(), sink);
            }
            return cuts;
        }
        wave.empty();
        std::mem::swap(&mut wave, &mut next);
    }
    cuts
}

/// Pieces in their order, and buffers to be used again.
#[derive(Default)]
struct Wave {
    used: Vec<Piece>,
    spare: Vec<Vec<u8>>,
}

impl Wave {
    /// Takes runs for `width` buffers; fewer where long lines need larger ones.
    fn fill<R: Read>(&mut self, runs: &mut Runs<R>, width: usize) {
        let mut room = width * runs.window();
        while room > 0 {
            let spare = self.spare.pop().unwrap_or_default();
            let Some(piece) = runs.next_owned(spare) else {
                return;
            };
            room = room.saturating_sub(piece.0.len());
            self.used.push(Piece {
                buffer: piece.0,
                end: piece.1,
                cut: piece.2,
                lines: 0,
                found: Vec::new(),
                header: None,
            });
        }
    }

    /// Searches every piece as if no header stood before it.
    fn search(&mut self, start: &Session<'_>) {
        self.used.par_iter_mut().for_each(|piece| {
            piece.lines = memchr::memchr_iter(b'\n', piece.bytes()).count() as u64;
        });
        let (mut number, mut byte) = (start.number, start.byte);
        let places: Vec<(u64, u64)> = self
            .used
            .iter()
            .map(|piece| {
                let place = (number, byte);
                number += piece.lines;
                byte += piece.bytes().len() as u64;
                place
            })
            .collect();
        let pieces = self.used.par_iter_mut().zip(places);
        pieces.for_each(|(piece, (number, byte))| {
            let mut session = start.fork(number, byte);
            let mut found = Vec::new();
            session.run(&piece.run(), &mut |observation| found.push(observation));
            piece.found = found;
            piece.header = session.header.is_set().then_some(session.header);
        });
    }

    fn cuts(&self) -> u64 {
        self.used.iter().map(|piece| u64::from(piece.cut)).sum()
    }

    fn empty(&mut self) {
        // One that grew for a long line is not kept.
        let spare = self.used.drain(..).map(|piece| piece.buffer);
        self.spare
            .extend(spare.filter(|buffer| buffer.capacity() <= KEPT));
    }
}

/// A run in a buffer of its own, and what was found in it.
struct Piece {
    buffer: Vec<u8>,
    end: usize,
    cut: bool,
    lines: u64,
    found: Vec<Observation>,
    header: Option<Header>,
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.end).unwrap_or_default()
    }

    fn run(&self) -> Run<'_> {
        Run {
            bytes: self.bytes(),
            cut: self.cut,
        }
    }
}
