//! Fragments of URLs: form data, and the hash routes of applications in one page.

use std::borrow::Cow;

use super::encoding::percent;

/// A fragment as form data and as hash-router paths: cut at `?` and `#`, each piece without the `!` and `/`
/// in front of it.
pub(super) fn segments(fragment: &str) -> impl Iterator<Item = &str> {
    fragment
        .split('#')
        .flat_map(|piece| {
            let (first, second) = match piece.split_once('?') {
                Some((first, second)) => (first, Some(second)),
                None => (piece, None),
            };
            std::iter::once(first).chain(second)
        })
        .map(|piece| {
            let bare = piece.trim_start_matches(['!', '/']);
            // `#/cb/access_token=…`: the last segment is the form data.
            match (bare.find('='), bare.find('/')) {
                (Some(equals), Some(slash)) if slash < equals => bare
                    .get(..equals)
                    .and_then(|before| before.rfind('/'))
                    .and_then(|last| bare.get(last.saturating_add(1)..))
                    .unwrap_or(bare),
                _ => bare,
            }
        })
        .filter(|piece| !piece.is_empty())
}

/// The hash routes in a fragment, which are paths of an application in one page: `#/reset-password/<token>`.
pub(super) fn routes(fragment: &str) -> impl Iterator<Item = &str> {
    fragment.split('#').filter_map(|piece| {
        let route = piece.strip_prefix('!').unwrap_or(piece);
        let end = route.find('?').unwrap_or(route.len());
        route.get(..end).filter(|it| it.starts_with('/'))
    })
}

/// Segments of the hash routes in a fragment that may hold a value of their own, decoded once: `#/auth/<token>`. Those with
/// a `=` are form data.
pub(super) fn route_segments(fragment: &str) -> impl Iterator<Item = Cow<'_, str>> {
    fragment
        .split(['#', '?', '/'])
        .filter(|segment| segment.len() >= 8 && !segment.contains('='))
        .map(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_form_data_and_routes() {
        let all = |fragment| segments(fragment).collect::<Vec<_>>();
        assert_eq!(all("access_token=x&state=y"), ["access_token=x&state=y"]);
        assert_eq!(all("/cb?access_token=x"), ["cb", "access_token=x"]);
        assert_eq!(all("!/a#access_token=x"), ["a", "access_token=x"]);
        assert_eq!(all("/cb/access_token=x"), ["access_token=x"]);
    }

    #[test]
    fn a_route_begins_with_a_slash_and_ends_before_its_query() {
        let all = |fragment| routes(fragment).collect::<Vec<_>>();
        assert_eq!(all("/reset/a?b=/c"), ["/reset/a"]);
        assert_eq!(all("!/a#/b"), ["/a", "/b"]);
        assert!(all("a/b&c=/d").is_empty());
    }

    #[test]
    fn a_segment_of_a_route_may_be_a_value() {
        let all = |fragment| route_segments(fragment).collect::<Vec<_>>();
        assert_eq!(all("/auth/0123456789?x=123456789"), ["0123456789"]);
        assert_eq!(all("0123%2045678"), ["0123 45678"]);
        assert!(all("/a/b=0123456789#c").is_empty());
    }
}
