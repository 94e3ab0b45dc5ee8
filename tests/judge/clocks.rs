//! Which clock counts for a value, and what is judged where none does.

use super::{CODE, LASTING, access, implicit, request, until};
use crate::run::{CHALLENGE, EARLY, LATE, Place, Run, T0, seen};
use tokentrail::atoms::{KeyKind, Kind};
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Pkce};
use tokentrail::judge::{Basis, Severity, State};

/// RFC 6749 §5.1, and the names that providers gave to what it leaves out.
#[test]
fn what_stands_beside_a_token_tells_when_it_ends_and_not_when_another_does() {
    for (kind, name, value, wanted) in [
        (Kind::AccessToken, "expires_in", "300", Some(300)),
        (Kind::AccessToken, "expires_at", "1795413900", Some(300)),
        (Kind::AccessToken, "expires_at", "1795413900000", Some(300)),
        (
            Kind::OpaqueToken,
            "expires_at",
            "2026-11-23T06:05:00Z",
            Some(300),
        ),
        // Keycloak; Microsoft, GitHub.
        (Kind::RefreshToken, "refresh_expires_in", "1800", Some(1800)),
        (
            Kind::RefreshToken,
            "refresh_token_expires_in",
            "1800",
            Some(1800),
        ),
        (Kind::RefreshToken, "expires_in", "300", None),
        (Kind::RefreshToken, "expires_at", "1795413900", None),
        (Kind::AccessToken, "refresh_expires_in", "1800", None),
        (Kind::IdToken, "expires_in", "300", None),
    ] {
        let answer = seen(Place::Har, T0, Role::TokenResponse)
            .with(kind, "token", 2)
            .param(name, value);
        let run = Run::new(Flow::Refresh, Pkce::NotObserved, vec![answer]);
        let until = run.find(kind, EARLY).now.expires_at;
        let until = until.map(|at| at.as_second() - T0);
        assert_eq!(until, wanted, "{kind:?} {name} {value}");
    }
}

#[test]
fn a_refresh_token_that_says_when_it_ends_is_expired_then() {
    let answer = seen(Place::Har, T0, Role::TokenResponse)
        .with(Kind::RefreshToken, "refresh_token", 2)
        .param("refresh_expires_in", "1800");
    let run = Run::new(Flow::Refresh, Pkce::NotObserved, vec![answer]);
    let of = |as_of| run.find(Kind::RefreshToken, as_of).now;
    assert_eq!(of(T0 + 1799).state, State::Unknown);
    let ended = of(T0 + 1800);
    assert_eq!((ended.state, ended.basis), (State::Expired, Basis::Proven));
}

/// What has no expiry cannot be past it: that the evidence has no time takes nothing from its verdict.
#[test]
fn what_has_no_expiry_is_judged_without_a_time() {
    let of = |kind| {
        let kept = seen(Place::Storage, None, Role::Stored).with(kind, "x", 2);
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, vec![kept]);
        run.find(kind, LATE).at_exposure.state
    };
    for kind in LASTING {
        assert_eq!(of(kind), State::Live, "{kind:?}");
    }
    assert_eq!(of(Kind::Oauth1Token), State::Guarded);
    // Resolved within minutes, or not at all.
    assert_eq!(of(Kind::SamlArtifact), State::Unknown);
}

/// What is only supposed of a value without a time is not proven, however well the rest is known.
#[test]
fn a_verdict_that_supposes_an_age_is_assumed() {
    let asked = request(Place::Storage).key(KeyKind::ChallengeS256, CHALLENGE);
    let kept = seen(Place::Storage, None, Role::Stored).with(CODE, "code", 1);
    let run = Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked, kept]);
    let found = run.find(CODE, LATE);
    for verdict in [found.at_exposure, found.now] {
        assert_eq!(
            (verdict.state, verdict.basis),
            (State::Unknown, Basis::Assumed)
        );
        assert!(verdict.because.contains("does not tell how old it is"));
    }
}

#[test]
fn a_session_without_a_time_is_not_called_old() {
    let of = |at: Option<i64>| {
        let kept = seen(Place::Storage, at, Role::Stored).with(Kind::SessionId, "sid", 2);
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, vec![kept]);
        run.find(Kind::SessionId, LATE).now
    };
    let untold = of(None);
    assert_eq!(untold.state, State::Unknown);
    assert!(
        untold
            .because
            .contains("does not tell when the session was seen")
    );
    assert!(of(Some(T0)).because.contains("more than a day ago"));
}

/// Apereo CAS: the ten seconds are those of a service ticket; a ticket that grants others lasts with its session.
#[test]
fn row_31_a_ticket_that_grants_tickets_outlives_a_service_ticket() {
    let of = |named: &str| {
        let ticket = seen(Place::History, T0, Role::ResponseInQuery);
        let run = Run::new(
            Flow::Cas,
            Pkce::NotObserved,
            vec![ticket.with(Kind::CasTicket, named, 2)],
        );
        let now = run.find(Kind::CasTicket, T0 + 10).now;
        (now.state, now.expires_at.map(|at| at.as_second() - T0))
    };
    assert_eq!(of("ticket"), (State::Spent, Some(10)));
    assert_eq!(of("pgtId"), (State::Unknown, None));
}

/// What a clock is ahead or behind is taken off, from a minute on, which a token may take on its way, and up to a
/// century, beyond which a number is no time.
#[test]
fn clock_errors_count_from_a_minute_to_a_century() {
    let of = |error, as_of| {
        let token = access(Place::History, Role::ResponseInFragment).param("expires_in", "3600");
        let mut run = implicit(token);
        run.clock_error = Some(error);
        run.find(Kind::AccessToken, as_of).now.state
    };
    for (error, state) in [
        (60.0, State::Live),
        (61.0, State::Expired),
        (3.1e9, State::Expired),
        (3.2e9, State::Live),
        (f64::INFINITY, State::Live),
        (f64::NAN, State::Live),
    ] {
        assert_eq!(of(error, T0 + 3599), state, "{error}");
    }
    // One that is behind shows a token older than it is.
    assert_eq!(of(-60.0, T0 + 3600), State::Expired);
    assert_eq!(of(-61.0, T0 + 3600), State::Live);
}

/// RFC 9700 §4.14: what lives long is worth more to a thief.
#[test]
fn more_than_a_day_makes_a_token_worse() {
    let of = |lifetime| {
        let narrow = Claims {
            aud: vec!["api".into()],
            ..until(T0 + lifetime)
        };
        let token =
            access(Place::History, Role::ResponseInFragment).claims(narrow, Signature::Unverified);
        implicit(token).find(Kind::AccessToken, EARLY).severity
    };
    assert_eq!(of(86_400), Severity::High);
    assert_eq!(of(86_401), Severity::Critical);
}
