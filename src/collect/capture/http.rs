//! An HTTP exchange as it was sent, whatever recorded it: which of its bytes are URLs, cookies, headers, bodies.
//! Knows HTTP's own headers and nothing of OAuth; where the bytes lie is the business of each capture.

use std::borrow::Cow;

use super::super::coding;
use super::super::har::parts;
use crate::atoms::rules::Needles;
use crate::atoms::{Raw, When};
use crate::collect::{Payload, Store, Via};

/// A request or a response.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) headers: Vec<Header<'a>>,
    /// The body and its offset.
    pub(super) body: Option<(usize, &'a [u8])>,
    /// When it was sent, or received.
    pub(super) at: Option<When>,
}

/// A header field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Offset of the value.
    pub(super) at: usize,
}

/// A request and its response.
#[derive(Debug, Default)]
pub(super) struct Exchanged<'a> {
    pub(super) method: Option<Box<str>>,
    pub(super) status: Option<u16>,
    pub(super) url: Vec<u8>,
    /// Offset of the request's target.
    pub(super) url_at: usize,
    pub(super) request: Message<'a>,
    pub(super) response: Message<'a>,
}

/// A part of an exchange that is worth an observation.
#[derive(Debug)]
pub(super) struct Found {
    /// Offset in the bytes that its message was read from.
    pub(super) offset: usize,
    /// Which part it is: `/request/headers/2`.
    pub(super) pointer: String,
    pub(super) via: Via,
    pub(super) at: Option<When>,
    pub(super) payload: Payload,
}

/// What an exchange holds.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) host: Option<Box<str>>,
    pub(super) found: Vec<Found>,
    /// Bodies that could not be unpacked whole.
    pub(super) packed: u64,
}

impl<'a> Message<'a> {
    pub(super) fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut headers = self.headers.iter();
        headers.find(|header| header.is(name)).map(|it| it.value)
    }
}

impl Header<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl Exchanged<'_> {
    /// Finds the parts, those of the request first.
    pub(super) fn observe(&self, needles: &Needles) -> Observed {
        let authority = self
            .request
            .header(":authority")
            .or_else(|| self.request.header("host"));
        let authority = authority.map(|host| String::from_utf8_lossy(host).into());
        let mut observer = Observer {
            exchange: self,
            needles,
            out: Observed {
                host: parts::host(&self.url).or(authority),
                ..Observed::default()
            },
        };
        if !self.url.is_empty() {
            let url = Payload::Url(Raw::new(&*self.url));
            observer.push(self.url_at, "/request/url".into(), Via::Request, url);
        }
        observer.message(&self.request, Via::Request);
        observer.message(&self.response, Via::Response);
        observer.out
    }
}

struct Observer<'a> {
    exchange: &'a Exchanged<'a>,
    needles: &'a Needles,
    out: Observed,
}

impl Observer<'_> {
    fn message(&mut self, message: &Message<'_>, via: Via) {
        let side = if via == Via::Request {
            "request"
        } else {
            "response"
        };
        for (index, header) in message.headers.iter().enumerate() {
            let pointer = format!("/{side}/headers/{index}");
            if !header.value.is_empty() && !header.name.starts_with(b":") {
                self.header(header, pointer, via.clone());
            }
        }
        if let Some((at, bytes)) = message.body {
            self.body(message, at, bytes, format!("/{side}/body"), via);
        }
    }

    fn header(&mut self, header: &Header<'_>, pointer: String, via: Via) {
        let value = header.value;
        let is_request = via == Via::Request;
        if header.is("referer") && is_request {
            let sent_to = self.out.host.clone();
            let url = Payload::Url(Raw::new(value));
            self.push(header.at, pointer, Via::Referer { sent_to }, url);
        } else if header.is("location") && !is_request {
            let url = Raw::new(parts::resolve(&self.exchange.url, value));
            self.push(header.at, pointer, Via::Location, Payload::Url(url));
        } else if header.is("cookie") && is_request {
            self.cookies(header, &parts::cookies(value), &pointer, &via);
        } else if header.is("set-cookie") && !is_request {
            self.cookies(header, &parts::set_cookies(value), &pointer, &via);
        } else if (header.is("refresh") || header.is("link")) && !is_request {
            let via = if header.is("refresh") {
                Via::Location
            } else {
                via
            };
            self.push(header.at, pointer, via, Payload::Text(Raw::new(value)));
        } else {
            let payload = Payload::Header {
                name: String::from_utf8_lossy(header.name).into(),
                value: Raw::new(value),
            };
            self.push(header.at, pointer, via, payload);
        }
    }

    /// Each is placed where its own value begins: all of them share one pointer.
    fn cookies(
        &mut self,
        header: &Header<'_>,
        cookies: &[parts::Cookie<'_>],
        pointer: &str,
        via: &Via,
    ) {
        for cookie in cookies {
            let pair = Payload::Pair {
                store: Store::Cookie,
                origin: self.out.host.clone(),
                key: Raw::new(cookie.name),
                value: Raw::new(cookie.value),
            };
            let at = header.at.saturating_add(cookie.offset);
            self.push(at, pointer.into(), via.clone(), pair);
        }
    }

    fn body(&mut self, message: &Message<'_>, at: usize, bytes: &[u8], pointer: String, via: Via) {
        let mime = message.header("content-type").unwrap_or_default();
        let mime = String::from_utf8_lossy(mime).trim().to_ascii_lowercase();
        if bytes.is_empty() || parts::is_media(&mime) {
            return;
        }
        let (bytes, is_whole) = unpacked(message, bytes);
        if !is_whole {
            self.out.packed = self.out.packed.saturating_add(1);
        }
        if !parts::has_media_magic(&bytes) && self.needles.hit(&bytes) {
            let payload = Payload::Body {
                mime: mime.into(),
                bytes: Raw::new(bytes),
            };
            self.push(at, pointer, via, payload);
        }
    }

    fn push(&mut self, offset: usize, pointer: String, via: Via, payload: Payload) {
        let message = match via {
            Via::Response | Via::Location => &self.exchange.response,
            _ => &self.exchange.request,
        };
        self.out.found.push(Found {
            offset,
            pointer,
            via,
            at: message.at,
            payload,
        });
    }
}

/// The body without its codings (RFC 9110 §8.4.1, RFC 9112 §7.1), and whether all of it could be unpacked. What came
/// before damage is kept; of what cannot be unpacked at all the bytes as they are, since some captures undo a coding
/// and keep the field.
fn unpacked<'a>(message: &Message<'_>, body: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
    let mut body = Cow::Borrowed(body);
    let chunked = message.header("transfer-encoding").is_some_and(|coding| {
        let coding = coding.to_ascii_lowercase();
        memchr::memmem::find(&coding, b"chunked").is_some()
    });
    if chunked && let Some(whole) = unchunked(&body) {
        body = whole.into();
    }
    let Some(codings) = message.header("content-encoding") else {
        return (body, true);
    };
    let (plain, problem) = coding::decoded(body.to_vec(), codings);
    let is_whole = problem.is_none();
    if plain.is_empty() && !is_whole {
        return (body, false);
    }
    (plain.into(), is_whole)
}

/// The chunks of a body in one; nothing when it is not in chunks.
fn unchunked(body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    let mut rest = body;
    loop {
        let end = memchr::memchr(b'\n', rest.get(..64).unwrap_or(rest));
        let Some(line) = end.and_then(|end| rest.get(..end)) else {
            return (!whole.is_empty()).then_some(whole);
        };
        let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        rest = rest.get(end?.saturating_add(1)..)?;
        let chunk = rest.get(..size).unwrap_or(rest);
        whole.extend_from_slice(chunk);
        rest = rest.get(size..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
}

/// A message of HTTP/1 (RFC 9112 §2.1): its first line, and the rest. `\n` alone ends lines too.
pub(super) fn message(bytes: &[u8]) -> (&[u8], Message<'_>) {
    let mut message = Message::default();
    let mut first: &[u8] = &[];
    let mut at = 0_usize;
    let mut is_first = true;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let next = at.saturating_add(end).saturating_add(1);
        if is_first {
            first = line;
        } else if line.is_empty() {
            message.body = bytes.get(next..).map(|body| (next, body));
            break;
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let value = line.get(colon.saturating_add(1)..).unwrap_or_default();
            let blanks = value.len().saturating_sub(value.trim_ascii_start().len());
            message.headers.push(Header {
                name: line.get(..colon).unwrap_or_default(),
                value: value.trim_ascii(),
                at: at
                    .saturating_add(colon)
                    .saturating_add(1)
                    .saturating_add(blanks),
            });
        }
        is_first = false;
        at = next;
    }
    (first, message)
}

/// Method and target of a request line, and the target's offset.
pub(super) fn request_line(line: &[u8]) -> Option<(Box<str>, usize, &[u8])> {
    let blank = memchr::memchr(b' ', line)?;
    let method = std::str::from_utf8(line.get(..blank)?).ok()?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if method.is_empty() || !method.chars().all(is_token) {
        return None;
    }
    let at = blank.saturating_add(1);
    let target = line.get(at..)?;
    // Blanks in a target are told from the one before the version.
    let version = memchr::memmem::rfind(target, b" HTTP/");
    let target = target.get(..version.unwrap_or(target.len()))?;
    Some((method.into(), at, target))
}

/// Status of a status line.
pub(super) fn status(line: &[u8]) -> Option<u16> {
    let line = line.strip_prefix(b"HTTP/")?;
    let code = line.split(|byte| *byte == b' ').nth(1)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// The URL of a request whose target may be a path only.
pub(super) fn url(target: &[u8], request: &Message<'_>) -> Vec<u8> {
    match (target, request.header("host")) {
        // The scheme is not told.
        ([b'/', ..], Some(host)) => [b"//", host, target].concat(),
        _ => target.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_with_the_places_of_their_parts() {
        let bytes = b"POST /token HTTP/1.1\r\nHost: idp.example\r\nContent-Type:a/b\n\r\ncode=1";
        let (line, message) = message(bytes);
        let (method, at, target) = request_line(line).unwrap();
        assert_eq!((&*method, at, target), ("POST", 5, b"/token".as_slice()));
        assert_eq!(url(target, &message), b"//idp.example/token");
        for header in &message.headers {
            assert!(bytes[header.at..].starts_with(header.value));
        }
        assert_eq!(message.header("content-type"), Some(b"a/b".as_slice()));
        let (at, body) = message.body.unwrap();
        assert_eq!((body, &bytes[at..]), (b"code=1".as_slice(), body));
        assert_eq!(status(b"HTTP/1.1 302 Found"), Some(302));
        assert_eq!(status(b"HTTP/2 200"), Some(200));
    }

    #[test]
    fn codings_are_undone_where_they_are() {
        let chunks = b"4\r\ncode\r\n3;x=y\r\n=12\r\n0\r\n\r\n";
        assert_eq!(unchunked(chunks).unwrap(), b"code=12");
        assert_eq!(unchunked(b"{\"access_token\":1}"), None);
        let coded = |coding: &'static [u8], body: &[u8]| {
            let message = Message {
                headers: vec![Header {
                    name: b"Content-Encoding",
                    value: coding,
                    at: 0,
                }],
                ..Message::default()
            };
            let (body, is_whole) = unpacked(&message, body);
            (body.into_owned(), is_whole)
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, b"code=1").unwrap();
        let gzip = gzip.finish().unwrap();
        let plain = b"code=1".to_vec();
        assert_eq!(coded(b"gzip", &gzip), (plain.clone(), true));
        assert_eq!(coded(b"gzip", &plain), (plain.clone(), true));
        assert_eq!(
            coded(b"gzip", &gzip[..gzip.len() - 4]),
            (plain.clone(), false)
        );
        let brotli = b"\x0b\x03\x80{\"a\":1}\x03";
        assert_eq!(coded(b"br", brotli), (b"{\"a\":1}".to_vec(), true));
        assert_eq!(coded(b"other", &plain), (plain, false));
    }
}
