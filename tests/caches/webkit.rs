//! Records of WebKit's cache.

use std::fs;

use super::write::{webkit_record, webkit_response, webkit_strings};
use super::{NOW, scan, scan_bytes, token};

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
    let record = webkit_record(&url, &webkit_strings(&strings), json.as_bytes(), NOW as f64);
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

#[test]
#[expect(clippy::cast_precision_loss, reason = "a time of this size is exact")]
fn headers_are_read_by_their_names_where_the_form_is_known() {
    let url = "https://idp.example/authorize?client_id=app&state=kE7tQ2vX9sLm4cR8";
    let location = format!("https://ключ.example/cb#access_token={}", token(54));
    let cookie = format!("session_id={}; Path=/", token(55));
    let headers = [
        ("Location", location.as_str()),
        ("Content-Encoding", "br"),
        ("Set-Cookie", cookie.as_str()),
    ];
    let body = format!("<a href='/x?access_token={}'>", token(56));
    let response = webkit_response(url, 302, &headers);
    let record = webkit_record(url, &response, body.as_bytes(), NOW as f64);
    let seen = scan_bytes(RECORD, &record);
    assert_eq!(seen.told(), "read: ");
    let at = "2026-11-23T05:00:00Z";
    assert_eq!(
        seen.lines(),
        [
            format!("key url  request {url} {at}"),
            format!("response location  location {location} {at}"),
            format!(
                "response set-cookie  response cookie idp.example session_id={} {at}",
                token(55)
            ),
            format!("body   response [] {body} {at}"),
        ]
    );
    let exchange = seen.observations[0].exchange.as_ref().unwrap();
    assert_eq!(exchange.status, Some(302));
}

#[test]
fn a_longer_body_lies_beside_its_record() {
    let url = "https://app.example/";
    let json = format!("{{\"refresh_token\":\"{}\"}}", token(57));
    let mut record = webkit_record(url, &webkit_response(url, 200, &[]), json.as_bytes(), 1.0);
    record.truncate(record.len() - json.len());
    // The byte that says that the body is inline stands before the checksum and the response.
    let inline = record.len() - webkit_response(url, 200, &[]).len() - 21;
    assert_eq!(record[inline], 1);
    record[inline] = 0;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("AB");
    fs::write(&path, &record).unwrap();
    fs::write(dir.path().join("AB-blob"), &json).unwrap();
    assert_eq!(scan(&path).observations.len(), 1);
    fs::remove_file(dir.path().join("AB-blob")).unwrap();
    assert!(scan(&path).told().starts_with("partial: its body"));
}
