//! The sorted file: blocks of entries whose keys share their beginnings, each packed by itself, and an index
//! of the blocks at the end (`doc/table_format.md` and `table/format.cc` of LevelDB). Where the index is
//! damaged or cut off, the blocks are followed one behind the other.

use std::borrow::Cow;
use std::io::Read;

use super::{Damage, Entry, crc};
use crate::collect::cursor::Cursor;
use crate::collect::{Evidence, ReadError, snappy};

/// What stands at the end of every table (`kTableMagicNumber`).
pub(super) const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// Bytes of the footer.
pub(super) const FOOTER: usize = 48;

/// Bytes behind the contents of a block: how it is packed, checksum.
const TRAILER: usize = 5;

/// Bytes behind the key of the application: sequence and kind.
const TAG: usize = 8;

/// Largest table that is read. LevelDB begins a new one after 2 MiB; a single value may be larger.
const MAX_TABLE: u64 = 128 << 20;

/// Largest block once unpacked. It holds 4 KiB, or one value.
const MAX_BLOCK: usize = 64 << 20;

/// Bytes of blocks once unpacked, and of the keys in them, that are looked at in one table: eight times the largest
/// one.
pub(super) const MAX_UNPACKED: usize = 1 << 30;

/// Bytes of the keys of a block, as a multiple of its own. One entry in 16 (`block_restart_interval`) shares nothing
/// with the one before, so that keys come to 16 times the block at most; without a bound, each entry of ten bytes may
/// repeat a key of megabytes.
const MAX_SHARED: usize = 64;

/// Entries without a shared beginning in a block without an index: one in 16 (`block_restart_interval`) of
/// what fits into 4 KiB is far less.
const MAX_OFFSETS: u32 = 1 << 16;

/// Ends of such a block that are tried: offsets grow, so at most one of them is their number by chance.
const MAX_TRIES: u32 = 4;

/// A table in memory.
pub(super) struct Table {
    bytes: Vec<u8>,
    /// The block that has place and last key of each block, when all of it can be read.
    index: Option<Vec<u8>>,
}

/// Where the contents of a block stand.
#[derive(Clone, Copy)]
struct Handle {
    offset: u64,
    len: u64,
}

/// Whether the bytes are a footer.
pub(super) fn ends(tail: &[u8]) -> bool {
    let magic = tail.last_chunk().copied().map(u64::from_le_bytes);
    tail.len() == FOOTER && magic == Some(MAGIC)
}

impl Table {
    pub(super) fn open(evidence: &Evidence) -> Result<Self, ReadError> {
        let bytes = evidence.bytes(MAX_TABLE)?;
        let index = index(&bytes);
        Ok(Self { bytes, index })
    }

    /// Hands on the entries of every block that `wanted` says yes to, by the keys that its own lie between. What is
    /// looked at is taken from `room`, which is empty where it ends the reading.
    pub(super) fn entries(
        &self,
        wanted: &dyn Fn(&[u8], &[u8]) -> bool,
        room: &mut usize,
        damage: &mut Damage,
        each: &mut dyn FnMut(Entry<'_>),
    ) {
        let Some(mut index) = self.index.as_deref().and_then(Keys::of) else {
            damage.pieces += 1;
            return self.walk(room, damage, each);
        };
        let mut end = 0;
        let mut before = Vec::new();
        while let Some((mut place, last)) = index.next(room) {
            let Some((handle, (last, _))) = handle(&mut place).zip(last.split_last_chunk::<TAG>())
            else {
                return;
            };
            let is_wanted = wanted(&before, last);
            before.clear();
            before.extend_from_slice(last);
            // Blocks do not overlap; an index that says so would have one read again and again.
            let follows = handle.offset >= end;
            end = handle.offset.saturating_add(handle.len);
            if !is_wanted {
                continue;
            }
            let cap = (*room).min(MAX_BLOCK);
            match block(&self.bytes, handle, cap).filter(|_| follows) {
                Some(block) => entries(&block, room, damage, each),
                None if cap < MAX_BLOCK => {
                    *room = 0;
                    damage.too_long += 1;
                }
                None => damage.pieces += 1,
            }
        }
        index.tell(damage);
    }

    /// Follows the blocks from the first one. Packed ones tell by themselves where they end, others by their
    /// entries; the checksum proves it.
    fn walk(&self, room: &mut usize, damage: &mut Damage, each: &mut dyn FnMut(Entry<'_>)) {
        let mut rest = self.bytes.as_slice();
        while !rest.is_empty() {
            if *room == 0 {
                damage.too_long += 1;
                break;
            }
            let Some((block, len)) = whole_block(rest) else {
                // The last piece before the cut, or the blocks behind the data.
                entries_until_damage(rest, room, damage, each);
                break;
            };
            entries(&block, room, damage, each);
            rest = rest.get(len + TRAILER..).unwrap_or_default();
        }
    }
}

/// Takes so many bytes from the room; whether there were as many.
fn spend(room: &mut usize, bytes: usize) -> bool {
    let left = room.checked_sub(bytes);
    *room = left.unwrap_or_default();
    left.is_some()
}

/// The block with the places of the others, when all of it can be read.
fn index(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, footer) = bytes.split_last_chunk::<FOOTER>()?;
    let mut rest = Cursor::new(footer).rest();
    ends(rest).then_some(())?;
    handle(&mut rest)?;
    let handle_of_index = handle(&mut rest)?;
    let block = block(bytes, handle_of_index, MAX_BLOCK)?;
    let mut keys = Keys::of(&block)?;
    while !keys.rest.is_empty() {
        let mut value = keys.step()?;
        handle(&mut value)?;
        keys.key.split_last_chunk::<TAG>()?;
    }
    Some(block.into_owned())
}

fn handle(rest: &mut &[u8]) -> Option<Handle> {
    let mut bytes = Cursor::new(rest);
    let (offset, len) = (bytes.varint()?, bytes.varint()?);
    *rest = bytes.rest();
    Some(Handle { offset, len })
}

/// A block, checked and unpacked.
fn block(bytes: &[u8], handle: Handle, cap: usize) -> Option<Cow<'_, [u8]>> {
    let start = usize::try_from(handle.offset).ok()?;
    let len = usize::try_from(handle.len).ok()?;
    let rest = bytes.get(start..)?;
    is_whole(rest, len).then_some(())?;
    let (contents, trailer) = rest.split_at_checked(len)?;
    match trailer.first()? {
        0 => (len <= cap).then_some(Cow::Borrowed(contents)),
        1 => snappy::decode(contents, cap).map(Cow::Owned),
        // Zstandard in LevelDB itself, zlib in its forks.
        2 if contents.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
            let decoder = zstd::stream::read::Decoder::new(contents).ok()?;
            unpack(decoder, cap)
        }
        2 => unpack(flate2::read::ZlibDecoder::new(contents), cap),
        4 => unpack(flate2::read::DeflateDecoder::new(contents), cap),
        _ => None,
    }
}

fn unpack(decoder: impl Read, cap: usize) -> Option<Cow<'static, [u8]>> {
    let mut out = Vec::new();
    let limit = u64::try_from(cap).ok()?.saturating_add(1);
    decoder.take(limit).read_to_end(&mut out).ok()?;
    (out.len() <= cap).then_some(Cow::Owned(out))
}

/// Whether the checksum behind so many bytes is theirs.
fn is_whole(bytes: &[u8], len: usize) -> bool {
    let parts = bytes.split_at_checked(len).and_then(|(contents, rest)| {
        let (kind, rest) = rest.split_at_checked(1)?;
        Some((contents, kind, Cursor::new(rest).u32_le()?))
    });
    parts.is_some_and(|(contents, kind, stored)| crc::fits(stored, [contents, kind]))
}

/// The entries of a block with the keys of the application.
fn entries(block: &[u8], room: &mut usize, damage: &mut Damage, each: &mut dyn FnMut(Entry<'_>)) {
    let Some(mut keys) = Keys::of(block) else {
        damage.pieces += 1;
        return;
    };
    *room = room.saturating_sub(block.len());
    let mut is_sound = true;
    while let Some((value, key)) = keys.next(room) {
        is_sound &= entry(key, value, each).is_some();
    }
    if !keys.tell(damage) && !is_sound {
        damage.pieces += 1;
    }
}

fn entry(key: &[u8], value: &[u8], each: &mut dyn FnMut(Entry<'_>)) -> Option<()> {
    let (key, tag) = key.split_last_chunk::<TAG>()?;
    let tag = u64::from_le_bytes(*tag);
    let value = match tag & 0xff {
        0 => None,
        1 => Some(value),
        _ => return None,
    };
    each(Entry {
        sequence: tag >> 8,
        key,
        value,
    });
    Some(())
}

/// The entries of a block, one after the other: each has what its key does not share with the one before.
struct Keys<'a> {
    rest: Cursor<'a>,
    key: Vec<u8>,
    /// Bytes that its keys may still come to.
    room: usize,
    /// Why there are no more, where that is not their end.
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Damaged,
    TooLong,
}

impl<'a> Keys<'a> {
    /// Those of a whole block: behind them stand the offsets of the entries that share nothing, and their number.
    fn of(block: &'a [u8]) -> Option<Self> {
        let (rest, count) = block.split_last_chunk()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let len = rest.len().checked_sub(count.checked_mul(4)?)?;
        Some(Self::up_to_damage(rest.get(..len)?))
    }

    /// Those of a block whose end is not known.
    fn up_to_damage(bytes: &'a [u8]) -> Self {
        Self {
            rest: Cursor::new(bytes),
            key: Vec::new(),
            room: bytes.len().saturating_mul(MAX_SHARED),
            end: None,
        }
    }

    /// The next value, and its key, which is taken from the room.
    fn next(&mut self, room: &mut usize) -> Option<(&'a [u8], &[u8])> {
        if self.rest.is_empty() || self.end.is_some() {
            return None;
        }
        let value = self.step();
        if value.is_none() {
            self.end = Some(End::Damaged);
        } else if !spend(&mut self.room, self.key.len()) || !spend(room, self.key.len()) {
            self.end = Some(End::TooLong);
            return None;
        }
        Some((value?, &self.key))
    }

    /// Takes note of why there are no more; whether that is not their end.
    fn tell(&self, damage: &mut Damage) -> bool {
        match self.end {
            Some(End::Damaged) => damage.pieces += 1,
            Some(End::TooLong) => damage.too_long += 1,
            None => {}
        }
        self.end.is_some()
    }

    fn step(&mut self) -> Option<&'a [u8]> {
        let rest = &mut self.rest;
        let (shared, own, value) = (rest.varint()?, rest.varint()?, rest.varint()?);
        let shared = usize::try_from(shared).ok()?;
        let own = rest.take_u64(own)?;
        let value = rest.take_u64(value)?;
        (shared <= self.key.len()).then_some(())?;
        self.key.truncate(shared);
        self.key.extend_from_slice(own);
        Some(value)
    }
}

/// The block at the start of these bytes, and its length, where its checksum proves them.
fn whole_block(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    let packed = packed(bytes).filter(|(_, len)| is_whole(bytes, *len));
    if let Some((block, len)) = packed {
        return Some((Cow::Owned(block), len));
    }
    let len = plain_len(bytes)?;
    Some((Cow::Borrowed(bytes.get(..len)?), len))
}

/// What can be read of a block that is cut off, with no checksum to tell.
fn entries_until_damage(
    bytes: &[u8],
    room: &mut usize,
    damage: &mut Damage,
    each: &mut dyn FnMut(Entry<'_>),
) {
    let packed = packed(bytes);
    let block = packed.as_ref().map_or(bytes, |(block, _)| block);
    let mut keys = Keys::up_to_damage(block);
    while let Some((value, key)) = keys.next(room) {
        if entry(key, value, each).is_none() {
            break;
        }
    }
    if keys.end == Some(End::TooLong) {
        keys.tell(damage);
    }
}

/// The packed block at the start of these bytes, and its length. The first entry of a block shares nothing with
/// another, so one that is not packed begins with 0.
fn packed(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    (bytes.first()? != &0).then_some(())?;
    snappy::prefix(bytes, MAX_BLOCK)
}

/// Bytes of a block that is not packed: its entries end where the offsets begin, the first of which is 0, as
/// no entry begins, since no key is empty.
fn plain_len(bytes: &[u8]) -> Option<usize> {
    let mut keys = Keys::up_to_damage(bytes);
    while !keys.rest.rest().starts_with(&[0; 4]) {
        keys.step()?;
        (keys.key.len() >= TAG).then_some(())?;
    }
    let mut rest = keys.rest;
    let mut tries = 0;
    for count in 0..MAX_OFFSETS {
        // Their number follows them; an offset may be the same, and then the checksum decides.
        if rest.u32_le()? == count && count > 0 {
            let len = bytes.len().checked_sub(rest.rest().len())?;
            tries += 1;
            if is_whole(bytes, len) {
                return Some(len);
            }
            (tries < MAX_TRIES).then_some(())?;
        }
    }
    None
}
