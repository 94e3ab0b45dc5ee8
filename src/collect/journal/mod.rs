//! Journals of systemd (`*.journal`): where most servers with Linux keep what their services write. Each field of an entry
//! lies there once, however many entries have it, so the fields are read in the order of the file, and an entry only where
//! a field is worth a look. Knows the file format (`systemd.io/JOURNAL_FILE_FORMAT`); what a message means, the logs know.

mod object;
mod packed;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::cursor::Cursor;
use super::log::{self, Field, Spot};
use super::names::public_name;
use super::span::Span;
use super::{Context, Evidence, ReadError, Reader, Sink};
use crate::atoms::{Basis, Digest, Locator, Source, When, Zone};
use object::{Data, Kind, Objects};
use packed::Packing;

/// Journals, by their signature: those of the system, of users, and those that a crash left (`*.journal~`).
pub static JOURNAL: Reader = Reader {
    name: "systemd-journal",
    claims: |evidence, _| evidence.head().starts_with(SIGNATURE),
    read,
};

/// `HEADER_SIGNATURE` of `journal-def.h`.
const SIGNATURE: &[u8] = b"LPKSHHRH";

/// Decoded bytes of a field that are searched. A record of a log is no longer; above are dumps of crashed programs.
const MAX_FIELD: usize = 16 << 20;

/// Bytes that all fields of a journal together may become, as a multiple of its own: text becomes some ten times as much.
const MAX_RATIO: u64 = 100;

/// What they may become in any case.
const RATIO_FLOOR: u64 = 64 << 20;

/// Longest name of a field (systemd.journal-fields(7)).
const MAX_NAME: usize = 64;

/// Arrays of entries that are followed: each has twice the room of the one before it.
const MAX_ARRAYS: usize = 32;

/// Whether a reader of this name is this one.
pub fn is_journal(reader: &str) -> bool {
    reader == JOURNAL.name
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let header = Header::read(evidence.head())?;
    let span = evidence.at_rest()?;
    let mut reading = Reading {
        span: &span,
        header: &header,
        file: evidence.file_name(),
        source,
        digest: source.digest(),
        context,
        sink,
        room: span
            .len()
            .saturating_mul(MAX_RATIO)
            .saturating_add(RATIO_FLOOR),
        left: Left::default(),
    };
    // A size that leads beyond the file is none.
    let begin = if header.size < span.len() {
        header.size
    } else {
        Header::SHORTEST
    };
    let mut objects = Objects::new(&span, begin, header.is_compact);
    let end = reading.all(&mut objects);
    reading.left.is_damaged = objects.is_damaged || begin != header.size;
    reading.left.is_short = objects.count < header.objects;
    reading.report();
    end.map_err(|error| evidence.error(error))
}

/// What the header says of the objects behind it.
struct Header {
    /// Its own bytes.
    size: u64,
    /// How many objects there are.
    objects: u64,
    /// Whether the objects name each other in four bytes instead of eight.
    is_compact: bool,
}

impl Header {
    /// `HEADER_INCOMPATIBLE_COMPACT`.
    const COMPACT: u32 = 16;

    /// All flags that are known: three compressions, keyed hashes, compact objects.
    const KNOWN: u32 = 31;

    /// Bytes of the first version; later ones are longer.
    const SHORTEST: u64 = 208;

    fn read(head: &[u8]) -> Result<Self, ReadError> {
        let fields = || {
            let flags = Cursor::starting(head, 12).u32_le()?;
            let size = Cursor::starting(head, 88).u64_le()?;
            let objects = Cursor::starting(head, 144).u64_le()?;
            Some((flags, size, objects))
        };
        let (flags, size, objects) = fields()
            .ok_or_else(|| ReadError::Malformed("ends within its header; copy it again".into()))?;
        if flags & !Self::KNOWN != 0 {
            return Err(ReadError::Unsupported(
                "is a journal in a form that this version does not read; write it out with `journalctl --file NAME -o json --all`, and scan that"
                    .into(),
            ));
        }
        Ok(Self {
            size: size.max(Self::SHORTEST),
            objects,
            is_compact: flags & Self::COMPACT != 0,
        })
    }
}

/// What was not read: of what is larger than the bounds, how many fields.
#[derive(Default)]
struct Left {
    is_damaged: bool,
    is_short: bool,
    /// Whether a compressed field is not whole.
    is_broken: bool,
    large: u64,
    beyond: u64,
}

struct Reading<'a, 's> {
    span: &'a Span,
    header: &'a Header,
    file: &'a str,
    source: &'a Arc<Source>,
    digest: Digest,
    context: &'a Context<'a>,
    sink: &'a mut Sink<'s>,
    /// Bytes that compressed fields may still become.
    room: u64,
    left: Left,
}

/// An entry: its number in the journal, and when it was written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    sequence: u64,
    at: Option<When>,
}

impl Reading<'_, '_> {
    fn all(&mut self, objects: &mut Objects<'_>) -> io::Result<()> {
        while let Some(data) = objects.next()? {
            self.data(&data)?;
        }
        Ok(())
    }

    /// Looks into a field, and tells it with the first and the last entry that has it.
    fn data(&mut self, data: &Data<'_>) -> io::Result<()> {
        let is_packed = data.packing != Packing::None;
        if is_packed && self.room < MAX_FIELD as u64 {
            self.left.beyond += 1;
            return Ok(());
        }
        let unpacked = packed::unpacked(data.payload, data.packing);
        if is_packed {
            self.room = self.room.saturating_sub(unpacked.bytes.len() as u64);
        }
        self.left.large += u64::from(data.is_cut || unpacked.is_cut);
        self.left.is_broken |= unpacked.is_damaged;
        let payload = audited(unpacked.bytes);
        if !self.context.rules.needles.hit(&payload) {
            return Ok(());
        }
        let Some((name, value)) = field(&payload) else {
            return Ok(());
        };
        let key = public_name(std::str::from_utf8(name).unwrap_or_default());
        for entry in self.entries(data)? {
            let field = Field {
                name,
                value,
                at: entry.at,
            };
            let spot = Spot {
                source: self.source,
                digest: &self.digest,
                locator: Locator::Record {
                    file: self.file.into(),
                    key: key.into(),
                    sequence: entry.sequence,
                },
                record: [entry.sequence, data.offset],
            };
            field.observe(spot, self.context, self.sink.observe);
        }
        Ok(())
    }

    /// The first and the last entry that has a field: one where they are the same, and one without a number or a time
    /// where a crash came before any was written.
    fn entries(&self, data: &Data<'_>) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for offset in [Some(data.entry), self.last(data)?].into_iter().flatten() {
            let entry = self.entry(offset)?;
            entries.extend(entry.filter(|it| !entries.contains(it)));
        }
        if entries.is_empty() {
            entries.push(Entry {
                sequence: 0,
                at: None,
            });
        }
        Ok(entries)
    }

    fn entry(&self, offset: u64) -> io::Result<Option<Entry>> {
        let bytes = self.span.bytes(offset, object::ENTRY)?;
        let entry = || {
            (Kind::of(&bytes)? == Kind::Entry).then_some(())?;
            let mut cursor = Cursor::starting(&bytes, object::HEADER);
            let (sequence, realtime) = (cursor.u64_le()?, cursor.u64_le()?);
            // Microseconds since 1970 (`realtime`, CLOCK_REALTIME).
            let instant = Timestamp::from_microsecond(i64::try_from(realtime).ok()?);
            let at = instant.ok().map(|instant| When {
                instant,
                basis: Basis::LogLine,
                zone: Zone::Stated,
            });
            Some(Entry { sequence, at })
        };
        Ok(entry())
    }

    /// Where the last entry lies: all but the first stand in arrays, each of which names the next.
    fn last(&self, data: &Data<'_>) -> io::Result<Option<u64>> {
        let width = if self.header.is_compact { 4 } else { 8 };
        let (mut array, mut left) = (data.array, data.entries.saturating_sub(1));
        for _ in 0..MAX_ARRAYS {
            if array == 0 || left == 0 {
                break;
            }
            let bytes = self.span.bytes(array, object::ARRAY)?;
            if Kind::of(&bytes) != Some(Kind::EntryArray) {
                return Ok(None);
            }
            let mut cursor = Cursor::starting(&bytes, object::SIZE);
            let (Some(size), Some(next)) = (cursor.u64_le(), cursor.u64_le()) else {
                return Ok(None);
            };
            let room = size.saturating_sub(object::ARRAY as u64) / width;
            if room == 0 {
                return Ok(None);
            }
            if left <= room {
                let at = (left - 1).saturating_mul(width);
                let at = array
                    .saturating_add(object::ARRAY as u64)
                    .saturating_add(at);
                let bytes = self.span.bytes(at, 8)?;
                let mut cursor = Cursor::new(&bytes);
                return Ok(if self.header.is_compact {
                    cursor.u32_le().map(u64::from)
                } else {
                    cursor.u64_le()
                });
            }
            left -= room;
            array = next;
        }
        Ok(None)
    }

    fn report(&mut self) {
        let Left {
            is_damaged,
            is_short,
            is_broken,
            large,
            beyond,
        } = self.left;
        // Without numbers, so that many journals of one crash are told as one.
        if is_damaged {
            let why = "is damaged in places, as after a crash or in a copy made while it was written; what could be told from the damage was read";
            (self.sink.problem)(ReadError::Malformed(why.into()));
        } else if is_short {
            let why = "has less than its header says, as after a crash or in a copy made while it was written; what is there was read";
            (self.sink.problem)(ReadError::Malformed(why.into()));
        }
        if is_broken {
            let why = "has compressed fields that are damaged or end early; what came before the damage was read";
            (self.sink.problem)(ReadError::Malformed(why.into()));
        }
        if large > 0 {
            let mib = MAX_FIELD >> 20;
            let why = format!(
                "{large} of its fields are larger than {mib} MiB; what follows in them was not searched"
            );
            (self.sink.problem)(ReadError::Limit(why.into()));
        }
        if beyond > 0 {
            let why = format!(
                "expands more than {MAX_RATIO} times, like a decompression bomb; {beyond} of its fields were left"
            );
            (self.sink.problem)(ReadError::Limit(why.into()));
        }
    }
}

/// A field, what the audit system wrote in a message as text.
fn audited(payload: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const MESSAGE: &[u8] = b"MESSAGE=";
    let message = payload.strip_prefix(MESSAGE).and_then(log::audit_message);
    message.map_or(payload, |message| Cow::Owned([MESSAGE, &message].concat()))
}

/// Name and value of a field. Whatever has no name that a field may have is no field.
fn field(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(payload);
    let name = cursor.until(b'=')?;
    let may_be = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    let is_name = (1..=MAX_NAME).contains(&name.len()) && name.iter().all(may_be);
    is_name.then(|| (name, cursor.rest()))
}
