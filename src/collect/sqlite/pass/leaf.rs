//! The rows of one leaf of a table, and the values of some columns out of their records, where they lie. Gives up at
//! whatever is not as SQLite writes it (file format §1.6, §2.1). Follows no page.

use super::Met;
use crate::collect::sqlite::page::{Kind, Layout, serial, u16_at, varint};

/// Bytes of a leaf's own header, and of the smallest cell (file format §1.6).
const HEADER: usize = 8;
const SMALLEST_CELL: usize = 4;

/// Bytes of a value by its serial type, where that is one byte: nearly all are (file format §2.1).
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler runs it"
)]
const LENGTHS: [u8; 256] = {
    let mut lengths = [OTHER; 256];
    let numbers = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
    let mut code = 0;
    while code < 128 {
        if code < numbers.len() {
            lengths[code] = numbers[code];
        } else if code >= 12 {
            lengths[code] = ((code - 12) / 2) as u8;
        }
        code += 1;
    }
    lengths
};

/// A serial type that is longer, or reserved. No length has this bit.
const OTHER: u8 = 0x80;

/// A leaf of a table.
pub(super) struct Leaf<'a> {
    pub(super) page: &'a [u8],
    pub(super) layout: Layout,
    /// Whether it is all of the table.
    pub(super) is_root: bool,
}

impl Leaf<'_> {
    /// Gives the values of these columns, which ascend, of its rows, whose rowids ascend from behind `after` to
    /// `greatest` at most.
    pub(super) fn pass(
        &self,
        after: Option<i64>,
        greatest: i64,
        columns: &[usize],
        each: &mut impl FnMut(i64, Met<'_>) -> bool,
    ) -> Option<()> {
        let cells = usize::from(u16_at(self.page, 3)?);
        // Only a table without rows has a leaf without any.
        if cells == 0 && !self.is_root {
            return None;
        }
        let pointers_end = HEADER.checked_add(cells.checked_mul(2)?)?;
        let pointers = self.page.get(HEADER..pointers_end)?;
        let usable = self.layout.usable();
        let page = self.page.get(..usable)?;
        let last_begin = usable.checked_sub(SMALLEST_CELL)?;
        // Cells that overlap would be more text than there is.
        let mut room = usable;
        let mut last = after;
        for pointer in pointers.as_chunks().0 {
            let at = usize::from(u16::from_be_bytes(*pointer));
            if !(pointers_end..=last_begin).contains(&at) {
                return None;
            }
            let cell = page.get(at..)?;
            let (total, len) = short(cell)?;
            let (rowid, key_len) = short(cell.get(len..)?)?;
            let rowid = rowid.cast_signed();
            if last.is_some_and(|last| rowid <= last) {
                return None;
            }
            last = Some(rowid);
            let begin = len + key_len;
            let total = usize::try_from(total).ok()?;
            let local = self.layout.local(Kind::TableLeaf, total);
            let spilled = local < total;
            let end = begin.checked_add(local)? + if spilled { 4 } else { 0 };
            let end = end.max(SMALLEST_CELL);
            if end > cell.len() {
                return None;
            }
            room = room.checked_sub(end)?;
            if spilled {
                each(rowid, Met::Elsewhere).then_some(())?;
                continue;
            }
            let record = cell.get(begin..)?.get(..total)?;
            values(record, columns, &mut |met| each(rowid, met))?;
        }
        last.is_none_or(|last| last <= greatest).then_some(())
    }
}

/// Gives the values of these columns, which ascend, out of a record that is all there. Checks what SQLite checks
/// when it reads the last of them.
fn values(record: &[u8], columns: &[usize], each: &mut impl FnMut(Met<'_>) -> bool) -> Option<()> {
    let (header, len) = short(record)?;
    let mut end = usize::try_from(header).ok()?;
    let mut types = record.get(..end)?.get(len..)?;
    let mut column = 0;
    for &wanted in columns {
        let (skipped, values) = skip(types, wanted.checked_sub(column)?)?;
        types = types.get(skipped..)?;
        end = end.checked_add(values)?;
        // A record that was written before its table had the column ends before it.
        if types.is_empty() {
            break;
        }
        let (code, len) = short(types)?;
        types = types.get(len..)?;
        column = wanted + 1;
        let begin = end;
        end = end.checked_add(length(code)?)?;
        let met = match code {
            0 => continue,
            1..12 => Met::Elsewhere,
            _ => Met::Bytes(record.get(begin..end)?),
        };
        each(met).then_some(())?;
    }
    let is_whole = end <= record.len() && (!types.is_empty() || end == record.len());
    is_whole.then_some(())
}

/// The bytes of the first serial types, fewer only where they end, and those of their values.
#[inline]
fn skip(types: &[u8], columns: usize) -> Option<(usize, usize)> {
    if let Some(types) = types.get(..columns) {
        let (mut values, mut all) = (0, 0);
        for &code in types {
            let length = LENGTHS.get(usize::from(code)).copied().unwrap_or(OTHER);
            values += usize::from(length);
            all |= length;
        }
        if all & OTHER == 0 {
            return Some((columns, values));
        }
    }
    skip_any(types, columns)
}

#[inline(never)]
fn skip_any(types: &[u8], columns: usize) -> Option<(usize, usize)> {
    let (mut at, mut values) = (0, 0_usize);
    for _ in 0..columns {
        let rest = types.get(at..).filter(|rest| !rest.is_empty());
        let Some(rest) = rest else { break };
        let (code, len) = short(rest)?;
        values = values.checked_add(length(code)?)?;
        at += len;
    }
    Some((at, values))
}

/// Bytes of a value by its serial type.
#[inline]
fn length(code: u64) -> Option<usize> {
    let index = usize::try_from(code).unwrap_or(usize::MAX);
    match LENGTHS.get(index) {
        Some(&length) if length != OTHER => Some(usize::from(length)),
        _ => Some(serial(code)?.1),
    }
}

/// The variable-length integer that these bytes begin with, and its length: mostly one to three bytes.
#[inline]
fn short(bytes: &[u8]) -> Option<(u64, usize)> {
    match *bytes {
        [one @ ..0x80, ..] => Some((u64::from(one), 1)),
        _ => longer(bytes),
    }
}

#[inline(never)]
fn longer(bytes: &[u8]) -> Option<(u64, usize)> {
    let low = |byte: u8| u64::from(byte & 0x7f);
    match *bytes {
        [one, two @ ..0x80, ..] => Some((low(one) << 7 | low(two), 2)),
        [one, two, three @ ..0x80, ..] => Some((low(one) << 14 | low(two) << 7 | low(three), 3)),
        _ => varint(bytes, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_those_of_the_file_format() {
        let mut bytes = [0; 12];
        for seed in 0..20_000_u64 {
            let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            bytes[..8].copy_from_slice(&random);
            for len in 0..bytes.len() {
                assert_eq!(short(&bytes[..len]), varint(&bytes[..len], 0));
            }
        }
    }

    #[test]
    fn types_of_any_length_are_skipped() {
        // As the file format writes them: a NULL, numbers, texts and blobs, short and long.
        let written: [(&[u8], Option<usize>); 8] = [
            (&[0], Some(0)),
            (&[4], Some(4)),
            (&[7], Some(8)),
            (&[13], Some(0)),
            (&[0x7f], Some(57)),
            (&[0x81, 0x00], Some(58)),
            (&[0x83, 0xe8, 0x00], Some(31_226)),
            (&[10], None),
        ];
        for one in written {
            for two in written {
                for three in written {
                    let all = [one, two, three];
                    let types = all.map(|(bytes, _)| bytes).concat();
                    for count in 0..5 {
                        let first = &all[..count.min(3)];
                        let bytes = first.iter().map(|(bytes, _)| bytes.len()).sum();
                        let values: Option<usize> = first.iter().map(|(_, length)| *length).sum();
                        let skipped = values.map(|values| (bytes, values));
                        assert_eq!(skip(&types, count), skipped, "{types:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lengths_are_those_of_the_file_format() {
        for code in 0..1_000 {
            let theirs = serial(code).map(|(_, length)| length);
            assert_eq!(length(code), theirs, "{code}");
        }
    }
}
