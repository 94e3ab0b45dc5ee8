//! A session file of Chromium.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("chromium-session", "Session_1", data);
});
