//! HTML pages: the fields of forms (`form_post`, SAML POST), the URLs in attributes, the text of scripts.
//! A forgiving scanner of tags, not a parser.

use super::encoding;
use super::message::{Field, Form, MAX_FIELDS, MAX_MESSAGES, Message, of_url};
use super::text;
use super::url::Url;
use crate::atoms::Slot;
use crate::atoms::rules::Rules;

/// Attributes that hold a URL.
const LINKS: [&str; 7] = [
    "href",
    "src",
    "action",
    "formaction",
    "data-url",
    "data-href",
    "content",
];

/// Attributes of one tag that are looked at.
const MAX_ATTRIBUTES: usize = 64;

/// Appends the messages of a page: the fields of its forms as one, each URL with a needle as one, and what
/// its scripts and text hold.
pub(super) fn messages(page: &str, rules: &Rules, out: &mut Vec<Message>) {
    let mut form = Message {
        form: Form::Fields,
        ..Message::default()
    };
    let mut rest = page;
    let mut running = String::new();
    while let Some((before, after)) = rest.split_once('<') {
        running.push_str(before);
        running.push('\n');
        let (tag, tail) = split_tag(after);
        rest = tail;
        if out.len() < MAX_MESSAGES && form.fields.len() < MAX_FIELDS {
            read_tag(tag, rules, &mut form, out);
        }
    }
    running.push_str(rest);
    if !form.fields.is_empty() {
        out.push(form);
    }
    text::messages(&running, rules, out);
}

/// The tag up to its `>`, quotes respected, and what follows.
fn split_tag(text: &str) -> (&str, &str) {
    let is_tag = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    if !is_tag {
        return ("", text);
    }
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'>') => {
                let (tag, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return (tag, rest.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    // An unbalanced quote: the first `>` ends the tag after all.
    text.split_once('>').unwrap_or((text, ""))
}

fn read_tag(tag: &str, rules: &Rules, form: &mut Message, out: &mut Vec<Message>) {
    let attributes = attributes(tag);
    let get = |name: &str| {
        attributes
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
    };
    let kind = tag.split_ascii_whitespace().next().unwrap_or_default();
    let is_field = kind.eq_ignore_ascii_case("input") || kind.eq_ignore_ascii_case("meta");
    if let (true, Some((_, name)), Some((_, value))) =
        (is_field, get("name"), get("value").or(get("content")))
    {
        let field = Field::new(name, value.clone(), Slot::Form);
        form.fields.push(field);
        return;
    }
    for (name, value) in &attributes {
        let is_link = LINKS.iter().any(|link| name.eq_ignore_ascii_case(link));
        if is_link && rules.needles.hit(value.as_bytes()) {
            // `0;url=…` of a meta refresh.
            let target = value
                .split_once(';')
                .and_then(|(_, rest)| rest.trim_start().get(4..))
                .filter(|_| name.eq_ignore_ascii_case("content"))
                .unwrap_or(value);
            out.push(of_url(Url::new(target), rules));
        }
    }
}

/// Attributes of a tag, values unescaped.
fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = tag
        .split_once(|c: char| c.is_ascii_whitespace())
        .map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        if out.len() >= MAX_ATTRIBUTES {
            break;
        }
        let name = name
            .trim()
            .rsplit(|c: char| c.is_ascii_whitespace())
            .next()
            .unwrap_or_default();
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, tail) = match quote {
            Some(quote) => after
                .get(1..)
                .and_then(|inner| inner.split_once(quote))
                .unwrap_or((after, "")),
            None => after
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((after, "")),
        };
        out.push((name.to_owned(), encoding::html(value).into_owned()));
        rest = tail;
    }
    out
}
