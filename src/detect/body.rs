//! Bodies of requests and responses: forms, JSON, multipart, HTML, XML, text. The stated media type is a
//! hint; the content decides.

use super::json::Json;
use super::message::{Field, Form, MAX_FIELDS, Message, pair_field};
use super::{html, saml, text, url};
use crate::atoms::Slot;
use crate::atoms::rules::Rules;

/// Largest body that is parsed as JSON; a larger one is searched as text.
const MAX_JSON: usize = 32 << 20;

/// JSON texts in one body (NDJSON, server-sent events).
const MAX_TEXTS: usize = 1024;

/// Appends the messages of a body.
pub(super) fn messages(mime: &str, body: &str, rules: &Rules, out: &mut Vec<Message>) {
    let trimmed = body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let is_form = mime.contains("form-urlencoded") || mime.is_empty() && looks_like_form(trimmed);
    // What jQuery and curl call a form unless they are told otherwise.
    let may_be_json = !is_form || trimmed.starts_with(['{', '[']);
    if let Some(boundary) = boundary(mime) {
        out.push(multipart(trimmed, boundary));
    } else if let Some(message) = may_be_json.then(|| json(trimmed)).flatten() {
        out.push(message);
    } else if is_form {
        out.push(form(trimmed));
    } else if let Some(message) = saml::body(trimmed) {
        out.push(message);
    } else if mime.contains("html") || trimmed.starts_with('<') {
        html::messages(trimmed, rules, out);
    } else if looks_like_form(trimmed) {
        out.push(form(trimmed));
    } else {
        text::messages(trimmed, rules, out);
    }
}

fn looks_like_form(body: &str) -> bool {
    let Some((name, _)) = body.split_once('=') else {
        return false;
    };
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]%".contains(&byte))
        && !body.trim_end().contains([' ', '\n'])
}

fn form(body: &str) -> Message {
    let fields = url::pairs(body.trim_end())
        .map(|pair| pair_field(pair, Slot::Form, 0))
        .take(MAX_FIELDS)
        .collect();
    Message {
        form: Form::Fields,
        fields,
        ..Message::default()
    }
}

/// One JSON text, or several; a prefix against script inclusion is skipped. `None` when it is none, or
/// ends in the middle.
fn json(body: &str) -> Option<Message> {
    let body = [")]}',", ")]}'", "for(;;);", "while(1);", "data:"]
        .iter()
        .find_map(|prefix| body.strip_prefix(prefix))
        .unwrap_or(body)
        .trim_start();
    // Packets of Socket.IO: types as digits before the JSON.
    let body = match body.find(|c: char| !c.is_ascii_digit()) {
        Some(1..=6) => body.trim_start_matches(|c: char| c.is_ascii_digit()),
        _ => body,
    };
    if !body.starts_with(['{', '[', '"']) || body.len() > MAX_JSON {
        return None;
    }
    let mut fields = Vec::new();
    for parsed in serde_json::Deserializer::from_str(body)
        .into_iter::<Json>()
        .take(MAX_TEXTS)
    {
        parsed.ok()?.fields(Slot::Json, &mut fields);
    }
    Some(Message {
        form: Form::Json,
        fields,
        ..Message::default()
    })
}

fn boundary(mime: &str) -> Option<&str> {
    let (_, rest) = mime
        .starts_with("multipart/")
        .then(|| mime.split_once("boundary="))??;
    let end = rest.find(';').unwrap_or(rest.len());
    let boundary = rest.get(..end)?.trim().trim_matches('"');
    (!boundary.is_empty()).then_some(boundary)
}

/// Fields of a multipart form (RFC 7578). The media type was lower-cased, so the boundary is compared so.
fn multipart(body: &str, boundary: &str) -> Message {
    let mut fields = Vec::new();
    let mut part: Option<(String, String)> = None;
    let mut in_head = false;
    for line in body.split('\n') {
        let bare = line.trim_end_matches('\r');
        let is_boundary = bare.strip_prefix("--").is_some_and(|rest| {
            rest.trim_end_matches('-')
                .eq_ignore_ascii_case(boundary.trim_end_matches('-'))
        });
        if is_boundary {
            fields.extend(part.take().map(part_field));
            in_head = true;
        } else if in_head {
            if bare.is_empty() {
                in_head = false;
            } else if let Some(name) = disposition_name(bare) {
                part = Some((name.to_owned(), String::new()));
            }
        } else if let Some((_, value)) = &mut part {
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(bare);
        }
        if fields.len() >= MAX_FIELDS {
            break;
        }
    }
    fields.extend(part.map(part_field));
    Message {
        form: Form::Fields,
        fields,
        ..Message::default()
    }
}

fn part_field((name, value): (String, String)) -> Field {
    Field::new(&name, value, Slot::Form)
}

fn disposition_name(line: &str) -> Option<&str> {
    if !line
        .get(..20)
        .is_some_and(|head| head.eq_ignore_ascii_case("content-disposition:"))
    {
        return None;
    }
    let (_, rest) = line.split_once(" name=")?;
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.split(['"', ';']).next()
}
