//! Whose hands a value is in, and what a thief of each profile can do.

use super::{CODE, implicit, until, verifier};
use crate::run::{CHALLENGE, EARLY, Place, Run, T0, grips, profile_state, profiles, seen};
use tokentrail::atoms::{KeyKind, Kind};
use tokentrail::detect::{Claims, Role, Signature};
use tokentrail::flow::{Flow, Pkce};
use tokentrail::judge::State;

#[test]
fn profiles_are_told_in_the_order_of_their_names() {
    let token = |path, name| {
        seen(Place::History, T0, Role::ResponseInFragment)
            .profile(path, name)
            .with(Kind::AccessToken, "access_token", 2)
    };
    let run = implicit(token("a/History", "Work")).with(token("b/History", "Home"));
    let names = profiles(&run, EARLY).into_iter().map(|it| it.profile);
    let names: Vec<_> = names.flatten().collect();
    assert_eq!(names, ["Home".into(), "Work".into()]);
}

/// Two nameless files may belong to two people: what lies in one opens nothing in the other.
#[test]
fn a_nameless_file_is_a_profile_of_its_own() {
    let code = |path| {
        let asked = seen(Place::History, T0 - 10, Role::AuthorizationRequest);
        let asked = asked.nameless(path).key(KeyKind::ChallengeS256, CHALLENGE);
        let code = seen(Place::History, T0, Role::ResponseInQuery).nameless(path);
        let seen = vec![asked, code.with(CODE, "code", 1)];
        Run::new(Flow::CodePkceS256, Pkce::S256, seen)
    };
    let state = |kept| {
        let run = code("a/History").with(verifier(Place::Storage).nameless(kept));
        run.find(CODE, EARLY).now.state
    };
    assert_eq!(state("a/History"), State::Replayable);
    assert_eq!(state("b/History"), State::Guarded);

    let run = code("a/History").with(verifier(Place::Storage));
    let all = profiles(&run, EARLY);
    let paths = all
        .iter()
        .map(|it| it.nameless.as_ref().map(|it| &*it.path));
    assert_eq!(paths.collect::<Vec<_>>(), [Some("a/History"), None]);
    let names = all.iter().map(|it| it.profile.as_deref());
    assert_eq!(names.collect::<Vec<_>>(), [None, Some("Default")]);
}

/// What is usable by itself is usable by each thief; what another value must open, by the thief of both.
#[test]
fn each_thief_has_what_that_profile_alone_allows() {
    let of = |run: &Run| {
        let all = profiles(run, EARLY);
        all.iter().map(grips).collect::<Vec<_>>()
    };
    let token = |path, name| {
        seen(Place::History, T0, Role::ResponseInFragment)
            .profile(path, name)
            .param("expires_in", "3600")
            .with(Kind::AccessToken, "access_token", 2)
    };
    let both = implicit(token("a/History", "Work")).with(token("b/History", "Home"));
    let live = vec![("call_api", State::Live)];
    assert_eq!(of(&both), [live.clone(), live]);

    let code = |path, name| {
        let code = seen(Place::History, T0, Role::ResponseInQuery);
        code.profile(path, name).with(CODE, "code", 1)
    };
    let asked = seen(Place::History, T0 - 10, Role::AuthorizationRequest)
        .profile("a/History", "Work")
        .key(KeyKind::ChallengeS256, CHALLENGE);
    let seen = vec![asked, code("a/History", "Work"), code("b/History", "Home")];
    let run = Run::new(Flow::CodePkceS256, Pkce::S256, seen);
    let run = run.with(verifier(Place::Storage).profile("a/Session Storage", "Work"));
    assert_eq!(of(&run), [vec![], vec![("redeem_code", State::Replayable)]]);
}

/// Findings come worst first by severity, and a token that nothing dates may stand before one that is live.
#[test]
fn of_several_tokens_of_one_application_the_worst_counts() {
    let token = |id| {
        let seen = seen(Place::History, T0, Role::ResponseInFragment);
        seen.with(Kind::AccessToken, "access_token", id)
    };
    let narrow = Claims {
        aud: vec!["api".into()],
        ..until(T0 + 300)
    };
    let live = token(3).claims(narrow, Signature::Unverified);
    let run = implicit(token(2)).with(live);
    let states: Vec<State> = run.findings(EARLY).iter().map(|it| it.now.state).collect();
    assert_eq!(states, [State::Unknown, State::Live]);
    assert_eq!(profile_state(&run, EARLY), [("call_api", State::Live)]);
}
