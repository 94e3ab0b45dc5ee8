//! Evidence that nobody had in mind when the rules were written: products, languages, spellings, encodings and
//! positions beside those of the rules' own examples and of the corpus. `unseen.toml` says what each holds.

#![allow(
    clippy::expect_used,
    reason = "a test that cannot read its table has failed"
)]

mod snippet;

use std::collections::BTreeSet;

use tokentrail::detect::REPORT;

#[derive(serde::Deserialize)]
struct Unseen {
    /// Kinds that are reported, separated by commas, `a|b` where both are right; and the evidence.
    found: Vec<(String, String)>,
    /// Evidence in which nothing is.
    clean: Vec<String>,
}

fn unseen() -> Unseen {
    toml::from_str(include_str!("unseen.toml")).expect("unseen.toml is as `Unseen` says")
}

/// `{{uuid}}` beside the templates of the rules' examples.
fn observation(evidence: &str) -> tokentrail::collect::Observation {
    let uuid = "{{hex:8}}-{{hex:4}}-4{{hex:3}}-a{{hex:3}}-{{hex:12}}";
    snippet::observation(&evidence.replace("{{uuid}}", uuid))
}

/// Kind and rule of each reported credential, once however often it occurs.
fn reported(rules: &tokentrail::atoms::rules::Rules, evidence: &str) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for sighting in snippet::detect(rules, &observation(evidence)) {
        for credential in &sighting.credentials {
            if credential.score >= REPORT && seen.insert(credential.id) {
                out.push((
                    credential.kind.as_str().to_owned(),
                    credential.rule.to_string(),
                ));
            }
        }
    }
    out
}

/// Whether the kinds are those that were asked for, each once, in any order.
fn fits(wanted: &str, reported: &[(String, String)]) -> bool {
    let mut left: Vec<&str> = reported.iter().map(|(kind, _)| kind.as_str()).collect();
    let all = wanted.split(',').all(|kinds| {
        let at = left
            .iter()
            .position(|kind| kinds.split('|').any(|wanted| wanted == *kind));
        at.map(|at| left.remove(at)).is_some()
    });
    all && left.is_empty()
}

#[test]
fn unseen_credentials_are_reported_as_what_they_are() {
    let rules = snippet::rules();
    let wrong: Vec<String> = unseen()
        .found
        .iter()
        .filter_map(|(wanted, evidence)| {
            let got = reported(&rules, evidence);
            (!fits(wanted, &got)).then(|| format!("{wanted}: {evidence}\n    gave {got:?}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn unseen_look_alikes_are_not_reported() {
    let rules = snippet::rules();
    let wrong: Vec<String> = unseen()
        .clean
        .iter()
        .filter_map(|evidence| {
            let got = reported(&rules, evidence);
            (!got.is_empty()).then(|| format!("{evidence}\n    gave {got:?}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_unseen_credential_hits_a_needle() {
    let rules = snippet::rules();
    for (_, evidence) in unseen().found {
        let bytes = snippet::bytes(&observation(&evidence));
        assert!(rules.needles.hit(&bytes), "{evidence}");
    }
}

#[test]
fn the_table_is_large_enough_to_tell() {
    let unseen = unseen();
    assert!(unseen.found.len() >= 150, "{}", unseen.found.len());
    assert!(unseen.clean.len() >= 150, "{}", unseen.clean.len());
}
