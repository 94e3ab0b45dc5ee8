//! What may be asked of a value and its surroundings: the vocabulary in which rules are written.
//! Asking is `detect`'s part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex::{Regex, bytes};
use serde::{Deserialize, Deserializer};

use super::asked::Numbers;
use super::name::Name;
use crate::atoms::Slot;

/// A condition holds when every question in it is answered with yes; an empty one holds always.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Any of these names is in the same message, with a value.
    pub beside: Vec<Key>,
    /// All of these names are.
    pub beside_all: Vec<Key>,
    /// These names are, and their values match.
    pub beside_value: BTreeMap<Key, Pattern>,
    /// None of these names is.
    pub lacks: Vec<Key>,
    /// There are other names, and all of them are among these; a trailing `*` stands for any ending.
    pub only: Vec<Box<str>>,
    /// The lower-case path, or the hash route, contains any of these; a trailing `$` stands for its end.
    pub path: Vec<Box<str>>,
    /// Any of these, in lower case, is a whole segment of that path or route, or one up to its first `.` or `;`.
    pub segment: Vec<Box<str>>,
    /// The host is, or ends with, any of these.
    pub host: Vec<Box<str>>,
    /// Any word of the name itself is one of these.
    pub word: Vec<Box<str>>,
    /// The name as found matches.
    pub name: Option<Pattern>,
    /// The canonical value matches.
    pub value: Option<Pattern>,
    /// The value has at least this many bytes.
    pub min_length: Option<usize>,
    /// The value has at most this many bytes.
    pub max_length: Option<usize>,
    /// The value's characters carry at least this many bits each (Shannon, over the value itself).
    pub min_entropy: Option<f32>,
    /// Or at most this many.
    pub max_entropy: Option<f32>,
    /// The value has any of these shapes.
    pub shape: Vec<Box<str>>,
    /// The value sits in one of these slots.
    pub slot: Vec<Slot>,
    /// The value is a SAML or WS-Trust message with one of these root elements.
    pub saml: Vec<Box<str>>,
    /// It is one that has an assertion or a token in it, or one that has none. Neither is known of what cannot be read to
    /// its end.
    pub asserts: Option<bool>,
    /// The value is a JWT, or is none.
    pub jwt: Option<bool>,
    /// The server, or a script, sent the browser here, or the message is a response's `Location`.
    pub redirected: Option<bool>,
    /// The message's URL is one that an application on the device answers: a private-use scheme or a
    /// loopback address (RFC 8252 §7.1, §7.3).
    pub native: Option<bool>,
    /// The message came with a response, or did not.
    pub response: Option<bool>,
    /// The value is a field of a form, sent or waiting in a page, or is none.
    pub form: Option<bool>,
    /// The message is a part of an exchange with one of these methods.
    pub method: Vec<Box<str>>,
    /// Numbers of the names and words above, given once all rules are read.
    #[serde(skip)]
    pub numbers: Numbers,
}

impl Condition {
    /// Its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.beside_value.values().chain(&self.value)
    }
}

/// Points for a condition.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Added to the score, or taken from it.
    pub points: i16,
    /// When.
    pub when: Condition,
}

/// A parameter's name as it is compared: letters and digits, lower case.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(from = "String")]
pub struct Key(Box<str>);

impl Key {
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Self(Name::new(&name).key)
    }
}

/// A regular expression, compiled when it is first asked: a run meets few of the rules, and compiling all
/// takes longer than many a scan. Nearly all values are ASCII, for which an expression over bytes says the
/// same and is compiled several times as fast.
#[derive(Deserialize, Debug, Clone)]
#[serde(from = "String")]
pub struct Pattern {
    text: Box<str>,
    /// For text in ASCII; `None` where the expression needs Unicode even there.
    ascii: OnceLock<Option<bytes::Regex>>,
    unicode: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Why it can never match. Asked of every file that a user gives, and by the tests of our own.
    pub(super) fn fault(&self) -> Option<regex::Error> {
        Regex::new(&self.text).err()
    }

    /// Whether it matches anywhere in `text`; write `^` and `$` for the whole.
    pub fn is_match(&self, text: &str) -> bool {
        match self.ascii(text) {
            Some(regex) => regex.is_match(text.as_bytes()),
            None => self.unicode().is_some_and(|regex| regex.is_match(text)),
        }
    }

    /// Byte range of the first group, or of the whole match when there is none.
    pub fn capture(&self, text: &str) -> Option<Range<usize>> {
        if let Some(regex) = self.ascii(text) {
            let captures = regex.captures(text.as_bytes())?;
            let found = captures.get(1).or_else(|| captures.get(0))?;
            return Some(found.range());
        }
        let captures = self.unicode()?.captures(text)?;
        let found = captures.get(1).or_else(|| captures.get(0))?;
        Some(found.range())
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn ascii(&self, text: &str) -> Option<&bytes::Regex> {
        let compile = || {
            let mut builder = bytes::RegexBuilder::new(&in_ascii(&self.text)?);
            builder.unicode(false).build().ok()
        };
        let is_ascii = text.is_ascii();
        let compiled = is_ascii.then(|| self.ascii.get_or_init(compile).as_ref());
        compiled.flatten()
    }

    fn unicode(&self) -> Option<&Regex> {
        let compile = || Regex::new(&self.text).ok();
        self.unicode.get_or_init(compile).as_ref()
    }
}

/// Patterns of which any will do: asked together, in one pass over the value.
#[derive(Debug)]
pub struct Patterns {
    /// For values in ASCII.
    ascii: OnceLock<Option<bytes::RegexSet>>,
    all: Vec<Pattern>,
}

impl Patterns {
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Self {
        Self {
            ascii: OnceLock::new(),
            all: patterns.into_iter().cloned().collect(),
        }
    }

    /// Whether one of them matches anywhere in `text`.
    pub fn any(&self, text: &str) -> bool {
        match self.together().filter(|_| text.is_ascii()) {
            Some(set) => set.is_match(text.as_bytes()),
            None => self.all.iter().any(|it| it.is_match(text)),
        }
    }

    /// `None` where one of them needs Unicode even in ASCII: then each is asked.
    fn together(&self) -> Option<&bytes::RegexSet> {
        let compile = || {
            let all: Option<Vec<_>> = self.all.iter().map(|it| in_ascii(&it.text)).collect();
            let mut builder = bytes::RegexSetBuilder::new(all?);
            builder.unicode(false).build().ok()
        };
        self.ascii.get_or_init(compile).as_ref()
    }
}

/// An expression for text in ASCII. There another character is as good as a byte that never comes, a letter is one of
/// 52, and an expression of these is compiled many times as fast. `None` where a character may stand for one of ASCII:
/// in another case, as the long s and the sign of Kelvin do, or at the end of a range that may hold them.
fn in_ascii(expression: &str) -> Option<Cow<'_, str>> {
    const LETTER: &str = r"\p{L}";
    if expression.is_ascii() && !expression.contains(LETTER) {
        return Some(Cow::Borrowed(expression));
    }
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(LETTER) {
            out.push_str("[A-Za-z]");
            (previous, rest) = (']', after);
            continue;
        }
        let is_range = previous == '-' && !c.is_ascii() || c == '-' && !previous.is_ascii();
        if is_range || matches!(c, '\u{17f}' | '\u{212a}') {
            return None;
        }
        // What a backslash stands before belongs to it.
        let len = if c == '\\' { 2 } else { c.len_utf8() };
        let (taken, after) = rest.split_at_checked(len)?;
        out.push_str(if c.is_ascii() { taken } else { r"\xff" });
        (previous, rest) = (c, after);
    }
    Some(Cow::Owned(out))
}

/// Reads a text that many share.
pub(super) fn shared<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(from).map(Arc::from)
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self {
            text: text.into(),
            ascii: OnceLock::new(),
            unicode: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_together_say_what_each_would() {
        let sets: [&[&str]; 4] = [
            &[r"^\d+$", r"(?i)^token$", "密码"],
            &[r"^\p{L}+$", r"^-+$"],
            &["•", r"(?x) ^ a b $ # both"],
            &[],
        ];
        for set in sets {
            let all: Vec<Pattern> = set
                .iter()
                .map(|it| Pattern::from((*it).to_owned()))
                .collect();
            let together = Patterns::new(&all);
            for text in ["", "12", "TOKEN", "密码", "---", "ab", "a•b", "a b", "x1"] {
                let any = all.iter().any(|it| it.is_match(text));
                assert_eq!(together.any(text), any, "{set:?} {text}");
            }
        }
    }

    #[test]
    fn over_ascii_both_forms_of_an_expression_say_the_same() {
        let texts = [
            "",
            "x",
            "K",
            "s\n",
            "a b\tc",
            "ABC_def-09",
            "~!@#$%^&*()",
            "x\x0b\x7f\0y",
            "key=value",
            "1.2.3",
        ];
        for expression in [
            r"^\w+$",
            r"(?i)^[^k]+$",
            r"^.{1,3}$",
            r"\s",
            r"\bdef\b",
            r"(?i)K",
            r"(a|b)\W",
            r"\D{2}",
            r"[^\d.]",
            r"(?i)[s-t]",
            r"\p{L}+",
            r"^[\p{L}_]\p{L}*(é|[=\p{L}])+$",
            r"(?i)^(?:ключ|contraseña|[x•…]{1,3})$",
            "^[^é]+$",
            "(?i)[é-ɐ]",
            "(?i)ſ|\u{212a}",
        ] {
            let pattern = Pattern::from(expression.to_owned());
            for text in texts {
                let regex = pattern.unicode().unwrap();
                assert_eq!(
                    pattern.is_match(text),
                    regex.is_match(text),
                    "{expression} {text}"
                );
                let captures = regex.captures(text);
                let range = captures.map(|it| it.get(1).or(it.get(0)).unwrap().range());
                assert_eq!(pattern.capture(text), range, "{expression} {text}");
            }
        }
    }
}
