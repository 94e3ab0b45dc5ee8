//! History of the Chromium family: the schema and the codes, from `components/history/core/browser` of the
//! Chromium sources. Columns come and go between versions; a missing one reads as NULL.

use super::columns::{Columns, Form, Time};
use super::visits::{CODES, Shape};
use super::{epoch, reading};
use crate::atoms::Basis;
use crate::collect::{Reader, Via};

/// Reads a `History` of the Chromium family.
pub static CHROMIUM: Reader = Reader {
    name: "chromium-history",
    claims: |evidence, _| super::recognised(evidence) == Some("chromium-history"),
    read: |evidence, source, context, sink| {
        reading::read(evidence, source, context, sink, |reading| {
            super::tables(&SHAPE, COLUMNS, reading)
        })
    },
};

const SHAPE: Shape = Shape {
    pages: "urls",
    url: "url",
    last: &["last_visit_time"],
    visits: "visits",
    page: "url",
    time: "visit_time",
    codes: ["transition", ""],
    // A page that a script opened or rewrote (`replaceState`) has no from_visit, but an opener.
    from: ["from_visit", "opener_visit"],
    clock: epoch::webkit,
    via,
};

const COLUMNS: &[Columns] = &[
    Columns {
        table: "visits",
        key: "",
        cells: &[("external_referrer_url", Form::Url)],
        time: Time::Own("visit_time", Basis::Visit),
        via: Via::Unknown,
    },
    Columns {
        table: "visited_links",
        key: "",
        cells: &[("top_level_url", Form::Url), ("frame_url", Form::Url)],
        time: Time::None,
        via: Via::Unknown,
    },
    Columns {
        table: "downloads",
        key: "",
        // `url` was here until version 22, `full_path` never held one.
        cells: &[
            ("url", Form::Url),
            ("referrer", Form::Url),
            ("site_url", Form::Url),
            ("tab_url", Form::Url),
            ("tab_referrer_url", Form::Url),
        ],
        time: Time::Own("start_time", Basis::Download),
        via: Via::Unknown,
    },
    Columns {
        table: "downloads_url_chains",
        key: "",
        cells: &[("url", Form::Url)],
        time: Time::Of("id", "downloads", "start_time", Basis::Download),
        via: Via::Download,
    },
    Columns {
        table: "clusters_and_visits",
        key: "visit_id",
        cells: &[
            ("url_for_deduping", Form::Url),
            ("normalized_url", Form::Url),
            ("url_for_display", Form::Url),
        ],
        time: Time::Of("visit_id", "visits", "visit_time", Basis::Visit),
        via: Via::Unknown,
    },
    Columns {
        table: "content_annotations",
        key: "",
        cells: &[
            ("search_normalized_url", Form::Url),
            ("search_terms", Form::Text),
        ],
        time: Time::Of("visit_id", "visits", "visit_time", Basis::Visit),
        via: Via::Unknown,
    },
    Columns {
        table: "keyword_search_terms",
        key: "",
        cells: &[("term", Form::Text)],
        time: Time::Of("url_id", "urls", "last_visit_time", Basis::LastVisit),
        via: Via::Typed,
    },
    Columns {
        table: "segments",
        key: "",
        cells: &[("name", Form::Url)],
        time: Time::Of("url_id", "urls", "last_visit_time", Basis::LastVisit),
        via: Via::Unknown,
    },
];

/// `ui/base/page_transition_types.h`: the core type in the low byte, qualifiers above. The core type is not
/// dependable inside a redirect chain, so the redirect bits go first.
pub(super) fn via([transition, _]: [i64; CODES]) -> Via {
    const FORWARD_BACK: i64 = 0x0100_0000;
    const CLIENT_REDIRECT: i64 = 0x4000_0000;
    const SERVER_REDIRECT: i64 = 0x8000_0000;
    if transition & SERVER_REDIRECT != 0 {
        return Via::ServerRedirect;
    }
    if transition & CLIENT_REDIRECT != 0 {
        return Via::ClientRedirect;
    }
    if transition & FORWARD_BACK != 0 {
        return Via::Reload;
    }
    match transition & 0xff {
        // Links and bookmarks.
        0 | 2 => Via::Link,
        // Typed, generated, and by keyword: all from the address bar.
        1 | 5 | 9 | 10 => Via::Typed,
        3 | 4 => Via::Subframe,
        7 => Via::Form,
        8 => Via::Reload,
        _ => Via::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_of_a_measured_sign_in() {
        // The column is a signed 32-bit value in some versions, an unsigned one in others.
        let of = |transition| via([transition, 0]);
        assert_eq!(of(0x1800_0001), Via::Typed);
        assert_eq!(of(0x8800_0001), Via::ServerRedirect);
        assert_eq!(
            of(i64::from(0xa800_0001_u32.cast_signed())),
            Via::ServerRedirect
        );
        assert_eq!(of(0x6000_0000), Via::ClientRedirect);
        assert_eq!(of(0x3000_0007), Via::Form);
        assert_eq!(of(0x3000_0000), Via::Link);
        assert_eq!(of(0x3100_0000), Via::Reload);
    }
}
