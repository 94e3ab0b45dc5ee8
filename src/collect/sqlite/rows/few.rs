//! Rows that are few among many: found by a pass over the file as it lies, and given out by SQLite one by one. Knows no
//! application's schema.

use super::super::ReadError;
use super::super::cells::Cells;
use super::super::pass::Met;
use super::super::plan::Plan;
use super::{Database, Table, is_final};

/// Rows of which one may hold something for it to be worth looking that one up.
const ROWS_PER_LOOKUP: i64 = 64;

/// Rows that are looked up one by one, eight bytes each.
const MAX_LOOKUPS: usize = 1 << 16;

impl Database {
    /// The values of one column that are not NULL, in the order of rowids, without SQLite's machine. `false`, after
    /// some or none, where only SQLite can read them.
    pub fn pass(&self, table: &Table, column: &str, each: &mut dyn FnMut(i64, Met<'_>)) -> bool {
        let mut each = |rowid, met: Met<'_>| {
            each(rowid, met);
            true
        };
        self.pass_over(table, &[column], &mut each).is_some()
    }

    fn pass_over(
        &self,
        table: &Table,
        columns: &[&str],
        each: &mut dyn FnMut(i64, Met<'_>) -> bool,
    ) -> Option<()> {
        let pages = self.pages.as_ref().filter(|_| table.has_rowid)?;
        let mut pages = pages.try_borrow_mut().ok()?;
        let plan = Plan::of(&self.connection, table.name, columns)?;
        pages.pass(plan.root, &plan.columns, &mut |rowid, _, met| {
            each(rowid, met)
        })
    }

    /// The rows in which any of the columns is not NULL, where they are few among many, and some more perhaps.
    pub(super) fn few_set(&self, table: &Table, columns: &[&str]) -> Option<Vec<i64>> {
        self.pages.as_ref().filter(|_| !columns.is_empty())?;
        let most = usize::try_from(self.last_rowid(table) / ROWS_PER_LOOKUP).ok()?;
        let most = most.min(MAX_LOOKUPS);
        let mut rowids: Vec<i64> = Vec::new();
        self.pass_over(table, columns, &mut |rowid, _| {
            if rowids.last() != Some(&rowid) {
                rowids.push(rowid);
            }
            rowids.len() <= most
        })?;
        Some(rowids)
    }

    /// Like [`Self::scan_where_any`], of these rows only.
    pub fn scan_rows(
        &self,
        table: &Table,
        columns: &[&str],
        set: &[&str],
        rowids: &[i64],
        each: &mut dyn FnMut(i64, &Cells<'_>),
    ) -> Result<Option<ReadError>, ReadError> {
        let condition = format!("{} AND rowid", table.any_set(set));
        let lookup = self.lookup(table, &condition, columns)?;
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
