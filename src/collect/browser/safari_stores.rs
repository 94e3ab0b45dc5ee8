//! What Safari keeps beside `History.db`, what WebKit keeps for every application that is built on it, and where
//! macOS keeps the origins of downloads. Schemas as they are found on disk; Apple publishes none. Property lists
//! inside the columns are not read.

use super::columns::{Columns, Form, Time};
use super::pairs::{Code, Origin, Pair};
use super::stores::{self, Store};
use super::{Signature, epoch};
use crate::atoms::Basis;
use crate::collect::{self, Reader, Via};

/// Reads the smaller databases of Safari and of WebKit.
pub static SAFARI_STORES: Reader = Reader {
    name: NAME,
    claims: |evidence, _| super::recognised(evidence) == Some(NAME),
    read: |evidence, source, context, sink| stores::read(STORES, evidence, source, context, sink),
};

const NAME: &str = "safari-stores";

/// One row for each database.
pub(super) const STORES: &[Store] = &[
    store(
        "CloudTabs.db",
        &[("cloud_tabs", &["url", "title"])],
        CLOUD_TABS,
    ),
    store(
        "BrowserState.db",
        &[("tabs", &["url", "uuid"]), ("tab_sessions", &[])],
        TABS,
    ),
    store(
        "SafariTabs.db",
        &[("bookmarks", &["special_id", "url", "title"])],
        BOOKMARKS,
    ),
    store("", &[("snapshot_metadata", &["url"])], SNAPSHOTS),
    store(
        "",
        &[("cfurl_cache_response", &["request_key", "time_stamp"])],
        CACHE,
    ),
    store(
        "com.apple.LaunchServices.QuarantineEventsV2",
        &[("LSQuarantineEvent", &["LSQuarantineDataURLString"])],
        QUARANTINE,
    ),
    store(
        "",
        &[("page_url", &["url", "uuid"]), ("icon_info", &["url"])],
        ICONS,
    ),
    store(
        "WebpageIcons.db",
        &[("PageURL", &["url", "iconID"]), ("IconInfo", &["url"])],
        WEBKIT_ICONS,
    ),
    store("", &[("ItemTable", &["key", "value"])], STORAGE),
];

/// Seconds since 2001, or what says itself what it is.
const fn store(
    name: &'static str,
    tables: &'static [(&'static str, &'static [&'static str])],
    columns: &'static [Columns],
) -> Store {
    Store {
        signature: Signature {
            reader: NAME,
            name,
            tables,
        },
        shape: None,
        columns,
        clock: epoch::apple,
        sealed: None,
    }
}

/// Tabs of the other devices of the account.
const CLOUD_TABS: &[Columns] = &[Columns {
    table: "cloud_tabs",
    key: "",
    cells: &[("url", Form::Url), ("title", Form::Text)],
    time: Time::Own("last_viewed_time", Basis::LastVisit),
    via: Via::Unknown,
}];

const TABS: &[Columns] = &[Columns {
    table: "tabs",
    key: "",
    cells: &[
        ("url", Form::Url),
        ("user_visible_url", Form::Url),
        ("title", Form::Text),
    ],
    time: Time::Own("last_viewed_time", Basis::LastVisit),
    via: Via::Unknown,
}];

/// Open tabs since Safari 15, and the bookmarks of iOS: the same table.
const BOOKMARKS: &[Columns] = &[Columns {
    table: "bookmarks",
    key: "",
    cells: &[("url", Form::Url), ("title", Form::Text)],
    time: Time::Own("last_modified", Basis::Row),
    via: Via::Stored,
}];

const SNAPSHOTS: &[Columns] = &[Columns {
    table: "snapshot_metadata",
    key: "",
    cells: &[("url", Form::Url)],
    time: Time::None,
    via: Via::Unknown,
}];

/// `NSURLCache`: the request's URL, and the body where it lies in no file of its own.
const CACHE: &[Columns] = &[
    Columns {
        table: "cfurl_cache_response",
        key: "",
        cells: &[("request_key", Form::Url)],
        time: Time::Own("time_stamp", Basis::Row),
        via: Via::Unknown,
    },
    Columns {
        table: "cfurl_cache_receiver_data",
        key: "",
        cells: &[("receiver_data", Form::Document)],
        time: Time::By(
            "entry_ID",
            "cfurl_cache_response",
            "entry_ID",
            "time_stamp",
            Basis::Row,
        ),
        via: Via::Response,
    },
];

/// Where macOS got a downloaded file from.
const QUARANTINE: &[Columns] = &[Columns {
    table: "LSQuarantineEvent",
    key: "",
    cells: &[
        ("LSQuarantineDataURLString", Form::Url),
        ("LSQuarantineOriginURLString", Form::Url),
    ],
    time: Time::Own("LSQuarantineTimeStamp", Basis::Download),
    via: Via::Download,
}];

const ICONS: &[Columns] = &[
    Columns {
        table: "page_url",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "icon_info",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::Own("timestamp", Basis::Row),
        via: Via::Unknown,
    },
];

/// `IconDatabase.cpp` of WebKit: Safari until 2018, GNOME Web. Its stamps are those of the icons, in Unix seconds.
const WEBKIT_ICONS: &[Columns] = &[
    Columns {
        table: "PageURL",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "IconInfo",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::Own("stamp", Basis::Row),
        via: Via::Unknown,
    },
];

/// `StorageAreaDatabase` of WebKit, and Chromium's web storage until version 61. The site is told by the name of
/// the file alone.
const STORAGE: &[Columns] = &[Columns {
    table: "ItemTable",
    key: "",
    cells: &[(
        "value",
        Form::Pair(&Pair {
            store: collect::Store::LocalStorage,
            name: "key",
            origin: Origin::None,
            code: Code::Wide,
        }),
    )],
    time: Time::None,
    via: Via::Stored,
}];
