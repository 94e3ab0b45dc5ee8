//! Histories that are large enough to be passed over page by page, against the same bytes as a stream, which SQLite
//! reads alone.

use std::io::Cursor;

use tokentrail::collect::Evidence;

use super::{Seen, scan, scan_evidence, url};

const MADE: &str = "
    CREATE TABLE urls(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, last_visit_time INTEGER NOT NULL);
    CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER NOT NULL, visit_time INTEGER NOT NULL, from_visit INTEGER,
        transition INTEGER NOT NULL);
    WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 6000)
    INSERT INTO urls SELECT i * 7 % 6007, CASE
        WHEN i % 40 = 0 THEN printf('https://app.example/cb?code=SplxlOBeZQQYbYS6WxSb%d&state=af0ifjs%d', i, i)
        WHEN i % 97 = 1 THEN printf('https://app.example/%06000d', i)
        WHEN i % 97 = 2 THEN printf('https://app.example/%06000d?code=SplxlOBeZQQYbYS6WxSb%d', i, i)
        WHEN i % 97 = 3 THEN CAST(printf('https://app.example/blob?code=SplxlOBeZQQYbYS6WxSb%d', i) AS BLOB)
        WHEN i % 97 = 4 THEN NULL
        WHEN i % 97 = 5 THEN i
        WHEN i % 97 = 6 THEN ''
        ELSE printf('https://app.example/page/%d?lang=en', i) END, 'Page', 13408000000000000 + i FROM r;
    WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 9000)
    INSERT INTO visits SELECT i, 1 + i * 2 / 3 % 6000, 13408000000000000 + i, i - 1, 805306368 FROM r;
    ALTER TABLE visits ADD COLUMN external_referrer_url TEXT;
    UPDATE visits SET external_referrer_url = CASE
        WHEN id % 600 = 0 THEN printf('https://idp.example/?code=SplxlOBeZQQYbYS6WxSb%d', id)
        WHEN id % 3 = 0 THEN 'https://idp.example/'
        WHEN id % 7 > 0 THEN '' END;
    INSERT INTO visits VALUES(9001, 1, 13408000000000000, 0, 0,
        printf('https://idp.example/?code=SplxlOBeZQQYbYS6WxSb&%06000d', 1));
    CREATE TABLE visited_links(id INTEGER PRIMARY KEY, link_url_id INTEGER, top_level_url LONGVARCHAR, frame_url LONGVARCHAR);
    INSERT INTO visited_links SELECT id, url,
        CASE id % 500 WHEN 1 THEN printf('https://top.example/?code=SplxlOBeZQQYbYS6WxSb%d', id) ELSE 'https://top.example/' END,
        CASE id % 250 WHEN 1 THEN printf('https://frame.example/?code=SplxlOBeZQQYbYS6WxSb%d', id) WHEN 2 THEN id ELSE '' END
        FROM visits;
    CREATE TABLE content_annotations(visit_id INTEGER PRIMARY KEY, search_normalized_url VARCHAR, search_terms LONGVARCHAR);
    INSERT INTO content_annotations SELECT id, printf('https://often.example/?code=SplxlOBeZQQYbYS6WxSb%d', id), ''
        FROM visits WHERE id % 5 = 0;
    DELETE FROM urls WHERE id % 11 = 0;";

fn made() -> Vec<u8> {
    made_in("UTF-8")
}

/// The same with its text in an encoding.
fn made_in(encoding: &str) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let base = rusqlite::Connection::open(file.path()).unwrap();
    base.execute_batch(&format!("PRAGMA encoding = '{encoding}'; {MADE}"))
        .unwrap();
    drop(base);
    std::fs::read(file.path()).unwrap()
}

/// The same bytes as a file and as a stream.
fn both(bytes: &[u8]) -> [Seen; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("History");
    std::fs::write(&path, bytes).unwrap();
    let stream = Evidence::stream(Box::new(Cursor::new(bytes.to_vec())), "History").unwrap();
    [scan(&path), scan_evidence(&stream)]
}

fn told(seen: &Seen) -> Vec<String> {
    let shown = |it: &tokentrail::collect::Observation| format!("{it:?} {:?}", url(it));
    let lines = seen.observations.iter().map(shown);
    lines.chain(seen.problems.iter().cloned()).collect()
}

#[test]
fn a_file_gives_what_its_stream_gives() {
    let [file, stream] = both(&made());
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    assert_eq!(told(&file), told(&stream));
    for part in ["/cb?code=", "0?code=", "/blob?code="] {
        assert!(file.with(part).visit.is_some());
    }
    for (host, times) in [("idp", 16), ("top", 19), ("frame", 37), ("often", 1_800)] {
        let of_host =
            |it: &_| url(it).is_some_and(|url| url.contains(&format!("{host}.example/?code=")));
        assert_eq!(
            file.observations.iter().filter(|it| of_host(it)).count(),
            times,
            "{host}"
        );
    }
    assert!(file.observations.len() > 200);
}

/// SQLite takes the last two bits of the number that states the encoding (`sqlite3InitOne` in its prepare.c).
#[test]
fn text_in_utf_16_is_found_however_its_encoding_is_stated() {
    for (encoding, stated) in [("UTF-16le", [2_u8, 6]), ("UTF-16be", [3, 7])] {
        let mut bytes = made_in(encoding);
        assert_eq!(bytes[56..60], [0, 0, 0, stated[0]]);
        for byte in stated {
            bytes[59] = byte;
            let [file, stream] = both(&bytes);
            assert_eq!(file.problems, [""; 0], "{encoding} as {byte}");
            assert!(told(&file) == told(&stream), "{encoding} as {byte}");
            assert!(file.with("/cb?code=").visit.is_some());
            assert!(file.observations.len() > 200);
        }
    }
}

#[test]
fn a_damaged_file_gives_what_its_stream_gives() {
    let whole = made();
    let pages = whole.len() / 4096;
    for damaged in (2..pages).step_by(pages / 8) {
        for damage in [&[0; 4096][..], &[0xff; 16], &[13, 0, 0, 0xff, 0xff]] {
            let mut bytes = whole.clone();
            bytes[damaged * 4096..][..damage.len()].copy_from_slice(damage);
            let [file, stream] = both(&bytes);
            assert_eq!(told(&file), told(&stream), "page {damaged}");
        }
    }
}
