//! A block file of the old cache.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("chromium-block-cache", "data_1", data);
});
