//! Whether an entry is worth parsing, told by its raw bytes. May say yes in vain, never no in vain.

use aho_corasick::{AhoCorasick, packed};

use crate::atoms::rules::Needles;

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

/// What needles cannot see through, and what is asked of an entry whatever is in it.
pub(super) struct Blind {
    packed: Option<packed::Searcher>,
    automaton: Option<AhoCorasick>,
}

impl Blind {
    /// Base64, escapes that spell ASCII (`\u003d`, `\/`), frames of a WebSocket, bodies in other files.
    const MARKS: [&[u8]; 5] = [b"base64", b"\\u00", b"\\/", b"\"opcode\"", b"\"_file\""];

    pub(super) fn new() -> Self {
        let packed = packed::Config::new().builder().extend(Self::MARKS).build();
        Self {
            automaton: match packed {
                Some(_) => None,
                None => AhoCorasick::new(Self::MARKS).ok(),
            },
            packed,
        }
    }

    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        match (&self.packed, &self.automaton) {
            (Some(packed), _) => packed.find(bytes).is_some(),
            (None, Some(automaton)) => automaton.is_match(bytes),
            (None, None) => true,
        }
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

    #[test]
    fn what_needles_cannot_see_through_is_told() {
        let blind = Blind::new();
        for text in [
            "a\\u003db",
            "https:\\/\\/a",
            "\"encoding\":\"base64\"",
            "\"opcode\":2",
            "{\"_file\":1}",
        ] {
            assert!(blind.is_in(text.as_bytes()), "{text}");
        }
        assert!(!blind.is_in(b"{\"text\":\"a\\n\\\"b\"}"));
    }
}
