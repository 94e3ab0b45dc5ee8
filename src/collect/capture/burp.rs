//! Items that Burp saved (`Save items`, an XML document): request and response of each as they were sent, in
//! base64 or as text. The document type at the document's head names the elements. Read item by item, so that
//! the size of the document does not matter; its declarations are passed over, and no entity is resolved.

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use memchr::memmem;

use super::http::{self, Exchanged, Found};
use super::{MAX_EXCHANGE, Places, Position, Reading, moment};
use crate::atoms::{Source, When, Zone};
use crate::collect::har::parts;
use crate::collect::{Context, Evidence, ReadError, Reader, Sink};

/// Items of Burp's proxy history, site map and the like.
pub static BURP: Reader = Reader {
    name: "burp-items",
    claims: |evidence, _| is_items(evidence.head()),
    read,
};

const BEGIN: &[u8] = b"<item>";
const END: &[u8] = b"</item>";

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
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(evidence.error(error)),
        }
        let start = at;
        let mut bytes = Vec::new();
        let whole = match until(&mut input, END, &mut bytes, &mut at) {
            Ok(whole) => whole,
            Err(error) => break Err(evidence.error(error)),
        };
        if bytes.len() as u64 > MAX_EXCHANGE {
            reading.large = reading.large.saturating_add(1);
        } else {
            item(&bytes, index, start, &mut reading);
        }
        if !whole {
            let why = format!("ends inside item {index}; what was whole was read");
            reading.problem(ReadError::Malformed(why.into()));
            break Ok(());
        }
        index = index.saturating_add(1);
    };
    reading.report();
    end
}

/// Reads up to and with the mark; false at the end. Of what is longer than [`MAX_EXCHANGE`] only so much is kept as
/// shows that it is.
fn until(
    input: &mut impl BufRead,
    mark: &[u8],
    bytes: &mut Vec<u8>,
    at: &mut Position,
) -> std::io::Result<bool> {
    let last = mark.last().copied().unwrap_or_default();
    let most = usize::try_from(MAX_EXCHANGE).unwrap_or(usize::MAX);
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let block = input.fill_buf()?;
        let end = memchr::memchr(last, block).map(|end| end.saturating_add(1));
        let used = end.unwrap_or(block.len());
        let taken = block.get(..used).unwrap_or_default();
        if taken.is_empty() {
            return Ok(false);
        }
        *at = at.behind(taken);
        if bytes.len() <= most {
            bytes.extend_from_slice(taken);
        }
        tail.extend_from_slice(taken);
        let spent = tail.len().saturating_sub(mark.len());
        tail.drain(..spent);
        input.consume(used);
        if tail == mark {
            return Ok(true);
        }
    }
}

/// The content of an element, and the value of its `base64` attribute.
struct Element<'a> {
    at: usize,
    content: &'a [u8],
    base64: bool,
}

impl<'a> Element<'a> {
    fn find(item: &'a [u8], name: &str) -> Option<Self> {
        let open = format!("<{name}");
        let after = |at: &usize| item.get(at.saturating_add(open.len()));
        let begin = memmem::find_iter(item, &open)
            .find(|at| after(at).is_some_and(|byte| matches!(byte, b'>' | b' ')))?;
        let tag = item.get(begin..)?;
        let close = memchr::memchr(b'>', tag)?.checked_add(1)?;
        let base64 = memmem::find(tag.get(..close)?, b"base64=\"true\"").is_some();
        let rest = tag.get(close..)?;
        let mut at = begin.checked_add(close)?;
        let content = match rest.strip_prefix(b"<![CDATA[") {
            Some(data) => {
                at = at.checked_add(b"<![CDATA[".len())?;
                data.get(..memmem::find(data, b"]]>").unwrap_or(data.len()))
            }
            None => rest.get(..memchr::memchr(b'<', rest).unwrap_or(rest.len())),
        }?;
        Some(Self {
            at,
            content,
            base64,
        })
    }

    fn bytes(&self) -> Vec<u8> {
        if self.base64 {
            parts::base64(self.content)
        } else {
            self.content.to_vec()
        }
    }
}

fn item(item: &[u8], index: u64, at: Position, reading: &mut Reading<'_, '_>) {
    let element = |name| Element::find(item, name);
    let request = element("request");
    let response = element("response");
    let sent = request.as_ref().map(Element::bytes).unwrap_or_default();
    let received = response.as_ref().map(Element::bytes).unwrap_or_default();
    let (line, mut message) = http::message(&sent);
    let (status, mut answer) = http::message(&received);
    let zone = reading.context.log_timezone;
    let time = element("time").and_then(|time| time_of(time.content, zone));
    (message.at, answer.at) = (time, time);
    let (method, mut url_at, target) = http::request_line(line).unwrap_or_default();
    let stated = element("url");
    let url = match &stated {
        Some(url) => url.content.to_vec(),
        None => http::url(target, &message),
    };
    if let Some(stated) = &stated {
        url_at = stated.at;
    }
    let exchanged = Exchanged {
        method: (!method.is_empty()).then_some(method),
        status: http::status(status),
        url,
        url_at,
        request: message,
        response: answer,
    };
    let place = |found: &Found| {
        let element = match found.pointer.as_str() {
            "/request/url" if stated.is_some() => return found.offset,
            pointer if pointer.starts_with("/request") => &request,
            _ => &response,
        };
        // Inside base64 there is no place but that of the element.
        element.as_ref().map_or(0, |it| {
            let inside = if it.base64 { 0 } else { found.offset };
            it.at.saturating_add(inside)
        })
    };
    let mut places = Places::new(item, at);
    reading.exchange(index, &exchanged, &mut |found| places.at(place(found)));
}

/// A time as Java prints it: `Mon Nov 23 05:00:00 UTC 2026`. Of zones by letters only UTC is known; in any other
/// the time is read in the zone of `--log-timezone`.
fn time_of(text: &[u8], zone: Option<&jiff::tz::TimeZone>) -> Option<When> {
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

    #[test]
    fn marks_are_found_at_every_edge() {
        let text = b"<items><item>a</item>\n<item>b</item></items>";
        for size in 1..text.len() {
            let mut input = BufReader::with_capacity(size, text.as_slice());
            let mut at = Position::START;
            let mut items = Vec::new();
            let mut bytes = Vec::new();
            while until(&mut input, BEGIN, &mut bytes, &mut at).unwrap() {
                bytes.clear();
                assert!(until(&mut input, END, &mut bytes, &mut at).unwrap());
                items.push(String::from_utf8(std::mem::take(&mut bytes)).unwrap());
            }
            assert_eq!(items, ["a</item>", "b</item>"], "{size}");
            assert_eq!(at.line, 2);
        }
    }
}
