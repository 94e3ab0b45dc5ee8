//! Files that are cut off, damaged or made to do harm: nothing panics, what stands before the damage is
//! found, and the damage is told.

use proptest::prelude::*;

use super::leveldb::{Change, Row, local, local_key, log, masked, table, varint, versions};
use super::snss::{
    FIXED_KEY, Frame, Navigation, UPDATE_IN_SESSION, file, mojo_state, navigation, sealed,
};
use super::{Seen, scan_as};

const APP: &str = "https://app.example";

fn token(index: usize) -> String {
    format!("token-number-{index}-of-a-test")
}

/// Numbers of the tokens that were found.
fn found(seen: &Seen) -> Vec<usize> {
    let all = seen.told().join("\n");
    (0..10)
        .filter(|index| all.contains(&token(*index)))
        .collect()
}

/// A write-ahead file of four records, and where each ends.
fn small_log() -> (Vec<u8>, Vec<usize>) {
    let batches: Vec<Vec<Change>> = (0..4)
        .map(|index| vec![local(APP, &format!("a{index}.access_token"), &token(index))])
        .collect();
    let ends = (1..=4)
        .map(|count| log(1, &batches[..count]).len())
        .collect();
    (log(1, &batches), ends)
}

/// A table of four blocks.
fn small_table(packed: bool) -> (Vec<u8>, Vec<usize>) {
    let rows: Vec<Row> = (0..4)
        .map(|index| {
            let key = local_key(APP, &format!("a{index}.access_token")).into_bytes();
            let value = format!("\u{1}{}", token(index)).into_bytes();
            (key, index as u64 + 1, Some(value))
        })
        .collect();
    // What follows the data: the block of blocks that are none, the index, the footer.
    let tail = |count: usize| {
        let whole = table(&rows[..count], 1, packed);
        let footer = &whole[whole.len() - 48..];
        match footer[0] {
            low @ 0..0x80 => usize::from(low),
            low => usize::from(low & 0x7f) | usize::from(footer[1]) << 7,
        }
    };
    let ends = (1..=4).map(tail).collect();
    (table(&rows, 1, packed), ends)
}

/// A session of four navigations.
fn small_session(is_sealed: bool) -> (Vec<u8>, Vec<usize>) {
    let commands: Vec<_> = (0..4)
        .map(|index| {
            let visit = Navigation {
                url: format!("{APP}/{index}#access_token={}", token(index)),
                ..Navigation::default()
            };
            (UPDATE_IN_SESSION, navigation(&visit))
        })
        .collect();
    let write = |count: usize| {
        if is_sealed {
            sealed(&commands[..count], FIXED_KEY)
        } else {
            file(3, &commands[..count])
        }
    };
    let ends = (1..=4).map(|count| write(count).len()).collect();
    (write(4), ends)
}

fn files() -> Vec<(&'static str, Vec<u8>, Vec<usize>)> {
    let named = |name, (bytes, ends)| (name, bytes, ends);
    vec![
        named("000003.log", small_log()),
        named("000005.ldb", small_table(false)),
        named("000007.ldb", small_table(true)),
        named("Session_1", small_session(false)),
        named("Session_2", small_session(true)),
    ]
}

#[test]
fn whole_files_are_whole() {
    for (name, bytes, ends) in files() {
        let seen = scan_as(name, &bytes);
        assert_eq!(found(&seen), [0, 1, 2, 3], "{name}");
        assert_eq!(seen.problems, [] as [&str; 0], "{name}");
        assert!(ends.is_sorted() && *ends.last().unwrap() <= bytes.len());
    }
}

#[test]
fn a_checksum_that_looks_like_a_compression_is_none() {
    let begins = [b"\x78\x01", b"\x78\x9c", b"\x78\xda"];
    let logs = (0..).map(|number| {
        let value = format!("{} {number}", token(1));
        log(1, &[vec![local(APP, "a.access_token", &value)]])
    });
    for begin in begins {
        let log = logs.clone().find(|log| log.starts_with(begin)).unwrap();
        let seen = scan_as("000003.log", &log);
        assert_eq!(seen.reader, Some("leveldb"), "{begin:?}");
        assert_eq!(found(&seen), [1]);
    }
}

#[test]
fn every_cut_keeps_what_came_before_and_is_told() {
    for (name, bytes, ends) in files() {
        for len in 0..bytes.len() {
            let seen = scan_as(name, &bytes[..len]);
            let whole: Vec<usize> = (0..4).filter(|index| ends[*index] <= len).collect();
            let found = found(&seen);
            for index in &whole {
                assert!(found.contains(index), "{name} cut at {len}: {found:?}");
            }
            // At the end of a record, or of a command, nothing tells that more was there.
            let is_seam = !name.contains(".ldb") && (ends.contains(&len) || len == 8);
            if len > 7 && !is_seam {
                assert!(!seen.problems.is_empty(), "{name} cut at {len}");
            }
        }
    }
}

#[test]
fn every_flipped_bit_costs_at_most_what_comes_behind_it() {
    for (name, bytes, ends) in files() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let seen = scan_as(name, &flipped);
            if seen.reader != Some("leveldb") && seen.reader != Some("chromium-session") {
                assert!(bit / 8 < 8, "{name} bit {bit}: {:?}", seen.reader);
                continue;
            }
            let found = found(&seen);
            for index in (0..4).filter(|index| ends[*index] <= bit / 8) {
                // The version of a session file decides whether anything is read.
                let is_version = name.starts_with("Session") && bit / 8 < 8;
                assert!(
                    is_version || found.contains(&index),
                    "{name} bit {bit}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_page_state_leaves_the_url() {
    let url = format!("{APP}/#access_token={}", token(1));
    let state = mojo_state(&Frame {
        url: url.clone(),
        body: "code=0a1b2c3d4e5f6a7b8c9d&state=b1d2f3a4".into(),
        children: vec![Frame::default()],
        ..Frame::default()
    });
    for bit in 0..state.len() * 8 {
        let mut flipped = state.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let visit = Navigation {
            url: url.clone(),
            state: flipped,
            ..Navigation::default()
        };
        let seen = scan_as(
            "Session_1",
            &file(3, &[(UPDATE_IN_SESSION, navigation(&visit))]),
        );
        // The flipped bit may be one of the token in the state.
        assert!(found(&seen).contains(&1), "bit {bit}");
    }
}

#[test]
fn a_damaged_record_in_the_middle_costs_only_itself() {
    let (mut bytes, ends) = small_log();
    bytes[ends[1] - 3] ^= 1;
    let seen = scan_as("000003.log", &bytes);
    assert_eq!(found(&seen), [0, 2, 3]);
    assert!(
        seen.problems[0].contains("1 of its records"),
        "{:?}",
        seen.problems
    );
    for packed in [false, true] {
        let (mut bytes, ends) = small_table(packed);
        bytes[ends[1] - 8] ^= 1;
        let seen = scan_as("000005.ldb", &bytes);
        assert_eq!(found(&seen), [0, 2, 3]);
        assert!(seen.problems[0].contains("damaged"), "{:?}", seen.problems);
    }
}

#[test]
fn a_damaged_block_costs_that_block() {
    let filler = "x".repeat(9_000);
    let batches: Vec<Vec<Change>> = (0..10)
        .map(|index| {
            vec![
                local(APP, "access_token", &token(index)),
                local(APP, "filler", &filler),
            ]
        })
        .collect();
    let mut bytes = log(1, &batches);
    // The second block from its first byte on.
    bytes[32 * 1024..64 * 1024].fill(0xee);
    let found = found(&scan_as("000003.log", &bytes));
    assert!(found.starts_with(&[0, 1, 2, 3]), "{found:?}");
    assert!(found.ends_with(&[8, 9]), "{found:?}");
}

#[test]
fn space_that_was_set_aside_is_no_damage() {
    let (mut bytes, _) = small_log();
    bytes.resize(100_000, 0);
    let seen = scan_as("000003.log", &bytes);
    assert_eq!(found(&seen), [0, 1, 2, 3]);
    assert_eq!(seen.problems, [] as [&str; 0]);
}

/// A record of a write-ahead file with a checksum that is right.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    let sealed = [&[kind], data].concat();
    let len = u16::try_from(data.len()).unwrap();
    let (crc, len) = (masked(&sealed).to_le_bytes(), len.to_le_bytes());
    [&crc[..], &len, &sealed].concat()
}

#[test]
fn zeros_before_a_record_are_damage_and_hide_nothing() {
    let (bytes, ends) = small_log();
    let (before, behind) = bytes.split_at(ends[1]);
    for between in [&[1, 2, 3, 4, 0, 0, 0][..], &[0; 7], &[0; 700]] {
        let seen = scan_as("000003.log", &[before, between, behind].concat());
        assert_eq!(found(&seen), [0, 1, 2, 3], "{between:?}");
        assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
        assert!(
            seen.problems[0].contains("1 of its records"),
            "{:?}",
            seen.problems
        );
    }
    // Its checksum may begin with a zero.
    let mut batch = bytes[ends[0] + 7..ends[1]].to_vec();
    let sequences = (1_u32..).map(|sequence| {
        batch[..4].copy_from_slice(&sequence.to_le_bytes());
        record(1, &batch)
    });
    let behind = sequences.into_iter().find(|it| it[0] == 0).unwrap();
    let seen = scan_as(
        "000003.log",
        &[&bytes[..ends[0]], &[0; 9], &*behind].concat(),
    );
    assert_eq!(found(&seen), [0, 1]);
}

#[test]
fn a_part_without_its_beginning_is_told_once_and_read_where_it_is_a_batch() {
    let (bytes, ends) = small_log();
    let whole = |index: usize| &bytes[ends[index - 1] + 7..ends[index]];
    let rest = [7; 100];
    for (parts, expected, pieces) in [
        (vec![record(4, whole(1))], &[0, 1][..], 1),
        (
            vec![record(3, whole(1)), record(4, whole(2))],
            &[0, 1, 2],
            1,
        ),
        (vec![record(4, &rest), record(4, &rest)], &[0], 2),
        (vec![record(3, &rest), record(1, whole(1))], &[0, 1], 1),
    ] {
        let joined = [&bytes[..ends[0]], &parts.concat()].concat();
        let seen = scan_as("000003.log", &joined);
        assert_eq!(found(&seen), expected);
        let told = format!("{pieces} of its records");
        assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
        assert!(seen.problems[0].contains(&told), "{:?}", seen.problems);
    }
    // What a damaged beginning was counted for is not counted again in the next block.
    let long = local(APP, "filler", &"x".repeat(40_000));
    let batches = [
        vec![local(APP, "a.access_token", &token(0))],
        vec![long],
        vec![local(APP, "b.access_token", &token(1))],
    ];
    let mut bytes = log(1, &batches);
    bytes[1_000] ^= 1;
    let seen = scan_as("000003.log", &bytes);
    assert_eq!(found(&seen), [0, 1]);
    assert!(
        seen.problems[0].contains("1 of its records"),
        "{:?}",
        seen.problems
    );
}

#[test]
fn numbers_beyond_the_file_lead_nowhere() {
    // Places and lengths of a footer, of a length of a key, of a command.
    for number in [
        u64::MAX,
        u64::MAX - 47,
        1 << 63,
        u64::from(u32::MAX),
        577,
        578,
    ] {
        let mut footer = Vec::new();
        for _ in 0..4 {
            let mut rest = number;
            while rest > 0x7f {
                footer.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            footer.push(rest as u8);
        }
        footer.resize(40, 0);
        let (mut bytes, _) = small_table(false);
        let at = bytes.len() - 48;
        bytes[at..at + 40].copy_from_slice(&footer[..40]);
        let seen = scan_as("000005.ldb", &bytes);
        assert_eq!(found(&seen), [0, 1, 2, 3], "{number}");
        assert!(!seen.problems.is_empty());

        let mut changes = vec![1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1];
        changes.extend(&footer[..10]);
        changes.extend([b'x'; 40]);
        let header = [
            &masked(&[&[1], &changes[..]].concat()).to_le_bytes()[..],
            &[63, 0, 1],
        ]
        .concat();
        let bytes = [&small_log().0[..], &header, &changes].concat();
        let seen = scan_as("000003.log", &bytes);
        assert_eq!(found(&seen), [0, 1, 2, 3], "{number}");
        assert!(!seen.problems.is_empty());

        let (mut bytes, ends) = small_session(true);
        let size = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        bytes[ends[1]..ends[1] + 4].copy_from_slice(&size);
        let seen = scan_as("Session_1", &bytes);
        assert!(found(&seen).starts_with(&[0, 1]), "{number}");
        assert!(!seen.problems.is_empty());
    }
}

#[test]
fn a_batch_without_an_end_is_bounded_by_its_file() {
    // Begins, and begins, and goes on, and never ends.
    let mut bytes = Vec::new();
    for kind in [2_u8, 2, 3, 3, 3] {
        let data = [7_u8; 1000];
        let record = [&[kind], &data[..]].concat();
        bytes.extend(masked(&record).to_le_bytes());
        bytes.extend(1000_u16.to_le_bytes());
        bytes.extend(record);
    }
    let bytes = [small_log().0, bytes].concat();
    let seen = scan_as("000003.log", &bytes);
    assert_eq!(found(&seen), [0, 1, 2, 3]);
    assert!(!seen.problems.is_empty());
}

/// An index whose entries all name one block.
#[test]
fn an_index_that_names_one_block_again_and_again_is_bounded() {
    let (bytes, ends) = small_table(false);
    let mut out = bytes[..ends[0]].to_vec();
    let mut index = Vec::new();
    let mut handle = Vec::new();
    varint(&mut handle, 0);
    varint(&mut handle, ends[0] - 5);
    for _ in 0..10_000 {
        varint(&mut index, 0);
        varint(&mut index, 9);
        varint(&mut index, handle.len());
        index.extend(b"z\x01\0\0\0\0\0\0\0");
        index.extend(&handle);
    }
    index.extend([0; 4]);
    index.extend(1_u32.to_le_bytes());
    let mut place = Vec::new();
    varint(&mut place, out.len());
    varint(&mut place, index.len());
    index.push(0);
    let crc = masked(&index);
    out.extend(index);
    out.extend(crc.to_le_bytes());
    let mut footer = [vec![0, 8], place].concat();
    footer.resize(40, 0);
    out.extend(footer);
    out.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    let seen = scan_as("000005.ldb", &out);
    assert_eq!(seen.observations.len(), 1);
    assert!(
        seen.problems[0].contains("9999 of its records"),
        "{:?}",
        seen.problems
    );
}

/// A key of megabytes that each of many entries repeats with a few bytes.
#[test]
fn keys_that_share_their_beginning_are_bounded_by_their_block() {
    let file = |len: usize, count: usize| {
        let key = local_key(APP, &"k".repeat(len)).into_bytes();
        let value = format!("\u{1}access_token={}", token(1)).into_bytes();
        versions(&key, &vec![value; count])
    };
    // A page that writes one value again and again.
    let seen = scan_as("000005.ldb", &file(100, 2_000));
    assert_eq!(seen.observations.len(), 2_000);
    assert_eq!(seen.problems, [] as [&str; 0]);
    let bytes = file(20_000, 1_000);
    let seen = scan_as("000005.ldb", &bytes);
    let most = bytes.len() * 64 / 20_000;
    let found = seen.observations.len();
    assert!((most / 2..=most).contains(&found), "{found}");
    assert!(seen.problems[0].contains("larger"), "{:?}", seen.problems);
    // The same without an index, whose block is followed by its entries, and without its end.
    for (len, place) in [(bytes.len() - 1, "index"), (50_000, "end")] {
        let seen = scan_as("000005.ldb", &bytes[..len]);
        let found = seen.observations.len();
        assert!(found <= most, "{place} {found}");
        let is_told = seen.problems.iter().any(|told| told.contains("larger"));
        assert!(is_told, "{place} {:?}", seen.problems);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damage_of_any_kind_is_survived(
        which in 0_usize..5,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        swap in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let (name, mut bytes, _) = files().swap_remove(which);
        for (at, byte) in &cuts {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let (from, to) = (swap.0.index(bytes.len()), swap.1.index(bytes.len()));
        let piece = bytes[from.min(to)..from.max(to)].to_vec();
        bytes.splice(from..from, piece);
        scan_as(name, &bytes);
    }

    #[test]
    fn bytes_of_any_kind_behind_a_header_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        version in 0_u8..7,
    ) {
        scan_as("000003.log", &bytes);
        scan_as("000005.ldb", &bytes);
        let footer = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();
        scan_as("000005.ldb", &[&bytes[..], &footer].concat());
        scan_as("Session_1", &[b"SNSS", &[version, 0, 0, 0][..], &bytes].concat());
        let pickle = [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat();
        scan_as("Session_1", &file(3, &[(UPDATE_IN_SESSION, pickle.clone())]));
        let visit = Navigation { state: pickle, ..Navigation::default() };
        scan_as("Session_1", &file(3, &[(UPDATE_IN_SESSION, navigation(&visit))]));
        scan_as("000003.log", &log(1, &[vec![(bytes.clone(), Some([b"\x01\xff\x0f", &bytes[..]].concat()))]]));
    }
}
