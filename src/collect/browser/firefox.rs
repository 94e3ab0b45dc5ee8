//! Firefox and its kin: `places.sqlite`, from `toolkit/components/places` of the Firefox sources, and the
//! smaller schema of Firefox for Android and iOS. Rows with `hidden = 1` are the redirect sources, so the
//! column is never looked at.

use super::columns::{Columns, Form, Time};
use super::visits::{CODES, Shape};
use super::{epoch, reading};
use crate::atoms::Basis;
use crate::collect::{Reader, Via};

/// Reads a `places.sqlite`.
pub static FIREFOX: Reader = Reader {
    name: "firefox-places",
    claims: |evidence, _| super::recognised(evidence) == Some("firefox-places"),
    read: |evidence, source, context, sink| {
        reading::read(evidence, source, context, sink, |reading| {
            super::tables(&SHAPE, COLUMNS, reading)
        })
    },
};

const SHAPE: Shape = Shape {
    pages: "moz_places",
    url: "url",
    last: &[
        "last_visit_date",
        "last_visit_date_local",
        "last_visit_date_remote",
    ],
    visits: "moz_historyvisits",
    page: "place_id",
    time: "visit_date",
    codes: ["visit_type", ""],
    from: ["from_visit", ""],
    clock: epoch::unix,
    via,
};

const COLUMNS: &[Columns] = &[
    Columns {
        table: "moz_places",
        key: "",
        cells: &[
            ("preview_image_url", Form::Url),
            ("title", Form::Text),
            ("description", Form::Text),
        ],
        time: Time::Own("last_visit_date", Basis::LastVisit),
        via: Via::Unknown,
    },
    // Downloads: the file's name and its state; the URL is that of the place.
    Columns {
        table: "moz_annos",
        key: "",
        cells: &[("content", Form::Text)],
        time: Time::Own("dateAdded", Basis::Download),
        via: Via::Download,
    },
    Columns {
        table: "moz_inputhistory",
        key: "",
        cells: &[("input", Form::Text)],
        time: Time::Of(
            "place_id",
            "moz_places",
            "last_visit_date",
            Basis::LastVisit,
        ),
        via: Via::Typed,
    },
    Columns {
        table: "moz_keywords",
        key: "",
        cells: &[("post_data", Form::Body)],
        time: Time::None,
        via: Via::Stored,
    },
    // Of the bookmarks only the title is their own; Firefox for Android and iOS has them in a second table too.
    Columns {
        table: "moz_bookmarks",
        key: "",
        cells: &[("title", Form::Text)],
        time: Time::Own("dateAdded", Basis::Row),
        via: Via::Stored,
    },
    Columns {
        table: "moz_bookmarks_synced",
        key: "",
        cells: &[
            ("title", Form::Text),
            ("feedURL", Form::Url),
            ("siteURL", Form::Url),
        ],
        time: Time::Own("dateAdded", Basis::Row),
        via: Via::Stored,
    },
    // Until version 54 the icons were here.
    Columns {
        table: "moz_favicons",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "moz_places_metadata_search_queries",
        key: "",
        cells: &[("terms", Form::Text)],
        time: Time::None,
        via: Via::Typed,
    },
    Columns {
        table: "moz_places_extra",
        key: "",
        cells: &[("sync_json", Form::Text)],
        time: Time::None,
        via: Via::Stored,
    },
    Columns {
        table: "moz_historyvisits_extra",
        key: "",
        cells: &[("sync_json", Form::Text)],
        time: Time::None,
        via: Via::Stored,
    },
];

/// `TRANSITION_*` of `nsINavHistoryService.idl`. Redirects by script or a meta element come as links.
pub(super) fn via([visit_type, _]: [i64; CODES]) -> Via {
    match visit_type {
        1 | 3 => Via::Link,
        2 => Via::Typed,
        4 | 8 => Via::Subframe,
        5 | 6 => Via::ServerRedirect,
        7 => Via::Download,
        9 => Via::Reload,
        _ => Via::Unknown,
    }
}
