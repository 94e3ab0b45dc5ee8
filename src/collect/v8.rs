//! Values that a page stored as they are, in IndexedDB or with a navigation: V8's serialisation, told as JSON
//! so that a name stays beside its value. What is not known, and what follows it, is searched for its strings,
//! each bounded by its own length (`v8/src/objects/value-serializer.cc`, and `serialization_tag.h` of Blink).

use std::fmt::Write as _;

use super::charset::{latin1, utf16le};
use super::cursor::Cursor;
use super::snappy;

/// Objects inside objects.
const MAX_DEPTH: usize = 64;

/// Largest value once unpacked; Blink unpacks none that is larger than a message may be.
const MAX_UNPACKED: usize = 64 << 20;

/// How often each byte behind something unknown may be looked at: what looks like the length of a string is
/// mostly none, and lengths may be made to overlap.
const MAX_LOOKS: usize = 16;

/// First version whose array buffer views have flags.
const VIEW_FLAGS: u64 = 14;

/// `kRequiresProcessingSSVPseudoVersion` of `idb_value_wrapping.h`: a version that is none.
const WRAPPED: u8 = 0x11;

/// `kCompressedWithSnappy` of the same file.
const COMPRESSED: u8 = 0x02;

/// What a value is.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::collect) enum Value {
    /// A string, and nothing else.
    Text(String),
    /// Anything else, as JSON.
    Json(String),
}

/// Decodes a value with its versions before it. `None` when it has none.
pub(in crate::collect) fn decode(bytes: &[u8]) -> Option<Value> {
    if let [0xff, WRAPPED, COMPRESSED, packed @ ..] = bytes {
        return plain(&snappy::decode(packed, MAX_UNPACKED)?);
    }
    plain(bytes)
}

fn plain(bytes: &[u8]) -> Option<Value> {
    let mut rest = Cursor::new(bytes);
    let mut version = None;
    // Blink's version, where its trailer stands, V8's version.
    loop {
        match rest.peek() {
            Some(0xff) => {
                rest.u8();
                version = Some(rest.varint()?);
            }
            Some(0xfe) if version.is_some() => {
                rest.take(13)?;
            }
            _ => break,
        }
    }
    let mut reader = Reader {
        rest,
        version: version?,
        out: String::new(),
        is_lost: false,
    };
    reader.skip_padding();
    let begins = reader.rest;
    if let Some(text) = reader.text().filter(|_| reader.rest.is_empty()) {
        return Some(Value::Text(text));
    }
    reader.rest = begins;
    reader.value(MAX_DEPTH);
    let whole = reader.out;
    if !reader.is_lost {
        return Some(Value::Json(whole));
    }
    Some(Value::Json(format!("[{whole},{}]", strings(reader.rest))))
}

struct Reader<'a> {
    rest: Cursor<'a>,
    version: u64,
    out: String,
    /// Whether something was met that is not known. What is open is closed, and nothing more is read.
    is_lost: bool,
}

impl Reader<'_> {
    fn skip_padding(&mut self) {
        while self.rest.peek() == Some(0) {
            self.rest.u8();
        }
    }

    fn lost(&mut self) {
        self.is_lost = true;
        self.out.push_str("null");
    }

    /// Reads one value.
    fn value(&mut self, depth: usize) {
        self.skip_padding();
        let before = self.rest;
        if depth == 0 || self.known(depth).is_none() {
            if !self.is_lost {
                self.rest = before;
            }
            self.lost();
        }
    }

    fn known(&mut self, depth: usize) -> Option<()> {
        if let Some(text) = self.text() {
            write_text(&mut self.out, &text);
            return Some(());
        }
        match self.rest.u8()? {
            b'o' => self.members(b'{', 1, depth),
            b';' => self.members(b':', 1, depth),
            b'a' => {
                self.rest.varint()?;
                self.members(b'@', 2, depth);
            }
            b'A' => self.dense(depth)?,
            b'\'' => self.items(b',', depth),
            b'_' | b'0' | b'-' => self.out.push_str("null"),
            b'T' | b'y' => self.out.push_str("true"),
            b'F' | b'x' => self.out.push_str("false"),
            b'I' => {
                let zigzag = self.rest.varint()?;
                let half = i64::try_from(zigzag >> 1).ok()?;
                self.number(if zigzag & 1 == 1 { !half } else { half });
            }
            b'U' => {
                let number = self.rest.varint()?;
                self.number(number);
            }
            b'N' | b'D' | b'n' => {
                let number = f64::from_bits(self.rest.u64_le()?);
                if number.is_finite() {
                    self.number(number);
                } else {
                    self.out.push_str("null");
                }
            }
            // A string object.
            b's' => self.quoted()?,
            // A regular expression, and its flags.
            b'R' => {
                self.quoted()?;
                self.rest.varint()?;
            }
            tag => {
                self.skip(tag)?;
                self.out.push_str("null");
            }
        }
        Some(())
    }

    /// What is no text: a large number, bytes, an object that was told before.
    fn skip(&mut self, tag: u8) -> Option<()> {
        match tag {
            // The sign of the number is in the lowest bit of its length.
            b'Z' | b'z' => {
                let len = self.rest.varint()? >> 1;
                self.rest.take_u64(len).map(drop)
            }
            b'B' => {
                self.rest.counted()?;
                self.view()
            }
            b'^' => self.rest.varint().map(drop),
            _ => None,
        }
    }

    fn quoted(&mut self) -> Option<()> {
        let text = self.text()?;
        write_text(&mut self.out, &text);
        Some(())
    }

    /// A string of one byte, two bytes or UTF-8 a character.
    fn text(&mut self) -> Option<String> {
        let mut rest = self.rest;
        let tag = rest.u8()?;
        let counted = matches!(tag, b'"' | b'c' | b'S').then(|| rest.counted())??;
        self.rest = rest;
        Some(match tag {
            b'"' => latin1(counted),
            b'c' => utf16le(counted),
            _ => String::from_utf8_lossy(counted).into_owned(),
        })
    }

    /// The view of an array buffer follows it, when there is one.
    fn view(&mut self) -> Option<()> {
        if self.rest.peek() == Some(b'V') {
            self.rest.take(2)?;
            let flags = usize::from(self.version >= VIEW_FLAGS);
            for _ in 0..2 + flags {
                self.rest.varint()?;
            }
        }
        Some(())
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _written = write!(self.out, "{number}");
    }

    /// Names and values up to the closing tag, behind which their numbers stand.
    fn members(&mut self, end: u8, numbers: usize, depth: usize) {
        self.out.push('{');
        self.pairs(end, numbers, depth);
        self.out.push('}');
    }

    fn pairs(&mut self, end: u8, numbers: usize, depth: usize) {
        let mut any = false;
        while !self.closes(end, numbers) {
            if any {
                self.out.push(',');
            }
            any = true;
            self.name(depth);
            self.out.push(':');
            if self.is_lost {
                self.out.push_str("null");
            } else {
                self.value(depth - 1);
            }
        }
    }

    /// Whether nothing more follows before the closing tag, which is read.
    fn closes(&mut self, end: u8, numbers: usize) -> bool {
        if self.is_lost {
            return true;
        }
        self.skip_padding();
        match self.rest.peek() {
            None => self.is_lost = true,
            Some(tag) if tag == end => {
                self.rest.u8();
                for _ in 0..numbers {
                    self.is_lost |= self.rest.varint().is_none();
                }
            }
            Some(_) => return false,
        }
        true
    }

    /// A member's name: a string, or a number. In a map it may be anything; then it has none.
    fn name(&mut self, depth: usize) {
        if let Some(text) = self.text() {
            write_text(&mut self.out, &text);
            return;
        }
        let before = self.out.len();
        self.value(depth - 1);
        self.out.truncate(before);
        self.out.push_str("\"\"");
    }

    fn dense(&mut self, depth: usize) -> Option<()> {
        let len = self.rest.varint()?;
        self.out.push('[');
        for index in 0..len {
            if self.is_lost || self.rest.is_empty() {
                self.is_lost = true;
                break;
            }
            if index > 0 {
                self.out.push(',');
            }
            self.value(depth - 1);
        }
        // Named members of an array, which hardly any has.
        let members = self.out.len();
        self.pairs(b'$', 2, depth);
        if self.out.len() > members {
            let named = self.out.split_off(members);
            let comma = if len > 0 { "," } else { "" };
            self.number(format_args!("{comma}{{{named}}}"));
        }
        self.out.push(']');
        Some(())
    }

    fn items(&mut self, end: u8, depth: usize) {
        self.out.push('[');
        let mut any = false;
        while !self.closes(end, 1) {
            if any {
                self.out.push(',');
            }
            any = true;
            self.value(depth - 1);
        }
        self.out.push(']');
    }
}

fn write_text(out: &mut String, text: &str) {
    let quoted = serde_json::Value::from(text);
    // Writing to a string does not fail.
    let _written = write!(out, "{quoted}");
}

/// The strings in what is not known, as JSON: two that follow one another directly may be a name and its value.
fn strings(rest: Cursor<'_>) -> String {
    let mut out = String::from("[");
    let mut rest = rest;
    let mut left = rest.rest().len().saturating_mul(MAX_LOOKS);
    let mut name: Option<String> = None;
    while !rest.is_empty() && left > 0 {
        let text = string(&mut rest, &mut left);
        match (text, name.take()) {
            (None, _) => {
                rest.u8();
            }
            (Some(text), None) => name = Some(text),
            (Some(text), Some(before)) => {
                if out.len() > 1 {
                    out.push(',');
                }
                out.push('{');
                write_text(&mut out, &before);
                out.push(':');
                write_text(&mut out, &text);
                out.push('}');
                // The value may itself be the name of the next one.
                name = Some(text);
            }
        }
    }
    if !rest.is_empty() {
        // Where no more strings are looked for, what tells itself is still found.
        let text = latin1(rest.rest()).replace(char::is_control, " ");
        if out.len() > 1 {
            out.push(',');
        }
        write_text(&mut out, &text);
    }
    out.push(']');
    out
}

/// A string of printable characters at this place.
fn string(rest: &mut Cursor<'_>, left: &mut usize) -> Option<String> {
    let mut at = *rest;
    let tag = at.u8()?;
    let bytes = matches!(tag, b'"' | b'c' | b'S').then(|| at.counted())??;
    *left = left.saturating_sub(bytes.len());
    let text = match tag {
        b'c' => utf16le(bytes),
        b'S' => String::from_utf8(bytes.to_vec()).ok()?,
        _ => latin1(bytes),
    };
    let printable = !text.is_empty() && !text.contains(char::is_control);
    printable.then(|| *rest = at)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> String {
        match decode(bytes).unwrap() {
            Value::Json(json) => {
                assert!(
                    serde_json::from_str::<serde_json::Value>(&json).is_ok(),
                    "{json}"
                );
                json
            }
            Value::Text(text) => text,
        }
    }

    /// As Chromium 156 writes it: Blink's version, its trailer, V8's version.
    const BEGINS: &[u8] = b"\xff\x15\xfe\0\0\0\0\0\0\0\0\0\0\0\0\xff\x10";

    fn of(value: &[u8]) -> String {
        json(&[BEGINS, value].concat())
    }

    #[test]
    fn objects_that_chromium_wrote() {
        let value = b"o\"\x0caccess_token\"\x03abc\"\x01nI\x0a\"\x06nestedo\"\x01kT{\x01{\x03";
        assert_eq!(
            of(value),
            r#"{"access_token":"abc","n":5,"nested":{"k":true}}"#
        );
        assert_eq!(of(b"o\"\x04notec\x02\x2d\x4e{\x01"), "{\"note\":\"中\"}");
        assert_eq!(
            decode(&[BEGINS, b"\"\x03a\"b"].concat()),
            Some(Value::Text("a\"b".into()))
        );
    }

    #[test]
    fn every_kind_of_value() {
        assert_eq!(of(b"A\x03I\x01_-$\x00\x03"), "[-1,null,null]");
        assert_eq!(of(b"A\x00\"\x01a\"\x01b$\x01\x00"), r#"[{"a":"b"}]"#);
        assert_eq!(of(b"a\x09I\x02\"\x01x@\x01\x09"), r#"{"":"x"}"#);
        assert_eq!(of(b";\"\x01aN\0\0\0\0\0\0\xf8\x3f:\x02"), r#"{"a":1.5}"#);
        assert_eq!(of(b"'\"\x01aU\x05,\x02"), r#"["a",5]"#);
        assert_eq!(
            of(b"o\"\x01bB\x02\xff\xffVB\x00\x02\x00\"\x01c\"\x01d{\x02"),
            r#"{"b":null,"c":"d"}"#
        );
        assert_eq!(
            of(b"o\"\x01dD\0\0\0\0\0\0\0\0\"\x01rR\"\x01x\x00\"\x01o^\x00{\x03"),
            r#"{"d":0,"r":"x","o":null}"#
        );
    }

    #[test]
    fn behind_what_is_not_known_strings_are_searched_for() {
        let value = b"o\"\x01k\\K\x01\x02\x03\"\x05token\"\x06secret{\x02";
        assert_eq!(of(value), r#"[{"k":null},[{"token":"secret"}]]"#);
        assert_eq!(of(b"o\"\x01a\"\x01b"), r#"[{"a":"b"},[]]"#);
        // What looks like strings and is none uses up the looks at what lies behind.
        let wasted = b"\"\x7f".repeat(1000);
        let all = [&b"\\"[..], &wasted, b"\"\x05token\"\x06secret"].concat();
        assert!(
            of(&all).ends_with(r#"\" token\" secret"]]"#),
            "{}",
            of(&all)
        );
    }

    #[test]
    fn compressed_values() {
        let value = b"\xff\x10o\"\x01a\"\x01b{\x01";
        let packed = [
            &[
                u8::try_from(value.len()).unwrap(),
                (u8::try_from(value.len()).unwrap() - 1) << 2,
            ][..],
            value,
        ]
        .concat();
        assert_eq!(
            json(&[&[0xff, WRAPPED, COMPRESSED][..], &packed].concat()),
            r#"{"a":"b"}"#
        );
    }

    #[test]
    fn what_is_no_value_gives_nothing_and_hostile_ones_end() {
        assert_eq!(decode(b""), None);
        assert_eq!(decode(b"text"), None);
        assert_eq!(decode(b"\xff"), None);
        of(&b"o\"\x01a".repeat(10_000));
        of(&b"A\x01".repeat(10_000));
        of(b"A\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        of(&b"\"\xff\xff\xff\x7f".repeat(1000));
        // Each of these is half a megabyte long, and none is printable.
        let overlapping = [&b"\"\xff\xff\x1f".repeat(250_000)[..], b"\n"].concat();
        of(&[&b"\\"[..], &overlapping].concat());
    }
}
