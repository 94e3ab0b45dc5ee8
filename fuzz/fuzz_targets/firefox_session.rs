//! A session file of Firefox, mozLz4 included.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("firefox-session", "sessionstore.jsonlz4", data);
});
