//! What a token request says that it redeems.

use super::url;

/// Values of `grant_type` without an authority of their own, and those that some providers have.
const NAMED: [&str; 7] = [
    "authorization_code",
    "refresh_token",
    "password",
    "client_credentials",
    "pkce",
    "id_token",
    "device_code",
];

/// Whether it names a grant: an extension is an absolute URI (RFC 6749 §4.5).
pub(super) fn is_known(name: &str) -> bool {
    NAMED.contains(&name) || name.contains(':')
}

/// What a query says of the grant: a client may name it there, and send the rest in the body.
pub(super) fn of_query(query: &str) -> Option<&str> {
    let named = url::pairs(query).find(|pair| pair.name == "grant_type");
    named.map(|pair| pair.value)
}
