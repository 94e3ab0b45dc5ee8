//! Headers: the schemes that carry credentials, and what they carry.

use super::Decoding;
use super::encoding;
use super::message::{Field, Form, Message};
use super::url::Url;
use crate::atoms::{Method, Slot};
use crate::collect::Observation;

/// A header as a message. Its field is named after the header and, for credentials, the scheme.
pub(super) fn message(name: &str, value: &str) -> Message {
    let value = value.trim();
    let lower = name.to_ascii_lowercase();
    let mut fields = Vec::new();
    let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or(("", value));
    match (
        lower.ends_with("authorization"),
        scheme.to_ascii_lowercase().as_str(),
    ) {
        (true, "basic") => {
            let decoded = encoding::base64(rest.trim()).unwrap_or_default();
            let decoded = encoding::text(&decoded).into_owned();
            let mut field = Field::new("authorization_basic", decoded, Slot::Header);
            field.nesting.push(Decoding::Base64);
            fields.push(field);
        }
        (true, "oauth") => fields.extend(oauth1_header(rest)),
        (true, "") => fields.push(Field::new(
            "authorization_bare",
            value.to_owned(),
            Slot::Header,
        )),
        (true, "digest" | "negotiate" | "ntlm" | "aws4-hmac-sha256" | "hoba" | "mutual") => {}
        (true, scheme) => {
            let name = format!("authorization_{scheme}");
            let value = rest.trim().trim_start_matches("token=").trim_matches('"');
            fields.push(Field::new(&name, value.to_owned(), Slot::Header));
        }
        (false, _) if lower == "www-authenticate" => {
            let error = challenge_error(value).map(str::to_owned);
            fields.extend(error.map(|error| Field::new("error", error, Slot::Header)));
        }
        (false, "bearer") if !is_challenge(rest) => {
            fields.push(Field::new(
                "authorization_bearer",
                rest.trim().to_owned(),
                Slot::Header,
            ));
        }
        // Browsers cannot set another header on a WebSocket: protocols carry tokens.
        (false, _) if lower == "sec-websocket-protocol" => {
            let protocols = value.split(',').map(|protocol| protocol.trim().to_owned());
            fields.extend(protocols.map(|value| Field::new(name, value, Slot::Header)));
        }
        (false, _) => fields.push(Field::new(name, value.to_owned(), Slot::Header)),
    }
    for field in &mut fields {
        if lower.ends_with("authorization") {
            name.clone_into(&mut field.name);
        }
    }
    // The scheme is the token's type (RFC 6749 §7.1, RFC 9449 §7.1), and the header's name does not tell it.
    if lower.ends_with("authorization") && scheme.eq_ignore_ascii_case("dpop") {
        let scheme = scheme.to_owned();
        fields.push(Field::new("token_type", scheme, Slot::Header));
    }
    Message {
        form: Form::Header,
        fields,
        ..Message::default()
    }
}

/// RFC 6749 §2.3.1: at a token endpoint, Basic holds the client's id and secret, each form-encoded. Where the header does
/// not show how its client proves who it is, since it was redacted or its scheme is not known, the secret is there, and its
/// value is not.
pub(super) fn note_client(
    message: &mut Message,
    name: &str,
    value: &str,
    observation: &Observation,
) {
    let scheme = value.split_whitespace().next().unwrap_or_default();
    // A token opens an endpoint, and says nothing of a client (RFC 6750 §2.1, RFC 9449 §7.1).
    let is_token = ["", "bearer", "dpop"]
        .iter()
        .any(|token| scheme.eq_ignore_ascii_case(token));
    // What a proxy asks for (RFC 9110 §11.7.2) says nothing of the client either. Which endpoint it is takes a look at the
    // URL, and few headers ask for it.
    let is_of_server = name.eq_ignore_ascii_case("authorization");
    if !is_token && is_of_server && is_token_endpoint(observation) {
        if let Some(at) = client_at(&message.fields, &["authorizationbasic"]) {
            split_at(&mut message.fields, at);
        }
        let mut keys = message.fields.iter().map(|field| &*field.key.key);
        let is_shown = keys.any(|key| key == "authorizationbasicclient");
        let method = observation.exchange.as_ref().and_then(|it| it.method);
        if !is_shown && method.is_some_and(|method| method.as_str() == "POST") {
            let hidden = Field::new("authorization_basic_client", "***".to_owned(), Slot::Header);
            message.fields.push(hidden);
        }
    }
    name_tokens(&mut message.fields);
}

/// The same in a text, from this field on: a request that has a `grant_type` is one to a token endpoint.
pub(super) fn split_client_of_text(fields: &mut Vec<Field>, from: usize) {
    let of_text = fields.get(from..).unwrap_or_default();
    let is_request = || of_text.iter().any(|field| *field.key.key == *"granttype");
    let at = client_at(of_text, &["authorizationbasic", "curluser"]);
    if let Some(at) = at.filter(|_| is_request()) {
        split_at(fields, from + at);
    }
    name_tokens(fields.get_mut(from..).unwrap_or_default());
}

/// What stands in the place of a password where the user name is a token (documentation of GitHub, Stripe, Toggl,
/// Chargify).
const NO_PASSWORDS: [&str; 5] = ["", "x", "X", "x-oauth-basic", "api_token"];

/// Shortest secret of a client: what is shorter is a password that stands for none.
const MIN_SECRET: usize = 4;

/// The user name where it is a token.
pub(super) fn token_as_user(credentials: &str) -> Option<&str> {
    let (user, password) = credentials.split_once(':')?;
    NO_PASSWORDS.contains(&password).then_some(user)
}

/// What has a token as its user name is the token.
fn name_tokens(fields: &mut [Field]) {
    for field in fields {
        let may_be = matches!(&*field.key.key, "authorizationbasic" | "curluser");
        if let Some(token) = token_as_user(&field.canonical).filter(|_| may_be) {
            *field = part(field, "user_only", token);
        }
    }
}

/// Where the id and the secret of a client are, under one of these keys. The id is shown, so that a token in its place is
/// none; an empty secret is one of a public client, and proves nothing.
fn client_at(fields: &[Field], keys: &[&str]) -> Option<usize> {
    let is_client = |field: &Field| match field.canonical.split_once(':') {
        Some((_, "")) => true,
        Some((_, secret)) => secret.len() >= MIN_SECRET && !NO_PASSWORDS.contains(&secret),
        None => false,
    };
    fields
        .iter()
        .position(|field| keys.contains(&&*field.key.key) && is_client(field))
}

fn split_at(fields: &mut Vec<Field>, at: usize) {
    let field = fields.remove(at);
    fields.splice(at..at, client_credentials(&field));
}

/// The token of `Bearer x` as a whole value: in cookies, in storage, in JSON.
pub(super) fn bearer(canonical: &str) -> Option<&str> {
    let (scheme, token) = canonical.split_at_checked(7)?;
    let scheme = scheme.strip_suffix([' ', '+'])?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    (is_bearer && !is_challenge(token)).then(|| token.trim())
}

/// Whether the header belongs to a request to an endpoint at which clients authenticate. They post there (RFC 6749 §3.2,
/// RFC 7009 §2.1, RFC 7662 §2.1), and an API that has tokens as its objects has users.
fn is_token_endpoint(observation: &Observation) -> bool {
    const SEGMENTS: [&str; 7] = [
        "connect",
        "device_authorization",
        "introspect",
        "introspection",
        "par",
        "revocation",
        "revoke",
    ];
    observation.exchange.as_ref().is_some_and(|exchange| {
        let url = Url::of_exchange(exchange);
        let path = url.path.to_lowercase();
        let is_named = path.split('/').any(|segment| {
            // `token.oauth2`, `token.php`.
            let segment = segment.split('.').next().unwrap_or_default();
            SEGMENTS.contains(&segment)
                || segment.ends_with("token")
                || segment.starts_with("token_")
                || segment.starts_with("oauth")
        });
        let method = exchange.method.map(Method::as_str);
        let query = url.query.as_deref().unwrap_or_default();
        is_named && (method.is_none_or(|it| it == "POST") || query.contains("grant_type="))
    })
}

fn client_credentials(field: &Field) -> [Field; 2] {
    let (id, secret) = field.canonical.split_once(':').unwrap_or_default();
    let mut client = Field::new("client_id", id.to_owned(), field.slot);
    client.group = field.group;
    [client, part(field, "authorization_basic_client", secret)]
}

/// A part of a field, under another key.
fn part(field: &Field, key: &str, value: &str) -> Field {
    let mut part = Field::new(key, value.to_owned(), field.slot);
    part.group = field.group;
    field.name.clone_into(&mut part.name);
    part.nesting.clone_from(&field.nesting);
    part
}

/// `oauth_token="…", oauth_verifier="…"` (RFC 5849 §3.5.1).
fn oauth1_header(value: &str) -> Vec<Field> {
    value
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| {
            let value = encoding::percent(value.trim().trim_matches('"'));
            Field::new(name.trim(), value.into_owned(), Slot::Header)
        })
        .collect()
}

/// Why a resource server refused a bearer token (RFC 6750 §3). What it says of other schemes is of their proofs, too
/// (RFC 9449 §7.1).
fn challenge_error(challenges: &str) -> Option<&str> {
    let mut is_bearer = false;
    challenges.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let name = match name.trim().split_once([' ', '\t']) {
            Some((scheme, name)) => {
                is_bearer = scheme.eq_ignore_ascii_case("bearer");
                name.trim()
            }
            None => name.trim(),
        };
        let is_error = is_bearer && name.eq_ignore_ascii_case("error");
        is_error.then(|| value.trim().trim_matches('"'))
    })
}

/// Whether what follows a scheme is a challenge's first parameter, `realm="x"`, and not a token: in a token `=`
/// stands at the end alone (RFC 9110 §11.2, RFC 6750 §2.1 and §3).
fn is_challenge(rest: &str) -> bool {
    rest.trim_start()
        .split_once('=')
        .is_some_and(|(name, value)| {
            let name = name.trim_end();
            let is_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-';
            !name.is_empty() && name.bytes().all(is_name) && !value.trim_matches('=').is_empty()
        })
}
