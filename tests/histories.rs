//! Browser histories through the library: the fixtures, opening without harm, logs and journals against
//! SQLite itself, and files made to do harm.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by a panic, in its helpers too; its numbers are small"
)]

#[path = "histories/fixtures.rs"]
mod fixtures;
#[path = "histories/harm.rs"]
mod harm;
#[path = "histories/hostile.rs"]
mod hostile;
#[path = "histories/overlay.rs"]
mod overlay;
#[path = "histories/passed.rs"]
mod passed;
#[path = "histories/residue.rs"]
mod residue;
#[path = "histories/rows.rs"]
mod rows;
#[path = "histories/states.rs"]
mod states;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Locator, Source, View};
use tokentrail::collect::{Context, Evidence, Observation, Payload, READERS, Sink};

/// What a scan of one file gives.
#[derive(Default)]
struct Seen {
    /// `None` when no reader claims the file.
    reader: Option<&'static str>,
    observations: Vec<Observation>,
    /// Problems, and the error that ended the reading.
    problems: Vec<String>,
}

impl Seen {
    /// URLs with the tables they lie in, sorted.
    fn urls(&self) -> Vec<(String, &str)> {
        self.sorted(|_| true)
    }

    /// Those of one view.
    fn of_view(&self, view: View) -> Vec<(String, &str)> {
        self.sorted(|seen| seen.place.view == view)
    }

    fn sorted(&self, wanted: impl Fn(&Observation) -> bool) -> Vec<(String, &str)> {
        let wanted = self.observations.iter().filter(|seen| wanted(seen));
        let mut urls: Vec<_> = wanted
            .filter_map(|seen| Some((url(seen)?, table(seen))))
            .collect();
        urls.sort();
        urls
    }

    /// The observation of the URL that contains this.
    fn with(&self, part: &str) -> &Observation {
        let found = self
            .observations
            .iter()
            .find(|seen| url(seen).is_some_and(|url| url.contains(part)));
        found.unwrap_or_else(|| panic!("no observation has {part}"))
    }
}

fn scan(path: &Path) -> Seen {
    let evidence = Evidence::file(path, path.to_string_lossy()).unwrap();
    scan_evidence(&evidence)
}

fn scan_evidence(evidence: &Evidence) -> Seen {
    scan_with(evidence, false)
}

fn scan_with(evidence: &Evidence, residue: bool) -> Seen {
    static RULES: OnceLock<Rules> = OnceLock::new();
    let context = Context {
        rules: RULES.get_or_init(|| Rules::builtin().unwrap()),
        log_timezone: None,
        residue,
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
            observe: &mut |observation| observations.push(observation),
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

fn url(seen: &Observation) -> Option<String> {
    match &seen.payload {
        Payload::Url(raw) => Some(String::from_utf8_lossy(raw.as_bytes()).into_owned()),
        _ => None,
    }
}

fn table(seen: &Observation) -> &str {
    match &seen.place.locator {
        Locator::Row { table, .. } => table,
        _ => "",
    }
}

/// A small Chromium history with one token URL for each number.
fn history(connection: &rusqlite::Connection, numbers: std::ops::Range<u32>) {
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS urls(id INTEGER PRIMARY KEY, url LONGVARCHAR, last_visit_time INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS visits(id INTEGER PRIMARY KEY, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
                from_visit INTEGER, transition INTEGER NOT NULL);",
        )
        .unwrap();
    connection.execute_batch("SAVEPOINT rows;").unwrap();
    for number in numbers {
        connection
            .execute(
                "INSERT INTO urls VALUES(?1, ?2, 13408000000000000 + ?1)",
                (number, token_url(number)),
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO visits VALUES(?1, ?1, 13408000000000000 + ?1, ?1 - 1, 0)",
                [number],
            )
            .unwrap();
    }
    connection.execute_batch("RELEASE rows;").unwrap();
}

fn token_url(number: u32) -> String {
    format!("https://app.example/cb#access_token=made-up-{number:06}&token_type=bearer")
}

/// What [`Seen::urls`] gives for [`history`].
fn token_urls(numbers: std::ops::Range<u32>) -> Vec<(String, &'static str)> {
    numbers.map(|number| (token_url(number), "urls")).collect()
}
