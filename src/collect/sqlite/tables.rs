//! Which tables a database has, with what columns, and where they lie in the file; by what SQLite says of them, asked
//! once. Reads no row, and knows no application's schema.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::ReadError;
use super::open::told;

/// Names by which SQLite knows the rowid, where no column has them (<https://sqlite.org/lang_createtable.html#rowid>).
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Longest name of a table that is listed; none that is asked for comes near it.
const LONGEST: usize = 64;

/// A real table. Names compare as SQLite compares them.
#[derive(Clone, Debug)]
pub struct Table {
    name: &'static str,
    /// The page where its tree begins.
    root: u32,
    columns: Vec<Column>,
    /// By which name its rowid goes, when it has one.
    rowid: Option<&'static str>,
}

/// The tables of one database, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By name, in small letters.
    listed: OnceCell<BTreeMap<String, Listed>>,
    known: RefCell<BTreeMap<&'static str, Table>>,
}

/// What a pass over a table must know.
pub(super) struct Plan {
    /// The page where its tree begins.
    pub(super) root: u32,
    /// The places of the columns in a record, ascending.
    pub(super) columns: Vec<usize>,
}

/// What stands in the list of tables and views.
#[derive(Debug)]
pub(super) struct Listed {
    /// The page where its tree begins; `None` of what is no real table.
    root: Option<u32>,
}

impl Listed {
    pub(super) fn is_table(&self) -> bool {
        self.root.is_some()
    }
}

/// A column of a real table.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// Its place in a record.
    place: usize,
    /// Whether it is generated.
    is_hidden: bool,
    /// Whether it has no default, and is no part of the primary key.
    is_plain: bool,
}

impl Column {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Table {
    /// Whether the table has this column. A generated column does not count: reading it would run an
    /// expression of the file's maker.
    pub fn has(&self, column: &str) -> bool {
        let mut read = self.columns.iter().filter(|have| !have.is_hidden);
        read.any(|have| have.is_named(column))
    }

    /// The table's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether its rows have a rowid. Without one, looking rows up by `rowid` is an error.
    pub fn has_rowid(&self) -> bool {
        self.rowid.is_some()
    }

    /// Its rowid in an expression: no column of its maker.
    pub(super) fn rowid(&self) -> &'static str {
        self.rowid.unwrap_or("rowid")
    }

    /// The condition that any of these columns is not NULL; always true when there are none.
    pub(super) fn any_set(&self, columns: &[&str]) -> String {
        let there = columns.iter().filter(|column| self.has(column));
        let set: Vec<_> = there
            .map(|column| format!("\"{column}\" IS NOT NULL"))
            .collect();
        if set.is_empty() {
            "1".to_owned()
        } else {
            format!("({})", set.join(" OR "))
        }
    }

    /// The columns as a SELECT list behind the row's key; NULL for what is missing.
    pub(super) fn select(&self, key: &str, columns: &[&str]) -> String {
        let mut list = vec![key.to_owned()];
        list.extend(columns.iter().map(|column| {
            if self.has(column) {
                format!("\"{column}\"")
            } else {
                "NULL".to_owned()
            }
        }));
        format!("SELECT {}", list.join(", "))
    }

    /// Where a pass over the file finds those of these columns that the table has. `None` where it has none, or where a
    /// record would not say what SQLite gives out: with generated columns, a default, or the rowid under another name.
    pub(super) fn plan(&self, columns: &[&str]) -> Option<Plan> {
        let mut places = Vec::new();
        for column in &self.columns {
            let is_wanted = columns.iter().any(|it| column.is_named(it));
            if column.is_hidden || is_wanted && !column.is_plain {
                return None;
            }
            places.extend(is_wanted.then_some(column.place));
        }
        places.sort_unstable();
        (!places.is_empty()).then_some(Plan {
            root: self.root,
            columns: places,
        })
    }
}

impl Tables {
    /// What goes by this name.
    pub(super) fn find(
        &self,
        name: &str,
        connection: &Connection,
    ) -> Result<Option<&Listed>, ReadError> {
        let listed = self.listed(connection)?;
        Ok(listed.get(&name.to_ascii_lowercase()))
    }

    /// The tables and views: of each name that may be asked for the first, since a crafted list may hold one a million
    /// times.
    pub(super) fn listed(
        &self,
        connection: &Connection,
    ) -> Result<&BTreeMap<String, Listed>, ReadError> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let listed = || -> rusqlite::Result<BTreeMap<String, Listed>> {
            let sql = "SELECT name, iif(type = 'table' AND rootpage > 0, rootpage, NULL) \
                       FROM sqlite_schema WHERE type IN ('table', 'view')";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut listed = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let name = row.get_ref(0)?.as_str().ok();
                let Some(name) = name.filter(|name| name.len() <= LONGEST) else {
                    continue;
                };
                let root = match row.get_ref(1)? {
                    ValueRef::Null => None,
                    ValueRef::Integer(page) => Some(u32::try_from(page).unwrap_or_default()),
                    // SQLite takes it as text. There is no page 0 (file format §1.3).
                    _ => Some(0),
                };
                listed
                    .entry(name.to_ascii_lowercase())
                    .or_insert(Listed { root });
            }
            Ok(listed)
        };
        let listed = listed().map_err(|error| told(&error))?;
        Ok(self.listed.get_or_init(|| listed))
    }

    /// A real table. A view or a virtual table of that name is an error.
    pub(super) fn table(
        &self,
        name: &'static str,
        connection: &Connection,
    ) -> Result<Option<Table>, ReadError> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(listed) = self.find(name, connection)? else {
            return Ok(None);
        };
        let Some(root) = listed.root else {
            return Err(ReadError::Unsupported(
                format!("its {name} is no table but a view or virtual table, as in a crafted file; not read").into(),
            ));
        };
        let column = |row: &Row<'_>| {
            let (default, key): (ValueRef<'_>, i64) = (row.get_ref("dflt_value")?, row.get("pk")?);
            Ok(Column {
                name: row.get("name")?,
                place: usize::from(row.get::<_, u16>("cid")?),
                is_hidden: row.get::<_, i64>("hidden")? != 0,
                is_plain: default == ValueRef::Null && key == 0,
            })
        };
        let columns = || -> rusqlite::Result<Vec<Column>> {
            let sql = format!("PRAGMA table_xinfo(\"{name}\")");
            let mut statement = connection.prepare(&sql)?;
            statement.query_map([], column)?.collect()
        };
        let columns = columns().map_err(|error| told(&error))?;
        let is_no_column = |name: &&str| !columns.iter().any(|column| column.is_named(name));
        let rowid = ROWIDS.into_iter().find(is_no_column);
        let is_there = |rowid: &&str| {
            let sql = format!("SELECT {rowid} FROM \"{name}\" LIMIT 0");
            connection.prepare(&sql).is_ok()
        };
        let table = Table {
            name,
            root,
            rowid: rowid.filter(is_there),
            columns,
        };
        self.known.borrow_mut().insert(name, table.clone());
        Ok(Some(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_listed_once_however_often_it_stands_there() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE t(a); CREATE INDEX i ON t(a); PRAGMA writable_schema = ON;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            INSERT INTO sqlite_schema SELECT 'table', iif(i % 2, 'i', 'I'), 't', 5, '' FROM n;
            INSERT INTO sqlite_schema SELECT 'table', printf('%0100d', 7), 't', 5, '';";
        connection.execute_batch(sql).unwrap();
        let tables = Tables::default();
        let listed = tables.listed(&connection).unwrap();
        assert_eq!(listed.keys().collect::<Vec<_>>(), ["i", "t"]);
        assert!(tables.find("T", &connection).unwrap().unwrap().is_table());
    }
}
