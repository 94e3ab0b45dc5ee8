//! What the requests of a run ask for, summed up once, however many there are and however many values are asked about.
//! Weighs nothing.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::classify::Words;
use super::index::{Index, param};
use super::tie::{Link, Tie};
use crate::atoms::Digest;
use crate::detect::{Address, Sighting};

/// What the requests of a run ask for.
#[derive(Default)]
pub(super) struct Wanted {
    /// Whether one has a `state`.
    pub(super) state: bool,
    /// Whether a `state` ties an answer to one.
    pub(super) by_state: bool,
    /// Hosts that they were sent to.
    pub(super) hosts: BTreeSet<Arc<str>>,
    /// Requests for a code.
    pub(super) code: Moments,
    /// Requests for tokens in the answer.
    pub(super) tokens: Moments,
    /// Where these asked for their answer.
    landings: HashSet<Digest>,
    /// Whether one of these says nowhere, or a key names it.
    anywhere: bool,
    /// An address of each provider.
    providers: Vec<Address>,
    /// Whether a provider answered no request of its own moment with an access token.
    never: bool,
}

impl Wanted {
    /// Sums up the requests of a run, with what ties answers to them.
    pub(super) fn of(index: &Index<'_>, requests: &[usize], ties: &[Tie]) -> Self {
        let by_key = |tie: &&Tie| matches!(tie.link, Link::State | Link::Nonce | Link::StateHash);
        let named: HashSet<usize> = ties.iter().filter(by_key).map(|tie| tie.request).collect();
        let mut wanted = Self {
            by_state: ties.iter().any(|tie| tie.link == Link::State),
            ..Self::default()
        };
        let mut known = HashSet::new();
        for (at, request) in index.each(requests) {
            wanted.add(request, named.contains(&at));
            wanted.state |= param(request, "state").is_some();
            let Some(address) = &request.address else {
                continue;
            };
            wanted.hosts.insert(Arc::clone(&address.host));
            let found = index.providers.by_endpoint(&address.host, &address.path);
            if let Some((provider, _)) = found {
                let moment = request.at.map(|when| when.instant);
                wanted.never |= provider.is_without_implicit(moment);
                if known.insert(std::ptr::from_ref(provider)) {
                    wanted.providers.push(address.clone());
                }
            }
        }
        wanted
    }

    fn add(&mut self, request: &Sighting, named: bool) {
        let Some(words) = Words::of(request) else {
            return;
        };
        let moment = request.at.map(|when| when.instant);
        if words.code {
            self.code.add(moment);
        }
        if words.token || words.id_token {
            self.tokens.add(moment);
            self.anywhere |= named || request.redirect.is_none();
            self.landings.extend(request.redirect);
        }
    }

    /// Whether a request asked for tokens, and for its answer where the sighting is.
    pub(super) fn tokens_at(&self, sighting: &Sighting) -> bool {
        let there = |landing| self.landings.contains(&landing);
        self.anywhere || sighting.landing.map_or(!self.landings.is_empty(), there)
    }

    /// Whether a provider that was asked answers none with an access token, when the sighting was made.
    pub(super) fn is_without_implicit(&self, index: &Index<'_>, sighting: &Sighting) -> bool {
        let Some(when) = sighting.at else {
            return self.never;
        };
        let asked = self.providers.iter();
        let mut found = asked.filter_map(|it| index.providers.by_endpoint(&it.host, &it.path));
        found.any(|(provider, _)| provider.is_without_implicit(Some(when.instant)))
    }
}

/// When something happened.
#[derive(Default)]
pub(super) struct Moments {
    /// Whether it happened at a moment that is not known.
    untimed: bool,
    latest: Option<Timestamp>,
}

impl Moments {
    fn add(&mut self, moment: Option<Timestamp>) {
        self.untimed |= moment.is_none();
        self.latest = self.latest.max(moment);
    }

    /// Whether it may have happened at most so long before a moment, or after it.
    pub(super) fn since(&self, moment: Option<Timestamp>, within: SignedDuration) -> bool {
        let soon = |latest| moment.is_none_or(|it| it.duration_since(latest) <= within);
        self.untimed || self.latest.is_some_and(soon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::Slot;
    use crate::atoms::rules::Rules;
    use crate::detect::{Role, sample};
    use crate::flow::census::Common;

    #[test]
    fn what_may_have_happened_shortly_before_a_moment_counts() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let within = SignedDuration::from_secs(10);
        let mut moments = Moments::default();
        assert!(!moments.since(None, within));
        moments.add(at(5));
        moments.add(at(20));
        for (moment, is_soon) in [(at(30), true), (at(31), false), (at(1), true), (None, true)] {
            assert_eq!(moments.since(moment, within), is_soon, "{moment:?}");
        }
        moments.add(None);
        assert!(moments.since(at(31), within));
    }

    #[test]
    fn tokens_are_asked_for_where_their_answer_lands() {
        let lands = |landing| Sighting {
            landing,
            ..sample::bare(0, 0, Role::ResponseInFragment)
        };
        let digest = |name: &str| Digest::of([name.as_bytes()]);
        let mut wanted = Wanted::default();
        assert!(!wanted.tokens_at(&lands(None)));
        wanted.landings.insert(digest("callback"));
        assert!(wanted.tokens_at(&lands(None)));
        assert!(wanted.tokens_at(&lands(Some(digest("callback")))));
        assert!(!wanted.tokens_at(&lands(Some(digest("other")))));
    }

    #[test]
    fn one_request_with_a_state_is_enough() {
        let mut requests = [1, 2].map(|at| sample::bare(at, 0, Role::AuthorizationRequest));
        let (common, rules) = (Common::default(), Rules::builtin().unwrap());
        let has_state = |all: &[Sighting]| {
            let index = Index::new(all, &common, &rules.providers);
            Wanted::of(&index, &[0, 1], &[]).state
        };
        assert!(!has_state(&requests));
        let state = sample::param("state", None, Slot::Query);
        requests[0].params.push(state);
        assert!(has_state(&requests));
    }

    #[test]
    fn one_provider_without_an_implicit_grant_is_enough() {
        let request = |host: &str, path: &str| {
            let mut request = sample::bare(0, 0, Role::AuthorizationRequest);
            let address = request.address.take().unwrap();
            request.address = Some(Address {
                host: host.into(),
                path: path.into(),
                ..address
            });
            request
        };
        let all = [
            request("github.com", "/login/oauth/authorize"),
            request("accounts.google.com", "/o/oauth2/v2/auth"),
        ];
        let (common, rules) = (Common::default(), Rules::builtin().unwrap());
        let index = Index::new(&all, &common, &rules.providers);
        let never = |requests: &[usize]| Wanted::of(&index, requests, &[]).never;
        assert_eq!(
            [never(&[0]), never(&[1]), never(&[0, 1])],
            [true, false, true]
        );
    }
}
