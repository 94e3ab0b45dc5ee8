//! The caches, sessions and lists of the demo under `fixtures/`:
//! `cargo test --test caches write_the_fixtures -- --ignored` writes them anew after a change.

use std::fs;
use std::path::{Path, PathBuf};

use super::scan;
use super::write::List::{Array, Date, Dict, Text};
use super::write::{Blocks, firefox, mozlz4, pickle, simple, webkit_record, webkit_response};

/// 2026-11-18T08:15:00Z: alice's day of the other fixtures.
const DAY: i64 = 1_794_989_700;

const CHROME: &str = "home/alice/.cache/google-chrome/Default/Cache/Cache_Data";
const FIREFOX: &str = "home/alice/.cache/mozilla/firefox/k3x8q1vw.default-release/cache2/entries";
const EDGE: &str = "Users/erin/AppData/Local/Microsoft/Edge/User Data/Default/Cache/Cache_Data";

/// Path below `fixtures/laptop`, and content. All hosts are reserved names, all credentials are invented.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        (format!("{CHROME}/1b0c5a7d42e98f36_0"), silent_renewal()),
        (format!("{CHROME}/4d21f0a98c6be573_0"), style_sheet()),
        (format!("{FIREFOX}/3F9D2E098FA9640842A4A042094693361C4C7954"), back_end_redirect()),
        ("home/alice/.mozilla/firefox/k3x8q1vw.default-release/sessionstore-backups/recovery.jsonlz4".to_owned(), session()),
        ("home/carol/.cache/epiphany/WebKitCache/Version 17/Records/6C1F0A2B3D4E5F60718293A4B5C6D7E8F9012345/Resource/A0B1C2D3E4F5061728394A5B6C7D8E9F00112233".to_owned(), api_call()),
        ("Users/bob/Library/Safari/RecentlyClosedTabs.plist".to_owned(), closed_tab()),
    ];
    files.extend(
        edge()
            .into_iter()
            .map(|(name, content)| (format!("{EDGE}/{name}"), content)),
    );
    files
}

/// A hidden frame renews a token: its callback is in no history.
fn silent_renewal() -> Vec<u8> {
    let headers = "HTTP/1.1 302 Found\nlocation: https://reader.example/silent#access_token=hW3nQ8sZkT5vX2cL9mB7rJ4pYd6fGa1eUo0iVxKs&token_type=Bearer&expires_in=600&state=p7Jc3RkZ0wVqXy5LtN2b\ncache-control: private, max-age=60";
    let key = "1/0/_dk_https://reader.example https://idp.example https://login.idp.example/authorize?response_type=token&client_id=reader&redirect_uri=https%3A%2F%2Freader.example%2Fsilent&scope=articles.read&state=p7Jc3RkZ0wVqXy5LtN2b&prompt=none";
    simple(key, &pickle(headers, DAY), b"")
}

fn style_sheet() -> Vec<u8> {
    let headers = "HTTP/1.1 200 OK\ncontent-type: text/css\netag: \"5f3c2a9b8d7e6f5a4b3c2d1e0f9a8b7c\"\nx-request-id: 0b6f7a52-3c1d-4e8f-9a2b-5c6d7e8f9a0b";
    let key = "1/0/_dk_https://reader.example https://reader.example https://cdn.example/reader.3f8a9c2b.css?v=9f86d081884c7d65";
    simple(key, &pickle(headers, DAY), b"p{color:#333}")
}

/// An application's server hands its token over in a fragment.
fn back_end_redirect() -> Vec<u8> {
    let head = "HTTP/1.1 302 Found\r\nLocation: /app#access_token=tN5bV2cX8zL4kJ7hG1fD9sA3qW6eR0yUiOpMxQvB\r\nDate: Wed, 18 Nov 2026 08:15:00 GMT\r\nCache-Control: max-age=60\r\n";
    let original = "Location: /app#access_token=tN5bV2cX8zL4kJ7hG1fD9sA3qW6eR0yUiOpMxQvB\r\nDate: Wed, 18 Nov 2026 08:15:00 GMT\r\nCache-Control: max-age=60\r\nSet-Cookie: session_id=s%3Ak2LmX9vQ4rT7wZ1bN6cJ8hYd3; Path=/; HttpOnly\r\n";
    let elements = [
        ("request-method", "GET"),
        ("response-head", head),
        ("original-response-headers", original),
    ];
    let key = "O^partitionKey=%28https%2Cnotes.example%29,:https://notes.example/login/done?code=Vb7Qw3ZkP0xTn5LcR8dJ2sHfYm6gKa9u&state=X4hT9rLq2WmZ7vKc1bNs";
    firefox(key, &elements, b"", DAY as u32)
}

/// Firefox drops URLs of more than 2000 characters from its history, and keeps them here.
fn session() -> Vec<u8> {
    let long = "scope=".to_owned() + &"articles.read%20".repeat(130);
    let json = format!(
        r#"{{"version":["sessionrestore",1],"windows":[{{"tabs":[{{"entries":[{{"url":"https://reader.example/signed-in#access_token=Zc6Xv8Bn1Ml3Kj5Hg7Fd9Sa2Qw4Er6Ty8Ui0Op1A&token_type=Bearer&expires_in=3600&{long}&state=u3Vf8Kp1LdQx6ZbT0sRy","title":"Reader","cacheKey":0,"ID":3,"persist":true}}],"lastAccessed":{millis},"hidden":false,"index":1,"storage":{{"https://reader.example":{{"code_verifier":"dBq7LmVx2ZkR9tWc4HsYpNf6JgKa1eUo0iXvTb8Qw3ZnEr5MhLc","theme":"dark"}}}}}}],"selected":1,"_closedTabs":[]}}],"selectedWindow":1,"_closedWindows":[],"session":{{"lastUpdate":{millis},"startTime":{millis},"recentCrashes":0}},"global":{{}}}}"#,
        millis = DAY * 1000 + 40_000
    );
    mozlz4(json.as_bytes())
}

#[expect(clippy::cast_precision_loss, reason = "a time of this size is exact")]
fn api_call() -> Vec<u8> {
    let url = "https://api.example/v1/me?access_token=Lk9Jh7Gf5Ds3Aq1We2Rt4Yu6Io8Pz0Xc1Vb3Nm5Q";
    webkit_record(
        url,
        &webkit_response(url, 200, &[("Content-Type", "application/json")]),
        br#"{"name":"carol"}"#,
        DAY as f64,
    )
}

#[expect(clippy::cast_precision_loss, reason = "a time of this size is exact")]
fn closed_tab() -> Vec<u8> {
    let url = "https://crm.example/cb?access_token=Ty5Ui7Op9As1Df3Gh5Jk7Lz9Xc2Vb4Nm6Qw8Er0R&expires_in=1800";
    let tab = Dict(vec![
        ("TabURL", Text(url.to_owned())),
        ("TabTitle", Text("CRM".to_owned())),
        ("DateClosed", Date((DAY - 978_307_200) as f64)),
    ]);
    Dict(vec![(
        "ClosedTabOrWindowPersistentStates",
        Array(vec![Dict(vec![("PersistentState", tab)])]),
    )])
    .binary()
}

/// The block files of Windows: a redirect, and an entry that was deleted.
fn edge() -> Vec<(String, Vec<u8>)> {
    let mut blocks = Blocks::default();
    let key = "1/0/_dk_https://crm.example https://crm.example https://login.idp.example/authorize?response_type=code&client_id=crm&redirect_uri=https%3A%2F%2Fcrm.example%2Fcb&state=R2kVt7XpLq9ZmWc4bNhs";
    let headers = "HTTP/1.1 302 Found\nlocation: https://crm.example/cb?code=Gh4Jk6Lz8Xc1Vb3Nm5Qw7Er9Ty2Ui4Op&state=R2kVt7XpLq9ZmWc4bNhs\ncache-control: max-age=30";
    blocks.entry(key, &pickle(headers, DAY), b"", DAY, true);
    let deleted = "1/0/_dk_https://crm.example https://crm.example https://crm.example/export.csv?access_token=As2Df4Gh6Jk8Lz1Xc3Vb5Nm7Qw9Er2Ty4Ui6Op8Z";
    blocks.entry(deleted, &[], &[], DAY - 3_600, false);
    blocks.files()
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/laptop")
        .join(path)
}

#[test]
fn the_fixtures_are_what_is_written_here() {
    for (path, content) in files() {
        let there = fs::read(fixture(&path)).unwrap_or_default();
        assert!(
            there == content,
            "{path} differs; write_the_fixtures writes it anew"
        );
    }
}

#[test]
fn every_fixture_is_read_to_its_end() {
    for (path, _) in files() {
        let seen = scan(&fixture(&path));
        assert_eq!(seen.told(), "read: ", "{path}");
    }
}

#[test]
#[ignore = "writes the demo's files"]
fn write_the_fixtures() {
    for (path, content) in files() {
        let path = fixture(&path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
