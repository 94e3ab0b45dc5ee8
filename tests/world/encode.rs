//! The encodings of the protocols, written from their specifications alone.

use std::io::Write as _;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::prng::Rng;

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
pub fn pct(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `name=value` pairs, joined and encoded.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", pct(value)))
        .collect();
    encoded.join("&")
}

/// A URL with a query.
pub fn query(base: &str, pairs: &[(&str, &str)]) -> String {
    let joint = if base.contains('?') { '&' } else { '?' };
    format!("{base}{joint}{}", form(pairs))
}

/// A URL with a fragment.
pub fn fragment(base: &str, pairs: &[(&str, &str)]) -> String {
    format!("{base}#{}", form(pairs))
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn s256(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()))
}

/// `at_hash`, `c_hash` under a SHA-256 algorithm (OpenID Connect Core §3.1.3.6, §3.3.2.11).
pub fn half_hash(value: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(value.as_bytes())[..16])
}

/// A JWS in compact form, its signature made up.
pub fn jwt(rng: &mut Rng, typ: &str, claims: &Value) -> String {
    let header = json!({"alg": "ES256", "typ": typ, "kid": "2026-11"}).to_string();
    let signature: Vec<u8> = (0..64).map(|_| rng.bits() as u8).collect();
    format!(
        "{}.{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(&signature)
    )
}

/// RFC 3339, from milliseconds since 1970.
pub fn rfc3339(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .expect("a time of this century")
        .to_string()
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Raw deflate, as the SAML redirect binding wants it (SAML Bindings §3.4.4.1).
pub fn deflate(text: &str) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// A SAML request.
pub fn saml_request(id: &str, at: i64, idp: &str, acs: &str) -> String {
    format!(
        r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_{id}" Version="2.0" IssueInstant="{}" Destination="{idp}" AssertionConsumerServiceURL="{acs}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{acs}</saml:Issuer></samlp:AuthnRequest>"#,
        rfc3339(at / 1000 * 1000)
    )
}

/// A SAML response with one assertion. `until` in milliseconds since 1970.
pub fn saml_response(id: &str, in_response_to: &str, at: i64, until: i64, acs: &str) -> String {
    let (at, until) = (rfc3339(at / 1000 * 1000), rfc3339(until / 1000 * 1000));
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r{id}" InResponseTo="_{in_response_to}" Version="2.0" IssueInstant="{at}" Destination="{acs}"><saml:Assertion ID="_a{id}" Version="2.0" IssueInstant="{at}"><saml:Subject><saml:NameID>alice</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{acs}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{at}" NotOnOrAfter="{until}"/></saml:Assertion></samlp:Response>"#
    )
}
