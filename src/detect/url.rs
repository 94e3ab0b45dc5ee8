//! The grammar of URLs as evidence holds them: absolute, request targets, broken. Splits text and keeps
//! every piece as it was written; knows nothing of what a parameter means.

use std::borrow::Cow;

use super::encoding::{self, html, percent};
use super::fragment;
use crate::collect::{Exchange, Via};

/// Pairs of one query or fragment that are looked at. Browsers cut URLs at 2 MiB; real ones have fewer than 300.
const MAX_PAIRS: usize = super::message::MAX_FIELDS;

/// Bytes of the URL of an exchange that stand beside each of its other parts, of which there may be thousands. Servers
/// take 8 to 16 KiB; the URL itself is looked at whole where it is the part.
const MAX_BESIDE: usize = 16 << 10;

/// Bytes of a host that is looked at as one: a name has 253 (RFC 1035 §3.1), four times as many where each is escaped.
const MAX_HOST: usize = 1 << 10;

/// A URL cut into its pieces, each as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Url {
    /// Lower case, empty for a request target.
    pub scheme: String,
    /// `user:password`, without the `@`.
    pub userinfo: Option<String>,
    /// As written; normalised by [`Url::host`].
    host: String,
    /// Port, when stated and not the scheme's own.
    pub port: Option<u16>,
    /// Path, with its parameters.
    pub path: String,
    /// Query, without the `?`.
    pub query: Option<String>,
    /// Fragment, without the `#`.
    pub fragment: Option<String>,
}

/// A name and its value, as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pair<'a> {
    /// Name; empty when there is no `=`.
    pub name: &'a str,
    /// Value.
    pub value: &'a str,
}

impl Url {
    /// Splits anything: the first `#` and the first `?` decide, nothing is refused.
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim();
        let (text, fragment) = cut(text, '#');
        let (text, query) = cut(text, '?');
        let mut url = Self {
            query,
            fragment,
            ..Self::default()
        };
        let (scheme, rest) = scheme(text);
        url.scheme = scheme.to_ascii_lowercase();
        let after_slashes = rest
            .strip_prefix("//")
            .filter(|_| !url.scheme.is_empty() || !rest.starts_with("///"));
        if let Some(rest) = after_slashes {
            let end = rest.find(['/', '\\', ';']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            url.authority(authority);
            path.clone_into(&mut url.path);
        } else if url.scheme.is_empty() && is_authority_form(rest) {
            // RFC 9110 §9.3.6: the target of CONNECT.
            url.authority(rest);
        } else {
            rest.clone_into(&mut url.path);
        }
        url
    }

    /// Splits what an observation has. What a client asked for without a scheme is a path, be it one that begins `//`
    /// (RFC 9112 §3.2.1); anywhere else a host stands behind two slashes (RFC 3986 §4.2).
    pub(super) fn of(text: &str, via: &Via) -> Self {
        let text = text.trim();
        if *via != Via::Request || !text.starts_with("//") {
            return Self::new(text);
        }
        let (text, fragment) = cut(text, '#');
        let (path, query) = cut(text, '?');
        Self {
            path: path.to_owned(),
            query,
            fragment,
            ..Self::default()
        }
    }

    /// The URL to which another part of the exchange belongs. Of one that is too long the parameters at its end are left
    /// out, each as a whole.
    pub(super) fn of_exchange(exchange: &Exchange) -> Self {
        let whole = exchange.url.as_bytes();
        let kept = whole.get(..MAX_BESIDE).map_or(whole, |kept| {
            let end = memchr::memrchr3(b'&', b'?', b'/', kept);
            kept.get(..end.unwrap_or(MAX_BESIDE)).unwrap_or(kept)
        });
        let url = Self::of(&encoding::text(kept), &Via::Request);
        match &exchange.host {
            Some(host) => url.on_host(host),
            None => url,
        }
    }

    fn authority(&mut self, authority: &str) {
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        self.userinfo = userinfo;
        let (host, port) = match host.rsplit_once(':') {
            Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, digits.parse().ok())
            }
            _ => (host, None),
        };
        let own = match self.scheme.as_str() {
            "https" | "wss" => Some(443),
            "http" | "ws" => Some(80),
            _ => None,
        };
        self.port = port.filter(|port| Some(*port) != own);
        self.host = normal_host(&self.scheme, host);
    }

    /// Host, lower case, normalised where it parses; empty for a request target.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Names the server of a request target that did not name it. What is too long is no host.
    pub(super) fn on_host(mut self, host: &str) -> Self {
        if self.host.is_empty() && host.len() <= MAX_HOST {
            self.authority(host);
        }
        self
    }

    /// Path and hash route, decoded and in lower case: where words are looked for.
    pub(super) fn words(&self) -> String {
        let mut words = percent(&self.path).to_lowercase();
        for segment in fragment::segments(self.fragment.as_deref().unwrap_or_default()) {
            if !segment.contains('=') {
                words.push('/');
                words.push_str(&segment.to_lowercase());
            }
        }
        words
    }

    /// Whether an application on the device answers it: a private-use scheme, or a loopback address with a
    /// port (RFC 8252 §7.1, §7.3).
    pub(super) fn is_native(&self) -> bool {
        const WEB: [&str; 10] = [
            "", "http", "https", "ws", "wss", "ftp", "file", "data", "blob", "about",
        ];
        let is_loopback = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        is_loopback && self.port.is_some() || !WEB.contains(&self.scheme.as_str())
    }

    /// Segments of the path that hold a message or a value of their own: decoded once.
    pub(super) fn telling_segments(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.path
            .split('/')
            .filter(|segment| segment.len() >= 8)
            .map(percent)
            .map(|segment| {
                let (scheme, _) = scheme(&segment);
                // `cb%3Fcode%3D…`: a target that was encoded as a whole.
                if scheme.is_empty() && segment.contains(['?', '#']) && segment.contains('=') {
                    format!("/{segment}").into()
                } else {
                    segment
                }
            })
    }

    /// Its host with a path behind it, as written: its own, or a route in its fragment.
    pub(super) fn with_path(&self, path: &str) -> String {
        format!("{}{path}", self.host)
    }
}

/// Host in the form that comparisons need.
fn normal_host(scheme: &str, host: &str) -> String {
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
    if plain {
        return host.to_owned();
    }
    if host.len() > MAX_HOST {
        return host.to_ascii_lowercase();
    }
    let scheme = if matches!(scheme, "http" | "https" | "ws" | "wss") {
        scheme
    } else {
        "https"
    };
    url::Url::parse(&format!("{scheme}://{host}/"))
        .ok()
        .and_then(|parsed| parsed.host_str().map(str::to_owned))
        .unwrap_or_else(|| host.to_ascii_lowercase())
}

fn cut(text: &str, at: char) -> (&str, Option<String>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after.to_owned())),
        None => (text, None),
    }
}

/// Scheme and what follows its colon. `host:443` and `C:\` have none.
fn scheme(text: &str) -> (&str, &str) {
    let Some((name, rest)) = text.split_once(':') else {
        return ("", text);
    };
    let valid = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    let port = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = port > 0 && (port == rest.len() || rest.as_bytes().get(port) == Some(&b'/'));
    if valid && !is_port {
        (name, rest)
    } else {
        ("", text)
    }
}

fn is_authority_form(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.contains(['/', ' '])
            && !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Cuts form data at `&`, `&amp;`, and at `;` or a second `?` where a name follows.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = Pair<'_>> {
    text.split('&')
        .map(|piece| {
            piece
                .strip_prefix("amp;")
                .or_else(|| piece.strip_prefix("#38;"))
                .unwrap_or(piece)
        })
        .flat_map(|piece| Loose { rest: Some(piece) })
        .filter(|piece| !piece.is_empty())
        .map(|piece| match piece.split_once('=') {
            Some((name, value)) => Pair { name, value },
            None => match encoded_separator(piece) {
                Some((name, value)) => Pair { name, value },
                None => Pair {
                    name: "",
                    value: piece,
                },
            },
        })
        .take(MAX_PAIRS)
}

/// `name%3Dvalue`: a whole query that was encoded once too often.
fn encoded_separator(piece: &str) -> Option<(&str, &str)> {
    let (at, _) = piece.match_indices('%').find(|(at, _)| {
        piece
            .get(at.saturating_add(1)..at.saturating_add(3))
            .is_some_and(|hex| hex.eq_ignore_ascii_case("3d"))
    })?;
    let (name, rest) = piece.split_at_checked(at)?;
    let is_name = !name.is_empty() && name.len() <= 64 && name.bytes().all(is_name_byte);
    is_name.then_some((name, rest.get(3..)?))
}

/// Pieces of a pair that hold pairs of their own behind a loose separator.
struct Loose<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Loose<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.take()?;
        let mut separators = memchr::memchr2_iter(b';', b'?', text.as_bytes()).peekable();
        if separators.peek().is_none() {
            return Some(text);
        }
        let first_equals = text.find('=').unwrap_or(text.len());
        let is_url = text
            .get(first_equals..)
            .is_some_and(|value| value.starts_with("=/") || starts_with_scheme(value));
        let cut = separators.find(|at| {
            let after = text.get(at.saturating_add(1)..).unwrap_or_default();
            !(is_url && *at > first_equals) && starts_with_name(after)
        });
        let Some(at) = cut else {
            return Some(text);
        };
        let (piece, rest) = text.split_at_checked(at)?;
        self.rest = rest.get(1..);
        Some(piece)
    }
}

/// Whether the text begins with `name=`. Only the first 48 bytes are looked at, so that many separators
/// stay cheap.
fn starts_with_name(text: &str) -> bool {
    let mut length = 0_usize;
    for byte in text.bytes().take(48) {
        if byte == b'=' {
            return length > 0;
        }
        if !is_name_byte(byte) {
            return false;
        }
        length = length.saturating_add(1);
    }
    false
}

/// Whether `=` and a scheme begin the text. Only its first bytes are looked at.
fn starts_with_scheme(value: &str) -> bool {
    value.bytes().take(32).any(|byte| byte == b':')
        && value
            .split_once(':')
            .is_some_and(|(_, rest)| rest.starts_with("//"))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte)
}

/// A name as people read it: decoded, `+` as a blank.
pub(super) fn decoded_name(name: &str) -> Cow<'_, str> {
    // Hardly a name has anything to decode.
    if !name.contains(['%', '&', '+']) {
        return Cow::Borrowed(name.trim());
    }
    let decoded = html(&percent(&percent(name))).replace('+', " ");
    Cow::Owned(decoded.trim().to_owned())
}

/// Removes what servers append so that a fragment is not attached again (RFC 9700 §4.1.3).
pub(super) fn strip_tail(value: &str) -> &str {
    value
        .strip_suffix("#_=_")
        .or_else(|| value.strip_suffix("#_"))
        .or_else(|| value.strip_suffix("#"))
        .unwrap_or(value)
}

/// Parameters of a path (RFC 3986 §3.3): `;jsessionid=…`.
pub(super) fn path_pairs(path: &str) -> impl Iterator<Item = Pair<'_>> {
    path.split('/')
        .flat_map(|segment| segment.split(';').skip(1))
        .filter_map(|piece| piece.split_once('='))
        .map(|(name, value)| Pair { name, value })
        .take(MAX_PAIRS)
}

/// The session of a cookieless ASP.NET application: `/(S(24 characters))/`.
pub(super) fn aspnet_session(path: &str) -> Option<&str> {
    let decoded_marks = ["/(S(", "/(s("];
    let (_, rest) = decoded_marks
        .iter()
        .find_map(|mark| path.split_once(mark))?;
    Some(rest.split_once("))")?.0)
}

/// Whether a value is a URL that may hold a message of its own.
pub(super) fn looks_like_url(value: &str) -> bool {
    let (scheme, rest) = scheme(value);
    let absolute = !scheme.is_empty() && (rest.starts_with('/') || rest.contains(['?', '#']));
    let relative = value.starts_with('/') || value.starts_with('?') || value.starts_with('#');
    (absolute || relative) && value.contains(['?', '#', ';', '@'])
        || absolute && rest.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(&str, &str)> {
        pairs(text).map(|pair| (pair.name, pair.value)).collect()
    }

    #[test]
    fn a_long_url_beside_a_part_loses_whole_parameters_at_its_end() {
        use crate::atoms::{Digest, JoinKey, KeyKind, Raw};
        let of = |url: String| {
            Url::of_exchange(&Exchange {
                key: JoinKey {
                    kind: KeyKind::Exchange,
                    digest: Digest::of([]),
                },
                method: None,
                status: None,
                url: Raw::new(url.into_bytes()),
                host: None,
            })
        };
        let url = |length| format!("https://as.example/token?a=1&b={}&c=2", "x".repeat(length));
        assert_eq!(of(url(9)).query.unwrap(), "a=1&b=xxxxxxxxx&c=2");
        let cut = of(url(MAX_BESIDE));
        assert_eq!((cut.host(), &*cut.path), ("as.example", "/token"));
        assert_eq!(cut.query.unwrap(), "a=1");
    }

    #[test]
    fn what_is_too_long_for_a_host_names_none() {
        let host = "H.example".repeat(MAX_HOST);
        assert_eq!(Url::new("/cb").on_host(&host).host(), "");
        // One that a URL states stays what it is, and nobody looks at what it means.
        let stated = Url::new(&format!("https://{host}/cb"));
        assert_eq!((stated.host().len(), &*stated.path), (host.len(), "/cb"));
    }

    #[test]
    fn pieces_are_where_the_first_marks_are() {
        let url = Url::new("HTTPS://u:p@Example.com:443/a;b=1?x=1?y#f?z");
        assert_eq!(
            (url.scheme.as_str(), url.host(), url.port),
            ("https", "example.com", None)
        );
        assert_eq!(url.userinfo.as_deref(), Some("u:p"));
        assert_eq!(url.path, "/a;b=1");
        assert_eq!(url.query.as_deref(), Some("x=1?y"));
        assert_eq!(url.fragment.as_deref(), Some("f?z"));
        assert_eq!(Url::new("/cb?code=1").path, "/cb");
        assert_eq!(Url::new("api.example.com:443").host(), "api.example.com");
        assert_eq!(
            Url::new("com.example.app:/cb?code=1").scheme,
            "com.example.app"
        );
        assert_eq!(Url::new("http://127.0.0.1:8912/cb").port, Some(8912));
    }

    #[test]
    fn what_a_client_asked_for_without_a_scheme_is_a_path() {
        let of = |text, via| {
            let url = Url::of(text, &via);
            (url.host().to_owned(), url.path, url.query)
        };
        let query = Some("token=x".to_owned());
        let path = (String::new(), "//reset".into(), query.clone());
        assert_eq!(of("//reset?token=x", Via::Request), path);
        let host = ("app.example".into(), "/a".into(), query);
        assert_eq!(of("//app.example/a?token=x", Via::Location), host);
        assert_eq!(of("https://app.example/a?token=x", Via::Request), host);
    }

    #[test]
    fn pairs_are_cut_where_a_name_follows() {
        assert_eq!(
            named("a=1&amp;b=2;c=3"),
            [("a", "1"), ("b", "2"), ("c", "3")]
        );
        assert_eq!(
            named("q=a;b&x=1?code=2"),
            [("q", "a;b"), ("x", "1"), ("code", "2")]
        );
        assert_eq!(named("next=/a?b=c"), [("next", "/a?b=c")]);
        assert_eq!(named("state=a=b="), [("state", "a=b=")]);
    }
}
