//! The catalogue proves itself: every example of every rule runs through the whole of detection.

mod snippet;

use std::collections::BTreeSet;

use tokentrail::atoms::rules::{RuleError, Rules};
use tokentrail::detect::REPORT;

fn rules() -> Rules {
    snippet::rules()
}

#[test]
fn every_example_is_found_by_its_rule() {
    let rules = rules();
    let mut wrong = Vec::new();
    for rule in rules.catalogue.rules() {
        for example in &rule.examples {
            let observation = snippet::observation(example);
            let found: Vec<_> = snippet::detect(&rules, &observation)
                .iter()
                .flat_map(|sighting| &sighting.credentials)
                .map(|credential| (credential.rule.to_string(), credential.score))
                .collect();
            if !found
                .iter()
                .any(|(id, score)| **id == *rule.id && *score >= REPORT)
            {
                wrong.push(format!("{}: {example}\n    gave {found:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_counterexample_is_reported_by_its_rule() {
    let rules = rules();
    let mut wrong = Vec::new();
    for rule in rules.catalogue.rules() {
        for counterexample in &rule.counterexamples {
            let observation = snippet::observation(counterexample);
            for sighting in snippet::detect(&rules, &observation) {
                for credential in &sighting.credentials {
                    if *credential.rule == *rule.id && credential.score >= REPORT {
                        wrong.push(format!(
                            "{}: {counterexample}\n    {}",
                            rule.id, credential.score
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_hits_a_needle() {
    let rules = rules();
    for rule in rules.catalogue.rules() {
        for example in &rule.examples {
            let observation = snippet::observation(example);
            let bytes = snippet::bytes(&observation);
            assert!(rules.needles.hit(&bytes), "{}: {example}", rule.id);
        }
    }
}

#[test]
fn every_shape_fits_its_examples_and_nothing_else() {
    let rules = rules();
    for shape in rules.shapes.iter() {
        for example in &shape.examples {
            let value = snippet::expand(example);
            assert!(shape.pattern.is_match(&value), "{}: {example}", shape.id);
            if shape.alone {
                assert!(
                    rules.shapes.alone(&value).is_some(),
                    "{}: no prefix fits {example}",
                    shape.id
                );
                assert!(
                    rules.needles.hit(value.as_bytes()),
                    "{}: no needle in {example}",
                    shape.id
                );
            }
        }
        for counterexample in &shape.counterexamples {
            let value = snippet::expand(counterexample);
            assert!(
                !shape.pattern.is_match(&value),
                "{}: {counterexample}",
                shape.id
            );
        }
    }
}

#[test]
fn an_error_names_file_entry_and_remedy() {
    let twice = r#"
        [[shape]]
        id = "mapbox-public"
        title = "again"
        kind = "api_key"
        pattern = "^x$"
        examples = ["x"]
    "#;
    let error = Rules::with(&[("mine.toml", twice)])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("mine.toml") && error.contains("mapbox-public") && error.contains("unique"),
        "{error}"
    );
    let unknown = Rules::with(&[("mine.toml", "[[rule]]\nnmae = 'x'")]).unwrap_err();
    assert!(matches!(unknown, RuleError::Form { .. }), "{unknown}");
    assert!(unknown.to_string().contains("nmae"), "{unknown}");
}

#[test]
fn the_list_of_rules_is_the_one_that_was_reviewed() {
    let rules = rules();
    let ids: BTreeSet<&str> = rules
        .catalogue
        .rules()
        .iter()
        .map(|rule| &*rule.id)
        .chain(rules.shapes.iter().map(|shape| &*shape.id))
        .collect();
    let list: String = ids.into_iter().flat_map(|id| [id, "\n"]).collect();
    snapbox::assert_data_eq!(list, snapbox::file!["rules.txt"]);
}

#[test]
fn every_store_is_read_by_readers_that_there_are() {
    let rules = rules();
    let mut named = 0;
    for reader in rules.stores.readers() {
        named += 1;
        let known = tokentrail::collect::READERS
            .iter()
            .any(|it| it.name == reader);
        assert!(known, "rules/stores.toml names {reader}");
    }
    assert!(named > 10, "{named} readers");
}
