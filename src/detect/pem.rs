//! Private keys in textual encoding (RFC 7468): where one stands in a text, and its one spelling. Looks into no key beyond
//! what says that it is encrypted.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::encoding;
use crate::atoms::armour::{BEGIN, MARK, MAX_KEY, label_before};

/// Characters of the shortest key: Ed25519 in PKCS #8 (RFC 8410 §10.3).
const MIN_CHARACTERS: usize = 64;

/// Bytes before a key in which its name is looked for: a text may hold thousands of keys, and blanks before each.
const MAX_BEFORE: usize = 512;

/// Bits that a character carries at least. Random bytes carry over five, and what documentation fills a key with few.
const MIN_ENTROPY: f32 = 4.0;

/// Characters of a line (RFC 7468 §2).
const LINE: usize = 64;

/// What base64 makes of [`BEGIN`], as secrets of Kubernetes and variables of build systems have it.
const IN_BASE64: &str = "LS0tLS1CRUdJTi";

/// What begins a key of OpenSSH that no cipher protects, its header in base64 (OpenSSH, PROTOCOL.key).
const OPENSSH_PLAIN: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";

static MARKS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));

/// The first private key in a value, in the spelling of a strict generator, and whether base64 hid it.
pub(super) fn in_value(value: &str) -> Option<(String, bool)> {
    if value.starts_with(IN_BASE64) && value.len() <= 2 * MAX_KEY {
        let (_, key) = first(&encoding::base64_text(value)?)?;
        return Some((key, true));
    }
    first(value).map(|(_, key)| (key, false))
}

/// A text without its private keys, which are handed on: the name before each, its spelling, and the number of the line
/// that it leaves behind, by which values stand beside each other.
pub(super) fn cut(text: &str, mut found: impl FnMut(&str, String, u32)) -> Cow<'_, str> {
    let mut rest = text;
    let mut kept: Option<String> = None;
    let mut line = 1_u32;
    while let Some((range, key)) = first(rest) {
        let before = rest.get(..range.start).unwrap_or_default();
        let ends = memchr::memchr_iter(b'\n', before.as_bytes()).count();
        line = line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        let kept = kept.get_or_insert_default();
        kept.push_str(before);
        let near = kept.ceil_char_boundary(kept.len().saturating_sub(MAX_BEFORE));
        found(name_before(kept.get(near..).unwrap_or_default()), key, line);
        rest = rest.get(range.end..).unwrap_or_default();
    }
    match kept {
        Some(kept) => Cow::Owned(kept + rest),
        None => Cow::Borrowed(text),
    }
}

/// The name whose value begins where a text ends: `"private_key": "`, `KEY='`.
fn name_before(text: &str) -> &str {
    let is_between = |c: char| c.is_whitespace() || "\"'`\\|".contains(c);
    let before = text.trim_end_matches(is_between);
    let Some(named) = before.strip_suffix([':', '=']) else {
        return "";
    };
    let named = named.trim_end_matches(is_between);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    named
        .rsplit_once(|c| !is_of_name(c))
        .map_or(named, |(_, name)| name)
}

/// Whether a key, in the spelling of [`in_value`], is of no use without a passphrase.
pub(super) fn is_encrypted(key: &str) -> bool {
    let (label, rest) = key.split_once(MARK).unwrap_or_default();
    // RFC 5958 §3; RFC 1421 §4.6.1.1.
    label.ends_with(" ENCRYPTED ")
        || rest.trim_start().starts_with("Proc-Type:") && rest.contains("ENCRYPTED")
        || label.ends_with(" OPENSSH ") && !rest.trim_start().starts_with(OPENSSH_PLAIN)
}

/// The first private key in a text: where, and its spelling.
fn first(text: &str) -> Option<(Range<usize>, String)> {
    MARKS
        .find_iter(text.as_bytes())
        .find_map(|mark| at(text, mark))
}

/// The key whose first line has its mark here.
fn at(text: &str, mark: usize) -> Option<(Range<usize>, String)> {
    let before = text.get(..mark)?;
    let begin = label_before(before.as_bytes())?;
    let word = before.get(begin + BEGIN.len()..)?;
    if !word
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b' ')
    {
        return None;
    }
    let inside = mark + MARK.len();
    let end = format!("-----END {word}{MARK}");
    let far = text.len().min(inside + MAX_KEY);
    let near = text.as_bytes().get(inside..far)?;
    // Nothing in a key has so many hyphens. What ends otherwise is none, and is not searched again for the next mark.
    let length = memchr::memmem::find(near, b"-----")?;
    if !near.get(length..)?.starts_with(end.as_bytes()) {
        return None;
    }
    let body = encoding::canonical(text.get(inside..inside + length)?);
    let key = spelling(word, &body)?;
    Some((begin..inside + length + end.len(), key))
}

/// A key as a strict generator writes it; `None` for what is no key.
fn spelling(word: &str, body: &str) -> Option<String> {
    let is_header = |line: &&str| line.contains(": ");
    let data: String = body
        .lines()
        .filter(|line| !is_header(line))
        .flat_map(str::split_whitespace)
        .collect();
    let bare = data.trim_end_matches('=');
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if bare.len() < MIN_CHARACTERS
        || !bare.bytes().all(is_base64)
        || encoding::entropy(bare) < MIN_ENTROPY
    {
        return None;
    }
    let mut key = format!("{BEGIN}{word}{MARK}\n");
    let headers: Vec<&str> = body.lines().filter(is_header).map(str::trim).collect();
    if !headers.is_empty() {
        let _ = write!(key, "{}\n\n", headers.join("\n"));
    }
    let mut rest = data.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        key.push_str(line);
        key.push('\n');
        rest = behind;
    }
    let _ = write!(key, "-----END {word}{MARK}");
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 that no key is.
    fn data(characters: usize) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..characters)
            .map(|at| char::from(alphabet[(at * at + 7 * at) % 61 + at % 3]))
            .collect()
    }

    fn pem(word: &str, end: &str, body: &str) -> String {
        format!("-----BEGIN {word}{MARK}{end}{body}{end}-----END {word}{MARK}")
    }

    #[test]
    fn every_spelling_of_a_key_is_the_same_key() {
        let data = data(122);
        let lines = |at: usize, end: &str| {
            let (first, second) = data.split_at(at);
            [first, second].join(end)
        };
        let strict = pem("", "\n", &lines(64, "\n"));
        for (end, text) in [
            ("\n", data.clone()),
            ("\r\n", lines(76, "\r\n")),
            ("\\n", lines(64, "\\n")),
            ("\\\\n", lines(64, "\\\\n")),
            ("%0A", lines(64, "%0A")),
            (" ", lines(64, " ")),
            ("\n    ", lines(64, "\n    ")),
        ] {
            for around in ["", "\n", "key: "] {
                let value = format!("{around}{}{around}", pem("", end, &text));
                assert_eq!(in_value(&value), Some((strict.clone(), false)), "{value}");
            }
        }
        let hidden = data_encoding::BASE64.encode(strict.as_bytes());
        assert_eq!(in_value(&hidden), Some((strict, true)));
    }

    #[test]
    fn what_is_no_private_key_is_none() {
        let long = data(MAX_KEY);
        for value in [
            pem("", "\n", "***"),
            pem("", "\n", "MIIEvQ..."),
            pem("", "\n", &"A".repeat(200)),
            pem("", "\n", &data(MIN_CHARACTERS - 1)),
            pem("", "\n", &long),
            pem("rsa ", "\n", &data(122)),
            pem("", "\n", &data(122)).replace("PRIVATE", "PUBLIC"),
            pem("", "\n", &data(122)).replace("-----END ", "-----END RSA "),
            format!("-----BEGIN PRIVATE KEY-----\n{}", data(122)),
        ] {
            assert_eq!(in_value(&value), None, "{value}");
        }
    }

    #[test]
    fn it_says_itself_whether_it_is_encrypted() {
        let plain = format!("{OPENSSH_PLAIN}{}", data(120));
        let cipher = format!("b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI{}", data(120));
        let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233\n\n";
        for (is, word, body) in [
            (false, "", data(122)),
            (false, "RSA ", data(122)),
            (false, "OPENSSH ", plain),
            (true, "ENCRYPTED ", data(122)),
            (true, "RSA ", format!("{headers}{}", data(122))),
            (true, "OPENSSH ", cipher),
        ] {
            let (key, _) = in_value(&pem(word, "\n", &body)).unwrap();
            assert_eq!(is_encrypted(&key), is, "{key}");
        }
    }

    #[test]
    fn a_text_is_left_without_its_keys() {
        let key = pem("EC ", "\n", &data(122));
        let text = format!("a {key}\nb\n{key} c -----BEGIN PRIVATE KEY-----");
        let mut found = Vec::new();
        let left = cut(&text, |_, _, line| found.push(line));
        assert_eq!(left, "a \nb\n c -----BEGIN PRIVATE KEY-----");
        assert_eq!(found, [1, 3]);
    }

    /// Each is told with the name and the line that it has, however much stands before it.
    #[test]
    fn of_many_keys_each_has_its_own_name_and_line() {
        let key = pem("", "\n", &data(122));
        let between = " ".repeat(MAX_BEFORE);
        let text = format!("{between}\u{e9}\nname: \"{key}\"\n").repeat(2_000);
        let mut told = Vec::new();
        cut(&text, |name, _, line| told.push((name.to_owned(), line)));
        assert_eq!(told.len(), 2_000);
        let expected = (0..2_000).map(|at| ("name".to_owned(), 2 * at + 2));
        assert!(told.into_iter().eq(expected));
    }
}
