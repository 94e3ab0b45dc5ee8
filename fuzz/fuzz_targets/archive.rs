//! A zip or tar archive, in one another, with everything in it read. The first byte says which name it has.
#![no_main]

use tokentrail_fuzz::{file, folder, scan};

const NAMES: [&str; 4] = ["a.zip", "a.tar", "a.tgz", "a.saz"];

tokentrail_fuzz::target!(|data| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let folder = folder();
    let name = NAMES[usize::from(*which) % NAMES.len()];
    scan(&file(&folder, "archive", bytes), name);
});
