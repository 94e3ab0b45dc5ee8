//! How a client proves who it is to the authorization server, by one message, and what a message could show of it.
//! Sums up nothing.

use super::index::{client_id, param};
use crate::atoms::{Kind, Locator, Slot};
use crate::detect::{INTROSPECTION, Role, Sighting};

/// How a client proves who it is, by the messages of one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Habit {
    /// Whether its token requests authenticate, as far as seen. One that does settles it: a client may send its
    /// secret in some requests only.
    pub authenticates: Option<bool>,
    /// Whether a message shows its secret.
    pub shows_secret: bool,
}

impl Habit {
    /// What a message says of the client that it names, which at an introspection endpoint is the resource server.
    pub(super) fn of(message: &Sighting) -> Self {
        let is_request = message.role == Role::TokenRequest;
        Self {
            authenticates: match is_request {
                true if proves_sender(message) => Some(true),
                // What may not have been recorded says nothing.
                true => is_anonymous(message).then_some(false),
                false => None,
            },
            shows_secret: holds_secret(message),
        }
    }

    /// What two messages, or two shares of the evidence, say together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            authenticates: self.authenticates.max(other.authenticates),
            shows_secret: self.shows_secret || other.shows_secret,
        }
    }
}

/// Whether a request asks what a token is worth: a resource server sends it, in its own name and with credentials of its
/// own (RFC 7662 §2.1). They say nothing of the client that the token was issued to.
pub fn is_introspection(request: &Sighting) -> bool {
    let address = request.address.as_ref();
    request.role == Role::TokenRequest
        && param(request, "grant_type").is_none()
        && address.is_some_and(|address| address.path_has(&INTROSPECTION))
}

/// The client of its run, as a message names it. In the answer of an introspection it is the client that asked for the
/// token (RFC 7662 §2.2).
pub(super) fn named(message: &Sighting) -> Option<&str> {
    if is_introspection(message) {
        return None;
    }
    client_id(message)
}

/// Whether a message shows a secret of the client of its run.
pub fn shows_secret(message: &Sighting) -> bool {
    holds_secret(message) && !is_introspection(message)
}

/// Whether a token request proves who the client of its run is; a `client_id` alone is no authentication.
pub fn authenticates(request: &Sighting) -> bool {
    proves_sender(request) && !is_introspection(request)
}

/// An assertion is used up by its request; only a secret lets a holder authenticate again.
fn holds_secret(message: &Sighting) -> bool {
    let token_request = message.role == Role::TokenRequest;
    message.credentials.iter().any(|credential| {
        credential.kind == Kind::ClientSecret
            || (token_request && credential.kind == Kind::BasicCredentials)
    })
}

/// Whether a token request proves who sent it (RFC 6749 §2.3, RFC 7523 §2.2). A log may show the name without the value.
fn proves_sender(request: &Sighting) -> bool {
    let mut kinds = request.credentials.iter().map(|it| it.kind);
    kinds.any(|kind| match kind {
        Kind::ClientSecret | Kind::ClientAssertion => true,
        // A header beside the request may have those for a proxy.
        Kind::BasicCredentials => request.role == Role::TokenRequest,
        _ => false,
    }) || PROOFS.iter().any(|name| param(request, name).is_some())
}

/// By what a client proves who it is, and a message may show the name of alone: in a body or a query, in an
/// `Authorization` header whose value is hidden, by the attestation of a wallet or an application
/// (draft-ietf-oauth-attestation-based-client-auth §5).
const PROOFS: [&str; 4] = [
    "client_assertion",
    "client_secret",
    "authorization_basic_client",
    "oauth_client_attestation",
];

/// Whether the message is the part of a token request in which its client proves who it is, and names neither the client
/// nor what is asked: a header, or a query beside a body.
pub(super) fn is_nameless_proof(message: &Sighting) -> bool {
    message.role == Role::TokenRequest
        && authenticates(message)
        && param(message, "grant_type").is_none()
        && client_id(message).is_none()
}

/// Whether a token request was recorded with all by which a client may prove who it is, and does not: what it redeems
/// is there, and so would be a secret in its body, or an `Authorization` header (RFC 6749 §2.3.1) where its file
/// keeps such headers.
pub fn is_anonymous(request: &Sighting) -> bool {
    let redeems = request.credentials.iter().any(|it| it.kind.is_redeemed());
    redeems && may_be_public(request) && !proves_sender(request)
}

/// Whether a token request could show who its client is, and at an endpoint at which not only a certificate would.
pub(super) fn may_be_public(request: &Sighting) -> bool {
    is_whole(request) && !is_introspection(request) && !is_of_mutual_tls(request)
}

/// Whether the client of a request may prove who it is by a certificate, in a handshake that no message shows: servers
/// have endpoints of their own for it (RFC 8705 §2, §5), and the specification's own example has their usual name.
fn is_of_mutual_tls(request: &Sighting) -> bool {
    request.address.as_ref().is_some_and(|address| {
        let mut words = address
            .host
            .split(['.', '-'])
            .chain(address.path.split('/'));
        words.any(|word| word.eq_ignore_ascii_case("mtls") || word.eq_ignore_ascii_case("matls"))
    })
}

/// Whether the message holds a token that a certificate of its client goes with (RFC 8705 §3): the handshake that told
/// the server of it may have told who the client is.
pub fn is_of_certificate(message: &Sighting) -> bool {
    let mut claims = message
        .credentials
        .iter()
        .filter_map(|it| it.claims.as_ref());
    claims.any(|claims| claims.cnf.as_deref() == Some("x5t#S256"))
}

/// Whether a message shows that its file keeps the headers in which clients authenticate. Browsers leave them out of
/// the captures that they export, with all cookies, unless they are told not to; other files never had any header. A
/// log that was told to write bodies has what it was told to write.
pub(super) fn keeps_headers(message: &Sighting) -> bool {
    if !is_captured(message) {
        return message.role == Role::TokenRequest && is_whole(message);
    }
    message.credentials.iter().any(|credential| {
        let is_authorization = credential.name.eq_ignore_ascii_case("authorization");
        credential.slot == Slot::Cookie || credential.slot == Slot::Header && is_authorization
    })
}

/// Whether the evidence shows of a token request what stands outside its URL. A capture does; so does a log that was
/// told to write bodies, and whoever does that to find a fault writes headers too. What tells of a request without
/// the code that it must have (RFC 6749 §4.1.3) is none.
pub fn is_whole(request: &Sighting) -> bool {
    let in_body = || param(request, "grant_type").is_some_and(|it| !it.slot.is_url());
    let has_code = || !is_retold(request) || param(request, "code").is_some();
    is_captured(request) || in_body() && has_code()
}

/// Whether a message is known from what a program wrote down of it, as pairs in a text or as JSON of its own: it
/// writes what it likes to, and what is not there may have been sent.
pub fn is_retold(message: &Sighting) -> bool {
    let retold = |slot: Slot| matches!(slot, Slot::Text | Slot::Json);
    !is_captured(message) && message.params.iter().any(|it| retold(it.slot))
}

/// Whether the evidence records a message with its headers and its body: a capture does, a log or a history has what
/// stands in the URL, and at best what it was told to add.
pub fn is_captured(message: &Sighting) -> bool {
    matches!(message.place.locator, Locator::Entry { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::sample;

    #[test]
    fn a_secret_that_one_message_shows_is_shown() {
        let shown = Habit {
            shows_secret: true,
            ..Habit::default()
        };
        assert!(shown.and(Habit::default()).shows_secret);
        assert!(Habit::default().and(shown).shows_secret);
        assert!(!Habit::default().and(Habit::default()).shows_secret);
    }

    fn with(role: Role, params: &[&str]) -> Sighting {
        let params = params.iter();
        let params = params.map(|name| sample::param(name, None, Slot::Form));
        Sighting {
            params: params.collect(),
            ..sample::bare(0, 0, role)
        }
    }

    #[test]
    fn the_name_of_what_a_client_proves_itself_with_is_enough() {
        for name in ["client_assertion", "client_secret"] {
            assert!(authenticates(&with(Role::TokenRequest, &[name])), "{name}");
        }
        assert!(!authenticates(&with(Role::TokenRequest, &["client_id"])));
    }

    #[test]
    fn a_log_keeps_headers_where_it_has_a_whole_token_request() {
        let whole = ["grant_type", "code"];
        assert!(keeps_headers(&with(Role::TokenRequest, &whole)));
        assert!(!keeps_headers(&with(Role::TokenRequest, &[])));
        assert!(!keeps_headers(&with(Role::TokenResponse, &whole)));
    }

    /// A call of an API may carry those of its user.
    #[test]
    fn http_basic_proves_a_client_at_the_token_endpoint_alone() {
        let basic = |role| Sighting {
            credentials: vec![sample::credential(Kind::BasicCredentials)],
            ..sample::bare(0, 0, role)
        };
        assert!(authenticates(&basic(Role::TokenRequest)));
        assert!(!authenticates(&basic(Role::ResourceRequest)));
    }
}
