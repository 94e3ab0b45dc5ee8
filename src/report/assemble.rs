//! The domain becomes the wire format: the one place that does it. Counts, names and caps; judges nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::wire::{self, Counts};
use crate::atoms::{Basis, Digest, Locator, Masked, Source, When, Zone};
use crate::collect::read::Row;
use crate::detect::{Claims, Credential, Revealed, Sighting, Signature};
use crate::flow::{Correlated, Trail};
use crate::judge::{Finding, State, Verdict};

/// All that a run knows at its end.
#[derive(Debug)]
pub struct Results<'a> {
    /// Moment of the `now` verdicts.
    pub as_of: Timestamp,
    /// `--label`.
    pub label: Option<&'a str>,
    /// Options in effect.
    pub options: wire::Options,
    /// Sightings and trails.
    pub correlated: &'a Correlated,
    /// Findings to be shown, worst first.
    pub findings: &'a [Finding],
    /// How many findings the filters left out.
    pub left_out: u64,
    /// How many findings meet the gate.
    pub gated: u64,
    /// What `--reveal` may show.
    pub revealed: &'a Revealed,
    /// Account of the sources, sorted.
    pub rows: &'a [Row],
    /// By source digest: seconds that its clock was ahead.
    pub clock_errors: &'a BTreeMap<Digest, f64>,
    /// Files that no reader claimed, by reason.
    pub not_claimed: &'a BTreeMap<&'static str, u64>,
}

/// The report.
pub fn report(results: &Results<'_>) -> wire::Report {
    let findings: Vec<wire::Finding> = results
        .findings
        .iter()
        .map(|finding| self::finding(finding, results))
        .collect();
    wire::Report {
        schema: wire::SCHEMA.into(),
        tool: wire::Tool {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
        run: wire::Run {
            as_of: results.as_of.to_string(),
            label: results.label.map(Into::into),
            host: only_host(results.rows),
            options: results.options.clone(),
        },
        summary: summary(results),
        profiles: profiles(results),
        findings,
        trails: results.correlated.trails.iter().map(trail).collect(),
        sources: results
            .rows
            .iter()
            .map(|row| source(row, results))
            .collect(),
        not_claimed: named(results.not_claimed),
        problems: results.rows.iter().flat_map(problems).collect(),
    }
}

fn summary(results: &Results<'_>) -> wire::Summary {
    let findings = results.findings;
    wire::Summary {
        findings: findings.len() as u64,
        left_out: results.left_out,
        gated: results.gated,
        by_severity: count(findings.iter().map(|f| f.severity.as_str())),
        by_kind: count(findings.iter().map(|f| f.kind.as_str())),
        by_flow: count(findings.iter().map(|f| f.flow.as_str())),
        by_state_at_exposure: count(findings.iter().map(|f| f.at_exposure.state.as_str())),
        by_state_now: count(findings.iter().map(|f| f.now.state.as_str())),
        trails: results.correlated.trails.len() as u64,
        sources: count(results.rows.iter().map(|row| row.status.as_str())),
        bytes: results.rows.iter().filter_map(|row| row.bytes).sum(),
        not_claimed: results.not_claimed.values().sum(),
    }
}

fn finding(finding: &Finding, results: &Results<'_>) -> wire::Finding {
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
    let trails = finding.trails.iter();
    wire::Finding {
        id: finding.id.to_string(),
        leak: finding.leak.to_string(),
        fingerprint: finding.fingerprint.map(|digest| digest.to_string()),
        kind: finding.kind.as_str().into(),
        rule: (&*finding.rule).into(),
        flow: finding.flow.as_str().into(),
        weakness: finding.weakness.map(|kind| kind.as_str().into()),
        severity: finding.severity.as_str().into(),
        status: "new".into(),
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
        },
        trails: trails
            .filter_map(|index| results.correlated.trails.get(*index))
            .map(|trail| trail.id.to_string())
            .collect(),
        remediation: wire::Remediation {
            text: (&*finding.remediation.text).into(),
            references: texts(&finding.remediation.references),
        },
        sightings: seen
            .iter()
            .take(wire::SIGHTINGS)
            .map(|(sighting, credential)| self::sighting(sighting, *credential, results.rows))
            .collect(),
        sightings_total: seen.len() as u64,
        sightings_by_source: by_source(&seen),
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

fn claims(claims: &Claims, signature: Signature) -> wire::Claims {
    let signature = match signature {
        Signature::None => "none",
        Signature::Unverified => "unverified",
        Signature::Verified => "verified",
        Signature::Invalid => "invalid",
        Signature::Unsigned => "unsigned",
    };
    wire::Claims {
        signature: signature.into(),
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
            reader: source.reader.into(),
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

fn locator(locator: &Locator) -> wire::Locator {
    match locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => wire::Locator::Row {
            table: (*table).into(),
            rowid: *rowid,
            column: (*column).into(),
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
        Locator::Bytes { offset } => wire::Locator::Bytes { offset: *offset },
    }
}

/// Count, first and last moment per source, for a finding whose sightings do not all fit.
fn by_source(seen: &[(&Sighting, Option<&Credential>)]) -> Vec<wire::SeenIn> {
    if seen.len() <= wire::SIGHTINGS {
        return Vec::new();
    }
    let mut sources: BTreeMap<&Source, Vec<Option<When>>> = BTreeMap::new();
    for (sighting, _) in seen {
        let moments = sources.entry(&*sighting.place.source).or_default();
        moments.push(sighting.at);
    }
    sources
        .into_iter()
        .map(|(source, moments)| wire::SeenIn {
            path: (&*source.path).into(),
            members: texts(&source.members),
            sightings: moments.len() as u64,
            first_at: moment(
                moments
                    .iter()
                    .flatten()
                    .min_by_key(|at| at.instant)
                    .copied(),
            ),
            last_at: moment(
                moments
                    .iter()
                    .flatten()
                    .max_by_key(|at| at.instant)
                    .copied(),
            ),
        })
        .collect()
}

fn trail(trail: &Trail) -> wire::Trail {
    let ids = |ids: &[Digest]| ids.iter().map(ToString::to_string).collect();
    wire::Trail {
        id: trail.id.to_string(),
        grant: trail.grant.as_str().into(),
        modifiers: trail.modifiers.iter().map(|m| m.as_str().into()).collect(),
        client_id: text(trail.client_id.as_deref()),
        issuer: text(trail.issuer.as_deref()),
        redirect_uri: text(trail.redirect_uri.as_ref().map(Masked::as_str)),
        pkce: trail.pkce.as_str().into(),
        steps: trail
            .steps
            .iter()
            .map(|step| wire::Step {
                sighting: step.sighting.map(|id| id.to_string()),
                role: step.role.as_str().into(),
                at: moment(step.at),
                inferred: step.sighting.is_none(),
            })
            .collect(),
        clues: trail
            .clues
            .iter()
            .map(|clue| wire::Clue {
                text: (&*clue.text).into(),
                sightings: ids(&clue.sightings),
            })
            .collect(),
        weaknesses: trail
            .weaknesses
            .iter()
            .map(|weakness| wire::Weakness {
                kind: weakness.kind.as_str().into(),
                sightings: ids(&weakness.sightings),
            })
            .collect(),
    }
}

type ProfileKey<'a> = (
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

fn profile_key(source: &Source) -> Option<ProfileKey<'_>> {
    (source.browser.is_some() || source.profile.is_some()).then_some((
        source.host.as_deref(),
        source.user.as_deref(),
        source.browser.as_deref(),
        source.profile.as_deref(),
    ))
}

fn profiles(results: &Results<'_>) -> Vec<wire::Profile> {
    let rows = results
        .rows
        .iter()
        .filter_map(|row| profile_key(&row.source));
    let mut profiles: BTreeMap<ProfileKey<'_>, wire::ThiefCan> =
        rows.map(|key| (key, wire::ThiefCan::default())).collect();
    for finding in results.findings.iter().filter(|f| f.weakness.is_none()) {
        let sightings = finding
            .seen
            .iter()
            .filter_map(|(index, _)| results.correlated.sightings.get(*index));
        let keys: Vec<_> = sightings.map(|s| profile_key(&s.place.source)).collect();
        let all_here = keys.windows(2).all(|pair| pair.first() == pair.last());
        // What others hold beside it, the thief of this profile does not.
        let state = if all_here {
            finding.now.state
        } else {
            finding.now.alone
        };
        let keys: std::collections::BTreeSet<_> = keys.into_iter().flatten().collect();
        for key in keys {
            let can = profiles.entry(key).or_default();
            let list = match state {
                State::Live => &mut can.use_now,
                State::Replayable => &mut can.redeem,
                State::Unknown => &mut can.try_out,
                State::Guarded | State::Bound => &mut can.not_without_more,
                State::Spent | State::Revoked | State::Expired | State::Inert => &mut can.only_read,
            };
            list.push(finding.id.to_string());
        }
    }
    profiles
        .into_iter()
        .map(
            |((host, user, browser, profile), thief_can)| wire::Profile {
                host: text(host),
                user: text(user),
                browser: text(browser),
                profile: text(profile),
                thief_can,
            },
        )
        .collect()
}

fn source(row: &Row, results: &Results<'_>) -> wire::Source {
    let clock_error = results.clock_errors.get(&row.source.digest());
    wire::Source {
        path: (&*row.source.path).into(),
        members: texts(&row.source.members),
        reader: (!row.source.reader.is_empty()).then(|| row.source.reader.into()),
        bytes: row.bytes,
        status: row.status.as_str().into(),
        reason: row.reasons.first().cloned(),
        // Whole seconds: no clock in the evidence supports more, and they survive being saved.
        clock_error_seconds: clock_error.map(|seconds| seconds.round()),
        sha256: row.sha256.clone(),
    }
}

fn problems(row: &Row) -> impl Iterator<Item = wire::Problem> {
    row.reasons.iter().map(|reason| wire::Problem {
        path: (&*row.source.path).into(),
        members: texts(&row.source.members),
        reason: reason.clone(),
    })
}

/// The machine that all attributed evidence comes from.
fn only_host(rows: &[Row]) -> Option<String> {
    let mut hosts = rows.iter().filter_map(|row| row.source.host.as_deref());
    let first = hosts.next()?;
    hosts.all(|host| host == first).then(|| first.into())
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::new();
    for name in names {
        *counts.entry(name.into()).or_default() += 1;
    }
    counts
}

fn named(counts: &BTreeMap<&'static str, u64>) -> Counts {
    counts
        .iter()
        .map(|(name, count)| ((*name).into(), *count))
        .collect()
}

fn moment(at: Option<When>) -> Option<String> {
    at.map(|at| at.instant.to_string())
}

fn text(text: Option<&str>) -> Option<String> {
    text.map(Into::into)
}

fn texts(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(|text| (&**text).into()).collect()
}
