//! A session file of Firefox, mozLz4 included.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("firefox-session", "sessionstore.jsonlz4", data);
});
