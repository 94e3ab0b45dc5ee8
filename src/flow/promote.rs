//! Which values are credentials, by all evidence together: candidates of `detect` are promoted or dropped
//! by what other rows show. Names no flow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::index::Index;
use crate::atoms::{Digest, Kind, Slot};
use crate::detect::{Credential, REPORT, Role, Sighting};

/// Points for a code whose previous hop is an authorization request.
const AFTER_REQUEST: i16 = 50;

/// Points for a code at a URL that a request named as its `redirect_uri`.
const AT_REDIRECT_URI: i16 = 50;

/// Points for a code that a token request redeems.
const REDEEMED: i16 = 100;

/// A candidate with one name and one value on this many pages of a site is the site's own identifier.
const MANY_PAGES: usize = 4;

/// All credentials that reach [`REPORT`], and what each is.
pub(super) fn real(index: &Index<'_>) -> BTreeMap<Digest, Kind> {
    let redirects = &index.common.redirects;
    let mut values: BTreeMap<Digest, Value> = BTreeMap::new();
    for sighting in index.all {
        for credential in &sighting.credentials {
            let entry = values.entry(credential.id).or_default();
            entry.add(sighting, credential);
            if credential.kind == Kind::AuthorizationCode {
                entry.after_request |= after_request(index, sighting);
                entry.at_redirect |= sighting
                    .landing
                    .is_some_and(|landing| redirects.contains(&landing));
                entry.redeemed |= sighting.role == Role::TokenRequest;
            }
        }
    }
    values
        .into_iter()
        .filter(|(_, value)| value.counts())
        .filter_map(|(id, value)| Some((id, value.kind?)))
        .collect()
}

/// A site's host, and the name that the value has there.
type Named = (Arc<str>, Arc<str>);

/// What is known of one value.
#[derive(Default)]
struct Value {
    kind: Option<Kind>,
    score: i16,
    after_request: bool,
    at_redirect: bool,
    redeemed: bool,
    /// Paths without a protocol message, by site and name.
    pages: HashMap<Named, BTreeSet<Arc<str>>>,
}

impl Value {
    fn add(&mut self, sighting: &Sighting, credential: &Credential) {
        self.score = self.score.max(credential.score);
        let kind = if is_login_link(sighting, credential) {
            Kind::OneTimeLink
        } else {
            credential.kind
        };
        self.kind = match self.kind {
            Some(known) if specificity(known) <= specificity(kind) => Some(known),
            _ => Some(kind),
        };
        if let (Role::None, Some(address)) = (sighting.role, &sighting.address) {
            self.pages
                .entry((address.host.clone(), credential.name.clone()))
                .or_default()
                .insert(address.path.clone());
        }
    }

    fn counts(&self) -> bool {
        if self.score >= REPORT {
            return true;
        }
        if self.pages.values().any(|paths| paths.len() >= MANY_PAGES) {
            return false;
        }
        let bonus = |is: bool, points: i16| if is { points } else { 0 };
        let score = self
            .score
            .saturating_add(bonus(self.after_request, AFTER_REQUEST))
            .saturating_add(bonus(self.at_redirect, AT_REDIRECT_URI))
            .saturating_add(bonus(self.redeemed, REDEEMED));
        score >= REPORT
    }
}

/// Whether the hop directly before is an authorization request, or the exchange that sent the browser here is one.
fn after_request(index: &Index<'_>, sighting: &Sighting) -> bool {
    let hops = sighting.visit.iter().flat_map(|visit| &visit.ancestors);
    let before = hops.filter(|(hops, _)| *hops <= 1).map(|(_, key)| *key);
    before.chain(sighting.exchange).any(|key| index.begins(key))
}

/// Whether the value is that of a link that signs in: it stands in the query of a page whose path names both a
/// login and a link, as `/login/link?token=`. A back end that hands a token over sends to a page of its own.
fn is_login_link(sighting: &Sighting, credential: &Credential) -> bool {
    let path = sighting.address.as_ref().map(|address| &*address.path);
    let names = |words: &[&str]| {
        let mut segments = path.unwrap_or_default().split('/');
        segments.any(|segment| words.iter().any(|word| segment.eq_ignore_ascii_case(word)))
    };
    credential.kind == Kind::OpaqueToken
        && credential.slot == Slot::Query
        && names(&["login", "signin", "sign-in", "auth", "session", "sessions"])
        && names(&["link", "magic", "magic-link", "email", "email-link"])
}

/// The lower, the more a kind says. A name that only this message gives yields to what another message proves.
fn specificity(kind: Kind) -> (u8, Kind) {
    let rank = match kind {
        Kind::OpaqueToken => 5,
        Kind::SessionId | Kind::Assertion => 4,
        Kind::OneTimeLink | Kind::Password => 3,
        Kind::AccessToken => 2,
        _ => 1,
    };
    (rank, kind)
}
