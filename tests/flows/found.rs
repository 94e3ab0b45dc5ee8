//! What comes of evidence: sightings source by source, their flows, and the findings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, FingerprintKey};
use tokentrail::collect::Observation;
use tokentrail::detect::clock::clock_error;
use tokentrail::detect::{self, Detector, Memory, Reveal, Sighting};
use tokentrail::flow::{self, Correlated};
use tokentrail::judge::{self, Finding, Judging};

/// What is found in an evidence.
pub(crate) struct Found {
    pub(crate) correlated: Correlated,
    pub(crate) findings: Vec<Finding>,
}

/// Finds it, as a scan would.
pub(crate) fn find(observations: &[Observation], as_of: Timestamp, rules: &Rules) -> Found {
    let key = FingerprintKey::default();
    let detector = Detector {
        rules,
        key: &key,
        jwks: None,
        reveal: Reveal::default(),
    };
    let mut memories: BTreeMap<Box<str>, Memory> = BTreeMap::new();
    let mut by_source: BTreeMap<Digest, Vec<Sighting>> = BTreeMap::new();
    for observation in observations {
        let source = &observation.place.source;
        let memory = memories.entry(source.path.clone()).or_default();
        let found = detect::sightings(observation, &detector, memory);
        by_source.entry(source.digest()).or_default().extend(found);
    }
    let clock_errors = by_source
        .iter()
        .filter_map(|(source, sightings)| Some((*source, clock_error(sightings)?)))
        .collect();
    let correlated = flow::trails(by_source.into_values().flatten().collect(), rules);
    let judging = Judging {
        as_of,
        code_lifetime: None,
        rules,
        clock_errors: &clock_errors,
    };
    let findings = judge::findings(&correlated, &judging);
    Found {
        correlated,
        findings,
    }
}
