//! Names that come from the evidence and are shown in the places of a report. Knows no format.

/// Longest name that is shown.
const MAX_NAME: usize = 40;

/// A name that is made of words; any other may hold a state, an account or a token, and is left out.
pub(super) fn public_name(name: &str) -> &str {
    let is_word = |word: &str| {
        let lower = word.bytes().filter(u8::is_ascii_lowercase).count();
        let turns = word.as_bytes().windows(2).filter(
            |pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()),
        );
        let begins = word.len().saturating_sub(lower);
        // `verifier`, `VERIFIER`, `codeVerifier`.
        lower == 0 || begins <= turns.count() + 1 && begins * 4 <= word.len()
    };
    let is_public = name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || b"_.-: ".contains(&byte))
        && name.split(['_', '.', '-', ':', ' ']).all(is_word);
    if is_public { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_shown_as_a_name() {
        for name in [
            "access_token",
            "pkce-code-verifier",
            "accessToken",
            "CODE_VERIFIER",
            "oidc.user",
            "first run",
        ] {
            assert_eq!(public_name(name), name);
        }
        for name in [
            "oidc.0f3a99",
            "oidc.XkzQpAbLmNrT",
            "user@example.com",
            "a0.spajs.txs.Ab1",
            "kXqTzVbNmLpWrYhJkXqTzVbN",
            "SESSION_4F9KQ",
            "",
        ] {
            assert_eq!(public_name(name), "", "{name}");
        }
    }
}
