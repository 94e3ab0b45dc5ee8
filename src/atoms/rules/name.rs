//! Parameter names as people and frameworks spell them, brought to one form: `access_token`,
//! `accessToken`, `ACCESS-TOKEN`, `user[access_token]`, `access%5Ftoken` are one name.

/// Longest name that is looked at: the longest registered one has 44 bytes, storage keys carry prefixes.
const MAX_NAME: usize = 512;

/// A name cut into lower-case words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Name {
    /// The words without anything between them.
    pub key: Box<str>,
    /// Where the words after the first begin in the key: cut at `_`, `-`, `.`, other punctuation, and where
    /// lower case meets upper case. A name of one word, as most are, has none.
    breaks: Vec<u16>,
}

impl Name {
    /// Cuts a decoded name into words.
    pub fn new(name: &str) -> Self {
        // Prefixes of cookie names say how the cookie is bound, not what it is (RFC 6265bis §4.1.3).
        let name = ["__Host-", "__Secure-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        let name = tail(name);
        let mut key = String::with_capacity(name.len());
        let mut breaks: Vec<u16> = Vec::new();
        let mut previous = ' ';
        // Whether the next letter begins a word.
        let mut is_between = false;
        let mut chars = name.chars().peekable();
        while let Some(c) = chars.next() {
            let boundary = c.is_uppercase()
                && (previous.is_lowercase()
                    || previous.is_uppercase()
                        && chars.peek().is_some_and(|next| next.is_lowercase()));
            previous = c;
            is_between |= boundary;
            if !c.is_alphanumeric() {
                is_between = true;
                continue;
            }
            if is_between && !key.is_empty() {
                // A name in lower case is at most three times as long (`MAX_NAME`).
                breaks.extend(u16::try_from(key.len()));
            }
            is_between = false;
            if c.is_ascii() {
                key.push(c.to_ascii_lowercase());
            } else {
                key.extend(c.to_lowercase());
            }
        }
        let key = key.into();
        Self { key, breaks }
    }

    /// The words in order.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.count()).filter_map(|at| self.key.get(self.start(at)..self.start(at + 1)))
    }

    /// The key, and what is left of it without its first word, its first two words, and so on.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).filter_map(|at| self.key.get(self.start(at)..))
    }

    /// The name without the numbers and digests at its end (`session-token.0`, `logged_in_<hash>`);
    /// `None` when there are none.
    pub fn without_tail(&self) -> Option<Self> {
        let is_tail = |word: &str| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let tail = self.words().rev().take_while(|word| is_tail(word));
        let kept = self.count().saturating_sub(tail.count());
        if kept == 0 || kept == self.count() {
            return None;
        }
        Some(Self {
            key: self.key.get(..self.start(kept))?.into(),
            breaks: self.breaks.get(..kept - 1)?.into(),
        })
    }

    /// Whether any of the words is one of these.
    pub fn has_word(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.words().any(wanted)
    }

    fn count(&self) -> usize {
        if self.key.is_empty() {
            0
        } else {
            self.breaks.len() + 1
        }
    }

    /// Where a word begins; behind the last one, where it ends.
    fn start(&self, word: usize) -> usize {
        let Some(before) = word.checked_sub(1) else {
            return 0;
        };
        let next = self.breaks.get(before);
        next.map_or(self.key.len(), |start| usize::from(*start))
    }
}

/// The last [`MAX_NAME`] bytes, at a character boundary.
fn tail(name: &str) -> &str {
    let start = name.len().saturating_sub(MAX_NAME);
    (start..=name.len())
        .find_map(|at| name.get(at..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_share_a_key() {
        for name in [
            "access_token",
            "accessToken",
            "ACCESS-TOKEN",
            "AccessToken",
            "accesstoken",
            "__access_token",
            "access.token[]",
        ] {
            assert_eq!(&*Name::new(name).key, "accesstoken", "{name}");
        }
        assert_eq!(&*Name::new("SAMLResponse").key, "samlresponse");
    }

    #[test]
    fn numbers_and_digests_at_the_end_come_off() {
        let bare = |name| Name::new(name).without_tail().map(|name| name.key);
        assert_eq!(
            bare("__Secure-authjs.session-token.0").as_deref(),
            Some("authjssessiontoken")
        );
        assert_eq!(
            bare("remember_web_59ba36addc2b2f9401580f014c7f58ea").as_deref(),
            Some("rememberweb")
        );
        assert_eq!(bare("oauth2"), None);
        assert_eq!(bare("1.2"), None);
    }

    #[test]
    fn words_end_where_a_reader_would_end_them() {
        let words = |name| Name::new(name).words().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words("user[reset_password_token]"),
            "user reset password token"
        );
        assert_eq!(words("nextPageToken"), "next page token");
        assert_eq!(words("SAMLResponse"), "saml response");
        assert_eq!(
            Name::new("provider_access_token").suffixes().nth(1),
            Some("accesstoken")
        );
    }
}
