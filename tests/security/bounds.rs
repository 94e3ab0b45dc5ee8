//! Evidence that would take all memory, all time, or the stack. The limits are bytes and counts, never seconds.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::memory::measured;
use crate::{findings, line, problems, program, report, run, scanning, tried};

/// MiB that a scan of a stream may have resident, whatever the stream: the program and its rules, two threads with a
/// record of the longest kind each, and what is made of it.
const STREAM: u64 = 256;

/// Megabytes of the beginning of a token, without an end of line.
fn beginnings(megabytes: usize) -> impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static {
    move |out| {
        let block = "eyJ".repeat(1_000_000 / 3 + 1);
        for _ in 0..megabytes {
            out.write_all(&block.as_bytes()[..1_000_000])?;
        }
        out.write_all(b"\n")?;
        out.write_all(line(1).as_bytes())
    }
}

fn token_beginnings(megabytes: usize, test: &str) {
    let seen = measured(&["--type", "log"], beginnings(megabytes));
    assert!(seen.peak < STREAM, "{} MiB", seen.peak);
    assert_eq!(findings(&seen.report), 1, "the line behind it is read");
    assert_eq!(seen.code, 3);
    let told = problems(&seen.report);
    assert!(told[0].contains("16 MiB"), "{told:?}");
    tried(test, "megabytes", megabytes);
    tried(test, "peak", usize::try_from(seen.peak).unwrap());
}

#[test]
fn token_beginnings_without_end_from_a_pipe() {
    token_beginnings(100, "token_beginnings_without_end_from_a_pipe");
}

#[test]
#[ignore = "minutes"]
fn ten_gigabytes_of_token_beginnings_from_a_pipe() {
    token_beginnings(10_000, "ten_gigabytes_of_token_beginnings_from_a_pipe");
}

/// A tar of empty files, made while it is read.
fn empty_members(count: usize) -> impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static {
    move |out| {
        let mut out = io::BufWriter::with_capacity(1 << 20, out);
        for number in 0..count {
            let mut block = [0_u8; 512];
            let name = format!("logs/{number:08}.log");
            block[..name.len()].copy_from_slice(name.as_bytes());
            block[124..136].copy_from_slice(b"00000000000\0");
            block[148..156].fill(b' ');
            block[156] = b'0';
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            out.write_all(&block)?;
        }
        out.write_all(&[0; 1024])
    }
}

#[test]
fn members_of_a_tar_cost_their_names() {
    let seen = measured(&[], empty_members(20_000));
    assert!(seen.peak < STREAM, "{} MiB", seen.peak);
    assert_eq!(seen.code, 0);
    tried("members_of_a_tar_cost_their_names", "members", 20_000);
}

#[test]
#[ignore = "minutes"]
fn ten_million_members_of_a_tar_are_left_at_the_bound() {
    let seen = measured(&[], empty_members(10_000_000));
    let told = problems(&seen.report);
    assert!(told[0].contains("more than 1000000 files"), "{told:?}");
    // A million rows of the account, and the report of them.
    assert!(seen.peak < 2_048, "{} MiB", seen.peak);
    assert_eq!(seen.code, 3);
    let test = "ten_million_members_of_a_tar_are_left_at_the_bound";
    tried(test, "members", 10_000_000);
    tried(test, "peak", usize::try_from(seen.peak).unwrap());
}

#[test]
fn a_million_escapes_of_the_percent_sign_in_every_place() {
    let dir = tempfile::tempdir().unwrap();
    let escapes = "%25".repeat(1_000_000);
    let url = |number: u32| {
        format!(
            "https://a.example/cb?state={escapes}&access_token=qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9"
        )
    };
    let entry = serde_json::json!({
        "startedDateTime": "2026-11-23T01:28:04Z",
        "request": {"method": "GET", "url": url(1), "headers": []},
        "response": {"status": 302, "headers": [{"name": "Location", "value": url(2)}], "content": {}},
    });
    let har = serde_json::json!({"log": {"version": "1.2", "entries": [entry]}});
    std::fs::write(dir.path().join("a.har"), har.to_string()).unwrap();
    let json = serde_json::json!({"time": "2026-11-23T01:28:04Z", "url": url(3)});
    std::fs::write(dir.path().join("a.log"), format!("{json}\n")).unwrap();
    std::fs::write(
        dir.path().join("b.log"),
        format!(
            "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET {} HTTP/1.1\" 200 5\n",
            url(4)
        ),
    )
    .unwrap();
    let history = rusqlite::Connection::open(dir.path().join("History")).unwrap();
    history
        .execute_batch(
            "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);",
        )
        .unwrap();
    let row = "INSERT INTO urls VALUES(1, ?1, 13408000000000000)";
    history.execute(row, [url(5)]).unwrap();
    drop(history);
    let (report, code) = report(dir.path(), &["."]);
    assert_eq!((findings(&report), code), (5, 0), "{:?}", problems(&report));
    tried(
        "a_million_escapes_of_the_percent_sign_in_every_place",
        "inputs",
        5,
    );
}

#[test]
fn a_capture_nested_a_hundred_thousand_deep_in_every_place() {
    const DEEP: usize = 100_000;
    let deep = format!("{}1{}", "[".repeat(DEEP), "]".repeat(DEEP));
    let objects = format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP));
    let entry = |number: u32, extra: &str| {
        format!(
            r#"{{"startedDateTime":"2026-11-23T01:28:04Z",{extra}"request":{{"method":"GET","url":"https://a.example/cb?access_token=qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9","headers":[]}},"response":{{"status":200,"headers":[],"content":{{}}}}}}"#
        )
    };
    let mut inputs = 0;
    for deep in [&deep, &objects] {
        let member = format!("\"_deep\":{deep},");
        let body = serde_json::to_string(deep).unwrap();
        let texts = [
            format!(
                r#"{{"log":{{"_deep":{deep},"entries":[{}]}}}}"#,
                entry(1, "")
            ),
            format!(
                r#"{{"_deep":{deep},"log":{{"entries":[{}]}}}}"#,
                entry(2, "")
            ),
            format!(r#"{{"log":{{"entries":[{}]}}}}"#, entry(3, &member)),
            format!(r#"{{"log":{{"entries":[{deep},{}]}}}}"#, entry(4, "")),
            format!(
                r#"{{"log":{{"entries":[{}]}}}}"#,
                entry(5, "").replace(
                    "\"content\":{}",
                    &format!("\"content\":{{\"mimeType\":\"application/json\",\"text\":{body}}}")
                )
            ),
        ];
        for text in texts {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("a.har"), &text).unwrap();
            let (report, code) = report(dir.path(), &["."]);
            let start = text.get(..80).unwrap();
            assert_eq!(findings(&report), 1, "{start}: {:?}", problems(&report));
            assert!(matches!(code, 0 | 3), "{start}");
            inputs += 1;
        }
    }
    tried(
        "a_capture_nested_a_hundred_thousand_deep_in_every_place",
        "inputs",
        inputs,
    );
}

/// A document as a result, as sightings, as rules, as a baseline and as keys: what the options read.
#[test]
fn files_of_options_nested_a_hundred_thousand_deep_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("access.log"), line(1)).unwrap();
    let json = "[".repeat(100_000);
    let mut toml = String::new();
    let _infallible = write!(toml, "a = {}", "[".repeat(100_000));
    std::fs::write(dir.path().join("deep"), json).unwrap();
    std::fs::write(dir.path().join("deep.toml"), toml).unwrap();
    let runs = [
        vec!["report", "deep"],
        vec!["correlate", "deep"],
        scanning(&["access.log", "--jwks", "deep"]),
        scanning(&["access.log", "--rules", "deep.toml"]),
        scanning(&["access.log", "--baseline", "deep.toml"]),
    ];
    for args in &runs {
        let output = run(&mut program(dir.path(), args), b"");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.lines().count() < 10 && error.len() < 2_000, "{error}");
    }
    tried(
        "files_of_options_nested_a_hundred_thousand_deep_are_refused",
        "inputs",
        runs.len(),
    );
}
