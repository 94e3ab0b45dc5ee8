//! Property lists of Safari, in both forms.

use super::write::List;
use super::write::List::{Array, Data, Date, Dict, Text};
use super::{NOW, scan_bytes, token};

/// Seconds since 2001.
#[expect(clippy::cast_precision_loss, reason = "a time of this size is exact")]
fn cocoa(unix: i64) -> f64 {
    (unix - 978_307_200) as f64
}

fn text(text: &str) -> List {
    Text(text.to_owned())
}

pub(super) fn session(first: u32) -> List {
    let url = |number: u32| {
        Text(format!(
            "https://app.example/cb#access_token={}",
            token(first + number)
        ))
    };
    let state = Dict(vec![(
        "SessionHistory",
        Dict(vec![(
            "SessionHistoryEntries",
            Array(vec![Dict(vec![
                ("SessionHistoryEntryTitle", text("Приложение")),
                ("SessionHistoryEntryURL", url(1)),
            ])]),
        )]),
    )]);
    let mut blob = vec![0, 0, 0, 2];
    blob.extend(state.binary());
    Dict(vec![
        ("SessionVersion", text("1.0")),
        (
            "SessionWindows",
            Array(vec![Dict(vec![(
                "TabStates",
                Array(vec![Dict(vec![
                    ("TabURL", url(0)),
                    ("TabTitle", text("app & co")),
                    ("DateClosed", Date(cocoa(NOW))),
                    ("SessionState", Data(blob)),
                ])]),
            )])]),
        ),
    ])
}

#[test]
fn tabs_and_the_pages_in_their_data_are_read_in_both_forms() {
    let list = session(60);
    let tab = "plist /SessionWindows/0/TabStates/0";
    let at = "2026-11-23T05:00:00Z";
    for bytes in [list.binary(), list.xml()] {
        let seen = scan_bytes("any.plist", &bytes);
        assert_eq!(
            (seen.reader(), seen.told().as_str()),
            ("safari-plist", "read: ")
        );
        assert_eq!(
            seen.lines(),
            [
                format!(
                    "{tab}/TabURL  stored https://app.example/cb#access_token={} {at}",
                    token(60)
                ),
                format!(
                    "{tab}/SessionState/SessionHistory/SessionHistoryEntries/0/SessionHistoryEntryURL  stored https://app.example/cb#access_token={} {at}",
                    token(61)
                ),
            ]
        );
    }
}

#[test]
fn an_old_history_has_its_times_as_text() {
    let page = Dict(vec![
        (
            "",
            Text(format!(
                "https://app.example/cb?access_token={}&x=1",
                token(62)
            )),
        ),
        (
            "redirectURLs",
            Array(vec![Text(format!(
                "https://idp.example/?code={}",
                token(63)
            ))]),
        ),
        ("lastVisitedDate", Text(format!("{:.1}", cocoa(NOW)))),
    ]);
    let list = Dict(vec![
        ("WebHistoryDates", Array(vec![page])),
        ("WebHistoryFileVersion", text("1")),
    ]);
    for bytes in [list.binary(), list.xml()] {
        let seen = scan_bytes("History.plist", &bytes);
        assert_eq!(
            seen.lines(),
            [
                format!(
                    "plist /WebHistoryDates/0/  stored https://app.example/cb?access_token={}&x=1 2026-11-23T05:00:00Z",
                    token(62)
                ),
                format!(
                    "plist /WebHistoryDates/0/redirectURLs/0  stored https://idp.example/?code={} 2026-11-23T05:00:00Z",
                    token(63)
                ),
            ]
        );
    }
}

#[test]
fn lists_of_other_applications_are_left_alone() {
    let list = Dict(vec![(
        "ApiKey",
        Text(format!("https://a.example/?api_key={}", token(64))),
    )]);
    for bytes in [list.binary(), list.xml()] {
        assert_eq!(scan_bytes("com.example.plist", &bytes).reader(), "-");
    }
}

#[test]
fn encrypted_pages_are_told() {
    let tab = Dict(vec![
        ("TabURL", text("https://app.example/")),
        ("SessionStateIsEncrypted", text("1")),
        ("SessionState", Data(vec![7; 100])),
    ]);
    let list = Dict(vec![(
        "SessionWindows",
        Array(vec![Dict(vec![("TabStates", Array(vec![tab]))])]),
    )]);
    let seen = scan_bytes("LastSession.plist", &list.binary());
    assert!(seen.told().contains("encrypted"), "{}", seen.told());
}
