//! What goes with a value: the proof of its client, its verifier, its private key, and the server that issued it.

use super::{CODE, callback, request, until, verifier};
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

/// What tells the thumbprint of a key, where it tells one.
fn thumbprint(seen: Seen, id: Option<u64>) -> Seen {
    let with = |seen: Seen, id| seen.key(KeyKind::Thumbprint, id);
    id.into_iter().fold(seen, with)
}

/// A run with private keys in a place, by their thumbprints.
fn with_keys(run: Run, place: Place, keys: &[Option<u64>]) -> Run {
    let keys = (50..).zip(keys);
    keys.fold(run, |run, (id, key)| {
        run.with(thumbprint(seen_key(place, id), *key))
    })
}

fn seen_key(place: Place, id: u64) -> Seen {
    seen(place, T0, Role::Stored).with(Kind::PrivateKey, "d", id)
}

/// The thumbprint that a value tells of its key, those of the keys in the same hands, and how certain it is that one of
/// these is it; `None` where all are others.
type Compared = (Option<u64>, &'static [Option<u64>], Option<Basis>);

const COMPARED: [Compared; 8] = [
    (Some(1), &[Some(1)], Some(Basis::Proven)),
    (Some(1), &[Some(2)], None),
    (Some(1), &[None], Some(Basis::Assumed)),
    (None, &[Some(1)], Some(Basis::Assumed)),
    (None, &[None], Some(Basis::Assumed)),
    (Some(1), &[], None),
    (Some(1), &[Some(2), None, Some(1)], Some(Basis::Proven)),
    (Some(1), &[Some(2), None], Some(Basis::Assumed)),
];

/// RFC 7638, RFC 9449 §6.1.
#[test]
fn a_private_key_is_compared_by_its_thumbprint_where_both_tell_one() {
    for (own, keys, key) in COMPARED {
        let claims = Claims {
            cnf: Some("jkt".into()),
            ..until(T0 + 300)
        };
        let token = seen(Place::Har, T0, Role::TokenResponse)
            .with(Kind::AccessToken, "access_token", 2)
            .claims(claims, Signature::Unverified);
        let seen = vec![thumbprint(token, own)];
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, seen);
        let run = with_keys(run, Place::Har, keys);
        let now = run.find(Kind::AccessToken, EARLY).now;
        let wanted = key.map_or((State::Bound, Basis::Proven), |key| (State::Live, key));
        assert_eq!((now.state, now.basis), wanted, "{own:?} {keys:?}");
    }
}

/// A code under S256 that a request bound to a key, and private keys by their thumbprints in a place.
fn keyed(asked: Option<u64>, place: Place, keys: &[Option<u64>]) -> Run {
    let request = request(Place::History)
        .key(KeyKind::ChallengeS256, CHALLENGE)
        .param("dpop_jkt", "x");
    let seen = vec![thumbprint(request, asked), callback()];
    let run = Run::new(Flow::CodePkceS256, Pkce::S256, seen);
    with_keys(run, place, keys)
}

/// RFC 9449 §10, §11.4: what else guards the code guards it from who has the key.
#[test]
fn a_code_that_is_bound_to_a_key_is_as_any_other_to_who_has_the_key() {
    for (asked, keys, key) in COMPARED {
        let now = keyed(asked, Place::Storage, keys).find(CODE, EARLY).now;
        let wanted = key.map_or((State::Bound, Basis::Proven), |key| (State::Guarded, key));
        assert_eq!((now.state, now.basis), wanted, "{asked:?} {keys:?}");
        let says = "lies in the same hands";
        assert_eq!(now.because.contains(says), key.is_some(), "{asked:?}");
        let is_told = now.because.contains("nothing tells whether it is the same");
        assert_eq!(is_told, key == Some(Basis::Assumed), "{asked:?} {keys:?}");
    }
    let elsewhere = keyed(Some(1), Place::Log, &[Some(1)]).find(CODE, EARLY);
    assert_eq!(elsewhere.now.needs, ["dpop_private_key"]);
}

#[test]
fn a_bound_code_is_replayable_with_its_verifier_and_its_key_in_the_same_hands() {
    let told = |keys: &[Option<u64>]| {
        let run = keyed(Some(1), Place::Storage, keys).with(verifier(Place::Storage));
        run.find(CODE, EARLY).now.state
    };
    assert_eq!(told(&[Some(1)]), State::Replayable);
    assert_eq!(told(&[None]), State::Replayable);
    assert_eq!(told(&[Some(2)]), State::Bound);
    assert_eq!(told(&[]), State::Bound);
}

/// A message that binds nothing tells no key of the code.
#[test]
fn only_the_request_that_binds_a_code_tells_its_key() {
    let told = |asked| {
        let other = seen(Place::Log, T0 - 5, Role::None).key(KeyKind::Thumbprint, 2);
        let run = keyed(asked, Place::Storage, &[Some(2)]).with(other);
        let now = run.find(CODE, EARLY).now;
        (now.state, now.basis)
    };
    assert_eq!(told(None), (State::Guarded, Basis::Assumed));
    assert_eq!(told(Some(1)), (State::Bound, Basis::Proven));
    // That which binds nothing needs no key.
    let open = Run::new(Flow::CodePkceS256, Pkce::S256, vec![callback()]);
    let now = open
        .with(seen_key(Place::Storage, 50))
        .find(CODE, EARLY)
        .now;
    assert!(!now.because.contains("private key"), "{}", now.because);
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
