//! One finding becomes its wire form, sightings, claims and verdicts with it. A part of `assemble`.

use std::collections::BTreeMap;

use super::{Results, moment, text, texts};
use crate::atoms::{Basis, Locator, Masked, Source, Zone};
use crate::collect::read::Row;
use crate::detect::{Claims, Credential, Revealed, Sighting, Signature};
use crate::flow::repeats::Repeated;
use crate::judge::{Finding, Verdict};
use crate::report::wire;

/// A finding, with its sightings, and all sources that have any: those that are counted in full are told apart once
/// all parts are together.
pub(super) fn finding(finding: &Finding, results: &Results<'_>) -> wire::Finding {
    let mut seen: Vec<(&Sighting, Option<&Credential>)> = finding
        .seen
        .iter()
        .filter_map(|(sighting, credential)| {
            let sighting = results.correlated.sightings.get(*sighting)?;
            let credential = credential.and_then(|index| sighting.credentials.get(index));
            Some((sighting, credential))
        })
        .collect();
    // Sightings without a time come last; the sort is stable, so equal ones stay in the order of places.
    seen.sort_by_key(|(sighting, _)| (sighting.at.is_none(), sighting.at.map(|at| at.instant)));
    let claims = seen
        .iter()
        .filter_map(|(_, credential)| *credential)
        .find_map(|credential| Some((credential.claims.as_ref()?, credential.signature)));
    let trails = finding
        .trails
        .iter()
        .filter_map(|index| results.correlated.trails.get(*index));
    let said = claims.map(|(claims, _)| claims);
    let application = trails
        .clone()
        .find_map(|trail| trail.client_id.as_deref())
        .or_else(|| said?.azp.as_deref())
        .map(Into::into);
    let issuer = trails
        .clone()
        .find_map(|trail| trail.issuer.as_deref())
        .or_else(|| said?.iss.as_deref())
        .map(Into::into);
    let by_source = by_source(&seen, finding, results);
    wire::Finding {
        id: finding.id.to_string(),
        leak: finding.leak.to_string(),
        fingerprint: finding.fingerprint.map(|digest| digest.to_string()),
        kind: finding.kind.as_str().into(),
        rule: (&*finding.rule).into(),
        flow: finding.flow.as_str().into(),
        application,
        issuer,
        weakness: finding.weakness.map(|kind| kind.as_str().into()),
        severity: finding.severity.as_str().into(),
        severity_now: finding.severity_now.as_str().into(),
        status: results
            .baseline
            .status(finding.leak, results.as_of)
            .as_str()
            .into(),
        baseline: accepted(finding, results),
        shown: finding.shown.as_str().into(),
        value: value(finding, results.revealed),
        identities: identities(finding, results.revealed),
        claims: claims.map(|(claims, signature)| self::claims(claims, signature)),
        first_seen_at: finding.first_seen.map(|at| at.to_string()),
        last_seen_at: finding.last_seen.map(|at| at.to_string()),
        age_seconds: finding
            .first_seen
            .map(|at| results.as_of.as_second().saturating_sub(at.as_second())),
        at_exposure: verdict(&finding.at_exposure),
        now: verdict(&finding.now),
        exposed_to: wire::ExposedTo {
            who: texts(&finding.exposed_to.who),
            attack: finding.exposed_to.attack.into(),
            reference: (&*finding.exposed_to.reference).into(),
            code_flow: (&*finding.exposed_to.code_flow).into(),
        },
        trails: trails.map(|trail| trail.id.to_string()).collect(),
        remediation: wire::Remediation {
            text: (&*finding.remediation.text).into(),
            references: texts(&finding.remediation.references),
        },
        sightings: seen
            .iter()
            .take(wire::SIGHTINGS)
            .map(|(sighting, credential)| self::sighting(sighting, *credential, results.rows))
            .collect(),
        sightings_total: by_source.iter().map(|it| it.sightings).sum(),
        sightings_by_source: by_source,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side table is filled only when --reveal values was given"
)]
fn value(finding: &Finding, revealed: &Revealed) -> Option<String> {
    let secret = revealed.values.get(&finding.credential?)?;
    Some(secret.expose().into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side table is filled only when --reveal identities was given"
)]
fn identities(finding: &Finding, revealed: &Revealed) -> Option<BTreeMap<String, String>> {
    let claims = revealed.identities.get(&finding.credential?)?;
    let pairs = claims.iter();
    Some(
        pairs
            .map(|(name, value)| ((&**name).into(), value.expose().into()))
            .collect(),
    )
}

fn accepted(finding: &Finding, results: &Results<'_>) -> Option<wire::Accepted> {
    let accepted = results.baseline.get(finding.leak)?;
    Some(wire::Accepted {
        reason: text(accepted.reason.as_deref()),
        until: accepted.until.map(|until| until.to_string()),
        is_over: accepted.is_over(results.as_of),
    })
}

fn claims(claims: &Claims, signature: Signature) -> wire::Claims {
    wire::Claims {
        signature: signature.as_str().into(),
        alg: text(claims.alg.as_deref()),
        typ: text(claims.typ.as_deref()),
        encrypted: claims.encrypted,
        iss: text(claims.iss.as_deref()),
        aud: texts(&claims.aud),
        azp: text(claims.azp.as_deref()),
        scope: text(claims.scope.as_deref()),
        iat: claims.iat,
        exp: claims.exp,
        cnf: text(claims.cnf.as_deref()),
    }
}

fn verdict(verdict: &Verdict) -> wire::Verdict {
    wire::Verdict {
        state: verdict.state.as_str().into(),
        basis: verdict.basis.as_str().into(),
        expires_at: verdict.expires_at.map(|at| at.to_string()),
        needs: verdict.needs.iter().map(|need| (*need).into()).collect(),
        holder: (&*verdict.holder).into(),
        because: (&*verdict.because).into(),
        alone: verdict.alone.as_str().into(),
    }
}

fn sighting(sighting: &Sighting, credential: Option<&Credential>, rows: &[Row]) -> wire::Sighting {
    let source = &*sighting.place.source;
    let row = rows.binary_search_by(|row| (*row.source).cmp(source)).ok();
    wire::Sighting {
        id: sighting.id.to_string(),
        source: wire::SightingSource {
            path: (&*source.path).into(),
            members: texts(&source.members),
            reader: source.reader.to_string(),
            browser: text(source.browser.as_deref()),
            profile: text(source.profile.as_deref()),
            host: text(source.host.as_deref()),
            user: text(source.user.as_deref()),
            sha256: row
                .and_then(|index| rows.get(index))
                .and_then(|row| row.sha256.clone()),
        },
        locator: locator(&sighting.place.locator),
        view: sighting.place.view.as_str().into(),
        role: sighting.role.as_str().into(),
        channel: sighting.channel.as_str().into(),
        slot: credential.map(|credential| credential.slot.as_str().into()),
        name: credential.map(|credential| (&*credential.name).into()),
        at: moment(sighting.at),
        at_basis: sighting.at.map(|at| Basis::as_str(at.basis).into()),
        at_zone_assumed: sighting.at.is_some_and(|at| at.zone == Zone::Assumed),
        url: text(sighting.url.as_ref().map(Masked::as_str)),
    }
}

pub(super) fn locator(locator: &Locator) -> wire::Locator {
    match locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => wire::Locator::Row {
            table: table.to_string(),
            rowid: *rowid,
            column: column.to_string(),
        },
        Locator::Line { number, byte } => wire::Locator::Line {
            number: *number,
            byte: *byte,
        },
        Locator::Entry {
            index,
            pointer,
            line,
            column,
        } => wire::Locator::Entry {
            index: *index,
            pointer: (&**pointer).into(),
            line: *line,
            column: *column,
        },
        Locator::Record {
            file,
            key,
            sequence,
        } => wire::Locator::Record {
            file: (&**file).into(),
            key: (&**key).into(),
            sequence: *sequence,
        },
        Locator::Bytes { offset } => wire::Locator::Bytes {
            offset: *offset,
            file: None,
            within: None,
            uncertain: false,
        },
        Locator::Residue {
            beside,
            offset,
            within,
            uncertain,
        } => wire::Locator::Bytes {
            offset: *offset,
            file: text(beside.as_deref()),
            within: Some(within.as_str().into()),
            uncertain: *uncertain,
        },
    }
}

/// Count, first and last moment per source, with the sightings that were set aside.
fn by_source(
    seen: &[(&Sighting, Option<&Credential>)],
    finding: &Finding,
    results: &Results<'_>,
) -> Vec<wire::SeenIn> {
    let mut sources: BTreeMap<&Source, Repeated> = BTreeMap::new();
    for (sighting, _) in seen {
        let known = sources.entry(&*sighting.place.source).or_default();
        *known = known.and(Repeated::once(sighting.at));
    }
    let credential = finding.credential.into_iter();
    for (source, more) in credential.flat_map(|id| results.correlated.repeats.of(id)) {
        let known = sources.entry(source).or_default();
        *known = known.and(*more);
    }
    sources
        .into_iter()
        .map(|(source, known)| wire::SeenIn {
            path: (&*source.path).into(),
            members: texts(&source.members),
            sightings: known.count,
            first_at: moment(known.first),
            last_at: moment(known.last),
        })
        .collect()
}
