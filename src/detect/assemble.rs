//! Messages become sightings: credentials with their identities and masks, public parameters, join keys,
//! address and role. The last room in which raw values exist.

use super::address::{address, landing, redirect};
use super::joins;
use super::jwt::Jwt;
use super::keys::Keyring;
use super::message::{Field, Message};
use super::score::{self, Found, Setting};
use super::url::Url;
use super::{Credential, Detector, Memory, Param, Role, Sighting, Signature, VisitKeys};
use super::{challenge, encoding, mask, role, saml};
use crate::atoms::rules::Rules;
use crate::atoms::{JoinKey, Kind, Masked, Secret};
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
    let mut out = Vec::new();
    for message in messages {
        let setting = setting(observation, message, detector.rules);
        let mut found = score::found(message, &setting);
        challenge::plain(&mut found, message, detector.rules, &observation.place);
        found.sort_by_key(|found| found.field);
        let role = role::role(observation, message, &found, &setting);
        let is_message = !matches!(role, Role::None | Role::Stored | Role::ResourceRequest);
        if found.is_empty() && !is_message {
            continue;
        }
        out.push(one(observation, message, &found, role, detector, memory));
    }
    out
}

/// URL of the message, or of the exchange that carried it.
fn outer_url(observation: &Observation, message: &Message) -> Option<Url> {
    if let Some(url) = &message.url {
        return Some(url.clone());
    }
    let of_payload = match &observation.payload {
        Payload::Url(raw) => Some(Url::new(&encoding::text(raw.as_bytes()))),
        Payload::Pair {
            origin: Some(origin),
            ..
        } => Some(if origin.contains("://") {
            Url::new(origin)
        } else {
            Url::default().on_host(origin.trim_start_matches('.'))
        }),
        _ => None,
    };
    of_payload.or_else(|| exchange_url(observation))
}

fn exchange_url(observation: &Observation) -> Option<Url> {
    let exchange = observation.exchange.as_ref()?;
    let url = Url::new(&encoding::text(exchange.url.as_bytes()));
    Some(match &exchange.host {
        Some(host) => url.on_host(host),
        None => url,
    })
}

fn setting<'a>(observation: &'a Observation, message: &Message, rules: &'a Rules) -> Setting<'a> {
    // A cookie belongs to a host; the page that set it tells what it is for.
    let url = match observation.payload {
        Payload::Pair { .. } => exchange_url(observation),
        _ => None,
    };
    let url = url.or_else(|| outer_url(observation, message));
    let url = url.unwrap_or_default();
    let redirected = match observation.via {
        Via::ServerRedirect | Via::ClientRedirect | Via::Location => Some(true),
        Via::Typed | Via::Link | Via::Form | Via::Reload => Some(false),
        _ => None,
    };
    Setting {
        rules,
        words: url.words(),
        host: url.host().to_owned(),
        redirected,
        native: url.is_native(),
        response: observation.via == Via::Response,
        method: observation
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.method.as_deref()),
    }
}

fn one(
    observation: &Observation,
    message: &Message,
    found: &[Found],
    role: Role,
    detector: &Detector<'_>,
    memory: &mut Memory,
) -> Sighting {
    let rules = detector.rules;
    let shown: Vec<Masked> = found.iter().map(|found| describe(message, found)).collect();
    let known: mask::Known<'_> = found
        .iter()
        .zip(&shown)
        .filter_map(|(found, shown)| {
            let field = message.fields.get(found.field)?;
            Some((
                field.canonical.as_str(),
                format!(
                    "‹{}›",
                    shown.as_str().replace(',', "").replace(" characters", "")
                ),
            ))
        })
        .collect();
    let url = outer_url(observation, message);
    let Memory {
        revealed, local, ..
    } = memory;
    let mut ring = Keyring::new(detector, local, &observation.place);
    let id = ring.part();
    let mut credentials = Vec::new();
    for (found, shown) in found.iter().zip(&shown) {
        let Some(field) = message.fields.get(found.field) else {
            continue;
        };
        let mut credential = credential(message, field, found, shown, detector, &mut ring);
        credential.name = mask::scrub(credential.name.into(), &known).into();
        reveal(&credential, field, detector, revealed);
        credentials.push(credential);
    }
    let mut keys: Vec<JoinKey> = credentials
        .iter()
        .flat_map(|credential| &credential.keys)
        .copied()
        .collect();
    for field in &message.fields {
        keys.extend(joins::of_parameter(
            field,
            challenge::key_kind(message, field, &observation.place),
            &mut ring,
        ));
    }
    keys.sort_unstable();
    keys.dedup();
    let visit = observation.visit.as_ref().map(|visit| VisitKeys {
        own: ring.visit(visit.id),
        ancestors: visit
            .ancestors
            .iter()
            .map(|(hops, id)| (*hops, ring.visit(*id)))
            .collect(),
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
        method: exchange.and_then(|exchange| exchange.method.clone()),
        status: exchange.and_then(|exchange| exchange.status),
        channel: role::channel(observation, message, role),
        store: match observation.payload {
            Payload::Pair { store, .. } => Some(store),
            _ => None,
        },
        address: url.as_ref().map(|url| address(url, &known)),
        landing: url.as_ref().and_then(|url| landing(url, rules)),
        redirect: redirect(message, rules),
        params: params(message, rules, &known),
        url: url.map(|url| mask::url(&url, &known, rules)),
        credentials,
        keys,
        near: Vec::new(),
    }
}

fn credential(
    message: &Message,
    field: &Field,
    found: &Found,
    shown: &Masked,
    detector: &Detector<'_>,
    ring: &mut Keyring<'_>,
) -> Credential {
    let value = field.canonical.as_str();
    let jwt = Jwt::decode(value);
    // RFC 7522 §2: an assertion of a grant, or of a client, may be a SAML assertion.
    let may_be_saml = matches!(
        found.kind,
        Kind::SamlMessage | Kind::WsfedToken | Kind::Assertion | Kind::ClientAssertion
    );
    let saml = (may_be_saml && jwt.is_none())
        .then(|| saml::read(value))
        .flatten();
    let mut nesting = message.nesting.clone();
    nesting.extend(&field.nesting);
    nesting.extend(saml.iter().flat_map(|saml| &saml.nesting));
    let (id, fingerprint) = ring.credential(found.kind, value);
    let claims = jwt
        .as_ref()
        .map(Jwt::claims)
        .or(saml.map(|saml| saml.claims));
    Credential {
        id,
        kind: found.kind,
        rule: found.rule.clone(),
        slot: field.slot,
        name: mask::plain_name(&field.name).into(),
        nesting,
        shown: shown.clone(),
        fingerprint,
        keys: joins::of_credential(found.kind, value, jwt.as_ref(), ring),
        claims: claims.or_else(|| issued_by_x(value)),
        signature: jwt
            .as_ref()
            .map_or(Signature::None, |jwt| jwt.signature(value, detector.jwks)),
        score: found.score,
    }
}

/// An opaque token of X says when it was issued: base64url of `<random>:<epoch ms>:<d>:<d>:at:1`.
fn issued_by_x(value: &str) -> Option<super::Claims> {
    let text = String::from_utf8(encoding::base64(value)?).ok()?;
    let parts: Vec<&str> = text.split(':').collect();
    let [_, stamp, _, _, kind, "1"] = *parts.as_slice() else {
        return None;
    };
    let is_stamp = stamp.len() == 13 && matches!(kind, "at" | "rt" | "ac");
    let millis: i64 = stamp.parse().ok().filter(|_| is_stamp)?;
    Some(super::Claims {
        iat: millis.checked_div(1000),
        ..super::Claims::default()
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
        && let Some(jwt) = Jwt::decode(&field.canonical)
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

/// Form and length, never the value.
fn describe(message: &Message, found: &Found) -> Masked {
    let value = message
        .fields
        .get(found.field)
        .map_or("", |field| &field.canonical);
    let form = match (found.kind, Jwt::decode(value)) {
        (_, Some(jwt)) if jwt.claims().encrypted => "jwe",
        (_, Some(_)) => "jwt",
        (Kind::SamlMessage | Kind::WsfedToken, None) => "saml",
        (Kind::Password | Kind::BasicCredentials, None) => "password",
        _ => "opaque",
    };
    Masked::vouch(format!("{form}, {} characters", value.chars().count()))
}

fn params(message: &Message, rules: &Rules, known: &mask::Known<'_>) -> Vec<Param> {
    let mut out: Vec<Param> = Vec::new();
    for field in &message.fields {
        let Some(name) = rules.catalogue.spelling(&field.key) else {
            continue;
        };
        if field.canonical.is_empty() || out.len() >= MAX_PARAMS {
            continue;
        }
        out.push(Param {
            name: name.into(),
            value: mask::public(&field.key, &field.value, rules, known).map(Into::into),
            slot: field.slot,
        });
    }
    out
}
