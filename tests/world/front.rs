//! Implicit and hybrid flows: tokens straight from the authorization endpoint, in a fragment.

use crate::build::Builder;
use crate::client::Client;
use crate::encode::{fragment, half_hash, query};
use crate::prng::Rng;
use crate::truth::{Challenge, Name, Part, Run};

/// `response_type`, as sent, and the grant's name.
pub const TYPES: &[(&str, &[&str])] = &[
    ("token", &["implicit"]),
    ("id_token", &["implicit-oidc-idtoken"]),
    ("id_token token", &["implicit-oidc-both"]),
    ("code id_token", &["hybrid-code-idtoken"]),
    ("code token", &["hybrid-code-token"]),
    ("code id_token token", &["hybrid-code-idtoken-token"]),
];

/// One run of `TYPES[index]`. `silent`: in a hidden frame, which only a capture sees.
pub fn run(rng: &mut Rng, client: &Client, now: i64, index: usize, silent: bool) -> Run {
    let (response_type, grants) = TYPES[index];
    let case = if silent { "silent renewal" } else { grants[0] };
    let mut b = Builder::new(rng, client, now, case, Name::Fixed(grants));
    b.run.capture_only = silent;
    let has = |word: &str| response_type.split(' ').any(|part| part == word);
    let state = b.state(85);
    let nonce = has("id_token").then(|| b.rng.opaque(18));
    // The order of the words means nothing (OAuth 2.0 Multiple Response Types §2).
    let mut words: Vec<&str> = response_type.split(' ').collect();
    if b.rng.chance(30) {
        words.reverse();
    }
    let order = words.join(" ");
    let mut pairs = vec![
        ("client_id", client.id.as_str()),
        ("response_type", order.as_str()),
        ("redirect_uri", client.redirect.as_str()),
        (
            "scope",
            if has("id_token") {
                "openid feeds"
            } else {
                "feeds"
            },
        ),
    ];
    pairs.extend(state.as_deref().map(|state| ("state", state)));
    pairs.extend(nonce.as_deref().map(|nonce| ("nonce", nonce)));
    if silent {
        pairs.push(("prompt", "none"));
    }
    let mut url = query(&client.authorize, &pairs);
    if b.rng.chance(30) {
        url = url.replace("%20", "+");
    }
    let start = b.start();
    let request = b.visit(Part::Request, url, start, true);
    let last = if silent { request } else { b.login(request) };
    b.now += 20;

    let code = has("code").then(|| b.code(Challenge::None, "", &grants[..1]));
    let access = has("token").then(|| b.access_token(600, &grants[..1]));
    let mut answer: Vec<(&str, String)> = Vec::new();
    answer.extend(code.clone().map(|code| ("code", code)));
    if let Some(access) = &access {
        answer.push(("access_token", access.clone()));
        answer.push(("token_type", "Bearer".to_owned()));
        answer.push(("expires_in", "600".to_owned()));
    }
    if let Some(nonce) = nonce {
        let mut claims = vec![("nonce", nonce)];
        claims.extend(access.as_deref().map(|token| ("at_hash", half_hash(token))));
        claims.extend(code.as_deref().map(|code| ("c_hash", half_hash(code))));
        let token = b.id_token(600, &grants[..1], &claims);
        answer.push(("id_token", token));
    }
    answer.extend(state.map(|state| ("state", state)));
    b.run.primary = b
        .run
        .credentials
        .last()
        .map(|credential| credential.value.clone());
    let borrowed: Vec<(&str, &str)> = answer
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let back = b.visit(
        Part::Response,
        fragment(&client.redirect, &borrowed),
        Some(last),
        true,
    );
    if !silent {
        // The page strips the fragment, which adds a row; or the user loads it again.
        let reload = b.rng.chance(8);
        if reload || b.rng.chance(50) {
            b.after(back, reload);
        } else {
            b.visit(Part::Other, client.redirect.clone(), Some(back), false);
        }
    }
    b.run
}
