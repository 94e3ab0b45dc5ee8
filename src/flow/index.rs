//! The sightings of a run, and the tables that find one from another. Decides nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::asked::Asked;
use super::census::{Common, Weak};
use super::near;
use crate::atoms::rules::provider::Providers;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind, Slot, Source};
use crate::collect::Via;
use crate::detect::{Credential, Param, Role, Sighting};

/// Sightings, sorted, with their tables.
pub(super) struct Index<'a> {
    /// All sightings, sorted by source, place and id.
    pub(super) all: &'a [Sighting],
    /// Keys that are constant or reused: they join nothing by themselves.
    pub(super) weak: &'a Weak,
    /// What all sightings say, these and others.
    pub(super) common: &'a Common,
    /// Credentials that the evidence supports, and what they are.
    pub(super) real: BTreeMap<Digest, Kind>,
    /// Sightings of a visit.
    visits: HashMap<JoinKey, Vec<usize>>,
    /// Sightings of an exchange.
    pub(super) exchanges: BTreeMap<JoinKey, Vec<usize>>,
    /// Visits and exchanges with an authorization request.
    begun: HashSet<JoinKey>,
    /// Exchanges with a pushed request.
    pushed: HashSet<JoinKey>,
    /// Requests that carry a key.
    requests_by_key: HashMap<JoinKey, Asked>,
    /// Authorization requests by the key that names each as something near.
    requests_by_id: HashMap<JoinKey, usize>,
    /// What answers where.
    pub(super) providers: &'a Providers,
    /// Digests of the sources, each computed once.
    sources: HashMap<*const Source, Digest>,
    /// For each sighting: the number of its source.
    source_of: Vec<u32>,
}

impl<'a> Index<'a> {
    /// Builds the tables.
    pub(super) fn new(all: &'a [Sighting], common: &'a Common, providers: &'a Providers) -> Self {
        let mut index = Self {
            all,
            weak: &common.weak,
            common,
            real: BTreeMap::new(),
            visits: HashMap::new(),
            exchanges: BTreeMap::new(),
            begun: HashSet::new(),
            pushed: HashSet::new(),
            requests_by_key: HashMap::new(),
            requests_by_id: HashMap::new(),
            providers,
            sources: HashMap::new(),
            source_of: Vec::with_capacity(all.len()),
        };
        let mut last: Option<&Arc<Source>> = None;
        let mut number = 0;
        for (at, sighting) in all.iter().enumerate() {
            let source = &sighting.place.source;
            if !last.is_some_and(|last| Arc::ptr_eq(last, source)) {
                // Two that are equal are one, and stand together.
                number += u32::from(last.is_some_and(|last| last != source));
                last = Some(source);
                let known = index.sources.entry(Arc::as_ptr(source));
                known.or_insert_with(|| source.digest());
            }
            index.source_of.push(number);
            if sighting.role == Role::AuthorizationRequest {
                index.requests_by_id.insert(near::by_id(sighting.id), at);
                let visit = sighting.visit.as_ref().map(|visit| visit.own);
                index
                    .begun
                    .extend(visit.into_iter().chain(sighting.exchange));
            }
            if is_pushed(sighting) {
                index.pushed.extend(sighting.exchange);
            }
            if let Some(visit) = &sighting.visit {
                index.visits.entry(visit.own).or_default().push(at);
            }
            if let Some(exchange) = sighting.exchange {
                index.exchanges.entry(exchange).or_default().push(at);
            }
            if is_request(sighting) {
                for key in request_keys(sighting) {
                    index.requests_by_key.entry(key).or_default().push(at);
                }
            }
        }
        for asked in index.requests_by_key.values_mut() {
            asked.sort(all, &index.source_of);
        }
        index
    }

    /// Requests of a sighting's source shortly before it, the nearest first.
    pub(super) fn requests_near<'b>(
        &'b self,
        sighting: &'b Sighting,
    ) -> impl Iterator<Item = usize> + 'b {
        let near = sighting.near.iter();
        near.filter_map(|key| self.requests_by_id.get(key).copied())
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

    /// Digest of the source of a sighting of this table.
    pub(super) fn source(&self, sighting: &Sighting) -> Digest {
        let source = &sighting.place.source;
        let known = self.sources.get(&Arc::as_ptr(source)).copied();
        known.unwrap_or_else(|| source.digest())
    }

    /// The number of the source of a sighting, in the order of sources.
    pub(super) fn number_of(&self, at: usize) -> Option<u32> {
        self.source_of.get(at).copied()
    }

    /// Sightings of a visit.
    pub(super) fn of_visit(&self, key: JoinKey) -> &[usize] {
        self.visits.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Sightings of an exchange.
    pub(super) fn of_exchange(&self, key: JoinKey) -> &[usize] {
        self.exchanges.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Whether a visit or an exchange has an authorization request.
    pub(super) fn begins(&self, key: JoinKey) -> bool {
        self.begun.contains(&key)
    }

    /// Whether an exchange has a pushed request.
    pub(super) fn pushes(&self, key: JoinKey) -> bool {
        self.pushed.contains(&key)
    }

    /// Authorization requests that carry a key of a sighting: those nearest to it.
    pub(super) fn requests_with(
        &self,
        key: JoinKey,
        at: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        let asked = self.requests_by_key.get(&key).into_iter();
        asked.flat_map(move |asked| asked.near(at, self.all, &self.source_of))
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
    sighting.role.is_response()
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

/// The public value of a parameter, by its name without regard to case, `_` and `-`.
pub fn value<'a>(sighting: &'a Sighting, name: &str) -> Option<&'a str> {
    sighting
        .params
        .iter()
        .filter(|param| same_name(&param.name, name))
        .find_map(|param| param.value.as_deref())
}

/// The client that a message names (RFC 6749 §2.2); an empty value names none.
pub(super) fn client_id(sighting: &Sighting) -> Option<&str> {
    value(sighting, "client_id").filter(|client| !client.is_empty())
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
        | Kind::PrivateKey
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

/// Whether a key of this kind names one request, in whichever sighting of it.
pub(super) fn names_request(key: JoinKey) -> bool {
    matches!(
        key.kind,
        KeyKind::State
            | KeyKind::Nonce
            | KeyKind::ChallengeS256
            | KeyKind::ChallengePlain
            | KeyKind::RequestUri
    )
}

/// The keys that name a request, or fit one.
pub(super) fn request_keys(sighting: &Sighting) -> impl Iterator<Item = JoinKey> + '_ {
    let keys = sighting.keys.iter().copied();
    keys.filter(|key| names_request(*key) || key.kind == KeyKind::SHash)
}
