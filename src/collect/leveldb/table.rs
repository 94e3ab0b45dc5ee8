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

/// Unpacked bytes of one table that are looked at: eight times the largest one.
const MAX_UNPACKED: usize = 1 << 30;

/// Entries without a shared beginning in a block without an index: one in 16 (`block_restart_interval`) of
/// what fits into 4 KiB is far less.
const MAX_OFFSETS: u32 = 1 << 16;

/// Ends of such a block that are tried: offsets grow, so at most one of them is their number by chance.
const MAX_TRIES: u32 = 4;

/// A table in memory.
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Place and last key of each block, when the index could be read.
    index: Option<Vec<(Handle, Box<[u8]>)>>,
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

    /// Hands on the entries of every block that `wanted` says yes to, by the keys that its own lie between.
    pub(super) fn entries(
        &self,
        wanted: &dyn Fn(&[u8], &[u8]) -> bool,
        damage: &mut Damage,
        each: &mut dyn FnMut(Entry<'_>),
    ) {
        let Some(index) = &self.index else {
            damage.pieces += 1;
            return self.walk(damage, each);
        };
        let mut unpacked = 0_usize;
        let mut end = 0;
        let mut before: &[u8] = b"";
        for (handle, last) in index {
            let is_wanted = wanted(before, last);
            before = last;
            // Blocks do not overlap; an index that says so would have one read again and again.
            let follows = handle.offset >= end;
            end = handle.offset.saturating_add(handle.len);
            if !is_wanted {
                continue;
            }
            let room = MAX_UNPACKED.saturating_sub(unpacked);
            match self.block(*handle, room.min(MAX_BLOCK)).filter(|_| follows) {
                Some(block) => {
                    unpacked = unpacked.saturating_add(block.len());
                    if !entries(&block, each) {
                        damage.pieces += 1;
                    }
                }
                None if room < MAX_BLOCK => {
                    damage.too_long += 1;
                    return;
                }
                None => damage.pieces += 1,
            }
        }
    }

    fn block(&self, handle: Handle, cap: usize) -> Option<Cow<'_, [u8]>> {
        block(&self.bytes, handle, cap)
    }

    /// Follows the blocks from the first one. Packed ones tell by themselves where they end, others by their
    /// entries; the checksum proves it.
    fn walk(&self, damage: &mut Damage, each: &mut dyn FnMut(Entry<'_>)) {
        let mut rest = self.bytes.as_slice();
        let mut unpacked = 0_usize;
        while !rest.is_empty() && unpacked < MAX_UNPACKED {
            let Some((block, len)) = whole_block(rest) else {
                // The last piece before the cut, or the blocks behind the data.
                entries_until_damage(rest, each);
                break;
            };
            unpacked = unpacked.saturating_add(block.len());
            if !entries(&block, each) {
                damage.pieces += 1;
            }
            rest = rest.get(len + TRAILER..).unwrap_or_default();
        }
    }
}

/// The blocks that the index names, in order.
fn index(bytes: &[u8]) -> Option<Vec<(Handle, Box<[u8]>)>> {
    let (_, footer) = bytes.split_last_chunk::<FOOTER>()?;
    let mut rest = Cursor::new(footer).rest();
    ends(rest).then_some(())?;
    handle(&mut rest)?;
    let handle_of_index = handle(&mut rest)?;
    let block = block(bytes, handle_of_index, MAX_BLOCK)?;
    let mut found = Vec::new();
    let mut is_sound = true;
    let whole = raw_entries(&block, &mut |key, value| {
        let mut value = value;
        match (handle(&mut value), key.split_last_chunk::<TAG>()) {
            (Some(handle), Some((last, _))) => found.push((handle, last.into())),
            _ => is_sound = false,
        }
    });
    (whole && is_sound).then_some(found)
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

/// The entries of a block with the keys of the application; whether all of it could be read.
fn entries(block: &[u8], each: &mut dyn FnMut(Entry<'_>)) -> bool {
    let mut is_sound = true;
    let whole = raw_entries(block, &mut |key, value| {
        is_sound &= entry(key, value, each).is_some();
    });
    whole && is_sound
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

/// Keys and values of a block. Behind them stand the offsets of the entries that share nothing, and their
/// number.
fn raw_entries(block: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> bool {
    let contents = block.split_last_chunk().and_then(|(rest, count)| {
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        rest.get(..rest.len().checked_sub(count.checked_mul(4)?)?)
    });
    let Some(contents) = contents else {
        return false;
    };
    let mut rest = Cursor::new(contents);
    let mut key = Vec::new();
    while !rest.is_empty() {
        let Some(value) = step(&mut rest, &mut key) else {
            return false;
        };
        each(&key, value);
    }
    true
}

/// The next entry: its value, with `key` made the key.
fn step<'a>(rest: &mut Cursor<'a>, key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (shared, own, value) = (rest.varint()?, rest.varint()?, rest.varint()?);
    let shared = usize::try_from(shared).ok()?;
    let own = rest.take_u64(own)?;
    let value = rest.take_u64(value)?;
    (shared <= key.len()).then_some(())?;
    key.truncate(shared);
    key.extend_from_slice(own);
    Some(value)
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
fn entries_until_damage(bytes: &[u8], each: &mut dyn FnMut(Entry<'_>)) {
    let packed = packed(bytes);
    let mut rest = Cursor::new(packed.as_ref().map_or(bytes, |(block, _)| block));
    let mut key = Vec::new();
    while let Some(value) = step(&mut rest, &mut key) {
        if entry(&key, value, each).is_none() {
            break;
        }
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
    let mut rest = Cursor::new(bytes);
    let mut key = Vec::new();
    while !rest.rest().starts_with(&[0; 4]) {
        step(&mut rest, &mut key)?;
        (key.len() >= TAG).then_some(())?;
    }
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
