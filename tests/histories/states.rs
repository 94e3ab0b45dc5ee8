//! States beside the live one: what was deleted or changed is found again where a log or a journal still holds it,
//! once, with its times and chains, and what is live is never taken for deleted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tokentrail::atoms::{Locator, View};
use tokentrail::collect::sqlite::MAX_IMAGES;
use tokentrail::collect::{Evidence, Observation, Payload};

use super::harm::{set_read_only, unharmed};
use super::overlay::{Random, open_mode};
use super::{history, scan, token_url, token_urls, url};

/// URL and view of every observation, sorted.
fn views(seen: &super::Seen) -> Vec<(String, View)> {
    let of = |seen: &Observation| Some((url(seen)?, seen.place.view));
    let mut views: Vec<_> = seen.observations.iter().filter_map(of).collect();
    views.sort();
    views
}

fn recovered(seen: &super::Seen) -> Vec<String> {
    let all = views(seen);
    let deleted = all.into_iter().filter(|(_, view)| *view == View::Recovered);
    deleted.map(|(url, _)| url).collect()
}

/// A copy of a database and of what lies beside it, as a thief or an examiner would make it.
fn copied(from: &Path, names: &[&str]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(from.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

const LOG: [&str; 2] = ["History", "History-wal"];
const JOURNAL: [&str; 2] = ["History", "History-journal"];

/// A connection in WAL mode; the rows 1..20 are in the main file.
fn checkpointed(path: &Path) -> Connection {
    let connection = Connection::open(path.join("History")).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
        .unwrap();
    history(&connection, 1..20);
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    connection
}

#[test]
fn rows_that_only_the_main_file_holds_are_recovered_with_their_visits() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection
        .execute_batch("DELETE FROM urls WHERE id > 9; DELETE FROM visits WHERE id > 9;")
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    assert_eq!(seen.urls(), token_urls(1..20));
    let deleted: Vec<String> = (10..20).map(token_url).collect();
    assert_eq!(recovered(&seen), deleted);
    let last = seen.with(&token_url(19));
    assert_eq!(
        last.at.unwrap().instant.to_string(),
        "2025-11-19T04:26:40.000019Z"
    );
    let visit = last.visit.clone().unwrap();
    // The chain goes on into what is live.
    let ids: Vec<i64> = visit.ancestors.iter().map(|(_, id)| *id).collect();
    assert_eq!((visit.id, ids), (19, (7..19).rev().collect()));
}

#[test]
fn everything_cleared_and_the_application_still_running() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    history(&connection, 20..30);
    connection
        .execute_batch("DELETE FROM urls; DELETE FROM visits;")
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    // 1..20 are in the main file, 20..30 stood between two commits of the log.
    let all: Vec<String> = (1..30).map(token_url).collect();
    assert_eq!(recovered(&seen), all);
    assert_eq!(seen.observations.len(), 29);
}

#[test]
fn a_url_that_was_changed_is_found_as_it_was() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection
        .execute_batch("UPDATE urls SET url = 'https://app.example/cb#access_token=made-up-later' WHERE id = 7;")
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    assert_eq!(recovered(&seen), [token_url(7)]);
    let later = seen.with("made-up-later");
    assert_eq!(later.place.view, View::Uncheckpointed);
    assert_eq!(later.place.locator, seen.with(&token_url(7)).place.locator);
}

#[test]
fn a_visit_that_was_deleted_is_told_although_its_url_is_live() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection
        .execute_batch("INSERT INTO visits VALUES(500, 3, 13408000000900000, 0, 0); PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM visits WHERE id = 500;")
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    let of_url: Vec<_> = seen
        .observations
        .iter()
        .filter(|seen| url(seen).unwrap() == token_url(3))
        .map(|seen| (seen.place.view, seen.visit.as_ref().unwrap().id))
        .collect();
    assert_eq!(of_url, [(View::Live, 3), (View::Recovered, 500)]);
    assert_eq!(recovered(&seen).len(), 1);
}

#[test]
fn an_id_that_was_given_again_joins_no_strangers() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection
        .execute_batch(
            "DELETE FROM urls; DELETE FROM visits;
             INSERT INTO urls VALUES(1, 'https://new.example/?code=made-up-new-code', 13408000009000000),
                (2, 'https://other.example/?client_id=other', 13408000009000000);
             INSERT INTO visits VALUES(18, 2, 13408000009000000, 0, 0), (19, 1, 13408000009000000, 18, 0);",
        )
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    assert_eq!(recovered(&seen).len(), 19);
    let new = seen.with("made-up-new-code").visit.clone().unwrap();
    let old = seen.with(&token_url(19)).visit.clone().unwrap();
    assert_eq!((new.id, new.ancestors), (19, vec![(1, 18)]));
    assert!(old.id < 0, "19 is another visit now");
    let before = seen.with(&token_url(18)).visit.clone().unwrap();
    assert_eq!(old.ancestors.first(), Some(&(1, before.id)));
    assert_eq!(old.ancestors.get(1), Some(&(2, 17)), "nobody else has 17");
}

#[test]
fn a_value_that_stood_between_two_commits_only() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    for number in 30..180 {
        history(&connection, number..number + 1);
        connection
            .execute_batch(&format!(
                "DELETE FROM urls WHERE id = {number}; DELETE FROM visits WHERE id = {number};"
            ))
            .unwrap();
    }
    let seen = scan(&copied(live.path(), &LOG).path().join("History"));
    // Each stood alone, so there are as many states as values: the bound is said.
    assert!(
        seen.problems[0].contains("more states"),
        "{:?}",
        seen.problems
    );
    assert_eq!(recovered(&seen).len(), MAX_IMAGES);
    assert_eq!(seen.urls().len(), 19 + MAX_IMAGES);
}

#[test]
fn values_that_stood_together_need_one_image() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    // A commit for each row, as browsers do.
    for number in 30..400 {
        history(&connection, number..number + 1);
    }
    connection
        .execute_batch("DELETE FROM urls WHERE id BETWEEN 100 AND 350;")
        .unwrap();
    history(&connection, 400..420);
    let seen = unharmed(copied(live.path(), &LOG).path());
    let deleted: Vec<String> = (100..351).map(token_url).collect();
    assert_eq!(recovered(&seen), deleted);
    assert_eq!(seen.urls().len(), 19 + 370 + 20);
}

#[test]
fn what_a_log_held_before_it_was_begun_anew_counts_as_residue() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    history(&connection, 30..60);
    // Behind what the log will be begun anew with: rows that stood for a commit or two, and one that still stands.
    for number in 60..100 {
        history(&connection, number..number + 1);
        connection
            .execute_batch(&format!(
                "DELETE FROM urls WHERE id = {0}; DELETE FROM visits WHERE id = {0};",
                number - 2
            ))
            .unwrap();
    }
    connection
        .execute_batch(
            "PRAGMA secure_delete=ON; UPDATE urls SET url = 'x'; PRAGMA wal_checkpoint(FULL);",
        )
        .unwrap();
    let before = fs::metadata(live.path().join("History-wal")).unwrap().len();
    history(&connection, 200..202);
    let copy = copied(live.path(), &LOG);
    assert_eq!(
        fs::metadata(copy.path().join("History-wal")).unwrap().len(),
        before,
        "SQLite wrote over the log, and let what it did not reach be"
    );
    let path = copy.path().join("History");
    assert_eq!(recovered(&scan(&path)), [""; 0]);
    let evidence = Evidence::file(&path, path.to_string_lossy()).unwrap();
    let seen = super::scan_with(&evidence, true);
    let rows: BTreeSet<String> = seen
        .observations
        .iter()
        .filter(|it| matches!(it.place.locator, Locator::Row { .. }))
        .filter_map(url)
        .collect();
    for number in 80..97 {
        let deleted = token_url(number);
        assert!(rows.contains(&deleted), "{number}");
        assert!(seen.with(&deleted).at.is_some(), "{number}");
    }
    assert_eq!(seen.problems, [""; 0]);
}

#[test]
fn a_long_value_that_was_overwritten_in_place() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    let long = |name: &str| {
        format!(
            "https://app.example/?{}&access_token=made-up-{name}",
            "p".repeat(9_000)
        )
    };
    let mut put = connection
        .prepare("INSERT OR REPLACE INTO urls VALUES(77, ?1, 1)")
        .unwrap();
    for name in ["one", "two", "six"] {
        put.execute([long(name)]).unwrap();
    }
    let seen = unharmed(copied(live.path(), &LOG).path());
    assert_eq!(recovered(&seen), [long("one"), long("two")]);
}

#[test]
fn what_a_hot_journal_undoes() {
    let copy = torn();
    let main = fs::read(copy.path().join("History")).unwrap();
    let torn = main
        .windows(9)
        .filter(|bytes| *bytes == b"code=half")
        .count();
    assert!(torn > 0, "the main file holds a part of the transaction");
    let seen = unharmed(copy.path());
    let (undone, committed): (Vec<_>, Vec<_>) = views(&seen)
        .into_iter()
        .partition(|(url, _)| url.contains("half-made-up"));
    assert_eq!(committed.len(), 399);
    assert!(committed.iter().all(|(_, view)| *view == View::Live));
    assert!(!undone.is_empty());
    assert!(undone.iter().all(|(_, view)| *view == View::Recovered));
}

#[test]
fn a_journal_with_a_zeroed_header_holds_what_the_last_transaction_deleted() {
    let copy = ended();
    let journal = fs::read(copy.path().join("History-journal")).unwrap();
    assert_eq!(journal[..28], [0; 28]);
    let seen = unharmed(copy.path());
    let deleted: Vec<String> = (201..300).map(token_url).collect();
    let mut deleted = deleted;
    deleted.sort();
    assert_eq!(recovered(&seen), deleted);
    assert_eq!(seen.urls().len(), 299);
}

#[test]
fn a_journal_that_waits_for_the_disk_adds_nothing() {
    let live = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    history(&connection, 1..300);
    connection
        .execute_batch("BEGIN; DELETE FROM urls WHERE id > 200;")
        .unwrap();
    let copy = copied(live.path(), &JOURNAL);
    let seen = unharmed(copy.path());
    assert_eq!(recovered(&seen), [""; 0]);
    assert_eq!(seen.urls(), token_urls(1..300));
}

/// A folder with a history and a hot journal: half a transaction was written when it was copied.
fn torn() -> tempfile::TempDir {
    let live = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    history(&connection, 1..400);
    connection
        .execute_batch(
            "PRAGMA cache_size=2; BEGIN; UPDATE urls SET url = 'https://app.example/?code=half-made-up-' || id;",
        )
        .unwrap();
    copied(live.path(), &JOURNAL)
}

/// A folder with a history and the journal of a transaction that ended. Chromium has a rollback journal and an exclusive
/// lock, so that the journal stays and its header is zeroed.
fn ended() -> tempfile::TempDir {
    let live = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    connection
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE;")
        .unwrap();
    history(&connection, 1..300);
    connection
        .execute_batch(
            "BEGIN; DELETE FROM urls WHERE id > 200; DELETE FROM visits WHERE id > 200; COMMIT;",
        )
        .unwrap();
    copied(live.path(), &JOURNAL)
}

/// What a scan tells of the journal, with the journal changed.
fn told_of_journal(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<String> {
    let copy = copied(folder, &JOURNAL);
    let path = copy.path().join("History-journal");
    let mut journal = fs::read(&path).unwrap();
    change(&mut journal);
    fs::write(path, journal).unwrap();
    let told = scan(&copy.path().join("History")).problems;
    told.into_iter()
        .filter(|problem| problem.contains("-journal"))
        .collect()
}

#[test]
fn a_hot_journal_whose_header_cannot_be_used_is_told() {
    let torn = torn();
    assert_eq!(told_of_journal(torn.path(), |_| {}), [""; 0]);
    // Sizes of sector and page that are too small, too large, or no powers of two.
    for (at, size) in [
        (20_usize, 16_u32),
        (20, 1 << 17),
        (20, 1_000),
        (24, 256),
        (24, 5_000),
        (24, u32::MAX),
    ] {
        let told = told_of_journal(torn.path(), |journal| {
            journal[at..at + 4].copy_from_slice(&size.to_be_bytes());
        });
        assert_eq!(told.len(), 1, "{size} at {at}");
        assert!(told[0].contains("damaged header"), "{told:?}");
    }
    // These hold nothing, or nothing any more.
    let blank = |journal: &mut Vec<u8>| journal.fill(0);
    assert_eq!(told_of_journal(torn.path(), blank), [""; 0]);
    for len in [0, 20, 511] {
        let cut = |journal: &mut Vec<u8>| journal.truncate(len);
        assert_eq!(told_of_journal(torn.path(), cut), [""; 0], "{len}");
    }
}

/// Journals of a database of another time, with the header of a hot one, and with the zeroed one that stays behind a
/// transaction that ended.
fn journals() -> [Vec<u8>; 2] {
    [torn(), ended()].map(|folder| fs::read(folder.path().join("History-journal")).unwrap())
}

#[test]
fn a_journal_beside_a_log_is_told_when_it_holds_pages() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    history(&connection, 20..30);
    let main = fs::read(live.path().join("History")).unwrap();
    let packed = zstd::encode_all(&main[..], 1).unwrap();
    let journals = journals();
    assert_eq!(journals[1][..28], [0; 28]);
    let blank = [Vec::new(), vec![0; 20_000], journals[0][..300].to_vec()];
    for main in [main, packed] {
        let copy = copied(live.path(), &LOG);
        fs::write(copy.path().join("History"), main).unwrap();
        for journal in &journals {
            fs::write(copy.path().join("History-journal"), journal).unwrap();
            let seen = scan(&copy.path().join("History"));
            assert_eq!(seen.urls(), token_urls(1..30));
            assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
            assert!(
                seen.problems[0].contains("-journal file beside it holds pages"),
                "{:?}",
                seen.problems
            );
        }
        for journal in &blank {
            fs::write(copy.path().join("History-journal"), journal).unwrap();
            assert_eq!(unharmed(copy.path()).urls(), token_urls(1..30));
        }
    }
}

#[test]
fn a_compressed_main_file_of_any_size_has_its_other_states() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    // What compresses better than anything that is genuine would count as a bomb.
    connection
        .execute_batch(
            "CREATE TABLE noise(a); INSERT INTO noise VALUES(randomblob(1000000)); PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    history(&connection, 20..30);
    connection
        .execute_batch("DELETE FROM urls; DELETE FROM visits;")
        .unwrap();
    let copy = copied(live.path(), &LOG);
    // Grown in advance, beyond what is unpacked into memory.
    let mut main = fs::read(live.path().join("History")).unwrap();
    main.resize(257 << 20, 0);
    let packed = zstd::encode_all(&main[..], 1).unwrap();
    fs::write(copy.path().join("History"), packed).unwrap();
    let seen = unharmed(copy.path());
    let all: Vec<String> = (1..30).map(token_url).collect();
    assert_eq!(recovered(&seen), all);
}

#[test]
fn a_table_that_was_dropped() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection
        .execute_batch(
            "CREATE TABLE downloads_url_chains(id INTEGER, chain_index INTEGER, url LONGVARCHAR, PRIMARY KEY(id, chain_index));
             CREATE TABLE downloads(id INTEGER PRIMARY KEY, start_time INTEGER);
             CREATE TABLE clusters_and_visits(cluster_id INTEGER, visit_id INTEGER, url_for_display TEXT, PRIMARY KEY(cluster_id, visit_id)) WITHOUT ROWID;
             INSERT INTO downloads VALUES(4, 13408000000000077);
             INSERT INTO downloads_url_chains VALUES(4, 0, 'https://files.example/?access_token=made-up-download');
             INSERT INTO clusters_and_visits VALUES(1, 1, 'https://files.example/?access_token=made-up-kept'),
                (1, 2, 'https://files.example/?access_token=made-up-cluster');
             PRAGMA wal_checkpoint(TRUNCATE);
             DROP TABLE downloads_url_chains; DELETE FROM downloads;
             DELETE FROM clusters_and_visits WHERE visit_id = 2;",
        )
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    assert_eq!(
        recovered(&seen),
        [
            "https://files.example/?access_token=made-up-cluster",
            "https://files.example/?access_token=made-up-download"
        ]
    );
    let at = seen.with("made-up-download").at.unwrap();
    assert_eq!(at.instant.to_string(), "2025-11-19T04:26:40.000077Z");
    assert_eq!(seen.with("made-up-kept").place.view, View::Live);
}

#[test]
fn the_smaller_databases_take_part() {
    let live = tempfile::tempdir().unwrap();
    let connection = Connection::open(live.path().join("History")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
             CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, name TEXT, value TEXT, host TEXT, creationTime INTEGER);
             INSERT INTO moz_cookies VALUES(1, 'access_token', 'made-up-kept', 'app.example', 1700000000000001),
                (2, 'access_token', 'made-up-deleted', 'app.example', 1700000000000002);
             PRAGMA wal_checkpoint(TRUNCATE);
             DELETE FROM moz_cookies WHERE id = 2;",
        )
        .unwrap();
    let seen = unharmed(copied(live.path(), &LOG).path());
    let cookies: Vec<_> = seen
        .observations
        .iter()
        .map(|seen| match &seen.payload {
            Payload::Pair { value, .. } => {
                let value = String::from_utf8(value.as_bytes().to_vec()).unwrap();
                (
                    value,
                    seen.place.view,
                    seen.at.unwrap().instant.as_microsecond() % 10,
                )
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        cookies,
        [
            ("made-up-kept".to_owned(), View::Live, 1),
            ("made-up-deleted".to_owned(), View::Recovered, 2)
        ]
    );
}

/// Every URL with a needle, by rowid, as SQLite reads a copy without sidecars: all of it that is the older view.
fn main_alone(path: &Path) -> BTreeSet<(i64, String)> {
    let copy = copied(path, &["db"]);
    let connection = Connection::open(copy.path().join("db")).unwrap();
    rows(&connection)
}

fn rows(connection: &Connection) -> BTreeSet<(i64, String)> {
    let Ok(mut statement) = connection.prepare("SELECT id, url FROM urls NOT INDEXED") else {
        return BTreeSet::new();
    };
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn cell(seen: &Observation) -> Option<(i64, String)> {
    match &seen.place.locator {
        Locator::Row { table, rowid, .. } if table == "urls" => Some((*rowid, url(seen)?)),
        _ => None,
    }
}

/// Growth, deletion, change, and values that need overflow pages.
fn mutate(connection: &Connection, random: &mut Random, step: u64) {
    let id = random.below(120);
    // No two of a length: SQLite overwrites such in place, in overflow pages whose row then is not in the log.
    let long = [1, 60, 900, 9_000][random.below(4) as usize] + step as usize;
    let long = "p".repeat(long);
    let token = format!("https://app.example/{long}#access_token=made-up-{step}-{id}");
    let sql = match random.below(8) {
        0..=4 => format!("INSERT OR REPLACE INTO urls VALUES({id}, '{token}', {step});"),
        5 => format!(
            "UPDATE urls SET url = '{token}' WHERE id % 11 = {};",
            id % 11
        ),
        6 => format!("DELETE FROM urls WHERE id BETWEEN {id} AND {};", id + 9),
        _ => format!("DELETE FROM urls WHERE id % 5 = {};", id % 5),
    };
    connection.execute_batch(&sql).unwrap();
}

#[test]
fn the_older_views_are_those_that_sqlite_read() {
    let mut told = 0;
    for seed in 1..=60 {
        let mut random = Random::from(seed);
        let folder = tempfile::tempdir().unwrap();
        let page_size = [512, 1_024, 4_096, 32_768, 65_536][random.below(5) as usize];
        let connection = open_mode(folder.path(), page_size, "WAL");
        connection
            .execute_batch(
                "DROP TABLE urls; PRAGMA secure_delete=OFF;
                 CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, last_visit_time INTEGER);
                 CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER);",
            )
            .unwrap();
        let mut steps = 0..;
        let mut commit = |random: &mut Random| {
            connection.execute_batch("BEGIN;").unwrap();
            for step in steps.by_ref().take(8) {
                mutate(&connection, random, step);
            }
            connection.execute_batch("COMMIT;").unwrap();
        };
        for _ in 0..random.below(20) {
            commit(&mut random);
        }
        connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")
            .unwrap();
        let mut states = main_alone(folder.path());
        for _ in 0..random.below(14) {
            commit(&mut random);
            states.extend(rows(&connection));
        }
        let live = rows(&connection);
        let copy = copied(folder.path(), &["db", "db-wal"]);
        let seen = scan(&copy.path().join("db"));
        assert_eq!(seen.problems, [""; 0], "seed {seed}");
        let (mut shown_live, mut shown_deleted) = (BTreeSet::new(), BTreeSet::new());
        for observation in &seen.observations {
            let cell = cell(observation).unwrap();
            let shown = match observation.place.view {
                View::Recovered => &mut shown_deleted,
                View::Live | View::Uncheckpointed => &mut shown_live,
            };
            assert!(shown.insert(cell), "seed {seed}: told twice");
        }
        assert!(shown_live == live, "seed {seed}: the live view differs");
        let deleted: BTreeSet<_> = states.difference(&live).cloned().collect();
        let short = |set: BTreeSet<&(i64, String)>| -> Vec<String> {
            let cells = set.into_iter().take(3);
            cells
                .map(|(id, url)| {
                    format!("{id} {}", url.get(url.len().saturating_sub(40)..).unwrap())
                })
                .collect()
        };
        assert!(
            shown_deleted == deleted,
            "seed {seed}, pages of {page_size}: missing {:?}, too many {:?}",
            short(deleted.difference(&shown_deleted).collect()),
            short(shown_deleted.difference(&deleted).collect())
        );
        told += deleted.len();
    }
    assert!(told > 1_000, "only {told} deleted rows to compare");
}

#[test]
fn sidecars_that_are_broken_harm_nobody() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    history(&connection, 20..60);
    connection
        .execute_batch("DELETE FROM urls WHERE id % 3 = 0;")
        .unwrap();
    let journaled = tempfile::tempdir().unwrap();
    let exclusive = Connection::open(journaled.path().join("History")).unwrap();
    exclusive
        .execute_batch("PRAGMA locking_mode=EXCLUSIVE;")
        .unwrap();
    history(&exclusive, 1..200);
    exclusive
        .execute_batch("DELETE FROM urls WHERE id % 3 = 0;")
        .unwrap();
    for (from, names) in [(live.path(), &LOG), (journaled.path(), &JOURNAL)] {
        let whole = fs::read(from.join(names[1])).unwrap();
        let main = fs::read(from.join("History")).unwrap();
        for seed in 1..=120 {
            let mut random = Random::from(seed);
            let copy = copied(from, names);
            let (mut main, mut beside) = (main.clone(), whole.clone());
            for _ in 0..=random.below(6) {
                let broken = if random.below(3) == 0 {
                    &mut main
                } else {
                    &mut beside
                };
                let at = random.below(broken.len() as u64) as usize;
                match random.below(3) {
                    0 => broken.truncate(at.max(100)),
                    1 => broken[at] = random.below(256) as u8,
                    _ => {
                        let end = broken.len().min(at + 16);
                        broken[at..end].fill(0xff);
                    }
                }
            }
            fs::write(copy.path().join("History"), main).unwrap();
            fs::write(copy.path().join(names[1]), beside).unwrap();
            let seen = scan(&copy.path().join("History"));
            assert!(seen.observations.len() < 2_000, "seed {seed}");
        }
    }
}

#[test]
fn a_read_only_folder_with_a_log() {
    let live = tempfile::tempdir().unwrap();
    let connection = checkpointed(live.path());
    connection.execute_batch("DELETE FROM urls;").unwrap();
    let copy = copied(live.path(), &LOG);
    set_read_only(copy.path(), true);
    let seen = unharmed(copy.path());
    set_read_only(copy.path(), false);
    assert_eq!(recovered(&seen).len(), 19);
}
