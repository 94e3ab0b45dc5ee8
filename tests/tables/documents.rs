//! Files that are no database: bookmarks, preferences, logins, Safari's cookie jar, GNOME Web's session, and what
//! is only recognised. Damage costs a problem, and nothing else.

use std::path::PathBuf;

use super::made::binary_cookies;
use super::{Seen, scan};

const BOOKMARKS: &str = r#"{
   "checksum": "0f3c1d9ab27e4586b1c2d3e4f5a69788",
   "roots": {
      "bookmark_bar": { "children": [
         { "date_added": "13439639539500000", "name": "a", "url": "https://app.example/cb#access_token=made-up" },
         { "date_added": "13439639539500000", "name": "b", "url": "https://app.example/" },
         { "name": "see https://app.example/?access_token=made-up2", "url": "javascript:void(0)//access_token=x" }
      ] }
   }
}"#;

fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn scan_as(name: &str, content: impl AsRef<[u8]>) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    scan(&file(&folder, name, content))
}

#[test]
fn bookmarks_are_led_back_to_line_and_column() {
    for name in ["Bookmarks", "Bookmarks.bak", "renamed.txt"] {
        let seen = scan_as(name, BOOKMARKS);
        assert_eq!(seen.reader, "browser-json");
        assert_eq!(seen.problems, [""; 0]);
        let lines = [
            "/roots/bookmark_bar/children/0/url 5:67 | https://app.example/cb#access_token=made-up | 2026-11-20T09:12:19.5Z",
            "/roots/bookmark_bar/children/2/name 7:20 | text see https://app.example/?access_token=made-up2 | never",
        ];
        assert_eq!(seen.lines, lines);
    }
}

#[test]
fn preferences_give_urls_and_no_digests() {
    let preferences = r#"{"account_info":[{"access_token":"made-up-and-no-url"}],
        "protection":{"macs":{"homepage":"1A2B3C4D5E6F70819A2B3C4D5E6F70811A2B3C4D5E6F70819A2B3C4D5E6F7081"},"super_mac":"0F1E2D3C4B5A69780F1E2D3C4B5A69780F1E2D3C4B5A69780F1E2D3C4B5A6978"},
        "homepage":"https:\/\/app.example\/?access_token\u003dmade-up",
        "exceptions":{"https://app.example/?access_token=made-up2,*":{"last_modified":"1"}},
        "session":{"startup_urls":["https://app.example/"]}}"#;
    for name in ["Preferences", "Secure Preferences", "Local State"] {
        let seen = scan_as(name, preferences);
        assert_eq!(seen.reader, "browser-json");
        let lines = [
            "/exceptions/* 4:70 | https://app.example/?access_token=made-up2,* | never",
            "/homepage 3:20 | https://app.example/?access_token=made-up | never",
        ];
        assert_eq!(seen.lines, lines);
    }
    let seen = scan_as("settings.json", preferences);
    assert_ne!(seen.reader, "browser-json", "only their name tells them");
    let seen = scan_as("Preferences", "# access_token=made-up");
    assert_ne!(seen.reader, "browser-json", "and they are JSON");
}

#[test]
fn logins_are_told_as_encrypted() {
    let logins = r#"{"nextId":2,"logins":[{"id":1,"hostname":"https://app.example","formSubmitURL":"https://app.example/login?access_token=made-up","encryptedUsername":"MDIEEPgAAAAAAAAAAAAAAAAAAAE=","encryptedPassword":"MDoEEPgAAAAAAAAAAAAAAAAAAAE=","timeCreated":1795165939500}]}"#;
    let seen = scan_as("logins.json", logins);
    assert_eq!(seen.reader, "browser-json");
    assert_eq!(seen.lines.len(), 1);
    assert!(seen.lines[0].ends_with("made-up | 2026-11-20T09:12:19.5Z"));
    assert!(seen.problems[0].starts_with("its logins (1) are encrypted"));
}

/// A pointer leads to a value and must not show one.
#[test]
fn a_name_that_may_be_a_value_stands_in_no_pointer() {
    let secret = "Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZg";
    let document = format!(
        r#"{{"roots":{{"bookmark_bar":{{"{secret}":"https://app.example/?access_token=made-up"}}}}}}"#
    );
    let seen = scan_as("Bookmarks", document);
    assert_eq!(seen.lines.len(), 1);
    assert!(
        seen.lines[0].starts_with("/roots/bookmark_bar/* "),
        "{:?}",
        seen.lines
    );
}

#[test]
fn deep_and_damaged_documents_are_told() {
    let hit = r#""https://app.example/?access_token=made-up""#;
    let deep = |depth: usize| {
        let open = "[".repeat(depth);
        let close = "]".repeat(depth);
        format!(r#"{{"roots":{{"bookmark_bar":[{hit},{open}{hit}{close}]}}}}"#)
    };
    let seen = scan_as("Bookmarks", deep(40));
    assert_eq!((seen.lines.len(), seen.problems.len()), (2, 0));
    let seen = scan_as("Bookmarks", deep(100_000));
    assert_eq!(seen.lines.len(), 1);
    assert!(seen.problems[0].contains("nested more than 64 deep"));
    let seen = scan_as("Bookmarks", &BOOKMARKS.as_bytes()[..BOOKMARKS.len() - 100]);
    assert_eq!(seen.lines.len(), 1);
    assert!(seen.problems[0].contains("no whole JSON document"));
}

fn jar() -> Vec<u8> {
    binary_cookies(&[
        &[
            (".app.example", "access_token", "made-up", 816_858_739.5),
            ("app.example", "lang", "en", 816_858_739.0),
        ],
        &[("other.example", "refresh_token", "made-up2", 0.0)],
    ])
}

#[test]
fn safaris_cookies_are_led_back_to_their_bytes() {
    let jar = jar();
    let seen = scan_as("Cookies.binarycookies", &jar);
    assert_eq!(seen.reader, "binary-cookies");
    assert_eq!(seen.problems, [""; 0]);
    let at = |value: &[u8]| memchr::memmem::find(&jar, value).unwrap();
    let lines = [
        format!(
            "byte {} | cookie .app.example access_token = made-up | 2026-11-20T09:12:19.5Z",
            at(b"made-up\0")
        ),
        format!(
            "byte {} | cookie other.example refresh_token = made-up2 | never",
            at(b"made-up2")
        ),
    ];
    assert_eq!(seen.lines, lines);
}

/// A jar with so many offsets that all lead to one record.
fn overlapping(count: u32, record: &[u8]) -> Vec<u8> {
    let mut page = vec![0, 0, 1, 0];
    page.extend(count.to_le_bytes());
    let offset = page.len() as u32 + count * 4;
    for _ in 0..count {
        page.extend(offset.to_le_bytes());
    }
    page.extend(record);
    let mut jar = b"cook".to_vec();
    jar.extend(1_u32.to_be_bytes());
    jar.extend((page.len() as u32).to_be_bytes());
    jar.extend(&page);
    jar
}

/// A jar whose offsets all lead to one record, or to a page as long as the file, costs a bounded time.
#[test]
fn a_crafted_jar_is_bounded_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let jar = overlapping(150_000, &[0; 4]);
    let seen = scan(&file(&folder, "Cookies.binarycookies", &jar));
    assert!(
        seen.problems[0].contains("more than 100000 cookies"),
        "{:?}",
        seen.problems
    );
    let liar = [b"cook".as_slice(), &[0xff; 12]].concat();
    let seen = scan(&file(&folder, "Cookies.binarycookies", &liar));
    assert_eq!(seen.lines, [""; 0]);
    assert_eq!(seen.problems.len(), 1);
}

/// A record of some KiB that each of many offsets leads to would make gigabytes of a small jar.
#[test]
fn cookies_that_lie_in_each_other_are_bounded_and_told() {
    let value = "x".repeat(20_000);
    let one = binary_cookies(&[&[("a.example", "access_token", value.as_str(), 1.0)]]);
    // Before the record are 12 bytes of the jar, and 16 of its page.
    let seen = scan_as("Cookies.binarycookies", overlapping(1_000, &one[28..]));
    let count = seen.lines.len();
    assert!((1..10).contains(&count), "{count}");
    assert!(
        seen.problems[0].contains("lie in each other"),
        "{:?}",
        seen.problems
    );
}

const SESSION: &str = r#"<?xml version="1.0"?>
<session>
 <window x="0" y="0">
  <embed url="https://app.example/cb#access_token=made-up&amp;state=x" title="a" history="AgAAAAEAaHR0cHM6Ly9hcHAuZXhhbXBsZS8/YWNjZXNzX3Rva2VuPW9sZABBcHAAAAE="/>
  <embed url="https://app.example/" title="b"/>
 </window>
</session>
"#;

#[test]
fn gnome_webs_session_holds_the_pages_before() {
    let seen = scan_as("session_state.xml", SESSION);
    assert_eq!(seen.reader, "gnome-web-session");
    assert_eq!(seen.problems, [""; 0]);
    let lines = [
        "line 4 | https://app.example/?access_token=old | never",
        "line 4 | https://app.example/cb#access_token=made-up&state=x | never",
    ];
    assert_eq!(seen.lines, lines);
}

#[test]
fn a_tag_without_its_end_takes_nothing_from_the_next() {
    let session = SESSION
        .replacen(
            "title=\"a\"",
            "\n<embed url=\"https://app.example/?access_token=b\"",
            1,
        )
        .replacen(
            "https://app.example/cb#access_token=made-up&amp;state=x",
            "https://app.example/?access_token=a",
            1,
        );
    let seen = scan_as("session_state.xml", session);
    let lines = [
        "line 4 | https://app.example/?access_token=a | never",
        "line 5 | https://app.example/?access_token=b | never",
        "line 5 | https://app.example/?access_token=old | never",
    ];
    assert_eq!(seen.lines, lines);
    assert!(seen.problems[0].starts_with("is damaged in places"));
}

#[test]
fn a_list_of_pages_with_a_byte_that_is_wrong_is_read_and_told() {
    let damaged = SESSION.replacen("AgAAAAEA", "AgA!AAEA", 1);
    let seen = scan_as("session_state.xml", damaged);
    assert_eq!(seen.lines, scan_as("session_state.xml", SESSION).lines);
    assert!(seen.problems[0].starts_with("is damaged in places"));
}

/// What comes before the damage is read, and the damage is told; nothing panics.
#[test]
fn every_cut_and_flipped_bit_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let jar = jar();
    let files: [(&str, &[u8]); 3] = [
        ("Bookmarks", BOOKMARKS.as_bytes()),
        ("Cookies.binarycookies", &jar),
        ("session_state.xml", SESSION.as_bytes()),
    ];
    for (name, whole) in files {
        let path = folder.path().join(name);
        let read = |bytes: &[u8]| -> Seen {
            std::fs::write(&path, bytes).unwrap();
            scan(&path)
        };
        let all = read(whole).lines.len();
        for len in (0..whole.len()).step_by(5) {
            let seen = read(&whole[..len]);
            assert!(seen.lines.len() <= all, "{name} cut at {len}");
        }
        for at in (0..whole.len() * 8).step_by(29) {
            let mut flipped = whole.to_vec();
            flipped[at / 8] ^= 1 << (at % 8);
            read(&flipped);
        }
    }
}

#[test]
fn internet_explorer_is_told_apart() {
    let ese = [
        &[0x12, 0x34, 0x56, 0x78, 0xef, 0xcd, 0xab, 0x89][..],
        &[0; 64],
    ]
    .concat();
    let seen = scan_as("WebCacheV01.dat", &ese);
    assert_eq!(seen.reader, "internet-explorer");
    assert!(seen.problems[0].contains("export its Container tables"));
    // Mail, search and other things are such databases too.
    assert_eq!(scan_as("Windows.edb", &ese).reader, "none");
    let seen = scan_as("index.dat", b"Client UrlCache MMF Ver 5.2\0\0\0\0\0");
    assert!(
        seen.problems[0].contains("index.dat"),
        "{:?}",
        seen.problems
    );
}

#[test]
fn other_documents_go_to_other_readers() {
    for (name, content) in [
        ("Bookmarks", "{\"a\":1}"),
        ("package.json", "{\"name\":\"x\",\"version\":\"1\"}"),
        ("a.har", "{\"log\":{\"version\":\"1.2\",\"entries\":[]}}"),
    ] {
        assert_ne!(scan_as(name, content).reader, "browser-json", "{name}");
    }
}
