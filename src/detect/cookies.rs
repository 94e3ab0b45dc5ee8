//! Cookies in running text: header lines (RFC 6265 §4), and what curl is told to send. Knows where such a list ends, and
//! no cookie.

use super::command::Command;
use super::message::{Field, Form, MAX_MESSAGES, Message};
use super::words::Word;
use crate::atoms::Slot;
use crate::atoms::rules::{Needles, Rules};

/// Longest name of a cookie that is looked at: those of frameworks have a few dozen letters.
const MAX_NAME: usize = 256;

/// Bytes of what stands between two cookies and is none, or only the rest of one that no grammar allows: a value with
/// blanks or quotation marks. Settings as JSON have a few hundred; each beginning of a list may be followed by as many.
const MAX_SKIPPED: usize = 1024;

/// What a list belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The header of a request.
    Request,
    /// The header of a response, which has one cookie and what holds for it.
    Response,
    /// An option of a command, which ends with its word unless that is quoted.
    Option,
}

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
    needles: &Needles,
) -> Option<Cookies<'l>> {
    if let Some(before) = command.before_cookies(word.text) {
        let behind = word.after.len() + word.text.len().checked_sub(before)?;
        let rest = line.get(line.len().checked_sub(behind)?..)?;
        list(unmarked(rest), None, Of::Option, needles)
    } else if matches!(bare, ":" | "=" | "=>" | ":[") {
        // `'Cookie': 'a=b'`, and `"Cookie" => "a=b"`, whose arrow ends the word.
        let rest = word.after.trim_start_matches('>');
        list(rest, None, of(previous)?, needles)
    } else {
        of_header(line, word, needles)
    }
}

/// A value without what shells write before its quotation marks: `$'…'` in bash, `^"…^"` in Windows.
fn unmarked(rest: &str) -> &str {
    let begun = rest.trim_start();
    let of_bash = begun.strip_prefix('$').filter(|it| it.starts_with('\''));
    let of_windows = begun.strip_prefix('^').filter(|it| it.starts_with('"'));
    of_bash.or(of_windows).unwrap_or(rest)
}

/// The cookies behind the name of their header, which ends with the first colon of this word of a line: `Cookie: a=b; c=d`.
fn of_header<'l>(line: &'l str, word: Word<'l>, needles: &Needles) -> Option<Cookies<'l>> {
    let (before, _) = word.text.split_once(':')?;
    let name = before.rsplit(['=', '{', '[', '(', ',', '\\']).next();
    let of = of(name?)?;
    let behind = word.after.len() + word.text.len() - before.len() - 1;
    let rest = line.get(line.len().checked_sub(behind)?..)?;
    list(rest, word.before.chars().next_back(), of, needles)
}

/// Whose header this is. `None` for those that have no cookies.
fn of(header: &str) -> Option<Of> {
    let is = |name: &str| header.eq_ignore_ascii_case(name);
    is("set-cookie")
        .then_some(Of::Response)
        .or(is("cookie").then_some(Of::Request))
}

/// Cookies up to the mark that closes what they are quoted in, the list, or what is worth a look and no cookie. `around`
/// is what stands before the name.
fn list<'l>(rest: &'l str, around: Option<char>, of: Of, needles: &Needles) -> Option<Cookies<'l>> {
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
    loop {
        let found = pair(text, closing);
        let length = found.map_or(0, |(.., length)| length);
        pairs.extend(found.map(|(name, value, _)| (name, value)));
        let behind = text.get(length..)?;
        if found.is_some() {
            read = rest.len() - behind.len();
        }
        let is_bare = of == Of::Option && closing.is_none();
        let next = match behind.trim_start().strip_prefix(';') {
            _ if of == Of::Response => None,
            Some(next) if found.is_some() => Some(next),
            _ if is_bare => None,
            _ => skipped(behind, closing, needles),
        };
        let Some(next) = next else { break };
        // What was skipped holds nothing, and is not looked through again.
        read = rest.len() - next.len();
        text = next;
    }
    let left = rest.len().checked_sub(read)?;
    (read > 0).then_some(Cookies { pairs, left })
}

/// What stands behind the next semicolon before the mark that closes the list, where all before it is worth no look.
fn skipped<'l>(text: &'l str, closing: Option<char>, needles: &Needles) -> Option<&'l str> {
    let near = text.as_bytes();
    let near = near.get(..MAX_SKIPPED).unwrap_or(near);
    let ends = |byte: &u8| *byte == b';' || closing.is_some_and(|it| char::from(*byte) == it);
    let end = near.iter().position(ends)?;
    let (before, behind) = text.split_at_checked(end)?;
    behind
        .strip_prefix(';')
        .filter(|_| !needles.hit(before.as_bytes()))
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
    // `^"`, as Windows writes a quotation mark.
    let is_end = behind.starts_with('"');
    let value = value.strip_suffix('^').filter(|_| is_end).unwrap_or(value);
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
