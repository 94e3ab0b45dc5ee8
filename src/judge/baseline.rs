//! What is accepted, by the identity of the leak and never by its value: a new recording of the same leak with
//! new tokens is known too. Read from text and asked; opens no file, changes no finding.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::atoms::Digest;

/// The form of the file that this version reads and writes.
pub const VERSION: u64 = 1;

/// The leaks that are accepted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Baseline {
    entries: BTreeMap<Digest, Accepted>,
}

/// One accepted leak.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accepted {
    /// What it is, for whoever reads the file.
    pub what: Option<Box<str>>,
    /// Why it is accepted.
    pub reason: Option<Box<str>>,
    /// Until when; for good where nothing is said.
    pub until: Option<Timestamp>,
}

impl Accepted {
    /// Whether its time has passed.
    pub fn is_over(&self, as_of: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= as_of)
    }
}

/// Whether a finding is news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Nothing accepts it, or no longer.
    New,
    /// It was there before.
    Known,
    /// Somebody accepted it, and said why.
    Suppressed,
}

impl Status {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Suppressed => "suppressed",
        }
    }
}

/// Why a baseline was refused. Holds nothing of the file but the place of the fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not TOML, or a field that is unknown or of the wrong form.
    #[error("is no baseline (line {0}); `tokentrail baseline write` makes one")]
    Form(usize),
    /// Another version.
    #[error("is no baseline of version {VERSION}")]
    Version,
    /// An id that is none.
    #[error("entry {0}: `id` is not the `leak` of a finding, which is 32 hex characters")]
    Id(usize),
    /// A time that is none.
    #[error("entry {0}: `until` is neither a date (\"2026-11-23\") nor an RFC 3339 time")]
    Until(usize),
    /// A leak that stands there twice.
    #[error("entry {0}: its `id` stands in an earlier entry too")]
    Twice(usize),
}

impl Baseline {
    /// Reads the text of a baseline. `time` reads a moment as the command line does.
    pub fn parse(
        text: &str,
        time: impl Fn(&str) -> Option<Timestamp>,
    ) -> Result<Self, BaselineError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            BaselineError::Form(before.unwrap_or_default().matches('\n').count() + 1)
        })?;
        if file.version != VERSION {
            return Err(BaselineError::Version);
        }
        let mut entries = BTreeMap::new();
        for (index, entry) in file.leak.into_iter().enumerate() {
            let number = index + 1;
            let id = Digest::parse(&entry.id).ok_or(BaselineError::Id(number))?;
            let until = entry
                .until
                .map(|until| time(&until).ok_or(BaselineError::Until(number)));
            let accepted = Accepted {
                what: entry.what,
                reason: entry.reason.filter(|reason| !reason.trim().is_empty()),
                until: until.transpose()?,
            };
            if entries.insert(id, accepted).is_some() {
                return Err(BaselineError::Twice(number));
            }
        }
        Ok(Self { entries })
    }

    /// What it says of a leak.
    pub fn get(&self, leak: Digest) -> Option<&Accepted> {
        self.entries.get(&leak)
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = (Digest, &Accepted)> {
        self.entries.iter().map(|(leak, entry)| (*leak, entry))
    }

    /// Accepts a leak, unless it is accepted already; what people wrote stays.
    pub fn add(&mut self, leak: Digest, accepted: Accepted) {
        self.entries.entry(leak).or_insert(accepted);
    }

    /// Forgets the leaks for which `keep` says no, and counts them.
    pub fn retain(&mut self, mut keep: impl FnMut(Digest, &Accepted) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|leak, entry| keep(*leak, entry));
        before.saturating_sub(self.entries.len())
    }

    /// Whether a finding of this leak is news at this moment.
    pub fn status(&self, leak: Digest, as_of: Timestamp) -> Status {
        match self.get(leak) {
            Some(entry) if entry.is_over(as_of) => Status::New,
            Some(Accepted {
                reason: Some(_), ..
            }) => Status::Suppressed,
            Some(_) => Status::Known,
            None => Status::New,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    #[serde(default)]
    leak: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    what: Option<Box<str>>,
    reason: Option<Box<str>>,
    until: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00112233445566778899aabbccddeeff";

    fn parse(text: &str) -> Result<Baseline, BaselineError> {
        Baseline::parse(text, |text| text.parse().ok())
    }

    #[test]
    fn an_entry_accepts_until_its_time_has_passed() {
        let text = format!(
            "version = 1\n[[leak]]\nid = \"{A}\"\nreason = \"a demo\"\nuntil = \"2026-11-23T00:00:00Z\"\n"
        );
        let baseline = parse(&text).unwrap();
        let leak = Digest::parse(A).unwrap();
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(
            baseline.status(leak, at("2026-11-22T23:59:59Z")),
            Status::Suppressed
        );
        assert_eq!(
            baseline.status(leak, at("2026-11-23T00:00:00Z")),
            Status::New
        );
        let other = Digest::of([b"other".as_slice()]);
        assert_eq!(
            baseline.status(other, at("2026-11-22T00:00:00Z")),
            Status::New
        );
    }

    #[test]
    fn without_a_reason_it_is_only_known() {
        for reason in ["", "reason = \"  \"\n"] {
            let text = format!("version = 1\n[[leak]]\nid = \"{A}\"\n{reason}");
            let status = parse(&text)
                .unwrap()
                .status(Digest::parse(A).unwrap(), Timestamp::UNIX_EPOCH);
            assert_eq!(status, Status::Known);
        }
    }

    #[test]
    fn faults_are_named_by_their_place() {
        let entry = format!("[[leak]]\nid = \"{A}\"\n");
        for (text, error) in [
            ("version = 2".to_owned(), BaselineError::Version),
            ("version = 1\nleaks = []".into(), BaselineError::Form(2)),
            ("not toml".into(), BaselineError::Form(1)),
            (
                "version = 1\n[[leak]]\nid = \"x\"".into(),
                BaselineError::Id(1),
            ),
            (
                format!("version = 1\n{entry}{entry}"),
                BaselineError::Twice(2),
            ),
            (
                format!("version = 1\n{entry}until = \"soon\""),
                BaselineError::Until(1),
            ),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }
}
