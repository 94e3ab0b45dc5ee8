//! Whole profiles, through the program: one credential in many files is one finding, and what is none is silent.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::database;
use super::made::{binary_cookies, blob, bound, snappy, v10};

fn report(folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args([
            "scan",
            "--as-of",
            "2026-11-20T09:30:00Z",
            "--fail-on",
            "never",
        ])
        .args(["-f", "json", "--source-root"])
        .arg(folder)
        .arg(folder)
        .env_clear()
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

const TOKEN: &str = "Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7U";

/// Every file of one Chrome profile that may hold a URL or a value.
fn profile_with(url: &str, value: &str, home: &Path) {
    let default = home.join(".config/google-chrome/Default");
    let time = "13439639539500000";
    let cookie = blob(&v10(&bound("app.example", value)));
    for (name, sql) in [
        (
            "History",
            format!(
                "CREATE TABLE urls(id INTEGER PRIMARY KEY,url LONGVARCHAR,title LONGVARCHAR,last_visit_time INTEGER NOT NULL);
                 CREATE TABLE visits(id INTEGER PRIMARY KEY,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,transition INTEGER NOT NULL);
                 INSERT INTO urls VALUES(1,'{url}','App',{time});
                 INSERT INTO visits VALUES(1,1,{time},0,0);"
            ),
        ),
        (
            "Favicons",
            format!(
                "CREATE TABLE icon_mapping(id INTEGER PRIMARY KEY,page_url LONGVARCHAR NOT NULL,icon_id INTEGER);
                 CREATE TABLE favicons(id INTEGER PRIMARY KEY,url LONGVARCHAR NOT NULL);
                 INSERT INTO icon_mapping VALUES(1,'{url}',1);"
            ),
        ),
        (
            "../segmentation_platform/ukm_db",
            format!(
                "CREATE TABLE urls(url_id INTEGER PRIMARY KEY NOT NULL,url TEXT NOT NULL,last_timestamp INTEGER NOT NULL);
                 INSERT INTO urls VALUES(-9,'{url}',{time});"
            ),
        ),
        (
            "Top Sites",
            format!(
                "CREATE TABLE top_sites(url TEXT NOT NULL PRIMARY KEY,url_rank INTEGER NOT NULL,title TEXT NOT NULL);
                 INSERT INTO top_sites VALUES('{url}',0,'App');"
            ),
        ),
        (
            "Shortcuts",
            format!(
                "CREATE TABLE omni_box_shortcuts(id VARCHAR PRIMARY KEY,text VARCHAR,url VARCHAR,last_access_time INTEGER);
                 INSERT INTO omni_box_shortcuts VALUES('A','app','{url}',{time});"
            ),
        ),
        (
            "Network Action Predictor",
            format!(
                "CREATE TABLE network_action_predictor(id TEXT PRIMARY KEY, user_text TEXT, url TEXT);
                 INSERT INTO network_action_predictor VALUES('A','app','{url}');"
            ),
        ),
        (
            "Network/Cookies",
            format!(
                "CREATE TABLE cookies(creation_utc INTEGER NOT NULL,host_key TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,encrypted_value BLOB NOT NULL);
                 INSERT INTO cookies VALUES({time},'app.example','access_token','',{cookie});"
            ),
        ),
        (
            "Web Data",
            format!(
                "CREATE TABLE autofill(name VARCHAR, value VARCHAR, value_lower VARCHAR, date_created INTEGER);
                 INSERT INTO autofill VALUES('access_token','{value}','',1795165939);"
            ),
        ),
    ] {
        database(&default, name, &sql);
    }
    let bookmarks = format!(
        r#"{{"checksum":"0","roots":{{"bookmark_bar":{{"children":[{{"url":"{url}"}}]}}}}}}"#
    );
    std::fs::write(default.join("Bookmarks"), bookmarks).unwrap();
}

#[test]
fn one_token_in_nine_files_is_one_finding_with_nine_sightings() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "https://app.example/cb#access_token={TOKEN}&token_type=Bearer&expires_in=3600&state=a8Kq3Zr7"
    );
    profile_with(&url, TOKEN, &folder.path().join("home/dora"));
    let report = report(folder.path());
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["kind"], "access_token");
    // The page tells the flow, whatever the copies lack.
    assert_eq!(findings[0]["flow"], "fragment-token-unattributed");
    assert_eq!(findings[0]["at_exposure"]["state"], "live");
    assert_eq!(findings[0]["first_seen_at"], "2026-11-20T09:12:19Z");
    let mut files: Vec<&str> = findings[0]["sightings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sighting| {
            let source = &sighting["source"];
            assert_eq!(
                (&source["user"], &source["browser"]),
                (&"dora".into(), &"Chrome".into())
            );
            let path = source["path"].as_str().unwrap();
            path.strip_prefix("home/dora/.config/google-chrome/")
                .unwrap()
        })
        .collect();
    files.sort_unstable();
    let all = [
        "Default/Bookmarks",
        "Default/Favicons",
        "Default/History",
        "Default/Network Action Predictor",
        "Default/Network/Cookies",
        "Default/Shortcuts",
        "Default/Top Sites",
        "Default/Web Data",
        "segmentation_platform/ukm_db",
    ];
    assert_eq!(files, all);
}

#[test]
fn what_a_thief_holds_is_told_with_the_store_and_what_clears_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "https://app.example/cb#access_token={TOKEN}&token_type=Bearer&expires_in=3600&state=a8Kq3Zr7"
    );
    profile_with(&url, TOKEN, &folder.path().join("home/dora"));
    let report = report(folder.path());
    let profiles = report["profiles"].as_array().unwrap();
    let profile = profiles.iter().find(|it| it["profile"] == "Default");
    let act = &profile.unwrap()["thief_can"]["acts"][0];
    assert_eq!(act["act"], "call_api");
    let held: Vec<(&str, Option<&str>)> = act["held_in"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| (held["store"].as_str().unwrap(), held["cleared_by"].as_str()))
        .collect();
    let history = Some("Browsing history");
    assert_eq!(
        held,
        [
            ("Cookies", Some("Cookies and other site data")),
            ("Favicons", history),
            ("History", history),
            ("Top Sites, Shortcuts, predictors", history),
            ("Web Data, form values", Some("Autofill form data")),
            ("bookmarks and preferences", None),
        ]
    );
}

/// Names and values of cookies, storage and forms that are no credential.
const PAIRS: &[(&str, &str)] = &[
    ("_ga", "GA1.2.1203928371.1795160000"),
    ("_gid", "GA1.2.998877665.1795160000"),
    ("_fbp", "fb.1.1795160000123.1029384756"),
    ("_gcl_au", "1.1.1029384756.1795160000"),
    (
        "__utma",
        "173272373.102938475.1795160000.1795160000.1795160000.1",
    ),
    ("_pk_id.4.1fff", "8c1f2a6d4e9b0357.1795160000."),
    (
        "_hjSessionUser_3001",
        "eyJpZCI6ImE1YzBmN2JlLTkyZDQtNDY4Yi1iM2QwLTdjNWU4MWYyYTk2NCJ9",
    ),
    ("_clck", "1x8k2m%7C2%7Cfq9%7C0%7C1781"),
    ("ajs_anonymous_id", "a51c0f7b-e92d-4468-b3d0-7c5e81f2a964"),
    (
        "amplitude_id_app.example",
        "eyJkZXZpY2VJZCI6ImExYjJjM2Q0In0=",
    ),
    ("optimizelyEndUserId", "oeu1795160000123r0.4711081512345678"),
    (
        "csrftoken",
        "b7Kq3ZrTm9Lw4Xn8Vb3Yc6Hd1Fg5JsQ2Pa0Ru2Iv4Oe6TkM1",
    ),
    ("XSRF-TOKEN", "b7Kq3ZrTm9Lw4Xn8Vb3Yc6Hd1Fg5JsQ2"),
    ("_csrf", "Xn8Vb3Yc6Hd1Fg5JsQ2Pa0Ru"),
    (
        "__RequestVerificationToken",
        "Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7UQm3vTz8LrXk1",
    ),
    ("authenticity_token", "Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7U"),
    ("NID", "511=Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7U"),
    (
        "__cf_bm",
        "Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7U-1795160000-1.0.1.1",
    ),
    ("AWSALB", "Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7UQm3vTz8L"),
    ("lang", "en-GB"),
    ("theme", "dark"),
    ("currency", "EUR"),
    ("tz", "America/Los_Angeles"),
    ("country_code", "DE"),
    (
        "OptanonConsent",
        "isGpcEnabled=0&datestamp=Fri+Nov+20&version=6.33.0&consentId=a51c0f7b-e92d-4468",
    ),
    ("cookie_consent", "accepted"),
    ("ab_test_session", "variant-b"),
    ("page_token", "3"),
    ("token_count", "12"),
    ("last_visited_code", "404"),
    ("state", "CA"),
    ("code", "SAVE10"),
    ("promo_code", "WINTER25"),
    ("zip_code", "93701"),
    ("email", "dora@mail.example"),
    ("name", "Dora Example"),
    ("username", "dora"),
    ("searchbar-history", "what is an access_token"),
    ("q", "how does a refresh_token work"),
    ("cc-number", "4111 1111 1111 1111"),
    ("feature_flags", "{\"new_login\":true,\"token_page\":false}"),
    ("build_hash", "0f3c1d9ab27e4586b1c2d3e4f5a69788"),
    ("etag", "W/\"0f3c1d9ab27e4586\""),
    ("i18nextLng", "en"),
    ("session_count", "17"),
    ("sessionStarted", "1795160000123"),
];

/// URLs that look like protocol messages and are none.
const URLS: &[&str] = &[
    "https://shop.example/cart?code=SAVE10",
    "https://homes.example/search?state=CA&city=Fresno",
    "https://docs.example/errors?code=404",
    "https://forum.example/thread?page_token=3&lang=en",
    "https://list.example/?next_token=b7Kq3ZrTm9Lw4Xn8Vb3Yc6Hd1Fg5JsQ2",
    "https://cdn.example/app.js?v=0f3c1d9ab27e4586b1c2d3e4f5a69788",
    "https://img.example/a.png?token=1795160000",
    "https://news.example/?utm_source=mail&gclid=Qm3vTz8LrXk1Wn6Yh4PcJb9DsGf2Ea7U",
    "https://search.example/?q=what+is+an+access_token",
    "https://maps.example/@36.7,-119.7,12z?session=morning-keynote-track",
];

#[test]
fn what_is_no_credential_is_silent_in_every_store() {
    assert!(PAIRS.len() + URLS.len() >= 50);
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home/dora");
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut chrome = String::from(
        "CREATE TABLE cookies(creation_utc INTEGER NOT NULL,host_key TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,encrypted_value BLOB NOT NULL);",
    );
    let mut forms = String::from(
        "CREATE TABLE autofill(name VARCHAR, value VARCHAR, value_lower VARCHAR, date_created INTEGER);",
    );
    let mut storage = String::from(
        "CREATE TABLE database(origin TEXT NOT NULL);
         CREATE TABLE data(key TEXT PRIMARY KEY, conversion_type INTEGER NOT NULL, compression_type INTEGER NOT NULL, value BLOB NOT NULL);
         INSERT INTO database VALUES('https://app.example');",
    );
    let mut jar = Vec::new();
    for (number, (name, value)) in PAIRS.iter().enumerate() {
        let (key, text) = (quoted(name), quoted(value));
        let sealed = blob(&v10(&bound("app.example", value)));
        let packed = blob(&snappy(value.as_bytes()));
        if number % 2 == 0 {
            writeln!(
                chrome,
                "INSERT INTO cookies VALUES(13439639539500000,'app.example',{key},'',{sealed});"
            )
            .unwrap();
        } else {
            writeln!(
                chrome,
                "INSERT INTO cookies VALUES(13439639539500000,'app.example',{key},{text},x'');"
            )
            .unwrap();
        }
        writeln!(
            forms,
            "INSERT INTO autofill VALUES({key},{text},'',1795165939);"
        )
        .unwrap();
        writeln!(storage, "INSERT INTO data VALUES({key},1,1,{packed});").unwrap();
        jar.push((".app.example", *name, *value, 816_858_739.5));
    }
    let mut icons = String::from(
        "CREATE TABLE icon_mapping(id INTEGER PRIMARY KEY,page_url LONGVARCHAR NOT NULL,icon_id INTEGER);
         CREATE TABLE favicons(id INTEGER PRIMARY KEY,url LONGVARCHAR NOT NULL);",
    );
    for url in URLS {
        let url = quoted(url);
        writeln!(icons, "INSERT INTO icon_mapping(page_url) VALUES({url}); INSERT INTO favicons(url) VALUES({url});").unwrap();
    }
    let firefox = ".mozilla/firefox/a.default";
    database(&home, ".config/google-chrome/Default/Cookies", &chrome);
    database(&home, ".config/google-chrome/Default/Web Data", &forms);
    database(&home, ".config/google-chrome/Default/Favicons", &icons);
    database(
        &home,
        &format!("{firefox}/storage/default/https+++app.example/ls/data.sqlite"),
        &storage,
    );
    let write = |name: &str, content: &[u8]| {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write(
        "Library/Cookies/Cookies.binarycookies",
        &binary_cookies(&[&jar]),
    );
    let urls = serde_json::to_string(URLS).unwrap();
    let mac = "1A2B3C4D5E6F70819A2B3C4D5E6F70811A2B3C4D5E6F70819A2B3C4D5E6F7081";
    let preferences = format!(
        r#"{{"session":{{"startup_urls":{urls}}},"protection":{{"macs":{{"session":"{mac}","token":"{mac}"}},"super_mac":"{mac}"}},"google":{{"services":{{"consent_token":"{mac}"}}}}}}"#
    );
    write(
        ".config/google-chrome/Default/Preferences",
        preferences.as_bytes(),
    );
    write(
        ".config/google-chrome/Default/Secure Preferences",
        preferences.as_bytes(),
    );
    let report = report(folder.path());
    let shown: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding["kind"], finding["rule"], finding["sightings"][0]["name"]
            )
        })
        .collect();
    assert_eq!(shown, [""; 0]);
    let sources = report["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 7, "{sources:#?}");
    assert!(
        sources.iter().all(|source| source["status"] == "read"),
        "{sources:#?}"
    );
}
