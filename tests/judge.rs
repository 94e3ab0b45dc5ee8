//! The decision table, row by row, on protocol runs made by hand; and what holds for every run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "judge/answers.rs"]
mod answers;
#[path = "judge/clocks.rs"]
mod clocks;
#[path = "judge/edges.rs"]
mod edges;
#[path = "judge/gate.rs"]
mod gate;
#[path = "judge/hands.rs"]
mod hands;
#[path = "judge/proofs.rs"]
mod proofs;
#[path = "judge/run.rs"]
mod run;
#[path = "judge/spent.rs"]
mod spent;
#[path = "judge/told.rs"]
mod told;

use proptest::prelude::*;
use run::{CHALLENGE, EARLY, LATE, NOW, Place, Run, Seen, T0, profile_state, seen};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, KeyKind, Kind};
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Modifier, Pkce, WeaknessKind};
use tokentrail::judge::{ATTACKS, Basis, Finding, REMEDIES, Severity, State};

fn request(place: Place) -> Seen {
    seen(place, T0 - 10, Role::AuthorizationRequest).param("client_id", "app")
}

fn callback() -> Seen {
    seen(Place::History, T0, Role::ResponseInQuery).with(Kind::AuthorizationCode, "code", 1)
}

fn s256() -> Run {
    let asked = request(Place::History).key(KeyKind::ChallengeS256, CHALLENGE);
    Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked, callback()])
}

/// The same, and the code is bound to a key of DPoP (RFC 9449 §10).
fn keyed() -> Run {
    let asked = request(Place::History)
        .key(KeyKind::ChallengeS256, CHALLENGE)
        .param("dpop_jkt", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked, callback()])
}

fn verifier(place: Place) -> Seen {
    seen(place, T0 - 9, Role::Stored)
        .with(Kind::CodeVerifier, "code_verifier", 7)
        .key(KeyKind::ChallengeS256, CHALLENGE)
}

fn token_request(at: i64, status: u16) -> Seen {
    seen(Place::Har, at, Role::TokenRequest)
        .exchange(5)
        .status(status)
        .param("grant_type", "authorization_code")
        .with(Kind::AuthorizationCode, "code", 1)
}

fn secret(place: Place) -> Seen {
    seen(place, T0, Role::TokenRequest)
        .param("client_id", "app")
        .with(Kind::ClientSecret, "client_secret", 9)
}

fn access(place: Place, role: Role) -> Seen {
    seen(place, T0, role).with(Kind::AccessToken, "access_token", 2)
}

fn implicit(response: Seen) -> Run {
    Run::new(Flow::Implicit, Pkce::NotObserved, vec![response])
}

fn until(exp: i64) -> Claims {
    Claims {
        exp: Some(exp),
        iat: Some(T0),
        ..Claims::default()
    }
}

const CODE: Kind = Kind::AuthorizationCode;

#[test]
fn row_1_a_successful_revocation_revokes() {
    let revocation = seen(Place::Har, T0 + 5, Role::TokenRequest)
        .path("/oauth/revoke")
        .status(200)
        .with(Kind::AccessToken, "token", 2);
    let run = Run::new(
        Flow::Implicit,
        Pkce::NotObserved,
        vec![
            access(Place::History, Role::ResponseInFragment).param("expires_in", "86400"),
            revocation,
        ],
    );
    let found = run.find(Kind::AccessToken, EARLY);
    assert_eq!(found.at_exposure.state, State::Live);
    assert_eq!(found.now.state, State::Revoked);
}

#[test]
fn row_2_expiry_precedes_what_follows() {
    let found = s256().with(verifier(Place::Storage)).find(CODE, LATE);
    assert_eq!(
        (found.at_exposure.state, found.now.state),
        (State::Replayable, State::Expired)
    );
    assert_eq!(found.now.basis, Basis::Assumed);
    assert_eq!(found.now.expires_at.unwrap().as_second(), T0 + 600);
}

/// A user code pairs a device (RFC 8628 §5.4) and a signed envelope carries what is judged by itself: neither is
/// worth more once its own time has passed, since `inert` is the last in the order of states.
#[test]
fn what_opens_nothing_is_inert_before_and_after_its_expiry() {
    let paired = seen(Place::History, T0, Role::TokenResponse)
        .with(Kind::UserCode, "user_code", 3)
        .param("expires_in", "300");
    let signed = request(Place::History)
        .with(Kind::RequestObject, "request", 3)
        .claims(until(T0 + 300), Signature::Unverified);
    for (seen, kind) in [(paired, Kind::UserCode), (signed, Kind::RequestObject)] {
        let run = Run::new(Flow::Unknown, Pkce::NotObserved, vec![seen]);
        for at in [EARLY, LATE] {
            let found = run.find(kind, at);
            assert_eq!(found.now.state, State::Inert, "{kind:?}");
            // The clock is told all the same.
            assert_eq!(found.now.expires_at.unwrap().as_second(), T0 + 300);
        }
    }
}

#[test]
fn row_3_a_redeemed_code_is_spent_whoever_saw_it() {
    let found = s256().with(token_request(T0 + 1, 200)).find(CODE, EARLY);
    assert_eq!(found.at_exposure.state, State::Guarded);
    assert_eq!(
        (found.now.state, found.now.basis),
        (State::Spent, Basis::Assumed)
    );
}

#[test]
fn row_3_a_redemption_that_was_answered_is_told_before_an_assumed_lifetime() {
    let late = s256().with(token_request(T0 + 1, 200)).find(CODE, LATE);
    assert_eq!(
        (late.now.state, late.now.basis),
        (State::Spent, Basis::Assumed)
    );
    // Guessed from a token request without its body, it is not better known than the lifetime.
    let hidden = seen(Place::Log, T0 + 3, Role::TokenRequest).status(200);
    assert_eq!(
        s256().with(hidden).find(CODE, LATE).now.state,
        State::Expired
    );
}

#[test]
fn row_4_invalid_grant_says_nothing_within_the_lifetime_and_takes_no_guard_away() {
    let refused = |run: Run| {
        let answer = seen(Place::Har, T0 + 2, Role::TokenResponse)
            .exchange(5)
            .param("error", "invalid_grant");
        run.with(token_request(T0 + 1, 400)).with(answer)
    };
    let open = || refused(s256().with(verifier(Place::Storage)));
    assert_eq!(open().find(CODE, EARLY).now.state, State::Unknown);
    assert_eq!(open().find(CODE, LATE).now.state, State::Expired);
    let kept = refused(s256()).find(CODE, EARLY);
    assert_eq!(kept.now.state, State::Guarded);
}

#[test]
fn row_5_a_token_request_without_its_body_spends_the_code_if_it_is_soon() {
    let hidden = |at| seen(Place::Log, at, Role::TokenRequest).status(200);
    let soon = s256().with(hidden(T0 + 3)).find(CODE, EARLY);
    assert_eq!(
        (soon.now.state, soon.now.basis),
        (State::Spent, Basis::Assumed)
    );
    let late = s256().with(hidden(T0 + 90)).find(CODE, T0 + 100);
    assert_eq!(late.now.state, State::Guarded);
}

#[test]
fn row_6_dpop_jkt_binds_the_code() {
    let found = keyed().with(verifier(Place::Storage)).find(CODE, EARLY);
    assert_eq!(found.now.state, State::Bound);
    assert_eq!(found.now.needs, ["dpop_private_key"]);
    // That the token is bound says nothing of the code.
    let token = s256().modifier(Modifier::Dpop);
    let found = token.with(verifier(Place::Storage)).find(CODE, EARLY);
    assert_eq!(found.now.state, State::Replayable);
}

#[test]
fn row_7_a_verifier_in_the_same_hands_opens_the_code_and_history_alone_does_not() {
    let found = s256().with(verifier(Place::Storage)).find(CODE, EARLY);
    assert_eq!(
        (found.now.state, found.now.alone),
        (State::Replayable, State::Guarded)
    );
    assert_eq!(found.severity, Severity::Critical);
}

#[test]
fn row_7_a_verifier_in_other_hands_is_named_and_opens_nothing() {
    let found = s256().with(verifier(Place::Log)).find(CODE, EARLY);
    assert_eq!(found.now.state, State::Guarded);
    assert_eq!(found.now.needs, ["code_verifier"]);
    assert!(found.now.because.contains("another holder"));
}

#[test]
fn row_7_a_verifier_of_another_challenge_opens_nothing() {
    let other = seen(Place::Storage, T0, Role::Stored)
        .with(Kind::CodeVerifier, "code_verifier", 8)
        .key(KeyKind::ChallengeS256, 99);
    assert_eq!(
        s256().beside(other).find(CODE, EARLY).now.state,
        State::Guarded
    );
}

/// RFC 7636 §4.6: what was sent opens another challenge, so that neither half is of use to who holds both.
#[test]
fn row_7_a_verifier_that_was_sent_and_does_not_fit_opens_nothing() {
    let sent = token_request(T0 + 1, 400)
        .with(Kind::CodeVerifier, "code_verifier", 7)
        .key(KeyKind::ChallengeS256, CHALLENGE + 1);
    let run = s256().with(sent);
    let code = run.find(CODE, EARLY).now;
    assert_eq!(
        (code.state, &*code.needs),
        (State::Guarded, &["code_verifier"][..])
    );
    let verifier = run.find(Kind::CodeVerifier, EARLY);
    assert_eq!(
        (verifier.now.state, verifier.severity),
        (State::Inert, Severity::Low)
    );
}

/// RFC 9700 §2.1.1: no challenge guards a code of a server that does not compare it.
#[test]
fn row_7_a_challenge_that_the_server_does_not_enforce_guards_nothing() {
    let of = |run: Run| {
        run.weakness(WeaknessKind::PkceNotEnforced)
            .find(CODE, EARLY)
    };
    let untold = of(s256());
    assert_eq!(untold.now.state, State::Unknown);
    assert!(untold.now.because.starts_with("client-auth-not-observed"));
    assert!(untold.remediation.text.contains("authorization server"));
    let public = of(s256().with(token_request(LATE, 500)));
    assert_eq!(public.now.state, State::Replayable);
    assert!(public.exposed_to.code_flow.contains("this server"));
    let spent = of(s256().with(token_request(T0 + 1, 200)));
    assert_eq!(
        (spent.now.state, spent.severity_now),
        (State::Spent, Severity::Low)
    );
}

#[test]
fn row_7_a_confidential_client_also_needs_its_secret() {
    let open = || s256().with(verifier(Place::Storage));
    let guarded = open().with(secret(Place::Log)).find(CODE, EARLY);
    assert_eq!(guarded.now.state, State::Guarded);
    assert_eq!(guarded.now.needs, ["client_secret"]);
    let exposed = open().with(secret(Place::Storage)).find(CODE, EARLY);
    assert_eq!(exposed.now.state, State::Replayable);
}

fn plain(place: Place) -> Run {
    let asked = request(place)
        .with(Kind::CodeChallenge, "code_challenge", 4)
        .key(KeyKind::ChallengePlain, CHALLENGE);
    Run::new(Flow::CodePkcePlain, Pkce::Plain, vec![asked, callback()])
}

#[test]
fn row_8_a_plain_challenge_in_the_exposed_request_is_the_verifier() {
    let found = plain(Place::History)
        .modifier(Modifier::Native)
        .find(CODE, EARLY);
    assert_eq!(
        (found.now.state, found.now.alone, found.now.basis),
        (State::Replayable, State::Replayable, Basis::Assumed)
    );
    let elsewhere = plain(Place::Log)
        .modifier(Modifier::Native)
        .find(CODE, EARLY);
    assert_eq!(elsewhere.now.state, State::Guarded);
    let confidential = plain(Place::History)
        .with(secret(Place::Log))
        .find(CODE, EARLY);
    assert_eq!(confidential.now.state, State::Guarded);
}

#[test]
fn row_12a_what_opens_a_code_opens_it_only_if_the_client_has_no_secret() {
    let found = plain(Place::History).find(CODE, EARLY);
    assert_eq!(found.now.state, State::Unknown);
    assert_eq!(found.now.needs, ["client_secret"]);
    assert!(found.now.because.starts_with("client-auth-not-observed"));
    // A reader of the log that holds code and verifier knows no more of the client.
    let logged = Run::new(
        Flow::CodePkceS256,
        Pkce::S256,
        vec![
            request(Place::Log).key(KeyKind::ChallengeS256, CHALLENGE),
            seen(Place::Log, T0, Role::ResponseInQuery).with(CODE, "code", 1),
            verifier(Place::Log),
        ],
    );
    assert_eq!(logged.find(CODE, EARLY).now.state, State::Unknown);
}

#[test]
fn row_12a_a_public_client_is_told_by_what_only_such_a_client_does() {
    let of = |run: Run| run.verdict_of(1, EARLY).now.state;
    // It takes its code from a fragment, which no server sees (RFC 3986 §3.5).
    let fragment = seen(Place::History, T0, Role::ResponseInFragment).with(CODE, "code", 1);
    assert_eq!(of(plain(Place::History).with(fragment)), State::Replayable);
    // Another login of the same client in the same file, without a secret.
    let login = |place| {
        seen(place, T0 - 500, Role::TokenRequest)
            .param("client_id", "app")
            .with(CODE, "code", 41)
    };
    let capture = || {
        Run::new(
            Flow::CodePkcePlain,
            Pkce::Plain,
            vec![
                request(Place::Har)
                    .with(Kind::CodeChallenge, "code_challenge", 4)
                    .key(KeyKind::ChallengePlain, CHALLENGE),
                seen(Place::Har, T0, Role::ResponseInQuery).with(CODE, "code", 1),
            ],
        )
    };
    assert_eq!(of(capture()), State::Unknown);
    assert_eq!(of(capture().beside(login(Place::Har))), State::Replayable);
    assert_eq!(of(capture().beside(login(Place::Log))), State::Unknown);
    // One that authenticates anywhere in the file is confidential.
    let authenticated = login(Place::Har).with(Kind::ClientAssertion, "client_assertion", 42);
    assert_eq!(of(capture().beside(authenticated)), State::Guarded);
}

#[test]
fn row_9_s256_without_its_verifier_is_guarded_and_informs() {
    let found = s256().find(CODE, EARLY);
    assert_eq!(found.now.state, State::Guarded);
    assert_eq!(found.now.needs, ["code_verifier"]);
    assert_eq!(found.severity, Severity::Info);
}

/// RFC 9700 §2.1.1: what a code flow under S256 leaves behind is what it cannot do without.
#[test]
fn a_code_that_s256_keeps_informs_wherever_it_lies() {
    let code = |place| seen(place, T0, Role::ResponseInQuery).with(CODE, "code", 1);
    let run = |code: Seen| {
        let asked = request(Place::History).key(KeyKind::ChallengeS256, CHALLENGE);
        let asked = asked.param("scope", "openid offline_access");
        Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked, code])
    };
    let both = |found: &Finding| (found.severity, found.severity_now);
    // Readers of a log are many, and none has the verifier.
    for place in [Place::History, Place::Log, Place::Har] {
        let found = run(code(place)).find(CODE, EARLY);
        assert_eq!(both(&found), (Severity::Info, Severity::Info), "{place:?}");
        assert_eq!(
            run(code(place)).find(CODE, LATE).severity_now,
            Severity::Info
        );
    }
    let spent = run(code(Place::Har)).with(token_request(T0 + 1, 200));
    let spent = spent.find(CODE, EARLY);
    assert_eq!(spent.at_exposure.state, State::Spent);
    assert_eq!(both(&spent), (Severity::Info, Severity::Info));
}

#[test]
fn a_code_under_s256_that_went_astray_or_lies_with_its_verifier_does_more() {
    let asked = || request(Place::History).key(KeyKind::ChallengeS256, CHALLENGE);
    let run = |code: Seen| Run::new(Flow::CodePkceS256, Pkce::S256, vec![asked(), code]);
    let told = run(callback().referer("tracker.test")).find(CODE, EARLY);
    assert_eq!(told.severity, Severity::Low);
    let kept = s256().with(verifier(Place::Storage)).find(CODE, EARLY);
    assert_eq!(kept.severity, Severity::Critical);
    // Without S256 a code that was used is told all the same.
    let used = Run::new(
        Flow::CodeNopkce,
        Pkce::None,
        vec![request(Place::History), callback()],
    );
    let used = used.with(token_request(T0 + 1, 200)).find(CODE, EARLY);
    assert_eq!(
        (used.now.state, used.severity_now),
        (State::Spent, Severity::Low)
    );
}

fn without_pkce(grant: Flow) -> Run {
    Run::new(grant, Pkce::None, vec![request(Place::History), callback()])
}

#[test]
fn rows_10_to_12a_without_pkce_the_client_decides() {
    let public = without_pkce(Flow::CodeNopkcePublic).find(CODE, EARLY);
    assert_eq!(public.now.state, State::Replayable);

    let exposed = without_pkce(Flow::CodeSecret)
        .with(secret(Place::Storage))
        .find(CODE, EARLY);
    assert_eq!(exposed.now.state, State::Replayable);

    let secret_elsewhere = without_pkce(Flow::CodeSecret)
        .with(secret(Place::Log))
        .find(CODE, EARLY);
    assert_eq!(secret_elsewhere.now.state, State::Guarded);
    assert_eq!(secret_elsewhere.now.needs, ["client_secret"]);
    assert!(
        secret_elsewhere
            .now
            .because
            .contains("injected through the genuine client")
    );

    let nonce = without_pkce(Flow::CodeSecret).with(request(Place::History).key(KeyKind::Nonce, 3));
    assert!(
        nonce
            .find(CODE, EARLY)
            .now
            .because
            .contains("nonce lets a checking client")
    );

    let untold = without_pkce(Flow::CodeNopkce).find(CODE, EARLY);
    assert_eq!(untold.now.state, State::Unknown);
    assert!(untold.now.because.starts_with("client-auth-not-observed"));
}

#[test]
fn row_13_without_the_request_nothing_is_said_of_pkce() {
    let found = Run::new(Flow::Code, Pkce::NotObserved, vec![callback()]).find(CODE, EARLY);
    assert_eq!(found.now.state, State::Unknown);
    assert!(found.now.because.starts_with("pkce-not-observed"));
}

#[test]
fn row_13_a_provider_that_authenticates_every_client_settles_it() {
    let found = Run::new(Flow::Code, Pkce::NotObserved, vec![callback()])
        .issuer("https://github.com")
        .find(CODE, EARLY);
    assert_eq!(
        (found.now.state, found.now.basis),
        (State::Guarded, Basis::Documented)
    );
}

/// RFC 7515 §5.2: what cannot verify is invalid, whatever its claims say. They say who the user is all the same.
#[test]
fn what_was_cut_opens_nothing_and_tells_who_it_was() {
    for (personal, severity) in [(false, Severity::Info), (true, Severity::Medium)] {
        let claims = Claims {
            personal,
            ..until(LATE * 2)
        };
        for kind in [
            Kind::AccessToken,
            Kind::RefreshToken,
            Kind::IdToken,
            Kind::OpaqueToken,
            Kind::SessionId,
            Kind::ClientAssertion,
            Kind::LogoutToken,
        ] {
            let token = seen(Place::History, T0, Role::ResponseInFragment).with(kind, "token", 2);
            let found = implicit(token.claims(claims.clone(), Signature::Cut)).find(kind, EARLY);
            for verdict in [&found.at_exposure, &found.now] {
                assert_eq!(
                    (verdict.state, verdict.basis),
                    (State::Inert, Basis::Proven),
                    "{kind:?}"
                );
                assert!(verdict.because.contains("cut or redacted"));
            }
            assert_eq!(found.severity, severity, "{kind:?}");
        }
    }
}

/// What carving found may go on where it did not look.
#[test]
fn of_what_is_cut_in_residue_the_rest_may_lie_elsewhere() {
    let token = || {
        let token = access(Place::History, Role::ResponseInFragment);
        token.claims(until(LATE * 2), Signature::Cut)
    };
    let of = |run: Run| run.find(Kind::AccessToken, EARLY).now.state;
    assert_eq!(of(implicit(token().remains())), State::Unknown);
    assert_eq!(of(implicit(token().remains()).with(token())), State::Inert);
}

#[test]
fn row_13a_what_nobody_signed_is_never_live() {
    for signature in [Signature::Unsigned, Signature::Invalid] {
        let token =
            access(Place::History, Role::ResponseInFragment).claims(until(LATE * 2), signature);
        let found = implicit(token).find(Kind::AccessToken, EARLY);
        assert_eq!(found.now.state, State::Unknown);
        assert!(found.now.because.starts_with("not-a-valid-jwt"));
    }
}

#[test]
fn rows_13b_and_17_an_opaque_token_of_nobody_is_unknown() {
    let found =
        implicit(access(Place::History, Role::ResponseInFragment)).find(Kind::AccessToken, EARLY);
    assert_eq!(found.now.state, State::Unknown);
    assert!(found.now.because.starts_with("opaque"));
    assert_eq!(found.severity, Severity::Critical);
}

#[test]
fn row_14_a_bound_token_needs_its_key() {
    let dpop = access(Place::History, Role::ResponseInFragment)
        .param("token_type", "DPoP")
        .param("expires_in", "3600");
    let found = implicit(dpop).find(Kind::AccessToken, EARLY);
    assert_eq!(found.now.state, State::Bound);
    let confirmed = Claims {
        cnf: Some("jkt".into()),
        ..until(T0 + 3600)
    };
    let token =
        access(Place::History, Role::ResponseInFragment).claims(confirmed, Signature::Unverified);
    assert_eq!(
        implicit(token).find(Kind::AccessToken, EARLY).now.state,
        State::Bound
    );
}

#[test]
fn row_15_a_token_before_its_expiry_is_live_and_after_it_expired() {
    let token = || {
        access(Place::History, Role::ResponseInFragment)
            .claims(until(T0 + 300), Signature::Unverified)
    };
    let live = implicit(token()).find(Kind::AccessToken, T0 + 359);
    assert_eq!(
        (live.now.state, live.now.basis),
        (State::Live, Basis::Proven)
    );
    let expired = implicit(token()).find(Kind::AccessToken, T0 + 360);
    assert_eq!(
        (expired.at_exposure.state, expired.now.state),
        (State::Live, State::Expired)
    );
}

#[test]
fn row_15_expires_in_counts_from_the_earliest_response() {
    let again = |at| {
        seen(Place::History, at, Role::ResponseInFragment)
            .param("expires_in", "3600")
            .with(Kind::AccessToken, "access_token", 2)
    };
    let run = Run::new(
        Flow::Implicit,
        Pkce::NotObserved,
        vec![again(T0), again(T0 + 3000)],
    );
    let found = run.find(Kind::AccessToken, T0 + 3601);
    assert_eq!(found.now.state, State::Expired);
}

#[test]
fn row_16_a_documented_default_is_a_documented_verdict() {
    let run =
        || implicit(access(Place::History, Role::ResponseInFragment)).issuer("https://discord.com");
    let live = run().find(Kind::AccessToken, T0 + 604_799);
    assert_eq!(
        (live.now.state, live.now.basis),
        (State::Live, Basis::Documented)
    );
    assert_eq!(
        run().find(Kind::AccessToken, T0 + 604_800).now.state,
        State::Expired
    );
    // Hearsay is no base for a verdict.
    let hearsay =
        implicit(access(Place::History, Role::ResponseInFragment)).issuer("https://zoom.us");
    assert_eq!(
        hearsay.find(Kind::AccessToken, LATE).now.state,
        State::Unknown
    );
}

fn refresh() -> Seen {
    seen(Place::Storage, T0, Role::Stored).with(Kind::RefreshToken, "refresh_token", 3)
}

#[test]
fn rows_18_to_21_refresh_tokens() {
    let of = |run: Run| run.find(Kind::RefreshToken, LATE).now;
    let bare = || Run::new(Flow::CodePkceS256, Pkce::S256, vec![refresh()]);
    assert_eq!(of(bare().modifier(Modifier::Dpop)).state, State::Bound);
    let untold = of(bare());
    assert_eq!(
        (untold.state, untold.needs),
        (State::Unknown, vec!["client_secret"])
    );
    assert_eq!(of(bare().with(token_request(T0, 200))).state, State::Live);
    let guarded = of(bare().with(secret(Place::Log)));
    assert_eq!(
        (guarded.state, guarded.needs),
        (State::Guarded, vec!["client_secret"])
    );

    let used = seen(Place::Har, T0 + 60, Role::TokenRequest)
        .exchange(6)
        .status(200)
        .with(Kind::RefreshToken, "refresh_token", 3);
    let answer = |id| {
        seen(Place::Har, T0 + 61, Role::TokenResponse)
            .exchange(6)
            .with(Kind::RefreshToken, "refresh_token", id)
    };
    let rotated = bare().with(used.clone()).with(answer(33));
    assert_eq!(rotated.verdict_of(3, LATE).now.state, State::Revoked);
    assert_eq!(rotated.verdict_of(33, LATE).now.state, State::Live);
    let kept = bare().with(used).with(answer(3));
    assert_eq!(kept.verdict_of(3, LATE).now.state, State::Live);
}

#[test]
fn row_22_an_id_token_is_an_assertion_and_keeps_its_identity() {
    let personal = Claims {
        personal: true,
        ..until(T0 + 300)
    };
    let token = seen(Place::History, T0, Role::ResponseInFragment)
        .with(Kind::IdToken, "id_token", 2)
        .claims(personal, Signature::Unverified);
    let found = Run::new(Flow::ImplicitOidcIdtoken, Pkce::NotObserved, vec![token])
        .find(Kind::IdToken, LATE);
    assert_eq!(
        (found.at_exposure.state, found.now.state),
        (State::Live, State::Expired)
    );
    assert_eq!(found.severity_now, Severity::Medium);
}

/// What lasts until somebody changes it.
const LASTING: [Kind; 6] = [
    Kind::ClientSecret,
    Kind::PrivateKey,
    Kind::Password,
    Kind::BasicCredentials,
    Kind::ApiKey,
    Kind::WebhookUrl,
];

fn lone(kind: Kind, as_of: i64) -> State {
    let value = seen(Place::History, T0, Role::None).with(kind, "x", 2);
    Run::new(Flow::Unknown, Pkce::NotObserved, vec![value])
        .find(kind, as_of)
        .now
        .state
}

#[test]
fn rows_23_25_and_35_what_lasts_until_it_is_changed() {
    for kind in LASTING {
        assert_eq!(lone(kind, LATE * 2), State::Live, "{}", kind.as_str());
    }
    assert_eq!(lone(Kind::SessionId, T0 + 3600), State::Live);
    assert_eq!(lone(Kind::SessionId, T0 + 86_400), State::Unknown);
}

#[test]
fn row_24_assertions_until_their_exp() {
    let assertion = seen(Place::Log, T0, Role::TokenRequest)
        .with(Kind::ClientAssertion, "client_assertion", 2)
        .claims(until(T0 + 300), Signature::Unverified);
    let run = || {
        Run::new(
            Flow::ClientCredentials,
            Pkce::NotObserved,
            vec![assertion.clone()],
        )
    };
    // Its jti may be remembered, and no evidence tells.
    let early = run().find(Kind::ClientAssertion, EARLY).now;
    assert_eq!((early.state, early.basis), (State::Live, Basis::Assumed));
    assert_eq!(
        run().find(Kind::ClientAssertion, LATE).now.state,
        State::Expired
    );
    assert_eq!(lone(Kind::Assertion, EARLY), State::Unknown);
}

#[test]
fn row_26_a_verifier_is_worth_what_its_code_is_worth() {
    let open = || s256().with(verifier(Place::Storage));
    assert_eq!(
        open().find(Kind::CodeVerifier, EARLY).now.state,
        State::Replayable
    );
    assert_eq!(
        open().find(Kind::CodeVerifier, LATE).now.state,
        State::Inert
    );
    let redeemed = open().with(token_request(T0 + 1, 200));
    assert_eq!(
        redeemed.find(Kind::CodeVerifier, EARLY).now.state,
        State::Inert
    );
    assert_eq!(lone(Kind::CodeVerifier, EARLY), State::Inert);
}

#[test]
fn row_27_signed_envelopes_are_inert() {
    assert_eq!(lone(Kind::RequestObject, EARLY), State::Inert);
    assert_eq!(lone(Kind::JarmResponse, EARLY), State::Inert);
}

#[test]
fn row_29_assertions_of_saml_live_by_their_conditions_until_a_session_answers() {
    let post = || {
        seen(Place::Har, T0, Role::ResponseInBody)
            .exchange(8)
            .with(Kind::SamlMessage, "SAMLResponse", 2)
            .claims(until(T0 + 300), Signature::None)
    };
    let run = |more: Vec<Seen>| {
        let mut seen = vec![post()];
        seen.extend(more);
        Run::new(Flow::SamlPost, Pkce::NotObserved, seen)
    };
    // The service provider may have taken it before, and no evidence tells.
    let open = run(vec![]).find(Kind::SamlMessage, T0 + 299).now;
    assert_eq!((open.state, open.basis), (State::Live, Basis::Assumed));
    assert_eq!(
        run(vec![]).find(Kind::SamlMessage, T0 + 300).now.state,
        State::Expired
    );
    let visitor = seen(Place::Har, T0, Role::None)
        .exchange(8)
        .with(Kind::SessionId, "sid", 3);
    let sent_with = run(vec![visitor]).find(Kind::SamlMessage, EARLY);
    assert_eq!(sent_with.now.state, State::Live);
    let session = seen(Place::Har, T0, Role::None)
        .exchange(8)
        .response()
        .with(Kind::SessionId, "sid", 3);
    let spent = run(vec![session]).find(Kind::SamlMessage, EARLY);
    assert_eq!(
        (spent.now.state, spent.now.basis),
        (State::Spent, Basis::Assumed)
    );
}

#[test]
fn row_30_artifacts_and_oauth_1_tokens_need_more() {
    assert_eq!(lone(Kind::SamlArtifact, EARLY), State::Guarded);
    assert_eq!(lone(Kind::Oauth1Token, EARLY), State::Guarded);
    let all = seen(Place::Log, T0, Role::TokenResponse)
        .with(Kind::Oauth1Token, "oauth_token", 2)
        .with(Kind::Oauth1Token, "oauth_token_secret", 3)
        .with(Kind::Oauth1Token, "oauth_consumer_secret", 4);
    let run = Run::new(Flow::Oauth1, Pkce::NotObserved, vec![all]);
    assert_eq!(run.verdict_of(2, EARLY).now.state, State::Replayable);
}

/// RFC 5849 §3.4.4: consumer secret and token secret, joined by `&`.
#[test]
fn row_30_a_plaintext_signature_is_both_secrets() {
    let called =
        |place| seen(place, T0, Role::ResourceRequest).with(Kind::Oauth1Token, "oauth_token", 2);
    let of = |id, seen: Vec<Seen>| {
        let run = Run::new(Flow::Oauth1, Pkce::NotObserved, seen);
        run.verdict_of(id, EARLY)
    };
    let signed = || called(Place::Log).with(Kind::Oauth1Token, "oauth1-plaintext-signature", 3);
    for id in [2, 3] {
        let found = of(id, vec![signed()]);
        assert_eq!(
            (found.now.state, found.now.basis),
            (State::Replayable, Basis::Proven)
        );
        assert_eq!(found.severity, Severity::Critical);
    }
    // Where somebody else has the signature, it is that holder who signs.
    let token = of(
        4,
        vec![
            signed(),
            called(Place::History).with(Kind::Oauth1Token, "oauth_token", 4),
        ],
    );
    assert_eq!(token.now.state, State::Guarded);
}

/// SAML Core §3.7.1: it names a user and a session, and asserts nothing.
#[test]
fn row_29_a_request_of_saml_logs_nobody_in() {
    let of = |name, role| {
        let sent = seen(Place::Log, T0, role).with(Kind::SamlMessage, name, 2);
        let sent = sent.claims(until(T0 + 300), Signature::None);
        let run = Run::new(Flow::LogoutLeak, Pkce::NotObserved, vec![sent]);
        run.find(Kind::SamlMessage, EARLY)
    };
    let asked = of("SAMLRequest", Role::Logout);
    assert_eq!(
        (asked.now.state, asked.severity),
        (State::Inert, Severity::Low)
    );
    assert_eq!(asked.exposed_to.attack, "identity-disclosure");
    assert!(asked.remediation.text.contains("EncryptedID"));
    let answered = of("SAMLResponse", Role::ResponseInQuery);
    assert_eq!(
        (answered.now.state, answered.severity),
        (State::Live, Severity::Critical)
    );
}

/// RFC 6749 §2.3.1: a client authenticates by a header or in the body, and a log has neither.
#[test]
fn row_12a_a_token_request_in_a_log_tells_nothing_of_its_client() {
    let of = |place| {
        let sent = seen(place, LATE, Role::TokenRequest)
            .param("client_id", "app")
            .with(CODE, "code", 1);
        without_pkce(Flow::CodeNopkce)
            .with(sent)
            .find(CODE, EARLY)
            .now
    };
    assert_eq!(of(Place::Har).state, State::Replayable);
    let log = of(Place::Log);
    assert_eq!(log.state, State::Unknown);
    assert!(log.because.starts_with("client-auth-not-observed"));
    let refreshed = |place| {
        let sent = seen(place, T0, Role::TokenRequest).with(Kind::RefreshToken, "refresh_token", 2);
        let run = Run::new(Flow::Refresh, Pkce::NotObserved, vec![sent]);
        run.find(Kind::RefreshToken, EARLY).now.state
    };
    assert_eq!(
        [Place::Har, Place::Log].map(refreshed),
        [State::Live, State::Unknown]
    );
}

#[test]
fn row_31_a_service_ticket_is_spent_after_ten_seconds() {
    let ticket = seen(Place::History, T0, Role::ResponseInQuery).with(Kind::CasTicket, "ticket", 2);
    let run = Run::new(Flow::Cas, Pkce::NotObserved, vec![ticket]);
    assert_eq!(run.find(Kind::CasTicket, T0 + 9).now.state, State::Unknown);
    let spent = run.find(Kind::CasTicket, T0 + 10);
    assert_eq!(
        (spent.now.state, spent.now.basis),
        (State::Spent, Basis::Documented)
    );
}

#[test]
fn rows_32_and_33_a_link_is_spent_once_the_application_goes_on() {
    let link = || {
        seen(Place::History, T0, Role::None)
            .visit(1, None)
            .with(Kind::OneTimeLink, "token", 2)
    };
    let untold = Run::new(Flow::MagicLink, Pkce::NotObserved, vec![link()]);
    assert_eq!(
        untold.find(Kind::OneTimeLink, EARLY).now.state,
        State::Unknown
    );
    assert_eq!(
        untold.find(Kind::OneTimeLink, T0 + 86_400).now.state,
        State::Expired
    );
    let home = seen(Place::History, T0 + 1, Role::None).visit(2, Some(1));
    let used = Run::new(Flow::MagicLink, Pkce::NotObserved, vec![link(), home]);
    assert_eq!(used.find(Kind::OneTimeLink, EARLY).now.state, State::Spent);
}

#[test]
fn row_34_a_signed_url_lives_until_the_expiry_that_it_states() {
    let forms: [&[(&str, &str)]; 4] = [
        &[("se", "2026-11-23T07:00:00Z"), ("sp", "r")],
        &[
            ("X-Amz-Date", "20261123T060000Z"),
            ("X-Amz-Expires", "3600"),
        ],
        &[
            ("X-Goog-Date", "20261123T060000Z"),
            ("X-Goog-Expires", "3600"),
        ],
        &[("Expires", "1795417200")],
    ];
    for params in forms {
        let url = params.iter().fold(
            seen(Place::Log, T0, Role::None).with(Kind::SignedUrl, "sig", 2),
            |url, (name, value)| url.param(name, value),
        );
        let run = Run::new(Flow::SignedUrl, Pkce::NotObserved, vec![url]);
        assert_eq!(
            run.find(Kind::SignedUrl, 1_795_417_199).now.state,
            State::Live,
            "{params:?}"
        );
        assert_eq!(
            run.find(Kind::SignedUrl, 1_795_417_200).now.state,
            State::Expired,
            "{params:?}"
        );
    }
}

#[test]
fn device_codes_wait_for_an_approval_and_user_codes_open_nothing() {
    let answer = seen(Place::Har, T0, Role::TokenResponse)
        .param("expires_in", "900")
        .with(Kind::DeviceCode, "device_code", 2)
        .with(Kind::UserCode, "user_code", 3);
    let run = Run::new(Flow::Device, Pkce::NotObserved, vec![answer]);
    assert_eq!(run.find(Kind::DeviceCode, EARLY).now.state, State::Unknown);
    assert_eq!(
        run.find(Kind::DeviceCode, T0 + 900).now.state,
        State::Expired
    );
    assert_eq!(run.find(Kind::UserCode, EARLY).now.state, State::Inert);
}

#[test]
fn a_code_without_a_time_is_never_called_usable_now() {
    let stored = seen(Place::Storage, None, Role::Stored).with(CODE, "code", 1);
    let asked = request(Place::Storage).key(KeyKind::ChallengeS256, CHALLENGE);
    let run = Run::new(
        Flow::CodePkceS256,
        Pkce::S256,
        vec![asked, stored, verifier(Place::Storage)],
    );
    assert_eq!(run.find(CODE, LATE).now.state, State::Unknown);
}

#[test]
fn the_given_code_lifetime_and_the_provider_table_replace_the_assumed_one() {
    let mut run = s256();
    run.code_lifetime = Some(60);
    assert_eq!(run.find(CODE, T0 + 60).now.state, State::Expired);
    // LinkedIn documents thirty minutes, and documentation wins.
    let found = run.issuer("https://www.linkedin.com").find(CODE, T0 + 1799);
    assert_eq!(found.now.state, State::Guarded);
}

#[test]
fn a_clock_that_is_ahead_is_set_back_before_expiry_is_judged() {
    let token = access(Place::History, Role::ResponseInFragment).param("expires_in", "3600");
    let mut run = implicit(token);
    assert_eq!(run.find(Kind::AccessToken, T0 + 1).now.state, State::Live);
    run.clock_error = Some(7200.0);
    assert_eq!(
        run.find(Kind::AccessToken, T0 + 1).now.state,
        State::Expired
    );
    // A few seconds are the way from the issuer to the browser.
    run.clock_error = Some(59.0);
    assert_eq!(
        run.find(Kind::AccessToken, T0 + 3599).now.state,
        State::Live
    );
}

#[test]
fn places_raise_the_severity_and_a_narrow_audience_lowers_it() {
    let narrow = Claims {
        aud: vec!["api".into()],
        ..until(T0 + 300)
    };
    let token = |place| {
        access(place, Role::ResponseInFragment).claims(narrow.clone(), Signature::Unverified)
    };
    let severity = |seen| implicit(seen).find(Kind::AccessToken, EARLY).severity;
    assert_eq!(severity(token(Place::History)), Severity::High);
    assert_eq!(severity(token(Place::Log)), Severity::Critical);
    let told = token(Place::History).referer("tracker.test");
    let found = implicit(told).find(Kind::AccessToken, EARLY);
    assert_eq!(found.severity, Severity::Critical);
    assert_eq!(found.exposed_to.attack, "referer-leak");
    assert!(
        found
            .exposed_to
            .who
            .iter()
            .any(|who| who.contains("tracker.test"))
    );
    let own =
        implicit(token(Place::History).referer("static.app.test")).find(Kind::AccessToken, EARLY);
    assert_eq!(own.exposed_to.attack, "token-in-history");
}

#[test]
fn critical_is_what_lets_its_holder_act_as_the_user() {
    let log = |kind, as_of| {
        let value = seen(Place::Log, T0, Role::None).with(kind, "x", 2);
        let found = Run::new(Flow::Unknown, Pkce::NotObserved, vec![value]).find(kind, as_of);
        (found.severity, found.severity_now)
    };
    // A value under a name like `token` may be anything; a code may be protected.
    assert_eq!(log(Kind::OpaqueToken, EARLY).0, Severity::High);
    assert_eq!(log(CODE, EARLY).0, Severity::High);
    // A session is worth its user while it runs, and less once nothing says that it does.
    assert_eq!(
        log(Kind::SessionId, LATE),
        (Severity::Critical, Severity::High)
    );
    assert_eq!(log(Kind::Password, LATE).1, Severity::Critical);
    let identity = seen(Place::Log, T0, Role::None)
        .with(Kind::IdToken, "id_token_hint", 2)
        .claims(until(T0 + 300), Signature::Unverified);
    let found =
        Run::new(Flow::LogoutLeak, Pkce::NotObserved, vec![identity]).find(Kind::IdToken, EARLY);
    assert_eq!(found.severity, Severity::High);
    let signed = |permissions| {
        let url = seen(Place::Log, T0, Role::None)
            .with(Kind::SignedUrl, "sig", 2)
            .param("se", "2026-11-23T07:00:00Z")
            .param("sp", permissions);
        let run = Run::new(Flow::SignedUrl, Pkce::NotObserved, vec![url]);
        run.find(Kind::SignedUrl, EARLY).severity
    };
    assert_eq!(
        (signed("r"), signed("rw")),
        (Severity::High, Severity::Critical)
    );
    let link = |flow, path: &str| {
        let url =
            seen(Place::History, T0, Role::None)
                .path(path)
                .with(Kind::OneTimeLink, "token", 2);
        let run = Run::new(flow, Pkce::NotObserved, vec![url]);
        run.find(Kind::OneTimeLink, EARLY).severity
    };
    assert_eq!(link(Flow::MagicLink, "/login"), Severity::Critical);
    assert_eq!(
        link(Flow::AccountAction, "/password/reset"),
        Severity::Critical
    );
    assert_eq!(link(Flow::AccountAction, "/invitations"), Severity::Medium);
}

#[test]
fn a_third_party_is_one_whose_page_was_of_another_site() {
    let told = |to: &str| {
        implicit(access(Place::Log, Role::ResponseInQuery).referer(to))
            .find(Kind::AccessToken, EARLY)
            .exposed_to
            .who
    };
    let named = |who: &[Box<str>]| who.iter().any(|it| it.contains("by Referer"));
    assert!(told("tracker.test:443").contains(&"tracker.test, by Referer".into()));
    assert!(!named(&told("static.app.test:8443")));
    assert!(!named(&told("")));
}

#[test]
fn weaknesses_are_findings_once_per_client() {
    let weak = |index| {
        let mut run = without_pkce(Flow::CodeNopkce);
        run.offset(index);
        run.weakness(WeaknessKind::NoPkce)
    };
    let found = run::together(vec![weak(0), weak(100)]).findings(EARLY);
    let weak: Vec<_> = found.iter().filter(|it| it.weakness.is_some()).collect();
    assert_eq!(weak.len(), 1);
    assert_eq!(&*weak[0].rule, "flow/no-pkce");
    assert_eq!((weak[0].trails.len(), weak[0].seen.len()), (2, 2));
}

#[test]
fn a_leak_survives_new_tokens_and_a_finding_does_not() {
    let mut again = s256();
    again.offset(100);
    let (first, second) = (s256().find(CODE, EARLY), again.find(CODE, EARLY));
    assert_eq!(first.leak, second.leak);
    assert_ne!(first.id, second.id);
}

#[test]
fn a_thief_of_a_profile_has_what_lies_in_it() {
    let token = access(Place::History, Role::ResponseInFragment).param("expires_in", "3600");
    let run = implicit(token).issuer("https://discord.com");
    let states = profile_state(&run, T0 + 60);
    assert_eq!(states, [("call_api", State::Live)]);
    assert!(profile_state(&run, LATE * 2).is_empty());
    assert!(profile_state(&s256().with(verifier(Place::Log)), EARLY).is_empty());
    assert_eq!(
        profile_state(&s256().with(verifier(Place::Storage)), EARLY),
        [("redeem_code", State::Replayable)]
    );
}

#[test]
fn every_name_that_a_finding_may_have_is_explained_and_nothing_else_is() {
    let rules = Rules::builtin().unwrap();
    let texts = &rules.explanations;
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(Flow::ALL.map(|it| format!("flow:{}", it.as_str())));
    wanted.extend(State::ALL.map(|it| format!("verdict:{}", it.as_str())));
    wanted.extend(WeaknessKind::ALL.map(|it| format!("weakness:{}", it.as_str())));
    // What `--fail-on` takes beside them.
    wanted.push("weakness:no-s256".into());
    wanted.extend(Kind::ALL.map(|it| format!("kind:{}", it.as_str())));
    wanted.extend(ATTACKS.iter().map(|it| format!("attack:{it}")));
    for id in &wanted {
        let entry = texts
            .get(id)
            .unwrap_or_else(|| panic!("{id} is not explained"));
        assert!(!entry.references.is_empty(), "{id}");
    }
    for entry in texts.entries() {
        let id = format!("{}:{}", entry.topic.as_str(), entry.id);
        assert!(wanted.contains(&id), "{id} explains nothing");
        assert!(texts.get(&entry.id).is_some());
    }
    for flow in Flow::ALL {
        let entry = texts.get(&format!("flow:{}", flow.as_str())).unwrap();
        assert!(
            entry.code_flow.is_some(),
            "{} does not answer",
            flow.as_str()
        );
    }
    for id in REMEDIES {
        assert!(texts.remedy(id).is_some(), "{id}");
    }
    for remedy in texts.remedies() {
        assert!(
            REMEDIES.contains(&&*remedy.id),
            "{} is never given",
            remedy.id
        );
    }
    let theft = texts.get("implicit").unwrap().measured.as_ref().unwrap();
    assert!(theft.contains("200") && theft.contains("400"));
}

#[test]
fn names_of_the_wire_are_read_back_and_no_two_are_alike() {
    for severity in Severity::ALL {
        assert_eq!(Severity::named(severity.as_str()), Some(severity));
    }
    for state in State::ALL {
        assert_eq!(State::named(state.as_str()), Some(state));
    }
    assert_eq!(
        (Severity::named("hihg"), State::named("alive")),
        (None, None)
    );
    let bases = [Basis::Proven, Basis::Documented, Basis::Assumed].map(Basis::as_str);
    assert_eq!(bases, ["proven", "documented", "assumed"]);
}

#[test]
fn every_rule_is_explained_and_every_listed_id_is_found() {
    let rules = Rules::builtin().unwrap();
    let mut ids: Vec<String> = rules
        .catalogue
        .rules()
        .iter()
        .map(|it| it.id.to_string())
        .collect();
    ids.extend(rules.shapes.iter().map(|it| it.id.to_string()));
    ids.extend(WeaknessKind::ALL.map(|it| format!("flow/{}", it.as_str())));
    for id in &ids {
        let entry = rules
            .explain(id)
            .unwrap_or_else(|| panic!("{id} is not explained"));
        assert!(!entry.means.is_empty() && !entry.fix.is_empty(), "{id}");
    }
    for id in rules.explained() {
        assert!(rules.explain(&id).is_some(), "{id}");
    }
    assert!(rules.explain("nothing-of-this-name").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_verdict_rises_as_time_passes(run in run::any_run(), mut times in prop::collection::vec(T0 - 100..T0 + 200_000, 2..6)) {
        times.sort_unstable();
        let mut last: Option<Vec<(Digest, State)>> = None;
        for as_of in times {
            let mut found: Vec<_> = run.findings(as_of).into_iter().map(|it| (it.id, it.now.state)).collect();
            found.sort();
            if let Some(last) = last {
                prop_assert_eq!(last.len(), found.len());
                for ((known, before), (id, after)) in last.iter().zip(&found) {
                    prop_assert_eq!(known, id);
                    prop_assert!(before.rank() <= after.rank(), "{id}: {before:?} then {after:?}");
                }
            }
            last = Some(found);
        }
    }

    #[test]
    fn the_same_evidence_gives_the_same_findings_each_complete(run in run::any_run()) {
        let found = run.findings(NOW);
        prop_assert_eq!(&found, &run.findings(NOW));
        for finding in &found {
            prop_assert!(!finding.seen.is_empty());
            prop_assert!(ATTACKS.contains(&finding.exposed_to.attack));
            prop_assert!(!finding.exposed_to.who.is_empty());
            for text in [&finding.exposed_to.code_flow, &finding.exposed_to.reference, &finding.remediation.text, &finding.now.because, &finding.now.holder] {
                prop_assert!(!text.is_empty(), "{:?}", finding);
            }
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].severity >= pair[1].severity));
    }

    #[test]
    fn one_file_is_never_worth_more_than_all_that_its_holder_has(run in run::any_run()) {
        for finding in run.findings(NOW) {
            for verdict in [&finding.now, &finding.at_exposure] {
                prop_assert!(verdict.alone.rank() >= verdict.state.rank(), "{:?}", finding);
            }
        }
    }

    /// The truth of a code run, told by its parts and by nothing of the judge's: what a thief with the
    /// browser profile needs, and whether it is there.
    #[test]
    fn no_code_is_judged_above_the_truth(truth in run::truth(), after in 0i64..2000) {
        let found = truth.run().find(CODE, T0 + after);
        let state = truth.state(after);
        prop_assert!(
            found.now.state == State::Unknown || found.now.state.rank() >= state.rank(),
            "{truth:?} after {after}: {:?} above {state:?}", found.now
        );
    }
}
