//! Databases with a write-ahead log or a journal beside them: SQLite, which may recover them, is the oracle.

use std::path::Path;

use rusqlite::Connection;
use tokentrail::collect::Evidence;
use tokentrail::collect::sqlite::Views;

type Rows = Vec<(i64, Vec<u8>)>;

/// Rows of the table `urls` as we see them, or `None` where something could not be read.
pub fn ours(path: &Path) -> Option<Rows> {
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

/// The same as SQLite sees them, which may change the files; `None` when they do not fit together, or when the
/// table is no plain one: what one sees then is a matter of taste.
pub fn theirs(path: &Path) -> Option<Rows> {
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
        Ok((
            row.get(0)?,
            row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default(),
        ))
    });
    let mut rows: Rows = rows.ok()?.collect::<Result<_, _>>().ok()?;
    rows.sort();
    Some(rows)
}
