//! What the answers to requests with a credential say of it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::issued::authority;
use super::{Case, Reach, Ruling};
use crate::atoms::Kind;
use crate::detect::Role;
use crate::flow::client::is_introspection;
use crate::judge::facts::Event;
use crate::judge::{Basis, State};

impl<'a> Case<'a> {
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
        self.stands_by(wanted, at, reach, |_| true)
    }

    /// The same of an event that only some of its sightings show.
    fn stands_by(
        &self,
        wanted: Event,
        at: Option<Timestamp>,
        reach: Reach,
        counts: impl Fn(usize) -> bool,
    ) -> bool {
        let granted = self.times(Event::Granted, at, reach);
        let worked = granted.chain(self.times(Event::Accepted, at, reach)).max();
        let shown = self.shown(wanted, at, reach);
        let shown = shown.filter(|index| counts(*index));
        let last = shown.map(|index| self.facts.time(index)).max();
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

    /// What the introspection endpoint of a server that knows it said of it (RFC 7662 §2.2). It says the same of what
    /// the asking server may not know of.
    pub(super) fn inactive(&self, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
        if !self.stands(Event::Inactive, at, reach) {
            return None;
        }
        let servers = self.known_to(at, reach);
        let knows = |index| self.host(index).is_some_and(|host| servers.contains(host));
        let revoked = self.stands_by(Event::Inactive, at, reach, knows);
        revoked.then(|| {
            Ruling::assumed(
                State::Revoked,
                "the introspection endpoint answered that it is not active: it has expired, or was revoked",
            )
        })
    }

    /// The same of any other server, which says it of every token that is none of its own (RFC 7662 §2.2).
    pub(super) fn disowned(&self, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
        self.stands(Event::Inactive, at, reach).then(|| {
            Ruling::proven(
                State::Unknown,
                "an introspection endpoint answered that it is not active, and nothing tells that its server knows it: it has expired, was revoked, or is another server's",
            )
        })
    }

    /// Hosts of the servers that know it: the one that it names as its issuer, those that answered with it or took it as
    /// a grant, and those that called it active. Where none of these is known, the server of its runs, if it is one.
    fn known_to(&self, at: Option<Timestamp>, reach: Reach) -> BTreeSet<&'a str> {
        let issuer = self.claims.and_then(|claims| claims.iss.as_deref());
        let answers = self.sightings();
        let answers = answers.filter(|(_, it)| it.role == Role::TokenResponse);
        let active = self.shown(Event::Accepted, at, reach).filter(|index| {
            let call = self.facts.sighting(*index);
            call.is_some_and(is_introspection)
        });
        let told = answers
            .map(|(index, _)| index)
            .chain(self.shown(Event::Granted, at, reach))
            .chain(active)
            .filter_map(|index| self.host(index));
        let known: BTreeSet<&str> = issuer.map(authority).into_iter().chain(told).collect();
        if !known.is_empty() {
            return known;
        }
        let servers = self.servers();
        if servers.len() == 1 { servers } else { known }
    }

    /// Hosts of the servers that its runs speak of.
    fn servers(&self) -> BTreeSet<&'a str> {
        let issuers = self.trails().filter_map(|trail| trail.issuer.as_deref());
        let messages = self.steps().chain(self.sightings());
        let messages = messages.filter(|(_, it)| {
            matches!(
                it.role,
                Role::AuthorizationRequest | Role::TokenRequest | Role::TokenResponse
            )
        });
        let hosts = messages.filter_map(|(index, _)| self.host(index));
        issuers.map(authority).chain(hosts).collect()
    }

    /// The host that a message was sent to, or came from, where its evidence names it.
    fn host(&self, index: usize) -> Option<&'a str> {
        let address = self.facts.sighting(index)?.address.as_ref()?;
        Some(&*address.host).filter(|host| !host.is_empty())
    }

    /// What an API said of it (RFC 6750 §3.1). One that had taken it before is the one that it is for.
    pub(super) fn denied(&self, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
        if !self.stands(Event::Denied, at, reach) {
            return None;
        }
        let hosts = |wanted: Event| -> Vec<&str> {
            let shown = self.shown(wanted, at, reach);
            shown.filter_map(|index| self.host(index)).collect()
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
    /// What a server that may not know it called not active is worth no more either.
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
        if !supposes {
            return ruling;
        }
        if self.stands(Event::Refused, at, reach) {
            let because = match self.kind {
                // RFC 6749 §5.2: that of the client, too, tells only that it failed.
                Kind::ClientSecret | Kind::ClientAssertion | Kind::BasicCredentials => {
                    "the token endpoint refused the client (invalid_client), and does not say why"
                }
                _ => "the token endpoint refused the grant (invalid_grant), and does not say why",
            };
            return Ruling::proven(State::Unknown, because);
        }
        self.disowned(at, reach).unwrap_or(ruling)
    }
}
