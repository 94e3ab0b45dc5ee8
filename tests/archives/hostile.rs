//! Archives that lie, that are damaged, or that would be too much.

use crate::line;
use crate::pack::{Zip, Zipped, deflate, deflated, gzip, pax, seal, tar, tarred, zip, zipped};
use crate::run::{Report, scan_bytes, scan_with};

fn has_problem(report: &Report, text: &str) {
    let problems = report.problems();
    assert!(
        problems.iter().any(|it| it.contains(text)),
        "{text}: {problems:?}"
    );
}

#[test]
fn members_of_one_name_are_all_read() {
    let twice = [
        zipped("access.log", line(1)),
        deflated("access.log", line(2)),
        zipped("access.log#2", line(3)),
    ];
    let expected = ["x > access.log", "x > access.log#2", "x > access.log#3"];
    assert_eq!(scan_bytes("x", &zip(&twice)).places(), expected);
    let members = twice
        .iter()
        .map(|it| (std::str::from_utf8(&it.name).unwrap(), &*it.data));
    let bytes = tar(members);
    assert_eq!(scan_bytes("x", &bytes).places(), expected);
    assert_eq!(scan_bytes("x", &gzip(&bytes)).places(), expected);
}

#[test]
fn links_devices_and_folders_are_passed_over() {
    let link = Zipped {
        unix_mode: 0o120_777,
        ..zipped("link.log", "/etc/passwd")
    };
    let device = Zipped {
        unix_mode: 0o020_666,
        ..zipped("device.log", "")
    };
    let bytes = zip(&[
        link,
        device,
        zipped("folder/", ""),
        zipped("access.log", line(1)),
    ]);
    let report = scan_bytes("x.zip", &bytes);
    assert_eq!(report.places(), ["x.zip > access.log"]);
    assert_eq!(report.json["not_claimed"]["symbolic link"], 1);
    assert_eq!(report.json["not_claimed"]["special file"], 1);
    let kinds = [b'1', b'2', b'3', b'4', b'5', b'6', b'g'];
    let mut bytes: Vec<u8> = kinds
        .iter()
        .flat_map(|kind| tarred("x.log", *kind, b""))
        .collect();
    bytes.extend(tar([("access.log", line(1).as_bytes())]));
    for bytes in [bytes.clone(), gzip(&bytes)] {
        let report = scan_bytes("x", &bytes);
        assert_eq!(report.places(), ["x > access.log"]);
        assert_eq!(report.json["not_claimed"]["symbolic link"], 1);
        assert_eq!(report.json["not_claimed"]["hard link"], 1);
        assert_eq!(report.json["not_claimed"]["special file"], 3);
        assert_eq!(report.code, 0);
    }
}

/// An entry of Firefox's cache: the body, a hash for 256 KiB of it, what is known of it, and where that begins.
fn cached(body: &[u8], url: &str) -> Vec<u8> {
    let mut entry = [body, &[0; 6]].concat();
    let key = format!(":{url}");
    let len = u32::try_from(key.len()).unwrap();
    for number in [3, 1, 1_763_870_400, 1_763_870_400, 0, 0, len, 0] {
        entry.extend(number.to_be_bytes());
    }
    entry.extend(key.as_bytes());
    entry.extend(b"\0request-method\0GET\0");
    entry.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    entry
}

#[test]
fn a_body_that_is_an_archive_does_not_make_a_cache_entry_one() {
    let tar = tar([("access.log", line(1).as_bytes())]);
    let name = "0123456789ABCDEF0123456789ABCDEF01234567";
    for body in [zip(&[deflated("access.log", line(1))]), gzip(&tar), tar] {
        let url = "https://files.example/x?access_token=aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v";
        let report = scan_bytes(name, &cached(&body, url));
        assert_eq!(report.places(), [name]);
        assert_eq!(report.statuses()[name], "read");
        assert_eq!(report.problems(), [""; 0]);
        assert_eq!(report.code, 0);
    }
}

#[test]
fn what_cannot_be_unpacked_is_told() {
    let secret = Zipped {
        flags: 1,
        ..zipped("secret.log", line(1))
    };
    let odd = Zipped {
        method: Some(14),
        ..zipped("odd.log", line(2))
    };
    let report = scan_bytes(
        "x.zip",
        &zip(&[secret.clone(), odd, zipped("access.log", line(3))]),
    );
    assert_eq!(report.places(), ["x.zip > access.log"]);
    has_problem(&report, "1 of its members are encrypted");
    has_problem(&report, "1 of its members are packed by a method");
    assert_eq!(report.statuses()["x.zip"], "unsupported");
    let report = scan_bytes("x.zip", &zip(&[secret]));
    assert_eq!((report.count(), report.code), (0, 0));
    assert_eq!(report.statuses()["x.zip"], "unsupported");
    let image = [
        zipped("information.turtle", "@prefix"),
        zipped("access.log", line(1)),
    ];
    let report = scan_bytes("x.aff4", &zip(&image));
    assert_eq!(report.count(), 0);
    assert_eq!(report.statuses()["x.aff4"], "unsupported");
    let sparse = [
        tarred("h", b'x', &pax("GNU.sparse.major", "1")),
        tarred("s.log", b'0', line(1).as_bytes()),
    ];
    has_problem(
        &scan_bytes("x.tar", &sparse.concat()),
        "without their holes",
    );
    let mut old = tarred("s.log", b'S', line(1).as_bytes());
    old[482] = 1;
    seal(&mut old);
    // One more block of the map follows the header.
    old.splice(512..512, [0; 512]);
    old.extend(tar([("access.log", line(2).as_bytes())]));
    let report = scan_bytes("x.tar", &old);
    assert_eq!(report.places(), ["x.tar > access.log"]);
    has_problem(&report, "without their holes");
}

#[test]
fn a_list_that_lies_costs_what_it_lies_about() {
    let lie = |claims| {
        let member = Zipped {
            claims: Some(claims),
            ..deflated("a.log", line(1))
        };
        scan_bytes("x.zip", &zip(&[member, zipped("b.log", line(2))]))
    };
    for claims in [0, 1, 1 << 30] {
        let report = lie(claims);
        assert!(report.count() >= 1, "{claims}: {:?}", report.problems());
        assert_eq!(report.code, 3, "{claims}");
    }
    let wide = Zipped {
        wide: true,
        claims: Some(u64::MAX),
        ..zipped("a.log", line(1))
    };
    let report = scan_bytes("x.zip", &zip(&[wide, zipped("b.log", line(2))]));
    assert_eq!(report.places(), ["x.zip > b.log"]);
    has_problem(&report, "like a decompression bomb");
    // More entries than there are, and an offset beyond the end.
    let mut lying = Zip::new();
    lying.add(&zipped("a.log", line(1)));
    lying.list(&zipped("b.log", line(2)), 100, 1 << 30);
    lying.entries = 7;
    let report = scan_bytes("x.zip", &lying.finish(false));
    assert_eq!(report.count(), 1);
    has_problem(&report, "states 7 members and lists 2");
    has_problem(&report, "lie outside it");
    // A member whose own header is not there.
    let mut lying = Zip::new();
    lying.add(&zipped("a.log", line(1)));
    lying.list(&zipped("b.log", ""), 0, 3);
    lying.add(&zipped("c.log", line(3)));
    assert!(scan_bytes("x.zip", &lying.finish(false)).count() >= 1);
}

#[test]
fn wrong_checksums_are_told_and_the_content_kept() {
    let mut bytes = zip(&[zipped("access.log", line(1))]);
    let at = bytes
        .windows(3)
        .position(|window| window == b"GET")
        .unwrap();
    bytes[at] = b'P';
    let report = scan_bytes("x.zip", &bytes);
    assert_eq!(report.count(), 1);
    has_problem(&report, "checksum does not match");
    assert_eq!(report.statuses()["x.zip > access.log"], "partial");
}

#[test]
fn something_before_and_behind_a_zip_does_no_harm() {
    let bytes = zip(&[deflated("access.log", line(1))]);
    let behind = [&bytes[..], b"\r\n-- signature --"].concat();
    assert_eq!(
        scan_bytes("x.zip", &behind).places(),
        ["x.zip > access.log"]
    );
    let marked = [b"PK\x07\x08", &bytes[..]].concat();
    assert_eq!(
        scan_bytes("x.zip", &marked).places(),
        ["x.zip > access.log"]
    );
}

#[test]
fn what_the_list_of_a_zip_does_not_know_is_told() {
    let bytes = zip(&[deflated("access.log", line(1))]);
    let other = zip(&[deflated("error.log", line(2))]);
    let report = scan_bytes("x.zip", &[&bytes[..], &other].concat());
    assert_eq!(report.places(), ["x.zip > access.log", "x.zip > error.log"]);
    has_problem(
        &report,
        "holds 1 members that its list does not name, the first at byte 0",
    );
    assert_eq!(report.code, 3);
    // A list of nothing.
    let report = scan_bytes("x.zip", &[&bytes[..], b"PK\x05\x06", &[0; 18]].concat());
    assert_eq!(report.places(), ["x.zip > access.log"]);
    has_problem(&report, "has no list of its members");
    // What is called a folder, and has data.
    let mut folder = deflated("access.log", line(1));
    folder.unix_mode = 0o040_755;
    let report = scan_bytes("x.zip", &zip(&[folder]));
    assert_eq!(report.places(), ["x.zip > access.log"]);
}

#[test]
fn members_between_those_that_a_zip_lists_are_read_and_told() {
    let unlisted = |zip: &mut Zip, member: &Zipped| {
        let (directory, entries) = (zip.directory.clone(), zip.entries);
        zip.add(member);
        (zip.directory, zip.entries) = (directory, entries);
    };
    let descriptor = |member: Zipped| Zipped {
        descriptor: true,
        ..member
    };
    let mut zip = Zip::new();
    unlisted(&mut zip, &deflated("a.log", line(1)));
    zip.add(&descriptor(deflated("b.log", line(2))));
    zip.body
        .extend_from_slice(b"nothing, over some bytes, and then a member");
    unlisted(&mut zip, &descriptor(deflated("c.log", line(3))));
    unlisted(&mut zip, &zipped("d.log", line(4)));
    zip.add(&zipped("e.log", line(5)));
    let listed = zip.finish(false);
    let expected = ["a", "b", "c", "d", "e"].map(|name| format!("x.zip > {name}.log"));
    let report = scan_bytes("x.zip", &listed);
    assert_eq!(report.places(), expected);
    has_problem(
        &report,
        "holds 3 members that its list does not name, the first at byte 0",
    );
    assert_eq!(report.code, 3);
    // Where it ends cannot be told, or it would end in another one.
    for member in [
        descriptor(zipped("a.log", line(1))),
        zipped("a.log", line(1).repeat(2)),
    ] {
        let mut zip = Zip::new();
        unlisted(&mut zip, &member);
        let half = zip.body.len() - line(1).len();
        zip.body.truncate(half);
        zip.add(&zipped("b.log", line(2)));
        let report = scan_bytes("x.zip", &zip.finish(false));
        assert_eq!(report.places(), ["x.zip > b.log"]);
        has_problem(&report, "1 of which the end cannot be told");
    }
}

#[test]
fn a_zip_in_a_zip_is_no_member_of_the_outer_one() {
    let inner = zip(&[deflated("a.log", line(1))]);
    let report = scan_bytes("x.zip", &zip(&[zipped("inner.zip", inner)]));
    assert_eq!(report.places(), ["x.zip > inner.zip > a.log"]);
    assert!(report.problems().is_empty());
}

#[test]
fn archives_that_are_cut_off_give_what_is_there() {
    let lines: String = (1..400).map(line).collect();
    let members: Vec<Zipped> = ["a.log", "b.log", "c.log"]
        .map(|name| Zipped {
            descriptor: true,
            ..deflated(name, lines.as_bytes())
        })
        .into();
    let whole = zip(&members);
    assert_eq!(scan_bytes("x.zip", &whole).code, 0);
    for part in [1, 2, 3, 5, 9] {
        let report = scan_bytes("x.zip", &whole[..whole.len() * part / 10]);
        assert_eq!(report.code, 3);
        assert!(report.count() > 20, "{part}: {:?}", report.problems());
    }
    let plain = tar([("a.log", lines.as_bytes()), ("b.log", lines.as_bytes())]);
    let packed = gzip(&plain);
    for bytes in [
        &plain[..plain.len() * 3 / 4],
        &packed[..packed.len() * 3 / 4],
    ] {
        let report = scan_bytes("x", bytes);
        assert!(report.count() > 100, "{:?}", report.problems());
        assert_eq!(report.code, 3);
    }
}

#[test]
fn a_member_of_unknown_type_is_a_file() {
    for kind in [b'0', b'7', 0, b'Z', b'E', b'8', b' ', 0xff] {
        let mut bytes = tarred("a.log", kind, line(1).as_bytes());
        bytes.extend(tar([("b.log", line(2).as_bytes())]));
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let report = scan_bytes("x", &bytes);
            assert_eq!(report.places(), ["x > a.log", "x > b.log"], "{kind}");
            assert_eq!(report.code, 0);
        }
    }
}

#[test]
fn what_only_has_the_name_of_a_sidecar_is_read() {
    let lines = [line(1), line(2), line(3), line(4)];
    let names = [
        "access.log",
        "access.log-journal",
        "access.log-wal",
        "run/audit.jsonl",
    ];
    let mut members: Vec<Zipped> = names
        .iter()
        .zip(&lines)
        .map(|(name, line)| zipped(name, line.as_str()))
        .collect();
    members.push(zipped(
        "run/har.har",
        r#"{"log":{"version":"1.2","entries":[]}}"#,
    ));
    let report = scan_bytes("x.zip", &zip(&members));
    let expected = names.map(|name| format!("x.zip > {name}"));
    assert_eq!(report.places(), expected);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    for member in &members {
        let name = std::str::from_utf8(&member.name).unwrap();
        std::fs::write(folder.path().join(name), &member.data).unwrap();
    }
    let root = folder.path().to_str().unwrap();
    let report = scan_with(&[root, "--source-root", root], None);
    assert_eq!(report.places(), names);
}

#[test]
fn damage_in_a_tar_costs_the_member_it_hit() {
    let mut bytes = tar([
        ("a.log", line(1).as_bytes()),
        ("b.log", line(2).as_bytes()),
        ("c.log", line(3).as_bytes()),
    ]);
    bytes[1024] ^= 0x55;
    let report = scan_bytes("x.tar", &bytes);
    assert_eq!(report.places(), ["x.tar > a.log", "x.tar > c.log"]);
    has_problem(&report, "is damaged at byte 1024");
    // The last member's.
    bytes[1024] ^= 0x55;
    bytes[2048] ^= 0x55;
    has_problem(&scan_bytes("x.tar", &bytes), "is damaged at byte 2048");
    // A header that was lost is one block of zeros; two are the end.
    bytes[2048] ^= 0x55;
    bytes[1024..1536].fill(0);
    let report = scan_bytes("x.tar", &bytes);
    assert_eq!(report.places(), ["x.tar > a.log", "x.tar > c.log"]);
    has_problem(&report, "is damaged at byte 1536");
    // Two tars, one behind the other.
    let joined = [
        tar([("a.log", line(1).as_bytes())]),
        tar([("b.log", line(2).as_bytes())]),
    ]
    .concat();
    let report = scan_bytes("x.tar", &joined);
    assert_eq!((report.count(), report.code), (2, 0));
}

#[test]
fn a_name_that_promises_an_archive_is_held_to_it() {
    for (name, bytes) in [
        ("x.zip", b"".as_slice()),
        ("x.zip", b"oops"),
        ("x.tar", b"\x01\x02\x03"),
        ("x.tar.gz", b""),
    ] {
        let report = scan_bytes(name, bytes);
        assert_eq!(report.statuses()[name], "failed", "{name}");
        assert_eq!(report.code, 3);
    }
    let report = scan_bytes("x.tar", &[0; 1024]);
    assert_eq!((report.list("sources").len(), report.code), (0, 0));
}

/// All members share one stream of zeros, whose deflated form is their only data.
fn overlapping(members: usize) -> Vec<u8> {
    let zeros = vec![0; 32 << 20];
    let packed = deflate(&zeros);
    let mut zip = Zip::new();
    let member = deflated("0", Vec::new());
    let header = 30 + 1;
    for number in 0..members {
        let at = zip.body.len() as u64;
        let rest = (members - number - 1) * header + packed.len();
        let lie = Zipped {
            claims: Some(32 << 20),
            ..member.clone()
        };
        let mut one = Zip::new();
        one.add(&member);
        zip.body.extend_from_slice(&one.body[..header]);
        zip.list(&lie, rest as u64, at);
    }
    zip.body.extend_from_slice(&packed);
    zip.finish(false)
}

#[test]
fn members_that_share_their_bytes_are_not_read() {
    let report = scan_bytes("x.zip", &overlapping(500));
    has_problem(&report, "499 of its members share their bytes");
    assert_eq!(report.code, 3);
}

#[test]
fn what_expands_like_a_bomb_is_not_read() {
    // Sixteen times 1 GiB out of 16 MiB, in lines that the log reader would read to the end.
    let lines = line(1).repeat(10_000);
    let member = Zipped {
        claims: Some(1 << 30),
        ..deflated("access.log", lines)
    };
    let report = scan_bytes("x.zip", &zip(&vec![member; 16]));
    has_problem(&report, "like a decompression bomb");
    has_problem(&report, "12 of its members");
    // Deflate in deflate: each layer is honest, the whole is not.
    let zeros = gzip(&vec![0; 32 << 20]);
    let inner = zip(&[deflated("a.log", zeros.clone())]);
    let report = scan_bytes("x.zip", &zip(&[deflated("inner.zip", inner)]));
    assert!(report.count() == 0);
}

#[test]
fn many_members_of_one_name_cost_no_more_than_others() {
    let block = tarred("access.log", b'0', b"");
    let mut bytes = tarred("first.log", b'0', line(1).as_bytes());
    bytes.extend(block.repeat(20_000));
    let report = scan_with(&["-"], Some(&gzip(&bytes)));
    assert_eq!((report.count(), report.code), (1, 0));
}

#[test]
fn noise_never_panics() {
    let bytes = zip(&[deflated("a.log", line(1)), zipped("b/access.log", line(2))]);
    let plain = tar([("a.log", line(1).as_bytes()), ("b.log", line(2).as_bytes())]);
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    let folder = tempfile::tempdir().unwrap();
    for number in 0..300 {
        let mut noisy = if number % 2 == 0 {
            bytes.clone()
        } else {
            plain.clone()
        };
        for _ in 0..=next() % 3 {
            let at = 4 + next() % (noisy.len() - 4);
            noisy[at] = u8::try_from(next() % 256).unwrap();
        }
        noisy.truncate(noisy.len() - next() % 20);
        std::fs::write(folder.path().join(format!("{number}")), &noisy).unwrap();
    }
    let report = scan_with(&[folder.path().to_str().unwrap()], None);
    assert!(report.count() > 1);
}
