//! An entry of cache2.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as(
        "firefox-cache",
        "0123456789ABCDEF0123456789ABCDEF01234567",
        data,
    );
});
