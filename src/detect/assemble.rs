//! Messages become sightings: credentials with their identities and masks, public parameters, join keys,
//! address and role. The last room in which raw values exist.

use std::cell::OnceCell;
use std::sync::Arc;

use super::address::{address, landing, redirect};
use super::joins;
use super::jwt::Jwt;
use super::keys::Keyring;
use super::known::Known;
use super::message::{Field, Message};
use super::score::{self, Found, Setting};
use super::shared::Shared;
use super::url::Url;
use super::{Claims, Credential, Detector, Memory, Param, Role, Sighting, Signature, VisitKeys};
use super::{challenge, channel, encoding, failure, grant, mask, pem, role};
use crate::atoms::rules::Rules;
use crate::atoms::{JoinKey, Kind, Masked, Method, Place, Secret};
use crate::collect::{Observation, Payload, Via};

/// Parameters of one sighting that are kept.
const MAX_PARAMS: usize = 64;

/// The sightings of an observation's messages.
pub(super) fn sightings(
    observation: &Observation,
    messages: &[Message],
    detector: &Detector<'_>,
    memory: &mut Memory,
) -> Vec<Sighting> {
    let around = Around::new(observation);
    let mut out = Vec::new();
    for message in messages {
        let setting = around.setting(message, detector.rules);
        let mut found = score::found(message, &setting);
        challenge::plain(&mut found, message, detector.rules, &observation.place);
        found.sort_by_key(|found| found.field);
        let role = role::role(observation, message, &found, &setting);
        let is_message = !matches!(role, Role::None | Role::Stored | Role::ResourceRequest);
        if found.is_empty() && !is_message && !failure::is_told(observation, message) {
            continue;
        }
        if out.is_empty() {
            // Hardly an observation has a second, and a sighting is large.
            out.reserve_exact(1);
        }
        out.push(one(&around, message, &found, role, detector, memory));
    }
    out
}

/// The URLs around the messages of an observation, each read when it is first asked for.
struct Around<'a> {
    observation: &'a Observation,
    payload: OnceCell<Option<Url>>,
    exchange: OnceCell<Option<Url>>,
}

impl<'a> Around<'a> {
    fn new(observation: &'a Observation) -> Self {
        Self {
            observation,
            payload: OnceCell::new(),
            exchange: OnceCell::new(),
        }
    }

    /// URL of the message, or of the exchange that carried it.
    fn url<'b>(&'b self, message: &'b Message) -> Option<&'b Url> {
        let own = message.url.as_ref();
        own.or_else(|| self.of_payload())
            .or_else(|| self.of_exchange())
    }

    fn of_payload(&self) -> Option<&Url> {
        let read = || match &self.observation.payload {
            Payload::Url(raw) => {
                let text = encoding::text(raw.as_bytes());
                Some(Url::of(&text, &self.observation.via))
            }
            Payload::Pair {
                origin: Some(origin),
                ..
            }
            | Payload::Members {
                origin: Some(origin),
                ..
            } => Some(if origin.contains("://") {
                Url::new(origin)
            } else {
                Url::default().on_host(origin.trim_start_matches('.'))
            }),
            _ => None,
        };
        self.payload.get_or_init(read).as_ref()
    }

    fn of_exchange(&self) -> Option<&Url> {
        let read = || {
            let exchange = self.observation.exchange.as_ref()?;
            Some(Url::of_exchange(exchange))
        };
        self.exchange.get_or_init(read).as_ref()
    }

    fn setting<'b>(&'b self, message: &'b Message, rules: &'b Rules) -> Setting<'b> {
        let observation = self.observation;
        // A cookie belongs to a host; the page that set it tells what it is for.
        let url = match observation.payload {
            Payload::Pair { .. } | Payload::Members { .. } => self.of_exchange(),
            _ => None,
        };
        let url = url.or_else(|| self.url(message));
        let redirected = match observation.via {
            Via::ServerRedirect | Via::ClientRedirect | Via::Location => Some(true),
            Via::Typed | Via::Link | Via::Form | Via::Reload => Some(false),
            _ => None,
        };
        let words = url.map(Url::words).unwrap_or_default();
        Setting {
            rules,
            told: rules.catalogue.words(&words),
            segments: rules.catalogue.segments(&words),
            words,
            host: url.map(Url::host).unwrap_or_default(),
            redirected,
            native: url.is_some_and(Url::is_native),
            response: observation.via == Via::Response,
            grant: url
                .and_then(|url| url.query.as_deref())
                .and_then(grant::of_query),
            method: observation
                .exchange
                .as_ref()
                .and_then(|exchange| exchange.method)
                .map(Method::as_str),
        }
    }
}

fn one(
    around: &Around<'_>,
    message: &Message,
    found: &[Found],
    role: Role,
    detector: &Detector<'_>,
    memory: &mut Memory,
) -> Sighting {
    let rules = detector.rules;
    let observation = around.observation;
    let found: Vec<(&Field, &Found)> = found
        .iter()
        .filter_map(|found| Some((message.fields.get(found.field)?, found)))
        .collect();
    let known = Known::of(found.iter().map(|(field, found)| {
        let length = field.canonical.chars().count();
        let shown = format!("‹{} {length}›", form(field, found));
        (field.canonical.as_str(), shown)
    }));
    let url = around.url(message);
    let Memory {
        revealed,
        local,
        shared,
        ..
    } = memory;
    let mut ring = Keyring::new(detector, local, &observation.place);
    let id = ring.part();
    let mut credentials = Vec::with_capacity(found.len());
    for (field, found) in found {
        let mut credential = credential(message, field, found, &known, &mut ring, shared);
        if let Some(claims) = &mut credential.claims {
            mask_claims(claims, rules, &known);
        }
        reveal(&credential, field, detector, revealed);
        credentials.push(credential);
    }
    let visit = observation.visit.as_ref().map(|visit| {
        let ancestors = visit.ancestors.iter();
        Box::new(VisitKeys {
            own: ring.visit(visit.id),
            ancestors: ancestors
                .map(|(hops, id)| (*hops, ring.visit(*id)))
                .collect(),
        })
    });
    let exchange = observation.exchange.as_ref();
    Sighting {
        id,
        place: observation.place.clone(),
        at: observation.at,
        via: observation.via.clone(),
        visit,
        exchange: exchange.map(|exchange| exchange.key),
        role,
        method: exchange.and_then(|exchange| exchange.method),
        status: exchange.and_then(|exchange| exchange.status),
        channel: channel::of(observation, message, role),
        store: match observation.payload {
            Payload::Pair { store, .. } => Some(store),
            _ => None,
        },
        address: url.map(|url| address(url, &known, shared)),
        landing: url.and_then(|url| landing(url, rules)),
        redirect: redirect(message, rules),
        params: params(message, rules, &known, shared),
        url: url.map(|url| mask::url(url, &known, rules)),
        keys: keys(message, &credentials, &observation.place, &mut ring),
        credentials,
        near: Vec::new(),
    }
}

/// Every key of a message: those of its credentials and of its parameters.
fn keys(
    message: &Message,
    credentials: &[Credential],
    place: &Place,
    ring: &mut Keyring<'_>,
) -> Vec<JoinKey> {
    let of_credentials = credentials.iter().flat_map(|credential| &credential.keys);
    let mut keys: Vec<JoinKey> = of_credentials.copied().collect();
    // A bearer token that has the name of OAuth 1.0a's belongs to no one request.
    let bearer = |field: &Field| {
        let mut own = credentials.iter().filter(|it| *it.name == *field.name);
        own.any(|it| it.kind == Kind::AccessToken)
    };
    for field in &message.fields {
        if &*field.key.key == "oauthtoken" && bearer(field) {
            continue;
        }
        let challenge = || challenge::key_kind(message, field, place);
        keys.extend(joins::of_parameter(field, challenge, ring));
    }
    keys.sort_unstable();
    keys.dedup();
    keys.shrink_to_fit();
    keys
}

fn credential(
    message: &Message,
    field: &Field,
    found: &Found,
    known: &Known<'_>,
    ring: &mut Keyring<'_>,
    shared: &mut Shared,
) -> Credential {
    let value = field.canonical.as_str();
    let jwt = field.jwt();
    // RFC 7522 §2: an assertion of a grant, or of a client, may be a SAML assertion.
    let may_be_saml = matches!(
        found.kind,
        Kind::SamlMessage | Kind::WsfedToken | Kind::Assertion | Kind::ClientAssertion
    );
    let saml = (may_be_saml && jwt.is_none())
        .then(|| field.saml())
        .flatten();
    let mut nesting = message.nesting.clone();
    nesting.extend(&field.nesting);
    nesting.extend(saml.into_iter().flat_map(|saml| &saml.nesting));
    let (id, fingerprint) = ring.credential(found.kind, value);
    let length = value.chars().count();
    let shown = format!("{}, {length} characters", form(field, found));
    let claims = jwt.map(Jwt::claims);
    let claims = claims
        .or_else(|| saml.map(|saml| saml.claims.clone()))
        .or_else(|| issued_by_x(value))
        .or_else(|| encrypted_key(found.kind, value));
    let mut keys = joins::of_credential(found.kind, value, jwt, ring);
    if found.kind == Kind::PrivateKey && field.name == "d" {
        keys.extend(joins::of_jwk(field, &message.fields, ring));
    }
    Credential {
        id,
        kind: found.kind,
        rule: Arc::clone(&found.rule),
        slot: field.slot,
        name: shared.text(&mask::scrub(mask::plain_name(&field.name), known)),
        nesting,
        shown: Masked::vouch(shared.text(&shown)),
        fingerprint,
        keys,
        claims: claims.map(Box::new),
        signature: jwt.map_or(Signature::None, |jwt| jwt.signature(value, ring.jwks())),
        score: found.score,
    }
}

/// Audiences of one token that are kept: no token is for more servers.
const MAX_AUDIENCES: usize = 64;

/// Permissions of one token that are kept: administrators of a tenant of Entra have some hundred.
const MAX_SCOPES: usize = 256;

/// Hides what a token says of itself and should not be shown.
fn mask_claims(claims: &mut Claims, rules: &Rules, known: &Known<'_>) {
    let mask = |text: &str| mask::claim(text, rules, known);
    let Claims {
        alg,
        typ,
        iss,
        azp,
        cnf,
        ..
    } = claims;
    for text in [alg, typ, iss, azp, cnf].into_iter().flatten() {
        *text = mask(text);
    }
    claims.aud.truncate(MAX_AUDIENCES);
    for text in &mut claims.aud {
        *text = mask(text);
    }
    if let Some(text) = &mut claims.scope {
        let words: Vec<_> = text.split(' ').take(MAX_SCOPES).map(mask).collect();
        *text = words.join(" ").into();
    }
}

/// An opaque token of X says when it was issued: base64url of `<random>:<epoch ms>:<d>:<d>:at:1`.
fn issued_by_x(value: &str) -> Option<Claims> {
    let text = encoding::base64_text(value)?;
    let parts: Vec<&str> = text.split(':').collect();
    let [_, stamp, _, _, kind, "1"] = *parts.as_slice() else {
        return None;
    };
    let is_stamp = stamp.len() == 13 && matches!(kind, "at" | "rt" | "ac");
    let millis: i64 = stamp.parse().ok().filter(|_| is_stamp)?;
    Some(Claims {
        iat: millis.checked_div(1000),
        ..Claims::default()
    })
}

/// What a private key says of itself.
fn encrypted_key(kind: Kind, value: &str) -> Option<Claims> {
    let is_encrypted = kind == Kind::PrivateKey && pem::is_encrypted(value);
    is_encrypted.then(|| Claims {
        encrypted: true,
        ..Claims::default()
    })
}

fn reveal(
    credential: &Credential,
    field: &Field,
    detector: &Detector<'_>,
    revealed: &mut super::Revealed,
) {
    if detector.reveal.values {
        revealed
            .values
            .entry(credential.id)
            .or_insert_with(|| Secret::new(field.canonical.as_str()));
    }
    if detector.reveal.identities
        && let Some(jwt) = field.jwt()
    {
        let claims: Vec<_> = jwt
            .identities()
            .map(|(name, value)| (name.into(), Secret::new(value)))
            .collect();
        if !claims.is_empty() {
            revealed.identities.entry(credential.id).or_insert(claims);
        }
    }
}

/// The form of a value, in a word.
fn form(field: &Field, found: &Found) -> &'static str {
    match (found.kind, field.jwt()) {
        (_, Some(jwt)) if jwt.is_encrypted() => "jwe",
        (_, Some(_)) => "jwt",
        (Kind::SamlMessage | Kind::WsfedToken, None) => "saml",
        (Kind::Password | Kind::BasicCredentials, None) => "password",
        (Kind::PrivateKey, None) if field.canonical.starts_with('-') => "pem",
        _ => "opaque",
    }
}

fn params(message: &Message, rules: &Rules, known: &Known<'_>, shared: &mut Shared) -> Vec<Param> {
    let mut out: Vec<Param> = Vec::with_capacity(message.fields.len().min(MAX_PARAMS));
    for field in &message.fields {
        let Some(name) = rules.catalogue.spelling(&field.key) else {
            continue;
        };
        if field.canonical.is_empty() || out.len() >= MAX_PARAMS {
            continue;
        }
        out.push(Param {
            name: shared.text(name),
            value: mask::public(&field.key, &field.value, rules, known).map(Into::into),
            slot: field.slot,
        });
    }
    out.shrink_to_fit();
    out
}
