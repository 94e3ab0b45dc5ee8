//! HAR files: the streaming splitter, entries, bodies. What `serde_json` reads whole must have been split whole.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("har", "capture.har", data);
});
