//! Evidence snippets: the notation of the rules' examples, its templates, and one run of detection.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    unreachable_pub,
    dead_code,
    reason = "a broken snippet must stop the test; each test crate uses its part"
)]

use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{
    Digest, FingerprintKey, JoinKey, KeyKind, Locator, Method, Place, Raw, Source, View,
};
use tokentrail::collect::{Exchange, Observation, Payload, Store, Via};
use tokentrail::detect::{Detector, Memory, Reveal, Sighting, sightings};

/// Expands `{{opaque:32}}`, `{{hex:40}}`, `{{HEX:8}}`, `{{digits:6}}`, `{{upper:10}}`, `{{prefix:ghp_:36}}`,
/// `{{jwt:access}}`, `{{jwt:id}}`, `{{jwt:NAME}}`, `{{saml:Response}}`, `{{deflated:AuthnRequest}}`,
/// `{{base64:text}}`, `{{percent:text}}`, innermost first, with a seed that depends on the place alone.
pub fn expand(template: &str) -> String {
    let mut text = template.to_owned();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    while let Some(start) = text.rfind("{{") {
        let first = start + text[start..].find("}}").expect("a closing }} for every {{");
        // `"}}}`: the text of the template ends with a brace of its own.
        let braces = text[first..]
            .bytes()
            .take_while(|byte| *byte == b'}')
            .count();
        let end = if braces == 3 { first + 1 } else { first };
        let value = value(&text[start + 2..end], &mut seed);
        text.replace_range(start..end + 2, &value);
    }
    text
}

fn value(spec: &str, seed: &mut u64) -> String {
    let (kind, rest) = spec.split_once(':').expect("a template has a colon");
    let number = || rest.parse().expect("a number");
    match kind {
        "opaque" => random(
            number(),
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            seed,
        ),
        "hex" => random(number(), b"0123456789abcdef", seed),
        "HEX" => random(number(), b"0123456789ABCDEF", seed),
        "digits" => random(number(), b"123456789", seed),
        "upper" => random(number(), b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", seed),
        "prefix" => {
            let (prefix, length) = rest.rsplit_once(':').expect("prefix:length");
            format!("{prefix}{}", value(&format!("opaque:{length}"), seed))
        }
        "jwt" => jwt(rest, seed),
        "saml" => BASE64.encode(saml(rest).as_bytes()),
        "deflated" => {
            use std::io::Write as _;
            let mut deflate =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            deflate.write_all(saml(rest).as_bytes()).expect("memory");
            percent(&BASE64.encode(&deflate.finish().expect("memory")))
        }
        "base64" => BASE64URL_NOPAD.encode(rest.as_bytes()),
        "percent" => percent(rest),
        _ => panic!("unknown template {spec}"),
    }
}

fn random(length: usize, alphabet: &[u8], seed: &mut u64) -> String {
    (0..length)
        .map(|_| {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            char::from(alphabet[(*seed % alphabet.len() as u64) as usize])
        })
        .collect()
}

pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn jwt(kind: &str, seed: &mut u64) -> String {
    let (header, claims) = match kind {
        "access" => (
            r#"{"alg":"RS256","typ":"at+jwt"}"#,
            r#"{"iss":"https://as.example","sub":"u1","scope":"read","exp":1700003600,"iat":1700000000}"#,
        ),
        "id" => (
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"https://as.example","sub":"u1","aud":"c1","nonce":"n-0S6_WzA2Mj","exp":1700003600,"iat":1700000000}"#,
        ),
        "refresh" => (
            r#"{"alg":"HS256"}"#,
            r#"{"iss":"https://as.example","typ":"Refresh","exp":1700003600}"#,
        ),
        "plain" => (
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"user":1,"exp":1700003600}"#,
        ),
        "none" => (r#"{"alg":"none"}"#, r#"{"sub":"u1","scope":"read"}"#),
        "logout" => (
            r#"{"alg":"RS256","typ":"logout+jwt"}"#,
            r#"{"iss":"https://as.example","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#,
        ),
        "dpop" => (
            r#"{"alg":"ES256","typ":"dpop+jwt"}"#,
            r#"{"htm":"POST","htu":"https://as.example/token","jti":"1"}"#,
        ),
        "request" => (
            r#"{"alg":"RS256"}"#,
            r#"{"client_id":"c1","response_type":"code","redirect_uri":"https://app.example/cb","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","code_challenge_method":"S256","state":"af0ifjsldkj"}"#,
        ),
        "jarm" => (
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"https://as.example","aud":"c1","exp":1700003600,"code":"PyyFaux2o7Q0YfXBU32jhw","state":"S8NJ7uqk5fY4EjNvP"}"#,
        ),
        "client" => (
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"c1","sub":"c1","aud":"https://as.example/token","jti":"9c1e","exp":1700003600}"#,
        ),
        _ => panic!("unknown jwt {kind}"),
    };
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    // 32 bytes of HS256, 64 of ES256, 256 of RS256 with a key of 2048 bits.
    let len = match header {
        _ if kind == "none" => 0,
        _ if header.contains("HS256") => 43,
        _ if header.contains("ES256") => 86,
        _ => 342,
    };
    let signature = random(len, b"abcdefghijklmnopqrstuvwxyz0123456789-_", seed);
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// A message of this root element. A `Response` has an assertion; a `StatusResponse` is one that says why it has none.
fn saml(what: &str) -> String {
    let subject = "<saml:Subject><saml:NameID>u1</saml:NameID></saml:Subject>";
    let conditions = r#"<saml:Conditions NotOnOrAfter="2026-01-01T00:05:00Z"/>"#;
    let (root, inner) = match what {
        "Response" => {
            let inner = format!("<saml:Assertion>{subject}{conditions}</saml:Assertion>");
            (what, inner)
        }
        "StatusResponse" => {
            let inner = r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/></samlp:Status>"#;
            ("Response", inner.to_owned())
        }
        _ => (what, format!("{subject}{conditions}")),
    };
    format!(
        r#"<samlp:{root} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" IssueInstant="2026-01-01T00:00:00Z"><saml:Issuer>https://idp.example</saml:Issuer>{inner}</samlp:{root}>"#
    )
}

/// The observation that a snippet notates: a URL; `METHOD URL` or `STATUS URL` with a body after an empty
/// line, or a `Set-Cookie: NAME=VALUE`; `Name: value`; `cookie|local|session|autofill NAME = VALUE`; `text: …`.
pub fn observation(snippet: &str) -> Observation {
    let snippet = expand(snippet);
    let (head, body) = match snippet.split_once("\n\n") {
        Some((head, body)) => (head, body),
        None => (snippet.as_str(), ""),
    };
    let (first, rest) = head.split_once(' ').unwrap_or(("", head));
    let store = match first {
        "cookie" => Some(Store::Cookie),
        "local" => Some(Store::LocalStorage),
        "session" => Some(Store::SessionStorage),
        "autofill" => Some(Store::Autofill),
        _ => None,
    };
    let mut exchange = None;
    let (via, payload) = if let Some(store) = store {
        let (key, value) = rest.split_once(" = ").expect("NAME = VALUE");
        (Via::Stored, pair(store, key, value))
    } else if is_status(first) || is_method(first) {
        exchange = Some(Arc::new(exchange_of(first, rest)));
        (direction(first), message(first, body))
    } else if let Some(text) = snippet.strip_prefix("text: ") {
        (Via::Text, Payload::Text(raw(text)))
    } else if first.ends_with(':') && !first.contains('/') {
        header(first.trim_end_matches(':'), rest)
    } else {
        (Via::Unknown, Payload::Url(raw(head)))
    };
    Observation {
        place: Place {
            source: Arc::new(Source {
                path: "t".into(),
                reader: "test".into(),
                ..Source::default()
            }),
            locator: Locator::Line { number: 1, byte: 0 },
            view: View::Live,
        },
        at: None,
        via,
        visit: None,
        exchange,
        payload,
    }
}

fn raw(text: &str) -> Raw {
    Raw::new(text.as_bytes())
}

fn is_status(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_method(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn direction(first: &str) -> Via {
    if is_status(first) {
        Via::Response
    } else {
        Via::Request
    }
}

fn exchange_of(first: &str, url: &str) -> Exchange {
    Exchange {
        key: JoinKey {
            kind: KeyKind::Exchange,
            digest: Digest::of([b"e".as_slice()]),
        },
        method: Method::of(if is_method(first) { first } else { "POST" }.as_bytes()),
        status: is_status(first).then(|| first.parse().expect("a status")),
        url: raw(url),
        host: None,
    }
}

/// What stands under the line of a request or a response.
fn message(first: &str, body: &str) -> Payload {
    let set_cookie = body.strip_prefix("Set-Cookie: ");
    if let Some((key, value)) = set_cookie.and_then(|pair| pair.split_once('=')) {
        return pair(Store::Cookie, key, value);
    }
    let mime = match body.trim_start().chars().next() {
        Some('{' | '[') => "application/json",
        Some('<') => "text/html",
        _ if is_status(first) => "text/plain",
        _ => "application/x-www-form-urlencoded",
    };
    Payload::Body {
        mime: mime.into(),
        bytes: raw(body),
    }
}

fn header(name: &str, value: &str) -> (Via, Payload) {
    match name {
        "Location" => (Via::Location, Payload::Url(raw(value))),
        "Referer" => (Via::Referer { sent_to: None }, Payload::Url(raw(value))),
        name => (
            Via::Request,
            Payload::Header {
                name: name.into(),
                value: raw(value),
            },
        ),
    }
}

fn pair(store: Store, key: &str, value: &str) -> Payload {
    Payload::Pair {
        store,
        origin: Some("https://app.example".into()),
        key: raw(key),
        value: raw(value),
    }
}

/// The bytes that a reader would show to the needles.
pub fn bytes(observation: &Observation) -> Vec<u8> {
    match &observation.payload {
        Payload::Url(raw) | Payload::Text(raw) => raw.as_bytes().to_vec(),
        Payload::Header { name, value } => [name.as_bytes(), b": ", value.as_bytes()].concat(),
        Payload::Pair { key, value, .. } => [key.as_bytes(), b"=", value.as_bytes()].concat(),
        Payload::Members { members, .. } => members
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes(), b"\n"].concat())
            .collect(),
        Payload::Body { bytes, .. } => bytes.as_bytes().to_vec(),
    }
}

/// The rules of this build.
pub fn rules() -> Rules {
    Rules::builtin().unwrap_or_else(|error| panic!("{error}"))
}

/// Detection as a whole.
pub fn detect(rules: &Rules, observation: &Observation) -> Vec<Sighting> {
    let key = FingerprintKey::default();
    let detector = Detector {
        rules,
        key: &key,
        jwks: None,
        reveal: Reveal::default(),
    };
    sightings(observation, &detector, &mut Memory::default())
}
