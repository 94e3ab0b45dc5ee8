//! Evidence that is broken, scanned by the program: each file costs a problem with its name and a reason, and
//! takes nothing away from the files beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A line with one access token.
fn line(number: u32) -> String {
    format!(
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /cb?access_token={} HTTP/1.1\" 200 5\n",
        token(number)
    )
}

fn token(number: u32) -> String {
    format!("qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6")
}

fn packed(lines: u32) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for number in 0..lines {
        gzip.write_all(line(number).as_bytes()).unwrap();
    }
    gzip.finish().unwrap()
}

/// A history with some URLs, as Chromium keeps them.
fn history(urls: u32) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("History");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);
             BEGIN;",
        )
        .unwrap();
    for number in 0..urls {
        let url = format!("https://app.example/#access_token={}", token(number));
        let row = "INSERT INTO urls VALUES(?1, ?2, 13408000000000000)";
        connection.execute(row, (number, url)).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    drop(connection);
    fs::read(path).unwrap()
}

fn har() -> Vec<u8> {
    let entry = |number| {
        serde_json::json!({
            "startedDateTime": "2026-11-23T01:28:04Z",
            "request": {"method": "GET", "url": format!("https://app.example/cb?access_token={}", token(number)), "headers": []},
            "response": {"status": 200, "headers": [], "content": {}},
        })
    };
    let entries: Vec<Value> = (0..20).map(entry).collect();
    serde_json::to_vec(&serde_json::json!({"log": {"version": "1.2", "entries": entries}})).unwrap()
}

struct Seen {
    code: i32,
    report: Value,
}

impl Seen {
    fn findings(&self) -> usize {
        self.report["findings"].as_array().unwrap().len()
    }

    /// Reasons given for a file.
    fn problems(&self, name: &str) -> Vec<&str> {
        let problems = self.report["problems"].as_array().unwrap().iter();
        problems
            .filter(|problem| problem["path"] == name)
            .map(|problem| problem["reason"].as_str().unwrap())
            .collect()
    }
}

fn scan(dir: &Path) -> Seen {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(["scan", "--fail-on", "never", "-f", "json", "--source-root"])
        .arg(dir)
        .arg(dir)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    Seen {
        code: output.status.code().unwrap(),
        report: serde_json::from_slice(&output.stdout).unwrap(),
    }
}

/// Name, content, a word of the reason, findings that remain.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str, usize)> {
    let lines = packed(400);
    let half = |bytes: &[u8]| bytes.get(..bytes.len() / 2).unwrap().to_vec();
    let database = history(400);
    let mut magic = database.clone();
    magic.splice(..15, *b"SQLite format 2");
    let mut trailing = packed(1);
    trailing.extend_from_slice(b"and something else");
    let mut gzipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzipped.write_all(&database).unwrap();
    let gzipped = gzipped.finish().unwrap();
    let capture = har();
    vec![
        ("a/History", Vec::new(), "empty", 0),
        ("a/places.sqlite", Vec::new(), "empty", 0),
        ("a/x.har", Vec::new(), "empty", 0),
        ("a/access.log.1.gz", Vec::new(), "empty", 0),
        ("b/History", magic, "no SQLite database", 0),
        ("c/History", half(&database), "ends before its last page", 1),
        (
            "d/History",
            database.get(..100).unwrap().to_vec(),
            "damaged",
            0,
        ),
        (
            "e/History.gz",
            half(&gzipped),
            "compressed data is damaged",
            1,
        ),
        (
            "f/access.log.gz",
            half(&lines),
            "compressed data is damaged",
            1,
        ),
        ("g/access.log.gz", trailing, "followed by something else", 1),
        (
            "h/access.log.gz",
            lines.get(..10).unwrap().to_vec(),
            "compressed data is damaged",
            0,
        ),
        (
            "i/access.log.gz",
            lines.get(..2).unwrap().to_vec(),
            "compressed data",
            0,
        ),
        (
            "j/access.log.bz2",
            b"BZh91AY&SY".to_vec(),
            "compressed data is damaged",
            0,
        ),
        ("k/recovery.jsonlz4", Vec::new(), "empty", 0),
        (
            "k/sessionstore.jsonlz4",
            b"mozLz39\0".to_vec(),
            "session file",
            0,
        ),
        ("k/x.har", half(&capture), "ends inside a JSON value", 1),
        ("l/x.har", vec![0; 5_000], "HAR file", 0),
    ]
}

fn write(dir: &Path, name: &str, content: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn each_broken_file_costs_a_problem_with_its_name() {
    for (name, content, reason, least) in broken() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), name, &content);
        let seen = scan(dir.path());
        let problems = seen.problems(name);
        assert!(
            problems.iter().any(|problem| problem.contains(reason)),
            "{name}: {problems:?}"
        );
        assert_eq!(seen.code, 3, "{name}");
        assert!(seen.findings() >= least, "{name}: {}", seen.findings());
    }
}

#[test]
fn a_record_with_more_than_is_looked_at_is_told() {
    let pairs: Vec<String> = (0..9_000)
        .map(|number| format!("access_token=k{number}abcdefgh{number}"))
        .collect();
    let line = format!(
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /x?{} HTTP/1.1\" 200 5 \"-\" \"x\"\n",
        pairs.join("&")
    );
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "access.log", line.as_bytes());
    let seen = scan(dir.path());
    let problems = seen.problems("access.log");
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("looked at in one")),
        "{problems:?}"
    );
    assert!(seen.findings() > 1_000, "{}", seen.findings());
}

#[test]
fn broken_files_take_nothing_from_those_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "good/access.log", line(9_999).as_bytes());
    assert_eq!(scan(dir.path()).code, 0);
    for (name, content, ..) in broken() {
        write(dir.path(), name, &content);
    }
    let seen = scan(dir.path());
    assert_eq!(seen.code, 3);
    assert_eq!(seen.problems("good/access.log"), [""; 0]);
    let whole = seen.report.to_string();
    assert!(whole.contains("good/access.log"));
    for (name, ..) in broken() {
        assert!(!seen.problems(name).is_empty(), "{name}");
    }
}

#[test]
fn an_empty_log_is_told_and_was_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "access.log", b"");
    write(dir.path(), "000003.log", b"");
    write(dir.path(), "readme.txt", b"");
    let seen = scan(dir.path());
    assert_eq!(seen.code, 0);
    assert_eq!(seen.problems("access.log").len(), 1);
    assert_eq!(seen.report["not_claimed"]["empty"], 2);
}

#[test]
fn a_text_called_history_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "History", b"Version 1.0 was the first one.\n");
    let seen = scan(dir.path());
    assert_eq!((seen.code, seen.findings()), (0, 0));
}

#[test]
fn a_log_is_read_around_nuls_damaged_json_and_depth() {
    let dir = tempfile::tempdir().unwrap();
    // `copytruncate` while the server goes on writing at its old place.
    let hole = [vec![0; 200_000], line(1).into_bytes(), vec![0; 200_000]].concat();
    write(dir.path(), "hole.log", &hole);
    let unbalanced = format!("{{\"request\":\"GET /cb?access_token={}&x=1\"\n", token(2)).repeat(3);
    write(dir.path(), "unbalanced.log", unbalanced.as_bytes());
    let deep = format!(
        "{{\"x\":{}{},\"url\":\"https://app.example/cb?access_token={}\"}}\n",
        "[".repeat(100_000),
        "]".repeat(100_000),
        token(3)
    );
    write(dir.path(), "deep.log", deep.as_bytes());
    let escaped = format!(
        "GET /cb?state={}&access_token={}\n",
        "%25".repeat(100_000),
        token(4)
    );
    write(dir.path(), "escaped.log", escaped.as_bytes());
    assert_eq!(scan(dir.path()).findings(), 4);
}

#[cfg(unix)]
#[test]
fn an_unreadable_log_beside_a_history_costs_its_own_rows_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "History", &history(10));
    write(dir.path(), "History-wal", b"unreadable");
    let log = dir.path().join("History-wal");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o0)).unwrap();
    let is_root = fs::File::open(&log).is_ok();
    let seen = scan(dir.path());
    assert_eq!(seen.findings(), 10);
    assert!(is_root || seen.problems("History")[0].contains("-wal"));
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_and_special_files_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let names: [&[u8]; 5] = [
        b"new\nline.log",
        b"\x1b[31mred.log",
        "bidi\u{202e}gol.log".as_bytes(),
        b"no-utf8-\xff\xfe.log",
        b"tab\t\"quote'.log",
    ];
    for (number, name) in (0..).zip(names) {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::write(dir.path().join(name), line(number)).unwrap();
    }
    std::os::unix::fs::symlink(".", dir.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.log")).unwrap();
    let seen = scan(dir.path());
    assert_eq!((seen.code, seen.findings()), (0, names.len()));
    assert_eq!(seen.report["not_claimed"]["symbolic link"], 2);
    assert_eq!(seen.report["not_claimed"]["special file"], 1);
    let table = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .arg("scan")
        .arg(dir.path())
        .output()
        .unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(!table.contains(['\u{1b}', '\u{202e}', '\t']), "{table}");
}
