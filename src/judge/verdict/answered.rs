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

    /// Whether an event had happened to it, and no request with it was answered with tokens after that.
    pub(super) fn stands(&self, wanted: Event, at: Option<Timestamp>, reach: Reach) -> bool {
        let worked = self.times(Event::Granted, at, reach).max();
        let last = self.times(wanted, at, reach).max();
        last.is_some_and(|last| worked.is_none_or(|worked| worked <= last))
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
        let events = self.facts.events(self.exposure.credential).iter();
        events
            .filter(move |(event, index)| *event == wanted && self.past(*index, at, reach))
            .map(|(_, index)| self.facts.time(*index))
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
