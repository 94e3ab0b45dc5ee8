//! Many items worked on in parallel, their results taken in the items' order. Knows nothing of what the
//! items are.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Works on every item, on all threads of the current pool, and takes the results in order. Items are begun
/// in order too; none is begun while results that wait for an earlier one weigh more than `hold`, so that
/// memory is bounded by `hold` and one result a thread. Stops early when `take` breaks.
pub fn ordered<T: Sync, U: Send, E: Send>(
    items: &[T],
    hold: usize,
    weight: fn(&U) -> usize,
    work: impl Fn(&T) -> U + Sync,
    take: &mut (dyn FnMut(U) -> ControlFlow<E> + Send),
) -> ControlFlow<E> {
    let begun = AtomicUsize::new(0);
    let line = Line {
        state: Mutex::new(State {
            taken: 0,
            waiting: BTreeMap::new(),
            weight: 0,
            end: ControlFlow::Continue(()),
            stopped: false,
            take,
        }),
        moved: Condvar::new(),
    };
    rayon::broadcast(|_| {
        let _guard = StopOnPanic(&line);
        while line.may_begin(hold) {
            let index = begun.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            line.done(index, work(item), weight);
        }
    });
    let state = line.state.into_inner();
    state.unwrap_or_else(PoisonError::into_inner).end
}

/// Results on their way out.
struct Line<'a, U, E> {
    state: Mutex<State<'a, U, E>>,
    moved: Condvar,
}

struct State<'a, U, E> {
    taken: usize,
    waiting: BTreeMap<usize, U>,
    weight: usize,
    end: ControlFlow<E>,
    stopped: bool,
    take: &'a mut (dyn FnMut(U) -> ControlFlow<E> + Send),
}

impl<'a, U, E> Line<'a, U, E> {
    fn lock(&self) -> MutexGuard<'_, State<'a, U, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the next item may be begun, and meanwhile helps those that work on theirs in parallel.
    /// The first result that is missing always has a thread that works on it and does not wait, because
    /// items are begun in order.
    fn may_begin(&self, hold: usize) -> bool {
        /// Other work of the pool does not announce itself: it is looked for this often.
        const LOOK: Duration = Duration::from_millis(5);
        /// After so many looks at which nothing moved, the missing result may wait for this very thread,
        /// which took its work up while it waited for other work of the pool: memory gives way then.
        const PATIENCE: u32 = 1_000;
        for _ in 0..PATIENCE {
            let state = self.lock();
            if state.weight <= hold || state.stopped {
                return !state.stopped;
            }
            drop(state);
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                let state = self.lock();
                if state.weight > hold && !state.stopped {
                    drop(self.moved.wait_timeout(state, LOOK));
                }
            }
        }
        true
    }

    fn done(&self, index: usize, result: U, weight: fn(&U) -> usize) {
        let mut state = self.lock();
        state.weight = state.weight.saturating_add(weight(&result));
        state.waiting.insert(index, result);
        loop {
            let taken = state.taken;
            let Some(next) = state.waiting.remove(&taken).filter(|_| !state.stopped) else {
                break;
            };
            state.taken = taken.saturating_add(1);
            state.weight = state.weight.saturating_sub(weight(&next));
            if let ControlFlow::Break(end) = (state.take)(next) {
                state.end = ControlFlow::Break(end);
                state.stopped = true;
            }
        }
        self.moved.notify_all();
    }
}

/// A thread that dies would leave the others waiting for its result.
struct StopOnPanic<'a, 'b, U, E>(&'a Line<'b, U, E>);

impl<U, E> Drop for StopOnPanic<'_, '_, U, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().stopped = true;
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Squares of the numbers, the early ones late.
    fn squares(
        threads: usize,
        hold: usize,
        until: usize,
    ) -> (ControlFlow<&'static str>, Vec<usize>) {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let numbers: Vec<usize> = (0..50).collect();
        let work = |number: &usize| {
            std::thread::sleep(Duration::from_millis(if number.is_multiple_of(10) {
                5
            } else {
                0
            }));
            number * number
        };
        let mut out = Vec::new();
        let end = pool.install(|| {
            ordered(&numbers, hold, |_| 1, work, &mut |square| {
                out.push(square);
                if out.len() == until {
                    return ControlFlow::Break("enough");
                }
                ControlFlow::Continue(())
            })
        });
        (end, out)
    }

    #[test]
    fn results_come_in_order_whatever_is_held() {
        let expected: Vec<usize> = (0..50).map(|number| number * number).collect();
        for (threads, hold) in [(1, 0), (1, 9), (4, 0), (4, 3), (8, usize::MAX)] {
            let (end, out) = squares(threads, hold, usize::MAX);
            assert_eq!(end, ControlFlow::Continue(()));
            assert_eq!(out, expected, "{threads} threads, {hold} held");
        }
    }

    #[test]
    fn a_break_is_the_end() {
        for threads in [1, 4] {
            let (end, out) = squares(threads, 2, 7);
            assert_eq!(end, ControlFlow::Break("enough"));
            assert_eq!(out.len(), 7);
        }
    }

    #[test]
    #[should_panic(expected = "in the work")]
    fn a_panic_leaves_no_thread_waiting() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let items: Vec<usize> = (0..50).collect();
        pool.install(|| {
            let work = |item: &usize| assert!(*item != 0, "in the work");
            let _: ControlFlow<Infallible> =
                ordered(&items, 0, |()| 1, work, &mut |()| ControlFlow::Continue(()));
        });
    }
}
