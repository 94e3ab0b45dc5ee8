//! Many items on a heap: in memory while they are few, in one private temporary file once they are many. Knows
//! nothing of what the items are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use zstd::bulk::{Compressor, Decompressor};

/// Bytes that are compressed together where items are read in about the order in which they came: enough for names
/// to repeat.
pub const IN_ORDER: usize = 1 << 15;

/// The same where they are read in another order, and each read costs a whole block.
pub const IN_DISORDER: usize = 1 << 12;

/// Level of compression: the fastest, since the file is read back once.
const LEVEL: i32 = 1;

/// Longest item. The lines that sightings come from are no longer.
const MAX_ITEM: usize = 1 << 24;

/// How an item lies in a file.
#[derive(Clone, Copy, Debug)]
pub struct Form<T> {
    /// Appends the item's bytes.
    pub pack: fn(&T, &mut Vec<u8>),
    /// The item of these bytes.
    pub unpack: fn(&[u8]) -> Option<T>,
    /// Bytes that are compressed together.
    pub block: usize,
}

/// Items by number, in the order in which they came.
#[derive(Debug)]
pub struct Pile<T> {
    form: Form<T>,
    /// Items that memory has room for.
    room: usize,
    place: Place<T>,
}

#[derive(Debug)]
enum Place<T> {
    Memory(Vec<T>),
    File(Box<Far>),
}

impl<T: Clone> Pile<T> {
    /// An empty pile that moves to a file when there are more items than `room`.
    pub fn new(form: Form<T>, room: usize) -> Self {
        Self {
            form,
            room,
            place: Place::Memory(Vec::new()),
        }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        match &self.place {
            Place::Memory(items) => items.len(),
            Place::File(far) => far.items.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the items lie in a file.
    pub fn is_far(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// Adds an item.
    pub fn push(&mut self, item: T) -> io::Result<()> {
        match &mut self.place {
            Place::Memory(items) if items.len() < self.room => {
                items.push(item);
                Ok(())
            }
            Place::Memory(items) => {
                let mut far = Far::new(self.form.block)?;
                for item in std::mem::take(items) {
                    far.push(&item, self.form.pack)?;
                }
                far.push(&item, self.form.pack)?;
                self.place = Place::File(Box::new(far));
                Ok(())
            }
            Place::File(far) => far.push(&item, self.form.pack),
        }
    }

    /// Puts another item in the place of one.
    pub fn replace(&mut self, number: usize, item: T) -> io::Result<()> {
        match &mut self.place {
            Place::Memory(items) => {
                if let Some(slot) = items.get_mut(number) {
                    *slot = item;
                }
                Ok(())
            }
            Place::File(far) => {
                far.push(&item, self.form.pack)?;
                if let (Some(place), Some(slot)) = (far.items.pop(), far.items.get_mut(number)) {
                    *slot = place;
                }
                Ok(())
            }
        }
    }

    /// An item. Items that came one after the other are read fastest in that order.
    pub fn get(&mut self, number: usize) -> io::Result<T> {
        let item = match &mut self.place {
            Place::Memory(items) => items.get(number).cloned(),
            Place::File(far) => (self.form.unpack)(far.bytes(number)?),
        };
        item.ok_or_else(unreadable)
    }

    /// An item, packed.
    pub fn packed(&mut self, number: usize) -> io::Result<Vec<u8>> {
        match &mut self.place {
            Place::Memory(items) => {
                let item = items.get(number).ok_or_else(unreadable)?;
                let mut packed = Vec::new();
                (self.form.pack)(item, &mut packed);
                Ok(packed)
            }
            Place::File(far) => far.bytes(number).map(<[u8]>::to_vec),
        }
    }

    /// All items, when they are in memory; else the pile.
    pub fn in_memory(self) -> Result<Vec<T>, Self> {
        match self.place {
            Place::Memory(items) => Ok(items),
            Place::File(_) => Err(self),
        }
    }
}

/// Blocks of packed items in a file that has no name.
struct Far {
    file: File,
    block_size: usize,
    written: u64,
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
    /// By item: its block, and where in it.
    items: Vec<(u32, u32)>,
    /// By block: where it ends in the file.
    ends: Vec<u64>,
    /// The block that is filled.
    open: Vec<u8>,
    /// The block that was read last.
    read: Option<u32>,
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl std::fmt::Debug for Far {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Far({} items)", self.items.len())
    }
}

impl Far {
    fn new(block_size: usize) -> io::Result<Self> {
        Ok(Self {
            block_size,
            // Unlinked before anything is written, and nobody else's to open.
            file: tempfile::tempfile().map_err(|error| no_room(&error))?,
            written: 0,
            compressor: Compressor::new(LEVEL)?,
            decompressor: Decompressor::new()?,
            items: Vec::new(),
            ends: Vec::new(),
            open: Vec::new(),
            read: None,
            block: Vec::new(),
            packed: Vec::new(),
        })
    }

    fn push<T>(&mut self, item: &T, pack: fn(&T, &mut Vec<u8>)) -> io::Result<()> {
        self.packed.clear();
        pack(item, &mut self.packed);
        let len = u32::try_from(self.packed.len()).ok();
        let len = len.filter(|len| *len as usize <= MAX_ITEM);
        let len = len.ok_or_else(|| io::Error::other("a sighting is too long to be kept"))?;
        let numbers = (self.ends.len(), self.open.len());
        let (Ok(block), Ok(at)) = (u32::try_from(numbers.0), u32::try_from(numbers.1)) else {
            return Err(io::Error::other("there are too many sightings to be kept"));
        };
        self.items.push((block, at));
        self.open.extend_from_slice(&len.to_le_bytes());
        self.open.extend_from_slice(&self.packed);
        if self.open.len() >= self.block_size {
            self.close_block()?;
        }
        Ok(())
    }

    fn close_block(&mut self) -> io::Result<()> {
        let compressed = self.compressor.compress(&self.open)?;
        self.file
            .seek(SeekFrom::Start(self.written))
            .and_then(|_| self.file.write_all(&compressed))
            .map_err(|error| no_room(&error))?;
        self.written += compressed.len() as u64;
        self.ends.push(self.written);
        self.open.clear();
        Ok(())
    }

    fn bytes(&mut self, number: usize) -> io::Result<&[u8]> {
        let (block, at) = self.items.get(number).copied().ok_or_else(unreadable)?;
        let block = if block as usize == self.ends.len() {
            &self.open
        } else {
            self.fetch(block)?;
            &self.block
        };
        let item = block.get(at as usize..).and_then(|rest| {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            rest.get(..u32::from_le_bytes(*len) as usize)
        });
        item.ok_or_else(unreadable)
    }

    fn fetch(&mut self, block: u32) -> io::Result<()> {
        if self.read == Some(block) {
            return Ok(());
        }
        self.read = None;
        let end = |block: usize| self.ends.get(block).copied();
        let start = match (block as usize).checked_sub(1) {
            None => 0,
            Some(before) => end(before).ok_or_else(unreadable)?,
        };
        let end = end(block as usize).ok_or_else(unreadable)?;
        self.file.seek(SeekFrom::Start(start))?;
        self.packed.clear();
        let len = end.saturating_sub(start);
        (&self.file).take(len).read_to_end(&mut self.packed)?;
        self.block = self
            .decompressor
            .decompress(&self.packed, self.block_size + 4 + MAX_ITEM)?;
        self.read = Some(block);
        Ok(())
    }
}

fn no_room(error: &io::Error) -> io::Error {
    let message = format!(
        "cannot keep the sightings in a temporary file: {error}; TMPDIR names the folder for it"
    );
    io::Error::new(error.kind(), message)
}

fn unreadable() -> io::Error {
    io::Error::other("the temporary file of the sightings cannot be read back")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form<String> = Form {
        pack: |item, out| out.extend_from_slice(item.as_bytes()),
        unpack: |bytes| String::from_utf8(bytes.to_vec()).ok(),
        block: IN_DISORDER,
    };

    fn item(number: usize) -> String {
        format!("{number} ").repeat(number % 97)
    }

    #[test]
    fn items_are_the_same_in_memory_and_in_a_file() {
        let mut near = Pile::new(FORM, usize::MAX);
        let mut far = Pile::new(FORM, 10);
        for number in 0..5_000 {
            near.push(item(number)).unwrap();
            far.push(item(number)).unwrap();
        }
        assert!(far.is_far() && !near.is_far());
        for number in [0, 4_999, 11, 10, 9, 2_500, 4_998] {
            assert_eq!(far.get(number).unwrap(), item(number));
            assert_eq!(near.get(number).unwrap(), item(number));
            assert_eq!(far.packed(number).unwrap(), item(number).as_bytes());
            assert_eq!(near.packed(number).unwrap(), item(number).as_bytes());
        }
        assert!(far.get(5_000).is_err() && near.get(5_000).is_err());
        far.replace(7, "seven".into()).unwrap();
        near.replace(7, "seven".into()).unwrap();
        for number in 0..5_000 {
            assert_eq!(far.get(number).unwrap(), near.get(number).unwrap());
        }
        assert_eq!((far.len(), near.len()), (5_000, 5_000));
        assert!(far.in_memory().is_err());
        assert_eq!(near.in_memory().unwrap().len(), 5_000);
    }
}
