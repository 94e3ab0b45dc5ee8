//! HAR captures, whole and damaged: what is found in them, and that each value can be gone back to.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, Source, Zone};
use tokentrail::collect::har::{READER, read_buffered};
use tokentrail::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Via};

const BUFFER: usize = 256 * 1024;

/// What the reader made of a file.
struct Reading {
    observations: Vec<Observation>,
    problems: Vec<String>,
}

fn rules() -> Rules {
    Rules::builtin().unwrap()
}

fn evidence(bytes: &[u8], name: &str) -> Evidence {
    Evidence::stream(Box::new(Cursor::new(bytes.to_vec())), name).unwrap()
}

fn claims(bytes: &[u8], name: &str) -> bool {
    let rules = rules();
    let context = Context {
        rules: &rules,
        log_timezone: None,
    };
    (READER.claims)(&evidence(bytes, name), &context)
}

fn read_sized(bytes: &[u8], buffer: usize) -> Reading {
    let rules = rules();
    let context = Context {
        rules: &rules,
        log_timezone: None,
    };
    let source = Arc::new(Source {
        path: "capture.har".into(),
        reader: READER.name,
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

#[test]
fn a_capture_cut_anywhere_keeps_its_whole_entries() {
    let whole = read(&fixtures().swap_remove(0).1);
    let file = odd("truncated.har");
    let full: Vec<u8> = {
        let entries: Vec<String> = (0..3)
            .map(|n| {
                format!(
                    r#"{{"startedDateTime":"2026-11-23T05:00:00Z","request":{{"url":"https://app.example/{n}","headers":[{{"name":"Cookie","value":"a=\u003d{n}"}}]}},"response":{{"content":{{"mimeType":"text/html","text":"<i>{n}"}}}}}}"#
                )
            })
            .collect();
        capture(&entries.join(", "))
    };
    assert!(!whole.observations.is_empty() && !read(&file).problems.is_empty());
    let text = std::str::from_utf8(&full).unwrap();
    let ends: Vec<usize> = text
        .match_indices("}}}")
        .map(|(at, _)| at + 3)
        .take(3)
        .collect();
    let expected: Vec<String> = read(&full).observations.iter().map(told).collect();
    assert_eq!(expected.len(), 9);
    for cut in 1..full.len() {
        let reading = read_sized(&full[..cut], 50);
        let found: Vec<String> = reading.observations.iter().map(told).collect();
        let entries = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found[..entries * 3], expected[..entries * 3], "{cut}");
        assert!(!reading.problems.is_empty(), "{cut}");
    }
}

mod reference {
    //! A plain walk over the parsed document, which shares nothing with the reader.

    use super::{Value, bytes_of, entry, fixtures, kind_of, read};

    type Row = (String, String, String);

    fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn message(entry: &Value, side: &str, at: &str, rows: &mut Vec<Row>) {
        let url = text(entry, "/request/url");
        let none = Vec::new();
        let headers = entry.pointer(&format!("/{side}/headers"));
        for (index, header) in headers
            .and_then(Value::as_array)
            .unwrap_or(&none)
            .iter()
            .enumerate()
        {
            let (name, value) = (text(header, "/name"), text(header, "/value"));
            let pointer = format!("{at}/{side}/headers/{index}/value");
            let lower = name.to_lowercase();
            match lower.as_str() {
                "cookie" | "set-cookie" => {
                    let separator = if side == "request" { "; " } else { "\n" };
                    for cookie in value.split(separator) {
                        let pair = cookie.split("; ").next().unwrap();
                        let (key, value) = pair.split_once('=').unwrap();
                        rows.push((pointer.clone(), format!("pair {key}"), value.into()));
                    }
                }
                "referer" => rows.push((pointer, "url".into(), value.into())),
                "location" if value.starts_with('/') => {
                    let origin: Vec<&str> = url.splitn(4, '/').take(3).collect();
                    rows.push((pointer, "url".into(), origin.join("/") + value));
                }
                "location" => rows.push((pointer, "url".into(), value.into())),
                _ if lower.starts_with(':') => {}
                _ => rows.push((pointer, format!("header {name}"), value.into())),
            }
        }
        let body = if side == "request" {
            "postData"
        } else {
            "content"
        };
        let mime = text(entry, &format!("/{side}/{body}/mimeType"));
        let content = text(entry, &format!("/{side}/{body}/text"));
        if !content.is_empty() && !mime.starts_with("image/") {
            let pointer = format!("{at}/{side}/{body}/text");
            rows.push((pointer, format!("body {mime}"), content.into()));
        }
    }

    fn walk(document: &Value) -> Vec<Row> {
        let mut rows = Vec::new();
        let none = Vec::new();
        let list = |name: &str| document["log"][name].as_array().unwrap_or(&none);
        for (index, page) in list("pages").iter().enumerate() {
            if text(page, "/title").contains("://") {
                let pointer = format!("/log/pages/{index}/title");
                rows.push((pointer, "url".into(), text(page, "/title").into()));
            }
        }
        for (index, entry) in list("entries").iter().enumerate() {
            let at = format!("/log/entries/{index}");
            let url = text(entry, "/request/url");
            if !url.starts_with("data:") {
                rows.push((format!("{at}/request/url"), "url".into(), url.into()));
            }
            message(entry, "request", &at, &mut rows);
            message(entry, "response", &at, &mut rows);
            let frames = entry["_webSocketMessages"].as_array().unwrap_or(&none);
            for (frame, message) in frames.iter().enumerate().filter(|(_, m)| m["opcode"] == 1) {
                let pointer = format!("{at}/_webSocketMessages/{frame}/data");
                rows.push((pointer, "body ".into(), text(message, "/data").into()));
            }
        }
        rows.sort();
        rows
    }

    #[test]
    fn streaming_finds_what_a_plain_walk_finds() {
        for (path, file) in fixtures() {
            let mut found: Vec<Row> = read(&file)
                .observations
                .iter()
                .filter(|observation| !bytes_of(&observation.payload).starts_with(&[1, 2]))
                .map(|observation| {
                    let text = String::from_utf8_lossy(bytes_of(&observation.payload));
                    let kind = kind_of(&observation.payload);
                    (entry(observation).1.to_owned(), kind, text.into_owned())
                })
                .collect();
            found.sort();
            found.dedup();
            let expected = walk(&serde_json::from_slice(&file).unwrap());
            let first = found
                .iter()
                .zip(&expected)
                .find(|(found, row)| found != row);
            assert_eq!(first, None, "{path:?}");
            assert_eq!(found.len(), expected.len(), "{path:?}");
        }
    }
}

#[test]
fn wrappings_do_not_matter() {
    for name in [
        "bom.har",
        "jsonp.harp",
        "utf16be.har",
        "utf16-without-mark.har",
        "mitmproxy.zhar",
        "array-of-entries.json",
    ] {
        let file = odd(name);
        assert!(claims(&file, "evidence.bin"), "{name}");
        let reading = read(&file);
        assert_eq!(locations(&reading), tokens(0..2), "{name}");
        assert!(
            reading.problems.is_empty(),
            "{name}: {:?}",
            reading.problems
        );
    }
}

#[test]
fn a_single_entry_is_a_capture() {
    let file = odd("single-entry.json");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading), tokens(0..1));
    at(&reading, "/response/headers/0/value");
}

#[test]
fn several_captures_under_any_names_are_read_and_an_odd_name_is_not_shown() {
    let file = odd("several.json");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading), tokens(0..4));
    at(&reading, "/first run/log/entries/0/request/url");
    at(&reading, "/*/log/entries/1/request/url");
    let last = at(&reading, "/deeper/still/0/log/entries/0/request/url");
    assert_eq!(entry(last).0, 3);
    let mut keys: Vec<_> = reading
        .observations
        .iter()
        .map(|observation| observation.exchange.as_ref().unwrap().key.digest)
        .collect();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_capture_without_entries_is_a_problem_and_one_with_none_is_not() {
    let file = odd("no-entries.har");
    assert!(claims(&file, "no-entries.har"));
    assert!(!claims(&file, "evidence.bin"));
    assert!(read(&file).problems[0].contains("without a list of entries"));
    let file = odd("empty-entries.har");
    assert!(claims(&file, "evidence.bin"));
    assert!(read(&file).problems.is_empty());
}

#[test]
fn entries_without_their_parts_give_what_they_have() {
    let reading = read(&odd("missing-parts.har"));
    assert!(reading.problems.is_empty());
    assert_eq!(locations(&reading), [tokens([0]), tokens([2])].concat());
    assert_eq!(
        text_at(&reading, "/log/entries/1/request/url"),
        "https://app.example/1"
    );
    let late = at(&reading, "/log/entries/2/request/url");
    assert_eq!(late.at, None);
}

#[test]
fn what_is_no_capture_is_not_claimed() {
    assert!(!claims(&odd("not-json.har"), "not-json.har"));
    assert!(!claims(b"", "empty.har"));
    for other in [
        r#"{"name":"tokentrail","entries":[{"title":"x"}]}"#,
        r#"{"log":"GET /?entries HTTP/1.1","stream":"stdout","time":"2026-11-23T05:00:00Z"}"#,
        r#"{"level":"info","request":{"uri":"/cb?code=x","headers":{"Referer":["y"]}},"status":200}"#,
        r#"{"startedDateTime":"2026-11-23T05:00:00Z"}"#,
        r#"[{"request":"GET / HTTP/1.1"}]"#,
        r#"{"pages":[{"id":1,"title":"https://app.example/"}]}"#,
        "127.0.0.1 - - [23/Nov/2026:05:00:00 +0000] \"GET /?x={}",
    ] {
        assert!(!claims(other.as_bytes(), "other.json"), "{other}");
    }
}

#[test]
fn a_cut_capture_says_where_it_stopped() {
    let file = odd("truncated.har");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading)[..2], tokens(0..2));
    let stopped = format!("at byte {}", file.len());
    assert!(
        reading.problems[0].contains(&stopped),
        "{:?}",
        reading.problems
    );
}

#[test]
fn what_follows_the_document_is_told() {
    let reading = read(&odd("trailing.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    assert!(
        reading.problems[0].contains("not JSON"),
        "{:?}",
        reading.problems
    );
}

#[test]
fn damage_in_an_entry_costs_no_other_entry() {
    let reading = read(&odd("damaged-entry.har"));
    let found = locations(&reading);
    assert!(found.starts_with(&tokens(0..1)) && found.ends_with(&tokens(2..3)));
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].starts_with("entry 1 "));
    let rest = at(&reading, "/log/entries/1");
    let text = String::from_utf8_lossy(bytes_of(&rest.payload));
    assert!(text.contains("#access_token=made-up-token-0001"));
    assert!(!text.contains("#access_token=made-up-token-0002"));
    for name in ["surrogates.har", "invalid-utf8.har"] {
        assert_eq!(locations(&read(&odd(name))), tokens(0..1), "{name}");
    }
}

#[test]
fn nesting_of_any_depth_is_walked_over() {
    let reading = read(&odd("deep.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    let brackets = format!("{{\"log\":{}", "[".repeat(3_000_000));
    assert_eq!(read(brackets.as_bytes()).observations.len(), 0);
}

#[test]
fn times_are_those_of_the_entry() {
    let reading = read(&odd("zone-first.har"));
    let request = at(&reading, "/log/entries/0/request/url").at.unwrap();
    assert_eq!(request.instant.to_string(), "2021-11-23T14:34:45.082Z");
    assert_eq!(request.zone, Zone::Stated);
    let response = at(&reading, "/log/entries/0/response/headers/0/value")
        .at
        .unwrap();
    assert_eq!(response.instant.to_string(), "2021-11-23T14:34:45.092Z");
}

#[test]
fn odd_urls_are_kept_as_they_are() {
    let reading = read(&odd("odd-urls.har"));
    assert_eq!(
        text_at(&reading, "/log/entries/0/request/url"),
        "/relative?code=made-up"
    );
    let template = "${proto}://${host}/cb?code=made-up";
    assert_eq!(text_at(&reading, "/log/entries/2/request/url"), template);
    assert_eq!(locations(&reading), tokens(0..5));
    let data = at(&reading, "/log/entries/3/request/url");
    assert_eq!(kind_of(&data.payload), "body text/html");
    assert_eq!(
        bytes_of(&data.payload),
        b"<a href=\"#access_token=made-up\">"
    );
    let exchange = data.exchange.as_ref().unwrap();
    assert_eq!(exchange.url.as_bytes(), b"data:text/html;base64");
}

#[test]
fn bodies_in_other_files_are_told_once_and_never_opened() {
    let reading = read(&odd("attached-bodies.har"));
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].starts_with("2 bodies"));
    assert!(!reading.problems[0].contains("passwd"));
    let form = text_at(&reading, "/log/entries/0/request/postData/params");
    assert_eq!(form, "code=made%20up%26code&code_verifier=v%2Bv");
}

#[test]
fn null_is_nothing() {
    let reading = read(&odd("nulls.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    assert!(reading.problems.is_empty());
}

#[test]
fn escapes_hide_nothing() {
    let reading = read(&odd("escaped.har"));
    let url = "https://app.example/cb?code=made-up&state=s";
    assert_eq!(text_at(&reading, "/log/entries/0/request/url"), url);
}

#[test]
fn nothing_is_found_twice_because_the_format_says_it_twice() {
    let file = capture(
        r#"{"startedDateTime":"2026-11-23T05:00:00Z","time":-1,
        "request":{"method":"POST","url":"https://app.example/cb?code=c#f","queryString":[{"name":"code","value":"c"}],
          "headers":[{"name":":path","value":"/cb?code=c"},{"name":"cookie","value":"sid=1"},{"name":"Cookie","value":"sid=1"}],
          "cookies":[{"name":"sid","value":"1"}],
          "postData":{"mimeType":"Application/X-Www-Form-Urlencoded","text":"a=b","params":[{"name":"a","value":"b"}]}},
        "response":{"status":302,"redirectURL":"https://app.example/next",
          "headers":[{"name":"location","value":"/next#t"},{"name":"set-cookie","value":"sid=2; Path=/\nb=3"}],
          "cookies":[{"name":"sid","value":"2"}],"content":{}}}"#,
    );
    let reading = read(&file);
    let told: Vec<String> = reading
        .observations
        .iter()
        .map(|observation| {
            let text = String::from_utf8_lossy(bytes_of(&observation.payload));
            format!("{} {text}", kind_of(&observation.payload))
        })
        .collect();
    assert_eq!(
        told,
        [
            "url https://app.example/cb?code=c#f",
            "pair sid 1",
            "body application/x-www-form-urlencoded a=b",
            "url https://app.example/next#t",
            "pair sid 2",
            "pair b 3",
        ]
    );
}

#[test]
fn what_only_the_second_telling_has_is_found_there() {
    let file = capture(
        r#"{"request":{"method":"GET","url":"https://app.example/cb#f","queryString":[{"name":"code","value":"c d"}],
          "headers":[],"cookies":[{"name":"sid","value":"1"}]},
        "response":{"redirectURL":"next#t","headers":[{"name":"Refresh","value":"0; url=/x"}],
          "cookies":[{"name":"sid","value":"2"}],"content":{}}}"#,
    );
    let reading = read(&file);
    follow(&file, &reading);
    let pointers: Vec<&str> = reading.observations.iter().map(|o| entry(o).1).collect();
    assert_eq!(
        pointers,
        [
            "/log/entries/0/request/queryString",
            "/log/entries/0/request/cookies/0/value",
            "/log/entries/0/response/redirectURL",
            "/log/entries/0/response/headers/0/value",
            "/log/entries/0/response/cookies/0/value",
        ]
    );
    let query = text_at(&reading, pointers[0]);
    assert_eq!(query, "https://app.example/cb?code=c%20d#f");
    assert_eq!(text_at(&reading, pointers[2]), "https://app.example/next#t");
}

#[test]
fn a_request_without_a_url_is_told_by_its_pseudo_headers() {
    let file = capture(
        r#"{"request":{"headers":[{"name":":authority","value":"App.example"},{"name":":path","value":"/cb?code=c"}]},"response":{}}"#,
    );
    let reading = read(&file);
    assert_eq!(
        text_at(&reading, "/log/entries/0/request/headers/1/value"),
        "/cb?code=c"
    );
    let exchange = reading.observations[0].exchange.as_ref().unwrap();
    assert_eq!(exchange.url.as_bytes(), b"/cb?code=c");
    assert_eq!(exchange.host.as_deref(), Some("App.example"));
}

#[test]
fn base64_bodies_are_opened_unless_they_are_pictures() {
    let body = |mime: &str, text: &str| {
        capture(&format!(
            r#"{{"request":{{"url":"https://app.example/","headers":[]}},"response":{{"headers":[],"content":{{"mimeType":"{mime}","encoding":"base64","text":"{text}"}}}}}}"#
        ))
    };
    let found = |file: &[u8]| {
        let reading = read(file);
        let mut bodies = reading
            .observations
            .iter()
            .filter(|observation| matches!(observation.payload, Payload::Body { .. }));
        bodies.next().map(|body| bytes_of(&body.payload).to_vec())
    };
    let json = "eyJhY2Nlc3NfdG9rZW4iOiJ4In0=";
    let opened = Some(br#"{"access_token":"x"}"#.to_vec());
    assert_eq!(found(&body("application/json", json)), opened);
    assert_eq!(found(&body("application/octet-stream", json)), opened);
    for mime in ["image/png", "font/woff2", "video/mp4", "application/wasm"] {
        assert_eq!(found(&body(mime, json)), None, "{mime}");
    }
    let png = "iVBORw0KGgoeyJhbGciOiJub25lIn0=";
    assert_eq!(found(&body("", png)), None);
}

#[test]
fn a_referer_names_the_host_that_was_told() {
    let (_, file) = fixtures()
        .into_iter()
        .find(|(path, _)| path.ends_with("token-in-query.chrome.har"))
        .unwrap();
    let reading = read(&file);
    let told_to: Vec<_> = reading
        .observations
        .iter()
        .filter_map(|observation| match &observation.via {
            Via::Referer { sent_to } => sent_to.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(told_to, ["stats.tracker.example"]);
}

#[test]
fn an_entry_beyond_all_bounds_is_searched_as_text() {
    let filler = "lorem \\u0022ipsum\\u0022 ".repeat(1_000_000);
    let entry = |n: u32, body: &str| {
        format!(
            r#"{{"request":{{"url":"https://app.example/{n}","headers":[]}},"response":{{"content":{{"mimeType":"text/html","text":"{body}"}}}}}}"#
        )
    };
    let large = entry(0, &format!("first=1 {filler} \\u0022last\\u0022=1"));
    let reading = read(&capture(&[large, entry(1, "x")].join(",")));
    assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    assert!(reading.problems[0].contains("larger than 16 MiB"));
    text_at(&reading, "/log/entries/0/request/url");
    text_at(&reading, "/log/entries/1/request/url");
    let body = text_at(&reading, "/log/entries/0/response/content/text");
    assert!(body.starts_with("first=1 lorem \"ipsum\""));
    let ends: Vec<&Observation> = reading
        .observations
        .iter()
        .filter(|observation| {
            let text = String::from_utf8_lossy(bytes_of(&observation.payload));
            text.contains("\"last\"=1")
        })
        .collect();
    assert!(matches!(
        ends[..],
        [Observation {
            payload: Payload::Text(_),
            ..
        }]
    ));
}

#[test]
fn a_quote_too_few_hides_nothing() {
    let whole = String::from_utf8(odd("truncated.har")).unwrap();
    let file = whole.replacen("\"https://app.example/0\"", "\"https://app.example/0", 1);
    let reading = read(file.as_bytes());
    assert!(!reading.problems.is_empty());
    let found: Vec<_> = reading
        .observations
        .iter()
        .map(|observation| String::from_utf8_lossy(bytes_of(&observation.payload)))
        .collect();
    for token in tokens(0..2) {
        assert!(found.iter().any(|text| text.contains(&token)), "{token}");
    }
}

#[test]
fn entries_one_a_line_are_read() {
    let line = r#"{"startedDateTime":"2026-11-23T05:00:00Z","request":{"url":"https://app.example/"},"response":{}}"#;
    let file = format!("{line}\n{line}\n");
    assert!(claims(file.as_bytes(), "entries.jsonl"));
    let reading = read(file.as_bytes());
    let places: Vec<_> = reading.observations.iter().map(entry).collect();
    assert_eq!(
        places,
        [(0, "/request/url", 1, 60), (1, "/request/url", 2, 60)]
    );
    assert!(reading.problems.is_empty());
}

#[test]
fn a_damaged_compression_keeps_what_came_before() {
    let file = odd("mitmproxy.zhar");
    let reading = read(&file[..file.len() - 40]);
    assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    assert!(reading.problems[0].starts_with("compressed data is damaged"));
    assert_eq!(locations(&reading)[..1], tokens(0..1));
}

#[test]
fn no_damage_makes_the_reader_fail() {
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for (_, file) in fixtures() {
        for _ in 0..60 {
            let mut damaged = file.clone();
            for _ in 0..=random(4) {
                let at = random(damaged.len());
                damaged[at] = *b"\"\\{}[],:u\0\xff0".get(random(12)).unwrap();
            }
            let _ = claims(&damaged, "capture.har");
            let _ = read_sized(&damaged, 1 + random(5000));
        }
    }
}
