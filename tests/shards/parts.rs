//! What an engine does between the two halves, done here in one process: components over the keys that sightings
//! share, and as many parts of whole components as there are machines. Knows the sightings' lines alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::prng::Rng;

/// Different values beside a key in requests, and different answers to it, from which on it joins nothing.
const BESIDE: usize = 2;
const ANSWERS: usize = 3;

/// Lines by what they are: those that every part gets, and the sightings.
pub fn split(lines: &[u8]) -> (Vec<u8>, Vec<(Value, Vec<u8>)>) {
    let (mut heads, mut sightings) = (Vec::new(), Vec::new());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let told: Value = serde_json::from_slice(line).unwrap();
        if told["type"] == "sighting" {
            sightings.push((told, line.to_vec()));
        } else {
            heads.extend_from_slice(line);
        }
    }
    (heads, sightings)
}

/// Keys that are too common to join anything, by statistics in any number of pieces.
pub fn weak(stats: &[u8]) -> BTreeSet<String> {
    let mut sides: BTreeMap<(String, &str, String), BTreeSet<String>> = BTreeMap::new();
    for line in stats
        .split(|byte| *byte == b'\n')
        .filter(|it| !it.is_empty())
    {
        let told: Value = serde_json::from_slice(line).unwrap();
        let Some(key) = told["key"].as_str().filter(|_| told["type"] == "key") else {
            continue;
        };
        for side in ["beside", "answers"] {
            for (kind, digests) in told[side].as_object().into_iter().flatten() {
                let digests = digests.as_array().unwrap().iter();
                let digests = digests.map(|it| it.as_str().unwrap().to_owned());
                let name = (key.to_owned(), side, kind.clone());
                sides.entry(name).or_default().extend(digests);
            }
        }
    }
    let many = |(_, side, _): &(String, &str, String)| match *side {
        "beside" => BESIDE,
        _ => ANSWERS,
    };
    let weak = sides.iter().filter(|(name, seen)| seen.len() >= many(name));
    weak.map(|((key, _, _), _)| key.clone()).collect()
}

/// Everything that a sighting may share with those that it belongs to.
fn links(sighting: &Value, weak: &BTreeSet<String>) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut links = vec![format!("near:{}", text(&sighting["id"]))];
    links.extend(all(&sighting["near"]).iter().map(text));
    let credentials = all(&sighting["credentials"]);
    links.extend(
        credentials
            .iter()
            .map(|it| format!("credential:{}", text(&it["id"]))),
    );
    let joins = |key: &String| {
        key.starts_with("challenge-s256:")
            || key.starts_with("challenge-plain:")
            || !weak.contains(key)
    };
    links.extend(all(&sighting["keys"]).iter().map(text).filter(joins));
    links.extend(sighting["exchange"].as_str().map(ToOwned::to_owned));
    links.extend(sighting["visit"]["own"].as_str().map(ToOwned::to_owned));
    let ancestors = all(&sighting["visit"]["ancestors"]);
    links.extend(ancestors.iter().map(|it| text(&it["key"])));
    links
}

/// The component of each sighting, by the index of one of its members.
pub fn components(sightings: &[(Value, Vec<u8>)], weak: &BTreeSet<String>) -> Vec<usize> {
    let mut up: Vec<usize> = (0..sightings.len()).collect();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (sighting, _)) in sightings.iter().enumerate() {
        for link in links(sighting, weak) {
            let other = *first.entry(link).or_insert(index);
            let (one, other) = (top(&mut up, index), top(&mut up, other));
            up[one.max(other)] = one.min(other);
        }
    }
    (0..sightings.len()).map(|at| top(&mut up, at)).collect()
}

fn top(up: &mut [usize], mut at: usize) -> usize {
    while up[at] != at {
        up[at] = up[up[at]];
        at = up[at];
    }
    at
}

/// So many parts of whole components, each component in any of them, the lines of each in any order.
pub fn parts(
    sightings: &[(Value, Vec<u8>)],
    components: &[usize],
    count: usize,
    rng: &mut Rng,
) -> Vec<Vec<u8>> {
    let mut place: BTreeMap<usize, usize> = BTreeMap::new();
    let mut parts: Vec<Vec<&[u8]>> = vec![Vec::new(); count];
    for ((_, line), component) in sightings.iter().zip(components) {
        let part = *place.entry(*component).or_insert_with(|| rng.below(count));
        parts[part].push(line);
    }
    for part in &mut parts {
        crate::shuffle(part, rng);
    }
    parts.iter().map(|lines| lines.concat()).collect()
}
