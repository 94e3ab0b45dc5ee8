//! What a finding says beside its verdict: who can read it, which attack follows, what the code flow would have
//! changed, and what to do.

use super::{CODE, access, implicit, keyed, s256, verifier};
use crate::run::{EARLY, Place, Run, Seen, T0, rules, seen};
use tokentrail::atoms::{Kind, Slot};
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Pkce};
use tokentrail::judge::{Finding, Severity, State};

fn lone(flow: Flow, kind: Kind, seen: Seen) -> Finding {
    Run::new(flow, Pkce::NotObserved, vec![seen]).find(kind, EARLY)
}

fn answer(id: &str) -> Box<str> {
    let entry = rules().explanations.get(id);
    entry
        .and_then(|it| it.code_flow.clone())
        .expect("an answer")
}

fn remedy(id: &str) -> &'static str {
    &rules().explanations.remedy(id).expect("a remedy").text
}

/// What is said of a code flow is said of its code, and nothing of what follows the flow or stands before it.
#[test]
fn the_answer_of_a_flow_is_given_for_the_values_that_it_speaks_of() {
    for (flow, kind, wanted) in [
        (Flow::Implicit, Kind::AccessToken, "flow:implicit"),
        (Flow::Implicit, Kind::SessionId, "kind:session_id"),
        (Flow::Cas, Kind::SessionId, "kind:session_id"),
        (Flow::CodePkceS256, Kind::AccessToken, "kind:access_token"),
        (Flow::CodeSecret, Kind::IdToken, "kind:id_token"),
        (
            Flow::CodeNopkce,
            Kind::AuthorizationCode,
            "flow:code-nopkce",
        ),
        (Flow::CodeSecret, Kind::ClientSecret, "kind:client_secret"),
        (Flow::Unknown, Kind::ClientSecret, "kind:client_secret"),
        (
            Flow::ClientCredentials,
            Kind::ClientSecret,
            "flow:client-credentials",
        ),
        (
            Flow::ClientCredentials,
            Kind::ClientAssertion,
            "flow:client-credentials",
        ),
        (Flow::Unknown, Kind::AccessToken, "kind:access_token"),
        (Flow::Unknown, Kind::ApiKey, "kind:api_key"),
        (Flow::Ropc, Kind::Password, "flow:ropc"),
        (Flow::BearerInQuery, Kind::ApiKey, "flow:bearer-in-query"),
    ] {
        let value = seen(Place::History, T0, Role::None).with(kind, "x", 2);
        let told = lone(flow, kind, value).exposed_to.code_flow;
        assert_eq!(told, answer(wanted), "{flow:?} {kind:?}");
    }
}

/// RFC 9700 §2.1.1: S256 keeps the code from who has it alone, and from nobody who has the verifier too.
#[test]
fn what_s256_stops_is_said_of_a_code_that_it_keeps() {
    let told = |run: Run| run.find(CODE, EARLY).exposed_to.code_flow;
    assert_eq!(told(s256()), answer("flow:code-pkce-s256"));
    let open = || s256().with(verifier(Place::Storage));
    assert_eq!(told(open()), answer("kind:code_verifier"));
    let bound = keyed().with(verifier(Place::Storage));
    assert_eq!(told(bound), answer("flow:code-pkce-s256"));
}

#[test]
fn the_attack_is_by_the_place_where_the_value_lies() {
    let stored = |kind| seen(Place::Storage, T0, Role::Stored).with(kind, "token", 2);
    let visited = |kind| seen(Place::History, T0, Role::None).with(kind, "token", 2);
    // A browser's cache keeps whole responses.
    let cached = |kind| seen(Place::Storage, T0, Role::TokenResponse).with(kind, "token", 2);
    for (seen, token, code) in [
        (vec![stored], "storage-theft", "storage-theft"),
        (vec![cached], "storage-theft", "storage-theft"),
        (vec![visited], "token-in-history", "code-in-history"),
        (vec![stored, visited], "token-in-history", "code-in-history"),
    ] as [(Vec<fn(Kind) -> Seen>, &str, &str); 4]
    {
        for (kind, wanted) in [(Kind::AccessToken, token), (CODE, code)] {
            let seen = seen.iter().map(|seen| seen(kind)).collect();
            let run = Run::new(Flow::Unknown, Pkce::NotObserved, seen);
            assert_eq!(run.find(kind, EARLY).exposed_to.attack, wanted, "{kind:?}");
        }
    }
}

#[test]
fn the_remedy_of_a_token_is_by_how_it_got_there() {
    let in_fragment = access(Place::History, Role::ResponseInFragment);
    let in_query = access(Place::History, Role::ResponseInQuery);
    let logged = access(Place::Log, Role::None);
    let stored = access(Place::Storage, Role::Stored);
    let recorded = access(Place::Har, Role::TokenResponse);
    let in_cookie = access(Place::Har, Role::Stored).slot(Slot::Cookie);
    let in_header = access(Place::Log, Role::TokenResponse).slot(Slot::Header);
    // RFC 6749 §5.1: no cache may keep it.
    let cached = access(Place::Storage, Role::TokenResponse);
    for (flow, seen, wanted) in [
        (Flow::Implicit, vec![&in_fragment], "implicit"),
        (Flow::CodePkceS256, vec![&in_fragment], "token-in-url"),
        (Flow::CodePkceS256, vec![&in_query], "bearer-in-query"),
        (Flow::Unknown, vec![&logged], "bearer-in-query"),
        (Flow::CodePkceS256, vec![&stored], "storage"),
        (Flow::CodePkceS256, vec![&recorded], "capture"),
        (Flow::CodePkceS256, vec![&cached], "cache"),
        // A place in a URL is the worst, then the one that the application chose.
        (Flow::CodePkceS256, vec![&recorded, &stored], "storage"),
        (Flow::CodePkceS256, vec![&cached, &stored], "storage"),
        (Flow::CodePkceS256, vec![&cached, &recorded], "capture"),
        (Flow::CodePkceS256, vec![&in_cookie, &recorded], "capture"),
        (Flow::Unknown, vec![&in_header], "log"),
        (Flow::CodePkceS256, vec![&cached, &in_header], "log"),
        (Flow::CodePkceS256, vec![&in_header, &recorded], "log"),
        (Flow::CodePkceS256, vec![&in_header, &stored], "storage"),
        (
            Flow::CodePkceS256,
            vec![&stored, &in_query],
            "bearer-in-query",
        ),
        (
            Flow::CodePkceS256,
            vec![&cached, &in_fragment],
            "token-in-url",
        ),
    ] {
        let seen = seen.into_iter().cloned().collect();
        let run = Run::new(flow, Pkce::NotObserved, seen);
        let found = run.find(Kind::AccessToken, EARLY).remediation.text;
        assert_eq!(&*found, remedy(wanted), "{flow:?}");
    }
    // A code that a cache keeps is a code.
    let code = seen(Place::Storage, T0, Role::TokenResponse).with(CODE, "code", 1);
    let found = lone(Flow::Code, CODE, code);
    assert_eq!(&*found.remediation.text, remedy("code-in-history"));
}

/// RFC 8252 §7.3: the loopback interface is no network.
#[test]
fn plain_http_is_read_on_the_way_unless_it_stays_on_the_machine() {
    let read = |scheme, host| {
        let seen = access(Place::History, Role::ResponseInQuery).address(scheme, host);
        let told = implicit(seen).find(Kind::AccessToken, EARLY).exposed_to;
        let who = told.who.contains(&"whoever reads the network".into());
        assert_eq!(who, told.attack == "network-eavesdropping", "{host}");
        who
    };
    for host in [
        "localhost",
        "app.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
    ] {
        assert!(!read("http", host), "{host}");
    }
    for host in [
        "app.test",
        "localhost.app.test",
        "notlocalhost",
        "10.0.0.1",
        "[::2]",
    ] {
        assert!(read("http", host), "{host}");
        assert!(!read("https", host), "{host}");
    }
}

/// A narrow audience takes a step, and a usable token not below medium.
#[test]
fn what_is_bound_to_a_key_and_narrow_is_worth_little() {
    let of = |aud: &[&str]| {
        let claims = Claims {
            aud: aud.iter().map(|it| (*it).into()).collect(),
            cnf: Some("jkt".into()),
            ..super::until(T0 + 300)
        };
        let token = access(Place::History, Role::ResponseInFragment);
        let found = lone(
            Flow::Implicit,
            Kind::AccessToken,
            token.claims(claims, Signature::Unverified),
        );
        (found.now.state, found.severity)
    };
    assert_eq!(of(&["api", "other"]), (State::Bound, Severity::Medium));
    assert_eq!(of(&["api"]), (State::Bound, Severity::Low));
}

/// RFC 7516: what is encrypted to another cannot be judged, and is not called harmless.
#[test]
fn what_is_encrypted_is_said_to_be_unknown() {
    let sealed = || Claims {
        encrypted: true,
        ..Claims::default()
    };
    for kind in [Kind::RequestObject, Kind::JarmResponse] {
        let of = |claims| {
            let message = seen(Place::History, T0, Role::None).with(kind, "x", 2);
            lone(Flow::Unknown, kind, message.claims(claims, Signature::None)).now
        };
        assert_eq!(of(sealed()).state, State::Unknown);
        assert!(of(sealed()).because.contains("encrypted"));
        assert_eq!(of(Claims::default()).state, State::Inert);
    }
    let token = access(Place::History, Role::ResponseInFragment);
    let token = token.claims(sealed(), Signature::None);
    let now = lone(Flow::Implicit, Kind::AccessToken, token).now;
    assert_eq!(now.state, State::Unknown);
    assert!(now.because.contains("encrypted"), "{}", now.because);
}

/// RFC 7519 §2: `exp` is seconds since 1970, and a number may be none that any calendar has.
#[test]
fn an_expiry_that_is_no_moment_is_not_called_missing() {
    let of = |exp| {
        let claims = Claims {
            exp,
            ..Claims::default()
        };
        let token = access(Place::History, Role::ResponseInFragment);
        let token = token.claims(claims, Signature::Unverified);
        let now = lone(Flow::Implicit, Kind::AccessToken, token).now;
        assert_eq!((now.state, now.expires_at), (State::Unknown, None));
        now.because
    };
    assert_eq!(&*of(Some(i64::MAX)), "its expiry cannot be read");
    assert!(of(None).starts_with("opaque"));
}

/// One that only reads opens one object; one that writes changes it for everybody.
#[test]
fn a_signed_url_is_worth_what_it_permits_where_only_its_owner_has_it() {
    let of = |name, value| {
        let url = seen(Place::History, T0, Role::None).with(Kind::SignedUrl, "sig", 2);
        let url = url.param("se", "2026-11-23T07:00:00Z").param(name, value);
        lone(Flow::SignedUrl, Kind::SignedUrl, url).severity
    };
    assert_eq!(of("sp", "r"), Severity::High);
    assert_eq!(of("sp", "rw"), Severity::Critical);
    assert_eq!(of("ss", "b"), Severity::Critical);
}

/// RFC 9449 §7.1: the scheme of the request tells that the token is bound.
#[test]
fn a_token_that_is_sent_under_the_dpop_scheme_is_bound() {
    let of = |role, scheme| {
        let sent = seen(Place::Har, T0, role).with(Kind::AccessToken, scheme, 2);
        let sent = sent.slot(Slot::Header);
        lone(Flow::Unknown, Kind::AccessToken, sent).now.state
    };
    assert_eq!(of(Role::ResourceRequest, "DPoP"), State::Bound);
    assert_eq!(of(Role::ResourceRequest, "Bearer"), State::Unknown);
    assert_eq!(of(Role::None, "dpop"), State::Unknown);
}

/// One value may be told of in several places, and not of each as much.
#[test]
fn the_place_that_tells_most_of_a_signature_counts() {
    let token = |signature| {
        let token = access(Place::History, Role::ResponseInFragment);
        token.claims(super::until(T0 + 300), signature)
    };
    let of = |all: [Signature; 2]| {
        let [first, second] = all.map(token);
        implicit(first)
            .with(second)
            .find(Kind::AccessToken, EARLY)
            .now
    };
    for last in [Signature::None, Signature::Unverified] {
        let verified = of([Signature::Verified, last]).because;
        assert!(verified.starts_with("its signature is verified"));
        let unsigned = of([Signature::Unsigned, last]);
        assert_eq!(unsigned.state, State::Unknown);
        assert!(unsigned.because.starts_with("not-a-valid-jwt"));
    }
    let invalid = of([Signature::Invalid, Signature::Unsigned]).because;
    assert!(invalid.contains("a key that was given"), "{invalid}");
    let unverified = of([Signature::Unverified, Signature::None]).because;
    assert!(unverified.contains("unverified"), "{unverified}");
}

/// What would have kept it out of a URL is said where it came by the front channel, in whatever form.
#[test]
fn a_verifier_that_came_by_the_front_channel_belongs_into_a_token_request() {
    let came = |role, slot| {
        let value = seen(Place::Har, T0, role).with(Kind::CodeVerifier, "code_verifier", 3);
        let run = Run::new(Flow::CodePkceS256, Pkce::S256, vec![value.slot(slot)]);
        run.find(Kind::CodeVerifier, EARLY).remediation.text
    };
    for slot in [Slot::Query, Slot::Form] {
        assert_eq!(
            &*came(Role::ResponseInBody, slot),
            remedy("verifier-in-url"),
            "{slot:?}"
        );
    }
    assert_eq!(&*came(Role::TokenRequest, Slot::Form), remedy("capture"));
}

/// RFC 5849 §3.4.4: a signature that is both secrets leaves nothing of what OAuth 1.0 keeps.
#[test]
fn what_oauth_1_keeps_is_said_where_it_is_kept() {
    let told = |name| {
        let call = seen(Place::Log, T0, Role::ResourceRequest).with(Kind::Oauth1Token, name, 2);
        lone(Flow::Oauth1, Kind::Oauth1Token, call)
            .exposed_to
            .code_flow
    };
    assert_eq!(told("oauth_token"), answer("flow:oauth1"));
    assert_eq!(
        told("oauth1-plaintext-signature"),
        answer("kind:oauth1_token")
    );
}
