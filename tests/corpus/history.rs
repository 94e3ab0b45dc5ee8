//! Browser histories with the schemas of Chromium 156, Firefox 153, Safari and GNOME Web.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::prng::Rng;
use crate::shapes::Event;
use crate::truth::{Placed, Spot};

/// 2026-09-01T00:00:00Z, seconds since 1970.
const START: i64 = 1_788_220_800;
/// 80 days, in seconds.
const PERIOD: usize = 80 * 86_400;
/// Seconds between 1601 and 1970 (Chromium's clock).
const WEBKIT: i64 = 11_644_473_600;
/// Seconds between 1970 and 2001 (Safari's clock).
const COCOA: i64 = 978_307_200;
/// `PAGE_TRANSITION_LINK | CHAIN_START | CHAIN_END`.
const LINK: i64 = 0x3000_0000;
/// `PAGE_TRANSITION_LINK | SERVER_REDIRECT`.
const REDIRECT: i64 = 0x8000_0000 - 0x1_0000_0000;

const CHROMIUM: &str = "
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,external_referrer_url TEXT,transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL,incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL,opener_visit INTEGER,originator_cache_guid TEXT,originator_visit_id INTEGER,originator_from_visit INTEGER,originator_opener_visit INTEGER,is_known_to_sync BOOLEAN DEFAULT FALSE NOT NULL,consider_for_ntp_most_visited BOOLEAN DEFAULT FALSE NOT NULL,visited_link_id INTEGER DEFAULT 0 NOT NULL,app_id TEXT);
CREATE TABLE visit_source(id INTEGER PRIMARY KEY,source INTEGER NOT NULL);
CREATE TABLE keyword_search_terms(keyword_id INTEGER NOT NULL,url_id INTEGER NOT NULL,term LONGVARCHAR NOT NULL,normalized_term LONGVARCHAR NOT NULL);
CREATE TABLE segments(id INTEGER PRIMARY KEY,name VARCHAR,url_id INTEGER NON NULL);
CREATE TABLE downloads(id INTEGER PRIMARY KEY,guid VARCHAR NOT NULL,current_path LONGVARCHAR NOT NULL,target_path LONGVARCHAR NOT NULL,start_time INTEGER NOT NULL,received_bytes INTEGER NOT NULL,total_bytes INTEGER NOT NULL,state INTEGER NOT NULL,danger_type INTEGER NOT NULL,interrupt_reason INTEGER NOT NULL,hash BLOB NOT NULL,end_time INTEGER NOT NULL,opened INTEGER NOT NULL,last_access_time INTEGER NOT NULL,transient INTEGER NOT NULL,referrer VARCHAR NOT NULL,site_url VARCHAR NOT NULL,embedder_download_data VARCHAR NOT NULL,tab_url VARCHAR NOT NULL,tab_referrer_url VARCHAR NOT NULL,http_method VARCHAR NOT NULL,by_ext_id VARCHAR NOT NULL,by_ext_name VARCHAR NOT NULL,by_web_app_id VARCHAR NOT NULL,etag VARCHAR NOT NULL,last_modified VARCHAR NOT NULL,mime_type VARCHAR(255) NOT NULL,original_mime_type VARCHAR(255) NOT NULL);
CREATE TABLE downloads_url_chains(id INTEGER NOT NULL,chain_index INTEGER NOT NULL,url LONGVARCHAR NOT NULL, PRIMARY KEY (id, chain_index));
CREATE TABLE visited_links(id INTEGER PRIMARY KEY AUTOINCREMENT,link_url_id INTEGER NOT NULL,top_level_url LONGVARCHAR NOT NULL,frame_url LONGVARCHAR NOT NULL,visit_count INTEGER DEFAULT 0 NOT NULL);
CREATE INDEX visits_url_index ON visits (url);
CREATE INDEX urls_url_index ON urls (url);
INSERT INTO meta VALUES('mmap_status','-1'),('version','70'),('last_compatible_version','16');";

const FIREFOX: &str = "
CREATE TABLE moz_origins(id INTEGER PRIMARY KEY,prefix TEXT NOT NULL,host TEXT NOT NULL,frecency INTEGER NOT NULL,recalc_frecency INTEGER NOT NULL DEFAULT 0,UNIQUE (prefix, host));
CREATE TABLE moz_places(id INTEGER PRIMARY KEY,url LONGVARCHAR,title LONGVARCHAR,rev_host LONGVARCHAR,visit_count INTEGER DEFAULT 0,hidden INTEGER DEFAULT 0 NOT NULL,typed INTEGER DEFAULT 0 NOT NULL,frecency INTEGER DEFAULT -1 NOT NULL,last_visit_date INTEGER,guid TEXT,foreign_count INTEGER DEFAULT 0 NOT NULL,url_hash INTEGER DEFAULT 0 NOT NULL,description TEXT,preview_image_url TEXT,site_name TEXT,origin_id INTEGER REFERENCES moz_origins(id),recalc_frecency INTEGER NOT NULL DEFAULT 0,alt_frecency INTEGER,recalc_alt_frecency INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY,from_visit INTEGER,place_id INTEGER,visit_date INTEGER,visit_type INTEGER,session INTEGER,source INTEGER DEFAULT 0 NOT NULL,triggeringPlaceId INTEGER);
CREATE TABLE moz_bookmarks(id INTEGER PRIMARY KEY,type INTEGER,fk INTEGER DEFAULT NULL,parent INTEGER,position INTEGER,title LONGVARCHAR,keyword_id INTEGER,folder_type TEXT,dateAdded INTEGER,lastModified INTEGER,guid TEXT);
CREATE TABLE moz_annos(id INTEGER PRIMARY KEY,place_id INTEGER NOT NULL,anno_attribute_id INTEGER,content LONGVARCHAR,flags INTEGER DEFAULT 0,expiration INTEGER DEFAULT 0,type INTEGER DEFAULT 0,dateAdded INTEGER DEFAULT 0,lastModified INTEGER DEFAULT 0);
CREATE TABLE moz_anno_attributes(id INTEGER PRIMARY KEY,name VARCHAR(32) UNIQUE NOT NULL);
CREATE TABLE moz_inputhistory(place_id INTEGER NOT NULL,input LONGVARCHAR NOT NULL,use_count INTEGER,PRIMARY KEY (place_id, input));
CREATE TABLE moz_keywords(id INTEGER PRIMARY KEY AUTOINCREMENT,keyword TEXT UNIQUE,place_id INTEGER,post_data TEXT);
CREATE TABLE moz_meta(key TEXT PRIMARY KEY,value NOT NULL) WITHOUT ROWID;
CREATE INDEX moz_places_url_hashindex ON moz_places (url_hash);
PRAGMA user_version=86;";

const SAFARI: &str = "
CREATE TABLE history_items(id INTEGER PRIMARY KEY AUTOINCREMENT,url TEXT NOT NULL UNIQUE,domain_expansion TEXT NULL,visit_count INTEGER NOT NULL,daily_visit_counts BLOB NOT NULL,weekly_visit_counts BLOB NULL,autocomplete_triggers BLOB NULL,should_recompute_derived_visit_counts INTEGER NOT NULL,visit_count_score INTEGER NOT NULL,status_code INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_visits(id INTEGER PRIMARY KEY AUTOINCREMENT,history_item INTEGER NOT NULL REFERENCES history_items(id) ON DELETE CASCADE,visit_time REAL NOT NULL,title TEXT NULL,load_successful BOOLEAN NOT NULL DEFAULT 1,http_non_get BOOLEAN NOT NULL DEFAULT 0,synthesized BOOLEAN NOT NULL DEFAULT 0,redirect_source INTEGER NULL UNIQUE,redirect_destination INTEGER NULL UNIQUE,origin INTEGER NOT NULL DEFAULT 0,generation INTEGER NOT NULL DEFAULT 0,attributes INTEGER NOT NULL DEFAULT 0,score INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_tombstones(id INTEGER PRIMARY KEY AUTOINCREMENT,start_time REAL NOT NULL,end_time REAL NOT NULL,url TEXT,generation INTEGER NOT NULL DEFAULT 0);
CREATE TABLE metadata(key TEXT NOT NULL UNIQUE,value);";

const EPIPHANY: &str = "
CREATE TABLE hosts(id INTEGER PRIMARY KEY,url LONGVARCAR,title LONGVARCAR,visit_count INTEGER DEFAULT 0 NOT NULL,zoom_level REAL DEFAULT 0.0);
CREATE TABLE urls(id INTEGER PRIMARY KEY,host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,url LONGVARCAR,title LONGVARCAR,sync_id LONGVARCAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER,thumbnail_update_time INTEGER DEFAULT 0,hidden_from_overview INTEGER DEFAULT 0);
CREATE TABLE visits(id INTEGER PRIMARY KEY,url INTEGER NOT NULL REFERENCES urls(id) ON DELETE CASCADE,visit_time INTEGER NOT NULL,visit_type INTEGER NOT NULL,referring_visit INTEGER);";

#[derive(Clone, Copy)]
enum Browser {
    Chromium,
    ChromiumWal,
    Firefox,
    Safari,
    Epiphany,
}

/// The histories, with the path that the browser gives each.
const FILES: &[(Browser, &str)] = &[
    (
        Browser::Chromium,
        "home/alice/.config/google-chrome/Default/History",
    ),
    (
        Browser::ChromiumWal,
        "home/bob/.config/chromium/Profile 1/History",
    ),
    (
        Browser::Firefox,
        "home/carol/.mozilla/firefox/abcd1234.default-esr/places.sqlite",
    ),
    (Browser::Safari, "Users/dana/Library/Safari/History.db"),
    (
        Browser::Epiphany,
        "home/erin/.local/share/epiphany/ephy-history.db",
    ),
];

/// Writes the events into the histories under `dir`, each event into one.
pub fn write(dir: &Path, events: &[Event], rng: &mut Rng) -> rusqlite::Result<Vec<Placed>> {
    let mut shares: Vec<Vec<&Event>> = vec![Vec::new(); FILES.len()];
    for event in events {
        // GNOME Web keeps no redirect hops, so a chain would be torn there.
        let count = if event.messages.len() > 1 {
            FILES.len() - 1
        } else {
            FILES.len()
        };
        shares[rng.below(count)].push(event);
    }
    let mut placed = Vec::new();
    for ((browser, name), share) in FILES.iter().zip(&shares) {
        let path = dir.join(name);
        let _ = std::fs::create_dir_all(path.parent().unwrap_or(dir));
        let mut file = File {
            name,
            clock: START,
            pace: PERIOD / (share.len() + 1),
            placed: &mut placed,
            rng,
        };
        match browser {
            Browser::Chromium => file.chromium(&Connection::open(&path)?, share)?,
            Browser::ChromiumWal => file.in_wal(&path, share)?,
            Browser::Firefox => file.firefox(&Connection::open(&path)?, share)?,
            Browser::Safari => file.safari(&Connection::open(&path)?, share)?,
            Browser::Epiphany => file.epiphany(&Connection::open(&path)?, share)?,
        }
    }
    Ok(placed)
}

struct File<'a> {
    name: &'a str,
    clock: i64,
    /// Seconds between two events, so that all lie before the day of the scan.
    pace: usize,
    placed: &'a mut Vec<Placed>,
    rng: &'a mut Rng,
}

impl File<'_> {
    fn tick(&mut self, within: bool) -> i64 {
        self.clock += if within {
            1
        } else {
            i64::try_from(self.rng.between(1, self.pace.clamp(2, 9000))).unwrap_or(1)
        };
        self.clock
    }

    fn done(&mut self, event: &Event, index: usize, spots: Vec<Spot>) {
        self.placed
            .push(Placed::new(self.name, event, &event.messages[index], spots));
    }

    fn chromium(&mut self, db: &Connection, events: &[&Event]) -> rusqlite::Result<()> {
        db.execute_batch(CHROMIUM)?;
        db.execute_batch("BEGIN")?;
        for event in events {
            if event.messages.len() == 1 && self.rng.one_in(12) {
                self.download(db, event)?;
                continue;
            }
            let mut from = 0;
            for (index, message) in event.messages.iter().enumerate() {
                let time = (self.tick(index > 0) + WEBKIT) * 1_000_000;
                let title = if self.rng.one_in(3) {
                    "Sign in"
                } else {
                    "Home"
                };
                db.execute(
                    "INSERT INTO urls(url,title,visit_count,last_visit_time,hidden) VALUES(?1,?2,1,?3,0)",
                    params![message.url, title, time],
                )?;
                let url = db.last_insert_rowid();
                let transition = if index > 0 { REDIRECT } else { LINK };
                // Row ids of visits run ahead of those of urls, as after years of use.
                db.execute(
                    "INSERT INTO visits(id,url,visit_time,from_visit,transition) VALUES(?1+5000,?1,?2,?3,?4)",
                    params![url, time, from, transition],
                )?;
                from = url + 5000;
                let mut spots = vec![Spot::Row("urls", url), Spot::Row("visits", from)];
                if self.rng.one_in(10) {
                    db.execute(
                        "INSERT INTO visited_links(link_url_id,top_level_url,frame_url,visit_count) VALUES(?1,?2,?2,1)",
                        params![url, message.url],
                    )?;
                    spots.push(Spot::Row("visited_links", db.last_insert_rowid()));
                }
                self.done(event, index, spots);
            }
        }
        db.execute_batch("COMMIT")
    }

    fn download(&mut self, db: &Connection, event: &Event) -> rusqlite::Result<()> {
        let time = (self.tick(false) + WEBKIT) * 1_000_000;
        let tab = "https://www.example-downloads.com/files";
        let guid = self.rng.text("0123456789abcdef", 32);
        db.execute(
            "INSERT INTO downloads SELECT coalesce(max(id),0)+1,?1,'/tmp/f','/tmp/f',?2,10,10,1,0,0,x'',?2,0,?2,0,?3,'','',?3,'','','','','','','','application/pdf','application/pdf' FROM downloads",
            params![guid, time, tab],
        )?;
        let id = db.last_insert_rowid();
        db.execute(
            "INSERT INTO downloads_url_chains VALUES(?1,0,?2)",
            params![id, event.messages[0].url],
        )?;
        let row = db.last_insert_rowid();
        self.done(
            event,
            0,
            vec![
                Spot::Row("downloads_url_chains", row),
                Spot::Row("downloads", id),
            ],
        );
        Ok(())
    }

    /// A database whose rows are all in the write-ahead log: a copy taken while the browser ran.
    fn in_wal(&mut self, path: &Path, events: &[&Event]) -> rusqlite::Result<()> {
        let live = tempfile::tempdir().map_err(|_| rusqlite::Error::InvalidQuery)?;
        let origin = live.path().join("History");
        let db = Connection::open(&origin)?;
        db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE first(x); PRAGMA wal_checkpoint(TRUNCATE);")?;
        self.chromium(&db, events)?;
        for suffix in ["", "-wal"] {
            let from = live.path().join(format!("History{suffix}"));
            let to = path.with_file_name(format!("History{suffix}"));
            std::fs::copy(from, to).map_err(|_| rusqlite::Error::InvalidQuery)?;
        }
        Ok(())
    }

    fn firefox(&mut self, db: &Connection, events: &[&Event]) -> rusqlite::Result<()> {
        db.execute_batch(FIREFOX)?;
        db.execute_batch("BEGIN")?;
        for event in events {
            let mut from = 0;
            for (index, message) in event.messages.iter().enumerate() {
                let time = self.tick(index > 0) * 1_000_000;
                let hop = index + 1 < event.messages.len();
                db.execute(
                    "INSERT INTO moz_places(url,title,visit_count,hidden,last_visit_date,guid) VALUES(?1,'Sign in',1,?2,?3,?4)",
                    params![message.url, hop, time, self.rng.text("abcdefghijklmnop", 12)],
                )?;
                let place = db.last_insert_rowid();
                let kind = if index > 0 { 6 } else { 1 };
                db.execute(
                    "INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(?1+3000,?2,?1,?3,?4,0)",
                    params![place, from, time, kind],
                )?;
                from = place + 3000;
                self.done(
                    event,
                    index,
                    vec![
                        Spot::Row("moz_places", place),
                        Spot::Row("moz_historyvisits", from),
                    ],
                );
            }
        }
        db.execute_batch("COMMIT")
    }

    fn safari(&mut self, db: &Connection, events: &[&Event]) -> rusqlite::Result<()> {
        db.execute_batch(SAFARI)?;
        // Visits are older than the items that are left.
        db.execute_batch("INSERT INTO sqlite_sequence VALUES('history_visits', 700)")?;
        db.execute_batch("BEGIN")?;
        for event in events {
            let mut from: Option<i64> = None;
            for (index, message) in event.messages.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "seconds of this century fit")]
                let time = (self.tick(index > 0) - COCOA) as f64 + 0.25;
                db.execute(
                    "INSERT INTO history_items(url,visit_count,daily_visit_counts,should_recompute_derived_visit_counts,visit_count_score) VALUES(?1,1,x'01',0,100) ON CONFLICT(url) DO UPDATE SET visit_count = visit_count + 1",
                    params![message.url],
                )?;
                let item: i64 = db.query_row(
                    "SELECT id FROM history_items WHERE url = ?1",
                    [&message.url],
                    |row| row.get(0),
                )?;
                db.execute(
                    "INSERT INTO history_visits(history_item,visit_time,title,redirect_source) VALUES(?1,?2,'Sign in',?3)",
                    params![item, time, from],
                )?;
                let visit = db.last_insert_rowid();
                if let Some(source) = from {
                    db.execute(
                        "UPDATE history_visits SET redirect_destination=?1 WHERE id=?2",
                        params![visit, source],
                    )?;
                }
                from = Some(visit);
                self.done(
                    event,
                    index,
                    vec![
                        Spot::Row("history_items", item),
                        Spot::Row("history_visits", visit),
                    ],
                );
            }
        }
        db.execute_batch("COMMIT")
    }

    fn epiphany(&mut self, db: &Connection, events: &[&Event]) -> rusqlite::Result<()> {
        db.execute_batch(EPIPHANY)?;
        db.execute_batch("BEGIN; INSERT INTO hosts(id,url) VALUES(1,'https://example.com/');")?;
        for event in events {
            for (index, message) in event.messages.iter().enumerate() {
                let time = self.tick(index > 0) * 1_000_000;
                db.execute(
                    "INSERT INTO urls(host,url,title,visit_count,last_visit_time) VALUES(1,?1,'Home',1,?2)",
                    params![message.url, time],
                )?;
                let url = db.last_insert_rowid();
                db.execute(
                    "INSERT INTO visits VALUES(?1+90,?1,?2,0,0)",
                    params![url, time],
                )?;
                self.done(
                    event,
                    index,
                    vec![Spot::Row("urls", url), Spot::Row("visits", url + 90)],
                );
            }
        }
        db.execute_batch("COMMIT")
    }
}
