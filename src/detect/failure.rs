//! The error codes of the two endpoints and of an API: words by which an answer is known that grants nothing.

use super::message::{Field, Message};
use crate::collect::{Observation, Via};

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

/// Whether a code is one of a token endpoint (RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9449 §5 and §8), or one
/// that GitHub documents for its own, or any number of `WeChat`'s but that of success.
pub(super) fn is_of_token_endpoint(error: &Field) -> bool {
    if *error.key.key == *"errcode" {
        return error.canonical != "0";
    }
    matches!(
        error.canonical.as_str(),
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

/// Whether a message is the answer of an API that refused the token that it was called with (RFC 6750 §3.1): it has
/// no credential, and says what one is worth. Another 401 may be about anything.
pub(super) fn refuses_token(observation: &Observation, message: &Message) -> bool {
    let status = observation.exchange.as_ref().and_then(|it| it.status);
    let mut errors = message.fields.iter().filter(|it| *it.key.key == *"error");
    observation.via == Via::Response
        && status == Some(401)
        && errors.any(|it| it.canonical == "invalid_token")
}
