//! Where a row of the decision table begins and ends: what is almost its condition, and is not.

use super::{CODE, access, callback, implicit, plain, refresh, request, s256, secret, until};
use crate::run::{CHALLENGE, EARLY, LATE, Place, Run, Seen, T0, seen};
use tokentrail::atoms::{KeyKind, Kind};
use tokentrail::collect::Via;
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Modifier, Pkce};
use tokentrail::judge::{Basis, Severity, State};

fn revocation(named: &str) -> Seen {
    seen(Place::Log, T0 + 5, Role::TokenRequest)
        .path("/oauth/revoke")
        .status(200)
        .with(Kind::AccessToken, named, 2)
}

/// RFC 7009 §2.1: what is revoked is the parameter `token`, beside a hint at most.
#[test]
fn row_1_revokes_the_token_that_the_request_names() {
    let token = || access(Place::History, Role::ResponseInFragment).param("expires_in", "86400");
    let of = |revocation| {
        let run = implicit(token()).with(revocation);
        run.find(Kind::AccessToken, EARLY).now.state
    };
    let hinted = revocation("token").param("token_type_hint", "access_token");
    assert_eq!(of(hinted), State::Revoked);
    // It authorises the call, and is not its object.
    assert_eq!(of(revocation("access_token")), State::Live);
    let grant = revocation("token").param("grant_type", "refresh_token");
    assert_eq!(of(grant), State::Live);
}

#[test]
fn row_3_needs_an_answer_by_status_or_by_its_tokens() {
    let asked = || {
        seen(Place::Log, T0 + 2, Role::TokenRequest)
            .exchange(5)
            .with(CODE, "code", 1)
    };
    let answer = |kind| {
        seen(Place::Log, T0 + 2, Role::TokenResponse)
            .exchange(5)
            .with(kind, "token", 2)
    };
    let of = |more: Vec<Seen>| {
        let run = more.into_iter().fold(s256().with(asked()), Run::with);
        let now = run.find(CODE, EARLY).now;
        (now.state, now.basis)
    };
    assert_eq!(
        of(vec![answer(Kind::AccessToken)]),
        (State::Spent, Basis::Proven)
    );
    assert_eq!(of(vec![]).0, State::Guarded);
    assert_eq!(of(vec![answer(Kind::UserCode)]).0, State::Guarded);
}

/// What has no time of its own had happened by `as_of`; that it had before, nothing tells.
#[test]
fn an_event_without_a_time_counts_now_and_not_before() {
    let redeemed = seen(Place::Log, None, Role::TokenRequest)
        .status(200)
        .with(CODE, "code", 1);
    let found = s256().with(redeemed).find(CODE, EARLY);
    assert_eq!(
        (found.at_exposure.state, found.now.state),
        (State::Guarded, State::Spent)
    );
}

#[test]
fn row_7_a_verifier_without_its_challenge_opens_the_code_for_who_has_it() {
    let verifier = |place| {
        seen(place, T0 + 1, Role::TokenRequest)
            .param("grant_type", "authorization_code")
            .with(Kind::CodeVerifier, "code_verifier", 7)
    };
    let of = |place| {
        let run = Run::new(
            Flow::Code,
            Pkce::VerifierOnly,
            vec![callback(), verifier(place)],
        );
        run.modifier(Modifier::Native).find(CODE, EARLY).now
    };
    let elsewhere = of(Place::Log);
    assert_eq!(elsewhere.state, State::Guarded);
    assert_eq!(elsewhere.needs, ["code_verifier"]);
    assert_eq!(of(Place::Storage).state, State::Replayable);
}

#[test]
fn row_8_a_secret_in_the_same_hands_opens_a_code_of_a_client_that_nothing_else_tells_of() {
    let kept = seen(Place::Storage, T0, Role::Stored).with(Kind::ClientSecret, "client_secret", 9);
    let found = plain(Place::History).with(kept).find(CODE, EARLY);
    assert_eq!(
        (found.now.state, found.now.alone),
        (State::Replayable, State::Unknown)
    );
}

#[test]
fn row_13_settles_nothing_where_the_secret_lies_in_the_same_hands() {
    let lone = || Run::new(Flow::Code, Pkce::NotObserved, vec![callback()]);
    let apart = lone().with(secret(Place::Log)).find(CODE, EARLY);
    assert_eq!(apart.now.state, State::Guarded);
    let together = lone().with(secret(Place::Storage)).find(CODE, EARLY);
    assert_eq!(together.now.state, State::Unknown);
    assert!(together.now.because.starts_with("pkce-not-observed"));
}

/// RFC 9449 §4: whoever has the key can prove possession.
#[test]
fn row_14_a_bound_token_is_live_for_who_has_its_key() {
    let bound = || {
        access(Place::History, Role::ResponseInFragment)
            .param("token_type", "DPoP")
            .param("expires_in", "3600")
    };
    let with = |kind, name| {
        let kept = seen(Place::Storage, T0, Role::Stored).with(kind, name, 9);
        implicit(bound())
            .with(kept)
            .find(Kind::AccessToken, EARLY)
            .now
            .state
    };
    assert_eq!(with(Kind::PrivateKey, "dpop_private_key"), State::Live);
    assert_eq!(with(Kind::PrivateKey, "d"), State::Live);
    assert_eq!(with(Kind::PrivateKey, "k"), State::Bound);
    assert_eq!(with(Kind::ClientSecret, "client_secret"), State::Bound);
    assert_eq!(with(Kind::ApiKey, "api_key"), State::Bound);
    let elsewhere = seen(Place::Log, T0, Role::Stored).with(Kind::PrivateKey, "private_key", 9);
    let run = implicit(bound()).with(elsewhere);
    assert_eq!(run.find(Kind::AccessToken, EARLY).now.state, State::Bound);
}

#[test]
fn row_15_says_whether_the_signature_was_verified() {
    let because = |signature| {
        let token = access(Place::History, Role::ResponseInFragment).claims(until(LATE), signature);
        implicit(token).find(Kind::AccessToken, EARLY).now.because
    };
    assert!(because(Signature::Verified).starts_with("its signature is verified"));
    assert!(because(Signature::Unverified).contains("unverified"));
}

#[test]
fn row_16_a_time_that_is_a_bound_leaves_a_documented_lifetime_assumed() {
    let of = |seen: Seen| {
        let run = implicit(seen).issuer("https://discord.com");
        run.find(Kind::AccessToken, EARLY).now.basis
    };
    let token = || access(Place::History, Role::ResponseInFragment);
    assert_eq!(of(token()), Basis::Documented);
    assert_eq!(of(token().last_visit()), Basis::Assumed);
    // Its own claim says when it was issued, whenever it was seen.
    let issued = Claims {
        iat: Some(T0),
        ..Claims::default()
    };
    let issued = token().claims(issued, Signature::Unverified).last_visit();
    assert_eq!(of(issued), Basis::Documented);
}

#[test]
fn rows_20_and_21_a_secret_in_the_same_hands_makes_a_refresh_token_live() {
    let run = Run::new(Flow::CodePkceS256, Pkce::S256, vec![refresh()]);
    let found = run
        .with(secret(Place::Storage))
        .find(Kind::RefreshToken, EARLY);
    assert_eq!(
        (found.now.state, found.now.alone),
        (State::Live, State::Live)
    );
    assert!(
        found
            .now
            .because
            .contains("client secret lies in the same hands")
    );
}

/// OpenID Connect Back-Channel Logout §2.6: a token that ends a session is more than an envelope.
#[test]
fn row_27_a_logout_token_is_no_envelope() {
    let token = seen(Place::History, T0, Role::Logout).with(Kind::LogoutToken, "logout_token", 2);
    let run = Run::new(Flow::LogoutLeak, Pkce::NotObserved, vec![token]);
    assert_eq!(run.find(Kind::LogoutToken, EARLY).now.state, State::Unknown);
}

#[test]
fn row_32_a_link_that_comes_again_or_fails_was_not_followed() {
    let link = |at, visit, before| {
        seen(Place::History, at, Role::None)
            .visit(visit, before)
            .with(Kind::OneTimeLink, "token", 2)
    };
    let of = |next: Seen| {
        let run = Run::new(
            Flow::MagicLink,
            Pkce::NotObserved,
            vec![link(T0, 1, None), next],
        );
        run.find(Kind::OneTimeLink, EARLY).now.state
    };
    let page = || seen(Place::History, T0 + 1, Role::None).visit(2, Some(1));
    assert_eq!(of(page().with(Kind::SessionId, "sid", 3)), State::Spent);
    assert_eq!(of(page().param("lang", "en")), State::Spent);
    assert_eq!(of(page().param("error", "expired")), State::Unknown);
    assert_eq!(of(link(T0 + 1, 2, Some(1))), State::Unknown);
    // What comes after the moment that is asked for had not happened.
    let later = seen(Place::History, EARLY + 1, Role::None).visit(2, Some(1));
    assert_eq!(of(later), State::Unknown);
}

/// Who logs in elsewhere leaves the page of a link, and a redirect answers a request that asked for it alone.
#[test]
fn row_32_the_page_after_a_link_is_one_of_its_application() {
    let of = |flow, next: Seen| {
        let link =
            seen(Place::History, T0, Role::None)
                .visit(1, None)
                .with(Kind::OneTimeLink, "token", 2);
        let run = Run::new(flow, Pkce::NotObserved, vec![link, next]);
        run.find(Kind::OneTimeLink, EARLY).now.state
    };
    let page = |role| seen(Place::History, T0 + 1, role).visit(2, Some(1));
    for flow in [Flow::MagicLink, Flow::AccountAction] {
        assert_eq!(of(flow, page(Role::None)), State::Spent, "{flow:?}");
        let elsewhere = page(Role::None).address("https", "idp.test");
        assert_eq!(of(flow, elsewhere), State::Unknown, "{flow:?}");
        let login = page(Role::AuthorizationRequest);
        assert_eq!(of(flow, login), State::Unknown, "{flow:?}");
    }
    for via in [Via::ServerRedirect, Via::ClientRedirect] {
        let form = || page(Role::None).via(via.clone());
        assert_eq!(of(Flow::AccountAction, form()), State::Unknown, "{via:?}");
        assert_eq!(of(Flow::MagicLink, form()), State::Spent, "{via:?}");
    }
    let sent = page(Role::None).via(Via::Form);
    assert_eq!(of(Flow::AccountAction, sent), State::Spent);
}

#[test]
fn an_opaque_token_is_critical_once_it_is_known_to_be_usable_and_high_as_that_of_a_login() {
    let of = |flow, seen: Seen| {
        let run = Run::new(flow, Pkce::NotObserved, vec![seen]);
        run.find(Kind::OpaqueToken, EARLY).severity
    };
    let token = |role| seen(Place::History, T0, role).with(Kind::OpaqueToken, "token", 2);
    assert_eq!(of(Flow::Unknown, token(Role::None)), Severity::Medium);
    let handed = token(Role::ResponseInQuery);
    assert_eq!(of(Flow::HandoffQuery, handed), Severity::High);
    let fresh = token(Role::ResponseInFragment).param("expires_in", "3600");
    assert_eq!(of(Flow::Unknown, fresh), Severity::Critical);
}

/// OpenID Connect Core §17.1: the hint of a logout names its user for as long as it lies there.
#[test]
fn an_expired_id_token_keeps_its_worth_where_it_went_to_a_logout_or_is_personal() {
    let of = |flow| {
        let token = seen(Place::History, T0, Role::Logout)
            .with(Kind::IdToken, "id_token_hint", 2)
            .claims(until(T0 + 300), Signature::Unverified);
        let run = Run::new(flow, Pkce::NotObserved, vec![token]);
        run.find(Kind::IdToken, LATE).severity_now
    };
    assert_eq!(of(Flow::LogoutLeak), Severity::Medium);
    assert_eq!(of(Flow::ImplicitOidcIdtoken), Severity::Low);
}

#[test]
fn the_address_of_a_third_party_is_told_whole() {
    let token = access(Place::Log, Role::ResponseInQuery).referer("[2001:db8::a]");
    let who = implicit(token)
        .find(Kind::AccessToken, EARLY)
        .exposed_to
        .who;
    assert!(who.contains(&"[2001:db8::a], by Referer".into()), "{who:?}");
}

/// RFC 6749 §2.3: a request without its body says nothing of the client's authentication.
#[test]
fn a_client_is_not_known_by_a_request_without_its_body_nor_by_the_users_password() {
    let logged = |kind: Option<Kind>, role| {
        let asked = seen(Place::Har, T0 - 500, role).param("client_id", "app");
        kind.map_or(asked.clone(), |kind| asked.with(kind, "x", 41))
    };
    let of = |other: Seen| {
        let run = Run::new(
            Flow::CodePkcePlain,
            Pkce::Plain,
            vec![
                request(Place::Har).with(Kind::CodeChallenge, "code_challenge", 4),
                seen(Place::Har, T0, Role::ResponseInQuery).with(CODE, "code", 1),
            ],
        );
        run.beside(other).verdict_of(1, EARLY).now.state
    };
    assert_eq!(of(logged(None, Role::TokenRequest)), State::Unknown);
    assert_eq!(
        of(logged(Some(CODE), Role::TokenRequest)),
        State::Replayable
    );
    // `user:password@` of a page is the user's, and no client's.
    let page = logged(Some(Kind::BasicCredentials), Role::ResourceRequest);
    assert_eq!(of(page), State::Unknown);
    // One message that shows the secret is enough for whoever has the file, whatever the others show.
    let shown = |other: Seen| {
        let run = Run::new(
            Flow::CodeSecret,
            Pkce::None,
            vec![
                request(Place::Har),
                seen(Place::Har, T0, Role::ResponseInQuery).with(CODE, "code", 1),
            ],
        );
        let run = run.beside(logged(Some(Kind::ClientAssertion), Role::TokenRequest));
        run.beside(other).verdict_of(1, EARLY).now.state
    };
    let with_secret = logged(Some(Kind::ClientSecret), Role::TokenRequest);
    assert_eq!(shown(with_secret), State::Replayable);
    let page = logged(Some(Kind::BasicCredentials), Role::ResourceRequest);
    assert_eq!(shown(page), State::Guarded);
    let basic = logged(Some(Kind::BasicCredentials), Role::TokenRequest);
    assert_eq!(shown(basic), State::Replayable);
}

/// RFC 6749 §2.1: a verifier in the history was sent by the address bar, by a client that runs there; one in a
/// server's log may be a server's.
#[test]
fn row_12a_a_verifier_tells_of_a_public_client_where_the_browser_recorded_it() {
    let of = |more: Seen| plain(Place::History).with(more).find(CODE, EARLY).now.state;
    let sent = |place| seen(place, T0 + 1, Role::None).with(Kind::CodeVerifier, "code_verifier", 7);
    assert_eq!(of(sent(Place::History).visit(9, None)), State::Replayable);
    assert_eq!(of(sent(Place::Log)), State::Unknown);
}

/// A back end may hand a token over in a fragment: only a code there tells of a client that no server stands behind.
#[test]
fn row_12a_a_fragment_tells_of_a_public_client_if_it_brings_the_code() {
    let of = |kind, id| {
        let fragment = seen(Place::History, T0, Role::ResponseInFragment).with(kind, "x", id);
        let run = plain(Place::History).with(fragment);
        run.verdict_of(1, EARLY).now.state
    };
    assert_eq!(of(CODE, 1), State::Replayable);
    assert_eq!(of(Kind::AccessToken, 2), State::Unknown);
}

/// RFC 7636 §4.2: only the challenge is the verifier; a `state` that both messages have opens nothing.
#[test]
fn row_8_another_key_of_the_request_is_no_verifier() {
    let asked = request(Place::Log)
        .with(Kind::CodeChallenge, "code_challenge", 4)
        .key(KeyKind::ChallengePlain, CHALLENGE);
    let of = |callback| {
        let run = Run::new(
            Flow::CodePkcePlain,
            Pkce::Plain,
            vec![asked.clone(), callback],
        );
        let run = run.modifier(Modifier::Native);
        run.find(CODE, EARLY).now.state
    };
    assert_eq!(of(callback().key(KeyKind::State, 5)), State::Guarded);
    let challenged = callback().key(KeyKind::ChallengePlain, CHALLENGE);
    assert_eq!(of(challenged), State::Replayable);
}
