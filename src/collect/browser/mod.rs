//! Browser histories, told by their tables and never by their names. Each browser is a schema and its codes in
//! one file; how pages and visits are read is the same for all.

mod chromium;
mod columns;
mod epiphany;
mod epoch;
mod firefox;
mod known;
pub mod profile;
mod reading;
mod residue;
mod safari;
mod visits;

pub use chromium::CHROMIUM;
pub use epiphany::{EPIPHANY, QUTEBROWSER};
pub use firefox::FIREFOX;
pub use safari::SAFARI;

use super::sqlite::{self, Database, Views};
use super::{Evidence, ReadError, Reader};
use columns::Columns;
use reading::Reading;
use visits::Shape;

/// Reads the pages and visits of a history, then its other columns, all by one clock.
fn tables(shape: &Shape, others: &[Columns], reading: &Reading<'_, '_>) -> Result<(), ReadError> {
    visits::read(shape, reading)?;
    for columns in others {
        columns::read(columns, shape.clock, reading)?;
    }
    Ok(())
}

/// The tables and columns by which a history is known.
struct Signature {
    reader: &'static str,
    /// The usual name of the file, for databases whose tables cannot be read.
    name: &'static str,
    tables: &'static [(&'static str, &'static [&'static str])],
}

/// The first that fits counts: GNOME Web has the tables of Chromium and one more.
const SIGNATURES: &[Signature] = &[
    Signature {
        reader: "gnome-web-history",
        name: "ephy-history.db",
        tables: &[
            ("hosts", &["url"]),
            ("urls", &["url", "host"]),
            ("visits", &["url", "visit_time"]),
        ],
    },
    Signature {
        reader: "chromium-history",
        name: "History",
        tables: &[
            ("urls", &["url", "last_visit_time"]),
            ("visits", &["url", "visit_time"]),
        ],
    },
    Signature {
        reader: "firefox-places",
        name: "places.sqlite",
        tables: &[
            ("moz_places", &["url"]),
            ("moz_historyvisits", &["place_id", "visit_date"]),
        ],
    },
    Signature {
        reader: "safari-history",
        name: "History.db",
        tables: &[
            ("history_items", &["url"]),
            ("history_visits", &["history_item", "visit_time"]),
        ],
    },
    Signature {
        reader: "qutebrowser-history",
        name: "history.sqlite",
        tables: &[("History", &["url", "title", "atime", "redirect"])],
    },
];

/// The reader that this evidence is for.
fn recognised(evidence: &Evidence) -> Option<&'static str> {
    evidence.recognised(|evidence| {
        if !sqlite::is_database(evidence) {
            return None;
        }
        if evidence.is_stream() {
            return by_text(evidence.head());
        }
        match Views::open(evidence) {
            Ok(views) if views.live.is_readable() => by_tables(&views.live),
            // It will fail again when it is read, which is how the user learns of it.
            Ok(_) | Err(_) => by_text(evidence.head()).or_else(|| by_name(evidence.file_name())),
        }
    })
}

fn by_tables(database: &Database) -> Option<&'static str> {
    let fits = |signature: &&Signature| {
        signature.tables.iter().all(|(name, columns)| {
            match database.table(name) {
                Ok(Some(table)) => columns.iter().all(|column| table.has(column)),
                Ok(None) => false,
                // A view in a table's place: the reader will say that it was not read.
                Err(_) => matches!(database.is_table(name), Ok(Some(_))),
            }
        })
    };
    SIGNATURES
        .iter()
        .find(fits)
        .map(|signature| signature.reader)
}

/// A database by its magic whose tables cannot be told: better a problem for the user than silence.
fn by_name(name: &str) -> Option<&'static str> {
    let fits = |signature: &&Signature| signature.name == name;
    SIGNATURES
        .iter()
        .find(fits)
        .map(|signature| signature.reader)
}

/// The reader of the histories that usually have this name.
pub(super) fn reader_of_name(name: &str) -> Option<&'static Reader> {
    let readers = [&CHROMIUM, &FIREFOX, &SAFARI, &EPIPHANY, &QUTEBROWSER];
    let found = by_name(name)?;
    readers.into_iter().find(|reader| reader.name == found)
}

/// Looks for the statements that made the tables, in a database that cannot be opened, or be read twice.
fn by_text(head: &[u8]) -> Option<&'static str> {
    let has = |name: &str| {
        let statement = format!("CREATE TABLE {name}");
        memchr::memmem::find_iter(head, &statement).any(|at| {
            let next = head.get(at + statement.len());
            next.is_some_and(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        })
    };
    let fits = |signature: &&Signature| signature.tables.iter().all(|(name, _)| has(name));
    SIGNATURES
        .iter()
        .find(fits)
        .map(|signature| signature.reader)
}
