//! Headers as Chromium stores them beside a body: the pickle of an `HttpResponseInfo` in its HTTP cache, the protocol
//! buffer of a `CacheMetadata` in the Cache Storage of service workers. Knows these two; nothing of the files.

use jiff::Timestamp;

use super::stored::{Header, Stored, lines, push};
use crate::atoms::Method;
use crate::collect::browser::epoch;
use crate::collect::cursor::Cursor;
use crate::collect::sqlite::Number;

/// `RESPONSE_INFO_VERSION` of `net/http/http_response_info.cc`, in the low byte of the flags.
const VERSION: u32 = 3;

/// `RESPONSE_INFO_HAS_EXTRA_FLAGS`: a second number of flags follows.
const HAS_EXTRA_FLAGS: u32 = 1 << 31;

/// `RESPONSE_EXTRA_INFO_HAS_ORIGINAL_RESPONSE_TIME`: a third time follows, that of the first response.
const HAS_ORIGINAL_TIME: u32 = 1 << 2;

/// Adds what the header stream tells; `at` is where it lies in the file. Says whether it was understood.
pub(super) fn read(stream: &[u8], at: u64, stored: &mut Stored) -> bool {
    pickle(stream, at, stored).is_some() || protobuf(stream, at, stored).is_some()
}

/// `HttpResponseInfo::MakePickle`: its size, flags, times, then the status line and headers, a NUL behind each.
fn pickle(stream: &[u8], at: u64, stored: &mut Stored) -> Option<()> {
    let mut cursor = Cursor::new(stream);
    let size = cursor.u32_le()?;
    let flags = cursor.u32_le()?;
    if flags & 0xff != VERSION || u64::from(size) > stream.len() as u64 {
        return None;
    }
    let extra = match flags & HAS_EXTRA_FLAGS {
        0 => 0,
        _ => cursor.u32_le()?,
    };
    let _requested = cursor.i64_le()?;
    let mut answered = cursor.i64_le()?;
    if extra & HAS_ORIGINAL_TIME != 0 {
        // What was validated again later still came then.
        let original = cursor.i64_le()?;
        answered = if original > 0 { original } else { answered };
    }
    let len = usize::try_from(cursor.u32_le()?).ok()?;
    let begins = at.saturating_add(cursor.at() as u64);
    let block = cursor.take(len)?;
    if !block.starts_with(b"HTTP/") {
        return None;
    }
    (stored.status, stored.response) = lines(block, begins, 0);
    stored.at = webkit(answered);
    Some(())
}

fn webkit(micros: i64) -> Option<Timestamp> {
    epoch::webkit(Number::Integer(micros))
}

/// `CacheMetadata` of `content/browser/cache_storage/cache_storage.proto`.
fn protobuf(stream: &[u8], at: u64, stored: &mut Stored) -> Option<()> {
    let mut request = None;
    let mut response = None;
    let mut entered = None;
    let mut fields = Fields::new(stream, at);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(at, bytes)) => request = Some((at, bytes)),
            (2, Value::Bytes(at, bytes)) => response = Some((at, bytes)),
            (3, Value::Number(number)) => entered = i64::try_from(number).ok(),
            _ => {}
        }
    }
    let ((request_at, request), (response_at, response)) = (request?, response?);
    let mut fields = Fields::new(request, request_at);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(_, method)) => stored.method = Method::of(method),
            (2, Value::Bytes(at, bytes)) => {
                if let Some(header) = header(bytes, at) {
                    push(&mut stored.request, header);
                }
            }
            _ => {}
        }
    }
    let mut answered = None;
    let mut fields = Fields::new(response, response_at);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Number(code)) => {
                let code = u16::try_from(code).ok();
                stored.status = code.filter(|code| (100..1000).contains(code));
            }
            (4, Value::Bytes(at, bytes)) => {
                if let Some(header) = header(bytes, at) {
                    push(&mut stored.response, header);
                }
            }
            (6, Value::Number(number)) => answered = i64::try_from(number).ok(),
            _ => {}
        }
    }
    stored.at = answered.and_then(webkit).or(entered.and_then(webkit));
    Some(())
}

/// `CacheHeaderMap`.
fn header(message: &[u8], at: u64) -> Option<Header> {
    let mut fields = Fields::new(message, at);
    let (mut name, mut value) = (None, None);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(_, bytes)) => name = Some(bytes),
            (2, Value::Bytes(at, bytes)) => value = Some((at, bytes)),
            _ => {}
        }
    }
    let (at, value) = value?;
    Some(Header {
        name: name?.to_vec(),
        value: value.to_vec(),
        at,
    })
}

/// The fields of one message.
struct Fields<'a> {
    cursor: Cursor<'a>,
    at: u64,
}

enum Value<'a> {
    Number(u64),
    /// Where the bytes lie in the file, and the bytes.
    Bytes(u64, &'a [u8]),
    Other,
}

impl<'a> Fields<'a> {
    fn new(message: &'a [u8], at: u64) -> Self {
        Self {
            cursor: Cursor::new(message),
            at,
        }
    }

    /// The next field and its number; the outer `None` is damage.
    #[expect(
        clippy::option_option,
        reason = "the end of a message and damage are two things"
    )]
    fn next(&mut self) -> Option<Option<(u64, Value<'a>)>> {
        if self.cursor.rest().is_empty() {
            return Some(None);
        }
        let tag = self.cursor.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.cursor.varint()?),
            1 => self.cursor.take(8).map(|_| Value::Other)?,
            2 => {
                let len = usize::try_from(self.cursor.varint()?).ok()?;
                let at = self.at.saturating_add(self.cursor.at() as u64);
                Value::Bytes(at, self.cursor.take(len)?)
            }
            5 => self.cursor.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        Some(Some((tag >> 3, value)))
    }
}
