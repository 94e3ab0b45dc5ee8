//! Safari's cookie jar.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("binary-cookies", "Cookies.binarycookies", data);
});
