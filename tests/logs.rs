//! Logs: every format's examples, every buffer's edge, every odd line. Compares what comes out, and
//! where it is said to lie.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that breaks says where"
)]

#[path = "logs/commands.rs"]
mod commands;
#[path = "logs/documents.rs"]
mod documents;
#[path = "logs/journal.rs"]
mod journal;

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::rules::log_format::{LogFormats, Role, Shape};
use tokentrail::atoms::{Locator, Source, Zone};
use tokentrail::collect::log::{self, Bounds};
use tokentrail::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Store, Via};

fn rules() -> &'static Rules {
    static RULES: std::sync::LazyLock<Rules> =
        std::sync::LazyLock::new(|| Rules::builtin().unwrap());
    &RULES
}

/// What a reading gave: observations, problems, and the error that ended it.
struct Reading {
    observations: Vec<Observation>,
    problems: Vec<String>,
}

fn read_with(evidence: &Evidence, bounds: Bounds, tz: Option<&jiff::tz::TimeZone>) -> Reading {
    let ctx = Context {
        rules: rules(),
        log_timezone: tz,
        residue: false,
    };
    let source = Arc::new(Source::default());
    let (mut observations, mut problems) = (Vec::new(), Vec::new());
    let mut observe = |observation| observations.push(observation);
    let mut problem = |error: ReadError| problems.push(error.to_string());
    let mut sink = Sink {
        observe: &mut observe,
        problem: &mut problem,
    };
    let end = log::read_bounded(evidence, &source, &ctx, &mut sink, bounds);
    problems.extend(end.err().map(|error| error.to_string()));
    Reading {
        observations,
        problems,
    }
}

fn stream(bytes: impl Into<Vec<u8>>) -> Evidence {
    Evidence::stream(Box::new(Cursor::new(bytes.into())), "x.log").unwrap()
}

fn read(bytes: impl Into<Vec<u8>>) -> Vec<Observation> {
    let reading = read_with(&stream(bytes), Bounds::default(), None);
    assert_eq!(reading.problems, Vec::<String>::new());
    reading.observations
}

/// One line for an observation: line number, how reached, what.
fn shown(observation: &Observation) -> String {
    let Locator::Line { number, byte } = observation.place.locator else {
        panic!("a log has lines");
    };
    let via = match &observation.via {
        Via::Referer { sent_to } => format!("referer to {}", sent_to.as_deref().unwrap_or("?")),
        via => format!("{via:?}").to_lowercase(),
    };
    format!("{number}@{byte} {via} {}", payload(observation))
}

/// What an observation has, and what that is said to be.
fn payload(observation: &Observation) -> String {
    let text = |raw: &tokentrail::atoms::Raw| String::from_utf8_lossy(raw.as_bytes()).into_owned();
    match &observation.payload {
        Payload::Url(url) => format!("url {}", text(url)),
        Payload::Header { name, value } => format!("header {name}: {}", text(value)),
        Payload::Pair {
            store, key, value, ..
        } => {
            let store = if *store == Store::Cookie {
                "cookie"
            } else {
                "field"
            };
            format!("{store} {}={}", text(key), text(value))
        }
        Payload::Members { members, .. } => {
            let members = members.iter();
            let members = members.map(|(name, value)| format!("{}={}", text(name), text(value)));
            format!("members {}", members.collect::<Vec<_>>().join(" "))
        }
        Payload::Body { bytes, .. } => format!("body {}", text(bytes)),
        Payload::Text(value) => format!("text {}", text(value)),
    }
}

/// Those that hold a credential's sign, so that tests do not depend on how coarse the needles are.
fn found(observations: &[Observation]) -> Vec<String> {
    let signs = [
        "code=",
        "token",
        "hunter2",
        "Bearer",
        "sid=",
        "Signature",
        "horse",
    ];
    let shown = observations.iter().map(shown);
    shown
        .filter(|line| signs.iter().any(|sign| line.contains(sign)))
        .collect()
}

#[test]
fn every_example_gives_its_roles() {
    let formats = LogFormats::builtin().unwrap();
    for format in &formats.formats {
        for example in &format.examples {
            let record = log::read_record(example.line.as_bytes(), &formats, None);
            for (role, value) in &example.roles {
                if *role == Role::Time {
                    let at = record.at.map(|at| at.instant.to_string());
                    assert_eq!(
                        at.as_deref(),
                        Some(&**value),
                        "{}: {}",
                        format.id,
                        example.line
                    );
                    continue;
                }
                let mut parts = record.parts.iter().filter(|part| part.role == Some(*role));
                let same = parts.any(|part| part.value == value.as_bytes());
                let all: Vec<_> = record
                    .parts
                    .iter()
                    .map(|part| (part.role, String::from_utf8_lossy(&part.value).into_owned()))
                    .collect();
                assert!(same, "{}: {role:?} of {}: {all:?}", format.id, example.line);
            }
        }
    }
}

#[test]
fn an_example_is_of_its_format_and_a_counterexample_is_not() {
    let formats = LogFormats::builtin().unwrap();
    for format in &formats.formats {
        let id = |line: &str| log::read_record(line.as_bytes(), &formats, None).format;
        for example in &format.examples {
            let inner = id(&example.line);
            let wrapped =
                inner.as_deref() == Some("combined") && matches!(&*format.id, "docker" | "json");
            assert!(
                wrapped || inner.as_deref() == Some(&*format.id),
                "{}: {inner:?}",
                format.id
            );
        }
        for line in &format.counterexamples {
            assert_ne!(id(line).as_deref(), Some(&*format.id), "{line}");
        }
    }
}

#[test]
fn no_record_fits_two_patterns() {
    let formats = LogFormats::builtin().unwrap();
    for format in &formats.formats {
        for example in &format.examples {
            for other in formats.formats.iter().filter(|other| other.id != format.id) {
                if let Shape::Pattern(patterns) = &other.shape {
                    let line = example.line.as_bytes();
                    let fits = patterns.iter().any(|pattern| pattern.regex.is_match(line));
                    assert!(!fits, "{} fits {}", example.line, other.id);
                }
            }
        }
    }
}

#[test]
fn every_wrapper_gives_its_record() {
    let formats = LogFormats::builtin().unwrap();
    for wrapper in &formats.wrappers {
        for example in &wrapper.examples {
            let captures = wrapper.pattern.captures(example.line.as_bytes()).unwrap();
            assert_eq!(
                &captures["inner"],
                example.inner.as_bytes(),
                "{}",
                wrapper.id
            );
            let record = log::read_record(example.line.as_bytes(), &formats, None);
            let at = record.at.map(|at| at.instant.to_string());
            assert_eq!(at.as_deref(), example.time.as_deref(), "{}", wrapper.id);
        }
        for line in &wrapper.counterexamples {
            assert!(
                !wrapper.pattern.is_match(line.as_bytes()),
                "{}: {line}",
                wrapper.id
            );
        }
    }
}

const COMBINED: &str = "192.0.2.7 - - [23/Nov/2026:01:28:04 +0100] \"GET /cb?code=x&state=y HTTP/1.1\" 302 5 \"https://idp.example/a?code=z\" \"UA\"\n";

#[test]
fn a_combined_line_gives_target_and_referer_once() {
    let observations = read(COMBINED);
    assert_eq!(
        found(&observations),
        [
            "1@0 request url /cb?code=x&state=y",
            "1@0 referer to ? url https://idp.example/a?code=z"
        ]
    );
    let exchange = observations[0].exchange.as_ref().unwrap();
    assert_eq!(
        (
            exchange.method.map(tokentrail::atoms::Method::as_str),
            exchange.status
        ),
        (Some("GET"), Some(302))
    );
    assert_eq!(exchange.url.as_bytes(), b"/cb?code=x&state=y");
    let at = observations[0].at.unwrap();
    assert_eq!(
        (at.instant.to_string().as_str(), at.zone),
        ("2026-11-23T00:28:04Z", Zone::Stated)
    );
}

#[test]
fn what_stands_for_a_method_and_is_none_is_not_told() {
    let line = COMBINED.replace("GET", "kXqTzVbNmLpWrYhJ");
    let observations = read(line);
    let exchange = observations[0].exchange.as_ref().unwrap();
    assert_eq!(exchange.method, None);
    assert_eq!(exchange.url.as_bytes(), b"/cb?code=x&state=y");
}

#[test]
fn windows_of_any_size_give_the_same_observations() {
    let text = mixed();
    let whole = read_with(&stream(text.clone()), Bounds::default(), None);
    let expect: Vec<_> = whole.observations.iter().map(shown).collect();
    assert!(expect.len() > 20);
    let windows = (64..96).chain([127, 128, 333, 1000, 4096, 65_536, 1 << 20]);
    for window in windows {
        let bounds = Bounds {
            window,
            ..Bounds::default()
        };
        let reading = read_with(&stream(text.clone()), bounds, None);
        let shown: Vec<_> = reading.observations.iter().map(shown).collect();
        assert_eq!(shown, expect, "{window}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_observations() {
    let plain =
        "z\n127.0.0.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /cb?code=x HTTP/1.1\" 302 5\n\n";
    let header = "#Fields: date time cs-uri-stem cs-uri-query\n2026-11-23 01:28:04 /a code=1\n";
    let text = [
        &plain.repeat(70),
        header,
        &plain.repeat(50),
        &mixed(),
        "end code=y",
    ]
    .concat();
    let reading = |threads: usize, window: usize, max_line: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let bounds = Bounds { window, max_line };
        let read = || read_with(&stream(text.clone()), bounds, None);
        let reading = pool.build().unwrap().install(read);
        let keys = reading
            .observations
            .iter()
            .map(|it| it.exchange.as_ref().map(|it| it.key.digest));
        let shown: Vec<_> = reading.observations.iter().map(shown).zip(keys).collect();
        (shown, reading.problems)
    };
    for window in [64, 100, 333, 700, 1024] {
        for max_line in [1 << 20, 400] {
            let alone = reading(1, window, max_line);
            assert!(alone.0.len() > 100);
            for threads in [2, 3] {
                assert!(
                    reading(threads, window, max_line) == alone,
                    "{window} {max_line} {threads}"
                );
            }
        }
    }
}

/// Lines of many formats, blank ones, long ones, and ends of every kind.
fn mixed() -> String {
    let formats = LogFormats::builtin().unwrap();
    let mut text = String::from("\n");
    for format in &formats.formats {
        for (index, example) in format.examples.iter().enumerate() {
            let end = ["\n", "\r\n", "\n\n"][index % 3];
            text.push_str(&example.line.replace('\n', end));
            text.push_str(end);
        }
        text.push_str("#Fields: nothing known\n");
        text.push_str(&["plain ", &"y".repeat(700), " code=x\n"].concat());
    }
    text.push_str("last line code=x");
    text
}

#[test]
fn a_line_is_found_whole_at_every_offset_of_an_edge() {
    for before in 0..140 {
        let text = format!("{}\n{COMBINED}", "z".repeat(before));
        let bounds = Bounds {
            window: 64,
            ..Bounds::default()
        };
        let reading = read_with(&stream(text), bounds, None);
        let byte = before + 1;
        assert_eq!(
            found(&reading.observations),
            [
                format!("2@{byte} request url /cb?code=x&state=y"),
                format!("2@{byte} referer to ? url https://idp.example/a?code=z")
            ]
        );
    }
}

#[test]
fn a_line_ends_in_any_way() {
    let line = COMBINED.trim_end();
    let expect = found(&read(COMBINED));
    for text in [line.to_owned(), format!("{line}\r\n"), format!("{line}\r")] {
        assert_eq!(found(&read(text)), expect);
    }
    let marked = [b"\xef\xbb\xbf", COMBINED.as_bytes()].concat();
    assert_eq!(found(&read(marked)), expect);
    let nuls = [&[0; 9], COMBINED.as_bytes()].concat();
    assert_eq!(found(&read(nuls)), expect);
}

#[test]
fn utf16_is_read_and_its_offsets_are_the_files() {
    let text = format!("first ä\r\n{COMBINED}");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let expect = |byte: usize| {
        vec![
            format!("2@{byte} request url /cb?code=x&state=y"),
            format!("2@{byte} referer to ? url https://idp.example/a?code=z"),
        ]
    };
    assert_eq!(
        found(&read([b"\xff\xfe".as_slice(), &little].concat())),
        expect(20)
    );
    assert_eq!(
        found(&read([b"\xfe\xff".as_slice(), &big].concat())),
        expect(20)
    );
    assert_eq!(found(&read(little)), expect(18));
}

#[test]
fn a_log_whose_encoding_changes_is_read_to_its_end() {
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let noise = "127.0.0.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /quiet HTTP/1.1\" 200 5\n";
    let many = noise.repeat(40_000);
    for (before, after) in [
        (COMBINED.as_bytes().to_vec(), utf16(COMBINED)),
        (utf16(COMBINED), COMBINED.into()),
        (many.as_bytes().to_vec(), utf16(COMBINED)),
        (utf16(&many), COMBINED.into()),
    ] {
        let line = if before.len() < 1_000 { 2 } else { 40_001 };
        let byte = before.len();
        let expected = [
            format!("{line}@{byte} request url /cb?code=x&state=y"),
            format!("{line}@{byte} referer to ? url https://idp.example/a?code=z"),
        ];
        let found = found(&read([before, after].concat()));
        assert!(found.ends_with(&expected), "{found:?}");
    }
    // Its first bytes are text in either.
    let text = [COMBINED.as_bytes().to_vec(), utf16(&COMBINED.repeat(9))].concat();
    let evidence = Evidence::stream(Box::new(Cursor::new(text)), "unnamed").unwrap();
    let context = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    assert!((log::LOG.claims)(&evidence, &context));
}

#[test]
fn a_line_of_five_megabytes_is_one_line() {
    let long = format!(
        "192.0.2.7 - - [23/Nov/2026:01:28:04 +0000] \"GET /{}?code=x HTTP/1.1\" 200 5\n",
        "a".repeat(5 << 20)
    );
    let observations = read(format!("{long}{COMBINED}"));
    let urls: Vec<_> = observations
        .iter()
        .filter_map(|o| match &o.payload {
            Payload::Url(url) => Some(url.as_bytes().len()),
            _ => None,
        })
        .collect();
    assert_eq!(urls.first(), Some(&((5 << 20) + 8)));
    assert_eq!(found(&observations).len(), 3);
}

#[test]
fn a_line_beyond_the_bound_is_read_in_pieces_and_told() {
    let bounds = Bounds {
        window: 64,
        max_line: 1024,
    };
    let text = format!(
        "{} \"a?code=one\" {} code=two\nlast code=three\n",
        "x ".repeat(600),
        "y ".repeat(600)
    );
    let reading = read_with(&stream(text), bounds, None);
    let all = found(&reading.observations).join("\n");
    for code in ["1@", "code=one", "code=two", "2@", "code=three"] {
        assert!(all.contains(code), "{code} in {all}");
    }
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].contains("longer than"));
}

#[test]
fn a_container_line_beyond_the_bound_is_cut_between_words_and_told() {
    let bounds = Bounds {
        window: 64,
        max_line: 1024,
    };
    let part = |text: &str| format!("2026-11-23T01:28:04.5Z stdout P {text}\n");
    let text = [
        part(&"x ".repeat(480)),
        part("y https://app.example/?access_token=begins-here-"),
        part("and-ends-here z"),
        part(&"z".repeat(100)),
        "2026-11-23T01:28:04.5Z stdout F  code=last\n".to_owned(),
    ]
    .concat();
    let reading = read_with(&stream(text), bounds, None);
    let all = found(&reading.observations).join("\n");
    assert!(
        all.contains("access_token=begins-here-and-ends-here z"),
        "{all}"
    );
    assert!(
        !all.contains("begins-here-\n") && all.contains("code=last"),
        "{all}"
    );
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].contains("(1 cuts)"));
}

#[test]
fn parts_of_a_container_line_are_joined() {
    let text = "2026-11-23T01:28:04.5Z stdout P 192.0.2.7 - - [23/Nov/2026:01:28:04 +0000] \"GET /cb?co\n\
                2026-11-23T01:28:04.5Z stderr F unrelated code=12\n\
                2026-11-23T01:28:04.6Z stdout F de=x HTTP/1.1\" 200 5\n\
                2026-11-23T01:28:04.7Z stdout P cut code=y";
    assert_eq!(
        found(&read(text)),
        [
            "2@87 text text unrelated code=12",
            "1@0 request url /cb?code=x",
            "4@190 text text cut code=y",
        ]
    );
    let docker = "{\"log\":\"{\\\"uri\\\":\\\"/cb?co\",\"stream\":\"stdout\",\"time\":\"2026-11-23T01:28:04.5Z\"}\n\
                  {\"log\":\"de=x\\\"}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T01:28:04.6Z\"}\n";
    let observations = read(docker);
    assert_eq!(found(&observations), ["1@0 request url /cb?code=x"]);
    assert_eq!(
        observations[0].at.unwrap().instant.to_string(),
        "2026-11-23T01:28:04.5Z"
    );
}

#[test]
fn wrappers_are_undone_in_any_order() {
    let line = COMBINED.trim_end();
    let json = line.replace('"', "\\\"");
    for text in [
        format!("<134>1 2026-11-23T01:28:04Z h app 1 - - {line}"),
        format!("<134>Nov 23 01:28:04 h nginx: {line}"),
        format!("web-1  | {line}"),
        format!("\u{1b}[36mweb-1  |\u{1b}[0m {line}"),
        format!(
            "{{\"log\":\"{json}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T01:28:04Z\"}}"
        ),
        format!("web-1 | {{\"message\":\"{json}\"}}"),
        format!("2026-11-23T01:28:04.5Z stdout F web-1 | {line}"),
    ] {
        let observations = read(text.clone());
        let urls = found(&observations);
        assert_eq!(urls.len(), 2, "{text}: {urls:?}");
        assert_eq!(urls[0], "1@0 request url /cb?code=x&state=y", "{text}");
        assert_eq!(
            observations[0].at.unwrap().instant.to_string(),
            "2026-11-23T00:28:04Z"
        );
    }
}

#[test]
fn a_message_of_several_lines_in_syslog_has_its_lines_again() {
    for head in [
        "<134>1 2026-11-23T01:28:04Z h app 1 - - ",
        "Nov 23 01:28:04 h app[7]: ",
        "2026-11-23T01:28:04.123456+01:00 h app[7]: ",
    ] {
        let line = format!("{head}body:#012#011refresh_token=q8fW3x#012next line #12\n");
        let text = found(&read(line)).join("|");
        assert!(
            text.ends_with("body:\n\trefresh_token=q8fW3x\nnext line #12"),
            "{text}"
        );
    }
}

#[test]
fn a_time_without_a_zone_is_marked() {
    let line = "192.0.2.7:5 - id - jo [2026/11/23 01:28:04] app.example GET - \"/cb?code=x\" HTTP/1.1 \"UA\" 302 24 0.1\n";
    let tz = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let at = |text: &str, tz| {
        let reading = read_with(&stream(text), Bounds::default(), tz);
        let at = reading.observations[0].at.unwrap();
        (at.instant.to_string(), at.zone)
    };
    assert_eq!(
        at(line, None),
        ("2026-11-23T01:28:04Z".to_owned(), Zone::Assumed)
    );
    assert_eq!(
        at(line, Some(&tz)),
        ("2026-11-22T23:28:04Z".to_owned(), Zone::Assumed)
    );
    // The collector knew its zone.
    let wrapped = format!("2026-11-23T05:28:04.5Z stdout F {line}");
    assert_eq!(
        at(&wrapped, Some(&tz)),
        ("2026-11-23T05:28:04.5Z".to_owned(), Zone::Stated)
    );
    let w3c = "#Fields: date time cs-uri-stem cs-uri-query\n2026-11-23 01:28:04 /cb code=x\n";
    assert_eq!(
        at(w3c, Some(&tz)),
        ("2026-11-23T01:28:04Z".to_owned(), Zone::Stated)
    );
}

#[test]
fn a_referer_with_quotes_is_whole() {
    let line = |referer: &str| {
        format!(
            "192.0.2.7 - - [23/Nov/2026:01:28:04 +0000] \"GET /a HTTP/1.1\" 200 5 \"{referer}\" \"UA\"\n"
        )
    };
    let referer = |text: &str| found(&read(line(text)));
    assert_eq!(
        referer(r#"https://app.example/?q=\"a\"&code=x"#),
        ["1@0 referer to ? url https://app.example/?q=\"a\"&code=x"]
    );
    assert_eq!(
        referer(r"https://app.example/?q=\x22a\x22&code=x\xC3\xA4"),
        ["1@0 referer to ? url https://app.example/?q=\"a\"&code=xä"]
    );
    assert_eq!(
        referer(r#"https://app.example/?q="a"&code=x"#),
        ["1@0 referer to ? url https://app.example/?q=\"a\"&code=x"]
    );
}

#[test]
fn hash_escapes_belong_to_haproxy_alone() {
    let haproxy = "192.0.2.7:33317 [23/Nov/2026:01:28:04.127] fe be/s 1/0/3/6/1 200 27 - - ---- 1/1/1/1/0 0/0 \"GET /cb?q=#22&code=x HTTP/1.1\"";
    assert_eq!(found(&read(haproxy)), ["1@0 request url /cb?q=\"&code=x"]);
    let combined = COMBINED.replace("/cb?", "/cb#22?");
    assert!(found(&read(combined))[0].contains("/cb#22?code=x"));
}

#[test]
fn a_cut_haproxy_line_keeps_its_target() {
    let line = "Nov 23 01:28:04 edge haproxy[1]: 192.0.2.7:3 [23/Nov/2026:01:28:04.127] fe be/s 1/0/3/6/1 200 27 - - ---- 1/1/1/1/0 0/0 \"GET /cb?code=cut\n";
    let observations = read(line);
    assert_eq!(found(&observations), ["1@0 request url /cb?code=cut"]);
    assert_eq!(observations[0].exchange.as_ref().unwrap().status, Some(200));
}

#[test]
fn records_that_squid_glued_are_two() {
    let line = "1795397246.600     12 192.0.2.7 TCP_MISS/200 512 GET https://a.example/?code=long1795397250.601      7 192.0.2.8 TCP_MISS/302 99 GET https://b.example/?code=next - HIER_DIRECT/198.51.100.9 text/html\n";
    let observations = read(line);
    assert_eq!(
        found(&observations),
        [
            "1@0 request url https://a.example/?code=long",
            "1@81 request url https://b.example/?code=next"
        ]
    );
    let last = observations.len() - 1;
    let exchange = |index: usize| observations[index].exchange.as_ref().unwrap();
    assert_ne!(exchange(0).key, exchange(last).key);
    assert_eq!(exchange(last).status, Some(302));
}

#[test]
fn the_receiver_of_a_referer_is_named_where_known() {
    let line = |text: &str| found(&read(text.to_owned()));
    let vhost = format!("third.example:443 {COMBINED}");
    assert!(line(&vhost)[1].contains("referer to third.example:443"));
    let squid =
        "{\"requestUrl\":\"https://third.example/p\",\"referer\":\"https://app.example/?code=x\"}";
    assert_eq!(
        line(squid),
        ["1@0 referer to third.example url https://app.example/?code=x"]
    );
}

#[test]
fn a_body_as_json_is_found_under_nginx_s_escapes() {
    let line = r#"192.0.2.7 - - [23/Nov/2026:01:28:04 +0000] "POST /token HTTP/1.1" 200 5 "-" "x" "{\x22grant_type\x22:\x22refresh_token\x22,\x22refresh_token\x22:\x22correct-horse\x22}""#;
    let seen = found(&read(line));
    assert!(
        seen[0].contains(r#""refresh_token":"correct-horse""#),
        "{seen:?}"
    );
}

#[test]
fn members_of_json_have_their_roles() {
    let line = r#"{"ts":1795397246.6,"request":{"method":"POST","host":"app.example","uri":"/token?code=q","headers":{"Authorization":["Bearer abc"],"Cookie":["sid=1; token=2"],"Referer":["https://idp.example/?code=r"]}},"resp_headers":{"Location":["/home?access_token=l"],"Set-Cookie":["sid=3; Path=/"]},"status":302,"request_body":"ignored access_token=b","access_token":"secret"}"#;
    assert_eq!(
        found(&read(line)),
        [
            "1@0 request url /token?code=q",
            "1@0 request header Authorization: Bearer abc",
            "1@0 request cookie sid=1",
            "1@0 request cookie token=2",
            "1@0 referer to app.example url https://idp.example/?code=r",
            "1@0 location url /home?access_token=l",
            "1@0 response cookie sid=3",
            "1@0 text text ignored access_token=b",
            "1@0 unknown members access_token=secret",
        ]
    );
}

/// Lines of a key, in the form of RFC 7468.
fn key() -> String {
    let line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49";
    let ends = ["BEGIN", "END"].map(|it| format!("-----{it} PRIVATE KEY-----"));
    format!("{}\n{line}\n{line}=\n{}", ends[0], ends[1])
}

#[test]
fn a_key_over_several_lines_is_one_text_at_every_edge() {
    let key = key();
    let text = format!("{COMBINED}\nkey: {key}\n{COMBINED}\n");
    let whole: Vec<_> = read(text.clone()).iter().map(shown).collect();
    assert_eq!(whole.iter().filter(|it| it.ends_with(&key)).count(), 1);
    assert!(whole.iter().any(|it| it.starts_with("7@")), "{whole:?}");
    for window in 1..text.len() {
        let bounds = Bounds {
            window,
            ..Bounds::default()
        };
        let reading = read_with(&stream(text.clone()), bounds, None);
        let shown: Vec<_> = reading.observations.iter().map(shown).collect();
        assert_eq!(shown, whole, "{window}");
    }
}

#[test]
fn a_key_in_a_member_stands_beside_the_others() {
    let record = serde_json::json!({"kid": "a", "private_key": key()}).to_string();
    let found: Vec<_> = read(record).iter().map(shown).collect();
    assert_eq!(
        found,
        [format!("1@0 unknown members kid=a private_key={}", key())]
    );
}

#[test]
fn a_target_is_looked_at_together_with_its_server() {
    let of = |host: &str| {
        let target = ["/services/T00000000/B00000000/", &"x".repeat(24)].concat();
        let record = serde_json::json!({"method": "POST", "host": host, "path": target});
        let found = read(record.to_string());
        let urls = found.iter().map(shown);
        urls.filter(|it| it.contains(" url ")).collect::<Vec<_>>()
    };
    assert_eq!(of("hooks.slack.com").len(), 1);
    assert!(of("app.example").is_empty());
}

#[test]
fn members_of_one_object_come_together() {
    let of = |line: &str| {
        let found = read(line);
        let all = found.iter().map(|seen| shown(seen).split_off("1@0 ".len()));
        all.collect::<Vec<_>>()
    };
    // What is not worth a look by itself tells what stands beside it; what is in other objects does not.
    assert_eq!(
        of(
            r#"{"level":"info","query":{"code":"x","state":"y"},"user":{"id":7},"reply":{"access_token":"t","expires_in":60,"more":{"scope":"a"}}}"#
        ),
        [
            "unknown members code=x state=y",
            "unknown members access_token=t expires_in=60"
        ]
    );
    // A URL and a sentence speak for themselves; one without a needle is where an answer is sent.
    assert_eq!(
        of(
            r#"{"msg":"got access_token=t then","next":"/cb?code=z","redirect_uri":"/cb","code":"x","again":{"code":"x"}}"#
        ),
        [
            "text text got access_token=t then",
            "unknown url /cb?code=z",
            "unknown members redirect_uri=/cb code=x"
        ]
    );
    // A list of names with their values is one object.
    assert_eq!(
        of(
            r#"{"uri":"/","code":"u","pairs":[{"name":"code","value":"x"},{"name":"state","value":"y"}],"lists":[["code","v"],["state","w"]]}"#
        ),
        ["unknown members code=u code=x state=y code=v state=w"]
    );
    // What is long is no scope and no lifetime.
    let long = "a".repeat(3_000);
    assert_eq!(
        of(&format!(r#"{{"code":"x","page":"{long}"}}"#)),
        ["unknown members code=x"]
    );
}

#[test]
fn json_that_repeats_a_value_gives_it_once() {
    let line = r#"{"request":"GET /cb?code=x HTTP/1.1","request_uri":"/cb?code=x","args":"code=x","http_referer":"https://a.example/?code=r","headers":{"Referer":"https://a.example/?code=r"}}"#;
    assert_eq!(
        found(&read(line)),
        [
            "1@0 request url /cb?code=x",
            "1@0 referer to ? url https://a.example/?code=r"
        ]
    );
}

#[test]
fn each_key_of_a_type_is_given_once() {
    let line = r#"{"keys":[{"kty":"EC","x":"one"},{"kty":"EC","x":"two","d":"2"},{"kty":"EC","x":"one"},{"kty":"oct","k":"3"},{"kty":"oct","k":"4"}]}"#;
    let found: Vec<_> = read(line).iter().map(shown).collect();
    assert_eq!(
        found,
        [
            "1@0 unknown members kty=EC x=one",
            "1@0 unknown members kty=EC x=two d=2",
            "1@0 unknown members kty=oct k=3",
            "1@0 unknown members kty=oct k=4",
        ]
    );
}

#[test]
fn each_of_very_many_values_is_given_once() {
    // Each looked for among all before it takes hours.
    let values: Vec<_> = (0..600_000)
        .map(|number| format!("eyJ{:06}", number % 300_000))
        .collect();
    let line = format!(
        r#"{{"request_headers":{{"Cookie":"{}"}}}}"#,
        values.join(";")
    );
    assert_eq!(read(line).len(), 300_000);
}

#[test]
fn json_inside_json_is_opened() {
    let line = r#"{"log":"{\"level\":\"info\",\"request\":{\"uri\":\"/cb?code=x\\u0026state=y\",\"host\":\"a.example\"}}\n","stream":"stdout","time":"2026-11-23T01:28:04.5Z"}"#;
    assert_eq!(found(&read(line)), ["1@0 request url /cb?code=x&state=y"]);
}

#[test]
fn broken_json_loses_nothing() {
    let invalid = b"{\"request_uri\":\"/cb?q=\xff&code=x\",\"status\":200}\n";
    let observations = read(invalid.as_slice());
    let Payload::Url(url) = &observations[0].payload else {
        panic!("a URL");
    };
    assert_eq!(url.as_bytes(), b"/cb?q=\xff&code=x");
    assert_eq!(
        found(&read(r#"{"request_uri":"/cb?code=cut"#)),
        ["1@0 request url /cb?code=cut"]
    );
    assert_eq!(
        found(&read(r#"{"a":1} https://x.example/?code=tail"#)),
        ["1@0 text text  https://x.example/?code=tail"]
    );
    assert_eq!(
        found(&read(r#"2026-11-23T01:28:04Z INFO {"uri":"/cb?code=x"}"#)),
        ["1@0 request url /cb?code=x"]
    );
}

#[test]
fn columns_may_change_in_the_middle() {
    let text = "#Fields: date time cs-uri-stem cs-uri-query sc-status\r\n\
                2026-11-23 01:28:04 /a code=1 302\r\n\
                #Date: 2026-11-24 00:00:00\r\n\
                #Fields: time sc-status cs-method cs-uri-query cs-uri-stem cs(Referer)\r\n\
                01:28:05 200 GET code=2 /b https://r.example/?code=3\r\n\
                01:28:06 200 GET code=4 /c https://r.example/?code=5 extra\r\n\
                no column code=6\r\n";
    let observations = read(text);
    assert_eq!(
        found(&observations),
        [
            "2@55 request url /a?code=1",
            "5@190 request url /b?code=2",
            "5@190 referer to ? url https://r.example/?code=3",
            "6@244 request url /c?code=4",
            "6@244 referer to ? url https://r.example/?code=5",
            "7@304 text text no column code=6",
        ]
    );
    let at = |index: usize| observations[index].at.unwrap().instant.to_string();
    assert_eq!(at(0), "2026-11-23T01:28:04Z");
    let fifth = observations
        .iter()
        .find(|o| shown(o).starts_with("5@"))
        .unwrap();
    assert_eq!(
        fifth.at.unwrap().instant.to_string(),
        "2026-11-24T01:28:05Z"
    );
}

#[test]
fn a_remark_is_searched_and_changes_nothing_below_it() {
    let text = "#Fields: date time cs-uri-stem cs-uri-query\n\
                2026-11-23 01:28:04 /a code=1\n\
                #Remark: GET https://app.example/cb?code=2\n\
                2026-11-23 01:28:05 /b code=3\n";
    let expect = [
        "2@44 request url /a?code=1",
        "3@74 text text #Remark: GET https://app.example/cb?code=2",
        "4@117 request url /b?code=3",
    ];
    assert_eq!(found(&read(text)), expect);
    let fields = "#Fields: date time cs-uri-stem password code https://app.example/?code=4\n";
    let all: Vec<_> = read(fields).iter().map(shown).collect();
    assert_eq!(all, ["1@0 unknown url https://app.example/?code=4"]);
    // Read by several threads, as any log without columns.
    let remark = "#Remark: code=2\n";
    let long = [&"z\n".repeat(2 << 20), remark, COMBINED].concat();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
    let observations = pool.build().unwrap().install(|| read(long));
    assert_eq!(found(&observations).len(), 3);
}

#[test]
fn passwords_of_a_zeek_log_need_no_needle() {
    let text = "#separator \\x09\n#fields\tts\tid.orig_h\turi\tusername\tpassword\n1795397246.6\t192.0.2.7\t/\tjo\thunter2\n";
    assert!(found(&read(text)).contains(&"3@59 request field password=hunter2".to_owned()));
}

#[test]
fn a_stream_that_breaks_keeps_what_came_before() {
    struct Broken(Cursor<Vec<u8>>);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the cable")),
                read => Ok(read),
            }
        }
    }
    let text = COMBINED.repeat(2000).into_bytes();
    let evidence = Evidence::stream(Box::new(Broken(Cursor::new(text))), "x.log").unwrap();
    let reading = read_with(&evidence, Bounds::default(), None);
    assert_eq!(found(&reading.observations).len(), 4000);
    assert_eq!(reading.problems.len(), 1);
}

#[test]
fn a_damaged_gz_keeps_what_came_before() {
    use io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for number in 0..40_000 {
        writeln!(encoder, "{number} {}", COMBINED.trim_end()).unwrap();
    }
    let whole = encoder.finish().unwrap();
    let tail = [whole.as_slice(), b"trailing garbage"].concat();
    let reading = read_with(&stream(tail), Bounds::default(), None);
    assert_eq!(found(&reading.observations).len(), 80_000);
    assert_eq!(reading.problems.len(), 1);
    let half = whole[..whole.len() / 2].to_vec();
    let reading = read_with(&stream(half), Bounds::default(), None);
    assert!(found(&reading.observations).len() > 30_000);
    assert_eq!(reading.problems.len(), 1);
    let members = [whole.as_slice(), &whole].concat();
    assert_eq!(found(&read(members)).len(), 160_000);
}

/// What the files under `fixtures/logs` give at least, a file name before its lines, each cut at [`SHOWN`]
/// characters.
const FIXTURES: &str = include_str!("logs_fixtures.txt");

/// Characters of an observation that tell it from others.
const SHOWN: usize = 72;

#[test]
fn fixtures_are_claimed_and_read() {
    let ctx = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    let mut paths: Vec<_> = std::fs::read_dir("fixtures/logs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // A journal has lines in it, and is none.
        .filter(|path| !path.to_string_lossy().contains(".journal"))
        .collect();
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let evidence = Evidence::file(&path, name.as_str()).unwrap();
        let mut readers = tokentrail::collect::READERS.iter();
        let reader = readers.find(|reader| (reader.claims)(&evidence, &ctx));
        assert_eq!(reader.map(|reader| reader.name), Some("log"), "{name}");
        let reading = read_with(&evidence, Bounds::default(), None);
        assert_eq!(reading.problems, Vec::<String>::new(), "{name}");
        let dated = reading.observations.iter().all(|o| o.at.is_some());
        assert!(dated, "{name} has times");
        lines.push(name);
        let shown = found(&reading.observations);
        lines.extend(shown.iter().map(|line| line.chars().take(SHOWN).collect()));
    }
    // More may be found as rules are added, less never.
    let mut found = lines.iter();
    for wanted in FIXTURES.lines() {
        assert!(found.any(|line| line == wanted), "{wanted}");
    }
}

#[test]
fn a_name_where_a_programs_name_may_stand_is_read_with_its_value() {
    // As rsyslog writes `TIME HOST PROGRAM: TEXT`, an application writes `TIME LEVEL NAME: VALUE`.
    let line = "2026-11-23T05:00:37Z DEBUG access_token: 4kUnt8V0pQbXr2LmZ7cYd1Hs9WjGfE3a\n";
    let observations = read(line);
    let all = found(&observations);
    assert_eq!(all, [format!("1@0 text text {}", line.trim_end())]);
    let at = observations.first().and_then(|it| it.at.as_ref());
    assert_eq!(at.unwrap().instant.to_string(), "2026-11-23T05:00:37Z");
}
