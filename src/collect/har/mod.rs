//! HAR 1.2 captures, of every producer and in every state: streamed entry by entry, so that the size of
//! the document does not matter, and read leniently, so that damage costs no more than what it hit.
//! Knows the format and HTTP's own headers; nothing of OAuth.

mod attached;
mod claim;
mod content;
mod entry;
mod left;
mod locations;
mod message;
mod nesting;
mod page;
pub(super) mod parts;
mod piece;
mod sieve;
mod split;
mod text;
mod time;

use std::sync::Arc;

use self::attached::Attached;
pub(super) use self::claim::is_har_name;
use self::entry::{Found, MAX_FOUND};
use self::piece::{End, Kind, Limits, Outcome, Part, Piece};
use self::split::Splitter;
use self::text::Charset;
use super::{
    Context, Evidence, Exchange, Observation, Payload, ReadError, Reader, Sink, Via, json,
};
use crate::atoms::{Digest, JoinKey, KeyKind, Locator, Place, Raw, Source, View};

/// HAR documents. They are told by their content; the ending `.har` helps one that has no entries.
pub static READER: Reader = Reader {
    name: "har",
    claims: claim::claims,
    read,
};

/// Bytes read at a time. Larger blocks are no faster, and each worker has one.
const BUFFER: usize = 256 * 1024;

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    read_buffered(evidence, source, context, sink, BUFFER)
}

/// Reads a HAR document `buffer` bytes at a time; the observations are the same for every size.
///
/// Their places: `index` counts the entries (or the pages) of the file, whatever array they stand in;
/// `pointer` leads from the root to the JSON value; `line` and `column` to its first byte in the file,
/// the quote of a string. Cookies of one header share its pointer, and have the column of their own value.
pub fn read_buffered(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    buffer: usize,
) -> Result<(), ReadError> {
    let charset = Charset::of(evidence.head());
    let shape = claim::shape(&charset.head(evidence.head()));
    let mut input = charset.text(evidence.open()?);
    let splitter = Splitter::new(shape, charset.start(), Limits::USUAL);
    let mut reading = Reading {
        source,
        attached: Attached::new(evidence),
        digest: source.digest(),
        context,
    };
    let (outcome, error) = split::split(&mut *input, buffer, splitter, &mut |piece| {
        reading.piece(&piece, sink);
    });
    reading.report(&outcome, error.is_some(), sink);
    match error {
        Some(error) => Err(evidence.error(error)),
        None => Ok(()),
    }
}

/// What is carried from one piece to the next.
struct Reading<'a> {
    source: &'a Arc<Source>,
    attached: Attached<'a>,
    digest: Digest,
    context: &'a Context<'a>,
}

impl Reading<'_> {
    fn piece(&mut self, piece: &Piece<'_>, sink: &mut Sink<'_>) {
        match (piece.kind, piece.part) {
            (Kind::Other, part) => self.text(piece, 0, part == Part::Whole, None, sink),
            (_, Part::Rest) => self.text(piece, 0, false, None, sink),
            (Kind::Page, _) => {
                if self.is_worth_reading(piece) {
                    let found = page::read(
                        piece.bytes,
                        &self.context.rules.needles,
                        self.context.log_timezone,
                        &mut self.attached,
                    );
                    self.observe(piece, found, None, sink);
                }
            }
            (Kind::Entry, part) => {
                if part == Part::Head {
                    let mib = Limits::USUAL.item >> 20;
                    (sink.problem)(ReadError::Limit(
                        format!(
                            "entry {} is larger than {mib} MiB; what follows in it was searched as text only",
                            piece.index
                        )
                        .into(),
                    ));
                }
                if self.is_worth_reading(piece) {
                    self.entry(piece, sink);
                }
            }
        }
    }

    /// Whether there may be something in an entry, told by its raw bytes, before any of it is parsed.
    fn is_worth_reading(&self, piece: &Piece<'_>) -> bool {
        let needles = &self.context.rules.needles;
        piece.signs.is_blind()
            || sieve::has_needle(piece.bytes, needles)
            || piece.signs.has_listed_name(piece.bytes, needles)
    }

    fn entry(&mut self, piece: &Piece<'_>, sink: &mut Sink<'_>) {
        let needles = &self.context.rules.needles;
        let entry = entry::read(
            piece.bytes,
            needles,
            self.context.log_timezone,
            &mut self.attached,
        );
        let exchange = self.exchange(piece.index, &entry);
        self.observe(piece, entry.found, Some(&exchange), sink);
        if entry.has_more {
            let why = format!(
                "entry {} has more than {MAX_FOUND} parts; the others were searched as text",
                piece.index
            );
            (sink.problem)(ReadError::Limit(why.into()));
            let ends = piece.part == Part::Whole;
            self.text(piece, 0, ends, Some(&exchange), sink);
        } else if let Some(damage) = damage(piece.bytes) {
            (sink.problem)(ReadError::Malformed(
                format!(
                    "entry {} is damaged JSON; what follows the damage in it was searched as text",
                    piece.index
                )
                .into(),
            ));
            let ends = piece.part == Part::Whole;
            self.text(piece, damage, ends, Some(&exchange), sink);
        }
    }

    fn exchange(&self, index: u64, entry: &entry::Entry) -> Arc<Exchange> {
        let index = index.to_le_bytes();
        let parts = [
            b"har-entry".as_slice(),
            self.digest.as_bytes().as_slice(),
            index.as_slice(),
        ];
        Arc::new(Exchange {
            key: JoinKey {
                kind: KeyKind::Exchange,
                digest: Digest::of(parts),
            },
            method: entry.method,
            status: entry.status,
            url: Raw::new(entry.url.as_slice()),
            host: entry.host.clone(),
        })
    }

    /// What stands in a piece behind `from`, where its structure is unknown.
    fn text(
        &self,
        piece: &Piece<'_>,
        from: usize,
        ends: bool,
        exchange: Option<&Arc<Exchange>>,
        sink: &mut Sink<'_>,
    ) {
        let reach = Limits::USUAL.overlap / 2;
        let text = piece.bytes.get(from..).unwrap_or_default();
        let text = json::unescape(parts::without_halves(text, false, ends, reach));
        if self.context.rules.needles.hit(&text) {
            let found = Found {
                offset: from,
                pointer: String::new(),
                via: Via::Text,
                at: None,
                payload: Payload::Text(Raw::new(text)),
            };
            self.observe(piece, Some(found), exchange, sink);
        }
    }

    /// Hands on what was found in a piece, which is in document order.
    fn observe(
        &self,
        piece: &Piece<'_>,
        found: impl IntoIterator<Item = Found>,
        exchange: Option<&Arc<Exchange>>,
        sink: &mut Sink<'_>,
    ) {
        let mut at = piece.at;
        let mut passed = 0;
        let host = exchange.and_then(|exchange| exchange.host.as_deref());
        for found in found {
            let found = found.of_host(host);
            let between = piece.bytes.get(passed..found.offset);
            at.advance(between.unwrap_or_default());
            passed = found.offset;
            (sink.observe)(Observation {
                place: Place {
                    source: Arc::clone(self.source),
                    locator: Locator::Entry {
                        index: piece.index,
                        pointer: format!("{}{}", piece.pointer, found.pointer).into(),
                        line: at.line,
                        column: at.column,
                    },
                    view: View::Live,
                },
                at: found.at,
                via: found.via,
                visit: None,
                exchange: exchange.map(Arc::clone),
                payload: found.payload,
            });
        }
    }

    /// Says what of the document was not read.
    fn report(&self, outcome: &Outcome, failed: bool, sink: &mut Sink<'_>) {
        let (entries, byte) = (outcome.entries, outcome.at.byte);
        let problem = match outcome.end {
            End::Cut if !failed => Some(format!(
                "ends inside a JSON value at byte {byte}, after {entries} entries began; what was whole was kept"
            )),
            End::Followed => Some(format!(
                "something that is not JSON follows at byte {byte}; the {entries} entries before it were read"
            )),
            _ if !outcome.has_entries && !failed => {
                Some("is JSON without a list of entries; it is no whole HAR file".to_owned())
            }
            _ => None,
        };
        if let Some(problem) = problem {
            (sink.problem)(ReadError::Malformed(problem.into()));
        }
        if let Some(told) = self.attached.told() {
            (sink.problem)(ReadError::Limit(told.into()));
        }
        if self.attached.missing > 0 {
            let count = self.attached.missing;
            (sink.problem)(ReadError::Unsupported(
                format!(
                    "{count} bodies lie in other files (`_file`) that are not beside it; scan it together with them, or record with the content embedded"
                )
                .into(),
            ));
        }
    }
}

/// Offset of the first byte of an entry that JSON does not allow. That it ends too early is no damage of
/// its own.
fn damage(entry: &[u8]) -> Option<usize> {
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(entry).err()?;
    let lines = entry.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (!error.is_eof()).then(|| before.saturating_add(error.column().saturating_sub(1)))
}
