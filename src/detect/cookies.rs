//! Cookies in running text: header lines (RFC 6265 §4), and what curl is told to send. Knows where such a list ends, and
//! no cookie.

use super::command::Command;
use super::message::{Field, Form, MAX_MESSAGES, Message};
use super::words::Word;
use crate::atoms::Slot;
use crate::atoms::rules::Rules;

/// Longest name of a cookie that is looked at: those of frameworks have a few dozen letters.
const MAX_NAME: usize = 256;

/// Cookies of a list, and what is left of the line behind it.
pub(super) struct Cookies<'l> {
    /// Names and values in order.
    pairs: Vec<(&'l str, &'l str)>,
    /// Bytes of the line behind the last of them.
    pub(super) left: usize,
}

impl Cookies<'_> {
    /// Appends each as a message of its own, as in a capture: what another one means tells nothing of it.
    pub(super) fn put(&self, rules: &Rules, out: &mut Vec<Message>) {
        for (name, value) in &self.pairs {
            let is_worth_it = rules.needles.hit(format!("{name}={value}").as_bytes());
            if is_worth_it && out.len() < MAX_MESSAGES {
                out.push(Message {
                    form: Form::Text,
                    fields: vec![Field::new(name, (*value).to_owned(), Slot::Cookie)],
                    ..Message::default()
                });
            }
        }
    }
}

/// The cookies behind a word of a line; `bare` is the word without its escapes, and `previous` the one before it.
pub(super) fn behind<'l>(
    line: &'l str,
    word: Word<'l>,
    bare: &str,
    previous: &str,
    command: &Command,
) -> Option<Cookies<'l>> {
    if command.takes_cookies(word.text) {
        list(word.after, None, false)
    } else if matches!(bare, ":" | "=" | "=>" | ":[") {
        // `'Cookie': 'a=b'`, and `"Cookie" => "a=b"`, whose arrow ends the word.
        list(word.after.trim_start_matches('>'), None, is_set(previous)?)
    } else {
        of_header(line, word)
    }
}

/// The cookies behind the name of their header, which ends with the first colon of this word of a line: `Cookie: a=b; c=d`.
fn of_header<'l>(line: &'l str, word: Word<'l>) -> Option<Cookies<'l>> {
    let (before, _) = word.text.split_once(':')?;
    let name = before.rsplit(['=', '{', '[', '(', ',', '\\']).next();
    let is_set = is_set(name?)?;
    let behind = word.after.len() + word.text.len() - before.len() - 1;
    let rest = line.get(line.len().checked_sub(behind)?..)?;
    list(rest, word.before.chars().next_back(), is_set)
}

/// Whether a server sets the cookies of this header: one, and what holds for it. `None` for other headers.
fn is_set(header: &str) -> Option<bool> {
    let is = |name: &str| header.eq_ignore_ascii_case(name);
    is("set-cookie")
        .then_some(true)
        .or(is("cookie").then_some(false))
}

/// Cookies up to the mark that closes what they are quoted in, the list, or what is no cookie. `around` is what stands
/// before the name.
fn list(rest: &str, around: Option<char>, is_set: bool) -> Option<Cookies<'_>> {
    let closing = |open| match open {
        '"' | '\'' | '`' => Some(open),
        '[' => Some(']'),
        _ => None,
    };
    let rest = rest.trim_start_matches([' ', '\t', '\\']);
    let own = rest.chars().next().and_then(closing);
    let rest = own.map_or(rest, |_| rest.get(1..).unwrap_or_default());
    let closing = own.or(around.and_then(closing));
    let (mut pairs, mut read, mut text) = (Vec::new(), 0, rest);
    while let Some((name, value, length)) = pair(text, closing) {
        pairs.push((name, value));
        let behind = text.get(length..)?;
        read = rest.len() - behind.len();
        match behind.trim_start().strip_prefix(';') {
            Some(next) if !is_set => text = next,
            _ => break,
        }
    }
    let left = rest.len().checked_sub(read)?;
    (!pairs.is_empty()).then_some(Cookies { pairs, left })
}

/// Name and value of a cookie before the mark that closes the list, and how much of the text they are. What is none is not
/// read far, since a line may hold any number of beginnings.
fn pair(text: &str, closing: Option<char>) -> Option<(&str, &str, usize)> {
    let begun = text.trim_start();
    let of_name = |c: char| is_of_name(c) && Some(c) != closing;
    let mut letters = begun.char_indices().take(MAX_NAME + 1);
    let (end, _) = letters.find(|(_, c)| !of_name(*c))?;
    let (name, rest) = begun.split_at_checked(end).filter(|_| end > 0)?;
    let rest = rest.strip_prefix('=')?;
    let unquoted = rest.strip_prefix('"').filter(|_| closing != Some('"'));
    let value = unquoted.unwrap_or(rest);
    let ends = |c: char| ends_value(c) || c == ';' || Some(c) == closing;
    let end = value.find(ends).unwrap_or(value.len());
    let length = text.len() - value.len() + end;
    let (value, behind) = value.split_at_checked(end)?;
    // `[\r][\n]`, as programs write the end of a line of HTTP.
    let is_end = behind.starts_with(['\\', '\r']);
    let value = value.strip_suffix('[').filter(|_| is_end).unwrap_or(value);
    Some((name, value, length))
}

/// RFC 6265 §4.1.1, but for the commas that some write.
fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '`' | '<' | '>')
}

/// RFC 9110 §5.6.2, and the brackets and colons of frameworks.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&*+-.^_|~[]:".contains(c)
}
