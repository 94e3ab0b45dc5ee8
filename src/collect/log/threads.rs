//! Long logs on all cores: each thread takes the next run, searches it while it is in that core's cache, and hands on
//! what it found once all before that is handed on. What is handed on, and in which order, is the same as on one core.
//! Knows no format.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::super::{Observation, Observe};
use super::lines::{Run, Runs, WINDOW};
use super::session::Session;

/// Bytes of runs that may be in work, or wait for an earlier one with what was found in them, before another is taken.
/// What is found in a run takes a few times as many at most. A line without end is more, and nothing is read beside it.
const HOLD: usize = 8 << 20;

/// Largest buffer that is kept to be used again.
const KEPT: usize = 8 * WINDOW;

/// Reads `runs` to their end, or to the first header line, from which on what a line means depends on what stands above
/// it, or to where the encoding changes, from which on its place does: there the session reads on alone. Says how many
/// lines were cut.
pub(super) fn read<R: Read + Send>(
    runs: &mut Runs<R>,
    session: &mut Session<'_>,
    sink: &mut Observe<'_>,
) -> u64 {
    runs.let_go();
    let start: &Session<'_> = session;
    let feed = Mutex::new(Feed {
        runs,
        taken: 0,
        number: start.number,
        byte: start.byte,
        cuts: 0,
        headed: None,
        ended: false,
    });
    let exit = Exit {
        state: Mutex::default(),
        moved: Condvar::new(),
        sink: Mutex::new(sink),
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| work(start, &feed, &exit));
        }
        work(start, &feed, &exit);
    });
    let feed = feed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sink = exit.sink.into_inner();
    session.go_on(feed.number, feed.byte);
    if let Some((buffer, end, cut)) = feed.headed {
        let bytes = buffer.get(..end).unwrap_or_default();
        let run = Run { bytes, cut };
        session.run(&run, sink.unwrap_or_else(PoisonError::into_inner));
    }
    feed.cuts
}

/// Searches one run after the other, as if no header stood before it.
fn work<R: Read>(start: &Session<'_>, feed: &Mutex<Feed<'_, R>>, exit: &Exit<'_, '_>) {
    let _guard = StopOnPanic(exit);
    let mut buffer = Vec::new();
    loop {
        let Some(piece) = lock(feed).take(&mut buffer, start, exit) else {
            return;
        };
        let mut session = start.fork(piece.number, piece.byte);
        let bytes = buffer.get(..piece.end).unwrap_or_default();
        let run = Run {
            bytes,
            cut: piece.cut,
        };
        let mut found = Vec::new();
        session.run(&run, &mut |observation| found.push(observation));
        if buffer.capacity() > KEPT {
            // One that grew for a long line is not kept.
            buffer = Vec::new();
        }
        exit.take(piece.place, piece.end, found);
    }
}

/// The runs that are still to be searched.
struct Feed<'r, R> {
    runs: &'r mut Runs<R>,
    taken: usize,
    /// Number and offset of the next line.
    number: u64,
    byte: u64,
    cuts: u64,
    /// The run with the first header line, or before a change of the encoding: its buffer, where it ends there, and
    /// whether its last line is cut.
    headed: Option<(Vec<u8>, usize, bool)>,
    ended: bool,
}

/// A run in the buffer that it was taken into.
struct Piece {
    place: usize,
    number: u64,
    byte: u64,
    end: usize,
    cut: bool,
}

impl<R: Read> Feed<'_, R> {
    /// The next run, unless it has a header line, once there is room for one.
    fn take(
        &mut self,
        buffer: &mut Vec<u8>,
        start: &Session<'_>,
        exit: &Exit<'_, '_>,
    ) -> Option<Piece> {
        if self.ended || !exit.has_room() {
            return None;
        }
        let Some((end, cut)) = self.runs.next_in(buffer) else {
            self.ended = true;
            return None;
        };
        self.cuts += u64::from(cut);
        let bytes = buffer.get(..end).unwrap_or_default();
        let changes = start.is_transcoded() || !start.headless && start.has_header(bytes);
        if changes {
            self.ended = true;
            self.headed = Some((std::mem::take(buffer), end, cut));
            return None;
        }
        let piece = Piece {
            place: self.taken,
            number: self.number,
            byte: self.byte,
            end,
            cut,
        };
        self.taken += 1;
        self.number += start.lines(bytes);
        self.byte += end as u64;
        exit.expect(end);
        Some(piece)
    }
}

/// What was found, on its way out in the order of the runs.
struct Exit<'s, 'o> {
    state: Mutex<State>,
    moved: Condvar,
    sink: Mutex<&'s mut Observe<'o>>,
}

#[derive(Default)]
struct State {
    /// Runs of which everything was handed on, or is being handed on.
    done: usize,
    waiting: BTreeMap<usize, (usize, Vec<Observation>)>,
    /// Bytes of the runs that were taken, and of which not everything was handed on.
    weight: usize,
    /// Whether a thread hands on.
    busy: bool,
    stopped: bool,
}

impl Exit<'_, '_> {
    /// Waits until another run may be taken. The run that all wait for is always one that a thread works on.
    fn has_room(&self) -> bool {
        let state = lock(&self.state);
        let full = |state: &mut State| state.weight > HOLD && !state.stopped;
        let state = self.moved.wait_while(state, full);
        !state.unwrap_or_else(PoisonError::into_inner).stopped
    }

    /// Takes note of a run that will come.
    fn expect(&self, bytes: usize) {
        lock(&self.state).weight += bytes;
    }

    /// Takes what was found in a run, and hands on what can be, unless another thread is at it.
    fn take(&self, place: usize, bytes: usize, found: Vec<Observation>) {
        let mut state = lock(&self.state);
        state.waiting.insert(place, (bytes, found));
        if std::mem::replace(&mut state.busy, true) {
            return;
        }
        loop {
            let done = state.done;
            let Some((bytes, next)) = state.waiting.remove(&done) else {
                break;
            };
            state.done += 1;
            drop(state);
            next.into_iter().for_each(&mut **lock(&self.sink));
            state = lock(&self.state);
            state.weight -= bytes;
            self.moved.notify_all();
        }
        state.busy = false;
    }
}

/// A thread that dies would leave the others waiting for what it has in work.
struct StopOnPanic<'a, 's, 'o>(&'a Exit<'s, 'o>);

impl Drop for StopOnPanic<'_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.state).stopped = true;
            self.0.moved.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
