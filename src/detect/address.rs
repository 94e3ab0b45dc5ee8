//! Where a message landed, and where its request said that it should: addresses without anything variable,
//! and digests that compare a URL with a `redirect_uri`.

use std::sync::Arc;

use super::known::Known;
use super::message::Message;
use super::shared::Shared;
use super::url::{self, Url};
use super::{encoding, mask};
use crate::atoms::Digest;
use crate::atoms::identity::MIN_HASHED_LEN;
use crate::atoms::rules::{Name, Rules};

/// Public parts of a URL: nothing here can be a credential.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Address {
    /// Lower-case scheme; empty for a request target.
    pub scheme: Arc<str>,
    /// Lower-case host, normalised where it parses; empty for a request target on an unnamed server.
    pub host: Arc<str>,
    /// Port, when it is not the scheme's own.
    pub port: Option<u16>,
    /// Path with its variable and long segments replaced by `{}`.
    pub path: Arc<str>,
}

impl Address {
    /// Whether the path has one of these words, which are in lower case.
    pub fn path_has(&self, words: &[&str]) -> bool {
        let path = self.path.to_ascii_lowercase();
        words.iter().any(|word| path.contains(word))
    }
}

/// Public parts of a URL, variable segments left out, and of a path what goes beyond what is shown of a URL: it stands
/// beside each part of its exchange.
pub(super) fn address(url: &Url, known: &Known<'_>, shared: &mut Shared) -> Address {
    let mut template = String::with_capacity(url.path.len().min(mask::MAX_URL));
    for (at, segment) in url.path.split('/').enumerate() {
        if template.len() > mask::MAX_URL {
            break;
        }
        if at > 0 {
            template.push('/');
        }
        let segment = segment.split(';').next().unwrap_or_default();
        let number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let is_known = known.iter().any(|(value, _)| *value == segment);
        let is_plain = mask::is_word(segment) && !number && !is_known;
        template.push_str(if is_plain { segment } else { "{}" });
    }
    Address {
        scheme: shared.text(&mask::scheme(&url.scheme, known)),
        host: shared.text(&mask::authority(url.host(), known)),
        port: url.port,
        path: shared.text(&template),
    }
}

/// Response parameters that are no public ones.
const RESPONSE: [&str; 10] = [
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

/// Digest of a URL without its response parameters and its fragment (RFC 6749 §3.1.2: a redirect URI may
/// have a query of its own). Of what is not known to be public it holds names and places only: a hash of an
/// address with a PIN in it would be the PIN. `None` for a request target on an unnamed server.
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
    let mut kept = String::new();
    for pair in url::pairs(query) {
        let name = Name::new(&url::decoded_name(pair.name));
        let public = rules.catalogue.public(&name);
        if public.is_some_and(|public| public.response) || RESPONSE.contains(&&*name.key) {
            continue;
        }
        let value = encoding::percent(pair.value);
        let shown = mask::public(&name, &value, rules, &Known::default());
        if !kept.is_empty() {
            kept.push('&');
        }
        kept.push_str(&encoding::percent(pair.name));
        kept.push('=');
        kept.push_str(&shown.unwrap_or_default());
    }
    let decoded = encoding::percent(&url.path);
    let decoded = if decoded.is_empty() { "/" } else { &*decoded };
    let mut path = String::with_capacity(decoded.len());
    for (at, segment) in decoded.split('/').enumerate() {
        if at > 0 {
            path.push('/');
        }
        let is_long = segment.len() >= MIN_HASHED_LEN && !segment.contains('=');
        let is_kept = is_long || mask::is_word(segment);
        path.push_str(if is_kept { segment } else { "{}" });
    }
    Some(Digest::of([
        b"landing".as_slice(),
        url.scheme.as_bytes(),
        url.host().as_bytes(),
        &port,
        path.as_bytes(),
        kept.as_bytes(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landing_tells_pages_apart_and_no_short_value() {
        let rules = Rules::builtin().unwrap();
        let of = |url: &str| landing(&Url::new(url), &rules);
        let page = of("https://app.example/cb?tab=1&pin=1234&response_type=code");
        assert!(page.is_some());
        for same in [
            "https://app.example/cb?tab=1&pin=9876&response_type=code&code=a#token=b",
            "https://app.example/cb?tab=2&pin=hunter2hunter2hunter2&response_type=code",
        ] {
            assert_eq!(of(same), page, "{same}");
        }
        for other in [
            "https://app.example/cb?tab=1&response_type=code",
            "https://app.example/cb?tab=1&pin=1234&response_type=token",
            "https://app.example/done?tab=1&pin=1234&response_type=code",
            "https://app.example:444/cb?tab=1&pin=1234&response_type=code",
        ] {
            assert_ne!(of(other), page, "{other}");
        }
        let reset = |name: &str| of(&format!("https://app.example/{name}/cb"));
        assert_eq!(reset("k3y7x9"), reset("p4s5w6"));
        assert_ne!(reset("eu"), reset("us"));
    }
}
