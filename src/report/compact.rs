//! JSON on one line, put together in memory: what [`super::json::line`] writes, byte for byte, at a third of its cost.
//! Sightings are written by the million, and nearly all their texts need no escape. Writes what the wire types are
//! made of, and refuses the rest of what serde knows.

use serde::Serialize;
use serde::ser::{
    Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, Serializer,
};
use serde_json::Error;

use super::json;
use super::terminal::is_hostile;

/// Appends a value and a newline.
pub(super) fn line(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(Compact(out))?;
    out.push(b'\n');
    Ok(())
}

/// Where one value goes.
struct Compact<'a>(&'a mut Vec<u8>);

/// The parts of a list or of an object.
struct Parts<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
    end: &'static [u8],
}

impl<'a> Parts<'a> {
    fn new(out: &'a mut Vec<u8>, start: u8, end: &'static [u8]) -> Self {
        out.push(start);
        Self {
            out,
            is_first: true,
            end,
        }
    }

    fn next(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(b',');
        }
    }

    /// A member whose name is one of a Rust struct's, and so needs no escape.
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.next();
        plain(name, self.out);
        self.out.push(b':');
        value.serialize(Compact(self.out))
    }

    fn close(self) {
        self.out.extend_from_slice(self.end);
    }
}

fn plain(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 3);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether neither JSON nor a terminal needs an escape in it. Whole blocks are compared many bytes at a time.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "only where every comparison is made are they made for many bytes at a time"
)]
fn is_plain(bytes: &[u8]) -> bool {
    let one = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\');
    let (blocks, rest) = bytes.as_chunks::<16>();
    let block = |block: &[u8; 16]| block.iter().fold(true, |all, byte| all & one(*byte));
    blocks.iter().all(block) && rest.iter().all(|byte| one(*byte))
}

fn number(is_negative: bool, mut number: u64, out: &mut Vec<u8>) {
    /// Digits of the largest number, and a sign.
    const LONGEST: usize = 21;
    let mut text = [b'-'; LONGEST];
    let mut length = 0;
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        length += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let start = LONGEST - length - usize::from(is_negative);
    out.extend_from_slice(text.get(start..).unwrap_or_default());
}

fn refused<T>() -> Result<T, Error> {
    Err(Error::custom("no wire type holds this"))
}

impl<'a> Serializer for Compact<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.0.extend_from_slice(text);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        number(value < 0, value.unsigned_abs(), self.0);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        number(false, value, self.0);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serde_json::to_writer(self.0, &value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(self.0, &value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        let needs_escape = |c: char| matches!(c, '"' | '\\') || is_hostile(c);
        if is_plain(text.as_bytes()) || !text.contains(needs_escape) {
            plain(text, self.0);
            return Ok(());
        }
        json::put_text(&text, self.0).map_err(Error::custom)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        refused()
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &str, _: u32, name: &'static str) -> Result<(), Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut object = Parts::new(self.0, b'{', b"}");
        object.member(name, value)?;
        object.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(Parts::new(self.0, b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::new(self.0, b'[', b"]"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        refused()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        refused()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(Parts::new(self.0, b'{', b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(Parts::new(self.0, b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        self.0.push(b'{');
        plain(name, self.0);
        self.0.push(b':');
        Ok(Parts::new(self.0, b'{', b"}}"))
    }
}

impl SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(Compact(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        let start = self.out.len();
        key.serialize(Compact(self.out))?;
        // RFC 8259 §4: a name is a string.
        if self.out.get(start) != Some(&b'"') {
            return refused();
        }
        self.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Compact(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeStructVariant for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::detect::sample;
    use crate::report::assemble::shard;

    fn same(value: &impl Serialize) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        line(value, &mut ours).unwrap();
        json::line(value, &mut theirs).unwrap();
        let [ours, theirs] = [ours, theirs].map(|text| String::from_utf8(text).unwrap());
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_line_is_what_json_writes() {
        let sighting = sample::full();
        same(&shard::sighting("run", sighting.id, &sighting));
        for text in [
            "",
            "a",
            "\"",
            "\\",
            "\u{1b}[31m",
            "é",
            "\u{202e}",
            "a\nb\u{7f}",
            "0123456789abcdef\"",
        ] {
            same(&text);
            same(&[text, text]);
            same(&BTreeMap::from([(text, Some(1.5_f64))]));
            same(&text.chars().next());
        }
        for number in [0, 1, -1, 9, 10, i64::MAX, i64::MIN] {
            same(&(number, number.unsigned_abs(), true, ()));
        }
        same(&u64::MAX);
        same(&Some(Option::<u8>::None));
    }

    #[test]
    fn every_variant_is_written_or_refused() {
        #[derive(Serialize)]
        enum Any {
            Unit,
            One(u8),
            Named { a: i8, b: Vec<u16> },
            Two(u8, u8),
        }
        let named = Any::Named {
            a: -5,
            b: vec![1, 2],
        };
        same(&[Any::Unit, Any::One(255), named]);
        assert!(line(&Any::Two(1, 2), &mut Vec::new()).is_err());
        assert!(line(&BTreeMap::from([(1, 2)]), &mut Vec::new()).is_err());
    }
}
