//! Files that are broken, or made to do harm: each costs a problem, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{history, scan, token_url, token_urls, url};

fn made(dir: &Path, sql: &str) -> PathBuf {
    let path = dir.join("History");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    path
}

const TABLES: &str = "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time INTEGER);
    CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER);";

#[test]
fn what_is_no_history_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    for content in [
        b"".as_slice(),
        b"SQLite format 2\0 and more",
        b"https://app.example/?access_token=made-up",
    ] {
        fs::write(&path, content).unwrap();
        let seen = scan(&path);
        assert_eq!(seen.reader, None);
    }
    fs::remove_file(&path).unwrap();
    made(
        dir.path(),
        "CREATE TABLE urls(id INTEGER PRIMARY KEY, url);",
    );
    assert_eq!(scan(&path).reader, None, "another application's table");
}

#[test]
fn a_database_cut_in_the_middle_gives_what_can_be_reached() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    history(&Connection::open(&path).unwrap(), 1..2_000);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2 / 4096 * 4096]).unwrap();
    let seen = scan(&path);
    assert_eq!(seen.reader, Some("chromium-history"));
    assert!(!seen.problems.is_empty());
    assert!(seen.observations.len() > 100, "{}", seen.observations.len());
    // Only the header is left: nothing can be reached, and that is said.
    fs::write(&path, &whole[..100]).unwrap();
    let seen = scan(&path);
    assert_eq!(seen.observations.len(), 0);
    assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
}

#[test]
fn rows_around_a_broken_page_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    history(&Connection::open(&path).unwrap(), 1..2_000);
    let mut bytes = fs::read(&path).unwrap();
    let needle = token_url(1_000).into_bytes();
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    let page = at / 4_096 * 4_096;
    let lost = (1..2_000)
        .filter(|number| {
            let needle = token_url(*number).into_bytes();
            bytes[page..page + 4_096]
                .windows(needle.len())
                .any(|window| window == needle)
        })
        .count();
    bytes[page..page + 16].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let seen = scan(&path);
    assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
    assert!(seen.problems[0].contains("damaged"));
    assert_eq!(seen.urls().len(), 1_999 - lost);
    assert!(lost < 100);
}

#[test]
fn urls_of_any_type_are_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = made(
        dir.path(),
        &format!(
            "{TABLES}
             INSERT INTO urls VALUES(1, CAST('https://a.example/#access_token=blob-made-up' AS BLOB), 1);
             INSERT INTO urls VALUES(2, CAST(x'68747470733a2f2f612e6578616d706c652f3f6163636573735f746f6b656e3dff80fe' AS TEXT), 2);
             INSERT INTO urls VALUES(3, NULL, 3), (4, 42, 4), (5, 4.5, 5), (6, '', 6);
             INSERT INTO visits VALUES(1, 1, 'no time', NULL, 'none'), (2, 2, x'00', 99, NULL);"
        ),
    );
    let seen = scan(&path);
    assert_eq!(seen.problems, [""; 0]);
    assert!(seen.with("blob-made-up").visit.is_some());
    let invalid = seen
        .observations
        .iter()
        .any(|seen| matches!(&seen.payload, tokentrail::collect::Payload::Url(raw) if raw.as_bytes().ends_with(b"=\xff\x80\xfe")));
    assert!(invalid, "not decoded, not dropped");
}

#[test]
fn a_view_in_the_place_of_a_table_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = made(
        dir.path(),
        "CREATE VIEW urls AS WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r)
            SELECT id, 'https://a.example/#access_token=made-up' AS url, 1 AS last_visit_time FROM r;
         CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);",
    );
    let seen = scan(&path);
    assert_eq!(seen.reader, Some("chromium-history"));
    assert_eq!(seen.observations.len(), 0);
    assert!(seen.problems[0].contains("view"), "{:?}", seen.problems);
}

#[test]
fn root_pages_of_any_type_are_those_that_sqlite_takes_them_for() {
    for kind in ["BLOB", "TEXT"] {
        for of in ["'other'", "'urls', 'visits'"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("History");
            let base = Connection::open(&path).unwrap();
            history(&base, 1..500);
            let sql = format!(
                "CREATE TABLE other(a); PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET rootpage = CAST(rootpage AS {kind}) WHERE name IN ({of});"
            );
            base.execute_batch(&sql).unwrap();
            drop(base);
            let seen = scan(&path);
            assert_eq!(seen.reader, Some("chromium-history"));
            assert_eq!(seen.problems, [""; 0]);
            assert_eq!(seen.urls().len(), 499, "{kind} {of}");
        }
    }
}

#[test]
fn a_column_that_is_named_like_the_rowid_hides_no_row() {
    for last in [50, 2_000] {
        for value in ["id + 1000", "NULL"] {
            for names in ["rowid", "rowid, oid", "rowid, oid, _ROWID_"] {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("History");
                let base = Connection::open(&path).unwrap();
                history(&base, 1..last);
                let values = [value; 3][..names.split(',').count()].join(", ");
                let sql = format!(
                    "ALTER TABLE urls RENAME TO before;
                     CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time, {names});
                     INSERT INTO urls SELECT id, url, last_visit_time, {values} FROM before;
                     DROP TABLE before;"
                );
                base.execute_batch(&sql).unwrap();
                let seen = scan(&path);
                if names.contains("_ROWID_") {
                    assert!(seen.problems[0].contains("crafted"), "{:?}", seen.problems);
                } else {
                    assert_eq!(seen.problems, [""; 0]);
                    assert_eq!(seen.urls().len() as u32, last - 1, "{value} {names}");
                }
            }
        }
    }
}

#[test]
fn generated_columns_are_never_computed() {
    let dir = tempfile::tempdir().unwrap();
    let path = made(
        dir.path(),
        "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time INTEGER);
         CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER,
            external_referrer_url AS (hex(zeroblob(4000000)) || 'access_token=made-up'));
         INSERT INTO urls VALUES(1, 'https://a.example/#access_token=made-up', 1);
         INSERT INTO visits(id, url, visit_time) VALUES(1, 1, 1);",
    );
    let seen = scan(&path);
    assert_eq!(seen.urls().len(), 1);
    assert_eq!(seen.problems, [""; 0]);
}

#[test]
fn a_huge_cell_costs_its_row_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = made(
        dir.path(),
        &format!("{TABLES} INSERT INTO urls VALUES(2, hex(zeroblob(20000000)), 1);"),
    );
    let connection = Connection::open(&path).unwrap();
    for number in [1, 3, 4] {
        connection
            .execute(
                "INSERT INTO urls VALUES(?1, ?2, 1)",
                (number, token_url(number)),
            )
            .unwrap();
    }
    drop(connection);
    let seen = scan(&path);
    let mut want = token_urls(1..5);
    want.remove(1);
    assert_eq!(seen.urls(), want);
    assert!(seen.problems[0].contains("16 MiB"), "{:?}", seen.problems);
}

#[test]
fn a_chain_that_loops_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    let connection = Connection::open(&path).unwrap();
    history(&connection, 1..40);
    connection
        .execute_batch("UPDATE visits SET from_visit = 3 WHERE id = 1; UPDATE visits SET from_visit = 7 WHERE id = 7;")
        .unwrap();
    drop(connection);
    let seen = scan(&path);
    for seen in &seen.observations {
        let visit = seen.visit.as_ref().unwrap();
        assert!(visit.ancestors.len() <= 12, "{visit:?}");
        assert!(
            visit.ancestors.iter().all(|(_, id)| *id != visit.id),
            "{visit:?}"
        );
    }
    let last = seen.with(&token_url(39)).visit.clone().unwrap();
    assert_eq!(last.ancestors.len(), 12);
    assert_eq!(last.ancestors[11], (12, 27));
}

#[test]
fn very_many_visits_of_one_url_are_bounded_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = made(
        dir.path(),
        &format!(
            "{TABLES} INSERT INTO urls VALUES(1, 'https://a.example/?access_token=made-up', 1);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             INSERT INTO visits SELECT i, 1, 13408000000000000 + i, 0, 0 FROM n;"
        ),
    );
    let seen = scan(&path);
    assert_eq!(seen.observations.len(), 1_000);
    let last = seen.observations.last().unwrap();
    assert_eq!(last.visit.as_ref().unwrap().id, 3_000);
    assert!(seen.problems[0].contains("more than 1000 visits"));
}

#[test]
fn the_visits_of_a_long_url_are_bounded_by_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let of_len = |len: usize| {
        format!(
            "https://a.example/#access_token=made-up&{}",
            "x".repeat(len)
        )
    };
    for (len, reported) in [(1 << 20, 3), (64 << 10, 63), (4_000, 1_000)] {
        let path = dir.path().join(len.to_string());
        let base = Connection::open(&path).unwrap();
        base.execute_batch(TABLES).unwrap();
        base.execute("INSERT INTO urls VALUES(1, ?, 1)", [of_len(len)])
            .unwrap();
        base.execute_batch(
            "WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r WHERE id < 1000)
             INSERT INTO visits SELECT id, 1, 13000000000000000 + id, 0, 0 FROM r;",
        )
        .unwrap();
        drop(base);
        let seen = scan(&path);
        assert_eq!(seen.observations.len(), reported, "{len}");
        let last = seen.observations.last().unwrap();
        assert_eq!(last.visit.as_ref().unwrap().id, 1_000);
        assert_eq!(seen.problems.len(), usize::from(reported < 1_000));
    }
}

#[test]
fn a_tree_that_meets_itself_is_given_up() {
    // Every child of the root is the same page, many times over, some levels deep: read as a tree it would
    // have more rows than there are atoms.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    let connection = Connection::open(&path).unwrap();
    history(&connection, 1..60_000);
    let root: u32 = connection
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'urls'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let root = root as usize;
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    let start = (root - 1) * 4_096;
    assert_eq!(bytes[start], 5, "an interior page");
    let cells = usize::from(u16::from_be_bytes([bytes[start + 3], bytes[start + 4]]));
    let first = usize::from(u16::from_be_bytes([bytes[start + 12], bytes[start + 13]]));
    let child = bytes[start + first..start + first + 4].to_vec();
    for cell in 0..cells {
        let pointer = start + 12 + 2 * cell;
        let at = start + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
        bytes[at..at + 4].copy_from_slice(&child);
    }
    fs::write(&path, bytes).unwrap();
    let seen = scan(&path);
    let first_urls = seen.observations.iter().filter_map(url).take(5).count();
    assert_eq!(first_urls, 5);
}
