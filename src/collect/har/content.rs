//! The bodies of an entry: what was posted, what came back, and what a WebSocket carried, in the document or in
//! a file beside it. Decodes what the capture encoded, and leaves media alone.

use std::borrow::Cow;

use super::attached::File;
use super::entry::Collector;
use super::left::{Told, leave};
use super::message::{Body, pairs};
use super::{parts, time};
use crate::atoms::Raw;
use crate::collect::json::{Value, unescape};
use crate::collect::{Payload, Via};

impl Collector<'_, '_> {
    pub(super) fn post_data(&mut self, body: &Body<'_>) {
        let mime = body.mime();
        let is_external = self.external(body, "/request/postData/_file", &Via::Request, &mime);
        let told = body.text().filter(|_| !is_external).and_then(|text| {
            let decoded = decoded(body, text)?;
            let pointer = "/request/postData/text".into();
            self.body(text, pointer, Via::Request, &mime, Cow::Borrowed(&decoded));
            Some(decoded)
        });
        let Some(params) = body.params else {
            return;
        };
        let form = if is_external || told.is_some() {
            self.new_pairs(params, &Told::new(&told.unwrap_or_default()))
        } else {
            let mut form = Vec::new();
            pairs(params, &mut form);
            form
        };
        // Whatever it was sent as, a form is what is left of it.
        let mime = "application/x-www-form-urlencoded";
        let pointer = "/request/postData/params".into();
        self.body(params, pointer, Via::Request, mime, form.into());
    }

    pub(super) fn content(&mut self, content: &Body<'_>) {
        let mime = content.mime();
        if parts::is_media(&mime)
            || self.external(content, "/response/content/_file", &Via::Response, &mime)
        {
            return;
        }
        if let Some(text) = content.text()
            && let Some(decoded) = decoded(content, text)
        {
            let pointer = "/response/content/text".into();
            self.body(text, pointer, Via::Response, &mime, decoded);
        }
    }

    pub(super) fn body(
        &mut self,
        at: Value<'_>,
        pointer: String,
        via: Via,
        mime: &str,
        bytes: Cow<'_, [u8]>,
    ) {
        if !parts::is_media(mime) && parts::is_worth_a_look(self.needles, &via, &bytes) {
            let payload = Payload::Body {
                mime: mime.into(),
                bytes: Raw::new(bytes),
            };
            self.push(at.start, pointer, via, payload);
        }
    }

    pub(super) fn web_socket(&mut self, messages: Value<'_>) {
        for (index, message) in messages.items().enumerate() {
            let pointer = format!("/_webSocketMessages/{index}");
            self.message(message, &pointer, None);
        }
    }

    /// A WebSocket message; `start` is where it stands in the document, unless that is its own place.
    fn message(&mut self, message: Value<'_>, pointer: &str, start: Option<usize>) {
        let placed = |value: Value<'_>| start.unwrap_or(value.start);
        let (mut data, mut opcode, mut sent, mut time) = (None, None, None, None);
        let mut left = Vec::new();
        for (name, value) in message.members() {
            let place = match name.as_ref() {
                b"data" if value.content().is_some() => &mut data,
                b"opcode" => &mut opcode,
                b"type" => &mut sent,
                b"time" => &mut time,
                _ => {
                    let start = placed(value);
                    leave(
                        &mut left,
                        pointer.to_owned(),
                        name,
                        Value { start, ..value },
                    );
                    continue;
                }
            };
            *place = Some(value);
        }
        if !message.is_object() {
            let start = placed(message);
            leave(
                &mut left,
                pointer.to_owned(),
                b"data".as_slice().into(),
                Value { start, ..message },
            );
        }
        self.left(&left);
        let Some((data, mut bytes)) = data.and_then(|data: Value<'_>| Some((data, data.text()?)))
        else {
            return;
        };
        // RFC 6455 §5.2: opcode 2 is a binary frame, which is written as base64.
        if opcode.and_then(Value::number) == Some(2.0) && is_base64(&bytes) {
            bytes = parts::base64(&bytes).into();
        }
        let sent = sent.and_then(Value::text);
        let via = if sent.is_some_and(|kind| kind.as_ref() == b"send") {
            Via::Request
        } else {
            Via::Response
        };
        let before = self.entry.found.len();
        // What lies in a file of its own is told at the file's name.
        let pointer = match start {
            Some(_) => pointer.to_owned(),
            None => format!("{pointer}/data"),
        };
        let start = placed(data);
        self.body(Value { start, ..data }, pointer, via, "", bytes);
        let own = time.and_then(Value::number);
        let own = own.and_then(time::epoch);
        for found in self.entry.found.iter_mut().skip(before) {
            found.at = own.or(found.at);
        }
    }

    /// Reads a body that lies in a file of its own: Playwright's `attach` mode (`harTracer.ts`). Whether it does.
    fn external(&mut self, body: &Body<'_>, pointer: &str, via: &Via, mime: &str) -> bool {
        let Some(file) = body.file.filter(|_| body.text().is_none()) else {
            return false;
        };
        let Some(name) = file.text().filter(|name| !name.is_empty()) else {
            return false;
        };
        let bytes = match self.attached.read(&name) {
            File::Bytes(bytes) => bytes,
            File::Known => return true,
            File::Missing => return false,
        };
        let before = self.entry.found.len();
        if name.ends_with(b".jsonl") {
            // A WebSocket's messages, one a line.
            for line in bytes.split(|byte| *byte == b'\n') {
                if let Some(message) = Value::at(line, 0) {
                    self.message(message, pointer, Some(file.start));
                }
            }
        } else {
            self.body(file, pointer.into(), via.clone(), mime, bytes.into());
        }
        if self.entry.found.len() == before && !parts::is_media(mime) {
            self.attached.is_empty(&name);
        }
        true
    }
}

/// Whether a text has no byte that base64 of either alphabet has not.
fn is_base64(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let digits = text.iter().rposition(|byte| *byte != b'=');
    let digits = text.get(..digits.map_or(0, |last| last.saturating_add(1)));
    digits.unwrap_or_default().iter().all(|byte| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/-_".contains(byte)
    })
}

/// The text of a body, whose end may be missing.
fn decoded<'a>(body: &Body<'_>, text: Value<'a>) -> Option<Cow<'a, [u8]>> {
    let (_, content) = text.content()?;
    let encoding = body.encoding.and_then(Value::text);
    let mut decoded = unescape(content);
    if encoding.is_some_and(|name| name.eq_ignore_ascii_case(b"base64")) {
        decoded = parts::base64(&decoded).into();
    }
    if !text.whole {
        let kept = parts::without_halves(&decoded, true, false, decoded.len());
        decoded = kept.to_vec().into();
    }
    Some(decoded)
}
