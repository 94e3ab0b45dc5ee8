//! Links that a mail gateway wrote around another URL in a way of its own. Those that carry the other URL as a
//! parameter need nothing here: values are opened wherever they lie.

use super::encoding;
use super::url::Url;

/// The URL inside a link of Proofpoint's URL Defense, version 3: `/v3/__URL__;REPLACED!!…$`, where each character
/// that the gateway does not like became a `*`, a run of them `**` and a letter for its length, and what they were
/// stands in base64 behind the semicolon.
pub(super) fn inner(url: &Url) -> Option<String> {
    const HOST: &str = "urldefense.com";
    let host = url.host();
    let is_gateway = host
        .strip_suffix(HOST)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'));
    if !is_gateway || !url.path.starts_with("/v3/__") {
        return None;
    }
    let mut whole = url.path.strip_prefix("/v3/__")?.to_owned();
    for (mark, piece) in [('?', &url.query), ('#', &url.fragment)] {
        if let Some(piece) = piece {
            whole.push(mark);
            whole.push_str(piece);
        }
    }
    let (inner, tail) = whole.rsplit_once("__;")?;
    let replaced = tail.split('!').next().unwrap_or_default();
    let replaced = encoding::base64(replaced).unwrap_or_default();
    Some(restored(inner, &encoding::text(&replaced)))
}

/// `text` with the characters that stars stand for; a star that nothing is left for stays.
fn restored(text: &str, replaced: &str) -> String {
    /// Lengths of a run, from 2: each stands for itself in order.
    const LENGTHS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut replaced = replaced.chars();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '*' {
            out.push(c);
            continue;
        }
        if rest.next_if_eq(&'*').is_some() {
            let length = rest.next().and_then(|it| LENGTHS.find(it)).unwrap_or(0);
            out.extend(replaced.by_ref().take(length.saturating_add(2)));
        } else {
            out.push(replaced.next().unwrap_or('*'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_gateway_replaced_is_put_back() {
        let of = |text: &str| inner(&Url::new(text));
        assert_eq!(
            of("https://urldefense.com/v3/__https://app.example/reset?token=made-up__;!!AbC!xyz$")
                .as_deref(),
            Some("https://app.example/reset?token=made-up")
        );
        // `Iw` is `#`, `ISEh` is `!!!`.
        assert_eq!(
            of("https://urldefense.com/v3/__https://app.example/*access_token=made-up__;Iw!!AbC!xyz$").as_deref(),
            Some("https://app.example/#access_token=made-up")
        );
        assert_eq!(
            of("https://eu.urldefense.com/v3/__https://app.example/a**Bb__;ISEh!!AbC!x$")
                .as_deref(),
            Some("https://app.example/a!!!b")
        );
        assert_eq!(of("https://app.example/v3/__https://x__;!!y$"), None);
        assert_eq!(
            of("https://urldefense.com/v3/__https://app.example/?token=x"),
            None
        );
    }
}
