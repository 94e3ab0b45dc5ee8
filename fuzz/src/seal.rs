//! Makes the checksums of a mutated input right, so that what is behind them is reached. Written after the
//! formats, and not after what reads them.

use std::ops::Range;

/// Big-endian 32 bits.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*four))
}

fn put(bytes: &mut [u8], at: usize, word: [u8; 4]) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&word);
    }
}

/// An input of the target `sqlite`.
pub fn sqlite(input: &mut [u8]) {
    let Some(([which, cut @ ..], bytes)) = input.split_first_chunk_mut::<4>() else {
        return;
    };
    let cut = usize::from(cut[0]) << 16 | usize::from(cut[1]) << 8 | usize::from(cut[2]);
    let (_, beside) = bytes.split_at_mut(cut.min(bytes.len()));
    let sealed = match *which & 1 {
        0 => write_ahead_log(beside),
        _ => journal(beside),
    };
    // A file that ends early is as good as one that does not.
    sealed.unwrap_or_default();
}

/// SQLite file format §4.1 and §4.2: each sum runs on from the one before.
fn write_ahead_log(log: &mut [u8]) -> Option<()> {
    let (magic, page) = (word(log, 0)?, word(log, 8)? as usize);
    let salts: [u8; 8] = *log.get(16..)?.first_chunk()?;
    let mut sum = (0, 0);
    let mut add = |bytes: &[u8]| {
        for words in bytes.chunks_exact(8) {
            let [a, b] = [0, 4].map(|at| word(words, at).unwrap_or_default());
            let [a, b] = [a, b].map(|it| if magic & 1 == 1 { it } else { it.swap_bytes() });
            sum.0 = a.wrapping_add(sum.0).wrapping_add(sum.1);
            sum.1 = b.wrapping_add(sum.1).wrapping_add(sum.0);
        }
        [sum.0.to_be_bytes(), sum.1.to_be_bytes()]
    };
    let [first, second] = add(log.get(..24)?);
    put(log, 24, first);
    put(log, 28, second);
    let mut at = 32;
    loop {
        add(log.get(at..at + 8)?);
        let [first, second] = add(log.get(at + 24..(at + 24).checked_add(page)?)?);
        log.get_mut(at + 8..at + 16)?.copy_from_slice(&salts);
        put(log, at + 16, first);
        put(log, at + 20, second);
        at += 24 + page;
    }
}

/// SQLite file format §3: the nonce and every 200th byte from the end of the page. One header is sealed.
fn journal(journal: &mut [u8]) -> Option<()> {
    let (nonce, sector, page) = (word(journal, 12)?, word(journal, 20)?, word(journal, 24)?);
    let page = page as usize;
    let mut at = sector as usize;
    loop {
        let content = journal.get(at.checked_add(4)?..(at + 4).checked_add(page)?)?;
        let picked = (1..).map_while(|step| page.checked_sub(step * 200));
        let sum = picked
            .filter(|offset| *offset > 0)
            .fold(nonce, |sum, offset| {
                sum.wrapping_add(u32::from(content[offset]))
            });
        put(journal, at + 4 + page, sum.to_be_bytes());
        at += page + 8;
    }
}

/// A write-ahead file of LevelDB (`doc/log_format.md`): blocks of 32 KiB, and records of a masked CRC-32C over
/// type and data, a length and a type.
pub fn leveldb(input: &mut [u8]) {
    for block in input.chunks_mut(32 * 1024) {
        let mut at = 0;
        while let Some(&[_, _, _, _, low, high, _]) =
            block.get(at..).and_then(|it| it.first_chunk())
        {
            let end = at + 7 + usize::from(u16::from_le_bytes([low, high]));
            let Some(crc) = masked(block, at + 6..end) else {
                break;
            };
            put(block, at, crc.to_le_bytes());
            at = end;
        }
    }
}

fn masked(bytes: &[u8], range: Range<usize>) -> Option<u32> {
    let crc = crc32c::crc32c(bytes.get(range)?);
    Some(crc.rotate_right(15).wrapping_add(0xa282_ead8))
}
