//! Files that are cut off, damaged or made to do harm: each costs a problem at most, never a panic, and no more time and
//! memory than its bounds.

use std::fs;
use std::io::Write as _;

use proptest::prelude::*;

use super::write::{
    Blocks, List, firefox, metadata, mozlz4, pickle, simple, webkit_record, webkit_response,
};
use super::{NOW, safari, scan, scan_bytes, token};

/// One small file of each format.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let url = format!("https://app.example/cb?access_token={}", token(70));
    let key = format!("1/0/_dk_https://a.example https://a.example {url}");
    let headers = format!(
        "HTTP/1.1 302 Found\nLocation: /x#id_token={}\nContent-Type: text/html\nSet-Cookie: session={}",
        token(71),
        token(72)
    );
    let body = format!("<a href='/x?code={}'>", token(73));
    let stream = metadata(
        "GET",
        &[("Cookie", &format!("sid={}", token(74)))],
        200,
        &[("a", "b")],
        NOW,
    );
    let mut blocks = Blocks::default();
    blocks.entry(&key, &pickle(&headers, NOW), body.as_bytes(), NOW, true);
    let (_, entries) = blocks.files().remove(1);
    let head = headers.replace('\n', "\r\n");
    let elements = [("request-method", "GET"), ("response-head", head.as_str())];
    let json = format!(
        r#"{{"windows":[{{"tabs":[{{"entries":[{{"url":"{url}"}}],"storage":{{"a":{{"token":"{}"}}}},"lastAccessed":1}}]}}]}}"#,
        token(75)
    );
    let list = safari::session(76);
    vec![
        ("a_0", simple(&key, &pickle(&headers, NOW), body.as_bytes())),
        ("b_0", simple(&url, &stream, body.as_bytes())),
        ("data_1", entries),
        (
            "cache2/entries/0123456789ABCDEF0123456789ABCDEF01234567",
            firefox(&format!(":{url}"), &elements, body.as_bytes(), NOW as u32),
        ),
        (
            "c",
            webkit_record(
                &url,
                &webkit_response(&url, 200, &[("Location", &url)]),
                body.as_bytes(),
                1.0,
            ),
        ),
        ("recovery.jsonlz4", mozlz4(json.as_bytes())),
        ("sessionstore.js", json.into_bytes()),
        ("a.plist", list.binary()),
        ("b.plist", list.xml()),
    ]
}

#[test]
fn every_sample_holds_something() {
    for (name, bytes) in samples() {
        assert!(!scan_bytes(name, &bytes).observations.is_empty(), "{name}");
    }
}

#[test]
fn a_file_may_end_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    for (number, (name, bytes)) in samples().iter().enumerate() {
        let whole = scan_bytes(name, bytes).observations.len();
        // The header of a block file is 8 KiB of bits.
        let from = if *name == "data_1" { 8_000 } else { 0 };
        for end in (from..bytes.len()).step_by(3) {
            let path = dir.path().join(format!("{number}"));
            fs::write(&path, &bytes[..end]).unwrap();
            assert!(
                scan(&path).observations.len() <= whole + 4,
                "{name} up to {end}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn bytes_may_be_anything(
        which in 0_usize..9,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (name, mut bytes) = samples().swap_remove(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes).unwrap();
        scan(&path);
    }

    #[test]
    fn encoded_bodies_may_be_anything(
        encoding in prop::sample::select(vec!["br", "gzip", "deflate", "zstd"]),
        body in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let magic: &[u8] = match encoding {
            "gzip" => &[0x1f, 0x8b, 8],
            "zstd" => &[0x28, 0xb5, 0x2f, 0xfd],
            _ => &[],
        };
        let headers = format!("HTTP/1.1 200 OK\nContent-Encoding: {encoding}");
        let body = [magic, &body].concat();
        scan_bytes("x_0", &simple("https://a.example/", &pickle(&headers, NOW), &body));
    }

    #[test]
    fn what_an_encoder_wrapped_is_unwrapped(
        words in proptest::collection::vec("[a-c]{1,6}", 1..200),
    ) {
        let json = format!("{{\"url\":\"https://a.example/?access_token={}&x={}\"}}", token(77), words.concat());
        let seen = scan_bytes("x.jsonlz4", &mozlz4(json.as_bytes()));
        prop_assert!(super::text(&seen.observations[0]).ends_with(&words.concat()));
    }
}

#[test]
fn sizes_that_are_claimed_cost_nothing() {
    let mut bomb = b"mozLz40\0\xff\xff\xff\xff\x1fx\x01\x00".to_vec();
    bomb.extend(vec![255; 2 << 20]);
    let seen = scan_bytes("recovery.jsonlz4", &bomb);
    assert!(seen.told().starts_with("partial: "), "{}", seen.told());
    let mut entry = 0xfcfb_6d1b_a772_5c30_u64.to_le_bytes().to_vec();
    entry.extend([5, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    let seen = scan_bytes("x_0", &entry);
    assert!(seen.told().starts_with("failed: "), "{}", seen.told());
}

#[test]
fn a_size_that_is_too_small_hides_nothing() {
    let json = format!(
        r#"{{"windows":[{{"tabs":[{{"entries":[{{"url":"https://app.example/#access_token={}"}}]}}]}}]}}"#,
        token(79)
    );
    for json in [json.clone(), format!("{{}}{json}")] {
        let mut file = mozlz4(json.as_bytes());
        file[8..12].copy_from_slice(&2_u32.to_le_bytes());
        let seen = scan_bytes("recovery.jsonlz4", &file);
        assert!(super::text(seen.with("access_token")).ends_with(&token(79)));
        assert!(
            seen.told().contains("more in it than the size"),
            "{}",
            seen.told()
        );
    }
}

#[test]
fn a_body_that_expands_is_bounded() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&vec![b' '; 64 << 20]).unwrap();
    let headers = "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Encoding: gzip";
    let file = simple(
        "https://a.example/",
        &pickle(headers, NOW),
        &gzip.finish().unwrap(),
    );
    let seen = scan_bytes("x_0", &file);
    assert!(
        seen.told().contains("larger than 16 MiB"),
        "{}",
        seen.told()
    );
}

#[test]
fn headers_beyond_the_bound_are_told() {
    let location = |number| {
        format!(
            "Location: https://a.example/#access_token={}\n",
            token(number)
        )
    };
    for (count, found) in [(4_095, 2), (4_096, 1)] {
        let others = "A: b\n".repeat(count - 1);
        let headers = format!(
            "HTTP/1.1 302 Found\n{}{others}{}",
            location(80),
            location(81)
        );
        let seen = scan_bytes(
            "x_0",
            &simple("https://a.example/", &pickle(headers.trim(), NOW), b""),
        );
        assert_eq!(seen.observations.len(), found, "{count}");
        assert_eq!(seen.told().contains("more than 4096 headers"), found == 1);
    }
}

/// A binary list of these objects, the last one on top.
fn list(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in objects {
        offsets.push(file.len() as u32);
        file.extend(object);
    }
    let table = file.len() as u64;
    file.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    file.extend([0, 0, 0, 0, 0, 0, 4, 1]);
    for number in [objects.len() as u64, objects.len() as u64 - 1, table] {
        file.extend(number.to_be_bytes());
    }
    file
}

#[test]
fn lists_that_hold_themselves_or_each_other_end() {
    let mark = b"\x5f\x10\x0eSessionWindows".to_vec();
    // An array of itself.
    let seen = scan_bytes("x.plist", &list(&[mark.clone(), vec![0xa2, 0, 1]]));
    assert!(seen.told().contains("damaged"), "{}", seen.told());
    // Each array names the one before ten times: ten to the power of thirty strings.
    let mut objects = vec![mark.clone()];
    for level in 0..30 {
        objects.push([vec![0xaa], vec![level; 10]].concat());
    }
    let seen = scan_bytes("x.plist", &list(&objects));
    assert!(seen.told().contains("more often"), "{}", seen.told());
    // A count without the items.
    let seen = scan_bytes(
        "x.plist",
        &list(&[
            mark,
            vec![0xaf, 0x13, 0x7f, 255, 255, 255, 255, 255, 255, 255],
        ]),
    );
    assert!(seen.told().contains("damaged"), "{}", seen.told());
}

#[test]
fn depth_is_bounded_in_both_forms() {
    let mut list = List::Array(vec![List::Text("SessionWindows".to_owned())]);
    for _ in 0..200 {
        list = List::Array(vec![list]);
    }
    for bytes in [list.binary(), list.xml()] {
        let seen = scan_bytes("x.plist", &bytes);
        assert!(seen.told().contains("deeper"), "{}", seen.told());
    }
}

#[test]
fn entries_that_share_a_body_have_it_once() {
    let headers = "HTTP/1.1 200 OK\nContent-Type: application/json";
    let json = format!(
        "{{\"access_token\":\"{}\",\"x\":\"{}\"}}",
        token(78),
        "y".repeat(20_000)
    );
    let mut blocks = Blocks::default();
    blocks.entry(
        "https://a.example/",
        &pickle(headers, NOW),
        json.as_bytes(),
        NOW,
        true,
    );
    let dir = tempfile::tempdir().unwrap();
    for (name, mut content) in blocks.files() {
        if name == "data_1" {
            let entries = content.split_off(8192);
            content.extend(entries.repeat(1_000));
            content[80..80 + 1_000].fill(255);
        }
        fs::write(dir.path().join(name), content).unwrap();
    }
    let seen = scan(&dir.path().join("data_1"));
    assert_eq!(seen.observations.len(), 1);
    assert!(seen.told().contains("shared"), "{}", seen.told());
}
