//! A block file of the old cache.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("chromium-block-cache", "data_1", data);
});
