//! Sightings of another machine: any lines are refused with an error, or correlated; their order tells nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokentrail::{flow, shards};
use tokentrail_fuzz::RULES;

fuzz_target!(|data: &[u8]| {
    let file =
        tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new());
    let file = file.expect("a temporary file");
    std::fs::write(file.path(), data).expect("room for a small file");
    let Ok(merged) = shards::read(&[file.path().to_owned()]) else {
        return;
    };
    let mut reversed = merged.sightings.clone();
    reversed.reverse();
    let one = flow::trails(merged.sightings, &RULES);
    let other = flow::trails(reversed, &RULES);
    assert!(
        format!("{one:?}") == format!("{other:?}"),
        "the order of sightings shows"
    );
});
