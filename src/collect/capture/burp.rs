//! Items that Burp saved (`Save items`, an XML document): request and response of each as they were sent, in
//! base64 or as text. The document type at the document's head names the elements. Read item by item, so that
//! the size of the document does not matter; its declarations are passed over, and no entity is resolved. What looks
//! like a tag in a CDATA section is text (XML 1.0 §2.7): a response may be a feed with items of its own.

use std::io::BufReader;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use memchr::memmem;

use super::http::{self, Exchanged, Found};
use super::xml::{self, Element, Until, until};
use super::{MAX_EXCHANGE, Places, Position, Reading, moment};
use crate::atoms::{Raw, Source, When, Zone};
use crate::collect::{Context, Evidence, Payload, ReadError, Reader, Sink, Via, entities};

/// Items of Burp's proxy history, site map and the like.
pub static BURP: Reader = Reader {
    name: "burp-items",
    claims: |evidence, _| is_items(evidence.head()),
    read,
};

const BEGIN: &[u8] = b"<item>";
const END: &[u8] = b"</item>";

/// The elements of an item that are read.
const ELEMENTS: [&str; 5] = ["time", "url", "request", "response", "comment"];

/// Bytes of a time, each of whose words costs memory: Java prints less than thirty.
const MAX_TIME: usize = 64;

/// Bytes of the head in which the root element stands, behind the document type.
const ROOT: usize = 8 * 1024;

fn is_items(head: &[u8]) -> bool {
    let head = head.get(..ROOT).unwrap_or(head);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    text.trim_ascii_start().starts_with(b"<")
        && memmem::find(head, b"<items burpVersion=").is_some()
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut input = BufReader::with_capacity(256 * 1024, evidence.open()?);
    let mut reading = Reading::new(source, context, sink);
    let mut at = Position::START;
    let mut index = 0_u64;
    let end = loop {
        let mut between = Vec::new();
        match until(&mut input, BEGIN, &mut between, &mut at) {
            Ok(Until::Mark) => {}
            Ok(Until::End) => break Ok(()),
            Ok(Until::Inside) => {
                reading.problem(ReadError::Malformed(
                    "ends inside a CDATA section or a comment, in which no item was looked for; the items before it were read".into(),
                ));
                break Ok(());
            }
            Err(error) => break Err(evidence.error(error)),
        }
        let start = at;
        let mut bytes = Vec::new();
        let whole = match until(&mut input, END, &mut bytes, &mut at) {
            Ok(until) => until == Until::Mark,
            Err(error) => break Err(evidence.error(error)),
        };
        let mut exchanges = 1;
        if bytes.len() as u64 > MAX_EXCHANGE {
            reading.large = reading.large.saturating_add(1);
        } else {
            exchanges = item(&bytes, index, start, &mut reading);
        }
        if !whole {
            let why = format!("ends inside item {index}; what was whole was read");
            reading.problem(ReadError::Malformed(why.into()));
            break Ok(());
        }
        index = index.saturating_add(exchanges);
    };
    reading.report();
    end
}

/// Reads an item, which stands at `at`, and says how many exchanges it holds. They are more than one where damage
/// has made one item of two.
fn item(item: &[u8], index: u64, at: Position, reading: &mut Reading<'_, '_>) -> u64 {
    let mut places = Places::new(item, at);
    let mut exchange: Vec<Element> = Vec::new();
    let mut next = index;
    for element in xml::elements(item, &ELEMENTS) {
        if exchange.iter().any(|it| it.name == element.name) {
            self::exchange(&exchange, next, &mut places, reading);
            next = next.saturating_add(1);
            exchange.clear();
            places.mark(element.at);
        }
        exchange.push(element);
    }
    self::exchange(&exchange, next, &mut places, reading);
    next.saturating_sub(index).saturating_add(1)
}

/// Reads an exchange, each of whose elements is there once at most.
fn exchange(
    elements: &[Element],
    index: u64,
    places: &mut Places<'_>,
    reading: &mut Reading<'_, '_>,
) {
    let element = |name| elements.iter().find(|it| it.name == name);
    let [time, stated, request, response, comment] = ELEMENTS.map(element);
    let [sent, received] = [request, response].map(|it| it.map_or(&[][..], |it| &it.text));
    let (line, mut message) = http::message(sent);
    let (status, mut answer) = http::message(received);
    let zone = reading.context.log_timezone;
    let time = time.and_then(|time| time_of(&time.text, zone));
    (message.at, answer.at) = (time, time);
    let (method, url_at, target) = http::target(line);
    let exchanged = Exchanged {
        method,
        status: http::status(status),
        url: match stated {
            Some(url) => url.text.clone(),
            None => http::url(target, &message),
        },
        url_at: if stated.is_some() { 0 } else { url_at },
        target: stated
            .filter(|url| !url.text.ends_with(target))
            .map(|_| (url_at, target)),
        request: message,
        response: answer,
    };
    let exchange = reading.exchange((index, 0), &exchanged, &mut |found| {
        let element = match found.pointer.as_str() {
            "/request/url" => stated.or(request),
            pointer if pointer.starts_with("/request") => request,
            _ => response,
        };
        places.at(element.map_or(0, |it| it.place(found.offset)))
    });
    if let Some(comment) = comment
        && let text = entities::undo(&comment.text)
        && reading.context.rules.needles.hit(&text)
    {
        let found = Found {
            offset: comment.at,
            pointer: "/comment".into(),
            via: Via::Text,
            at: None,
            payload: Payload::Text(Raw::new(text)),
        };
        reading.observe(index, &exchange, found, places.at(comment.at));
    }
}

/// A time as Java prints it: `Mon Nov 23 05:00:00 UTC 2026`. Of zones by letters only UTC is known; in any other
/// the time is read in the zone of `--log-timezone`.
fn time_of(text: &[u8], zone: Option<&jiff::tz::TimeZone>) -> Option<When> {
    if text.len() > MAX_TIME {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim();
    let words: Vec<&str> = text.split(' ').collect();
    let &[day, month, date, clock, name, year] = words.as_slice() else {
        return text.parse::<Timestamp>().ok().map(moment);
    };
    let text = format!("{day} {month} {date} {clock} {year}");
    let broken = strtime::parse("%a %b %d %H:%M:%S %Y", text).ok()?;
    let local = broken.to_datetime().ok()?;
    let is_utc = matches!(name, "UTC" | "GMT" | "Z");
    let zone = zone.filter(|_| !is_utc).cloned();
    let instant = local
        .to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC))
        .ok()?;
    Some(When {
        zone: if is_utc { Zone::Stated } else { Zone::Assumed },
        ..moment(instant.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_java_are_read() {
        let read = |text: &str| {
            let when = time_of(text.as_bytes(), None)?;
            Some((when.instant.to_string(), when.zone))
        };
        let expected = "2026-11-23T05:00:00Z".to_owned();
        assert_eq!(
            read("Mon Nov 23 05:00:00 UTC 2026"),
            Some((expected.clone(), Zone::Stated))
        );
        assert_eq!(
            read("Mon Nov 23 05:00:00 CEST 2026"),
            Some((expected, Zone::Assumed))
        );
        assert_eq!(read("yesterday"), None);
    }
}
