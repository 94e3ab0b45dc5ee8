//! What shows that a value had its one use, and what is almost that.

use super::{CODE, callback, request, s256, secret, token_request, until, verifier};
use crate::run::{self, CHALLENGE, EARLY, Place, Run, Seen, T0, seen};
use tokentrail::atoms::{KeyKind, Kind, Slot};
use tokentrail::detect::{Role, Signature};
use tokentrail::flow::{Flow, Pkce};
use tokentrail::judge::{Basis, State};

/// GitHub answers a refused code with status 200 and an error.
#[test]
fn row_3_an_error_is_no_success_whatever_its_status() {
    let answer = || seen(Place::Har, T0 + 2, Role::TokenResponse).exchange(5);
    let of = |answer| {
        let run = s256().with(token_request(T0 + 1, 200)).with(answer);
        run.find(CODE, EARLY).now.state
    };
    let refused = answer().param("error", "bad_verification_code");
    assert_eq!(of(refused), State::Guarded);
    let failed = answer().param("error", "incorrect_client_credentials");
    assert_eq!(of(failed), State::Guarded);
    assert_eq!(of(answer().param("scope", "openid")), State::Spent);
}

#[test]
fn row_5_tokens_that_follow_a_code_in_its_run_tell_that_it_was_exchanged() {
    let of = |at, kind| {
        let tokens = seen(Place::Log, at, Role::TokenResponse).with(kind, "token", 2);
        let now = s256().with(tokens).find(CODE, EARLY).now;
        (now.state, now.basis)
    };
    for kind in [Kind::AccessToken, Kind::IdToken] {
        assert_eq!(of(T0 + 2, kind), (State::Spent, Basis::Assumed));
    }
    // Those of the login before are of another code.
    assert_eq!(of(T0 - 2, Kind::AccessToken).0, State::Guarded);
    assert_eq!(of(T0 + 2, Kind::UserCode).0, State::Guarded);
}

/// A log has the status of a token request, and at most what its header says of the client (RFC 6749 §2.3.1).
#[test]
fn row_5_only_a_token_request_with_success_spends_a_code_without_showing_it() {
    let of = |role, status| {
        let next = seen(Place::Log, T0 + 3, role).status(status);
        let next = next.with(Kind::BasicCredentials, "authorization", 8);
        s256().with(next).verdict_of(1, EARLY).now.state
    };
    assert_eq!(of(Role::TokenRequest, 200), State::Spent);
    assert_eq!(of(Role::TokenRequest, 401), State::Guarded);
    assert_eq!(of(Role::ResourceRequest, 200), State::Guarded);
    // With another code, it is the exchange of that one.
    let other = seen(Place::Log, T0 + 3, Role::TokenRequest).status(200);
    let run = s256().with(other.with(CODE, "code", 41));
    assert_eq!(run.verdict_of(1, EARLY).now.state, State::Guarded);
}

/// A back end that answers the callback with the session, or the tokens, in a cookie has redeemed the code.
#[test]
fn a_session_in_a_cookie_of_the_answer_spends_the_code_and_another_cookie_does_not() {
    let of = |kind| {
        let code = seen(Place::Log, T0, Role::ResponseInQuery).with(CODE, "code", 1);
        let answer = seen(Place::Log, T0, Role::None).response();
        let answer = answer.with(kind, "x", 3).slot(Slot::Cookie);
        let asked = request(Place::Log).key(KeyKind::ChallengeS256, CHALLENGE);
        let seen = vec![asked, code.exchange(4), answer.exchange(4)];
        let run = Run::new(Flow::CodePkceS256, Pkce::S256, seen);
        run.find(CODE, EARLY).now.state
    };
    for kind in [Kind::SessionId, Kind::AccessToken, Kind::RefreshToken] {
        assert_eq!(of(kind), State::Spent, "{kind:?}");
    }
    for kind in [Kind::CodeVerifier, Kind::OpaqueToken] {
        assert_eq!(of(kind), State::Guarded, "{kind:?}");
    }
}

#[test]
fn a_token_that_the_back_end_hands_over_after_the_code_spends_it() {
    let of = |at, flow| {
        let token = seen(Place::History, at, Role::ResponseInFragment);
        let run = s256().with(token.with(Kind::AccessToken, "access_token", 2));
        run.flow_of(2, flow).find(CODE, EARLY).now.state
    };
    assert_eq!(of(T0 + 1, Flow::HandoffFragment), State::Spent);
    assert_eq!(of(T0 + 1, Flow::HandoffQuery), State::Spent);
    assert_eq!(of(T0 - 1, Flow::HandoffFragment), State::Guarded);
    assert_eq!(of(T0 + 1, Flow::BearerInQuery), State::Guarded);
}

/// SAML bindings §3.6: an artifact is resolved once.
#[test]
fn row_30_an_artifact_that_was_resolved_is_spent() {
    let of = |status| {
        let artifact = seen(Place::History, T0, Role::ResponseInQuery);
        let resolved = seen(Place::Log, T0 + 1, Role::TokenRequest).status(status);
        let named = |seen: Seen| seen.with(Kind::SamlArtifact, "SAMLart", 2);
        let run = vec![named(artifact), named(resolved)];
        let run = Run::new(Flow::SamlArtifact, Pkce::NotObserved, run);
        let now = run.find(Kind::SamlArtifact, EARLY).now;
        (now.state, now.basis)
    };
    assert_eq!(of(200), (State::Spent, Basis::Proven));
    assert_eq!(of(500), (State::Guarded, Basis::Assumed));
}

/// In a log the answer is known once it was written, and not yet when the assertion was sent.
#[test]
fn row_29_an_answer_spends_an_assertion_after_it_was_exposed() {
    let post = seen(Place::Log, T0, Role::ResponseInBody)
        .exchange(8)
        .with(Kind::SamlMessage, "SAMLResponse", 2)
        .claims(until(T0 + 300), Signature::None);
    let session = seen(Place::Log, T0, Role::None)
        .exchange(8)
        .response()
        .with(Kind::SessionId, "sid", 3);
    let run = Run::new(Flow::SamlPost, Pkce::NotObserved, vec![post, session]);
    let found = run.find(Kind::SamlMessage, EARLY);
    assert_eq!(
        (found.at_exposure.state, found.now.state),
        (State::Live, State::Spent)
    );
}

/// CAS protocol §3.1.1: the application validates the ticket, and goes on without it.
#[test]
fn row_31_a_ticket_is_spent_once_the_application_goes_on_or_answers_with_a_session() {
    let ticket = || {
        seen(Place::History, T0, Role::ResponseInQuery)
            .visit(1, None)
            .exchange(8)
            .with(Kind::CasTicket, "ticket", 2)
    };
    let of = |next: Seen| {
        let run = Run::new(Flow::Cas, Pkce::NotObserved, vec![ticket(), next]);
        let now = run.find(Kind::CasTicket, T0 + 5).now;
        (now.state, now.basis)
    };
    let page = |before| seen(Place::History, T0 + 1, Role::None).visit(2, before);
    let session = seen(Place::History, T0, Role::None)
        .exchange(8)
        .response()
        .with(Kind::SessionId, "sid", 3);
    let spent = (State::Spent, Basis::Assumed);
    assert_eq!(of(page(Some(1))), spent);
    assert_eq!(of(session), spent);
    assert_eq!(of(page(Some(1)).param("error", "x")).0, State::Unknown);
    // Another host of the application may go on after it.
    assert_eq!(of(page(Some(1)).address("https", "www.other.test")), spent);
    // A page that did not come from it tells nothing.
    assert_eq!(of(page(None)).0, State::Unknown);
    assert_eq!(of(page(Some(7))).0, State::Unknown);
}

/// RFC 7636 §4.6: a verifier opens the challenge that it hashes to, whatever else stands beside both.
#[test]
fn row_26_a_verifier_opens_the_code_of_its_challenge_also_where_nothing_else_joins_them() {
    let run = || {
        let asked = request(Place::History).key(KeyKind::ChallengeS256, CHALLENGE);
        let seen = vec![asked.key(KeyKind::State, 5), callback()];
        Run::new(Flow::CodePkceS256, Pkce::S256, seen)
    };
    let of = |kept: Seen| run().beside(kept).find(Kind::CodeVerifier, EARLY).now.state;
    assert_eq!(of(verifier(Place::Storage)), State::Replayable);
    let of_another = seen(Place::Storage, T0, Role::Stored)
        .with(Kind::CodeVerifier, "code_verifier", 8)
        .key(KeyKind::State, 5);
    assert_eq!(of(of_another), State::Inert);
}

/// A challenge in thousands of runs must not cost their square: the latest ones are those that may be usable.
#[test]
fn of_a_constant_challenge_the_latest_runs_are_looked_at() {
    // Nine logins under one challenge, ten seconds apart: all codes but one were redeemed.
    let login = |number: u64, open: u64| {
        let at = T0 + 10 * i64::try_from(number).unwrap();
        let asked = seen(Place::History, at - 1, Role::AuthorizationRequest);
        let asked = asked.key(KeyKind::ChallengeS256, CHALLENGE);
        let code = seen(Place::History, at, Role::ResponseInQuery).with(CODE, "code", 1);
        let mut run = Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked, code]);
        if number != open {
            let redeemed = seen(Place::Har, at + 1, Role::TokenRequest).status(200);
            run = run.with(redeemed.with(CODE, "code", 1));
        }
        run.offset(number);
        run
    };
    let of = |open| {
        let runs = (0..9).map(|number| login(number, open)).collect();
        let run = run::together(runs).beside(verifier(Place::Storage));
        run.find(Kind::CodeVerifier, T0 + 100).now.state
    };
    assert_eq!(of(8), State::Replayable);
    assert_eq!(of(1), State::Replayable);
    assert_eq!(of(0), State::Inert);
}

#[test]
fn what_closes_a_code_is_told_whole() {
    let needs = |run: Run| run.find(CODE, EARLY).now.needs;
    assert_eq!(
        needs(s256().with(secret(Place::Storage))),
        ["code_verifier"]
    );
    assert_eq!(
        needs(s256().with(secret(Place::Log))),
        ["code_verifier", "client_secret"]
    );
}
