//! What the fuzz targets share: evidence made of arbitrary bytes, read as the program reads it. A target holds
//! more than "no panic": what a run may never do is asserted here.

pub mod bounds;
pub mod mutate;
pub mod seal;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Once};

use clap::Parser;
use tempfile::TempDir;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, FingerprintKey, Locator, Place, Raw, Source, View};
use tokentrail::cli::{Cli, Command};
use tokentrail::collect::archive::{self, Opened};
use tokentrail::collect::find::File;
use tokentrail::collect::log::{self, Bounds};
use tokentrail::collect::read;
use tokentrail::collect::{
    Context, Evidence, Observation, Observe, Payload, READERS, ReadError, Sink, Store, Via,
};
use tokentrail::detect::{self, Detector, Memory, Reveal, Sighting};
use tokentrail::reduce::Reducing;
use tokentrail::settings;

/// The rules of the build, compiled once.
pub static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::builtin().expect("the built-in rules are sound"));

/// A target: what is done with one input, within bounds, and inputs mutated in our ways too. What makes the
/// checksums of a mutated input right comes first.
#[macro_export]
macro_rules! target {
    (|$data:ident| $body:block) => {
        $crate::target!(|_: &mut [u8]| (), |$data| $body);
    };
    ($seal:expr, |$data:ident| $body:block) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::bounds::bounded(|| {
            let $data: &[u8] = data;
            $body
        }));
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate::mutate(data, size, max_size, seed, $seal)
        });
    };
}

/// Whether this run of a target got as far as a credential: `run.py` looks for what is written then.
static FOUND: Once = Once::new();

/// No value shorter than this is looked for in what a report shows: it stands there by chance.
const TELLING: usize = 16;

fn context() -> Context<'static> {
    Context {
        rules: &RULES,
        log_timezone: None,
        residue: true,
    }
}

/// All of detection over one observation. No masked URL may hold a value that detection itself calls a
/// credential.
pub fn detect(observation: &Observation, memory: &mut Memory) -> Vec<Sighting> {
    let key = FingerprintKey::default();
    let detector = Detector {
        rules: &RULES,
        key: &key,
        jwks: None,
        reveal: Reveal {
            values: true,
            identities: true,
        },
    };
    let sightings = detect::sightings(observation, &detector, memory);
    if !sightings.is_empty() {
        FOUND.call_once(|| eprintln!("a credential was found"));
    }
    for sighting in &sightings {
        let Some(url) = &sighting.url else { continue };
        for credential in &sighting.credentials {
            let Some(value) = memory.revealed.values.get(&credential.id) else {
                continue;
            };
            #[allow(
                clippy::disallowed_methods,
                reason = "the oracle looks for what may not be shown"
            )]
            let value = value.expose();
            assert!(
                value.len() < TELLING || !url.as_str().contains(value),
                "a masked URL shows a {}",
                credential.kind.as_str()
            );
        }
    }
    sightings
}

/// One piece of evidence as each kind of payload.
pub fn payload(kind: u8, bytes: &[u8]) -> Payload {
    let raw = || Raw::new(bytes);
    let cut = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(cut);
    let name: Box<str> = String::from_utf8_lossy(first).into();
    match kind % 8 {
        0 => Payload::Url(raw()),
        1 => Payload::Text(raw()),
        2 => Payload::Header {
            name,
            value: Raw::new(rest),
        },
        3 => Payload::Body {
            mime: "application/json".into(),
            bytes: raw(),
        },
        4 => Payload::Body {
            mime: "application/x-www-form-urlencoded".into(),
            bytes: raw(),
        },
        5 => Payload::Body {
            mime: "text/html".into(),
            bytes: raw(),
        },
        6 => Payload::Pair {
            store: Store::Cookie,
            origin: Some("app.example".into()),
            key: Raw::new(first),
            value: Raw::new(rest),
        },
        _ => Payload::Pair {
            store: Store::LocalStorage,
            origin: None,
            key: Raw::new(first),
            value: Raw::new(rest),
        },
    }
}

/// An observation of a payload.
pub fn observation(payload: Payload) -> Observation {
    Observation {
        place: Place {
            source: Arc::new(Source::default()),
            locator: Locator::Bytes { offset: 0 },
            view: View::Live,
        },
        at: None,
        via: Via::Unknown,
        visit: None,
        exchange: None,
        payload,
    }
}

/// A folder for temporary files, in memory where that can be: a target makes a thousand of them in a second.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.expect("a folder for temporary files")
}

/// A file of these bytes in a folder.
pub fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("room for a small file");
    path
}

/// Bytes as a stream that has a name.
pub fn stream(name: &str, bytes: &[u8]) -> Option<Evidence> {
    Evidence::stream(Box::new(Cursor::new(bytes.to_vec())), name).ok()
}

/// What is seen in a log of which so many bytes are read at once.
pub fn read_log(bytes: &[u8], window: usize) -> Vec<Digest> {
    let Some(evidence) = stream("access.log", bytes) else {
        return Vec::new();
    };
    let mut memory = Memory::default();
    let mut ids = Vec::new();
    let mut sink = Sink {
        observe: &mut |observation| {
            let sightings = detect(&observation, &mut memory);
            ids.extend(sightings.iter().map(|sighting| sighting.id));
        },
        problem: &mut |error| drop(error.to_string()),
    };
    let bounds = Bounds {
        window,
        ..Bounds::default()
    };
    let source = Arc::new(Source::default());
    let told = log::read_bounded(&evidence, &source, &context(), &mut sink, bounds);
    drop(told);
    ids
}

/// Reads bytes with one reader, whether or not it would claim them, and detects in what it yields.
pub fn read_as(reader: &str, name: &str, bytes: &[u8]) {
    let Some(evidence) = stream(name, bytes) else {
        return;
    };
    let mut memory = Memory::default();
    observe(reader, &evidence, &mut |observation| {
        detect(&observation, &mut memory);
    });
}

/// What one reader yields. Returns how much of the evidence it could not read.
pub fn observe(reader: &str, evidence: &Evidence, on: &mut Observe<'_>) -> usize {
    let reader = READERS
        .iter()
        .find(|it| it.name == reader)
        .expect("a reader of this name");
    let source = Arc::new(Source::default());
    let mut problems = 0;
    let mut problem = |error: ReadError| {
        problems += 1;
        drop(error.to_string());
    };
    let mut sink = Sink {
        observe: on,
        problem: &mut problem,
    };
    let told = (reader.read)(evidence, &source, &context(), &mut sink);
    problems + usize::from(told.is_err())
}

/// Scans a file as the program would, archives included: claimed by content and name. Reading it twice must give
/// the same.
pub fn scan(path: &Path, shown: &str) {
    let file = File {
        path: Some(path.to_owned()),
        shown: shown.into(),
        len: path.metadata().map_or(0, |meta| meta.len()),
        is_named: true,
    };
    let one = |opened: Opened| {
        let mut memory = Memory::default();
        let mut ids = Vec::new();
        let outcome =
            read::observations(opened, &context(), &read::Options::default(), &mut |it| {
                ids.extend(
                    detect(&it, &mut memory)
                        .into_iter()
                        .map(|sighting| sighting.id),
                );
            });
        (outcome, ids)
    };
    let all = || {
        archive::sources(&file, &read::Options::default(), &|_| None, &one, |it| {
            &it.0
        })
    };
    assert!(all() == all(), "two readings of the same file differ");
}

/// What the reduce half is asked for where nothing is asked: everything, at one moment.
pub fn reducing() -> &'static Reducing {
    static REDUCING: LazyLock<Reducing> = LazyLock::new(|| {
        let args = ["tokentrail", "correlate", "--as-of", "2026-11-24T00:00:00Z"];
        let Command::Correlate(asked) = Cli::parse_from(args).command else {
            unreachable!("the reduce half was asked");
        };
        let rules = Arc::new(settings::rules(&[]).expect("the built-in rules are sound"));
        let now = asked.judging.as_of.expect("a moment");
        settings::reducing(&asked.judging, &asked.gate, &[], rules, now).expect("no file is named")
    });
    &REDUCING
}
