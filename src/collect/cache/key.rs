//! The URL in the key of a cache entry. Knows what Chromium and Firefox put around it.

/// Chromium: `credentials/upload/`, then `_dk_<site> <frame site> ` for the partition, then the URL
/// (`HttpCache::GenerateCacheKey` in `net/http/http_cache.cc`); `Range_<key>:<signature>:<child>` for a part of a
/// sparse entry; `_key<url> \n<site>` in the code cache (`generated_code_cache.cc`). `None` for what is no URL.
pub(super) fn chromium(key: &[u8]) -> Option<&[u8]> {
    let key = match key.strip_prefix(b"Range_") {
        Some(child) => parent(child),
        None => key,
    };
    let url = if let Some(code) = key.strip_prefix(b"_key") {
        code.split(|byte| *byte == b'\n').next()?.trim_ascii_end()
    } else {
        // A URL has no blank, and a site before it ends with one.
        let url = key.rsplit(|byte| *byte == b' ').next()?;
        without_numbers(url)
    };
    is_url(url).then_some(url)
}

/// Firefox: tags of the partition, each followed by a comma, then a colon and the URL (`CacheFileUtils.cpp`).
/// A comma inside a tag is written twice.
pub(super) fn firefox(key: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr_iter(b':', key).find(|at| {
        let before = at.checked_sub(1).and_then(|at| key.get(at));
        before.is_none_or(|before| *before == b',')
    })?;
    let url = key.get(colon.checked_add(1)?..)?;
    is_url(url).then_some(url)
}

/// A key without the two numbers behind it.
fn parent(child: &[u8]) -> &[u8] {
    let mut parts = child.rsplitn(3, |byte| *byte == b':');
    parts.nth(2).unwrap_or(child)
}

/// A key without its leading numbers, each followed by a slash.
fn without_numbers(key: &[u8]) -> &[u8] {
    let mut rest = key;
    while let Some(slash) = memchr::memchr(b'/', rest).filter(|slash| *slash > 0) {
        let (number, behind) = rest.split_at_checked(slash).unwrap_or((rest, &[]));
        if !number.iter().all(u8::is_ascii_digit) {
            break;
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    rest
}

/// Whether it begins with a scheme.
fn is_url(url: &[u8]) -> bool {
    let scheme = memchr::memchr(b':', url).unwrap_or_default();
    let name = url.get(..scheme).unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: Option<&[u8]>) -> &str {
        url.map_or("-", |url| std::str::from_utf8(url).unwrap())
    }

    #[test]
    fn what_stands_around_a_url_is_left_out() {
        for (key, url) in [
            ("https://a.example/x?y=1", "https://a.example/x?y=1"),
            (
                "1/0/_dk_https://a.example https://b.example https://c.example/x",
                "https://c.example/x",
            ),
            (
                "1/0/_dk_s_https://a.example https://b.example https://c.example/1/2",
                "https://c.example/1/2",
            ),
            (
                "1/1699999999123456/https://a.example/post",
                "https://a.example/post",
            ),
            (
                "1699999999/https://a.example/post",
                "https://a.example/post",
            ),
            (
                "_keyhttps://a.example/x.js \nhttps://a.example/",
                "https://a.example/x.js",
            ),
            (
                "Range_1/0/https://a.example/film?t=1:52af76:4",
                "https://a.example/film?t=1",
            ),
            ("some shader", "-"),
            ("", "-"),
            ("1/0/", "-"),
        ] {
            assert_eq!(text(chromium(key.as_bytes())), url, "{key}");
        }
    }

    #[test]
    fn tags_of_firefox_are_left_out() {
        for (key, url) in [
            (":https://a.example/x", "https://a.example/x"),
            ("a,:https://a.example/x,:y", "https://a.example/x,:y"),
            (
                "O^partitionKey=%28https%2Ca.example%29,:https://a.example/",
                "https://a.example/",
            ),
            (
                "O^userContextId=2&partitionKey=%28https%2Ca.example%2C8443%29,a,~1691,,2,:http://a.example/",
                "http://a.example/",
            ),
            ("a,:", "-"),
            ("https://a.example/", "-"),
            ("", "-"),
        ] {
            assert_eq!(text(firefox(key.as_bytes())), url, "{key}");
        }
    }
}
