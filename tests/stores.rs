//! Web storage and session files: what is found in them, whole, damaged and hostile; stores of another
//! program's making as the oracle; decoys that are no findings; and what a whole profile comes to.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test fails by a panic, in its helpers too; its numbers are small"
)]

#[path = "stores/damaged.rs"]
mod damaged;
#[path = "stores/decoys.rs"]
mod decoys;
#[path = "stores/fixtures.rs"]
mod fixtures;
#[path = "stores/leveldb.rs"]
mod leveldb;
#[path = "stores/oracle.rs"]
mod oracle;
#[path = "stores/profile.rs"]
mod profile;
#[path = "stores/sessions.rs"]
mod sessions;
#[path = "stores/snss.rs"]
mod snss;
#[path = "stores/storage.rs"]
mod storage;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, Source, View};
use tokentrail::collect::{Context, Evidence, Observation, Payload, READERS, Sink, Store};

/// What a scan of one file gives.
#[derive(Default)]
struct Seen {
    /// `None` when no reader claims the file.
    reader: Option<&'static str>,
    observations: Vec<Observation>,
    /// Problems, and the error that ended the reading.
    problems: Vec<String>,
}

/// A stored pair, as one line of text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Pair {
    store: &'static str,
    origin: String,
    key: String,
    value: String,
    view: View,
    sequence: u64,
}

impl Seen {
    /// The stored pairs, in the order in which they were found.
    fn pairs(&self) -> Vec<Pair> {
        let pairs = self.observations.iter().filter_map(|seen| {
            let Payload::Pair {
                store,
                origin,
                key,
                value,
            } = &seen.payload
            else {
                return None;
            };
            Some(Pair {
                store: Store::as_str(*store),
                origin: origin.as_deref().unwrap_or("none").to_owned(),
                key: text(key.as_bytes()),
                value: text(value.as_bytes()),
                view: seen.place.view,
                sequence: sequence(seen),
            })
        });
        pairs.collect()
    }

    /// The pair whose value has this part.
    fn pair(&self, part: &str) -> Pair {
        let mut pairs = self.pairs().into_iter();
        pairs
            .find(|pair| pair.value.contains(part))
            .unwrap_or_else(|| panic!("no value has {part}"))
    }

    /// Everything that was found, by its form.
    fn told(&self) -> Vec<String> {
        let all = self.observations.iter();
        all.map(|seen| match &seen.payload {
            Payload::Url(url) => format!("url {}", text(url.as_bytes())),
            Payload::Text(found) => format!("text {}", text(found.as_bytes())),
            Payload::Body { mime, bytes } => format!("body {mime} {}", text(bytes.as_bytes())),
            Payload::Pair { key, value, .. } => {
                format!("pair {} = {}", text(key.as_bytes()), text(value.as_bytes()))
            }
            Payload::Members { .. } => "members".into(),
            Payload::Header { .. } => "header".into(),
        })
        .collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sequence(seen: &Observation) -> u64 {
    match seen.place.locator {
        Locator::Record { sequence, .. } => sequence,
        _ => panic!("no record"),
    }
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| Rules::builtin().unwrap())
}

fn scan(path: &Path) -> Seen {
    scan_evidence(&Evidence::file(path, path.to_string_lossy()).unwrap())
}

fn scan_evidence(evidence: &Evidence) -> Seen {
    let context = Context {
        rules: rules(),
        log_timezone: None,
        residue: false,
    };
    let claimed = READERS
        .iter()
        .find(|reader| (reader.claims)(evidence, &context));
    let Some(reader) = claimed else {
        return Seen::default();
    };
    let (mut observations, mut problems) = (Vec::new(), Vec::new());
    let source = Arc::new(Source::default());
    let result = (reader.read)(
        evidence,
        &source,
        &context,
        &mut Sink {
            observe: &mut |seen| observations.push(seen),
            problem: &mut |problem| problems.push(problem.to_string()),
        },
    );
    problems.extend(result.err().map(|error| error.to_string()));
    Seen {
        reader: Some(reader.name),
        observations,
        problems,
    }
}

/// Scans bytes as a file of this name, with the file of every store beside it.
fn scan_as(name: &str, bytes: &[u8]) -> Seen {
    if !name.starts_with("0000") {
        let input = std::io::Cursor::new(bytes.to_vec());
        return scan_evidence(&Evidence::stream(Box::new(input), name).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("CURRENT"), "MANIFEST-000001\n").unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    scan(&path)
}
