//! The error codes of the two endpoints and of an API: words by which an answer is known that grants nothing.

use super::message::{Field, Message};
use super::{Param, Sighting};
use crate::collect::{Observation, Via};

impl Param {
    /// Whether it says that a request failed. One whose value is not shown does.
    pub fn says_error(&self) -> bool {
        is_error(&self.name, self.value.as_deref())
    }
}

impl Sighting {
    /// Whether it is where an answer leads, and that tells of an error: by a code of a specification, or by a word of the
    /// application's own.
    pub fn leads_to_error(&self) -> bool {
        self.via == Via::Location && self.params.iter().any(Param::says_error)
    }
}

/// Whether a code is one of an authorization response (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
pub(super) fn is_of_authorization(code: &str) -> bool {
    matches!(
        code,
        "invalid_request"
            | "unauthorized_client"
            | "access_denied"
            | "unsupported_response_type"
            | "invalid_scope"
            | "server_error"
            | "temporarily_unavailable"
            | "interaction_required"
            | "login_required"
            | "account_selection_required"
            | "consent_required"
            | "invalid_request_uri"
            | "invalid_request_object"
            | "request_not_supported"
    )
}

/// Whether an answer of a token endpoint says that it grants nothing: by a code that is documented, or, where the status
/// tells of success, by any word of the server's own.
pub(super) fn grants_nothing(observation: &Observation, message: &Message) -> bool {
    let status = observation.exchange.as_ref().and_then(|it| it.status);
    let is_success = status.is_none_or(|status| status < 400);
    let mut errors = message.fields.iter().filter(|it| says_error(it));
    errors.any(|it| is_success || *it.key.key == *"errcode" || is_of_token_endpoint(&it.canonical))
}

/// Whether a code is one of a token endpoint (RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9449 §5 and §8), or one
/// that GitHub documents for its own.
fn is_of_token_endpoint(code: &str) -> bool {
    matches!(
        code,
        "invalid_request"
            | "invalid_client"
            | "invalid_grant"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "invalid_scope"
            | "authorization_pending"
            | "slow_down"
            | "access_denied"
            | "expired_token"
            | "invalid_target"
            | "invalid_dpop_proof"
            | "use_dpop_nonce"
            | "bad_verification_code"
            | "bad_refresh_token"
            | "incorrect_client_credentials"
            | "incorrect_device_code"
            | "redirect_uri_mismatch"
            | "device_flow_disabled"
            | "unverified_user_email"
    )
}

fn says_error(field: &Field) -> bool {
    is_error(&field.key.key, Some(&field.canonical))
}

/// Whether a name and its value say that a request failed: by whatever word a server has that is not one for none, or by
/// any number of `WeChat`'s but that of success, which comes with status 200.
fn is_error(name: &str, value: Option<&str>) -> bool {
    match name {
        "error" => !matches!(value, Some("" | "0" | "false" | "none" | "null")),
        "errcode" => value != Some("0"),
        _ => false,
    }
}

/// Whether a message tells of a failure, and holds no credential by which it would be kept anyway.
pub(super) fn is_told(observation: &Observation, message: &Message) -> bool {
    refuses_token(observation, message)
        || observation.via == Via::Location && message.fields.iter().any(says_error)
}

/// Whether a message is the answer of an API that refused the token that it was called with (RFC 6750 §3.1): it has
/// no credential, and says what one is worth. Another 401 may be about anything.
fn refuses_token(observation: &Observation, message: &Message) -> bool {
    let status = observation.exchange.as_ref().and_then(|it| it.status);
    let mut errors = message.fields.iter().filter(|it| *it.key.key == *"error");
    observation.via == Via::Response
        && status == Some(401)
        && errors.any(|it| it.canonical == "invalid_token")
}
