//! A database with a write-ahead log or a rollback journal beside it. The first byte says which, the next three
//! where the database ends.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[which, high, middle, low], bytes)) = data.split_first_chunk::<4>() else {
        return;
    };
    let cut = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    let (main, beside) = bytes.split_at(cut.min(bytes.len()));
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder for temporary files");
    let path = folder.path().join("History");
    let suffix = if which & 1 == 0 { "-wal" } else { "-journal" };
    let written = std::fs::write(&path, main)
        .and_then(|()| std::fs::write(folder.path().join(format!("History{suffix}")), beside));
    written.expect("room for two small files");
    tokentrail_fuzz::scan(&path, "History");
    let after = std::fs::read(&path).expect("the file that was written");
    assert!(after == main, "the evidence was changed");
});
