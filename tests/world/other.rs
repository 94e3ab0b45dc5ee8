//! Protocols beside OAuth 2, and links that carry a credential without a protocol.

use crate::build::Builder;
use crate::client::Client;
use crate::encode::{base64, deflate, form, query, saml_request, saml_response};
use crate::prng::Rng;
use crate::truth::{Name, Part, Power, Run, State, Tie};

/// Cases and the grant's name.
pub const CASES: &[(&str, &[&str])] = &[
    ("saml-redirect", &["saml-redirect"]),
    // The request goes by redirect, the assertion by POST.
    ("saml-post", &["saml-post"]),
    ("saml-artifact", &["saml-artifact"]),
    ("wsfed", &["wsfed"]),
    ("cas", &["cas"]),
    ("oauth1", &["oauth1"]),
    ("bearer-in-query", &["bearer-in-query"]),
    ("magic-link", &["magic-link"]),
    ("account-action", &["account-action"]),
    ("logout-leak", &["logout-leak"]),
    ("hand-off, hosted", &["handoff-fragment"]),
    ("signed-url", &["signed-url"]),
];

/// One run of `CASES[index]`.
pub fn run(rng: &mut Rng, client: &Client, now: i64, index: usize) -> Run {
    let (case, grants) = CASES[index];
    let mut b = Builder::new(rng, client, now, case, Name::Fixed(grants));
    match case {
        "saml-redirect" | "saml-post" | "saml-artifact" => saml(&mut b, case),
        "wsfed" => wsfed(&mut b),
        "cas" => cas(&mut b),
        "oauth1" => oauth1(&mut b),
        "bearer-in-query" => bearer(&mut b),
        "magic-link" | "account-action" => link(&mut b, case),
        "logout-leak" => logout(&mut b),
        "hand-off, hosted" => hosted(&mut b),
        _ => signed(&mut b),
    }
    b.run
}

fn nobody() -> Power {
    Power::With {
        needs: vec!["another party's secret".into()],
        secret: None,
        whole: State::Replayable,
        without: State::Guarded,
    }
}

fn saml(b: &mut Builder, case: &str) {
    let client = b.client;
    let (id, reply) = (b.rng.opaque(20), b.rng.opaque(20));
    let (sso, acs) = (
        format!("{}/sso/saml", client.issuer),
        format!("{}/saml/acs", client.origin),
    );
    let relay = b.rng.opaque(20);
    b.run.tie = Tie::Key;
    let request = base64(&deflate(&saml_request(&id, b.now, &sso, &acs)));
    let start = b.start();
    let asked = b.visit(
        Part::Request,
        query(&sso, &[("SAMLRequest", &request), ("RelayState", &relay)]),
        start,
        true,
    );
    let last = b.login(asked);
    let until = b.now / 1000 * 1000 + 300_000;
    let answer = saml_response(&reply, &id, b.now, until, &acs);
    match case {
        "saml-redirect" => {
            let message = base64(&deflate(&answer));
            b.credential(&message, "saml_message", Some(until), Power::Alone);
            b.run.primary = Some(message.clone());
            let back = b.visit(
                Part::Response,
                query(&acs, &[("SAMLResponse", &message), ("RelayState", &relay)]),
                Some(last),
                true,
            );
            b.after(back, false);
        }
        "saml-post" => {
            b.run.capture_only = true;
            let message = base64(answer.as_bytes());
            b.credential(&message, "saml_message", Some(until), Power::Alone);
            b.run.primary = Some(message.clone());
            b.post(
                Part::Response,
                &acs,
                form(&[("SAMLResponse", &message), ("RelayState", &relay)]),
                Some(last),
            );
        }
        _ => {
            // SAML Bindings §3.6.4: type 4, endpoint index, SHA-1 of the issuer, a handle of 20 bytes.
            let mut bytes = vec![0, 4, 0, 0];
            bytes.extend((0..40).map(|_| b.rng.bits() as u8));
            let artifact = base64(&bytes);
            // SAML Bindings §3.6.5 bounds its life by no number.
            b.credential(&artifact, "saml_artifact", None, nobody());
            b.run.primary = Some(artifact.clone());
            let back = b.visit(
                Part::Response,
                query(&acs, &[("SAMLart", &artifact), ("RelayState", &relay)]),
                Some(last),
                true,
            );
            b.after(back, false);
        }
    }
}

fn wsfed(b: &mut Builder) {
    let client = b.client;
    b.run.capture_only = true;
    b.run.tie = Tie::Key;
    let context = b.rng.opaque(20);
    let realm = format!("{}/", client.origin);
    let url = query(
        &format!("{}/adfs/ls/", client.issuer),
        &[
            ("wa", "wsignin1.0"),
            ("wtrealm", &realm),
            ("wctx", &context),
        ],
    );
    let asked = b.visit(Part::Request, url, None, true);
    let last = b.login(asked);
    let until = b.now / 1000 * 1000 + 3_600_000;
    let id = b.rng.opaque(24);
    let result = format!(
        r#"<t:RequestSecurityTokenResponse xmlns:t="http://schemas.xmlsoap.org/ws/2005/02/trust"><t:Lifetime><wsu:Expires xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">{}</wsu:Expires></t:Lifetime><t:RequestedSecurityToken><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" AssertionID="_{id}"/></t:RequestedSecurityToken></t:RequestSecurityTokenResponse>"#,
        crate::encode::rfc3339(until)
    );
    b.credential(&result, "wsfed_token", Some(until), Power::Alone);
    b.run.primary = Some(result.clone());
    b.post(
        Part::Response,
        &realm,
        form(&[
            ("wa", "wsignin1.0"),
            ("wresult", &result),
            ("wctx", &context),
        ]),
        Some(last),
    );
}

fn cas(b: &mut Builder) {
    let client = b.client;
    let service = format!("{}/cas", client.origin);
    let start = b.start();
    let asked = b.visit(
        Part::Request,
        query(
            &format!("{}/cas/login", client.issuer),
            &[("service", &service)],
        ),
        start,
        true,
    );
    let last = b.login(asked);
    let ticket = format!("ST-{}-{}-cas1", b.rng.below(99), b.rng.opaque(24));
    let expires = b.now + 10_000;
    b.credential(&ticket, "cas_ticket", Some(expires), Power::Alone);
    b.run.primary = Some(ticket.clone());
    let back = b.visit(
        Part::Response,
        query(&service, &[("ticket", &ticket)]),
        Some(last),
        true,
    );
    let next = b.visit(Part::Other, service, Some(back), true);
    b.end(&ticket, State::Spent, next);
}

fn oauth1(b: &mut Builder) {
    let client = b.client;
    let (token, verifier) = (b.rng.opaque(28), b.rng.opaque(24));
    b.run.tie = Tie::Key;
    let start = b.start();
    let asked = b.visit(
        Part::Request,
        query(
            &format!("{}/oauth/authorize", client.issuer),
            &[("oauth_token", &token)],
        ),
        start,
        true,
    );
    let last = b.login(asked);
    b.credential(&token, "oauth1_token", None, nobody());
    b.credential(&verifier, "oauth1_verifier", None, nobody());
    b.run.primary = Some(verifier.clone());
    let back = b.visit(
        Part::Response,
        query(
            &client.redirect,
            &[("oauth_token", &token), ("oauth_verifier", &verifier)],
        ),
        Some(last),
        true,
    );
    b.after(back, false);
}

fn bearer(b: &mut Builder) {
    b.run.single = true;
    let token = b.access_token(3600, &["bearer-in-query"]);
    b.run.primary = Some(token.clone());
    let host = b.client.origin.replace("https://", "https://api.");
    for path in ["/v1/orders", "/v1/orders/17.json"]
        .iter()
        .take(b.rng.between(1, 2) as usize)
    {
        let url = query(&format!("{host}{path}"), &[("access_token", &token)]);
        b.visit(Part::Request, url, None, false);
    }
}

fn link(b: &mut Builder, case: &str) {
    b.run.single = true;
    let value = b.rng.opaque(40);
    let origin = b.client.origin.clone();
    let url = match (case, b.rng.below(3)) {
        ("magic-link", 0) => query(&format!("{origin}/auth/magic"), &[("magic_link", &value)]),
        ("magic-link", 1) => query(
            &format!("{origin}/auth/confirm"),
            &[("token_hash", &value), ("type", "magiclink")],
        ),
        ("magic-link", _) => query(&format!("{origin}/magic-link"), &[("token", &value)]),
        (_, 0) => query(
            &format!("{origin}/password/reset"),
            &[("reset_password_token", &value)],
        ),
        (_, 1) => query(
            &format!("{origin}/__/auth/action"),
            &[("mode", "resetPassword"), ("oobCode", &value)],
        ),
        (_, _) => query(
            &format!("{origin}/verify-email"),
            &[("verification_token", &value)],
        ),
    };
    let expires = b.now + 3_600_000;
    b.credential(&value, "one_time_link", Some(expires), Power::Alone);
    b.run.primary = Some(value.clone());
    let opened = b.visit(Part::Request, url, None, false);
    if b.rng.chance(60) {
        b.wait(200, 900);
        let next = b.visit(Part::Other, format!("{origin}/welcome"), Some(opened), true);
        b.end(&value, State::Spent, next);
    }
}

fn logout(b: &mut Builder) {
    b.run.single = true;
    let nonce = b.rng.opaque(16);
    // Issued some time before the logout.
    let now = b.now;
    b.now -= b.rng.between(5_000, 3_000_000);
    let token = b.id_token(600, &["logout-leak"], &[("nonce", nonce)]);
    b.now = now;
    b.run.primary = Some(token.clone());
    let home = format!("{}/", b.client.origin);
    let url = query(
        &format!("{}/logout", b.client.issuer),
        &[
            ("id_token_hint", &token),
            ("post_logout_redirect_uri", &home),
        ],
    );
    let left = b.visit(Part::Request, url, None, false);
    b.visit(Part::Other, home, Some(left), true);
}

/// A hosted authentication service hands both tokens over; what it asked of whom is not in evidence.
fn hosted(b: &mut Builder) {
    b.run.single = true;
    let flow = &["handoff-fragment"];
    let access = b.access_token(3600, flow);
    b.run.primary = Some(access.clone());
    let refresh = b.refresh_token(flow);
    let expires_at = (b.now / 1000 + 3600).to_string();
    let pairs = [
        ("access_token", access.as_str()),
        ("expires_at", &expires_at),
        ("expires_in", "3600"),
        ("refresh_token", &refresh),
        ("token_type", "bearer"),
    ];
    let page = crate::encode::fragment(&format!("{}/", b.client.origin), &pairs);
    b.visit(Part::Request, page, None, false);
}

fn signed(b: &mut Builder) {
    b.run.single = true;
    let life = *b.rng.pick(&[60, 900, 86_400]);
    let at = b.now / 1000;
    let date: String = crate::encode::rfc3339(at * 1000)
        .chars()
        .filter(|c| !"-:".contains(*c))
        .collect();
    let signature: String = (0..32)
        .map(|_| format!("{:02x}", b.rng.below(256)))
        .collect();
    let scope = format!("EXAMPLEKEYID0/{}/eu-west-1/s3/aws4_request", &date[..8]);
    let life_text = life.to_string();
    let url = query(
        &format!(
            "https://bucket{}.s3.eu-west-1.amazonaws.com/report-{}.pdf",
            b.rng.below(9),
            b.rng.below(99_999)
        ),
        &[
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &scope),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &life_text),
            ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Signature", &signature),
        ],
    );
    b.credential(
        &signature,
        "signed_url",
        Some((at + life) * 1000),
        Power::Alone,
    )
    .flows = vec!["signed-url"];
    b.run.primary = Some(signature.clone());
    b.visit(Part::Request, url, None, false);
}
