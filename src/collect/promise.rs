//! What the name of a file promises when its content does not tell: a history, session, HAR file, archive or log
//! that is empty, cut off or overwritten is a problem to the user; any other file without a reader is only counted.

use super::evidence::Encoding;
use super::read::Status;
use super::{Evidence, ReadError, Reader, browser, foreign, har, log, session};

/// Endings of the names of archives.
const ARCHIVES: [&str; 4] = [".zip", ".tar", ".tgz", ".saz"];

/// What becomes of a file that no reader claims.
pub(super) enum Unclaimed {
    /// It is counted under this reason.
    Counted(&'static str),
    /// It has its own row: the reader that its name belongs to, how far it was read, and why not further.
    Told(&'static Reader, Status, ReadError),
}

/// Decides by the name, and by what is left of the content.
pub(super) fn unclaimed(evidence: &Evidence) -> Unclaimed {
    let (name, packed) = evidence.name_promised();
    let told = promised(name).and_then(|reader| {
        let (status, error) = told(evidence, reader, packed)?;
        Some(Unclaimed::Told(reader, status, error))
    });
    told.or_else(|| named_text(evidence)).unwrap_or_else(|| {
        Unclaimed::Counted(if evidence.head_error().is_some() {
            "damaged"
        } else if is_void(evidence) {
            "empty"
        } else {
            "not recognised"
        })
    })
}

/// Who names a text, or pipes it in, wants to know that it was not looked into.
fn named_text(evidence: &Evidence) -> Option<Unclaimed> {
    let head = evidence.head();
    // What a crash left of a file may be nothing but zeros.
    let is_text = log::is_text(head) && head.iter().any(|byte| *byte != 0);
    let is_text = is_text && evidence.head_error().is_none();
    (evidence.is_named() && is_text).then(|| {
        let why = "is text that looks like no log, and was left alone; --all-text reads it";
        let error = ReadError::Unsupported(why.into());
        Unclaimed::Told(&log::LOG, Status::Unsupported, error)
    })
}

/// The reader of files with this name.
fn promised(name: &str) -> Option<&'static Reader> {
    if let Some(history) = browser::reader_of_name(name) {
        Some(history)
    } else if session::is_session_name(name) {
        Some(&session::FIREFOX_SESSION)
    } else if har::is_har_name(name) {
        Some(&har::READER)
    } else if ARCHIVES.iter().any(|ending| name.ends_with(ending)) {
        Some(&foreign::OTHER_ARCHIVE)
    } else if log::is_log_name(name) && !is_numbered(name) {
        Some(&log::LOG)
    } else {
        None
    }
}

/// `000003.log` is LevelDB's, and empty as often as not.
fn is_numbered(name: &str) -> bool {
    name.split('.')
        .next()
        .is_some_and(|stem| stem.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_void(evidence: &Evidence) -> bool {
    evidence.is_empty() && evidence.head_error().is_none()
}

/// Why a file with a promising name was not read; nothing when it is another application's.
fn told(evidence: &Evidence, reader: &Reader, packed: bool) -> Option<(Status, ReadError)> {
    let failed = |reason: &str| Some((Status::Failed, ReadError::Malformed(reason.into())));
    if let Some(error) = evidence.head_error() {
        return Some((Status::Failed, error));
    }
    let is_log = reader.name == log::LOG.name;
    // A tar without members is nothing but zeros.
    if reader.name == foreign::OTHER_ARCHIVE.name && !is_void(evidence) {
        return if evidence.head().iter().all(|byte| *byte == 0) {
            None
        } else {
            failed("has the name of an archive and is none; copy it again, or rename it")
        };
    }
    let is_plain = evidence.encoding() == Encoding::Plain;
    if is_void(evidence) {
        return match (packed && is_plain, is_log) {
            (true, _) => failed("is empty, and compressed data never is; copy it again"),
            // A log is empty after each rotation: all of it was read.
            (_, true) => Some((
                Status::Read,
                ReadError::Malformed("is empty; copy it again if it should not be".into()),
            )),
            _ => failed("is empty, and a file of this name never is; copy it again"),
        };
    }
    if packed && is_plain {
        return failed("has the name of compressed data and is none; copy it again, or rename it");
    }
    if reader.name == session::FIREFOX_SESSION.name {
        return failed(
            "has the name of a session file of Firefox and is none; its beginning is damaged: copy it again",
        );
    }
    let is_database = evidence.head().starts_with(super::sqlite::MAGIC);
    match (is_log, reader.name == har::READER.name) {
        // Binary files are called so too: transaction logs of databases, of registries.
        (true, _) => None,
        (_, true) => {
            failed("has the name of a HAR file and is none; save it again as HAR, or rename it")
        }
        _ if is_database => None,
        _ if log::is_text(evidence.head()) => Some((
            Status::Unsupported,
            ReadError::Unsupported(
                "has the name of a browser's database and is text; it was left alone".into(),
            ),
        )),
        _ => failed(
            "has the name of a browser's database and is no SQLite database; its beginning is damaged, or it is encrypted: copy or decrypt it",
        ),
    }
}
