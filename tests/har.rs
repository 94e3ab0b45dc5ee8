//! HAR captures, whole and damaged: what is found in them, and that each value can be gone back to.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, Source, Zone};
use tokentrail::collect::har::{READER, read_buffered};
use tokentrail::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Via};

#[path = "har/damaged.rs"]
mod damaged;
#[path = "har/format.rs"]
mod format;
#[path = "har/reference.rs"]
mod reference;

const BUFFER: usize = 256 * 1024;

/// What the reader made of a file.
struct Reading {
    observations: Vec<Observation>,
    problems: Vec<String>,
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| Rules::builtin().unwrap())
}

fn evidence(bytes: &[u8], name: &str) -> Evidence {
    Evidence::stream(Box::new(Cursor::new(bytes.to_vec())), name).unwrap()
}

fn claims(bytes: &[u8], name: &str) -> bool {
    let context = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    (READER.claims)(&evidence(bytes, name), &context)
}

fn read_sized(bytes: &[u8], buffer: usize) -> Reading {
    let context = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    let source = Arc::new(Source {
        path: "capture.har".into(),
        reader: READER.name.into(),
        ..Source::default()
    });
    let mut observations = Vec::new();
    let mut problems: Vec<ReadError> = Vec::new();
    let mut sink = Sink {
        observe: &mut |observation| observations.push(observation),
        problem: &mut |problem| problems.push(problem),
    };
    let evidence = evidence(bytes, "capture.har");
    let end = read_buffered(&evidence, &source, &context, &mut sink, buffer);
    problems.extend(end.err());
    Reading {
        observations,
        problems: problems.iter().map(ToString::to_string).collect(),
    }
}

fn read(bytes: &[u8]) -> Reading {
    read_sized(bytes, BUFFER)
}

fn odd(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/har")
        .join(name);
    std::fs::read(path).unwrap()
}

fn fixtures() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/har");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "har"))
        .collect();
    files.sort();
    assert!(files.len() >= 8);
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

fn entry(observation: &Observation) -> (u64, &str, u64, u64) {
    let Locator::Entry {
        index,
        pointer,
        line,
        column,
    } = &observation.place.locator
    else {
        panic!("not an entry");
    };
    (*index, pointer, *line, *column)
}

fn bytes_of(payload: &Payload) -> &[u8] {
    match payload {
        Payload::Url(raw) | Payload::Text(raw) => raw.as_bytes(),
        Payload::Header { value, .. } | Payload::Pair { value, .. } => value.as_bytes(),
        Payload::Members { .. } => panic!("a HAR has no members of records"),
        Payload::Body { bytes, .. } => bytes.as_bytes(),
    }
}

fn kind_of(payload: &Payload) -> String {
    match payload {
        Payload::Url(_) => "url".to_owned(),
        Payload::Text(_) => "text".to_owned(),
        Payload::Header { name, .. } => format!("header {name}"),
        Payload::Pair { key, .. } => {
            format!("pair {}", String::from_utf8_lossy(key.as_bytes()))
        }
        Payload::Members { .. } => panic!("a HAR has no members of records"),
        Payload::Body { mime, .. } => format!("body {mime}"),
    }
}

/// Everything of an observation that can be compared, its raw bytes included.
fn told(observation: &Observation) -> String {
    let place = entry(observation);
    let exchange = observation.exchange.as_ref();
    format!(
        "{place:?} {:?} {:?} {} {:?} {:?}",
        observation.via,
        observation.at,
        kind_of(&observation.payload),
        String::from_utf8_lossy(bytes_of(&observation.payload)),
        exchange.map(|exchange| (
            &exchange.key,
            exchange.status,
            exchange.url.as_bytes(),
            &exchange.host
        )),
    )
}

/// URLs that responses sent the browser to.
fn locations(reading: &Reading) -> Vec<String> {
    reading
        .observations
        .iter()
        .filter(|observation| observation.via == Via::Location)
        .map(|observation| String::from_utf8_lossy(bytes_of(&observation.payload)).into())
        .collect()
}

fn tokens(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|n| format!("https://app.example/cb#access_token=made-up-token-{n:04}"))
        .collect()
}

fn at<'a>(reading: &'a Reading, pointer: &str) -> &'a Observation {
    let mut found = reading
        .observations
        .iter()
        .filter(|observation| entry(observation).1 == pointer);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("nothing at {pointer}"));
    assert!(found.next().is_none(), "several at {pointer}");
    first
}

fn text_at<'a>(reading: &'a Reading, pointer: &str) -> &'a str {
    std::str::from_utf8(bytes_of(&at(reading, pointer).payload)).unwrap()
}

/// A capture with one entry.
fn capture(entry: &str) -> Vec<u8> {
    format!(r#"{{"log":{{"version":"1.2","entries":[{entry}]}}}}"#).into_bytes()
}

/// Offset of a line and column, both from 1, the column in bytes.
fn offset(file: &[u8], line: u64, column: u64) -> usize {
    let line = usize::try_from(line - 1).unwrap();
    let before: usize = file
        .split_inclusive(|byte| *byte == b'\n')
        .take(line)
        .map(<[u8]>::len)
        .sum();
    before + usize::try_from(column - 1).unwrap()
}

fn follow(file: &[u8], reading: &Reading) {
    let document: Value =
        serde_json::from_slice(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)).unwrap();
    assert!(!reading.observations.is_empty());
    for observation in &reading.observations {
        let (_, path, line, column) = entry(observation);
        let pointed = document.pointer(path).unwrap_or_else(|| panic!("{path}"));
        let tail = &file[offset(file, line, column)..];
        if matches!(observation.payload, Payload::Pair { .. }) && !path.contains("cookies") {
            let value = bytes_of(&observation.payload);
            assert!(tail.starts_with(value), "{path}");
            assert!(
                pointed
                    .as_str()
                    .unwrap()
                    .contains(std::str::from_utf8(value).unwrap())
            );
            continue;
        }
        let placed = serde_json::Deserializer::from_slice(tail)
            .into_iter::<Value>()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(&placed, pointed, "{path}");
        if let Some(text) = pointed.as_str() {
            let found = String::from_utf8_lossy(bytes_of(&observation.payload));
            assert!(found.ends_with(text) || !matches!(observation.payload, Payload::Url(_)));
        }
    }
}

#[test]
fn every_value_can_be_gone_back_to() {
    for (path, file) in fixtures() {
        let reading = read(&file);
        assert!(
            reading.problems.is_empty(),
            "{path:?}: {:?}",
            reading.problems
        );
        follow(&file, &reading);
    }
    for name in [
        "bom.har",
        "single-entry.json",
        "array-of-entries.json",
        "missing-parts.har",
        "odd-urls.har",
        "attached-bodies.har",
        "escaped.har",
    ] {
        let file = odd(name);
        follow(&file, &read(&file));
    }
}

#[test]
fn places_in_utf_16_count_the_bytes_of_the_file() {
    let file = odd("utf16le.har");
    let reading = read(&file);
    assert_eq!(locations(&reading), tokens(0..2));
    let location = at(&reading, "/log/entries/1/response/headers/0/value");
    let (_, _, line, column) = entry(location);
    let mut lines = 1;
    let mut start = 0;
    for (index, unit) in file.chunks_exact(2).enumerate() {
        if lines == line {
            break;
        }
        if unit == [b'\n', 0] {
            lines += 1;
            start = (index + 1) * 2;
        }
    }
    let expected: Vec<u8> = "\"https://app.example/cb#access_token=made-up-token-0001\""
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let from = start + usize::try_from(column - 1).unwrap();
    assert_eq!(file[from..from + expected.len()], expected);
}

#[test]
fn the_size_of_the_buffer_changes_nothing() {
    let mut files: Vec<Vec<u8>> = fixtures().into_iter().map(|(_, file)| file).collect();
    for name in [
        "utf16le.har",
        "several.json",
        "truncated.har",
        "trailing.har",
        "escaped.har",
    ] {
        files.push(odd(name));
    }
    for file in files {
        let whole = read_sized(&file, 1 << 20);
        let expected: Vec<String> = whole.observations.iter().map(told).collect();
        for size in [1, 7, 64, 65, 1000, 4096, 64 * 1024] {
            let reading = read_sized(&file, size);
            let found: Vec<String> = reading.observations.iter().map(told).collect();
            assert_eq!(found, expected, "{size}");
            assert_eq!(reading.problems, whole.problems, "{size}");
        }
    }
}

/// Nothing in `{"error":"invalid_grant"}` is worth a look; it says what became of the code in its request.
#[test]
fn an_answer_that_refuses_is_read_beside_what_was_sent() {
    let entry = |request: &str, answer: &str| {
        format!(
            r#"{{"log":{{"version":"1.2","entries":[{{"startedDateTime":"2026-11-20T10:00:00Z","request":{{"method":"POST","url":"https://idp.example/token","headers":[],"postData":{{"mimeType":"application/x-www-form-urlencoded","text":"{request}"}}}},"response":{{"status":400,"headers":[],"content":{{"mimeType":"application/json","text":"{answer}"}}}}}}]}}}}"#
        )
    };
    let answers = |request: &str, answer: &str| {
        let reading = read(entry(request, answer).as_bytes());
        let mut all = reading.observations.iter();
        all.any(|it| it.via == Via::Response && matches!(it.payload, Payload::Body { .. }))
    };
    let code = "grant_type=authorization_code&code=FhEQBKuzK8UXgrsqlvYQ";
    let refused = r#"{\"error\":\"invalid_grant\"}"#;
    assert!(answers(code, refused));
    // Neither an answer without an error, nor a page with one, nor one to a request that holds nothing.
    assert!(!answers(code, r#"{\"fine\":true}"#));
    let page = format!("error {}", "x".repeat(20_000));
    assert!(!answers(code, &page));
    assert!(!answers("q=shoes", refused));
}
