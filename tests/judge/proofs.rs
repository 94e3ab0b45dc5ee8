//! What goes with a value: the proof of its client, its verifier, its private key, and the server that issued it.

use super::{CODE, callback, request, until};
use crate::run::{CHALLENGE, EARLY, Place, Run, Seen, T0, seen};
use tokentrail::atoms::{KeyKind, Kind};
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Modifier, Pkce};
use tokentrail::judge::{Basis, State};

fn state(run: &Run, kind: Kind) -> State {
    run.find(kind, EARLY).now.state
}

/// RFC 6749 §2.3.1: the secret may stand in another part of the request than what is redeemed. What came back, as
/// the secret of a client that was registered, proves nobody.
#[test]
fn a_client_proves_itself_by_any_part_of_a_request_that_was_sent() {
    let part = seen(Place::Har, T0 + 1, Role::None).with(Kind::ClientSecret, "client_secret", 9);
    let told = |part: Seen| {
        let request = seen(Place::Har, T0 + 1, Role::TokenRequest)
            .exchange(5)
            .param("grant_type", "refresh_token")
            .with(Kind::RefreshToken, "refresh_token", 3);
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, vec![request]);
        state(&run.beside(part.exchange(5)), Kind::RefreshToken)
    };
    assert_eq!(told(part.clone()), State::Guarded);
    assert_eq!(told(part.response()), State::Live);
}

/// A parameter without a value names no client, and an empty name is that of no other either.
#[test]
fn a_secret_beside_an_empty_client_id_says_nothing_of_other_clients() {
    let login = seen(Place::Har, T0 - 500, Role::TokenRequest)
        .param("client_id", "app")
        .with(CODE, "code", 41);
    let secret = |client: &str| {
        let request = seen(Place::Har, T0 - 400, Role::TokenRequest).param("client_id", client);
        let request = request.param("grant_type", "refresh_token");
        request.with(Kind::ClientSecret, "client_secret", 9)
    };
    let told = |secret: Seen| {
        let asked = request(Place::Har)
            .with(Kind::CodeChallenge, "code_challenge", 4)
            .key(KeyKind::ChallengePlain, CHALLENGE);
        let code = seen(Place::Har, T0, Role::ResponseInQuery).with(CODE, "code", 1);
        let run = Run::new(Flow::CodePkcePlain, Pkce::Plain, vec![asked, code]);
        run.beside(login.clone())
            .beside(secret)
            .verdict_of(1, EARLY)
            .now
            .state
    };
    assert_eq!(told(secret("")), State::Replayable);
    assert_eq!(told(secret("other")), State::Replayable);
}

/// RFC 7636 §4.6: of a challenge whose method is not that of the verifier's hash nothing tells that it is another's.
#[test]
fn a_verifier_is_held_against_challenges_of_its_own_kind_alone() {
    let told = |asked, own, own_id| {
        let request = request(Place::History).key(asked, CHALLENGE);
        let kept = seen(Place::Storage, T0, Role::Stored)
            .with(Kind::CodeVerifier, "code_verifier", 7)
            .key(own, own_id);
        let seen = vec![request, callback(), kept];
        let run = Run::new(Flow::CodePkceS256, Pkce::S256, seen);
        state(&run.modifier(Modifier::Native), Kind::CodeVerifier)
    };
    let (s256, plain) = (KeyKind::ChallengeS256, KeyKind::ChallengePlain);
    assert_ne!(told(plain, s256, CHALLENGE + 1), State::Inert);
    assert_ne!(told(s256, plain, CHALLENGE + 1), State::Inert);
    assert_ne!(told(s256, s256, CHALLENGE), State::Inert);
    assert_eq!(told(s256, s256, CHALLENGE + 1), State::Inert);
}

/// RFC 7638, RFC 9449 §6.1.
#[test]
fn a_private_key_is_compared_by_its_thumbprint_where_both_tell_one() {
    let thumbprint = |seen: Seen, id: Option<u64>| {
        let with = |seen: Seen, id| seen.key(KeyKind::Thumbprint, id);
        id.into_iter().fold(seen, with)
    };
    let told = |token: Option<u64>, keys: &[Option<u64>]| {
        let claims = Claims {
            cnf: Some("jkt".into()),
            ..until(T0 + 300)
        };
        let bound = seen(Place::Har, T0, Role::TokenResponse)
            .with(Kind::AccessToken, "access_token", 2)
            .claims(claims, Signature::Unverified);
        let mut run = Run::new(
            Flow::Unknown,
            Pkce::NotObserved,
            vec![thumbprint(bound, token)],
        );
        for (at, key) in (50..).zip(keys) {
            let kept = seen(Place::Har, T0, Role::Stored).with(Kind::PrivateKey, "d", at);
            run = run.with(thumbprint(kept, *key));
        }
        let now = run.find(Kind::AccessToken, EARLY).now;
        (now.state, now.basis)
    };
    let (proven, assumed, bound) = (
        (State::Live, Basis::Proven),
        (State::Live, Basis::Assumed),
        (State::Bound, Basis::Proven),
    );
    for (token, keys, wanted) in [
        (Some(1), &[Some(1)][..], proven),
        (Some(1), &[Some(2)], bound),
        (Some(1), &[None], assumed),
        (None, &[Some(1)], assumed),
        (None, &[None], assumed),
        (Some(1), &[], bound),
        (Some(1), &[Some(2), None, Some(1)], proven),
        (Some(1), &[Some(2), None], assumed),
    ] {
        assert_eq!(told(token, keys), wanted, "{token:?} {keys:?}");
    }
}

/// The server that sent a token issued it, whichever other server the user was sent to in the same run.
#[test]
fn a_token_is_of_the_server_whose_token_endpoint_sent_it() {
    let told = |role| {
        let token = seen(Place::Har, T0, role)
            .address("https", "github.com")
            .path("/login/oauth/access_token")
            .with(Kind::RefreshToken, "refresh_token", 3);
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, vec![token]);
        state(
            &run.issuer("https://accounts.google.com"),
            Kind::RefreshToken,
        )
    };
    // GitHub asks every client for its secret.
    assert_eq!(told(Role::TokenResponse), State::Guarded);
    assert_eq!(told(Role::ResponseInFragment), State::Unknown);
}
