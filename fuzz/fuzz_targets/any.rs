//! Any file, claimed by content and name as in a scan. The first line is its name.
#![no_main]

use tokentrail_fuzz::{file, folder, scan};

tokentrail_fuzz::target!(|data| {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, bytes) = data.split_at(cut);
    let shown = String::from_utf8_lossy(name).into_owned();
    let folder = folder();
    let path = file(&folder, "evidence", bytes.get(1..).unwrap_or_default());
    scan(&path, &shown);
});
