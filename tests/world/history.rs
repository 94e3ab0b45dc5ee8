//! Browser histories as SQLite files, with the tables of Chromium 156 and Firefox 153.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};

use crate::place::{File, PROFILES, World};
use crate::prng::Rng;
use crate::truth::What;

/// Seconds between 1601 and 1970 (Chromium's clock).
const WEBKIT: i64 = 11_644_473_600;
const CHAIN_START: i64 = 0x1000_0000;
const CHAIN_END: i64 = 0x2000_0000;
const SERVER_REDIRECT: i64 = 0x8000_0000;

const CHROMIUM: &str = "
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL,opener_visit INTEGER);
CREATE INDEX visits_url_index ON visits (url);
INSERT INTO meta VALUES('version','70'),('last_compatible_version','16');";

const FIREFOX: &str = "
CREATE TABLE moz_places(id INTEGER PRIMARY KEY,url LONGVARCHAR,title LONGVARCHAR,rev_host LONGVARCHAR,visit_count INTEGER DEFAULT 0,hidden INTEGER DEFAULT 0 NOT NULL,typed INTEGER DEFAULT 0 NOT NULL,frecency INTEGER DEFAULT -1 NOT NULL,last_visit_date INTEGER,guid TEXT,foreign_count INTEGER DEFAULT 0 NOT NULL,url_hash INTEGER DEFAULT 0 NOT NULL,description TEXT,preview_image_url TEXT,site_name TEXT,origin_id INTEGER);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY,from_visit INTEGER,place_id INTEGER,visit_date INTEGER,visit_type INTEGER,session INTEGER,source INTEGER DEFAULT 0 NOT NULL,triggeringPlaceId INTEGER);
PRAGMA user_version=86;";

struct Row {
    /// What the profile's clock said, microseconds since 1970.
    at: i64,
    url: String,
    /// Run and message; none for ordinary browsing.
    message: Option<(usize, usize)>,
    from: Option<(usize, usize)>,
    redirect: bool,
    /// The next hop of a redirect chain follows.
    passes: bool,
}

/// Error of a profile's clock in milliseconds: a fifth of the machines is wrong.
pub fn clock_error(profile: usize) -> i64 {
    const ERRORS: [i64; 5] = [-7200, -300, 400, 3600, 86_400];
    if profile.is_multiple_of(5) {
        ERRORS[profile / 5 % 5] * 1000
    } else {
        0
    }
}

/// Where a profile lies, from the world's folder.
pub fn path(profile: usize) -> String {
    if profile.is_multiple_of(2) {
        format!("home/u{profile}/.config/google-chrome/Default/History")
    } else {
        format!("home/u{profile}/.mozilla/firefox/ab12cd.default/places.sqlite")
    }
}

/// Writes all profiles.
pub fn write(dir: &Path, world: &World, rng: &mut Rng) -> rusqlite::Result<()> {
    let mut profiles: Vec<Vec<Row>> = (0..PROFILES).map(|_| Vec::new()).collect();
    for (number, (run, placed)) in world.runs.iter().zip(&world.placed).enumerate() {
        for &(file, index) in &placed.at {
            let File::Profile(profile) = file else {
                continue;
            };
            let message = &run.messages[index];
            let (url, from, redirect) = match &message.what {
                What::Visit {
                    url,
                    from,
                    redirect,
                } => (url, from, *redirect),
                // Firefox keeps no POST; Chromium its URL.
                What::Post { url, from, .. } if profile.is_multiple_of(2) => (url, from, false),
                _ => continue,
            };
            let passes = run.messages.iter().any(|next| {
                matches!(next.what, What::Visit { from: Some(from), redirect: true, .. } if from == index)
            });
            profiles[profile].push(Row {
                at: (message.at + clock_error(profile)) * 1000,
                url: url.clone(),
                message: Some((number, index)),
                from: from.map(|from| (number, from)),
                redirect,
                passes,
            });
        }
    }
    for (profile, mut rows) in profiles.into_iter().enumerate() {
        browse(&mut rows, rng);
        rows.sort_by_key(|row| (row.at, row.message));
        let path = dir.join(path(profile));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        let db = Connection::open(&path)?;
        db.execute_batch("PRAGMA synchronous=OFF")?;
        if profile.is_multiple_of(2) {
            chromium(&db, &rows)?;
        } else {
            firefox(&db, &rows)?;
        }
        drop(db);
        if profile % 37 == 3 {
            // A copy that somebody made, beside the original.
            let copy = dir.join("backup").join(crate::history::path(profile));
            std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder is made");
            std::fs::copy(&path, copy).expect("a profile is copied");
        }
    }
    Ok(())
}

/// Ordinary pages, some of which look like what they are not.
fn browse(rows: &mut Vec<Row>, rng: &mut Rng) {
    let times: Vec<i64> = rows.iter().map(|row| row.at).collect();
    for at in times {
        if !rng.chance(40) {
            continue;
        }
        let number = rng.below(100_000);
        let url = match rng.below(6) {
            0 => format!("https://shop.example/product/{number}?code=SAVE10&utm_source=mail"),
            1 => format!("https://weather.example/fresno?state=CA&day={number}"),
            2 => format!("https://forum.example/thread/{number}?page_token=3&lang=en"),
            3 => format!("https://search.example/?q=access_token+{number}"),
            4 => format!("https://wiki.example/Page_{number}#section-2"),
            _ => format!("https://news.example/{number}/article.html"),
        };
        let at = at + rng.between(-40_000_000, 0);
        rows.push(Row {
            at,
            url,
            message: None,
            from: None,
            redirect: false,
            passes: false,
        });
    }
}

fn chromium(db: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    db.execute_batch(CHROMIUM)?;
    db.execute_batch("BEGIN")?;
    let mut urls = BTreeMap::new();
    let mut ids = BTreeMap::new();
    {
        let mut add_url = db.prepare(
            "INSERT INTO urls(url,title,visit_count,last_visit_time) VALUES(?1,'Home',1,?2)",
        )?;
        let mut again =
            db.prepare("UPDATE urls SET visit_count=visit_count+1,last_visit_time=?2 WHERE id=?1")?;
        let mut add_visit = db.prepare(
            "INSERT INTO visits(id,url,visit_time,from_visit,transition) VALUES(?1,?2,?3,?4,?5)",
        )?;
        for (index, row) in rows.iter().enumerate() {
            let time = row.at + WEBKIT * 1_000_000;
            let url = if let Some(&id) = urls.get(&row.url) {
                again.execute(params![id, time])?;
                id
            } else {
                add_url.execute(params![row.url, time])?;
                urls.insert(row.url.clone(), db.last_insert_rowid());
                db.last_insert_rowid()
            };
            let id = index as i64 + 5000;
            let mut transition = 0;
            for (flag, set) in [
                (SERVER_REDIRECT, row.redirect),
                (CHAIN_START, !row.redirect),
                (CHAIN_END, !row.passes),
            ] {
                transition |= if set { flag } else { 0 };
            }
            add_visit.execute(params![id, url, time, before(&ids, row), transition])?;
            ids.extend(row.message.map(|message| (message, id)));
        }
    }
    db.execute_batch("COMMIT")
}

fn firefox(db: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    db.execute_batch(FIREFOX)?;
    db.execute_batch("BEGIN")?;
    let mut places = BTreeMap::new();
    let mut ids = BTreeMap::new();
    {
        let mut add_place = db.prepare("INSERT INTO moz_places(url,title,visit_count,hidden,last_visit_date) VALUES(?1,'Home',1,?2,?3)")?;
        let mut again = db.prepare(
            "UPDATE moz_places SET visit_count=visit_count+1,last_visit_date=?2 WHERE id=?1",
        )?;
        let mut add_visit = db.prepare("INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(?1,?2,?3,?4,?5,0)")?;
        for (index, row) in rows.iter().enumerate() {
            let place = if let Some(&id) = places.get(&row.url) {
                again.execute(params![id, row.at])?;
                id
            } else {
                add_place.execute(params![row.url, row.passes, row.at])?;
                places.insert(row.url.clone(), db.last_insert_rowid());
                db.last_insert_rowid()
            };
            let id = index as i64 + 3000;
            // nsINavHistoryService: TRANSITION_LINK 1, TRANSITION_REDIRECT_TEMPORARY 6.
            let kind = if row.redirect { 6 } else { 1 };
            add_visit.execute(params![id, before(&ids, row), place, row.at, kind])?;
            ids.extend(row.message.map(|message| (message, id)));
        }
    }
    db.execute_batch("COMMIT")
}

/// The visit that a visit came from; one that is gone has left its number.
fn before(ids: &BTreeMap<(usize, usize), i64>, row: &Row) -> i64 {
    match row.from {
        None => 0,
        Some(from) => ids.get(&from).copied().unwrap_or(7),
    }
}
