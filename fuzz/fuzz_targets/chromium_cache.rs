//! An entry of the simple cache.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("chromium-cache", "0123456789abcdef_0", data);
});
