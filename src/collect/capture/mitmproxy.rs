//! Flow files of mitmproxy: one tagged netstring after the other, each a flow. The members are those of
//! `get_state` in mitmproxy's `http.py`, `flow.py` and `websocket.py`; old versions differ in names only (`io/compat.py`).

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::http::{Exchanged, Found, Header, Message};
use super::tnet::{MAX_DIGITS, Value};
use super::{MAX_EXCHANGE, Places, Position, Reading, epoch};
use crate::atoms::{Method, Raw, Source};
use crate::collect::har::parts;
use crate::collect::names::public_name;
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
    let mut others = 0_u64;
    let mut index = 0_u64;
    let end = loop {
        match next(&mut input, &mut at) {
            Ok(Next::Flow(bytes)) => {
                others = others.saturating_add(u64::from(!flow(&bytes, index, at, &mut reading)));
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
    if others > 0 {
        let why = format!("{others} of its flows are no HTTP (TCP, UDP, DNS) and were not read");
        reading.problem(ReadError::Unsupported(why.into()));
    }
    reading.report();
    end
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

/// Reads a flow, which stands at `at`; false when it is no HTTP.
fn flow(bytes: &[u8], index: u64, at: Position, reading: &mut Reading<'_, '_>) -> bool {
    let Some((state, _)) = Value::read(bytes, 0) else {
        return false;
    };
    let Some(request) = state.get("request").filter(|it| it.get("method").is_some()) else {
        return false;
    };
    let exchanged = exchanged(request, state.get("response"));
    let mut places = Places::new(bytes, at);
    let exchange = reading.exchange((index, 0), &exchanged, &mut |found| places.at(found.offset));
    let messages = state.get("websocket").and_then(|it| it.get("messages"));
    for (number, message) in messages.into_iter().flat_map(Value::items).enumerate() {
        if let Some(found) = self::message(number, message, reading) {
            let place = places.at(found.offset);
            reading.observe(index, &exchange, found, place);
        }
    }
    others(state, &mut |found| {
        if reading.is_worth_telling(&found) {
            let place = places.at(found.offset);
            reading.observe(index, &exchange, found, place);
        }
    });
    // What was sent before someone edited it (`Flow.backup`).
    let backup = state.get("backup");
    let before = backup.and_then(|it| Some((it, it.get("request")?)));
    if let Some((backup, request)) = before {
        let exchanged = self::exchanged(request, backup.get("response"));
        let exchange = reading.exchange((index, 1), &exchanged, &mut |found| {
            found.pointer.insert_str(0, "/backup");
            places.at(found.offset)
        });
        others(backup, &mut |mut found| {
            if reading.is_worth_telling(&found) {
                found.pointer.insert_str(0, "/backup");
                let place = places.at(found.offset);
                reading.observe(index, &exchange, found, place);
            }
        });
    }
    true
}

/// Members of a flow, of its request and of its response that are read as what they are.
const READ: [&[u8]; 18] = [
    b"authority",
    b"backup",
    b"body",
    b"code",
    b"content",
    b"headers",
    b"host",
    b"http_version",
    b"method",
    b"path",
    b"port",
    b"request",
    b"response",
    b"scheme",
    b"status_code",
    b"timestamp_end",
    b"timestamp_start",
    b"websocket",
];

/// Levels of a member that are followed: a flow has three.
const MAX_DEPTH: usize = 16;

/// Hands on the texts of all that is read as nothing else: comments, metadata, trailers, whatever later versions add.
fn others<'a>(state: Value<'a>, found: &mut dyn FnMut(Found)) {
    let sides = [("/request", "request"), ("/response", "response")];
    let sides = sides.map(|(path, name)| (path, state.get(name)));
    for (path, value) in [("", Some(state))].into_iter().chain(sides) {
        let members = value.into_iter().flat_map(Value::members);
        for (name, member) in members.filter(|(name, _)| !READ.contains(name)) {
            let shown = public_name(std::str::from_utf8(name).unwrap_or_default());
            let shown = if shown.is_empty() { "*" } else { shown };
            texts(name, member, MAX_DEPTH, &mut |name, text: Value<'a>| {
                let line = [b"\"", name, b"\":\"", text.content, b"\""].concat();
                found(Found {
                    offset: text.at,
                    pointer: format!("{path}/{shown}"),
                    via: Via::Text,
                    at: None,
                    payload: Payload::Text(Raw::new(line)),
                });
            });
        }
    }
}

/// Hands on the texts in a value, each with the name that it goes by. Two in a list are a name and a value, as headers are.
fn texts<'a>(
    name: &'a [u8],
    value: Value<'a>,
    depth: usize,
    found: &mut dyn FnMut(&'a [u8], Value<'a>),
) {
    if value.text().is_some() {
        found(name, value);
        return;
    }
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    for (name, member) in value.members() {
        texts(name, member, depth, found);
    }
    let mut items = value.items();
    let pair = (items.next(), items.next(), items.next());
    if let (Some(first), Some(second), None) = pair
        && let Some(name) = first.text()
        && second.text().is_some()
    {
        found(name, second);
        return;
    }
    for item in value.items() {
        texts(name, item, depth, found);
    }
}

fn exchanged<'a>(request: Value<'a>, response: Option<Value<'a>>) -> Exchanged<'a> {
    let text = |name| request.get(name).and_then(Value::text);
    let method = text("method").and_then(Method::of);
    let status = response.and_then(|response| {
        // Until version 0.13 it was called `code`.
        let code = response.get("status_code").or_else(|| response.get("code"));
        status(code?.number()?)
    });
    let message = |value: Value<'a>| headers(value);
    let sent = message(request);
    let path = request.get("path");
    Exchanged {
        method,
        status,
        url: url(request, &sent),
        url_at: path.map_or(request.at, |path| path.at),
        target: None,
        request: sent,
        response: response.map(message).unwrap_or_default(),
    }
}

/// Headers, body and time of a request or a response.
fn headers(value: Value<'_>) -> Message<'_> {
    let mut message = Message::default();
    for pair in value.get("headers").into_iter().flat_map(Value::items) {
        let mut pair = pair.items();
        let (Some(name), Some(content)) = (pair.next(), pair.next()) else {
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
