//! Snappy's raw block format, as LevelDB and Firefox's web storage have it: a length, then copies and
//! literals. Knows nothing of what is inside. The format is that of `format_description.txt` of the Snappy
//! sources.

/// Bytes that one byte of a block can become: the shortest copy takes two and gives 64, so a length beyond
/// this is a lie.
const MAX_RATIO: usize = 64;

/// Unpacks a whole block, if it is no longer than `cap` bytes. `None` where the block breaks a rule of the
/// format: it ends early, reaches back before its start, or is not as long as it says.
pub(in crate::collect) fn decode(block: &[u8], cap: usize) -> Option<Vec<u8>> {
    let mut rest = block;
    let len = usize::try_from(varint(&mut rest)?).ok()?;
    if len > cap || len > rest.len().saturating_mul(MAX_RATIO) {
        return None;
    }
    let mut out = Vec::with_capacity(len);
    unpack(&mut rest, len, &mut out)?;
    rest.is_empty().then_some(out)
}

/// Unpacks the block that these bytes begin with, and tells how many bytes it took. What is cut off, or breaks
/// a rule, is unpacked up to there.
pub(in crate::collect) fn prefix(bytes: &[u8], cap: usize) -> Option<(Vec<u8>, usize)> {
    let mut rest = bytes;
    let len = usize::try_from(varint(&mut rest)?).ok()?;
    let mut out = Vec::new();
    (len <= cap).then_some(())?;
    let _cut_off = unpack(&mut rest, len, &mut out);
    Some((out, bytes.len().saturating_sub(rest.len())))
}

/// Unpacks until there are so many bytes.
fn unpack(rest: &mut &[u8], len: usize, out: &mut Vec<u8>) -> Option<()> {
    while out.len() < len {
        let tag = byte(rest)?;
        match tag & 3 {
            0 => literal(tag, rest, out, len)?,
            // The offset has eleven bits, three of them in the tag.
            1 => {
                let high = usize::from(tag >> 5) << 8;
                let offset = high | little_endian(rest, 1)?;
                copy(out, offset, usize::from(tag >> 2 & 7) + 4, len)?;
            }
            2 => {
                let offset = little_endian(rest, 2)?;
                copy(out, offset, usize::from(tag >> 2) + 1, len)?;
            }
            _ => {
                let offset = little_endian(rest, 4)?;
                copy(out, offset, usize::from(tag >> 2) + 1, len)?;
            }
        }
    }
    Some(())
}

/// Bytes as they are. Lengths above 60 follow the tag.
fn literal(tag: u8, rest: &mut &[u8], out: &mut Vec<u8>, limit: usize) -> Option<()> {
    let len = match usize::from(tag >> 2) {
        short @ 0..60 => short,
        long => little_endian(rest, long - 59)?,
    };
    let (bytes, behind) = rest.split_at_checked(len.checked_add(1)?)?;
    (out.len().checked_add(bytes.len())? <= limit).then_some(())?;
    out.extend_from_slice(bytes);
    *rest = behind;
    Some(())
}

/// Bytes that came before; a copy longer than its offset repeats itself.
fn copy(out: &mut Vec<u8>, offset: usize, len: usize, limit: usize) -> Option<()> {
    let start = out.len().checked_sub(offset).filter(|_| offset > 0)?;
    if out.len().checked_add(len)? > limit {
        return None;
    }
    if offset >= len {
        out.extend_from_within(start..start.checked_add(len)?);
        return Some(());
    }
    for at in (start..).take(len) {
        let again = *out.get(at)?;
        out.push(again);
    }
    Some(())
}

/// Seven bits a byte, the lowest first, at most 32 bits.
fn varint(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let next = byte(rest)?;
        let bits = u32::from(next & 0x7f);
        number |= bits.checked_mul(1 << shift)?;
        if next & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn little_endian(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    let (number, behind) = rest.split_at_checked(bytes)?;
    *rest = behind;
    Some(
        number
            .iter()
            .rev()
            .fold(0, |all, byte| all << 8 | usize::from(*byte)),
    )
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: usize = 1 << 20;

    #[test]
    fn literals_and_copies_of_every_form() {
        // Length 11, the literal `abcd`, a copy of 4 from 4 back, a copy of 3 from 1 back.
        let block = b"\x0b\x0cabcd\x01\x04\x0a\x01\x00";
        assert_eq!(decode(block, CAP).unwrap(), b"abcdabcdddd");
        // The same with offsets of four bytes.
        let block = b"\x0b\x0cabcd\x0f\x04\x00\x00\x00\x0b\x01\x00\x00\x00";
        assert_eq!(decode(block, CAP).unwrap(), b"abcdabcdddd");
        assert_eq!(decode(b"\x00", CAP).unwrap(), b"");
    }

    #[test]
    fn long_literals_state_their_length_behind_the_tag() {
        for (tag, len) in [(60_u8, 200_usize), (61, 70_000)] {
            let text: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            let mut block = Vec::new();
            let mut rest = len;
            while rest > 0x7f {
                block.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
                rest >>= 7;
            }
            block.push(u8::try_from(rest).unwrap());
            block.push(tag << 2);
            block.extend_from_slice(&(len - 1).to_le_bytes()[..usize::from(tag) - 59]);
            if len > 0x1_0000 {
                // Two bytes cannot hold it.
                assert_eq!(decode(&[&block[..], &text].concat(), CAP), None);
                continue;
            }
            assert_eq!(decode(&[&block[..], &text].concat(), CAP).unwrap(), text);
        }
    }

    #[test]
    fn a_block_that_lies_gives_nothing() {
        // A copy from before the start, of offset 0, beyond the stated length; a bomb; a length of 33 bits.
        for block in [
            &b"\x08\x0cabcd\x01\x05"[..],
            b"\x08\x0cabcd\x01\x00",
            b"\x05\x0cabcd\x01\x04",
            b"\x80\x80\x80\x80\x01\x00a",
            b"\xff\xff\xff\xff\x1f\x00a",
            b"",
        ] {
            assert_eq!(decode(block, usize::MAX), None, "{block:?}");
        }
        assert_eq!(decode(b"\x0b\x0cabcd\x01\x04\x0a\x01\x00", 10), None);
    }

    #[test]
    fn a_block_without_a_known_end_is_unpacked_as_far_as_it_goes() {
        let block = b"\x0b\x0cabcd\x01\x04\x0a\x01\x00";
        let and_more = [&block[..], b"more"].concat();
        assert_eq!(
            prefix(&and_more, CAP),
            Some((b"abcdabcdddd".to_vec(), block.len()))
        );
        let (cut, _) = prefix(&block[..8], CAP).unwrap();
        assert_eq!(cut, b"abcdabcd");
        assert_eq!(prefix(block, 10), None);
        assert_eq!(prefix(b"", CAP), None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_survived() {
        let block = b"\x0b\x0cabcd\x01\x04\x0a\x01\x00";
        for len in 0..block.len() {
            assert_eq!(decode(&block[..len], CAP), None, "{len}");
        }
        for at in 0..block.len() * 8 {
            let mut flipped = *block;
            flipped[at / 8] ^= 1 << (at % 8);
            let length = usize::from(flipped[0]);
            assert!(decode(&flipped, CAP).is_none_or(|out| out.len() == length));
        }
    }
}
