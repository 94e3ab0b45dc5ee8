//! Values that a page stored as they are, in the form that Firefox gives them: words of eight bytes, each a number
//! or a tag with four bytes of data (`js/src/vm/StructuredClone.cpp`). What JSON can say becomes JSON; of the rest
//! only the strings are kept. Knows no database.

use serde_json::{Map, Number, Value};

/// Objects inside one another. Pages nest their state ten deep; JSON readers take 128.
const MAX_DEPTH: usize = 64;

/// Bytes of a word.
const WORD: usize = 8;

/// Tags: the upper half of a word that is no number.
mod tag {
    pub(super) const FLOAT_MAX: u32 = 0xfff0_0000;
    pub(super) const HEADER: u32 = 0xfff1_0000;
    pub(super) const NULL: u32 = 0xffff_0000;
    pub(super) const UNDEFINED: u32 = 0xffff_0001;
    pub(super) const BOOLEAN: u32 = 0xffff_0002;
    pub(super) const INT32: u32 = 0xffff_0003;
    pub(super) const STRING: u32 = 0xffff_0004;
    /// A number follows, so that the tag itself is passed over. So it is with the boxed types.
    pub(super) const DATE: u32 = 0xffff_0005;
    pub(super) const ARRAY: u32 = 0xffff_0007;
    pub(super) const OBJECT: u32 = 0xffff_0008;
    pub(super) const MAP: u32 = 0xffff_0011;
    pub(super) const SET: u32 = 0xffff_0012;
    pub(super) const END: u32 = 0xffff_0013;
}

/// The value as JSON; `None` if it is none.
pub(super) fn json(clone: &[u8]) -> Option<Vec<u8>> {
    let mut words = Words {
        rest: clone.as_chunks::<WORD>().0,
    };
    let first = words.next()?;
    if first.tag != tag::HEADER {
        return None;
    }
    let mut open: Vec<Frame> = Vec::new();
    while let Some(word) = words.next() {
        let value = match word.tag {
            tag::OBJECT | tag::ARRAY | tag::MAP | tag::SET if open.len() < MAX_DEPTH => {
                open.push(Frame::new(word.tag));
                continue;
            }
            tag::END if !open.is_empty() => match open.pop() {
                Some(frame) => frame.value(),
                None => break,
            },
            tag::DATE => continue,
            _ => match words.scalar(word) {
                Some(value) => value,
                None => return finish(open, words.strings()),
            },
        };
        match open.last_mut() {
            Some(frame) => frame.take(value),
            None => return serde_json::to_vec(&value).ok(),
        }
    }
    finish(open, Vec::new())
}

/// Closes what is open, with the strings that come behind a type that JSON does not have.
fn finish(mut open: Vec<Frame>, strings: Vec<Value>) -> Option<Vec<u8>> {
    let mut value = Value::Array(strings);
    while let Some(mut frame) = open.pop() {
        if frame.name.is_none() {
            frame.name = Some(String::new());
        }
        frame.take(value);
        value = frame.value();
    }
    serde_json::to_vec(&value).ok()
}

/// An object that is not at its end.
struct Frame {
    /// Whether names, or numbers, stand before its values.
    keyed: bool,
    /// Whether it is a list.
    list: bool,
    name: Option<String>,
    members: Map<String, Value>,
    items: Vec<Value>,
}

impl Frame {
    fn new(tag: u32) -> Self {
        Self {
            keyed: tag != tag::SET,
            list: matches!(tag, tag::ARRAY | tag::SET),
            name: None,
            members: Map::new(),
            items: Vec::new(),
        }
    }

    fn take(&mut self, value: Value) {
        match (self.keyed, self.name.take()) {
            (true, None) => {
                self.name = Some(match value {
                    Value::String(name) => name,
                    other => other.to_string(),
                });
            }
            (true, Some(name)) if !self.list => {
                self.members.insert(name, value);
            }
            _ => self.items.push(value),
        }
    }

    fn value(self) -> Value {
        if self.list {
            Value::Array(self.items)
        } else {
            Value::Object(self.members)
        }
    }
}

#[derive(Clone, Copy)]
struct Word {
    tag: u32,
    data: u32,
    whole: u64,
}

struct Words<'a> {
    rest: &'a [[u8; WORD]],
}

impl Words<'_> {
    fn next(&mut self) -> Option<Word> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let whole = u64::from_le_bytes(*first);
        Some(Word {
            tag: u32::try_from(whole >> 32).ok()?,
            data: u32::try_from(whole & 0xffff_ffff).ok()?,
            whole,
        })
    }

    fn scalar(&mut self, word: Word) -> Option<Value> {
        Some(match word.tag {
            tag::NULL | tag::UNDEFINED => Value::Null,
            tag::BOOLEAN => Value::Bool(word.data != 0),
            tag::INT32 => Value::from(word.data.cast_signed()),
            tag::STRING => Value::String(self.string(word.data)?),
            0..=tag::FLOAT_MAX => {
                let number = Number::from_f64(f64::from_bits(word.whole));
                number.map_or(Value::Null, Value::Number)
            }
            _ => return None,
        })
    }

    /// The upper bit says whether a character has one byte or two; the end is padded to a whole word.
    fn string(&mut self, data: u32) -> Option<String> {
        let len = usize::try_from(data & 0x7fff_ffff).ok()?;
        let is_narrow = data >> 31 == 1;
        let bytes = if is_narrow { len } else { len.checked_mul(2)? };
        let (words, rest) = self.rest.split_at_checked(bytes.div_ceil(WORD))?;
        self.rest = rest;
        let bytes = words.as_flattened().get(..bytes)?;
        Some(if is_narrow {
            encoding_rs::mem::decode_latin1(bytes).into_owned()
        } else {
            let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(bytes);
            text.into_owned()
        })
    }

    /// All strings from here on.
    fn strings(mut self) -> Vec<Value> {
        let mut found = Vec::new();
        while let Some(word) = self.next() {
            let rest = self.rest;
            if word.tag == tag::STRING {
                match self.string(word.data) {
                    Some(text) => found.push(Value::String(text)),
                    None => self.rest = rest,
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: u64 = 0xfff1_0000_0000_0003;

    fn word(tag: u32, data: u32) -> u64 {
        u64::from(tag) << 32 | u64::from(data)
    }

    fn text(text: &str) -> Vec<u64> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().div_ceil(WORD) * WORD, 0);
        let chunks = bytes.as_chunks::<WORD>().0;
        let mut words = vec![word(
            tag::STRING,
            u32::try_from(text.len()).unwrap() | 1 << 31,
        )];
        words.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        words
    }

    fn read(words: &[Vec<u64>]) -> Option<String> {
        let bytes: Vec<u8> = words
            .concat()
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        json(&bytes).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn objects_become_json() {
        let clone = [
            vec![HEADER, word(tag::OBJECT, 0)],
            text("uid"),
            text("u1"),
            text("list"),
            vec![word(tag::ARRAY, 2), word(tag::INT32, 0)],
            text("a"),
            vec![
                word(tag::INT32, 1),
                word(tag::BOOLEAN, 1),
                word(tag::END, 0),
            ],
            text("token"),
            vec![word(tag::OBJECT, 0)],
            text("refreshToken"),
            text("made-up"),
            text("expires"),
            vec![
                word(tag::DATE, 0),
                5.5_f64.to_bits(),
                word(tag::END, 0),
                word(tag::END, 0),
            ],
        ];
        let expected =
            r#"{"list":["a",true],"token":{"expires":5.5,"refreshToken":"made-up"},"uid":"u1"}"#;
        assert_eq!(read(&clone).unwrap(), expected);
        assert_eq!(
            read(&[vec![HEADER], text("made-up")]).unwrap(),
            "\"made-up\""
        );
        assert_eq!(read(&[text("made-up")]), None);
    }

    #[test]
    fn behind_a_type_that_json_does_not_have_strings_are_kept() {
        let clone = [
            vec![HEADER, word(tag::OBJECT, 0)],
            text("a"),
            text("made-up"),
            text("bytes"),
            vec![word(0xffff_0010, 3), 0x0003_0201],
            text("b"),
            text("made-up2"),
            vec![word(tag::END, 0)],
        ];
        assert_eq!(
            read(&clone).unwrap(),
            r#"{"a":"made-up","bytes":["b","made-up2"]}"#
        );
    }

    #[test]
    fn every_cut_and_every_depth_is_survived() {
        let clone = [
            vec![HEADER, word(tag::OBJECT, 0)],
            text("access_token"),
            text("made-up-and-long"),
            vec![word(tag::END, 0)],
        ]
        .concat();
        for len in 0..clone.len() {
            let json = read(&[clone[..len].to_vec()]);
            assert_eq!(json.is_none(), len == 0, "{len}");
        }
        let deep = vec![word(tag::ARRAY, 1); 10_000];
        assert!(read(&[vec![HEADER], deep]).is_some());
        assert_eq!(
            read(&[vec![HEADER, word(tag::STRING, u32::MAX)]]).unwrap(),
            "[]"
        );
    }
}
