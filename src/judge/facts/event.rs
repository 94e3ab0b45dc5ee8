//! What happened to a credential, read from token requests and their answers. Who could see it is no matter.

use super::Facts;
use crate::atoms::Kind;
use crate::detect::{Credential, Role, Sighting};

/// What happened to a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::judge) enum Event {
    /// Exchanged: a request with it was answered with success.
    Redeemed,
    /// The token endpoint answered `invalid_grant`, or what a server has in its place.
    Refused,
    /// The token endpoint answered that the device's request was denied or has expired (RFC 8628 §3.5).
    Ended,
    /// The revocation endpoint took it (RFC 7009 §2.2).
    Revoked,
    /// Its use was answered with a different one (RFC 9700 §4.14.2).
    Rotated,
}

/// An event, and the sighting that shows it.
pub(in crate::judge) type Happened = (Event, usize);

impl Facts<'_> {
    pub(super) fn note_token_request(&mut self, index: usize, request: &Sighting) {
        let answer = self.answer(request);
        for credential in &request.credentials {
            let event = match answer {
                Answer::Success if is_revocation(request) => revoked(credential),
                Answer::Success => self.exchanged(request, credential),
                Answer::InvalidGrant => is_grant(credential.kind).then_some(Event::Refused),
                Answer::Ended => (credential.kind == Kind::DeviceCode).then_some(Event::Ended),
                Answer::Untold => None,
            };
            if let Some(event) = event {
                let events = self.events.entry(credential.id).or_default();
                events.push((event, index));
            }
        }
    }

    fn exchanged(&self, request: &Sighting, credential: &Credential) -> Option<Event> {
        if credential.kind != Kind::RefreshToken {
            return is_grant(credential.kind).then_some(Event::Redeemed);
        }
        let other = self
            .exchange(request)
            .flat_map(|(_, mate)| &mate.credentials)
            .any(|other| other.kind == Kind::RefreshToken && other.id != credential.id);
        other.then_some(Event::Rotated)
    }

    fn answer(&self, request: &Sighting) -> Answer {
        let mut tokens = false;
        let mut told = None;
        let mut status = request.status;
        for (_, mate) in self.exchange(request) {
            status = status.or(mate.status);
            let error = mate.params.iter().find(|param| *param.name == *"error");
            told = told.or(error.map(|error| Answer::of_error(error.value.as_deref())));
            tokens |= mate.role == Role::TokenResponse
                && mate.credentials.iter().any(|it| {
                    matches!(
                        it.kind,
                        Kind::AccessToken | Kind::RefreshToken | Kind::IdToken
                    )
                });
        }
        match (told, status) {
            // GitHub answers an error with status 200.
            (Some(error), _) => error,
            (None, Some(200..=299)) => Answer::Success,
            (None, None) if tokens => Answer::Success,
            _ => Answer::Untold,
        }
    }
}

enum Answer {
    Success,
    InvalidGrant,
    Ended,
    Untold,
}

impl Answer {
    /// By the error code of RFC 6749 §5.2 and RFC 8628 §3.5, or GitHub's own. Any other is about the client or
    /// the request, and the grant is what it was.
    fn of_error(code: Option<&str>) -> Self {
        match code {
            Some(
                "invalid_grant"
                | "bad_verification_code"
                | "bad_refresh_token"
                | "incorrect_device_code",
            ) => Self::InvalidGrant,
            Some("access_denied" | "expired_token") => Self::Ended,
            _ => Self::Untold,
        }
    }
}

/// What a token request exchanges for something else, once.
fn is_grant(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AuthorizationCode | Kind::DeviceCode | Kind::RefreshToken | Kind::SamlArtifact
    )
}

fn revoked(credential: &Credential) -> Option<Event> {
    let token = matches!(
        credential.kind,
        Kind::AccessToken | Kind::RefreshToken | Kind::OpaqueToken
    );
    (token && credential.name.eq_ignore_ascii_case("token")).then_some(Event::Revoked)
}

/// RFC 7009 §2.1: a request with `token` and no grant, to an endpoint whose path says so.
fn is_revocation(request: &Sighting) -> bool {
    let path = request.address.as_ref().map_or("", |address| &address.path);
    let last = path.trim_end_matches('/').rsplit('/').next();
    let named = last.is_some_and(|last| last.to_ascii_lowercase().starts_with("revo"));
    named
        && !request
            .params
            .iter()
            .any(|param| *param.name == *"grant_type")
}
