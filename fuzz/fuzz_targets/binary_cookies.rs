//! Safari's cookie jar.
#![no_main]

tokentrail_fuzz::target!(|data| {
    tokentrail_fuzz::read_as("binary-cookies", "Cookies.binarycookies", data);
});
