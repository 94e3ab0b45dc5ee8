//! Every database and every column of it: what its rows give. The schemas are those that the applications make,
//! short of columns that do not matter.

use super::{database, scan};

struct Case {
    file: &'static str,
    reader: &'static str,
    sql: &'static str,
    /// Where, what, when; `T` stands for the needle and `H` for a URL with it.
    lines: &'static [&'static str],
}

const CHROMIUM: &str = "chromium-stores";
const FIREFOX: &str = "firefox-stores";
const SAFARI: &str = "safari-stores";

/// Microseconds since 1601, and since 1970, of 2026-11-20T09:12:19.5Z.
const WEBKIT: &str = "13439639539500000";
const UNIX: &str = "1795165939500000";

const CASES: &[Case] = &[
    Case {
        file: "Favicons",
        reader: CHROMIUM,
        sql: "CREATE TABLE icon_mapping(id INTEGER PRIMARY KEY,page_url LONGVARCHAR NOT NULL,icon_id INTEGER);
              CREATE TABLE favicons(id INTEGER PRIMARY KEY,url LONGVARCHAR NOT NULL,icon_type INTEGER DEFAULT 1);
              CREATE TABLE favicon_bitmaps(id INTEGER PRIMARY KEY,icon_id INTEGER NOT NULL,last_updated INTEGER,image_data BLOB);
              INSERT INTO icon_mapping VALUES(1,'H',4),(2,'https://app.example/',5);
              INSERT INTO favicons VALUES(4,'https://app.example/icon',1),(5,'H',1);
              INSERT INTO favicon_bitmaps VALUES(1,5,7,x''),(2,5,WEBKIT,x''),(3,4,WEBKIT,x'');",
        lines: &[
            "favicons.url | H | 2026-11-20T09:12:19.5Z",
            "icon_mapping.page_url | H | never",
        ],
    },
    Case {
        file: "ukm_db",
        reader: CHROMIUM,
        sql: "CREATE TABLE urls(url_id INTEGER PRIMARY KEY NOT NULL,url TEXT NOT NULL,last_timestamp INTEGER NOT NULL,counter INTEGER,title TEXT);
              INSERT INTO urls VALUES(-5,'H',WEBKIT,1,'a'),(6,'https://app.example/',WEBKIT,1,'H');",
        lines: &[
            "urls.title | text H | 2026-11-20T09:12:19.5Z",
            "urls.url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "Top Sites",
        reader: CHROMIUM,
        sql: "CREATE TABLE top_sites(url TEXT NOT NULL PRIMARY KEY,url_rank INTEGER NOT NULL,title TEXT NOT NULL);
              INSERT INTO top_sites VALUES('H',0,'a'),('https://app.example/',1,'b');",
        lines: &["top_sites.url | H | never"],
    },
    Case {
        file: "Top Sites",
        reader: CHROMIUM,
        sql: "CREATE TABLE thumbnails(url LONGVARCHAR PRIMARY KEY,url_rank INTEGER,title LONGVARCHAR,thumbnail BLOB,redirects LONGVARCHAR,last_updated INTEGER);
              INSERT INTO thumbnails VALUES('https://app.example/',0,'a',x'00','https://app.example/ H',WEBKIT);",
        lines: &["thumbnails.redirects | text https://app.example/ H | 2026-11-20T09:12:19.5Z"],
    },
    Case {
        file: "Shortcuts",
        reader: CHROMIUM,
        sql: "CREATE TABLE omni_box_shortcuts(id VARCHAR PRIMARY KEY,text VARCHAR,fill_into_edit VARCHAR,url VARCHAR,contents VARCHAR,description VARCHAR,last_access_time INTEGER);
              INSERT INTO omni_box_shortcuts VALUES('A','app','H','H','H','the app',WEBKIT);",
        lines: &[
            "omni_box_shortcuts.contents | text H | 2026-11-20T09:12:19.5Z",
            "omni_box_shortcuts.fill_into_edit | text H | 2026-11-20T09:12:19.5Z",
            "omni_box_shortcuts.url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "Network Action Predictor",
        reader: CHROMIUM,
        sql: "CREATE TABLE network_action_predictor(id TEXT PRIMARY KEY, user_text TEXT, url TEXT, number_of_hits INTEGER, number_of_misses INTEGER);
              CREATE TABLE resource_prefetch_predictor_url(key TEXT, proto BLOB, PRIMARY KEY(key));
              INSERT INTO network_action_predictor VALUES('A','app','H',1,0),('B','H','https://app.example/',1,0);
              INSERT INTO resource_prefetch_predictor_url VALUES('H',x'');",
        lines: &[
            "network_action_predictor.url | H | never",
            "network_action_predictor.user_text | text H | never",
            "resource_prefetch_predictor_url.key | H | never",
        ],
    },
    Case {
        file: "Web Data",
        reader: CHROMIUM,
        sql: "CREATE TABLE autofill(name VARCHAR, value VARCHAR, value_lower VARCHAR, date_created INTEGER, count INTEGER, PRIMARY KEY (name, value));
              CREATE TABLE autocomplete(name VARCHAR, label VARCHAR, value VARCHAR, date_created INTEGER, PRIMARY KEY (name, label, value));
              CREATE TABLE keywords(id INTEGER PRIMARY KEY,short_name VARCHAR NOT NULL,keyword VARCHAR NOT NULL,favicon_url VARCHAR,url VARCHAR NOT NULL,originating_url VARCHAR,date_created INTEGER,suggest_url VARCHAR,alternate_urls VARCHAR);
              CREATE TABLE addresses(guid VARCHAR PRIMARY KEY, name VARCHAR);
              INSERT INTO autofill VALUES('access_token','made-up','made-up',1795165939,1),('city','Fresno','fresno',1795165939,1);
              INSERT INTO autocomplete VALUES('access_token','Token','made-up',1795165939);
              INSERT INTO addresses VALUES('access_token=x','access_token=x');
              INSERT INTO keywords VALUES(2,'a','a','H','H','H',WEBKIT,'H','[]');",
        lines: &[
            "autocomplete.value | autofill - access_token = made-up | 2026-11-20T09:12:19Z",
            "autofill.value | autofill - access_token = made-up | 2026-11-20T09:12:19Z",
            "keywords.favicon_url | H | 2026-11-20T09:12:19.5Z",
            "keywords.originating_url | H | 2026-11-20T09:12:19.5Z",
            "keywords.suggest_url | H | 2026-11-20T09:12:19.5Z",
            "keywords.url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "Login Data",
        reader: CHROMIUM,
        sql: "CREATE TABLE logins(origin_url VARCHAR NOT NULL, action_url VARCHAR, username_value VARCHAR, password_value BLOB, signon_realm VARCHAR NOT NULL, date_created INTEGER NOT NULL, icon_url VARCHAR, federation_url VARCHAR);
              INSERT INTO logins VALUES('H','H','access_token=x',x'','https://app.example/',WEBKIT,'H','H');",
        lines: &[
            "logins.action_url | H | 2026-11-20T09:12:19.5Z",
            "logins.federation_url | H | 2026-11-20T09:12:19.5Z",
            "logins.icon_url | H | 2026-11-20T09:12:19.5Z",
            "logins.origin_url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "Cookies",
        reader: CHROMIUM,
        sql: "CREATE TABLE cookies(creation_utc INTEGER NOT NULL,host_key TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,encrypted_value BLOB NOT NULL,path TEXT NOT NULL);
              INSERT INTO cookies VALUES(WEBKIT,'.app.example','access_token','made-up',x'','/'),(WEBKIT,'app.example','lang','en',x'','/');",
        lines: &["cookies.value | cookie .app.example access_token = made-up | 2026-11-20T09:12:19.5Z"],
    },
    Case {
        file: "Media History",
        reader: CHROMIUM,
        sql: "CREATE TABLE playback(id INTEGER PRIMARY KEY AUTOINCREMENT,origin_id INTEGER NOT NULL,url TEXT,last_updated_time_s BIGINT NOT NULL);
              CREATE TABLE playbackSession(id INTEGER PRIMARY KEY AUTOINCREMENT,url TEXT UNIQUE,title TEXT,last_updated_time_s BIGINT);
              INSERT INTO playback VALUES(1,1,'H',13439639539);
              INSERT INTO playbackSession VALUES(1,'H','a',13439639539);",
        lines: &[
            "playback.url | H | never",
            "playbackSession.url | H | never",
        ],
    },
    Case {
        file: "Reporting and NEL",
        reader: CHROMIUM,
        sql: "CREATE TABLE reporting_endpoints(nik TEXT NOT NULL, origin_scheme TEXT NOT NULL, origin_host TEXT NOT NULL, url TEXT NOT NULL);
              INSERT INTO reporting_endpoints VALUES('','https','app.example','H');",
        lines: &["reporting_endpoints.url | H | never"],
    },
    Case {
        file: "WebAssistDatabase",
        reader: CHROMIUM,
        sql: "CREATE TABLE navigation_history(id INTEGER PRIMARY KEY, url TEXT, title TEXT, num_visits INTEGER, last_visited_time INTEGER);
              INSERT INTO navigation_history VALUES(1,'H','a',1,1795165939);",
        lines: &["navigation_history.url | H | 2026-11-20T09:12:19Z"],
    },
    Case {
        file: "collectionsSQLite",
        reader: CHROMIUM,
        sql: r#"CREATE TABLE collections(id TEXT PRIMARY KEY, title TEXT);
              CREATE TABLE items(id TEXT PRIMARY KEY, date_created REAL, title TEXT, source BLOB, text_content TEXT);
              INSERT INTO items VALUES('a',NULL,'a','{"url":"H"}','b');"#,
        lines: &[r#"items.source | body {"url":"H"} | never"#],
    },
    Case {
        file: "cookies.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, originAttributes TEXT, name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER);
              INSERT INTO moz_cookies VALUES(1,'','access_token','made-up','.app.example','/',1,UNIX,UNIX),(2,'','lang','en','app.example','/',1,UNIX,UNIX);",
        lines: &["moz_cookies.value | cookie .app.example access_token = made-up | 2026-11-20T09:12:19.5Z"],
    },
    Case {
        file: "favicons.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE moz_icons(id INTEGER PRIMARY KEY, icon_url TEXT NOT NULL, expire_ms INTEGER, data BLOB);
              CREATE TABLE moz_pages_w_icons(id INTEGER PRIMARY KEY, page_url TEXT NOT NULL, page_url_hash INTEGER NOT NULL);
              INSERT INTO moz_icons VALUES(1,'H',1,x'');
              INSERT INTO moz_pages_w_icons VALUES(1,'H',5);",
        lines: &[
            "moz_icons.icon_url | H | never",
            "moz_pages_w_icons.page_url | H | never",
        ],
    },
    Case {
        file: "formhistory.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE moz_formhistory(id INTEGER PRIMARY KEY, fieldname TEXT NOT NULL, value TEXT NOT NULL, timesUsed INTEGER, firstUsed INTEGER, lastUsed INTEGER, guid TEXT);
              INSERT INTO moz_formhistory VALUES(1,'access_token','made-up',1,UNIX,UNIX,''),(2,'city','Fresno',1,UNIX,UNIX,'');",
        lines: &["moz_formhistory.value | autofill - access_token = made-up | 2026-11-20T09:12:19.5Z"],
    },
    Case {
        file: "webappsstore.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE webappsstore2(originAttributes TEXT, originKey TEXT, scope TEXT, key TEXT, value TEXT);
              INSERT INTO webappsstore2 VALUES('','elpmaxe.ppa.:https:443','elpmaxe.ppa.:https:443','access_token','made-up');",
        lines: &["webappsstore2.value | local_storage https://app.example:443 access_token = made-up | never"],
    },
    Case {
        file: "data.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE database(origin TEXT NOT NULL, usage INTEGER NOT NULL DEFAULT 0);
              CREATE TABLE data(key TEXT PRIMARY KEY, utf16_length INTEGER NOT NULL, conversion_type INTEGER NOT NULL, compression_type INTEGER NOT NULL, last_access_time INTEGER NOT NULL DEFAULT 0, value BLOB NOT NULL);
              INSERT INTO database VALUES('https://app.example',0);
              INSERT INTO data VALUES('access_token',7,1,0,0,'made-up'),('packed access_token',7,1,1,0,x'07186d6164652d7570'),('wide access_token',2,0,0,0,x'61002d4e'),('theme',4,1,0,0,'dark');",
        lines: &[
            "data.value | local_storage https://app.example access_token = made-up | never",
            "data.value | local_storage https://app.example packed access_token = made-up | never",
            "data.value | local_storage https://app.example wide access_token = a\u{4e2d} | never",
        ],
    },
    Case {
        file: "data.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE database(origin TEXT NOT NULL, usage INTEGER NOT NULL DEFAULT 0);
              CREATE TABLE data(key TEXT PRIMARY KEY, value TEXT NOT NULL, utf16Length INTEGER NOT NULL, compressed INTEGER NOT NULL, lastAccessTime INTEGER NOT NULL DEFAULT 0);
              INSERT INTO database VALUES('https://app.example',0);
              INSERT INTO data VALUES('access_token','made-up',7,0,0),('packed access_token',x'07186d6164652d7570',7,1,0);",
        lines: &[
            "data.value | local_storage https://app.example access_token = made-up | never",
            "data.value | local_storage https://app.example packed access_token = made-up | never",
        ],
    },
    // `put({k: "x", access_token: "made-up"})`, as Firefox 153 writes it but for Snappy's copies.
    Case {
        file: "123815627fb.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE database(name TEXT PRIMARY KEY, origin TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
              CREATE TABLE object_data(object_store_id INTEGER NOT NULL, key BLOB NOT NULL, index_data_values BLOB, file_ids TEXT, data BLOB NOT NULL, PRIMARY KEY (object_store_id, key)) WITHOUT ROWID;
              INSERT INTO database VALUES('fb','https://app.example',1);
              INSERT INTO object_data VALUES(1,x'3079',NULL,NULL,x'60f05f030000000000f1ff000000000800ffff010000800400ffff6b00000000000000010000800400ffff78000000000000000c0000800400ffff6163636573735f746f6b656e00000000070000800400ffff6d6164652d757000000000001300ffff');",
        lines: &[r#"object_data.data | indexed_db https://app.example x = {"access_token":"made-up","k":"x"} | never"#],
    },
    Case {
        file: "storage-sync-v2.sqlite",
        reader: FIREFOX,
        sql: r#"CREATE TABLE storage_sync_data(ext_id TEXT NOT NULL PRIMARY KEY, data TEXT, sync_change_counter INTEGER);
              INSERT INTO storage_sync_data VALUES('a@b.example','{"access_token":"made-up"}',1);"#,
        lines: &[r#"storage_sync_data.data | extension a@b.example  = {"access_token":"made-up"} | never"#],
    },
    Case {
        file: "downloads.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE moz_downloads(id INTEGER PRIMARY KEY, name TEXT, source TEXT, target TEXT, startTime INTEGER, endTime INTEGER, referrer TEXT);
              INSERT INTO moz_downloads VALUES(1,'a','H','file:///tmp/a',UNIX,UNIX,'H');",
        lines: &[
            "moz_downloads.referrer | H | 2026-11-20T09:12:19.5Z",
            "moz_downloads.source | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "content-prefs.sqlite",
        reader: FIREFOX,
        sql: "CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
              CREATE TABLE settings(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
              CREATE TABLE prefs(id INTEGER PRIMARY KEY, groupID INTEGER, settingID INTEGER NOT NULL, value BLOB, timestamp INTEGER NOT NULL DEFAULT 0);
              INSERT INTO groups VALUES(1,'H');
              INSERT INTO prefs VALUES(1,1,1,'H',1795165939.5);",
        lines: &[
            "groups.name | H | never",
            "prefs.value | text H | 2026-11-20T09:12:19Z",
        ],
    },
    Case {
        file: "synced-tabs.db",
        reader: FIREFOX,
        sql: r#"CREATE TABLE tabs(guid TEXT NOT NULL PRIMARY KEY, record TEXT NOT NULL, last_modified INTEGER NOT NULL DEFAULT 0);
              INSERT INTO tabs VALUES('a','{"tabs":[{"urlHistory":["H"]}]}',1795165939500);"#,
        lines: &[r#"tabs.record | body {"tabs":[{"urlHistory":["H"]}]} | 2026-11-20T09:12:19.5Z"#],
    },
    Case {
        file: "browser.db",
        reader: FIREFOX,
        sql: "CREATE TABLE history(_id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, url TEXT NOT NULL UNIQUE, visits INTEGER NOT NULL DEFAULT 0, date INTEGER);
              CREATE TABLE bookmarks(_id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, url TEXT, created INTEGER);
              CREATE TABLE favicons(_id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT UNIQUE, data BLOB);
              INSERT INTO history VALUES(1,'a','H',1,1795165939500),(2,'b','https://app.example/',1,1795165939500);
              INSERT INTO bookmarks VALUES(1,'a','H',1795165939500);
              INSERT INTO favicons VALUES(1,'H',x'');",
        lines: &[
            "bookmarks.url | H | 2026-11-20T09:12:19.5Z",
            "favicons.url | H | never",
            "history.url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "tabs.db",
        reader: FIREFOX,
        sql: r#"CREATE TABLE tabs(_id INTEGER PRIMARY KEY AUTOINCREMENT, client_guid TEXT, title TEXT, url TEXT, history TEXT, last_used INTEGER);
              INSERT INTO tabs VALUES(1,'a','b','H','["H"]',1795165939500);"#,
        lines: &[
            "tabs.history | body [\"H\"] | 2026-11-20T09:12:19.5Z",
            "tabs.url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    // Firefox for iOS: pages and visits. Both visits of the URL are told.
    Case {
        file: "browser.db",
        reader: FIREFOX,
        sql: "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT NOT NULL UNIQUE, url TEXT UNIQUE, title TEXT NOT NULL);
              CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, siteID INTEGER NOT NULL, date REAL NOT NULL, type INTEGER NOT NULL);
              INSERT INTO history VALUES(1,'a','H','b');
              INSERT INTO visits VALUES(1,1,UNIX,1),(2,1,UNIX + 1000000,2);",
        lines: &[
            "history.url | H | 2026-11-20T09:12:19.5Z",
            "history.url | H | 2026-11-20T09:12:20.5Z",
        ],
    },
    Case {
        file: "CloudTabs.db",
        reader: SAFARI,
        sql: "CREATE TABLE cloud_tabs(tab_uuid TEXT PRIMARY KEY, device_uuid TEXT, title TEXT, url TEXT);
              INSERT INTO cloud_tabs VALUES('a','b','c','H');",
        lines: &["cloud_tabs.url | H | never"],
    },
    Case {
        file: "BrowserState.db",
        reader: SAFARI,
        sql: "CREATE TABLE tabs(id INTEGER PRIMARY KEY, uuid TEXT, title TEXT, url TEXT, user_visible_url TEXT, last_viewed_time REAL);
              CREATE TABLE tab_sessions(id INTEGER PRIMARY KEY, tab_uuid TEXT, session_data BLOB);
              INSERT INTO tabs VALUES(1,'a','b','H','H',816858739.5);",
        lines: &[
            "tabs.url | H | 2026-11-20T09:12:19.5Z",
            "tabs.user_visible_url | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "SafariTabs.db",
        reader: SAFARI,
        sql: "CREATE TABLE bookmarks(id INTEGER PRIMARY KEY, special_id INTEGER, parent INTEGER, title TEXT, url TEXT, last_modified REAL);
              INSERT INTO bookmarks VALUES(1,0,0,'H','H',NULL);",
        lines: &[
            "bookmarks.title | text H | never",
            "bookmarks.url | H | never",
        ],
    },
    Case {
        file: "Metadata.db",
        reader: SAFARI,
        sql: "CREATE TABLE snapshot_metadata(identifier TEXT PRIMARY KEY, url TEXT);
              INSERT INTO snapshot_metadata VALUES('a','H');",
        lines: &["snapshot_metadata.url | H | never"],
    },
    Case {
        file: "Cache.db",
        reader: SAFARI,
        sql: r#"CREATE TABLE cfurl_cache_response(entry_ID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, version INTEGER, request_key TEXT UNIQUE, time_stamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
              CREATE TABLE cfurl_cache_receiver_data(entry_ID INTEGER PRIMARY KEY, isDataOnFS INTEGER, receiver_data BLOB);
              INSERT INTO cfurl_cache_response VALUES(1,0,'H','2026-11-20 09:12:19'),(2,0,'https://app.example/t','2026-11-20 09:12:20');
              INSERT INTO cfurl_cache_receiver_data VALUES(2,0,'{"access_token":"made-up"}');"#,
        lines: &[
            r#"cfurl_cache_receiver_data.receiver_data | body {"access_token":"made-up"} | 2026-11-20T09:12:20Z"#,
            "cfurl_cache_response.request_key | H | 2026-11-20T09:12:19Z",
        ],
    },
    Case {
        file: "com.apple.LaunchServices.QuarantineEventsV2",
        reader: SAFARI,
        sql: "CREATE TABLE LSQuarantineEvent(LSQuarantineEventIdentifier TEXT PRIMARY KEY NOT NULL, LSQuarantineTimeStamp REAL, LSQuarantineDataURLString TEXT, LSQuarantineOriginURLString TEXT);
              INSERT INTO LSQuarantineEvent VALUES('a',816858739.5,'H','H');",
        lines: &[
            "LSQuarantineEvent.LSQuarantineDataURLString | H | 2026-11-20T09:12:19.5Z",
            "LSQuarantineEvent.LSQuarantineOriginURLString | H | 2026-11-20T09:12:19.5Z",
        ],
    },
    Case {
        file: "favicons.db",
        reader: SAFARI,
        sql: "CREATE TABLE page_url(url TEXT PRIMARY KEY, uuid TEXT NOT NULL);
              CREATE TABLE icon_info(uuid TEXT PRIMARY KEY, url TEXT, timestamp REAL);
              INSERT INTO page_url VALUES('H','a');
              INSERT INTO icon_info VALUES('a','H',816858739.5);",
        lines: &[
            "icon_info.url | H | 2026-11-20T09:12:19.5Z",
            "page_url.url | H | never",
        ],
    },
    Case {
        file: "WebpageIcons.db",
        reader: SAFARI,
        sql: "CREATE TABLE PageURL(url TEXT NOT NULL ON CONFLICT FAIL UNIQUE, iconID INTEGER NOT NULL);
              CREATE TABLE IconInfo(iconID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, url TEXT NOT NULL UNIQUE, stamp INTEGER);
              INSERT INTO PageURL VALUES('H',1);
              INSERT INTO IconInfo VALUES(1,'H',1795165939);",
        lines: &[
            "IconInfo.url | H | 2026-11-20T09:12:19Z",
            "PageURL.url | H | never",
        ],
    },
    Case {
        file: "https_app.example_0.localstorage",
        reader: SAFARI,
        sql: "CREATE TABLE ItemTable(key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB NOT NULL ON CONFLICT FAIL);
              INSERT INTO ItemTable VALUES('access_token',x'6d006100640065002d00750070003100'),('theme',x'6400');",
        lines: &["ItemTable.value | local_storage - access_token = made-up1 | never"],
    },
    Case {
        file: "history.sqlite",
        reader: "qutebrowser-history",
        sql: "CREATE TABLE History(url VARCHAR NOT NULL, title VARCHAR NOT NULL, atime INTEGER NOT NULL, redirect BOOLEAN NOT NULL);
              CREATE TABLE CompletionHistory(url VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, last_atime INTEGER NOT NULL);
              INSERT INTO History VALUES('H','a',1795165939,0);
              INSERT INTO CompletionHistory VALUES('H','a',1795165939);",
        lines: &[
            "CompletionHistory.url | H | 2026-11-20T09:12:19Z",
            "History.url | H | 2026-11-20T09:12:19Z",
        ],
    },
    Case {
        file: "places.sqlite",
        reader: "firefox-places",
        sql: "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, description TEXT, last_visit_date INTEGER);
              CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER);
              CREATE TABLE moz_bookmarks(id INTEGER PRIMARY KEY, fk INTEGER, title LONGVARCHAR, dateAdded INTEGER);
              CREATE TABLE moz_keywords(id INTEGER PRIMARY KEY, keyword TEXT, place_id INTEGER, post_data TEXT);
              CREATE TABLE moz_annos(id INTEGER PRIMARY KEY, place_id INTEGER, content LONGVARCHAR, dateAdded INTEGER);
              CREATE TABLE moz_inputhistory(place_id INTEGER NOT NULL, input LONGVARCHAR NOT NULL, PRIMARY KEY (place_id, input));
              INSERT INTO moz_places VALUES(1,'https://app.example/','H','H',UNIX);
              INSERT INTO moz_bookmarks VALUES(1,1,'H',UNIX);
              INSERT INTO moz_keywords VALUES(1,'k',1,'T');
              INSERT INTO moz_annos VALUES(1,1,'H',UNIX);
              INSERT INTO moz_inputhistory VALUES(1,'H');",
        lines: &[
            "moz_annos.content | text H | 2026-11-20T09:12:19.5Z",
            "moz_bookmarks.title | text H | 2026-11-20T09:12:19.5Z",
            "moz_inputhistory.input | text H | 2026-11-20T09:12:19.5Z",
            "moz_keywords.post_data | body T | never",
            "moz_places.description | text H | 2026-11-20T09:12:19.5Z",
            "moz_places.title | text H | 2026-11-20T09:12:19.5Z",
        ],
    },
];

fn filled(template: &str) -> String {
    let needle = "access_token=made-up";
    template
        .replace("WEBKIT", WEBKIT)
        .replace("UNIX", UNIX)
        .replace("'T'", &format!("'{needle}'"))
        .replace("body T", &format!("body {needle}"))
        .replace("'H", "'https://app.example/cb#access_token=made-up")
        .replace("\"H\"", "\"https://app.example/cb#access_token=made-up\"")
        .replace(" H'", " https://app.example/cb#access_token=made-up'")
        .replace(" H |", " https://app.example/cb#access_token=made-up |")
}

#[test]
fn every_column_gives_what_it_holds() {
    for case in CASES {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), case.file, &filled(case.sql));
        let seen = scan(&path);
        let lines: Vec<String> = case.lines.iter().map(|line| filled(line)).collect();
        assert_eq!(seen.reader, case.reader, "{}", case.file);
        assert_eq!(seen.problems, [""; 0], "{}", case.file);
        assert_eq!(seen.lines, lines, "{}", case.file);
    }
}

/// The content decides, whatever the file is called.
#[test]
fn a_database_under_another_name_goes_to_the_same_reader() {
    for case in CASES {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "x.bin", &filled(case.sql));
        assert_eq!(scan(&path).reader, case.reader, "{}", case.file);
    }
}

/// Compressed, a database has no file that SQLite could open in place.
#[test]
fn a_compressed_database_gives_the_same() {
    use std::io::Write as _;
    for case in CASES {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), case.file, &filled(case.sql));
        let mut file = std::fs::File::create(folder.path().join("packed.gz")).unwrap();
        let mut packer = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
        packer.write_all(&std::fs::read(&path).unwrap()).unwrap();
        packer.finish().unwrap();
        let seen = scan(&folder.path().join("packed.gz"));
        let lines: Vec<String> = case.lines.iter().map(|line| filled(line)).collect();
        assert_eq!(seen.lines, lines, "{}", case.file);
    }
}

#[test]
fn archived_history_is_a_history() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE urls(id INTEGER PRIMARY KEY,url LONGVARCHAR,last_visit_time INTEGER NOT NULL);
        CREATE TABLE visits(id INTEGER PRIMARY KEY,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,transition INTEGER);
        INSERT INTO urls VALUES(1,'H',WEBKIT);
        INSERT INTO visits VALUES(1,1,WEBKIT,0,1);";
    let seen = scan(&database(folder.path(), "Archived History", &filled(sql)));
    assert_eq!(seen.reader, "chromium-history");
    let lines = [filled("urls.url | H | 2026-11-20T09:12:19.5Z")];
    assert_eq!(seen.lines, lines);
}

/// A view or a generated column runs what the file's maker wrote.
#[test]
fn a_view_in_a_tables_place_is_told_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE VIEW cookies AS SELECT 1 creation_utc, 'a' host_key, 'access_token' name, 'made-up' value;";
    let seen = scan(&database(folder.path(), "Cookies", sql));
    assert_eq!(seen.reader, "chromium-stores");
    assert_eq!(seen.lines, [""; 0]);
    assert!(
        seen.problems[0].contains("no table but a view"),
        "{:?}",
        seen.problems
    );
}
