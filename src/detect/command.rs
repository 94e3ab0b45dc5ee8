//! Command lines, as histories of shells and lists of processes have them: options whose values are words of their own.

use super::words::Word;
use crate::atoms::Slot;
use crate::atoms::rules::{Name, Rules};

/// What curl's `-u` is called, behind which a name and a password stand.
const USER: &str = "-curl_user";

/// Shortest name behind a single hyphen: shorter ones are letters that stand for themselves.
const SHORTEST: usize = 4;

/// Which command the words of a line belong to.
#[derive(Default)]
pub(super) struct Command {
    is_curl: bool,
    /// The quotation mark that is open where the words are, and the one that was where curl's name is.
    quoted: Option<char>,
    around: Option<char>,
}

/// curl's options of one letter without a value, which others may stand behind: `-sb`.
const FLAGS: &[u8] = b"#0123456afgGiIjJkLnNOpqRsSvZ";

impl Command {
    /// Reads on.
    pub(super) fn read(&mut self, word: Word<'_>) {
        if self.is_curl {
            word.before.chars().for_each(|mark| self.pass(mark));
            let ends = word.text.ends_with(';') || word.text.ends_with("&&");
            self.is_curl &= !ends || self.is_in_value();
        }
        if is_curl(word.text) {
            let marks = ['"', '\''];
            let around = word.before.chars().next_back();
            self.around = around.filter(|it| marks.contains(it));
            (self.is_curl, self.quoted) = (true, self.around);
        }
    }

    /// Reads on past what stands between two words.
    fn pass(&mut self, mark: char) {
        match mark {
            '|' if !self.is_in_value() => self.is_curl = false,
            '"' | '\'' => {
                self.quoted = match self.quoted {
                    Some(open) if open == mark => self.around.filter(|it| *it != mark),
                    // The other mark inside a value is a letter of it.
                    Some(_) if self.is_in_value() => self.quoted,
                    _ => Some(mark),
                }
            }
            _ => {}
        }
    }

    /// Whether the words are inside a value, and not beside the name of the command: `-A 'Mozilla/5.0 (X11; Linux)'`.
    fn is_in_value(&self) -> bool {
        self.quoted.is_some() && self.quoted != self.around
    }

    /// How much of a word stands before cookies, if any do in it or behind it: `-b`, `-sb`, `--cookie=a=b`, `-ba=b`.
    pub(super) fn before_cookies(&self, word: &str) -> Option<usize> {
        if !self.is_curl || !word.starts_with('-') {
            return None;
        }
        if let Some(value) = word.strip_prefix("--cookie") {
            let is_joined = value.len() > 1 && value.starts_with('=');
            let before = word.len() - value.len() + usize::from(is_joined);
            return (value.is_empty() || is_joined).then_some(before);
        }
        let flags = word.bytes().skip(1);
        let before = flags.take_while(|it| FLAGS.contains(it)).count() + 1;
        let value = word.get(before..)?.strip_prefix('b')?;
        let is_whole = matches!(value, "" | "$" | "^");
        let before = before + if is_whole { value.len() } else { 0 } + 1;
        (is_whole || value.contains('=')).then_some(before)
    }

    /// The option that a word is, where the next word is its value: `--client-secret`, `-ClientSecret`, and of curl
    /// `-u`.
    pub(super) fn option<'w>(&self, word: &'w str, rules: &Rules) -> Option<&'w str> {
        let name = word.strip_prefix('-')?;
        let (name, shortest) = match name.strip_prefix('-') {
            Some(name) => (name, 1),
            None => (name, SHORTEST),
        };
        if self.is_curl && matches!(word, "-u" | "--user") {
            return Some(USER);
        }
        if matches!(name, "bearer" | "oauth2-bearer") {
            return Some("-authorization_bearer");
        }
        let is_name = || rules.catalogue.knows(&Name::new(name));
        let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
        (name.len() >= shortest && name.bytes().all(is_plain) && is_name()).then_some(word)
    }
}

/// Whether a word behind an option is no value of it: the next option, a file, a variable, an argument in a program that
/// declares the option.
pub(super) fn is_no_value(option: &str, word: &str, rules: &Rules) -> bool {
    if option == USER {
        return !is_user(word, rules);
    }
    let is_path = || word.starts_with('/') && word.matches('/').count() > 1;
    let is_argument = || word.trim_end_matches('=').contains('=');
    option.starts_with('-')
        && (word.starts_with(['-', '@', '~', '.', '$']) || is_path() || is_argument())
}

/// Whether a word is a name and a password.
fn is_user(word: &str, rules: &Rules) -> bool {
    let is_password =
        |text: &str| !text.starts_with(['/', '$']) && !rules.placeholders.contain(text, Slot::Text);
    word.split_once(':')
        .is_some_and(|(_, password)| is_password(password))
}

/// Whether a word is the number of an argument, as the audit system of Linux writes them: `a0="curl" a1="-u"`.
pub(super) fn is_argument(word: &str) -> bool {
    let number = word.strip_prefix('a').and_then(|it| it.strip_suffix('='));
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
}

/// Whether a word is the name of curl, wherever it lies.
fn is_curl(word: &str) -> bool {
    let name = word.strip_suffix(".exe").unwrap_or(word);
    let before = name.strip_suffix("curl");
    before.is_some_and(|it| !it.ends_with(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c)))
}
