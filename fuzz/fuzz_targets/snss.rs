//! A session file of Chromium.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("chromium-session", "Session_1", data);
});
