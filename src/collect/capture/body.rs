//! The body of a message of HTTP without the codings that it was sent in. Knows HTTP's own headers alone.

use std::borrow::Cow;

use super::super::coding;
use super::http::Message;

/// The body without its codings (RFC 9110 §8.4.1, RFC 9112 §7.1), and whether all of it could be unpacked. What came
/// before damage is kept; of what cannot be unpacked at all the bytes as they are, since some captures undo a coding
/// and keep the field.
pub(super) fn unpacked<'a>(message: &Message<'_>, body: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
    let mut body = Cow::Borrowed(body);
    let chunked = message.header("transfer-encoding").is_some_and(|coding| {
        let coding = coding.to_ascii_lowercase();
        memchr::memmem::find(&coding, b"chunked").is_some()
    });
    if chunked && let Some(whole) = unchunked(&body) {
        body = whole.into();
    }
    let Some(codings) = message.header("content-encoding") else {
        return (body, true);
    };
    let (plain, problem) = coding::decoded(body.to_vec(), codings);
    let is_whole = problem.is_none();
    if plain.is_empty() && !is_whole {
        return (body, false);
    }
    (plain.into(), is_whole)
}

/// The chunks of a body in one; nothing when it is not in chunks.
fn unchunked(body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    let mut rest = body;
    loop {
        let end = memchr::memchr(b'\n', rest.get(..64).unwrap_or(rest));
        let Some(line) = end.and_then(|end| rest.get(..end)) else {
            return (!whole.is_empty()).then_some(whole);
        };
        let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        rest = rest.get(end?.saturating_add(1)..)?;
        let chunk = rest.get(..size).unwrap_or(rest);
        whole.extend_from_slice(chunk);
        rest = rest.get(size..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::Header;
    use super::*;

    #[test]
    fn codings_are_undone_where_they_are() {
        let chunks = b"4\r\ncode\r\n3;x=y\r\n=12\r\n0\r\n\r\n";
        assert_eq!(unchunked(chunks).unwrap(), b"code=12");
        assert_eq!(unchunked(b"{\"access_token\":1}"), None);
        let coded = |coding: &'static [u8], body: &[u8]| {
            let mut message = Message::default();
            message.push(Header {
                name: b"Content-Encoding",
                value: coding,
                at: 0,
            });
            let (body, is_whole) = unpacked(&message, body);
            (body.into_owned(), is_whole)
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, b"code=1").unwrap();
        let gzip = gzip.finish().unwrap();
        let plain = b"code=1".to_vec();
        assert_eq!(coded(b"gzip", &gzip), (plain.clone(), true));
        assert_eq!(coded(b"gzip", &plain), (plain.clone(), true));
        assert_eq!(
            coded(b"gzip", &gzip[..gzip.len() - 4]),
            (plain.clone(), false)
        );
        let brotli = b"\x0b\x03\x80{\"a\":1}\x03";
        assert_eq!(coded(b"br", brotli), (b"{\"a\":1}".to_vec(), true));
        assert_eq!(coded(b"other", &plain), (plain, false));
    }
}
