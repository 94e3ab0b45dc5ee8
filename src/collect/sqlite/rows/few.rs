//! Rows that are few among many: found by a pass over the file as it lies, and given out by SQLite one by one. Knows no
//! application's schema.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::ReadError;
use super::super::cells::Cells;
use super::super::pass::Met;
use super::super::tables::Table;
use super::{Database, is_final};

/// Rows of which one may hold something for it to be worth looking that one up.
const ROWS_PER_LOOKUP: i64 = 64;

/// Rows that are looked up one by one, eight bytes each.
const MAX_LOOKUPS: usize = 1 << 16;

impl Database {
    /// Gives the values of some columns that are not NULL to `each`, without SQLite's machine, for many parts of the
    /// table side by side. Returns what was gathered of each part, in the order of rowids. `None` where only SQLite can
    /// read them, or where `each` asked for an end.
    pub fn pass<T: Send>(
        &self,
        table: &Table,
        columns: &[&str],
        begin: &(impl Fn() -> T + Sync),
        each: &(impl Fn(&mut T, i64, Met<'_>) -> bool + Sync),
    ) -> Option<Vec<T>> {
        let pages = self.pages.as_ref().filter(|_| table.has_rowid())?;
        let plan = table.plan(columns)?;
        pages.pass(plan.root, &plan.columns, begin, each)
    }

    /// How many rows may be looked up one by one, so that it is worth its cost; `None` where [`Self::pass`] cannot say
    /// which.
    pub fn most_lookups(&self, table: &Table) -> Result<Option<usize>, ReadError> {
        if self.pages.is_none() || !table.has_rowid() {
            return Ok(None);
        }
        let most = usize::try_from(self.last_rowid(table)? / ROWS_PER_LOOKUP);
        Ok(Some(most.unwrap_or_default().min(MAX_LOOKUPS)))
    }

    /// The rows in which any of the columns holds something, where they are few among many, and some more perhaps.
    pub fn few_set(&self, table: &Table, columns: &[&str]) -> Result<Option<Vec<i64>>, ReadError> {
        let Some(most) = self.most_lookups(table)? else {
            return Ok(None);
        };
        let count = AtomicUsize::new(0);
        let note = |rowids: &mut Vec<i64>, rowid, met: Met<'_>| {
            if met == Met::Bytes(b"") || rowids.last() == Some(&rowid) {
                return true;
            }
            rowids.push(rowid);
            count.fetch_add(1, Ordering::Relaxed) < most
        };
        let passed = self.pass(table, columns, &Vec::new, &note);
        Ok(passed.map(|rowids| rowids.concat()))
    }

    /// Like [`Self::scan`], of these rows only.
    pub fn scan_rows(
        &self,
        table: &Table,
        columns: &[&str],
        rowids: &[i64],
        each: &mut dyn FnMut(i64, &Cells<'_>),
    ) -> Result<Option<ReadError>, ReadError> {
        let lookup = self.lookup(table, None, columns)?;
        let mut problem = None;
        for rowid in rowids {
            match lookup.each(*rowid, each) {
                Err(error) if is_final(&error) => return Err(error),
                done => problem = problem.or(done.err()),
            }
        }
        Ok(problem)
    }
}
