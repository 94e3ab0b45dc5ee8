//! What counts as an answer, and what it says of what was sent.

use super::{CODE, access, s256, until};
use crate::run::{EARLY, Place, Run, Seen, T0, seen};
use tokentrail::atoms::{KeyKind, Kind, Slot};
use tokentrail::detect::{Claims, Role, Signature};
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

/// A link whose request was answered with a session.
fn link(flow: Flow, method: &str, status: Option<u16>) -> State {
    let link = seen(Place::Har, T0, Role::None)
        .exchange(8)
        .method(method)
        .with(Kind::OneTimeLink, "token", 2);
    let link = status.into_iter().fold(link, Seen::status);
    let session = seen(Place::Har, T0, Role::None)
        .exchange(8)
        .response()
        .with(Kind::SessionId, "sid", 3);
    let run = Run::new(flow, Pkce::NotObserved, vec![link, session]);
    state(&run, Kind::OneTimeLink)
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
        let told = link(Flow::MagicLink, method, status);
        assert_eq!(told, wanted, "{method} {status:?}");
    }
}

/// One that acts on an account may lead to its form by a redirect, with a session for that form.
#[test]
fn a_redirect_takes_no_link_that_acts_on_an_account_unless_it_was_posted() {
    for (method, wanted) in [("GET", State::Unknown), ("POST", State::Spent)] {
        let told = link(Flow::AccountAction, method, Some(302));
        assert_eq!(told, wanted, "{method}");
    }
}

/// RFC 9700 §4.14.2: what came back replaces a refresh token, and no other that was sent beside it.
#[test]
fn a_refresh_token_is_replaced_by_one_of_the_answer() {
    let other = |role| seen(Place::Har, T0 + 1, role).with(Kind::RefreshToken, "refresh_token", 4);
    for (mate, is_answer) in [
        (other(Role::TokenResponse), true),
        (other(Role::Stored).response(), true),
        (other(Role::Stored), false),
        (other(Role::None).referer("idp.test"), false),
        (other(Role::TokenRequest).response(), false),
    ] {
        let request = seen(Place::Har, T0 + 1, Role::TokenRequest)
            .exchange(6)
            .status(200)
            .param("grant_type", "refresh_token")
            .with(Kind::RefreshToken, "refresh_token", 3);
        let seen = vec![request, mate.exchange(6)];
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, seen);
        let told = run.verdict_of(3, EARLY).now.state;
        assert_eq!(told == State::Revoked, is_answer, "{told:?}");
    }
}

/// A server is asked for a token, and says at a moment whether it is active.
fn introspection(host: &str, at: i64, active: &str, kind: Kind) -> [Seen; 2] {
    let exchange = u64::try_from(at).unwrap();
    let part = |role| {
        let part = seen(Place::Har, at, role).address("https", host);
        part.path("/introspect").exchange(exchange)
    };
    [
        part(Role::TokenRequest).with(kind, "token", 2),
        part(Role::TokenResponse).param("active", active),
    ]
}

/// An access token that lasts, of an issuer where it names one, and what else is seen.
fn introspected(issuer: Option<&str>, more: impl IntoIterator<Item = Seen>) -> Run {
    let claims = Claims {
        iss: issuer.map(Into::into),
        ..until(T0 + 9_000)
    };
    let token = access(Place::History, Role::ResponseInFragment);
    let token = token.claims(claims, Signature::Unverified);
    let run = Run::new(Flow::Implicit, Pkce::NotObserved, vec![token]);
    more.into_iter().fold(run, Run::with)
}

const IDP: &str = "idp.test";
const OTHER: &str = "other.test";
const ISSUER: Option<&str> = Some("https://idp.test:8443/realms/a");

fn inactive(host: &str) -> [Seen; 2] {
    introspection(host, T0 + 9, "false", Kind::AccessToken)
}

/// RFC 7662 §2.2: a server says the same of every token that it does not know.
#[test]
fn a_token_is_dead_once_a_server_that_knows_it_calls_it_not_active() {
    let told = |more: Vec<Seen>| state(&introspected(ISSUER, more), Kind::AccessToken);
    assert_eq!(told(inactive(IDP).into()), State::Revoked);
    assert_eq!(told(inactive(OTHER).into()), State::Unknown);
    let with = |first: Vec<Seen>| told(first.into_iter().chain(inactive(OTHER)).collect());
    let issued = access(Place::Har, Role::TokenResponse).address("https", OTHER);
    assert_eq!(with(vec![issued]), State::Revoked);
    let active = |host: &str| introspection(host, T0 + 5, "true", Kind::AccessToken).to_vec();
    assert_eq!(with(active(OTHER)), State::Revoked);
    assert_eq!(with(active(IDP)), State::Unknown);
    // That an API took it says nothing of the server at the same host.
    let call = seen(Place::Har, T0 + 5, Role::ResourceRequest)
        .address("https", OTHER)
        .status(200)
        .with(Kind::AccessToken, "authorization_bearer", 2)
        .slot(Slot::Header);
    assert_eq!(with(vec![call]), State::Unknown);
}

#[test]
fn what_a_server_said_before_a_token_worked_again_is_no_more_than_what_others_say() {
    let said = |at, active| introspection(IDP, at, active, Kind::AccessToken);
    let before = said(T0 + 3, "false")
        .into_iter()
        .chain(said(T0 + 5, "true"));
    let run = introspected(ISSUER, before.chain(inactive(OTHER)));
    assert_eq!(state(&run, Kind::AccessToken), State::Unknown);
}

/// The one server that is known is taken for the issuer.
#[test]
fn of_a_token_without_an_issuer_the_only_server_of_its_run_knows() {
    let run = || introspected(None, inactive(IDP));
    let told = |run: Run| state(&run, Kind::AccessToken);
    assert_eq!(told(run()), State::Revoked);
    assert_eq!(told(run().issuer("https://idp.test")), State::Revoked);
    assert_eq!(told(run().issuer("https://other.test")), State::Unknown);
    // Two servers that nothing names need not be one.
    assert_eq!(told(introspected(None, inactive(""))), State::Unknown);
    for (role, wanted) in [
        (Role::AuthorizationRequest, State::Unknown),
        (Role::TokenRequest, State::Unknown),
        (Role::TokenResponse, State::Unknown),
        (Role::ResourceRequest, State::Revoked),
    ] {
        let message = |host| seen(Place::Har, T0 + 1, role).address("https", host);
        assert_eq!(told(run().with(message(OTHER))), wanted, "{role:?}");
        let own = run().with(message(IDP));
        assert_eq!(told(own), State::Revoked, "{role:?}");
    }
}

/// A server that may not know it takes nothing of what guards it, and proves nothing of what it was worth.
#[test]
fn what_guards_a_token_guards_it_still_when_another_server_calls_it_not_active() {
    let bound = Claims {
        cnf: Some("jkt".into()),
        iss: ISSUER.map(Into::into),
        ..until(T0 + 9_000)
    };
    let token = access(Place::History, Role::ResponseInFragment);
    let token = token.claims(bound, Signature::Unverified);
    let run = Run::new(Flow::Implicit, Pkce::NotObserved, vec![token]);
    let run = inactive(OTHER).into_iter().fold(run, Run::with);
    assert_eq!(state(&run, Kind::AccessToken), State::Bound);
    let refresh = |grant, host: &str, first: Vec<Seen>| {
        let stored = seen(Place::Storage, T0, Role::Stored).with(Kind::RefreshToken, "rt", 2);
        let run = Run::new(grant, Pkce::NotObserved, vec![stored]).issuer("https://idp.test");
        let asked = introspection(host, T0 + 9, "false", Kind::RefreshToken);
        let run = first.into_iter().chain(asked).fold(run, Run::with);
        run.find(Kind::RefreshToken, EARLY).now
    };
    let public = refresh(Flow::CodeNopkcePublic, OTHER, vec![]);
    assert_eq!(public.state, State::Unknown);
    assert!(public.because.contains("not active"), "{}", public.because);
    let confidential = |host, first| refresh(Flow::CodeSecret, host, first).state;
    assert_eq!(confidential(OTHER, vec![]), State::Guarded);
    assert_eq!(confidential(IDP, vec![]), State::Revoked);
    // Whoever took it as a grant knows it.
    let used = seen(Place::Har, T0 + 5, Role::TokenRequest)
        .address("https", OTHER)
        .exchange(6)
        .param("grant_type", "refresh_token")
        .with(Kind::RefreshToken, "refresh_token", 2);
    let answer = seen(Place::Har, T0 + 5, Role::TokenResponse)
        .exchange(6)
        .with(Kind::AccessToken, "access_token", 7);
    assert_eq!(confidential(OTHER, vec![used, answer]), State::Revoked);
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
