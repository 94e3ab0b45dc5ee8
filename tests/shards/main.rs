//! Many machines make one report: a company's evidence, whose flows cross files and kinds, read by many processes in
//! any order, some of it twice, is judged as one scan of all would.
//!
//! The same company is what `scale/spark/prove` puts to Apache Spark; it is written by
//! `SHARDS_FOLDER=… cargo test --test shards write_the_company -- --ignored`.
#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a test program: it stops at the first thing that is not as it should be"
)]

#[path = "../child/mod.rs"]
mod child;
mod corpus;
#[allow(dead_code, reason = "the world needs more of it")]
#[path = "../world/encode.rs"]
mod encode;
mod parts;
#[allow(dead_code, reason = "the world needs more of it")]
#[path = "../world/prng.rs"]
mod prng;
mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

use prng::Rng;
use serde_json::Value;

/// Seed of the company.
const SEED: u64 = 20_261_125;

/// Some moment after the company's day, and what keeps the exit code to what was read.
const JUDGED: [&str; 4] = ["--as-of", "2026-11-23T16:00:00Z", "--fail-on", "never"];

/// Exit code where something was not read: the company has damaged files.
const UNREAD: i32 = 3;

/// The company's evidence, what one scan reports of it, and the sightings of all.
struct Whole {
    dir: tempfile::TempDir,
    files: Vec<PathBuf>,
    report: Vec<u8>,
    sightings: Vec<u8>,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        corpus::write(dir.path(), SEED);
        let files = walkdir::WalkDir::new(dir.path()).sort_by_file_name();
        let files = files.into_iter().map(Result::unwrap);
        let files = files.filter(|entry| entry.file_type().is_file());
        let files = files.map(walkdir::DirEntry::into_path).collect();
        let root = dir.path().to_str().unwrap();
        let scan = ["scan", root, "--source-root", root];
        let reported = [&scan[..], &JUDGED, &["-f", "json"]].concat();
        let report = run(&reported, b"", UNREAD);
        let sightings = run(&[&scan[..], &["--sightings"]].concat(), b"", 0);
        Whole {
            dir,
            files,
            report,
            sightings,
        }
    })
}

fn started(args: &[&str], input: &[u8]) -> Child {
    child::fed(
        Command::new(env!("CARGO_BIN_EXE_tokentrail")).args(args),
        input,
    )
}

fn ended(child: Child, code: i32) -> Vec<u8> {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.is_empty(), "{said}");
    output.stdout
}

fn run(args: &[&str], input: &[u8], code: i32) -> Vec<u8> {
    ended(started(args, input), code)
}

/// What the reduce half reports of sightings.
fn correlated(sightings: &[u8]) -> Vec<u8> {
    let args = [&["correlate", "-"], &JUDGED[..], &["-f", "json"]].concat();
    run(&args, sightings, UNREAD)
}

fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.below(last + 1));
    }
}

/// The map half, as so many processes at once; each gets files at random. What they write is in random order.
fn shards(processes: usize, rng: &mut Rng) -> Vec<Vec<u8>> {
    let root = whole().dir.path().to_str().unwrap();
    let mut given = vec![Vec::new(); processes];
    for file in &whole().files {
        let share = &mut given[rng.below(processes)];
        share.extend(file.to_str().unwrap().bytes());
        share.push(b'\n');
    }
    let map = |share: &Vec<u8>| {
        let args = ["scan", "--sightings", "--source-root", root];
        started(&[&args[..], &["--files-from", "-"]].concat(), share)
    };
    let children: Vec<Child> = given.iter().map(map).collect();
    let mut shards: Vec<_> = children.into_iter().map(|child| ended(child, 0)).collect();
    shuffle(&mut shards, rng);
    shards
}

#[test]
fn flows_of_the_company_cross_files_and_kinds() {
    assert!(whole().files.len() >= 400, "{}", whole().files.len());
    let report: Value = serde_json::from_slice(&whole().report).unwrap();
    let mut readers = BTreeMap::new();
    for line in whole().sightings.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let line: Value = serde_json::from_slice(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        match line["type"].as_str().unwrap() {
            "source" => readers.insert(text("id"), text("reader")),
            "sighting" => readers.insert(text("id"), readers[&text("source")].clone()),
            _ => None,
        };
    }
    let kinds = |trail: &Value| {
        let steps = trail["steps"].as_array().unwrap();
        let seen = steps.iter().filter_map(|step| step["sighting"].as_str());
        let kinds: BTreeSet<&str> = seen.map(|id| readers[id].as_str()).collect();
        kinds.len()
    };
    let trails = report["trails"].as_array().unwrap();
    let crossing = |least| trails.iter().filter(|it| kinds(it) >= least).count();
    assert!(crossing(2) > 400, "{}", crossing(2));
    assert!(crossing(3) > 250, "{}", crossing(3));
    let statuses = report["sources"].as_array().unwrap().iter();
    let statuses: BTreeSet<&str> = statuses.map(|it| it["status"].as_str().unwrap()).collect();
    assert!(statuses.contains("partial"), "{statuses:?}");
}

#[test]
fn sightings_of_one_process_are_one_scan() {
    assert!(correlated(&whole().sightings) == whole().report);
}

#[test]
fn many_processes_in_random_order_are_one_scan() {
    for seed in 0..2 {
        let shards = shards(6, &mut Rng::new(seed));
        assert!(correlated(&shards.concat()) == whole().report, "{seed}");
    }
}

#[test]
fn a_share_that_was_read_twice_is_one_scan() {
    let mut rng = Rng::new(7);
    let mut shards = shards(5, &mut rng);
    // One as a whole, another as the first attempt left it when it died: without its end.
    shards.push(shards[0].clone());
    let cut = shards[1].iter().rposition(|byte| *byte == b'{').unwrap() / 2;
    let cut = shards[1][..cut]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    shards.push(shards[1][..=cut].to_vec());
    shuffle(&mut shards, &mut rng);
    assert!(correlated(&shards.concat()) == whole().report);
}

/// Statistics of keys, as machines write them that have some lines each.
fn stats(sightings: &[u8], machines: usize) -> Vec<u8> {
    let lines: Vec<&[u8]> = sightings.split_inclusive(|byte| *byte == b'\n').collect();
    let shares = lines.chunks(lines.len().div_ceil(machines));
    let count = |share: &[&[u8]]| run(&["correlate", "--write-key-stats", "-"], &share.concat(), 0);
    shares.flat_map(count).collect()
}

#[test]
fn parts_of_whole_components_are_one_scan() {
    let whole = whole();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stats");
    let stats = stats(&whole.sightings, 5);
    std::fs::write(&path, &stats).unwrap();
    let (heads, sightings) = parts::split(&whole.sightings);
    let weak = parts::weak(&stats);
    assert!(!weak.is_empty(), "no client sends a constant state");
    let components = parts::components(&sightings, &weak);
    let count = components.iter().collect::<BTreeSet<_>>().len();
    assert!(count > 250, "{count} components");
    let args = ["correlate", "--part", "--key-stats", path.to_str().unwrap()];
    let args = [&args[..], &JUDGED, &["-"]].concat();
    for count in [1, 3, 7] {
        let mut rng = Rng::new(count as u64);
        let parts = parts::parts(&sightings, &components, count, &mut rng);
        let part = |part: &Vec<u8>| run(&args, &[&*heads, part].concat(), 0);
        let mut judged: Vec<_> = parts.iter().map(part).collect();
        // What comes twice is there once.
        judged.push(judged[0].clone());
        shuffle(&mut judged, &mut rng);
        let all = [&*heads, &*judged.concat()].concat();
        assert!(correlated(&all) == whole.report, "{count} parts");
    }
}

#[test]
#[ignore = "writes the company's evidence into the folder that SHARDS_FOLDER names"]
fn write_the_company() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder is named by the environment"
    )]
    let folder = std::env::var("SHARDS_FOLDER").expect("SHARDS_FOLDER names a folder");
    corpus::write(Path::new(&folder), SEED);
}
