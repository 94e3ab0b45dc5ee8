//! One pass over one history: what every browser reader is given, and where its finds go. Sees to it that a
//! file which changed meanwhile is read again. Knows no browser.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;

use crate::atoms::rules::Needles;
use crate::atoms::{Basis, Locator, Place, Source, View, When, Zone};
use crate::collect::sqlite::{Because, Database, MAX_ATTEMPTS, Table, Views};
use crate::collect::{Context, Evidence, Observation, Payload, ReadError, Sink, Via, Visit};

/// Observations that are held back until it is sure that the file did not change. Beyond, they go out at
/// once, and a change costs a problem.
const HELD: usize = 50_000;

/// A history that is being read.
pub(super) struct Reading<'a, 's> {
    views: &'a Views,
    source: &'a Arc<Source>,
    needles: &'a Needles,
    out: RefCell<Out<'a, 's>>,
}

struct Out<'a, 's> {
    sink: &'a mut Sink<'s>,
    held: Vec<Observation>,
    problems: Vec<ReadError>,
    flowing: bool,
}

/// Opens the evidence and reads it, again if it changed under the reading.
pub(super) fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    body: impl Fn(&mut Reading<'_, '_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for attempt in 1..=MAX_ATTEMPTS {
        let mut views = Views::open(evidence)?;
        let problem = views.problem.take();
        let mut reading = Reading {
            views: &views,
            source,
            needles: &context.rules.needles,
            out: RefCell::new(Out {
                sink,
                held: Vec::new(),
                problems: Vec::new(),
                flowing: false,
            }),
        };
        reading.problem(problem);
        if views.cut_off {
            reading.problem(Some(ReadError::Malformed(
                "the file ends before its last page; copy it again, the pages that are left were read".into(),
            )));
        }
        let result = body(&mut reading);
        let mut out = reading.out.into_inner();
        let changed = views.changed();
        if changed && !out.flowing && attempt < MAX_ATTEMPTS {
            continue;
        }
        out.flow();
        if changed {
            (out.sink.problem)(ReadError::Malformed(
                "it was written to while it was read, so rows may be missing; close its application, or scan a copy".into(),
            ));
        }
        return result;
    }
    Ok(())
}

impl<'a> Reading<'a, '_> {
    /// What the application sees.
    pub(super) fn live(&self) -> &'a Database {
        &self.views.live
    }

    /// What is worth a second look.
    pub(super) fn needles(&self) -> &'a Needles {
        self.needles
    }

    /// Takes note of a part that was not read; the same reason counts once.
    pub(super) fn problem(&self, problem: Option<ReadError>) {
        let Some(problem) = problem else { return };
        let mut out = self.out.borrow_mut();
        let known = |known: &ReadError| known.to_string() == problem.to_string();
        if !out.problems.iter().any(known) {
            out.problems.push(problem);
        }
    }

    /// Whether the cell stands in the main file, or in the write-ahead log only.
    pub(super) fn view(
        &self,
        table: &Table,
        rowid: i64,
        column: &'static str,
        bytes: &[u8],
    ) -> View {
        let Some(main_file) = &self.views.main_file else {
            return View::Live;
        };
        if main_file.because != Because::WriteAheadLog || !table.has_rowid() {
            return View::Live;
        }
        let same = main_file
            .database
            .lookup(table, "rowid", &[column])
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
        out.held.push(observation);
        if out.held.len() > HELD {
            out.flow();
        }
    }
}

impl Out<'_, '_> {
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
