//! Which provider a message was sent to, or sent itself: looked up once for each address, and told of a run by few
//! of its messages, so that a long session does not cost the square of its length.

use std::collections::{HashMap, HashSet};

use crate::atoms::rules::provider::{Provider, Providers};
use crate::detect::{Role, Sighting};

/// The servers of all sightings.
#[derive(Debug, Default)]
pub(super) struct Servers<'a> {
    /// By sighting: the provider at its address, if a server is there and is known.
    by_sighting: Vec<Option<&'a Provider>>,
    /// By trail: the first of its sightings for each server and redirect URI.
    by_trail: Vec<Vec<usize>>,
}

impl<'a> Servers<'a> {
    pub(super) fn of(sightings: &'a [Sighting], providers: &'a Providers) -> Self {
        let mut known = HashMap::new();
        let by_sighting = sightings.iter().map(|sighting| {
            let at = sighting
                .address
                .as_ref()
                .filter(|_| is_of_server(sighting))?;
            let found = || Some(providers.by_endpoint(&at.host, &at.path)?.0);
            *known.entry((&*at.host, &*at.path)).or_insert_with(found)
        });
        Self {
            by_sighting: by_sighting.collect(),
            by_trail: Vec::new(),
        }
    }

    /// Takes the next trail, with its sightings in order of index.
    pub(super) fn note_trail(&mut self, own: &[usize], sightings: &'a [Sighting]) {
        let mut seen = HashSet::new();
        let is_new = |at: &usize| {
            let told = self.at(*at).zip(sightings.get(*at));
            told.is_some_and(|(provider, sighting)| {
                let host = sighting.address.as_ref().map(|at| &*at.host);
                seen.insert((&*provider.id, host, sighting.redirect, sighting.role))
            })
        };
        let first = own.iter().copied().filter(is_new).collect();
        self.by_trail.push(first);
    }

    /// The provider at the address of a message to a server, or of one.
    pub(super) fn at(&self, sighting: usize) -> Option<&'a Provider> {
        self.by_sighting.get(sighting).copied().flatten()
    }

    /// Messages to providers in a trail, the first of each kind.
    pub(super) fn of_trail(&self, trail: usize) -> &[usize] {
        self.by_trail.get(trail).map_or(&[], Vec::as_slice)
    }
}

fn is_of_server(sighting: &Sighting) -> bool {
    matches!(
        sighting.role,
        Role::AuthorizationRequest | Role::TokenRequest | Role::TokenResponse
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;
    use crate::detect::{Address, sample};

    #[test]
    fn a_long_session_at_one_server_is_told_by_its_first_message() {
        let rules = Rules::builtin().unwrap();
        let message = |host: &str, path: &str| {
            let mut sighting = sample::full();
            sighting.role = Role::TokenRequest;
            sighting.address = Some(Address {
                host: host.into(),
                path: path.into(),
                ..sighting.address.clone().unwrap()
            });
            sighting
        };
        let known = || message("github.com", "/login/oauth/access_token");
        let mut session = vec![message("as.example", "/token"); 2];
        session.extend((0..50).map(|_| known()));
        session.extend((0..50).map(|_| message("as.example", "/token")));
        let mut servers = Servers::of(&session, &rules.providers);
        servers.note_trail(&(0..session.len()).collect::<Vec<_>>(), &session);
        assert_eq!(servers.of_trail(0), [2]);
        assert_eq!(servers.at(51).map(|it| &*it.id), Some("github"));
        assert!(servers.at(0).is_none() && servers.at(52).is_none());
        let mut other = known();
        other.role = Role::ResourceRequest;
        assert!(Servers::of(&[other], &rules.providers).at(0).is_none());
    }
}
