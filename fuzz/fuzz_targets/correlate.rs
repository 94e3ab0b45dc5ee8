//! Sightings of another machine: any lines are refused with an error, or correlated; that they wait in a temporary file
//! tells nothing.
#![no_main]

use tokentrail::{reduce, shards};
use tokentrail_fuzz::reducing;

tokentrail_fuzz::target!(|data| {
    let file =
        tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new());
    let file = file.expect("a temporary file");
    std::fs::write(file.path(), data).expect("room for a small file");
    let report = |room| {
        let reducing = reducing();
        let merged = shards::read(&[file.path().to_owned()], room, &reducing.rules).ok()?;
        let (told, _) = reduce::reduce(merged, reducing).ok()?;
        told.whole().ok().cloned()
    };
    assert!(
        report(usize::MAX) == report(1),
        "where the sightings waited shows"
    );
});
