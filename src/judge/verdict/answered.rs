//! What the answers to requests with a credential say of it.

use jiff::Timestamp;

use super::{Case, Reach, Ruling};
use crate::atoms::Kind;
use crate::judge::facts::Event;
use crate::judge::{Basis, State};

impl Case<'_> {
    /// How a redemption is known: by the tokens that answered it, or by the status of the answer alone.
    pub(super) fn grant_basis(&self, at: Option<Timestamp>, reach: Reach) -> Basis {
        if self.happened(Event::Granted, at, reach) {
            Basis::Proven
        } else {
            Basis::Assumed
        }
    }

    /// Whether an event had happened to it, and it did not work after that: no request with it was answered with tokens,
    /// and no API took it.
    pub(super) fn stands(&self, wanted: Event, at: Option<Timestamp>, reach: Reach) -> bool {
        let granted = self.times(Event::Granted, at, reach);
        let worked = granted.chain(self.times(Event::Accepted, at, reach)).max();
        let last = self.times(wanted, at, reach).max();
        last.is_some_and(|last| worked.is_none_or(|worked| worked <= last))
    }

    /// Whether it ever worked.
    pub(super) fn worked(&self) -> bool {
        let mut events = self.facts.events(self.exposure.credential).iter();
        events.any(|(event, _)| matches!(event, Event::Granted | Event::Accepted))
    }

    /// Whether it was answered with tokens at two moments: what was replaced by then works on.
    pub(super) fn used_again(&self, at: Option<Timestamp>, reach: Reach) -> bool {
        let mut times = self.times(Event::Granted, at, reach).flatten();
        let first = times.next();
        times.any(|time| Some(time) != first)
    }

    /// When an event happened to it, as far as the evidence has a time.
    fn times(
        &self,
        wanted: Event,
        at: Option<Timestamp>,
        reach: Reach,
    ) -> impl Iterator<Item = Option<Timestamp>> {
        let shown = self.shown(wanted, at, reach);
        shown.map(|index| self.facts.time(index))
    }

    /// The sightings that show an event.
    fn shown(
        &self,
        wanted: Event,
        at: Option<Timestamp>,
        reach: Reach,
    ) -> impl Iterator<Item = usize> {
        let events = self.facts.events(self.exposure.credential).iter();
        events
            .filter(move |(event, index)| *event == wanted && self.past(*index, at, reach))
            .map(|(_, index)| *index)
    }

    /// What the introspection endpoint said of it (RFC 7662 §2.2). It says the same of what the asking server may not
    /// know of.
    pub(super) fn inactive(&self, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
        self.stands(Event::Inactive, at, reach).then(|| {
            Ruling::assumed(
                State::Revoked,
                "the introspection endpoint answered that it is not active: it has expired, was revoked, or was none of that server's",
            )
        })
    }

    /// What an API said of it (RFC 6750 §3.1). One that had taken it before is the one that it is for.
    pub(super) fn denied(&self, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
        if !self.stands(Event::Denied, at, reach) {
            return None;
        }
        let hosts = |wanted: Event| -> Vec<&str> {
            let shown = self.shown(wanted, at, reach);
            let calls = shown.filter_map(|index| self.facts.sighting(index));
            calls
                .filter_map(|call| Some(&*call.address.as_ref()?.host))
                .collect()
        };
        let taken = hosts(Event::Accepted);
        Some(
            if hosts(Event::Denied).iter().any(|host| taken.contains(host)) {
                Ruling::assumed(
                    State::Revoked,
                    "an API that had taken it refused it later as an invalid token (invalid_token)",
                )
            } else {
                Ruling::proven(
                    State::Unknown,
                    "an API refused it as an invalid token (invalid_token): it has expired, was revoked, or is not meant for that API",
                )
            },
        )
    }

    /// Row 4. A grant that the token endpoint refused is expired, used, revoked, of another client or redirect URI, or a
    /// verifier was wrong (RFC 6749 §5.2): it is worth no more than before, and what guards it does so all the same.
    pub(super) fn unless_refused(
        &self,
        ruling: Ruling,
        at: Option<Timestamp>,
        reach: Reach,
    ) -> Ruling {
        let supposes = matches!(
            ruling.state,
            State::Live | State::Replayable | State::Unknown
        );
        if supposes && self.stands(Event::Refused, at, reach) {
            let because = match self.kind {
                // RFC 6749 §5.2: that of the client, too, tells only that it failed.
                Kind::ClientSecret | Kind::ClientAssertion | Kind::BasicCredentials => {
                    "the token endpoint refused the client (invalid_client), and does not say why"
                }
                _ => "the token endpoint refused the grant (invalid_grant), and does not say why",
            };
            return Ruling::proven(State::Unknown, because);
        }
        ruling
    }
}
