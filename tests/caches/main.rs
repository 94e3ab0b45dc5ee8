//! HTTP caches, session files and property lists through the library: what is found in each format, where it is said to
//! lie, what harm a broken file does, and that ordinary browsing is silent.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by a panic, in its helpers too; its numbers are small"
)]

mod chromium;
mod decoys;
mod firefox;
mod fixtures;
mod hostile;
mod leaks;
mod safari;
mod webkit;
mod write;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, View};
use tokentrail::collect::archive::Opened;
use tokentrail::collect::find::File;
use tokentrail::collect::read::{Options, Outcome, Row, observations, open};
use tokentrail::collect::{Context, Observation, Payload};

/// 2026-11-23T05:00:00Z, when everything here happens.
const NOW: i64 = 1_795_410_000;

/// A made-up token.
fn token(number: u32) -> String {
    format!("qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6")
}

/// What a scan of one file gives.
struct Seen {
    /// `None` when no reader claims the file.
    row: Option<Row>,
    observations: Vec<Observation>,
}

impl Seen {
    fn reader(&self) -> &str {
        self.row.as_ref().map_or("-", |row| &row.source.reader)
    }

    /// `status: reasons`.
    fn told(&self) -> String {
        self.row.as_ref().map_or_else(String::new, |row| {
            format!("{}: {}", row.status.as_str(), row.reasons.join("; "))
        })
    }

    /// Each observation in a line: where, how, what, and the day it has.
    fn lines(&self) -> Vec<String> {
        self.observations.iter().map(line).collect()
    }

    /// The observation that holds this.
    fn with(&self, part: &str) -> &Observation {
        let mut found = self
            .observations
            .iter()
            .filter(|seen| text(seen).contains(part));
        found
            .next()
            .unwrap_or_else(|| panic!("no observation has {part}: {:#?}", self.lines()))
    }
}

fn line(seen: &Observation) -> String {
    let Locator::Record { file, key, .. } = &seen.place.locator else {
        panic!("{:?}", seen.place.locator)
    };
    let view = match seen.place.view {
        View::Live => "",
        other => other.as_str(),
    };
    let at = seen
        .at
        .map_or_else(|| "-".to_owned(), |at| at.instant.to_string());
    format!(
        "{file} {key} {view} {} {} {at}",
        seen.via.as_str(),
        text(seen)
    )
}

/// What an observation holds.
fn text(seen: &Observation) -> String {
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match &seen.payload {
        Payload::Url(raw) | Payload::Text(raw) => show(raw.as_bytes()),
        Payload::Header { name, value } => format!("{name}: {}", show(value.as_bytes())),
        Payload::Pair {
            store,
            origin,
            key,
            value,
        } => format!(
            "{} {} {}={}",
            store.as_str(),
            origin.as_deref().unwrap_or("-"),
            show(key.as_bytes()),
            show(value.as_bytes())
        ),
        Payload::Members { .. } => panic!("a cache has no records"),
        Payload::Body { mime, bytes } => format!("[{mime}] {}", show(bytes.as_bytes())),
    }
}

/// Scans a file as the program does.
fn scan(path: &Path) -> Seen {
    static RULES: OnceLock<Rules> = OnceLock::new();
    let context = Context {
        rules: RULES.get_or_init(|| Rules::builtin().unwrap()),
        log_timezone: None,
        residue: false,
    };
    let file = File {
        path: Some(path.to_owned()),
        shown: path.to_str().unwrap().into(),
        len: fs::metadata(path).unwrap().len(),
        is_named: false,
    };
    let mut found = Vec::new();
    let opened = Opened::Evidence(open(&file).unwrap());
    let outcome = observations(opened, &context, &Options::default(), &mut |seen| {
        found.push(seen);
    });
    Seen {
        row: match outcome {
            Outcome::Row(row) => Some(row),
            Outcome::NotClaimed(..) => None,
        },
        observations: found,
    }
}

/// Scans these bytes under this name, in a folder of their own.
fn scan_bytes(name: &str, bytes: &[u8]) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let seen = scan(&path);
    for observation in &seen.observations {
        leads_back(observation, bytes);
    }
    seen
}

/// The place of a header or URL in a cache is that of its own bytes.
fn leads_back(seen: &Observation, bytes: &[u8]) {
    let Locator::Record { file, sequence, .. } = &seen.place.locator else {
        panic!()
    };
    let value = match &seen.payload {
        Payload::Url(raw) if &**file == "key" => raw,
        Payload::Header { value, .. } => value,
        Payload::Pair { value, .. } if &**file == "response" || &**file == "request" => value,
        _ => return,
    };
    let at = bytes.get(*sequence as usize..).unwrap();
    assert!(at.starts_with(value.as_bytes()), "{}", line(seen));
}
