//! A record of the cache of WebKit.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("webkit-cache", "0A", data);
});
