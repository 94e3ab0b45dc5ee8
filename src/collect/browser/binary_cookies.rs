//! `Cookies.binarycookies`, the cookie jar of Safari and of every application on Apple's loading system: pages of
//! records, each with offsets of its strings. Apple publishes no description; this one follows what is on disk.

use std::sync::Arc;

use jiff::Timestamp;

use super::{epoch, pairs};
use crate::atoms::{Basis, Locator, Place, Raw, Source, View, When, Zone};
use crate::collect::sqlite::Number;
use crate::collect::{
    Context, Evidence, Observation, Payload, ReadError, Reader, Sink, Store, Via,
};

/// Reads a `Cookies.binarycookies`.
pub static BINARY_COOKIES: Reader = Reader {
    name: "binary-cookies",
    claims: |evidence, _| evidence.head().starts_with(MAGIC),
    read,
};

const MAGIC: &[u8] = b"cook";

/// First bytes of a page.
const PAGE: &[u8] = &[0, 0, 1, 0];

/// Bytes of a jar. WebKit keeps some thousand cookies of at most 4 KiB.
const MAX_JAR: u64 = 64 << 20;

/// Bytes of a record: a cookie of 4 KiB, and what its site and its path may be.
const MAX_RECORD: usize = 64 << 10;

/// Cookies that are looked at.
const MAX_COOKIES: usize = 100_000;

/// Bytes of all records together, as a multiple of the jar, in which each lies once. Offsets that all lead to one
/// record would make gigabytes of a small jar; those that damage has changed do not come to so much.
const MAX_OVERLAP: usize = 4;

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let jar = evidence.bytes(MAX_JAR)?;
    let mut left = MAX_COOKIES;
    let mut room = jar.len().saturating_mul(MAX_OVERLAP);
    let mut whole = true;
    for (at, page) in pages(&jar) {
        let records = records(page.unwrap_or_default());
        whole &= page.is_some() && records.is_some();
        for offset in records.into_iter().flatten() {
            let record = page.and_then(|page| record(page, offset));
            let len = record.map_or(0, <[u8]>::len);
            if left == 0 || len > room {
                return Err(ReadError::Limit(
                    format!("has more than {MAX_COOKIES} cookies, or cookies that lie in each other, like a crafted file; the rest was not read").into(),
                ));
            }
            left -= 1;
            room -= len;
            match record.and_then(Cookie::of) {
                Some(cookie) => observe(&cookie, at + offset, source, context, sink),
                None => whole = false,
            }
        }
        if page.is_none() {
            break;
        }
    }
    if !whole {
        (sink.problem)(ReadError::Malformed(
            "is damaged, or its end is missing; what can be reached was read, copy it again for the rest".into(),
        ));
    }
    Ok(())
}

/// Offset and bytes of each page: their number, then their lengths, all big-endian. `None` for one that is not
/// there.
fn pages(jar: &[u8]) -> impl Iterator<Item = (usize, Option<&[u8]>)> {
    let count = big(jar, MAGIC.len()).unwrap_or(1);
    let table = MAGIC.len() + 4;
    let mut at = table.saturating_add(count.saturating_mul(4));
    (0..count).map(move |index| {
        let start = at;
        let len = big(jar, table.saturating_add(index.saturating_mul(4)));
        at = at.saturating_add(len.unwrap_or_default());
        (start, len.and_then(|_| jar.get(start..at)))
    })
}

/// Offsets of a page's records: their number, then the offsets, all little-endian. `None` if it is no page.
fn records(page: &[u8]) -> Option<impl Iterator<Item = usize>> {
    let count = little(page.strip_prefix(PAGE)?, 0)?;
    let offsets = page.get(8..)?.as_chunks::<4>().0.get(..count)?;
    let offset = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).unwrap_or_default();
    Some(offsets.iter().map(offset))
}

/// The record at an offset of its page, as long as it says.
fn record(page: &[u8], offset: usize) -> Option<&[u8]> {
    let record = page.get(offset..)?;
    record.get(..little(record, 0).filter(|len| *len <= MAX_RECORD)?)
}

struct Cookie<'a> {
    host: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
    /// Of the value in the record.
    offset: usize,
    created: Option<Timestamp>,
}

impl<'a> Cookie<'a> {
    fn of(record: &'a [u8]) -> Option<Self> {
        let text = |at: usize| {
            let from = record.get(little(record, at)?..)?;
            from.get(..memchr::memchr(0, from)?)
        };
        let created: &[u8; 8] = record.get(48..56)?.first_chunk()?;
        Some(Self {
            host: text(16)?,
            name: text(20)?,
            value: text(28)?,
            offset: little(record, 28)?,
            created: epoch::cocoa(Number::Real(f64::from_le_bytes(*created))),
        })
    }
}

fn observe(
    cookie: &Cookie<'_>,
    record: usize,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) {
    if !pairs::is_hit(cookie.name, cookie.value, &context.rules.needles) {
        return;
    }
    (sink.observe)(Observation {
        place: Place {
            source: source.clone(),
            locator: Locator::Bytes {
                offset: record.saturating_add(cookie.offset) as u64,
            },
            view: View::Live,
        },
        at: cookie.created.map(|instant| When {
            instant,
            basis: Basis::Row,
            zone: Zone::Stated,
        }),
        via: Via::Stored,
        visit: None,
        exchange: None,
        payload: Payload::Pair {
            store: Store::Cookie,
            origin: Some(String::from_utf8_lossy(cookie.host).into()),
            key: Raw::new(cookie.name),
            value: Raw::new(cookie.value),
        },
    });
}

fn big(bytes: &[u8], at: usize) -> Option<usize> {
    let word: &[u8; 4] = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*word)).ok()
}

fn little(bytes: &[u8], at: usize) -> Option<usize> {
    let word: &[u8; 4] = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}
