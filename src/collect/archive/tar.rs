//! Tar: header blocks and what follows them, in every dialect that is about (POSIX.1-1988 `ustar`, POSIX.1-2001
//! `pax`, GNU, and none). Where the tar can be read from any place, members are noted where they lie; where it
//! comes as a stream, they are copied to a spool. A header that does not check out is stepped over.

use std::io::{self, Read};

use super::super::find;
use super::super::span::{Span, SpanReader, Spool, SpoolError};
use super::{Evidence, Index, Loss, MAX_NAME, Member, ReadError, spooled};

/// Everything is in blocks of this size.
const BLOCK: usize = 512;

/// Bytes of the extended header of a member that are looked at: names and numbers, never megabytes.
const MAX_EXTENDED: u64 = 1 << 20;

/// Whether a block is a header: its checksum is right.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..BLOCK) else {
        return false;
    };
    let Some(stated) = number(block.get(148..156).unwrap_or_default()) else {
        return false;
    };
    // The checksum counts itself as blanks. Some old programs summed signed bytes.
    let bytes = || {
        block.iter().enumerate().map(|(at, byte)| match at {
            148..156 => b' ',
            _ => *byte,
        })
    };
    let unsigned: u64 = bytes().map(u64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    let named = block.first().is_some_and(|byte| *byte != 0) || block.get(345) != Some(&0);
    named && (stated == unsigned || i64::try_from(stated) == Ok(signed))
}

/// Lists the members, and gives the bytes that they lie in.
pub(super) fn index(evidence: &Evidence, into: &mut Index) -> Result<Span, ReadError> {
    let mut input = match evidence.plain_span()? {
        Some(span) => Input::Rest {
            reader: span.reader(),
            at: 0,
            span,
        },
        None => Input::Stream {
            input: evidence.open()?,
            spool: Spool::new(u64::MAX),
            at: 0,
        },
    };
    let end = members(&mut input, into);
    match end {
        Ok(()) => {}
        Err(Stop::End) => into.problem(ReadError::Malformed(
            "ends inside a member, like a copy that was cut off; what came before was read".into(),
        )),
        Err(Stop::Input(error)) => into.problem(evidence.error(error)),
        Err(Stop::Spool(error)) => into.problem(error),
    }
    Ok(match input {
        Input::Rest { span, .. } => span,
        Input::Stream { spool, .. } => spool.finish(),
    })
}

/// Why the rest was not read.
enum Stop {
    End,
    Input(io::Error),
    Spool(ReadError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::End
        } else {
            Self::Input(error)
        }
    }
}

fn members(input: &mut Input, into: &mut Index) -> Result<(), Stop> {
    let mut extended = Extended::default();
    let mut damaged = false;
    let mut zeros = 0_u32;
    while let Some(block) = input.block()? {
        if block.iter().all(|byte| *byte == 0) {
            // It may go on: tars are put one behind the other.
            zeros = zeros.saturating_add(1);
            continue;
        }
        if !is_header(&block) {
            // What follows the end is no damage: drives pad. Two blocks of zeros are the end, one is a header that was
            // lost (POSIX.1-2001, pax, "ustar Interchange Format").
            if zeros < 2 && !damaged {
                damaged = true;
                let at = input.at().saturating_sub(BLOCK as u64);
                let why =
                    format!("is damaged at byte {at}; members that begin behind it were read");
                into.problem(ReadError::Malformed(why.into()));
            }
            continue;
        }
        (damaged, zeros) = (false, 0);
        let header = Header(block);
        if !header.put(&mut extended, input, into)? {
            return Ok(());
        }
    }
    Ok(())
}

/// A header block that checks out.
struct Header([u8; BLOCK]);

impl Header {
    /// Reads what the header is of; false when the index takes no more.
    fn put(
        &self,
        extended: &mut Extended,
        input: &mut Input,
        into: &mut Index,
    ) -> Result<bool, Stop> {
        let size = number(self.field(124, 12)).unwrap_or_default();
        match self.0.get(156) {
            // GNU: the name of the next member; `K`, of its link's target.
            Some(b'L') => extended.name = Some(c_string(&input.text(size)?).to_vec()),
            Some(b'x' | b'X') => extended.take(&input.text(size)?),
            Some(b'K' | b'g' | b'V' | b'D') => input.skip(size)?,
            kind => {
                let of_member = std::mem::take(extended);
                let size = of_member.size.unwrap_or(size);
                let name = of_member.name.unwrap_or_else(|| self.name());
                match kind {
                    Some(b'S') => {
                        into.lose(Loss::Sparse);
                        self.skip_map(input)?;
                        input.skip(size)?;
                    }
                    Some(b'M') => {
                        into.lose(Loss::Continued);
                        input.skip(size)?;
                    }
                    // Links and devices have no data, whatever their size says.
                    Some(b'1') => into.pass_over("hard link"),
                    Some(b'2') => into.pass_over("symbolic link"),
                    Some(b'3' | b'4' | b'6') => into.pass_over("special file"),
                    Some(b'5') => {}
                    // Before 1988 a folder was a file whose name ends with a slash.
                    Some(b'0' | b'7' | 0) if name.ends_with(b"/") => input.skip(size)?,
                    _ if of_member.sparse => {
                        into.lose(Loss::Sparse);
                        input.skip(size)?;
                    }
                    // What is of no known type is a file (POSIX.1-2001, pax, "ustar Interchange Format").
                    _ => return keep(&name, size, input, into),
                }
            }
        }
        Ok(true)
    }

    fn field(&self, at: usize, len: usize) -> &[u8] {
        self.0.get(at..at.saturating_add(len)).unwrap_or_default()
    }

    /// Name with the prefix that `ustar` puts apart. GNU has other things in its place.
    fn name(&self) -> Vec<u8> {
        let name = c_string(self.field(0, 100));
        let prefix = c_string(self.field(345, 155));
        if self.field(257, 6) == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    /// The rest of the map of an old GNU sparse file: each block says whether another one follows.
    fn skip_map(&self, input: &mut Input) -> Result<(), Stop> {
        let mut goes_on = self.0.get(482).is_some_and(|flag| *flag != 0);
        while goes_on {
            let block = input.block()?.ok_or(Stop::End)?;
            goes_on = block.get(504).is_some_and(|flag| *flag != 0);
        }
        Ok(())
    }
}

/// Takes a member; one that ends too early is kept as far as it goes.
fn keep(name: &[u8], size: u64, input: &mut Input, into: &mut Index) -> Result<bool, Stop> {
    let at = input.kept();
    let end = input.keep(size);
    let there = match end {
        Ok(()) => size,
        Err(_) => input.kept().saturating_sub(at).min(size),
    };
    let name = name.get(..=MAX_NAME).unwrap_or(name);
    let taken = into.add(Member {
        name: find::text(name).into(),
        told: None,
        at,
        packed: there,
        len: there,
        method: None,
    });
    end.map(|()| taken)
}

/// What an extended header says of the member that follows it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Extended {
    /// Records `LENGTH KEY=VALUE\n` of `pax` (POSIX.1-2001, pax, "pax Extended Header").
    fn take(&mut self, records: &[u8]) {
        let mut rest = records;
        while let Some(blank) = memchr::memchr(b' ', rest.get(..20).unwrap_or(rest)) {
            let digits = std::str::from_utf8(rest.get(..blank).unwrap_or_default());
            let len = digits.ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(record) = len.and_then(|len| rest.get(blank.saturating_add(1)..len)) else {
                return;
            };
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let equals = memchr::memchr(b'=', record).unwrap_or(record.len());
            let value = record.get(equals.saturating_add(1)..).unwrap_or_default();
            let text = || std::str::from_utf8(value).ok();
            match record.get(..equals).unwrap_or_default() {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.size = text().and_then(|text| text.parse().ok()),
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
            rest = len.and_then(|len| rest.get(len..)).unwrap_or_default();
        }
    }
}

/// The tar, block by block.
enum Input {
    /// It can be read from any place, and members stay in it.
    Rest {
        span: Span,
        reader: SpanReader,
        at: u64,
    },
    /// It comes once, and members are copied out of it.
    Stream {
        input: Box<dyn Read + Send>,
        spool: Spool,
        at: u64,
    },
}

impl Input {
    /// Bytes of the tar that were passed.
    fn at(&self) -> u64 {
        match self {
            Self::Rest { at, .. } | Self::Stream { at, .. } => *at,
        }
    }

    /// Where the next member will lie.
    fn kept(&self) -> u64 {
        match self {
            Self::Rest { at, .. } => *at,
            Self::Stream { spool, .. } => spool.len(),
        }
    }

    /// The next block; nothing at the end.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Stop> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = match self {
                Self::Rest { reader, .. } => reader.read(rest),
                Self::Stream { input, .. } => input.read(rest),
            };
            match read {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(Stop::End),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.pass(BLOCK as u64);
        Ok(Some(block))
    }

    /// Keeps the next `size` bytes as a member, and passes the padding behind them.
    fn keep(&mut self, size: u64) -> Result<(), Stop> {
        match self {
            Self::Rest { .. } => self.skip(size),
            Self::Stream { input, spool, .. } => {
                let taken = spool.take(&mut input.as_mut().take(size));
                match taken {
                    Ok(taken) if taken < size => return Err(Stop::End),
                    Ok(_) => {}
                    Err(SpoolError::Input(error)) => return Err(error.into()),
                    Err(error) => return Err(Stop::Spool(spooled(error))),
                }
                self.pass(size);
                self.skip_bytes(padded(size).saturating_sub(size))
            }
        }
    }

    /// Passes `size` bytes and their padding.
    fn skip(&mut self, size: u64) -> Result<(), Stop> {
        match self {
            Self::Rest { span, .. } => {
                let left = span.len().saturating_sub(self.at());
                self.advance(padded(size).min(left))?;
                if size > left { Err(Stop::End) } else { Ok(()) }
            }
            Self::Stream { .. } => self.skip_bytes(padded(size)),
        }
    }

    /// The next `size` bytes, no more than [`MAX_EXTENDED`]; the rest is passed, and the padding.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let wanted = size.min(MAX_EXTENDED);
        let mut text = Vec::new();
        let read = match self {
            Self::Rest { reader, .. } => reader.take(wanted).read_to_end(&mut text),
            Self::Stream { input, .. } => input.as_mut().take(wanted).read_to_end(&mut text),
        };
        if (read? as u64) < wanted {
            return Err(Stop::End);
        }
        self.pass(wanted);
        let left = padded(size).saturating_sub(wanted);
        match self {
            Self::Rest { span, .. } => {
                let there = span.len().saturating_sub(self.at());
                self.advance(left.min(there))?;
            }
            Self::Stream { .. } => self.skip_bytes(left)?,
        }
        Ok(text)
    }

    fn advance(&mut self, by: u64) -> Result<(), Stop> {
        self.pass(by);
        let to = self.at();
        if let Self::Rest { reader, .. } = self {
            io::Seek::seek(reader, io::SeekFrom::Start(to))?;
        }
        Ok(())
    }

    fn skip_bytes(&mut self, bytes: u64) -> Result<(), Stop> {
        if let Self::Stream { input, .. } = self {
            let passed = io::copy(&mut input.as_mut().take(bytes), &mut io::sink())?;
            if passed < bytes {
                return Err(Stop::End);
            }
        }
        self.pass(bytes);
        Ok(())
    }

    fn pass(&mut self, bytes: u64) {
        match self {
            Self::Rest { at, .. } | Self::Stream { at, .. } => *at = at.saturating_add(bytes),
        }
    }
}

fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK as u64).unwrap_or(size)
}

/// A number in octal digits, or, where GNU needs more, in bytes behind a set top bit.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        let wide = rest.iter().try_fold(u64::from(first & 0x7f), |sum, byte| {
            Some(sum.checked_mul(256)? | u64::from(*byte))
        });
        return wide;
    }
    let digits = std::str::from_utf8(field).ok()?;
    let digits = digits.trim_matches([' ', '\0']);
    let digits = digits.split([' ', '\0']).next()?;
    u64::from_str_radix(digits, 8).ok()
}

fn c_string(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or(bytes)
}
