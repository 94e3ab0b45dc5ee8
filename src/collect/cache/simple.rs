//! Entries of Chromium's simple cache: one file each, told by its magic number. The HTTP cache on Linux, Android and
//! macOS, the code cache, and the Cache Storage of service workers are kept so
//! (`net/disk_cache/simple/simple_entry_format.h`).

use std::sync::Arc;

use super::input::Input;
use super::stored::{Out, Stored};
use super::{info, key};
use crate::atoms::{Source, View};
use crate::collect::cursor::Cursor;
use crate::collect::{Context, Evidence, ReadError, Reader, Sink};

/// One entry: a file that ends with `_0` (headers and body), `_1` (what a site keeps beside them) or `_s` (parts of a
/// body).
pub static CHROMIUM_CACHE: Reader = Reader {
    name: "chromium-cache",
    claims: |evidence, _| is_entry(evidence.head()),
    read,
};

/// `kSimpleInitialMagicNumber`.
const MAGIC: [u8; 8] = 0xfcfb_6d1b_a772_5c30_u64.to_le_bytes();

/// `kSimpleFinalMagicNumber`.
const FINAL_MAGIC: [u8; 8] = 0xf4fa_6f45_970d_41d8_u64.to_le_bytes();

/// `kSimpleSparseRangeMagicNumber`.
const SPARSE_MAGIC: [u8; 8] = 0xeb97_bf01_6553_676b_u64.to_le_bytes();

/// `SimpleFileHeader`, and `SimpleFileEOF`.
const RECORD: u64 = 24;

/// `FLAG_HAS_KEY_SHA256`: a digest of the key stands before the last record.
const HAS_DIGEST: u32 = 2;

const DIGEST: u64 = 32;

/// A key holds a URL, which Chromium allows 2 MiB (`url::kMaxURLChars`), and two sites.
const MAX_KEY: u64 = 4 << 20;

/// The file called `index` begins like an entry, and has no key (`FakeIndexData` of `simple_version_upgrade.h`).
fn is_entry(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
        && Cursor::starting(head, 12)
            .u32_le()
            .is_none_or(|len| len > 0)
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut out = Out::new(source, context, sink);
    let mut input = Input::of(evidence)?;
    let damaged = || ReadError::Malformed("is cut off or damaged; copy it again".into());
    let header = input.part(0, RECORD)?;
    let len = Cursor::starting(&header, 12).u32_le().map_or(0, u64::from);
    let name = input.part(RECORD, len)?;
    if len > MAX_KEY || (name.len() as u64) < len.max(1) {
        return Err(damaged());
    }
    // Scripts of service workers have a number for a key; shaders have anything.
    let url = key::chromium(&name).unwrap_or_default();
    let before = name.len().saturating_sub(url.len());
    let mut stored = Stored::new(url.to_vec(), RECORD.saturating_add(before as u64));
    // A doomed entry is renamed before it is deleted (`simple_util.cc`).
    if evidence.file_name().starts_with("todelete_") {
        stored.view = View::Recovered;
    }
    match layout(&mut input, RECORD.saturating_add(len))? {
        Layout::Whole { body, headers } => {
            let (at, size) = headers;
            let known = info::read(&input.part(at, size)?, at, &mut stored);
            let body = body.filter(|_| known && stored.has_text());
            let body = out.body_part(&mut input, body)?;
            out.stored(&stored, body);
            let is_code = name.starts_with(b"_key");
            if !known && size > 0 && !url.is_empty() && !is_code {
                out.problem(ReadError::Malformed(
                    "its headers are damaged or of an unknown form; its URL was read".into(),
                ));
            }
        }
        part => {
            out.stored(&stored, None);
            out.problem(unread(&part));
        }
    }
    Ok(())
}

/// Why no more than the URL was read.
fn unread(part: &Layout) -> ReadError {
    match part {
        Layout::Sparse => ReadError::Unsupported(
            "holds parts of a body that was fetched in ranges; its URL was read, the parts were not".into(),
        ),
        _ => ReadError::Malformed(
            "ends before its headers; its URL was read. Close the browser, or scan a copy".into(),
        ),
    }
}

/// Where the streams of an entry lie: offset and length.
enum Layout {
    Whole {
        body: Option<(u64, u64)>,
        headers: (u64, u64),
    },
    Sparse,
    Cut,
}

/// The last record tells how long the headers are, and what is between them and the key is the body.
fn layout(input: &mut Input, streams: u64) -> Result<Layout, ReadError> {
    if input.part(streams, 8)? == SPARSE_MAGIC {
        return Ok(Layout::Sparse);
    }
    let Some(last) = input.len().checked_sub(RECORD).filter(|at| *at >= streams) else {
        return Ok(Layout::Cut);
    };
    let record = input.part(last, RECORD)?;
    let mut cursor = Cursor::new(&record);
    let magic: Option<[u8; 8]> = cursor.array();
    let (Some(FINAL_MAGIC), Some(flags), Some(_crc), Some(size)) =
        (magic, cursor.u32_le(), cursor.u32_le(), cursor.u32_le())
    else {
        return Ok(Layout::Cut);
    };
    let digest = if flags & HAS_DIGEST == 0 { 0 } else { DIGEST };
    let end = last.saturating_sub(digest);
    let Some(at) = end.checked_sub(size.into()).filter(|at| *at >= streams) else {
        return Ok(Layout::Cut);
    };
    // A file with one stream (`_1`) has no record between key and data, and no size of headers.
    let body = at
        .checked_sub(RECORD)
        .and_then(|end| end.checked_sub(streams))
        .filter(|len| *len > 0)
        .map(|len| (streams, len));
    Ok(Layout::Whole {
        body,
        headers: (at, size.into()),
    })
}
