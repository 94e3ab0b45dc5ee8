//! A flow file of mitmproxy.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("mitmproxy-flows", "flows.mitm", data);
});
