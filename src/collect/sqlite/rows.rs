//! Rows out of a table that a stranger made: SELECTs built from the columns that are there, text as bytes,
//! and what lies behind a broken page is still reached. Knows no application's schema.

mod few;

use std::cell::{Cell, RefCell};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use super::ReadError;
use super::cells::Cells;
use super::open::{damaged, told, unlike};
use super::pass::Pages;
use super::tables::{Listed, Table, Tables};

/// Values may come to this multiple of the file's size before it counts as crafted: each cell is read about
/// twice, and only crafted cells share their overflow pages.
const TEXT_PER_BYTE: u64 = 8;

/// Values that any file may hold.
const TEXT_FLOOR: u64 = 64 << 20;

/// Attempts to get past broken pages in one table. Each costs a few page reads, and two are enough for one
/// broken leaf.
const MAX_DETOURS: u32 = 200;

/// An open database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    /// The file, where it is read as it lies.
    pages: Option<Pages>,
    /// Bytes of values that may still be read.
    budget: Cell<u64>,
    tables: Tables,
}

impl Database {
    pub(super) fn new(connection: Connection, len: u64) -> Self {
        Self {
            connection,
            pages: None,
            budget: Cell::new(TEXT_FLOOR.saturating_add(len.saturating_mul(TEXT_PER_BYTE))),
            tables: Tables::default(),
        }
    }

    /// The same, of a file that is read as it lies.
    pub(super) fn with_pages(self, pages: Option<Pages>) -> Self {
        Self { pages, ..self }
    }

    /// Whether the list of its tables can be read at all.
    pub fn is_readable(&self) -> bool {
        self.tables.listed(&self.connection).is_ok()
    }

    /// Whether something goes by this name, and whether it is a real table.
    pub fn is_table(&self, name: &str) -> Result<Option<bool>, ReadError> {
        let found = self.tables.find(name, &self.connection)?;
        Ok(found.map(Listed::is_table))
    }

    /// A table by its name, or `None`. A view or a virtual table of that name is an error: no application
    /// makes it, and reading one may run for ever.
    pub fn table(&self, name: &'static str) -> Result<Option<Table>, ReadError> {
        self.tables.table(name, &self.connection)
    }

    /// Whether looking rows up by this column is quick.
    pub fn is_indexed(&self, table: &Table, column: &str) -> bool {
        let sql = "SELECT 1 FROM pragma_index_list(?1) list, pragma_index_info(list.name) info \
                   WHERE info.seqno = 0 AND info.name = ?2 COLLATE NOCASE AND NOT list.partial LIMIT 1";
        let found = self
            .connection
            .query_row(sql, (table.name(), column), |_| Ok(()));
        found.is_ok()
    }

    /// The greatest rowid: a bound for the number of rows.
    pub fn last_rowid(&self, table: &Table) -> Result<i64, ReadError> {
        let sql = format!("SELECT max({}) FROM \"{}\"", table.rowid(), table.name());
        let last = self.connection.query_row(&sql, [], |row| row.get(0));
        // SQLite tells of a damaged page only once.
        let last: Option<i64> = last.map_err(|error| told(&error))?;
        Ok(last.unwrap_or_default())
    }

    /// Every row of a table with its rowid and the wanted columns, in no promised order. `key` names the column
    /// that stands for the rowid in a table WITHOUT ROWID.
    ///
    /// Where a page is broken, the rows before and behind it are still given, and the first error is returned
    /// as `Ok(Some(_))`; when all reading must end, as `Err`.
    pub fn scan(
        &self,
        table: &Table,
        key: &str,
        columns: &[&str],
        each: &mut dyn FnMut(i64, &Cells<'_>),
    ) -> Result<Option<ReadError>, ReadError> {
        self.scan_where_any(table, key, columns, &[], each)
    }

    /// The same, of the rows in which any of the columns in `set` is not NULL, or of all when there are none:
    /// SQLite passes over a row faster than it gives it out.
    pub fn scan_where_any(
        &self,
        table: &Table,
        key: &str,
        columns: &[&str],
        set: &[&str],
        each: &mut dyn FnMut(i64, &Cells<'_>),
    ) -> Result<Option<ReadError>, ReadError> {
        let name = table.name();
        let set = table.any_set(set);
        if !table.has_rowid() {
            let key = if table.has(key) {
                format!("\"{key}\"")
            } else {
                "0".to_owned()
            };
            let select = table.select(&key, columns);
            let sql = format!("{select} FROM \"{name}\" WHERE {set}");
            let mut all = |key: i64, cells: &Cells<'_>| {
                each(key, cells);
                true
            };
            return match self.run(&sql, [], columns.len(), &mut all) {
                Err(error) if is_final(&error) => Err(error),
                done => Ok(done.err()),
            };
        }
        let rowid = table.rowid();
        let select = table.select(rowid, columns);
        let range = format!(
            "{select} FROM \"{name}\" NOT INDEXED WHERE {rowid} BETWEEN ?1 AND ?2 AND {set}"
        );
        let backwards = format!("{range} ORDER BY {rowid} DESC");
        let mut ranges = vec![(i64::MIN, i64::MAX)];
        let mut problem = None;
        let mut detours = 0;
        // From both ends towards a broken page, then into the middle of what neither end reached.
        while let Some((low, high)) = ranges.pop() {
            let (mut first, mut last) = (low, high);
            // In a tree whose pages meet again, rowids do not ascend.
            let mut forward = |rowid: i64, cells: &Cells<'_>| {
                let ascends = rowid >= first;
                if ascends {
                    first = rowid.saturating_add(1);
                    each(rowid, cells);
                }
                ascends
            };
            let Err(error) = self.run(&range, [low, high], columns.len(), &mut forward) else {
                continue;
            };
            if is_final(&error) {
                return Err(error);
            }
            problem.get_or_insert(error);
            if detours == MAX_DETOURS {
                break;
            }
            detours += 1;
            let mut backward = |rowid: i64, cells: &Cells<'_>| {
                let descends = rowid <= last;
                if descends {
                    last = rowid.saturating_sub(1);
                    each(rowid, cells);
                }
                descends
            };
            let reached = self.run(&backwards, [first, high], columns.len(), &mut backward);
            if reached.is_err() && first < last {
                let middle = first.midpoint(last);
                ranges.push((middle.saturating_add(1), last));
                ranges.push((first, middle));
            }
        }
        Ok(problem)
    }

    /// Prepares looking rows up by the value of a column, or by their rowid where none is named.
    pub fn lookup(
        &self,
        table: &Table,
        by: Option<&str>,
        columns: &[&str],
    ) -> Result<Lookup<'_>, ReadError> {
        if by.is_none() && !table.has_rowid() {
            return Err(unlike());
        }
        let rowid = table.rowid();
        let (select, by) = (table.select(rowid, columns), by.unwrap_or(rowid));
        let sql = format!("{select} FROM \"{}\" WHERE {by} = ?1", table.name());
        let statement = self
            .connection
            .prepare(&sql)
            .map_err(|error| told(&error))?;
        Ok(Lookup {
            database: self,
            statement: RefCell::new(statement),
            columns: columns.len(),
        })
    }

    fn run<const N: usize>(
        &self,
        sql: &str,
        bound: [i64; N],
        columns: usize,
        each: &mut dyn FnMut(i64, &Cells<'_>) -> bool,
    ) -> Result<(), ReadError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| told(&error))?;
        self.step(&mut statement, bound, columns, each)
    }

    /// `each` returns whether the row stands in its place; one that does not is damage.
    fn step<const N: usize>(
        &self,
        statement: &mut Statement<'_>,
        bound: [i64; N],
        columns: usize,
        each: &mut dyn FnMut(i64, &Cells<'_>) -> bool,
    ) -> Result<(), ReadError> {
        let failed = |error: rusqlite::Error| told(&error);
        let mut rows = statement
            .query(rusqlite::params_from_iter(bound))
            .map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let cells = Cells::of(row, columns);
            let Some(left) = self.budget.get().checked_sub(cells.size(columns)) else {
                return Err(ReadError::Limit(
                    "holds far more text than its size explains, like a crafted file; the rest was not read".into(),
                ));
            };
            self.budget.set(left);
            let key = match row.get_ref(0) {
                Ok(ValueRef::Integer(key)) => key,
                _ => 0,
            };
            if !each(key, &cells) {
                return Err(damaged());
            }
        }
        Ok(())
    }
}

/// A prepared look-up.
pub struct Lookup<'a> {
    database: &'a Database,
    statement: RefCell<Statement<'a>>,
    columns: usize,
}

impl Lookup<'_> {
    /// All rows that have the value, with their rowids.
    pub fn each(&self, value: i64, each: &mut dyn FnMut(i64, &Cells<'_>)) -> Result<(), ReadError> {
        let mut statement = self.statement.borrow_mut();
        let mut all = |rowid: i64, cells: &Cells<'_>| {
            each(rowid, cells);
            true
        };
        self.database
            .step(&mut statement, [value], self.columns, &mut all)
    }

    /// The row that has the value.
    pub fn one<T>(
        &self,
        value: i64,
        mut take: impl FnMut(&Cells<'_>) -> T,
    ) -> Result<Option<T>, ReadError> {
        let mut taken = None;
        self.each(value, &mut |_, cells| taken = Some(take(cells)))?;
        Ok(taken)
    }
}

/// Whether no detour leads past this error. A value that is too long can be passed like a broken page; it is
/// told apart from a spent budget by the budget.
fn is_final(error: &ReadError) -> bool {
    match error {
        ReadError::Malformed(_) => false,
        ReadError::Limit(text) => !text.starts_with("holds a value"),
        _ => true,
    }
}
