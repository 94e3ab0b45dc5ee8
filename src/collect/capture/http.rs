//! An HTTP exchange as it was sent, whatever recorded it: which of its bytes are URLs, cookies, headers, bodies.
//! Knows HTTP's own headers and nothing of OAuth; where the bytes lie is the business of each capture.

use std::borrow::Cow;

use super::super::har::parts;
use super::body::unpacked;
use crate::atoms::rules::Needles;
use crate::atoms::{Method, Raw, When};
use crate::collect::{Payload, Store, Via};

/// Headers of one message that are looked at. Servers and browsers stop at a few hundred.
pub(super) const MAX_HEADERS: usize = 4_096;

/// A request or a response.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    /// Headers, as many as are looked at.
    headers: Vec<Header<'a>>,
    /// Whether it has more.
    has_more: bool,
    /// The body and its offset.
    pub(super) body: Option<(usize, &'a [u8])>,
    /// When it was sent, or received.
    pub(super) at: Option<When>,
}

/// A header field.
#[derive(Clone, Debug)]
pub(super) struct Header<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Cow<'a, [u8]>,
    /// Offset of the value.
    pub(super) at: usize,
}

/// A request and its response.
#[derive(Debug, Default)]
pub(super) struct Exchanged<'a> {
    pub(super) method: Option<Method>,
    pub(super) status: Option<u16>,
    pub(super) url: Vec<u8>,
    /// Offset of the request's target.
    pub(super) url_at: usize,
    /// The target of the request line and its offset, where it is not that of the URL.
    pub(super) target: Option<(usize, &'a [u8])>,
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

/// What was not looked at.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Losses {
    /// Bodies that could not be unpacked whole.
    pub(super) packed: u64,
    /// Messages with more than [`MAX_HEADERS`].
    pub(super) headers: u64,
    /// Headers with more than [`parts::MAX_COOKIES`].
    pub(super) cookies: u64,
}

impl Losses {
    pub(super) fn add(&mut self, other: &Self) {
        self.packed = self.packed.saturating_add(other.packed);
        self.headers = self.headers.saturating_add(other.headers);
        self.cookies = self.cookies.saturating_add(other.cookies);
    }
}

impl<'a> Message<'a> {
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        headers.find(|header| header.is(name)).map(|it| &*it.value)
    }

    /// The values of all headers of this name as one list (RFC 9110 §5.3).
    pub(super) fn list(&self, name: &str) -> Option<Vec<u8>> {
        let named = self.headers.iter().filter(|header| header.is(name));
        let values: Vec<&[u8]> = named.map(|header| &*header.value).collect();
        (!values.is_empty()).then(|| values.join(b", ".as_slice()))
    }

    /// Adds to the last header what a folded line says of its value, which stands at `at`: as many blanks before it as
    /// there are bytes between, so that each byte keeps its place (RFC 9112 §5.2).
    fn fold(&mut self, line: &[u8], at: usize) {
        let Some(header) = self.headers.last_mut().filter(|_| !self.has_more) else {
            return;
        };
        if header.value.is_empty() {
            header.at = at;
        }
        let end = header.at.saturating_add(header.value.len());
        let value = header.value.to_mut();
        value.resize(value.len().saturating_add(at.saturating_sub(end)), b' ');
        value.extend_from_slice(line);
    }

    /// Adds a header, as long as there are not more than are looked at.
    pub(super) fn push(&mut self, header: Header<'a>) {
        if self.headers.len() < MAX_HEADERS {
            self.headers.push(header);
        } else {
            self.has_more = true;
        }
    }
}

impl Header<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl Exchanged<'_> {
    /// The host that it went to.
    pub(super) fn host(&self) -> Option<Box<str>> {
        let authority = self
            .request
            .header(":authority")
            .or_else(|| self.request.header("host"));
        parts::host(&self.url).or_else(|| parts::named_host(authority?))
    }

    /// Hands on the parts, those of the request first, those of each message as they lie in it.
    pub(super) fn observe(&self, needles: &Needles, found: &mut dyn FnMut(Found)) -> Losses {
        let mut observer = Observer {
            exchange: self,
            host: self.host(),
            needles,
            resolver: parts::Resolver::default(),
            losses: Losses::default(),
            found,
        };
        if !self.url.is_empty() {
            let url = Payload::Url(Raw::new(&*self.url));
            observer.push(self.url_at, "/request/url".into(), Via::Request, url);
        }
        if let Some((at, target)) = self.target.filter(|(_, target)| needles.hit(target)) {
            let url = Payload::Url(Raw::new(parts::resolve(&self.url, target)));
            observer.push(at, "/request/target".into(), Via::Request, url);
        }
        observer.message(&self.request, Via::Request);
        observer.message(&self.response, Via::Response);
        observer.losses
    }
}

struct Observer<'a> {
    exchange: &'a Exchanged<'a>,
    host: Option<Box<str>>,
    needles: &'a Needles,
    resolver: parts::Resolver,
    losses: Losses,
    found: &'a mut dyn FnMut(Found),
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
        let more = u64::from(message.has_more);
        self.losses.headers = self.losses.headers.saturating_add(more);
        if let Some((at, bytes)) = message.body {
            self.body(message, at, bytes, format!("/{side}/body"), via);
        }
    }

    fn header(&mut self, header: &Header<'_>, pointer: String, via: Via) {
        let value = &*header.value;
        let is_request = via == Via::Request;
        if header.is("referer") && is_request {
            if self.needles.hit(value) {
                let sent_to = self.host.clone();
                let url = Payload::Url(Raw::new(value));
                self.push(header.at, pointer, Via::Referer { sent_to }, url);
            }
        } else if header.is("location") && !is_request {
            let url = self.resolver.resolve(&self.exchange.url, value);
            if parts::is_worth_following(self.needles, &url) {
                let url = Payload::Url(Raw::new(url));
                self.push(header.at, pointer, Via::Location, url);
            }
        } else if header.is("cookie") && is_request {
            let cookies = parts::cookies(self.whole_cookies(value));
            self.cookies(header, &cookies, &pointer, &via);
        } else if header.is("set-cookie") && !is_request {
            let cookies = parts::set_cookies(self.whole_cookies(value));
            self.cookies(header, &cookies, &pointer, &via);
        } else if (header.is("refresh") || header.is("link")) && !is_request {
            let via = if header.is("refresh") {
                Via::Location
            } else {
                via
            };
            if self.needles.hit(value) {
                self.push(header.at, pointer, via, Payload::Text(Raw::new(value)));
            }
        } else if header.is("www-authenticate") && !is_request
            || self.needles.hit(&[header.name, b": ", value].concat())
        {
            let payload = Payload::Header {
                name: String::from_utf8_lossy(header.name).into(),
                value: Raw::new(value),
            };
            self.push(header.at, pointer, via, payload);
        }
    }

    /// As much of a header as is split into cookies, none of them in half.
    fn whole_cookies<'h>(&mut self, value: &'h [u8]) -> &'h [u8] {
        let (whole, rest) = parts::whole_cookies(value);
        self.losses.cookies = self
            .losses
            .cookies
            .saturating_add(u64::from(!rest.is_empty()));
        whole
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
            if self
                .needles
                .hit(&[cookie.name, b"=", cookie.value].concat())
            {
                let pair = Payload::Pair {
                    store: Store::Cookie,
                    origin: self.host.clone(),
                    key: Raw::new(cookie.name),
                    value: Raw::new(cookie.value),
                };
                let at = header.at.saturating_add(cookie.offset);
                self.push(at, pointer.into(), via.clone(), pair);
            }
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
            self.losses.packed = self.losses.packed.saturating_add(1);
        }
        if parts::is_worth_a_look(self.needles, &via, &bytes) {
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
        (self.found)(Found {
            offset,
            pointer,
            via,
            at: message.at,
            payload,
        });
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
        } else if matches!(line, [b' ' | b'\t', ..]) && !message.headers.is_empty() {
            let blanks = line.len().saturating_sub(line.trim_ascii_start().len());
            message.fold(line.trim_ascii(), at.saturating_add(blanks));
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let value = line.get(colon.saturating_add(1)..).unwrap_or_default();
            let blanks = value.len().saturating_sub(value.trim_ascii_start().len());
            message.push(Header {
                name: line.get(..colon).unwrap_or_default(),
                value: value.trim_ascii().into(),
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

/// Method and target of a request line, and the target's offset. Of what is no request line as much as can be is the
/// target, so that none is lost.
pub(super) fn target(line: &[u8]) -> (Option<Method>, usize, &[u8]) {
    let Some(blank) = memchr::memchr(b' ', line) else {
        return (None, 0, line);
    };
    let method = line.get(..blank).and_then(Method::of);
    let at = blank.saturating_add(1);
    let target = line.get(at..).unwrap_or_default();
    // Blanks in a target are told from the one before the version.
    let version = memchr::memmem::rfind(target, b" HTTP/");
    let target = target.get(..version.unwrap_or(target.len()));
    (method, at, target.unwrap_or_default())
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
        let (method, at, rest) = target(line);
        assert_eq!(method.map(Method::as_str), Some("POST"));
        assert_eq!((at, rest), (5, b"/token".as_slice()));
        assert_eq!(url(rest, &message), b"//idp.example/token");
        for header in &message.headers {
            assert!(bytes[header.at..].starts_with(&header.value));
        }
        assert_eq!(message.header("content-type"), Some(b"a/b".as_slice()));
        let (at, body) = message.body.unwrap();
        assert_eq!((body, &bytes[at..]), (b"code=1".as_slice(), body));
        assert_eq!(status(b"HTTP/1.1 302 Found"), Some(302));
        assert_eq!(status(b"HTTP/2 200"), Some(200));
    }

    #[test]
    fn folded_headers_are_joined_and_keep_their_places() {
        let bytes =
            b"GET / HTTP/1.1\r\nAuthorization: Bearer\r\n\tabc\r\nX:\r\n  d\r\n e\r\n\r\n f";
        let (_, message) = message(bytes);
        let values: Vec<_> = message
            .headers
            .iter()
            .map(|it| (&*it.value, it.at))
            .collect();
        let expected = [(b"Bearer   abc".as_slice(), 31), (b"d   e", 51)];
        assert_eq!(values, expected);
        assert!(bytes[51..].starts_with(b"d\r\n e"));
        assert_eq!(message.body.map(|(_, body)| body), Some(b" f".as_slice()));
    }

    #[test]
    fn only_what_may_matter_is_handed_on_and_only_so_much_of_it() {
        let needles = crate::atoms::rules::Rules::builtin().unwrap().needles;
        let bytes = [
            b"GET /cb HTTP/1.1\r\nAuthorization: Bearer x\r\n".as_slice(),
            &b"Host: a.example\r\nReferer: https://a.example/\r\n".repeat(100_000),
            b"\r\ncode=1",
        ]
        .concat();
        let (line, request) = message(&bytes);
        assert_eq!(request.headers.len(), MAX_HEADERS);
        let (_, url_at, target) = target(line);
        let cookies = b"access_token=x;".repeat(parts::MAX_COOKIES / 10);
        let mut response = Message::default();
        for (name, value) in [("set-cookie", cookies.as_slice()), ("location", b"/")] {
            let name = name.as_bytes();
            let value = value.into();
            response.push(Header { name, value, at: 0 });
        }
        let exchanged = Exchanged {
            url: url(target, &request),
            url_at,
            request,
            response,
            ..Exchanged::default()
        };
        let mut found = Vec::new();
        let losses = exchanged.observe(&needles, &mut |part| found.push(part.pointer));
        let cookies = found.iter().filter(|it| *it == "/response/headers/0");
        assert!(cookies.count() <= parts::MAX_COOKIES / b"access_token=x;".len());
        found.dedup();
        let expected = ["/request/url", "/request/headers/0", "/request/body"];
        assert_eq!(found, [&expected[..], &["/response/headers/0"]].concat());
        assert_eq!((losses.headers, losses.cookies), (1, 1));
    }

    #[test]
    fn an_endless_name_is_not_held_by_what_it_is_told_with() {
        let long = [b"https://".as_slice(), &vec![b'a'; 1 << 20], b"/a/b"].concat();
        let needles = crate::atoms::rules::Rules::builtin().unwrap().needles;
        let mut response = Message::default();
        for _ in 0..1_000 {
            response.push(Header {
                name: b"Location",
                value: b"?code=1".into(),
                at: 0,
            });
        }
        let exchanged = Exchanged {
            url: long.clone(),
            response,
            ..Exchanged::default()
        };
        assert_eq!(exchanged.host(), None);
        let mut bytes = 0;
        exchanged.observe(&needles, &mut |part| match &part.payload {
            Payload::Url(url) => bytes += url.as_bytes().len(),
            other => panic!("{other:?}"),
        });
        assert!(bytes < long.len() * 20, "{bytes}");
        let line = [&vec![b'A'; 1 << 20], b" /cb".as_slice()].concat();
        assert_eq!(target(&line), (None, (1 << 20) + 1, b"/cb".as_slice()));
    }
}
