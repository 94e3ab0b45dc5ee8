//! Chromium's block-file cache, the HTTP cache on Windows and of old versions everywhere: entries in blocks of 256
//! bytes in `data_1`, what is longer in the other `data_` files and in `f_` files beside it
//! (`net/disk_cache/blockfile/disk_format.h`, `addr.h`). Every block is looked at, so that what is no longer in the
//! index is found too.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::input::{Input, MAX_PART};
use super::stored::{Out, Stored};
use super::{info, key};
use crate::atoms::{Source, View};
use crate::collect::browser::epoch;
use crate::collect::cursor::Cursor;
use crate::collect::sqlite::Number;
use crate::collect::{Context, Evidence, ReadError, Reader, Sink};

/// The files of blocks. Entries are read from those with blocks of 256 bytes, with what they point at in the others.
pub static CHROMIUM_BLOCK_CACHE: Reader = Reader {
    name: "chromium-block-cache",
    claims: |evidence, _| evidence.head().starts_with(&MAGIC),
    read,
};

/// `kBlockMagic`.
const MAGIC: [u8; 4] = 0xc104_cac3_u32.to_le_bytes();

/// `kBlockHeaderSize`: the last part of it is a bit for each block that is in use.
const HEADER: u64 = 8192;

/// Offset of those bits.
const BITS: usize = 80;

/// The file that entries begin in; when it is full, another one with blocks of their size follows.
const ENTRIES: &str = "data_1";

/// `sizeof(EntryStore)`.
const BLOCK: u64 = 256;

/// `sizeof(RankingsNode)`: rankings name nothing.
const RANKINGS: u64 = 36;

/// Sizes of the blocks of what is longer (`Addr::BlockSizeForFileType`).
const LONGER: [u64; 2] = [1024, 4096];

/// Blocks of one file, `kMaxBlocks`.
const MAX_BLOCKS: u64 = (HEADER - BITS as u64) * 8;

/// Offset of the key in an entry.
const KEY: usize = 96;

/// Blocks that an entry may take, the rest of its key included.
const MAX_RUN: u64 = 4;

/// Longest key, which then lies elsewhere: as in the simple cache.
const MAX_KEY: u64 = 4 << 20;

/// Headers are the first stream, the body the second (`kResponseInfoIndex`, `kResponseContentIndex` of
/// `net/http/http_cache.h`).
const STREAMS: usize = 2;

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut files = Files::beside(evidence)?;
    let header = files.own.part(0, HEADER)?;
    let size = block_size(&header);
    let is_other = evidence.file_name() != ENTRIES;
    match size {
        Some(RANKINGS) if is_other => return Ok(()),
        Some(size) if is_other && LONGER.contains(&size) => return longer(evidence),
        _ => {}
    }
    let mut out = Out::new(source, context, sink);
    if size != Some(BLOCK) {
        out.problem(ReadError::Malformed(
            "its header is damaged: blocks of entries have another size than it states; what looks like an entry was read, copy it again".into(),
        ));
    }
    let blocks = files.own.len().saturating_sub(HEADER) / BLOCK;
    for block in 0..blocks.min(MAX_BLOCKS) {
        let at = HEADER.saturating_add(block.saturating_mul(BLOCK));
        let bytes = files.own.part(at, BLOCK.saturating_mul(MAX_RUN))?;
        if let Some(entry) = Entry::of(&bytes) {
            let view = if is_used(&header, block) {
                View::Live
            } else {
                View::Recovered
            };
            self::entry(&mut files, &entry, at, view, &mut out)?;
        }
    }
    if blocks > MAX_BLOCKS {
        out.problem(ReadError::Limit(
            format!("has more than {MAX_BLOCKS} blocks, which is more than its header can tell of; those that follow were not read").into(),
        ));
    }
    files.tell(&mut out);
    Ok(())
}

/// The size of its blocks that a header states.
fn block_size(header: &[u8]) -> Option<u64> {
    Cursor::starting(header, 12).u32_le().map(u64::from)
}

/// A file of what is longer is read with the entries that point at it, where they lie beside it. An empty or damaged
/// file of entries gives nothing of what is here.
fn longer(evidence: &Evidence) -> Result<(), ReadError> {
    let entries = evidence.beside(ENTRIES);
    let is_there = entries.is_some_and(|entries| {
        let head = entries.head();
        head.starts_with(&MAGIC) && block_size(head) == Some(BLOCK)
    });
    if is_there {
        return Ok(());
    }
    Err(ReadError::Unsupported(
        "is a part of a cache whose entries are in `data_1`, which is not beside it or is damaged; it was not read by itself".into(),
    ))
}

/// Whether a block is in use by the map in the header.
fn is_used(header: &[u8], block: u64) -> bool {
    let byte = usize::try_from(block / 8).ok();
    let byte = byte.and_then(|at| header.get(BITS.checked_add(at)?));
    byte.is_some_and(|byte| byte & (1 << (block % 8)) != 0)
}

/// Reports one entry.
fn entry(
    files: &mut Files<'_>,
    entry: &Entry,
    at: u64,
    view: View,
    out: &mut Out<'_, '_>,
) -> Result<(), ReadError> {
    let key = match &entry.key {
        Key::Own(key) => Part {
            file: None,
            at: at.saturating_add(KEY as u64),
            data: key.clone(),
        },
        Key::At(address, len) if view == View::Live => match files.read(*address, *len)? {
            Some(key) => key,
            None => return Ok(()),
        },
        // What a freed entry points at may belong to another by now.
        Key::At(..) => return Ok(()),
    };
    // A key may hold something else; what lies under it is read all the same.
    let url = key::chromium(&key.data).unwrap_or_default();
    let is_code = key.data.starts_with(b"_key");
    let before = key.data.len().saturating_sub(url.len()) as u64;
    let mut stored = Stored::new(url.to_vec(), key.at.saturating_add(before));
    stored.view = view;
    stored.beside.key = key.file;
    stored.at = i64::try_from(entry.created)
        .ok()
        .and_then(|micros| epoch::webkit(Number::Integer(micros)));
    let mut body = None;
    if view == View::Live {
        let [headers, content] = entry.streams;
        if let Some(headers) = files.read(headers.0, headers.1)? {
            let known = info::read(&headers.data, headers.at, &mut stored);
            let is_unknown = !known && !stored.url.is_empty() && !is_code;
            files.unknown = files.unknown.saturating_add(u64::from(is_unknown));
            stored.beside.headers = headers.file;
            if known && stored.has_text() {
                if u64::from(content.1) > MAX_PART {
                    out.problem(super::input::too_large());
                }
                body = files.read(content.0, content.1)?;
            }
        }
    }
    let body = body.map(|body| {
        stored.beside.body = body.file;
        (body.at, body.data)
    });
    out.stored(&stored, body);
    Ok(())
}

/// What is read of an `EntryStore`.
struct Entry {
    key: Key,
    created: u64,
    /// Address and length.
    streams: [(u32, u32); STREAMS],
}

enum Key {
    Own(Vec<u8>),
    At(u32, u32),
}

impl Entry {
    /// The entry that begins a run of blocks, when one does: other blocks hold data and the rest of keys.
    fn of(run: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(run);
        let [_hash, _next, rankings] = [cursor.u32_le()?, cursor.u32_le()?, cursor.u32_le()?];
        let _counts = cursor.u64_le()?;
        let state = cursor.u32_le()?;
        let created = cursor.u64_le()?;
        let key_len = cursor.u32_le()?;
        let long_key = cursor.u32_le()?;
        let mut sizes = [0; 4];
        for size in &mut sizes {
            *size = cursor.u32_le()?;
        }
        let mut addresses = [0; 4];
        for address in &mut addresses {
            *address = cursor.u32_le()?;
        }
        // An entry has a node in the rankings file, one of three states, and a key.
        let is_entry = rankings >> 28 == 0b1001 && state <= 2 && key_len > 0;
        if !is_entry || u64::from(key_len) > MAX_KEY {
            return None;
        }
        let key = if long_key == 0 {
            let len = usize::try_from(key_len).ok()?;
            Key::Own(Cursor::starting(run, KEY).take(len)?.to_vec())
        } else {
            Key::At(long_key, key_len)
        };
        let [size_0, size_1, ..] = sizes;
        let [address_0, address_1, ..] = addresses;
        Some(Self {
            key,
            created,
            streams: [(address_0, size_0), (address_1, size_1)],
        })
    }
}

/// Data of an entry, the file that it lies in, and where.
struct Part {
    file: Option<Box<str>>,
    at: u64,
    data: Vec<u8>,
}

/// The file of entries and what lies beside it.
struct Files<'a> {
    evidence: &'a Evidence,
    own: Input,
    /// Block files by number, opened once; `None` is missing.
    others: BTreeMap<u32, Option<Input>>,
    /// Addresses that were read: an entry has its own, and one that all entries share would be read without end.
    seen: HashSet<u32>,
    /// Addresses that led nowhere.
    missing: u64,
    /// Headers under a URL that were not understood.
    unknown: u64,
}

impl<'a> Files<'a> {
    fn beside(evidence: &'a Evidence) -> Result<Self, ReadError> {
        Ok(Self {
            evidence,
            own: Input::of(evidence)?,
            others: BTreeMap::new(),
            seen: HashSet::new(),
            missing: 0,
            unknown: 0,
        })
    }

    /// Tells what could not be read.
    fn tell(&self, out: &mut Out<'_, '_>) {
        let Self {
            missing, unknown, ..
        } = self;
        if *missing > 0 {
            out.problem(ReadError::Malformed(
                format!("{missing} keys, headers or bodies of its entries are missing, shared, or lie in files that are not beside it; copy the whole folder").into(),
            ));
        }
        if *unknown > 0 {
            out.problem(ReadError::Malformed(
                format!("headers of {unknown} of its entries are damaged or of an unknown form; their URLs were read").into(),
            ));
        }
    }

    /// The data at an address.
    fn read(&mut self, address: u32, len: u32) -> Result<Option<Part>, ReadError> {
        if address >> 31 == 0 || len == 0 {
            return Ok(None);
        }
        if !self.seen.insert(address) {
            self.missing = self.missing.saturating_add(1);
            return Ok(None);
        }
        let size = match (address >> 28) & 7 {
            0 => {
                let name = format!("f_{:06x}", address & 0x0fff_ffff);
                let file = self.open(&name);
                return self
                    .part(file, name, (0, len.into()), len)
                    .map(|(part, _)| part);
            }
            2 => 256,
            3 => 1024,
            4 => 4096,
            _ => return Ok(None),
        };
        let number = (address >> 16) & 0xff;
        let name = format!("data_{number}");
        let file = self
            .others
            .remove(&number)
            .unwrap_or_else(|| self.open(&name));
        let at = HEADER.saturating_add(u64::from(address & 0xffff).saturating_mul(size));
        let most = u64::from(len).min(size.saturating_mul(MAX_RUN));
        let (part, file) = self.part(file, name, (at, most), len)?;
        self.others.insert(number, file);
        Ok(part)
    }

    /// So many bytes of a file, which is given back. Fewer than `len` are none.
    fn part(
        &mut self,
        mut file: Option<Input>,
        name: String,
        (at, most): (u64, u64),
        len: u32,
    ) -> Result<(Option<Part>, Option<Input>), ReadError> {
        let data = match &mut file {
            Some(file) => file.part(at, most)?,
            None => Vec::new(),
        };
        let is_whole = data.len() as u64 >= u64::from(len).min(MAX_PART);
        self.missing = self.missing.saturating_add(u64::from(!is_whole));
        let part = is_whole.then(|| Part {
            file: Some(name.into()),
            at,
            data,
        });
        Ok((part, file))
    }

    /// A file beside the entries. A body that is gzip looks like a file that is.
    fn open(&self, name: &str) -> Option<Input> {
        let beside = self.evidence.beside(name)?;
        Input::as_it_is(&beside).ok()
    }
}
