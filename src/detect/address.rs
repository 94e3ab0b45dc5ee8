//! Where a message landed, and where its request said that it should: addresses without anything variable,
//! and digests that compare a URL with a `redirect_uri`.

use super::message::Message;
use super::url::{self, Url};
use super::{Address, encoding, mask};
use crate::atoms::Digest;
use crate::atoms::rules::{Name, Rules};

/// Public parts of a URL, variable segments left out.
pub(super) fn address(url: &Url, known: &mask::Known<'_>) -> Address {
    let template: Vec<&str> = url
        .path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .map(|segment| {
            let number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
            let is_known = known.iter().any(|(value, _)| *value == segment);
            if mask::is_word(segment) && !number && !is_known {
                segment
            } else {
                "{}"
            }
        })
        .collect();
    Address {
        scheme: mask::authority(&url.scheme, known).into(),
        host: mask::authority(url.host(), known).into(),
        port: url.port,
        path: template.join("/").into(),
    }
}

/// Digest of a URL without its response parameters and its fragment (RFC 6749 §3.1.2: a redirect URI may
/// have a query of its own). `None` for a request target on an unnamed server.
pub(super) fn landing(url: &Url, rules: &Rules) -> Option<Digest> {
    if url.host().is_empty() && url.scheme.is_empty() {
        return None;
    }
    // RFC 8252 §7.3: the port of a loopback redirect may differ from the registered one.
    let is_loopback = matches!(url.host(), "localhost" | "127.0.0.1" | "[::1]");
    let port = url
        .port
        .filter(|_| !is_loopback)
        .unwrap_or_default()
        .to_le_bytes();
    let query = url.query.as_deref().unwrap_or_default();
    let kept: Vec<String> = url::pairs(query)
        .filter(|pair| {
            let name = Name::new(&url::decoded_name(pair.name));
            let public = rules
                .catalogue
                .public(&name)
                .is_some_and(|public| public.response);
            let response = [
                "code",
                "accesstoken",
                "idtoken",
                "response",
                "ticket",
                "samlart",
                "samlresponse",
                "oauthtoken",
                "oauthverifier",
                "refreshtoken",
            ];
            !public && !response.contains(&&*name.key)
        })
        .map(|pair| {
            format!(
                "{}={}",
                encoding::percent(pair.name),
                encoding::percent(pair.value)
            )
        })
        .collect();
    let path = encoding::percent(&url.path);
    let path = if path.is_empty() { "/" } else { path.as_str() };
    Some(Digest::of([
        b"landing".as_slice(),
        url.scheme.as_bytes(),
        url.host().as_bytes(),
        &port,
        path.as_bytes(),
        kept.join("&").as_bytes(),
    ]))
}

/// Digest of where the response is to land.
pub(super) fn redirect(message: &Message, rules: &Rules) -> Option<Digest> {
    const NAMES: [&str; 7] = [
        "redirecturi",
        "redirecturl",
        "redirectto",
        "postlogoutredirecturi",
        "service",
        "wreply",
        "oauthcallback",
    ];
    let field = NAMES
        .iter()
        .find_map(|name| message.fields.iter().find(|field| *field.key.key == **name))?;
    landing(&Url::new(&field.value), rules)
}
