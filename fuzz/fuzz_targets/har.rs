//! HAR files: the streaming splitter, entries, bodies. Where `serde_json` reads the whole, no request may be missing.
#![no_main]

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use tokentrail::collect::{Payload, Via};
use tokentrail::detect::Memory;
use tokentrail_fuzz::{RULES, detect, observe, stream};

#[derive(Deserialize)]
struct Har<'a> {
    #[serde(borrow)]
    log: Log<'a>,
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
}

tokentrail_fuzz::target!(|data| {
    let Some(evidence) = stream("capture.har", data) else {
        return;
    };
    let mut memory = Memory::default();
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    observe("har", &evidence, &mut |observation| {
        detect(&observation, &mut memory);
        if let (Via::Request, Payload::Url(url)) = (&observation.via, &observation.payload) {
            *seen.entry(url.as_bytes().to_vec()).or_default() += 1;
        }
    });
    let Ok(whole) = serde_json::from_slice::<Har<'_>>(data) else {
        return;
    };
    for entry in whole.log.entries {
        let url = entry.request.url;
        // Without a query of its own, it may be put together from the list beside it.
        let is_plain = url.contains('?') && !url.starts_with("data:");
        if !is_plain || !RULES.needles.hit(url.as_bytes()) {
            continue;
        }
        let left = seen.get_mut(url.as_bytes());
        let left = left.filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("the request of {url:?} is missing")) -= 1;
    }
});
