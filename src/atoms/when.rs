//! When something happened, and how far that clock can be believed.

use jiff::Timestamp;

/// A moment in the evidence. May be absent elsewhere (`Option<When>`); it is never guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct When {
    /// UTC.
    pub instant: Timestamp,
    /// Which clock said so.
    pub basis: Basis,
    /// How the evidence stated its zone.
    pub zone: Zone,
}

/// Which clock a moment was read from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Basis {
    /// A visit in a browser history.
    Visit,
    /// The last visit of a URL whose visits are gone.
    LastVisit,
    /// A download's start.
    Download,
    /// A log line.
    LogLine,
    /// `startedDateTime` of a HAR entry; for a response, plus the entry's `time`.
    HarEntry,
    /// A request or response in another capture of traffic.
    Capture,
    /// Another time column of the row.
    Row,
}

impl Basis {
    /// Every clock.
    pub const ALL: [Self; 7] = [
        Self::Visit,
        Self::LastVisit,
        Self::Download,
        Self::LogLine,
        Self::HarEntry,
        Self::Capture,
        Self::Row,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visit => "visit",
            Self::LastVisit => "last_visit",
            Self::Download => "download",
            Self::LogLine => "log_line",
            Self::HarEntry => "har_entry",
            Self::Capture => "capture",
            Self::Row => "row",
        }
    }
}

/// Where the zone of a moment comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Zone {
    /// Written in the record, or fixed by the format (an epoch).
    Stated,
    /// The format has none: `--log-timezone`, or UTC, was assumed.
    Assumed,
}
