//! Every clue of every trail, followed back: the evidence is opened again by other means than the scanner's, at
//! the place that a sighting names, and what the clue says must be readable there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, FingerprintKey, JoinKey, KeyKind, Locator, Place};
use tokentrail::collect::archive::{Kind, Opened};
use tokentrail::collect::find::{Inputs, find};
use tokentrail::collect::{Context, read};
use tokentrail::detect::{self, Detector, Memory, Reveal, Sighting};
use tokentrail::flow::{self, Correlated};

/// Values shorter than this have no digest without a key.
const HASHED: usize = 16;

/// Layers of percent-encoding and JSON strings around a value in the fixtures.
const LAYERS: usize = 4;

#[test]
fn every_clue_leads_back_to_its_place() {
    let world = World::of("fixtures");
    let by_id: BTreeMap<Digest, &Sighting> = world
        .correlated
        .sightings
        .iter()
        .map(|sighting| (sighting.id, sighting))
        .collect();
    let mut kinds = BTreeSet::new();
    let mut locators = HashSet::new();
    let mut recomputed = 0;
    for trail in &world.correlated.trails {
        let steps: BTreeSet<Digest> = trail
            .steps
            .iter()
            .filter_map(|step| step.sighting)
            .collect();
        assert!(!trail.clues.is_empty(), "a trail without a clue");
        for clue in &trail.clues {
            assert!(!clue.sightings.is_empty(), "{}", clue.text);
            for id in &clue.sightings {
                assert!(steps.contains(id), "{}: not a step of its trail", clue.text);
                let sighting = by_id[id];
                let text = reread(&sighting.place);
                locators.insert(std::mem::discriminant(&sighting.place.locator));
                if let Some(key) = clue.key {
                    kinds.insert(key.kind);
                    assert!(
                        carries(sighting, key),
                        "{}: {:?}",
                        clue.text,
                        sighting.place
                    );
                    recomputed += u32::from(shows(&text, key, &sighting.place));
                }
            }
        }
    }
    assert_eq!(locators.len(), 4, "rows, lines, entries and records");
    assert!(kinds.contains(&KeyKind::State), "{kinds:?}");
    assert!(kinds.len() >= 3, "{kinds:?}");
    assert!(recomputed > 20, "{recomputed} keys recomputed");
}

#[test]
fn every_value_lies_where_its_sightings_say() {
    let world = World::of("fixtures");
    let key = FingerprintKey::default();
    let mut followed = 0;
    for exposure in &world.correlated.exposures {
        let Some(value) = world.values.get(&exposure.credential) else {
            continue;
        };
        for &(at, slot) in &exposure.seen {
            let sighting = &world.correlated.sightings[at];
            let credential = &sighting.credentials[slot];
            if let Some(fingerprint) = credential.fingerprint {
                assert_eq!(
                    key.digest("credential", value.as_bytes()),
                    Some(fingerprint)
                );
            }
            let text = reread(&sighting.place);
            let layers = layers(&text);
            // What lies inside a JWT, or in packed form, is not there letter by letter.
            if credential.nesting.is_empty() {
                let found = layers.iter().any(|layer| layer.contains(&**value));
                assert!(
                    found,
                    "{:?} does not show its {}",
                    sighting.place, credential.name
                );
                followed += 1;
            }
        }
    }
    assert!(followed > 80, "{followed} values followed");
}

#[test]
fn a_place_that_is_wrong_is_noticed() {
    let world = World::of("fixtures/logs");
    let mut wrong = 0;
    for sighting in &world.correlated.sightings {
        let Locator::Line { number, byte } = sighting.place.locator else {
            continue;
        };
        let Some(credential) = sighting.credentials.iter().find(|it| it.nesting.is_empty()) else {
            continue;
        };
        let Some(value) = world.values.get(&credential.id) else {
            continue;
        };
        let mut place = sighting.place.clone();
        place.locator = Locator::Line {
            number: number + 1,
            byte,
        };
        let shown = line(&place, false)
            .is_some_and(|text| layers(&text).iter().any(|it| it.contains(&**value)));
        wrong += u32::from(!shown);
    }
    assert!(wrong > 20, "{wrong}");
}

/// What the scanner makes of a folder of the repository.
struct World {
    correlated: Correlated,
    /// Raw values by credential.
    values: BTreeMap<Digest, Box<str>>,
}

impl World {
    fn of(folder: &str) -> Self {
        let rules = Rules::builtin().unwrap();
        let key = FingerprintKey::default();
        let detector = Detector {
            rules: &rules,
            key: &key,
            jwks: None,
            reveal: Reveal {
                values: true,
                ..Reveal::default()
            },
        };
        let context = Context {
            rules: &rules,
            log_timezone: None,
            residue: false,
        };
        let inputs = Inputs {
            paths: vec![root().join(folder)],
            source_root: Some(root()),
            ..Inputs::default()
        };
        let mut sightings = Vec::new();
        let mut values = BTreeMap::new();
        for file in find(&inputs).files {
            let evidence = read::open(&file).unwrap();
            // What lies in archives is followed back in tests/archives.
            if Kind::of(evidence.head()).is_some() {
                continue;
            }
            let mut memory = Memory::default();
            read::observations(
                Opened::Evidence(evidence),
                &context,
                &read::Options::default(),
                &mut |observation| {
                    sightings.extend(detect::sightings(&observation, &detector, &mut memory));
                },
            );
            values.extend(exposed(&memory));
        }
        Self {
            correlated: flow::trails(sightings, &rules),
            values,
        }
    }
}

/// The raw values of a run with `--reveal values`.
#[allow(
    clippy::disallowed_methods,
    reason = "the fixtures hold made-up values only"
)]
fn exposed(memory: &Memory) -> Vec<(Digest, Box<str>)> {
    let values = memory.revealed.values.iter();
    values
        .map(|(id, value)| (*id, value.expose().into()))
        .collect()
}

/// Whether a sighting has a key: of a parameter, of a credential, or as its exchange.
fn carries(sighting: &Sighting, key: JoinKey) -> bool {
    let of_credentials = || sighting.credentials.iter().flat_map(|it| &it.keys);
    sighting.exchange == Some(key)
        || sighting
            .keys
            .iter()
            .chain(of_credentials())
            .any(|own| *own == key)
}

/// The text at a place must hold something whose digest is the key's. Not so for a value that is too short to be
/// hashed: it is named by the place that showed it first, and no other can recompute that.
fn shows(text: &str, key: JoinKey, place: &Place) -> bool {
    if matches!(key.kind, KeyKind::Exchange | KeyKind::Visit | KeyKind::Jti) {
        return false;
    }
    let mut candidates = BTreeSet::new();
    for layer in layers(text) {
        for word in layer.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.~%+/".contains(c))) {
            candidates.insert(word.to_owned());
            candidates.extend(word.split('.').filter_map(claims).flatten());
        }
    }
    let digest =
        |value: &str| FingerprintKey::default().digest(key.kind.as_str(), value.as_bytes());
    let found = candidates
        .iter()
        .flat_map(|value| derived(value, key.kind))
        .any(|value| digest(&value) == Some(key.digest));
    let name = format!("{}=", key.kind.as_str());
    let is_short = || {
        let texts = layers(text);
        let mut values = texts.iter().flat_map(|text| text.split(&name).skip(1));
        values.any(|rest| rest.split(['&', '#', '"', ' ']).next().unwrap().len() < HASHED)
    };
    assert!(
        found || is_short(),
        "{place:?} does not show its {}",
        key.kind.as_str()
    );
    found
}

/// What a value may be joined by: itself, S256 of it (RFC 7636 §4.6), the left half of its hash (OpenID Connect
/// Core §3.2.2.10).
fn derived(value: &str, kind: KeyKind) -> Vec<String> {
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let left = |bytes: &[u8]| encode(&bytes[..bytes.len() / 2]);
    let mut values = vec![value.to_owned()];
    match kind {
        KeyKind::ChallengeS256 => values.push(encode(&Sha256::digest(value))),
        KeyKind::AtHash | KeyKind::CHash | KeyKind::SHash => values.extend([
            left(&Sha256::digest(value)),
            left(&Sha384::digest(value)),
            left(&Sha512::digest(value)),
        ]),
        _ => {}
    }
    values
}

/// The strings among the claims of a segment of a JWT.
fn claims(segment: &str) -> Option<Vec<String>> {
    let json = data_encoding::BASE64URL_NOPAD
        .decode(segment.as_bytes())
        .ok()?;
    let claims: BTreeMap<String, Value> = serde_json::from_slice(&json).ok()?;
    let strings = claims.values().filter_map(Value::as_str);
    Some(strings.map(str::to_owned).collect())
}

/// A text, and what is under its escapes.
fn layers(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned() + &of_hexadecimal(text)];
    for _ in 0..LAYERS {
        let last = all.last().unwrap();
        let plain = percent_decoded(
            &last
                .replace("\\u0026", "&")
                .replace("\\/", "/")
                .replace("\\x22", "\"")
                .replace("\\\"", "\"")
                .replace("&amp;", "&"),
        );
        if plain == *last {
            break;
        }
        all.push(plain);
    }
    all
}

/// What the words of an audit record are in hexadecimal.
fn of_hexadecimal(text: &str) -> String {
    let words = text
        .split([' ', '=', '\n'])
        .filter(|word| word.len() >= HASHED);
    let decoded = words.filter_map(|word| data_encoding::HEXUPPER.decode(word.as_bytes()).ok());
    let decoded: Vec<_> = decoded
        .map(|it| String::from_utf8_lossy(&it).into_owned())
        .collect();
    decoded.join("\n")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = hex.and_then(|hex| data_encoding::HEXUPPER_PERMISSIVE.decode(hex).ok());
        if let Some(byte) = byte {
            bytes.extend(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text at a place, read by the means of this test.
fn reread(place: &Place) -> String {
    match &place.locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => cell(place, table, *rowid, column),
        Locator::Line { .. } => {
            let text = line(place, true).expect("the line is there");
            text.clone() + "\n" + &rest_of_record(place, &text) + &pages_before(&text)
        }
        Locator::Entry { index, pointer, .. } => entry(place, *index, pointer),
        Locator::Record {
            file,
            key,
            sequence,
        } => match &*place.source.reader {
            "systemd-journal" => field(place, key, *sequence),
            "leveldb" | "chromium-session" => numbered(place, file, *sequence),
            _ => offset(place, file, *sequence),
        },
        other @ (Locator::Bytes { .. } | Locator::Residue { .. }) => {
            panic!("{other:?} is not among the fixtures")
        }
    }
}

/// An entry of a store, or a command of a session: what is text of it, whichever way it is encoded.
fn numbered(place: &Place, file: &str, sequence: u64) -> String {
    let bytes = std::fs::read(path(place)).unwrap();
    let found = match file.rsplit('.').next() {
        Some("log") => change(&bytes, sequence),
        // The key of the application is followed by the sequence and the kind, and these by the value.
        Some("ldb") => {
            let tag = (sequence << 8 | 1).to_le_bytes();
            let at = bytes.windows(8).position(|window| window == tag).unwrap();
            bytes[at + 8..].to_vec()
        }
        _ => command(&bytes, sequence),
    };
    let wide = |bytes: &[u8]| {
        let units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(' '))
            .collect::<String>()
    };
    let odd = found.get(1..).unwrap_or_default();
    [
        String::from_utf8_lossy(&found).into_owned(),
        wide(&found),
        wide(odd),
    ]
    .join("\n")
}

/// A field of an entry of a journal whose objects are compact.
fn field(place: &Place, name: &str, sequence: u64) -> String {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path(place)).unwrap();
    zstd::stream::copy_decode(file, &mut bytes).unwrap();
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let len = |at: usize| usize::try_from(number(at + 8)).unwrap();
    let mut places = (0..bytes.len() - 24).step_by(8);
    let entry = places
        .find(|at| bytes[*at..at + 8] == [3, 0, 0, 0, 0, 0, 0, 0] && number(at + 16) == sequence);
    let entry = entry.expect("the entry is there");
    for item in (entry + 64..entry + len(entry)).step_by(4) {
        let at = u32::from_le_bytes(bytes[item..item + 4].try_into().unwrap()) as usize;
        let payload = &bytes[at + 72..at + len(at)];
        let payload = match bytes[at + 1] {
            4 => zstd::decode_all(payload).unwrap(),
            _ => payload.to_vec(),
        };
        let text = String::from_utf8_lossy(&payload).into_owned();
        if text.starts_with(&format!("{name}=")) {
            return text;
        }
    }
    panic!("entry {sequence} has no {name}")
}

/// The change of a write-ahead file of one block with this number (`doc/log_format.md` of `LevelDB`).
fn change(bytes: &[u8], sequence: u64) -> Vec<u8> {
    let mut rest = bytes;
    while let [_, _, _, _, low, high, 1, tail @ ..] = rest {
        let (batch, behind) = tail.split_at(usize::from(u16::from_le_bytes([*low, *high])));
        rest = behind;
        let first = u64::from_le_bytes(batch[..8].try_into().unwrap());
        let mut changes = &batch[12..];
        let mut number = first;
        while let [kind, tail @ ..] = changes {
            changes = tail;
            let key = counted(&mut changes);
            let value = if *kind == 1 {
                counted(&mut changes)
            } else {
                Vec::new()
            };
            if number == sequence {
                return [key, value].concat();
            }
            number += 1;
        }
    }
    panic!("no change {sequence}");
}

fn counted(rest: &mut &[u8]) -> Vec<u8> {
    let (mut len, mut shift) = (0, 0);
    while let [byte, tail @ ..] = *rest {
        *rest = tail;
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (taken, tail) = rest.split_at(len);
    *rest = tail;
    taken.to_vec()
}

/// The command of a session file with this number, from 1.
fn command(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut rest = &bytes[8..];
    let mut command: &[u8] = &[];
    for _ in 0..number {
        let (size, tail) = rest.split_at(2);
        (command, rest) = tail.split_at(usize::from(u16::from_le_bytes([size[0], size[1]])));
    }
    command.to_vec()
}

/// What begins at this byte of a cache entry, a list, or the JSON of a session, up to its end or the next quote.
fn offset(place: &Place, file: &str, at: u64) -> String {
    let own = path(place);
    let beside = own.with_file_name(file);
    let mut bytes = std::fs::read(if beside.is_file() { beside } else { own }).unwrap();
    if bytes.starts_with(b"mozLz40\0") {
        bytes = lz4(&bytes[12..]);
    }
    let rest = &bytes[usize::try_from(at).unwrap()..];
    let end = rest.iter().position(|byte| *byte < b' ' || *byte == b'"');
    String::from_utf8_lossy(&rest[..end.unwrap_or(rest.len())]).into_owned()
}

/// One block of LZ4.
fn lz4(block: &[u8]) -> Vec<u8> {
    fn length(bits: u8, bytes: &mut dyn Iterator<Item = u8>) -> usize {
        let mut length = usize::from(bits);
        let mut more = if bits == 15 { 255 } else { 0 };
        while more == 255 {
            more = bytes.next().unwrap();
            length += usize::from(more);
        }
        length
    }
    let mut bytes = block.iter().copied();
    let mut out = Vec::new();
    while let Some(token) = bytes.next() {
        let literals = length(token >> 4, &mut bytes);
        out.extend(bytes.by_ref().take(literals));
        let Some(low) = bytes.next() else { break };
        let distance = usize::from(low) + 256 * usize::from(bytes.next().unwrap());
        for _ in 0..length(token & 15, &mut bytes) + 4 {
            out.push(out[out.len() - distance]);
        }
    }
    out
}

fn cell(place: &Place, table: &str, rowid: i64, column: &str) -> String {
    let uri = format!("file:{}?immutable=1", path(place).display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let database = Connection::open_with_flags(uri, flags).unwrap();
    // A table WITHOUT ROWID: the visit stands for it.
    let key = if table == "clusters_and_visits" {
        "visit_id"
    } else {
        "rowid"
    };
    let query = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE {key} = ?1");
    let bytes: Vec<u8> = database
        .query_row(&query, [rowid], |row| row.get(0))
        .unwrap();
    let plain = match (table, column) {
        ("cookies", "encrypted_value") => decrypted(&bytes),
        ("data", "value") => unpacked(&bytes),
        _ => bytes,
    };
    String::from_utf8_lossy(&plain).into_owned()
}

/// A cookie of Chromium on Linux without a keyring: AES-128-CBC.
fn decrypted(value: &[u8]) -> Vec<u8> {
    use aes::cipher::{BlockDecrypt, KeyInit};
    let key = data_encoding::HEXLOWER.decode(b"fd621fe5a2b402539dfa147ca9272778");
    let cipher = aes::Aes128::new_from_slice(&key.unwrap()).unwrap();
    let blocks = [&[b' '; 16], &value[3..]].concat();
    let (blocks, _) = blocks.as_chunks::<16>();
    let plain = blocks.windows(2).flat_map(|pair| {
        let [before, block] = pair else {
            unreachable!()
        };
        let mut open = (*block).into();
        cipher.decrypt_block(&mut open);
        let mask = before.iter().zip(open);
        mask.map(|(mask, byte)| mask ^ byte).collect::<Vec<u8>>()
    });
    plain.collect()
}

/// A raw Snappy block with literals and with copies of two bytes.
fn unpacked(block: &[u8]) -> Vec<u8> {
    let begin = block.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let mut rest = &block[begin..];
    let mut out = Vec::new();
    while let [tag, tail @ ..] = rest {
        let (len, skip) = match (tag & 3, tag >> 2) {
            (0, 60) => (usize::from(tail[0]) + 1, 1),
            (0, 61) => (usize::from(u16::from_le_bytes([tail[0], tail[1]])) + 1, 2),
            (0, len) => (usize::from(len) + 1, 0),
            (1, _) => {
                let offset = usize::from(tag >> 5) << 8 | usize::from(tail[0]);
                for _ in 0..usize::from(tag >> 2 & 7) + 4 {
                    out.push(out[out.len() - offset]);
                }
                rest = &tail[1..];
                continue;
            }
            other => panic!("{other:?} is not among the fixtures"),
        };
        out.extend(&tail[skip..skip + len]);
        rest = &tail[skip + len..];
    }
    out
}

/// The pages before that of a tab, in GNOME Web's session.
fn pages_before(line: &str) -> String {
    let list = line.split(" history=\"").nth(1);
    let list = list.and_then(|rest| rest.split('"').next());
    let bytes = list.and_then(|list| data_encoding::BASE64.decode(list.as_bytes()).ok());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).replace('\0', "\n")
}

/// The line with this number, which must begin at this byte if that is asked.
fn line(place: &Place, checked: bool) -> Option<String> {
    let Locator::Line { number, byte } = place.locator else {
        panic!("a line");
    };
    let file = path(place);
    let mut bytes = std::fs::read(&file).unwrap();
    let ending = file.extension().map(|it| it.to_string_lossy().into_owned());
    match ending.as_deref() {
        Some("gz") => {
            let packed = std::mem::take(&mut bytes);
            flate2::read::MultiGzDecoder::new(&packed[..])
                .read_to_end(&mut bytes)
                .unwrap();
        }
        Some("zst") => {
            let packed = std::mem::take(&mut bytes);
            bytes = zstd::decode_all(&packed[..]).unwrap();
        }
        Some("json") => return record_of_document(&bytes, number, byte),
        None if place.source.path.ends_with("_history") => {
            return command_of_history(&bytes, number, byte);
        }
        _ => {}
    }
    let mut start = 0;
    for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if at as u64 + 1 == number {
            assert!(!checked || start == byte, "{place:?} begins at {start}");
            return Some(String::from_utf8_lossy(line).into_owned());
        }
        start += line.len() as u64;
    }
    None
}

/// The record of a JSON document that begins at this byte, which must be in this line.
fn record_of_document(document: &[u8], number: u64, byte: u64) -> Option<String> {
    let (before, rest) = document.split_at_checked(usize::try_from(byte).unwrap())?;
    let line = before.split(|byte| *byte == b'\n').count();
    let record = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    let record = record.map(Result::unwrap).next()?;
    (line as u64 == number && record.is_object()).then(|| record.to_string())
}

/// The command of a shell's history that begins at this byte, which must be in this line, up to the next.
fn command_of_history(history: &[u8], number: u64, byte: u64) -> Option<String> {
    let (before, rest) = history.split_at_checked(usize::try_from(byte).unwrap())?;
    let line = before.split(|byte| *byte == b'\n').count();
    let begins = |line: &&[u8]| line.starts_with(b"#1") || line.starts_with(b": 1");
    let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next()?.to_vec();
    let whole = lines
        .take_while(|line| !begins(line))
        .fold(first, |text, line| [&text, line].concat());
    (line as u64 == number).then(|| String::from_utf8_lossy(&whole).into_owned())
}

/// A container's runtime cuts a long line into records: what they hold, put together.
fn rest_of_record(place: &Place, first: &str) -> String {
    let Locator::Line { number, .. } = place.locator else {
        panic!("a line");
    };
    let mut whole = String::new();
    let mut next = Some(first.to_owned());
    let mut number = number;
    while let Some(text) = next {
        let docker: Option<BTreeMap<String, Value>> = serde_json::from_str(&text).ok();
        let docker = docker.and_then(|it| Some(it.get("log")?.as_str()?.to_owned()));
        let stream = |text: &str| text.split(' ').nth(1).map(str::to_owned);
        let of_other_stream = docker.is_none() && stream(&text) != stream(first);
        let mut words = text.splitn(4, ' ');
        let cri = words.nth(2).zip(words.next());
        let (part, more) = match (docker, cri) {
            _ if of_other_stream => (String::new(), true),
            (Some(log), _) => (log.clone(), !log.ends_with('\n')),
            (None, Some((tag @ ("P" | "F"), log))) => (log.trim_end().to_owned(), tag == "P"),
            _ => return whole,
        };
        whole += &part;
        number += 1;
        let mut place = place.clone();
        place.locator = Locator::Line { number, byte: 0 };
        next = if more { line(&place, false) } else { None };
    }
    whole
}

fn entry(place: &Place, index: u64, pointer: &str) -> String {
    let har: Value = serde_json::from_slice(&std::fs::read(path(place)).unwrap()).unwrap();
    let of_entry = pointer.starts_with(&format!("/log/entries/{index}"));
    assert!(
        of_entry || !pointer.starts_with("/log/entries"),
        "{place:?}"
    );
    let value = har
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{place:?} leads nowhere"));
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn path(place: &Place) -> PathBuf {
    root().join(&*place.source.path)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
