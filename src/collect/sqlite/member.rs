//! A database that is a member of an archive, with the members beside it that are its write-ahead log or its
//! journal. Everything is read where it lies or from memory; larger databases from a private copy.

use std::io::{BufReader, Cursor, Read, Seek};

use super::image::{Image, Overlay};
use super::{Because, Database, MainFile, Views, journal, open, page_size, wal};
use crate::collect::span::Span;
use crate::collect::{Evidence, ReadError};

/// Opens evidence that is no file of its own; without sidecars it is the main file alone.
pub(super) fn open(evidence: &Evidence) -> Result<Views, ReadError> {
    let mut problem = None;
    let mut beside = |suffix: &str| -> Option<Span> {
        let sidecar = evidence.attached(suffix)?;
        let span = sidecar.at_rest().inspect_err(|_| {
            problem = Some(ReadError::Malformed(
                format!("the {suffix} file beside it cannot be read, so what only that holds is missing; unpack the archive, and scan the folder").into(),
            ));
        });
        span.ok().filter(|span| !span.is_empty())
    };
    let log = beside("-wal");
    let journal = beside("-journal");
    if let Some(log) = log {
        let committed = wal::committed(BufReader::new(log.reader()))?;
        problem = problem.or(committed.problem);
        if let Some(overlay) = committed.overlay {
            let passed_over = journal.and_then(|journal| {
                journal::passed_over(BufReader::new(journal.reader()), &overlay)
            });
            problem = problem.or(passed_over);
            let views = overlaid(evidence, overlay, log.len(), Because::WriteAheadLog)?;
            return Ok(views.with_problem(problem));
        }
    }
    if let Some(log) = journal
        && !evidence.is_empty()
    {
        let content = BufReader::new(log.reader());
        let rolled_back = journal::rollback(content, page_size(evidence.head()))?;
        problem = problem.or(rolled_back.problem);
        if let Some(overlay) = rolled_back.overlay {
            let views = overlaid(evidence, overlay, log.len(), Because::HotJournal)?;
            return Ok(views.with_problem(problem));
        }
    }
    Ok(Views::streamed(evidence)?.with_problem(problem))
}

fn overlaid<S: Read + Seek>(
    evidence: &Evidence,
    mut overlay: Overlay<S>,
    sidecar_len: u64,
    because: Because,
) -> Result<Views, ReadError> {
    let main = evidence.at_rest()?;
    let (len, problem) = overlay.admit(main.len(), sidecar_len);
    let mut views = if main.is_empty() {
        Views::of(Database::new(open::image(Cursor::new([]), 0)?, 0))
    } else {
        Views::streamed(evidence)?
    };
    let image = Image::new(BufReader::new(main.reader()), overlay);
    let live = Database::new(open::image(image, len)?, len);
    let database = std::mem::replace(&mut views.live, live);
    views.main_file = (!main.is_empty()).then_some(MainFile { database, because });
    views.cut_off = false;
    views.problem = views.problem.or(problem);
    Ok(views)
}
