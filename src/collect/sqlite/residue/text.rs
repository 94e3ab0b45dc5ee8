//! Where a URL, or text like one, begins and ends among bytes that no structure explains. Knows characters only.

use std::ops::Range;

/// Schemes of URLs that are told from letters that stand before them.
const SCHEMES: [&[u8]; 6] = [b"https", b"http", b"wss", b"ws", b"ftp", b"file"];

/// Whether a byte can be in a URL as browsers store them: what the URL Standard encodes in a query and in a fragment
/// cannot (<https://url.spec.whatwg.org/#query-percent-encode-set>).
pub(super) fn is_urlable(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`')
}

/// The text around a mark, inside a range: from the scheme of its URL, if it has one, to the first byte that cannot
/// be in a URL.
pub(super) fn around(bytes: &[u8], range: &Range<usize>, mark: usize) -> Range<usize> {
    let before = bytes.get(range.start..mark).unwrap_or_default();
    let behind = bytes.get(mark..range.end).unwrap_or_default();
    let begin = before.iter().rposition(|byte| !is_urlable(*byte));
    let begin = begin.map_or(range.start, |place| range.start + place + 1);
    let end = behind.iter().position(|byte| !is_urlable(*byte));
    let end = end.map_or(range.end, |place| mark + place);
    let run = bytes.get(begin..mark).unwrap_or_default();
    begin + scheme(run).unwrap_or_default()..end
}

/// Where the last URL in a text begins. A URL inside another one is percent-encoded, mostly, and else the outer one
/// is what counts; two URLs glued together are two columns.
fn scheme(run: &[u8]) -> Option<usize> {
    let colons: Vec<usize> = memchr::memmem::find_iter(run, b"://").collect();
    let begins = colons.iter().filter_map(|&colon| {
        let before = run.get(..colon)?;
        let known = SCHEMES.iter().find(|scheme| before.ends_with(scheme));
        let len = known.map_or_else(
            || {
                let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                before
                    .iter()
                    .rev()
                    .take_while(|byte| is_scheme(byte))
                    .count()
            },
            |scheme| scheme.len(),
        );
        Some((colon - len, len)).filter(|(_, len)| *len > 0)
    });
    // One that follows `=`, `/` or the like is inside the other.
    let mut outer = None;
    for (begin, _) in begins {
        let inside = begin
            .checked_sub(1)
            .and_then(|before| run.get(before))
            .is_some_and(|byte| b"=/?&#,;:(|".contains(byte));
        if outer.is_none() || !inside {
            outer = Some(begin);
        }
    }
    outer
}

/// Whether bytes are a URL and nothing else.
pub(super) fn is_url(bytes: &[u8]) -> bool {
    let colon = memchr::memmem::find(bytes, b"://");
    let scheme = colon
        .and_then(|colon| bytes.get(..colon))
        .unwrap_or_default();
    let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(in_scheme)
        && bytes.iter().all(|byte| *byte > b' ')
}

/// Texts of at least so many characters in UTF-16, low byte first, with the places where they begin.
pub(super) fn wide(bytes: &[u8], least: usize) -> Vec<(usize, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(zero) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) {
        // The first character stands before its zero byte.
        let begin = (at + zero).saturating_sub(1);
        let (pairs, _) = bytes.get(begin..).unwrap_or_default().as_chunks::<2>();
        let text: Vec<u8> = pairs
            .iter()
            .take_while(|[low, high]| *high == 0 && is_urlable(*low))
            .map(|[low, _]| *low)
            .collect();
        at = (begin + 2 * text.len()).max(at + zero + 1);
        if text.len() >= least {
            found.push((begin, text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around_mark(text: &[u8]) -> &[u8] {
        let mark = text.iter().rposition(|byte| *byte == b'=').unwrap();
        &text[around(text, &(0..text.len()), mark)]
    }

    #[test]
    fn a_url_ends_where_none_could_go_on() {
        assert_eq!(around_mark(b"\x01xhttps://a/?b=c\0d"), b"https://a/?b=c");
        assert_eq!(around_mark(b"app.mine://cb?b=c d"), b"app.mine://cb?b=c");
        assert_eq!(around_mark(b"no url b=c\"d"), b"b=c");
        assert_eq!(around_mark(b"b=c"), b"b=c");
    }

    #[test]
    fn the_outer_url_counts() {
        assert_eq!(
            around_mark(b"\0https://a/?next=https://b/?c=d"),
            b"https://a/?next=https://b/?c=d"
        );
        assert_eq!(
            around_mark(b"\0http://a/Titlehttps://b/?c=d"),
            b"https://b/?c=d"
        );
    }

    #[test]
    fn a_url_has_a_scheme_and_no_spaces() {
        assert!(is_url(b"https://a/?b=c"));
        assert!(is_url(b"com.app://cb"));
        assert!(!is_url(b"see https://a/"));
        assert!(!is_url(b"https://a/ is it"));
        assert!(!is_url(b"access_token=1"));
    }

    #[test]
    fn wide_text_begins_at_either_parity() {
        let text: Vec<u8> = "http://a".bytes().flat_map(|byte| [byte, 0]).collect();
        for before in [&b""[..], b"\x07", b"\x07\x09", b"\0"] {
            let bytes = [before, &text].concat();
            assert_eq!(wide(&bytes, 4), [(before.len(), b"http://a".to_vec())]);
        }
        assert_eq!(wide(&text, 9), []);
    }
}
