//! Command lines, as histories of shells and lists of processes have them: options whose values are words of their own.

use crate::atoms::rules::{Name, Rules};

/// The option of curl that is followed by a name and a password.
pub(super) const USER: &str = "-u";

/// Shortest name behind a single hyphen: shorter ones are letters that stand for themselves.
const SHORTEST: usize = 4;

/// The option that a word is, where the next word is its value: `--client-secret`, `-ClientSecret`, and of curl `-u`.
pub(super) fn option<'w>(word: &'w str, of_curl: bool, rules: &Rules) -> Option<&'w str> {
    let name = word.strip_prefix('-')?;
    let (name, shortest) = match name.strip_prefix('-') {
        Some(name) => (name, 1),
        None => (name, SHORTEST),
    };
    if of_curl && matches!(word, USER | "--user") {
        return Some(USER);
    }
    if matches!(name, "bearer" | "oauth2-bearer") {
        return Some("authorization_bearer");
    }
    let is_name = || {
        let key = Name::new(name);
        rules.catalogue.spelling(&key).is_some() || rules.catalogue.rules_for(&key).next().is_some()
    };
    let is_plain = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    (name.len() >= shortest && is_plain && is_name()).then_some(word)
}

/// Whether a word is the name of curl, wherever it lies.
pub(super) fn is_curl(word: &str) -> bool {
    let name = word.strip_suffix(".exe").unwrap_or(word);
    let before = name.strip_suffix("curl");
    before.is_some_and(|it| !it.ends_with(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c)))
}

/// Whether a word that follows an option is none of its value: the next option, since few values begin so.
pub(super) fn is_next(option: &str, word: &str) -> bool {
    option.starts_with('-') && word.starts_with("--")
}

/// Whether a word is the number of an argument, as the audit system of Linux writes them: `a0="curl" a1="-u"`.
pub(super) fn is_argument(word: &str) -> bool {
    let number = word.strip_prefix('a').and_then(|it| it.strip_suffix('='));
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
}
