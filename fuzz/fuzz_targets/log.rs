//! Logs of every format and of none, whole files.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("log", "access.log", data);
});
