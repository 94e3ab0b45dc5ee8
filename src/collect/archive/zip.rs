//! Zip: the members by the central directory at the end, which is read as a stream and believed in nothing
//! that the file does not bear out. Names that occur twice are two members, and members that share bytes are
//! none. Section numbers are those of PKWARE's APPNOTE.TXT.

use std::io::{BufReader, Read};

use super::super::decode::Encoding;
use super::super::find;
use super::super::span::Span;
use super::unlisted::{self, Taken};
use super::{Index, Loss, MAX_NAME, Member, ReadError, salvage};

/// Local file header (§4.3.7).
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
/// Its bytes without the name.
pub(super) const LOCAL_LEN: usize = 30;
/// Central directory header (§4.3.12).
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
/// End of central directory record (§4.3.16), which a comment of up to 65,535 bytes may follow.
const END: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
/// Zip64 end of central directory locator (§4.3.15), and the record that it leads to (§4.3.14).
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LEN: usize = 20;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LEN: usize = 56;

/// How a member is packed (§4.4.5), and its CRC-32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Method {
    pub(super) encoding: Encoding,
    pub(super) checksum: Option<u32>,
}

impl Method {
    pub(super) fn of(number: u16, checksum: Option<u32>) -> Option<Self> {
        let encoding = match number {
            0 => Encoding::Plain,
            8 => Encoding::Deflate,
            12 => Encoding::Bzip2,
            93 => Encoding::Zstd,
            95 => Encoding::Xz,
            _ => return None,
        };
        Some(Self { encoding, checksum })
    }
}

/// Lists the members.
pub(super) fn index(span: &Span, into: &mut Index) -> Result<(), ReadError> {
    let Some(directory) = Directory::find(span)? else {
        return salvage::index(span, into);
    };
    let begins_with_member = span.bytes(0, LOCAL.len())? == LOCAL;
    if directory.entries == 0 && begins_with_member {
        // A list of nothing behind members is none.
        return salvage::index(span, into);
    }
    let mut taken = Taken::default();
    taken.add(directory.start, directory.end);
    let mut input = BufReader::new(directory.span.reader());
    let mut seen = 0_u64;
    while let Some(entry) = Entry::read(&mut input)? {
        seen = seen.saturating_add(1);
        let (at, end) = entry.reach(directory.shift);
        taken.add(at, end);
        if !entry.put(directory.shift, span.len(), into) {
            return Ok(());
        }
    }
    // Without zip64 the number is the lowest 16 bits.
    let agrees = seen == directory.entries || directory.entries == seen & 0xffff;
    if !agrees {
        into.problem(ReadError::Malformed(
            format!(
                "states {} members and lists {seen}; it is damaged or crafted, those that are listed were read",
                directory.entries
            )
            .into(),
        ));
    }
    unlisted::index(span, taken, into)?;
    let apart = apart(into.members());
    into.keep(Loss::Overlap, &apart);
    Ok(())
}

/// The content of a member, unpacked and checked.
pub(super) fn content(
    span: &Span,
    member: &Member,
    method: Method,
) -> Result<Box<dyn Read + Send>, ReadError> {
    let data = data(span, member)?;
    super::unpacked(&data, method.encoding, member.len, method.checksum)
}

/// The content of a member that is not packed.
pub(super) fn stored(span: &Span, member: &Member, method: Method) -> Option<Span> {
    let data = data(span, member).ok()?;
    (method.encoding == Encoding::Plain && data.len() == member.len).then_some(data)
}

/// The data behind a member's own header.
fn data(span: &Span, member: &Member) -> Result<Span, ReadError> {
    let header = span.bytes(member.at, LOCAL_LEN)?;
    let lengths = number(&header, 26, 2).zip(number(&header, 28, 2));
    let Some((name, extra)) = lengths.filter(|_| header.starts_with(LOCAL)) else {
        return Err(ReadError::Malformed(
            "is not where the list of its archive says; the archive is damaged".into(),
        ));
    };
    let start = member.at.saturating_add(LOCAL_LEN as u64);
    Ok(span.part(
        start.saturating_add(name).saturating_add(extra),
        member.packed,
    ))
}

/// Where the list of members is.
struct Directory {
    span: Span,
    /// What precedes the archive proper: offsets count from its end.
    shift: u64,
    entries: u64,
    /// From where to where it reaches, with what ends it.
    start: u64,
    end: u64,
}

impl Directory {
    fn find(span: &Span) -> Result<Option<Self>, ReadError> {
        let reach = (END_LEN + usize::from(u16::MAX)) as u64;
        let from = span.len().saturating_sub(reach);
        let tail = span.bytes(from, usize::try_from(reach).unwrap_or(usize::MAX))?;
        let mut ends = memchr::memmem::rfind_iter(&tail, END);
        let record = ends.find_map(|at| {
            let record = tail.get(at..)?;
            let comment = usize::try_from(number(record, 20, 2)?).ok()?;
            // Something may follow, but no record is shorter than it says.
            (record.len() >= END_LEN.saturating_add(comment)).then_some((at as u64, record))
        });
        let Some((at, record)) = record else {
            return Ok(None);
        };
        let end = from.saturating_add(at);
        let comment = number(record, 20, 2).unwrap_or_default();
        let fields = |record: &[u8], places: [(usize, usize); 3]| {
            places.map(|(at, width)| number(record, at, width).unwrap_or_default())
        };
        let [mut entries, mut size, mut offset] = fields(record, [(10, 2), (12, 4), (16, 4)]);
        let mut stop = end;
        let is_zip64 = entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
        if is_zip64 && let Some((at, record)) = end_64(span, end)? {
            [entries, size, offset] = fields(&record, [(32, 8), (40, 8), (48, 8)]);
            stop = at;
        }
        let start = stop.saturating_sub(size);
        let is_list = |start: u64| -> Result<bool, ReadError> {
            let first = span.bytes(start, CENTRAL.len())?;
            Ok(first == CENTRAL || entries == 0)
        };
        let (start, shift) = if size <= stop && start >= offset && is_list(start)? {
            (start, start.saturating_sub(offset))
        } else if is_list(offset)? {
            (offset, 0)
        } else {
            return Ok(None);
        };
        Ok(Some(Self {
            span: span.part(start, stop.saturating_sub(start)),
            shift,
            entries,
            start,
            end: end.saturating_add(END_LEN as u64).saturating_add(comment),
        }))
    }
}

/// The zip64 record, where a locator before the end leads to one, and its place.
fn end_64(span: &Span, end: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
    let Some(at) = end.checked_sub(LOCATOR_LEN as u64) else {
        return Ok(None);
    };
    let locator = span.bytes(at, LOCATOR_LEN)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    // The stated place is wrong where something precedes the archive.
    let stated = number(&locator, 8, 8).unwrap_or_default();
    for place in [stated, at.saturating_sub(END_64_LEN as u64)] {
        let record = span.bytes(place, END_64_LEN)?;
        if record.starts_with(END_64) {
            return Ok(Some((place, record)));
        }
    }
    Ok(None)
}

/// One header of the central directory.
struct Entry {
    fixed: [u8; CENTRAL_LEN],
    name: Vec<u8>,
    extra: Vec<u8>,
}

impl Entry {
    /// The next one; nothing at the end, or where something else begins.
    fn read(input: &mut impl Read) -> Result<Option<Self>, ReadError> {
        let mut fixed = [0; CENTRAL_LEN];
        if !filled(input, &mut fixed)? || !fixed.starts_with(CENTRAL) {
            return Ok(None);
        }
        let mut take = |at: usize| -> Result<Vec<u8>, ReadError> {
            let len = number(&fixed, at, 2).unwrap_or_default();
            let mut bytes = Vec::new();
            input.by_ref().take(len).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let (name, extra, _comment) = (take(28)?, take(30)?, take(32)?);
        Ok(Some(Self { fixed, name, extra }))
    }

    /// From where to where the member reaches, without the extra field of its own header.
    fn reach(&self, shift: u64) -> (u64, u64) {
        let [_, packed, offset] = self.sizes();
        let at = offset.saturating_add(shift);
        let header = LOCAL_LEN.saturating_add(self.name.len()) as u64;
        (at, at.saturating_add(header).saturating_add(packed))
    }

    /// Bytes unpacked and packed, and the offset.
    fn sizes(&self) -> [u64; 3] {
        let field = |at| number(&self.fixed, at, 4).unwrap_or_default();
        widened([field(24), field(20), field(42)], &self.extra)
    }

    /// Puts it into the index; false when that is full.
    fn put(&self, shift: u64, len: u64, into: &mut Index) -> bool {
        /// Host system UNIX, and the file type of its `st_mode` (§4.4.2.2).
        const UNIX: u64 = 3;
        const TYPE: u64 = 0o170_000;
        let field = |at, width| number(&self.fixed, at, width).unwrap_or_default();
        let (flags, number, attributes) = (field(8, 2), field(10, 2), field(38, 4));
        let kind = if field(5, 1) == UNIX {
            (attributes >> 16) & TYPE
        } else {
            0
        };
        let has_data = field(24, 4) > 0;
        if self.name.ends_with(b"/") || kind == 0o040_000 && !has_data {
            if has_data {
                into.pass_over("folder with data");
            }
            return true;
        }
        match kind {
            // What has data is a file, whatever it is called.
            0 | 0o100_000 | 0o040_000 => {}
            0o120_000 => {
                into.pass_over("symbolic link");
                return true;
            }
            _ => {
                into.pass_over("special file");
                return true;
            }
        }
        let [size, packed, offset] = self.sizes();
        let at = offset.saturating_add(shift);
        let checksum = u32::try_from(field(16, 4)).ok();
        let method = u16::try_from(number).ok();
        let method = method.and_then(|number| Method::of(number, checksum));
        let end = at.saturating_add(LOCAL_LEN as u64).saturating_add(packed);
        match method {
            // Bit 0: encrypted, bit 13: the list is, too (§4.4.4).
            _ if flags & 0x2001 != 0 => into.lose(Loss::Encrypted),
            None => into.lose(Loss::Method),
            Some(_) if end > len => into.lose(Loss::Outside),
            Some(_) => return into.add(member(&self.name, at, packed, size, method)),
        }
        true
    }
}

/// A member of this name, unless it has too many bytes to be one: then only so many are kept as show that.
pub(super) fn member(
    name: &[u8],
    at: u64,
    packed: u64,
    len: u64,
    method: Option<Method>,
) -> Member {
    let name = name.get(..=MAX_NAME).unwrap_or(name);
    Member {
        name: find::text(name).into(),
        told: None,
        at,
        packed,
        len,
        method,
    }
}

/// Sizes and offset from the zip64 field (§4.5.3), which holds those that are all ones, in this order.
pub(super) fn widened(sizes: [u64; 3], extra: &[u8]) -> [u64; 3] {
    let mut rest = extra;
    while let (Some(id), Some(len)) = (number(rest, 0, 2), number(rest, 2, 2)) {
        let end = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(4);
        let field = rest.get(4..end.min(rest.len())).unwrap_or_default();
        if id == 1 {
            let mut at = 0;
            return sizes.map(|size| {
                if size != 0xffff_ffff {
                    return size;
                }
                let wide = number(field, at, 8).unwrap_or(size);
                at += 8;
                wide
            });
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    sizes
}

/// Which members share no byte with a later one, and no header with an earlier one. A bomb lets the data of
/// its first member hold the headers and data of all others.
fn apart(members: &[Member]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    let place = |index: usize| members.get(index).map_or((0, 0), |it| (it.at, it.packed));
    order.sort_by_key(|index| (place(*index).0, *index));
    let mut apart = vec![true; members.len()];
    for pair in order.windows(2) {
        let &[this, next] = pair else { continue };
        let ((at, packed), (following, _)) = (place(this), place(next));
        let end = at.saturating_add(LOCAL_LEN as u64).saturating_add(packed);
        let lost = if at == following { next } else { this };
        if end > following
            && let Some(flag) = apart.get_mut(lost)
        {
            *flag = false;
        }
    }
    apart
}

/// A little-endian number of `width` bytes at `at`.
pub(super) fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
    )
}

/// Fills the buffer; false when the input ends before.
fn filled(input: &mut impl Read, buffer: &mut [u8]) -> Result<bool, ReadError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 => return Ok(false),
            read => filled += read,
        }
    }
    Ok(true)
}
