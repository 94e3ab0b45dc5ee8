//! What an entry holds beside the first telling of what the format knows: members of other names, names that stand
//! there twice, and lists that say again what a URL, a header or a body said. Nothing of it is lost, and nothing told
//! twice.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::entry::Collector;
use super::parts;
use super::split::segment;
use crate::atoms::Raw;
use crate::collect::json::{Value, unescape};
use crate::collect::{Payload, Via};

/// Bytes of first tellings that are searched for what the lists of one entry say again. Beyond, a list counts as new:
/// what is told twice is one finding all the same.
const MAX_COMPARED: usize = 64 << 20;

/// A member that no reader takes.
pub(super) struct Left<'a> {
    /// JSON pointer from the entry to what it is a member of.
    path: Cow<'static, str>,
    name: Cow<'a, [u8]>,
    value: Value<'a>,
}

/// Takes note of a member that no reader takes. Numbers and literals hold nothing.
pub(super) fn leave<'a>(
    left: &mut Vec<Left<'a>>,
    path: impl Into<Cow<'static, str>>,
    name: Cow<'a, [u8]>,
    value: Value<'a>,
) {
    if matches!(value.raw, [b'"' | b'{' | b'[', _, _, ..]) {
        left.push(Left {
            path: path.into(),
            name,
            value,
        });
    }
}

/// Puts a member where readers look for it. The last of one name counts, as in `JSON.parse` (ECMA-262 §25.5.1), and
/// those before it are left.
pub(super) fn put<'a>(
    place: &mut Option<Value<'a>>,
    left: &mut Vec<Left<'a>>,
    path: &'static str,
    name: Cow<'a, [u8]>,
    value: Value<'a>,
) {
    if let Some(before) = place.replace(value) {
        leave(left, path, name, before);
    }
}

/// The bytes of a first telling.
pub(super) struct Told<'a> {
    bytes: &'a [u8],
    decoded: OnceCell<Vec<u8>>,
}

impl<'a> Told<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            decoded: OnceCell::new(),
        }
    }

    /// Whether a value stands in it, as it is or encoded in another way.
    fn has(&self, value: &[u8]) -> bool {
        let has = |bytes: &[u8], value: &[u8]| memchr::memmem::find(bytes, value).is_some();
        has(self.bytes, value) || {
            let decoded = self.decoded.get_or_init(|| parts::decoded(self.bytes));
            has(decoded, value) || has(decoded, &parts::decoded(value))
        }
    }
}

impl Collector<'_, '_> {
    /// Whether a second telling says what the first did not.
    pub(super) fn is_new(&mut self, value: &[u8], told: &Told<'_>) -> bool {
        self.compared = self.compared.saturating_add(told.bytes.len());
        self.compared > MAX_COMPARED || !told.has(value)
    }

    /// The pairs of a list that its first telling does not have and that may matter, as a form.
    pub(super) fn new_pairs(&mut self, list: Value<'_>, told: &Told<'_>) -> Vec<u8> {
        let mut form = Vec::new();
        for item in list.items() {
            let (name, value) = super::message::name_and_value(item);
            let (Some(name), Some(value)) =
                (name.and_then(Value::text), value.and_then(Value::text))
            else {
                continue;
            };
            let matters = self.needles.ends_name(&name) || self.needles.hit(&value);
            if matters && !value.is_empty() && self.is_new(&value, told) {
                parts::push_pair(&mut form, &name, &value);
            }
        }
        form
    }

    /// Searches what no reader took, as text.
    pub(super) fn left(&mut self, left: &[Left<'_>]) {
        for member in left {
            let pointer = || format!("{}{}", member.path, segment(&member.name));
            // HAR puts no separator behind a name in a list.
            let form = self.new_pairs(member.value, &Told::new(&[]));
            if !form.is_empty() {
                let form = Payload::Text(Raw::new(form));
                self.push(member.value.start, pointer(), Via::Text, form);
            }
            let raw = member.value.raw;
            let raw = parts::without_halves(raw, true, member.value.whole, raw.len());
            let text = unescape(raw);
            if self.needles.hit(&text) || self.needles.ends_name(&member.name) {
                let text = [b"\"", &*member.name, b"\":", &*text].concat();
                let payload = Payload::Text(Raw::new(text));
                self.push(member.value.start, pointer(), Via::Text, payload);
            }
        }
    }
}
