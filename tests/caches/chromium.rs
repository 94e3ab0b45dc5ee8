//! Both caches of Chromium, and the Cache Storage of service workers.

use std::fs;
use std::io::Write as _;

use tokentrail::atoms::{Locator, View};
use tokentrail::collect::Payload;

use super::write::{Blocks, metadata, pickle, simple, simple_head};
use super::{NOW, Seen, scan, scan_bytes, text, token};

const KEY: &str = "1/0/_dk_https://app.example https://app.example https://idp.example/authorize?client_id=app&state=kE7tQ2vX9sLm4cR8&prompt=none";

fn redirect(number: u32) -> String {
    format!(
        "HTTP/1.1 302 Found\nLocation: https://app.example/cb#access_token={}&token_type=Bearer&expires_in=3600\nCache-Control: max-age=60\nSet-Cookie: session_id={}; Path=/; HttpOnly",
        token(number),
        token(number + 1)
    )
}

#[test]
fn a_redirect_keeps_its_fragment_and_its_time() {
    let file = simple(KEY, &pickle(&redirect(10), NOW), b"");
    let seen = scan_bytes("0123456789abcdef_0", &file);
    assert_eq!(
        (seen.reader(), seen.told().as_str()),
        ("chromium-cache", "read: ")
    );
    assert_eq!(
        seen.lines(),
        [
            "key url  request https://idp.example/authorize?client_id=app&state=kE7tQ2vX9sLm4cR8&prompt=none 2026-11-23T05:00:00.000001Z".to_owned(),
            format!("response location  location https://app.example/cb#access_token={}&token_type=Bearer&expires_in=3600 2026-11-23T05:00:00.000001Z", token(10)),
            format!("response set-cookie  response cookie idp.example session_id={} 2026-11-23T05:00:00.000001Z", token(11)),
        ]
    );
    let exchange = seen.observations[1].exchange.as_ref().unwrap();
    assert_eq!(exchange.status, Some(302));
}

#[test]
fn a_location_is_resolved_against_the_request() {
    let headers = format!("HTTP/1.1 303 See Other\nlocation: /cb?code={}", token(12));
    let file = simple(
        "1/1699999999/https://idp.example/a/b?x=1",
        &pickle(&headers, NOW),
        b"",
    );
    let seen = scan_bytes("x_0", &file);
    assert!(text(seen.with("code=")).starts_with("https://idp.example/cb?code="));
}

fn gzip(content: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn bodies_that_are_text_are_decoded_and_pictures_are_left_alone() {
    let json = format!("{{\"access_token\":\"{}\"}}", token(13));
    let compressed = zstd::encode_all(json.as_bytes(), 1).unwrap();
    for (encoding, body) in [
        ("gzip", gzip(&json)),
        ("zstd", compressed),
        ("identity", json.clone().into_bytes()),
    ] {
        let headers = format!(
            "HTTP/1.1 200 OK\nContent-Type: Application/JSON; charset=utf-8\nContent-Encoding: {encoding}"
        );
        let seen = scan_bytes(
            "x_0",
            &simple("https://app.example/config", &pickle(&headers, NOW), &body),
        );
        assert_eq!(
            text(seen.with("access_token")),
            format!("[application/json; charset=utf-8] {json}"),
            "{encoding}"
        );
    }
    // Several lines are one list, in the order in which they were applied.
    let headers =
        "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Type: text/json\nContent-Encoding: zstd";
    let body = zstd::encode_all(gzip(&json).as_slice(), 1).unwrap();
    let file = simple("https://app.example/config", &pickle(headers, NOW), &body);
    let seen = scan_bytes("x_0", &file);
    assert_eq!(
        text(seen.with("access_token")),
        format!("[text/json] {json}")
    );
    let headers = "HTTP/1.1 200 OK\nContent-Type: image/png";
    let seen = scan_bytes(
        "x_0",
        &simple(
            "https://app.example/x.png",
            &pickle(headers, NOW),
            json.as_bytes(),
        ),
    );
    assert_eq!(seen.lines(), [""; 0]);
}

#[test]
fn service_workers_keep_requests_with_their_headers() {
    let stream = metadata(
        "GET",
        &[
            ("Authorization", &format!("Bearer {}", token(14))),
            ("Accept", "*/*"),
        ],
        200,
        &[("content-type", "application/json"), ("etag", "\"5f3c\"")],
        NOW,
    );
    let url = format!("https://api.example/v1/me?access_token={}", token(15));
    let seen = scan_bytes("x_0", &simple(&url, &stream, b"{}"));
    assert_eq!(seen.told(), "read: ");
    assert_eq!(
        seen.lines(),
        [
            format!("key url  request {url} 2026-11-23T05:00:00Z"),
            format!(
                "request header  request Authorization: Bearer {} 2026-11-23T05:00:00Z",
                token(14)
            ),
        ]
    );
    let exchange = seen.observations[0].exchange.as_ref().unwrap();
    assert_eq!(
        (
            exchange.method.map(tokentrail::atoms::Method::as_str),
            exchange.status
        ),
        (Some("GET"), Some(200))
    );
}

#[test]
fn a_doomed_entry_is_recovered() {
    let file = simple(KEY, &pickle(&redirect(16), NOW), b"");
    let seen = scan_bytes("todelete_0123456789abcdef_0_1", &file);
    assert!(
        seen.observations
            .iter()
            .all(|seen| seen.place.view == View::Recovered)
    );
    assert_eq!(seen.observations.len(), 3);
}

#[test]
fn what_is_not_read_is_told() {
    let url = format!("https://app.example/film?access_token={}", token(17));
    let mut sparse = simple_head(&url);
    sparse.extend(0xeb97_bf01_6553_676b_u64.to_le_bytes());
    sparse.extend([0; 64]);
    let seen = scan_bytes("x_s", &sparse);
    assert_eq!(seen.observations.len(), 1);
    assert!(
        seen.told().starts_with("partial: holds parts of a body"),
        "{}",
        seen.told()
    );
    let whole = simple(&url, &pickle("HTTP/1.1 200 OK", NOW), b"");
    let cut = scan_bytes("x_0", &whole[..whole.len() - 1]);
    assert_eq!(cut.observations.len(), 1);
    assert!(
        cut.told().starts_with("partial: ends before its headers"),
        "{}",
        cut.told()
    );
    let unknown = scan_bytes("x_0", &simple(&url, b"another form", b""));
    assert!(
        unknown.told().contains("unknown form"),
        "{}",
        unknown.told()
    );
}

#[test]
fn the_index_of_a_cache_is_no_entry() {
    let mut index = 0xfcfb_6d1b_a772_5c30_u64.to_le_bytes().to_vec();
    index.extend([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(scan_bytes("index", &index).reader(), "-");
}

/// Writes a cache into a folder and scans one of its files.
fn scan_blocks(blocks: &Blocks, without: &[&str], name: &str) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in blocks.files() {
        if !without.contains(&&*name) {
            fs::write(dir.path().join(name), content).unwrap();
        }
    }
    let seen = scan(&dir.path().join(name));
    for observation in &seen.observations {
        let Locator::Record { file, sequence, .. } = &observation.place.locator else {
            panic!()
        };
        let beside = dir.path().join(&**file);
        let beside = if beside.is_file() {
            beside
        } else {
            dir.path().join(name)
        };
        let at = fs::read(beside).unwrap().split_off(*sequence as usize);
        let value = match &observation.payload {
            Payload::Url(url) if url.as_bytes().starts_with(b"https://") => url,
            Payload::Pair { value, .. } => value,
            Payload::Body { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        };
        assert!(at.starts_with(value.as_bytes()), "{:?}", observation.place);
    }
    seen
}

fn blocks() -> Blocks {
    let mut blocks = Blocks::default();
    blocks.entry(KEY, &pickle(&redirect(20), NOW), b"", NOW, true);
    // A key that goes on in the next blocks, and one that lies elsewhere.
    let long = format!(
        "https://app.example/{}?access_token={}",
        "x".repeat(300),
        token(22)
    );
    blocks.entry(&long, &pickle("HTTP/1.1 200 OK", NOW), b"", NOW, true);
    let longer = format!(
        "https://app.example/{}?access_token={}",
        "y".repeat(20_000),
        token(23)
    );
    let json = format!(
        "{{\"refresh_token\":\"{}\",\"x\":\"{}\"}}",
        token(24),
        "z".repeat(20_000)
    );
    let headers = "HTTP/1.1 200 OK\nContent-Type: application/json";
    blocks.entry(&longer, &pickle(headers, NOW), json.as_bytes(), NOW, true);
    let deleted = format!("https://app.example/cb?access_token={}", token(25));
    blocks.entry(&deleted, &pickle(&redirect(26), NOW), b"", NOW, false);
    blocks
}

#[test]
fn block_files_are_read_with_what_lies_beside_them() {
    let seen = scan_blocks(&blocks(), &[], "data_1");
    assert_eq!(
        (seen.reader(), seen.told().as_str()),
        ("chromium-block-cache", "read: ")
    );
    for number in [20, 21, 22, 23, 24] {
        let found = seen.with(&token(number));
        assert_eq!(found.place.view, View::Live, "{number}");
        assert!(
            found
                .at
                .unwrap()
                .instant
                .to_string()
                .starts_with("2026-11-23T05:00:00")
        );
    }
    assert!(
        matches!(&seen.with(&token(24)).payload, Payload::Body { mime, .. } if &**mime == "application/json")
    );
    let deleted = seen.with(&token(25));
    assert_eq!(deleted.place.view, View::Recovered);
    // Its headers may be another's by now.
    assert!(seen.lines().iter().all(|line| !line.contains(&token(26))));
}

#[test]
fn files_that_are_missing_are_told() {
    let seen = scan_blocks(&blocks(), &["data_2", "f_000000"], "data_1");
    assert!(seen.told().contains("missing"), "{}", seen.told());
    assert!(text(seen.with(&token(22))).starts_with("https://app.example/xxx"));
    for name in ["data_0", "data_2", "data_3"] {
        assert_eq!(scan_blocks(&blocks(), &[], name).told(), "read: ", "{name}");
    }
    let lone = scan_blocks(&blocks(), &["data_1"], "data_2");
    assert!(lone.told().starts_with("unsupported: "), "{}", lone.told());
    // An empty one has no entries either.
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in blocks().files() {
        let content = if name == "data_1" {
            Vec::new()
        } else {
            content
        };
        fs::write(dir.path().join(name), content).unwrap();
    }
    assert_eq!(scan(&dir.path().join("data_2")).told(), lone.told());
}

#[test]
fn a_file_of_entries_with_a_damaged_header_is_read_and_told() {
    for size in [36_u32, 77, 1024] {
        let dir = tempfile::tempdir().unwrap();
        for (name, mut content) in blocks().files() {
            if name == "data_1" {
                content[12..16].copy_from_slice(&size.to_le_bytes());
            }
            fs::write(dir.path().join(name), content).unwrap();
        }
        let seen = scan(&dir.path().join("data_1"));
        assert!(
            seen.told().starts_with("partial: its header is damaged"),
            "{size}: {}",
            seen.told()
        );
        assert!(text(seen.with(&token(20))).contains("access_token"));
        // What is beside it cannot count on it.
        let beside = scan(&dir.path().join("data_2")).told();
        assert!(beside.starts_with("unsupported: "), "{size}: {beside}");
    }
    // A size that no file of a cache has.
    let dir = tempfile::tempdir().unwrap();
    for (name, mut content) in blocks().files() {
        if name == "data_2" {
            content[12..16].copy_from_slice(&77_u32.to_le_bytes());
        }
        fs::write(dir.path().join(name), content).unwrap();
    }
    let told = scan(&dir.path().join("data_2")).told();
    assert!(told.contains("its header is damaged"), "{told}");
}

#[test]
fn blocks_that_the_header_cannot_tell_of_are_told() {
    let most = (8192 - 80) * 8;
    for (count, is_told) in [(most, false), (most + 1, true)] {
        let dir = tempfile::tempdir().unwrap();
        for (name, mut content) in blocks().files() {
            if name == "data_1" {
                content.resize(8192 + count * 256, 0);
            }
            fs::write(dir.path().join(name), content).unwrap();
        }
        let seen = scan(&dir.path().join("data_1"));
        assert!(text(seen.with(&token(20))).contains("access_token"));
        assert_eq!(
            seen.told().contains("more than 64896 blocks"),
            is_told,
            "{}",
            seen.told()
        );
    }
}

#[test]
fn an_entry_whose_key_is_no_url_is_read_in_both_caches() {
    let headers = pickle(&redirect(27), NOW);
    let mut blocks = Blocks::default();
    blocks.entry("no url", &headers, b"", NOW, true);
    for seen in [
        scan_blocks(&blocks, &[], "data_1"),
        scan_bytes("x_0", &simple("no url", &headers, b"")),
    ] {
        assert_eq!(seen.told(), "read: ");
        assert_eq!(seen.observations.len(), 2, "{:?}", seen.lines());
    }
}

#[test]
fn headers_of_an_unknown_form_in_a_block_file_are_told() {
    let url = format!("https://app.example/cb?access_token={}", token(29));
    let mut blocks = Blocks::default();
    blocks.entry(&url, b"another form", b"", NOW, true);
    let seen = scan_blocks(&blocks, &[], "data_1");
    assert_eq!(text(seen.with("access_token")), url);
    assert!(seen.told().contains("unknown form"), "{}", seen.told());
}
