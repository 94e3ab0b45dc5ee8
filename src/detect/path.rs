//! The name of a file without the credentials in it: a page saved under its URL, a dump named after its key.
//! Told by the value alone, or by the name of a credential and `=` before it; anything else is a name.

use std::path::Path;

use super::known::Known;
use super::mask;
use super::url::Url;
use crate::atoms::Digest;
use crate::atoms::rules::{Name, Rules};

/// A path that someone named, as a report or an error may show it.
pub fn displayed(path: &Path, rules: &Rules) -> String {
    let path = path.display().to_string();
    shown(&path, rules).unwrap_or(path)
}

/// A path as a report may show it. Two files whose names differ in the credential alone stay two.
pub fn shown(path: &str, rules: &Rules) -> Option<String> {
    let masked: Vec<String> = path
        .split('/')
        .map(|segment| mask_segment(segment, rules))
        .collect();
    let masked = masked.join("/");
    (masked != path).then_some(masked)
}

fn mask_segment(segment: &str, rules: &Rules) -> String {
    let is_query = segment.contains(['?', '#', '&']) && segment.contains('=');
    if is_query {
        let digest = Digest::of([b"file".as_slice(), segment.as_bytes()]).to_string();
        let digest = digest.get(..8).unwrap_or_default();
        let url = mask::url(&Url::new(segment), &Known::default(), rules);
        return format!("{}‹{digest}›", url.as_str().replace('/', "|"));
    }
    if let Some(masked) = mask_pair(segment, rules) {
        return masked;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-~+=".contains(c);
    let mut out = String::new();
    let mut rest = segment;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at_checked(end).unwrap_or((word, ""));
        out.push_str(before);
        out.push_str(&mask_word(word, rules));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Masks what stands behind `=` and a name that the rules know for that of a credential: `access_token=….log`. A value
/// may have dots, so nothing of it is shown.
fn mask_pair(segment: &str, rules: &Rules) -> Option<String> {
    let mut from = 0;
    for (at, _) in segment.match_indices('=') {
        let (before, value) = (segment.get(from..at)?, segment.get(at + 1..)?);
        from = at + 1;
        if !value.is_empty() && ends_with_name(before, rules) {
            let before = segment.get(..from)?;
            return Some(format!("{before}{}", masked(value)));
        }
    }
    None
}

/// Whether the text ends with a name of a credential, of which it may be the last words: `dump-access_token`.
fn ends_with_name(text: &str, rules: &Rules) -> bool {
    /// Longest name that is looked for: no rule has one of half of it.
    const MAX_NAME: usize = 64;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let length = text.bytes().rev().take(MAX_NAME).take_while(is_name);
    let name = text.get(text.len().saturating_sub(length.count())..);
    let name = Name::new(name.unwrap_or_default());
    rules.catalogue.rules_for(&name).next().is_some()
}

/// A credential as its length, and as what tells it from others.
fn masked(value: &str) -> String {
    let digest = Digest::of([b"file".as_slice(), value.as_bytes()]).to_string();
    let digest = digest.get(..8).unwrap_or_default();
    format!("‹{} {digest}›", value.len())
}

/// Masks the longest beginning, up to a dot, that is a credential by its shape.
fn mask_word(word: &str, rules: &Rules) -> String {
    let starts = word
        .match_indices(['=', '_', '-', '.'])
        .map(|(at, _)| at + 1);
    for start in [0].into_iter().chain(starts) {
        let (before, rest) = word.split_at_checked(start).unwrap_or((word, ""));
        if let Some(length) = credential(rest, rules) {
            let (value, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            return format!("{before}{}{after}", masked(value));
        }
    }
    word.to_owned()
}

/// Bytes of the credential that a word begins with.
fn credential(word: &str, rules: &Rules) -> Option<usize> {
    /// Characters of a JWT's header at least: `{"alg":"none"}` has 19.
    const HEADER: usize = 19;
    /// Dots of a credential at most: a JWE has four, and an ending of the file or two may follow. A name may have
    /// thousands.
    const MAX_DOTS: usize = 8;
    if word.starts_with("eyJ") && word.len() >= HEADER {
        return Some(word.len());
    }
    // Hardly a name begins so at any place: the rest is for few.
    if !rules.shapes.may_begin(word) {
        return None;
    }
    let ends = word.match_indices('.').map(|(at, _)| at).take(MAX_DOTS);
    let mut ends: Vec<usize> = ends.collect();
    ends.push(word.len());
    let is_credential = |end: &usize| {
        let value = word.get(..*end);
        value.is_some_and(|value| rules.shapes.alone(value).is_some())
    };
    ends.into_iter().rev().find(is_credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_names_of_files_are_masked() {
        let rules = Rules::builtin().unwrap();
        let token = format!("ghp_{}", "aB3dE6gH9j".repeat(4).get(..36).unwrap());
        let jwt = format!("eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.{}", "x".repeat(20));
        for (path, secret) in [
            (format!("dumps/{token}.log"), token.as_str()),
            (format!("dumps/key-{token}.txt.gz"), &token),
            (format!("a/{jwt}.txt"), &jwt),
            ("access_token=gQT4vB.n2xLq8.log/History".to_owned(), "vB"),
            ("a/dump-client_secret=x 1".to_owned(), "x"),
            (
                "a/cb?code=SplxlOBeZQQYbYS6WxSb&state=xyz.html".to_owned(),
                "SplxlOBe",
            ),
        ] {
            let shown = shown(&path, &rules).unwrap();
            assert!(!shown.contains(secret), "{shown}");
            assert_eq!(shown.matches('/').count(), 1, "{shown}");
        }
    }

    #[test]
    fn a_credential_ends_at_the_last_dot_that_its_form_allows() {
        let rules = Rules::builtin().unwrap();
        let key = format!("ghp_{}", "aB3dE6gH9j".repeat(4).get(..36).unwrap());
        let name = format!("{}{key}{}", "eyJ_ghp_.".repeat(2), ".x".repeat(400));
        assert_eq!(credential(&name, &rules), Some(name.len()));
        let name = format!("{key}{}", ".x".repeat(400));
        assert_eq!(credential(&name, &rules), Some(key.len()));
        assert_eq!(credential(&".".repeat(4_000), &rules), None);
    }

    #[test]
    fn other_names_stay() {
        let rules = Rules::builtin().unwrap();
        for path in [
            "/home/alice/.mozilla/firefox/k3x8q1vw.default-release/places.sqlite",
            "logs/access.log-20240101.gz",
            "C=DE/date=2024/a b=c/\u{202e}x",
            "58bef93f-a762-48aa-93d8-c0de7bafcc91.log",
            "-",
            "/",
            "",
        ] {
            assert_eq!(shown(path, &rules), None, "{path}");
        }
    }
}
