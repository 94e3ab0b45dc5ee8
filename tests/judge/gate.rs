//! Which findings make a run fail: by each selector, at each moment, in each channel.

use super::{CODE, access, callback, implicit, s256, without_pkce};
use crate::run::{Place, Run, T0, seen};
use tokentrail::atoms::Kind;
use tokentrail::detect::Role;
use tokentrail::flow::{Flow, Pkce, WeaknessKind};
use tokentrail::judge::gate::{Gate, Moment, Selector};
use tokentrail::judge::{Severity, State};

fn gate(selector: Selector, moment: Moment) -> Gate {
    Gate {
        selectors: vec![selector],
        moment,
        direct: true,
    }
}

/// A code without PKCE: `high` when it was exposed, expired and `low` now.
fn stale() -> Run {
    without_pkce(Flow::CodeNopkcePublic)
}

#[test]
fn a_selector_selects_what_it_names_and_nothing_else() {
    let meets = |selector| stale().meets(CODE, &gate(selector, Moment::AtExposure));
    assert!(meets(Selector::Flow(Flow::CodeNopkcePublic)));
    assert!(!meets(Selector::Flow(Flow::Implicit)));
    assert!(meets(Selector::Kind(CODE)));
    assert!(!meets(Selector::Kind(Kind::AccessToken)));
    assert!(meets(Selector::Verdict(State::Replayable)));
    assert!(!meets(Selector::Verdict(State::Expired)));
    assert!(meets(Selector::Severity(Severity::Critical)));
    assert!(!meets(Selector::Never));
}

#[test]
fn the_gate_now_asks_for_what_is_usable_now_and_for_weak_flows() {
    let now = |selector| gate(selector, Moment::Now);
    assert!(stale().meets(CODE, &now(Selector::Verdict(State::Expired))));
    // Dead as it is, it is not dangerous, however low the bar.
    assert!(!stale().meets(CODE, &now(Selector::Severity(Severity::Info))));
    let key = || {
        let key = seen(Place::History, T0, Role::None).with(Kind::ApiKey, "key", 2);
        Run::new(Flow::Unknown, Pkce::NotObserved, vec![key])
    };
    assert!(key().meets(Kind::ApiKey, &now(Selector::Severity(Severity::High))));
    assert!(!key().meets(Kind::ApiKey, &now(Selector::Severity(Severity::Critical))));
    // A flow stays weak when its tokens have died.
    let weak = || stale().weakness(WeaknessKind::NoPkce);
    let of = |least| weak().meets(Kind::FlowWeakness, &now(Selector::Severity(least)));
    assert!(of(Severity::Medium));
    assert!(!of(Severity::High));
    let only = |kinds| weak().meets(Kind::FlowWeakness, &now(Selector::Weakness(kinds)));
    assert!(only(&[WeaknessKind::NoPkce]));
    assert!(!only(&[WeaknessKind::NoState]));
}

#[test]
fn what_only_the_direct_channel_of_a_capture_shows_counts_on_demand() {
    let answer = || access(Place::Har, Role::TokenResponse).captured();
    let meets = |run: Run, direct| {
        let gate = Gate {
            direct,
            ..gate(Selector::Severity(Severity::Info), Moment::AtExposure)
        };
        run.meets(Kind::AccessToken, &gate)
    };
    assert!(meets(implicit(answer()), true));
    assert!(!meets(implicit(answer()), false));
    // The same in a log, or in the address bar of the capture, is no matter of recording.
    assert!(meets(
        implicit(access(Place::Log, Role::TokenResponse)),
        false
    ));
    let front = access(Place::Har, Role::ResponseInFragment).captured();
    assert!(meets(implicit(front), false));
    let both = implicit(answer()).with(access(Place::Log, Role::TokenResponse));
    assert!(meets(both, false));
    assert!(s256().with(callback()).meets(
        CODE,
        &Gate {
            direct: false,
            ..gate(Selector::Kind(CODE), Moment::AtExposure)
        }
    ));
}
