//! A deleted row is worth what a live one is, and the report says that it was deleted: through the whole program,
//! in one process and in two.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

const TOKEN: &str = "made-up-opaque-token-of-a-deleted-row";

/// The arguments that make two runs alike.
const AS_OF: [&str; 2] = ["--as-of", "2025-11-19T04:40:00Z"];

fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        !text.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains(TOKEN), "the report holds the token");
    text
}

fn json(folder: &Path, more: &[&str]) -> Value {
    let arguments = [&["scan", "History", "-f", "json"], &AS_OF[..], more].concat();
    serde_json::from_str(&run(folder, &arguments)).unwrap()
}

/// A history with a sign-in by the implicit flow, in WAL mode, checkpointed.
fn signed_in(path: &Path) -> Connection {
    let connection = Connection::open(path.join("History")).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF;
             CREATE TABLE urls(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, last_visit_time INTEGER NOT NULL);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
                from_visit INTEGER, transition INTEGER NOT NULL);
             INSERT INTO urls VALUES(1, 'https://app.example/', 'Start', 13408000000000000),
                (2, 'https://as.example/authorize?response_type=token&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=made-up-state-0123456789', 'Sign in', 13408000001000000),
                (3, 'https://app.example/cb#access_token={TOKEN}&token_type=Bearer&expires_in=3600&state=made-up-state-0123456789', 'Title', 13408000002000000),
                (4, 'https://app.example/home', 'Home', 13408000003000000);
             INSERT INTO visits VALUES(1, 1, 13408000000000000, 0, 0), (2, 2, 13408000001000000, 1, 0),
                (3, 3, 13408000002000000, 2, 2147483648), (4, 4, 13408000003000000, 3, 0);
             PRAGMA wal_checkpoint(TRUNCATE);"
        ))
        .unwrap();
    connection
}

fn copied(from: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["History", "History-wal"] {
        fs::copy(from.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// The finding that is the token.
fn token(report: &Value) -> &Value {
    let mut findings = report["findings"].as_array().unwrap().iter();
    findings.find(|it| it["kind"] == "access_token").unwrap()
}

#[test]
fn a_deleted_token_is_worth_what_a_live_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let connection = signed_in(folder.path());
    let before = copied(folder.path());
    connection
        .execute_batch("DELETE FROM urls; DELETE FROM visits;")
        .unwrap();
    let after = copied(folder.path());
    let (live, deleted) = (json(before.path(), &[]), json(after.path(), &[]));
    let (live, deleted) = (token(&live), token(&deleted));
    for same in [
        "fingerprint",
        "leak",
        "flow",
        "severity",
        "at_exposure",
        "now",
        "exposed_to",
    ] {
        assert_eq!(live[same], deleted[same], "{same}");
    }
    assert_eq!(live["flow"], "implicit");
    let (live, deleted) = (&live["sightings"][0], &deleted["sightings"][0]);
    assert_eq!(
        (&live["view"], &deleted["view"]),
        (&"live".into(), &"recovered".into())
    );
    assert_eq!(live["locator"], deleted["locator"]);
    assert_eq!(live["at"], deleted["at"]);
    let table = run(after.path(), &[&["scan", "History"], &AS_OF[..]].concat());
    assert!(table.contains("deleted, recovered"), "{table}");
    let table = run(before.path(), &[&["scan", "History"], &AS_OF[..]].concat());
    assert!(!table.contains("deleted"), "{table}");
}

#[test]
fn residue_is_searched_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let connection = signed_in(folder.path());
    connection
        .execute_batch("DELETE FROM urls WHERE id = 3; DELETE FROM visits WHERE id = 3; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    drop(connection);
    let without = json(folder.path(), &[]);
    let is_token = |it: &Value| it["kind"] == "access_token";
    assert!(!without["findings"].as_array().unwrap().iter().any(is_token));
    assert_eq!(without["run"]["options"]["residue"], false);
    let with = json(folder.path(), &["--residue"]);
    assert_eq!(with["run"]["options"]["residue"], true);
    assert_eq!(with["sources"], without["sources"]);
    let sighting = &token(&with)["sightings"][0];
    assert_eq!(sighting["view"], "recovered");
    assert_eq!(sighting["at"], Value::Null);
    let locator = &sighting["locator"];
    assert_eq!(locator["type"], "bytes");
    assert_eq!(locator["within"], "freeblock");
    assert_eq!(locator.get("uncertain"), None, "its cell was decoded");
    let offset = usize::try_from(locator["offset"].as_u64().unwrap()).unwrap();
    let file = fs::read(folder.path().join("History")).unwrap();
    assert!(file[offset..].starts_with(b"https://app.example/cb#access_token="));
    let table = run(
        folder.path(),
        &[&["scan", "History", "--residue"], &AS_OF[..]].concat(),
    );
    assert!(
        table.contains("(block between rows), deleted, recovered"),
        "{table}"
    );
}

/// A history that has, behind its last page, what is left of a request: nothing tells where it ends.
fn with_remains(request: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(signed_in(folder.path()));
    let path = folder.path().join("History");
    let mut file = fs::read(&path).unwrap();
    file.resize(file.len() + 1000, 0);
    file.extend_from_slice(request.as_bytes());
    file.resize(file.len().next_multiple_of(4096), 0);
    fs::write(path, file).unwrap();
    folder
}

#[test]
fn a_request_that_may_have_lost_its_end_is_not_blamed_for_what_it_lacks() {
    let asked = "https://as.example/authorize?response_type=code&client_id=cut&redirect_uri=https://cut.example/cb&code_challenge=w3Xo0Wn6Yh4PcJb9DsGf2Ea7UQm3vTz8LrXk1Wn6Yh4";
    let said = |request: &str| {
        let report = json(with_remains(request).path(), &["--residue"]);
        let trails = report["trails"].as_array().unwrap().iter();
        let mut trails = trails.filter(|it| it["client_id"] == "cut");
        let trail = trails.next().unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let mut kinds: Vec<String> = findings
            .filter(|it| it["trails"].as_array().unwrap().contains(&trail["id"]))
            .map(|it| it["rule"].as_str().unwrap().to_owned())
            .collect();
        kinds.sort_unstable();
        (trail["pkce"].as_str().unwrap().to_owned(), kinds)
    };
    let none = Vec::<String>::new();
    // The title of the page was the next column.
    let glued = format!("{asked}&code_challenge_method=S256Signed");
    assert_eq!(said(&glued), ("s256".into(), none.clone()));
    let cut = format!("{asked}&code_challenge_me");
    assert_eq!(said(&cut), ("not-observed".into(), none));
    let plain = format!("{asked}&code_challenge_method=plain");
    let (pkce, rules) = said(&plain);
    assert_eq!(pkce, "plain");
    let challenges = rules.iter().filter(|it| *it == "code-challenge-plain");
    assert_eq!(challenges.count(), 1, "{rules:?}");
}

#[test]
fn two_halves_say_the_same_of_residue() {
    let folder = tempfile::tempdir().unwrap();
    let connection = signed_in(folder.path());
    connection
        .execute_batch("DELETE FROM urls WHERE id = 3; DELETE FROM visits WHERE id = 3;")
        .unwrap();
    let copy = copied(folder.path());
    let whole = json(copy.path(), &["--residue"]);
    let lines = run(
        copy.path(),
        &["scan", "History", "--residue", "--sightings"],
    );
    fs::write(copy.path().join("lines"), lines).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args([&["correlate", "-", "-f", "json"], &AS_OF[..]].concat())
        .stdin(Stdio::from(
            fs::File::open(copy.path().join("lines")).unwrap(),
        ))
        .output()
        .unwrap();
    let halves: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(halves, whole);
}

#[test]
fn cookies_that_were_replaced_between_two_commits_are_found_by_their_names() {
    // Nothing in the value tells it, and the name stands in a column of its own. What one row held in each state is
    // told, though the other row is read in between.
    const COMMITS: usize = 24;
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("History")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
             CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '',
                name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER);
             INSERT INTO moz_cookies(name, value, host) VALUES('theme', 'dark', '.app.example');
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    for commit in 0..COMMITS {
        connection
            .execute_batch(&format!(
                "INSERT OR REPLACE INTO moz_cookies(id, name, value, host)
                    VALUES(7, 'session', 'Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2E{commit:03}', 'app.example'),
                          (8, 'session', 'Wn6Yh4PcJb9DsGf2EQm3vTz8LrXk1{commit:03}', 'as.example');
                 UPDATE moz_cookies SET value = 'dark{commit}' WHERE name = 'theme';"
            ))
            .unwrap();
    }
    let report = json(copied(folder.path()).path(), &[]);
    assert_eq!(report["sources"][0]["status"], "read", "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let views: Vec<&str> = findings
        .iter()
        .map(|it| {
            assert_eq!(it["kind"], "session_id");
            it["sightings"][0]["view"].as_str().unwrap()
        })
        .collect();
    assert_eq!(views.len(), 2 * COMMITS);
    let live = views.iter().filter(|it| **it != "recovered").count();
    assert_eq!(live, 2, "{views:?}");
}
