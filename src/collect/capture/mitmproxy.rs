//! Flow files of mitmproxy: one tagged netstring after the other, each a flow. The members are those of
//! `get_state` in mitmproxy's `http.py`, `flow.py` and `websocket.py`; old versions differ in names only (`io/compat.py`).

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::http::{Exchanged, Found, Header, Message};
use super::left::{self, LEVELS};
use super::tnet::{MAX_DIGITS, Value};
use super::{MAX_EXCHANGE, Places, Position, Reading, epoch};
use crate::atoms::{Method, Raw, Source};
use crate::collect::har::parts;
use crate::collect::{Context, Evidence, Payload, ReadError, Reader, Sink, Via};

/// Flow files of mitmproxy, mitmdump and mitmweb.
pub static MITMPROXY: Reader = Reader {
    name: "mitmproxy-flows",
    claims: |evidence, _| is_flow(evidence.head()),
    read,
};

/// Names that a flow's members have in any version.
const MEMBERS: [&[u8]; 16] = [
    b"backup",
    b"client_conn",
    b"comment",
    b"error",
    b"id",
    b"intercepted",
    b"is_replay",
    b"marked",
    b"metadata",
    b"mode",
    b"request",
    b"response",
    b"server_conn",
    b"type",
    b"version",
    b"websocket",
];

/// Whether the bytes begin with a dictionary whose first key is that of a flow.
fn is_flow(head: &[u8]) -> bool {
    let digits = |bytes: &[u8]| {
        let digits = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (1..=MAX_DIGITS).contains(&digits) && bytes.get(digits) == Some(&b':')
    };
    let inner = memchr::memchr(b':', head).and_then(|colon| head.get(colon.saturating_add(1)..));
    let Some(inner) = inner.filter(|inner| digits(head) && digits(inner)) else {
        return false;
    };
    let key = Value::read(inner, 0).and_then(|(key, _)| key.text());
    key.is_some_and(|key| MEMBERS.contains(&key))
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut input = BufReader::new(evidence.open()?);
    let mut reading = Reading::new(source, context, sink);
    let mut at = Position::START;
    let mut odd = Odd::default();
    let mut index = 0_u64;
    let end = loop {
        match next(&mut input, &mut at) {
            Ok(Next::Flow(bytes)) => {
                flow(&bytes, index, at, &mut reading, &mut odd);
                at = at.behind(&bytes);
            }
            Ok(Next::TooLarge) => reading.large = reading.large.saturating_add(1),
            Ok(Next::End) => break Ok(()),
            Ok(Next::Damaged) => {
                let why = format!(
                    "is damaged, or ends, inside flow {index}; the flows before it were read"
                );
                reading.problem(ReadError::Malformed(why.into()));
                break Ok(());
            }
            Err(error) => break Err(evidence.error(error)),
        }
        index = index.saturating_add(1);
    };
    odd.report(&mut reading);
    reading.report();
    end
}

/// Flows that are not what they should be.
#[derive(Default)]
struct Odd {
    /// Those that are no HTTP.
    others: u64,
    /// Those in which something is no value, or lies too deep.
    damaged: u64,
    /// The first of these.
    first: Option<u64>,
}

impl Odd {
    fn report(&self, reading: &mut Reading<'_, '_>) {
        if self.others > 0 {
            let why = format!(
                "{} of its flows are no HTTP (TCP, UDP, DNS) and were not read",
                self.others
            );
            reading.problem(ReadError::Unsupported(why.into()));
        }
        if let Some(first) = self.first {
            let why = format!(
                "{} of its flows are damaged, or nested deeper than {LEVELS} levels, the first is flow {first}; what could not be told apart was searched as text",
                self.damaged
            );
            reading.problem(ReadError::Malformed(why.into()));
        }
    }
}

/// What comes next in the file.
enum Next {
    /// A flow with its length and its kind.
    Flow(Vec<u8>),
    /// A flow that was passed over.
    TooLarge,
    Damaged,
    End,
}

fn next(input: &mut impl BufRead, at: &mut Position) -> io::Result<Next> {
    let mut bytes = Vec::new();
    let longest = MAX_DIGITS as u64 + 1;
    input.by_ref().take(longest).read_until(b':', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(Next::End);
    }
    let digits = bytes
        .strip_suffix(b":")
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(len) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
        return Ok(Next::Damaged);
    };
    let rest = len.saturating_add(1);
    if len > MAX_EXCHANGE {
        *at = at.behind(&bytes);
        return Ok(if pass(input, rest, at)? {
            Next::TooLarge
        } else {
            Next::Damaged
        });
    }
    let read = input.by_ref().take(rest).read_to_end(&mut bytes)?;
    Ok(if read as u64 == rest {
        Next::Flow(bytes)
    } else {
        Next::Damaged
    })
}

/// Passes over so many bytes; false when the input ends before.
fn pass(input: &mut impl BufRead, bytes: u64, at: &mut Position) -> io::Result<bool> {
    let mut left = bytes;
    while left > 0 {
        let block = input.fill_buf()?;
        let used = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if used == 0 {
            return Ok(false);
        }
        *at = at.behind(block.get(..used).unwrap_or_default());
        input.consume(used);
        left = left.saturating_sub(used as u64);
    }
    Ok(true)
}

/// Reads a flow, which stands at `at`.
fn flow(bytes: &[u8], index: u64, at: Position, reading: &mut Reading<'_, '_>, odd: &mut Odd) {
    let state = Value::read(bytes, 0).map(|(state, _)| state);
    let is_damaged = state.is_some_and(left::is_damaged);
    let is_http = |state: &Value<'_>| {
        let method = state.get("request").and_then(|it| it.get("method"));
        method.is_some()
    };
    // Of one that is damaged, the request may be what is missing.
    let Some(state) = state.filter(|state| is_damaged || is_http(state)) else {
        odd.others = odd.others.saturating_add(1);
        return;
    };
    let exchanged = exchanged(state);
    let mut places = Places::new(bytes, at);
    let exchange = reading.exchange((index, 0), &exchanged, &mut |found| places.at(found.offset));
    let messages = state.get("websocket").and_then(|it| it.get("messages"));
    for (number, message) in messages.into_iter().flat_map(Value::items).enumerate() {
        if let Some(found) = self::message(number, message, reading) {
            let place = places.at(found.offset);
            reading.observe(index, &exchange, found, place);
        }
    }
    let mut text = |found: Found| {
        if reading.is_worth_telling(&found) {
            let place = places.at(found.offset);
            reading.observe(index, &exchange, found, place);
        }
    };
    left::others(state, LEVELS - 1, &mut text);
    if is_damaged {
        left::unread(state, &mut text);
        odd.damaged = odd.damaged.saturating_add(1);
        odd.first = odd.first.or(Some(index));
    }
    // What was sent before someone edited it (`Flow.backup`).
    let sides = |it: &Value<'_>| it.get("request").or_else(|| it.get("response")).is_some();
    if let Some(backup) = state.get("backup").filter(sides) {
        let exchanged = self::exchanged(backup);
        let exchange = reading.exchange((index, 1), &exchanged, &mut |found| {
            found.pointer.insert_str(0, "/backup");
            places.at(found.offset)
        });
        left::others(backup, LEVELS - 2, &mut |mut found| {
            if reading.is_worth_telling(&found) {
                found.pointer.insert_str(0, "/backup");
                let place = places.at(found.offset);
                reading.observe(index, &exchange, found, place);
            }
        });
    }
}

/// Request and response of a flow, as much of them as there is.
fn exchanged(state: Value<'_>) -> Exchanged<'_> {
    let (request, response) = (state.get("request"), state.get("response"));
    let method = request.and_then(|request| Method::of(request.get("method")?.text()?));
    let status = response.and_then(|response| {
        // Until version 0.13 it was called `code`.
        let code = response.get("status_code").or_else(|| response.get("code"));
        status(code?.number()?)
    });
    let sent = request.map(headers).unwrap_or_default();
    let path = request.and_then(|request| request.get("path"));
    Exchanged {
        method,
        status,
        url: request
            .map(|request| url(request, &sent))
            .unwrap_or_default(),
        url_at: path.or(request).map_or(0, |it| it.at),
        target: None,
        request: sent,
        response: response.map(headers).unwrap_or_default(),
    }
}

/// Headers, body and time of a request or a response.
fn headers(value: Value<'_>) -> Message<'_> {
    let mut message = Message::default();
    for pair in value.get("headers").into_iter().flat_map(Value::items) {
        let Some((name, content)) = pair.pair() else {
            continue;
        };
        if let Some((name, value)) = name.text().zip(content.text()) {
            message.push(Header {
                name,
                value: value.into(),
                at: content.at,
            });
        }
    }
    // Versions 0.14 and 0.15 called it `body`.
    let body = value.get("content").or_else(|| value.get("body"));
    message.body = body.and_then(|body| Some((body.at, body.text()?)));
    // The end of a response is when it was there; old requests may lack the start.
    let start = value.get("timestamp_start").and_then(Value::number);
    message.at = start.and_then(epoch);
    message
}

/// The URL as the browser had it: the host of the headers counts before that of the connection.
fn url(request: Value<'_>, sent: &Message<'_>) -> Vec<u8> {
    let text = |name| request.get(name).and_then(Value::text).unwrap_or_default();
    let (scheme, path) = (text("scheme"), text("path"));
    if parts::is_url(path) {
        return path.to_vec();
    }
    let named = [text("authority"), sent.header("host").unwrap_or_default()];
    let named = named.into_iter().find(|name| !name.is_empty());
    let port = request.get("port").and_then(Value::number);
    let usual = match scheme {
        b"https" => 443.0,
        b"http" => 80.0,
        _ => 0.0,
    };
    let unusual = port.filter(|port| named.is_none() && (port - usual).abs() > 0.5);
    let port = unusual.map_or(String::new(), |port| format!(":{port:.0}"));
    let host = named.unwrap_or_else(|| text("host"));
    if host.is_empty() && path.is_empty() {
        return Vec::new();
    }
    if scheme.is_empty() {
        return [b"//", host, port.as_bytes(), path].concat();
    }
    [scheme, b"://", host, port.as_bytes(), path].concat()
}

/// A WebSocket message: kind, whether the client sent it, content, time.
fn message(number: usize, message: Value<'_>, reading: &Reading<'_, '_>) -> Option<Found> {
    let mut fields = message.items();
    let (_kind, sent, content) = (fields.next()?, fields.next()?, fields.next()?);
    let bytes = content.text()?;
    if !reading.context.rules.needles.hit(bytes) {
        return None;
    }
    Some(Found {
        offset: content.at,
        pointer: format!("/websocket/messages/{number}"),
        via: if sent.is_true() {
            Via::Request
        } else {
            Via::Response
        },
        at: fields.next().and_then(Value::number).and_then(epoch),
        payload: Payload::Body {
            mime: "".into(),
            bytes: Raw::new(bytes),
        },
    })
}

/// A status of HTTP.
fn status(number: f64) -> Option<u16> {
    (100..1000).find(|code| f64::from(*code).total_cmp(&number).is_eq())
}
