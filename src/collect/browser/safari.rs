//! Safari's `History.db`: Cocoa seconds, and redirect chains that are joined in both directions by the ids of
//! the visits. A visit reached by a plain link names no earlier one.

use super::columns::{Columns, Form, Time};
use super::visits::{CODES, Shape};
use super::{epoch, reading};
use crate::atoms::Basis;
use crate::collect::{Reader, Via};

/// Reads a `History.db` of Safari, on macOS and iOS.
pub static SAFARI: Reader = Reader {
    name: "safari-history",
    claims: |evidence, _| super::recognised(evidence) == Some("safari-history"),
    read: |evidence, source, context, sink| {
        reading::read(evidence, source, context, sink, |reading| {
            super::tables(&SHAPE, COLUMNS, reading)
        })
    },
};

const SHAPE: Shape = Shape {
    pages: "history_items",
    url: "url",
    last: &[],
    visits: "history_visits",
    page: "history_item",
    time: "visit_time",
    codes: ["redirect_source", "http_non_get"],
    from: ["redirect_source", ""],
    clock: epoch::cocoa,
    via,
};

const COLUMNS: &[Columns] = &[
    // What was deleted, between two times; the URL is mostly NULL.
    Columns {
        table: "history_tombstones",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::Own("end_time", Basis::Row),
        via: Via::Unknown,
    },
];

/// Safari does not tell a server's redirect from a script's, nor a typed URL from a link.
fn via([redirect_source, non_get]: [i64; CODES]) -> Via {
    match (redirect_source, non_get) {
        (0, 0) => Via::Unknown,
        (0, _) => Via::Form,
        _ => Via::ServerRedirect,
    }
}
