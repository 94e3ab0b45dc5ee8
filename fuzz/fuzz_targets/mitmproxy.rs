//! A flow file of mitmproxy.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tokentrail_fuzz::read_as("mitmproxy-flows", "flows.mitm", data);
});
