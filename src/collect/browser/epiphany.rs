//! GNOME Web (`ephy-history.db`) and qutebrowser (`history.sqlite`), the small ones.

use std::sync::Arc;

use super::columns::{self, Columns, Form, Time};
use super::visits::{self, CODES, Shape};
use super::{epoch, reading};
use crate::atoms::{Basis, Source};
use crate::collect::{Context, Evidence, ReadError, Reader, Sink, Via};

/// Reads an `ephy-history.db`.
pub static EPIPHANY: Reader = Reader {
    name: "gnome-web-history",
    claims: |evidence, _| super::recognised(evidence) == Some("gnome-web-history"),
    read: read_epiphany,
};

/// Reads a `history.sqlite` of qutebrowser.
pub static QUTEBROWSER: Reader = Reader {
    name: "qutebrowser-history",
    claims: |evidence, _| super::recognised(evidence) == Some("qutebrowser-history"),
    read: read_qutebrowser,
};

const SHAPE: Shape = Shape {
    pages: "urls",
    url: "url",
    last: &["last_visit_time"],
    visits: "visits",
    page: "url",
    time: "visit_time",
    codes: ["visit_type", ""],
    from: ["referring_visit", ""],
    clock: epoch::unix,
    via,
};

const TITLES: Columns = Columns {
    table: "urls",
    key: "",
    // A page without a title is given its URL.
    cells: &[("title", Form::Text)],
    time: Time::Own("last_visit_time", Basis::LastVisit),
    via: Via::Unknown,
};

/// One row for each visit; the `redirect` flag marks the pages that answered with one.
const QUTE: Columns = Columns {
    table: "History",
    key: "",
    cells: &[("url", Form::Url)],
    time: Time::Own("atime", Basis::Visit),
    via: Via::Unknown,
};

/// One row for each URL, for the completion of what is typed.
const QUTE_COMPLETION: Columns = Columns {
    table: "CompletionHistory",
    key: "",
    cells: &[("url", Form::Url)],
    time: Time::Own("last_atime", Basis::LastVisit),
    via: Via::Unknown,
};

fn read_epiphany(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    reading::read(evidence, source, context, sink, |reading| {
        visits::read(&SHAPE, reading)?;
        columns::read(&TITLES, epoch::unix, reading)
    })
}

fn read_qutebrowser(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    reading::read(evidence, source, context, sink, |reading| {
        columns::read(&QUTE, epoch::unix, reading)?;
        columns::read(&QUTE_COMPLETION, epoch::unix, reading)
    })
}

/// `EphyHistoryPageVisitType` of `ephy-history-types.h`. Versions number it differently, and 0 is what current
/// ones write for every visit, so only the two that all agree on are told.
fn via([visit_type, _]: [i64; CODES]) -> Via {
    match visit_type {
        2 => Via::Typed,
        1 => Via::Link,
        _ => Via::Unknown,
    }
}
