//! One pass over each state of one history: what every browser reader is given, and where its finds go. Sees to
//! it that a file which changed meanwhile is read again, and that each state adds only what it alone holds. Knows
//! no browser.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;

use super::known::Known;
use super::residue;
use crate::atoms::rules::Needles;
use crate::atoms::{Basis, Locator, Place, Source, View, When, Zone};
use crate::collect::sqlite::{
    Because, Database, MAX_ATTEMPTS, MAX_IMAGES, Others, Table, Views, more_states,
};
use crate::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Via, Visit};

/// Observations that are held back until it is sure that the file did not change. Beyond, they go out at
/// once, and a change costs a problem.
const HELD: usize = 50_000;

/// Bytes of their payloads that are held back: as many observations with URLs of 1 KiB, which is longer than most that
/// have a credential.
const HELD_BYTES: usize = 64 << 20;

/// A history that is being read, in one of its states.
pub(super) struct Reading<'a, 's> {
    views: &'a Views,
    /// The state that is read.
    database: &'a Database,
    source: &'a Arc<Source>,
    needles: &'a Needles,
    /// What the states before showed, where there is more than one.
    known: Option<&'a RefCell<Known>>,
    /// Whether unused bytes are searched.
    residue: bool,
    out: &'a RefCell<Out<'s>>,
}

struct Out<'s> {
    sink: Sink<'s>,
    held: Vec<Observation>,
    /// Bytes of their payloads.
    held_bytes: usize,
    /// How many of those that are held are of the live view.
    live: usize,
    problems: Vec<ReadError>,
    flowing: bool,
}

/// Opens the evidence and reads it, again if it changed under the reading: the live view, then the other states,
/// of which only what no state before held is reported.
pub(super) fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    body: impl Fn(&mut Reading<'_, '_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for attempt in 1..=MAX_ATTEMPTS {
        let mut views = match evidence.kept.take() {
            Some(views) => views,
            None => Views::open(evidence)?,
        };
        let problem = views.problem.take();
        let out = RefCell::new(Out::new(sink));
        let known = RefCell::default();
        let others = others(&views, evidence, &context.rules.needles, &known);
        let mut reading = Reading {
            views: &views,
            database: &views.live,
            source,
            needles: &context.rules.needles,
            known: matches!(others, Ok(Some(_))).then_some(&known),
            residue: context.residue,
            out: &out,
        };
        reading.problem(problem);
        if views.cut_off {
            reading.problem(Some(ReadError::Malformed(
                "the file ends before its last page; copy it again, the pages that are left were read".into(),
            )));
        }
        let result = body(&mut reading);
        out.borrow_mut().end_live();
        let of_others = others.and_then(|others| match others {
            Some(others) => read_others(evidence, &reading, &known, others, &body),
            None => Ok(()),
        });
        reading.problem(of_others.err());
        if context.residue {
            let of_residue = residue::read(evidence, &reading, known.borrow().recovered());
            reading.problem(of_residue.err());
        }
        let is_outdated = views.outdated() && (views.changed() || out.borrow().held_more());
        let mut out = out.into_inner();
        if is_outdated && !out.flowing && attempt < MAX_ATTEMPTS {
            continue;
        }
        if is_outdated {
            if !views.changed() {
                // What is live now would pass for deleted.
                out.held.truncate(out.live);
            }
            out.problems.push(ReadError::Malformed(
                "it was written to while it was read, so rows may be missing; close its application, or scan a copy".into(),
            ));
        }
        out.flow();
        return result;
    }
    Ok(())
}

/// Opens what lies beside the live view, and takes note of what it must be searched for.
fn others(
    views: &Views,
    evidence: &Evidence,
    needles: &Needles,
    known: &RefCell<Known>,
) -> Result<Option<Others>, ReadError> {
    let mut others = views.others(evidence)?;
    if let Some(others) = &mut others {
        known.borrow_mut().passing = others.passing(&|bytes| needles.hit(bytes))?;
    }
    Ok(others)
}

/// Reads the states beside the live one.
fn read_others(
    evidence: &Evidence,
    live: &Reading<'_, '_>,
    known: &RefCell<Known>,
    mut others: Others,
    body: &impl Fn(&mut Reading<'_, '_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let read = |database: &Database| {
        let mut reading = Reading { database, ..*live };
        let end = body(&mut reading);
        reading.problem(end.err());
    };
    if let Some(main_file) = &live.views.main_file {
        read(&main_file.database);
    }
    if let Some(before) = others.before_last()? {
        read(&before);
    }
    let mut images = 0..MAX_IMAGES;
    let mut between = |others: &mut Others| -> Result<(), ReadError> {
        loop {
            let Some(commit) = known.borrow_mut().passing.next_commit() else {
                return Ok(());
            };
            images.next().ok_or_else(more_states)?;
            if let Some(state) = others.after(commit, evidence)? {
                read(&state);
            }
        }
    };
    between(&mut others)?;
    if live.residue && others.turn_to_older()? {
        let cut_short = known.borrow().passing.cut_short;
        let mut passing = others.passing(&|bytes| live.needles.hit(bytes))?;
        passing.cut_short |= cut_short;
        known.borrow_mut().passing = passing;
        between(&mut others)?;
    }
    let known = known.borrow();
    if known.is_full() || known.passing.cut_short {
        return Err(more_states());
    }
    Ok(())
}

impl<'a> Reading<'a, '_> {
    /// What the application sees.
    pub(super) fn live(&self) -> &'a Database {
        &self.views.live
    }

    /// The state that is read: what the application sees, or one that was deleted from.
    pub(super) fn database(&self) -> &'a Database {
        self.database
    }

    fn is_live(&self) -> bool {
        std::ptr::eq(self.database, self.live())
    }

    /// What is worth a second look.
    pub(super) fn needles(&self) -> &'a Needles {
        self.needles
    }

    /// Takes note of a part that was not read; the same reason counts once.
    pub(super) fn problem(&self, problem: Option<ReadError>) {
        let Some(problem) = problem else { return };
        // A state beside the live one may be half written, and what is not read of the live one is told once.
        let of_state = matches!(problem, ReadError::Io(_) | ReadError::Limit(_));
        if !self.is_live() && !of_state {
            return;
        }
        let mut out = self.out.borrow_mut();
        let known = |known: &ReadError| known.to_string() == problem.to_string();
        if !out.problems.iter().any(known) {
            out.problems.push(problem);
        }
    }

    /// Whether the cell stands in the main file, in the write-ahead log only, or in no state but this one. A cell of
    /// another state that was shown before counts as live, and is not reported again.
    pub(super) fn view(
        &self,
        table: &Table,
        rowid: i64,
        column: &'static str,
        bytes: &[u8],
    ) -> View {
        let is_new = self
            .known
            .is_some_and(|known| known.borrow_mut().cell(table.name(), rowid, column, bytes));
        match (self.is_live(), is_new) {
            (true, _) => self.checkpointed(table, rowid, column, bytes),
            (false, true) => {
                if let Some(known) = self.known.filter(|_| self.residue) {
                    known.borrow_mut().keep(bytes);
                }
                View::Recovered
            }
            (false, false) => View::Live,
        }
    }

    /// The id of a visit, and its view, where its page has this one. Must be told all visits of a page.
    pub(super) fn visit(
        &self,
        id: i64,
        page: i64,
        at: Option<Timestamp>,
        of_page: View,
    ) -> (i64, View) {
        let Some(known) = self.known else {
            return (id, of_page);
        };
        let met = known.borrow_mut().visit(id, page, at);
        let is_recovered = met.is_new && !self.is_live();
        (
            met.id,
            if is_recovered {
                View::Recovered
            } else {
                of_page
            },
        )
    }

    /// The id of a visit before, as [`Self::visit`] gives it.
    pub(super) fn visit_id(&self, id: i64, page: i64, at: Option<Timestamp>) -> i64 {
        self.known
            .map_or(id, |known| known.borrow().id(id, page, at))
    }

    /// Whether the cell stands in the main file, or in the write-ahead log only.
    fn checkpointed(&self, table: &Table, rowid: i64, column: &'static str, bytes: &[u8]) -> View {
        let Some(main_file) = &self.views.main_file else {
            return View::Live;
        };
        if main_file.because != Because::WriteAheadLog || !table.has_rowid() {
            return View::Live;
        }
        let same = main_file
            .database
            .lookup(table, None, &[column])
            .and_then(|lookup| {
                lookup.one(rowid, |cells| {
                    cells.bytes(0).is_some_and(|there| *there == *bytes)
                })
            });
        match same {
            Ok(Some(true)) => View::Live,
            Ok(_) | Err(_) => View::Uncheckpointed,
        }
    }

    /// Reports an observation.
    pub(super) fn observe(
        &self,
        locator: Locator,
        view: View,
        at: Option<(Timestamp, Basis)>,
        via: Via,
        visit: Option<Visit>,
        payload: Payload,
    ) {
        if !self.is_live() && view != View::Recovered {
            return;
        }
        let observation = Observation {
            place: Place {
                source: self.source.clone(),
                locator,
                view,
            },
            at: at.map(|(instant, basis)| When {
                instant,
                basis,
                // An epoch fixes the zone.
                zone: Zone::Stated,
            }),
            via,
            visit,
            exchange: None,
            payload,
        };
        let mut out = self.out.borrow_mut();
        if out.flowing {
            (out.sink.observe)(observation);
            return;
        }
        out.held_bytes = out.held_bytes.saturating_add(observation.payload.len());
        out.held.push(observation);
        if out.held.len() > HELD || out.held_bytes > HELD_BYTES {
            out.flow();
        }
    }
}

impl<'s> Out<'s> {
    fn new(sink: &'s mut Sink<'_>) -> Self {
        Self {
            sink: Sink {
                observe: &mut *sink.observe,
                problem: &mut *sink.problem,
            },
            held: Vec::new(),
            held_bytes: 0,
            live: 0,
            problems: Vec::new(),
            flowing: false,
        }
    }

    /// Takes note that what comes now is of other states.
    fn end_live(&mut self) {
        self.live = self.held.len();
    }

    /// Whether something of another state than the live one was observed, as far as can be told.
    fn held_more(&self) -> bool {
        self.flowing || self.held.len() > self.live
    }

    /// Gives out what was held, and holds no more.
    fn flow(&mut self) {
        self.flowing = true;
        for observation in self.held.drain(..) {
            (self.sink.observe)(observation);
        }
        for problem in self.problems.drain(..) {
            (self.sink.problem)(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::atoms::Raw;
    use crate::atoms::rules::Rules;

    /// How many of so many observations of 1 MiB went out before the last one was made.
    fn gone_out(made: usize) -> usize {
        let file = tempfile::NamedTempFile::new().unwrap();
        let base = rusqlite::Connection::open(file.path()).unwrap();
        base.execute_batch("CREATE TABLE urls(id INTEGER PRIMARY KEY, url)")
            .unwrap();
        drop(base);
        let rules = Rules::builtin().unwrap();
        let context = Context {
            rules: &rules,
            log_timezone: None,
            residue: false,
        };
        let (out, before_last) = (AtomicUsize::new(0), AtomicUsize::new(0));
        read(
            &Evidence::file(file.path(), "History").unwrap(),
            &Arc::new(Source::default()),
            &context,
            &mut Sink {
                observe: &mut |_| {
                    out.fetch_add(1, Ordering::Relaxed);
                },
                problem: &mut |problem| panic!("{problem}"),
            },
            |reading| {
                for rowid in 0..made {
                    before_last.store(out.load(Ordering::Relaxed), Ordering::Relaxed);
                    let place = Locator::Row {
                        table: "urls".into(),
                        rowid: rowid.try_into().unwrap(),
                        column: "url".into(),
                    };
                    let url = Payload::Url(Raw::new(vec![b'x'; 1 << 20]));
                    reading.observe(place, View::Live, None, Via::Unknown, None, url);
                }
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(out.into_inner(), made, "each is told once");
        before_last.into_inner()
    }

    #[test]
    fn what_is_held_back_is_bounded_by_its_bytes() {
        let most = HELD_BYTES >> 20;
        assert_eq!(gone_out(most + 1), 0);
        assert_eq!(gone_out(most + 2), most + 1);
    }
}
