//! Any file, claimed by content and name as in a scan. The first line is its name.
#![no_main]

tokentrail_fuzz::target!(|data| {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, bytes) = data.split_at(cut);
    let shown = String::from_utf8_lossy(name).into_owned();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder for temporary files");
    let path = folder.path().join("evidence");
    std::fs::write(&path, bytes.get(1..).unwrap_or_default()).expect("room for a small file");
    tokentrail_fuzz::scan(&path, &shown);
});
