//! The way back from the wire form of a shard to sources and sightings. What it reads may be hostile: a line
//! that does not say what it must is refused whole. Believes what a shard says about its evidence: whoever
//! wrote the shard could have written the evidence.

use std::sync::Arc;

use super::wire::Locator as WireLocator;
use super::wire::shard as wire;
use crate::atoms::{
    Basis, Digest, JoinKey, Kind, Locator, Masked, Method, Place, Slot, Source, View, When, Within,
    Zone,
};
use crate::collect::read::{Row, Status};
use crate::collect::{Store, Via};
use crate::detect::{
    Address, Channel, Claims, Credential, Decoding, Param, Role, Sighting, Signature, VisitKeys,
};

/// A value that does not say what it must.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotUnderstood;

/// A source, without its reasons. Refused when a name is not known here, or its id is not its own.
pub fn row(wire: wire::Source) -> Result<Row, NotUnderstood> {
    let id = digest(&wire.id)?;
    let source = Source {
        path: wire.path.into(),
        members: boxes(wire.members),
        reader: wire.reader.unwrap_or_default().into(),
        host: boxed(wire.host),
        user: boxed(wire.user),
        browser: boxed(wire.browser),
        profile: boxed(wire.profile),
    };
    if source.digest() != id {
        return Err(NotUnderstood);
    }
    Ok(Row {
        source: Arc::new(source),
        bytes: wire.bytes,
        status: named(Status::ALL, Status::as_str, &wire.status)?,
        reasons: Vec::new(),
        sha256: wire.sha256,
    })
}

/// A sighting in a source. Refused when a name is not known here, or a digest is none.
pub fn sighting(wire: wire::Sighting<'_>, source: Arc<Source>) -> Result<Sighting, NotUnderstood> {
    Ok(Sighting {
        id: wire.id.0,
        place: Place {
            source,
            locator: locator(wire.locator)?,
            view: named(View::ALL, View::as_str, &wire.view)?,
        },
        at: wire.at.as_ref().map(moment).transpose()?,
        via: via(&wire.via, wire.sent_to)?,
        visit: wire.visit.map(visit).map(Box::new),
        exchange: wire.exchange.map(|key| key.0),
        role: named(Role::ALL, Role::as_str, &wire.role)?,
        method: wire.method.and_then(|it| Method::of(it.as_bytes())),
        status: wire.status,
        channel: named(Channel::ALL, Channel::as_str, &wire.channel)?,
        store: wire
            .store
            .map(|name| named(Store::ALL, Store::as_str, &name))
            .transpose()?,
        url: wire.url.map(Masked::vouch),
        address: wire.address.map(address),
        landing: wire.landing.map(|digest| digest.0),
        redirect: wire.redirect.map(|digest| digest.0),
        params: all(wire.params, param)?,
        credentials: all(wire.credentials, credential)?,
        keys: keys(&wire.keys),
        near: keys(&wire.near),
    })
}

/// Where a sighting of a finding lies.
pub fn place(wire: &super::wire::Sighting) -> Result<Place, NotUnderstood> {
    let source = &wire.source;
    Ok(Place {
        source: Arc::new(Source {
            path: source.path.clone().into(),
            members: boxes(source.members.clone()),
            reader: source.reader.clone().into(),
            host: boxed(source.host.clone()),
            user: boxed(source.user.clone()),
            browser: boxed(source.browser.clone()),
            profile: boxed(source.profile.clone()),
        }),
        locator: locator(wire.locator.clone())?,
        view: named(View::ALL, View::as_str, &wire.view)?,
    })
}

fn credential(wire: wire::Credential<'_>) -> Result<Credential, NotUnderstood> {
    Ok(Credential {
        id: wire.id.0,
        kind: named(Kind::ALL, Kind::as_str, &wire.kind)?,
        rule: wire.rule.into(),
        slot: slot(&wire.slot)?,
        name: wire.name.into(),
        nesting: all(wire.nesting, |name| {
            named(Decoding::ALL, Decoding::as_str, &name)
        })?,
        shown: Masked::vouch(wire.shown),
        fingerprint: wire.fingerprint.map(|digest| digest.0),
        keys: keys(&wire.keys),
        claims: wire.claims.map(claims).map(Box::new),
        signature: named(Signature::ALL, Signature::as_str, &wire.signature)?,
        score: wire.score,
    })
}

fn claims(wire: wire::Claims<'_>) -> Claims {
    Claims {
        alg: boxed(wire.alg),
        typ: boxed(wire.typ),
        encrypted: wire.encrypted,
        iss: boxed(wire.iss),
        aud: boxes(wire.aud),
        azp: boxed(wire.azp),
        scope: boxed(wire.scope),
        exp: wire.exp,
        iat: wire.iat,
        nbf: wire.nbf,
        cnf: boxed(wire.cnf),
        nonce: wire.nonce,
        personal: wire.personal,
        privileged: wire.privileged,
    }
}

fn param(wire: wire::Param<'_>) -> Result<Param, NotUnderstood> {
    Ok(Param {
        name: wire.name.into(),
        value: boxed(wire.value),
        slot: slot(&wire.slot)?,
    })
}

fn address(wire: wire::Address<'_>) -> Address {
    Address {
        scheme: wire.scheme.into(),
        host: wire.host.into(),
        port: wire.port,
        path: wire.path.into(),
    }
}

fn moment(wire: &wire::Moment<'_>) -> Result<When, NotUnderstood> {
    Ok(When {
        instant: wire.instant.parse().map_err(|_| NotUnderstood)?,
        basis: named(Basis::ALL, Basis::as_str, &wire.basis)?,
        zone: if wire.zone_assumed {
            Zone::Assumed
        } else {
            Zone::Stated
        },
    })
}

fn visit(wire: wire::Visit) -> VisitKeys {
    let ancestors = wire.ancestors.into_iter();
    VisitKeys {
        own: wire.own.0,
        ancestors: ancestors.map(|it| (it.hops, it.key.0)).collect(),
    }
}

fn via(name: &str, sent_to: Option<wire::Text<'_>>) -> Result<Via, NotUnderstood> {
    let referer = Via::Referer {
        sent_to: boxed(sent_to),
    };
    if name == referer.as_str() {
        return Ok(referer);
    }
    Via::PLAIN
        .into_iter()
        .find(|via| via.as_str() == name)
        .ok_or(NotUnderstood)
}

fn locator(wire: WireLocator) -> Result<Locator, NotUnderstood> {
    Ok(match wire {
        WireLocator::Row {
            table,
            rowid,
            column,
        } => Locator::Row {
            table: table.into(),
            rowid,
            column: column.into(),
        },
        WireLocator::Line { number, byte } => Locator::Line { number, byte },
        WireLocator::Entry {
            index,
            pointer,
            line,
            column,
        } => Locator::Entry {
            index,
            pointer: pointer.into(),
            line,
            column,
        },
        WireLocator::Record {
            file,
            key,
            sequence,
        } => Locator::Record {
            file: file.into(),
            key: key.into(),
            sequence,
        },
        WireLocator::Bytes {
            offset,
            file,
            within: Some(within),
            uncertain,
        } => Locator::Residue {
            beside: boxed(file),
            offset,
            within: named(Within::ALL, Within::as_str, &within)?,
            uncertain,
        },
        WireLocator::Bytes { offset, .. } => Locator::Bytes { offset },
    })
}

/// A join key, as `kind:digest`.
pub fn key(text: &str) -> Result<JoinKey, NotUnderstood> {
    wire::Key::parse(text).map(|key| key.0).ok_or(NotUnderstood)
}

fn digest(text: &str) -> Result<Digest, NotUnderstood> {
    Digest::parse(text).ok_or(NotUnderstood)
}

fn slot(name: &str) -> Result<Slot, NotUnderstood> {
    named(Slot::ALL, Slot::as_str, name)
}

/// The variant of this name.
fn named<T: Copy, const N: usize>(
    all: [T; N],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, NotUnderstood> {
    all.into_iter()
        .find(|variant| name_of(*variant) == name)
        .ok_or(NotUnderstood)
}

fn all<T, U>(
    wire: Vec<T>,
    restore: impl FnMut(T) -> Result<U, NotUnderstood>,
) -> Result<Vec<U>, NotUnderstood> {
    wire.into_iter().map(restore).collect()
}

fn keys(wire: &[wire::Key]) -> Vec<JoinKey> {
    wire.iter().map(|key| key.0).collect()
}

fn boxed<T: Into<Box<str>>>(text: Option<T>) -> Option<Box<str>> {
    text.map(Into::into)
}

fn boxes<T: Into<Box<str>>>(texts: Vec<T>) -> Vec<Box<str>> {
    texts.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::KeyKind;
    use crate::detect::sample::full;
    use crate::report::assemble::shard;

    fn again(sighting: &Sighting) -> Sighting {
        let wire = shard::sighting("run", sighting.place.source.digest(), sighting);
        let text = serde_json::to_string(&wire).unwrap();
        super::sighting(serde_json::from_str(&text).unwrap(), Arc::default()).unwrap()
    }

    #[test]
    fn a_sighting_is_the_same_behind_the_wire() {
        let full = full();
        assert_eq!(again(&full), full);
    }

    #[test]
    fn every_name_is_known_behind_the_wire() {
        let mut sighting = full();
        for via in Via::PLAIN {
            sighting.via = via;
            assert_eq!(again(&sighting), sighting);
        }
        for role in Role::ALL {
            sighting.role = role;
            assert_eq!(again(&sighting), sighting);
        }
        for kind in Kind::ALL {
            sighting.credentials[0].kind = kind;
            assert_eq!(again(&sighting), sighting);
        }
        for kind in KeyKind::ALL {
            sighting.keys[0].kind = kind;
            assert_eq!(again(&sighting), sighting);
        }
        for within in Within::ALL {
            sighting.place.locator = Locator::Residue {
                beside: Some("History-journal".into()),
                offset: 9,
                within,
                uncertain: true,
            };
            assert_eq!(again(&sighting), sighting);
        }
        sighting.place.locator = Locator::Bytes { offset: 9 };
        assert_eq!(again(&sighting), sighting);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let sighting = full();
        let spoilt = |spoil: fn(&mut wire::Sighting<'_>)| {
            let mut wire = shard::sighting("run", sighting.id, &sighting);
            spoil(&mut wire);
            super::sighting(wire, Arc::default())
        };
        assert!(spoilt(|_| {}).is_ok());
        assert_eq!(
            spoilt(|wire| wire.role = "wrong".into()),
            Err(NotUnderstood)
        );
        assert_eq!(spoilt(|wire| wire.via = "".into()), Err(NotUnderstood));
        let wire = shard::sighting("run", sighting.id, &sighting);
        let text = serde_json::to_string(&wire).unwrap();
        let id = sighting.id.to_string();
        let key = sighting.keys[0];
        for (whole, spoilt) in [
            (id.as_str(), id.get(1..).unwrap()),
            (key.kind.as_str(), "wrong"),
            (&key.digest.to_string(), ""),
        ] {
            let spoilt = text.replacen(whole, spoilt, 1);
            assert_ne!(text, spoilt);
            assert!(serde_json::from_str::<wire::Sighting<'_>>(&spoilt).is_err());
        }
    }
}
