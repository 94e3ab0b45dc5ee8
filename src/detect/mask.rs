//! What may be shown of a URL: values of public parameters, short plain path segments, names. Everything
//! else becomes its kind and its length.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::known::{Known, MIN_SCRUBBED};
use super::url::{self, Pair, Url};
use super::{encoding, fragment};
use crate::atoms::Masked;
use crate::atoms::rules::{Name, Rules, Show};

/// Longest public value that is shown.
const MAX_SHOWN: usize = 512;

/// Longest masked URL: a screen line is shorter, a reader wants the place.
pub(super) const MAX_URL: usize = 2048;

/// Public URLs in public URLs.
const MAX_NESTED: usize = 2;

/// Characters of a part of a scheme: `com.googleusercontent.apps.…` ends with 32.
const MAX_SCHEME: usize = 32;

/// A URL without anything that is not known to be public.
pub(super) fn url(url: &Url, known: &Known<'_>, rules: &Rules) -> Masked {
    let mut shown = String::with_capacity(MAX_URL / 8);
    nested(url, known, rules, 0, &mut shown);
    let shown = shown.into();
    Masked::vouch(limited(scrub(shown, known).into_owned()))
}

/// Takes credentials out of a text that should hold none: a value that is its own name, or a host.
pub(super) fn scrub<'t>(mut text: Cow<'t, str>, known: &Known<'_>) -> Cow<'t, str> {
    let within: Vec<_> = known.within(&text).collect();
    for (value, shown) in within {
        text = Cow::Owned(text.replace(value, shown));
    }
    text
}

fn limited(mut text: String) -> String {
    if text.len() > MAX_URL {
        let end = (0..=MAX_URL)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Appends a URL.
fn nested(url: &Url, known: &Known<'_>, rules: &Rules, depth: usize, out: &mut String) {
    if !url.scheme.is_empty() {
        out.push_str(&scheme(&url.scheme, known));
        out.push(':');
    }
    if !url.host().is_empty() {
        out.push_str("//");
        if let Some(userinfo) = &url.userinfo {
            out.push_str(&length(userinfo));
            out.push('@');
        }
        out.push_str(&authority(url.host(), known));
        if let Some(port) = url.port {
            let _ = write!(out, ":{port}");
        }
    }
    path(&url.path, known, out);
    if let Some(query) = &url.query {
        out.push('?');
        form(query, known, rules, depth, out);
    }
    if let Some(text) = &url.fragment {
        for segment in fragment::segments(text).take(8) {
            out.push('#');
            if segment.contains('=') {
                form(segment, known, rules, depth, out);
            } else {
                path(segment, known, out);
            }
        }
    }
}

/// A scheme is public, as a host is. No registered one has a longer part, nor has a client id that is one backwards:
/// text that stood directly before a URL looks like that.
pub(super) fn scheme<'t>(text: &'t str, known: &Known<'_>) -> Cow<'t, str> {
    if text
        .split(['.', '-', '+'])
        .any(|part| part.len() > MAX_SCHEME)
    {
        return Cow::Owned(length(text));
    }
    authority(text, known)
}

/// A scheme or a host is public, unless it is none: a secret where the port should be, a random value.
pub(super) fn authority<'t>(text: &'t str, known: &Known<'_>) -> Cow<'t, str> {
    let is_address = text.starts_with('[') && text.ends_with(']');
    let bytes = text.as_bytes();
    let plain = text.len() <= 253
        && bytes.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || b".-_+".contains(byte)
                || is_address && b":[]".contains(byte)
        })
        && bytes
            .split(|byte| *byte == b'.')
            .all(|label| label.len() <= 63)
        && !bytes
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(is_random);
    // Schemes and hosts are in lower case here, whatever they were in the evidence.
    let is_credential = |value: &str| {
        (MIN_SCRUBBED..=text.len()).contains(&value.len())
            && text.contains(&*value.to_ascii_lowercase())
    };
    if plain && !known.iter().any(|(value, _)| is_credential(value)) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(length(text))
    }
}

/// Whether a part of a host is longer than any hash that a cloud makes a name of (MD5 in hex).
fn is_random(part: &[u8]) -> bool {
    let digits = || part.iter().filter(|byte| byte.is_ascii_digit()).count();
    part.len() > 32 && (3..=part.len() - 3).contains(&digits())
}

/// Stands around what is shown in the place of a credential.
const MARK: char = '\u{0}';

/// Appends a path, up to what is shown of a URL: it stands beside each part of its exchange. Segments that are words
/// stay; others, and credentials, do not.
fn path(path: &str, known: &Known<'_>, out: &mut String) {
    let most = out.len() + MAX_URL;
    let mut rest = Cow::Borrowed(path);
    if path.contains(MARK) {
        // One of the evidence's own says nothing.
        rest = Cow::Owned(path.replace(MARK, "\u{1}"));
    }
    let short = known
        .iter()
        .filter(|(value, _)| (4..MIN_SCRUBBED).contains(&value.len()));
    let within: Vec<_> = known.within(&rest).chain(short).collect();
    for (value, shown) in within {
        if rest.contains(value) {
            rest = Cow::Owned(rest.replace(value, &format!("{MARK}{shown}{MARK}")));
        }
    }
    for (at, segment) in rest.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        for (at, piece) in segment.split(';').enumerate() {
            if out.len() > most {
                return;
            }
            if at > 0 {
                out.push(';');
            }
            match piece.split_once('=') {
                Some((name, value)) => {
                    let shown = path_piece(value);
                    let is_masked = shown.starts_with('‹');
                    let shown = if is_masked {
                        shown
                    } else {
                        length(value).into()
                    };
                    out.push_str(&plain_name(name));
                    out.push('=');
                    out.push_str(&shown);
                }
                None => out.push_str(&path_piece(piece)),
            }
        }
    }
}

fn path_piece(piece: &str) -> Cow<'_, str> {
    if let Some(shown) = piece.split(MARK).nth(1) {
        return Cow::Borrowed(shown);
    }
    if is_word(piece) {
        Cow::Borrowed(piece)
    } else {
        Cow::Owned(length(piece))
    }
}

/// Whether a piece of a path is a word, a version, a short number, rather than a value.
pub(super) fn is_word(piece: &str) -> bool {
    /// Longest piece, and longest run of letters and digits in it.
    const LONGEST: (usize, usize) = (40, 20);
    if piece.len() > LONGEST.0 {
        return false;
    }
    let (mut digits, mut letters, mut upper, mut camel, mut run) = (0, 0, 0, 0, 0);
    let mut previous = 0_u8;
    for byte in piece.bytes() {
        let is_plain = byte.is_ascii_alphanumeric();
        run = if is_plain { run + 1 } else { 0 };
        if run > LONGEST.1 || !is_plain && !b"._-~+@!,:()".contains(&byte) {
            return false;
        }
        digits += usize::from(byte.is_ascii_digit());
        letters += usize::from(byte.is_ascii_alphabetic());
        upper += usize::from(byte.is_ascii_uppercase());
        camel += usize::from(previous.is_ascii_lowercase() && byte.is_ascii_uppercase());
        previous = byte;
    }
    // Digits among letters, or capitals in the middle of words, are what random values look like.
    let mixed = digits >= 3 && letters >= 3 || digits >= 2 && upper >= 2 && piece.len() >= 8;
    !mixed && camel <= 3 && digits <= 8
}

/// Appends form data, up to what is shown of a URL.
fn form(text: &str, known: &Known<'_>, rules: &Rules, depth: usize, out: &mut String) {
    let most = out.len() + MAX_URL;
    for (at, pair) in url::pairs(text).enumerate() {
        if out.len() > most {
            break;
        }
        if at > 0 {
            out.push('&');
        }
        if pair.name.is_empty() {
            out.push_str(&length(pair.value));
            continue;
        }
        let name = url::decoded_name(pair.name);
        out.push_str(&plain_name(&name));
        out.push('=');
        out.push_str(&value(&name, pair, known, rules, depth));
    }
}

fn value<'k>(
    name: &str,
    pair: Pair<'_>,
    known: &'k Known<'_>,
    rules: &Rules,
    depth: usize,
) -> Cow<'k, str> {
    let decoded = encoding::percent(url::strip_tail(pair.value));
    let canonical = encoding::canonical(&decoded);
    if canonical.is_empty() {
        return Cow::default();
    }
    if let Some((_, shown)) = known.iter().find(|(value, _)| *value == canonical) {
        return Cow::Borrowed(shown);
    }
    let shown = shown(&Name::new(name), &decoded, rules, known, depth);
    shown.unwrap_or_else(|| length(&canonical)).into()
}

/// The value of a public parameter, if it may be shown.
pub(super) fn public(
    name: &Name,
    decoded: &str,
    rules: &Rules,
    known: &Known<'_>,
) -> Option<String> {
    let shown = shown(name, decoded, rules, known, 0)?;
    Some(limited(scrub(shown.into(), known).into_owned()))
}

fn shown(
    name: &Name,
    decoded: &str,
    rules: &Rules,
    known: &Known<'_>,
    depth: usize,
) -> Option<String> {
    let public = rules.catalogue.public(name)?;
    let fits = public
        .value
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(decoded))
        && !known
            .iter()
            .any(|(value, _)| value.len() >= 4 && decoded.contains(value));
    match public.show {
        _ if !fits => None,
        Show::Hidden => None,
        Show::Url => {
            let inner = Url::new(decoded);
            (depth < MAX_NESTED).then(|| inside(&inner, known, rules, depth.saturating_add(1)))
        }
        Show::Plain if decoded.contains("://") => {
            let urls = decoded
                .split([' ', ','])
                .map(|part| inside(&Url::new(part), known, rules, MAX_NESTED));
            Some(urls.collect::<Vec<_>>().join(" "))
        }
        Show::Plain if !is_harmless(decoded, rules) => None,
        Show::Plain if public.value.is_none() => Some(words(decoded)),
        Show::Plain => Some(decoded.to_owned()),
    }
}

/// What a token says of itself. It names servers, clients and permissions, and is text of whoever made it: what looks
/// like a credential, or stands before an `@` or behind a `?` of a URL, is none of these.
pub(super) fn claim(text: &str, rules: &Rules, known: &Known<'_>) -> Box<str> {
    let is_url = text.contains("://");
    let mut parts = text.split([' ', ',', '/', ':', '@', '?', '#', '&', '=', ';']);
    let is_shown = is_harmless(text, rules)
        && parts.all(|part| is_harmless(part, rules))
        && !(text.contains('@') && text.contains([':', '/']))
        && !(is_url && text.contains(['?', '#']));
    let shown = match is_shown {
        true => Cow::Borrowed(text),
        false if is_url => Cow::Owned(inside(&Url::new(text), known, rules, MAX_NESTED)),
        false => Cow::Owned(length(text)),
    };
    limited(scrub(shown, known).into_owned()).into()
}

/// A URL in a parameter.
fn inside(url: &Url, known: &Known<'_>, rules: &Rules, depth: usize) -> String {
    let mut shown = String::new();
    nested(url, known, rules, depth, &mut shown);
    shown
}

/// The words of a list, of which only those that are words are shown.
fn words(list: &str) -> String {
    let word = |word: &str| {
        if word.split([':', '/']).all(is_word) {
            word.to_owned()
        } else {
            length(word)
        }
    };
    list.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a public value holds nothing that looks like a credential, and nothing that disturbs a terminal.
fn is_harmless(value: &str, rules: &Rules) -> bool {
    value.len() <= MAX_SHOWN
        && value.bytes().all(|byte| (b' '..0x7f).contains(&byte))
        && value
            .split([' ', ','])
            .all(|word| !word.starts_with("eyJ") && rules.shapes.alone(word).is_none())
}

/// A parameter's name, when it is one. What has a blank is a sentence.
pub(super) fn plain_name(name: &str) -> Cow<'_, str> {
    let plain = name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]:$".contains(&byte))
        && name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .all(is_word);
    if plain {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(length(name))
    }
}

/// A value by its length alone.
pub(super) fn length(value: &str) -> String {
    format!("‹{}›", value.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_the_evidence_show_nothing() {
        let rules = Rules::builtin().unwrap();
        let secret = "aZ3kQ9xV7mT2pL5w";
        for path in [
            format!("/a/\0{secret}\0/b"),
            format!("/a/x\0{secret}"),
            format!("/a;sid=\0{secret}\0"),
        ] {
            let found = Url::new(&format!("https://app.example{path}"));
            for other in [None, Some(("x9Kq2LmZ7pRtV4wY", "‹opaque 16›".to_owned()))] {
                let known = Known::of(other.into_iter());
                let shown = url(&found, &known, &rules);
                assert!(!shown.as_str().contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn of_a_long_path_its_head_is_shown() {
        let rules = Rules::builtin().unwrap();
        for part in ["/a", ";a", "/aZ3kQ9xV7mT2pL5w", "/x;sid=1"] {
            let path = |times| format!("https://app.example/{}", part.repeat(times));
            let whole = Url::new(&path(100_000));
            let mut out = String::new();
            super::path(&whole.path, &Known::default(), &mut out);
            assert!((MAX_URL..MAX_URL + 100).contains(&out.len()), "{part}");
            let shown = |found: &Url| url(found, &Known::default(), &rules);
            assert_eq!(shown(&whole), shown(&Url::new(&path(3_000))), "{part}");
        }
    }

    #[test]
    fn words_are_told_from_values() {
        for word in [
            "callback",
            "v2",
            "a.b-c_d",
            "2026-11-25",
            "getUserInfo",
            "",
            "(S)",
        ] {
            assert!(is_word(word), "{word}");
        }
        let long = "a-".repeat(21);
        for value in [
            "aZ3kQ9xV7mT2pL5w",
            "123456789",
            "abcdefghijklmnopqrstu",
            "A1B2CDEF",
            "aBcDeFgHi",
            "caf\u{e9}",
            "a b",
            &long,
        ] {
            assert!(!is_word(value), "{value}");
        }
    }
}
