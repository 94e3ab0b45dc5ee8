//! Where a table and its columns lie in the file, by what SQLite says of them. Reads no page.

use rusqlite::Connection;

/// What a pass over a table must know.
pub(super) struct Plan {
    /// The page where its tree begins.
    pub(super) root: u32,
    /// The places of the columns in a record, ascending.
    pub(super) columns: Vec<usize>,
}

impl Plan {
    /// The plan for those of these columns that the table has. `None` where it has none, or where a record would not
    /// say what SQLite gives out: with generated columns, a default, or the rowid under another name.
    pub(super) fn of(connection: &Connection, table: &str, columns: &[&str]) -> Option<Self> {
        let sql =
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        let root = connection.query_row(sql, [table], |row| row.get(0)).ok()?;
        let sql =
            "SELECT name, cid, dflt_value IS NULL AND pk = 0, hidden FROM pragma_table_xinfo(?1)";
        let mut statement = connection.prepare(sql).ok()?;
        let mut rows = statement.query([table]).ok()?;
        let mut places = Vec::new();
        while let Some(row) = rows.next().ok()? {
            let (name, place): (String, u32) = (row.get(0).ok()?, row.get(1).ok()?);
            let (plain, hidden): (bool, i64) = (row.get(2).ok()?, row.get(3).ok()?);
            let is_wanted = columns.iter().any(|it| it.eq_ignore_ascii_case(&name));
            if hidden != 0 || is_wanted && !plain {
                return None;
            }
            places.extend(is_wanted.then_some(place as usize));
        }
        places.sort_unstable();
        (!places.is_empty()).then_some(Self {
            root,
            columns: places,
        })
    }
}
