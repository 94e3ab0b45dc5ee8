//! Packed items, compressed many at a time: in memory, and in a file that has no name once they are many. What is read
//! back was written by this process. A part of `pile`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use zstd::bulk::{Compressor, Decompressor};

/// Bytes that are compressed together: enough for names to repeat.
const BLOCK: usize = 1 << 15;

/// Level of compression: the fastest, since it is read back once for each report.
const LEVEL: i32 = 1;

/// Bytes of the blocks that are open at a time where items are read in an order: one block for each run that is merged,
/// for some hundred runs. More of them read some blocks again.
const OPEN: usize = 16 << 20;

/// Bytes that are copied at a time.
const COPIED: u64 = 1 << 20;

/// Compressed bytes that are kept in memory: some ten thousand findings, for which no file is worth its while.
const IN_MEMORY: usize = 16 << 20;

/// Items by number.
pub(super) struct Blocks {
    store: Store,
    in_memory: usize,
    /// By item: its block, and where in it.
    items: Vec<(u32, u32)>,
    closed: Vec<Closed>,
    /// The block that is filled.
    open: Vec<u8>,
    packed: Vec<u8>,
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
    /// The block that was read last.
    read: Option<(u32, Vec<u8>)>,
}

/// A block in the store, behind those before.
#[derive(Clone, Copy)]
struct Closed {
    /// Where it ends.
    end: u64,
    /// Bytes of its items.
    len: u32,
}

enum Store {
    Memory(Vec<u8>),
    File(File),
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocks({} items)", self.items.len())
    }
}

impl Blocks {
    pub(super) fn new() -> io::Result<Self> {
        Self::up_to(IN_MEMORY)
    }

    /// The same with another bound for what is kept in memory.
    pub(super) fn up_to(in_memory: usize) -> io::Result<Self> {
        Ok(Self {
            store: Store::Memory(Vec::new()),
            in_memory,
            items: Vec::new(),
            closed: Vec::new(),
            open: Vec::new(),
            packed: Vec::new(),
            compressor: Compressor::new(LEVEL)?,
            decompressor: Decompressor::new()?,
            read: None,
        })
    }

    #[cfg(test)]
    pub(super) fn is_in_file(&self) -> bool {
        matches!(self.store, Store::File(_))
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn push<T>(&mut self, item: &T, pack: fn(&T, &mut Vec<u8>)) -> io::Result<()> {
        self.packed.clear();
        pack(item, &mut self.packed);
        let len = u32::try_from(self.packed.len()).map_err(|_| too_much())?;
        let at = u32::try_from(self.open.len()).map_err(|_| too_much())?;
        self.items.push((self.next_block()?, at));
        self.open.extend_from_slice(&len.to_le_bytes());
        self.open.extend_from_slice(&self.packed);
        if self.open.len() >= BLOCK {
            self.close()?;
        }
        Ok(())
    }

    pub(super) fn replace<T>(
        &mut self,
        number: usize,
        item: &T,
        pack: fn(&T, &mut Vec<u8>),
    ) -> io::Result<()> {
        self.push(item, pack)?;
        if let (Some(place), Some(slot)) = (self.items.pop(), self.items.get_mut(number)) {
            *slot = place;
        }
        Ok(())
    }

    /// Adds the blocks of another one behind its own, as they are.
    pub(super) fn join(&mut self, mut other: Self) -> io::Result<()> {
        self.close()?;
        other.close()?;
        let (written, blocks) = (self.written(), self.next_block()?);
        let len = other.written();
        let mut at = 0;
        while at < len {
            let bytes = other.store.read(at, COPIED.min(len - at))?;
            self.append(written + at, &bytes)?;
            at += bytes.len() as u64;
        }
        self.closed.extend(other.closed.iter().map(|it| Closed {
            end: written + it.end,
            len: it.len,
        }));
        for (block, at) in other.items {
            let block = blocks.checked_add(block).ok_or_else(too_much)?;
            self.items.push((block, at));
        }
        Ok(())
    }

    /// An item's bytes.
    pub(super) fn get(&mut self, number: usize) -> io::Result<&[u8]> {
        let (block, at) = *self.items.get(number).ok_or_else(unreadable)?;
        if block as usize == self.closed.len() {
            return item(&self.open, at);
        }
        if self.read.as_ref().is_none_or(|(read, _)| *read != block) {
            self.read = None;
            let bytes = block_of(&self.store, &self.closed, block, &mut self.decompressor)?;
            self.read = Some((block, bytes));
        }
        let (_, bytes) = self.read.as_ref().ok_or_else(unreadable)?;
        item(bytes, at)
    }

    /// For reading these items.
    pub(super) fn in_order(&self, order: &[u32]) -> io::Result<InOrder<'_>> {
        let mut left = vec![0_u32; self.closed.len()];
        for number in order {
            let place = self.items.get(*number as usize);
            if let Some(count) = place.and_then(|(block, _)| left.get_mut(*block as usize)) {
                *count = count.saturating_add(1);
            }
        }
        Ok(InOrder {
            blocks: self,
            decompressor: Decompressor::new()?,
            left,
            held: HashMap::new(),
            size: 0,
        })
    }

    fn written(&self) -> u64 {
        self.closed.last().map_or(0, |last| last.end)
    }

    fn next_block(&self) -> io::Result<u32> {
        u32::try_from(self.closed.len()).map_err(|_| too_much())
    }

    /// Closes the block that is filled.
    fn close(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let compressed = self.compressor.compress(&self.open)?;
        let written = self.written();
        self.append(written, &compressed)?;
        self.closed.push(Closed {
            end: written + compressed.len() as u64,
            len: u32::try_from(self.open.len()).map_err(|_| too_much())?,
        });
        self.open.clear();
        Ok(())
    }

    /// Puts bytes at the end of the store, which is there.
    fn append(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let kept = match &mut self.store {
            Store::Memory(all) if all.len().saturating_add(bytes.len()) <= self.in_memory => {
                all.extend_from_slice(bytes);
                return Ok(());
            }
            Store::Memory(all) => std::mem::take(all),
            Store::File(file) => return write_at(file, at, bytes).map_err(|error| no_room(&error)),
        };
        let moved = || -> io::Result<File> {
            // Unlinked before anything is written, and nobody else's to open.
            let mut file = tempfile::tempfile()?;
            file.write_all(&kept)?;
            write_at(&mut file, at, bytes)?;
            Ok(file)
        };
        self.store = Store::File(moved().map_err(|error| no_room(&error))?);
        Ok(())
    }
}

impl Store {
    fn read(&self, at: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Memory(all) => {
                let mut from = io::Cursor::new(all);
                from.set_position(at);
                from.take(len).read_to_end(&mut bytes)?;
            }
            Self::File(file) => {
                let mut file: &File = file;
                file.seek(SeekFrom::Start(at))?;
                file.take(len).read_to_end(&mut bytes)?;
            }
        }
        if bytes.len() as u64 == len {
            Ok(bytes)
        } else {
            Err(unreadable())
        }
    }
}

/// Reads items in an order that is known before. A block is let go with the last of its items.
pub(super) struct InOrder<'a> {
    blocks: &'a Blocks,
    decompressor: Decompressor<'static>,
    /// By block: how many of its items are still to be read.
    left: Vec<u32>,
    held: HashMap<u32, Vec<u8>>,
    /// Bytes of these.
    size: usize,
}

impl std::fmt::Debug for InOrder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InOrder({:?})", self.blocks)
    }
}

impl InOrder<'_> {
    /// The bytes of the item that is the next one in the order.
    pub(super) fn take(&mut self, number: usize) -> io::Result<Vec<u8>> {
        let blocks = self.blocks;
        let (block, at) = *blocks.items.get(number).ok_or_else(unreadable)?;
        if block as usize == blocks.closed.len() {
            return item(&blocks.open, at).map(<[u8]>::to_vec);
        }
        if !self.held.contains_key(&block) {
            while self.size > OPEN
                && let Some(any) = self.held.keys().next().copied()
            {
                // Whichever it is, it can be read again.
                self.let_go(any);
            }
            let bytes = block_of(&blocks.store, &blocks.closed, block, &mut self.decompressor)?;
            self.size += bytes.len();
            self.held.insert(block, bytes);
        }
        let taken = item(self.held.get(&block).ok_or_else(unreadable)?, at)?.to_vec();
        if let Some(left) = self.left.get_mut(block as usize) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.let_go(block);
            }
        }
        Ok(taken)
    }

    fn let_go(&mut self, block: u32) {
        let bytes = self.held.remove(&block).unwrap_or_default();
        self.size = self.size.saturating_sub(bytes.len());
    }
}

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// The items of a block that is closed.
fn block_of(
    store: &Store,
    closed: &[Closed],
    block: u32,
    decompressor: &mut Decompressor<'static>,
) -> io::Result<Vec<u8>> {
    let (before, rest) = closed
        .split_at_checked(block as usize)
        .ok_or_else(unreadable)?;
    let start = before.last().map_or(0, |last| last.end);
    let Closed { end, len } = *rest.first().ok_or_else(unreadable)?;
    let bytes = store.read(start, end.saturating_sub(start))?;
    decompressor.decompress(&bytes, len as usize)
}

/// The item at this place of a block.
fn item(block: &[u8], at: u32) -> io::Result<&[u8]> {
    let item = block.get(at as usize..).and_then(|rest| {
        let (len, rest) = rest.split_first_chunk::<4>()?;
        rest.get(..u32::from_le_bytes(*len) as usize)
    });
    item.ok_or_else(unreadable)
}

fn no_room(error: &io::Error) -> io::Error {
    let message = format!(
        "cannot keep what was found in a temporary file: {error}; TMPDIR names the folder for it"
    );
    io::Error::new(error.kind(), message)
}

fn too_much() -> io::Error {
    io::Error::other("there is more to report than can be kept; scan the evidence in parts")
}

pub(super) fn unreadable() -> io::Error {
    io::Error::other("what was kept for the report cannot be read back")
}
