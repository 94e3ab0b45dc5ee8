//! JSON documents in order of appearance, duplicate names kept: what a map would lose is evidence.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::message::{Field, MAX_FIELDS};
use crate::atoms::Slot;

/// A JSON value. Scalars are text: nothing here reckons with them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Json {
    /// Members in order.
    Object(Vec<(String, Json)>),
    /// Items in order.
    Array(Vec<Json>),
    /// A text, a number, a truth value.
    Text(String),
    /// `null`.
    Null,
}

/// Parses one document; `None` when it is none, or deeper than the parser's own bound (128).
pub(super) fn parse(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

impl Json {
    fn member(&self, name: &str) -> Option<&str> {
        let Self::Object(members) = self else {
            return None;
        };
        members.iter().find_map(|(key, value)| match value {
            Self::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// A name and its value in a list of two.
    fn pair(&self) -> Option<(&str, &str)> {
        let Self::Array(items) = self else {
            return None;
        };
        let [Self::Text(name), Self::Text(value)] = items.as_slice() else {
            return None;
        };
        Some((name, value))
    }

    /// Every value under its last name, each object a group of its own.
    pub(super) fn fields(&self, slot: Slot, out: &mut Vec<Field>) {
        let mut waiting = vec![("", self, 0_u32)];
        let mut groups = out.last().map_or(0, |field| field.group);
        while let Some((name, value, group)) = waiting.pop() {
            if out.len() >= MAX_FIELDS {
                return;
            }
            match value {
                Self::Object(members) => {
                    groups = groups.saturating_add(1);
                    let own = groups;
                    waiting.extend(
                        members
                            .iter()
                            .rev()
                            .map(|(key, inner)| (key.as_str(), inner, own)),
                    );
                    // A list of headers or form fields: the name stands beside the value.
                    let key = value.member("name").or_else(|| value.member("key"));
                    if let (Some(key), Some(text)) = (key, value.member("value")) {
                        out.push(field(key, text, slot, group));
                    }
                }
                Self::Array(items) => {
                    let pair = |item: &'_ Self| item.pair().is_some();
                    if !items.is_empty() && items.iter().all(pair) {
                        // A list of headers or form fields again, as `[["code", "x"]]`.
                        let pairs = items.iter().filter_map(Self::pair);
                        out.extend(pairs.map(|(name, text)| field(name, text, slot, group)));
                    } else {
                        waiting.extend(items.iter().rev().map(|item| (name, item, group)));
                    }
                }
                Self::Text(text) => out.push(field(name, text, slot, group)),
                Self::Null => {}
            }
        }
    }
}

fn field(name: &str, value: &str, slot: Slot, group: u32) -> Field {
    let mut field = Field::new(name, value.to_owned(), slot);
    field.group = group;
    field
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element()? {
            out.push(item);
        }
        Ok(Json::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut out = Vec::new();
        while let Some(member) = members.next_entry()? {
            out.push(member);
        }
        Ok(Json::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_objects() {
        let mut fields = Vec::new();
        let text = r#"{"z":1,"a":{"token":"x","token":"y"},"list":[{"name":"code","value":"c"}]}"#;
        parse(text).unwrap().fields(Slot::Json, &mut fields);
        let seen: Vec<_> = fields
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str(), field.group))
            .collect();
        assert_eq!(
            seen,
            [
                ("z", "1", 1),
                ("token", "x", 2),
                ("token", "y", 2),
                ("code", "c", 1),
                ("name", "code", 3),
                ("value", "c", 3),
            ]
        );
    }
}
