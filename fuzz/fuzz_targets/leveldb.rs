//! A write-ahead log or a table of LevelDB.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("leveldb", "000003.log", data);
});
