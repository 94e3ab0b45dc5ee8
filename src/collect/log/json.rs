//! The members of one JSON object, read from bytes that need not be UTF-8, nor whole. Knows JSON and
//! no keys.

use std::borrow::Cow;
use std::cell::Cell;

use super::{escape, record};
use crate::atoms::rules::log_format::Escape;

/// Nesting that is followed. Log records nest a few levels.
const MAX_DEPTH: usize = 32;

/// Members of one line that are told apart, those of JSON in its values among them. Records have tens; what follows
/// goes on as text.
pub(super) const MAX_MEMBERS: usize = 10_000;

/// A string, number or literal of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// Keys from the outermost object, joined with dots. Arrays add nothing. In an object
    /// `{"name": …, "value": …}` the name stands in place of `value`, and in a list of lists `["name", "value"]` it is
    /// one. Of a long one the end ([`record::MAX_NAME`]).
    pub(super) path: Vec<u8>,
    /// Last key of the path. One that is no name by its length is a value without path and key, and its end stands for
    /// it here.
    pub(super) key: Vec<u8>,
    /// The value, escapes undone.
    pub(super) value: Cow<'a, [u8]>,
    /// The object that it is a member of, numbered as they begin.
    pub(super) object: u32,
}

/// The members of the object that `bytes` start with, and what follows it, or what could not be read.
pub(super) fn members(bytes: &[u8]) -> Option<(Vec<Member<'_>>, &[u8])> {
    members_within(bytes, &Cell::new(MAX_MEMBERS))
}

/// The same, of an object in a line whose other objects took of `left` too.
pub(super) fn members_within<'a>(
    bytes: &'a [u8],
    left: &Cell<usize>,
) -> Option<(Vec<Member<'a>>, &'a [u8])> {
    let mut walker = Walker {
        rest: bytes.trim_ascii_start(),
        path: Vec::new(),
        most: left.get(),
        members: Vec::new(),
        objects: 0,
        object: 0,
    };
    let (b'{', after) = walker.rest.split_first()? else {
        return None;
    };
    // `{` alone starts many lines that are no JSON.
    if !matches!(after.trim_ascii_start().first(), Some(b'"' | b'}')) {
        return None;
    }
    let _stopped = walker.value(b"", 0);
    left.set(left.get().saturating_sub(walker.members.len()));
    Some((walker.members, walker.rest))
}

/// The string that `bytes` start with, and what follows it. A cut one runs to the end.
pub(super) fn string(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let (b'"', inside) = bytes.split_first()? else {
        return None;
    };
    let mut from = 0;
    let end = loop {
        let Some(at) = inside
            .get(from..)
            .and_then(|tail| memchr::memchr2(b'"', b'\\', tail))
        else {
            break inside.len();
        };
        if inside.get(from + at) == Some(&b'"') {
            break from + at;
        }
        from = (from + at + 2).min(inside.len());
    };
    let (text, rest) = inside.split_at_checked(end)?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    Some((escape::undo(text, Escape::Backslash), rest))
}

struct Walker<'a> {
    rest: &'a [u8],
    path: Vec<u8>,
    /// Members after which it stops.
    most: usize,
    members: Vec<Member<'a>>,
    /// How many objects have begun.
    objects: u32,
    /// The one that is read.
    object: u32,
}

impl<'a> Walker<'a> {
    /// `None` when the walk cannot go on.
    fn value(&mut self, key: &[u8], depth: usize) -> Option<()> {
        if depth > MAX_DEPTH || self.members.len() >= self.most {
            return None;
        }
        self.rest = self.rest.trim_ascii_start();
        match self.rest.first()? {
            b'{' => self.object(depth),
            b'[' => self.array(key, depth),
            b'"' => {
                let (value, rest) = string(self.rest)?;
                self.rest = rest;
                self.keep(key, value);
                Some(())
            }
            _ => {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| b",]} \t\r\n".contains(byte));
                let (value, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
                if !value
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
                {
                    return None;
                }
                self.rest = rest;
                self.keep(key, Cow::Borrowed(value));
                Some(())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        let outer = self.object;
        let own = self.objects;
        self.objects = self.objects.saturating_add(1);
        let mut name: Option<Vec<u8>> = None;
        loop {
            self.rest = self.rest.trim_ascii_start();
            match self.rest.split_first()? {
                (b'}', after) => {
                    self.rest = after;
                    self.object = outer;
                    return Some(());
                }
                (b',', after) => self.rest = after,
                (b'"', _) => {
                    let (key, after) = string(self.rest)?;
                    let after = after.trim_ascii_start();
                    // A key without a value is left to the caller as text.
                    self.rest = after.strip_prefix(b":")?;
                    let renamed = name.take_if(|_| key.eq_ignore_ascii_case(b"value"));
                    // What has its name from inside is a member of the object outside.
                    self.object = if renamed.is_some() { outer } else { own };
                    let key = self.short(renamed.unwrap_or_else(|| key.into_owned()));
                    let before = self.path.len();
                    if before > 0 {
                        self.path.push(b'.');
                    }
                    self.path.extend_from_slice(&key);
                    let seen = self.members.len();
                    let done = self.value(&key, depth + 1);
                    self.path.truncate(before);
                    if key.eq_ignore_ascii_case(b"name") {
                        name = self.members.get(seen).map(|member| member.value.to_vec());
                    }
                    done?;
                }
                _ => return None,
            }
        }
    }

    fn array(&mut self, key: &[u8], depth: usize) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        loop {
            self.rest = self.rest.trim_ascii_start();
            match self.rest.split_first()? {
                (b']', after) => {
                    self.rest = after;
                    return Some(());
                }
                (b',', after) => self.rest = after,
                (b'[', _) if self.pair().is_some() => {}
                _ => self.value(key, depth + 1)?,
            }
        }
    }

    /// A name and its value in a list of two texts, as some write headers: `["code", "x"]`. `None`, and nothing
    /// happened, when it is another list.
    fn pair(&mut self) -> Option<()> {
        let (name, rest) = string(self.rest.strip_prefix(b"[")?.trim_ascii_start())?;
        let rest = rest.trim_ascii_start().strip_prefix(b",")?;
        let (value, rest) = string(rest.trim_ascii_start())?;
        self.rest = rest.trim_ascii_start().strip_prefix(b"]")?;
        let name = self.short(name.into_owned());
        let before = self.path.len();
        self.path.push(b'.');
        self.path.extend_from_slice(&name);
        self.keep(&name, value);
        self.path.truncate(before);
        Some(())
    }

    /// A key as it is copied for each value below it; the whole of a long one is kept once.
    fn short(&mut self, key: Vec<u8>) -> Vec<u8> {
        if key.len() <= record::MAX_NAME {
            return key;
        }
        let end = record::short_name(&key).to_vec();
        self.members.push(Member {
            path: Vec::new(),
            key: Vec::new(),
            value: Cow::Owned(key),
            object: self.object,
        });
        end
    }

    fn keep(&mut self, key: &[u8], value: Cow<'a, [u8]>) {
        self.members.push(Member {
            path: record::short_name(&self.path).to_vec(),
            key: key.to_vec(),
            value,
            object: self.object,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: &[(&str, &str)], left: &str) {
        let (members, rest) = members(input.as_bytes()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<_> = members
            .iter()
            .map(|m| (text(&m.path), text(&m.value)))
            .collect();
        let expect: Vec<_> = expect
            .iter()
            .map(|(p, v)| ((*p).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!((found, text(rest)), (expect, left.to_owned()), "{input}");
    }

    #[test]
    fn members_have_their_paths() {
        check(
            r#"{"h":[["a","x"],["b","y"]],"l":["c","z"],"n":[["d"],["e","f","g"]]}"#,
            &[
                ("h.a", "x"),
                ("h.b", "y"),
                ("l", "c"),
                ("l", "z"),
                ("n", "d"),
                ("n", "e"),
                ("n", "f"),
                ("n", "g"),
            ],
            "",
        );
        check(
            r#"{"a":{"b":"x","c":[1,"y",{"d":null}]},"e":"\u0026\"" }"#,
            &[
                ("a.b", "x"),
                ("a.c", "1"),
                ("a.c", "y"),
                ("a.c.d", "null"),
                ("e", "&\""),
            ],
            "",
        );
        check(
            r#"{"h":[{"name":"Referer","value":"u"}]}"#,
            &[("h.name", "Referer"), ("h.Referer", "u")],
            "",
        );
    }

    #[test]
    fn nothing_is_lost_of_what_is_cut_or_followed() {
        check(r#"{"a":"x","b":"cu"#, &[("a", "x"), ("b", "cu")], "");
        check(r#"{"a":"x"} tail"#, &[("a", "x")], " tail");
        check(r#"{"a":"x" broken"#, &[("a", "x")], "broken");
        check(r#"{"a":"x","b""#, &[("a", "x")], "\"b\"");
        check(r#"{"a":$x}"#, &[], "$x}");
    }

    #[test]
    fn depth_and_text_are_bounded() {
        let deep = format!("{{\"a\":{}\"x\"", "[".repeat(100_000));
        assert!(members(deep.as_bytes()).unwrap().1.len() > 90_000);
        assert!(members(b"{not json}").is_none());
        assert!(members(b"[1]").is_none());
    }

    #[test]
    fn a_long_key_is_kept_once_whatever_is_below_it() {
        let long = "k".repeat(64 << 10);
        let values = "\"v\",".repeat(4_000);
        let inside = format!("\"a\":[{values}0],\"{long}\":[{values}0]");
        let line = format!("{{\"{long}\":{{{inside}}}}}");
        let (members, rest) = members(line.as_bytes()).unwrap();
        assert_eq!((members.len(), rest), (8_004, b"".as_slice()));
        let held = members.iter().map(|m| m.path.len() + m.key.len());
        assert!(held.sum::<usize>() <= members.len() * 2 * record::MAX_NAME);
        let whole = members.iter().filter(|m| *m.value == *long.as_bytes());
        assert_eq!(whole.filter(|m| m.key.is_empty()).count(), 2);
        assert!(members.iter().any(|m| m.path.ends_with(b"k.a")));
    }

    #[test]
    fn objects_of_one_line_share_a_bound() {
        let left = Cell::new(5);
        let count = |line: &'static str| members_within(line.as_bytes(), &left).unwrap().0.len();
        let counts = [count(r#"{"a":1,"b":2}"#), count(r#"{"a":[1,2,3,4]}"#)];
        assert_eq!((counts, left.get()), ([2, 3], 0));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let (members, _) = members(b"{\"a\":\"\xff?code=x\"}").unwrap();
        assert_eq!(&*members.first().unwrap().value, b"\xff?code=x");
    }
}
