//! Which clock counts for a value, and what is judged where none does.

use super::{CODE, LASTING, access, implicit, request, until};
use crate::run::{self, CHALLENGE, EARLY, LATE, Place, Run, T0, seen};
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
        // A lifetime, or a moment: which one it is, its size tells.
        (Kind::AccessToken, "expires", "300", Some(300)),
        (Kind::AccessToken, "expires", "1795413900", Some(300)),
        (Kind::OpaqueToken, "expires", "1795413900000", Some(300)),
        (Kind::AccessToken, "expires_in", "1795413900", Some(300)),
        (
            Kind::AccessToken,
            "expires_in",
            "1000000000",
            Some(1_000_000_000),
        ),
        (
            Kind::AccessToken,
            "expires_in",
            "1000000001",
            Some(1_000_000_001 - T0),
        ),
        (Kind::AccessToken, "expires_at", "1000000000", None),
        (Kind::AccessToken, "expires_in", "0", None),
        (Kind::AccessToken, "expires_at", "0", None),
        (Kind::RefreshToken, "refresh_expires_in", "0", None),
        (Kind::DeviceCode, "expires_in", "1795413900", None),
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

/// RFC 6749 §5.1 says of `expires_in` that it is a lifetime: a server that writes a moment there made a mistake, and
/// what it meant is a guess.
#[test]
fn a_moment_in_the_place_of_a_lifetime_proves_nothing() {
    let of = |named: &str| {
        let token = access(Place::History, Role::ResponseInFragment);
        let run = implicit(token.param(named, "1795413900"));
        let now = run.find(Kind::AccessToken, EARLY).now;
        (now.state, now.basis)
    };
    assert_eq!(of("expires_in"), (State::Live, Basis::Assumed));
    assert_eq!(of("expires"), (State::Live, Basis::Proven));
    assert_eq!(of("expires_at"), (State::Live, Basis::Proven));
}

/// Amazon, Google and CloudFront write a moment in `Expires`; the rules spell the name as they do.
#[test]
fn a_signed_url_ends_when_it_says() {
    for (value, wanted) in [("1795413900", Some(300)), ("300", None)] {
        let link = seen(Place::Log, T0, Role::None)
            .with(Kind::SignedUrl, "Signature", 2)
            .param("expires", value);
        let run = Run::new(Flow::SignedUrl, Pkce::NotObserved, vec![link]);
        let until = run.find(Kind::SignedUrl, EARLY).now.expires_at;
        assert_eq!(until.map(|at| at.as_second() - T0), wanted, "{value}");
    }
}

/// AWS STS, `GetSessionToken`: no session is longer than 36 hours.
#[test]
fn what_a_session_signed_ends_with_the_session() {
    for (stated, session, hours) in [
        ("604800", true, 36),
        ("604800", false, 7 * 24),
        ("3600", true, 1),
    ] {
        let link = seen(Place::Log, T0, Role::None)
            .with(Kind::SignedUrl, "X-Amz-Signature", 2)
            .param("X-Amz-Date", "20261123T060000Z")
            .param("X-Amz-Expires", stated);
        let link = if session {
            link.param("X-Amz-Security-Token", "")
        } else {
            link
        };
        let run = Run::new(Flow::SignedUrl, Pkce::NotObserved, vec![link]);
        let until = run.find(Kind::SignedUrl, EARLY).now.expires_at.unwrap();
        let signed: jiff::Timestamp = "2026-11-23T06:00:00Z".parse().unwrap();
        let lives = until.as_second() - signed.as_second();
        assert_eq!(lives, hours * 3600, "{stated} {session}");
    }
}

/// RFC 6749 §5.1: the lifetime is that of the access token, and not of what else a message brings.
#[test]
fn a_lifetime_is_that_of_the_token_that_is_named_for_it() {
    const TOKEN: Kind = Kind::AccessToken;
    let until = |named: &[&str], param: (&str, &str)| {
        let ids = 2..;
        let mut answer = seen(Place::Har, T0, Role::TokenResponse).param(param.0, param.1);
        for (id, name) in ids.zip(named) {
            answer = answer.with(TOKEN, name, id);
        }
        let run = Run::new(Flow::HandoffFragment, Pkce::NotObserved, vec![answer]);
        let all = run.findings(EARLY).into_iter();
        let mut all: Vec<_> = all
            .filter(|it| it.kind == TOKEN)
            .map(|it| (it.credential, it.now.expires_at.is_some()))
            .collect();
        all.sort_by_key(|(id, _)| (2..10).position(|at| *id == Some(run::name(at))));
        all.into_iter().map(|(_, it)| it).collect::<Vec<_>>()
    };
    for param in [("expires_in", "300"), ("expires_at", "1795413900")] {
        assert_eq!(until(&["provider_token"], param), [true]);
        let beside = until(&["accessToken", "provider_token"], param);
        assert_eq!(beside, [true, false]);
        // Neither has the name of RFC 6749 §5.1.
        assert_eq!(until(&["first_token", "other_token"], param), [false; 2]);
        // Both have.
        assert_eq!(until(&["access_token", "access_token"], param), [false; 2]);
    }
}

/// What a provider documents is said of what it issued.
#[test]
fn a_provider_documents_the_lifetime_of_its_own_codes() {
    const OTHER: u64 = 4;
    let landing = "abcdefgh.supabase.co";
    let code = |host| {
        let code = seen(Place::History, T0, Role::ResponseInQuery).with(CODE, "code", 1);
        code.address("https", host).lands(OTHER)
    };
    let of = |run: Run| run.find(CODE, EARLY).now.expires_at.unwrap().as_second() - T0;
    let run = |host| Run::new(Flow::Code, Pkce::NotObserved, vec![code(host)]);
    let supabase = "https://abcdefgh.supabase.co/auth/v1";
    assert_eq!(of(run("www.app.test").issuer(supabase)), 300);
    // There it is the client.
    assert_eq!(of(run(landing).issuer(supabase)), 600);
    let asked = |host, path: &str, redirect| {
        let asked = request(Place::History).address("https", host);
        asked.path(path).redirects(redirect)
    };
    let figma = |redirect| asked("www.figma.com", "/oauth", redirect);
    assert_eq!(of(run(landing).issuer(supabase).with(figma(OTHER))), 30);
    // An answer that landed elsewhere is not that of this request, and names no provider before the run's issuer does.
    let elsewhere = figma(OTHER + 1);
    assert_eq!(
        of(run("www.app.test").issuer(supabase).with(elsewhere)),
        300
    );
    // A request that was not seen to say where its answer goes is of the run all the same, but for a server at which
    // the answer landed.
    let silent = |host: &str, path| request(Place::History).address("https", host).path(path);
    let pushed = run("www.app.test").with(silent("www.figma.com", "/oauth"));
    assert_eq!(of(pushed), 30);
    let own = run(landing).with(silent(landing, "/auth/v1/authorize"));
    assert_eq!(of(own), 600);
    // RFC 9207 §2: the answer names its issuer.
    let named = code(landing).param("iss", "https://www.figma.com");
    let named = Run::new(Flow::Code, Pkce::NotObserved, vec![named]);
    assert_eq!(of(named.issuer(supabase)), 30);
    // A server whose own page is the client.
    let own = asked(landing, "/auth/v1/authorize", OTHER);
    assert_eq!(of(run(landing).issuer(supabase).with(own)), 300);
    // The endpoint that it is redeemed at.
    let redeemed = seen(Place::Har, T0 + 1, Role::TokenRequest)
        .with(CODE, "code", 1)
        .address("https", "api.figma.com")
        .path("/v1/oauth/token");
    assert_eq!(of(run(landing).issuer(supabase).with(redeemed)), 30);
}

#[test]
fn another_providers_token_has_not_the_lifetime_that_this_one_documents() {
    let answer = access(Place::History, Role::ResponseInFragment);
    let answer = answer.with(Kind::AccessToken, "provider_token", 3);
    let run = implicit(answer).issuer("https://abcdefgh.supabase.co/auth/v1");
    let all = run.findings(LATE);
    let of = |id| {
        let finding = all.iter().find(|it| it.credential == Some(run::name(id)));
        finding.unwrap().now.state
    };
    assert_eq!((of(2), of(3)), (State::Expired, State::Unknown));
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
