//! Browser histories, and the smaller databases beside them, told by their tables and never by their names. Each
//! browser is its schemas and codes as data; how pages, visits and columns are read is the same for all.

mod binary_cookies;
mod chromium;
mod chromium_stores;
mod clone;
mod columns;
mod documents;
mod epiphany;
mod epiphany_session;
pub(super) mod epoch;
mod firefox;
mod firefox_mobile;
mod firefox_stores;
mod internet_explorer;
mod known;
pub(super) mod os_crypt;
mod pairs;
pub mod profile;
mod reading;
mod residue;
mod safari;
mod safari_stores;
mod sieve;
mod stores;
mod times;
mod visits;

pub use binary_cookies::BINARY_COOKIES;
pub use chromium::CHROMIUM;
pub use chromium_stores::CHROMIUM_STORES;
pub use documents::JSON;
pub use epiphany::{EPIPHANY, QUTEBROWSER};
pub use epiphany_session::EPIPHANY_SESSION;
pub use firefox::FIREFOX;
pub use firefox_stores::FIREFOX_STORES;
pub use internet_explorer::INTERNET_EXPLORER;
pub use safari::SAFARI;
pub use safari_stores::SAFARI_STORES;

use jiff::Timestamp;

use super::sqlite::{self, Database, Views};
use super::{Evidence, ReadError, Reader, Via};
use columns::Columns;
use reading::Reading;
use visits::Shape;

/// How a page was reached, by a transition of Chromium.
pub(super) fn chromium_via(transition: i32) -> Via {
    chromium::via([i64::from(transition), 0])
}

/// A moment on Chromium's clock.
pub(super) fn chromium_time(micros: i64) -> Option<Timestamp> {
    epoch::webkit(sqlite::Number::Integer(micros))
}

/// Reads the pages and visits of a history, then its other columns, all by one clock.
fn tables(shape: &Shape, others: &[Columns], reading: &Reading<'_, '_>) -> Result<(), ReadError> {
    visits::read(shape, reading)?;
    for columns in others {
        columns::read(columns, shape.clock, reading)?;
    }
    Ok(())
}

/// The tables and columns by which a database is known.
struct Signature {
    reader: &'static str,
    /// The usual name of the file, for databases whose tables cannot be read; empty where other applications
    /// have files of that name too.
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

const READERS: &[&Reader] = &[
    &CHROMIUM,
    &FIREFOX,
    &SAFARI,
    &EPIPHANY,
    &QUTEBROWSER,
    &CHROMIUM_STORES,
    &FIREFOX_STORES,
    &SAFARI_STORES,
    &JSON,
    &BINARY_COOKIES,
    &EPIPHANY_SESSION,
    &INTERNET_EXPLORER,
];

/// All signatures, the histories first: the smaller databases have tables of the same names.
fn signatures() -> impl Iterator<Item = &'static Signature> {
    let families = [
        chromium_stores::STORES,
        firefox_stores::STORES,
        safari_stores::STORES,
    ];
    let stores = families.into_iter().flatten();
    SIGNATURES
        .iter()
        .chain(stores.map(|store| &store.signature))
}

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
            Ok(views) if views.live.is_readable() => {
                let reader = by_tables(&views.live)?;
                evidence.kept.put(views);
                Some(reader)
            }
            // It will fail again when it is read, which is how the user learns of it.
            Ok(_) | Err(_) => by_text(evidence.head()).or_else(|| by_name(evidence.file_name())),
        }
    })
}

fn by_tables(database: &Database) -> Option<&'static str> {
    signatures()
        .find(|signature| signature.fits(database))
        .map(|signature| signature.reader)
}

impl Signature {
    /// Whether the database has all of the tables, with these columns.
    fn fits(&self, database: &Database) -> bool {
        self.tables.iter().all(|(name, columns)| {
            match database.table(name) {
                Ok(Some(table)) => columns.iter().all(|column| table.has(column)),
                Ok(None) => false,
                // A view in a table's place: the reader will say that it was not read.
                Err(_) => matches!(database.is_table(name), Ok(Some(_))),
            }
        })
    }
}

/// A database by its magic whose tables cannot be told: better a problem for the user than silence.
fn by_name(name: &str) -> Option<&'static str> {
    signatures()
        .find(|signature| signature.name == name && !name.is_empty())
        .map(|signature| signature.reader)
}

/// The reader of the databases that usually have this name.
pub(super) fn reader_of_name(name: &str) -> Option<&'static Reader> {
    let found = by_name(name)?;
    READERS.iter().copied().find(|reader| reader.name == found)
}

/// Whether what this reader reads is a part of a browser profile, whatever its path says.
pub fn is_of_profile(reader: &str) -> bool {
    READERS.iter().any(|known| known.name == reader)
}

/// Looks for the statements that made the tables, in a database that cannot be opened, or be read twice.
fn by_text(head: &[u8]) -> Option<&'static str> {
    // They are in ASCII, which text in UTF-16 is, too, without its zeros.
    let text: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
    let has = |name: &str| {
        let statement = format!("CREATE TABLE {name}");
        memchr::memmem::find_iter(&text, &statement).any(|at| {
            let next = text.get(at + statement.len());
            next.is_some_and(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        })
    };
    signatures()
        .find(|signature| signature.tables.iter().all(|(name, _)| has(name)))
        .map(|signature| signature.reader)
}
