//! Members of a zip that its list does not name: those of an archive before it, what was taken off the list, and what
//! was put between two members. They are found by their own headers, between what the list accounts for, and so share
//! no byte with what it names.

use super::super::span::Span;
use super::salvage::{Local, behind};
use super::zip::{LOCAL, LOCAL_LEN, number};
use super::{Index, MAX_MEMBERS, ReadError};

/// Bytes that are searched at once for a header: few, for each header may be followed by some that are none.
const CHUNK: usize = 4_096;

/// What the list accounts for.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// From where to where.
    ranges: Vec<(u64, u64)>,
    /// Whether there is more than is kept.
    is_full: bool,
}

impl Taken {
    pub(super) fn add(&mut self, from: u64, to: u64) {
        self.is_full = self.ranges.len() >= MAX_MEMBERS;
        if !self.is_full {
            self.ranges.push((from, to));
        }
    }
}

/// What was found.
#[derive(Default)]
struct Found {
    read: usize,
    unread: usize,
    first: Option<u64>,
}

/// Adds what lies between what is taken.
pub(super) fn index(span: &Span, mut taken: Taken, into: &mut Index) -> Result<(), ReadError> {
    if taken.is_full {
        let why = format!(
            "lists more than {MAX_MEMBERS} entries; whether there are others between them was not looked at: unpack it, and scan the folder"
        );
        into.problem(ReadError::Limit(why.into()));
        return Ok(());
    }
    taken.ranges.sort_unstable();
    taken.ranges.push((span.len(), span.len()));
    let mut found = Found::default();
    let (mut last, mut end) = (0, 0_u64);
    for (from, to) in taken.ranges {
        let gap = from.saturating_sub(end);
        if gap > LOCAL_LEN as u64 {
            let end = end.saturating_add(extra(span, last)?);
            between(span, end, from, into, &mut found)?;
        }
        if to > end {
            (last, end) = (from, to);
        }
    }
    if let Some(first) = found.first {
        let unread = match found.unread {
            0 => String::new(),
            count => format!(", and {count} of which the end cannot be told, which were not"),
        };
        let why = format!(
            "holds {} members that its list does not name, the first at byte {first}: it was put together from several, or crafted; they were read{unread}",
            found.read
        );
        into.problem(ReadError::Malformed(why.into()));
    }
    Ok(())
}

/// Bytes of the extra field of the header there; none where there is no header.
fn extra(span: &Span, at: u64) -> Result<u64, ReadError> {
    let header = span.bytes(at, LOCAL_LEN)?;
    let extra = number(&header, 28, 2).filter(|_| header.starts_with(LOCAL));
    Ok(extra.unwrap_or_default())
}

/// Adds the members between two places.
fn between(
    span: &Span,
    from: u64,
    to: u64,
    into: &mut Index,
    found: &mut Found,
) -> Result<(), ReadError> {
    let gap = span.part(from, to.saturating_sub(from));
    let mut at = 0;
    while let Some(header) = next(&gap, at)? {
        let Some(local) = Local::read(&gap, header)? else {
            break;
        };
        let place = from.saturating_add(header);
        let data = header.saturating_add(local.header);
        let sizes = local.sizes(&gap, data, into);
        found.first = found.first.or(Some(place));
        let Some((packed, size)) = sizes.filter(|_| !local.passes(data, gap.len())) else {
            found.unread += 1;
            break;
        };
        let before = into.members().len();
        if !local.put(place, packed, size, into) {
            break;
        }
        found.read += into.members().len() - before;
        at = behind(&gap, data.saturating_add(packed))?;
    }
    Ok(())
}

/// Where the next header is, from there on.
fn next(gap: &Span, from: u64) -> Result<Option<u64>, ReadError> {
    let mut at = from;
    loop {
        let chunk = gap.bytes(at, CHUNK)?;
        if let Some(header) = memchr::memmem::find(&chunk, LOCAL) {
            return Ok(Some(at.saturating_add(header as u64)));
        }
        if chunk.len() < CHUNK {
            return Ok(None);
        }
        at = at.saturating_add((CHUNK - LOCAL.len() + 1) as u64);
    }
}
