//! A journal of systemd.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("systemd-journal", "system.journal", data);
});
