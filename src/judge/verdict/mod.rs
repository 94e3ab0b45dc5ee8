//! The decision table: what one holder can do with a value at one moment. One file per family of kinds,
//! one `match` each, first match wins; this room turns its rulings into verdicts.

mod answered;
mod assertion;
mod client;
mod code;
pub(super) mod issued;
mod link;
mod secret;
mod token;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::clock::{Age, Clock, clock};
use super::facts::{Event, Facts};
use super::holder::Hands;
use super::{Basis, State, Verdict};
use crate::atoms::rules::provider::Provider;
use crate::atoms::{JoinKey, Kind};
use crate::detect::{Claims, Credential, Sighting, Signature};
use crate::flow::{Exposure, Modifier, Trail};

/// One credential with everything that the table asks of it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) exposure: &'a Exposure,
    pub(super) kind: Kind,
    pub(super) claims: Option<&'a Claims>,
    pub(super) signature: Signature,
    pub(super) provider: Option<&'a Provider>,
    pub(super) clock: Clock,
}

/// A place, and the first and the last moment there.
type Ends = (usize, [Option<Timestamp>; 2]);

/// What a holder can reach: all of the holder's evidence, or one file of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// Everything of a holder.
    Holder(usize),
    /// One file.
    File(usize),
}

/// A row of the table, applied.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ruling {
    pub(super) state: State,
    pub(super) basis: Basis,
    pub(super) needs: Vec<&'static str>,
    pub(super) because: Cow<'static, str>,
}

impl<'a> Case<'a> {
    pub(super) fn of(facts: &'a Facts<'a>, exposure: &'a Exposure) -> Self {
        let mut case = Self {
            facts,
            exposure,
            kind: exposure.kind,
            claims: None,
            signature: Signature::None,
            provider: None,
            clock: Clock::default(),
        };
        let (claims, signature) = (
            case.credentials()
                .find_map(|(_, _, it)| it.claims.as_deref()),
            case.credentials()
                .map(|(_, _, it)| it.signature)
                .max_by_key(|it| told(*it)),
        );
        case.claims = claims;
        case.signature = signature.unwrap_or_default();
        case.provider = issued::provider(&case);
        case.clock = clock(&case);
        case
    }

    /// Where it was seen, in order of index.
    pub(super) fn sightings(&self) -> impl Iterator<Item = (usize, &'a Sighting)> {
        self.credentials()
            .map(|(index, sighting, _)| (index, sighting))
    }

    /// Where it was seen, with the credential there.
    pub(super) fn credentials(
        &self,
    ) -> impl Iterator<Item = (usize, &'a Sighting, &'a Credential)> {
        let facts = self.facts;
        self.exposure.seen.iter().filter_map(move |&(index, at)| {
            let sighting = facts.sighting(index)?;
            Some((index, sighting, sighting.credentials.get(at)?))
        })
    }

    /// Earliest time in the evidence, by the issuers' clocks.
    pub(super) fn first_seen(&self) -> Option<Timestamp> {
        self.sightings()
            .filter_map(|(index, _)| self.facts.time(index))
            .min()
    }

    pub(super) fn trails(&self) -> impl Iterator<Item = &'a Trail> {
        let facts = self.facts;
        let indices = self.exposure.trails.iter();
        indices.filter_map(move |&trail| facts.trail(trail))
    }

    /// Sightings of all its trails.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, &'a Sighting)> {
        let facts = self.facts;
        let indices = self.exposure.trails.iter();
        indices.flat_map(move |&trail| facts.steps(trail))
    }

    pub(super) fn has(&self, modifier: Modifier) -> bool {
        self.trails()
            .any(|trail| trail.modifiers.contains(&modifier))
    }

    /// Whether an event had happened to it.
    pub(super) fn happened(&self, wanted: Event, at: Option<Timestamp>, reach: Reach) -> bool {
        self.facts
            .events(self.exposure.credential)
            .iter()
            .any(|&(event, index)| event == wanted && self.past(index, at, reach))
    }

    /// Whether what a sighting shows had happened up to `at`; `None` is a moment that the evidence does not
    /// tell. What has no time of its own counts at `as_of`, and not before. A capture is held once it is
    /// complete: for its holder, all that it records had happened.
    pub(super) fn past(&self, index: usize, at: Option<Timestamp>, reach: Reach) -> bool {
        if self.in_capture(reach) && self.within(reach, index) {
            return true;
        }
        match (self.facts.time(index), at) {
            (Some(when), Some(at)) => when <= at,
            (None, Some(at)) => at >= self.facts.judging.as_of,
            (_, None) => false,
        }
    }

    fn in_capture(&self, reach: Reach) -> bool {
        let holders = &self.facts.holders;
        let holder = match reach {
            Reach::Holder(holder) => holders.get(holder),
            Reach::File(file) => self
                .sightings()
                .find(|(index, _)| holders.file(*index) == file)
                .and_then(|(index, _)| holders.get(holders.holder(index))),
        };
        holder.is_some_and(|holder| holder.hands == Hands::Capture)
    }

    /// Challenges of its trails (RFC 7636 §4.2), each once.
    pub(super) fn challenges(&self) -> BTreeSet<JoinKey> {
        let trails = self.exposure.trails.iter();
        trails
            .flat_map(|trail| self.facts.shown_challenges(*trail))
            .copied()
            .collect()
    }

    /// Whether a sighting is within reach.
    pub(super) fn within(&self, reach: Reach, sighting: usize) -> bool {
        match reach {
            Reach::Holder(holder) => self.facts.holders.holder(sighting) == holder,
            Reach::File(file) => self.facts.holders.file(sighting) == file,
        }
    }

    /// The verdict at a moment: the worst that one holder can do. `at` is `None` for the exposure, where
    /// each sighting counts at its own time.
    pub(super) fn verdict(&self, at: Option<Timestamp>) -> Verdict {
        let holders = &self.facts.holders;
        let mut worst: Option<(Ruling, usize)> = None;
        for (holder, when) in self.moments(at, |index| Some(holders.holder(index))) {
            let ruling = self.rule(when, Reach::Holder(holder));
            let known = worst.as_ref().map(|(known, _)| weight(known));
            if known.is_none_or(|known| weight(&ruling) < known) {
                worst = Some((ruling, holder));
            }
        }
        let (ruling, holder) = worst.unwrap_or_else(|| (self.rule(at, Reach::Holder(0)), 0));
        Verdict {
            state: ruling.state,
            basis: ruling.basis,
            expires_at: self.clock.expires_at,
            needs: ruling.needs,
            holder: holders
                .get(holder)
                .map_or_else(Box::default, |it| it.label.clone()),
            because: ruling.because.into(),
            alone: self.alone(at, holder).unwrap_or(ruling.state),
        }
    }

    /// The worst that somebody can do who has only one file of this holder's.
    fn alone(&self, at: Option<Timestamp>, holder: usize) -> Option<State> {
        let holders = &self.facts.holders;
        let file = |index| (holders.holder(index) == holder).then(|| holders.file(index));
        self.moments(at, file)
            .into_iter()
            .map(|(file, when)| self.rule(when, Reach::File(file)).state)
            .min_by_key(|state| state.rank())
    }

    /// The moments that decide, for each place that `of` names: no verdict rises as time passes, so that the
    /// first sighting there is the worst, but for what worked after it had ended: then the last one may be. One
    /// without a time stands for itself. One value on a hundred
    /// thousand lines is so judged once. In the order in which its own sightings name the places: what else the
    /// evidence holds changes nothing.
    fn moments(
        &self,
        at: Option<Timestamp>,
        of: impl Fn(usize) -> Option<usize>,
    ) -> Vec<(usize, Option<Timestamp>)> {
        let mut ranks: HashMap<usize, usize> = HashMap::new();
        let mut ends: BTreeMap<(usize, bool), Ends> = BTreeMap::new();
        for (index, _) in self.sightings() {
            let Some(place) = of(index) else { continue };
            let next = ranks.len();
            let rank = *ranks.entry(place).or_insert(next);
            let when = at.or_else(|| self.facts.time(index));
            let known = ends.entry((rank, when.is_some()));
            let (_, [first, last]) = known.or_insert((place, [when; 2]));
            (*first, *last) = ((*first).min(when), (*last).max(when));
        }
        let rises = self.worked();
        let moments = ends.into_values().flat_map(|(place, [first, last])| {
            let last = (rises && first != last).then_some(last);
            std::iter::once(first)
                .chain(last)
                .map(move |when| (place, when))
        });
        moments.collect()
    }

    /// The table. Its first rows hold for every kind; the rest is one `match` per family.
    fn rule(&self, at: Option<Timestamp>, reach: Reach) -> Ruling {
        if self.stands(Event::Revoked, at, reach) {
            return Ruling::proven(
                State::Revoked,
                "the revocation endpoint answered with success for it",
            );
        }
        // RFC 7515 §5.2: a signature that does not verify makes the whole invalid, and this one cannot. Of what was
        // found in residue alone, the rest may lie elsewhere.
        let whole = || self.sightings().any(|(_, it)| !it.place.is_uncertain());
        if self.signature == Signature::Cut && whole() {
            return Ruling::proven(
                State::Inert,
                "its signature is shorter than any of its alg: it was cut or redacted, and opens nothing as it stands",
            );
        }
        let age = self.clock.age(at, self.facts.judging.as_of);
        // An assumed or documented lifetime is a limit that some servers do not keep; a redemption that the
        // evidence shows is none. Both verdicts are equally bad, and the better known one is given.
        if self.kind == Kind::AuthorizationCode
            && let Some(ruling) = code::redeemed(self, at, reach)
        {
            return ruling;
        }
        let ruling = self.of_kind(at, age, reach);
        // What opens nothing has nothing to lose by its expiry: it was never more than inert.
        if age == Age::Past && self.kind != Kind::SessionId && ruling.state != State::Inert {
            let state = if self.kind == Kind::CasTicket {
                State::Spent
            } else {
                State::Expired
            };
            return Ruling::new(
                state,
                self.clock.basis,
                format!("{} has passed", self.clock.says),
            );
        }
        self.undated(ruling, at, age)
    }

    /// The rows of its family.
    fn of_kind(&self, at: Option<Timestamp>, age: Age, reach: Reach) -> Ruling {
        match self.kind {
            Kind::AuthorizationCode => code::rule(self, at, reach),
            Kind::AccessToken | Kind::OpaqueToken => token::access(self, at, age, reach),
            Kind::RefreshToken => token::refresh(self, at, reach),
            Kind::IdToken => token::identity(self, age),
            Kind::LogoutToken | Kind::JarmResponse | Kind::RequestObject => token::message(self),
            Kind::ClientSecret
            | Kind::Password
            | Kind::BasicCredentials
            | Kind::ApiKey
            | Kind::PrivateKey
            | Kind::WebhookUrl
            | Kind::SessionId => secret::rule(self, at, reach),
            Kind::CodeVerifier | Kind::CodeChallenge => secret::pkce(self, at, reach),
            Kind::ClientAssertion
            | Kind::Assertion
            | Kind::SamlMessage
            | Kind::WsfedToken
            | Kind::SamlArtifact
            | Kind::Oauth1Token
            | Kind::Oauth1Verifier
            | Kind::CasTicket => assertion::rule(self, at, age, reach),
            Kind::DeviceCode | Kind::UserCode | Kind::SignedUrl | Kind::OneTimeLink => {
                link::rule(self, at, age, reach)
            }
            Kind::FlowWeakness => {
                Ruling::proven(State::Inert, "a weakness of the flow holds no credential")
            }
        }
    }

    /// Something that expires and whose age nothing tells may be past its expiry now: no verdict above
    /// `unknown` holds then, nor one that supposes it to be still usable.
    fn undated(&self, ruling: Ruling, at: Option<Timestamp>, age: Age) -> Ruling {
        let supposes = matches!(
            ruling.state,
            State::Live | State::Replayable | State::Guarded | State::Bound
        );
        let dated = match (age, at) {
            (Age::Fresh | Age::Past | Age::Unlimited, _) => true,
            // Guarded and bound hold whatever the age where no clock exists at all.
            (Age::Untold, Some(_)) => self.clock.expires_at.is_some() || !self.expires_unseen(),
            (Age::Untold, None) => false,
        };
        if dated || !supposes {
            return ruling;
        }
        Ruling {
            state: State::Unknown,
            basis: Basis::Assumed,
            because: format!(
                "the evidence does not tell how old it is; while it is usable: {}",
                ruling.because
            )
            .into(),
            ..ruling
        }
    }

    /// A code expires within minutes, and without a time of its own nothing tells when.
    fn expires_unseen(&self) -> bool {
        matches!(self.kind, Kind::AuthorizationCode)
    }
}

impl Ruling {
    pub(super) fn new(state: State, basis: Basis, because: impl Into<Cow<'static, str>>) -> Self {
        Self {
            state,
            basis,
            needs: Vec::new(),
            because: because.into(),
        }
    }

    pub(super) fn proven(state: State, because: impl Into<Cow<'static, str>>) -> Self {
        Self::new(state, Basis::Proven, because)
    }

    pub(super) fn assumed(state: State, because: impl Into<Cow<'static, str>>) -> Self {
        Self::new(state, Basis::Assumed, because)
    }

    pub(super) fn needing(mut self, needs: &[&'static str]) -> Self {
        self.needs.extend(needs);
        self
    }
}

/// Worst first: by state, then the better known.
fn weight(ruling: &Ruling) -> (u8, Basis) {
    (ruling.state.rank(), ruling.basis)
}

/// Evidence of a signature, the strongest last.
fn told(signature: Signature) -> u8 {
    match signature {
        Signature::None => 0,
        Signature::Unverified => 1,
        Signature::Verified => 2,
        Signature::Unsigned => 3,
        Signature::Invalid => 4,
        Signature::Cut => 5,
    }
}
