//! A plain walk over the parsed document, which shares nothing with the reader.

use std::collections::BTreeSet;

use super::{Value, bytes_of, entry, fixtures, kind_of, read, rules};

type Row = (String, String, String);

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn message(entry: &Value, side: &str, at: &str, rows: &mut Vec<Row>) {
    let url = text(entry, "/request/url");
    let none = Vec::new();
    let headers = entry.pointer(&format!("/{side}/headers"));
    for (index, header) in headers
        .and_then(Value::as_array)
        .unwrap_or(&none)
        .iter()
        .enumerate()
    {
        let (name, value) = (text(header, "/name"), text(header, "/value"));
        let pointer = format!("{at}/{side}/headers/{index}/value");
        let lower = name.to_lowercase();
        match lower.as_str() {
            "cookie" | "set-cookie" => {
                let separator = if side == "request" { "; " } else { "\n" };
                for cookie in value.split(separator) {
                    let pair = cookie.split("; ").next().unwrap();
                    let (key, value) = pair.split_once('=').unwrap();
                    rows.push((pointer.clone(), format!("pair {key}"), value.into()));
                }
            }
            "location" if value.starts_with('/') => {
                let origin: Vec<&str> = url.splitn(4, '/').take(3).collect();
                rows.push((pointer, "url".into(), origin.join("/") + value));
            }
            "location" | "referer" => rows.push((pointer, "url".into(), value.into())),
            _ if lower.starts_with(':') => {}
            _ => rows.push((pointer, format!("header {name}"), value.into())),
        }
    }
    let body = if side == "request" {
        "postData"
    } else {
        "content"
    };
    let mime = text(entry, &format!("/{side}/{body}/mimeType"));
    let content = text(entry, &format!("/{side}/{body}/text"));
    if !content.is_empty() && !mime.starts_with("image/") {
        let pointer = format!("{at}/{side}/{body}/text");
        rows.push((pointer, format!("body {mime}"), content.into()));
    }
}

fn walk(document: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    let none = Vec::new();
    let list = |name: &str| document["log"][name].as_array().unwrap_or(&none);
    for (index, page) in list("pages").iter().enumerate() {
        if text(page, "/title").contains("://") {
            let pointer = format!("/log/pages/{index}/title");
            rows.push((pointer, "url".into(), text(page, "/title").into()));
        }
    }
    for (index, entry) in list("entries").iter().enumerate() {
        let at = format!("/log/entries/{index}");
        let url = text(entry, "/request/url");
        if !url.starts_with("data:") {
            rows.push((format!("{at}/request/url"), "url".into(), url.into()));
        }
        message(entry, "request", &at, &mut rows);
        message(entry, "response", &at, &mut rows);
        let frames = entry["_webSocketMessages"].as_array().unwrap_or(&none);
        for (frame, message) in frames.iter().enumerate().filter(|(_, m)| m["opcode"] == 1) {
            let pointer = format!("{at}/_webSocketMessages/{frame}/data");
            rows.push((pointer, "body ".into(), text(message, "/data").into()));
        }
    }
    rows.sort();
    rows
}

#[test]
fn streaming_finds_what_a_plain_walk_finds() {
    for (path, file) in fixtures() {
        let mut found: Vec<Row> = read(&file)
            .observations
            .iter()
            .filter(|observation| !bytes_of(&observation.payload).starts_with(&[1, 2]))
            .map(|observation| {
                let text = String::from_utf8_lossy(bytes_of(&observation.payload));
                let kind = kind_of(&observation.payload);
                (entry(observation).1.to_owned(), kind, text.into_owned())
            })
            .collect();
        found.sort();
        found.dedup();
        let hit = |text: &str| rules().needles.hit(text.as_bytes());
        let part = |pointer: &str| pointer.split('/').take(4).collect::<Vec<_>>().join("/");
        let read: BTreeSet<String> = found.iter().map(|row| part(&row.0)).collect();
        // What holds no needle is dropped: whole entries, and bodies.
        let (mut expected, dropped): (Vec<Row>, Vec<Row>) =
            walk(&serde_json::from_slice(&file).unwrap())
                .into_iter()
                .partition(|row| read.contains(&part(&row.0)));
        assert!(dropped.iter().all(|row| !hit(&row.2)), "{path:?}");
        expected.retain(|row| !row.1.starts_with("body") || hit(&row.2));
        let first = found
            .iter()
            .zip(&expected)
            .find(|(found, row)| found != row);
        assert_eq!(first, None, "{path:?}");
        assert_eq!(found.len(), expected.len(), "{path:?}");
    }
}
