//! Whether the client of a run authenticates at the token endpoint: as seen, as documented, or as only one
//! kind of client can be. Decides nothing of what follows.

use super::{Case, Reach};
use crate::atoms::Kind;
use crate::atoms::rules::provider::Provider;
use crate::collect::{Store, Via};
use crate::detect::{Channel, Role, Sighting};
use crate::flow::client::{authenticates, is_anonymous, is_of_certificate, shows_secret};
use crate::flow::{Flow, Modifier};
use crate::judge::Basis;

/// Whether the client authenticates at the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Client {
    /// It does not: the value alone is enough.
    Public(Basis),
    /// It does, as seen or as documented.
    Confidential(Basis),
    /// Nothing tells.
    NotObserved,
}

impl Case<'_> {
    /// How the client of its trails proves who it is: by a token request of its own trail, by one of the same
    /// client in the same file, by the provider's documentation, or by what only a client on the user's
    /// machine does. A `client_id` joins no runs, so that across files it says nothing.
    pub(super) fn client(&self) -> Client {
        let requests = || self.steps().filter(|(_, it)| it.role == Role::TokenRequest);
        let grant = |wanted| self.trails().any(|trail| trail.grant == wanted);
        // Every part of a request that was sent: a header, the query, the body.
        let proves = |(_, request): (usize, &Sighting)| {
            let mut mates = self.facts.exchange(request);
            authenticates(request)
                || mates.any(|(_, mate)| mate.via != Via::Response && authenticates(mate))
        };
        if requests().any(proves) || grant(Flow::CodeSecret) || grant(Flow::ClientCredentials) {
            return Client::Confidential(Basis::Proven);
        }
        // Without its headers and its body a request says nothing about authentication, nor where a handshake told.
        let by_certificate = self.steps().any(|(_, it)| is_of_certificate(it));
        let is_open =
            |(index, it): (usize, &Sighting)| is_anonymous(it) && self.facts.keeps_headers(index);
        if !by_certificate && requests().any(is_open) || grant(Flow::CodeNopkcePublic) {
            return Client::Public(Basis::Proven);
        }
        let elsewhere = self.seen_elsewhere();
        if elsewhere.contains(&true) {
            return Client::Confidential(Basis::Assumed);
        }
        let provider = self.provider;
        // What is documented is of codes: a device is most often a public client (RFC 8628 §5.6), and GitHub asks for
        // no secret for what its device flow issued.
        let by_device = !self.exposure.trails.is_empty()
            && self.trails().all(|trail| trail.grant == Flow::Device);
        if !by_device && provider.is_some_and(Provider::requires_client_authentication) {
            return Client::Confidential(Basis::Documented);
        }
        if !by_certificate && elsewhere.contains(&false) || self.runs_at_the_user() {
            return Client::Public(Basis::Assumed);
        }
        Client::NotObserved
    }

    /// Whether other token requests of the same client in the same file authenticate.
    fn seen_elsewhere(&self) -> Vec<bool> {
        let mut seen: Vec<bool> = Vec::new();
        for client in self.trails().filter_map(|trail| trail.client_id.as_deref()) {
            for (index, _) in self.steps().chain(self.sightings()) {
                seen.extend(self.facts.habit(index, client).authenticates);
            }
        }
        seen
    }

    /// A client that runs on the user's machine can keep no secret (RFC 6749 §2.1): one that the answer
    /// reaches by a private-use scheme or the loopback address (RFC 8252 §7), one that keeps its verifier where
    /// script keeps things or sends it by the address bar, and one that takes its code from a fragment, which
    /// no server sees. A cookie tells nothing: back ends keep verifiers there too.
    fn runs_at_the_user(&self) -> bool {
        let verifiers = self
            .challenges()
            .into_iter()
            .flat_map(|challenge| self.facts.verifiers(&challenge).collect::<Vec<_>>())
            .filter_map(|index| self.facts.sighting(index));
        let own = self.steps().map(|(_, step)| step);
        self.has(Modifier::Native)
            || own.chain(verifiers).any(keeps_verifier)
            || self.trails().any(|trail| is_code_flow(trail.grant))
                && self
                    .steps()
                    .any(|(_, step)| step.role == Role::ResponseInFragment && brings_code(step))
    }

    /// Whether the client's secret or assertion key is within reach: in its own trails, or in a message of
    /// the same client in the same file.
    pub(super) fn secret_within(&self, reach: Reach) -> bool {
        let own = self
            .steps()
            .any(|(index, sighting)| self.within(reach, index) && shows_secret(sighting));
        own || self.trails().any(|trail| {
            let client = trail.client_id.as_deref().unwrap_or_default();
            self.sightings().any(|(index, _)| {
                self.within(reach, index) && self.facts.habit(index, client).shows_secret
            })
        })
    }
}

/// Flows whose code alone is in the response: in a hybrid one the fragment is the default, and the code goes
/// on to a back end.
fn is_code_flow(grant: Flow) -> bool {
    matches!(
        grant,
        Flow::Code | Flow::CodeNopkce | Flow::CodePkceS256 | Flow::CodePkcePlain
    )
}

fn keeps_verifier(sighting: &Sighting) -> bool {
    let by_script = matches!(
        sighting.store,
        Some(Store::LocalStorage | Store::SessionStorage)
    );
    let by_script = by_script && sighting.channel == Channel::Storage;
    sighting.credentials.iter().any(|it| {
        let in_history = it.slot.is_url() && sighting.visit.is_some();
        it.kind == Kind::CodeVerifier && (by_script || in_history)
    })
}

fn brings_code(sighting: &Sighting) -> bool {
    let mut kinds = sighting.credentials.iter().map(|it| it.kind);
    kinds.any(|kind| kind == Kind::AuthorizationCode)
}
