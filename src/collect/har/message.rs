//! One side of an entry, its members as they stand in the document. Looks into none of them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::parts;
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
    pub(super) body: Option<Value<'a>>,
    pub(super) redirect: Option<Value<'a>>,
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
        for (name, value) in message.members() {
            match name.as_ref() {
                b"method" => read.method = Some(value),
                b"status" => read.status = Some(value),
                b"url" => read.url = Some(value),
                b"headers" => read.headers = headers(value, path),
                b"cookies" => read.cookies = Some(value),
                b"queryString" => read.query = Some(value),
                b"postData" | b"content" => read.body = Some(value),
                b"redirectURL" => read.redirect = Some(value),
                _ => {}
            }
        }
        read
    }

    pub(super) fn header(&self, name: &str) -> Option<&Header<'a>> {
        self.headers.iter().find(|header| header.is(name))
    }
}

impl Header<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The headers of a message, each name and value once: some producers list what was sent and what was
/// shown.
fn headers<'a>(list: Value<'a>, path: &str) -> Vec<Header<'a>> {
    let mut headers = Vec::new();
    let mut seen = HashSet::new();
    for (index, item) in list.items().enumerate() {
        let (Some(name), Some(value)) = (item.get("name"), item.get("value")) else {
            continue;
        };
        let Some(name) = name.text() else { continue };
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

/// Appends a list of `name` and `value` as a form.
pub(super) fn pairs(list: Value<'_>, out: &mut Vec<u8>) {
    for item in list.items() {
        let text = |name| item.get(name).and_then(Value::text);
        if let Some(name) = text("name") {
            parts::push_pair(out, &name, &text("value").unwrap_or_default());
        }
    }
}

/// The stated media type, lower case; empty when there is none.
pub(super) fn mime(body: Value<'_>) -> String {
    let mime = body.get("mimeType").and_then(Value::text);
    String::from_utf8_lossy(&mime.unwrap_or_default())
        .trim()
        .to_ascii_lowercase()
}

/// A string that is not empty, as text.
pub(super) fn lossy(value: Value<'_>) -> Option<Box<str>> {
    let text = value.text()?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(&text).into())
}
