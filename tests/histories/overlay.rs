//! Our reading of write-ahead logs and rollback journals against SQLite's own: the same rows as SQLite sees in
//! a private copy that it may recover, over many random histories, whole, cut short and corrupted.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tokentrail::collect::Evidence;
use tokentrail::collect::sqlite::Views;

use super::rows;

/// Steps of a xorshift generator: tests must not depend on a clock.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn from(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A few statements that move pages: growth, deletion, overflow chains, vacuum.
fn mutate(connection: &Connection, random: &mut Random) {
    let id = random.below(400);
    let len = [10, 100, 3_000, 20_000][random.below(4) as usize];
    let sql = match random.below(12) {
        0..=5 => format!(
            "INSERT OR REPLACE INTO urls VALUES({id}, 'u' || hex(zeroblob({len})) || {id});"
        ),
        6 | 7 => format!(
            "UPDATE urls SET url = url || 'x' WHERE id % 7 = {};",
            id % 7
        ),
        8 | 9 => format!("DELETE FROM urls WHERE id BETWEEN {id} AND {};", id + 30),
        10 => format!("CREATE TABLE IF NOT EXISTS t{}(a);", id % 5),
        _ => "VACUUM;".to_owned(),
    };
    connection.execute_batch(&sql).unwrap();
}

fn same_rows(folder: &Path, sidecar: &str, what: &str) -> bool {
    let path = folder.join("db");
    let before = (
        fs::read(&path).unwrap(),
        fs::read(folder.join(sidecar)).unwrap(),
    );
    let ours = rows::ours(&path);
    let after = (
        fs::read(&path).unwrap(),
        fs::read(folder.join(sidecar)).unwrap(),
    );
    assert!(before == after, "{what}: the files changed");
    let theirs = rows::theirs(&path);
    let Some(theirs) = theirs else { return false };
    assert!(ours.as_ref() == Some(&theirs), "{what}: the rows differ");
    !theirs.is_empty()
}

fn copy(from: &Path, sidecar: &str, damage: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(from.join("db"), folder.path().join("db")).unwrap();
    let mut log = fs::read(from.join(sidecar)).unwrap_or_default();
    damage(&mut log);
    fs::write(folder.path().join(sidecar), log).unwrap();
    folder
}

/// A database with an empty table.
pub(super) fn open_mode(folder: &Path, page_size: u64, mode: &str) -> Connection {
    open(folder, page_size, mode, "OFF")
}

fn open(folder: &Path, page_size: u64, mode: &str, synchronous: &str) -> Connection {
    let connection = Connection::open(folder.join("db")).unwrap();
    let setup = format!(
        "PRAGMA page_size={page_size}; PRAGMA journal_mode={mode}; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=5; PRAGMA synchronous={synchronous};
         CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT);"
    );
    connection.execute_batch(&setup).unwrap();
    connection
}

#[test]
fn logs_give_the_rows_that_sqlite_recovers() {
    let mut told = 0;
    for seed in 1..=60 {
        let mut random = Random::from(seed);
        let folder = tempfile::tempdir().unwrap();
        let page_size = [512, 1_024, 4_096, 65_536][random.below(4) as usize];
        let connection = open(folder.path(), page_size, "WAL", "OFF");
        for step in 0..random.below(40) {
            mutate(&connection, &mut random);
            if step % 9 == 8 {
                // Leaves old frames with old salts behind the new ones.
                connection
                    .execute_batch("PRAGMA wal_checkpoint(PASSIVE);")
                    .unwrap();
            }
        }
        if random.below(2) == 0 {
            // Frames of a transaction that does not end.
            connection.execute_batch("BEGIN;").unwrap();
            mutate_rows(&connection, &mut random);
        }
        let what = format!("seed {seed}");
        told += u32::from(same_rows(
            copy(folder.path(), "db-wal", |_| {}).path(),
            "db-wal",
            &what,
        ));
        for _ in 0..3 {
            let damaged = copy(folder.path(), "db-wal", |log| damage(log, &mut random));
            told += u32::from(same_rows(damaged.path(), "db-wal", &what));
        }
    }
    assert!(
        told > 120,
        "only {told} of 240 histories had rows to compare"
    );
}

#[test]
fn journals_give_the_rows_that_sqlite_rolls_back_to() {
    let mut told = 0;
    for seed in 1..=60 {
        let mut random = Random::from(seed);
        let folder = tempfile::tempdir().unwrap();
        let page_size = [512, 1_024, 4_096, 65_536][random.below(4) as usize];
        // Without waiting for the disk the journal's records are not counted in its header.
        let synchronous = ["OFF", "FULL"][random.below(6) as usize / 5];
        let connection = open(folder.path(), page_size, "DELETE", synchronous);
        for _ in 0..random.below(30) {
            mutate(&connection, &mut random);
        }
        connection.execute_batch("BEGIN;").unwrap();
        for _ in 0..6 {
            mutate_rows(&connection, &mut random);
        }
        let what = format!("seed {seed}");
        told += u32::from(same_rows(
            copy(folder.path(), "db-journal", |_| {}).path(),
            "db-journal",
            &what,
        ));
        for _ in 0..3 {
            let cut = copy(folder.path(), "db-journal", |log| {
                log.truncate(random.below(log.len() as u64 + 1) as usize);
            });
            told += u32::from(same_rows(cut.path(), "db-journal", &what));
        }
    }
    assert!(
        told > 60,
        "only {told} of 240 histories had rows to compare"
    );
}

/// Like [`mutate`], inside a transaction.
fn mutate_rows(connection: &Connection, random: &mut Random) {
    let id = random.below(400);
    connection
        .execute_batch(&format!(
            "INSERT OR REPLACE INTO urls VALUES({id}, hex(randomblob(9000)));
             UPDATE urls SET url = url || 'torn' WHERE id % 3 = {};
             DELETE FROM urls WHERE id = {};",
            id % 3,
            id / 2
        ))
        .unwrap();
}

fn damage(log: &mut Vec<u8>, random: &mut Random) {
    if log.is_empty() {
        return;
    }
    let at = random.below(log.len() as u64) as usize;
    if random.below(2) == 0 {
        log.truncate(at);
    } else {
        log[at] ^= 1 << random.below(8);
    }
}

/// States another size of the database in the last frame of a log, under a checksum that fits (file format §4.2).
fn state_size(log: &mut [u8], page_size: usize, pages: u32) {
    let word = |log: &[u8], at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let is_big = word(log, 0) & 1 == 1;
    let frame = log.len() - 24 - page_size;
    log[frame + 4..frame + 8].copy_from_slice(&pages.to_be_bytes());
    let before = frame - page_size - 24 + 16;
    let mut sum = (word(log, before), word(log, before + 4));
    let summed = (frame..frame + 8).chain(frame + 24..log.len()).step_by(8);
    for at in summed.collect::<Vec<_>>() {
        let [a, b] = [at, at + 4].map(|at| word(log, at));
        let [a, b] = [a, b].map(|it| if is_big { it } else { it.swap_bytes() });
        sum.0 = sum.0.wrapping_add(a).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(b).wrapping_add(sum.0);
    }
    log[frame + 16..frame + 20].copy_from_slice(&sum.0.to_be_bytes());
    log[frame + 20..frame + 24].copy_from_slice(&sum.1.to_be_bytes());
}

#[test]
fn a_size_that_nothing_explains_hides_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(folder.path(), 512, "WAL", "OFF");
    connection
        .execute_batch(
            "INSERT INTO urls VALUES(1, 'a'), (2, hex(zeroblob(3000))); DELETE FROM urls WHERE id = 1;",
        )
        .unwrap();
    for (pages, is_told) in [(40, false), (u32::MAX, true)] {
        let crafted = copy(folder.path(), "db-wal", |log| state_size(log, 512, pages));
        let evidence = Evidence::file(&crafted.path().join("db"), "db").unwrap();
        let views = Views::open(&evidence).unwrap();
        assert_eq!(views.problem.is_some(), is_told, "{pages}");
        drop(views);
        assert!(same_rows(crafted.path(), "db-wal", "a crafted size"));
    }
}

#[test]
fn both_states_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(folder.path(), 4_096, "WAL", "OFF");
    connection
        .execute_batch(
            "INSERT INTO urls VALUES(1, 'old'), (2, 'kept'); PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM urls WHERE id = 1;",
        )
        .unwrap();
    let evidence = Evidence::file(&folder.path().join("db"), "db").unwrap();
    let views = Views::open(&evidence).unwrap();
    let rows = |database: &tokentrail::collect::sqlite::Database| {
        let table = database.table("urls").unwrap().unwrap();
        let mut ids = Vec::new();
        database
            .scan(&table, "", &["url"], &mut |id, _| ids.push(id))
            .unwrap();
        ids
    };
    assert_eq!(rows(&views.live), [2]);
    assert_eq!(rows(&views.main_file.as_ref().unwrap().database), [1, 2]);
}
