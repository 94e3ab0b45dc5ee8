//! A sighting for tests of what carries sightings: a wire, a temporary file.

use std::sync::Arc;

use super::{
    Address, Channel, Claims, Credential, Decoding, Param, Role, Sighting, Signature, VisitKeys,
};
use crate::atoms::{
    Basis, Digest, JoinKey, KeyKind, Kind, Locator, Masked, Method, Place, Slot, View, When, Zone,
};
use crate::collect::{Store, Via};

/// A sighting that has everything, with the extremes of what it may hold.
pub(crate) fn full() -> Sighting {
    let digest = |name: &str| Digest::of([name.as_bytes()]);
    let key = |kind, name| JoinKey {
        kind,
        digest: digest(name),
    };
    let text = |text: &str| Some(text.into());
    Sighting {
        id: digest("id"),
        place: Place {
            source: Arc::default(),
            locator: Locator::Line { number: 7, byte: 9 },
            view: View::Recovered,
        },
        at: Some(When {
            instant: "1926-11-23T05:00:00.123456789Z".parse().unwrap(),
            basis: Basis::HarEntry,
            zone: Zone::Assumed,
        }),
        via: Via::Referer {
            sent_to: text("cdn.example"),
        },
        visit: Some(Box::new(VisitKeys {
            own: key(KeyKind::Visit, "own"),
            ancestors: vec![(1, key(KeyKind::Visit, "before"))],
        })),
        exchange: Some(key(KeyKind::Exchange, "exchange")),
        role: Role::ResponseInFragment,
        method: Method::of(b"GET"),
        status: Some(302),
        channel: Channel::Front,
        store: Some(Store::Autofill),
        url: Some(Masked::vouch("https://app.example/é")),
        address: Some(Address {
            scheme: "https".into(),
            host: "app.example".into(),
            port: Some(8443),
            path: "/cb".into(),
        }),
        landing: Some(digest("landing")),
        redirect: Some(digest("redirect")),
        params: vec![Param {
            name: "scope".into(),
            value: text("openid"),
            slot: Slot::Query,
        }],
        credentials: vec![Credential {
            id: digest("credential"),
            kind: Kind::IdToken,
            rule: "id_token".into(),
            slot: Slot::Fragment,
            name: "id_token".into(),
            nesting: Decoding::ALL.into(),
            shown: Masked::vouch("jwt, 843 characters"),
            fingerprint: Some(digest("fingerprint")),
            keys: vec![key(KeyKind::AtHash, "at")],
            claims: Some(Box::new(Claims {
                alg: text("RS256"),
                typ: text("JWT"),
                encrypted: true,
                iss: text("https://as.example"),
                aud: vec!["client".into(), "other".into()],
                azp: text("client"),
                scope: text("openid"),
                exp: Some(i64::MIN),
                iat: Some(i64::MAX),
                nbf: Some(2),
                cnf: text("jkt"),
                nonce: true,
                personal: true,
                privileged: true,
            })),
            signature: Signature::Verified,
            score: -3,
        }],
        keys: vec![key(KeyKind::State, "state")],
        near: vec![key(KeyKind::Near, "near")],
    }
}

/// A sighting in a line of a log that has nothing but this, sighted so many seconds after the epoch.
pub(crate) fn bare(number: u64, second: i64, role: Role) -> Sighting {
    let mut sighting = full();
    sighting.id = Digest::of([number.to_le_bytes().as_slice()]);
    sighting.place.locator = Locator::Line {
        number,
        byte: number,
    };
    if let Some(when) = &mut sighting.at {
        when.instant = jiff::Timestamp::from_second(second).unwrap();
    }
    Sighting {
        via: Via::Request,
        visit: None,
        exchange: None,
        role,
        redirect: None,
        params: Vec::new(),
        credentials: Vec::new(),
        keys: Vec::new(),
        near: Vec::new(),
        ..sighting
    }
}

/// A parameter by its name, of which a log may keep the name alone.
pub(crate) fn param(name: &str, value: Option<&str>, slot: Slot) -> Param {
    Param {
        name: name.into(),
        value: value.map(Into::into),
        slot,
    }
}

/// A credential of a kind, and nothing else of it.
pub(crate) fn credential(kind: Kind) -> Credential {
    let credentials = full().credentials.into_iter();
    let credential = credentials.map(|credential| Credential {
        kind,
        keys: Vec::new(),
        claims: None,
        ..credential
    });
    credential.last().unwrap()
}
