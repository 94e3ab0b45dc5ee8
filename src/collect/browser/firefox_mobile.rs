//! What Firefox for Android and iOS kept in databases of their own, before they had a `places.sqlite`.

use super::columns::{Columns, Form, Time};
use super::epoch;
use super::visits::{CODES, Shape};
use crate::atoms::Basis;
use crate::collect::Via;

/// `browser.db` of Firefox for iOS until 2023.
pub(super) const IOS: Shape = Shape {
    pages: "history",
    url: "url",
    last: &[],
    visits: "visits",
    page: "siteID",
    time: "date",
    codes: ["type", ""],
    from: ["", ""],
    clock: epoch::unix,
    via: |[kind, _]: [i64; CODES]| super::firefox::via([kind, 0]),
};

/// `browser.db` and `tabs.db` of Firefox for Android until 2020 (`BrowserContract`).
pub(super) const ANDROID: &[Columns] = &[
    Columns {
        table: "history",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::Own("date", Basis::LastVisit),
        via: Via::Unknown,
    },
    MOBILE_BOOKMARKS,
    MOBILE_ICONS,
    MOBILE_METADATA,
    MOBILE_READING,
    MOBILE_TABS,
];

/// What stands beside pages and visits in the `browser.db` of iOS.
pub(super) const IOS_COLUMNS: &[Columns] = &[
    Columns {
        table: "bookmarksMirror",
        key: "",
        cells: &[("bmkUri", Form::Url)],
        time: Time::None,
        via: Via::Stored,
    },
    MOBILE_ICONS,
    MOBILE_METADATA,
    MOBILE_READING,
    MOBILE_TABS,
];

const MOBILE_BOOKMARKS: Columns = Columns {
    table: "bookmarks",
    key: "",
    cells: &[("url", Form::Url), ("title", Form::Text)],
    time: Time::Own("created", Basis::Row),
    via: Via::Stored,
};

const MOBILE_ICONS: Columns = Columns {
    table: "favicons",
    key: "",
    cells: &[("url", Form::Url)],
    time: Time::None,
    via: Via::Unknown,
};

const MOBILE_METADATA: Columns = Columns {
    table: "page_metadata",
    key: "",
    cells: &[("site_url", Form::Url), ("json", Form::Document)],
    time: Time::None,
    via: Via::Unknown,
};

const MOBILE_READING: Columns = Columns {
    table: "reading_list",
    key: "",
    cells: &[("url", Form::Url), ("resolved_url", Form::Url)],
    time: Time::None,
    via: Via::Stored,
};

/// A tab's own URL, and those before it as a JSON list.
const MOBILE_TABS: Columns = Columns {
    table: "tabs",
    key: "",
    cells: &[("url", Form::Url), ("history", Form::Document)],
    time: Time::Own("last_used", Basis::LastVisit),
    via: Via::Unknown,
};
