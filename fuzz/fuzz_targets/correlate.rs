//! Sightings of another machine: any lines are refused with an error, or correlated; that they wait in a temporary file
//! tells nothing.
#![no_main]

use tokentrail::{reduce, shards};
use tokentrail_fuzz::{file, folder, reducing};

tokentrail_fuzz::target!(|data| {
    let folder = folder();
    let lines = [file(&folder, "sightings.ndjson", data)];
    let report = |room| {
        let reducing = reducing();
        let merged = shards::read(&lines, room, &reducing.rules).ok()?;
        let (told, _) = reduce::reduce(merged, reducing).ok()?;
        told.whole().ok().cloned()
    };
    assert!(
        report(usize::MAX) == report(1),
        "where the sightings waited shows"
    );
});
