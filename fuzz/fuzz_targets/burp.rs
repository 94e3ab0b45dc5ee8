//! Items saved by Burp.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("burp-items", "items.xml", data);
});
