//! Whether an entry is worth parsing, told by its raw bytes. May say yes in vain, never no in vain.

use std::borrow::Cow;

use super::nesting::Nesting;
use crate::atoms::rules::Needles;
use crate::collect::json::Value;

/// Members of an entry itself (HAR 1.2 "entries", "response") that are spelt like parameters of OAuth, and how
/// their values begin when there is nothing in them that a needle would tell: a parameter's is no object.
const OWN: [(&[u8], &[u8]); 3] = [
    (b"\"request\"", b"{"),
    (b"\"response\"", b"{"),
    (b"\"redirectURL\"", b"\"\""),
];

/// Whether a needle is in the bytes, the names of an entry's own members left out.
pub(super) fn has_needle(bytes: &[u8], needles: &Needles) -> bool {
    let mut from = 0;
    while let Some(at) = needles.find(bytes, from) {
        if !is_own_member(bytes, at) {
            return true;
        }
        from = at.saturating_add(1);
    }
    false
}

/// Whether the colon at `at` follows the name of one of an entry's own members, and an object follows it.
fn is_own_member(bytes: &[u8], at: usize) -> bool {
    let Some((before, [b':', after @ ..])) = bytes.split_at_checked(at) else {
        return false;
    };
    let before = before.trim_ascii_end();
    let value = after.trim_ascii_start();
    OWN.iter().any(|(name, begin)| {
        // Behind a backslash it stands in a string.
        let outside = before
            .strip_suffix(*name)
            .is_some_and(|rest| !rest.ends_with(b"\\"));
        outside && value.starts_with(begin)
    })
}

/// Strings `name` of one entry whose places are kept, eight bytes each. A message has some dozen headers; an entry
/// with more names than these is read.
const MAX_NAMES: usize = 4096;

/// Strings that are signs, behind their first quote: frames of a WebSocket, bodies in other files.
const EXACT: [&[u8]; 2] = [b"opcode\"", b"_file\""];

/// The same in letters of either case: bodies in base64, `data:` URLs.
const EITHER_CASE: [&[u8]; 2] = [b"base64\"", b"data:"];

/// Bytes of the longest of them.
const LONGEST: usize = 7;

/// What was met in an entry while it was followed through its strings, of what needles cannot see through or do not
/// tell.
#[derive(Default, Debug)]
pub(super) struct Signs {
    /// Whether it must be read whatever else is in it: for one of those strings, or for an escape that spells ASCII
    /// (`\u003d`, `\/`).
    blind: bool,
    /// Where strings begin that read `name`.
    names: Vec<usize>,
    /// Whether the bytes ended in what may be a sign.
    unsure: bool,
}

impl Signs {
    /// Looks at a place that [`Nesting::consume`] tells of, in bytes that begin at `base` in their entry.
    #[inline]
    pub(super) fn note(&mut self, bytes: &[u8], at: usize, base: usize) {
        match bytes.get(at..).unwrap_or_default() {
            [
                b'"',
                b'b' | b'B' | b'd' | b'D' | b'n' | b'o' | b'_',
                text @ ..,
            ] => {
                self.unsure |= text.len() < LONGEST;
                self.string(
                    bytes.get(at.saturating_add(1)..).unwrap_or_default(),
                    base.saturating_add(at),
                );
            }
            [b'u', b'0', b'0', ..] | [b'/', ..] => self.blind = true,
            [b'"' | b'u', _, _, ..] => {}
            _ => self.unsure = true,
        }
    }

    /// Looks at the text behind a quote.
    fn string(&mut self, text: &[u8], quote: usize) {
        if text.starts_with(b"name\"") {
            self.names.push(quote);
        }
        let is_sign = |sign: &&[u8]| text.starts_with(sign);
        let is_either = |sign: &&[u8]| {
            let head = text.get(..sign.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(sign))
        };
        self.blind |= self.names.len() > MAX_NAMES
            || EXACT.iter().any(is_sign)
            || EITHER_CASE.iter().any(is_either);
        if self.blind {
            self.names.clear();
        }
    }

    /// Looks again where the bytes came in blocks and one ended in what may be a sign: what is found must not hang on
    /// where blocks end.
    pub(super) fn settle(&mut self, entry: &[u8]) {
        if self.unsure {
            self.clear();
            Nesting::default().consume(entry, &mut |at| self.note(entry, at, 0));
        }
    }

    /// Forgets all, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.blind = false;
        self.unsure = false;
    }

    /// Whether the entry must be read whatever needles say.
    pub(super) fn is_blind(&self) -> bool {
        self.blind
    }

    /// Whether a list of `name` and `value` in the entry holds a name that a needle knows. HAR puts no separator
    /// behind such a name, as headers and forms do. What else is in a name that stands as it is was found where it
    /// stands.
    pub(super) fn has_listed_name(&self, entry: &[u8], needles: &Needles) -> bool {
        const KEY: &[u8] = b"\"name\"";
        self.names.iter().any(|at| {
            let rest = entry.get(*at..).and_then(|rest| rest.strip_prefix(KEY));
            let rest = rest.unwrap_or_default().trim_ascii_start();
            let name = rest
                .strip_prefix(b":")
                .and_then(|rest| Value::at(rest, 0)?.text());
            name.is_some_and(|name| {
                needles.ends_name(&name) || matches!(name, Cow::Owned(_)) && needles.hit(&name)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;

    #[test]
    fn own_members_are_no_needles_and_parameters_are() {
        let needles = Rules::builtin().unwrap().needles;
        let has = |text: &str| has_needle(text.as_bytes(), &needles);
        assert!(!has(
            r#"{"request": {"method": "GET"}, "response" : {"status": 200, "redirectURL": ""}}"#
        ));
        for text in [
            r#"{"request":"eyJ"}"#,
            r#"{"request":"a.b.c"}"#,
            r#"{"request":{"postData":{"text":"{\"request\":{}}"}}}"#,
            r#"{"request":{"url":"https://a/?request=x"}}"#,
            r#"{"request":{"a":1},"response":[1]}"#,
            r#"{"xrequest":{}}"#,
            r#"{"redirectURL":"/x"}"#,
        ] {
            assert!(has(text), "{text}");
        }
    }

    /// The signs of an entry that comes in blocks of this size.
    fn signs(entry: &[u8], block: usize) -> Signs {
        let mut signs = Signs::default();
        let mut nesting = Nesting::default();
        for (number, bytes) in entry.chunks(block).enumerate() {
            nesting.consume(bytes, &mut |at| signs.note(bytes, at, number * block));
        }
        signs.settle(entry);
        signs
    }

    #[test]
    fn what_needles_cannot_see_through_is_told_wherever_blocks_end() {
        for (text, expected) in [
            (r#"{"text":"a\u003db"}"#, true),
            (r#"{"text":"https:\/\/a"}"#, true),
            (r#"{"text":"{\"a\\u003db\":1}"}"#, true),
            (r#"{"encoding":"base64"}"#, true),
            (r#"{"encoding" : "Base64"}"#, true),
            (r#"{"url":"data:text/html;base64,PGI+"}"#, true),
            (r#"{"opcode":2}"#, true),
            (r#"{"_file":"x"}"#, true),
            (r#"{\"_file":"#, true),
            (
                r#"{"text":"a\n\"b\" u003d \u0430 base64 data: \"opcode\" _file"}"#,
                false,
            ),
        ] {
            for block in 1..=text.len() {
                let signs = signs(text.as_bytes(), block);
                assert_eq!(signs.is_blind(), expected, "{text} in blocks of {block}");
            }
        }
    }

    #[test]
    fn listed_names_are_told_wherever_blocks_end() {
        let needles = Rules::builtin().unwrap().needles;
        for (text, expected) in [
            (r#"{"a":[{"name":"access_token","value":"x"}]}"#, true),
            (r#"{"a":[{"value":"x","name" : "code"}]}"#, true),
            (r#"{"a":[{"name":"accept"},{"name":1},{"name"}]}"#, false),
            (r#"{"names":"code","b":"name","a":"code"}"#, false),
        ] {
            for block in 1..=text.len() {
                let signs = signs(text.as_bytes(), block);
                let has = signs.has_listed_name(text.as_bytes(), &needles);
                assert_eq!(has, expected, "{text} in blocks of {block}");
            }
        }
    }

    #[test]
    fn more_names_than_are_kept_are_a_sign() {
        let list = |names: usize| format!("[{}0]", "{\"name\":0},".repeat(names));
        assert!(!signs(list(MAX_NAMES).as_bytes(), 1000).is_blind());
        let many = signs(list(MAX_NAMES + 1).as_bytes(), 1000);
        assert!(many.is_blind() && many.names.is_empty());
    }
}
