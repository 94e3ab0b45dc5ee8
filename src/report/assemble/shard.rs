//! Sightings and sources in their wire form between two machines. `report/restore.rs` is the way back.

use super::finding::locator;
use super::{text, texts};
use crate::atoms::{Digest, Masked, Method, Source, When, Zone};
use crate::collect::Via;
use crate::collect::read::Row;
use crate::detect;
use crate::report::wire::shard::{self as wire, Hex, Key};

/// A source.
pub fn source(run: &str, row: &Row, clock_error: Option<f64>) -> wire::Source {
    let source: &Source = &row.source;
    wire::Source {
        run: run.into(),
        id: source.digest().to_string(),
        path: (&*source.path).into(),
        members: texts(&source.members),
        reader: (!source.reader.is_empty()).then(|| source.reader.to_string()),
        host: text(source.host.as_deref()),
        user: text(source.user.as_deref()),
        browser: text(source.browser.as_deref()),
        profile: text(source.profile.as_deref()),
        bytes: row.bytes,
        status: row.status.as_str().into(),
        clock_error_seconds: clock_error,
        sha256: row.sha256.clone(),
    }
}

/// The problems of a source.
pub fn problems<'a>(run: &'a str, row: &'a Row) -> impl Iterator<Item = wire::Problem> + 'a {
    let source = row.source.digest().to_string();
    (0..)
        .zip(&row.reasons)
        .map(move |(number, reason)| wire::Problem {
            run: run.into(),
            source: source.clone(),
            number,
            reason: reason.clone(),
        })
}

/// A sighting of a source, whose id is given: it is the same for many.
pub fn sighting<'a>(
    run: &'a str,
    source: Digest,
    sighting: &'a detect::Sighting,
) -> wire::Sighting<'a> {
    wire::Sighting {
        run: run.into(),
        id: Hex(sighting.id),
        source: Hex(source),
        locator: locator(&sighting.place.locator),
        view: sighting.place.view.as_str().into(),
        at: sighting.at.map(moment),
        via: sighting.via.as_str().into(),
        sent_to: match &sighting.via {
            Via::Referer { sent_to } => borrowed(sent_to.as_deref()),
            _ => None,
        },
        visit: sighting.visit.as_ref().map(|visit| wire::Visit {
            own: Key(visit.own),
            ancestors: visit
                .ancestors
                .iter()
                .map(|(hops, ancestor)| wire::Ancestor {
                    hops: *hops,
                    key: Key(*ancestor),
                })
                .collect(),
        }),
        exchange: sighting.exchange.map(Key),
        role: sighting.role.as_str().into(),
        method: borrowed(sighting.method.map(Method::as_str)),
        status: sighting.status,
        channel: sighting.channel.as_str().into(),
        store: sighting.store.map(|store| store.as_str().into()),
        url: borrowed(sighting.url.as_ref().map(Masked::as_str)),
        address: sighting.address.as_ref().map(address),
        landing: sighting.landing.map(Hex),
        redirect: sighting.redirect.map(Hex),
        params: sighting.params.iter().map(param).collect(),
        credentials: sighting.credentials.iter().map(credential).collect(),
        keys: sighting.keys.iter().copied().map(Key).collect(),
        near: sighting.near.iter().copied().map(Key).collect(),
    }
}

fn credential(credential: &detect::Credential) -> wire::Credential<'_> {
    let nesting = credential.nesting.iter();
    wire::Credential {
        id: Hex(credential.id),
        kind: credential.kind.as_str().into(),
        rule: (&*credential.rule).into(),
        slot: credential.slot.as_str().into(),
        name: (&*credential.name).into(),
        nesting: nesting.map(|layer| layer.as_str().into()).collect(),
        shown: credential.shown.as_str().into(),
        fingerprint: credential.fingerprint.map(Hex),
        keys: credential.keys.iter().copied().map(Key).collect(),
        claims: credential.claims.as_deref().map(claims),
        signature: credential.signature.as_str().into(),
        score: credential.score,
    }
}

fn claims(claims: &detect::Claims) -> wire::Claims<'_> {
    wire::Claims {
        alg: borrowed(claims.alg.as_deref()),
        typ: borrowed(claims.typ.as_deref()),
        encrypted: claims.encrypted,
        iss: borrowed(claims.iss.as_deref()),
        aud: claims.aud.iter().map(|text| (&**text).into()).collect(),
        azp: borrowed(claims.azp.as_deref()),
        scope: borrowed(claims.scope.as_deref()),
        exp: claims.exp,
        iat: claims.iat,
        nbf: claims.nbf,
        cnf: borrowed(claims.cnf.as_deref()),
        nonce: claims.nonce,
        personal: claims.personal,
        privileged: claims.privileged,
    }
}

fn param(param: &detect::Param) -> wire::Param<'_> {
    wire::Param {
        name: (&*param.name).into(),
        value: borrowed(param.value.as_deref()),
        slot: param.slot.as_str().into(),
    }
}

fn address(address: &detect::Address) -> wire::Address<'_> {
    wire::Address {
        scheme: (&*address.scheme).into(),
        host: (&*address.host).into(),
        port: address.port,
        path: (&*address.path).into(),
    }
}

fn moment(at: When) -> wire::Moment<'static> {
    wire::Moment {
        instant: at.instant.to_string().into(),
        basis: at.basis.as_str().into(),
        zone_assumed: at.zone == Zone::Assumed,
    }
}

fn borrowed(text: Option<&str>) -> Option<wire::Text<'_>> {
    text.map(Into::into)
}
