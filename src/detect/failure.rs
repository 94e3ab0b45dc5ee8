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

/// Whether a field of an answer of a token endpoint says that it grants nothing: by any code, since servers have codes of
/// their own beside those of RFC 6749 §5.2, and by any number of `WeChat`'s but that of success.
pub(super) fn says_error(field: &Field) -> bool {
    match &*field.key.key {
        "error" => !matches!(
            field.canonical.as_str(),
            "" | "0" | "false" | "none" | "null"
        ),
        "errcode" => field.canonical != "0",
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
