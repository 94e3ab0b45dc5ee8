//! Parameter names as people and frameworks spell them, brought to one form: `access_token`,
//! `accessToken`, `ACCESS-TOKEN`, `user[access_token]`, `access%5Ftoken` are one name.

/// Longest name that is looked at: the longest registered one has 44 bytes, storage keys carry prefixes.
const MAX_NAME: usize = 512;

/// A name cut into lower-case words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Name {
    /// Words in order: at `_`, `-`, `.`, other punctuation, and where lower case meets upper case.
    pub words: Vec<Box<str>>,
    /// The words without anything between them.
    pub key: Box<str>,
}

impl Name {
    /// Cuts a decoded name into words.
    pub fn new(name: &str) -> Self {
        // Prefixes of cookie names say how the cookie is bound, not what it is (RFC 6265bis §4.1.3).
        let name = ["__Host-", "__Secure-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        let mut words: Vec<Box<str>> = Vec::new();
        let mut word = String::new();
        let mut previous = ' ';
        let mut chars = tail(name).chars().peekable();
        while let Some(c) = chars.next() {
            let boundary = c.is_uppercase()
                && (previous.is_lowercase()
                    || previous.is_uppercase()
                        && chars.peek().is_some_and(|next| next.is_lowercase()));
            if (!c.is_alphanumeric() || boundary) && !word.is_empty() {
                words.push(std::mem::take(&mut word).into());
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            previous = c;
        }
        if !word.is_empty() {
            words.push(word.into());
        }
        let key = words.iter().map(|word| &**word).collect();
        Self { words, key }
    }

    /// The key without the first `skip` words.
    pub fn suffix(&self, skip: usize) -> Box<str> {
        self.words.iter().skip(skip).map(|word| &**word).collect()
    }

    /// The name without the numbers and digests at its end (`session-token.0`, `logged_in_<hash>`);
    /// `None` when there are none.
    pub fn without_tail(&self) -> Option<Self> {
        let is_tail = |word: &str| {
            word.bytes().all(|byte| byte.is_ascii_digit())
                || word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let tail = self.words.iter().rev().take_while(|word| is_tail(word));
        let kept = self.words.len().saturating_sub(tail.count());
        if kept == 0 || kept == self.words.len() {
            return None;
        }
        let words: Vec<_> = self.words.iter().take(kept).cloned().collect();
        let key = words.iter().map(|word| &**word).collect();
        Some(Self { words, key })
    }

    /// Whether any of the words is one of these.
    pub fn has_word(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.words.iter().any(|word| wanted(word))
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
        let words = |name| Name::new(name).words.join(" ");
        assert_eq!(
            words("user[reset_password_token]"),
            "user reset password token"
        );
        assert_eq!(words("nextPageToken"), "next page token");
        assert_eq!(words("SAMLResponse"), "saml response");
        assert_eq!(
            &*Name::new("provider_access_token").suffix(1),
            "accesstoken"
        );
    }
}
