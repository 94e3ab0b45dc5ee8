//! What the stores of a browser hold, and whose it is.

use tokentrail::atoms::{Locator, View};

use super::leveldb::{
    Change, delete, local, local_key, log, namespace, put, session, snappy, table, wide,
};
use super::{scan, scan_as};

const APP: &str = "https://app.example";

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn local_storage_has_origin_key_and_value_in_either_encoding() {
    let changes = vec![
        local(APP, "access_token", "first-token-of-a-test"),
        put(
            [
                b"_https://app.example/^0https://top.example\0\0",
                &wide("refresh_token")[..],
            ]
            .concat(),
            [&[0][..], &wide("zweites-€-token")].concat(),
        ),
        local(APP, "theme", "dark"),
        put("META:https://app.example", b"\x08\x83\xc7\xf1\xb1"),
        put("VERSION", "1"),
    ];
    let seen = scan_as("000003.log", &log(7, &[changes]));
    assert_eq!(seen.reader, Some("leveldb"));
    assert_eq!(seen.problems, [] as [&str; 0]);
    let pairs = seen.pairs();
    assert_eq!(pairs.len(), 2, "{pairs:?}");
    assert_eq!(pairs[0].store, "local_storage");
    assert_eq!(pairs[0].origin, APP);
    assert_eq!(pairs[0].key, "access_token");
    assert_eq!(pairs[0].value, "first-token-of-a-test");
    assert_eq!((pairs[0].sequence, pairs[0].view), (7, View::Live));
    assert_eq!(pairs[1].origin, APP, "not the site that it was embedded in");
    assert_eq!(pairs[1].value, "zweites-€-token");
    let Locator::Record { file, key, .. } = &seen.observations[0].place.locator else {
        panic!("no record");
    };
    assert_eq!((&**file, &**key), ("000003.log", "access_token"));
}

#[test]
fn a_name_that_may_hold_a_secret_is_no_part_of_the_place() {
    let key = "oidc.user:https://idp.example:0a1b2c3d";
    let value = r#"{"access_token":"a-token-of-a-test"}"#;
    let seen = scan_as("000003.log", &log(1, &[vec![local(APP, key, value)]]));
    let Locator::Record { key, .. } = &seen.observations[0].place.locator else {
        panic!("no record");
    };
    assert_eq!(&**key, "");
    assert_eq!(
        seen.pairs()[0].key,
        "oidc.user:https://idp.example:0a1b2c3d"
    );
}

#[test]
fn session_storage_has_the_origin_of_its_map_from_whichever_file_tells_it() {
    let value = session(
        4,
        "code_verifier",
        "a-verifier-of-a-test-that-is-43-characters-",
    );
    let told_here = log(1, &[vec![namespace(4, APP), value.clone()]]);
    assert_eq!(scan_as("000003.log", &told_here).pairs()[0].origin, APP);

    let (key, origin) = namespace(4, APP);
    let beside = table(&[(key, 1, origin)], 4, true);
    let folder = folder(&[
        ("000005.ldb", beside),
        ("000006.log", log(9, &[vec![value]])),
    ]);
    let pair = &scan(&folder.path().join("000006.log")).pairs()[0];
    assert_eq!((pair.store, pair.origin.as_str()), ("session_storage", APP));
    assert_eq!(pair.value, "a-verifier-of-a-test-that-is-43-characters-");
}

#[test]
fn what_was_overwritten_or_deleted_is_recovered_also_by_another_file() {
    let key = |name: &str| local_key(APP, name).into_bytes();
    let value = |text: &str| Some(format!("\u{1}{text}").into_bytes());
    let rows = [
        (key("access_token"), 3, value("old-access-token-here")),
        (key("id_token"), 4, value("kept-id-token-here")),
        (key("refresh_token"), 5, value("gone-refresh-token-here")),
        (key("token"), 6, value("filler")),
    ];
    for packed in [false, true] {
        let folder = folder(&[
            ("000005.ldb", table(&rows, 1, packed)),
            (
                "000006.log",
                log(
                    10,
                    &[vec![
                        local(APP, "access_token", "new-access-token-here"),
                        delete(local_key(APP, "refresh_token")),
                    ]],
                ),
            ),
        ]);
        let seen = scan(&folder.path().join("000005.ldb"));
        assert_eq!(seen.reader, Some("leveldb"));
        assert_eq!(seen.problems, [] as [&str; 0]);
        let view = |part| seen.pair(part).view;
        assert_eq!(view("old-access-token"), View::Recovered);
        assert_eq!(view("kept-id-token"), View::Live);
        assert_eq!(view("gone-refresh-token"), View::Recovered);
        let seen = scan(&folder.path().join("000006.log"));
        assert_eq!(seen.pair("new-access-token").view, View::Live);
    }
}

#[test]
fn only_so_many_files_beside_one_are_looked_into_and_the_others_told() {
    let write = |first: u64| {
        log(
            first,
            &[vec![local(APP, "access_token", "a-token-of-a-test")]],
        )
    };
    for (beside, is_told) in [(256, false), (257, true)] {
        // The file with the latest version has the lowest number, and is looked into last.
        let named = |number: u64| (format!("{number:06}.log"), write(1_000 - number));
        let files: Vec<(String, Vec<u8>)> = (0..=beside).map(named).collect();
        let files: Vec<(&str, Vec<u8>)> = files
            .iter()
            .map(|(name, bytes)| (&**name, bytes.clone()))
            .collect();
        let folder = folder(&files);
        let last = format!("{beside:06}.log");
        let seen = scan(&folder.path().join(&last));
        assert_eq!(seen.pairs()[0].view, View::Recovered);
        assert_eq!(seen.problems.len(), usize::from(is_told));
        // Those between say nothing, and are opened all the same.
        for number in 1..beside {
            let path = folder.path().join(format!("{number:06}.log"));
            std::fs::write(path, b"").unwrap();
        }
        let seen = scan(&folder.path().join(&last));
        let view = seen.pairs()[0].view;
        assert_eq!(view == View::Live, is_told, "{view:?}");
        assert_eq!(seen.problems.len(), usize::from(is_told));
    }
}

#[test]
fn versions_within_one_file_are_all_read() {
    let changes: Vec<Vec<Change>> = (0..3)
        .map(|turn| {
            vec![local(
                APP,
                "access_token",
                &format!("token-number-{turn}-of-a-test"),
            )]
        })
        .collect();
    let pairs = scan_as("000003.log", &log(1, &changes)).pairs();
    let views: Vec<View> = pairs.iter().map(|pair| pair.view).collect();
    assert_eq!(views, [View::Recovered, View::Recovered, View::Live]);
}

#[test]
fn batches_cross_blocks() {
    let filler = "x".repeat(30_000);
    let changes: Vec<Vec<Change>> = (0..12)
        .map(|turn| {
            vec![
                local(APP, &format!("filler{turn}"), &filler),
                local(
                    APP,
                    "access_token",
                    &format!("token-number-{turn:02}-of-a-test"),
                ),
                local(
                    APP,
                    "long",
                    &format!("{{\"refresh_token\":\"{turn:02}-{}\"}}", "y".repeat(70_000)),
                ),
            ]
        })
        .collect();
    let seen = scan_as("000003.log", &log(1, &changes));
    assert_eq!(seen.problems, [] as [&str; 0]);
    let of = |key: &str| seen.pairs().iter().filter(|pair| pair.key == key).count();
    assert_eq!((of("access_token"), of("long")), (12, 12));
}

/// A value as Chromium 156 writes it into IndexedDB.
fn stored(value: &[u8]) -> Vec<u8> {
    [b"\x02\xff\x15\xfe\0\0\0\0\0\0\0\0\0\0\0\0\xff\x10", value].concat()
}

#[test]
fn indexed_db_keeps_names_beside_values() {
    let key = b"\x00\x01\x01\x01\x01\x04\0u\0s\0e\0r";
    let object = b"o\"\x0caccess_token\"\x12a-token-in-a-store{\x01";
    let packed = [&b"\x02\xff\x11\x02"[..], &snappy(&stored(object)[1..])].concat();
    let changes = vec![
        put(key, stored(object)),
        put(b"\x00\x01\x01\x01\x03\0\0", packed),
        put(b"\x00\x01\x01\x02\x01\x04\0u\0s\0e\0r", b"\x02"),
    ];
    let folder = folder(&[(
        "https_app.example_0.indexeddb.leveldb/000003.log",
        log(1, &[changes]),
    )]);
    let path = folder
        .path()
        .join("https_app.example_0.indexeddb.leveldb/000003.log");
    let pairs = scan(&path).pairs();
    assert_eq!(pairs.len(), 2);
    for pair in &pairs {
        assert_eq!((pair.store, pair.origin.as_str()), ("indexed_db", APP));
        assert_eq!(pair.value, r#"{"access_token":"a-token-in-a-store"}"#);
    }
    assert_eq!(pairs[0].key, "user");
}

#[test]
fn extensions_have_the_origin_of_their_folder_or_of_their_key() {
    let id = "abcdefghijklmnopabcdefghijklmnop";
    let value = r#"{"access_token":"a-token-of-an-extension"}"#;
    let settings = format!("Local Extension Settings/{id}/000003.log");
    let folder = folder(&[
        (&settings, log(1, &[vec![put("auth", value)]])),
        (
            "Extension State/000003.log",
            log(1, &[vec![put(format!("{id}.auth"), value)]]),
        ),
    ]);
    for path in [settings.as_str(), "Extension State/000003.log"] {
        let pair = &scan(&folder.path().join(path)).pairs()[0];
        assert_eq!(pair.store, "extension");
        assert_eq!(pair.origin, format!("chrome-extension://{id}"));
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("auth", value));
    }
}

#[test]
fn other_stores_give_their_strings_with_exact_ends() {
    let url = "https://files.example/a?access_token=a-token-of-a-download";
    let message = [
        &[0x12, url.len() as u8][..],
        url.as_bytes(),
        b"\x1a\x03abc\x20\x05",
    ]
    .concat();
    let outer = [&[0x0a, message.len() as u8][..], &message].concat();
    let seen = scan_as("000003.log", &log(1, &[vec![put("21_download", outer)]]));
    assert_eq!(seen.told(), [format!("url {url}")]);
}

#[test]
fn a_text_log_of_a_numbered_name_is_none_of_leveldbs() {
    let line = "2026-01-02 03:04:05 GET /cb?code=abcdefghijklmnopqrst&state=1234567890 200\n";
    let folder = folder(&[("000003.log", line.repeat(20).into_bytes())]);
    assert_eq!(scan(&folder.path().join("000003.log")).reader, Some("log"));
    // Nor is the manifest of a store one of its logs.
    let manifest = log(0, &[]);
    assert!(manifest.is_empty());
    let edit = b"\x01\x1aleveldb.BytewiseComparator\x02\0\x03\x02\x04\0";
    let record = [
        &super::leveldb::masked(&[&[1], &edit[..]].concat()).to_le_bytes()[..],
        &(edit.len() as u16).to_le_bytes(),
        &[1],
        edit,
    ]
    .concat();
    assert_eq!(scan_as("MANIFEST-000001", &record).reader, None);
}
