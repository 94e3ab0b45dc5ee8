//! One side of an entry, its members as they stand in the document. Looks into none of them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::left::{Left, leave, put};
use super::parts;
use crate::atoms::Method;
use crate::collect::json::Value;

/// A request or a response.
#[derive(Default)]
pub(super) struct Message<'a> {
    pub(super) path: &'static str,
    pub(super) method: Option<Value<'a>>,
    pub(super) status: Option<Value<'a>>,
    pub(super) url: Option<Value<'a>>,
    pub(super) headers: Vec<Header<'a>>,
    pub(super) cookies: Option<Value<'a>>,
    pub(super) query: Option<Value<'a>>,
    pub(super) body: Option<Body<'a>>,
    pub(super) redirect: Option<Value<'a>>,
    /// What of it is none of these.
    pub(super) left: Vec<Left<'a>>,
}

/// `postData` or `content`.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) mime: Option<Value<'a>>,
    pub(super) text: Option<Value<'a>>,
    pub(super) encoding: Option<Value<'a>>,
    pub(super) params: Option<Value<'a>>,
    pub(super) file: Option<Value<'a>>,
}

/// A header with a value.
pub(super) struct Header<'a> {
    pub(super) pointer: String,
    pub(super) name: Cow<'a, [u8]>,
    pub(super) value: Value<'a>,
}

impl<'a> Message<'a> {
    pub(super) fn of(message: Value<'a>, path: &'static str) -> Self {
        let mut read = Self {
            path,
            ..Self::default()
        };
        let left = &mut read.left;
        let (mut list, mut body) = (None, None);
        let is_request = path == "/request";
        for (name, value) in message.members() {
            let is_text = value.content().is_some();
            let place = match name.as_ref() {
                b"method" if is_request && method(value).is_some() => &mut read.method,
                b"status" if !is_request => &mut read.status,
                b"url" if is_request && is_text => &mut read.url,
                b"headers" if value.is_array() => &mut list,
                b"cookies" if value.is_array() => &mut read.cookies,
                b"queryString" if is_request && value.is_array() => &mut read.query,
                b"postData" | b"content" if value.is_object() => &mut body,
                b"redirectURL" if !is_request && is_text => &mut read.redirect,
                _ => {
                    leave(left, path, name, value);
                    continue;
                }
            };
            put(place, left, path, name, value);
        }
        read.headers = list.map_or_else(Vec::new, |list| headers(list, path, left));
        read.body = body.map(|body| Body::of(body, path, left));
        read
    }

    pub(super) fn header(&self, name: &str) -> Option<&Header<'a>> {
        self.headers.iter().find(|header| header.is(name))
    }
}

impl<'a> Body<'a> {
    fn of(body: Value<'a>, path: &'static str, left: &mut Vec<Left<'a>>) -> Self {
        let mut read = Self::default();
        let is_request = path == "/request";
        let path = match path {
            "/request" => "/request/postData",
            _ => "/response/content",
        };
        for (name, value) in body.members() {
            let is_text = value.content().is_some();
            let place = match name.as_ref() {
                b"mimeType" if is_text => &mut read.mime,
                b"text" if is_text => &mut read.text,
                b"encoding" if is_text => &mut read.encoding,
                b"params" if is_request && value.is_array() => &mut read.params,
                b"_file" if is_text => &mut read.file,
                _ => {
                    leave(left, path, name, value);
                    continue;
                }
            };
            put(place, left, path, name, value);
        }
        read
    }

    /// The stated media type, lower case; empty when there is none.
    pub(super) fn mime(&self) -> String {
        let mime = self.mime.and_then(Value::text);
        String::from_utf8_lossy(&mime.unwrap_or_default())
            .trim()
            .to_ascii_lowercase()
    }

    /// The text, unless it is empty.
    pub(super) fn text(&self) -> Option<Value<'a>> {
        let has_content = |text: &Value<'_>| {
            let content = text.content();
            content.is_some_and(|(_, content)| !content.is_empty())
        };
        self.text.filter(has_content)
    }
}

impl Header<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The headers of a message, each name and value once: some producers list what was sent and what was
/// shown.
fn headers<'a>(list: Value<'a>, path: &str, left: &mut Vec<Left<'a>>) -> Vec<Header<'a>> {
    let mut headers = Vec::new();
    let mut seen = HashSet::new();
    for (index, item) in list.items().enumerate() {
        let (mut name, mut value) = (None, None);
        let own = || format!("{path}/headers/{index}");
        for (key, member) in item.members() {
            let place = match key.as_ref() {
                b"name" if member.content().is_some() => &mut name,
                b"value" if member.content().is_some() => &mut value,
                _ => {
                    leave(left, own(), key, member);
                    continue;
                }
            };
            if let Some(before) = place.replace(member) {
                leave(left, own(), key, before);
            }
        }
        if !item.is_object() {
            leave(
                left,
                format!("{path}/headers"),
                index.to_string().into_bytes().into(),
                item,
            );
        }
        let (Some(name), Some(value)) = (name.and_then(Value::text), value) else {
            continue;
        };
        let is_empty = value.text().is_none_or(|text| text.is_empty());
        if !is_empty && seen.insert((name.to_ascii_lowercase(), value.raw)) {
            headers.push(Header {
                pointer: format!("{path}/headers/{index}/value"),
                name,
                value,
            });
        }
    }
    headers
}

/// The last `name` and the last `value` of an object.
pub(super) fn name_and_value(item: Value<'_>) -> (Option<Value<'_>>, Option<Value<'_>>) {
    let (mut name, mut value) = (None, None);
    for (key, member) in item.members() {
        match key.as_ref() {
            b"name" => name = Some(member),
            b"value" => value = Some(member),
            _ => {}
        }
    }
    (name, value)
}

/// Appends a list of `name` and `value` as a form.
pub(super) fn pairs(list: Value<'_>, out: &mut Vec<u8>) {
    for item in list.items() {
        let (name, value) = name_and_value(item);
        if let Some(name) = name.and_then(Value::text) {
            let value = value.and_then(Value::text);
            parts::push_pair(out, &name, &value.unwrap_or_default());
        }
    }
}

/// The method that a value names.
pub(super) fn method(value: Value<'_>) -> Option<Method> {
    Method::of(&value.text()?)
}
