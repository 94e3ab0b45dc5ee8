//! Which tables a database has, with what columns, and where they lie in the file; by what SQLite says of them, asked
//! once. Reads no row, and knows no application's schema.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::ReadError;
use super::open::told;

/// A real table, with the wanted columns that it has. Names compare as SQLite compares them.
#[derive(Clone, Debug)]
pub struct Table {
    name: &'static str,
    /// The page where its tree begins.
    root: u32,
    columns: Vec<Column>,
    has_rowid: bool,
}

/// The tables of one database, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Tables {
    listed: OnceCell<Vec<Listed>>,
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
    name: String,
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
    /// Whether it is neither generated nor, in a virtual table, hidden.
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
        self.has_rowid
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
        let mut listed = self.listed(connection)?.iter();
        Ok(listed.find(|it| it.name.eq_ignore_ascii_case(name)))
    }

    /// The tables and views. SQLite holds them all, too.
    pub(super) fn listed(&self, connection: &Connection) -> Result<&[Listed], ReadError> {
        if let Some(listed) = self.listed.get() {
            return Ok(listed);
        }
        let listed = || -> rusqlite::Result<Vec<Listed>> {
            let sql = "SELECT name, iif(type = 'table' AND rootpage > 0, rootpage, NULL) \
                       FROM sqlite_schema WHERE type IN ('table', 'view')";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut listed = Vec::new();
            while let Some(row) = rows.next()? {
                // Nothing that is asked for has a name of other bytes.
                if let Ok(name) = row.get_ref(0)?.as_str() {
                    let root: Option<i64> = row.get(1)?;
                    listed.push(Listed {
                        name: name.to_owned(),
                        // There is no page 0, and none beyond 32 bits (file format §1.3).
                        root: root.map(|page| u32::try_from(page).unwrap_or_default()),
                    });
                }
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
        let rowid = format!("SELECT rowid FROM \"{name}\" LIMIT 0");
        let table = Table {
            name,
            root,
            columns: columns().map_err(|error| told(&error))?,
            has_rowid: connection.prepare(&rowid).is_ok(),
        };
        self.known.borrow_mut().insert(name, table.clone());
        Ok(Some(table))
    }
}
