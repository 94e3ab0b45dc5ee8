//! What the Chromium family keeps beside its `History`: schemas from the Chromium sources, and of what Edge adds.
//! Columns come and go between versions; a missing one reads as NULL. Columns with people's names, addresses,
//! cards and passwords are not read.

use super::columns::{Columns, Form, Time};
use super::pairs::{Code, Origin, Pair};
use super::stores::{self, Sealed, Store};
use super::{Signature, epoch};
use crate::atoms::Basis;
use crate::collect::{self, Reader, Via};

/// Reads the smaller databases of a Chromium profile.
pub static CHROMIUM_STORES: Reader = Reader {
    name: NAME,
    claims: |evidence, _| super::recognised(evidence) == Some(NAME),
    read: |evidence, source, context, sink| stores::read(STORES, evidence, source, context, sink),
};

const NAME: &str = "chromium-stores";

/// One row for each database.
pub(super) const STORES: &[Store] = &[
    store(
        "Cookies",
        &[("cookies", &["host_key", "name", "value"])],
        COOKIES,
        Some(Sealed {
            table: "cookies",
            column: "encrypted_value",
            host: "host_key",
            what: "cookies",
        }),
    ),
    store(
        "Favicons",
        &[
            ("icon_mapping", &["page_url", "icon_id"]),
            ("favicons", &["url"]),
        ],
        FAVICONS,
        None,
    ),
    store(
        "Web Data",
        &[("autofill", &["name", "value", "value_lower"])],
        WEB_DATA,
        WEB_DATA_SEALED,
    ),
    store(
        "Web Data",
        &[("keywords", &["short_name", "keyword", "url"])],
        WEB_DATA,
        WEB_DATA_SEALED,
    ),
    store(
        "Login Data",
        &[("logins", &["origin_url", "signon_realm"])],
        LOGINS,
        Some(Sealed {
            table: "logins",
            column: "password_value",
            host: "",
            what: "passwords",
        }),
    ),
    store(
        "ukm_db",
        &[("urls", &["url_id", "url", "last_timestamp"])],
        UKM,
        None,
    ),
    store(
        "Top Sites",
        &[("top_sites", &["url", "url_rank"])],
        TOP_SITES,
        None,
    ),
    store(
        "Top Sites",
        &[("thumbnails", &["url", "url_rank"])],
        TOP_SITES,
        None,
    ),
    store(
        "",
        &[("omni_box_shortcuts", &["url", "text"])],
        SHORTCUTS,
        None,
    ),
    store(
        "Network Action Predictor",
        &[("network_action_predictor", &["user_text", "url"])],
        PREDICTOR,
        None,
    ),
    store(
        "Media History",
        &[("playback", &["url", "last_updated_time_s"])],
        MEDIA,
        None,
    ),
    store(
        "Reporting and NEL",
        &[("reporting_endpoints", &["origin_host", "url"])],
        REPORTING,
        None,
    ),
    store(
        "WebAssistDatabase",
        &[("navigation_history", &["url", "last_visited_time"])],
        WEB_ASSIST,
        None,
    ),
    store(
        "collectionsSQLite",
        &[("items", &["source", "title"]), ("collections", &[])],
        COLLECTIONS,
        None,
    ),
];

/// All of them count microseconds since 1601, but for those that count Unix seconds, which are told by their size.
const fn store(
    name: &'static str,
    tables: &'static [(&'static str, &'static [&'static str])],
    columns: &'static [Columns],
    sealed: Option<Sealed>,
) -> Store {
    Store {
        signature: Signature {
            reader: NAME,
            name,
            tables,
        },
        shape: None,
        columns,
        clock: epoch::webkit,
        sealed,
    }
}

const COOKIES: &[Columns] = &[Columns {
    table: "cookies",
    key: "",
    cells: &[
        (
            "value",
            Form::Pair(&Pair {
                store: collect::Store::Cookie,
                name: "name",
                origin: Origin::Own("host_key"),
                code: Code::Plain,
            }),
        ),
        (
            "encrypted_value",
            Form::Pair(&Pair {
                store: collect::Store::Cookie,
                name: "name",
                origin: Origin::Own("host_key"),
                code: Code::Sealed,
            }),
        ),
    ],
    time: Time::Own("creation_utc", Basis::Row),
    via: Via::Stored,
}];

/// `components/favicon/core/favicon_database.cc`. The time is that at which an icon was fetched: its own, and none
/// of the pages that show it, which may have been there days later.
const FAVICONS: &[Columns] = &[
    Columns {
        table: "icon_mapping",
        key: "",
        cells: &[("page_url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "favicons",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::By(
            "id",
            "favicon_bitmaps",
            "icon_id",
            "last_updated",
            Basis::Row,
        ),
        via: Via::Unknown,
    },
];

/// `components/webdata` and `components/autofill/core/browser/webdata`.
const WEB_DATA: &[Columns] = &[
    Columns {
        table: "autofill",
        key: "",
        cells: &[("value", AUTOFILL)],
        time: Time::Own("date_created", Basis::Row),
        via: Via::Stored,
    },
    Columns {
        table: "autocomplete",
        key: "",
        cells: &[("value", AUTOFILL)],
        time: Time::Own("date_created", Basis::Row),
        via: Via::Stored,
    },
    Columns {
        table: "keywords",
        key: "",
        cells: &[
            ("url", Form::Url),
            ("favicon_url", Form::Url),
            ("originating_url", Form::Url),
            ("suggest_url", Form::Url),
            ("image_url", Form::Url),
            ("new_tab_url", Form::Url),
            ("alternate_urls", Form::Text),
            ("search_url_post_params", Form::Text),
        ],
        time: Time::Own("date_created", Basis::Row),
        via: Via::Stored,
    },
    // The browser's own refresh tokens (`google_apis/gaia`, `TokenServiceTable`).
    Columns {
        table: "token_service",
        key: "",
        cells: &[("encrypted_token", Form::Sealed)],
        time: Time::None,
        via: Via::Stored,
    },
];

const WEB_DATA_SEALED: Option<Sealed> = Some(Sealed {
    table: "token_service",
    column: "encrypted_token",
    host: "",
    what: "account tokens",
});

const AUTOFILL: Form = Form::Pair(&Pair {
    store: collect::Store::Autofill,
    name: "name",
    origin: Origin::None,
    code: Code::Plain,
});

/// `components/password_manager/core/browser/password_store/login_database.cc`: addresses only.
const LOGINS: &[Columns] = &[Columns {
    table: "logins",
    key: "",
    cells: &[
        ("origin_url", Form::Url),
        ("action_url", Form::Url),
        ("signon_realm", Form::Url),
        ("icon_url", Form::Url),
        ("federation_url", Form::Url),
    ],
    time: Time::Own("date_created", Basis::Row),
    via: Via::Stored,
}];

/// `components/segmentation_platform/internal/database`: every URL of the history again, beside the profiles.
const UKM: &[Columns] = &[Columns {
    table: "urls",
    key: "",
    cells: &[("url", Form::Url), ("title", Form::Text)],
    time: Time::Own("last_timestamp", Basis::LastVisit),
    via: Via::Unknown,
}];

/// `components/history/core/browser/top_sites_database.cc`; `thumbnails` until version 60.
const TOP_SITES: &[Columns] = &[
    Columns {
        table: "top_sites",
        key: "",
        cells: &[("url", Form::Url), ("redirects", Form::Text)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "thumbnails",
        key: "",
        cells: &[("url", Form::Url), ("redirects", Form::Text)],
        time: Time::Own("last_updated", Basis::Row),
        via: Via::Unknown,
    },
];

/// `components/omnibox/browser/shortcuts_database.cc`.
const SHORTCUTS: &[Columns] = &[Columns {
    table: "omni_box_shortcuts",
    key: "",
    cells: &[
        ("url", Form::Url),
        ("text", Form::Text),
        ("fill_into_edit", Form::Text),
        ("contents", Form::Text),
        ("description", Form::Text),
    ],
    time: Time::Own("last_access_time", Basis::LastVisit),
    via: Via::Unknown,
}];

/// `chrome/browser/predictors`. The messages in its `proto` columns are not read.
const PREDICTOR: &[Columns] = &[
    Columns {
        table: "network_action_predictor",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "network_action_predictor",
        key: "",
        cells: &[("user_text", Form::Text)],
        time: Time::None,
        via: Via::Typed,
    },
    Columns {
        table: "resource_prefetch_predictor_url",
        key: "",
        cells: &[
            ("key", Form::Url),
            ("main_page_url", Form::Url),
            ("resource_url", Form::Url),
        ],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "resource_prefetch_predictor_url_redirect",
        key: "",
        cells: &[("key", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "lcp_critical_path_predictor",
        key: "",
        cells: &[("key", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
];

/// `chrome/browser/media/history`. Its seconds since 1601 look like others' since 1970, and are left out.
const MEDIA: &[Columns] = &[
    Columns {
        table: "playback",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "playbackSession",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
];

/// `net/extras/sqlite/sqlite_persistent_reporting_and_nel_store.cc`.
const REPORTING: &[Columns] = &[Columns {
    table: "reporting_endpoints",
    key: "",
    cells: &[("url", Form::Url)],
    time: Time::None,
    via: Via::Stored,
}];

/// Edge's memory of pages that may be wanted again.
const WEB_ASSIST: &[Columns] = &[Columns {
    table: "navigation_history",
    key: "",
    cells: &[("url", Form::Url), ("title", Form::Text)],
    time: Time::Own("last_visited_time", Basis::LastVisit),
    via: Via::Unknown,
}];

/// Edge's collections: `source` is a JSON text with the page's URL.
const COLLECTIONS: &[Columns] = &[Columns {
    table: "items",
    key: "",
    cells: &[("source", Form::Document), ("text_content", Form::Text)],
    time: Time::Own("date_created", Basis::Row),
    via: Via::Stored,
}];
