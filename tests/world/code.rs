//! Code flows: every challenge and client type, pushed, signed and posted variants, back ends for front ends.

use serde_json::{Value, json};

use crate::build::Builder;
use crate::client::Client;
use crate::encode::{base64, form, fragment, jwt, query, s256};
use crate::nested;
use crate::prng::Rng;
use crate::truth::{Challenge, Name, Part, Power, Run, State};

/// What is special about a code flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Common,
    Par,
    Jar,
    Jarm,
    FormPost,
    Silent,
    /// The user says no.
    Denied,
    /// Answers with a session cookie.
    Bff,
    HandoffFragment,
    HandoffQuery,
    /// The callback page loads an image from elsewhere.
    Referer,
    /// `response_mode=fragment`.
    Fragment,
    /// The code and the token are bound to a key (RFC 9449 §5, §10).
    Dpop,
    /// Goes on to a second request of the same client, which asks for more.
    StepUp,
    /// The authorization server sends the user on to another one.
    Federated,
}

/// Grants a `Name::Code` may have where request and response are seen.
const GRANTS: &[&str] = &[];

struct Secrets {
    state: Option<String>,
    nonce: Option<String>,
    verifier: String,
    challenge: String,
}

/// One code flow.
pub fn run(
    rng: &mut Rng,
    client: &Client,
    now: i64,
    case: &'static str,
    challenge: Challenge,
    kind: Kind,
) -> Run {
    let name = match kind {
        Kind::Denied => Name::Fixed(&["failed"]),
        _ => Name::Code {
            challenge,
            confidential: client.confidential,
            pushed: kind == Kind::Par,
        },
    };
    let mut b = Builder::new(rng, client, now, case, name);
    b.run.capture_only = matches!(kind, Kind::FormPost | Kind::Silent);
    let secrets = secrets(&mut b, challenge, kind);
    let start = b.start();
    let request = request(&mut b, challenge, kind, &secrets, start);
    let last = match kind {
        Kind::Silent => request,
        Kind::Federated => nested::federate(&mut b, request),
        _ => b.login(request),
    };
    if kind == Kind::Denied {
        let state = secrets.state.clone().unwrap_or_default();
        let url = query(
            &client.redirect,
            &[("error", "access_denied"), ("state", &state)],
        );
        let back = b.visit(Part::Response, url, Some(last), true);
        b.after(back, false);
        return b.run;
    }
    b.now += 20;
    let code = b.code(challenge, &secrets.verifier, GRANTS);
    b.run.primary = Some(code.clone());
    if let (Kind::Dpop, Some(code)) = (kind, b.run.credentials.last_mut()) {
        code.power = Power::Bound;
    }
    let response = response(&mut b, kind, &secrets, &code, last);
    if kind == Kind::Referer {
        let referer = b.url(response);
        b.fetch("https://pixel.tracker.example/p.gif", &referer);
    }
    let redeemed = b.rng.chance(80);
    if redeemed {
        redeem(&mut b, kind, &secrets, &code);
    }
    follow(&mut b, kind, response, redeemed);
    b.run
}

fn secrets(b: &mut Builder, challenge: Challenge, kind: Kind) -> Secrets {
    let state = match kind {
        Kind::Denied | Kind::Jarm | Kind::Referer => b.state(100),
        _ => b.state(80),
    };
    let nonce = b.rng.chance(50).then(|| b.rng.opaque(16));
    let verifier = b.rng.opaque(43);
    let challenge = match challenge {
        Challenge::S256 => s256(&verifier),
        _ => verifier.clone(),
    };
    Secrets {
        state,
        nonce,
        verifier,
        challenge,
    }
}

/// Parameters of the authorization request.
fn parameters(
    b: &Builder,
    challenge: Challenge,
    kind: Kind,
    secrets: &Secrets,
) -> Vec<(&'static str, String)> {
    let client = b.client;
    let mut pairs = vec![
        ("response_type", "code".to_owned()),
        ("client_id", client.id.clone()),
        ("redirect_uri", client.redirect.clone()),
    ];
    let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    add("scope", Some("openid orders".to_owned()));
    add("state", secrets.state.clone());
    add("nonce", secrets.nonce.clone());
    if challenge != Challenge::None {
        add("code_challenge", Some(secrets.challenge.clone()));
    }
    match challenge {
        Challenge::S256 => add("code_challenge_method", Some("S256".to_owned())),
        Challenge::Plain => add("code_challenge_method", Some("plain".to_owned())),
        Challenge::Unnamed | Challenge::None => {}
    }
    match kind {
        Kind::FormPost => add("response_mode", Some("form_post".to_owned())),
        Kind::Jarm => add("response_mode", Some("query.jwt".to_owned())),
        Kind::Silent => add("prompt", Some("none".to_owned())),
        Kind::Fragment => add("response_mode", Some("fragment".to_owned())),
        Kind::Dpop => add("dpop_jkt", Some(s256(&secrets.verifier[..20]))),
        _ => {}
    }
    pairs
}

fn request(
    b: &mut Builder,
    challenge: Challenge,
    kind: Kind,
    secrets: &Secrets,
    start: Option<usize>,
) -> usize {
    let pairs = parameters(b, challenge, kind, secrets);
    let borrowed: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let client = b.client;
    match kind {
        Kind::Par => {
            let uri = format!("urn:ietf:params:oauth:request_uri:{}", b.rng.opaque(24));
            let body = form(&borrowed);
            let headers = authentication(b);
            b.call(
                Part::Push,
                &format!("{}/par", client.issuer),
                &headers,
                body,
                json!({"request_uri": uri, "expires_in": 60}),
            );
            if let (true, Some(message)) = (client.confidential, b.run.messages.last_mut()) {
                message.inside.push(client.secret.clone());
            }
            let url = query(
                &client.authorize,
                &[("client_id", &client.id), ("request_uri", &uri)],
            );
            b.visit(Part::Request, url, start, true)
        }
        Kind::Jar => {
            let mut claims = json!({"iss": client.id, "aud": client.issuer});
            for (name, value) in &pairs {
                claims[*name] = json!(value);
            }
            let object = jwt(b.rng, "oauth-authz-req+jwt", &claims);
            let url = query(
                &client.authorize,
                &[("client_id", &client.id), ("request", &object)],
            );
            let index = b.visit(Part::Request, url, start, true);
            b.run.messages[index].inside.push(secrets.challenge.clone());
            let power = Power::With {
                needs: vec!["nobody".into()],
                secret: None,
                whole: State::Inert,
                without: State::Inert,
            };
            b.credential(&object, "request_object", None, power);
            index
        }
        _ => b.visit(
            Part::Request,
            query(&client.authorize, &borrowed),
            start,
            true,
        ),
    }
}

/// How the client authenticates in a header, if it does.
fn authentication(b: &mut Builder) -> Vec<(&'static str, String)> {
    if !b.client.confidential {
        return Vec::new();
    }
    let basic = base64(format!("{}:{}", b.client.id, b.client.secret).as_bytes());
    vec![("Authorization", format!("Basic {basic}"))]
}

fn response(b: &mut Builder, kind: Kind, secrets: &Secrets, code: &str, last: usize) -> usize {
    let client = b.client;
    let mut pairs = vec![("code", code)];
    pairs.extend(secrets.state.as_deref().map(|state| ("state", state)));
    match kind {
        Kind::Fragment => {
            pairs.push(("session_state", "d1f0a7c2-5b1e-4c6a-9a52-0f6f4f3b8e21"));
            b.visit(
                Part::Response,
                fragment(&client.redirect, &pairs),
                Some(last),
                true,
            )
        }
        Kind::FormPost => b.post(Part::Response, &client.redirect, form(&pairs), Some(last)),
        Kind::Jarm => {
            let exp = b.now / 1000 + 600;
            let claims = json!({"iss": client.issuer, "aud": client.id, "exp": exp, "code": code, "state": secrets.state});
            let signed = jwt(b.rng, "JWT", &claims);
            let url = query(&client.redirect, &[("response", &signed)]);
            let index = b.visit(Part::Response, url, Some(last), true);
            b.run.messages[index].inside.push(code.to_owned());
            // Who holds the response holds the code in it, and no more.
            let mut copy = b.run.credentials.last().expect("the code").clone();
            copy.value = signed;
            copy.kind = "jarm_response";
            b.run.credentials.push(copy);
            index
        }
        _ => b.visit(
            Part::Response,
            query(&client.redirect, &pairs),
            Some(last),
            true,
        ),
    }
}

/// The token request and its answer.
fn redeem(b: &mut Builder, kind: Kind, secrets: &Secrets, code: &str) {
    let client = b.client;
    let with_verifier = !matches!(
        &b.run.name,
        Name::Code {
            challenge: Challenge::None,
            ..
        }
    );
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.id.as_str()),
        ("code", code),
        ("redirect_uri", client.redirect.as_str()),
    ];
    if with_verifier {
        pairs.push(("code_verifier", &secrets.verifier));
    }
    let basic = b.rng.chance(50);
    let headers = if basic { authentication(b) } else { Vec::new() };
    if client.confidential && !basic {
        pairs.push(("client_secret", &client.secret));
    }
    let access = b.access_token(600, GRANTS);
    let mut answer: Value =
        json!({"access_token": access, "token_type": "Bearer", "expires_in": 600});
    if kind == Kind::Dpop {
        answer["token_type"] = json!("DPoP");
        b.run.credentials.last_mut().expect("the token").power = Power::Bound;
    } else if b.rng.chance(40) {
        answer["refresh_token"] = json!(b.refresh_token(GRANTS));
    }
    if let Some(nonce) = &secrets.nonce {
        answer["id_token"] = json!(b.id_token(600, GRANTS, &[("nonce", nonce.clone())]));
    }
    let token = client.token.clone();
    let body = form(&pairs);
    let index = b.call(Part::Token, &token, &headers, body.clone(), answer);
    if b.rng.chance(6) {
        // The page was loaded again: the second use is refused (RFC 6749 §4.1.2).
        b.call(
            Part::Other,
            &token,
            &headers,
            body,
            json!({"error": "invalid_grant"}),
        );
    }
    b.end(code, State::Spent, index);
    if let Some(credential) = b
        .run
        .credentials
        .iter_mut()
        .find(|credential| credential.kind == "jarm_response")
    {
        let at = b.run.messages[index].at;
        credential.end = Some(crate::truth::End {
            at,
            state: State::Spent,
            shown_by: Some(index),
        });
    }
    if client.confidential {
        b.run.messages[index].inside.push(client.secret.clone());
        b.credential(&client.secret, "client_secret", None, Power::Alone);
    }
}

/// What the application does after the callback.
fn follow(b: &mut Builder, kind: Kind, response: usize, redeemed: bool) {
    let client = b.client;
    match kind {
        Kind::Silent | Kind::FormPost => {}
        Kind::StepUp => nested::step_up(b, response),
        Kind::Bff => {
            let session = b.rng.opaque(32);
            b.run.messages[response].cookie = Some(session.clone());
            b.credential(&session, "session_id", None, Power::Alone);
            b.after(response, false);
        }
        Kind::HandoffFragment | Kind::HandoffQuery if redeemed => {
            let flow: &[&str] = if kind == Kind::HandoffFragment {
                &["handoff-fragment"]
            } else {
                &["handoff-query"]
            };
            let token = b.access_token(900, flow);
            let url = if kind == Kind::HandoffFragment {
                fragment(
                    &format!("{}/", client.origin),
                    &[("access_token", &token), ("expires_in", "900")],
                )
            } else {
                query(
                    &format!("{}/welcome", client.origin),
                    &[("access_token", &token)],
                )
            };
            b.visit(Part::Other, url, Some(response), true);
        }
        _ => {
            let reload = b.rng.chance(10);
            b.after(response, reload);
        }
    }
}
