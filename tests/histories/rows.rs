//! Rows of a database with a write-ahead log or a journal beside it: SQLite, which may recover it, is the oracle. Used
//! by the fuzz target `sqlite`, too.

use std::path::Path;

use rusqlite::Connection;
use tokentrail::collect::Evidence;
use tokentrail::collect::sqlite::Views;

/// Rows of the table `urls`.
pub(super) type Rows = Vec<(i64, Vec<u8>)>;

/// As we see them, or `None` where something could not be read.
pub(super) fn ours(path: &Path) -> Option<Rows> {
    let evidence = Evidence::file(path, "History").ok()?;
    let views = Views::open(&evidence).ok()?;
    let table = views.live.table("urls").ok()??;
    let mut rows = Rows::new();
    let damage = views.live.scan(&table, "", &["url"], &mut |id, cells| {
        rows.push((id, cells.bytes(0).unwrap_or_default().into_owned()));
    });
    rows.sort();
    matches!(damage, Ok(None)).then_some(rows)
}

/// As SQLite sees them, which may change the files. `None` when they do not fit together, as after half a rollback, or
/// when the table is no plain one: how far one then gets, and what one sees, is a matter of taste.
pub(super) fn theirs(path: &Path) -> Option<Rows> {
    let connection = Connection::open(path).ok()?;
    let plain =
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'urls' AND rootpage > 0
                 AND sql LIKE 'CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT)'";
    connection.query_row(plain, [], |_| Ok(())).ok()?;
    let check = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    if check.ok()? != "ok" {
        return None;
    }
    let sql = "SELECT id, CAST(url AS BLOB) FROM urls NOT INDEXED";
    let mut statement = connection.prepare(sql).ok()?;
    let rows = statement.query_map([], |row| {
        let url: Option<Vec<u8>> = row.get(1)?;
        Ok((row.get(0)?, url.unwrap_or_default()))
    });
    let mut rows: Rows = rows.ok()?.collect::<Result<_, _>>().ok()?;
    rows.sort();
    Some(rows)
}
