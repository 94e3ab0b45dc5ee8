//! What counts as an answer, and what it says of what was sent.

use super::{CODE, access, s256, until};
use crate::run::{EARLY, Place, Run, Seen, T0, seen};
use tokentrail::atoms::{KeyKind, Kind, Slot};
use tokentrail::detect::{Role, Signature};
use tokentrail::flow::{Flow, Modifier, Pkce};
use tokentrail::judge::State;

fn state(run: &Run, kind: Kind) -> State {
    run.find(kind, EARLY).now.state
}

/// A token request of which no status is known, and something else of its exchange.
fn with_mate(mate: Seen) -> Run {
    let request = seen(Place::Har, T0 + 1, Role::TokenRequest)
        .exchange(5)
        .param("grant_type", "authorization_code")
        .with(CODE, "code", 1);
    s256().with(request).with(mate.exchange(5))
}

#[test]
fn tokens_answer_a_request_where_they_came_back() {
    let mate = |role| seen(Place::Har, T0 + 2, role).with(Kind::AccessToken, "access_token", 2);
    for (mate, is_answer) in [
        (mate(Role::TokenResponse), true),
        (mate(Role::None).response(), true),
        (mate(Role::None), false),
        (mate(Role::TokenRequest).response(), false),
    ] {
        let told = state(&with_mate(mate), CODE);
        assert_eq!(told == State::Spent, is_answer, "{told:?}");
    }
}

/// RFC 7009 §2.2: a token that was revoked works no more; a request for the headers alone shows nothing of it.
#[test]
fn a_call_that_asks_for_nothing_shows_no_token_at_work() {
    let revocation = seen(Place::Har, T0 + 5, Role::TokenRequest)
        .path("/oauth/revoke")
        .status(200)
        .with(Kind::AccessToken, "token", 2);
    for (method, wanted) in [
        ("GET", State::Live),
        ("HEAD", State::Revoked),
        ("OPTIONS", State::Revoked),
    ] {
        let call = seen(Place::Har, T0 + 9, Role::ResourceRequest)
            .method(method)
            .status(200)
            .with(Kind::AccessToken, "authorization_bearer", 2)
            .slot(Slot::Header);
        let token = access(Place::History, Role::ResponseInFragment).param("expires_in", "86400");
        let run = Run::new(
            Flow::Implicit,
            Pkce::NotObserved,
            vec![token, revocation.clone(), call],
        );
        assert_eq!(state(&run, Kind::AccessToken), wanted, "{method}");
    }
}

/// A message of SAML is taken where a session follows; a redirect to an error says that it was not.
#[test]
fn a_session_beside_a_redirect_to_an_error_is_none() {
    let told = |param: &str| {
        let post = seen(Place::Har, T0, Role::ResponseInBody)
            .exchange(8)
            .status(302)
            .with(Kind::SamlMessage, "SAMLResponse", 2)
            .claims(until(T0 + 300), Signature::None);
        let session = seen(Place::Har, T0, Role::None)
            .exchange(8)
            .response()
            .with(Kind::SessionId, "sid", 3);
        let onward = seen(Place::Har, T0, Role::None).exchange(8).location();
        let mates = vec![post, onward.param(param, "x"), session];
        state(
            &Run::new(Flow::SamlPost, Pkce::NotObserved, mates),
            Kind::SamlMessage,
        )
    };
    assert_eq!(told("page"), State::Spent);
    assert_eq!(told("error"), State::Live);
}

/// A link that is opened may show a form first; what is posted with it is taken.
#[test]
fn a_link_is_taken_by_what_is_posted_with_it() {
    for (method, status, wanted) in [
        ("POST", Some(200), State::Spent),
        ("GET", Some(200), State::Unknown),
        ("GET", Some(302), State::Spent),
        ("POST", None, State::Spent),
        ("GET", None, State::Unknown),
    ] {
        let link = seen(Place::Har, T0, Role::None)
            .exchange(8)
            .method(method)
            .with(Kind::OneTimeLink, "token", 2);
        let link = status.into_iter().fold(link, Seen::status);
        let session = seen(Place::Har, T0, Role::None)
            .exchange(8)
            .response()
            .with(Kind::SessionId, "sid", 3);
        let run = Run::new(Flow::MagicLink, Pkce::NotObserved, vec![link, session]);
        assert_eq!(
            state(&run, Kind::OneTimeLink),
            wanted,
            "{method} {status:?}"
        );
    }
}

/// RFC 9449 §10.1: at the endpoint for pushed requests a proof binds the code, at the token endpoint only the token.
#[test]
fn a_proof_binds_a_code_where_its_request_was_pushed() {
    for (path, is_bound) in [("/as/par", true), ("/oauth/token", false)] {
        let request = seen(Place::Har, T0 - 1, Role::TokenRequest)
            .path(path)
            .param("dpop", "x");
        let told = state(&s256().with(request), CODE);
        assert_eq!(told == State::Bound, is_bound, "{path} {told:?}");
    }
}

/// Back-Channel Logout §2.7.
#[test]
fn a_logout_ends_no_token_for_offline_use() {
    let told = |modifiers: &[Modifier]| {
        let token = seen(Place::Storage, T0, Role::Stored).with(Kind::RefreshToken, "rt", 3);
        let logout = seen(Place::History, T0 + 9, Role::Logout);
        let run = Run::new(Flow::CodePkceS256, Pkce::S256, vec![token, logout]);
        let run = modifiers.iter().fold(run, |run, it| run.modifier(*it));
        run.find(Kind::RefreshToken, EARLY).now.because
    };
    assert!(
        told(&[]).contains("a logout of its session"),
        "{}",
        told(&[])
    );
    assert!(!told(&[Modifier::Offline]).contains("a logout of its session"));
}

#[test]
fn a_verifier_that_was_sent_and_opens_nothing_is_named() {
    let told = |kind, key| {
        let request = seen(Place::Har, T0 + 1, Role::TokenRequest)
            .status(400)
            .param("error", "server_error")
            .with(kind, "code_verifier", 8)
            .key(key, 4);
        s256().with(request).find(CODE, EARLY).now.because
    };
    let names_it = |because: Box<str>| because.contains("the code_verifier that was sent");
    assert!(names_it(told(Kind::CodeVerifier, KeyKind::ChallengeS256)));
    assert!(!names_it(told(Kind::CodeVerifier, KeyKind::State)));
    assert!(!names_it(told(
        Kind::ClientAssertion,
        KeyKind::ChallengeS256
    )));
}

/// RFC 7636 §4.2: without a challenge to compare it with, the verifier is the challenge.
#[test]
fn under_plain_a_verifier_in_the_same_hands_opens_a_code() {
    let code = seen(Place::History, T0, Role::ResponseInQuery).with(CODE, "code", 1);
    let told = |kind| {
        let beside = seen(Place::Storage, T0 - 9, Role::Stored).with(kind, "code_verifier", 7);
        let seen = vec![code.clone(), beside];
        state(&Run::new(Flow::CodePkcePlain, Pkce::Plain, seen), CODE)
    };
    let without = told(Kind::OpaqueToken);
    assert!(told(Kind::CodeVerifier) < without, "{without:?}");
}

/// RFC 6749 §5.2: a refused grant may be what the user knows, too.
#[test]
fn a_password_that_was_refused_as_a_grant_may_be_another() {
    let told = |error| {
        let request = seen(Place::Har, T0, Role::TokenRequest)
            .status(400)
            .param("grant_type", "password")
            .param("error", error)
            .exchange(5)
            .with(Kind::Password, "password", 2);
        let run = Run::new(Flow::Ropc, Pkce::NotObserved, vec![request]);
        state(&run, Kind::Password)
    };
    assert_eq!(told("invalid_grant"), State::Unknown);
    assert_eq!(told("server_error"), State::Live);
}

/// Keycloak writes 0 into an offline token, which does not expire.
#[test]
fn an_expiry_of_zero_is_none() {
    let told = |exp| {
        let token = access(Place::History, Role::ResponseInFragment);
        let token = token.claims(until(exp), Signature::Unverified);
        let run = Run::new(Flow::Implicit, Pkce::NotObserved, vec![token]);
        state(&run, Kind::AccessToken)
    };
    assert_eq!((told(0), told(1)), (State::Unknown, State::Expired));
}

/// RFC 8628 §5.6: a device is most often a public client, also of a provider whose other clients authenticate.
#[test]
fn what_a_provider_documents_of_clients_is_of_no_device() {
    let told = |flow| {
        let token = seen(Place::Har, T0, Role::TokenResponse)
            .address("https", "github.com")
            .path("/login/oauth/access_token")
            .with(Kind::RefreshToken, "refresh_token", 3);
        state(
            &Run::new(flow, Pkce::NotObserved, vec![token]),
            Kind::RefreshToken,
        )
    };
    assert_eq!(told(Flow::Device), State::Unknown);
    assert_eq!(told(Flow::Unknown), State::Guarded);
}
