//! Opening without harm: in each state that a browser leaves its database in, the rows are right, and the
//! folder is the same before and after, to the byte and the nanosecond.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;
use tokentrail::atoms::View;

use super::{history, scan, token_url, token_urls};

type Folder = BTreeMap<String, (Vec<u8>, SystemTime)>;

fn folder(path: &Path) -> (Folder, SystemTime) {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let modified = entry.metadata().unwrap().modified().unwrap();
        (name, (fs::read(entry.path()).unwrap(), modified))
    };
    let entries = fs::read_dir(path).unwrap().map(entry).collect();
    (entries, path.metadata().unwrap().modified().unwrap())
}

/// Scans `History` in this folder and holds the promise.
pub(super) fn unharmed(path: &Path) -> super::Seen {
    let before = folder(path);
    let seen = scan(&path.join("History"));
    assert!(folder(path) == before, "the folder changed");
    assert_eq!(seen.problems, [""; 0]);
    seen
}

fn names(path: &Path) -> Vec<String> {
    folder(path).0.into_keys().collect()
}

#[test]
fn a_read_only_folder() {
    let dir = tempfile::tempdir().unwrap();
    history(
        &Connection::open(dir.path().join("History")).unwrap(),
        1..40,
    );
    set_read_only(&dir.path().join("History"), true);
    set_read_only(dir.path(), true);
    let seen = unharmed(dir.path());
    set_read_only(dir.path(), false);
    assert_eq!(seen.urls(), token_urls(1..40));
}

#[test]
fn a_name_that_means_something_in_a_uri() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("a b?c#d%41&mode=rwc");
    fs::create_dir(&inner).unwrap();
    history(&Connection::open(inner.join("History")).unwrap(), 1..3);
    assert_eq!(unharmed(&inner).urls(), token_urls(1..3));
}

/// A connection in WAL mode, still open: rows 1..20 are in the main file, rows 20..40 in the log only.
fn write_ahead(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
        .unwrap();
    history(&connection, 1..20);
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    history(&connection, 20..40);
    connection
}

#[test]
fn a_copy_with_a_log_and_no_shm() {
    let live = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let open = write_ahead(&live.path().join("History"));
    for name in ["History", "History-wal"] {
        fs::copy(live.path().join(name), copy.path().join(name)).unwrap();
    }
    let seen = unharmed(copy.path());
    assert_eq!(seen.urls(), token_urls(1..40));
    assert_eq!(names(copy.path()), ["History", "History-wal"]);
    assert_eq!(seen.with(&token_url(5)).place.view, View::Live);
    assert_eq!(seen.with(&token_url(30)).place.view, View::Uncheckpointed);
    drop(open);
}

#[test]
fn a_browser_that_holds_the_log_open() {
    let dir = tempfile::tempdir().unwrap();
    let open = write_ahead(&dir.path().join("History"));
    open.execute_batch("BEGIN EXCLUSIVE; DELETE FROM urls; DELETE FROM visits;")
        .unwrap();
    let seen = unharmed(dir.path());
    assert_eq!(seen.urls(), token_urls(1..40), "not committed, not deleted");
}

#[test]
fn a_browser_that_holds_an_exclusive_log_without_shm() {
    // Firefox: locking_mode=EXCLUSIVE before the first access, so that no -shm is ever made.
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join("History")).unwrap();
    connection
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;")
        .unwrap();
    history(&connection, 1..30);
    assert_eq!(names(dir.path()), ["History", "History-wal"]);
    assert_eq!(unharmed(dir.path()).urls(), token_urls(1..30));
    connection
        .execute_batch("DELETE FROM urls WHERE id > 9; DELETE FROM visits WHERE id > 9;")
        .unwrap();
    // The application has nine rows left; what it deleted still lies in the log.
    let seen = unharmed(dir.path());
    assert_eq!(seen.of_view(View::Recovered), token_urls(10..30));
    assert_eq!(seen.of_view(View::Uncheckpointed), token_urls(1..10));
}

#[test]
fn a_browser_that_holds_an_exclusive_lock() {
    // Chromium: rollback journal with a zeroed header, exclusive lock.
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join("History")).unwrap();
    connection
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE;")
        .unwrap();
    history(&connection, 1..30);
    assert_eq!(names(dir.path()), ["History", "History-journal"]);
    assert_eq!(unharmed(dir.path()).urls(), token_urls(1..30));
}

#[test]
fn a_hot_journal() {
    let live = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    history(&connection, 1..400);
    // So little cache that a half of the transaction is written before it ends.
    connection
        .execute_batch(
            "PRAGMA cache_size=2; BEGIN; UPDATE urls SET url = 'https://app.example/?code=half' || id;",
        )
        .unwrap();
    history(&connection, 400..600);
    for name in ["History", "History-journal"] {
        fs::copy(live.path().join(name), copy.path().join(name)).unwrap();
    }
    let main = fs::read(copy.path().join("History")).unwrap();
    let torn = main.windows(9).any(|bytes| bytes == b"code=half");
    assert!(torn, "the main file holds a part of the transaction");
    let seen = unharmed(copy.path());
    assert_eq!(seen.of_view(View::Live), token_urls(1..400));
    assert_eq!(names(copy.path()), ["History", "History-journal"]);
}

#[test]
fn all_rows_in_the_log() {
    let live = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
        .unwrap();
    history(&connection, 1..50);
    // GNOME Web: the main file is one empty page; and one whose first page was never written.
    for main in [fs::read(live.path().join("History")).unwrap(), Vec::new()] {
        assert!(main.len() <= 4096);
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("History"), main).unwrap();
        fs::copy(
            live.path().join("History-wal"),
            copy.path().join("History-wal"),
        )
        .unwrap();
        let seen = unharmed(copy.path());
        assert_eq!(seen.reader, Some("chromium-history"));
        assert_eq!(seen.urls(), token_urls(1..50));
    }
}

#[test]
fn a_main_file_grown_in_advance() {
    let live = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let open = write_ahead(&live.path().join("History"));
    let mut main = fs::read(live.path().join("History")).unwrap();
    main.resize(5 << 20, 0);
    fs::write(copy.path().join("History"), main).unwrap();
    assert_eq!(unharmed(copy.path()).urls(), token_urls(1..20));
    fs::copy(
        live.path().join("History-wal"),
        copy.path().join("History-wal"),
    )
    .unwrap();
    assert_eq!(unharmed(copy.path()).urls(), token_urls(1..40));
    drop(open);
}

#[test]
fn compressed_and_in_wal_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL;")
        .unwrap();
    history(&connection, 1..30);
    drop(connection);
    let packed = zstd::encode_all(fs::File::open(&path).unwrap(), 1).unwrap();
    fs::write(&path, packed).unwrap();
    assert_eq!(unharmed(dir.path()).urls(), token_urls(1..30));
}

#[test]
fn a_stream_is_known_by_its_statements() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("anything");
    history(&Connection::open(&path).unwrap(), 1..30);
    let input = Box::new(fs::File::open(&path).unwrap());
    let evidence = tokentrail::collect::Evidence::stream(input, "-").unwrap();
    let seen = super::scan_evidence(&evidence);
    assert_eq!(seen.urls(), token_urls(1..30));
}

pub(super) fn set_read_only(path: &Path, on: bool) {
    let mut permissions = path.metadata().unwrap().permissions();
    permissions.set_readonly(on);
    fs::set_permissions(path, permissions).unwrap();
}
