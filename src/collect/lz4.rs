//! One block of LZ4 (`lz4_Block_format.md` of the LZ4 project). Bounded by the size that the caller allows, and keeps
//! what came before damage.

use super::cursor::Cursor;

/// How a block ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// With its last literals.
    Whole,
    /// Where the bound was: there is more.
    Bound,
    /// Inside a sequence, or in one that breaks the rules.
    Damaged,
}

/// A match is at least so long.
const MIN_MATCH: usize = 4;

/// Decodes a block, up to `limit` bytes.
pub(super) fn block(block: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    let mut cursor = Cursor::new(block);
    while !cursor.is_empty() {
        if let Err(end) = sequence(&mut cursor, &mut out, limit) {
            return (out, end);
        }
    }
    (out, End::Whole)
}

/// Literals, then a copy of what came before. The last sequence has literals only.
fn sequence(cursor: &mut Cursor<'_>, out: &mut Vec<u8>, limit: usize) -> Result<(), End> {
    let token = cursor.u8().ok_or(End::Damaged)?;
    let literals = length(cursor, token >> 4).ok_or(End::Damaged)?;
    let space = limit.saturating_sub(out.len());
    let there = cursor.rest().len();
    let literals_there = cursor.take(literals.min(there)).ok_or(End::Damaged)?;
    out.extend_from_slice(literals_there.get(..space).unwrap_or(literals_there));
    if literals_there.len() > space {
        return Err(End::Bound);
    }
    if literals > there {
        return Err(End::Damaged);
    }
    if cursor.is_empty() {
        return Ok(());
    }
    // A copy is never empty.
    if out.len() >= limit {
        return Err(End::Bound);
    }
    copy(cursor, token & 15, out, limit)
}

/// A copy: how far back it begins, and the rest of its length, of which the token has `bits`.
fn copy(cursor: &mut Cursor<'_>, bits: u8, out: &mut Vec<u8>, limit: usize) -> Result<(), End> {
    let distance = usize::from(cursor.u16_le().ok_or(End::Damaged)?);
    let wanted = length(cursor, bits).ok_or(End::Damaged)?;
    let wanted = wanted.saturating_add(MIN_MATCH);
    let len = wanted.min(limit.saturating_sub(out.len()));
    let from = out.len().checked_sub(distance).filter(|_| distance > 0);
    let from = from.ok_or(End::Damaged)?;
    // A copy may reach into itself: what is there is repeated.
    let mut left = len;
    while left > 0 {
        let end = from.saturating_add(left).min(out.len());
        let start = out.len();
        out.extend_from_within(from..end);
        left = left.saturating_sub(out.len().saturating_sub(start));
    }
    if len < wanted {
        return Err(End::Bound);
    }
    Ok(())
}

/// Four bits of the token; 15 goes on in further bytes, the last of which is not 255.
fn length(cursor: &mut Cursor<'_>, bits: u8) -> Option<usize> {
    let mut length = usize::from(bits);
    if bits == 15 {
        loop {
            let more = cursor.u8()?;
            length = length.saturating_add(usize::from(more));
            if more != 255 {
                break;
            }
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_copies_are_put_together() {
        // "abcabcabcabcX": three literals, a copy of nine bytes from three back, then the last literal.
        let packed = [0x35, b'a', b'b', b'c', 3, 0, 0x10, b'X'];
        assert_eq!(block(&packed, 100), (b"abcabcabcabcX".to_vec(), End::Whole));
    }

    #[test]
    fn what_goes_on_beyond_the_bound_is_not_whole() {
        // "abcabcabcabcX": the bound is in the literals, behind them, in the copy, behind it, and at the end.
        let packed = [0x35, b'a', b'b', b'c', 3, 0, 0x10, b'X'];
        for (limit, end) in [
            (0, End::Bound),
            (2, End::Bound),
            (3, End::Bound),
            (5, End::Bound),
            (12, End::Bound),
            (13, End::Whole),
        ] {
            let text = b"abcabcabcabcX".get(..limit).unwrap().to_vec();
            assert_eq!(block(&packed, limit), (text, end), "{limit}");
        }
        // Nothing, as an encoder writes it.
        assert_eq!(block(&[0], 0), (Vec::new(), End::Whole));
    }

    #[test]
    fn long_lengths_go_on() {
        let mut packed = vec![0xf0, 255, 0];
        packed.extend([b'x'; 270]);
        assert_eq!(block(&packed, 1000), (vec![b'x'; 270], End::Whole));
    }

    #[test]
    fn damage_keeps_what_came_before() {
        for damaged in [
            &[0x35, b'a', b'b', b'c', 9, 0][..],
            &[0x35, b'a', b'b', b'c', 0, 0][..],
            &[0x35, b'a', b'b', b'c', 3][..],
            &[0x50, b'a', b'b', b'c'][..],
            &[0x3f, b'a', b'b', b'c', 3, 0, 255][..],
        ] {
            assert_eq!(block(damaged, 100), (b"abc".to_vec(), End::Damaged));
        }
        assert_eq!(block(&[0xf0, 255], 100).1, End::Damaged);
    }

    #[test]
    fn a_bomb_is_bounded() {
        let mut packed = vec![0x1f, b'x', 1, 0];
        packed.extend(vec![255; 100_000]);
        packed.push(0);
        assert_eq!(block(&packed, 1 << 20).0.len(), 1 << 20);
    }
}
