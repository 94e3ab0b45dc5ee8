//! One response as a cache stored it: its URL, what is left of its request, its headers and its body, handed on as
//! observations. Knows HTTP's own headers; no cache format, and nothing of OAuth.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::coding;
use super::input::{Input, MAX_PART, too_large};
use crate::atoms::rules::Needles;
use crate::atoms::{
    Basis, Digest, JoinKey, KeyKind, Locator, Method, Place, Raw, Source, View, When, Zone,
};
use crate::collect::har::parts;
use crate::collect::{Context, Exchange, Observation, Payload, ReadError, Sink, Store, Via};

/// Headers of one stored message that are looked at. Servers and browsers stop at a few hundred.
pub(super) const MAX_HEADERS: usize = 4_096;

/// A header, and where its value lies in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) at: u64,
}

/// A response and its request.
#[derive(Debug)]
pub(super) struct Stored {
    /// URL of the request, and where it lies in the file.
    pub(super) url: Vec<u8>,
    pub(super) url_at: u64,
    pub(super) method: Option<Method>,
    pub(super) status: Option<u16>,
    /// When the response came.
    pub(super) at: Option<Timestamp>,
    pub(super) view: View,
    pub(super) beside: Beside,
    pub(super) request: Vec<Header>,
    pub(super) response: Vec<Header>,
}

/// Files in which parts of an entry lie, when not in the one that is read.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) key: Option<Box<str>>,
    pub(super) headers: Option<Box<str>>,
    pub(super) body: Option<Box<str>>,
}

impl Stored {
    /// A response of which nothing but its URL is known yet.
    pub(super) fn new(url: Vec<u8>, url_at: u64) -> Self {
        Self {
            url,
            url_at,
            method: None,
            status: None,
            at: None,
            view: View::Live,
            beside: Beside::default(),
            request: Vec::new(),
            response: Vec::new(),
        }
    }

    /// Whether its body can be text.
    pub(super) fn has_text(&self) -> bool {
        !parts::is_media(&self.mime())
    }

    fn mime(&self) -> String {
        let mime = self.header(b"content-type");
        String::from_utf8_lossy(mime).trim().to_ascii_lowercase()
    }

    fn header(&self, name: &[u8]) -> &[u8] {
        self.values(name).next().unwrap_or_default()
    }

    /// A header that is a list: several lines of it are one, with commas between them (RFC 9110 §5.3).
    fn list(&self, name: &[u8]) -> Vec<u8> {
        self.values(name).collect::<Vec<_>>().join(&b',')
    }

    fn values(&self, name: &[u8]) -> impl Iterator<Item = &[u8]> {
        let named = move |header: &&Header| header.name.eq_ignore_ascii_case(name);
        let found = self.response.iter().filter(named);
        found.map(|header| header.value.as_slice())
    }
}

/// Adds a header, as long as there are not more than are looked at and one that tells so.
pub(super) fn push(headers: &mut Vec<Header>, header: Header) {
    if headers.len() <= MAX_HEADERS {
        headers.push(header);
    }
}

/// Status and headers of a response whose lines end at `stop`; `at` is where `block` lies in the file.
pub(super) fn lines(block: &[u8], at: u64, stop: u8) -> (Option<u16>, Vec<Header>) {
    let mut lines = block.split(|byte| *byte == stop);
    let first = lines.next().unwrap_or_default();
    let mut at = after(at, first.len());
    let mut headers = Vec::new();
    for line in lines {
        if let Some(colon) = memchr::memchr(b':', line).filter(|colon| *colon > 0) {
            let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
            let value = value.get(1..).unwrap_or_default();
            let blanks = value.len().saturating_sub(value.trim_ascii_start().len());
            let header = Header {
                name: name.trim_ascii().to_vec(),
                value: value.trim_ascii().to_vec(),
                at: after(at, colon).saturating_add(blanks as u64),
            };
            push(&mut headers, header);
        }
        at = after(at, line.len());
    }
    (status(first), headers)
}

/// Where the byte behind `len` bytes and their end lies.
fn after(at: u64, len: usize) -> u64 {
    at.saturating_add(len as u64).saturating_add(1)
}

/// `HTTP/1.1 302 Found`.
fn status(line: &[u8]) -> Option<u16> {
    let mut words = line.split(|byte| *byte == b' ');
    words.next().filter(|word| word.starts_with(b"HTTP/"))?;
    let code: u16 = std::str::from_utf8(words.next()?)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    (100..1000).contains(&code).then_some(code)
}

/// Where the finds of one cache file go.
pub(super) struct Out<'a, 's> {
    source: &'a Arc<Source>,
    digest: Digest,
    needles: &'a Needles,
    sink: &'a mut Sink<'s>,
}

/// What an observation shares with the others of its exchange.
struct Shared<'a> {
    stored: &'a Stored,
    exchange: Arc<Exchange>,
    host: Option<Box<str>>,
}

impl<'a, 's> Out<'a, 's> {
    pub(super) fn new(
        source: &'a Arc<Source>,
        context: &Context<'a>,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        Self {
            source,
            digest: source.digest(),
            needles: &context.rules.needles,
            sink,
        }
    }

    /// Takes note of a part that was not read.
    pub(super) fn problem(&mut self, problem: ReadError) {
        (self.sink.problem)(problem);
    }

    /// Whether there may be something in these bytes.
    pub(super) fn hit(&self, bytes: &[u8]) -> bool {
        self.needles.hit(bytes)
    }

    /// Reads a body, and tells when it is larger than what is held at once.
    pub(super) fn body_part(
        &mut self,
        input: &mut Input,
        body: Option<(u64, u64)>,
    ) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let Some((at, len)) = body else {
            return Ok(None);
        };
        if len > MAX_PART {
            self.problem(too_large());
        }
        Ok(Some((at, input.part(at, len)?)))
    }

    /// Reports a response, and its body (where it lies in the file, and its bytes as stored).
    pub(super) fn stored(&mut self, stored: &Stored, body: Option<(u64, Vec<u8>)>) {
        let shared = Shared {
            exchange: self.exchange(stored),
            host: parts::host(&stored.url),
            stored,
        };
        if self.hit(&stored.url) {
            let url = Payload::Url(Raw::new(stored.url.as_slice()));
            self.observe(&shared, ("key", "url", stored.url_at), Via::Request, url);
        }
        if stored.request.len().max(stored.response.len()) > MAX_HEADERS {
            let why = format!(
                "an entry has more than {MAX_HEADERS} headers; the others were not looked at"
            );
            self.problem(ReadError::Limit(why.into()));
        }
        for header in stored.request.iter().take(MAX_HEADERS) {
            self.request_header(&shared, header);
        }
        for header in stored.response.iter().take(MAX_HEADERS) {
            self.response_header(&shared, header);
        }
        if let Some((at, body)) = body {
            self.body(&shared, at, body);
        }
    }

    fn exchange(&self, stored: &Stored) -> Arc<Exchange> {
        let at = stored.url_at.to_le_bytes();
        let parts = [
            b"cache-entry".as_slice(),
            self.digest.as_bytes().as_slice(),
            at.as_slice(),
        ];
        Arc::new(Exchange {
            key: JoinKey {
                kind: KeyKind::Exchange,
                digest: Digest::of(parts),
            },
            method: stored.method,
            status: stored.status,
            url: Raw::new(stored.url.as_slice()),
            host: None,
        })
    }

    fn request_header(&mut self, shared: &Shared<'_>, header: &Header) {
        if header.name.eq_ignore_ascii_case(b"cookie") {
            self.cookies(
                shared,
                header,
                &parts::cookies(&header.value),
                &Via::Request,
            );
        } else if header.name.eq_ignore_ascii_case(b"referer") {
            if self.hit(&header.value) {
                let url = Payload::Url(Raw::new(header.value.as_slice()));
                let sent_to = shared.host.clone();
                let via = Via::Referer { sent_to };
                self.observe(shared, ("request", "referer", header.at), via, url);
            }
        } else {
            self.header(shared, header, "request", Via::Request);
        }
    }

    fn response_header(&mut self, shared: &Shared<'_>, header: &Header) {
        let name = header.name.to_ascii_lowercase();
        match name.as_slice() {
            b"location" => {
                let url = parts::resolve(&shared.stored.url, &header.value);
                if self.hit(&url) {
                    let place = ("response", "location", header.at);
                    let url = Payload::Url(Raw::new(url));
                    self.observe(shared, place, Via::Location, url);
                }
            }
            b"set-cookie" => {
                let cookies = parts::set_cookies(&header.value);
                self.cookies(shared, header, &cookies, &Via::Response);
            }
            b"refresh" | b"link" => {
                if self.hit(&header.value) {
                    let (key, via) = match name.as_slice() {
                        b"refresh" => ("refresh", Via::Location),
                        _ => ("link", Via::Response),
                    };
                    let text = Payload::Text(Raw::new(header.value.as_slice()));
                    self.observe(shared, ("response", key, header.at), via, text);
                }
            }
            _ => self.header(shared, header, "response", Via::Response),
        }
    }

    /// A header whose name is not told in its place: a hostile server chose it.
    fn header(&mut self, shared: &Shared<'_>, header: &Header, side: &'static str, via: Via) {
        let line = [header.name.as_slice(), b": ", header.value.as_slice()].concat();
        if self.hit(&line) {
            let payload = Payload::Header {
                name: String::from_utf8_lossy(&header.name).into(),
                value: Raw::new(header.value.as_slice()),
            };
            self.observe(shared, (side, "header", header.at), via, payload);
        }
    }

    fn cookies(
        &mut self,
        shared: &Shared<'_>,
        header: &Header,
        cookies: &[parts::Cookie<'_>],
        via: &Via,
    ) {
        let (side, key) = match via {
            Via::Request => ("request", "cookie"),
            _ => ("response", "set-cookie"),
        };
        for cookie in cookies {
            let pair = [cookie.name, b"=", cookie.value].concat();
            if self.hit(&pair) {
                let payload = Payload::Pair {
                    store: Store::Cookie,
                    origin: shared.host.clone(),
                    key: Raw::new(cookie.name),
                    value: Raw::new(cookie.value),
                };
                let at = header.at.saturating_add(cookie.offset as u64);
                self.observe(shared, (side, key, at), via.clone(), payload);
            }
        }
    }

    fn body(&mut self, shared: &Shared<'_>, at: u64, body: Vec<u8>) {
        let encodings = shared.stored.list(b"content-encoding");
        let (body, problem) = coding::decoded(body, &encodings);
        if let Some(problem) = problem {
            self.problem(problem);
        }
        if !parts::has_media_magic(&body) && self.hit(&body) {
            let payload = Payload::Body {
                mime: shared.stored.mime().into(),
                bytes: Raw::new(body),
            };
            self.observe(shared, ("body", "", at), Via::Response, payload);
        }
    }

    /// Reports text or a URL of which no more is known than where it lies.
    pub(super) fn loose(&mut self, stored: &Stored, at: u64, payload: Payload) {
        let shared = Shared {
            exchange: self.exchange(stored),
            host: None,
            stored,
        };
        self.observe(&shared, ("header", "", at), Via::Response, payload);
    }

    fn observe(
        &mut self,
        shared: &Shared<'_>,
        (part, key, at): (&'static str, &'static str, u64),
        via: Via,
        payload: Payload,
    ) {
        let beside = match part {
            "key" => &shared.stored.beside.key,
            "body" => &shared.stored.beside.body,
            _ => &shared.stored.beside.headers,
        };
        let (file, key) = match beside {
            Some(file) => (file.clone(), format!("{part} {key}").trim_end().into()),
            None => (part.into(), key.into()),
        };
        (self.sink.observe)(Observation {
            place: Place {
                source: Arc::clone(self.source),
                locator: Locator::Record {
                    file,
                    key,
                    sequence: at,
                },
                view: shared.stored.view,
            },
            at: shared.stored.at.map(|instant| When {
                instant,
                basis: Basis::Row,
                // An epoch fixes the zone.
                zone: Zone::Stated,
            }),
            via,
            visit: None,
            exchange: Some(Arc::clone(&shared.exchange)),
            payload,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_header_lead_back_to_their_place() {
        let block = b"HTTP/1.1 302 Found\0Location:  /cb#x\0broken\0A:b\0\0";
        let (status, headers) = lines(block, 100, 0);
        assert_eq!(status, Some(302));
        let [location, a] = headers.as_slice() else {
            panic!("{headers:?}")
        };
        for header in [location, a] {
            let at = usize::try_from(header.at - 100).unwrap();
            assert!(block[at..].starts_with(&header.value), "{header:?}");
        }
        assert_eq!(
            (location.value.as_slice(), a.name.as_slice()),
            (&b"/cb#x"[..], &b"A"[..])
        );
        assert_eq!(lines(b"", 0, 0).0, None);
        assert_eq!(lines(b"HTTP/1.1 99999 x", 0, 0).0, None);
    }
}
