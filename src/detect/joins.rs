//! Join keys of a credential and of a parameter: which formula ties it to which other message.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::jwt::Jwt;
use super::keys::Keyring;
use super::message::Field;
use crate::atoms::{JoinKey, KeyKind, Kind};

/// Keys of a credential's value.
pub(super) fn of_credential(
    kind: Kind,
    value: &str,
    jwt: Option<&Jwt>,
    ring: &mut Keyring<'_>,
) -> Vec<JoinKey> {
    // One, and three of its half hashes.
    let mut keys = Vec::with_capacity(4);
    match kind {
        Kind::AuthorizationCode => {
            keys.push(ring.key(KeyKind::Code, value));
            keys.extend(halves(KeyKind::CHash, value, ring));
        }
        Kind::CasTicket | Kind::SamlArtifact | Kind::Oauth1Verifier => {
            keys.push(ring.key(KeyKind::Code, value));
        }
        Kind::CodeVerifier => {
            if ring.may_derive(value) {
                keys.push(ring.key(KeyKind::ChallengeS256, &s256(value)));
            }
            keys.push(ring.key(KeyKind::ChallengePlain, value));
        }
        Kind::CodeChallenge => keys.push(ring.key(KeyKind::ChallengePlain, value)),
        Kind::DeviceCode => keys.push(ring.key(KeyKind::DeviceCode, value)),
        Kind::AccessToken | Kind::OpaqueToken => {
            keys.push(ring.key(KeyKind::Value, value));
            keys.extend(halves(KeyKind::AtHash, value, ring));
        }
        Kind::IdToken
        | Kind::RefreshToken
        | Kind::Assertion
        | Kind::Oauth1Token
        | Kind::SessionId
        | Kind::ApiKey
        | Kind::PrivateKey
        | Kind::SamlMessage
        | Kind::WsfedToken => keys.push(ring.key(KeyKind::Value, value)),
        _ => {}
    }
    if let Some(jwt) = jwt {
        keys.extend(of_claims(jwt, ring));
    }
    keys
}

/// The key of the thumbprint of a private JWK, by the members beside this one.
pub(super) fn of_jwk(field: &Field, fields: &[Field], ring: &mut Keyring<'_>) -> Option<JoinKey> {
    let member = |name: &str| {
        let mut own = fields.iter().filter(|it| it.group == field.group);
        own.find(|it| it.name == name)
            .map(|it| it.canonical.as_str())
    };
    let thumbprint = thumbprint(member)?;
    Some(ring.key(KeyKind::Thumbprint, &thumbprint))
}

/// The members that a key must have, in the order of their names, hashed (RFC 7638 §3.1, §3.2; RFC 8037 §2).
fn thumbprint<'a>(member: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let required: &[&str] = match member("kty")? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    // Of such characters JSON escapes none.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let members: Option<Vec<String>> = required
        .iter()
        .map(|name| {
            let value = member(name)?.trim_end_matches('=');
            let is_whole = !value.is_empty() && value.bytes().all(is_plain);
            is_whole.then(|| format!("\"{name}\":\"{value}\""))
        })
        .collect();
    Some(s256(&format!("{{{}}}", members?.join(","))))
}

/// Keys that the claims of a JWT hold.
fn of_claims(jwt: &Jwt, ring: &mut Keyring<'_>) -> Vec<JoinKey> {
    const CLAIMS: [(&str, KeyKind); 5] = [
        ("nonce", KeyKind::Nonce),
        ("at_hash", KeyKind::AtHash),
        ("c_hash", KeyKind::CHash),
        ("s_hash", KeyKind::SHash),
        ("state", KeyKind::State),
    ];
    let mut keys: Vec<JoinKey> = CLAIMS
        .iter()
        .filter_map(|(claim, kind)| Some((*kind, jwt.claim(claim)?)))
        .map(|(kind, value)| ring.key(kind, value))
        .collect();
    if let Some(thumbprint) = jwt.thumbprint() {
        keys.push(ring.key(KeyKind::Thumbprint, thumbprint));
    }
    if let Some(jti) = jwt.claim("jti") {
        let issuer = jwt.claim("iss").unwrap_or_default();
        keys.push(ring.key(KeyKind::Jti, &format!("{issuer} {jti}")));
    }
    keys
}

/// Keys of a parameter that is no credential.
pub(super) fn of_parameter(
    field: &Field,
    challenge: impl Fn() -> Option<KeyKind>,
    ring: &mut Keyring<'_>,
) -> Vec<JoinKey> {
    let value = field.canonical.as_str();
    if value.is_empty() {
        return Vec::new();
    }
    let kind = match &*field.key.key {
        "state" | "relaystate" | "oauthtoken" | "wctx" => KeyKind::State,
        "nonce" => KeyKind::Nonce,
        "codechallenge" => match challenge() {
            Some(kind) => kind,
            None => return Vec::new(),
        },
        "requesturi" => KeyKind::RequestUri,
        // RFC 9449 §10.
        "dpopjkt" => KeyKind::Thumbprint,
        _ => return Vec::new(),
    };
    let mut keys = vec![ring.key(kind, value)];
    if *field.key.key == *"state" {
        keys.extend(halves(KeyKind::SHash, value, ring));
    }
    keys
}

/// Keys of the half hashes of a value.
fn halves(kind: KeyKind, value: &str, ring: &mut Keyring<'_>) -> Vec<JoinKey> {
    if !ring.may_derive(value) {
        return Vec::new();
    }
    half_hashes(value).map(|hash| ring.key(kind, &hash)).into()
}

/// `B64U(SHA256(ASCII(verifier)))` (RFC 7636 §4.6).
fn s256(verifier: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()))
}

/// `B64U(leftmost half of H(ASCII(value)))` (OpenID Connect Core §3.2.2.10, §3.3.2.11), with SHA-256, 384 and
/// 512: which one it is, the `alg` of an ID token tells that may not have been seen.
fn half_hashes(value: &str) -> [String; 3] {
    let half = |full: &[u8]| {
        let (left, _) = full.split_at_checked(full.len() / 2).unwrap_or((full, &[]));
        data_encoding::BASE64URL_NOPAD.encode(left)
    };
    let value = value.as_bytes();
    [
        half(&Sha256::digest(value)),
        half(&Sha384::digest(value)),
        half(&Sha512::digest(value)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 Appendix B.
    #[test]
    fn a_verifier_opens_its_challenge() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    // RFC 7638 §3.1.
    #[test]
    fn a_key_has_the_thumbprint_of_the_specification() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let of = |kty: &'static str, n: &'static str| {
            thumbprint(move |name| match name {
                "kty" => Some(kty),
                "n" => Some(n),
                "e" => Some("AQAB"),
                _ => None,
            })
        };
        let told = of("RSA", n);
        assert_eq!(
            told.as_deref(),
            Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        );
        assert_eq!(of("EC", n), None);
        assert_eq!(of("oct", n), None);
        assert_eq!(of("RSA", "a\"b"), None);
    }

    // OpenID Connect Core, Appendix A.
    #[test]
    fn hashes_of_tokens_and_codes_are_those_of_the_specification() {
        let first = |value| half_hashes(value)[0].clone();
        assert_eq!(
            first("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        assert_eq!(
            first("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
            "LDktKdoQak3Pk0cnXxCltA"
        );
    }
}
