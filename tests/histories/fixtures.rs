//! The demo under `fixtures/` is built from the SQL beside this file:
//! `cargo test --test histories write_the_fixtures -- --ignored` writes it anew after a change.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use tokentrail::atoms::Basis;
use tokentrail::collect::Via;

use super::{scan, url};

/// The SQL, the database it makes, and its reader.
#[rustfmt::skip]
const FIXTURES: [(&str, &str, &str); 16] = [
    ("chromium.sql", "home/alice/.config/google-chrome/Default/History", "chromium-history"),
    ("firefox.sql", "home/alice/.mozilla/firefox/k3x8q1vw.default-release/places.sqlite", "firefox-places"),
    ("safari.sql", "Users/bob/Library/Safari/History.db", "safari-history"),
    ("epiphany.sql", "home/carol/.local/share/epiphany/ephy-history.db", "gnome-web-history"),
    ("stores/chromium-cookies.sql", "home/alice/.config/google-chrome/Default/Cookies", "chromium-stores"),
    ("stores/chromium-favicons.sql", "home/alice/.config/google-chrome/Default/Favicons", "chromium-stores"),
    ("stores/chromium-top-sites.sql", "home/alice/.config/google-chrome/Default/Top Sites", "chromium-stores"),
    ("stores/chromium-web-data.sql", "home/alice/.config/google-chrome/Default/Web Data", "chromium-stores"),
    ("stores/chromium-login-data.sql", "home/alice/.config/google-chrome/Default/Login Data", "chromium-stores"),
    ("stores/chromium-ukm.sql", "home/alice/.config/google-chrome/segmentation_platform/ukm_db", "chromium-stores"),
    ("stores/firefox-cookies.sql", "home/alice/.mozilla/firefox/k3x8q1vw.default-release/cookies.sqlite", "firefox-stores"),
    ("stores/firefox-forms.sql", "home/alice/.mozilla/firefox/k3x8q1vw.default-release/formhistory.sqlite", "firefox-stores"),
    (
        "stores/firefox-storage.sql",
        "home/alice/.mozilla/firefox/k3x8q1vw.default-release/storage/default/https+++reader.example/ls/data.sqlite",
        "firefox-stores",
    ),
    ("stores/safari-cloud-tabs.sql", "Users/bob/Library/Safari/CloudTabs.db", "safari-stores"),
    (
        "stores/safari-quarantine.sql",
        "Users/bob/Library/Preferences/com.apple.LaunchServices.QuarantineEventsV2",
        "safari-stores",
    ),
    ("stores/epiphany-cookies.sql", "home/carol/.local/share/epiphany/cookies.sqlite", "firefox-stores"),
];

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/laptop")
        .join(path)
}

fn build(sql: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/histories")
        .join(sql);
    let sql = std::fs::read_to_string(from).unwrap();
    Connection::open(to).unwrap().execute_batch(&sql).unwrap();
}

/// Every row of every table, and the statements that made them.
fn dump(path: &Path) -> Vec<Vec<Value>> {
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(path, copy.path()).unwrap();
    let connection = Connection::open(copy.path()).unwrap();
    let rows = |sql: &str| -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows =
            statement.query_map([], |row| (0..columns).map(|index| row.get(index)).collect());
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let schema = rows("SELECT name, type, sql FROM sqlite_schema ORDER BY name");
    let mut all = schema.clone();
    for entry in &schema {
        if let [Value::Text(name), Value::Text(kind), _] = entry.as_slice()
            && kind == "table"
        {
            all.extend(rows(&format!(
                "SELECT '{name}', * FROM {name} ORDER BY 2, 3"
            )));
        }
    }
    all
}

#[test]
fn the_fixtures_hold_the_rows_of_their_sql() {
    for (sql, path, _) in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let rebuilt = folder.path().join("db");
        build(sql, &rebuilt);
        assert!(
            dump(&rebuilt) == dump(&fixture(path)),
            "{path} is not what {sql} makes; write_the_fixtures writes it anew"
        );
    }
}

#[test]
#[ignore = "writes fixtures/"]
fn write_the_fixtures() {
    for (sql, path, _) in FIXTURES {
        let path = fixture(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.exists() {
            std::fs::remove_file(&path).unwrap();
        }
        build(sql, &path);
    }
}

#[test]
fn each_fixture_goes_to_its_reader_without_a_problem() {
    for (_, path, reader) in FIXTURES {
        let seen = scan(&fixture(path));
        assert_eq!(seen.reader, Some(reader), "{path}");
        let told = path.ends_with("Login Data");
        assert_eq!(
            seen.problems.len(),
            usize::from(told),
            "{path}: {:?}",
            seen.problems
        );
    }
}

#[test]
fn a_chromium_callback_knows_its_request_through_the_pages_between() {
    let seen = scan(&fixture(FIXTURES[0].1));
    let request = seen.with("client_id=shop-web").visit.clone().unwrap();
    let callback = seen.with("shop.example/auth/callback?code=");
    let visit = callback.visit.clone().unwrap();
    // Sign-in and consent stand between.
    assert!(visit.ancestors.contains(&(3, request.id)), "{visit:?}");
    assert_eq!(callback.via, Via::ServerRedirect);
    let at = callback.at.unwrap();
    assert_eq!(at.basis, Basis::Visit);
    assert_eq!(at.instant.to_string(), "2026-11-20T09:12:19.958Z");
}

#[test]
fn a_cleaned_page_knows_the_token_by_its_opener() {
    let seen = scan(&fixture(FIXTURES[0].1));
    let token = seen.with("callback#access_token=").visit.clone().unwrap();
    // The cleaned URL itself may have no needle; the page after it is walked to through `visited_links`.
    let link = seen
        .observations
        .iter()
        .find(|seen| super::table(seen) == "visited_links")
        .unwrap();
    assert!(url(link).unwrap().contains("callback#access_token="));
    assert!(token.ancestors.iter().any(|(hops, _)| *hops == 1));
}

#[test]
fn a_signed_download_has_its_start_time() {
    let seen = scan(&fixture(FIXTURES[0].1));
    let download = seen.with("X-Amz-Signature=");
    assert_eq!(download.via, Via::Download);
    let at = download.at.unwrap();
    assert_eq!(at.basis, Basis::Download);
    assert_eq!(at.instant.to_string(), "2026-11-20T13:44:10.6Z");
}

#[test]
fn firefox_redirect_sources_are_read_although_hidden() {
    let seen = scan(&fixture(FIXTURES[1].1));
    let callback = seen.with("wiki.example/oidc/callback?code=");
    let request = seen.with("client_id=wiki&").visit.clone().unwrap();
    let visit = callback.visit.clone().unwrap();
    assert_eq!(visit.ancestors.first(), Some(&(1, request.id)));
    assert_eq!(callback.via, Via::ServerRedirect);
    let bookmark = seen.with("auth_token=");
    assert_eq!((&bookmark.at, &bookmark.visit), (&None, &None));
}

#[test]
fn safari_chains_are_joined_by_redirects() {
    let seen = scan(&fixture(FIXTURES[2].1));
    let request = seen.with("client_id=tickets-ios").visit.clone().unwrap();
    let callback = seen.with("tickets.example/cb?code=");
    let visit = callback.visit.clone().unwrap();
    assert_eq!(visit.ancestors, [(1, request.id)]);
    let at = callback.at.unwrap().instant.to_string();
    assert_eq!(at, "2026-11-19T06:20:04.875Z");
}

#[test]
fn gnome_web_has_the_landing_page_with_its_fragment() {
    let seen = scan(&fixture(FIXTURES[3].1));
    let landing = seen.with("calendar.example/cb#access_token=");
    let at = landing.at.unwrap().instant.to_string();
    assert_eq!(at, "2026-11-17T16:10:00.73Z");
}
