//! A record of the cache of WebKit.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("webkit-cache", "0A", data);
});
