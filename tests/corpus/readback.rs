//! Reads a corpus back, to see that what was planted is there.

use std::io::Read;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::score::canonical;
use crate::truth::Spot;

/// The files under `dir`, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                all.push(entry.path());
            }
        }
    }
    all.sort();
    all
}

/// Whether the place shows the URL itself: a visit only points to it.
pub fn shows_url(spot: &Spot) -> bool {
    !matches!(
        spot,
        Spot::Row(
            "visits" | "moz_historyvisits" | "history_visits" | "downloads",
            _
        )
    )
}

/// The text at a place, with its encodings undone in each order that the generator uses.
pub fn texts(dir: &Path, file: &str, spot: &Spot) -> Vec<String> {
    let raw = match spot {
        Spot::Row(table, row) => cells(&dir.join(file), table, *row),
        Spot::Line(number) => line(&dir.join(file), *number),
        Spot::Entry(index) => {
            let value: serde_json::Value =
                serde_json::from_slice(&std::fs::read(dir.join(file)).unwrap()).unwrap();
            let mut out = Vec::new();
            strings(
                &value["log"]["entries"][usize::try_from(*index).unwrap()],
                &mut out,
            );
            out.join("\n")
        }
    };
    let mut all = vec![canonical(&raw)];
    for _ in 0..2 {
        let inner: Vec<String> = all.iter().flat_map(|text| decoded(text)).collect();
        all.extend(inner);
        all.extend(all.clone().iter().map(|text| {
            text.replace("\\\"", "\"")
                .replace("\\/", "/")
                .replace("\\u0026", "&")
        }));
    }
    all
}

fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        serde_json::Value::Object(members) => members.values().for_each(|item| strings(item, out)),
        _ => {}
    }
}

fn decoded(text: &str) -> Vec<String> {
    let runs = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !"+/_-".contains(c))
        .filter(|run| run.len() >= 16);
    runs.flat_map(|run| {
        [
            BASE64_NOPAD.decode(run.as_bytes()),
            BASE64URL_NOPAD.decode(run.as_bytes()),
        ]
    })
    .flatten()
    .map(|bytes| canonical(&String::from_utf8_lossy(&bytes)))
    .collect()
}

fn cells(path: &Path, table: &str, row: i64) -> String {
    let db = Connection::open(path).unwrap();
    let mut statement = db
        .prepare(&format!("SELECT * FROM {table} WHERE rowid = ?1"))
        .unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([row]).unwrap();
    let row = rows.next().unwrap().expect("the row is there");
    let text = |index: usize| match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    (0..columns).map(text).collect::<Vec<_>>().join("\n")
}

fn line(path: &Path, number: u64) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    let mut reader: Box<dyn Read> = match bytes.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes.as_slice())),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(bytes.as_slice()).unwrap()),
        [0xfd, b'7', b'z', ..] => Box::new(lzma_rust2::XzReader::new(bytes.as_slice(), true)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::read::BzDecoder::new(bytes.as_slice())),
        _ => Box::new(bytes.as_slice()),
    };
    reader.read_to_string(&mut text).unwrap();
    text.lines()
        .nth(usize::try_from(number - 1).unwrap())
        .unwrap_or("")
        .to_owned()
}
