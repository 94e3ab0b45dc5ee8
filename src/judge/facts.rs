//! What the evidence says about credentials beside showing them: who redeemed, refused, revoked or
//! rotated one, and when. True for every holder, whoever saw it. Decides nothing.

mod event;
mod lifetimes;
mod servers;

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::Judging;
use super::holder::Holders;
use crate::atoms::rules::provider::Provider;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Locator};
use crate::detect::{Credential, Role, Sighting};
use crate::flow::census::value;
use crate::flow::client::Habit;
use crate::flow::{Correlated, Exposure, Trail};
pub(super) use event::Event;
use event::Happened;
use lifetimes::Lifetimes;
use servers::Servers;

/// Clock errors up to this many seconds are the time a token takes from its issuer to the place where it
/// was seen, and correct nothing.
const CLOCK_NOISE: f64 = 60.0;

/// A sane bound for a clock error, in seconds (a hundred years): one that reaches it is not a time.
const MAX_CLOCK_ERROR: f64 = 3.2e9;

/// Parts of one exchange that are looked at: a response holds a few tokens, and a stream of messages that
/// shares one exchange must not cost its square.
const MATES: usize = 256;

/// Runs of one challenge that are looked at, the latest first: an honest client has one, and a constant
/// challenge in thousands of runs must not cost their square.
const RUNS: usize = 8;

/// Everything that verdicts are made from.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) correlated: &'a Correlated,
    pub(super) judging: &'a Judging<'a>,
    pub(super) holders: Holders,
    times: Vec<Option<Timestamp>>,
    by_id: HashMap<Digest, usize>,
    by_exchange: HashMap<JoinKey, Vec<usize>>,
    /// What shows private keys, by where it lies: file and place in it.
    keys: BTreeMap<(usize, &'a Locator), Vec<usize>>,
    /// By challenge and file: a sighting that shows its verifier.
    verifiers: HashMap<JoinKey, BTreeMap<usize, usize>>,
    events: BTreeMap<Digest, Vec<Happened>>,
    next_visits: HashMap<JoinKey, Vec<usize>>,
    /// By trail: its sightings.
    trail_sightings: Vec<Vec<usize>>,
    /// By trail. Each of its credentials asks for them.
    trail_challenges: Vec<Challenges>,
    /// By trail: its exposures.
    trail_exposures: BTreeMap<usize, Vec<usize>>,
    trails_by_challenge: HashMap<JoinKey, Vec<usize>>,
    servers: Servers<'a>,
    lifetimes: Lifetimes,
}

/// Challenges of a trail, sorted.
#[derive(Debug)]
struct Challenges {
    /// Those that it was asked under.
    asked: Vec<JoinKey>,
    /// Every one that its messages show.
    shown: Vec<JoinKey>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(correlated: &'a Correlated, judging: &'a Judging<'a>) -> Self {
        let sightings = &correlated.sightings;
        let holders = Holders::of(sightings);
        let times = sightings.iter().enumerate();
        let mut facts = Self {
            correlated,
            judging,
            times: times
                .map(|(index, it)| corrected(it, holders.source(index), judging))
                .collect(),
            holders,
            by_id: HashMap::new(),
            by_exchange: HashMap::new(),
            keys: BTreeMap::new(),
            verifiers: HashMap::new(),
            events: BTreeMap::new(),
            next_visits: HashMap::new(),
            trail_sightings: Vec::new(),
            trail_challenges: Vec::new(),
            trail_exposures: BTreeMap::new(),
            trails_by_challenge: HashMap::new(),
            servers: Servers::of(sightings, &judging.rules.providers),
            lifetimes: Lifetimes::of(sightings),
        };
        for (index, sighting) in sightings.iter().enumerate() {
            facts.index(index, sighting);
        }
        for (index, trail) in correlated.trails.iter().enumerate() {
            facts.index_trail(index, trail);
        }
        facts.keep_latest_runs();
        for (index, exposure) in correlated.exposures.iter().enumerate() {
            for trail in &exposure.trails {
                facts.trail_exposures.entry(*trail).or_default().push(index);
            }
        }
        for (index, sighting) in sightings.iter().enumerate() {
            match sighting.role {
                Role::TokenRequest => facts.note_token_request(index, sighting),
                Role::ResourceRequest => facts.note_use(index, sighting),
                _ => {}
            }
        }
        facts
    }

    /// When a sighting happened, by the issuers' clocks.
    pub(super) fn time(&self, sighting: usize) -> Option<Timestamp> {
        self.times.get(sighting).copied().flatten()
    }

    pub(super) fn sighting(&self, index: usize) -> Option<&'a Sighting> {
        self.correlated.sightings.get(index)
    }

    /// Index of the sighting with this id.
    pub(super) fn index_of(&self, id: Digest) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn trail(&self, index: usize) -> Option<&'a Trail> {
        self.correlated.trails.get(index)
    }

    /// Sightings of a trail, in order of index.
    pub(super) fn steps(&self, trail: usize) -> impl Iterator<Item = (usize, &'a Sighting)> {
        let own = self
            .trail_sightings
            .get(trail)
            .map_or(&[][..], Vec::as_slice);
        own.iter()
            .filter_map(|&index| Some((index, self.sighting(index)?)))
    }

    /// Whether a sighting speaks of this credential where it tells a lifetime.
    pub(super) fn is_own(&self, sighting: usize, credential: &Credential) -> bool {
        self.lifetimes.is_own(sighting, credential)
    }

    /// The provider to which a sighting was sent, or which sent it.
    pub(super) fn provider(&self, sighting: usize) -> Option<&'a Provider> {
        self.servers.at(sighting)
    }

    /// The first messages of a trail to each provider, for each redirect URI.
    pub(super) fn to_providers(&self, trail: usize) -> impl Iterator<Item = (usize, &'a Sighting)> {
        let first = self.servers.of_trail(trail).iter();
        first.filter_map(|&index| Some((index, self.sighting(index)?)))
    }

    /// Sightings of the same request and response, itself included.
    pub(super) fn exchange(
        &self,
        sighting: &Sighting,
    ) -> impl Iterator<Item = (usize, &'a Sighting)> {
        let mates = sighting
            .exchange
            .and_then(|key| self.by_exchange.get(&key))
            .map_or(&[][..], Vec::as_slice);
        mates
            .iter()
            .take(MATES)
            .filter_map(|&index| Some((index, self.sighting(index)?)))
    }

    /// One sighting in each file that shows a verifier which opens this challenge (RFC 7636 §4.6).
    pub(super) fn verifiers(&self, challenge: &JoinKey) -> impl Iterator<Item = usize> {
        let files = self.verifiers.get(challenge).into_iter();
        files.flat_map(BTreeMap::values).copied()
    }

    /// What shows a private key in the place of a sighting: on the line of a log, in the record of a store.
    pub(super) fn keys_beside(
        &self,
        index: usize,
        sighting: &'a Sighting,
    ) -> impl Iterator<Item = &'a Sighting> {
        let place = (self.holders.file(index), &sighting.place.locator);
        let beside = self.keys.get(&place).map_or(&[][..], Vec::as_slice);
        let beside = beside.iter().take(MATES);
        beside.filter_map(|&index| self.sighting(index))
    }

    /// What happened to a credential, in no order of time.
    pub(super) fn events(&self, credential: Digest) -> &[Happened] {
        self.events.get(&credential).map_or(&[], Vec::as_slice)
    }

    /// Sightings whose visit came directly after this one's.
    pub(super) fn next_visits(&self, sighting: &Sighting) -> &[usize] {
        let own = sighting.visit.as_ref().map(|visit| visit.own);
        own.and_then(|key| self.next_visits.get(&key))
            .map_or(&[], Vec::as_slice)
    }

    /// Exposures of a trail.
    pub(super) fn exposures(&self, trail: usize) -> impl Iterator<Item = &'a Exposure> {
        let own = self.trail_exposures.get(&trail);
        own.map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|&index| self.correlated.exposures.get(index))
    }

    /// Challenges that a trail was asked under. A verifier that was sent opens one too, and it may be another's.
    pub(super) fn challenges(&self, trail: usize) -> impl Iterator<Item = JoinKey> {
        let asked = self.trail_challenges.get(trail).map(|it| &it.asked);
        asked.into_iter().flatten().copied()
    }

    /// Every challenge that its messages show.
    pub(super) fn shown_challenges(&self, trail: usize) -> &[JoinKey] {
        let all = self.trail_challenges.get(trail);
        all.map_or(&[], |it| it.shown.as_slice())
    }

    /// Trails that were asked under this challenge.
    pub(super) fn trails_by_challenge(&self, challenge: &JoinKey) -> &[usize] {
        let trails = self.trails_by_challenge.get(challenge);
        trails.map_or(&[], Vec::as_slice)
    }

    /// How a client proves who it is, by the messages of the file of a sighting that name it.
    pub(super) fn habit(&self, sighting: usize, client: &str) -> Habit {
        let source = self.holders.source(sighting);
        self.correlated.clients.habit(source, client)
    }

    /// Whether the file of a sighting keeps the headers in which clients authenticate.
    pub(super) fn keeps_headers(&self, sighting: usize) -> bool {
        let source = self.holders.source(sighting);
        self.correlated.clients.keeps_headers(source)
    }

    fn keep_latest_runs(&mut self) {
        let (times, steps) = (&self.times, &self.trail_sightings);
        let latest = |trail: &usize| {
            let own = steps.get(*trail).map_or(&[][..], Vec::as_slice);
            own.iter()
                .filter_map(|at| times.get(*at).copied().flatten())
                .max()
        };
        for trails in self.trails_by_challenge.values_mut() {
            trails.sort_by_cached_key(|trail| std::cmp::Reverse(latest(trail)));
            trails.truncate(RUNS);
        }
    }

    fn index_trail(&mut self, index: usize, trail: &Trail) {
        let steps = trail.steps.iter().filter_map(|step| step.sighting);
        let mut own: Vec<usize> = steps
            .filter_map(|id| self.by_id.get(&id).copied())
            .collect();
        own.sort_unstable();
        own.dedup();
        let sightings = &self.correlated.sightings;
        let steps = || own.iter().filter_map(|at| sightings.get(*at));
        let challenges = Challenges {
            asked: challenges(steps().filter(|step| asks(step))),
            shown: challenges(steps()),
        };
        for key in &challenges.asked {
            let trails = self.trails_by_challenge.entry(*key).or_default();
            trails.push(index);
        }
        self.trail_challenges.push(challenges);
        self.servers.note_trail(&own, &self.correlated.sightings);
        self.trail_sightings.push(own);
    }

    fn index(&mut self, index: usize, sighting: &'a Sighting) {
        self.by_id.entry(sighting.id).or_insert(index);
        if let Some(key) = sighting.exchange {
            self.by_exchange.entry(key).or_default().push(index);
        }
        for (hops, before) in sighting.visit.iter().flat_map(|visit| &visit.ancestors) {
            if *hops == 1 {
                self.next_visits.entry(*before).or_default().push(index);
            }
        }
        if private_keys(sighting).next().is_some() {
            let file = self.holders.file(index);
            let place = (file, &sighting.place.locator);
            self.keys.entry(place).or_default().push(index);
        }
        for credential in &sighting.credentials {
            if credential.kind != Kind::CodeVerifier {
                continue;
            }
            for key in &credential.keys {
                if is_challenge(key) {
                    let file = self.holders.file(index);
                    let files = self.verifiers.entry(*key).or_default();
                    files.entry(file).or_insert(index);
                }
            }
        }
    }
}

/// The private keys in a sighting that are of use by themselves. The secret of a symmetric one (`k`, RFC 7518 §6.4) binds
/// no token: a proof of possession is signed with an asymmetric key (RFC 9449 §4.2).
pub(super) fn private_keys(sighting: &Sighting) -> impl Iterator<Item = &Credential> {
    let is_encrypted = |it: &Credential| it.claims.as_deref().is_some_and(|it| it.encrypted);
    let keys = sighting.credentials.iter();
    keys.filter(move |it| it.kind == Kind::PrivateKey && !is_encrypted(it) && *it.name != *"k")
}

/// Thumbprints of the key that a credential is, or is bound to.
pub(super) fn thumbprints(credential: &Credential) -> impl Iterator<Item = JoinKey> {
    let keys = credential.keys.iter().copied();
    keys.filter(|key| key.kind == KeyKind::Thumbprint)
}

/// Value of a public parameter, by its name without case, `-` and `_`.
pub(super) fn param<'s>(sighting: &'s Sighting, name: &str) -> Option<&'s str> {
    value(sighting, name)
}

/// Whether the key is a challenge, or what a verifier opens.
pub(super) fn is_challenge(key: &JoinKey) -> bool {
    matches!(key.kind, KeyKind::ChallengeS256 | KeyKind::ChallengePlain)
}

/// The challenges of sightings, sorted, none twice.
fn challenges<'a>(sightings: impl Iterator<Item = &'a Sighting>) -> Vec<JoinKey> {
    let keys = sightings.flat_map(|it| &it.keys);
    let mut all: Vec<JoinKey> = keys.filter(|key| is_challenge(key)).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the challenges of a sighting are those that its run was asked under, rather than what its verifier opens.
fn asks(sighting: &Sighting) -> bool {
    let mut kinds = sighting.credentials.iter().map(|it| it.kind);
    kinds.all(|kind| kind != Kind::CodeVerifier)
        || sighting
            .params
            .iter()
            .any(|param| *param.name == *"code_challenge")
}

fn corrected(sighting: &Sighting, source: Digest, judging: &Judging<'_>) -> Option<Timestamp> {
    let instant = sighting.at?.instant;
    let error = judging.clock_errors.get(&source);
    let Some(&error) =
        error.filter(|error| error.abs() > CLOCK_NOISE && error.abs() < MAX_CLOCK_ERROR)
    else {
        return Some(instant);
    };
    let shift = SignedDuration::try_from_secs_f64(error).ok()?;
    instant.checked_sub(shift).ok()
}
