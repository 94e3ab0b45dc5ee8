//! How far the clock behind a source was from the issuers' clocks: a token that arrives in a response was
//! issued moments before, and says when. Looks at sightings of one source; judges nothing.

use std::collections::BTreeMap;

use super::Sighting;
use crate::atoms::Digest;

/// Seconds up to which a difference is the way from the issuer to the browser.
const TRANSIT: f64 = 60.0;

/// Seconds beyond which a token was not issued for this response: a day.
const STALE: f64 = 86_400.0;

/// Fewer tokens say too little: one that was opened an hour late looks like a clock that is an hour ahead.
const MIN_TOKENS: usize = 3;

/// Seconds that the clock of the source was ahead of the issuers' clocks: the median over the JWTs that
/// arrived in authorization responses. `None` when too few tell, when less than half of them agree within the
/// time of transit, or when the difference is no more than transit.
pub fn clock_error(sightings: &[Sighting]) -> Option<f64> {
    let mut first: BTreeMap<Digest, f64> = BTreeMap::new();
    for sighting in sightings
        .iter()
        .filter(|sighting| sighting.role.is_response())
    {
        let Some(at) = sighting.at else { continue };
        for credential in &sighting.credentials {
            let Some(iat) = credential.claims.as_ref().and_then(|claims| claims.iat) else {
                continue;
            };
            let difference = seconds(at.instant.as_second()) - seconds(iat);
            if difference.abs() <= STALE {
                let earliest = first.entry(credential.id).or_insert(difference);
                *earliest = earliest.min(difference);
            }
        }
    }
    let mut differences: Vec<f64> = first.into_values().collect();
    differences.sort_by(f64::total_cmp);
    let median = *differences.get(differences.len() / 2)?;
    let near = differences
        .iter()
        .filter(|it| (**it - median).abs() <= TRANSIT);
    let agreed = near.count() * 2 >= differences.len();
    (differences.len() >= MIN_TOKENS && agreed && median.abs() > TRANSIT).then_some(median)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of any plausible date are exact in an f64"
)]
fn seconds(second: i64) -> f64 {
    second as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::atoms::{Basis, Kind, Locator, Masked, Place, Slot, View, When, Zone};
    use crate::collect::Via;
    use crate::detect::Role;
    use crate::detect::{Channel, Claims, Credential, Signature};

    const ISSUED: i64 = 1_790_000_000;

    fn sighting(role: Role, number: u8, at: i64) -> Sighting {
        let id = Digest::of([[number].as_slice()]);
        Sighting {
            id,
            place: Place {
                source: Arc::default(),
                locator: Locator::Bytes { offset: 0 },
                view: View::Live,
            },
            at: Some(When {
                instant: Timestamp::from_second(at).unwrap(),
                basis: Basis::Visit,
                zone: Zone::Stated,
            }),
            via: Via::Unknown,
            visit: None,
            exchange: None,
            role,
            method: None,
            status: None,
            channel: Channel::Front,
            store: None,
            url: None,
            address: None,
            landing: None,
            redirect: None,
            params: Vec::new(),
            credentials: vec![Credential {
                id,
                kind: Kind::IdToken,
                rule: "id_token".into(),
                slot: Slot::Fragment,
                name: "id_token".into(),
                nesting: Vec::new(),
                shown: Masked::vouch("jwt"),
                fingerprint: None,
                keys: Vec::new(),
                claims: Some(Box::new(Claims {
                    iat: Some(ISSUED),
                    ..Claims::default()
                })),
                signature: Signature::Unverified,
                score: 100,
            }],
            keys: Vec::new(),
            near: Vec::new(),
        }
    }

    fn check(differences: &[i64], expect: Option<f64>) {
        let sightings: Vec<_> = (0..)
            .zip(differences)
            .map(|(number, difference)| {
                sighting(Role::ResponseInFragment, number, ISSUED + difference)
            })
            .collect();
        assert_eq!(clock_error(&sightings), expect, "{differences:?}");
    }

    #[test]
    fn transit_is_no_error_and_outliers_do_not_count() {
        check(&[], None);
        check(&[2, 5, 1], None);
        check(&[-3600, -3599, -3601], Some(-3600.0));
        check(&[7200, 7201, 80_000], Some(7201.0));
        check(&[90_000_000], None);
    }

    #[test]
    fn few_tokens_and_tokens_that_disagree_tell_nothing() {
        check(&[3600, 3601], None);
        check(&[2, 900, 3600, 40_000], None);
    }

    #[test]
    fn only_the_first_arrival_of_a_token_tells() {
        let mut reloaded = vec![sighting(Role::ResponseInFragment, 1, ISSUED + 2)];
        reloaded.push(sighting(Role::ResponseInFragment, 1, ISSUED + 5000));
        assert_eq!(clock_error(&reloaded), None);
        let used = [sighting(Role::ResourceRequest, 1, ISSUED + 3000)];
        assert_eq!(clock_error(&used), None);
    }
}
