//! Journals of systemd: a field is told with the entries that have it, in every form of the file, and what is damaged
//! costs nothing else. `fixtures/logs/system.journal.zst` was written by systemd-journald 252; the journals here are
//! written after `systemd.io/JOURNAL_FILE_FORMAT`.

use std::sync::Arc;

use tokentrail::atoms::{Locator, Source};
use tokentrail::collect::journal::JOURNAL;
use tokentrail::collect::{Context, Evidence, Observation, ReadError, Sink};

use super::{Cursor, Reading, payload, rules};

/// Bytes of the header, and where the objects begin.
const HEADER: usize = 208;

/// 2026-11-23T05:00:00Z, in microseconds since 1970.
const NOW: u64 = 1_795_410_000_000_000;

/// How a journal is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Plain,
    Compact,
}

/// A journal, object by object.
struct Journal {
    form: Form,
    bytes: Vec<u8>,
}

impl Journal {
    fn new(form: Form) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[..8].copy_from_slice(b"LPKSHHRH");
        let flags: u32 = if form == Form::Compact {
            4 | 8 | 16
        } else {
            1 | 2 | 4
        };
        bytes[12..16].copy_from_slice(&flags.to_le_bytes());
        bytes[88..96].copy_from_slice(&(HEADER as u64).to_le_bytes());
        Self { form, bytes }
    }

    /// Appends an object, and says where.
    fn object(&mut self, kind: u8, flags: u8, body: &[u8]) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let offset = self.bytes.len();
        self.bytes.extend([kind, flags, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend((body.len() as u64 + 16).to_le_bytes());
        self.bytes.extend(body);
        offset
    }

    /// A field that no entry has yet.
    fn packed(&mut self, flags: u8, payload: &[u8]) -> usize {
        let fixed = if self.form == Form::Compact { 56 } else { 48 };
        self.object(1, flags, &[&vec![0; fixed], payload].concat())
    }

    fn field(&mut self, text: &str) -> usize {
        self.packed(0, text.as_bytes())
    }

    /// An entry so many seconds after five o'clock that has a field.
    fn entry(&mut self, sequence: u64, seconds: u64, field: usize) -> usize {
        let mut body = Vec::new();
        for number in [sequence, NOW + seconds * 1_000_000, 0, 0, 0, 0] {
            body.extend(number.to_le_bytes());
        }
        body.extend(self.name(field));
        if self.form == Form::Plain {
            body.extend([0; 8]);
        }
        self.object(3, 0, &body)
    }

    /// An array of entries, with room for more.
    fn array(&mut self, next: usize, entries: &[usize], room: usize) -> usize {
        let mut body = (next as u64).to_le_bytes().to_vec();
        for entry in entries.iter().chain(&vec![0; room]) {
            body.extend(self.name(*entry));
        }
        self.object(6, 0, &body)
    }

    /// How one object names another.
    fn name(&self, offset: usize) -> Vec<u8> {
        match self.form {
            Form::Compact => u32::try_from(offset).unwrap().to_le_bytes().to_vec(),
            Form::Plain => (offset as u64).to_le_bytes().to_vec(),
        }
    }

    /// Ties a field to its entries: the first, the array of the others, how many there are.
    fn tie(&mut self, field: usize, ties: [usize; 3]) {
        let at = field + 40;
        for (place, number) in self.bytes[at..at + 24].chunks_mut(8).zip(ties) {
            place.copy_from_slice(&(number as u64).to_le_bytes());
        }
    }

    /// A field with one entry.
    fn told(&mut self, sequence: u64, text: &str) -> usize {
        let field = self.field(text);
        let entry = self.entry(sequence, sequence, field);
        self.tie(field, [entry, 0, 1]);
        field
    }
}

fn read(bytes: Vec<u8>) -> Reading {
    let evidence = Evidence::stream(Box::new(Cursor::new(bytes)), "system.journal").unwrap();
    read_evidence(&evidence)
}

fn read_evidence(evidence: &Evidence) -> Reading {
    let context = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    assert!((JOURNAL.claims)(evidence, &context));
    let (mut observations, mut problems) = (Vec::new(), Vec::new());
    let mut observe = |observation| observations.push(observation);
    let mut problem = |error: ReadError| problems.push(error.to_string());
    let mut sink = Sink {
        observe: &mut observe,
        problem: &mut problem,
    };
    let source = Arc::new(Source::default());
    let end = (JOURNAL.read)(evidence, &source, &context, &mut sink);
    problems.extend(end.err().map(|error| error.to_string()));
    Reading {
        observations,
        problems,
    }
}

/// One line for an observation: entry, time of day, field, how reached, what.
fn shown(observation: &Observation) -> String {
    let Locator::Record {
        file,
        key,
        sequence,
    } = &observation.place.locator
    else {
        panic!("a journal has records");
    };
    assert_eq!(&**file, "system.journal");
    let at = observation
        .at
        .map(|at| at.instant.strftime("%T").to_string());
    let at = at.as_deref().unwrap_or("-");
    format!("#{sequence} {at} {key} {}", payload(observation))
}

fn told(journal: &Journal) -> Vec<String> {
    let reading = read(journal.bytes.clone());
    assert_eq!(reading.problems, Vec::<String>::new());
    reading.observations.iter().map(shown).collect()
}

#[test]
fn what_journald_wrote_is_read_as_its_messages_are() {
    let path = "fixtures/logs/system.journal.zst";
    let evidence = Evidence::file(path.as_ref(), path).unwrap();
    let reading = read_evidence(&evidence);
    assert_eq!(reading.problems, Vec::<String>::new());
    let short = |observation: &Observation| shown(observation).chars().take(110).collect();
    let lines: Vec<String> = reading.observations.iter().map(short).collect();
    assert_eq!(
        lines,
        [
            "#3 03:30:02 MESSAGE url /callback?code=qZ7101x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6&state=vB3nQ8rT6yU1pL5k",
            "#5 03:30:02 MESSAGE members level=debug msg=token response grant_type=authorization_code client_id=shop-web ac",
            "#6 03:30:04 _CMDLINE text /usr/bin/python3 /opt/sync/sync.py orders --client-id sync --client-secret qZ7105x8R",
            "#8 03:30:04 _CMDLINE text /usr/bin/python3 /opt/sync/sync.py orders --client-id sync --client-secret qZ7105x8R",
            "#9 03:30:05 COREDUMP_ENVIRON text PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/srv/shop\nOIDC_CLIENT_ID=shop-web\nOID",
        ]
    );
}

#[test]
fn every_form_of_a_field_is_read() {
    const XZ: &str = "fd377a585a000000ff12d9410200210116000000742fe5a30100244d4553534147453d474554202f63623f6163636573735f746f6b656e3d7061636b65642d780000000000013525daa3b3c906729e7a010000000000595a";
    let text = b"MESSAGE=GET /cb?access_token=packed-x";
    let xz = data_encoding::HEXLOWER.decode(XZ.as_bytes()).unwrap();
    // Fifteen literals and more in the first byte, how many more in the second.
    let block = [
        &[0xf0, u8::try_from(text.len()).unwrap() - 15],
        text.as_slice(),
    ]
    .concat();
    let lz4 = [(text.len() as u64).to_le_bytes().as_slice(), &block].concat();
    let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
    for form in [Form::Plain, Form::Compact] {
        for (flags, payload) in [
            (0, text.to_vec()),
            (1, xz.clone()),
            (2, lz4.clone()),
            (4, zstd.clone()),
        ] {
            let mut journal = Journal::new(form);
            let field = journal.packed(flags, &payload);
            let entry = journal.entry(7, 2, field);
            journal.tie(field, [entry, 0, 1]);
            let wanted = ["#7 05:00:02 MESSAGE text GET /cb?access_token=packed-x"];
            assert_eq!(told(&journal), wanted, "{form:?} {flags}");
            // One that is cut is told, and what was before the cut is read.
            let cut = payload.len() - 8;
            let mut journal = Journal::new(form);
            journal.packed(flags, &payload[..cut]);
            let problems = read(journal.bytes).problems;
            assert_eq!(
                problems.is_empty(),
                flags == 0,
                "{form:?} {flags}: {problems:?}"
            );
        }
    }
}

#[test]
fn a_length_that_is_a_lie_hides_nothing() {
    let text = b"MESSAGE=GET /cb?access_token=packed-x";
    let block = [
        &[0xf0, u8::try_from(text.len()).unwrap() - 15],
        text.as_slice(),
    ]
    .concat();
    for stated in [8_u64, 1 << 40] {
        let mut journal = Journal::new(Form::Compact);
        let field = journal.packed(2, &[stated.to_le_bytes().as_slice(), &block].concat());
        let entry = journal.entry(7, 2, field);
        journal.tie(field, [entry, 0, 1]);
        let reading = read(journal.bytes);
        let lines: Vec<String> = reading.observations.iter().map(shown).collect();
        let wanted = ["#7 05:00:02 MESSAGE text GET /cb?access_token=packed-x"];
        assert_eq!(lines, wanted, "{stated}");
        let problems = reading.problems;
        assert!(
            problems.len() == 1
                && problems[0].starts_with("has compressed fields that are damaged"),
            "{stated}: {problems:?}"
        );
    }
}

#[test]
fn a_field_of_many_entries_has_the_time_of_its_first_and_of_its_last() {
    for form in [Form::Plain, Form::Compact] {
        for count in 1..12 {
            let mut journal = Journal::new(form);
            let field = journal.field("_CMDLINE=sync --access-token first-x");
            let entries: Vec<usize> = (1..=count as u64)
                .map(|n| journal.entry(n, n, field))
                .collect();
            // Each array has twice the room of the one before it, and names the next.
            let (mut next, mut begin, mut room) = (0, 1, 1);
            let mut arrays = Vec::new();
            while begin < entries.len() {
                let end = entries.len().min(begin + room);
                arrays.push((&entries[begin..end], begin + room - end));
                (begin, room) = (end, room * 2);
            }
            for (entries, room) in arrays.into_iter().rev() {
                next = journal.array(next, entries, room);
            }
            journal.tie(field, [entries[0], next, count]);
            let line =
                |n: u64| format!("#{n} 05:00:{n:02} _CMDLINE text sync --access-token first-x");
            let mut wanted = vec![line(1), line(count as u64)];
            wanted.dedup();
            assert_eq!(told(&journal), wanted, "{form:?} {count}");
        }
    }
}

#[test]
fn a_field_that_a_crash_left_without_an_entry_is_read() {
    let mut journal = Journal::new(Form::Compact);
    journal.field("ACCESS_TOKEN=first-x");
    journal.bytes.resize(4_096, 0);
    assert_eq!(
        told(&journal),
        ["#0 - ACCESS_TOKEN field ACCESS_TOKEN=first-x"]
    );
}

#[test]
fn a_message_is_a_line_of_a_log_with_its_own_time() {
    let mut journal = Journal::new(Form::Plain);
    journal.told(
        1,
        "MESSAGE=192.0.2.7 - - [23/Nov/2026:04:59:58 +0000] \"GET /cb?code=first-x HTTP/1.1\" 302 5 \"-\" \"x\"",
    );
    journal.told(2, "MESSAGE=code=second-x\nAuthorization: Bearer third-x");
    journal.told(3, "URL=https://a.example/cb?code=fourth-x");
    journal.told(3, "REFRESH_TOKEN=second-x\n");
    journal.told(4, "lower=code=fifth-x");
    journal.told(5, "code=sixth-x");
    assert_eq!(
        told(&journal),
        [
            "#1 04:59:58 MESSAGE url /cb?code=first-x",
            "#2 05:00:02 MESSAGE text code=second-x\nAuthorization: Bearer third-x",
            "#3 05:00:03 URL url https://a.example/cb?code=fourth-x",
            "#3 05:00:03 REFRESH_TOKEN field REFRESH_TOKEN=second-x",
        ]
    );
}

#[test]
fn what_the_audit_system_has_in_hexadecimal_is_text() {
    let mut journal = Journal::new(Form::Compact);
    let hex = data_encoding::HEXUPPER.encode(b"Authorization: Bearer first-x");
    journal.told(
        1,
        &format!("MESSAGE=EXECVE argc=3 a0=\"curl\" a1=\"-H\" a2={hex}"),
    );
    journal.told(
        2,
        &format!("MESSAGE=OTHER argc=3 a0=\"curl\" a1=\"-H\" a2={hex}"),
    );
    let told = told(&journal);
    let told: Vec<_> = told.iter().map(|line| line.trim_end()).collect();
    let begin = "MESSAGE text EXECVE argc=3 a0=\"curl\" a1=\"-H\"";
    let decoded = format!("#1 05:00:01 {begin} a2=\"Authorization: Bearer first-x\"");
    let other = begin.replace("EXECVE", "OTHER");
    assert_eq!(told, [decoded, format!("#2 05:00:02 {other} a2={hex}")]);
}

const DAMAGED: &str = "is damaged in places, as after a crash or in a copy made while it was written; what could be told from the damage was read";

#[test]
fn damage_costs_what_is_damaged() {
    let whole = || {
        let mut journal = Journal::new(Form::Compact);
        journal.told(1, "MESSAGE=code=first-x");
        let second = journal.told(2, "MESSAGE=code=second-x");
        journal.told(3, "MESSAGE=code=third-x");
        (journal, second)
    };
    let line = |n: u64, what| format!("#{n} 05:00:{n:02} MESSAGE text code={what}-x");
    let entry = 24 + 72;
    // Of the field: a kind that none has, a size that leads nowhere, one that leads into its text, one beyond others, one
    // beyond the end. Of its entry: a size beyond all that follow.
    for (at, byte, is_read) in [
        (0, 9, false),
        (8, 3, false),
        (8, 80, true),
        (9, 1, true),
        (15, 1, true),
        (entry + 9, 1, true),
    ] {
        let (mut journal, second) = whole();
        journal.bytes[second + at] = byte;
        let reading = read(journal.bytes);
        let lines: Vec<_> = reading.observations.iter().map(shown).collect();
        let all = [line(1, "first"), line(2, "second"), line(3, "third")];
        assert!(
            lines.contains(&all[0]) && lines.contains(&all[2]),
            "{at} {byte}: {lines:?}"
        );
        assert_eq!(lines.contains(&all[1]), is_read, "{at} {byte}: {lines:?}");
        assert_eq!(reading.problems, [DAMAGED], "{at} {byte}");
    }
    // A copy that ends early has what came before, and the part of the text that it has.
    let (journal, second) = whole();
    for len in 152..journal.bytes.len() {
        let reading = read(journal.bytes[..len].to_vec());
        let lines: Vec<_> = reading.observations.iter().map(shown).collect();
        // Number and time of its entry, which lies before the second field.
        let is_dated = len >= second - 72 + 32;
        assert_eq!(lines.contains(&line(1, "first")), is_dated, "{len}");
        assert!(reading.problems.len() <= 1, "{len}");
    }
}

#[test]
fn objects_that_are_gone_are_told() {
    let mut journal = Journal::new(Form::Plain);
    journal.told(1, "MESSAGE=code=first-x");
    let second = journal.told(2, "MESSAGE=code=second-x");
    journal.bytes[144] = 4;
    assert_eq!(told(&journal).len(), 2);
    journal.bytes[second..].fill(0);
    let reading = read(journal.bytes);
    assert_eq!(reading.observations.len(), 1);
    let short = "has less than its header says, as after a crash or in a copy made while it was written; what is there was read";
    assert_eq!(reading.problems, [short]);
}

#[test]
fn a_header_that_leads_beyond_the_file_hides_nothing() {
    let mut journal = Journal::new(Form::Plain);
    journal.told(1, "MESSAGE=code=first-x");
    journal.bytes[93] = 1;
    let reading = read(journal.bytes);
    assert_eq!(reading.observations.len(), 1);
    assert_eq!(reading.problems, [DAMAGED]);
}

#[test]
fn a_field_whose_end_is_lost_ends_where_its_text_does() {
    for len in 0..8 {
        let text = format!("code=first-{}", "x".repeat(len));
        let mut journal = Journal::new(Form::Plain);
        let field = journal.told(1, &format!("MESSAGE={text}"));
        journal.bytes[field + 15] = 1;
        let reading = read(journal.bytes);
        let lines: Vec<_> = reading.observations.iter().map(shown).collect();
        assert_eq!(lines, [format!("#1 05:00:01 MESSAGE text {text}")], "{len}");
    }
    let long: Vec<_> = (0..2_000).map(|n| n.to_string()).collect();
    let long = long.join(" ");
    let packed = zstd::encode_all(format!("MESSAGE=code=first-x {long}").as_bytes(), 1).unwrap();
    let mut journal = Journal::new(Form::Plain);
    let field = journal.packed(4, &packed);
    journal.bytes[field + 15] = 1;
    let reading = read(journal.bytes);
    assert_eq!(reading.observations.len(), 1);
    assert_eq!(reading.problems, [DAMAGED]);
}

#[test]
fn only_so_many_fields_without_an_end_are_read() {
    let mut journal = Journal::new(Form::Plain);
    for number in 0..100 {
        let field = journal.field(&format!("MESSAGE=code=number-{number}"));
        journal.bytes[field + 15] = 1;
        journal.object(4, 0, &[]);
    }
    let reading = read(journal.bytes);
    assert_eq!(reading.observations.len(), 64);
    assert_eq!(reading.problems, [DAMAGED]);
}

#[test]
fn what_leads_nowhere_ends() {
    for form in [Form::Plain, Form::Compact] {
        let mut journal = Journal::new(form);
        let field = journal.field("MESSAGE=code=first-x");
        let entry = journal.entry(1, 1, field);
        let array = journal.array(0, &[entry], 0);
        // An array that is its own next.
        journal.bytes[array + 16..][..8].copy_from_slice(&(array as u64).to_le_bytes());
        let empty = journal.array(0, &[], 0);
        let line = "#1 05:00:01 MESSAGE text code=first-x";
        for ties in [
            [entry, array, usize::MAX],
            [entry, empty, 9],
            [entry, field, 2],
            [entry, usize::MAX, 2],
            [entry, 8, 2],
        ] {
            let mut journal = Journal {
                form,
                bytes: journal.bytes.clone(),
            };
            journal.tie(field, ties);
            assert_eq!(told(&journal), [line], "{form:?} {ties:?}");
        }
        journal.tie(field, [usize::MAX, 0, 1]);
        assert_eq!(
            told(&journal),
            ["#0 - MESSAGE text code=first-x"],
            "{form:?}"
        );
    }
}

#[test]
fn a_field_is_searched_within_a_bound() {
    let long = |from: usize| [b"MESSAGE=code=first-x ".as_slice(), &vec![b'x'; from]].concat();
    let larger = "1 of its fields are larger than 16 MiB; what follows in them was not searched";
    let packed = zstd::encode_all(long(17 << 20).as_slice(), 1).unwrap();
    for (flags, payload) in [(0, long(17 << 20)), (4, packed)] {
        let mut journal = Journal::new(Form::Plain);
        journal.packed(flags, &payload);
        journal.told(2, "MESSAGE=code=second-x");
        let reading = read(journal.bytes);
        assert_eq!(reading.observations.len(), 2, "{flags}");
        assert_eq!(reading.problems, [larger], "{flags}");
    }
}

#[test]
fn fields_that_expand_are_bounded_together() {
    let packed = zstd::encode_all(vec![b'x'; 16 << 20].as_slice(), 1).unwrap();
    let mut journal = Journal::new(Form::Compact);
    for _ in 0..100 {
        journal.packed(4, &packed);
    }
    journal.told(1, "MESSAGE=code=first-x");
    let room = (64 << 20) + 100 * journal.bytes.len();
    let left = 100 - room / (16 << 20);
    assert!(left > 50, "{left}");
    let reading = read(journal.bytes);
    assert_eq!(reading.observations.len(), 1);
    assert_eq!(
        reading.problems,
        [format!(
            "expands more than 100 times, like a decompression bomb; {left} of its fields were left"
        )]
    );
}

#[test]
fn a_form_that_is_not_known_is_told() {
    let mut journal = Journal::new(Form::Plain);
    journal.told(1, "MESSAGE=code=first-x");
    journal.bytes[12] = 32;
    let reading = read(journal.bytes.clone());
    assert!(reading.observations.is_empty());
    assert_eq!(
        reading.problems,
        [
            "is a journal in a form that this version does not read; write it out with `journalctl --file NAME -o json --all`, and scan that"
        ]
    );
    let problems = read(journal.bytes[..90].to_vec()).problems;
    assert_eq!(problems, ["ends within its header; copy it again"]);
}
