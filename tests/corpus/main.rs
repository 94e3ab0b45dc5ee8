//! The labelled corpus: a seeded generator of browser histories, logs and HTTP archives with planted
//! credentials and decoys, and the figures that a scan of it gets.
//!
//! `cargo test --release --test corpus -- --nocapture` prints them. `CORPUS_SEED` and `CORPUS_SIZE` (how often
//! each shape occurs in each kind of source) make another or a bigger run. Written from the specifications and
//! from real traffic alone: it shares no code and no table with the detection that it measures.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "a test program: it stops at the first thing that is not as it should be"
)]

mod har;
mod history;
mod logs;
mod messages;
mod prng;
mod readback;
mod score;
mod shapes;
mod template;
mod truth;
mod values;

use std::path::Path;
use std::process::Command;

use prng::Rng;
use score::Score;
use shapes::{Event, Medium, Shape};
use truth::Placed;

const SEEDS: [u64; 2] = [20_261_123, 7];
const SIZE: usize = 2;
/// Least recall and precision per kind of source: the bar of the project.
const BAR: (f64, f64) = (0.99, 0.99);
/// The same for well-known products, whose private links no specification describes.
const WILD_BAR: (f64, f64) = (0.95, 0.99);

/// Writes one kind of source under `dir`: every shape that occurs there, `size` times.
fn generate(dir: &Path, medium: Medium, shapes: &[Shape], seed: u64, size: usize) -> Vec<Placed> {
    let mut rng = Rng::new(seed ^ (medium as u64 + 1));
    let mut events: Vec<Event> = Vec::new();
    for shape in shapes.iter().filter(|shape| shape.occurs_in(medium)) {
        for _ in 0..size {
            events.push(shape.event(Rng::new(rng.bits())));
        }
    }
    rng.shuffle(&mut events);
    match medium {
        Medium::History => history::write(dir, &events, &mut rng).expect("histories are written"),
        Medium::Log => logs::write(dir, &events, &mut rng).expect("logs are written"),
        Medium::Har => har::write(dir, &events, &mut rng).expect("archives are written"),
    }
}

/// The report of a scan.
fn scan(dir: &Path) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .arg("scan")
        .arg(dir)
        .args([
            "--format",
            "json",
            "--reveal",
            "values",
            "--as-of",
            "2026-11-23T00:00:00Z",
            "--source-root",
        ])
        .arg(dir)
        .output()
        .expect("the scanner starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "the scanner gave no JSON ({error}); it said: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Generates, scans, scores.
fn measure(medium: Medium, shapes: &[Shape], seed: u64, size: usize) -> Score {
    let dir = tempfile::tempdir().expect("a directory");
    let truth = generate(dir.path(), medium, shapes, seed, size);
    score::score(&truth, &score::finds(&scan(dir.path())))
}

fn setting(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bigger run is asked for by the environment"
    )]
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn assert_bar(shapes: &[Shape], title: &str, seeds: &[u64], size: usize, bar: (f64, f64)) {
    let mut below = Vec::new();
    for &seed in seeds {
        for medium in Medium::ALL {
            let score = measure(medium, shapes, seed, size);
            let name = format!("{title}, {}, seed {seed}, size {size}", medium.name());
            println!("{}", score.table(&name));
            if score.recall() < bar.0 || score.precision() < bar.1 || score.placing() < bar.1 {
                below.push(format!(
                    "{name}: recall {:.4}, precision {:.4}, placed {:.4}",
                    score.recall(),
                    score.precision(),
                    score.placing()
                ));
            }
        }
    }
    assert!(below.is_empty(), "below {bar:?}:\n{}", below.join("\n"));
}

#[test]
fn recall_and_precision_hold_for_every_kind_of_source() {
    let shapes: Vec<Shape> = shapes::credentials()
        .into_iter()
        .chain(shapes::decoys())
        .collect();
    let size = setting("CORPUS_SIZE").map_or(SIZE, |size| size as usize);
    match setting("CORPUS_SEED") {
        Some(seed) => assert_bar(&shapes, "corpus", &[seed], size, BAR),
        None => assert_bar(&shapes, "corpus", &SEEDS, size, BAR),
    }
}

#[test]
fn well_known_products_are_read_as_their_users_would() {
    assert_bar(&shapes::wild(), "wild", &SEEDS[..1], 1, WILD_BAR);
}

#[test]
fn every_planted_value_lies_at_its_place() {
    let shapes: Vec<Shape> = shapes::credentials()
        .into_iter()
        .chain(shapes::decoys())
        .chain(shapes::wild())
        .collect();
    for medium in Medium::ALL {
        let dir = tempfile::tempdir().unwrap();
        let truth = generate(dir.path(), medium, &shapes, 5, 1);
        let planted: usize = truth.iter().map(|placed| placed.labels.plants.len()).sum();
        assert!(planted > 90, "{planted} values in {medium:?}");
        for placed in &truth {
            for plant in &placed.labels.plants {
                for spot in &placed.spots {
                    let texts = readback::texts(dir.path(), &placed.file, spot);
                    let seen = texts
                        .iter()
                        .any(|text| text.contains(&score::canonical(&plant.value)));
                    assert!(
                        seen || !readback::shows_url(spot),
                        "{} {spot:?} {}: {plant:?} in {} texts",
                        placed.file,
                        placed.shape,
                        texts.len()
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let shapes = shapes::credentials();
    let digest = |seed| {
        let dir = tempfile::tempdir().unwrap();
        generate(dir.path(), Medium::Log, &shapes, seed, 1);
        generate(dir.path(), Medium::Har, &shapes, seed, 1);
        readback::files(dir.path())
            .into_iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(digest(3), digest(3));
    assert_ne!(digest(3), digest(4));
}
