//! What a link grants: one-time links, signed URLs, and the codes of the device flow.

use jiff::Timestamp;

use super::assertion::{followed, taken};
use super::{Case, Reach, Ruling};
use crate::atoms::Kind;
use crate::judge::State;
use crate::judge::clock::Age;
use crate::judge::facts::Event;

pub(super) fn rule(case: &Case<'_>, at: Option<Timestamp>, age: Age, reach: Reach) -> Ruling {
    match case.kind {
        Kind::SignedUrl => signed(case, age),
        Kind::OneTimeLink => one_time(case, at, reach),
        // RFC 8628 §3.5.
        Kind::DeviceCode if case.happened(Event::Redeemed, at, reach) => Ruling::new(
            State::Spent,
            case.grant_basis(at, reach),
            "a token request with it was answered with success",
        ),
        Kind::DeviceCode if case.happened(Event::Ended, at, reach) => Ruling::proven(
            State::Spent,
            "the token endpoint answered that the user denied the request, or that it has expired: the device has to ask anew",
        ),
        Kind::DeviceCode => {
            let ruling = Ruling::assumed(
                State::Unknown,
                "approval-not-observed: once the user approves, whoever polls with it receives the tokens of a client that does not authenticate",
            );
            case.unless_refused(ruling, at, reach)
        }
        // RFC 8628 §5.4: phishing value only.
        _ => Ruling::assumed(
            State::Inert,
            "a user code pairs a device and opens nothing by itself",
        ),
    }
}

/// Row 34.
fn signed(case: &Case<'_>, age: Age) -> Ruling {
    match age {
        Age::Fresh => Ruling::new(
            State::Live,
            case.clock.basis,
            format!(
                "{} has not passed; it opens the named object with the named method",
                case.clock.says
            ),
        ),
        _ => Ruling::assumed(State::Unknown, "nothing tells when the signed URL expires"),
    }
}

/// Rows 32 and 33.
fn one_time(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    if taken(case, at, reach) || followed(case, at, reach) {
        return Ruling::assumed(
            State::Spent,
            "the application went on after the link, which is good for one use",
        );
    }
    Ruling::assumed(
        State::Unknown,
        "nothing tells whether the link was used; it is taken as usable for a day",
    )
}
