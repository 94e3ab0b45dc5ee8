//! Logs: every format's examples, every buffer's edge, every odd line. Compares what comes out, and
//! where it is said to lie.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use tokentrail::atoms::rules::log_format::{LogFormats, Role, Shape};
use tokentrail::atoms::rules::{Needles, Rules};
use tokentrail::atoms::{Locator, Source, Zone};
use tokentrail::collect::log::{self, Bounds};
use tokentrail::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Store, Via};

fn rules() -> Rules {
    Rules {
        needles: Needles::default(),
        formats: LogFormats::builtin().unwrap(),
    }
}

/// What a reading gave: observations, problems, and the error that ended it.
struct Reading {
    observations: Vec<Observation>,
    problems: Vec<String>,
}

fn read_with(evidence: &Evidence, bounds: Bounds, tz: Option<&jiff::tz::TimeZone>) -> Reading {
    let rules = rules();
    let ctx = Context {
        rules: &rules,
        log_timezone: tz,
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
    let text = |raw: &tokentrail::atoms::Raw| String::from_utf8_lossy(raw.as_bytes()).into_owned();
    let Locator::Line { number, byte } = observation.place.locator else {
        panic!("a log has lines");
    };
    let via = match &observation.via {
        Via::Referer { sent_to } => format!("referer to {}", sent_to.as_deref().unwrap_or("?")),
        via => format!("{via:?}").to_lowercase(),
    };
    let payload = match &observation.payload {
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
        Payload::Body { bytes, .. } => format!("body {}", text(bytes)),
        Payload::Text(value) => format!("text {}", text(value)),
    };
    format!("{number}@{byte} {via} {payload}")
}

/// Those that hold a credential's sign, so that tests do not depend on how coarse the needles are.
fn found(observations: &[Observation]) -> Vec<String> {
    let signs = ["code=", "token", "hunter2", "Bearer", "sid="];
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
                if let Shape::Pattern { pattern, .. } = &other.shape {
                    let fits = pattern.is_match(example.line.as_bytes());
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
        (exchange.method.as_deref(), exchange.status),
        (Some("GET"), Some(302))
    );
    assert_eq!(exchange.url.as_bytes(), b"/cb?code=x&state=y");
    let at = observations[0].at.unwrap();
    assert_eq!(
        (at.instant.to_string().as_str(), at.zone),
        ("2026-11-23T00:28:04Z", Zone::Stated)
    );
}
