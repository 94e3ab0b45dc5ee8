//! The bodies of an entry: what was posted, what came back, and what a WebSocket carried, in the document or in
//! a file beside it. Decodes what the capture encoded, and leaves media alone.

use std::borrow::Cow;

use super::entry::Collector;
use super::message::{mime, pairs};
use super::{parts, time};
use crate::atoms::Raw;
use crate::collect::json::{Value, unescape};
use crate::collect::{Payload, Via};

impl Collector<'_> {
    pub(super) fn post_data(&mut self, body: Value<'_>) {
        let mime = mime(body);
        if self.external(body, "/request/postData/_file", &Via::Request, &mime) {
            return;
        }
        let text = body.get("text");
        let is_empty = text
            .and_then(Value::content)
            .is_none_or(|(_, content)| content.is_empty());
        if let (false, Some(text)) = (is_empty, text) {
            self.body_text(body, text, "/request/postData/text", Via::Request, &mime);
            return;
        }
        let Some(params) = body.get("params") else {
            return;
        };
        let mut form = Vec::new();
        pairs(params, &mut form);
        // Whatever it was sent as, a form is what is left of it.
        let mime = "application/x-www-form-urlencoded";
        let pointer = "/request/postData/params".into();
        self.body(params, pointer, Via::Request, mime, form.into());
    }

    pub(super) fn content(&mut self, content: Value<'_>) {
        let mime = mime(content);
        if parts::is_media(&mime)
            || self.external(content, "/response/content/_file", &Via::Response, &mime)
        {
            return;
        }
        if let Some(text) = content.get("text") {
            self.body_text(
                content,
                text,
                "/response/content/text",
                Via::Response,
                &mime,
            );
        }
    }

    /// The text of a body, whose end may be missing.
    fn body_text(&mut self, body: Value<'_>, text: Value<'_>, pointer: &str, via: Via, mime: &str) {
        let Some((_, content)) = text.content() else {
            return;
        };
        let encoding = body.get("encoding").and_then(Value::text);
        let mut decoded = unescape(content);
        if encoding.is_some_and(|name| name.eq_ignore_ascii_case(b"base64")) {
            decoded = parts::base64(&decoded).into();
        }
        if !text.whole {
            let kept = parts::without_halves(&decoded, true, false, decoded.len());
            decoded = kept.to_vec().into();
        }
        self.body(text, pointer.into(), via, mime, decoded);
    }

    pub(super) fn body(
        &mut self,
        at: Value<'_>,
        pointer: String,
        via: Via,
        mime: &str,
        bytes: Cow<'_, [u8]>,
    ) {
        let is_media = parts::is_media(mime) || parts::has_media_magic(&bytes);
        if !is_media && (self.needles.hit(&bytes) || parts::may_refuse(&via, &bytes)) {
            let payload = Payload::Body {
                mime: mime.into(),
                bytes: Raw::new(bytes),
            };
            self.push(at.start, pointer, via, payload);
        }
    }

    pub(super) fn web_socket(&mut self, messages: Value<'_>) {
        for (index, message) in messages.items().enumerate() {
            let pointer = format!("/_webSocketMessages/{index}/data");
            self.message(message, pointer, None);
        }
    }

    /// A WebSocket message; `start` is where it stands in the document, unless that is its own place.
    fn message(&mut self, message: Value<'_>, pointer: String, start: Option<usize>) {
        let Some(data) = message.get("data") else {
            return;
        };
        let Some(mut bytes) = data.text() else {
            return;
        };
        // RFC 6455 §5.2: opcode 2 is a binary frame, which is written as base64.
        if message.get("opcode").and_then(Value::number) == Some(2.0) {
            bytes = parts::base64(&bytes).into();
        }
        let sent = message.get("type").and_then(Value::text);
        let via = if sent.is_some_and(|kind| kind.as_ref() == b"send") {
            Via::Request
        } else {
            Via::Response
        };
        let before = self.entry.found.len();
        let data = Value {
            start: start.unwrap_or(data.start),
            ..data
        };
        self.body(data, pointer, via, "", bytes);
        let own = message.get("time").and_then(Value::number);
        let own = own.and_then(time::epoch);
        for found in self.entry.found.iter_mut().skip(before) {
            found.at = own.or(found.at);
        }
    }

    /// Reads a body that lies in a file of its own: Playwright's `attach` mode (`harTracer.ts`). Whether it does.
    fn external(&mut self, body: Value<'_>, pointer: &str, via: &Via, mime: &str) -> bool {
        let has_text = |name| {
            let content = body.get(name).and_then(Value::content);
            content.is_some_and(|(_, content)| !content.is_empty())
        };
        let Some(file) = body.get("_file").filter(|_| !has_text("text")) else {
            return false;
        };
        let Some(name) = file.text().filter(|name| !name.is_empty()) else {
            return false;
        };
        let Some(bytes) = (self.attached)(&name) else {
            self.entry.external = self.entry.external.saturating_add(1);
            return false;
        };
        if name.ends_with(b".jsonl") {
            // A WebSocket's messages, one a line.
            for line in bytes.split(|byte| *byte == b'\n') {
                if let Some(message) = Value::at(line, 0) {
                    self.message(message, pointer.into(), Some(file.start));
                }
            }
        } else {
            self.body(file, pointer.into(), via.clone(), mime, bytes.into());
        }
        true
    }
}
