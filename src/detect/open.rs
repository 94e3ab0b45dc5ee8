//! Values that hold messages of their own: URLs, form data, JSON, JWTs, in percent-encoding and base64,
//! opened to a bounded depth with the chain of decodings kept.

use std::borrow::Cow;

use super::Decoding;
use super::encoding;
use super::message::{Field, Form, MAX_FIELDS, MAX_MESSAGES, Message, of_url, pair_field};
use super::url::{self, Url};
use super::{json, jwt, saml};
use crate::atoms::Slot;
use crate::atoms::rules::Rules;

/// Messages inside messages. A login page's `continue` holds a URL whose `state` holds a JSON text with a
/// URL: three. Twice that is room for gateways around it.
const MAX_DEPTH: usize = 6;

/// Percent-decodings that one value may need before it shows what it is.
const MAX_PERCENT: usize = 6;

/// Longest value that is opened. A request object with claims has some kilobytes, a SAML response with
/// many attributes some hundred.
const MAX_VALUE: usize = 4 << 20;

/// Fields of claims that are merged into the message they belong to.
const MERGED: [&str; 2] = ["request", "response"];

/// Opens what the messages hold; what is a message of its own is appended.
pub(super) fn nested(messages: &mut Vec<Message>, rules: &Rules) {
    let mut at = 0;
    while at < messages.len().min(MAX_MESSAGES) {
        let mut inner = Vec::new();
        if let Some(message) = messages.get_mut(at) {
            let mut merged = Vec::new();
            for field in &message.fields {
                // Nested deeper than any real message: shown as it is. Form data in form data needs no decoding.
                if message.nesting.len().max(message.depth) < MAX_DEPTH * 2 {
                    open_field(message, field, rules, &mut merged, &mut inner);
                }
            }
            message.fields.extend(merged);
            message.fields.truncate(MAX_FIELDS);
        }
        messages.append(&mut inner);
        at += 1;
    }
}

/// What one value holds.
fn open_field(
    outer: &Message,
    field: &Field,
    rules: &Rules,
    merged: &mut Vec<Field>,
    inner: &mut Vec<Message>,
) {
    if field.value.len() > MAX_VALUE || field.value.len() < 4 {
        return;
    }
    let value = field.value.trim();
    // Cookies of some libraries say in front that they are JSON, or base64.
    let bare = value
        .strip_prefix("base64-")
        .or_else(|| value.strip_prefix("j:"));
    let mut value = Cow::Borrowed(bare.unwrap_or(value));
    let mut nesting = outer.nesting.clone();
    nesting.extend(&field.nesting);
    for _ in 0..MAX_PERCENT {
        if let Some(mut message) = open_value(&value, field, rules) {
            nesting.append(&mut message.nesting);
            message.nesting = nesting;
            message.depth = outer.depth.saturating_add(1);
            if MERGED.contains(&&*field.key.key) && matches!(message.form, Form::Inner) {
                for mut claim in message.fields {
                    claim.nesting = vec![Decoding::Jwt];
                    claim.slot = field.slot;
                    claim.group = field.group;
                    merged.push(claim);
                }
            } else {
                inner.push(message);
            }
            return;
        }
        let decoded = match encoding::percent(&value) {
            Cow::Owned(decoded) if decoded != *value => decoded,
            _ => return,
        };
        nesting.push(Decoding::Percent);
        value = Cow::Owned(decoded);
    }
}

/// The message in a value that needs no more percent-decoding.
fn open_value(value: &str, field: &Field, rules: &Rules) -> Option<Message> {
    if saml::is_name(&field.key) {
        return None;
    }
    if url::looks_like_url(value) && !is_behind_words(value) {
        return worth(of_nested_url(value, rules), rules);
    }
    if value.starts_with(['{', '[']) {
        return of_json_text(value, field.slot);
    }
    if value.starts_with("ey") && value.matches('.').count() >= 1 {
        return of_jwt(value, field);
    }
    if let Some(text) = base64_text(value) {
        let mut message = if url::looks_like_url(&text) {
            worth(of_nested_url(&text, rules), rules)?
        } else if text.starts_with(['{', '[']) {
            of_json_text(&text, field.slot)?
        } else {
            of_form(&text, field.slot, rules)?
        };
        message.nesting.insert(0, Decoding::Base64);
        return Some(message);
    }
    of_form(value, field.slot, rules)
}

/// A URL inside a value.
pub(super) fn of_nested_url(value: &str, rules: &Rules) -> Message {
    let mut message = of_url(Url::new(value), rules);
    message.nesting.push(Decoding::Url);
    message
}

fn worth(message: Message, rules: &Rules) -> Option<Message> {
    let known = message.fields.iter().any(|field| is_known(field, rules));
    let located = message.fields.iter().any(|field| field.rule.is_some());
    (known || located).then_some(message)
}

fn is_known(field: &Field, rules: &Rules) -> bool {
    rules.catalogue.spelling(&field.key).is_some()
        || rules.catalogue.rules_for(&field.key).next().is_some()
        || rules.shapes.alone(&field.canonical).is_some()
        || field.value.starts_with("eyJ")
}

/// Form data inside a value, when a name in it is known. In running text each word is read for itself.
fn of_form(value: &str, slot: Slot, rules: &Rules) -> Option<Message> {
    if !value.contains('=') || value.starts_with('=') {
        return None;
    }
    let words: Vec<&str> = if is_running_text(value) {
        let words = value.split(|c: char| c == '+' || c.is_whitespace());
        words.map(behind_path).collect()
    } else {
        vec![value]
    };
    let fields: Vec<Field> = words
        .into_iter()
        .flat_map(url::pairs)
        .filter(|pair| !pair.name.is_empty() && pair.name.len() <= 128)
        .filter(|pair| !has_blank(pair.name))
        .map(|pair| pair_field(pair, slot, 0))
        .take(MAX_FIELDS)
        .collect();
    let known = fields.iter().any(|field| is_known(field, rules));
    known.then(|| Message {
        form: Form::Inner,
        fields,
        ..Message::default()
    })
}

/// Whether a text with `=` in it is one that people wrote, as they do to a search engine: the name of a parameter has no
/// blank, and no value begins with one.
fn is_running_text(text: &str) -> bool {
    url::pairs(text).any(|pair| match pair.name {
        "" => has_blank(pair.value),
        name => has_blank(name) || pair.value.starts_with(['+', ' ']),
    })
}

/// Whether a URL has words before it rather than a scheme of its own: `see+https://…`.
fn is_behind_words(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let last = scheme.rsplit_once('+').map_or("", |(_, last)| last);
    last.eq_ignore_ascii_case("https") || last.eq_ignore_ascii_case("http")
}

fn has_blank(text: &str) -> bool {
    url::decoded_name(text).contains(char::is_whitespace)
}

/// The query of a word that is a URL; any other word whole.
fn behind_path(word: &str) -> &str {
    word.rsplit_once('?').map_or(word, |(_, query)| query)
}

fn of_json_text(value: &str, slot: Slot) -> Option<Message> {
    let mut fields = Vec::new();
    json::parse(value)?.fields(slot, &mut fields);
    (!fields.is_empty()).then(|| Message {
        form: Form::Inner,
        fields,
        nesting: vec![Decoding::Json],
        ..Message::default()
    })
}

/// A JWT that is an envelope: a request object, a JARM response, a `state` with a payload. The claims of a
/// token are told with the token, and are no message.
fn of_jwt(value: &str, field: &Field) -> Option<Message> {
    const ENVELOPES: [&str; 5] = ["request", "response", "state", "relaystate", "clientstate"];
    if !ENVELOPES.contains(&&*field.key.key) {
        return None;
    }
    let mut fields = Vec::new();
    jwt::payload(value)?.fields(field.slot, &mut fields);
    (!fields.is_empty()).then(|| Message {
        form: Form::Inner,
        fields,
        nesting: vec![Decoding::Jwt],
        ..Message::default()
    })
}

/// Text in base64 that begins like JSON, a URL or form data.
fn base64_text(value: &str) -> Option<String> {
    if value.len() < 8 || value.len() > MAX_VALUE {
        return None;
    }
    // `+` stands for itself, or for a blank that a form decoder put there.
    let value = if value.contains(' ') {
        Cow::Owned(value.replace(' ', "+"))
    } else {
        Cow::Borrowed(value)
    };
    let text = encoding::base64_text(&value)?;
    let printable = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    let opens = text.starts_with(['{', '[']) || url::looks_like_url(&text) || text.contains('=');
    (printable && opens).then_some(text)
}
