//! Code flows within or right after another, in one chain of visits.

use crate::build::Builder;
use crate::encode::query;
use crate::truth::{Challenge, Part, Power, State};

/// A code flow inside another: the authorization server is a client of a second one. Returns the last visit.
pub fn federate(b: &mut Builder, request: usize) -> usize {
    let broker = format!("{}/broker/endpoint", b.client.issuer);
    let (state, code) = (b.rng.opaque(24), b.rng.opaque(30));
    let pairs = [
        ("response_type", "code"),
        ("client_id", "corp-broker"),
        ("redirect_uri", broker.as_str()),
        ("state", state.as_str()),
    ];
    let url = query("https://social.example/authorize", &pairs);
    let asked = b.visit(Part::Other, url, Some(request), true);
    let secret = b.rng.opaque(30);
    let power = Power::With {
        needs: Vec::new(),
        secret: Some(secret),
        whole: State::Replayable,
        without: State::Guarded,
    };
    let expires = Some(b.now + 600_000);
    b.credential(&code, "authorization_code", expires, power)
        .flows = vec!["code-nopkce"];
    let url = query(&broker, &[("code", &code), ("state", &state)]);
    b.visit(Part::Other, url, Some(asked), true)
}

/// The same client asks again, in the same chain of visits, this time without PKCE.
pub fn step_up(b: &mut Builder, response: usize) {
    let client = b.client;
    let state = b.rng.opaque(26);
    let pairs = [
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", client.redirect.as_str()),
        ("state", state.as_str()),
        ("acr_values", "urn:example:2fa"),
    ];
    let url = query(&client.authorize, &pairs);
    let asked = b.visit(Part::Other, url, Some(response), true);
    let code = b.code(Challenge::None, "", &["code-nopkce"]);
    let url = query(&client.redirect, &[("code", &code), ("state", &state)]);
    b.visit(Part::Other, url, Some(asked), true);
}
