//! A property list, binary or XML.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("safari-plist", "History.plist", data);
});
