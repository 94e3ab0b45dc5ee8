//! The body of a message of HTTP without the codings that it was sent in. Knows HTTP's own headers alone.

use std::borrow::Cow;

use super::super::coding;
use super::http::Message;

/// Bytes of the line that a chunk begins with: its extensions have no bound, and servers refuse more than they take of
/// a header.
const MAX_LINE: usize = 16 << 10;

/// The body without its codings (RFC 9110 §8.4.1, RFC 9112 §7.1), and whether all of it could be unpacked. What came
/// before damage is kept; of what cannot be unpacked at all the bytes as they are, since some captures undo a coding
/// and keep the field.
pub(super) fn unpacked<'a>(message: &Message<'_>, body: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
    let mut body = Cow::Borrowed(body);
    let chunked = message.list("transfer-encoding").is_some_and(|codings| {
        let codings = codings.to_ascii_lowercase();
        memchr::memmem::find(&codings, b"chunked").is_some()
    });
    let mut is_whole = true;
    if chunked && let Some((chunks, are_whole)) = unchunked(&body) {
        body = chunks.into();
        is_whole = are_whole;
    }
    let Some(codings) = message.list("content-encoding") else {
        return (body, is_whole);
    };
    let (plain, problem) = coding::decoded(body.to_vec(), &codings);
    is_whole &= problem.is_none();
    if plain.is_empty() && !is_whole {
        return (body, false);
    }
    (plain.into(), is_whole)
}

/// The chunks of a body in one, and whether all of it is; nothing when it is not in chunks. What cannot be told apart any
/// further follows as it is.
fn unchunked(body: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut whole = Vec::new();
    let mut rest = body;
    loop {
        let Some((size, behind)) = chunk(rest) else {
            whole.extend_from_slice(rest);
            return (rest.len() < body.len()).then_some((whole, rest.is_empty()));
        };
        if size == 0 {
            // A capture that has undone the chunks may have a body that begins with this number.
            let is_none = whole.is_empty() && !behind.trim_ascii().is_empty();
            return (!is_none).then_some((whole, true));
        }
        rest = behind;
        let chunk = rest.get(..size).unwrap_or(rest);
        whole.extend_from_slice(chunk);
        rest = rest.get(size..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
}

/// The size that a chunk begins with, and what follows its line (RFC 9112 §7.1).
fn chunk(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = memchr::memchr(b'\n', bytes.get(..MAX_LINE).unwrap_or(bytes))?;
    let line = bytes.get(..end)?;
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
    Some((size, bytes.get(end.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests {
    use super::super::http::Header;
    use super::*;

    #[test]
    fn codings_are_undone_where_they_are() {
        let chunks = b"4\r\ncode\r\n3;x=y\r\n=12\r\n0\r\n\r\n";
        let told = unchunked;
        assert_eq!(told(chunks), Some((b"code=12".to_vec(), true)));
        let long = [
            b"4;".as_slice(),
            &[b'x'; 80],
            b"\r\ncode\r\n3\r\n=12\r\n0\r\n\r\n",
        ]
        .concat();
        assert_eq!(told(&long), Some((b"code=12".to_vec(), true)));
        let damaged = b"4\r\ncode\r\nzz\r\n=12";
        assert_eq!(told(damaged), Some((b"codezz\r\n=12".to_vec(), false)));
        assert_eq!(told(b"4\r\ncode\r\n"), Some((b"code".to_vec(), true)));
        assert_eq!(told(b"0\r\n\r\n"), Some((Vec::new(), true)));
        // Undone already.
        assert_eq!(told(b"0\n&code=12"), None);
        assert_eq!(unchunked(b"{\"access_token\":1}"), None);
        let coded_by = |codings: &[&'static [u8]], body: &[u8]| {
            let mut message = Message::default();
            for coding in codings {
                message.push(Header {
                    name: b"Content-Encoding",
                    value: (*coding).into(),
                    at: 0,
                });
            }
            let (body, is_whole) = unpacked(&message, body);
            (body.into_owned(), is_whole)
        };
        let coded = |coding: &'static [u8], body: &[u8]| coded_by(&[coding], body);
        let zipped = |bytes: &[u8]| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, bytes).unwrap();
            gzip.finish().unwrap()
        };
        let gzip = zipped(b"code=1");
        let plain = b"code=1".to_vec();
        assert_eq!(coded(b"gzip", &gzip), (plain.clone(), true));
        assert_eq!(coded(b"gzip", &plain), (plain.clone(), true));
        assert_eq!(
            coded(b"gzip", &gzip[..gzip.len() - 4]),
            (plain.clone(), false)
        );
        let brotli = b"\x0b\x03\x80{\"a\":1}\x03";
        assert_eq!(coded(b"br", brotli), (b"{\"a\":1}".to_vec(), true));
        let twice = zipped(&zipped(b"code=1"));
        for body in [&twice, &gzip] {
            let decoded = coded_by(&[b"gzip", b"gzip"], body);
            assert_eq!(decoded, (plain.clone(), true));
        }
        assert_eq!(coded(b"other", &plain), (plain, false));
    }
}
