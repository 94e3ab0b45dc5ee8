//! The smaller files of a browser profile, through the library and through the program: every column that is
//! read, what is encrypted, what is damaged or made to do harm, one credential in many files, and what is none.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by a panic, in its helpers too; its numbers are small"
)]

#[path = "tables/documents.rs"]
mod documents;
#[path = "tables/made.rs"]
mod made;
#[path = "tables/profile.rs"]
mod profile;
#[path = "tables/sealed.rs"]
mod sealed;
#[path = "tables/stores.rs"]
mod stores;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, Raw, Source};
use tokentrail::collect::{Context, Evidence, Observation, Payload, READERS, Sink};

/// What a scan of one file gives.
struct Seen {
    reader: &'static str,
    /// Each as one line: where, what, when.
    lines: Vec<String>,
    /// Problems, and the error that ended the reading.
    problems: Vec<String>,
}

fn scan(path: &Path) -> Seen {
    static RULES: OnceLock<Rules> = OnceLock::new();
    let evidence = Evidence::file(path, path.to_string_lossy()).unwrap();
    let context = Context {
        rules: RULES.get_or_init(|| Rules::builtin().unwrap()),
        log_timezone: None,
        residue: false,
    };
    let claimed = READERS
        .iter()
        .find(|reader| (reader.claims)(&evidence, &context));
    let Some(reader) = claimed else {
        return Seen {
            reader: "none",
            lines: Vec::new(),
            problems: Vec::new(),
        };
    };
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let result = (reader.read)(
        &evidence,
        &Arc::new(Source::default()),
        &context,
        &mut Sink {
            observe: &mut |observation| lines.push(line(&observation)),
            problem: &mut |problem| problems.push(problem.to_string()),
        },
    );
    problems.extend(result.err().map(|error| error.to_string()));
    lines.sort();
    Seen {
        reader: reader.name,
        lines,
        problems,
    }
}

fn line(seen: &Observation) -> String {
    let text = |raw: &Raw| String::from_utf8_lossy(raw.as_bytes()).into_owned();
    let place = match &seen.place.locator {
        Locator::Row { table, column, .. } => format!("{table}.{column}"),
        Locator::Entry {
            pointer,
            line,
            column,
            ..
        } => format!("{pointer} {line}:{column}"),
        Locator::Line { number, .. } => format!("line {number}"),
        Locator::Bytes { offset } | Locator::Residue { offset, .. } => format!("byte {offset}"),
        Locator::Record { file, key, .. } => format!("{file} {key}"),
    };
    let payload = match &seen.payload {
        Payload::Url(url) => text(url),
        Payload::Text(words) => format!("text {}", text(words)),
        Payload::Body { bytes, .. } => format!("body {}", text(bytes)),
        Payload::Pair {
            store,
            origin,
            key,
            value,
        } => format!(
            "{} {} {} = {}",
            store.as_str(),
            origin.as_deref().unwrap_or("-"),
            text(key),
            text(value)
        ),
        Payload::Members { members, .. } => {
            let members = members.iter();
            let members = members.map(|(name, value)| format!("{}={}", text(name), text(value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Payload::Header { name, value } => format!("{name}: {}", text(value)),
    };
    let at = seen
        .at
        .map_or_else(|| "never".into(), |at| at.instant.to_string());
    format!("{place} | {payload} | {at}")
}

/// A database that this SQL makes.
fn database(folder: &Path, name: &str, sql: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&format!("BEGIN; {sql} COMMIT;"))
        .unwrap();
    path
}
