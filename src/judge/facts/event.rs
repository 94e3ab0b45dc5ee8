//! What happened to a credential, read from token requests and their answers. Who could see it is no matter.

use super::{Facts, param};
use crate::atoms::{Kind, Method, Slot};
use crate::collect::Via;
use crate::detect::{Credential, REVOCATION, Role, Sighting};
use crate::flow::client::is_introspection;

/// What happened to a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::judge) enum Event {
    /// Exchanged: a request with it was answered with success.
    Redeemed,
    /// A request with it was answered with tokens (RFC 6749 §5.1).
    Granted,
    /// The token endpoint answered `invalid_grant`, or what a server has in its place; of what authenticates a client,
    /// `invalid_client`.
    Refused,
    /// The token endpoint answered that the device's request was denied or has expired (RFC 8628 §3.5).
    Ended,
    /// The revocation endpoint took it (RFC 7009 §2.2).
    Revoked,
    /// Its use was answered with a different one (RFC 9700 §4.14.2).
    Rotated,
    /// An API took it, or the introspection endpoint called it active (RFC 7662 §2.2).
    Accepted,
    /// The introspection endpoint called it not active (RFC 7662 §2.2).
    Inactive,
    /// An API refused it as an invalid token (RFC 6750 §3.1).
    Denied,
}

/// An event, and the sighting that shows it.
pub(in crate::judge) type Happened = (Event, usize);

impl Facts<'_> {
    pub(super) fn note_token_request(&mut self, index: usize, request: &Sighting) {
        if asks_nothing(request) {
            return;
        }
        if is_introspection(request) {
            let told = self.introspected(request);
            self.note(index, request, told, is_subject);
            return;
        }
        let answer = self.answer(request);
        let granted = matches!(answer, Answer::Tokens) && !is_revocation(request);
        let granted = granted.then_some(Event::Granted);
        for credential in &request.credentials {
            let told = self.told(&answer, request, credential);
            for event in told.into_iter().chain(granted) {
                let events = self.events.entry(credential.id).or_default();
                events.push((event, index));
            }
        }
    }

    /// A call of an API with a token, or what came back.
    pub(super) fn note_use(&mut self, index: usize, call: &Sighting) {
        if asks_nothing(call) || call.via == Via::Response {
            return;
        }
        let told = match call.status {
            Some(200..=299) => Some(Event::Accepted),
            Some(401) => self.denied(call),
            _ => None,
        };
        self.note(index, call, told, is_presented);
    }

    fn note(
        &mut self,
        index: usize,
        message: &Sighting,
        told: Option<Event>,
        of: fn(&Credential) -> bool,
    ) {
        let Some(event) = told else { return };
        for credential in message.credentials.iter().filter(|it| of(it)) {
            let events = self.events.entry(credential.id).or_default();
            events.push((event, index));
        }
    }

    fn introspected(&self, request: &Sighting) -> Option<Event> {
        let mut answers = self
            .exchange(request)
            .filter(|(_, mate)| mate.role != Role::TokenRequest);
        match answers.find_map(|(_, mate)| param(mate, "active"))? {
            "true" => Some(Event::Accepted),
            _ => Some(Event::Inactive),
        }
    }

    fn denied(&self, call: &Sighting) -> Option<Event> {
        let mut answers = self
            .exchange(call)
            .filter(|(_, mate)| mate.via == Via::Response);
        let refused = answers.any(|(_, mate)| param(mate, "error") == Some("invalid_token"));
        refused.then_some(Event::Denied)
    }

    fn told(&self, answer: &Answer, request: &Sighting, credential: &Credential) -> Option<Event> {
        let kind = credential.kind;
        match answer {
            Answer::Tokens | Answer::Success if is_revocation(request) => revoked(credential),
            Answer::Tokens | Answer::Success => self.exchanged(request, credential),
            Answer::InvalidGrant => (is_grant(kind) || is_owners(kind)).then_some(Event::Refused),
            Answer::InvalidClient => is_of_client(kind).then_some(Event::Refused),
            Answer::Ended => (kind == Kind::DeviceCode).then_some(Event::Ended),
            Answer::Untold => None,
        }
    }

    fn exchanged(&self, request: &Sighting, credential: &Credential) -> Option<Event> {
        if credential.kind != Kind::RefreshToken {
            return is_grant(credential.kind).then_some(Event::Redeemed);
        }
        // What was sent beside it, as in a cookie, replaces nothing (RFC 6749 §6).
        let other = self
            .exchange(request)
            .filter(|(_, mate)| came_back(mate))
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
            let error = mate.params.iter().find(|it| it.says_error());
            told = told.or(error.map(|error| Answer::of_error(error.value.as_deref())));
            tokens |= came_back(mate)
                && mate.credentials.iter().any(|it| {
                    matches!(
                        it.kind,
                        Kind::AccessToken
                            | Kind::RefreshToken
                            | Kind::IdToken
                            | Kind::OpaqueToken
                            | Kind::SamlMessage
                    )
                });
        }
        match (told, status) {
            // GitHub answers an error with status 200.
            (Some(error), _) => error,
            (None, Some(200..=299) | None) if tokens => Answer::Tokens,
            (None, Some(200..=299)) => Answer::Success,
            _ => Answer::Untold,
        }
    }
}

enum Answer {
    /// Success, and tokens in it.
    Tokens,
    /// Success by its status alone.
    Success,
    InvalidGrant,
    InvalidClient,
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
            Some("invalid_client" | "incorrect_client_credentials") => Self::InvalidClient,
            Some("access_denied" | "expired_token") => Self::Ended,
            _ => Self::Untold,
        }
    }
}

/// Whether a part of the exchange of a token request is one of its answer.
fn came_back(mate: &Sighting) -> bool {
    mate.role == Role::TokenResponse || mate.via == Via::Response && mate.role != Role::TokenRequest
}

/// What a token request exchanges for something else, once.
fn is_grant(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AuthorizationCode | Kind::DeviceCode | Kind::RefreshToken | Kind::SamlArtifact
    )
}

/// What the resource owner, or who speaks for one, gives for tokens (RFC 6749 §4.3, RFC 7521 §4.1).
fn is_owners(kind: Kind) -> bool {
    matches!(kind, Kind::Password | Kind::Assertion)
}

/// What proves who the client is (RFC 6749 §2.3.1, RFC 7523 §2.2).
fn is_of_client(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ClientSecret | Kind::ClientAssertion | Kind::BasicCredentials
    )
}

/// A request before the request (CORS), or one for the headers alone: token endpoints are asked with POST (RFC 6749 §3.2).
fn asks_nothing(request: &Sighting) -> bool {
    let method = request.method.map(Method::as_str);
    matches!(method, Some("OPTIONS" | "HEAD"))
}

fn revoked(credential: &Credential) -> Option<Event> {
    is_subject(credential).then_some(Event::Revoked)
}

/// The token that a request asks to revoke or to examine (RFC 7009 §2.1, RFC 7662 §2.1).
fn is_subject(credential: &Credential) -> bool {
    let token = matches!(
        credential.kind,
        Kind::AccessToken | Kind::RefreshToken | Kind::OpaqueToken
    );
    token && credential.name.eq_ignore_ascii_case("token")
}

/// What opens an API, where RFC 6750 §2 has it. A cookie or another parameter may have had no part in the answer.
fn is_presented(credential: &Credential) -> bool {
    let token = matches!(credential.kind, Kind::AccessToken | Kind::OpaqueToken);
    let by_name = || credential.name.eq_ignore_ascii_case("access_token");
    token && (credential.slot == Slot::Header || by_name())
}

/// RFC 7009 §2.1: a request with `token` and no grant, to an endpoint whose path says so.
fn is_revocation(request: &Sighting) -> bool {
    let address = request.address.as_ref();
    address.is_some_and(|address| address.path_has(&REVOCATION))
        && !request
            .params
            .iter()
            .any(|param| *param.name == *"grant_type")
}
