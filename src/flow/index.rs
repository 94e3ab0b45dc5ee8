//! The sightings of a run, and the tables that find one from another. Decides only which keys are too
//! common to join anything.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::atoms::rules::provider::Providers;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Slot, Source};
use crate::collect::Via;
use crate::detect::{Credential, Param, Role, Sighting};

/// A key that this many *different* requests carry joins nothing: it is constant, or reused. Two requests
/// with one `state` and two nonces cannot be one run seen twice.
pub(super) const REUSED_IN_REQUESTS: usize = 2;

/// A `state` that this many different codes or tokens answer is constant. Two answers are still one user
/// who went back and signed in again.
pub(super) const REUSED_IN_RESPONSES: usize = 3;

/// Sightings, sorted, with their tables.
pub(super) struct Index<'a> {
    /// All sightings, sorted by source, place and id.
    pub(super) all: &'a [Sighting],
    /// Keys that are constant or reused: they join nothing by themselves.
    pub(super) weak: BTreeSet<JoinKey>,
    /// Credentials that the evidence supports, and what they are.
    pub(super) real: BTreeMap<Digest, Kind>,
    /// Sightings of a visit.
    visits: HashMap<JoinKey, Vec<usize>>,
    /// Sightings of an exchange.
    pub(super) exchanges: BTreeMap<JoinKey, Vec<usize>>,
    /// Requests that carry a key.
    requests_by_key: HashMap<JoinKey, Vec<usize>>,
    /// Requests of a source, by time.
    requests_by_time: BTreeMap<&'a Source, Vec<(Timestamp, usize)>>,
    /// What answers where.
    pub(super) providers: &'a Providers,
}

impl<'a> Index<'a> {
    /// Builds the tables.
    pub(super) fn new(all: &'a [Sighting], providers: &'a Providers) -> Self {
        let mut visits: HashMap<JoinKey, Vec<usize>> = HashMap::new();
        let mut exchanges: BTreeMap<JoinKey, Vec<usize>> = BTreeMap::new();
        let mut requests_by_key: HashMap<JoinKey, Vec<usize>> = HashMap::new();
        let mut requests_by_time: BTreeMap<&Source, Vec<(Timestamp, usize)>> = BTreeMap::new();
        for (index, sighting) in all.iter().enumerate() {
            if let (Role::AuthorizationRequest, Some(when)) = (sighting.role, sighting.at) {
                let source: &'a Source = &sighting.place.source;
                let times = requests_by_time.entry(source).or_default();
                times.push((when.instant, index));
            }
            if let Some(visit) = &sighting.visit {
                visits.entry(visit.own).or_default().push(index);
            }
            if let Some(exchange) = sighting.exchange {
                exchanges.entry(exchange).or_default().push(index);
            }
            if is_request(sighting) {
                for key in request_keys(sighting) {
                    requests_by_key.entry(key).or_default().push(index);
                }
            }
        }
        Self {
            all,
            weak: weak_keys(all),
            real: BTreeMap::new(),
            visits,
            exchanges,
            requests_by_key,
            requests_by_time,
            providers,
        }
        .sorted()
    }

    fn sorted(mut self) -> Self {
        for times in self.requests_by_time.values_mut() {
            times.sort_unstable();
        }
        self
    }

    /// The latest requests of a sighting's source at or before it, the nearest first, with their moments.
    pub(super) fn requests_before(
        &self,
        sighting: &Sighting,
    ) -> impl Iterator<Item = (Timestamp, usize)> + '_ {
        let times = self.requests_by_time.get(&*sighting.place.source);
        let times = times.map_or(&[][..], Vec::as_slice);
        let until = sighting.at.map_or(0, |when| {
            times.partition_point(|(moment, _)| *moment <= when.instant)
        });
        times.iter().take(until).rev().copied()
    }

    /// A sighting. Indices come from this table, so that the answer is there.
    pub(super) fn get(&self, index: usize) -> Option<&'a Sighting> {
        self.all.get(index)
    }

    /// Sightings of some indices.
    pub(super) fn each<'b>(
        &'b self,
        indices: &'b [usize],
    ) -> impl Iterator<Item = (usize, &'a Sighting)> + 'b {
        indices
            .iter()
            .filter_map(|&index| Some((index, self.get(index)?)))
    }

    /// Sightings of a visit.
    pub(super) fn of_visit(&self, key: JoinKey) -> &[usize] {
        self.visits.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Sightings of an exchange.
    pub(super) fn of_exchange(&self, key: JoinKey) -> &[usize] {
        self.exchanges.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Authorization requests that carry a key.
    pub(super) fn requests_with(&self, key: JoinKey) -> &[usize] {
        self.requests_by_key.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The credentials of a sighting that the evidence supports, with what they are.
    pub(super) fn credentials<'b>(
        &'b self,
        sighting: &'b Sighting,
    ) -> impl Iterator<Item = (&'b Credential, Kind)> + 'b {
        sighting
            .credentials
            .iter()
            .filter_map(|credential| Some((credential, *self.real.get(&credential.id)?)))
    }
}

/// Whether the sighting asks an authorization server to begin: in the address bar, or pushed (RFC 9126 §2).
pub(super) fn is_request(sighting: &Sighting) -> bool {
    match sighting.role {
        Role::AuthorizationRequest => true,
        Role::TokenRequest => is_pushed(sighting),
        _ => false,
    }
}

/// Whether the sighting is a pushed authorization request: it has no grant, and asks for a response.
pub(super) fn is_pushed(sighting: &Sighting) -> bool {
    sighting.role == Role::TokenRequest
        && param(sighting, "grant_type").is_none()
        && ["response_type", "code_challenge"]
            .iter()
            .any(|name| param(sighting, name).is_some())
}

/// Whether the sighting is an authorization response.
pub(super) fn is_response(sighting: &Sighting) -> bool {
    matches!(
        sighting.role,
        Role::ResponseInQuery | Role::ResponseInFragment | Role::ResponseInBody
    )
}

/// Whether the sighting came back in the exchange rather than being sent in it.
pub(super) fn is_answer(sighting: &Sighting) -> bool {
    matches!(sighting.via, Via::Response | Via::Location)
}

/// A parameter, by its name without regard to case, `_` and `-` (`SAMLRequest` is `saml_request`).
pub(super) fn param<'a>(sighting: &'a Sighting, name: &str) -> Option<&'a Param> {
    sighting
        .params
        .iter()
        .find(|param| same_name(&param.name, name))
}

/// The public value of a parameter.
pub(super) fn value<'a>(sighting: &'a Sighting, name: &str) -> Option<&'a str> {
    sighting
        .params
        .iter()
        .filter(|param| same_name(&param.name, name))
        .find_map(|param| param.value.as_deref())
}

/// Whether two parameter names are the same but for case, `_` and `-`.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let first = |name: &str| name.bytes().next().map(|byte| byte.to_ascii_lowercase());
    // Most names differ in their first letter already.
    one == other || (first(one) == first(other) && plain(one).eq(plain(other)))
}

fn plain(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes()
        .filter(|byte| !matches!(byte, b'_' | b'-'))
        .map(|byte| byte.to_ascii_lowercase())
}

/// Whether a value of this kind belongs to one protocol run, so that seeing it twice joins. A client's
/// secret or an API key is in every run, and an assertion begins a run of its own.
pub(super) fn is_of_one_run(kind: Kind) -> bool {
    match kind {
        Kind::AccessToken
        | Kind::IdToken
        | Kind::RefreshToken
        | Kind::AuthorizationCode
        | Kind::CodeVerifier
        | Kind::CodeChallenge
        | Kind::RequestObject
        | Kind::JarmResponse
        | Kind::LogoutToken
        | Kind::DeviceCode
        | Kind::UserCode
        | Kind::SamlMessage
        | Kind::SamlArtifact
        | Kind::WsfedToken
        | Kind::CasTicket
        | Kind::Oauth1Token
        | Kind::Oauth1Verifier
        | Kind::OneTimeLink
        | Kind::OpaqueToken => true,
        Kind::ClientSecret
        | Kind::ClientAssertion
        | Kind::Assertion
        | Kind::Password
        | Kind::ApiKey
        | Kind::SessionId
        | Kind::SignedUrl
        | Kind::WebhookUrl
        | Kind::BasicCredentials
        | Kind::FlowWeakness => false,
    }
}

/// Whether a value of this kind is a token that an API, a client or a provider takes.
pub(super) fn is_token(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AccessToken | Kind::IdToken | Kind::RefreshToken | Kind::OpaqueToken
    )
}

/// Whether the value is one that the browser sent along by itself, and so says nothing of the exchange.
pub(super) fn is_sent_along(sighting: &Sighting) -> bool {
    matches!(sighting.via, Via::Referer { .. })
        || (sighting.via == Via::Request
            && !sighting.credentials.is_empty()
            && sighting
                .credentials
                .iter()
                .all(|credential| credential.slot == Slot::Cookie))
}

/// The keys that name a request.
pub(super) fn request_keys(sighting: &Sighting) -> impl Iterator<Item = JoinKey> + '_ {
    sighting.keys.iter().copied().filter(|key| {
        matches!(
            key.kind,
            KeyKind::State
                | KeyKind::Nonce
                | KeyKind::ChallengeS256
                | KeyKind::ChallengePlain
                | KeyKind::SHash
                | KeyKind::RequestUri
        )
    })
}

/// Keys that are constant or reused. Depends on nothing but how many different requests, or different
/// answers, carry each key.
fn weak_keys(all: &[Sighting]) -> BTreeSet<JoinKey> {
    let mut beside: HashMap<(JoinKey, KeyKind), HashSet<Digest>> = HashMap::new();
    let mut answers: HashMap<(JoinKey, Kind), HashSet<Digest>> = HashMap::new();
    for sighting in all {
        if is_request(sighting) {
            for key in request_keys(sighting) {
                for other in request_keys(sighting).filter(|other| distinguishes(*other, key)) {
                    beside
                        .entry((key, other.kind))
                        .or_default()
                        .insert(other.digest);
                }
            }
        } else if is_response(sighting) {
            for key in sighting
                .keys
                .iter()
                .filter(|key| key.kind == KeyKind::State)
            {
                for credential in &sighting.credentials {
                    if is_of_one_run(credential.kind) {
                        answers
                            .entry((*key, credential.kind))
                            .or_default()
                            .insert(credential.id);
                    }
                }
            }
        }
    }
    let by_requests = beside
        .into_iter()
        .filter(|(_, digests)| digests.len() >= REUSED_IN_REQUESTS)
        .map(|((key, _), _)| key);
    let by_answers = answers
        .into_iter()
        .filter(|(_, digests)| digests.len() >= REUSED_IN_RESPONSES)
        .map(|((key, _), _)| key);
    by_requests.chain(by_answers).collect()
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
