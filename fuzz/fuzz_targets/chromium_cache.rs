//! An entry of the simple cache.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("chromium-cache", "0123456789abcdef_0", data);
});
