//! Trails, on sightings built by hand: what joins, what does not, and what no order or repetition changes.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::when::{Basis, Zone};
use tokentrail::atoms::{
    Digest, FingerprintKey, JoinKey, KeyKind, Kind, Locator, Masked, Place, Slot, Source, View,
    When, Within,
};
use tokentrail::collect::Via;
use tokentrail::detect::{
    Address, Channel, Credential, Param, REPORT, Role, Sighting, Signature, VisitKeys,
};
use tokentrail::flow::census::Census;
use tokentrail::flow::repeats::{REPEATS, Repeats, Sieve, set_aside};
use tokentrail::flow::{Correlated, Flow, Pkce, Trail, WeaknessKind, near, trails};

#[test]
fn a_callback_whose_request_is_unknown_says_nothing_of_pkce() {
    let found = correlate(vec![code_response(1, "aaaa", "s1")]);
    assert_eq!(found.trails.len(), 1);
    assert_eq!(found.trails[0].grant, Flow::Code);
    assert_eq!(found.trails[0].pkce, Pkce::NotObserved);
    assert_eq!(found.exposures[0].flow, Flow::Code);
}

#[test]
fn state_joins_request_and_response_across_sources() {
    let request = request(1, "s1", Some("ch"));
    let mut response = code_response(2, "code-a", "s1");
    response.place = place("other.log", 1);
    let found = correlate(vec![request, response]);
    assert_eq!(found.trails.len(), 1);
    assert_eq!(found.trails[0].grant, Flow::CodePkceS256);
    assert!(
        found.trails[0]
            .clues
            .iter()
            .any(|clue| clue.text.contains("`state`"))
    );
}

#[test]
fn a_request_noted_right_after_its_response_is_its_request_where_no_visits_tell_the_order() {
    let grant = |millis: i64, visited: bool| {
        let mut asked = request(2, "s1", Some("ch"));
        let mut answered = code_response(2, "code-a", "s1");
        let at = asked.at.as_mut().unwrap();
        at.instant += jiff::SignedDuration::from_millis(millis);
        if visited {
            chain(&mut asked, 1, &[]);
            chain(&mut answered, 2, &[]);
        }
        let found = correlate(vec![asked, answered]);
        found.exposures[0].flow
    };
    assert_eq!(grant(6, false), Flow::CodePkceS256);
    assert_eq!(grant(101, false), Flow::Code);
    assert_eq!(grant(6, true), Flow::Code);
}

#[test]
fn the_chain_joins_without_state() {
    let mut asked = request(1, "s1", None);
    asked.keys.clear();
    asked.params.retain(|param| &*param.name != "state");
    let mut answered = code_response(2, "code-a", "none");
    answered.keys.retain(|key| key.kind != KeyKind::State);
    chain(&mut asked, 1, &[]);
    chain(&mut answered, 2, &[(3, 1)]);
    let found = correlate(vec![asked, answered]);
    assert_eq!(found.trails.len(), 1);
    assert_eq!(found.trails[0].grant, Flow::CodeNopkce);
    let weak: Vec<_> = found.trails[0].weaknesses.iter().map(|w| w.kind).collect();
    assert_eq!(weak, [WeaknessKind::NoState, WeaknessKind::NoPkce]);
}

/// RFC 7636 §4.3: a method that is not named is plain; where the URL may have lost its end, nothing was left out.
#[test]
fn a_challenge_that_cannot_be_hashed_is_told_by_its_method() {
    let of = |method: Option<&str>, uncertain| {
        let mut asked = request(1, "s1", None);
        asked.params.push(hidden("code_challenge", Slot::Query));
        let method = method.map(|it| shown("code_challenge_method", it, Slot::Query));
        asked.params.extend(method);
        asked.place.locator = Locator::Residue {
            beside: None,
            offset: 0,
            within: Within::FreePage,
            uncertain,
        };
        correlate(vec![asked]).trails[0].pkce
    };
    assert_eq!(of(Some("s256"), false), Pkce::S256);
    assert_eq!(of(Some("plain"), false), Pkce::Plain);
    assert_eq!(of(None, false), Pkce::Plain);
    assert_eq!(of(None, true), Pkce::NotObserved);
    assert_eq!(of(Some("S256"), true), Pkce::S256);
}

#[test]
fn interleaved_tabs_are_told_apart_by_state() {
    let found = correlate(vec![
        request(1, "tab-one", Some("ch1")),
        request(2, "tab-two", None),
        code_response(3, "code-one", "tab-one"),
        code_response(4, "code-two", "tab-two"),
    ]);
    let mut grants: Vec<_> = found.trails.iter().map(|trail| trail.grant).collect();
    grants.sort();
    assert_eq!(grants, [Flow::CodeNopkce, Flow::CodePkceS256]);
}

/// What only the challenge ties to a request goes with the answer before it, and with the first where none is.
#[test]
fn what_follows_from_an_answer_goes_with_the_one_before_it() {
    let steps_of_first = |redeemed: i64| {
        let mut redeems = token_request(redeemed, "unseen", Some("the-verifier"));
        redeems.credentials.remove(0);
        redeems.keys.retain(|key| key.kind != KeyKind::Code);
        let found = correlate(vec![
            request(10, "s1", Some("the-verifier")),
            code_response(14, "code-one", "s1"),
            redeems.clone(),
            request(60, "s1", Some("the-verifier")),
            code_response(64, "code-two", "s1"),
        ]);
        let of = |id| {
            let has = |trail: &&Trail| trail.steps.iter().any(|step| step.sighting == Some(id));
            found.trails.iter().find(has).map(|trail| trail.id)
        };
        assert_eq!(found.trails.len(), 2);
        of(redeems.id) == of(digest("response-14"))
    };
    let first: Vec<bool> = [12, 14, 15, 63, 64, 65].map(steps_of_first).into();
    assert_eq!(first, [true, true, true, true, false, false]);
}

#[test]
fn a_request_that_is_sent_again_after_its_answers_is_a_run_without_one() {
    let found = correlate(vec![
        request(1, "s1", Some("v")),
        code_response(4, "code-one", "s1"),
        request(61, "s1", Some("v")),
        code_response(64, "code-two", "s1"),
        request(121, "s1", Some("v")),
    ]);
    let mut steps: Vec<usize> = found.trails.iter().map(|it| it.steps.len()).collect();
    steps.sort_unstable();
    assert_eq!(steps, [1, 2, 2]);
}

#[test]
fn a_reload_of_the_callback_is_the_same_run() {
    let mut again = code_response(30, "code-a", "s1");
    again.id = digest("again");
    again.place = place("History", 30);
    let found = correlate(vec![
        request(1, "s1", None),
        code_response(2, "code-a", "s1"),
        again,
    ]);
    assert_eq!(found.trails.len(), 1);
    assert!(
        found.trails[0]
            .clues
            .iter()
            .any(|clue| clue.text.contains("loaded 2 times"))
    );
}

#[test]
fn a_constant_state_joins_nothing_and_is_a_weakness() {
    let found = correlate(vec![
        request(1, "constant", Some("ch1")),
        code_response(2, "code-one", "constant"),
        request(3, "constant", Some("ch2")),
        code_response(4, "code-two", "constant"),
        request(5, "constant", Some("ch3")),
        code_response(6, "code-three", "constant"),
    ]);
    assert_eq!(found.trails.len(), 3);
    for trail in &found.trails {
        assert_eq!(trail.grant, Flow::CodePkceS256);
        let kinds: Vec<_> = trail.weaknesses.iter().map(|w| w.kind).collect();
        assert_eq!(kinds, [WeaknessKind::ConstantState]);
    }
}

/// A client that tries again and again with one `state`, and fails each time.
fn failing(times: i64) -> Vec<Sighting> {
    let attempt = |number: i64| {
        let mut failed = code_response(2 * number + 1, "none", "s1");
        failed
            .params
            .push(shown("error", "access_denied", Slot::Query));
        failed.credentials.clear();
        failed.keys.retain(|key| key.kind == KeyKind::State);
        [request(2 * number, "s1", None), failed]
    };
    (0..times).flat_map(attempt).collect()
}

#[test]
fn of_many_requests_with_one_state_the_nearest_before_an_answer_are_compared() {
    let mut rows = failing(100);
    // The requests of the first half, and one answer in their midst.
    rows.retain(|row| row.role == Role::AuthorizationRequest || row.id == digest("response-101"));
    let found = correlate(rows);
    assert_eq!(found.trails.len(), 1);
    let mut clues = found.trails[0].clues.iter();
    let tied = clues.find(|clue| clue.text.starts_with("`state`")).unwrap();
    let mut nearest: Vec<Digest> = (43..=50)
        .map(|number| digest(&format!("request-{}", 2 * number)))
        .collect();
    nearest.push(digest("response-101"));
    let sorted = |mut ids: Vec<Digest>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(tied.sightings.clone()), sorted(nearest));
}

/// Each answer beside each request would be four hundred million reasons, and more than memory holds.
#[test]
fn many_requests_and_many_failures_with_one_state_are_one_run() {
    let found = correlate(failing(20_000));
    assert_eq!(found.trails.len(), 1);
    assert_eq!(found.trails[0].grant, Flow::Failed);
    assert_eq!(found.trails[0].steps.len(), 40_000);
}

/// Three answers make a key constant, two do not, and what a refresh brings may repeat it.
#[test]
fn what_answers_a_nonce_or_a_challenge_is_counted() {
    let weak = |of: KeyKind, answers: i64, row: &dyn Fn(i64) -> Sighting| {
        let mut census = Census::default();
        (0..answers).for_each(|number| census.add(&row(number)));
        let mut keys = row(0).keys;
        keys.retain(|key| key.kind == of);
        assert_eq!(keys.len(), 1);
        census.common().weak.contains(&keys[0])
    };
    let id_token = |role: Role| {
        move |number: i64| {
            let nonce = key(KeyKind::Nonce, "constant");
            let mut row = blank("answer", number, role, "app.example.com", "/cb");
            let value = format!("id-token-{number}");
            hold(&mut row, Kind::IdToken, "id_token", &value, Slot::Fragment);
            row.credentials[0].keys.push(nonce);
            row.keys.push(nonce);
            row
        }
    };
    let in_fragment = id_token(Role::ResponseInFragment);
    let in_answer = id_token(Role::TokenResponse);
    let redeemed = |number| token_request(number, &format!("code-{number}"), Some("verifier"));
    let again = |number| token_request(number, "code", Some("verifier"));
    assert!(!weak(KeyKind::Nonce, 2, &in_fragment));
    assert!(weak(KeyKind::Nonce, 3, &in_fragment));
    assert!(!weak(KeyKind::Nonce, 3, &in_answer));
    for of in [KeyKind::ChallengeS256, KeyKind::ChallengePlain] {
        assert!(!weak(of, 2, &redeemed));
        assert!(weak(of, 3, &redeemed));
        assert!(!weak(of, 3, &again));
    }
}

/// Without a time each answer could have any of the requests: four hundred million, and more than memory holds.
#[test]
fn of_many_requests_without_a_time_each_answer_has_what_is_tied_to_it() {
    let login = |number: i64| {
        let mut asked = request(2 * number, "none", Some("constant"));
        let mut answered = code_response(2 * number + 1, &format!("code-{number}"), "none");
        for row in [&mut asked, &mut answered] {
            row.at = None;
            row.keys.retain(|key| key.kind != KeyKind::State);
        }
        chain(&mut asked, 2 * number, &[]);
        chain(&mut answered, 2 * number + 1, &[(1, 2 * number)]);
        [asked, answered]
    };
    let found = correlate((0..20_000).flat_map(login).collect());
    assert_eq!(found.trails.len(), 20_000);
    assert!(found.trails.iter().all(|trail| trail.steps.len() == 2));
}

#[test]
fn a_candidate_is_promoted_by_the_request_that_named_its_place() {
    let mut lone = code_response(2, "code-a", "none");
    lone.keys.retain(|key| key.kind != KeyKind::State);
    lone.credentials[0].score = 30;
    assert!(correlate(vec![lone.clone()]).exposures.is_empty());
    let found = correlate(vec![request(1, "s1", None), lone]);
    assert_eq!(found.exposures.len(), 1);
}

#[test]
fn a_candidate_is_promoted_by_a_request_right_before_it() {
    let promoted = |before: Role, link: &dyn Fn(&mut Sighting, &mut Sighting)| {
        let mut asked = request(1, "s1", None);
        asked.role = before;
        asked.redirect = None;
        let mut lone = code_response(2, "code-a", "none");
        lone.keys.retain(|key| key.kind != KeyKind::State);
        lone.credentials[0].score = 30;
        link(&mut asked, &mut lone);
        correlate(vec![asked, lone]).exposures.len()
    };
    let hops = |hops: u8| {
        move |asked: &mut Sighting, lone: &mut Sighting| {
            chain(asked, 1, &[]);
            chain(lone, 2, &[(hops, 1)]);
        }
    };
    let exchange = |asked: &mut Sighting, lone: &mut Sighting| {
        let one = Some(key(KeyKind::Exchange, "one"));
        (asked.exchange, lone.exchange) = (one, one);
    };
    let request = Role::AuthorizationRequest;
    assert_eq!(promoted(request, &hops(1)), 1);
    assert_eq!(promoted(request, &exchange), 1);
    assert_eq!(promoted(request, &hops(2)), 0);
    assert_eq!(promoted(Role::None, &hops(1)), 0);
    assert_eq!(promoted(request, &|_, _| {}), 0);
}

#[test]
fn a_candidate_is_promoted_by_the_token_request_that_redeems_it() {
    let mut lone = code_response(2, "code-a", "none");
    let mut redeems = token_request(3, "code-a", None);
    for row in [&mut lone, &mut redeems] {
        row.credentials[0].score = 30;
    }
    assert_eq!(correlate(vec![lone.clone()]).exposures.len(), 0);
    assert_eq!(correlate(vec![lone, redeems]).exposures.len(), 1);
}

/// What is on many pages of a site under one name is the site's own, wherever a request sends its answer.
#[test]
fn a_candidate_on_four_pages_of_a_site_is_not_promoted() {
    let on = |pages: i64| {
        let mut rows = vec![request(1, "s1", None)];
        for number in 0..pages {
            let path = format!("/page/{number}");
            let mut page = blank("page", 10 + number, Role::None, "app.example.com", &path);
            hold(
                &mut page,
                Kind::AuthorizationCode,
                "code",
                "code-a",
                Slot::Query,
            );
            page.landing = Some(digest("landing"));
            page.credentials[0].score = 30;
            rows.push(page);
        }
        correlate(rows).exposures.len()
    };
    assert_eq!((on(3), on(4)), (1, 0));
}

#[test]
fn a_value_of_two_names_is_what_says_more() {
    let named = |one, other| {
        let mut rows = [
            blank("one", 1, Role::None, "app.example.com", "/one"),
            blank("other", 2, Role::None, "app.example.com", "/other"),
        ];
        hold(&mut rows[0], one, "one", "the-value", Slot::Query);
        hold(&mut rows[1], other, "other", "the-value", Slot::Query);
        correlate(rows.to_vec()).exposures[0].kind
    };
    for (less, more) in [
        (Kind::OpaqueToken, Kind::SessionId),
        (Kind::SessionId, Kind::OneTimeLink),
        (Kind::SessionId, Kind::AccessToken),
        (Kind::OneTimeLink, Kind::AccessToken),
        (Kind::AccessToken, Kind::RefreshToken),
    ] {
        assert_eq!(named(less, more), more, "{less:?}");
        assert_eq!(named(more, less), more, "{less:?}");
    }
}

/// RFC 6750 §2.3: a call has its token in the query; a page was handed it.
#[test]
fn a_token_in_the_query_of_an_api_is_a_call_and_in_that_of_a_page_handed_over() {
    let of = |host: &str, path: &str, visited: bool| {
        let mut row = blank("page", 1, Role::None, host, path);
        hold(&mut row, Kind::AccessToken, "t", "the-token", Slot::Query);
        if visited {
            chain(&mut row, 1, &[]);
        }
        correlate(vec![row]).exposures[0].flow
    };
    let (call, handed) = (Flow::BearerInQuery, Flow::HandoffQuery);
    for path in ["/api/orders", "/v2/orders", "/v1.1/orders"] {
        assert_eq!(of("www.example.com", path, true), call, "{path}");
    }
    assert_eq!(of("api.example.com", "/orders", true), call);
    for path in ["/orders", "/video/orders", "/v/orders", "/login/done"] {
        assert_eq!(of("www.example.com", path, true), handed, "{path}");
    }
    // Where no browser tells of a visit, only a page's name speaks for one.
    assert_eq!(of("www.example.com", "/orders", false), call);
    assert_eq!(of("www.example.com", "/login/done", false), handed);
}

#[test]
fn two_requests_without_a_time_and_a_key_are_one() {
    let asked = |at: Option<When>, number| {
        let mut row = request(number, "none", None);
        row.keys.clear();
        row.params.retain(|param| &*param.name != "state");
        row.at = at;
        row
    };
    let timed = asked(None, 1).at.or(request(1, "none", None).at);
    let trails = |rows| correlate(rows).trails.len();
    assert_eq!(trails(vec![asked(None, 1), asked(None, 2)]), 1);
    // With a time and without, nothing tells.
    assert_eq!(trails(vec![asked(None, 1), asked(timed, 2)]), 2);
}

#[test]
fn what_cannot_answer_has_no_request_near_it() {
    let near = |kind, slot| {
        let mut page = blank("page", 2, Role::None, "app.example.com", "/cb");
        hold(&mut page, kind, "x", "value", slot);
        let mut rows = [request(1, "s1", None), page];
        near::note(&mut rows);
        rows[1].near.len()
    };
    assert_eq!(near(Kind::AuthorizationCode, Slot::Query), 1);
    assert_eq!(near(Kind::SessionId, Slot::Query), 0);
    assert_eq!(near(Kind::AuthorizationCode, Slot::Form), 0);
}

/// How many requests stand near a response, which makes one group of them, and the response's own chain and keys.
fn near_response(change: impl Fn(&mut [Sighting; 3])) -> usize {
    let mut rows = [
        request(1, "s1", None),
        blank("page", 2, Role::None, "idp.example.com", "/login"),
        code_response(3, "code-a", "s2"),
    ];
    change(&mut rows);
    near::note(&mut rows);
    let requests = rows.iter().map(|row| near::by_id(row.id));
    requests.filter(|id| rows[2].near.contains(id)).count()
}

#[test]
fn a_response_whose_request_is_named_is_near_no_other() {
    assert_eq!(near_response(|_| {}), 1);
    // By a key, unless it is constant. Another source may show that it is, so that the request is noted all the same.
    let named = |rows: &mut [Sighting; 3]| {
        rows[1] = request(2, "s3", None);
        rows[2].keys.push(key(KeyKind::State, "s1"));
    };
    assert_eq!(near_response(named), 1);
    let constant = |rows: &mut [Sighting; 3]| {
        rows[1] = request(2, "s1", Some("a"));
        with_challenge(&mut rows[0], &s256("b"));
        rows[2].keys = vec![key(KeyKind::State, "s1")];
    };
    assert_eq!(near_response(constant), 2);
    // By its exchange.
    let answered = |rows: &mut [Sighting; 3]| {
        let exchange = Some(key(KeyKind::Exchange, "one"));
        (rows[0].exchange, rows[2].exchange) = (exchange, exchange);
    };
    assert_eq!(near_response(answered), 0);
}

/// A `state` that serves several logins ties each answer to its own request, whether or not one file holds them all.
#[test]
fn how_logins_with_one_state_are_cut_into_files_changes_nothing() {
    let flows = |files: &dyn Fn(i64) -> String, logins: i64| {
        let login = |number: i64| {
            let code = format!("code-{number}");
            let second = 3600 * number;
            let mut rows = [
                request(second, "constant", Some(&format!("verifier-{number}"))),
                code_response(second + 9, &code, "constant"),
            ];
            for (line, row) in (2 * number..).zip(&mut rows) {
                row.place = place(&files(number), u64::try_from(line).unwrap());
            }
            rows
        };
        let found = correlate((0..logins).flat_map(login).collect());
        let flows: Vec<Flow> = found.exposures.iter().map(|it| it.flow).collect();
        (found.trails.len(), flows)
    };
    for logins in 1..5 {
        let number = usize::try_from(logins).unwrap();
        let all = (number, vec![Flow::CodePkceS256; number]);
        assert_eq!(flows(&|_| "one.log".into(), logins), all);
        assert_eq!(flows(&|number| format!("{number}.log"), logins), all);
        assert_eq!(flows(&|number| format!("{}.log", number % 2), logins), all);
    }
}

#[test]
fn a_chain_names_the_request_that_it_leads_to_first() {
    let behind = |hops: u8, page: Role| {
        near_response(|rows| {
            rows[1].role = page;
            chain(&mut rows[0], 1, &[]);
            chain(&mut rows[1], 2, &[(1, 1)]);
            chain(&mut rows[2], 3, &[(hops - 1, 2), (hops, 1)]);
        })
    };
    assert_eq!(behind(2, Role::None), 0);
    assert_eq!(behind(12, Role::None), 0);
    assert_eq!(behind(13, Role::None), 1);
    // What lies behind another response may have been answered by that one.
    assert_eq!(behind(2, Role::ResponseInQuery), 1);
}

#[test]
fn what_may_be_one_request_without_a_key_shares_a_stretch_of_time() {
    let shared = |begin: i64, after: i64, change: &dyn Fn(&mut Sighting)| {
        let mut rows = [begin, begin + after].map(|second| {
            let mut row = request(second, "none", None);
            row.keys.clear();
            row
        });
        change(&mut rows[1]);
        near::note(&mut rows);
        rows[0].near.iter().any(|key| rows[1].near.contains(key))
    };
    let same = |_: &mut Sighting| {};
    for begin in 0..12 {
        assert!(shared(begin, 0, &same) && shared(begin, 5, &same));
        assert!(!shared(begin, 10, &same), "{begin}");
    }
    assert!(!shared(0, 0, &|row| row.redirect = Some(digest("other"))));
    assert!(!shared(0, 0, &|row| row.params[0] =
        shown("client_id", "other", Slot::Query)));
}

/// RFC 9126 §2.2: the answer to a pushed request stands for the request.
#[test]
fn only_the_answer_of_a_pushed_request_belongs_to_requests() {
    let near = |response_type: bool| {
        let mut pushed = blank("push", 1, Role::TokenRequest, "idp.example.com", "/par");
        pushed.params = vec![shown("client_id", "app", Slot::Form)];
        if response_type {
            let of_code = shown("response_type", "code", Slot::Form);
            pushed.params.push(of_code);
        }
        let mut answer = blank("answer", 1, Role::TokenResponse, "idp.example.com", "/par");
        let exchange = Some(key(KeyKind::Exchange, "one"));
        (pushed.exchange, answer.exchange) = (exchange, exchange);
        let mut rows = [request(1, "s1", None), pushed, answer];
        near::note(&mut rows);
        (rows[1].near.is_empty(), rows[2].near.is_empty())
    };
    assert_eq!(near(true), (false, false));
    assert_eq!(near(false), (true, true));
}

/// A row of a log with the one token; the same but for its time and place.
fn repeated(number: usize, param: &str) -> Sighting {
    let second = i64::try_from(number).unwrap();
    let mut row = blank(
        "call",
        second,
        Role::ResourceRequest,
        "api.example.com",
        "/",
    );
    row.id = digest(&format!("{param} {number}"));
    row.params.push(shown("page", param, Slot::Query));
    hold(&mut row, Kind::AccessToken, "t", "the-token", Slot::Query);
    row
}

#[test]
fn the_first_thousand_of_one_message_are_kept_and_the_others_counted() {
    // The latest first: which are kept does not depend on the order.
    let rows = (0..REPEATS + 3).rev().map(|at| repeated(at, "1")).collect();
    let (kept, repeats) = set_aside(rows);
    assert_eq!(kept.len(), REPEATS);
    let last = kept.iter().filter_map(|row| row.at).max().unwrap();
    let token = kept[0].credentials[0].id;
    let aside: Vec<_> = repeats.of(token).map(|(_, it)| *it).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].count, 3);
    assert!(aside[0].first.unwrap() > last && aside[0].last.unwrap() > aside[0].first.unwrap());
}

#[test]
fn visits_other_messages_and_rows_without_values_are_no_repeats() {
    let mut rows: Vec<Sighting> = (0..REPEATS).map(|at| repeated(at, "1")).collect();
    rows.extend((0..REPEATS).map(|at| repeated(at, "2")));
    let mut visited = repeated(REPEATS, "1");
    chain(&mut visited, 1, &[]);
    rows.push(visited);
    rows.push(blank("none", 1, Role::None, "api.example.com", "/"));
    let all = rows.len();
    let (kept, repeats) = set_aside(rows);
    assert_eq!((kept.len(), repeats == Repeats::default()), (all, true));
    let mut sieve = Sieve::default();
    sieve.keep(repeated(1, "1"));
    assert_eq!(sieve.finish().0.len(), 1);
}

/// RFC 6749 §2.3.1: a secret stands in the body or in a header. A log that writes bodies was told to write all; of one
/// that has URLs alone nothing is concluded.
#[test]
fn a_client_is_public_where_a_secret_would_have_been_recorded() {
    let grant = |slot| {
        let mut redeems = token_request(3, "code-a", None);
        redeems.params = vec![shown("grant_type", "authorization_code", slot)];
        let login = vec![request(1, "s1", None), code_response(2, "code-a", "s1")];
        let all = login.into_iter().chain([redeems]).collect();
        correlate(all).trails[0].grant
    };
    assert_eq!(grant(Slot::Form), Flow::CodeNopkcePublic);
    assert_eq!(grant(Slot::Query), Flow::CodeNopkce);
}

#[test]
fn every_clue_and_weakness_names_a_sighting_of_its_trail() {
    let mut redeems = token_request(3, "code-a", None);
    redeems.place.locator = Locator::Entry {
        index: 0,
        pointer: "/log".into(),
        line: 1,
        column: 1,
    };
    let found = correlate(vec![
        request(1, "s1", None),
        code_response(2, "code-a", "s1"),
        redeems,
    ]);
    let trail = &found.trails[0];
    assert_eq!(trail.grant, Flow::CodeNopkce);
    assert!(!trail.clues.is_empty());
    let members: Vec<_> = trail
        .steps
        .iter()
        .filter_map(|step| step.sighting)
        .collect();
    for ids in trail
        .clues
        .iter()
        .map(|c| &c.sightings)
        .chain(trail.weaknesses.iter().map(|w| &w.sightings))
    {
        assert!(!ids.is_empty());
        assert!(ids.iter().all(|id| members.contains(id)));
    }
}

#[test]
fn the_published_verifiers_open_their_challenges() {
    // RFC 7636 appendix B, and GitLab's OAuth documentation.
    let vectors = [
        (
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        (
            "ks02i3jdikdo2k0dkfodf3m39rjfjsdk0wk349rj3jrhf",
            "2i0WFA-0AerkjQm4X4oDEhqA17QIAKNjXpagHBXmO_U",
        ),
    ];
    for (verifier, challenge) in vectors {
        assert_eq!(s256(verifier), challenge);
        let mut asked = request(1, "s1", None);
        with_challenge(&mut asked, challenge);
        let found = correlate(vec![asked, token_request(2, "code-a", Some(verifier))]);
        assert_eq!(found.trails.len(), 1);
        assert_eq!(found.trails[0].pkce, Pkce::S256);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn order_and_repetition_change_nothing(world in world(), seed in any::<u64>()) {
        let plain = correlate(world.clone());
        let mut mixed = world.clone();
        mixed.extend(world.iter().take(world.len() / 2).cloned());
        shuffle(&mut mixed, seed);
        prop_assert_eq!(plain, correlate(mixed));
    }

    #[test]
    fn rows_without_a_common_key_change_no_other_finding(world in world()) {
        let before = correlate(world.clone());
        let mut more = world;
        more.push(stranger());
        let after = correlate(more);
        for exposure in &before.exposures {
            let same = after.exposures.iter().find(|other| other.credential == exposure.credential);
            let same = same.expect("the exposure is still there");
            prop_assert_eq!((exposure.kind, exposure.flow, exposure.seen.len()), (same.kind, same.flow, same.seen.len()));
        }
        for trail in &before.trails {
            prop_assert!(after.trails.contains(trail));
        }
    }

    #[test]
    fn removing_requests_never_yields_a_stronger_statement_about_pkce(world in world()) {
        let whole = correlate(world.clone());
        let without = correlate(world.into_iter().filter(|s| s.role != Role::AuthorizationRequest).collect());
        for exposure in without.exposures.iter().filter(|e| e.kind == Kind::AuthorizationCode) {
            let of = |found: &Correlated| -> Vec<Pkce> {
                let exposure = found.exposures.iter().find(|e| e.credential == exposure.credential);
                exposure.map(|e| e.trails.iter().map(|at| found.trails[*at].pkce).collect()).unwrap_or_default()
            };
            for pkce in of(&without) {
                // With a token request that has no verifier, `none` is what the token request itself says.
                let stated = of(&whole);
                prop_assert!(pkce == Pkce::NotObserved || pkce == Pkce::VerifierOnly || stated.contains(&pkce), "{pkce:?} of {stated:?}");
            }
        }
    }

    #[test]
    fn a_verifier_opens_exactly_its_own_challenge(verifier in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}") {
        let mut asked = request(1, "s1", None);
        with_challenge(&mut asked, &s256(&other));
        let found = correlate(vec![asked, token_request(2, "code-a", Some(&verifier))]);
        prop_assert_eq!(found.trails.len() == 1, verifier == other);
    }
}

fn correlate(sightings: Vec<Sighting>) -> Correlated {
    static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::builtin().expect("the built-in rules"));
    trails(sightings, &RULES)
}

/// Runs of a code flow, each with or without its request, its challenge, and its token request.
fn world() -> impl Strategy<Value = Vec<Sighting>> {
    let run = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0_u8..3,
        any::<bool>(),
    );
    prop::collection::vec(run, 1..8).prop_map(|runs| {
        let mut world = Vec::new();
        for (number, (asked, pkce, redeemed, state, elsewhere)) in runs.into_iter().enumerate() {
            let second = i64::try_from(number).unwrap() * 7;
            // Some runs share a state: a client that reuses it.
            let state = if state == 0 {
                "shared".to_owned()
            } else {
                format!("state-{number}")
            };
            let verifier = format!("{number:043}");
            if asked {
                world.push(request(second, &state, pkce.then_some(&*verifier)));
            }
            let code = format!("code-{number}");
            let mut response = code_response(second + 1, &code, &state);
            if elsewhere {
                response.place = place("access.log", u64::try_from(second).unwrap());
            }
            world.push(response);
            if redeemed {
                world.push(token_request(second + 2, &code, pkce.then_some(&*verifier)));
            }
        }
        world
    })
}

/// A row of another site, that shares nothing with the world.
fn stranger() -> Sighting {
    let mut row = code_response(3, "the-stranger", "of-the-stranger");
    row.landing = Some(digest("stranger-landing"));
    row.place = place("Stranger", 1);
    row
}

fn request(second: i64, state: &str, verifier: Option<&str>) -> Sighting {
    let mut row = blank(
        "request",
        second,
        Role::AuthorizationRequest,
        "idp.example.com",
        "/authorize",
    );
    row.params = vec![
        shown("client_id", "app", Slot::Query),
        shown("response_type", "code", Slot::Query),
        shown("redirect_uri", "https://app.example.com/cb", Slot::Query),
        hidden("state", Slot::Query),
    ];
    row.redirect = Some(digest("landing"));
    row.keys.push(key(KeyKind::State, state));
    if let Some(verifier) = verifier {
        with_challenge(&mut row, &s256(verifier));
    }
    row
}

fn with_challenge(row: &mut Sighting, challenge: &str) {
    row.params.push(hidden("code_challenge", Slot::Query));
    row.params
        .push(shown("code_challenge_method", "S256", Slot::Query));
    row.keys.push(key(KeyKind::ChallengeS256, challenge));
}

fn code_response(second: i64, code: &str, state: &str) -> Sighting {
    let mut row = blank(
        "response",
        second,
        Role::ResponseInQuery,
        "app.example.com",
        "/cb",
    );
    row.landing = Some(digest("landing"));
    row.params = vec![hidden("state", Slot::Query)];
    row.keys.push(key(KeyKind::State, state));
    hold(&mut row, Kind::AuthorizationCode, "code", code, Slot::Query);
    row
}

fn token_request(second: i64, code: &str, verifier: Option<&str>) -> Sighting {
    let mut row = blank(
        "redeem",
        second,
        Role::TokenRequest,
        "idp.example.com",
        "/token",
    );
    row.channel = Channel::Direct;
    row.exchange = Some(key(KeyKind::Exchange, &format!("token-{second}")));
    row.params = vec![shown("grant_type", "authorization_code", Slot::Form)];
    hold(&mut row, Kind::AuthorizationCode, "code", code, Slot::Form);
    if let Some(verifier) = verifier {
        hold(
            &mut row,
            Kind::CodeVerifier,
            "code_verifier",
            verifier,
            Slot::Form,
        );
        row.keys.push(key(KeyKind::ChallengeS256, &s256(verifier)));
        row.keys.push(key(KeyKind::ChallengePlain, verifier));
    }
    row
}

fn blank(what: &str, second: i64, role: Role, host: &str, path: &str) -> Sighting {
    Sighting {
        id: digest(&format!("{what}-{second}")),
        place: place("History", u64::try_from(second).unwrap()),
        at: Some(When {
            instant: Timestamp::from_second(1_770_000_000 + second).unwrap(),
            basis: Basis::Visit,
            zone: Zone::Stated,
        }),
        via: Via::Unknown,
        visit: None,
        exchange: None,
        role,
        method: None,
        status: None,
        channel: Channel::Front,
        store: None,
        url: None,
        address: Some(Address {
            scheme: "https".into(),
            host: host.into(),
            port: None,
            path: path.into(),
        }),
        landing: None,
        redirect: None,
        params: Vec::new(),
        credentials: Vec::new(),
        keys: Vec::new(),
        near: Vec::new(),
    }
}

fn hold(row: &mut Sighting, kind: Kind, name: &str, value: &str, slot: Slot) {
    let keys = match kind {
        Kind::AuthorizationCode => vec![key(KeyKind::Code, value)],
        _ => Vec::new(),
    };
    row.keys.extend(&keys);
    row.credentials.push(Credential {
        id: digest(value),
        kind,
        rule: Arc::from("test"),
        slot,
        name: name.into(),
        nesting: Vec::new(),
        shown: Masked::vouch("opaque, 20 characters"),
        fingerprint: Some(digest(value)),
        keys,
        claims: None,
        signature: Signature::None,
        score: REPORT,
    });
}

fn chain(row: &mut Sighting, own: i64, ancestors: &[(u8, i64)]) {
    let visit = |id: i64| key(KeyKind::Visit, &id.to_string());
    row.visit = Some(Box::new(VisitKeys {
        own: visit(own),
        ancestors: ancestors
            .iter()
            .map(|(hops, id)| (*hops, visit(*id)))
            .collect(),
    }));
}

fn place(path: &str, number: u64) -> Place {
    Place {
        source: Arc::new(Source {
            path: path.into(),
            ..Source::default()
        }),
        locator: Locator::Line { number, byte: 0 },
        view: View::Live,
    }
}

fn shown(name: &str, value: &str, slot: Slot) -> Param {
    Param {
        name: name.into(),
        value: Some(value.into()),
        slot,
    }
}

fn hidden(name: &str, slot: Slot) -> Param {
    Param {
        name: name.into(),
        value: None,
        slot,
    }
}

fn key(kind: KeyKind, value: &str) -> JoinKey {
    JoinKey {
        kind,
        digest: digest(value),
    }
}

fn digest(value: &str) -> Digest {
    FingerprintKey::new(*b"test")
        .digest("test", value.as_bytes())
        .unwrap()
}

fn s256(verifier: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()))
}

/// Fisher-Yates with a linear congruential generator (Knuth's MMIX constants).
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for at in (1..items.len()).rev() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(seed >> 33).unwrap() % (at + 1);
        items.swap(at, other);
    }
}
