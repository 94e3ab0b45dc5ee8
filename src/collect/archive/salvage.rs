//! A zip whose central directory is missing: a download or a copy that was cut off. The members are found by
//! their own headers, one after the other.

use std::io::{self, BufReader, Read};

use super::super::decode::Encoding;
use super::super::span::Span;
use super::zip::{LOCAL, LOCAL_LEN, Method, member, number, widened};
use super::{Index, Loss, ReadError};

/// Bytes of the descriptor that may follow the data of a member (APPNOTE.TXT §4.3.9), its signature included.
const DESCRIPTOR: usize = 24;

/// Lists the members that are there.
pub(super) fn index(span: &Span, into: &mut Index) -> Result<(), ReadError> {
    let mut at = 0_u64;
    // The marker of a split archive.
    if span.bytes(0, 4)? == b"PK\x07\x08" {
        at = 4;
    }
    let mut found = 0_u64;
    let mut rest = String::new();
    while let Some(local) = Local::read(span, at)? {
        let data = at.saturating_add(local.header);
        let Some((packed, size)) = local.sizes(span, data, into) else {
            rest = format!(
                ", up to the one at byte {at}, of which the end cannot be told: it and what follows it were not read"
            );
            break;
        };
        found = found.saturating_add(1);
        if !local.put(at, packed, size, into) {
            return Ok(());
        }
        at = behind(span, data.saturating_add(packed))?;
    }
    into.problem(ReadError::Malformed(
        format!(
            "has no list of its members, like a copy that was cut off; {found} were found by their own headers{rest}"
        )
        .into(),
    ));
    Ok(())
}

/// A member's own header (APPNOTE.TXT §4.3.7).
pub(super) struct Local {
    flags: u64,
    method: Option<Method>,
    size: u64,
    stated: u64,
    name: Vec<u8>,
    pub(super) header: u64,
}

impl Local {
    pub(super) fn read(span: &Span, at: u64) -> Result<Option<Self>, ReadError> {
        let fixed = span.bytes(at, LOCAL_LEN)?;
        if !fixed.starts_with(LOCAL) || fixed.len() < LOCAL_LEN {
            return Ok(None);
        }
        let field = |at, width| number(&fixed, at, width).unwrap_or_default();
        let (flags, name, extra) = (field(6, 2), field(26, 2), field(28, 2));
        let name_at = at.saturating_add(LOCAL_LEN as u64);
        let bytes = |at, len: u64| span.bytes(at, usize::try_from(len).unwrap_or_default());
        let fields = bytes(name_at.saturating_add(name), extra)?;
        let [size, stated, _] = widened([field(22, 4), field(18, 4), 0], &fields);
        // Bit 3: checksum and sizes follow the data.
        let checksum = u32::try_from(field(14, 4)).ok().filter(|_| flags & 8 == 0);
        let method = u16::try_from(field(8, 2)).ok();
        Ok(Some(Self {
            flags,
            method: method.and_then(|number| Method::of(number, checksum)),
            size,
            stated,
            name: bytes(name_at, name)?,
            header: (LOCAL_LEN as u64)
                .saturating_add(name)
                .saturating_add(extra),
        }))
    }

    /// Whether its data would end behind `end`, by what it states.
    pub(super) fn passes(&self, data: u64, end: u64) -> bool {
        data.saturating_add(self.stated) > end
    }

    /// Bytes of its data, packed and unpacked; nothing where they cannot be told, and so neither where the next
    /// member begins.
    pub(super) fn sizes(&self, span: &Span, data: u64, into: &mut Index) -> Option<(u64, u64)> {
        let rest = span.len().saturating_sub(data);
        if self.flags & 8 == 0 || self.stated > 0 {
            return Some((self.stated.min(rest), self.size));
        }
        if self.method.map(|method| method.encoding) != Some(Encoding::Deflate) {
            return None;
        }
        // A deflate stream knows its own end, and takes a thousand times its bytes to get there. One byte beyond what
        // there is room for tells that it has not.
        let room = into.room;
        let input = BufReader::new(span.part(data, rest).reader());
        let mut inflated = flate2::bufread::DeflateDecoder::new(input);
        let mut bounded = inflated.by_ref().take(room.saturating_add(1));
        let end = io::copy(&mut bounded, &mut io::sink());
        let size = inflated.total_out();
        into.room = room.saturating_sub(size);
        if size > room {
            into.lose(Loss::Expansion);
            return None;
        }
        let packed = end.map_or(rest, |_| inflated.total_in());
        Some((packed, size))
    }

    pub(super) fn put(&self, at: u64, packed: u64, size: u64, into: &mut Index) -> bool {
        if self.name.ends_with(b"/") {
            return true;
        }
        if self.flags & 0x2001 != 0 {
            into.lose(Loss::Encrypted);
            return true;
        }
        if self.method.is_none() {
            into.lose(Loss::Method);
            return true;
        }
        into.add(member(&self.name, at, packed, size, self.method))
    }
}

/// Where the next header stands: at `at`, or behind a descriptor.
pub(super) fn behind(span: &Span, at: u64) -> Result<u64, ReadError> {
    let next = span.bytes(at, DESCRIPTOR + LOCAL.len())?;
    let skipped = memchr::memmem::find(&next, LOCAL).unwrap_or_default();
    Ok(at.saturating_add(skipped as u64))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::unlisted::{self, Taken};
    use super::*;

    /// Members that state no sizes, each of a hundred bytes once unpacked.
    fn streamed(names: &[&str]) -> Span {
        let mut out = Vec::new();
        for name in names {
            let mut header = b"PK\x03\x04\x14\0\x08\0\x08\0".to_vec();
            header.resize(26, 0);
            header.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            header.extend(0_u16.to_le_bytes());
            header.extend(name.as_bytes());
            out.extend(header);
            let mut packed = flate2::write::DeflateEncoder::new(out, flate2::Compression::fast());
            packed.write_all(&[b'x'; 100]).unwrap();
            out = packed.finish().unwrap();
        }
        Span::memory(out)
    }

    /// Names of the members, and what was told.
    fn listed(into: Index) -> (Vec<String>, String) {
        let (members, problems, _) = into.finish(&|_| None);
        let names = members.iter().map(|member| member.name.to_string());
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        (names.collect(), told.join("\n"))
    }

    #[test]
    fn the_ends_of_members_are_looked_for_within_what_an_archive_may_expand_to() {
        let span = streamed(&["a", "b", "c"]);
        for (room, names) in [(300, &["a", "b", "c"][..]), (299, &["a", "b"]), (0, &[])] {
            let is_cut = names.len() < 3;
            let mut into = Index::new(room);
            index(&span, &mut into).unwrap();
            let (found, told) = listed(into);
            assert_eq!(found, names);
            assert_eq!(
                told.contains("it and what follows it were not read"),
                is_cut
            );
            assert_eq!(told.contains("expand like a decompression bomb"), is_cut);
            let mut into = Index::new(room);
            unlisted::index(&span, Taken::default(), &mut into).unwrap();
            let (found, told) = listed(into);
            assert_eq!(found, names);
            assert_eq!(told.contains("1 of which the end cannot be told"), is_cut);
            assert_eq!(told.contains("expand like a decompression bomb"), is_cut);
        }
    }
}
