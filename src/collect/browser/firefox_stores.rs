//! What Firefox and its kin keep beside `places.sqlite`, and what older and mobile versions keep in its stead.
//! Schemas from the Firefox sources. GNOME Web's cookies have the table of Firefox, and are read here.

use super::columns::{Columns, Form, Time};
use super::pairs::{Code, Origin, Pair};
use super::stores::{self, Sealed, Store};
use super::{Signature, epoch, firefox_mobile};
use crate::atoms::Basis;
use crate::collect::{self, Reader, Via};

/// Reads the smaller databases of a Firefox profile.
pub static FIREFOX_STORES: Reader = Reader {
    name: NAME,
    claims: |evidence, _| super::recognised(evidence) == Some(NAME),
    read: |evidence, source, context, sink| stores::read(STORES, evidence, source, context, sink),
};

const NAME: &str = "firefox-stores";

/// One row for each database.
pub(super) const STORES: &[Store] = &[
    store(
        "cookies.sqlite",
        &[("moz_cookies", &["name", "value", "host"])],
        COOKIES,
    ),
    store(
        "favicons.sqlite",
        &[
            ("moz_pages_w_icons", &["page_url"]),
            ("moz_icons", &["icon_url"]),
        ],
        FAVICONS,
    ),
    store(
        "formhistory.sqlite",
        &[("moz_formhistory", &["fieldname", "value"])],
        FORMS,
    ),
    store(
        "webappsstore.sqlite",
        &[("webappsstore2", &["scope", "key", "value"])],
        OLD_STORAGE,
    ),
    store(
        "",
        &[("data", &["key", "value"]), ("database", &["origin"])],
        STORAGE,
    ),
    store(
        "",
        &[
            ("object_data", &["object_store_id", "key", "data"]),
            ("database", &["origin"]),
        ],
        INDEXED_DB,
    ),
    store(
        "",
        &[("storage_sync_data", &["ext_id", "data"])],
        EXTENSIONS,
    ),
    store(
        "",
        &[("moz_downloads", &["source", "startTime"])],
        DOWNLOADS,
    ),
    store(
        "content-prefs.sqlite",
        &[("prefs", &["groupID", "value"]), ("groups", &["name"])],
        CONTENT_PREFS,
    ),
    store(
        "synced-tabs.db",
        &[("tabs", &["guid", "record"])],
        SYNCED_TABS,
    ),
    sealed(
        "signons.sqlite",
        &[("moz_logins", &["hostname", "encryptedPassword"])],
        OLD_LOGINS,
        "moz_logins",
        "encryptedPassword",
    ),
    sealed(
        "",
        &[("loginsL", &["origin", "formActionOrigin"])],
        LOGINS,
        "loginsL",
        "secFields",
    ),
    Store {
        shape: Some(firefox_mobile::IOS),
        ..store(
            "",
            &[
                ("history", &["url", "guid"]),
                ("visits", &["siteID", "date"]),
            ],
            firefox_mobile::IOS_COLUMNS,
        )
    },
    store(
        "",
        &[("history", &["url", "date", "visits"])],
        firefox_mobile::ANDROID,
    ),
    store(
        "",
        &[("tabs", &["url", "last_used"])],
        firefox_mobile::ANDROID,
    ),
];

/// All of them count microseconds or milliseconds since 1970, which are told apart by their size.
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
        clock: epoch::unix,
        sealed: None,
    }
}

/// One that holds logins, encrypted under a key of `key4.db` or of the system.
const fn sealed(
    name: &'static str,
    tables: &'static [(&'static str, &'static [&'static str])],
    columns: &'static [Columns],
    table: &'static str,
    column: &'static str,
) -> Store {
    Store {
        sealed: Some(Sealed {
            table,
            column,
            host: "",
            what: "logins",
        }),
        ..store(name, tables, columns)
    }
}

/// `netwerk/cookie/CookiePersistentStorage.cpp`; `soup-cookie-jar-db.c` of libsoup, which has no creation time.
const COOKIES: &[Columns] = &[Columns {
    table: "moz_cookies",
    key: "",
    cells: &[(
        "value",
        Form::Pair(&Pair {
            store: collect::Store::Cookie,
            name: "name",
            origin: Origin::Own("host"),
            code: Code::Plain,
        }),
    )],
    time: Time::Own("creationTime", Basis::Row),
    via: Via::Stored,
}];

/// `toolkit/components/places/FaviconHelpers.cpp`. Its only times are those at which icons expire.
const FAVICONS: &[Columns] = &[
    Columns {
        table: "moz_pages_w_icons",
        key: "",
        cells: &[("page_url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "moz_icons",
        key: "",
        cells: &[("icon_url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
];

const FORMS: &[Columns] = &[Columns {
    table: "moz_formhistory",
    key: "",
    cells: &[(
        "value",
        Form::Pair(&Pair {
            store: collect::Store::Autofill,
            name: "fieldname",
            origin: Origin::None,
            code: Code::Plain,
        }),
    )],
    time: Time::Own("firstUsed", Basis::Row),
    via: Via::Stored,
}];

const OLD_STORAGE: &[Columns] = &[Columns {
    table: "webappsstore2",
    key: "",
    cells: &[(
        "value",
        Form::Pair(&Pair {
            store: collect::Store::LocalStorage,
            name: "key",
            origin: Origin::Reversed("scope"),
            code: Code::Plain,
        }),
    )],
    time: Time::None,
    via: Via::Stored,
}];

/// `dom/localstorage/ActorsParent.cpp`. The column for the last access is never written.
const STORAGE: &[Columns] = &[Columns {
    table: "data",
    key: "",
    cells: &[(
        "value",
        Form::Pair(&Pair {
            store: collect::Store::LocalStorage,
            name: "key",
            origin: Origin::Home("database", "origin"),
            code: Code::Packed,
        }),
    )],
    time: Time::None,
    via: Via::Stored,
}];

/// `dom/indexedDB/ActorsParent.cpp`. Values of more than a MiB lie in files of their own.
const INDEXED_DB: &[Columns] = &[Columns {
    table: "object_data",
    key: "object_store_id",
    cells: &[(
        "data",
        Form::Pair(&Pair {
            store: collect::Store::IndexedDb,
            name: "key",
            origin: Origin::Home("database", "origin"),
            code: Code::Cloned,
        }),
    )],
    time: Time::None,
    via: Via::Stored,
}];

/// What extensions keep to be synchronised: one JSON text each.
const EXTENSIONS: &[Columns] = &[Columns {
    table: "storage_sync_data",
    key: "",
    cells: &[(
        "data",
        Form::Pair(&Pair {
            store: collect::Store::Extension,
            name: "",
            origin: Origin::Own("ext_id"),
            code: Code::Plain,
        }),
    )],
    time: Time::None,
    via: Via::Stored,
}];

const DOWNLOADS: &[Columns] = &[Columns {
    table: "moz_downloads",
    key: "",
    cells: &[("source", Form::Url), ("referrer", Form::Url)],
    time: Time::Own("startTime", Basis::Download),
    via: Via::Download,
}];

const CONTENT_PREFS: &[Columns] = &[
    Columns {
        table: "groups",
        key: "",
        cells: &[("name", Form::Url)],
        time: Time::None,
        via: Via::Stored,
    },
    Columns {
        table: "prefs",
        key: "",
        cells: &[("value", Form::Text)],
        time: Time::Own("timestamp", Basis::Row),
        via: Via::Stored,
    },
];

/// Tabs of other devices, each device one JSON text.
const SYNCED_TABS: &[Columns] = &[Columns {
    table: "tabs",
    key: "",
    cells: &[("record", Form::Document)],
    time: Time::Own("last_modified", Basis::Row),
    via: Via::Stored,
}];

const OLD_LOGINS: &[Columns] = &[Columns {
    table: "moz_logins",
    key: "",
    cells: &[("hostname", Form::Url), ("formSubmitURL", Form::Url)],
    time: Time::Own("timeCreated", Basis::Row),
    via: Via::Stored,
}];

const LOGINS: &[Columns] = &[
    Columns {
        table: "loginsL",
        key: "",
        cells: &[("origin", Form::Url), ("formActionOrigin", Form::Url)],
        time: Time::Own("timeCreated", Basis::Row),
        via: Via::Stored,
    },
    Columns {
        table: "loginsM",
        key: "",
        cells: &[("origin", Form::Url), ("formActionOrigin", Form::Url)],
        time: Time::Own("timeCreated", Basis::Row),
        via: Via::Stored,
    },
];
