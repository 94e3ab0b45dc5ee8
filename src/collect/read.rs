//! Gives one piece of evidence to the reader that claims it, and keeps account of what became of it. What
//! cannot be read costs its own row and nothing else.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::archive::{Archive, Filter, Opened};
use super::find::File;
use super::promise::{self, Unclaimed};
use super::{Context, Evidence, Observe, READERS, ReadError, Reader, Sink, browser, foreign, log};
use crate::atoms::Source;

/// Different reasons that one source may have in the report; the rest is counted. A damaged log has one
/// reason a thousand times, not a thousand reasons.
const REASONS: usize = 10;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Reader of `--type`: it gets everything.
    pub forced: Option<&'static Reader>,
    /// Reader for text that none claims (`--all-text`).
    pub fallback: Option<&'static Reader>,
    /// Whether to compute SHA-256 of the file.
    pub hash: bool,
    /// Which members of archives are read; all when not given.
    pub filter: Option<Filter>,
}

/// What became of a file.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// A reader claimed it, or it could not be opened.
    Row(Row),
    /// No reader claimed it, for this reason; nor so many others in the same archive.
    NotClaimed(&'static str, u64),
}

/// One line of the account.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The evidence. Its reader is empty when it could not be opened.
    pub source: Arc<Source>,
    /// Size on disk in bytes; `None` for a stream.
    pub bytes: Option<u64>,
    /// How far it was read.
    pub status: Status,
    /// Why not further; the first one is the row's own.
    pub reasons: Vec<String>,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: Option<String>,
}

impl Row {
    /// Adds that so many records held more than is looked at in one.
    pub fn cut_short(&mut self, records: u64) {
        self.status = self.status.max(Status::Partial);
        self.reasons.push(format!(
            "{records} of its records hold more parameters or URLs than are looked at in one; split them to see the rest"
        ));
    }

    /// Adds that it holds more than `most` sightings, and that so many observations behind them were left out.
    pub fn full(&mut self, most: usize, left_out: u64) {
        self.status = self.status.max(Status::Partial);
        self.reasons.push(format!(
            "holds more than {most} sightings; {left_out} places behind them were not looked at: split it, and scan the parts"
        ));
    }
}

/// How far a source was read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// To its end.
    Read,
    /// Not to its end, or not in all its parts.
    Partial,
    /// Recognised, and not read by this version.
    Unsupported,
    /// Not at all.
    Failed,
}

impl Status {
    /// Every status, best first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Partial, Self::Unsupported, Self::Failed];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Partial => "partial",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        }
    }
}

/// Opens a found file.
pub fn open(file: &File) -> Result<Evidence, ReadError> {
    let evidence = match &file.path {
        Some(path) => Evidence::file(path, file.shown.clone()),
        None => Evidence::stream(Box::new(io::stdin()), file.shown.clone()),
    };
    evidence.map(|it| if file.is_named { it.named() } else { it })
}

/// The observations in one piece of evidence, and what became of it.
pub fn observations(
    opened: Opened,
    context: &Context<'_>,
    options: &Options,
    observe: &mut Observe<'_>,
) -> Outcome {
    let evidence = match opened {
        Opened::Evidence(evidence) => evidence,
        Opened::Known(outcome) => return outcome,
    };
    let Some(reader) = claim(&evidence, context, options) else {
        return unclaimed(&evidence);
    };
    let source = Arc::new(attributed(&evidence, reader.name));
    let mut reasons = Reasons::default();
    let mut any = false;
    let end = (reader.read)(
        &evidence,
        &source,
        context,
        &mut Sink {
            observe: &mut |observation| {
                any = true;
                observe(observation);
            },
            problem: &mut |error| reasons.add(&error),
        },
    );
    if shrunk(&evidence) {
        reasons.add(&ReadError::Malformed(
            "became shorter while it was read, so its end is missing; scan a copy".into(),
        ));
    }
    let status = match &end {
        Ok(()) if reasons.is_empty() => Status::Read,
        Err(ReadError::Unsupported(_)) if !any && reasons.is_empty() => Status::Unsupported,
        Err(ReadError::Io(_) | ReadError::Malformed(_)) if !any && reasons.is_empty() => {
            Status::Failed
        }
        // Also what holds nothing before its damage, or before a bound: that much was read.
        Ok(()) | Err(_) => Status::Partial,
    };
    if let Err(error) = &end {
        reasons.add(error);
    }
    Outcome::Row(Row {
        source,
        bytes: evidence.len(),
        status,
        reasons: reasons.into_lines(),
        sha256: hash(&evidence, options),
    })
}

/// Whether a file has lost its end since it was opened: a log that is rotated by truncation.
fn shrunk(evidence: &Evidence) -> bool {
    let now = evidence.plain_file().and_then(|path| path.metadata().ok());
    now.zip(evidence.len())
        .is_some_and(|(now, before)| now.len() < before)
}

/// What becomes of a file without a reader.
fn unclaimed(evidence: &Evidence) -> Outcome {
    match promise::unclaimed(evidence) {
        Unclaimed::Counted(reason) => Outcome::NotClaimed(reason, 1),
        Unclaimed::Told(reader, status, error) => Outcome::Row(Row {
            source: Arc::new(attributed(evidence, reader.name)),
            bytes: evidence.len(),
            status,
            reasons: vec![error.to_string()],
            sha256: None,
        }),
    }
}

/// The row of a file that could not even be opened.
pub fn unopened(shown: &str, is_file: bool, error: &ReadError) -> Row {
    Row {
        source: Arc::new(Source {
            path: shown.into(),
            ..Source::default()
        }),
        bytes: is_file.then_some(0),
        status: Status::Failed,
        reasons: vec![error.to_string()],
        sha256: None,
    }
}

/// The row of a member that could not even be opened.
pub(super) fn unopened_member(
    outer: &Evidence,
    archive: &Archive,
    index: usize,
    error: &ReadError,
) -> Row {
    let members = [outer.members(), &[archive.told(index)]].concat();
    Row {
        source: Arc::new(Source {
            path: outer.path().into(),
            members,
            ..Source::default()
        }),
        bytes: None,
        status: Status::Failed,
        reasons: vec![error.to_string()],
        sha256: None,
    }
}

/// The row of an archive, whose members have rows of their own.
pub(super) fn archive(
    evidence: &Evidence,
    kind: &'static str,
    problems: &[ReadError],
    opened: bool,
    options: &Options,
) -> Row {
    let mut reasons = Reasons::default();
    for problem in problems {
        reasons.add(problem);
    }
    let unsupported = |it: &ReadError| matches!(it, ReadError::Unsupported(_));
    let status = if problems.is_empty() {
        Status::Read
    } else if problems.iter().all(unsupported) {
        Status::Unsupported
    } else if opened {
        Status::Partial
    } else {
        Status::Failed
    };
    Row {
        source: Arc::new(attributed(evidence, kind)),
        bytes: evidence.len(),
        status,
        reasons: reasons.into_lines(),
        sha256: hash(evidence, options),
    }
}

/// Every reader that `--type` may name: those that read what they recognise.
pub fn named() -> impl Iterator<Item = &'static Reader> {
    let reads = |reader: &&Reader| foreign::ALL.iter().all(|other| other.name != reader.name);
    let readers = READERS.iter().copied().filter(reads);
    readers.chain([&log::ANY_TEXT])
}

fn claim(evidence: &Evidence, context: &Context<'_>, options: &Options) -> Option<&'static Reader> {
    let claims = |reader: &&Reader| (reader.claims)(evidence, context);
    // `--type` gives a reader everything but nothing.
    if options.forced.is_some() && evidence.is_empty() {
        return None;
    }
    let fallback = || options.fallback.filter(claims);
    options
        .forced
        .or_else(|| READERS.iter().copied().find(claims))
        .or_else(fallback)
}

/// The source, with what its path tells of machine, account, browser and profile.
fn attributed(evidence: &Evidence, reader: &'static str) -> Source {
    let told = browser::profile::attribution(evidence.shown());
    Source {
        path: evidence.path().into(),
        members: evidence.members().to_vec(),
        reader: reader.into(),
        host: told.host,
        user: told.user,
        browser: told.browser,
        profile: told.profile,
    }
}

/// The hash that was asked for; what can be read once only has none.
fn hash(evidence: &Evidence, options: &Options) -> Option<String> {
    let wanted = options.hash && !evidence.is_stream();
    wanted.then(|| sha256(evidence).ok()).flatten()
}

fn sha256(evidence: &Evidence) -> Result<String, ReadError> {
    let mut file = evidence.raw()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(data_encoding::HEXLOWER.encode(&hash.finalize()));
        };
        hash.update(bytes);
    }
}

/// Reasons in order of appearance, each once, with its count.
#[derive(Clone, Default, Debug)]
pub struct Reasons {
    order: Vec<String>,
    counts: BTreeMap<String, u64>,
    others: u64,
}

impl Reasons {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Takes one.
    pub fn add(&mut self, error: &impl ToString) {
        let reason = error.to_string();
        if let Some(count) = self.counts.get_mut(&reason) {
            *count += 1;
        } else if self.order.len() < REASONS {
            self.order.push(reason.clone());
            self.counts.insert(reason, 1);
        } else {
            self.others += 1;
        }
    }

    /// One line each; those beyond the bound are counted in a last one.
    pub fn into_lines(self) -> Vec<String> {
        let counts = self.counts;
        let times = |reason: String| match counts.get(&reason) {
            Some(&count) if count > 1 => format!("{reason} ({count} times)"),
            _ => reason,
        };
        let mut lines: Vec<String> = self.order.into_iter().map(times).collect();
        if self.others > 0 {
            lines.push(format!("{} more problems of other kinds", self.others));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_bounded() {
        let mut reasons = Reasons::default();
        for number in 0..20 {
            reasons.add(&ReadError::Bomb);
            reasons.add(&ReadError::Malformed(format!("no. {number}").into()));
        }
        let lines = reasons.into_lines();
        assert_eq!(lines.len(), REASONS + 1);
        assert!(lines[0].ends_with("(20 times)"), "{}", lines[0]);
        assert_eq!(lines[REASONS], "11 more problems of other kinds");
    }

    #[test]
    fn a_file_that_loses_its_end_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "two lines\nof text\n").unwrap();
        let evidence = Evidence::file(file.path(), "x").unwrap();
        assert!(!shrunk(&evidence));
        std::fs::write(file.path(), "one line\n").unwrap();
        assert!(shrunk(&evidence));
    }

    #[test]
    fn a_file_that_cannot_be_opened_costs_its_own_row() {
        let file = File {
            path: Some("does/not/exist".into()),
            shown: "x".into(),
            len: 0,
            is_named: true,
        };
        let work = |opened| match opened {
            Opened::Known(outcome) => outcome,
            Opened::Evidence(_) => panic!("opened"),
        };
        let outcomes = super::super::archive::sources(
            &file,
            &Options::default(),
            &|_| None,
            &work,
            |outcome| outcome,
        );
        let [Outcome::Row(row)] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        assert_eq!(row.status, Status::Failed);
        assert_eq!(row.reasons.len(), 1);
    }
}
