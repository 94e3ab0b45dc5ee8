//! Times the parts of a scan by themselves: `cargo bench` prints the best of several rounds of each. What whole
//! scans take is `run.py`'s part, and what must not grow is that of `instructions`.
//!
//! `cargo bench -- serde-har FILE` reads a capture's entries with `serde_json` alone: what `run.py` compares with.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, Cursor};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{FingerprintKey, Source};
use tokentrail::collect::log::LOG;
use tokentrail::collect::{Context, Evidence, Observation, Reader, Sink, har};
use tokentrail::detect::{self, Detector, Memory, Reveal};

/// Bytes of each input.
const SIZE: usize = 8 << 20;

/// Rounds, of which the best counts.
const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, path, ..] = arguments.as_slice()
        && mode == "serde-har"
    {
        println!("{} entries", entries(path)?);
        return Ok(());
    }
    let rules = Rules::builtin()?;
    for (name, line) in LINES {
        let input = repeated(line);
        let best = best(|| rules.needles.hit(black_box(&input)));
        println!("needles, {name:16} {:7.0} MiB/s", rate(input.len(), best));
    }
    println!(
        "rules, read          {:7.2} ms",
        best(|| Rules::builtin().is_ok()).as_secs_f64() * 1e3
    );
    let log = repeated(LINES[0].1);
    let capture = [
        b"{\"log\":{\"entries\":[".as_slice(),
        &repeated(ENTRY),
        b"{}]}}",
    ]
    .concat();
    for (name, reader, input) in [("log", &LOG, &log), ("HAR", &har::READER, &capture)] {
        let best = best(|| observations(reader, input, &rules).len());
        println!(
            "{name}, read            {:7.0} MiB/s",
            rate(input.len(), best)
        );
    }
    let leaks = observations(&LOG, &LEAK.repeat(1_000), &rules);
    let key = FingerprintKey::default();
    let detector = Detector {
        rules: &rules,
        key: &key,
        jwks: None,
        reveal: Reveal::default(),
    };
    let best = best(|| {
        let mut memory = Memory::default();
        let found = leaks
            .iter()
            .map(|leak| detect::sightings(leak, &detector, &mut memory).len());
        found.sum::<usize>()
    });
    println!(
        "detect, an observation {:5.1} us",
        best.as_secs_f64() * 1e6 / 1e3
    );
    Ok(())
}

/// Lines that hold nothing, of the shapes that cost most.
const LINES: [(&str, &[u8]); 5] = [
    ("access log", b"192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET /a/b?id=4&page_token=x HTTP/1.1\" 200 3 \"https://a.example/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n"),
    ("beacon", b"192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET /b?aa=1&bb=2&cc=3&dd=4&ee=5&ff=6&gg=7&hh=8&ii=9&jj=1&kk=2 HTTP/1.1\" 200 3\n"),
    ("JSON lines", b"{\"ts\":\"2026-11-21T10:00:00Z\",\"level\":\"info\",\"msg\":\"request done\",\"path\":\"/a/b\",\"status\":200,\"ms\":12}\n"),
    ("percent", b"192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET /wiki/%D0%B0%D0%B1%D0%B2%D0%B3%D0%B4%D0%B5%D0%B6 HTTP/1.1\" 200 3\n"),
    ("base64", b"2026-11-21T10:00:00Z upload qL0x3Vb9nQm2Zp7Lw4TsYc8RkHd5Gf1UaXo6MvPzBtNjWqErIySlKh0x3Vb9nQm2Zp7Lw4TsYc8Rk==\n"),
];

/// A line that leaks.
const LEAK: &[u8] = b"192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] \"GET /cb?code=aZ3kQ9xV7mT2pL5w&state=Yg8sFe1TtW6ap HTTP/1.1\" 302 0 \"-\" \"x\"\n";

/// An entry that holds nothing.
const ENTRY: &[u8] = br#"{"request":{"method":"GET","url":"https://a.example/b","headers":[{"name":"accept","value":"*/*"}]},"response":{"status":200,"redirectURL":"","content":{"mimeType":"text/javascript","text":"function a(b){return b.map((c)=>\"x\"+c)}\n"}}},
"#;

fn repeated(line: &[u8]) -> Vec<u8> {
    line.repeat(SIZE / line.len())
}

fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "megabytes")]
fn rate(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / took.as_secs_f64()
}

fn observations(reader: &Reader, input: &[u8], rules: &Rules) -> Vec<Observation> {
    let context = Context {
        rules,
        log_timezone: None,
        residue: false,
    };
    let mut found = Vec::new();
    let stream = Box::new(Cursor::new(input.to_vec()));
    if let Ok(evidence) = Evidence::stream(stream, "bench") {
        let mut sink = Sink {
            observe: &mut |observation| found.push(observation),
            problem: &mut |_| {},
        };
        let source = Arc::new(Source::default());
        black_box((reader.read)(&evidence, &source, &context, &mut sink).is_ok());
    }
    found
}

/// Entries of a capture, each read into a value and let go.
fn entries(path: &str) -> Result<usize, Box<dyn Error>> {
    let mut reader =
        serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 20, File::open(path)?));
    Ok(Down(&["log", "entries"]).deserialize(&mut reader)?)
}

/// Follows these members, and counts the items of the last.
struct Down(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Down {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Down {
    type Value = usize;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a HAR document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(name) = map.next_key::<String>()? {
            match self.0 {
                [first, rest @ ..] if **first == *name => {
                    count = map.next_value_seed(Down(rest))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(entry) = items.next_element::<serde_json::Value>()? {
            black_box(entry);
            count += 1;
        }
        Ok(count)
    }
}
