//! Reads a story: its evidence as observations, its expectations as lines.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use sha2::{Digest as _, Sha256};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::when::{Basis, Zone};
use tokentrail::atoms::{
    Digest, JoinKey, KeyKind, Locator, Method, Place, Raw, Source, View, When,
};
use tokentrail::collect::{
    Context, Evidence, Exchange, Observation, Payload, READERS, Sink, Store, Via, Visit,
};

/// The day on which every story happens.
const DAY: Date = jiff::civil::date(2026, 3, 2);

/// Bytes of a made-up value: as long as a code or an opaque token usually is.
const OPAQUE_LEN: usize = 30;

/// A story, read.
pub(crate) struct Story {
    /// What its evidence holds.
    pub(crate) observations: Vec<Observation>,
    /// The moment of the `now` verdicts.
    pub(crate) as_of: Timestamp,
    /// Lines of its `expect` block.
    pub(crate) expected: Vec<String>,
}

impl Story {
    /// Reads a story; panics where it is not one.
    pub(crate) fn parse(text: &str) -> Self {
        let blocks = blocks(text);
        let mut values = Values::default();
        for (_, lines) in blocks.iter().filter(|(info, _)| info == "values") {
            for line in lines {
                values.define(line);
            }
        }
        let mut story = Self {
            observations: Vec::new(),
            as_of: moment("23:59:59"),
            expected: Vec::new(),
        };
        let mut entries = 0;
        for (info, lines) in &blocks {
            let lines: Vec<String> = match info.as_str() {
                "values" => continue,
                _ => lines.iter().map(|line| values.expand(line)).collect(),
            };
            let (what, rest) = info.split_once(' ').unwrap_or((info, ""));
            match what {
                "history" => story.observations.extend(history(&lines, rest)),
                "log" => story.observations.extend(log(&lines, rest)),
                "app-log" => story.observations.extend(app_log(&lines)),
                "shell" => story.observations.extend(shell(&lines)),
                "har-entry" => {
                    story.observations.extend(har_entry(&lines, entries));
                    entries += 1;
                }
                "storage" => story.observations.extend(storage(&lines, rest)),
                "expect" => story.expect(&lines),
                other => panic!("unknown block {other:?}"),
            }
        }
        story
    }

    fn expect(&mut self, lines: &[String]) {
        for line in lines {
            match line.strip_prefix("as-of: ") {
                Some(at) => self.as_of = moment(at),
                None => self.expected.push(line.clone()),
            }
        }
    }
}

/// Fenced blocks with an info string, and their lines that are not empty.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => {
                blocks.push((info.trim().to_owned(), Vec::new()));
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) if !line.trim().is_empty() => {
                blocks.last_mut().unwrap().1.push(line.to_owned());
            }
            _ => {}
        }
    }
    assert!(!inside, "a block is not closed");
    blocks
}

/// The values that a story speaks of.
#[derive(Default)]
struct Values(BTreeMap<String, String>);

impl Values {
    fn define(&mut self, line: &str) {
        let (name, rest) = line.split_once(" = ").expect("name = form");
        let (form, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let rest = self.expand(rest);
        let value = match form {
            "text" => rest,
            "jwt" => jwt(&rest),
            "saml" => BASE64.encode(saml(&rest).as_bytes()),
            "deflated" => BASE64.encode(&deflate(saml(&rest).as_bytes())),
            "base64url" => BASE64URL_NOPAD.encode(rest.as_bytes()),
            other => panic!("unknown form {other:?}"),
        };
        self.0.insert(name.to_owned(), value);
    }

    /// Replaces `{name}` and its variants. Braces that hold no name (JSON) stay.
    fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let inner = after.split_once('}').filter(|(name, _)| is_name(name));
            if let Some((name, tail)) = inner {
                out.push_str(&self.value(name));
                rest = tail;
            } else {
                out.push('{');
                rest = after;
            }
        }
        out + rest
    }

    fn value(&self, name: &str) -> String {
        if let Some(name) = name.strip_prefix('%') {
            return percent(&self.value(name));
        }
        match name.split_once(':') {
            Some(("s256", name)) => BASE64URL_NOPAD.encode(&Sha256::digest(self.value(name))),
            Some(("hash", name)) => BASE64URL_NOPAD.encode(&Sha256::digest(self.value(name))[..16]),
            Some((form, _)) => panic!("unknown form {form:?}"),
            None => self.0.get(name).cloned().unwrap_or_else(|| opaque(name)),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"%:_-".contains(&byte))
}

/// A made-up value: it looks random and is the same every time. A verifier has the least length of RFC 7636 §4.1.
fn opaque(name: &str) -> String {
    let whole = BASE64URL_NOPAD.encode(&Sha256::digest(format!("story {name}")));
    if name.starts_with("verifier") {
        whole
    } else {
        whole[..OPAQUE_LEN].to_owned()
    }
}

/// A JWT with a signature that is none, as long as one of its algorithm. `header` members stand under `_`; `"@12:00:00"` becomes a number.
fn jwt(claims: &str) -> String {
    let mut claims: serde_json::Value = serde_json::from_str(claims).expect("claims as JSON");
    let mut header = serde_json::json!({"alg": "HS256", "kid": "1"});
    if let Some(serde_json::Value::Object(more)) = claims.as_object_mut().unwrap().remove("_") {
        header.as_object_mut().unwrap().extend(more);
    }
    for value in claims.as_object_mut().unwrap().values_mut() {
        if let Some(at) = value.as_str().and_then(|text| text.strip_prefix('@')) {
            *value = moment(at).as_second().into();
        }
    }
    let signature = Sha256::digest(claims.to_string());
    let parts = [
        header.to_string().into_bytes(),
        claims.to_string().into_bytes(),
        signature.to_vec(),
    ];
    parts.map(|part| BASE64URL_NOPAD.encode(&part)).join(".")
}

/// A small SAML message: its root element, and when it ends.
fn saml(what: &str) -> String {
    let (root, until) = what.split_once(' ').unwrap_or((what, "12:05:00"));
    let protocol = r#"xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" IssueInstant="2026-03-02T12:00:00Z""#;
    let issuer = "<saml:Issuer>https://idp.example.com</saml:Issuer>";
    let until = moment(until);
    let body = match root {
        "Response" => format!(
            r#"{issuer}<saml:Assertion ID="_a1" IssueInstant="2026-03-02T12:00:00Z"><saml:Subject><saml:NameID>alice</saml:NameID><saml:SubjectConfirmation><saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="https://app.example.com/acs"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="{until}"><saml:AudienceRestriction><saml:Audience>app</saml:Audience></saml:AudienceRestriction></saml:Conditions></saml:Assertion>"#
        ),
        _ => issuer.to_owned(),
    };
    format!(r#"<samlp:{root} {protocol} ID="_m1">{body}</samlp:{root}>"#)
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn percent(value: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(one).collect()
}

fn moment(at: &str) -> Timestamp {
    let (time, days) = at
        .split_once('+')
        .map_or((at, 0), |(time, days)| (time, days.parse().unwrap()));
    let time: jiff::civil::Time = time.parse().unwrap_or_else(|error| panic!("{at}: {error}"));
    let day = DAY.checked_add(jiff::Span::new().days(days)).unwrap();
    let utc = DateTime::from_parts(day, time).to_zoned(jiff::tz::TimeZone::UTC);
    utc.unwrap().timestamp()
}

fn when(at: &str, basis: Basis) -> When {
    When {
        instant: moment(at),
        basis,
        zone: Zone::Stated,
    }
}

/// A place; what lies in a browser's profile says whose it is, a log or a capture does not.
fn place(path: &str, reader: &'static str, locator: Locator) -> Place {
    let in_profile = path.contains("/Default/");
    let of_profile = |name: &str| in_profile.then(|| name.into());
    Place {
        source: Arc::new(Source {
            path: path.into(),
            reader: reader.into(),
            user: of_profile("alice"),
            browser: of_profile("chromium"),
            profile: of_profile("Default"),
            ..Source::default()
        }),
        locator,
        view: View::Live,
    }
}

fn history(lines: &[String], name: &str) -> Vec<Observation> {
    let path = if name.is_empty() {
        "alice/Default/History"
    } else {
        name
    };
    let mut before: Vec<Option<usize>> = Vec::new();
    let mut out = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let at = words.remove(0);
        let url = words.pop().expect("a URL");
        let from = words
            .iter()
            .find_map(|word| word.strip_prefix('<'))
            .map(|n| n.parse::<usize>().unwrap() - 1);
        let redirected = words.contains(&"redirect");
        before.push(from);
        let mut ancestors = Vec::new();
        let mut at_visit = from;
        while let Some(visit) = at_visit {
            ancestors.push((
                u8::try_from(ancestors.len() + 1).unwrap(),
                i64::try_from(visit).unwrap(),
            ));
            at_visit = before[visit];
        }
        let rowid = i64::try_from(number).unwrap();
        out.push(Observation {
            place: place(
                path,
                "chromium-history",
                Locator::Row {
                    table: "visits".into(),
                    rowid,
                    column: "url".into(),
                },
            ),
            at: Some(when(at, Basis::Visit)),
            via: if redirected {
                Via::ServerRedirect
            } else {
                Via::Link
            },
            visit: Some(Visit {
                id: rowid,
                ancestors,
            }),
            exchange: None,
            payload: Payload::Url(Raw::new(url)),
        });
    }
    out
}

fn log(lines: &[String], name: &str) -> Vec<Observation> {
    let path = if name.is_empty() {
        "var/log/access.log"
    } else {
        name
    };
    let mut out = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = u64::try_from(number).unwrap() + 1;
        let place = place(
            path,
            "log",
            Locator::Line {
                number,
                byte: number * 100,
            },
        );
        let exchange = exchange(path, number, words[1], words[2], words.get(3).copied());
        let parts = words[3..].windows(2).filter_map(|pair| match pair[0] {
            "->" => Some((Via::Location, pair[1])),
            "referer" => Some((
                Via::Referer {
                    sent_to: host(words[2]),
                },
                pair[1],
            )),
            _ => None,
        });
        for (via, url) in std::iter::once((Via::Request, words[2])).chain(parts) {
            out.push(Observation {
                place: place.clone(),
                at: Some(when(words[0], Basis::LogLine)),
                via,
                visit: None,
                exchange: Some(exchange.clone()),
                payload: Payload::Url(Raw::new(url)),
            });
        }
    }
    out
}

fn host(url: &str) -> Option<Box<str>> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.split(['/', '?', '#']).next()?.into())
}

fn exchange(
    path: &str,
    number: u64,
    method: &str,
    url: &str,
    status: Option<&str>,
) -> Arc<Exchange> {
    let digest = Digest::of([path.as_bytes(), &number.to_le_bytes()]);
    Arc::new(Exchange {
        key: JoinKey {
            kind: KeyKind::Exchange,
            digest,
        },
        method: Method::of(method.as_bytes()),
        status: status.and_then(|status| status.parse().ok()),
        url: Raw::new(url),
        host: None,
    })
}

fn har_entry(lines: &[String], index: u64) -> Vec<Observation> {
    let path = "capture.har";
    let first: Vec<&str> = lines[0].split_whitespace().collect();
    let exchange = exchange(path, index, first[1], first[2], first.get(3).copied());
    let mut out = Vec::new();
    let mut add = |via: Via, payload: Payload| {
        let pointer = format!("/log/entries/{index}/{}", out.len());
        let locator = Locator::Entry {
            index,
            pointer: pointer.into(),
            line: 1,
            column: 1,
        };
        out.push(Observation {
            place: place(path, "har", locator),
            at: Some(when(first[0], Basis::HarEntry)),
            via,
            visit: None,
            exchange: Some(exchange.clone()),
            payload,
        });
    };
    add(Via::Request, Payload::Url(Raw::new(first[2])));
    for line in &lines[1..] {
        let (arrow, rest) = line.split_once(' ').expect("an arrow");
        let (name, value) = rest.split_once(": ").expect("name: value");
        let via = if arrow == ">" {
            Via::Request
        } else {
            Via::Response
        };
        let body = |mime: &str| Payload::Body {
            mime: mime.into(),
            bytes: Raw::new(value),
        };
        match name.to_ascii_lowercase().as_str() {
            "form" => add(via, body("application/x-www-form-urlencoded")),
            "json" => add(via, body("application/json")),
            "html" => add(via, body("text/html")),
            "location" => add(Via::Location, Payload::Url(Raw::new(value))),
            "referer" => add(
                Via::Referer {
                    sent_to: host(first[2]),
                },
                Payload::Url(Raw::new(value)),
            ),
            "cookie" | "set-cookie" => {
                let pair = value.split(';').next().unwrap();
                let (key, value) = pair.split_once('=').expect("a cookie");
                add(
                    via,
                    Payload::Pair {
                        store: Store::Cookie,
                        origin: host(first[2]),
                        key: Raw::new(key),
                        value: Raw::new(value),
                    },
                );
            }
            _ => add(
                via,
                Payload::Header {
                    name: name.into(),
                    value: Raw::new(value),
                },
            ),
        }
    }
    out
}

/// Records of an application, read as the program reads them.
fn app_log(lines: &[String]) -> Vec<Observation> {
    let record = |line: &String| {
        let (at, what) = line.split_once(' ').expect("a time and a record");
        match what.strip_prefix('{') {
            Some(members) => format!("{{\"time\":\"{}\",{members}\n", moment(at)),
            None => format!("{} {what}\n", moment(at)),
        }
    };
    let text: String = lines.iter().map(record).collect();
    read_log("var/log/app.log", text)
}

/// Commands that a shell kept, read as the program reads them.
fn shell(lines: &[String]) -> Vec<Observation> {
    let line = |line: &String| match line.split_once(' ') {
        Some((at, command)) if !at.is_empty() => {
            format!("#{}\n{command}\n", moment(at).as_second())
        }
        _ => format!("{line}\n"),
    };
    let text = lines.iter().map(line).collect();
    read_log("home/alice/.bash_history", text)
}

fn read_log(path: &str, text: String) -> Vec<Observation> {
    let evidence = Evidence::stream(Box::new(std::io::Cursor::new(text.into_bytes())), path);
    let evidence = evidence.unwrap();
    let rules = Rules::builtin().unwrap();
    let context = Context {
        rules: &rules,
        log_timezone: None,
        residue: false,
    };
    let source = place(path, "log", Locator::Bytes { offset: 0 }).source;
    let mut out = Vec::new();
    let mut observe = |seen| out.push(seen);
    let mut sink = Sink {
        observe: &mut observe,
        problem: &mut |problem| panic!("{problem}"),
    };
    let log = READERS.iter().find(|reader| reader.name == "log");
    (log.unwrap().read)(&evidence, &source, &context, &mut sink).unwrap();
    out
}

fn storage(lines: &[String], info: &str) -> Vec<Observation> {
    let (which, origin) = info.split_once(' ').expect("a store and an origin");
    let (store, path) = match which {
        "local" => (Store::LocalStorage, "alice/Default/Local Storage"),
        "session" => (Store::SessionStorage, "alice/Default/Session Storage"),
        "cookie" => (Store::Cookie, "alice/Default/Cookies"),
        other => panic!("unknown store {other:?}"),
    };
    let one = |(number, line): (usize, &String)| {
        let (key, value) = line.split_once(" = ").expect("key = value");
        let sequence = u64::try_from(number).unwrap();
        Observation {
            place: place(
                path,
                "storage",
                Locator::Record {
                    file: "000003.log".into(),
                    key: key.into(),
                    sequence,
                },
            ),
            at: None,
            via: Via::Stored,
            visit: None,
            exchange: None,
            payload: Payload::Pair {
                store,
                origin: Some(origin.into()),
                key: Raw::new(key),
                value: Raw::new(value),
            },
        }
    };
    lines.iter().enumerate().map(one).collect()
}
