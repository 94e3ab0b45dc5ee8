//! One page of a HAR 1.2 document: its URL, and what else may matter in it. Knows no entry.

use jiff::tz::TimeZone;

use super::attached::Attached;
use super::entry::{Collector, Found};
use super::left::leave;
use super::{parts, time};
use crate::atoms::rules::Needles;
use crate::collect::Via;
use crate::collect::json::Value;

/// The URL of a page, which Chrome, Firefox and Safari write as its title (`Log.ts`, `har-builder.js`,
/// `HARBuilder.js`), and what else may matter in it.
pub(super) fn read(
    bytes: &[u8],
    needles: &Needles,
    zone: Option<&TimeZone>,
    attached: &mut Attached<'_>,
) -> Vec<Found> {
    let mut collector = Collector::new(needles, attached);
    let Some(page) = Value::at(bytes, 0) else {
        return collector.entry.found;
    };
    let started = page.get("startedDateTime").and_then(Value::text);
    collector.started = started.and_then(|text| time::parse(&text, zone));
    let mut left = Vec::new();
    for (name, value) in page.members() {
        let is_title = *name == *b"title";
        match value.text().filter(|text| is_title && parts::is_url(text)) {
            Some(url) => collector.url(value, "/title".into(), Via::Unknown, url),
            None => leave(&mut left, "", name, value),
        }
    }
    collector.left(&left);
    collector.entry.found.sort_by_key(|found| found.offset);
    collector.entry.found
}
