//! Values of many rows searched together: a search has a cost of its own for each buffer, and a URL is
//! short. Gives the values that have a needle, in their order, or the rows of a table that do; knows no browser.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::atoms::rules::Needles;
use crate::collect::sqlite::{Database, Met, Table};

/// Bytes that are searched together: enough that what each search costs by itself does not count, and few
/// enough to stay in the processor's cache.
const TOGETHER: usize = 64 * 1024;

/// Values that wait to be searched, each with what its row says.
pub(super) struct Sieve<'n, T> {
    needles: &'n Needles,
    /// The values, each with a line end behind it, over which no needle reaches.
    bytes: Vec<u8>,
    /// Where each value ends, and its row.
    rows: Vec<(usize, T)>,
}

impl<'n, T> Sieve<'n, T> {
    pub(super) fn new(needles: &'n Needles) -> Self {
        Self {
            needles,
            bytes: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Takes a value. Those that have a needle are given to `hit`, now or with a later call.
    pub(super) fn put(&mut self, value: &[u8], row: T, hit: &mut dyn FnMut(T, &[u8])) {
        if value.is_empty() {
            return;
        }
        if value.len() >= TOGETHER {
            self.flush(hit);
            if self.needles.hit(value) {
                hit(row, value);
            }
            return;
        }
        self.bytes.extend_from_slice(value);
        self.rows.push((self.bytes.len(), row));
        self.bytes.push(b'\n');
        if self.bytes.len() >= TOGETHER {
            self.flush(hit);
        }
    }

    /// Gives out what waits.
    pub(super) fn flush(&mut self, hit: &mut dyn FnMut(T, &[u8])) {
        let mut begin = 0;
        let mut next = self.needles.find(&self.bytes, 0);
        for (end, row) in self.rows.drain(..) {
            if next.is_some_and(|at| at <= end) {
                let value = self.bytes.get(begin..end).unwrap_or_default();
                // What was found may reach back into the row before.
                if self.needles.hit(value) {
                    hit(row, value);
                }
                next = self.needles.find(&self.bytes, end + 1);
            }
            begin = end + 1;
        }
        self.bytes.clear();
    }
}

/// Rows of a table, by their rowids, in order.
#[derive(Default)]
pub(super) struct Passed {
    /// Those with a value that has a needle; one of several columns may name its row again.
    pub(super) hits: Vec<i64>,
    /// Those with a value that was not seen.
    pub(super) unseen: Vec<i64>,
}

/// Passes over these columns of a table that lies in a file as it is. `None` where that is not possible, or where
/// more than `most` rows come of it.
pub(super) fn pass(
    database: &Database,
    table: &Table,
    columns: &[&str],
    needles: &Needles,
    most: usize,
) -> Option<Passed> {
    let count = AtomicUsize::new(0);
    let note = |rowids: &mut Vec<i64>, rowid| {
        rowids.push(rowid);
        count.fetch_add(1, Ordering::Relaxed);
    };
    let begin = || (Sieve::new(needles), Passed::default());
    let each = |(sieve, passed): &mut (Sieve<'_, i64>, Passed), rowid, met: Met<'_>| {
        match met {
            Met::Bytes(value) => {
                sieve.put(value, rowid, &mut |rowid, _| note(&mut passed.hits, rowid));
            }
            Met::Elsewhere => note(&mut passed.unseen, rowid),
        }
        count.load(Ordering::Relaxed) <= most
    };
    let mut whole = Passed::default();
    for (mut sieve, mut passed) in database.pass(table, columns, &begin, &each)? {
        sieve.flush(&mut |rowid, _| note(&mut passed.hits, rowid));
        whole.hits.append(&mut passed.hits);
        whole.unseen.append(&mut passed.unseen);
    }
    (count.into_inner() <= most).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;

    #[test]
    fn the_same_values_pass_as_if_each_were_searched_alone() {
        let needles = Rules::builtin().unwrap().needles;
        let long = "x".repeat(TOGETHER);
        let values: Vec<String> = (0..40_000_usize)
            .map(|n| match n % 97 {
                3 => format!("https://app.example/cb?code={n}"),
                4 => "=1".to_owned(),
                5 => "https://app.example/?code".to_owned(),
                6 => "eyJ".to_owned(),
                7 => String::new(),
                8 if n % 5_000 == 8 => format!("{long}?code=1"),
                _ => format!("https://app.example/page/{n}?lang=en"),
            })
            .collect();
        let alone: Vec<usize> = (0..values.len())
            .filter(|n| needles.hit(values[*n].as_bytes()))
            .collect();
        let mut passed = Vec::new();
        let mut sieve = Sieve::new(&needles);
        for (n, value) in values.iter().enumerate() {
            sieve.put(value.as_bytes(), n, &mut |n, value| {
                assert_eq!(value, values[n].as_bytes());
                passed.push(n);
            });
        }
        sieve.flush(&mut |n, _| passed.push(n));
        assert_eq!(passed, alone);
        assert!(alone.len() > 800);
    }
}
