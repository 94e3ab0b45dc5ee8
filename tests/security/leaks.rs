//! No credential of the evidence is in anything that a run writes: every container, every encoding, every command,
//! every form of the report; in errors, in a panic, and in what a crash leaves.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::disguise::disguises;
use crate::{FORMATS, program, run, scanning, tried};

/// Of a credential, twice as many characters in a row are too many.
const PART: usize = 12;

/// How a value may stand in the evidence.
const ENCODINGS: [&str; 7] = [
    "raw",
    "percent",
    "base64",
    "base64url",
    "json",
    "hex",
    "html",
];

/// Files in which values may stand.
const CONTAINERS: [&str; 9] = [
    "access.log",
    "json.log",
    "wide.log",
    "packed.log.gz",
    "x.har",
    "History",
    "places.sqlite",
    "logs.tar",
    "note.txt",
];

fn value(random: &[u8]) -> String {
    let alphabet = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let letter = |byte: &u8| char::from(alphabet[usize::from(*byte) % alphabet.len()]);
    random.iter().map(letter).collect()
}

fn encoded(way: &str, value: &str) -> String {
    let each = |form: fn(u8) -> String| value.bytes().map(form).collect::<String>();
    match way {
        "percent" => each(|byte| format!("%{byte:02x}")),
        "base64" => BASE64.encode(value.as_bytes()),
        "base64url" => {
            BASE64URL_NOPAD.encode(format!("{{\"access_token\":\"{value}\"}}").as_bytes())
        }
        "json" => each(|byte| format!("\\u{:04x}", u32::from(byte))),
        "hex" => HEXUPPER.encode(value.as_bytes()),
        "html" => each(|byte| format!("&#x{byte:x};")),
        _ => value.to_owned(),
    }
}

/// Texts with the value in each part of a message that a reader takes apart.
fn texts(value: &str) -> Vec<String> {
    vec![
        format!("https://app.example/cb?access_token={value}&state=x"),
        format!("https://app.example/cb#id_token={value}&token_type=bearer"),
        format!("https://app.example/reset/{value}/next?code={value}"),
        format!("https://bob:{value}@app.example/?{value}=1&client_secret={value}"),
        format!(
            "https://idp.example/authorize?client_id=app&response_type=code&login_hint={value}&redirect_uri=https%3A%2F%2Fapp.example%2F%3Ftoken%3D{value}"
        ),
        format!("Authorization: Bearer {value}"),
        format!("Cookie: session={value}; sid={value}"),
        format!("{{\"refresh_token\":\"{value}\",\"error_description\":\"{value}\"}}"),
        format!("<input type=\"hidden\" name=\"SAMLResponse\" value=\"{value}\">"),
    ]
}

fn log(texts: &[String]) -> String {
    let line = |text: &String| {
        format!(
            "2026-11-23T01:28:04Z ERROR [main] {text}\n192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET {text} HTTP/1.1\" 200 5 \"{text}\" \"{text}\"\n"
        )
    };
    texts.iter().map(line).collect()
}

fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(512) + 1024, 0);
    header
}

fn database(path: &Path, tables: &str, row: &str, texts: &[String]) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(tables).unwrap();
    for text in texts {
        connection.execute(row, [text]).unwrap();
    }
}

/// Writes the texts into one kind of file.
fn write(dir: &Path, container: &str, texts: &[String]) {
    let path = dir.join(container);
    let plain = log(texts);
    let json = |text: &String| serde_json::json!({"time": "2026-11-23T01:28:04Z", "msg": text, "url": text, "headers": {"x": text}});
    match container {
        "json.log" => fs::write(path, texts.iter().map(|it| json(it).to_string() + "\n").collect::<String>()).unwrap(),
        "wide.log" => {
            let wide: Vec<u8> = format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
            fs::write(path, wide).unwrap();
        }
        "packed.log.gz" => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(plain.as_bytes()).unwrap();
            fs::write(path, gzip.finish().unwrap()).unwrap();
        }
        "x.har" => {
            let entry = |text: &String| serde_json::json!({
                "startedDateTime": "2026-11-23T01:28:04Z",
                "request": {"method": "POST", "url": text, "headers": [{"name": "Authorization", "value": text}, {"name": text, "value": "x"}],
                    "postData": {"mimeType": "application/x-www-form-urlencoded", "text": text}},
                "response": {"status": 302, "headers": [{"name": "Location", "value": text}],
                    "content": {"mimeType": "application/json", "text": text}},
            });
            let entries: Vec<_> = texts.iter().map(entry).collect();
            fs::write(path, serde_json::json!({"log": {"version": "1.2", "entries": entries}}).to_string()).unwrap();
        }
        "History" => database(
            &path,
            "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, title, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);",
            "INSERT INTO urls(url, title, last_visit_time) VALUES(?1, ?1, 13408000000000000)",
            texts,
        ),
        "places.sqlite" => database(
            &path,
            "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT, title TEXT, last_visit_date INTEGER);
             CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER);",
            "INSERT INTO moz_places(url, title, last_visit_date) VALUES(?1, ?1, 1795410000000000)",
            texts,
        ),
        "logs.tar" => fs::write(path, tar("app.log", plain.as_bytes())).unwrap(),
        _ => fs::write(path, plain).unwrap(),
    }
}

/// What may stand nowhere: parts of values, in whatever form.
struct Parts(AhoCorasick);

impl Parts {
    fn of(values: &[String]) -> Self {
        let parts = values.iter().flat_map(|value| parts(value));
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(parts);
        Self(search.unwrap())
    }

    /// A part that stands in the text, with what is around it.
    fn shown(&self, text: &str) -> Option<String> {
        let at = self.0.find(text)?.start();
        let around = at.saturating_sub(120)..text.len().min(at + 120);
        Some(String::from_utf8_lossy(&text.as_bytes()[around]).into_owned())
    }
}

/// Pieces side by side: of any stretch of twice the length, one is whole. The longer forms have longer pieces.
fn parts(value: &str) -> Vec<Vec<u8>> {
    let each = |form: fn(u8) -> String| value.bytes().map(form).collect::<String>();
    let mut forms: Vec<String> = disguises(value).into_iter().collect();
    forms.extend([
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("\\u{:04x}", u32::from(byte))),
        each(|byte| format!("&#x{byte:x};")),
        each(|byte| format!("{}\\u0000", char::from(byte))),
        HEXLOWER.encode(value.as_bytes()),
    ]);
    let pieces = |form: &String| {
        let part = PART * form.len().div_ceil(value.len()).max(1);
        let pieces = form.as_bytes().chunks_exact(part).map(<[u8]>::to_vec);
        pieces.collect::<Vec<_>>()
    };
    forms.iter().flat_map(pieces).collect()
}

/// All that a command writes, and its standard output.
fn written(dir: &Path, args: &[&str], input: &[u8]) -> (String, Vec<u8>) {
    let output = run(&mut program(dir, args), input);
    let code = output.status.code();
    assert!(matches!(code, Some(0..=3)), "{args:?}: {output:?}");
    let text = [&*output.stdout, &*output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.stdout)
}

/// Every way to look at a folder, with the name of each.
fn ways(dir: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut scan = |options: &[&str]| {
        let (text, bytes) = written(dir, &scanning(&[&["evidence"], options].concat()), b"");
        all.push((options.join(" "), text));
        bytes
    };
    for format in FORMATS {
        scan(&["-f", format]);
    }
    scan(&["--reveal", "identities", "-f", "json"]);
    scan(&["--residue", "--hash", "--all-text", "-f", "ndjson"]);
    scan(&["--group-by", "source", "--sort", "newest", "-q"]);
    for reader in tokentrail::collect::read::named() {
        scan(&["--type", reader.name, "-f", "json"]);
    }
    let saved = scan(&["-f", "json"]);
    fs::write(dir.join("saved.json"), saved).unwrap();
    let mut after = |args: &[&str], input: &[u8]| {
        let (text, bytes) = written(dir, args, input);
        all.push((args.join(" "), text));
        bytes
    };
    let sightings = after(&["scan", "evidence", "--sightings"], b"");
    for format in FORMATS {
        after(&["correlate", "-", "-f", format], &sightings);
        after(&["report", "saved.json", "-f", format], b"");
    }
    after(
        &[
            "baseline",
            "write",
            "saved.json",
            "--baseline",
            "accepted.toml",
        ],
        b"",
    );
    let baseline = fs::read_to_string(dir.join("accepted.toml")).unwrap();
    all.push(("the baseline".into(), baseline));
    all
}

proptest! {
    #![proptest_config(Config { cases: 1, max_shrink_iters: 0, rng_seed: RngSeed::Fixed(20_261_125), failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_command_shows_a_part_of_a_credential_however_it_stands(seed in prop::collection::vec(any::<u8>(), 43)) {
        let dir = tempfile::tempdir().unwrap();
        let evidence = dir.path().join("evidence");
        fs::create_dir(&evidence).unwrap();
        let mut values = Vec::new();
        for (number, container) in (1_u8..).zip(CONTAINERS) {
            let mut all = Vec::new();
            for (way, encoding) in (1_u8..).zip(ENCODINGS) {
                let own: Vec<u8> = (0_u8..).zip(&seed).map(|(at, byte)| byte.wrapping_mul(way.wrapping_mul(2) | 1).wrapping_add(number.wrapping_mul(at | 1))).collect();
                let value = value(&own);
                all.extend(texts(&encoded(encoding, &value)));
                values.push(value);
            }
            write(&evidence, container, &all);
        }
        let ways = ways(dir.path());
        prop_assert!(ways[0].1.contains("access_token"), "nothing is found: {}", ways[0].1);
        let parts = Parts::of(&values);
        for (way, text) in &ways {
            prop_assert_eq!(parts.shown(text), None, "{}", way);
        }
        tried("no_command_shows_a_part_of_a_credential_however_it_stands", "inputs", values.len() * texts("").len());
        tried("no_command_shows_a_part_of_a_credential_however_it_stands", "outputs", ways.len());
    }
}

#[test]
fn every_disguise_would_be_noticed() {
    let value = value(&[7, 31, 99, 200, 13, 58, 171, 240, 66, 4].repeat(4));
    let parts = Parts::of(std::slice::from_ref(&value));
    for encoding in ENCODINGS.into_iter().filter(|it| *it != "base64url") {
        let text = format!("x{}y", encoded(encoding, &value));
        assert!(parts.shown(&text).is_some(), "{encoding}");
    }
    let nested = BASE64URL_NOPAD.encode(format!("abc{value}").as_bytes());
    assert!(parts.shown(&nested.to_ascii_lowercase()).is_some());
    assert_eq!(
        parts.shown("nothing of it, at a length that would do"),
        None
    );
}

#[cfg(target_os = "linux")]
mod crashes {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    use super::*;

    const SECRET: &str = "qZ7x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6";

    #[test]
    fn a_crash_leaves_no_dump_of_the_memory() {
        let dir = tempfile::tempdir().unwrap();
        // As large as it may be, so that the limit is the program's own.
        let script = "ulimit -c $(ulimit -H -c); exec \"$0\" scan -";
        let mut child = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_tokentrail")])
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds: when it is written, the program is reading.
        stdin
            .write_all(crate::line(1).repeat(4_000).as_bytes())
            .unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits
            .lines()
            .find(|it| it.starts_with("Max core file size"));
        let core: Vec<&str> = core.unwrap().split_whitespace().skip(4).take(2).collect();
        assert_eq!(core, ["0", "0"]);
        let killed = Command::new("kill")
            .args(["-ABRT", &child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
        assert!(crate::names(dir.path()).is_empty());
        tried("a_crash_leaves_no_dump_of_the_memory", "faults", 1);
    }

    /// Not a test of its own: what the next one runs in another process.
    #[test]
    #[ignore = "panics; it is run by a_panic_quotes_nothing"]
    fn panics_with_a_secret() {
        tokentrail::process::seal();
        let text = format!("€{SECRET}");
        assert!(text[1..].is_empty(), "it is cut inside a character");
    }

    #[test]
    fn a_panic_quotes_nothing() {
        let own = std::env::current_exe().unwrap();
        let args = [
            "--ignored",
            "--exact",
            "--nocapture",
            "leaks::crashes::panics_with_a_secret",
        ];
        let output = Command::new(own).args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("tokentrail: a fault of the program at tests/security/leaks.rs:"),
            "{text}"
        );
        assert!(text.contains("1 failed"), "{text}");
        assert!(!text.contains(SECRET), "{text}");
        tried("a_panic_quotes_nothing", "faults", 1);
    }
}
