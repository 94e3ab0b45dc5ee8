//! The parts of a record become observations: each value once, under the role it has. What no needle
//! is in, and no role makes a secret, is dropped here.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::record::{Part, Record, is_set};
use super::request::{Request, contains, request_line, starts_url};
use crate::atoms::rules::Needles;
use crate::atoms::rules::log_format::Role;
use crate::atoms::{Digest, Locator, Place, Raw, Source, View, When, armour};
use crate::collect::{Exchange, Observation, Payload, Store, Via};

/// Headers whose values are secrets whatever they look like (RFC 9110 §11.6.2, §11.7.2).
const SECRET_HEADERS: [&[u8]; 2] = [b"authorization", b"proxy-authorization"];

/// Bytes of a member that is handed on for what stands beside it: a scope, a lifetime, a redirect URI.
const MAX_BESIDE: usize = 2048;

/// Where a record stands.
pub(in crate::collect) struct Spot<'a> {
    pub(in crate::collect) source: &'a Arc<Source>,
    /// The source's own.
    pub(in crate::collect) digest: &'a Digest,
    pub(in crate::collect) locator: Locator,
    /// Two numbers that tell the record from every other one of its source, such as its line's and its own on it.
    pub(in crate::collect) record: [u64; 2],
}

/// Hands on everything in `record` that is worth a look.
pub(super) fn observe(
    record: &Record<'_>,
    spot: Spot<'_>,
    needles: &Needles,
    sink: &mut dyn FnMut(Observation),
) {
    let request = Request::of(&record.parts);
    let exchange = request.exchange(&spot);
    let place = Place {
        source: Arc::clone(spot.source),
        locator: spot.locator,
        view: View::Live,
    };
    let mut out = Out {
        place,
        at: record.at,
        exchange,
        sent_to: request.host_or_authority(),
        needles,
        seen: HashSet::new(),
        sink,
    };
    for url in &request.urls {
        out.url(url, Via::Request);
    }
    let mut objects = objects(&record.parts);
    for part in &record.parts {
        if !is_member(part) {
            out.part(part, &request);
        } else if let Some(members) = part.object.and_then(|it| objects.remove(&it)) {
            // All of an object stands where the first of it does.
            out.members(&members);
        }
    }
}

/// The members that no format names, by their objects.
fn objects<'a, 'l>(parts: &'a [Part<'l>]) -> HashMap<u32, Vec<&'a Part<'l>>> {
    let mut objects: HashMap<u32, Vec<&Part<'_>>> = HashMap::new();
    for part in parts {
        if let Some(object) = part.object.filter(|_| is_member(part)) {
            objects.entry(object).or_default().push(part);
        }
    }
    objects
}

/// Whether a part is a member of an object that no format names.
fn is_member(part: &Part<'_>) -> bool {
    part.object.is_some() && part.role.is_none() && !part.name.is_empty() && is_set(&part.value)
}

/// Where the observations of one record go.
struct Out<'a> {
    place: Place,
    at: Option<When>,
    exchange: Option<Arc<Exchange>>,
    sent_to: Option<Box<str>>,
    needles: &'a Needles,
    /// Values already handed on.
    seen: HashSet<&'a [u8]>,
    sink: &'a mut dyn FnMut(Observation),
}

impl<'a> Out<'a> {
    fn part(&mut self, part: &'a Part<'_>, request: &Request<'_>) {
        let (name, value) = (&*part.name, &*part.value);
        if !is_set(value) {
            return;
        }
        match part.role {
            Some(Role::Request) => self.request_line(value, request),
            Some(Role::Target | Role::Query | Role::Url) if is_in(value, &request.urls) => {}
            Some(Role::Referer) => self.referer(value),
            Some(Role::Location) => self.url_or_text(value, Via::Location),
            Some(Role::OtherUrl) => self.url_or_text(value, Via::Unknown),
            Some(Role::Authorization) => self.header(b"Authorization", value, Via::Request),
            Some(Role::Cookie) => self.cookies(value, &Via::Request),
            Some(Role::SetCookie) => self.set_cookie(value),
            Some(Role::RequestHeaders) => self.named_header(name, value, &Via::Request),
            Some(Role::ResponseHeaders) => self.named_header(name, value, &Via::Response),
            Some(Role::Captures) => self.captures(value, &Via::Unknown),
            Some(Role::RequestCaptures) => self.captures(value, &self.sent_referer()),
            Some(Role::ResponseCaptures) => self.captures(value, &Via::Location),
            Some(Role::RequestBody) => self.body(value, Via::Request),
            Some(Role::ResponseBody) => self.body(value, Via::Response),
            Some(Role::Password) => self.pair(Store::LogField, name, value, Via::Request),
            Some(Role::User) if self.needles.hit(value) => {
                let name = if name.is_empty() { b"user" } else { name };
                self.pair(Store::LogField, name, value, Via::Request);
            }
            Some(
                Role::Date
                | Role::Time
                | Role::Client
                | Role::User
                | Role::Host
                | Role::Method
                | Role::Status,
            ) => self.text(value),
            _ if name.is_empty() => self.url_or_text(value, Via::Unknown),
            _ => self.column(name, value),
        }
    }

    /// What of a request line is not in its target.
    fn request_line(&mut self, line: &'a [u8], request: &Request<'_>) {
        let (_, target) = request_line(line);
        if !is_in(target, &request.urls) {
            self.text(line);
        }
    }

    fn url(&mut self, url: &[u8], via: Via) {
        if self.needles.hit(url) || via == Via::Request && self.is_hit_with_host(url) {
            self.put(via, Payload::Url(Raw::new(url)));
        }
    }

    /// Whether a target is worth a look because of the server to which it was sent, which another field names: a path may
    /// be a secret at one of them alone.
    fn is_hit_with_host(&self, target: &[u8]) -> bool {
        let host = self.sent_to.as_deref().filter(|_| target.starts_with(b"/"));
        host.is_some_and(|host| self.needles.hit(&[host.as_bytes(), target].concat()))
    }

    fn referer(&mut self, value: &'a [u8]) {
        if self.is_new(value) {
            self.url(value, self.sent_referer());
        }
    }

    fn sent_referer(&self) -> Via {
        Via::Referer {
            sent_to: self.sent_to.clone(),
        }
    }

    fn url_or_text(&mut self, value: &'a [u8], via: Via) {
        if !is_url(value) {
            self.text(value);
        } else if self.is_new(value) {
            self.url(value, via);
        }
    }

    fn text(&mut self, value: &'a [u8]) {
        /// A name, a separator and a value. What a format writes between its fields is shorter.
        const SHORTEST: usize = 3;
        if value.len() >= SHORTEST && self.needles.hit(value) && self.is_new(value) {
            self.put(Via::Text, Payload::Text(Raw::new(value)));
        }
    }

    /// The members of an object. What is not worth a look by itself may tell what stands beside it.
    fn members(&mut self, parts: &[&'a Part<'_>]) {
        let (mut is_hit_at_all, mut is_worth_a_look) = (false, false);
        let mut members = Vec::new();
        for part in parts {
            let (name, value) = (&*part.name, &*part.value);
            let inside = self.needles.hit(value);
            // A URL speaks for itself.
            if inside && (is_url(value) || is_sentence(value)) {
                self.url_or_text(value, Via::Unknown);
                continue;
            }
            let is_hit = !is_url(value) && self.needles.hit(&[name, b"=", value].concat());
            // What another object has, too, belongs to this message all the same.
            is_hit_at_all |= is_hit;
            is_worth_a_look |= is_hit && self.is_new(value);
            if is_hit || value.len() <= MAX_BESIDE {
                members.push((name, value));
            }
        }
        // No needle is a name of one letter, as those of a JWK are: another member speaks for it, which every key of
        // that type has (RFC 7517 §4.1).
        let short = members.iter().filter(|(name, _)| name.len() == 1);
        for (_, value) in short.filter(|_| is_hit_at_all) {
            is_worth_a_look |= self.is_new(value);
        }
        if is_worth_a_look {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (Raw::new(name), Raw::new(value)));
            let payload = Payload::Members {
                origin: self.sent_to.clone(),
                members: members.collect(),
            };
            self.put(Via::Unknown, payload);
        }
    }

    /// A column that no format names.
    fn column(&mut self, name: &[u8], value: &'a [u8]) {
        if is_url(value) {
            return self.url_or_text(value, Via::Unknown);
        }
        let named = [name, b"=", value].concat();
        let inside = self.needles.hit(value);
        if !self.needles.hit(&named) || !self.is_new(value) {
            return;
        }
        if inside && is_sentence(value) {
            self.put(Via::Text, Payload::Text(Raw::new(value)));
        } else {
            self.pair(Store::LogField, name, value, Via::Unknown);
        }
    }

    fn named_header(&mut self, name: &[u8], value: &'a [u8], via: &Via) {
        let lower = name.to_ascii_lowercase();
        match lower.as_slice() {
            b"referer" | b"referrer" => self.referer(value),
            b"location" => self.url_or_text(value, Via::Location),
            b"cookie" => self.cookies(value, via),
            b"set-cookie" => self.set_cookie(value),
            b"name" => {}
            _ => self.header(name, value, via.clone()),
        }
    }

    fn header(&mut self, name: &[u8], value: &'a [u8], via: Via) {
        let secret = SECRET_HEADERS
            .iter()
            .any(|header| name.eq_ignore_ascii_case(header));
        let named = [name, b": ", value].concat();
        if (secret || self.needles.hit(&named)) && self.is_new(value) {
            let name = String::from_utf8_lossy(name).into();
            let value = Raw::new(value);
            self.put(via, Payload::Header { name, value });
        }
    }

    /// `name=value; name=value` (RFC 6265 §4.2.1); IIS writes the blank as `+`.
    fn cookies(&mut self, value: &'a [u8], via: &Via) {
        for cookie in value.split(|byte| *byte == b';') {
            let cookie = cookie.trim_ascii();
            let cookie = cookie.strip_prefix(b"+").unwrap_or(cookie);
            let Some(at) = memchr::memchr(b'=', cookie) else {
                self.text(cookie);
                continue;
            };
            let (name, value) = cookie.split_at_checked(at).unwrap_or_default();
            let value = value.strip_prefix(b"=").unwrap_or(value);
            self.pair(Store::Cookie, name, value, via.clone());
        }
    }

    /// `name=value; attribute; attribute` (RFC 6265 §4.1.1).
    fn set_cookie(&mut self, value: &'a [u8]) {
        let cookie = value.split(|byte| *byte == b';').next().unwrap_or_default();
        self.cookies(cookie, &Via::Response);
    }

    fn captures(&mut self, value: &'a [u8], via: &Via) {
        for captured in value.split(|byte| *byte == b'|') {
            self.url_or_text(captured, via.clone());
        }
    }

    fn body(&mut self, bytes: &'a [u8], via: Via) {
        if self.needles.hit(bytes) && self.is_new(bytes) {
            let bytes = Raw::new(bytes);
            let mime = Box::default();
            self.put(via, Payload::Body { mime, bytes });
        }
    }

    fn pair(&mut self, store: Store, key: &[u8], value: &[u8], via: Via) {
        if !is_set(value) {
            return;
        }
        let payload = Payload::Pair {
            store,
            origin: self.sent_to.clone(),
            key: Raw::new(key),
            value: Raw::new(value),
        };
        self.put(via, payload);
    }

    /// Whether a value was not handed on before: loggers repeat headers and messages under several keys.
    fn is_new(&mut self, value: &'a [u8]) -> bool {
        self.seen.insert(value)
    }

    fn put(&mut self, via: Via, payload: Payload) {
        (self.sink)(Observation {
            place: self.place.clone(),
            at: self.at,
            via,
            visit: None,
            exchange: self.exchange.clone(),
            payload,
        });
    }
}

/// Whether a value is a URL or a request target by its looks.
fn is_url(value: &[u8]) -> bool {
    starts_url(value) && !value.iter().any(u8::is_ascii_whitespace)
}

/// Whether a value is a sentence, and so none of its key. One in armour has blanks in its marks alone (RFC 7468 §2).
fn is_sentence(value: &[u8]) -> bool {
    value.contains(&b' ')
        && !value
            .trim_ascii_start()
            .starts_with(armour::BEGIN.as_bytes())
}

/// Whether `value` stands in one of the request's URLs, or is its query.
fn is_in(value: &[u8], urls: &[Cow<'_, [u8]>]) -> bool {
    urls.iter().any(|url| contains(url, value))
}
