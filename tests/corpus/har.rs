//! HTTP archives as five producers write them.

use std::path::Path;

use data_encoding::BASE64;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::prng::Rng;
use crate::shapes::{Carrier, Event, Message};
use crate::truth::{Placed, Spot};

/// 2026-11-02T09:00:00Z, seconds since 1970.
const START: i64 = 1_793_610_000;

/// 18 days, in seconds.
const PERIOD: usize = 18 * 86_400;

#[derive(Clone, Copy, PartialEq)]
enum Producer {
    Chrome,
    ChromeSanitised,
    Playwright,
    Firefox,
    Mitmproxy,
    Splash,
}

const FILES: &[(Producer, &str)] = &[
    (Producer::Chrome, "captures/app.example.com.har"),
    (
        Producer::ChromeSanitised,
        "captures/support-ticket-4711.har",
    ),
    (Producer::Playwright, "captures/trace.har"),
    (Producer::Firefox, "captures/firefox-archive.har"),
    (Producer::Mitmproxy, "captures/flows.har"),
    (Producer::Splash, "captures/render.har"),
];

/// Writes the events into archives under `dir`, each event into one.
pub fn write(dir: &Path, events: &[Event], rng: &mut Rng) -> std::io::Result<Vec<Placed>> {
    let mut shares: Vec<Vec<&Event>> = vec![Vec::new(); FILES.len()];
    for event in events {
        loop {
            let choice = rng.below(FILES.len());
            if event
                .messages
                .iter()
                .all(|message| fits(FILES[choice].0, message))
            {
                shares[choice].push(event);
                break;
            }
        }
    }
    let mut placed = Vec::new();
    for ((producer, name), share) in FILES.iter().zip(&shares) {
        let mut entries = Vec::new();
        let mut clock = START;
        let pace = (PERIOD / (share.len() + 1)).clamp(2, 3000);
        for event in share {
            for message in &event.messages {
                clock += 1;
                let index = entries.len() as u64;
                entries.push(entry(*producer, message, clock, rng));
                placed.push(Placed::new(name, event, message, vec![Spot::Entry(index)]));
            }
            clock += i64::try_from(rng.between(1, pace)).unwrap_or(1);
        }
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        std::fs::write(path, document(*producer, &entries))?;
    }
    Ok(placed)
}

fn fits(producer: Producer, message: &Message) -> bool {
    let names = message
        .headers
        .iter()
        .chain(&message.response_headers)
        .map(|(name, _)| name.to_ascii_lowercase());
    let personal = names
        .into_iter()
        .any(|name| ["cookie", "authorization", "set-cookie"].contains(&name.as_str()));
    match producer {
        Producer::ChromeSanitised => !personal && message.carrier != Carrier::Absolute,
        // The wire has no userinfo and no frames in these.
        Producer::Mitmproxy => message.frames.is_empty() && message.carrier != Carrier::Absolute,
        Producer::Firefox | Producer::Splash => message.frames.is_empty(),
        Producer::Chrome | Producer::Playwright => true,
    }
}

fn document(producer: Producer, entries: &[Value]) -> String {
    let (name, version) = match producer {
        Producer::Chrome | Producer::ChromeSanitised => ("WebInspector", "537.36"),
        Producer::Playwright => ("Playwright", "1.65.0"),
        Producer::Firefox => ("Firefox", "153.0"),
        Producer::Mitmproxy => ("mitmproxy", "11.0.0"),
        Producer::Splash => ("Splash", "3.5"),
    };
    let page = json!({"startedDateTime": "2026-11-02T09:00:00.000Z", "id": "page_1", "title": "https://app.example.com/", "pageTimings": {"onLoad": 120.5}});
    let whole = json!({"log": {"version": "1.2", "creator": {"name": name, "version": version}, "pages": [page], "entries": entries}});
    if producer == Producer::Playwright {
        whole.to_string()
    } else {
        format!("{whole:#}")
    }
}

fn entry(producer: Producer, message: &Message, clock: i64, rng: &mut Rng) -> Value {
    let fragment = message.url.contains('#');
    let bare = message.body.is_none() && message.response.is_none() && message.frames.is_empty();
    let keeps = matches!(producer, Producer::Splash);
    let carrier = match message.carrier {
        Carrier::Any if fragment && !keeps => Carrier::Location,
        Carrier::Any if bare && rng.one_in(4) => Carrier::Location,
        Carrier::Any if bare && !fragment && rng.one_in(4) => Carrier::Referer,
        Carrier::Any => Carrier::Request,
        fixed => fixed,
    };
    let (url, location, referer) = match carrier {
        Carrier::Location => (
            "https://idp.example.com/resume/1".to_owned(),
            Some(message.url.clone()),
            None,
        ),
        Carrier::Referer => (
            "https://static.example.net/app.js".to_owned(),
            None,
            message.url.split('#').next().map(str::to_owned),
        ),
        _ => (message.url.clone(), None, None),
    };
    let mut headers: Vec<Value> = vec![pair("Accept", "*/*"), pair("User-Agent", "Mozilla/5.0")];
    headers.extend(
        message
            .headers
            .iter()
            .map(|(name, value)| pair(&cased(producer, name), value)),
    );
    headers.extend(referer.map(|url| pair(&cased(producer, "Referer"), &url)));
    if matches!(producer, Producer::Chrome | Producer::Playwright) {
        let path = url.split_once("://").and_then(|(_, rest)| {
            rest.find('/')
                .map(|at| rest[at..].split('#').next().unwrap_or("").to_owned())
        });
        headers.push(pair(":path", &path.unwrap_or_else(|| "/".to_owned())));
    }
    let mut back: Vec<Value> = message
        .response_headers
        .iter()
        .map(|(name, value)| pair(&cased(producer, name), value))
        .collect();
    back.extend(
        location
            .as_ref()
            .map(|url| pair(&cased(producer, "Location"), url)),
    );
    let redirect = match (&location, producer) {
        (Some(url), Producer::Playwright) => url.split('#').next().unwrap_or("").to_owned(),
        (Some(url), _) => url.clone(),
        (None, _) => String::new(),
    };
    let mut request = json!({
        "method": message.method, "url": url, "httpVersion": "HTTP/2.0", "headers": headers,
        "queryString": query(&url), "cookies": [], "headersSize": -1, "bodySize": 0,
    });
    if let Some((mime, text)) = &message.body {
        request["postData"] = post(producer, mime, text);
    }
    let status = if location.is_some() { 302 } else { 200 };
    let mut whole = json!({
        "startedDateTime": started(producer, clock), "time": 12.5, "request": request,
        "response": {
            "status": status, "statusText": "", "httpVersion": "HTTP/2.0", "headers": back, "cookies": [],
            "content": content(producer, message, rng), "redirectURL": redirect, "headersSize": -1, "bodySize": -1,
        },
        "cache": {}, "timings": {"send": 0.1, "wait": 12.0, "receive": 0.4}, "pageref": "page_1",
    });
    if !message.frames.is_empty() {
        let frames = message
            .frames
            .iter()
            .map(|text| json!({"type": "send", "time": clock, "opcode": 1, "data": text}));
        whole["_webSocketMessages"] = frames.collect();
    }
    whole
}

fn pair(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn cased(producer: Producer, name: &str) -> String {
    match producer {
        Producer::Chrome | Producer::ChromeSanitised => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

fn started(producer: Producer, clock: i64) -> String {
    let time = Timestamp::from_second(clock)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC);
    let suffix = match producer {
        Producer::Firefox => ".123+00:00",
        Producer::Mitmproxy => ".123456+00:00",
        Producer::Splash => ".123456Z",
        _ => ".123Z",
    };
    format!("{}{suffix}", time.strftime("%FT%T"))
}

fn query(url: &str) -> Value {
    let head = url.split('#').next().unwrap_or(url);
    let fields = head
        .split_once('?')
        .map(|(_, query)| query.split('&'))
        .into_iter()
        .flatten();
    fields
        .map(|field| field.split_once('=').unwrap_or((field, "")))
        .map(|(name, value)| pair(name, value))
        .collect()
}

fn post(producer: Producer, mime: &str, text: &str) -> Value {
    let form = mime == "application/x-www-form-urlencoded";
    let params: Value = if form {
        query(&format!("x?{text}"))
    } else {
        json!([])
    };
    match producer {
        Producer::Splash if form => json!({"mimeType": mime, "params": params}),
        Producer::Mitmproxy | Producer::Splash => json!({"mimeType": mime, "text": text}),
        _ => json!({"mimeType": mime, "text": text, "params": params}),
    }
}

fn content(producer: Producer, message: &Message, rng: &mut Rng) -> Value {
    let Some((mime, text)) = &message.response else {
        return json!({"size": 0, "mimeType": "text/html"});
    };
    if mime.starts_with("image/") {
        return json!({"size": text.len(), "mimeType": mime, "text": text, "encoding": "base64"});
    }
    if matches!(
        producer,
        Producer::Chrome | Producer::Mitmproxy | Producer::Firefox
    ) && rng.one_in(3)
    {
        return json!({"size": text.len(), "mimeType": mime, "text": BASE64.encode(text.as_bytes()), "encoding": "base64"});
    }
    json!({"size": text.len(), "mimeType": mime, "text": text})
}
