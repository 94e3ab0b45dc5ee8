//! A generated world: protocol runs of every flow, interleaved over browser profiles, logs and captures, whose
//! truth the generator knows, and what a scan says of them.
//!
//! `cargo test --release --test world -- --nocapture` prints who was taken for what (true grant against reported
//! grant) and the verdicts, for 10,000 runs; a debug build takes fewer. `WORLD_RUNS` and `WORLD_SEED` make another world. Written from the specifications: it
//! shares no code and no table with the inference that it measures, and reads nothing but the report. `WORLD_KEEP=1`
//! leaves the files and says where, `WORLD_SHOW` bounds how many deviations are shown.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    clippy::match_same_arms,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unused_self,
    unreachable_pub,
    reason = "a test program: it stops at the first thing that is not as it should be"
)]

mod build;
mod cases;
mod check;
mod client;
mod code;
mod direct;
mod encode;
mod front;
mod history;
mod nested;
mod other;
mod place;
mod prng;
mod table;
mod truth;
mod wire;

use std::path::Path;
use std::process::Command;

use check::{Outcome, Report};

/// Moments of the scan, in seconds after the last run.
const MOMENTS: [i64; 5] = [0, 90, 1200, 10_800, 3_456_000];

/// Runs of a world: all of them where the scanner is optimised.
const RUNS: u64 = if cfg!(debug_assertions) {
    1_500
} else {
    10_000
};

/// The report of a scan as of `as_of` (milliseconds since 1970).
fn scan(dir: &Path, as_of: i64) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .arg("scan")
        .arg(dir)
        .args([
            "--format", "json", "--reveal", "values", "--quiet", "--as-of",
        ])
        .arg(encode::rfc3339(as_of))
        .arg("--source-root")
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

fn setting(name: &str, otherwise: u64) -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "another world is asked for by the environment"
    )]
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number"))
    })
}

#[test]
fn every_whole_run_is_named_right_and_no_verdict_stands_above_the_truth() {
    let world = cases::world(
        setting("WORLD_SEED", 20_261_123),
        setting("WORLD_RUNS", RUNS) as usize,
    );
    let dir = tempfile::tempdir().expect("a directory");
    let mut rng = prng::Rng::new(1);
    history::write(dir.path(), &world, &mut rng).expect("histories are written");
    wire::write(dir.path(), &world).expect("logs and captures are written");
    if setting("WORLD_KEEP", 0) == 1 {
        println!("{}", dir.path().display());
    }
    let mut wrong = Vec::new();
    for (index, moment) in MOMENTS.into_iter().enumerate() {
        let as_of = (cases::END + moment) * 1000;
        let report = Report::read(&scan(dir.path(), as_of));
        let outcome = Outcome::of(&world, &report, as_of);
        println!("{}", table::render(&outcome, moment, index == 0));
        wrong.extend(
            outcome
                .misnamed
                .iter()
                .chain(&outcome.above)
                .chain(&outcome.missing)
                .map(|line| format!("+{moment} s: {line}")),
        );
    }
    if setting("WORLD_KEEP", 0) == 1 {
        std::mem::forget(dir);
    }
    let shown: Vec<&String> = wrong
        .iter()
        .take(setting("WORLD_SHOW", 40) as usize)
        .collect();
    assert!(
        wrong.is_empty(),
        "{} deviations, the first are {shown:#?}",
        wrong.len()
    );
}
