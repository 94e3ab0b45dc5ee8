//! Captures of HTTP traffic other than HAR: flow files of mitmproxy, items that Burp saved, sessions that Fiddler
//! saved. Each reader finds the exchanges in its format; what an exchange holds is the same for all.

mod body;
mod burp;
mod fiddler;
mod http;
mod left;
mod mitmproxy;
mod place;
mod tnet;
mod xml;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use self::burp::BURP;
pub use self::fiddler::FIDDLER;
pub(super) use self::fiddler::is_session_archive;
use self::http::{Exchanged, Found, Losses, MAX_HEADERS};
pub use self::mitmproxy::MITMPROXY;
use self::place::{Places, Position};
use super::har::parts::MAX_COOKIES;
use super::{Context, Exchange, Observation, Payload, ReadError, Sink};
use crate::atoms::{
    Basis, Digest, JoinKey, KeyKind, Locator, Place, Raw, Source, View, When, Zone,
};

/// Bytes of one exchange that are read: more than its body may be looked at, and a bound of memory.
const MAX_EXCHANGE: u64 = 64 << 20;

/// Whether a reader of this name reads what was recorded between browser and server.
pub fn is_one(reader: &str) -> bool {
    let captures = [&super::har::READER, &MITMPROXY, &BURP, &FIDDLER];
    captures.iter().any(|capture| capture.name == reader)
}

/// What is carried from one exchange to the next.
struct Reading<'a, 's> {
    source: &'a Arc<Source>,
    digest: Digest,
    context: &'a Context<'a>,
    sink: &'a mut Sink<'s>,
    losses: Losses,
    /// Exchanges longer than [`MAX_EXCHANGE`].
    large: u64,
}

impl<'a, 's> Reading<'a, 's> {
    fn new(source: &'a Arc<Source>, context: &'a Context<'a>, sink: &'a mut Sink<'s>) -> Self {
        Self {
            digest: source.digest(),
            source,
            context,
            sink,
            losses: Losses::default(),
            large: 0,
        }
    }

    /// Hands on what an exchange holds, part by part, and returns the exchange itself. It is told apart by its index
    /// and by how many of that index came before. `locate` gives the place of a part in the file, and may say more
    /// exactly which part it is.
    fn exchange(
        &mut self,
        (index, twin): (u64, u64),
        exchanged: &Exchanged<'_>,
        locate: &mut dyn FnMut(&mut Found) -> Position,
    ) -> Arc<Exchange> {
        let (number, ordinal) = (index.to_le_bytes(), twin.to_le_bytes());
        let ordinal = (twin > 0).then_some(ordinal.as_slice());
        let parts = [
            b"capture".as_slice(),
            self.digest.as_bytes().as_slice(),
            number.as_slice(),
        ];
        let parts = parts.into_iter().chain(ordinal);
        let exchange = Arc::new(Exchange {
            key: JoinKey {
                kind: KeyKind::Exchange,
                digest: Digest::of(parts),
            },
            method: exchanged.method,
            status: exchanged.status,
            url: Raw::new(exchanged.url.as_slice()),
            host: exchanged.host(),
        });
        let needles = &self.context.rules.needles;
        let losses = exchanged.observe(needles, &mut |mut found| {
            let at = locate(&mut found);
            self.observe(index, &exchange, found, at);
        });
        self.losses.add(&losses);
        exchange
    }

    /// Whether a text may hold something.
    fn is_worth_telling(&self, found: &Found) -> bool {
        let needles = &self.context.rules.needles;
        matches!(&found.payload, Payload::Text(text) if needles.hit(text.as_bytes()))
    }

    /// Hands on what was found, with its place in the file.
    fn observe(&mut self, index: u64, exchange: &Arc<Exchange>, found: Found, at: Position) {
        (self.sink.observe)(Observation {
            place: Place {
                source: Arc::clone(self.source),
                locator: Locator::Entry {
                    index,
                    pointer: found.pointer.into(),
                    line: at.line,
                    column: at.column,
                },
                view: View::Live,
            },
            at: found.at,
            via: found.via,
            visit: None,
            exchange: Some(Arc::clone(exchange)),
            payload: found.payload,
        });
    }

    fn problem(&mut self, problem: ReadError) {
        (self.sink.problem)(problem);
    }

    /// Says what was not read.
    fn report(&mut self) {
        let Losses {
            packed,
            headers,
            cookies,
        } = self.losses;
        let (large, mib) = (self.large, MAX_EXCHANGE >> 20);
        if packed > 0 {
            self.problem(ReadError::Malformed(
                format!("{packed} bodies are damaged, too large, or packed by a coding that is not known; what could be unpacked was searched").into(),
            ));
        }
        if headers > 0 {
            self.problem(ReadError::Limit(
                format!("{headers} messages have more than {MAX_HEADERS} headers; the others were not looked at").into(),
            ));
        }
        if cookies > 0 {
            let mib = MAX_COOKIES >> 20;
            self.problem(ReadError::Limit(
                format!("{cookies} headers hold more than {mib} MiB of cookies; the others were not looked at").into(),
            ));
        }
        if large > 0 {
            self.problem(ReadError::Limit(
                format!("{large} exchanges are larger than {mib} MiB and were not read").into(),
            ));
        }
    }
}

/// Seconds since 1970 as a moment; nothing for 0 and what no clock shows.
fn epoch(seconds: f64) -> Option<When> {
    /// The year 2100.
    const LAST: f64 = 4_102_444_800.0;
    if !(1.0..LAST).contains(&seconds) {
        return None;
    }
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    // A float of this size is exact to a microsecond at best.
    let micros = i64::try_from(since.as_micros()).ok()?;
    Timestamp::from_microsecond(micros).ok().map(moment)
}

fn moment(instant: Timestamp) -> When {
    When {
        instant,
        basis: Basis::Capture,
        zone: Zone::Stated,
    }
}
