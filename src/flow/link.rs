//! Which request a response answers: weighs what ties them by the strengths of a table. Puts nothing together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;

use super::component::Sets;
use super::index::{Index, client_id, is_answer, is_response, value};
use super::named::{CHALLENGES, Named, Own, STATE};
use super::near::{LOGIN_SECONDS, MAX_HOPS};
use super::tie::{ACCEPT, Link, Tie};
use crate::atoms::{Digest, JoinKey, KeyKind, Kind};
use crate::detect::{Role, Sighting};

/// A store that notes the URLs of one redirect at once may note them in any order (measured: Chromium's
/// `ukm_db`, 3 to 6 ms): a request this little behind its response may still be the one that it answers.
const NOTED_TOGETHER: SignedDuration = SignedDuration::from_millis(100);

/// Requests of one exchange that are compared with its answers: a page may hold links to thousands.
const MAX_IN_EXCHANGE: usize = 16;

/// Finds the request of a core.
pub(super) struct Linker<'a, 'b> {
    index: &'b Index<'a>,
    group_of: HashMap<usize, usize>,
    /// The first requests of an exchange.
    in_exchange: HashMap<JoinKey, Vec<usize>>,
    states: Vec<Named>,
    challenges: Vec<Named>,
    /// By `state`: the code that came back with it; `None` where several did.
    codes: HashMap<JoinKey, Option<Digest>>,
}

impl<'a, 'b> Linker<'a, 'b> {
    /// Prepares the requests.
    pub(super) fn new(index: &'b Index<'a>, requests: &Sets) -> Self {
        let mut group_of = HashMap::new();
        let mut in_exchange: HashMap<JoinKey, Vec<usize>> = HashMap::new();
        for (group, members) in requests.iter().enumerate() {
            group_of.extend(members.iter().map(|at| (*at, group)));
        }
        for (key, within) in &index.exchanges {
            let asked = within.iter().filter(|at| group_of.contains_key(at));
            let asked: Vec<usize> = asked.take(MAX_IN_EXCHANGE).copied().collect();
            if !asked.is_empty() {
                in_exchange.insert(*key, asked);
            }
        }
        let named = |kinds| {
            let of = requests.iter();
            of.map(|members| Named::of(index, members, kinds, |_| true))
                .collect()
        };
        let (states, challenges) = (named(STATE), named(CHALLENGES));
        Self {
            index,
            group_of,
            in_exchange,
            states,
            challenges,
            codes: codes(index),
        }
    }

    /// The group that a core answers best, among those that `may` be it, with the reasons.
    pub(super) fn best(
        &self,
        core: &[usize],
        may: impl Fn(usize, &[Tie]) -> bool,
    ) -> Option<(usize, Vec<Tie>)> {
        let own = Own::of(self.index, core);
        let mut ties: BTreeMap<usize, BTreeSet<Tie>> = BTreeMap::new();
        let mut fit: HashMap<usize, bool> = HashMap::new();
        for (at, sighting) in self.index.each(core) {
            for (request, hops) in self.candidates(core, at, sighting) {
                let Some(&group) = self.group_of.get(&request) else {
                    continue;
                };
                let fits = fit.entry(group);
                if *fits.or_insert_with(|| !self.contradicts(&own, group)) {
                    let ties = ties.entry(group).or_default();
                    ties.extend(self.compare(at, sighting, request, hops));
                    ties.extend(own.redeems(self.index, request));
                }
            }
        }
        let scored = ties.into_iter().filter_map(|(group, ties)| {
            let ties: Vec<Tie> = ties.into_iter().collect();
            let score = score(&ties);
            let holds = self.fits(&own, group) || self.prove(&ties);
            (score >= ACCEPT && holds && may(group, &ties)).then_some((score, group, ties))
        });
        let best = scored.max_by_key(|(score, group, ties)| {
            let hops = ties.iter().find_map(|tie| match tie.link {
                Link::Chain(hops) => Some(hops),
                _ => None,
            });
            let requests: Vec<usize> = ties.iter().map(|tie| tie.request).collect();
            let latest = self.index.each(&requests).filter_map(|(_, s)| s.at).max();
            let nearest = std::cmp::Reverse(hops.unwrap_or(u8::MAX));
            (*score, nearest, latest, std::cmp::Reverse(*group))
        });
        best.map(|(_, group, ties)| (group, ties))
    }

    /// Whether a core cannot answer a group: another `state` came back.
    fn contradicts(&self, own: &Own, group: usize) -> bool {
        let asked = self.states.get(group);
        asked.is_some_and(|asked| asked.differs(&own.states))
    }

    /// Whether the ties show beyond doubt that a core answers a group: by what its answer alone has, by a `state` that
    /// came back with no other code, or by a chain that ends where the request asked.
    fn prove(&self, ties: &[Tie]) -> bool {
        let has = |wanted: fn(Link) -> bool| ties.iter().any(|tie| wanted(tie.link));
        let state = || {
            let mut states = ties.iter().filter(|tie| tie.link == Link::State);
            states.any(|tie| tie.key.is_some_and(|key| self.is_answered_once(key)))
        };
        has(Link::is_proof)
            || state()
            || has(|link| matches!(link, Link::Chain(_))) && has(|link| link == Link::RedirectUri)
    }

    /// Whether all responses with this `state` bring one code.
    fn is_answered_once(&self, state: JoinKey) -> bool {
        self.codes.get(&state).is_some_and(Option::is_some)
    }

    /// Whether what was redeemed fits the challenge of a group. If not, a server must refuse it (RFC 7636 §4.6), so
    /// that a core which is only guessed to answer the group does not. One that answers it beyond doubt still does: its
    /// client or its server is wrong.
    fn fits(&self, own: &Own, group: usize) -> bool {
        self.challenges.get(group).is_none_or(|asked| {
            !asked.differs(&own.verifiers) && (!own.unverified || asked.keys.is_empty())
        })
    }

    /// Requests that a sighting may answer, with the hops between where a chain leads there.
    fn candidates(
        &self,
        core: &[usize],
        at: usize,
        sighting: &Sighting,
    ) -> BTreeMap<usize, Option<u8>> {
        let mut found: BTreeMap<usize, Option<u8>> = BTreeMap::new();
        let can_answer = answers(self.index, sighting);
        if can_answer {
            self.along_chain(core, sighting, &mut found);
            let exchange = sighting.exchange.and_then(|key| self.in_exchange.get(&key));
            for &other in exchange.into_iter().flatten() {
                found.entry(other).or_default();
            }
        }
        for key in &sighting.keys {
            if !self.index.weak.contains(key) {
                for other in self.index.requests_with(*key, at) {
                    found.entry(other).or_default();
                }
            }
        }
        found.retain(|other, _| *other != at && self.group_of.contains_key(other));
        if can_answer && found.is_empty() {
            // Nothing names the request: those of the same source, before it, may be it.
            let near = self.index.requests_near(sighting);
            found.extend(near.map(|other| (other, None)));
        }
        found
    }

    fn along_chain(
        &self,
        core: &[usize],
        sighting: &Sighting,
        found: &mut BTreeMap<usize, Option<u8>>,
    ) {
        let Some(visit) = &sighting.visit else { return };
        for (hops, key) in visit.ancestors.iter().filter(|(hops, _)| *hops <= MAX_HOPS) {
            for (at, before) in self.index.each(self.index.of_visit(*key)) {
                let same_landing = before.landing.is_some() && before.landing == sighting.landing;
                if is_response(before) && same_landing && core.binary_search(&at).is_err() {
                    // What lies behind an earlier response at this place was answered by that one.
                    return;
                }
                if before.role == Role::AuthorizationRequest {
                    found.entry(at).or_insert(Some(*hops));
                }
            }
        }
    }

    /// Every reason to take `sighting` for the answer to `request`.
    fn compare(
        &self,
        at: usize,
        sighting: &Sighting,
        request: usize,
        hops: Option<u8>,
    ) -> Vec<Tie> {
        let Some(asked) = self.index.get(request) else {
            return Vec::new();
        };
        let same_source = asked.place.source == sighting.place.source;
        let before = match (asked.at, sighting.at) {
            (Some(asked), Some(answered)) => {
                let late = asked.instant.duration_since(answered.instant);
                // What has visits has their order too.
                late.is_negative()
                    || late.is_zero()
                    || sighting.visit.is_none() && late <= NOTED_TOGETHER
            }
            _ => true,
        };
        if same_source && !before && sighting.role != Role::Stored {
            return Vec::new();
        }
        let tie = |link, key| Tie {
            link,
            request,
            response: at,
            key,
        };
        let mut ties: Vec<Tie> = hops
            .map(|hops| tie(Link::Chain(hops), None))
            .into_iter()
            .collect();
        if asked.exchange.is_some()
            && asked.exchange == sighting.exchange
            && is_answer(sighting)
            && !is_answer(asked)
        {
            ties.push(tie(Link::Exchange, asked.exchange));
        }
        for key in sighting.keys.iter().filter(|key| asked.keys.contains(key)) {
            let link = match key.kind {
                KeyKind::State if !self.index.weak.contains(key) => Link::State,
                KeyKind::State if same_source => Link::ReusedState,
                _ if self.index.weak.contains(key) => continue,
                KeyKind::Nonce => Link::Nonce,
                KeyKind::SHash if claims(sighting, *key) => Link::StateHash,
                KeyKind::ChallengeS256 | KeyKind::ChallengePlain => Link::Challenge,
                _ => continue,
            };
            ties.push(tie(link, Some(*key)));
        }
        if same_source && answers(self.index, sighting) {
            ties.extend(
                attributes(sighting, asked)
                    .into_iter()
                    .map(|link| tie(link, None)),
            );
        }
        ties
    }
}

/// What ties a response to a request of its source without naming it. A different place contradicts the rest.
fn attributes(sighting: &Sighting, asked: &Sighting) -> Vec<Link> {
    let mut links = Vec::new();
    match (asked.redirect, sighting.landing) {
        (Some(asked), Some(landed)) if asked == landed => links.push(Link::RedirectUri),
        (Some(_), Some(_)) => return links,
        _ => {}
    }
    let claims = || {
        sighting
            .credentials
            .iter()
            .filter_map(|c| c.claims.as_ref())
    };
    if let Some(client) = client_id(asked) {
        let named = claims().any(|claims| {
            claims.azp.as_deref() == Some(client) || claims.aud.iter().any(|aud| &**aud == client)
        });
        if named {
            links.push(Link::ClientId);
        }
    }
    if let Some(host) = asked.address.as_ref().map(|address| &*address.host) {
        let issuers = claims().filter_map(|claims| claims.iss.as_deref());
        let mut hosts = issuers.chain(value(sighting, "iss")).filter_map(host_of);
        if hosts.any(|issuer| issuer == host) {
            links.push(Link::Issuer);
        }
    }
    let when = |sighting: &Sighting| sighting.at.map(|when| when.instant.as_second());
    if let (Some(asked), Some(answered)) = (when(asked), when(sighting))
        && answered.saturating_sub(asked) <= LOGIN_SECONDS
    {
        links.push(Link::Time);
    }
    links
}

/// Whether an ID token of the sighting has the key: a `state` has its hash too, and that says nothing.
fn claims(sighting: &Sighting, key: JoinKey) -> bool {
    sighting
        .credentials
        .iter()
        .any(|credential| credential.kind == Kind::IdToken && credential.keys.contains(&key))
}

/// Host of a URL, as written; an IPv6 address in its brackets (RFC 3986 §3.2.2).
pub(super) fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    match authority.split_inclusive(']').next() {
        Some(address) if address.starts_with('[') => Some(address),
        _ => authority.split(':').next(),
    }
}

fn score(ties: &[Tie]) -> u8 {
    let mut strongest: BTreeMap<u8, u8> = BTreeMap::new();
    for tie in ties {
        let slot = strongest.entry(tie.link.rank()).or_default();
        *slot = (*slot).max(tie.link.strength());
    }
    strongest.values().copied().fold(0, u8::saturating_add)
}

/// Whether the sighting can be a response: it says so, or it holds a code that other rows made one of.
fn answers(index: &Index<'_>, sighting: &Sighting) -> bool {
    is_response(sighting)
        || (sighting.role == Role::None
            && index.credentials(sighting).any(|(credential, kind)| {
                kind == Kind::AuthorizationCode && credential.slot.is_url()
            }))
}

fn codes(index: &Index<'_>) -> HashMap<JoinKey, Option<Digest>> {
    let mut codes: HashMap<JoinKey, Option<Digest>> = HashMap::new();
    for sighting in index.all.iter().filter(|it| is_response(it)) {
        let brought = sighting.credentials.iter();
        for code in brought.filter(|it| it.kind == Kind::AuthorizationCode) {
            let states = sighting.keys.iter();
            for state in states.filter(|key| key.kind == KeyKind::State) {
                let known = codes.entry(*state).or_insert(Some(code.id));
                *known = known.filter(|known| *known == code.id);
            }
        }
    }
    codes
}
