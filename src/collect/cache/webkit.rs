//! Records of WebKit's network cache, as GNOME Web and Safari keep it: one file each. What stands before the response
//! is fixed (`NetworkCacheStorage.cpp`); how a response is written changes with versions: where it is not as in those at
//! hand, only its strings are told apart, each by its own length.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::input::Input;
use super::stored::{Header, MAX_HEADERS, Out, Stored};
use crate::atoms::{Raw, Source};
use crate::collect::cursor::Cursor;
use crate::collect::har::parts;
use crate::collect::{Context, Evidence, Payload, ReadError, Reader, Sink};

/// One record, told by its first fields: a version, a partition, a type, and a URL.
pub static WEBKIT_CACHE: Reader = Reader {
    name: "webkit-cache",
    claims: |evidence, _| is_record_path(evidence.shown()) || Record::of(evidence.head()).is_some(),
    read,
};

/// Versions of the format that may come: it is 17 now.
const MAX_VERSION: u32 = 64;

/// A SHA-1.
const DIGEST: usize = 20;

/// Hexadecimal digits of a record's name.
const NAME: usize = 40;

/// A string that is shorter is chance, or holds nothing.
const MIN_STRING: usize = 8;

/// `…/Records/<partition>/Resource/<40 digits>`; a body beside it ends with `-blob`.
fn is_record_path(path: &str) -> bool {
    let mut segments = path.rsplit('/');
    let name = segments.next().unwrap_or_default();
    let (kind, _partition) = (segments.next(), segments.next());
    segments.next() == Some("Records")
        && kind.is_some_and(|kind| kind == "Resource" || kind == "SubResources")
        && name.len() == NAME
        && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let Some(record) = Record::of(evidence.head()) else {
        return Err(ReadError::Malformed(
            "is cut off, damaged or of an unknown version; copy it again".into(),
        ));
    };
    let mut out = Out::new(source, context, sink);
    let mut input = Input::of(evidence)?;
    let mut stored = Stored::new(record.url.clone(), record.url_at);
    stored.at = record.at;
    let header = input.part(record.header_at, record.header_len)?;
    if response(&header, record.header_at, &mut stored).is_none() {
        strings(&header, &mut |at, text| {
            if text != stored.url && out.hit(&text) {
                let at = record.header_at.saturating_add(at as u64);
                let is_url = parts::is_url(&text);
                let text = Raw::new(text);
                let payload = if is_url {
                    Payload::Url(text)
                } else {
                    Payload::Text(text)
                };
                out.loose(&stored, at, payload);
            }
        });
    }
    let body = if record.is_inline {
        let at = record.header_at.saturating_add(record.header_len);
        out.body_part(&mut input, Some((at, record.body_len)))?
    } else {
        blob(evidence, &record, &mut out)?
    };
    out.stored(&stored, body);
    if (header.len() as u64) < record.header_len {
        return Err(ReadError::Malformed(
            "ends inside its headers; copy it again, what came before was read".into(),
        ));
    }
    Ok(())
}

/// A longer body, which lies beside the record (`blobSuffix`).
fn blob(
    evidence: &Evidence,
    record: &Record,
    out: &mut Out<'_, '_>,
) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
    let name = evidence.shown().rsplit('/').next().unwrap_or_default();
    if record.body_len == 0 {
        return Ok(None);
    }
    let Some(blob) = evidence.beside(&format!("{name}-blob")) else {
        out.problem(ReadError::Malformed(
            "its body is not beside it, in a file whose name ends with `-blob`; copy the whole folder".into(),
        ));
        return Ok(None);
    };
    out.body_part(&mut Input::as_it_is(&blob)?, Some((0, record.body_len)))
}

/// The fields before the response, `RecordMetaData`.
struct Record {
    url: Vec<u8>,
    url_at: u64,
    at: Option<Timestamp>,
    header_at: u64,
    header_len: u64,
    body_len: u64,
    /// Whether the body lies in the record itself.
    is_inline: bool,
}

impl Record {
    fn of(head: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(head);
        let version = cursor.u32_le()?;
        if version == 0 || version > MAX_VERSION {
            return None;
        }
        let _partition = string(&mut cursor)?;
        let _kind = string(&mut cursor)?;
        let url_at = cursor.at().checked_add(5)? as u64;
        let url = string(&mut cursor)?.filter(|url| parts::is_url(url))?;
        let _range = string(&mut cursor)?;
        let _hashes = cursor.take(2 * DIGEST)?;
        let seconds = f64::from_bits(cursor.u64_le()?);
        let _header_hash = cursor.take(DIGEST)?;
        let header_len = cursor.u64_le()?;
        let _body_hash = cursor.take(DIGEST)?;
        let body_len = cursor.u64_le()?;
        let is_inline = cursor.u8()?;
        let _checksum = cursor.take(DIGEST)?;
        let since = SignedDuration::try_from_secs_f64(seconds).ok();
        let since = since.filter(SignedDuration::is_positive);
        Some(Self {
            url,
            url_at,
            at: since.and_then(|since| Timestamp::from_duration(since).ok()),
            header_at: cursor.at() as u64,
            header_len,
            body_len,
            is_inline: is_inline == 1,
        })
    }
}

/// A response as `ResourceResponseBase::encode` wrote it in versions 9 to 17: URL, media type, length, charset, status
/// text and protocol, then headers by name. `None` when it is of another form.
fn response(header: &[u8], at: u64, stored: &mut Stored) -> Option<()> {
    let mut cursor = Cursor::new(header);
    let is_null = cursor.u8()?;
    let url = string(&mut cursor)?.filter(|url| parts::is_url(url));
    let _mime = string(&mut cursor)?;
    let _length = cursor.u64_le()?;
    let [_charset, _text, protocol] = [
        string(&mut cursor)?,
        string(&mut cursor)?,
        string(&mut cursor)?,
    ];
    let is_http = protocol.is_none_or(|name| name.is_empty() || name.starts_with(b"HTTP/"));
    let count = cursor.u64_le()?;
    if is_null != 0 || url.is_none() || !is_http || count > MAX_HEADERS as u64 {
        return None;
    }
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = string(&mut cursor)??;
        let value_at = at.saturating_add(cursor.at() as u64).saturating_add(5);
        let value = string(&mut cursor)?.unwrap_or_default();
        headers.push(Header {
            name,
            value,
            at: value_at,
        });
    }
    stored.status = cursor.u16_le().filter(|code| (100..1000).contains(code));
    // The body was decoded before it was stored.
    headers.retain(|header| !header.name.eq_ignore_ascii_case(b"content-encoding"));
    stored.response = headers;
    Some(())
}

/// A string and its length (`PersistentCoders.cpp`). The outer `None` is damage, the inner one the null string.
#[expect(
    clippy::option_option,
    reason = "a string that is null and damage are two things"
)]
fn string(cursor: &mut Cursor<'_>) -> Option<Option<Vec<u8>>> {
    if cursor.rest().starts_with(&u32::MAX.to_le_bytes()) {
        cursor.take(4)?;
        return Some(None);
    }
    Some(Some(Text::of(cursor)?.decoded()))
}

/// The characters of a string as they lie in the record.
enum Text<'a> {
    Latin(&'a [u8]),
    Wide(&'a [u8]),
}

impl<'a> Text<'a> {
    fn of(cursor: &mut Cursor<'a>) -> Option<Self> {
        let len = usize::try_from(cursor.u32_le()?).ok()?;
        match cursor.u8()? {
            1 => cursor.take(len).map(Self::Latin),
            0 => cursor.take(len.checked_mul(2)?).map(Self::Wide),
            _ => None,
        }
    }

    /// Whether it is text, and not what only looks like a length and its string. Stops at the first byte that is
    /// none, so that strings that seem to lie in each other do not cost more than once.
    fn is_printable(&self) -> bool {
        match self {
            Self::Latin(text) => text.iter().all(|byte| *byte >= b' ' && *byte != 0x7f),
            Self::Wide(text) => {
                let (units, _) = text.as_chunks();
                let mut units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                units.all(|unit| unit >= 0x20 && unit != 0x7f)
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Latin(text) => text.len(),
            Self::Wide(text) => text.len() / 2,
        }
    }

    fn decoded(&self) -> Vec<u8> {
        match self {
            Self::Latin(text) => text.to_vec(),
            Self::Wide(text) => {
                let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(text);
                text.into_owned().into_bytes()
            }
        }
    }
}

/// Hands on the strings of a response, and where each one's text lies in it. Wherever a length and as many printable
/// characters follow each other, a string is.
fn strings(header: &[u8], on: &mut dyn FnMut(usize, Vec<u8>)) {
    let mut at = 0_usize;
    while at < header.len() {
        let mut cursor = Cursor::starting(header, at);
        match Text::of(&mut cursor) {
            Some(text) if text.len() >= MIN_STRING && text.is_printable() => {
                on(at.saturating_add(5), text.decoded());
                at = cursor.at();
            }
            _ => at = at.saturating_add(1),
        }
    }
}
