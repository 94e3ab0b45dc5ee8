//! One scan of a folder, and one of each archive of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::line;
use crate::pack::{Zipped, crc, deflated, gzip, pax, tar, tarred, zip, zipped};
use crate::run::{Report, scan_bytes, scan_with};

/// The files of a folder, by name.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(root).unwrap();
            let name = name.to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn fixtures(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder)
}

fn tar_of(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    tar(files
        .iter()
        .map(|(name, data)| (name.as_str(), data.as_slice())))
}

#[test]
fn an_archive_is_reported_as_its_folder() {
    for folder in ["laptop", "logs", "har"] {
        let root = fixtures(folder);
        let root_text = root.to_str().unwrap();
        let expected = scan_with(&[root_text, "--source-root", root_text], None);
        assert!(expected.count() > 3);
        let files = files(&root);
        let plain = tar_of(&files);
        let zips = |change: fn(&mut Zipped)| {
            let members: Vec<Zipped> = files
                .iter()
                .rev()
                .map(|(name, data)| {
                    let mut member = zipped(name, data.clone());
                    change(&mut member);
                    member
                })
                .collect();
            zip(&members)
        };
        let archives: Vec<(&str, Vec<u8>)> = vec![
            ("stored.zip", zips(|_| {})),
            ("deflated.zip", zips(|it| it.deflate = true)),
            ("wide.zip", zips(|it| it.wide = true)),
            ("x.tar", plain.clone()),
            ("x.tgz", gzip(&plain)),
            ("x.tar.zst", zstd::encode_all(&*plain, 3).unwrap()),
            ("x.tar.bz2", bzip2(&plain)),
            ("x.tar.xz", xz(&plain)),
        ];
        for (name, bytes) in archives {
            let found = scan_bytes(name, &bytes);
            same(&found, &expected, &format!("{folder} in {name}"));
            let rows = found.list("sources").len();
            assert_eq!(
                rows,
                expected.list("sources").len() + 1,
                "{folder} in {name}"
            );
            assert_eq!(found.json["summary"]["bytes"], bytes.len());
            let piped = scan_with(&["-"], Some(&bytes));
            same(
                &piped,
                &expected,
                &format!("{folder} in {name} on standard input"),
            );
        }
    }
}

fn same(found: &Report, expected: &Report, what: &str) {
    let (found, expected) = (found.findings(), expected.findings());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{what}");
    }
}

fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

/// One stream with one block of LZMA2 chunks that hold the data as it is, and no check (xz file format 1.2.0).
fn xz(data: &[u8]) -> Vec<u8> {
    let sealed = |bytes: &[u8]| [bytes, &crc(bytes).to_le_bytes()].concat();
    let padded = |mut bytes: Vec<u8>| {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    // Filter 0x21 with one byte of properties: a dictionary of 1 MiB.
    let mut block = sealed(&[2, 0, 0x21, 1, 16, 0, 0, 0]);
    for (number, chunk) in data.chunks(1 << 16).enumerate() {
        let len = u16::try_from(chunk.len() - 1).unwrap().to_be_bytes();
        block.extend([if number == 0 { 1 } else { 2 }, len[0], len[1]]);
        block.extend_from_slice(chunk);
    }
    block.push(0);
    let mut index = vec![0, 1];
    for mut number in [block.len(), data.len()] {
        while number >= 0x80 {
            index.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        index.push(u8::try_from(number).unwrap());
    }
    let index = sealed(&padded(index));
    let backward = u32::try_from(index.len() / 4 - 1).unwrap().to_le_bytes();
    let footer = [&backward[..], &[0, 0]].concat();
    let mut out = b"\xfd7zXZ\0".to_vec();
    out.extend(sealed(&[0, 0]));
    out.extend(padded(block));
    out.extend(index);
    out.extend(crc(&footer).to_le_bytes());
    out.extend(footer);
    out.extend(b"YZ");
    out
}

/// A history whose newest rows stand in its write-ahead log alone.
fn with_log() -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("History");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
             CREATE TABLE urls(id INTEGER PRIMARY KEY, url, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);
             INSERT INTO urls VALUES(1, 'https://a.example/#access_token=qZ0001x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6', 13408000000000000);
             PRAGMA wal_checkpoint(TRUNCATE);
             INSERT INTO urls VALUES(2, 'https://a.example/#access_token=qZ0002x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6', 13408000000000000);",
        )
        .unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    (read("History"), read("History-wal"))
}

#[test]
fn a_database_and_its_log_are_matched_inside_the_archive() {
    let (main, log) = with_log();
    assert!(!log.is_empty());
    let members = [
        deflated("p/History", main.clone()),
        deflated("p/History-wal", log.clone()),
    ];
    let apart = [
        deflated("p/History", main.clone()),
        deflated("q/History-wal", log.clone()),
    ];
    let tarred = tar([("p/History-wal", &*log), ("p/History", &*main)]);
    for bytes in [zip(&members), tarred.clone(), gzip(&tarred)] {
        let report = scan_bytes("x", &bytes);
        assert_eq!(report.count(), 2, "{:?}", report.problems());
        let views: Vec<&str> = report
            .list("findings")
            .iter()
            .map(|finding| finding["sightings"][0]["view"].as_str().unwrap())
            .collect();
        assert!(views.contains(&"uncheckpointed"), "{views:?}");
        assert_eq!(report.json["not_claimed"]["read with its database"], 1);
    }
    assert_eq!(scan_bytes("x", &zip(&apart)).count(), 1);
    // The log alone holds everything when the main file is empty, and is told.
    let empty = [zipped("History", Vec::new()), zipped("History-wal", log)];
    assert_eq!(scan_bytes("x", &zip(&empty)).list("sources").len(), 3);
}

#[test]
fn archives_in_archives_are_opened_to_a_bounded_depth() {
    let mut bytes = line(1).into_bytes();
    let mut place = vec!["access.log".to_owned()];
    let mut name = "access.log".to_owned();
    for depth in 1..=4 {
        bytes = match depth {
            1 => zip(&[deflated(&name, bytes)]),
            2 => gzip(&tar([(name.as_str(), bytes.as_slice())])),
            _ => zip(&[zipped(&name, bytes)]),
        };
        name = format!("level{depth}");
        let report = scan_bytes(&name, &bytes);
        if depth <= 3 {
            place.insert(0, name.clone());
            assert_eq!(report.places(), [place.join(" > ")]);
            assert_eq!(report.code, 0, "{:?}", report.problems());
        } else {
            assert_eq!(report.count(), 0);
            assert_eq!(report.code, 3);
            assert!(
                report.problems()[0].contains("too deep"),
                "{:?}",
                report.problems()
            );
        }
    }
}

#[test]
fn names_are_data() {
    let names = [
        "../../../etc/cron.d/access.log",
        "/private/var/log/access.log",
        "C:\\inetpub\\logs\\access.log",
        "a\0b/access.log",
        "access.log",
    ];
    let members: Vec<Zipped> = (1_u32..)
        .zip(names)
        .map(|(number, name)| zipped(name, line(number)))
        .collect();
    let report = scan_bytes("x.zip", &zip(&members));
    assert_eq!(report.count(), names.len());
    let mut expected: Vec<String> = names.iter().map(|name| format!("x.zip > {name}")).collect();
    expected.sort();
    assert_eq!(report.places(), expected);
    let odd = Zipped {
        name: b"\xff/access.log".to_vec(),
        ..zipped("", line(1))
    };
    assert_eq!(
        scan_bytes("x.zip", &zip(&[odd])).places(),
        ["x.zip > \\xff/access.log"]
    );
}

#[test]
fn a_name_that_holds_a_credential_is_masked() {
    let token = format!("gh{}_{}", "p", "aB3dE6gH9j".repeat(4).get(..36).unwrap());
    let report = scan_bytes("x.zip", &zip(&[zipped(&format!("{token}.log"), line(1))]));
    assert_eq!(report.count(), 1);
    assert!(!report.json.to_string().contains(&token));
}

#[test]
fn long_names_of_every_dialect_are_whole() {
    let long = format!("{}/access.log", "folder".repeat(60));
    let gnu = [
        tarred("././@LongLink", b'L', format!("{long}\0").as_bytes()),
        tarred("cut", b'0', line(1).as_bytes()),
    ];
    let pax = [
        tarred("PaxHeader", b'x', &pax("path", &long)),
        tarred("cut", b'0', line(1).as_bytes()),
    ];
    let split = format!("{}/{}/access.log", "a".repeat(90), "b".repeat(80));
    let ustar = [tarred(&split, b'0', line(1).as_bytes())];
    for (parts, name) in [
        (gnu.concat(), &long),
        (pax.concat(), &long),
        (ustar.concat(), &split),
    ] {
        assert_eq!(
            scan_bytes("x.tar", &parts).places(),
            [format!("x.tar > {name}")]
        );
        assert_eq!(
            scan_bytes("x.tgz", &gzip(&parts)).places(),
            [format!("x.tgz > {name}")]
        );
    }
}

#[test]
fn globs_choose_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zip");
    let members = [
        zipped("old/access.log", line(1)),
        zipped("access.log", line(2)),
        zipped("b.txt", line(3)),
    ];
    std::fs::write(&path, zip(&members)).unwrap();
    let path = path.to_str().unwrap();
    let report = scan_with(&[path, "--glob", "*.log", "--exclude", "old"], None);
    assert_eq!(report.count(), 1);
    assert_eq!(report.json["not_claimed"]["excluded"], 1);
    assert_eq!(report.json["not_claimed"]["not matched by --glob"], 1);
}

#[test]
fn hashes_are_those_of_the_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zip");
    std::fs::write(&path, zip(&[deflated("access.log", line(1))])).unwrap();
    let report = scan_with(&[path.to_str().unwrap(), "--hash"], None);
    let hash = {
        use sha2::Digest as _;
        data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(line(1).as_bytes()))
    };
    let sources = report.list("sources");
    assert!(
        sources.iter().any(|source| source["sha256"] == *hash),
        "{sources:?}"
    );
}
