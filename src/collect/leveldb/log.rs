//! The write-ahead file: blocks of 32 KiB, records cut to fit into them, and the batches of changes that the
//! records hold (`doc/log_format.md` and `db/write_batch.cc` of LevelDB). Knows nothing of what is stored.

use std::io::Read;

use super::{Damage, Entry, crc};
use crate::collect::cursor::Cursor;
use crate::collect::{Evidence, ReadError};

/// Bytes of a block.
const BLOCK: usize = 32 * 1024;

/// Bytes before the data of a record: checksum, length, type.
const HEADER: usize = 7;

/// Longest batch that is put together from its records. Chromium commits what a page wrote in five seconds,
/// and web storage holds 10 MiB for an origin.
const MAX_BATCH: usize = 64 << 20;

/// Bytes before the changes of a batch: sequence and count.
const BATCH_HEADER: usize = 12;

/// How far a record goes (`RecordType` in `db/log_format.h`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Full,
    First,
    Middle,
    Last,
}

/// Whether the bytes begin with a record whose checksum is right and whose data is a batch, or begins one.
/// A `MANIFEST` has the same records and no batches.
pub(super) fn begins(head: &[u8]) -> bool {
    let Some((part, data, _)) = record(head) else {
        return false;
    };
    let mut batch = Cursor::new(data);
    let (_, count) = (batch.u64_le(), batch.u32_le());
    let first = batch.peek();
    match (part, count) {
        (Part::Full, Some(_)) => changes(data, &mut |_| {}),
        (Part::First, Some(_)) => matches!(first, None | Some(0 | 1)),
        // Exactly a header fits into the end of a block.
        (Part::First, None) => data.is_empty(),
        _ => false,
    }
}

/// Hands on every change in the order in which it was written.
pub(super) fn entries(
    evidence: &Evidence,
    damage: &mut Damage,
    each: &mut dyn FnMut(Entry<'_>),
) -> Result<(), ReadError> {
    let mut input = evidence.open()?;
    let mut records = Records {
        waiting: None,
        is_lost: false,
        damage,
        each,
    };
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        let read = (&mut input).take(BLOCK as u64).read_to_end(&mut block);
        records.block(&block);
        if let Err(error) = read {
            return Err(evidence.error(error));
        }
        if block.len() < BLOCK {
            break;
        }
    }
    if records.give_up() {
        records.damage.cut = true;
    }
    Ok(())
}

/// Puts batches together.
struct Records<'a> {
    /// The beginning of a batch whose end is in another block.
    waiting: Option<Vec<u8>>,
    /// Whether what the next part goes on with was counted as lost.
    is_lost: bool,
    damage: &'a mut Damage,
    each: &'a mut dyn FnMut(Entry<'_>),
}

impl Records<'_> {
    /// A damaged record costs itself where the next one can be found behind it, and else the block.
    fn block(&mut self, block: &[u8]) {
        let mut rest = block;
        while rest.len() >= HEADER {
            match record(rest) {
                Some((part, data, behind)) => {
                    self.add(part, data);
                    rest = behind;
                }
                // Space that was set aside and not written to: `kZeroType`. Before anything else it is damage.
                None if rest.iter().all(|byte| *byte == 0) => return,
                None => match length(rest) {
                    Some(len) if len > rest.len() && block.len() < BLOCK => {
                        return self.cut_off(rest);
                    }
                    _ => {
                        self.lose();
                        match next(rest) {
                            Some(behind) => rest = behind,
                            None => return,
                        }
                    }
                },
            }
        }
        // Fewer bytes than a header fill up a block; at the end of a file they begin one.
        self.damage.cut |= block.len() < BLOCK && !rest.is_empty();
    }

    /// The file ends in the middle of this record: what is left of it is read, with no checksum to tell.
    fn cut_off(&mut self, rest: &[u8]) {
        let part = rest.get(HEADER - 1).and_then(|kind| part(*kind));
        if let (Some(part), Some(data)) = (part, rest.get(HEADER..)) {
            self.add(part, data);
            self.give_up();
            self.damage.cut = true;
        } else {
            self.damage.pieces += 1;
        }
    }

    /// Counts what cannot be read, once with all that goes on with it.
    fn lose(&mut self) {
        self.give_up();
        self.damage.pieces += 1;
        self.is_lost = true;
    }

    fn add(&mut self, part: Part, data: &[u8]) {
        if matches!(part, Part::Full | Part::First) {
            self.is_lost = false;
            if self.give_up() {
                self.damage.pieces += 1;
            }
        }
        match (part, &mut self.waiting) {
            (Part::Full, _) => self.batch(data),
            (Part::First, _) => self.waiting = Some(data.to_vec()),
            (Part::Middle | Part::Last, Some(waiting)) => {
                if waiting.len().saturating_add(data.len()) > MAX_BATCH {
                    self.damage.too_long += 1;
                    self.give_up();
                    self.is_lost = part == Part::Middle;
                    return;
                }
                waiting.extend_from_slice(data);
                if part == Part::Last {
                    let whole = self.waiting.take().unwrap_or_default();
                    self.batch(&whole);
                }
            }
            (Part::Middle | Part::Last, None) => self.orphan(part, data),
        }
    }

    /// A part whose beginning is nowhere. Where that was not counted as lost, this is: LevelDB drops it as corrupt
    /// (`Reader::ReadRecord` in `db/log_reader.cc`). What is a whole batch by itself is read all the same; of anything
    /// else it is not known where a change begins.
    fn orphan(&mut self, part: Part, data: &[u8]) {
        if !self.is_lost {
            self.damage.pieces += 1;
        }
        self.is_lost = part == Part::Middle;
        if changes(data, &mut |_| {}) {
            changes(data, self.each);
        }
    }

    fn batch(&mut self, data: &[u8]) {
        if !changes(data, self.each) {
            self.damage.pieces += 1;
        }
    }

    /// Reads what there is of a batch whose end will not come; whether there was any.
    fn give_up(&mut self) -> bool {
        let waiting = self.waiting.take();
        if let Some(data) = &waiting {
            changes(data, self.each);
        }
        waiting.is_some()
    }
}

/// The changes in a batch as far as it goes; whether it is whole.
fn changes(data: &[u8], each: &mut dyn FnMut(Entry<'_>)) -> bool {
    let mut rest = Cursor::new(data);
    let (Some(first), Some(count)) = (rest.u64_le(), rest.u32_le()) else {
        return false;
    };
    for index in 0..count {
        let read = match rest.u8() {
            Some(0) => rest.counted().map(|key| (key, None)),
            Some(1) => rest.counted().zip(rest.counted().map(Some)),
            _ => None,
        };
        let Some((key, value)) = read else {
            return false;
        };
        each(Entry {
            sequence: first.wrapping_add(u64::from(index)),
            key,
            value,
        });
    }
    rest.is_empty() && data.len() >= BATCH_HEADER
}

/// The record at the start of these bytes, when its checksum is right, and what is behind it.
fn record(bytes: &[u8]) -> Option<(Part, &[u8], &[u8])> {
    let stored = Cursor::new(bytes).u32_le()?;
    let (record, behind) = bytes.split_at_checked(length(bytes)?)?;
    let (header, data) = record.split_at_checked(HEADER)?;
    let kind = header.get(HEADER - 1..)?;
    let part = part(*kind.first()?)?;
    crc::fits(stored, [kind, data]).then_some((part, data, behind))
}

/// The record behind one that is damaged: behind zeros, which file systems leave where a write was lost, or else where
/// the damaged one says that it ends.
fn next(rest: &[u8]) -> Option<&[u8]> {
    let is_record = |behind: &&[u8]| record(behind).is_some();
    let zeros = rest.iter().take_while(|byte| **byte == 0).count();
    if zeros < HEADER {
        return rest.get(length(rest)?..).filter(is_record);
    }
    // The record may begin with zeros of its own, though not with a whole header of them.
    let places = (zeros + 1 - HEADER..=zeros).rev();
    places.filter_map(|at| rest.get(at..)).find(is_record)
}

/// Bytes of the record with its header.
fn length(bytes: &[u8]) -> Option<usize> {
    let len = Cursor::new(bytes.get(4..)?).u16_le()?;
    Some(HEADER + usize::from(len))
}

fn part(kind: u8) -> Option<Part> {
    Some(match kind {
        1 => Part::Full,
        2 => Part::First,
        3 => Part::Middle,
        4 => Part::Last,
        _ => return None,
    })
}
