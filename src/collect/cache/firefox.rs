//! Entries of Firefox's cache: one file each, the body first and what is known of it behind
//! (`netwerk/cache2/CacheFileMetadata.cpp`, `CacheFile.cpp`).

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::input::Input;
use super::key;
use super::stored::{Header, MAX_HEADERS, Out, Stored, lines, push};
use crate::atoms::{Method, Source, View};
use crate::collect::cursor::Cursor;
use crate::collect::{Context, Evidence, ReadError, Reader, Sink};

/// One entry, told by where it lies, or by the metadata at its end.
pub static FIREFOX_CACHE: Reader = Reader {
    name: "firefox-cache",
    claims: |evidence, _| is_entry(evidence),
    read,
};

/// A hash of two bytes is kept for each so many bytes of the body (`kChunkSize`).
const CHUNK: u64 = 256 * 1024;

/// Metadata that is looked at: elements end at 64 KiB (`kMaxElementsSize`), a hash stands for 256 KiB of the body.
const MAX_METADATA: u64 = 1 << 20;

/// `kCacheEntryVersion` is 3 in the sources at hand, and 4 in Firefox 153, which repeats it before the last offset.
/// The header has been the same since 2; whether it still is, its key tells, which has an end of its own.
const MAX_VERSION: u32 = 8;

/// Hexadecimal digits of an entry's name, a SHA-1.
const NAME: usize = 40;

/// Folders that hold entries; what is in the second is about to be deleted.
const FOLDERS: [&str; 2] = ["entries", "doomed"];

/// By its folder and name, also when it is damaged; elsewhere by content, when all of it is at hand or its name is that
/// of an entry. A look at the end of every large file of a disk would cost more than it finds.
pub(in crate::collect) fn is_entry(evidence: &Evidence) -> bool {
    if is_entry_path(evidence.shown()) {
        return true;
    }
    if !evidence.is_all_in_head() && !is_entry_name(evidence.shown()) {
        return false;
    }
    let metadata = Input::as_it_is(evidence).and_then(|mut input| metadata(&mut input));
    metadata.is_ok_and(|found| {
        let found = found
            .as_ref()
            .and_then(|(bytes, at)| Metadata::of(bytes, *at));
        found.is_some_and(|found| key::firefox(found.key).is_some())
    })
}

/// `…/cache2/entries/<40 digits>`.
fn is_entry_path(path: &str) -> bool {
    let mut segments = path.rsplit('/');
    let folder = segments.nth(1).unwrap_or_default();
    FOLDERS.contains(&folder)
        && segments
            .next()
            .is_some_and(|cache| cache.starts_with("cache2"))
        && is_entry_name(path)
}

/// The name of an entry, a SHA-1.
fn is_entry_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.len() == NAME && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What stands behind the body, and where: the last four bytes tell.
fn metadata(input: &mut Input) -> Result<Option<(Vec<u8>, u64)>, ReadError> {
    let Some(last) = input.len().checked_sub(4) else {
        return Ok(None);
    };
    let at = Cursor::new(&input.part(last, 4)?).u32_be().map(u64::from);
    let at = at.filter(|at| *at < last && last - at <= MAX_METADATA);
    at.map(|at| Ok((input.part(at, last - at)?, at)))
        .transpose()
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut out = Out::new(source, context, sink);
    // A gzip body makes the file look like gzip.
    let mut input = Input::as_it_is(evidence)?;
    let damaged = || {
        ReadError::Malformed(
            "ends before its metadata, or that is damaged; close the browser, or copy it again"
                .into(),
        )
    };
    let (bytes, at) = metadata(&mut input)?.ok_or_else(damaged)?;
    let metadata = Metadata::of(&bytes, at).ok_or_else(damaged)?;
    // A key may hold something else; what lies under it is read all the same.
    let url = key::firefox(metadata.key).unwrap_or_default();
    let before = metadata.key.len().saturating_sub(url.len()) as u64;
    let mut stored = Stored::new(url.to_vec(), metadata.key_at.saturating_add(before));
    stored.at = metadata.at;
    let folder = evidence.shown().rsplit('/').nth(1);
    if folder == Some("doomed") {
        stored.view = View::Recovered;
    }
    let mut body = at;
    let mut sent = Vec::new();
    for (name, value, value_at) in metadata.elements {
        element(&mut stored, &mut sent, name, (value, value_at));
        // Compiled code may follow the body: `1;<offset>,<type>` (`CacheFileUtils::ParseAlternativeDataInfo`).
        if name == b"alt-data" {
            body = alternative(value).map_or(body, |offset| offset.min(at));
        }
    }
    joined(&mut stored.response, sent);
    let body = (body > 0 && stored.has_text()).then_some((0, body));
    let body = out.body_part(&mut input, body)?;
    out.stored(&stored, body);
    Ok(())
}

/// Adds to the headers of a response what the server sent of them. What they repeat adds nothing; where there are more
/// than are looked at, all stay, so that this is told.
fn joined(headers: &mut Vec<Header>, sent: Vec<Header>) {
    let is_cut = headers.len().max(sent.len()) > MAX_HEADERS;
    let is_encoding = |header: &Header| header.name.eq_ignore_ascii_case(b"content-encoding");
    // Firefox has put several lines of it into one, and an encoding is not to be undone twice.
    let has_encoding = headers.iter().any(is_encoding);
    let sent = sent.into_iter();
    headers.extend(sent.filter(|header| !(has_encoding && is_encoding(header))));
    if !is_cut {
        let mut seen = HashSet::new();
        let key = |header: &Header| (header.name.to_ascii_lowercase(), header.value.clone());
        headers.retain(|header| seen.insert(key(header)));
    }
}

/// Takes what an element tells (`nsHttpChannel::AddCacheEntryHeaders`): `sent` is what the server sent.
fn element(stored: &mut Stored, sent: &mut Vec<Header>, name: &[u8], (value, at): (&[u8], u64)) {
    match name {
        b"request-method" => stored.method = Method::of(value),
        b"response-head" => {
            let (status, headers) = lines(value, at, b'\n');
            stored.status = status;
            for header in headers {
                push(&mut stored.response, header);
            }
        }
        // As the server sent them: the first line is a header.
        b"original-response-headers" => {
            let (_, headers) = lines(&[b"\n", value].concat(), at.saturating_sub(1), b'\n');
            for header in headers {
                push(sent, header);
            }
        }
        _ => {
            // Kept for responses that `Vary` by it.
            if let Some(header) = name.strip_prefix(b"request-") {
                let header = Header {
                    name: header.to_vec(),
                    value: value.to_vec(),
                    at,
                };
                push(&mut stored.request, header);
            }
        }
    }
}

fn alternative(value: &[u8]) -> Option<u64> {
    let value = std::str::from_utf8(value).ok()?;
    let (_version, rest) = value.split_once(';')?;
    rest.split(',').next()?.parse().ok()
}

/// What stands behind the body.
struct Metadata<'a> {
    key: &'a [u8],
    key_at: u64,
    at: Option<Timestamp>,
    /// Name, value, and where the value lies in the file.
    elements: Vec<(&'a [u8], &'a [u8], u64)>,
}

impl<'a> Metadata<'a> {
    /// Reads it from its first byte, which lies at `at` in the file; a last offset may follow it.
    fn of(bytes: &'a [u8], at: u64) -> Option<Self> {
        let hashes = at.div_ceil(CHUNK).checked_mul(2)?;
        let start = usize::try_from(hashes.checked_add(4)?).ok()?;
        let mut cursor = Cursor::starting(bytes, start);
        let version = cursor.u32_be()?;
        let _fetches = cursor.u32_be()?;
        let fetched = cursor.u32_be()?;
        let modified = cursor.u32_be()?;
        let [_frecency, _expires] = [cursor.u32_be()?, cursor.u32_be()?];
        let key_len = usize::try_from(cursor.u32_be()?).ok()?;
        match version {
            1 => {}
            2..=MAX_VERSION => {
                let _flags = cursor.u32_be()?;
            }
            _ => return None,
        }
        let key_at = at.saturating_add(cursor.at() as u64);
        let key = cursor.take(key_len)?;
        if cursor.u8()? != 0 || key.contains(&0) || !key.contains(&b':') {
            return None;
        }
        let mut elements = Vec::new();
        while let Some(name) = cursor.until(0) {
            let value_at = at.saturating_add(cursor.at() as u64);
            let Some(value) = cursor.until(0) else { break };
            elements.push((name, value, value_at));
        }
        let seconds = [modified, fetched].into_iter().find(|seconds| *seconds > 0);
        Some(Self {
            key,
            key_at,
            at: seconds.and_then(|seconds| Timestamp::from_second(seconds.into()).ok()),
            elements,
        })
    }
}
