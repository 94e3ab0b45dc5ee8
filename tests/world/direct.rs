//! Grants without a browser: only a capture of the wire sees them.

use serde_json::{Value, json};

use crate::build::Builder;
use crate::client::Client;
use crate::encode::{base64, form, jwt};
use crate::prng::Rng;
use crate::truth::{Name, Part, Power, Run, State};

/// Cases and the grant's name.
pub const CASES: &[(&str, &[&str])] = &[
    ("refresh, rotating", &["refresh"]),
    ("refresh, not rotating", &["refresh"]),
    ("revocation", &["refresh"]),
    ("device", &["device"]),
    ("ropc", &["ropc"]),
    ("client-credentials", &["client-credentials"]),
    ("jwt-bearer", &["jwt-bearer"]),
    ("saml-bearer", &["saml-bearer"]),
    ("token-exchange", &["token-exchange"]),
    ("ciba", &["ciba"]),
];

const GRANT: &str = "urn:ietf:params:oauth:grant-type:";

/// One run of `CASES[index]`.
pub fn run(rng: &mut Rng, client: &Client, now: i64, index: usize) -> Run {
    let (case, grants) = CASES[index];
    let mut b = Builder::new(rng, client, now, case, Name::Fixed(grants));
    b.run.capture_only = true;
    match case {
        "refresh, rotating" => refresh(&mut b, true),
        "refresh, not rotating" => refresh(&mut b, false),
        "revocation" => revocation(&mut b),
        "device" => device(&mut b),
        "ciba" => ciba(&mut b),
        "ropc" => {
            let password = format!("Pw-{}", b.rng.opaque(14));
            b.credential(&password, "password", None, Power::Alone);
            let pairs = [
                ("grant_type", "password"),
                ("username", "alice"),
                ("password", &password),
            ];
            token(&mut b, &pairs, &[]);
        }
        "client-credentials" => {
            token_with_secret(
                &mut b,
                &[("grant_type", "client_credentials"), ("scope", "orders")],
            );
        }
        "jwt-bearer" => {
            let iat = b.now / 1000;
            let claims = json!({"iss": client.id, "sub": "batch", "aud": client.token, "jti": b.rng.opaque(12), "iat": iat, "exp": iat + 300});
            let assertion = jwt(b.rng, "JWT", &claims);
            b.credential(
                &assertion,
                "assertion",
                Some((iat + 300) * 1000),
                Power::Alone,
            );
            let grant = format!("{GRANT}jwt-bearer");
            token(
                &mut b,
                &[("grant_type", &grant), ("assertion", &assertion)],
                &[],
            );
        }
        "saml-bearer" => {
            let until = b.now + 300_000;
            let id = b.rng.opaque(16);
            let xml = crate::encode::saml_response(&id, "none", b.now, until, &client.token);
            let assertion = base64(xml.as_bytes());
            b.credential(
                &assertion,
                "assertion",
                Some(until / 1000 * 1000),
                Power::Alone,
            );
            let grant = format!("{GRANT}saml2-bearer");
            token(
                &mut b,
                &[("grant_type", &grant), ("assertion", &assertion)],
                &[],
            );
        }
        _ => {
            let subject = b.access_token(900, grants);
            let grant = format!("{GRANT}token-exchange");
            let kind = "urn:ietf:params:oauth:token-type:access_token";
            let pairs = [
                ("grant_type", grant.as_str()),
                ("subject_token", &subject),
                ("subject_token_type", kind),
            ];
            token_with_secret(&mut b, &pairs);
        }
    }
    b.run
}

/// One token request; the answer's access token stands for the run.
fn token(b: &mut Builder, pairs: &[(&str, &str)], more: &[(&str, String)]) -> usize {
    let client = b.client;
    let mut pairs = pairs.to_vec();
    pairs.push(("client_id", &client.id));
    let access = b.access_token(600, &[]);
    b.run.primary = Some(access.clone());
    let mut answer: Value =
        json!({"access_token": access, "token_type": "Bearer", "expires_in": 600});
    for (name, value) in more {
        answer[*name] = json!(value);
    }
    b.call(Part::Request, &client.token, &[], form(&pairs), answer)
}

fn token_with_secret(b: &mut Builder, pairs: &[(&str, &str)]) -> usize {
    let client = b.client;
    let mut pairs = pairs.to_vec();
    pairs.push(("client_secret", &client.secret));
    b.credential(&client.secret, "client_secret", None, Power::Alone);
    token(b, &pairs, &[])
}

/// A chain of two to four refreshes. Rotation ends the token that was used (RFC 9700 §4.14.2).
fn refresh(b: &mut Builder, rotating: bool) {
    let client = b.client;
    let mut current = b.refresh_token(&[]);
    for _ in 0..b.rng.between(2, 4) {
        let next = if rotating {
            b.refresh_token(&[])
        } else {
            current.clone()
        };
        let mut pairs = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", current.as_str()),
        ];
        if client.confidential {
            pairs.push(("client_secret", &client.secret));
        }
        let index = token(b, &pairs, &[("refresh_token", next.clone())]);
        if rotating {
            b.end(&current, State::Revoked, index);
        }
        current = next;
        b.wait(1000, 300_000);
    }
    if client.confidential {
        b.credential(&client.secret, "client_secret", None, Power::Alone);
    }
}

/// A refresh, and the revocation of what it gave (RFC 7009 §2.1).
fn revocation(b: &mut Builder) {
    let client = b.client;
    let used = b.refresh_token(&[]);
    let mut pairs = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", used.as_str()),
    ];
    if client.confidential {
        pairs.push(("client_secret", &client.secret));
    }
    token(b, &pairs, &[]);
    b.wait(1000, 200_000);
    let given = b.run.primary.clone().expect("a token");
    let mut pairs = vec![("token", given.as_str()), ("client_id", client.id.as_str())];
    if client.confidential {
        pairs.push(("client_secret", &client.secret));
    }
    let url = format!("{}/revoke", client.issuer);
    let index = b.call(Part::Other, &url, &[], form(&pairs), json!({}));
    b.end(&given, State::Revoked, index);
}

fn device(b: &mut Builder) {
    let client = b.client;
    let device_code = b.rng.opaque(40);
    let user_code = format!("{}-{}", letters(b.rng), letters(b.rng));
    let answer = json!({"device_code": device_code, "user_code": user_code, "expires_in": 900, "interval": 5,
        "verification_uri": format!("{}/device", client.issuer)});
    b.call(
        Part::Request,
        &format!("{}/device_authorization", client.issuer),
        &[],
        form(&[("client_id", &client.id), ("scope", "media")]),
        answer,
    );
    let expires = Some(b.now + 900_000);
    b.credential(&device_code, "device_code", expires, Power::Alone);
    b.credential(&user_code, "user_code", expires, Power::Alone);
    b.wait(5000, 40_000);
    let url = format!("{}/device?user_code={user_code}", client.issuer);
    b.visit(Part::Other, url, None, false);
    b.wait(5000, 40_000);
    let grant = format!("{GRANT}device_code");
    let pairs = [
        ("grant_type", grant.as_str()),
        ("device_code", &device_code),
    ];
    if b.rng.chance(30) {
        let mut polling = pairs.to_vec();
        polling.push(("client_id", &client.id));
        b.call(
            Part::Other,
            &client.token,
            &[],
            form(&polling),
            json!({"error": "authorization_pending"}),
        );
        b.wait(5000, 9000);
    }
    let index = token(b, &pairs, &[]);
    b.end(&device_code, State::Spent, index);
    b.end(&user_code, State::Spent, index);
}

fn letters(rng: &mut Rng) -> String {
    (0..4)
        .map(|_| char::from(*rng.pick(b"BCDFGHJKLMNPQRSTVWXZ")))
        .collect()
}

fn ciba(b: &mut Builder) {
    let client = b.client;
    let handle = b.rng.opaque(36);
    let pairs = [
        ("client_id", client.id.as_str()),
        ("client_secret", &client.secret),
        ("scope", "openid"),
        ("login_hint", "alice"),
    ];
    let answer = json!({"auth_req_id": handle, "expires_in": 120, "interval": 2});
    b.call(
        Part::Request,
        &format!("{}/bc-authorize", client.issuer),
        &[],
        form(&pairs),
        answer,
    );
    let power = Power::With {
        needs: vec![client.secret.clone()],
        secret: None,
        whole: State::Replayable,
        without: State::Guarded,
    };
    let expires = Some(b.now + 120_000);
    b.credential(&handle, "device_code", expires, power);
    b.wait(5000, 40_000);
    let index = token_with_secret(
        b,
        &[
            ("grant_type", "urn:openid:params:grant-type:ciba"),
            ("auth_req_id", &handle),
        ],
    );
    b.end(&handle, State::Spent, index);
}
