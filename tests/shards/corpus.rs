//! A seeded company whose evidence lies on many machines: what happened is in `stories.rs`; here it becomes access
//! logs, proxy logs, histories and captures, 440 files, with some that are damaged or no evidence.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::encode::rfc3339;
use crate::prng::Rng;
use crate::stories;

/// Login servers, each with a log.
pub const LOGINS: usize = 40;
/// Applications, each with a log.
pub const APPS: usize = 80;
/// Proxies, each with a log.
pub const PROXIES: usize = 20;
/// Machines, each with a browser history.
pub const HOSTS: usize = 200;
/// Captures that somebody made.
pub const CAPTURES: usize = 100;

/// Seconds between 1601 and 1970 (Chromium's clock).
const WEBKIT: i64 = 11_644_473_600;

const CHROMIUM: &str = "
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL,opener_visit INTEGER);
INSERT INTO meta VALUES('version','70'),('last_compatible_version','16');";

const FIREFOX: &str = "
CREATE TABLE moz_places(id INTEGER PRIMARY KEY,url LONGVARCHAR,title LONGVARCHAR,rev_host LONGVARCHAR,visit_count INTEGER DEFAULT 0,hidden INTEGER DEFAULT 0 NOT NULL,typed INTEGER DEFAULT 0 NOT NULL,frecency INTEGER DEFAULT -1 NOT NULL,last_visit_date INTEGER,guid TEXT,foreign_count INTEGER DEFAULT 0 NOT NULL,url_hash INTEGER DEFAULT 0 NOT NULL,description TEXT,preview_image_url TEXT,site_name TEXT,origin_id INTEGER);
CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY,from_visit INTEGER,place_id INTEGER,visit_date INTEGER,visit_type INTEGER,session INTEGER,source INTEGER DEFAULT 0 NOT NULL,triggeringPlaceId INTEGER);
PRAGMA user_version=86;";

/// One hop in a history.
pub struct Visit {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Where to.
    pub url: String,
    /// Whether the hop before led here by a redirect.
    pub redirected: bool,
}

/// What all machines hold.
#[derive(Default)]
pub struct Company {
    /// Lines of a log with their moments, by its path.
    pub logs: BTreeMap<String, Vec<(i64, String)>>,
    /// Redirect chains in the history of a machine.
    pub histories: BTreeMap<usize, Vec<Vec<Visit>>>,
    /// Entries of a capture with their moments, by its number.
    pub captures: BTreeMap<usize, Vec<(i64, Value)>>,
}

impl Company {
    /// A request in the log of a login server or an application, in the combined format behind the host's name.
    pub fn logged(&mut self, path: String, at: i64, (host, target): (&str, &str), status: u16) {
        let time = jiff::Timestamp::from_millisecond(at).expect("a time of this century");
        let time = time.strftime("%d/%b/%Y:%H:%M:%S +0000");
        let line = format!(
            r#"{host}:443 192.0.2.{} - - [{time}] "GET {target} HTTP/1.1" {status} 512 "-" "Mozilla/5.0""#,
            at % 200
        );
        self.logs.entry(path).or_default().push((at, line));
    }

    /// A request in the log of a proxy, in Squid's own format.
    pub fn proxied(&mut self, proxy: usize, at: i64, url: &str) {
        let (seconds, millis) = (at / 1000, at % 1000);
        let line = format!(
            "{seconds}.{millis:03}     12 192.0.2.{} TCP_MISS/200 512 GET {url} - HIER_DIRECT/198.51.100.9 text/html",
            at % 200
        );
        let path = format!("proxies/{proxy:02}/access.log");
        self.logs.entry(path).or_default().push((at, line));
    }

    /// A redirect chain in a history.
    pub fn visited(&mut self, host: usize, hops: &[(i64, String)]) {
        let visit = |(number, (at, url)): (usize, &(i64, String))| Visit {
            at: *at,
            url: url.clone(),
            redirected: number > 0,
        };
        let chain = hops.iter().enumerate().map(visit).collect();
        self.histories.entry(host).or_default().push(chain);
    }

    /// A call to a token endpoint in a capture.
    pub fn captured(&mut self, capture: usize, at: i64, url: &str, form: &str, answer: &Value) {
        let entry = json!({
            "startedDateTime": rfc3339(at), "time": 12.5,
            "request": {"method": "POST", "url": url, "httpVersion": "HTTP/2", "headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0,
                "postData": {"mimeType": "application/x-www-form-urlencoded", "text": form}},
            "response": {"status": 200, "statusText": "", "httpVersion": "HTTP/2", "headers": [], "cookies": [],
                "content": {"size": 0, "mimeType": "application/json", "text": answer.to_string()},
                "redirectURL": "", "headersSize": -1, "bodySize": -1},
            "cache": {}, "timings": {"send": 0.1, "wait": 12.0, "receive": 0.4},
        });
        self.captures.entry(capture).or_default().push((at, entry));
    }
}

/// Writes the company's evidence: the same bytes for the same seed.
pub fn write(dir: &Path, seed: u64) {
    let mut rng = Rng::new(seed);
    let company = stories::company(&mut rng);
    for (number, (path, lines)) in company.logs.into_iter().enumerate() {
        log(&dir.join(path), lines, number.is_multiple_of(4), &mut rng);
    }
    for (host, chains) in company.histories {
        history(dir, host, chains).expect("a history is written");
    }
    for (number, mut entries) in company.captures {
        entries.sort_by_key(|(at, _)| *at);
        let entries: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
        let text = json!({"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": entries}}).to_string();
        put(
            &dir.join(format!("tickets/{number:02}.har")),
            text.as_bytes(),
        );
        if number == 7 {
            let cut = &text.as_bytes()[..text.len() * 2 / 3];
            put(&dir.join("tickets/cut.har"), cut);
        }
    }
    put(
        &dir.join("apps/broken/access.log.gz"),
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut off here",
    );
    put(&dir.join("apps/empty/access.log"), b"");
    put(
        &dir.join("tickets/notes.txt"),
        b"Called the customer back.\n",
    );
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
    std::fs::write(path, bytes).expect("a file is written");
}

/// A log, among whose lines there are ordinary ones; every fourth is compressed.
fn log(path: &Path, mut lines: Vec<(i64, String)>, packed: bool, rng: &mut Rng) {
    lines.sort();
    let mut text = String::new();
    for (at, line) in lines {
        for _ in 0..rng.below(6) {
            let line = line.split(' ').take(1).collect::<String>();
            let time = jiff::Timestamp::from_millisecond(at).expect("a time of this century");
            let time = time.strftime("%d/%b/%Y:%H:%M:%S +0000");
            let number = rng.below(100_000);
            text += &format!(
                "{line} 198.51.100.3 - - [{time}] \"GET /item/{number}?lang=en HTTP/1.1\" 200 99 \"-\" \"-\"\n"
            );
        }
        text += &line;
        text += "\n";
    }
    if !packed {
        return put(path, text.as_bytes());
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_bytes()).expect("memory");
    let bytes = gz.finish().expect("memory");
    put(&path.with_extension("log.gz"), &bytes);
}

/// Even machines have Chromium, odd ones Firefox.
fn history(dir: &Path, host: usize, mut chains: Vec<Vec<Visit>>) -> rusqlite::Result<()> {
    chains.sort_by_key(|chain| chain.first().map(|visit| visit.at));
    let is_chromium = host.is_multiple_of(2);
    let name = if is_chromium {
        format!("hosts/{host:03}/home/u{host}/.config/google-chrome/Default/History")
    } else {
        format!("hosts/{host:03}/home/u{host}/.mozilla/firefox/ab12cd.default/places.sqlite")
    };
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA synchronous=OFF; BEGIN")?;
    db.execute_batch(if is_chromium { CHROMIUM } else { FIREFOX })?;
    let mut id = 100;
    for chain in chains {
        let last = chain.len() - 1;
        for (number, visit) in chain.into_iter().enumerate() {
            id += 1;
            let from = if number == 0 { 0 } else { id - 1 };
            if is_chromium {
                let time = visit.at * 1000 + WEBKIT * 1_000_000;
                // page_transition_types.h: server redirect, start and end of a chain.
                let flags = [
                    (0x8000_0000_i64, visit.redirected),
                    (0x1000_0000, !visit.redirected),
                    (0x2000_0000, number == last),
                ];
                let transition: i64 = flags.iter().filter(|it| it.1).map(|it| it.0).sum();
                db.execute("INSERT INTO urls(id,url,title,visit_count,last_visit_time) VALUES(?1,?2,'Home',1,?3)", params![id, visit.url, time])?;
                db.execute("INSERT INTO visits(id,url,visit_time,from_visit,transition) VALUES(?1,?1,?2,?3,?4)", params![id, time, from, transition])?;
            } else {
                let kind = if visit.redirected { 6 } else { 1 };
                db.execute("INSERT INTO moz_places(id,url,title,visit_count,last_visit_date) VALUES(?1,?2,'Home',1,?3)", params![id, visit.url, visit.at * 1000])?;
                db.execute("INSERT INTO moz_historyvisits(id,from_visit,place_id,visit_date,visit_type,session) VALUES(?1,?2,?1,?3,?4,0)", params![id, from, visit.at * 1000, kind])?;
            }
        }
    }
    db.execute_batch("COMMIT")
}
