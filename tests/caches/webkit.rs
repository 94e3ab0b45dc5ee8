//! Records of WebKit's cache.

use super::write::webkit_record;
use super::{NOW, scan_bytes, token};

const RECORD: &str = "WebKitCache/Version 17/Records/0123456789ABCDEF0123456789ABCDEF01234567/Resource/1123456789ABCDEF0123456789ABCDEF01234567";

#[test]
#[expect(clippy::cast_precision_loss, reason = "a time of this size is exact")]
fn the_url_strings_and_body_of_a_record_are_read() {
    let url = format!("https://api.example/me?access_token={}", token(50));
    let location = format!("https://app.example/cb#access_token={}", token(51));
    let wide = format!("https://ключ.example/cb#access_token={}", token(52));
    let json = format!("{{\"refresh_token\":\"{}\"}}", token(53));
    let strings = [
        url.as_str(),
        "application/json",
        &location,
        &wide,
        "text/html",
    ];
    let record = webkit_record(&url, &strings, json.as_bytes(), NOW as f64);
    for name in [RECORD, "renamed.bin"] {
        let seen = scan_bytes(name, &record);
        assert_eq!(
            (seen.reader(), seen.told().as_str()),
            ("webkit-cache", "read: ")
        );
        let at = "2026-11-23T05:00:00Z";
        assert_eq!(
            seen.lines(),
            [
                format!("header   response {location} {at}"),
                format!("header   response {wide} {at}"),
                format!("key url  request {url} {at}"),
                format!("body   response [] {json} {at}"),
            ]
        );
    }
    let seen = scan_bytes(RECORD, b"\x63\0\0\0 of a later version");
    assert!(seen.told().starts_with("failed: "), "{}", seen.told());
}
