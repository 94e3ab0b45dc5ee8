//! An entry of cache2.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as(
        "firefox-cache",
        "0123456789ABCDEF0123456789ABCDEF01234567",
        data,
    );
});
