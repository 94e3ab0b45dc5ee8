//! What stands inside the strings of an entry: URLs, cookies, pairs, bodies. All of it stays bytes as
//! found; nothing is normalised. Knows nothing of JSON.

pub(in crate::collect) use super::locations::Resolver;
use crate::atoms::rules::Needles;
use crate::collect::Via;

/// Bytes of the name of a host, which many parts of an exchange are told with. DNS has 255 (RFC 1035 §2.3.4), in letters
/// of other scripts there may be more; what is longer is no name.
const MAX_HOST: usize = 1_024;

/// Bytes of one header that are split into cookies, each of which costs twenty times its shortest length in memory.
/// Browsers keep less than this for one site, and servers take far less in one header.
pub(in crate::collect) const MAX_COOKIES: usize = 1 << 20;

/// The host of an absolute URL, lower case, without user, password and port.
pub(in crate::collect) fn host(url: &[u8]) -> Option<Box<str>> {
    let scheme = scheme_len(url)?;
    let rest = url.get(scheme..)?.strip_prefix(b"://")?;
    let authority = rest
        .split(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'))
        .next()?;
    let host_port = authority.rsplit(|byte| *byte == b'@').next()?;
    let host = if host_port.starts_with(b"[") {
        host_port.split_inclusive(|byte| *byte == b']').next()?
    } else {
        host_port.split(|byte| *byte == b':').next()?
    };
    let host = std::str::from_utf8(host).ok()?;
    (1..=MAX_HOST)
        .contains(&host.len())
        .then(|| host.to_ascii_lowercase().into())
}

/// The host that a header names.
pub(in crate::collect) fn named_host(header: &[u8]) -> Option<Box<str>> {
    (1..=MAX_HOST)
        .contains(&header.len())
        .then(|| String::from_utf8_lossy(header).into())
}

/// Whether the text is one URL, not a title: a scheme, `:`, no blank.
pub(in crate::collect) fn is_url(text: &[u8]) -> bool {
    let Some(scheme) = scheme_len(text) else {
        return false;
    };
    let rest = text.get(scheme..).unwrap_or_default();
    rest.starts_with(b"://") && !text.iter().any(u8::is_ascii_whitespace)
}

/// Where `location` leads from `base` (RFC 3986 §5.2), the fragment and all other bytes as they are.
/// What cannot be resolved stays as found.
pub(in crate::collect) fn resolve(base: &[u8], location: &[u8]) -> Vec<u8> {
    let location = location.trim_ascii();
    let Some(scheme) = scheme_len(base) else {
        return location.to_vec();
    };
    let has_scheme = scheme_len(location).is_some_and(|len| location.get(len) == Some(&b':'));
    let origin = base
        .get(scheme..)
        .and_then(|rest| rest.strip_prefix(b"://"))
        .and_then(|rest| {
            let authority = rest
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
                .unwrap_or(rest.len());
            scheme.checked_add(3)?.checked_add(authority)
        });
    let Some(origin) = origin.filter(|_| !has_scheme) else {
        return location.to_vec();
    };
    let end_of = |stops: &[u8]| {
        let path = base.iter().position(|byte| stops.contains(byte));
        path.unwrap_or(base.len())
    };
    let mut location = location;
    let kept = match location {
        [] | [b'#', ..] => end_of(b"#"),
        [b'/', b'/', ..] => scheme.saturating_add(1),
        [b'/', ..] => origin,
        [b'?', ..] => end_of(b"?#"),
        _ => {
            let path = base.get(origin..end_of(b"?#")).unwrap_or_default();
            let mut path = directory(path);
            loop {
                if let Some(rest) = location.strip_prefix(b"./") {
                    location = rest;
                } else if let Some(rest) = location.strip_prefix(b"../") {
                    location = rest;
                    path = directory(path.strip_suffix(b"/").unwrap_or(path));
                } else {
                    break;
                }
            }
            origin.saturating_add(path.len())
        }
    };
    let mut url = base.get(..kept).unwrap_or(base).to_vec();
    if kept == origin && !location.starts_with(b"/") {
        url.push(b'/');
    }
    url.extend_from_slice(location);
    url
}

/// A path up to its last slash.
fn directory(path: &[u8]) -> &[u8] {
    let slash = memchr::memrchr(b'/', path);
    let end = slash.map_or(0, |slash| slash.saturating_add(1));
    path.get(..end).unwrap_or_default()
}

/// Length of the scheme (RFC 3986 §3.1) that the text begins with, the colon not counted.
fn scheme_len(text: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', text)?;
    let (first, rest) = text.get(..colon)?.split_first()?;
    let named = first.is_ascii_alphabetic()
        && rest
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    named.then_some(colon)
}

/// `url` with a query put before its fragment.
pub(super) fn with_query(url: &[u8], query: &[u8]) -> Vec<u8> {
    let fragment = memchr::memchr(b'#', url).unwrap_or(url.len());
    let (head, tail) = url.split_at_checked(fragment).unwrap_or((url, &[]));
    [head, b"?", query, tail].concat()
}

/// Appends a pair in the way of `application/x-www-form-urlencoded`. Producers write values both
/// decoded and as sent, so what is encoded already stays, and `+` too.
pub(super) fn push_pair(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !out.is_empty() {
        out.push(b'&');
    }
    push_encoded(out, name, b"&=#");
    out.push(b'=');
    push_encoded(out, value, b"&#");
}

fn push_encoded(out: &mut Vec<u8>, text: &[u8], reserved: &[u8]) {
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        let is_escape = *byte == b'%'
            && matches!(tail, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        let plain = byte.is_ascii_graphic() && *byte != b'%' && !reserved.contains(byte);
        if plain || is_escape {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
        rest = tail;
    }
}

/// What a form's value means: percent-encoding undone, `+` a blank. To compare, not to report.
pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        out.push(match (*byte, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match digit(*high).zip(digit(*low)) {
                Some((high, low)) => {
                    rest = after;
                    high << 4 | low
                }
                None => b'%',
            },
            (byte, _) => byte,
        });
    }
    out
}

/// A cookie in a JSON string that was not unescaped yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::collect) struct Cookie<'a> {
    pub(in crate::collect) name: &'a [u8],
    pub(in crate::collect) value: &'a [u8],
    /// Offset of the value in the string.
    pub(in crate::collect) offset: usize,
}

/// As much of a header as is split into cookies, none of them in half, and the rest.
pub(in crate::collect) fn whole_cookies(field: &[u8]) -> (&[u8], &[u8]) {
    let Some(begin) = field.get(..MAX_COOKIES).filter(|it| it.len() < field.len()) else {
        return (field, &[]);
    };
    let end = memchr::memrchr(b';', begin).unwrap_or_default();
    field.split_at_checked(end).unwrap_or((field, &[]))
}

/// Cookies of a `Cookie` header (RFC 6265 §4.2.1). `field` is a JSON string's content as found, so that
/// offsets lead back to the file; several headers may be joined in it by `\n`.
pub(in crate::collect) fn cookies(field: &[u8]) -> Vec<Cookie<'_>> {
    lines(field)
        .into_iter()
        .flat_map(|line| pieces(line, b';'))
        .filter_map(cookie)
        .collect()
}

/// Cookies of a `Set-Cookie` header without their attributes (RFC 6265 §4.1.1). Producers join several
/// by `\n`, some by a comma.
pub(in crate::collect) fn set_cookies(field: &[u8]) -> Vec<Cookie<'_>> {
    lines(field)
        .into_iter()
        .flat_map(comma_joined)
        .filter_map(|line| cookie(pieces(line, b';').next()?))
        .collect()
}

/// Bytes, and their offset in the string that they are a part of.
type Piece<'a> = (usize, &'a [u8]);

fn lines(field: &[u8]) -> Vec<Piece<'_>> {
    let mut lines = Vec::new();
    let mut start = 0_usize;
    for at in memchr::memmem::find_iter(field, b"\\n") {
        lines.push((start, field.get(start..at).unwrap_or_default()));
        start = at.saturating_add(2);
    }
    lines.push((start, field.get(start..).unwrap_or_default()));
    lines
}

fn pieces((start, line): Piece<'_>, separator: u8) -> impl Iterator<Item = Piece<'_>> {
    let mut offset = start;
    line.split(move |byte| *byte == separator)
        .map(move |piece| {
            let at = offset;
            offset = offset.saturating_add(piece.len()).saturating_add(1);
            (at, piece)
        })
}

/// Cuts before `, name=`. The comma of `Expires=Wed, 21 Oct` has a blank before the next `=`.
fn comma_joined((start, line): Piece<'_>) -> Vec<Piece<'_>> {
    let mut parts: Vec<Piece<'_>> = Vec::new();
    let mut from = 0_usize;
    for comma in memchr::memchr_iter(b',', line) {
        let behind = comma.saturating_add(1);
        let next = line.get(behind..).unwrap_or_default().trim_ascii_start();
        let name = next
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
            .count();
        if name > 0 && next.get(name) == Some(&b'=') {
            let part = line.get(from..comma).unwrap_or_default();
            parts.push((start.saturating_add(from), part));
            from = behind;
        }
    }
    let last = line.get(from..).unwrap_or_default();
    parts.push((start.saturating_add(from), last));
    parts
}

fn cookie((start, pair): Piece<'_>) -> Option<Cookie<'_>> {
    // A cookie without `=` is a value without a name (RFC 6265bis §5.6).
    let equals = memchr::memchr(b'=', pair);
    let name = equals.and_then(|at| pair.get(..at)).unwrap_or_default();
    let behind = equals.map_or(0, |at| at.saturating_add(1));
    let value = pair.get(behind..)?;
    let blanks = value.len().saturating_sub(value.trim_ascii_start().len());
    let value = value.trim_ascii();
    (!value.is_empty()).then_some(Cookie {
        name: name.trim_ascii(),
        value,
        offset: start.saturating_add(behind).saturating_add(blanks),
    })
}

/// Decodes base64 of either alphabet, and what can be decoded of damaged base64.
pub(in crate::collect) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().saturating_div(4).saturating_mul(3));
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(six);
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [low, ..] = (bits >> count).to_le_bytes();
            out.push(low);
        }
    }
    out
}

/// Media types whose content is no text: pictures, sound, fonts, programs. SVG is text and stays.
pub(in crate::collect) fn is_media(mime: &str) -> bool {
    const TYPES: [&str; 4] = ["image/", "font/", "audio/", "video/"];
    const SUBTYPES: [&str; 5] = [
        "application/font",
        "application/x-font",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-shockwave-flash",
    ];
    !mime.starts_with("image/svg")
        && TYPES
            .iter()
            .chain(&SUBTYPES)
            .any(|media| mime.starts_with(media))
}

/// Whether a body is worth a second look: it is no media, and something is in it, or it is an answer that refuses.
pub(in crate::collect) fn is_worth_a_look(needles: &Needles, via: &Via, body: &[u8]) -> bool {
    !has_media_magic(body) && (needles.hit(body) || may_refuse(via, body))
}

/// Whether where an answer leads is worth a look: something is in it, or it leads to an error.
pub(in crate::collect) fn is_worth_following(needles: &Needles, url: &[u8]) -> bool {
    needles.hit(url) || memchr::memmem::find(url, b"error=").is_some()
}

/// Whether the body of an answer may say why it is none: short, and an error. What was sent may be worth less then,
/// though nothing in the answer is worth a look by itself.
fn may_refuse(via: &Via, body: &[u8]) -> bool {
    /// Bytes of such a body: a code, a sentence, the address of a page and some numbers have a few hundred.
    const LONGEST: usize = 16 << 10;
    let says = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    // RFC 6749 §5.2, and the like with a number; RFC 7662 §2.2. Most bodies have no beginning of either error.
    let fails = || says("err") && (says("error") || says("errcode"));
    *via == Via::Response && body.len() <= LONGEST && (fails() || says("\"active\""))
}

/// The same, told by the first bytes, for bodies that are called something else.
pub(in crate::collect) fn has_media_magic(body: &[u8]) -> bool {
    const MAGIC: [&[u8]; 9] = [
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"RIFF",
        b"wOFF",
        b"wOF2",
        b"\0asm",
        b"\0\0\x01\0",
        b"OggS",
    ];
    MAGIC.iter().any(|magic| body.starts_with(magic))
}

/// The media type and the decoded content of a `data:` URL (RFC 2397).
pub(super) fn data_url(url: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, rest) = url.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case(b"data:") {
        return None;
    }
    let comma = memchr::memchr(b',', rest).unwrap_or(rest.len());
    let mime = rest.get(..comma)?.to_ascii_lowercase();
    let content = rest.get(comma.saturating_add(1)..).unwrap_or_default();
    let mime = String::from_utf8_lossy(&mime);
    Some(match mime.strip_suffix(";base64") {
        Some(mime) => (mime.to_owned(), base64(content)),
        None => (mime.into_owned(), content.to_vec()),
    })
}

/// Text that was cut out of a longer one, without what may be half a value at its ends: a half token
/// would pass for a whole one. At most `reach` bytes are given up at each end.
pub(super) fn without_halves(text: &[u8], starts: bool, ends: bool, reach: usize) -> &[u8] {
    let is_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=%&?:;#@".contains(byte);
    let mut kept = text;
    if !starts {
        let half = kept.iter().take(reach).take_while(|b| is_value(b)).count();
        kept = kept.get(half..).unwrap_or_default();
    }
    if !ends {
        let tail = kept.iter().rev().take(reach);
        let half = tail.take_while(|b| is_value(b)).count();
        let end = kept.len().saturating_sub(half);
        kept = kept.get(..end).unwrap_or_default();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, location: &str) -> String {
        String::from_utf8(resolve(base.as_bytes(), location.as_bytes())).unwrap()
    }

    #[test]
    fn locations_are_resolved_and_keep_every_byte() {
        let base = "https://idp.example/a/b?x=1#y";
        for (location, expected) in [
            (
                "https://App.example/cb#t=%2b+a",
                "https://App.example/cb#t=%2b+a",
            ),
            ("//app.example/cb", "https://app.example/cb"),
            ("/cb#/x?t=1", "https://idp.example/cb#/x?t=1"),
            ("cb?code=1", "https://idp.example/a/cb?code=1"),
            ("./cb", "https://idp.example/a/cb"),
            ("?code=1", "https://idp.example/a/b?code=1"),
            ("#t=1", "https://idp.example/a/b?x=1#t=1"),
            ("com.app:/cb?code=1", "com.app:/cb?code=1"),
        ] {
            assert_eq!(resolved(base, location), expected);
        }
        assert_eq!(
            resolved("https://idp.example", "cb"),
            "https://idp.example/cb"
        );
        assert_eq!(
            resolved("https://idp.example/a/b/c", "../cb"),
            "https://idp.example/a/cb"
        );
        assert_eq!(resolved("${proto}://x/a", "/cb"), "/cb");
        assert_eq!(resolved("", "/cb#a"), "/cb#a");
    }

    #[test]
    fn hosts_have_neither_user_nor_port() {
        assert_eq!(
            host(b"https://u:p@App.Example:8443/a").as_deref(),
            Some("app.example")
        );
        assert_eq!(host(b"https://[::1]:80/").as_deref(), Some("[::1]"));
        assert_eq!(host(b"/cb?u=https://x/"), None);
        assert_eq!(host(b"data:text/html,x"), None);
    }

    fn listed(cookies: &[Cookie<'_>], field: &str) -> Vec<String> {
        cookies
            .iter()
            .map(|cookie| {
                let value = std::str::from_utf8(cookie.value).unwrap();
                assert!(field.get(cookie.offset..).unwrap().starts_with(value));
                format!("{}={value}", String::from_utf8_lossy(cookie.name))
            })
            .collect()
    }

    #[test]
    fn cookies_are_split_where_producers_join_them() {
        let field = r"a=1; b = x=y ;\nc=3; bare";
        assert_eq!(
            listed(&cookies(field.as_bytes()), field),
            ["a=1", "b=x=y", "c=3", "=bare"]
        );
        let field =
            r"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/\nb=2; Secure, c=3; HttpOnly";
        assert_eq!(
            listed(&set_cookies(field.as_bytes()), field),
            ["a=1", "b=2", "c=3"]
        );
    }

    #[test]
    fn pairs_keep_what_is_encoded_already() {
        let mut out = Vec::new();
        push_pair(&mut out, b"a=b", b"c d&e=f");
        push_pair(&mut out, b"r", b"https%3A%2F%2Fx 100%");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a%3Db=c%20d%26e=f&r=https%3A%2F%2Fx%20100%25"
        );
        assert_eq!(with_query(b"https://x/#f", b"a=1"), b"https://x/?a=1#f");
    }

    #[test]
    fn base64_is_decoded_as_far_as_it_goes() {
        assert_eq!(base64(b"aGVs\nbG8="), b"hello");
        assert_eq!(base64(b"aGVsbG8"), b"hello");
        assert_eq!(base64(b"-_8="), [0xfb, 0xff]);
        let url = b"data:text/html;base64,aGVsbG8=";
        assert_eq!(data_url(url), Some(("text/html".into(), b"hello".to_vec())));
    }

    #[test]
    fn half_a_value_at_a_cut_is_given_up() {
        let text = b"oken=abc\",\"code\":\"xyz\",\"access_token\":\"eyJh";
        assert_eq!(
            without_halves(text, false, false, 100),
            b"\",\"code\":\"xyz\",\"access_token\":\"".as_slice()
        );
        assert_eq!(without_halves(text, true, true, 100), text.as_slice());
    }
}
