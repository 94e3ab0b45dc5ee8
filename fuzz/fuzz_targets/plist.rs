//! A property list, binary or XML.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("safari-plist", "History.plist", data);
});
