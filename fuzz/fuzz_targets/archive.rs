//! A zip or tar archive, in one another, with everything in it read. The first byte says which name it has.
#![no_main]

const NAMES: [&str; 4] = ["a.zip", "a.tar", "a.tgz", "a.saz"];

tokentrail_fuzz::target!(|data| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let file =
        tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new());
    let file = file.expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("room for a small file");
    tokentrail_fuzz::scan(file.path(), NAMES[usize::from(*which) % NAMES.len()]);
});
