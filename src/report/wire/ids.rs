//! Digests and join keys on the wire: texts to whoever reads it, and never texts in memory, since a sighting has a
//! dozen of them. Knows their form, and nothing of what they name.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::atoms::{Digest, JoinKey, KeyKind};

/// Bytes of a digest in hex.
const HEX: usize = 32;

/// A digest, as 32 hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hex(pub Digest);

/// A join key, as `kind:digest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(pub JoinKey);

impl Key {
    /// Longest key: the longest name of a kind is half as long as this.
    const MAX: usize = HEX + 32;

    /// The key that a text is.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = text.split_once(':')?;
        let mut kinds = KeyKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.as_str() == name)?;
        let digest = Digest::parse(digest)?;
        Some(Self(JoinKey { kind, digest }))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hex = self.0.hex();
        serializer.serialize_str(std::str::from_utf8(&hex).unwrap_or_default())
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JoinKey { kind, digest } = self.0;
        let mut text = [0; Self::MAX];
        let mut rest = text.as_mut_slice();
        for part in [kind.as_str().as_bytes(), b":", &digest.hex()] {
            let Some((place, after)) = rest.split_at_mut_checked(part.len()) else {
                return Err(S::Error::custom("the name of a kind of key is too long"));
            };
            place.copy_from_slice(part);
            rest = after;
        }
        let unused = rest.len();
        let text = text.get(..Self::MAX - unused).unwrap_or_default();
        serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Reader(|text| Digest::parse(text).map(Self)))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Reader(Self::parse))
    }
}

/// Reads a text that is one of these. Its errors do not quote what they refuse.
struct Reader<T>(fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest, or a key with its kind")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom("no digest, or no key of a known kind"))
    }
}

impl JsonSchema for Hex {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Hex".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl JsonSchema for Key {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_back_and_nothing_else_does() {
        let digest = Digest::of([b"a value".as_slice()]);
        for kind in KeyKind::ALL {
            let key = Key(JoinKey { kind, digest });
            let text = serde_json::to_string(&key).unwrap();
            assert_eq!(text, format!("\"{}:{digest}\"", kind.as_str()));
            assert_eq!(serde_json::from_str::<Key>(&text).unwrap(), key);
        }
        let text = serde_json::to_string(&Hex(digest)).unwrap();
        assert_eq!(text, format!("\"{digest}\""));
        assert_eq!(serde_json::from_str::<Hex>(&text).unwrap().0, digest);
        for other in ["\"state:12\"", "\"no:kind\"", "\"\"", "12", "null"] {
            let error = serde_json::from_str::<Key>(other).unwrap_err().to_string();
            assert!(!error.contains("kind:"), "{error}");
            assert!(serde_json::from_str::<Hex>(other).is_err(), "{other}");
        }
    }
}
