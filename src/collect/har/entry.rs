//! One entry of a HAR 1.2 document: what it holds, each with its place in it. Judges
//! nothing but whether bytes are worth a second look.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::attached::Attached;
use super::left::{Told, leave, put};
use super::message::{Body, Header, Message, method, name_and_value, pairs};
use super::parts;
use super::time;
use crate::atoms::rules::Needles;
use crate::atoms::{Method, Raw, When};
use crate::collect::json::{Value, unescape};
use crate::collect::{Payload, Store, Via};

/// Parts of one entry that are held until all of it is read, some hundred bytes each. A message has some dozen.
pub(super) const MAX_FOUND: usize = 50_000;

/// What was found, and what it is a part of.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) method: Option<Method>,
    pub(super) status: Option<u16>,
    pub(super) url: Vec<u8>,
    pub(super) host: Option<Box<str>>,
    /// In document order.
    pub(super) found: Vec<Found>,
    /// Whether there is more than [`MAX_FOUND`].
    pub(super) has_more: bool,
}

/// A part of an entry.
#[derive(Debug)]
pub(super) struct Found {
    /// Offset in the entry.
    pub(super) offset: usize,
    /// JSON pointer from the entry.
    pub(super) pointer: String,
    pub(super) via: Via,
    pub(super) at: Option<When>,
    pub(super) payload: Payload,
}

impl Found {
    /// With the host of its entry, which is not held once for each of its parts.
    pub(super) fn of_host(mut self, host: Option<&str>) -> Self {
        if let Payload::Pair { origin, .. } = &mut self.payload {
            *origin = host.map(Into::into);
        }
        if let Via::Referer { sent_to } = &mut self.via {
            *sent_to = host.map(Into::into);
        }
        self
    }
}

/// Reads an entry, which may be cut off at its end.
pub(super) fn read(
    bytes: &[u8],
    needles: &Needles,
    zone: Option<&TimeZone>,
    attached: &mut Attached<'_>,
) -> Entry {
    let mut collector = Collector::new(needles, attached);
    let Some(entry) = Value::at(bytes, 0) else {
        return collector.entry;
    };
    let (mut started, mut millis, mut messages) = (None, None, None);
    let (mut request, mut response) = (None, None);
    let mut left = Vec::new();
    for (name, value) in entry.members() {
        let place = match name.as_ref() {
            b"startedDateTime" => &mut started,
            b"time" => &mut millis,
            b"request" if value.is_object() => &mut request,
            b"response" if value.is_object() => &mut response,
            b"_webSocketMessages" if value.is_array() => &mut messages,
            _ => {
                leave(&mut left, "", name, value);
                continue;
            }
        };
        put(place, &mut left, "", name, value);
    }
    let message = |value: Option<_>, path| value.map(|value| Message::of(value, path));
    let request = message(request, "/request").unwrap_or_default();
    let response = message(response, "/response").unwrap_or_default();
    let started = started.and_then(Value::text);
    collector.started = started.and_then(|text| time::parse(&text, zone));
    let millis = millis.and_then(Value::number);
    collector.ended = collector.started.map(|start| time::later(start, millis));
    collector.request(&request, response.body.as_ref());
    collector.response(&response);
    for left in [&left, &request.left, &response.left] {
        collector.left(left);
    }
    if let Some(messages) = messages {
        collector.web_socket(messages);
    }
    collector.entry.found.sort_by_key(|found| found.offset);
    collector.entry
}

/// Gathers the parts of one entry.
pub(super) struct Collector<'a, 'e> {
    pub(super) needles: &'a Needles,
    pub(super) attached: &'a mut Attached<'e>,
    pub(super) entry: Entry,
    /// Bytes of first tellings that second ones were looked for in.
    pub(super) compared: usize,
    resolver: parts::Resolver,
    pub(super) started: Option<When>,
    ended: Option<When>,
}

impl<'a, 'e> Collector<'a, 'e> {
    pub(super) fn new(needles: &'a Needles, attached: &'a mut Attached<'e>) -> Self {
        Self {
            needles,
            attached,
            entry: Entry {
                method: None,
                status: None,
                url: Vec::new(),
                host: None,
                found: Vec::new(),
                has_more: false,
            },
            compared: 0,
            resolver: parts::Resolver::default(),
            started: None,
            ended: None,
        }
    }

    pub(super) fn push(&mut self, offset: usize, pointer: String, via: Via, payload: Payload) {
        let at = match via {
            Via::Response | Via::Location => self.ended,
            _ => self.started,
        };
        if self.entry.found.len() >= MAX_FOUND {
            self.entry.has_more = true;
            return;
        }
        self.entry.found.push(Found {
            offset,
            pointer,
            via,
            at,
            payload,
        });
    }

    fn request(&mut self, request: &Message<'_>, content: Option<&Body<'_>>) {
        self.entry.method = request.method.and_then(method);
        self.target(request, content);
        let has_url = !self.entry.url.is_empty();
        for header in &request.headers {
            let Some(value) = header.value.text() else {
                continue;
            };
            if header.is(":path") && !has_url {
                self.entry.url = value.to_vec();
                self.url(header.value, header.pointer.clone(), Via::Request, value);
            } else if header.is("cookie") {
                self.cookies(header, parts::cookies, &Via::Request);
            } else if header.is("referer") {
                let via = Via::Referer { sent_to: None };
                self.url(header.value, header.pointer.clone(), via, value);
            } else if !header.name.starts_with(b":") {
                self.header(header, Via::Request, value);
            }
        }
        self.cookie_list(request, "cookie", &Via::Request);
        if let Some(body) = &request.body {
            self.post_data(body);
        }
    }

    /// The URL of the request, from wherever it is written.
    fn target(&mut self, request: &Message<'_>, content: Option<&Body<'_>>) {
        let authority = request
            .header(":authority")
            .or_else(|| request.header("host"))
            .and_then(|header| parts::named_host(&header.value.text()?));
        let found = request.url.and_then(|value| Some((value, value.text()?)));
        let Some((value, url)) = found.filter(|(_, url)| !url.is_empty()) else {
            self.entry.host = authority;
            return;
        };
        if let Some((mime, body)) = parts::data_url(&url) {
            // The content repeats it.
            if content.and_then(|content| content.text).is_none() {
                self.body(
                    value,
                    "/request/url".into(),
                    Via::Response,
                    &mime,
                    Cow::Owned(body),
                );
            }
            let head = url.split(|byte| *byte == b',').next();
            self.entry.url = head.unwrap_or_default().to_vec();
            return;
        }
        self.entry.host = parts::host(&url).or(authority);
        let end = memchr::memchr(b'#', &url).unwrap_or(url.len());
        let has_query = url.iter().take(end).any(|byte| *byte == b'?');
        let mut query = Vec::new();
        if let Some(list) = request.query.filter(|_| !has_query) {
            pairs(list, &mut query);
        }
        match request.query {
            Some(list) if !query.is_empty() => {
                let url = parts::with_query(&url, &query);
                self.entry.url.clone_from(&url);
                self.url(
                    list,
                    "/request/queryString".into(),
                    Via::Request,
                    url.into(),
                );
            }
            list => {
                self.entry.url = url.to_vec();
                if let Some(list) = list {
                    self.more_of_query(list, &url, end);
                }
                self.url(value, "/request/url".into(), Via::Request, url);
            }
        }
    }

    /// What only the list has of a query, as the URL's own up to `end`.
    fn more_of_query(&mut self, list: Value<'_>, url: &[u8], end: usize) {
        let more = self.new_pairs(list, &Told::new(url));
        if !more.is_empty() {
            let head = url.get(..end).unwrap_or(url);
            let path = head.split(|byte| *byte == b'?').next().unwrap_or_default();
            let url = parts::with_query(path, &more);
            self.url(
                list,
                "/request/queryString".into(),
                Via::Request,
                url.into(),
            );
        }
    }

    fn response(&mut self, response: &Message<'_>) {
        let status = response.status.and_then(Value::number);
        self.entry.status = status.and_then(status_code);
        // Where the headers lead, one after the other.
        let mut told = Vec::new();
        for header in &response.headers {
            let Some(value) = header.value.text() else {
                continue;
            };
            if header.is("location") {
                let url = self.resolver.resolve(&self.entry.url, &value);
                if response.redirect.is_some() {
                    told.extend_from_slice(&url);
                    told.push(b'\n');
                }
                self.location(header.value, header.pointer.clone(), url);
            } else if header.is("set-cookie") {
                self.cookies(header, parts::set_cookies, &Via::Response);
            } else if header.is("refresh") {
                let text = Payload::Text(Raw::new(value));
                self.push(
                    header.value.start,
                    header.pointer.clone(),
                    Via::Location,
                    text,
                );
            } else if header.is("link") {
                let text = Payload::Text(Raw::new(value));
                self.push(
                    header.value.start,
                    header.pointer.clone(),
                    Via::Response,
                    text,
                );
            } else if !header.name.starts_with(b":") {
                self.header(header, Via::Response, value);
            }
        }
        if let Some(value) = response.redirect
            && let Some(url) = value.text().filter(|url| !url.is_empty())
        {
            let target = parts::resolve(&self.entry.url, &url);
            if told.is_empty()
                || self.needles.hit(&target) && self.is_new(&target, &Told::new(&told))
            {
                self.location(value, "/response/redirectURL".into(), target);
            }
        }
        self.cookie_list(response, "set-cookie", &Via::Response);
        if let Some(content) = &response.body {
            self.content(content);
        }
    }

    pub(super) fn url(&mut self, value: Value<'_>, pointer: String, via: Via, url: Cow<'_, [u8]>) {
        self.push(value.start, pointer, via, Payload::Url(Raw::new(url)));
    }

    fn location(&mut self, value: Value<'_>, pointer: String, url: Vec<u8>) {
        self.url(value, pointer, Via::Location, url.into());
    }

    fn header(&mut self, header: &Header<'_>, via: Via, value: Cow<'_, [u8]>) {
        let payload = Payload::Header {
            name: String::from_utf8_lossy(&header.name).into(),
            value: Raw::new(value),
        };
        self.push(header.value.start, header.pointer.clone(), via, payload);
    }

    /// Cookies of a header. Each is placed where its own value begins: all of them share one pointer.
    fn cookies(
        &mut self,
        header: &Header<'_>,
        split: fn(&[u8]) -> Vec<parts::Cookie<'_>>,
        via: &Via,
    ) {
        let Some((start, content)) = header.value.content() else {
            return;
        };
        let (content, rest) = parts::whole_cookies(content);
        for cookie in split(content) {
            let name = unescape(cookie.name);
            let value = unescape(cookie.value);
            let offset = start.saturating_add(cookie.offset);
            let pair = pair(&name, &value);
            self.push(offset, header.pointer.clone(), via.clone(), pair);
        }
        let rest_at = start.saturating_add(content.len());
        let rest = unescape(rest);
        if self.needles.hit(&rest) {
            let text = Payload::Text(Raw::new(rest));
            self.push(rest_at, header.pointer.clone(), Via::Text, text);
        }
    }

    /// What the `cookies` list has that the header does not say.
    fn cookie_list(&mut self, message: &Message<'_>, header: &str, via: &Via) {
        let Some(list) = message.cookies else { return };
        let headers = message.headers.iter().filter(|it| it.is(header));
        let told: Vec<_> = headers.filter_map(|header| header.value.text()).collect();
        let told = told.join(&b'\n');
        let told = Told::new(&told);
        for (index, item) in list.items().enumerate() {
            let (Some(name), Some(value)) = name_and_value(item) else {
                continue;
            };
            let (Some(name), Some(text)) = (name.text(), value.text()) else {
                continue;
            };
            if !text.is_empty() && self.is_new(&text, &told) {
                let pointer = format!("{}/cookies/{index}/value", message.path);
                self.push(value.start, pointer, via.clone(), pair(&name, &text));
            }
        }
    }
}

/// A cookie, of the host that [`Found::of_host`] names.
fn pair(name: &[u8], value: &[u8]) -> Payload {
    Payload::Pair {
        store: Store::Cookie,
        origin: None,
        key: Raw::new(name),
        value: Raw::new(value),
    }
}

/// A status of HTTP; producers write 0 and -1 for none.
fn status_code(number: f64) -> Option<u16> {
    (100..1000).find(|code| f64::from(*code).total_cmp(&number).is_eq())
}
