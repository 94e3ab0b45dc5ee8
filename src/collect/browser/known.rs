//! What one state of a history has shown, so that another one adds only what it alone holds. Remembers digests,
//! and values only where unused bytes are searched for them. Knows neither files nor browsers.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::atoms::Digest;
use crate::collect::sqlite::Passing;

/// Cells and visits that are remembered: some 100 bytes each, and a history of a million URLs with credentials has
/// fewer.
const MAX_KNOWN: usize = 1 << 21;

/// Bytes of values that are kept. What lies in unused bytes too is told twice when there is more.
const MAX_KEPT: usize = 64 << 20;

/// What was shown so far.
#[derive(Default)]
pub(super) struct Known {
    shown: HashSet<Digest>,
    /// The visit that has an id. Ids of visits that were deleted are given again.
    owners: HashMap<i64, Digest>,
    /// Values of cells that the live view does not hold, when they are kept.
    recovered: Vec<Vec<u8>>,
    recovered_bytes: usize,
    /// Values that no state but one between two commits may hold.
    pub(super) passing: Passing,
}

/// A visit among those of all states.
pub(super) struct Met {
    /// Its id, or a number of its own where another state gave the id to another visit.
    pub(super) id: i64,
    /// Whether no state has shown it before.
    pub(super) is_new: bool,
}

impl Known {
    /// Whether there was more than is remembered.
    pub(super) fn is_full(&self) -> bool {
        self.shown.len() >= MAX_KNOWN
    }

    /// Takes note of a cell. Whether no state has shown it before.
    pub(super) fn cell(&mut self, table: &str, rowid: i64, column: &str, bytes: &[u8]) -> bool {
        self.passing.forget(rowid, bytes);
        let rowid = rowid.to_le_bytes();
        self.note(Digest::of([
            b"cell".as_slice(),
            table.as_bytes(),
            &rowid,
            column.as_bytes(),
            bytes,
        ]))
    }

    /// Keeps the value of a cell that the live view does not hold.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.recovered_bytes = self.recovered_bytes.saturating_add(bytes.len());
        if self.recovered_bytes <= MAX_KEPT {
            self.recovered.push(bytes.to_vec());
        }
    }

    /// What was kept.
    pub(super) fn recovered(&self) -> &[Vec<u8>] {
        &self.recovered
    }

    /// Takes note of a visit.
    pub(super) fn visit(&mut self, id: i64, page: i64, at: Option<Timestamp>) -> Met {
        let digest = visit(id, page, at);
        let is_new = self.note(digest);
        if !self.is_full() {
            self.owners.entry(id).or_insert(digest);
        }
        Met {
            id: self.id(id, page, at),
            is_new,
        }
    }

    /// The id of a visit among those of all states.
    pub(super) fn id(&self, id: i64, page: i64, at: Option<Timestamp>) -> i64 {
        let digest = visit(id, page, at);
        match self.owners.get(&id) {
            Some(owner) if *owner != digest => {
                let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
                // Browsers count from 1.
                i64::from_le_bytes(first) | i64::MIN
            }
            _ => id,
        }
    }

    fn note(&mut self, digest: Digest) -> bool {
        !self.is_full() && self.shown.insert(digest)
    }
}

fn visit(id: i64, page: i64, at: Option<Timestamp>) -> Digest {
    let at = at.map_or(i128::MIN, Timestamp::as_nanosecond);
    let (id, page, at) = (id.to_le_bytes(), page.to_le_bytes(), at.to_le_bytes());
    Digest::of([b"visit".as_slice(), &id, &page, &at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_was_given_twice_names_two_visits() {
        let at = |second| Timestamp::from_second(second).ok();
        let mut known = Known::default();
        let live = known.visit(7, 1, at(10));
        assert!(live.is_new);
        assert_eq!(live.id, 7);
        assert!(!known.visit(7, 1, at(10)).is_new);
        let deleted = known.visit(7, 1, at(9));
        assert!(deleted.is_new);
        assert!(deleted.id < 0);
        assert_eq!(known.id(7, 1, at(9)), deleted.id);
        assert_eq!(known.id(7, 1, at(10)), 7);
        assert_eq!(known.id(8, 1, None), 8, "nobody else has it");
    }

    #[test]
    fn a_cell_is_new_once() {
        let mut known = Known::default();
        assert!(known.cell("urls", 1, "url", b"a"));
        assert!(!known.cell("urls", 1, "url", b"a"));
        assert!(known.cell("urls", 1, "url", b"b"));
        assert!(known.cell("urls", 2, "url", b"a"));
    }
}
