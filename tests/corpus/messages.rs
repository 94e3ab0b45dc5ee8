//! Makers of structured values: JWTs of every role, cursors that look like them, SAML, WS-Federation and CAS
//! messages.

use std::io::Write;

use data_encoding::{BASE64, BASE64URL_NOPAD};

use crate::prng::Rng;
use crate::values::{
    ALNUM, DAY, DIGITS, HEX, NAMES, NOVEMBER, URLSAFE, WORDS, host, opaque, s256, uuid,
};

const CROCKFORD: &str = "BCDFGHJKLMNPQRSTVWXZ";

/// JWTs, and what looks like one.
pub fn token(name: &str, rng: &mut Rng) -> Option<String> {
    let issuer = format!("https://{}", host("idp", rng));
    let subject = uuid(rng);
    let now = NOVEMBER + rng.bits() % (21 * DAY);
    let rs = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": rng.text(URLSAFE, 12)});
    let client = format!("{}-spa", rng.pick(WORDS));
    let base = |extra: serde_json::Value| {
        let mut claims = serde_json::json!({"iss": issuer, "sub": subject, "aud": client, "iat": now, "exp": now + 3600});
        for (key, value) in extra.as_object().into_iter().flatten() {
            claims[key] = value.clone();
        }
        claims
    };
    Some(match name {
        "jwt_at" => {
            let header = serde_json::json!({"alg": "RS256", "typ": "at+jwt", "kid": "k2"});
            jwt(
                &header,
                &base(
                    serde_json::json!({"client_id": client, "scope": "openid profile orders", "jti": uuid(rng)}),
                ),
                rng,
            )
        }
        "jwt_at_scp" => jwt(
            &rs,
            &base(serde_json::json!({"azp": client, "scp": "Files.Read", "ver": "2.0"})),
            rng,
        ),
        "jwt_id" => jwt(
            &rs,
            &base(
                serde_json::json!({"nonce": opaque(rng, 22), "email": format!("{}@{}.com", rng.pick(NAMES), rng.pick(WORDS))}),
            ),
            rng,
        ),
        "jwt_id_hash" => jwt(
            &rs,
            &base(
                serde_json::json!({"nonce": opaque(rng, 22), "at_hash": opaque(rng, 22), "c_hash": opaque(rng, 22)}),
            ),
            rng,
        ),
        "jwt_es" => {
            let header = serde_json::json!({"typ": "JWT", "alg": "ES256"});
            jwt(&header, &base(serde_json::json!({"scope": "api"})), rng)
        }
        "jwt_session" => {
            let header = serde_json::json!({"alg": "HS256", "typ": "JWT"});
            jwt(
                &header,
                &serde_json::json!({"uid": rng.between(1, 99_999), "role": "member", "iat": now, "exp": now + 86_400}),
                rng,
            )
        }
        "jwt_supabase" => {
            let header = serde_json::json!({"alg": "HS256", "typ": "JWT"});
            jwt(
                &header,
                &base(
                    serde_json::json!({"aud": "authenticated", "role": "authenticated", "session_id": uuid(rng)}),
                ),
                rng,
            )
        }
        "jwt_logout" => {
            let header = serde_json::json!({"alg": "RS256", "typ": "logout+jwt"});
            let event =
                serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}});
            jwt(
                &header,
                &base(serde_json::json!({"jti": uuid(rng), "events": event, "sid": uuid(rng)})),
                rng,
            )
        }
        "jwt_request" => {
            let header = serde_json::json!({"alg": "ES256", "typ": "oauth-authz-req+jwt"});
            let claims = serde_json::json!({
                "iss": client, "aud": issuer, "response_type": "code", "client_id": client, "scope": "openid",
                "redirect_uri": format!("https://{}/cb", host("app", rng)), "state": opaque(rng, 22), "nonce": opaque(rng, 22),
                "code_challenge": s256(&opaque(rng, 43)), "code_challenge_method": "S256", "exp": now + 300,
            });
            jwt(&header, &claims, rng)
        }
        "jwt_client" => {
            let header = serde_json::json!({"alg": "PS256", "kid": "c1"});
            jwt(
                &header,
                &serde_json::json!({"iss": client, "sub": client, "aud": format!("{issuer}/token"), "jti": uuid(rng), "exp": now + 60}),
                rng,
            )
        }
        "jwt_grant" => jwt(
            &rs,
            &serde_json::json!({"iss": format!("svc@{client}.iam"), "aud": format!("{issuer}/token"), "scope": "drive", "iat": now, "exp": now + 3600}),
            rng,
        ),
        "jwt_action" => {
            let header = serde_json::json!({"alg": "HS512", "typ": "JWT", "kid": uuid(rng)});
            jwt(
                &header,
                &base(
                    serde_json::json!({"typ": "reset-credentials", "jti": uuid(rng), "nonce": uuid(rng), "azp": "account"}),
                ),
                rng,
            )
        }
        "jwe" => {
            let header = BASE64URL_NOPAD
                .encode(b"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"e1\"}");
            format!(
                "{header}.{}.{}.{}.{}",
                opaque(rng, 342),
                opaque(rng, 16),
                opaque(rng, 240),
                opaque(rng, 22)
            )
        }
        "dpop" => {
            let header = serde_json::json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": opaque(rng, 43), "y": opaque(rng, 43)}});
            jwt(
                &header,
                &serde_json::json!({"htm": "GET", "htu": format!("{issuer}/me"), "jti": uuid(rng), "iat": now}),
                rng,
            )
        }
        "cursor" => BASE64URL_NOPAD.encode(
            format!(
                "{{\"id\":{},\"created_at\":\"2026-11-02T10:{:02}:11Z\",\"dir\":\"next\"}}",
                rng.between(1000, 999_999),
                rng.below(60)
            )
            .as_bytes(),
        ),
        "cursor_pad" => BASE64.encode(
            format!(
                "{{\"offset\":{},\"sort\":\"date\",\"s\":[{},{}]}}",
                rng.between(10, 990),
                rng.below(999),
                rng.below(999)
            )
            .as_bytes(),
        ),
        "not_jwt" => format!(
            "{}.{}.{}",
            rng.text(ALNUM, 22),
            rng.text(ALNUM, 30),
            rng.text(ALNUM, 18)
        ),
        "cursor_dots" => format!(
            "{}.{}.{}",
            BASE64URL_NOPAD
                .encode(format!("{{\"page\":{},\"per\":20}}", rng.between(2, 90)).as_bytes()),
            rng.text(DIGITS, 8),
            rng.text(HEX, 12)
        ),
        "auth0client" => BASE64.encode(b"{\"name\":\"auth0-spa-js\",\"version\":\"2.1.3\"}"),
        "png" => {
            let mut bytes =
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0".to_vec();
            bytes.extend(rng.bytes(46));
            bytes.extend(BASE64.decode(b"eyJhbGciOiJub25lIn0u").unwrap_or_default());
            bytes.extend(rng.bytes(180));
            BASE64.encode(&bytes)
        }
        _ => return None,
    })
}

/// Messages and tickets of SAML, WS-Federation, CAS and the device flow.
pub fn federation(name: &str, rng: &mut Rng) -> Option<String> {
    Some(match name {
        "saml_response" => BASE64.encode(saml("samlp:Response", true, rng).as_bytes()),
        "saml_ns0" => BASE64.encode(saml("ns0:Response", true, rng).as_bytes()),
        "saml_authn" => deflated(&saml("samlp:AuthnRequest", false, rng)),
        "saml_authn_post" => BASE64.encode(saml("samlp:AuthnRequest", false, rng).as_bytes()),
        "saml_logout_request" => deflated(&saml("samlp:LogoutRequest", true, rng)),
        "saml_response_redirect" => deflated(&saml("samlp:Response", true, rng)),
        "saml_art" => {
            let mut bytes = vec![0, 4, 0, 0];
            bytes.extend(rng.bytes(40));
            BASE64.encode(&bytes)
        }
        "wresult" => format!(
            "<t:RequestSecurityTokenResponse xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\"><t:RequestedSecurityToken><saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_{}\"><saml:NameIdentifier>{}@{}.com</saml:NameIdentifier></saml:Assertion></t:RequestedSecurityToken></t:RequestSecurityTokenResponse>",
            uuid(rng),
            rng.pick(NAMES),
            rng.pick(WORDS)
        ),
        "cas_st" => format!(
            "ST-{}-{}-cas01",
            rng.between(2, 90_000),
            rng.text(ALNUM, 20)
        ),
        "cas_pt" => format!(
            "PT-{}-{}-cas01.{}.edu",
            rng.between(2, 900),
            rng.text(ALNUM, 20),
            rng.pick(WORDS)
        ),
        "cas_tgt" => format!(
            "TGT-{}-{}-cas02",
            rng.between(2, 900),
            rng.text(URLSAFE, 50)
        ),
        "cas_pgt" => format!("PGT-{}-{}-cas02", rng.between(2, 900), rng.text(ALNUM, 50)),
        "user_code" => format!("{}-{}", rng.text(CROCKFORD, 4), rng.text(CROCKFORD, 4)),
        "azure_sig" => BASE64.encode(&rng.bytes(32)),
        "asp_session" => rng.text("abcdefghijklmnopqrstuvwxyz012345", 24),
        _ => return None,
    })
}

/// A JWT whose signature is random bytes.
pub fn jwt(header: &serde_json::Value, claims: &serde_json::Value, rng: &mut Rng) -> String {
    format!(
        "{}.{}.{}",
        BASE64URL_NOPAD.encode(header.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes()),
        BASE64URL_NOPAD.encode(&rng.bytes(256))
    )
}

fn saml(root: &str, identity: bool, rng: &mut Rng) -> String {
    let prefix = root.split(':').next().unwrap_or("samlp");
    let name = if identity {
        format!(
            "<saml:NameID>{}@{}.com</saml:NameID><saml:Conditions NotOnOrAfter=\"2026-11-20T10:05:00Z\"/>",
            rng.pick(NAMES),
            rng.pick(WORDS)
        )
    } else {
        String::new()
    };
    format!(
        "<{root} xmlns:{prefix}=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_{}\" Version=\"2.0\" IssueInstant=\"2026-11-20T10:00:00Z\"><saml:Issuer>https://{}/idp</saml:Issuer>{}</{root}>",
        uuid(rng),
        host("idp", rng),
        if root.ends_with("Response") {
            format!(
                "<saml:Assertion ID=\"_{}\"><saml:Subject>{name}</saml:Subject></saml:Assertion>",
                uuid(rng)
            )
        } else {
            name
        }
    )
}

/// Raw DEFLATE, then base64 (SAML bindings §3.4.4.1).
fn deflated(xml: &str) -> String {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let _ = encoder.write_all(xml.as_bytes());
    BASE64.encode(&encoder.finish().unwrap_or_default())
}
