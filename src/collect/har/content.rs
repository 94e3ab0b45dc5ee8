//! The bodies of an entry: what was posted, what came back, and what a WebSocket carried. Decodes what the
//! capture encoded, and leaves media alone.

use std::borrow::Cow;

use super::entry::Collector;
use super::message::{mime, pairs};
use super::{parts, time};
use crate::atoms::Raw;
use crate::collect::json::{Value, unescape};
use crate::collect::{Payload, Via};

impl Collector<'_> {
    pub(super) fn post_data(&mut self, body: Value<'_>) {
        self.count_external(body);
        let mime = mime(body);
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
        self.count_external(content);
        let mime = mime(content);
        if let Some(text) = content.get("text").filter(|_| !parts::is_media(&mime)) {
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
        if !parts::is_media(mime) && !parts::has_media_magic(&bytes) && self.needles.hit(&bytes) {
            let payload = Payload::Body {
                mime: mime.into(),
                bytes: Raw::new(bytes),
            };
            self.push(at.start, pointer, via, payload);
        }
    }

    pub(super) fn web_socket(&mut self, messages: Value<'_>) {
        for (index, message) in messages.items().enumerate() {
            let Some(data) = message.get("data") else {
                continue;
            };
            let Some(mut bytes) = data.text() else {
                continue;
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
            let pointer = format!("/_webSocketMessages/{index}/data");
            self.body(data, pointer, via, "", bytes);
            let own = message.get("time").and_then(Value::number);
            let own = own.and_then(time::epoch);
            for found in self.entry.found.iter_mut().skip(before) {
                found.at = own.or(found.at);
            }
        }
    }

    fn count_external(&mut self, body: Value<'_>) {
        let has_text = |name| {
            let content = body.get(name).and_then(Value::content);
            content.is_some_and(|(_, content)| !content.is_empty())
        };
        let is_external = has_text("_file") && !has_text("text");
        self.entry.external = self.entry.external.saturating_add(u64::from(is_external));
    }
}
