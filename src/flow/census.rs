//! What all sightings together say and no group of them can: which keys are constant or reused, where requests
//! send their answers, how the clients of a file prove who they are. Sums up; any sums of shares add up to the sum
//! of the whole, in any order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::client::{self, Habit};
pub use super::index::value;
use super::index::{client_id, is_of_one_run, is_request, is_response, request_keys};
use crate::atoms::{Digest, JoinKey, KeyKind, Kind};
use crate::detect::{Credential, Role, Sighting};

/// A key that this many *different* requests carry joins nothing: it is constant, or reused. Two requests
/// with one `state` and two nonces cannot be one run seen twice.
pub const REUSED_IN_REQUESTS: usize = 2;

/// A `state` or nonce that this many different codes or tokens answer is constant, and so is a challenge whose verifier
/// redeems this many different codes. Two answers are still one user who went back and signed in again.
pub const REUSED_IN_RESPONSES: usize = 3;

/// The name of clients that prove who they are in a part of a request that does not name them.
const NAMELESS: &str = "";

/// Pairs that are taken in before they are sorted and counted: some megabytes.
const UNSORTED: usize = 1 << 18;

/// One thing that one sighting says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A request carries both keys.
    Beside {
        /// The key that may be constant.
        key: JoinKey,
        /// One that tells this request from another.
        other: JoinKey,
    },
    /// A response with this `state` brings a credential, an ID token with this nonce comes in a response, or a
    /// verifier of this challenge redeems a code.
    Answered {
        /// The `state`, the nonce or the challenge.
        key: JoinKey,
        /// What it is.
        kind: Kind,
        /// [`crate::detect::Credential::id`].
        credential: Digest,
    },
    /// A request asks for its answer there.
    Redirect(Digest),
    /// A message of a client.
    Client {
        /// Digest of the source.
        source: Digest,
        /// Its `client_id`.
        client: Box<str>,
        /// What it says.
        habit: Habit,
    },
    /// A source keeps the headers in which clients authenticate.
    Headers(Digest),
}

/// Tells what a sighting says of the source that it is in.
pub fn facts(sighting: &Sighting, source: Digest, tell: &mut dyn FnMut(Fact)) {
    if is_request(sighting) {
        if let Some(redirect) = sighting.redirect {
            tell(Fact::Redirect(redirect));
        }
        for key in request_keys(sighting) {
            for other in request_keys(sighting).filter(|other| distinguishes(*other, key)) {
                tell(Fact::Beside { key, other });
            }
        }
    } else {
        for key in &sighting.keys {
            let answers = sighting.credentials.iter();
            for credential in answers.filter(|it| is_answered(*key, sighting, it)) {
                tell(Fact::Answered {
                    key: *key,
                    kind: credential.kind,
                    credential: credential.id,
                });
            }
        }
    }
    if client::keeps_headers(sighting) {
        tell(Fact::Headers(source));
    }
    if client::is_nameless_proof(sighting) {
        tell(Fact::Client {
            source,
            client: NAMELESS.into(),
            habit: Habit {
                authenticates: Some(true),
                shows_secret: false,
            },
        });
    }
    let habit = Habit::of(sighting);
    if habit != Habit::default()
        && let Some(client) = client_id(sighting)
    {
        tell(Fact::Client {
            source,
            client: client.into(),
            habit,
        });
    }
}

/// Whether a message shows that a credential answers what the key names.
fn is_answered(key: JoinKey, message: &Sighting, credential: &Credential) -> bool {
    match key.kind {
        KeyKind::State => is_response(message) && is_of_one_run(credential.kind),
        // An answer to a refresh may repeat the nonce (OpenID Connect Core §12.2), so that only what the front channel
        // brings counts.
        KeyKind::Nonce => {
            is_response(message)
                && credential.kind == Kind::IdToken
                && credential.keys.contains(&key)
        }
        // A verifier is made for one code (RFC 7636 §4.1).
        KeyKind::ChallengeS256 | KeyKind::ChallengePlain => {
            message.role == Role::TokenRequest && credential.kind == Kind::AuthorizationCode
        }
        _ => false,
    }
}

/// What the sightings say that were taken in.
#[derive(Debug)]
pub struct Census {
    beside: Distinct,
    answered: Distinct,
    redirects: HashSet<Digest>,
    clients: Clients,
}

impl Default for Census {
    fn default() -> Self {
        Self {
            beside: Distinct::up_to(REUSED_IN_REQUESTS),
            answered: Distinct::up_to(REUSED_IN_RESPONSES),
            redirects: HashSet::new(),
            clients: Clients::default(),
        }
    }
}

impl Census {
    /// Takes in a sighting. One that comes again changes nothing.
    pub fn add(&mut self, sighting: &Sighting) {
        let source = sighting.place.source.digest();
        facts(sighting, source, &mut |fact| self.note(fact));
    }

    /// Takes in what a sighting says.
    pub fn note(&mut self, fact: Fact) {
        match fact {
            Fact::Beside { key, other } => {
                let kind = KeyKind::ALL.iter().position(|it| *it == other.kind);
                self.beside.push(short(key), kind, other.digest);
            }
            Fact::Answered {
                key,
                kind,
                credential,
            } => {
                let kind = Kind::ALL.iter().position(|it| *it == kind);
                self.answered.push(short(key), kind, credential);
            }
            Fact::Redirect(digest) => {
                self.redirects.insert(digest);
            }
            Fact::Client {
                source,
                client,
                habit,
            } => self.clients.note(source, client, habit),
            Fact::Headers(source) => {
                self.clients.headers.insert(source);
            }
        }
    }

    /// What follows, once all are taken in.
    pub fn common(mut self) -> Common {
        let mut weak = self.beside.reached();
        weak.extend(self.answered.reached());
        Common {
            weak: Weak(weak),
            redirects: self.redirects,
            clients: Arc::new(self.clients),
        }
    }
}

/// What every group of sightings is told of all the others.
#[derive(Debug, Default)]
pub struct Common {
    /// Keys that join nothing by themselves.
    pub weak: Weak,
    /// Where requests send their answers.
    pub(super) redirects: HashSet<Digest>,
    /// How clients prove who they are.
    pub clients: Arc<Clients>,
}

/// Keys that are constant or reused: they join nothing by themselves.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Weak(HashSet<u64>);

impl Weak {
    /// Whether the key is one.
    pub fn contains(&self, key: &JoinKey) -> bool {
        self.has(short(*key))
    }

    /// Whether the key with this [`short`] name is one.
    pub fn has(&self, short: u64) -> bool {
        !self.0.is_empty() && self.0.contains(&short)
    }
}

/// How clients prove who they are, as far as each source shows it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Clients {
    /// By source and `client_id`.
    habits: HashMap<Digest, HashMap<Box<str>, Habit>>,
    /// Sources that keep the headers in which they do.
    headers: HashSet<Digest>,
}

impl Clients {
    /// What the messages of a client in a file say.
    pub fn habit(&self, source: Digest, client: &str) -> Habit {
        let of_source = self.habits.get(&source);
        let of = |client: &str| of_source.and_then(|clients| clients.get(client).copied());
        let habit = of(client).unwrap_or_default();
        // Where some client proved itself beside its body, a body without a proof says nothing.
        let keeps = self.keeps_headers(source) && of(NAMELESS).is_none();
        Habit {
            authenticates: habit.authenticates.filter(|does| *does || keeps),
            ..habit
        }
    }

    /// Whether a source keeps the headers in which clients authenticate: what is not there was not sent.
    pub fn keeps_headers(&self, source: Digest) -> bool {
        self.headers.contains(&source)
    }

    fn note(&mut self, source: Digest, client: Box<str>, habit: Habit) {
        let known = self.habits.entry(source).or_default();
        let known = known.entry(client).or_default();
        *known = known.and(habit);
    }
}

/// Whether two requests that differ in `other` are two requests, as far as `key` is concerned. `s_hash`
/// only repeats `state`, and one request may be pushed again under a new `request_uri`.
fn distinguishes(other: JoinKey, key: JoinKey) -> bool {
    other.kind != key.kind
        && matches!(
            other.kind,
            KeyKind::State | KeyKind::Nonce | KeyKind::ChallengeS256 | KeyKind::ChallengePlain
        )
        && !matches!(key.kind, KeyKind::RequestUri)
        && !(key.kind == KeyKind::SHash && other.kind == KeyKind::State)
}

/// Half of a digest, which is enough to count by: among a thousand million keys, two are alike by chance once in
/// forty times, and no one can make one that is like a given other.
pub fn short(key: JoinKey) -> u64 {
    half(key.digest) ^ key.kind as u64
}

/// The first half of a digest.
pub fn half(digest: Digest) -> u64 {
    let first = digest.as_bytes().first_chunk();
    first.map_or(0, |first| u64::from_be_bytes(*first))
}

/// Counts different values for each key, as far as matters.
#[derive(Debug)]
struct Distinct {
    most: usize,
    /// Key; kind in one byte, scope in three, value in four. Sorted and each once up to `sorted`.
    pairs: Vec<(u64, u64)>,
    sorted: usize,
}

impl Distinct {
    fn up_to(most: usize) -> Self {
        Self {
            most,
            pairs: Vec::new(),
            sorted: 0,
        }
    }

    fn push(&mut self, key: u64, kind: Option<usize>, value: Digest) {
        let kind = kind.unwrap_or_default() as u64;
        // Only names that one source gave, or none did, can be told apart from each other.
        let [first, second, third, _] = value.scope().unwrap_or_default();
        let scope = u32::from_be_bytes([0, first, second, third]);
        let group = kind << 24 | u64::from(scope);
        self.pairs.push((key, group << 32 | half(value) >> 32));
        if self.pairs.len() >= self.sorted.saturating_mul(2).max(UNSORTED) {
            self.sort();
        }
    }

    /// Keeps the least values of each key and kind, no more than matter: whatever was taken in before, these
    /// stay the same.
    fn sort(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        let mut last = None;
        let mut count = 0;
        let most = self.most;
        self.pairs.retain(|pair| {
            count = if last == Some(group(*pair)) {
                count + 1
            } else {
                1
            };
            last = Some(group(*pair));
            count <= most
        });
        self.sorted = self.pairs.len();
    }

    /// Keys with as many values of one kind as matter.
    fn reached(&mut self) -> HashSet<u64> {
        self.sort();
        let ends = self.pairs.iter().skip(self.most.saturating_sub(1));
        let same = self.pairs.iter().zip(ends);
        same.filter(|(first, last)| group(**first) == group(**last))
            .map(|(first, _)| first.0)
            .collect()
    }
}

fn group((key, value): (u64, u64)) -> (u64, u64) {
    (key, value >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sample;

    fn digest(number: usize) -> Digest {
        Digest::of([number.to_le_bytes().as_slice()])
    }

    fn key(kind: KeyKind, number: usize) -> JoinKey {
        JoinKey {
            kind,
            digest: digest(number),
        }
    }

    #[test]
    fn a_key_beside_two_others_of_one_kind_is_weak_whatever_comes_between() {
        let (state, nonce) = (key(KeyKind::State, 0), key(KeyKind::Nonce, 1));
        let mut census = Census::default();
        census.note(Fact::Beside {
            key: state,
            other: nonce,
        });
        for number in 2..UNSORTED + 10 {
            let (key, other) = (key(KeyKind::State, number), key(KeyKind::Nonce, number));
            census.note(Fact::Beside { key, other });
        }
        // The same again, and another kind, is no other request.
        census.note(Fact::Beside {
            key: state,
            other: nonce,
        });
        census.note(Fact::Beside {
            key: nonce,
            other: state,
        });
        let challenge = key(KeyKind::ChallengeS256, 7);
        census.note(Fact::Beside {
            key: state,
            other: challenge,
        });
        let other = key(KeyKind::Nonce, 3);
        census.note(Fact::Beside {
            key: nonce,
            other: key(KeyKind::State, 9),
        });
        let mut more = Census::default();
        more.note(Fact::Beside {
            key: other,
            other: state,
        });
        assert!(!more.common().weak.contains(&other));
        let common = census.common();
        assert!(!common.weak.contains(&state));
        assert!(common.weak.contains(&nonce));
    }

    /// A short `state` has another key in each source that shows the request, and it is one request all the same.
    #[test]
    fn names_that_two_sources_gave_are_not_two_of_one_kind() {
        let (nonce, state) = (key(KeyKind::Nonce, 0), key(KeyKind::State, 1));
        let weak = |sources: [usize; 2]| {
            let mut census = Census::default();
            for (number, source) in sources.into_iter().enumerate() {
                let other = JoinKey {
                    digest: digest(number).within(digest(source)),
                    ..state
                };
                census.note(Fact::Beside { key: nonce, other });
            }
            census.common().weak.contains(&nonce)
        };
        assert!(!weak([7, 8]));
        assert!(weak([7, 7]));
    }

    #[test]
    fn three_codes_for_one_state_make_it_weak_and_two_do_not() {
        let state = key(KeyKind::State, 0);
        for (codes, weak) in [(2, false), (3, true)] {
            let mut census = Census::default();
            for code in 0..codes {
                census.note(Fact::Answered {
                    key: state,
                    kind: Kind::AuthorizationCode,
                    credential: digest(code),
                });
            }
            let common = census.common();
            assert_eq!(common.weak.contains(&state), weak, "{codes}");
        }
    }

    /// A hybrid response brings one value of each kind (OpenID Connect Core §3.3.2.5): they are one answer.
    #[test]
    fn values_of_several_kinds_for_one_state_are_one_answer() {
        let state = key(KeyKind::State, 0);
        let mut census = Census::default();
        for (number, kind) in Kind::ALL.into_iter().take(6).enumerate() {
            census.note(Fact::Answered {
                key: state,
                kind,
                credential: digest(number),
            });
        }
        assert!(!census.common().weak.contains(&state));
    }

    #[test]
    fn one_value_under_two_kinds_of_key_is_two_keys() {
        for byte in [0, 0x55, 0xff] {
            let digest = Digest::from_bytes([byte; 16]);
            let names: HashSet<u64> = KeyKind::ALL
                .into_iter()
                .map(|kind| short(JoinKey { kind, digest }))
                .collect();
            assert_eq!(names.len(), KeyKind::ALL.len(), "{byte}");
        }
    }

    /// `s_hash` says again what `state` says (Financial-grade API Part 2 §5.1), and is as constant as it is.
    #[test]
    fn an_s_hash_is_reused_where_its_nonces_differ_and_not_for_its_state() {
        let hash = key(KeyKind::SHash, 0);
        for (kind, apart) in [(KeyKind::State, false), (KeyKind::Nonce, true)] {
            assert_eq!(distinguishes(key(kind, 1), hash), apart, "{kind:?}");
        }
    }

    #[test]
    fn no_more_is_kept_of_a_key_than_matters() {
        let mut distinct = Distinct::up_to(2);
        for number in 0..100 {
            distinct.push(7, None, digest(number));
        }
        distinct.sort();
        assert_eq!(distinct.pairs.len(), 2);
    }

    #[test]
    fn what_answers_a_key_is_a_message_that_brings_what_it_was_made_for() {
        let of = |kind, role, found| {
            let mut message = sample::bare(0, 0, role);
            let mut credential = sample::credential(found);
            let key = key(kind, 1);
            credential.keys.push(key);
            message.credentials.push(credential.clone());
            is_answered(key, &message, &credential)
        };
        let (state, nonce) = (KeyKind::State, KeyKind::Nonce);
        let (front, request) = (Role::ResponseInFragment, Role::TokenRequest);
        assert!(of(state, front, Kind::AuthorizationCode));
        assert!(!of(state, request, Kind::AuthorizationCode));
        assert!(!of(state, front, Kind::ClientSecret));
        assert!(of(nonce, front, Kind::IdToken));
        assert!(!of(nonce, request, Kind::IdToken));
        assert!(!of(nonce, front, Kind::AccessToken));
        for challenge in [KeyKind::ChallengeS256, KeyKind::ChallengePlain] {
            assert!(of(challenge, request, Kind::AuthorizationCode));
            assert!(!of(challenge, request, Kind::CodeVerifier));
            assert!(!of(challenge, front, Kind::AuthorizationCode));
        }
    }
}
