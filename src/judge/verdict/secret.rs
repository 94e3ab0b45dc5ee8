//! What stays usable until somebody changes it: secrets, passwords, keys, sessions; and PKCE halves.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Case, Reach, Ruling};
use crate::atoms::{JoinKey, Kind};
use crate::detect::Role;
use crate::judge::State;
use crate::judge::facts::is_challenge;

/// A session is taken as running this long after it was seen.
const SESSION_HOURS: i64 = 24;

/// Rows 23, 25 and 35.
pub(super) fn rule(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    let ruling = match case.kind {
        // RFC 6749 §2.3.1; RFC 9700 §2.5.
        Kind::ClientSecret => {
            Ruling::assumed(State::Live, "a client secret is usable until it is rotated")
        }
        // RFC 9700 §2.4.
        Kind::Password | Kind::BasicCredentials => {
            Ruling::assumed(State::Live, "a password is usable until it is changed")
        }
        Kind::SessionId => session(case, at, reach),
        Kind::WebhookUrl => Ruling::assumed(
            State::Live,
            "whoever knows the URL can use it until it is replaced",
        ),
        Kind::PrivateKey => private_key(case),
        _ => Ruling::assumed(State::Live, "a key is usable until it is revoked"),
    };
    case.unless_refused(ruling, at, reach)
}

/// Its form says whether a password protects it (RFC 5958 §3, RFC 1421 §4.6.1.1). A lifetime it has none: what expires is
/// the certificate of its public half.
fn private_key(case: &Case<'_>) -> Ruling {
    if case.claims.is_some_and(|claims| claims.encrypted) {
        Ruling::assumed(
            State::Guarded,
            "it is encrypted, and its passphrase was not found",
        )
        .needing(&["passphrase"])
    } else {
        Ruling::assumed(
            State::Live,
            "a private key is usable until everybody who trusts its public half is told to stop",
        )
    }
}

impl Case<'_> {
    /// Whether the user had asked to be logged out after it was seen: a logout of the same run, or one that it
    /// was sent with. Whether the server ended anything then stands in no evidence.
    pub(super) fn logged_out(&self, at: Option<Timestamp>, reach: Reach) -> bool {
        let mates = self
            .sightings()
            .flat_map(|(_, sighting)| self.facts.exchange(sighting));
        self.steps()
            .chain(mates)
            .any(|(index, step)| step.role == Role::Logout && self.past(index, at, reach))
    }
}

fn session(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    let last = case
        .sightings()
        .filter_map(|(index, _)| case.facts.time(index))
        .max();
    let until = last.and_then(|last| {
        last.checked_add(SignedDuration::from_hours(SESSION_HOURS))
            .ok()
    });
    match (at, until) {
        (Some(_), _) if case.logged_out(at, reach) => Ruling::assumed(
            State::Unknown,
            "a logout was asked for with it, and nothing tells whether the server ended the session",
        ),
        (Some(at), Some(until)) if at < until => Ruling::assumed(
            State::Live,
            "a session is taken as running for a day after it was last seen",
        ),
        (_, None) => Ruling::assumed(
            State::Unknown,
            "the evidence does not tell when the session was seen",
        ),
        _ => Ruling::assumed(
            State::Unknown,
            "it was last seen more than a day ago, and nothing tells how long a session lasts",
        ),
    }
}

/// Row 26, and the plain challenge, which is the verifier: worth what the code beside it is worth.
pub(super) fn pkce(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    let codes: Vec<_> = runs(case)
        .into_iter()
        .flat_map(|trail| case.facts.exposures(trail))
        .filter(|other| other.kind == Kind::AuthorizationCode)
        .map(|other| Case::of(case.facts, other))
        .filter(|code| code.sightings().any(|(index, _)| case.within(reach, index)))
        .collect();
    let rulings = codes.iter().map(|code| code.rule(at, reach));
    match rulings.min_by_key(super::weight) {
        Some(ruling) if ruling.state.rank() >= State::Spent.rank() => {
            Ruling::proven(State::Inert, "the code that it opens is spent or expired")
        }
        Some(ruling) if ruling.state == State::Replayable => Ruling {
            because: "it opens the code that lies in the same hands".into(),
            ..ruling
        },
        Some(ruling) => ruling,
        None => Ruling::proven(State::Inert, "no code that it opens lies in the same hands"),
    }
}

/// Those with a challenge that it opens (RFC 7636 §4.6), and its own, unless they have one that it does not open. What
/// is too short to be hashed is compared inside its source alone.
fn runs(case: &Case<'_>) -> Vec<usize> {
    let keys: BTreeSet<JoinKey> = case
        .credentials()
        .flat_map(|(_, _, credential)| &credential.keys)
        .filter(|key| is_challenge(key))
        .copied()
        .collect();
    let opened = keys
        .iter()
        .flat_map(|key| case.facts.trails_by_challenge(key));
    let is_another = |key: &JoinKey| {
        let mut alike = keys
            .iter()
            .filter(|own| own.kind == key.kind && own.digest.scope() == key.digest.scope());
        alike.next().is_some() && !keys.contains(key)
    };
    let own = case.exposure.trails.iter().filter(|trail| {
        let mut asked = case.facts.challenges(**trail).peekable();
        asked.peek().is_none() || asked.any(|key| !is_another(&key))
    });
    let mut runs: Vec<usize> = opened.chain(own).copied().collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}
