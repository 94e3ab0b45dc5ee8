//! Named values in a table: cookies, web storage, what forms remember. Undoes what the browser did to the value
//! before it stored it. Knows no browser's tables.

use std::borrow::Cow;

use encoding_rs::UTF_16LE;
use sha2::{Digest as _, Sha256};

use super::{clone, os_crypt};
use crate::atoms::Raw;
use crate::atoms::rules::Needles;
use crate::collect::sqlite::{Cells, Database};
use crate::collect::{Payload, Store, snappy};

/// Bytes of a value once it is unpacked. Firefox allows an origin 10 MiB altogether.
const MAX_VALUE: usize = 16 << 20;

/// A value with a name in another column of its row.
pub(super) struct Pair {
    /// Which store it is.
    pub(super) store: Store,
    /// The column with the name.
    pub(super) name: &'static str,
    /// Where the site stands that the value belongs to.
    pub(super) origin: Origin,
    /// What was done to the value.
    pub(super) code: Code,
}

/// Where the site stands.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// Nowhere in the file.
    None,
    /// In this column: a host, or an origin.
    Own(&'static str),
    /// In this column as `elpmaxe.www.:https:443`, as Firefox kept it until version 67.
    Reversed(&'static str),
    /// In this column of the only row of this table.
    Home(&'static str, &'static str),
}

/// What was done to a value.
#[derive(Clone, Copy)]
pub(super) enum Code {
    /// Nothing.
    Plain,
    /// Chromium's encryption of cookies.
    Sealed,
    /// UTF-16, as WebKit and old Chromium store what pages kept.
    Wide,
    /// What Firefox does to web storage since version 68 (`dom/localstorage/LSValue.h`): two columns say
    /// whether it was turned into UTF-8, and whether Snappy packed it.
    Packed,
    /// What Firefox does to values of IndexedDB: a structured clone, packed by Snappy, under an encoded key.
    Cloned,
}

/// The columns of [`Code::Packed`]: the last is that of the first versions, whose values are UTF-8.
const PACKED: [&str; 3] = ["conversion_type", "compression_type", "compressed"];

/// What stands beside a value.
#[derive(Default)]
pub(super) struct Beside {
    /// Its name.
    pub(super) name: Vec<u8>,
    origin: Option<Vec<u8>>,
    codes: [Option<i64>; 3],
}

impl Pair {
    /// The columns that [`Self::beside`] reads, in its order.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let origin = match self.origin {
            Origin::Own(column) | Origin::Reversed(column) => column,
            Origin::None | Origin::Home(..) => "",
        };
        let mut columns = vec![self.name, origin];
        if matches!(self.code, Code::Packed) {
            columns.extend(PACKED);
        }
        columns
    }

    /// Whether values may be under a key that is elsewhere.
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.code, Code::Sealed)
    }

    /// Reads what stands beside a value from the cells that begin at `first`.
    pub(super) fn beside(&self, cells: &Cells<'_>, first: usize) -> Beside {
        let text = |index: usize| cells.bytes(first + index).map(Cow::into_owned);
        let codes = match self.code {
            Code::Packed => [2, 3, 4].map(|index| cells.integer(first + index)),
            Code::Plain | Code::Sealed | Code::Wide | Code::Cloned => [None; 3],
        };
        let name = text(0).unwrap_or_default();
        Beside {
            name: match self.code {
                Code::Cloned => clone_key(&name),
                _ => name,
            },
            origin: text(1),
            codes,
        }
    }

    /// The site of all values, where the file names it once.
    pub(super) fn home(&self, database: &Database) -> Option<Box<str>> {
        let Origin::Home(table, column) = self.origin else {
            return None;
        };
        let table = database.table(table).ok()??;
        let mut home = None;
        let mut take = |_: i64, cells: &Cells<'_>| home = cells.bytes(0).as_deref().map(text);
        database.scan(&table, "", &[column], &mut take).ok()?;
        home
    }

    /// The value as the page knew it; `None` for what cannot be opened.
    pub(super) fn opened<'a>(&self, value: &'a [u8], beside: &Beside) -> Option<Cow<'a, [u8]>> {
        match self.code {
            Code::Plain => Some(Cow::Borrowed(value)),
            Code::Sealed => {
                let host = beside.origin.as_deref().unwrap_or_default();
                cookie(value, host).map(Cow::Owned)
            }
            Code::Wide => Some(Cow::Owned(wide(value))),
            Code::Cloned => {
                let clone = snappy::decode(value, MAX_VALUE)?;
                clone::json(&clone).map(Cow::Owned)
            }
            Code::Packed => {
                let [conversion, compression, before] = beside.codes;
                let is_packed = compression.or(before).unwrap_or_default() != 0;
                let bytes = if is_packed {
                    Cow::Owned(snappy::decode(value, MAX_VALUE)?)
                } else {
                    Cow::Borrowed(value)
                };
                // 0 is UTF-16 as it was, 1 is UTF-8.
                Some(match conversion {
                    Some(0) => Cow::Owned(wide(&bytes)),
                    _ => bytes,
                })
            }
        }
    }

    /// The pair as an observation holds it.
    pub(super) fn payload(
        &self,
        value: &[u8],
        beside: Beside,
        home: Option<&str>,
    ) -> Option<Payload> {
        let value = self.opened(value, &beside)?.into_owned();
        let origin = match self.origin {
            Origin::None => None,
            Origin::Own(_) => beside.origin.as_deref().map(text),
            Origin::Reversed(_) => beside.origin.as_deref().and_then(reversed),
            Origin::Home(..) => home.map(Into::into),
        };
        Some(Payload::Pair {
            store: self.store,
            origin: origin.filter(|origin| !origin.is_empty()),
            key: Raw::new(beside.name),
            value: Raw::new(value),
        })
    }
}

/// Whether name and value together are worth a second look.
pub(super) fn is_hit(name: &[u8], value: &[u8], needles: &Needles) -> bool {
    needles.hit(value) || needles.hit(&[name, b"="].concat())
}

/// Opens an encrypted cookie. Since version 130 the digest of its host stands before it, so that it cannot be
/// moved to another (`net/extras/sqlite/sqlite_persistent_cookie_store.cc`).
pub(super) fn cookie(value: &[u8], host: &[u8]) -> Option<Vec<u8>> {
    let mut plain = os_crypt::decrypt_v10(value)?;
    let digest = Sha256::digest(host);
    if plain.starts_with(&digest) {
        plain.drain(..digest.len());
    }
    is_text(&plain).then_some(plain)
}

/// Whether decrypted bytes are text: under a wrong key they are not.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let controls = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    str::from_utf8(bytes).is_ok() && !bytes.iter().any(controls)
}

fn wide(value: &[u8]) -> Vec<u8> {
    let (text, _) = UTF_16LE.decode_without_bom_handling(value);
    text.into_owned().into_bytes()
}

fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// A key that is a string, as far as it is ASCII (`dom/indexedDB/Key.cpp`: a type, then each byte plus one).
fn clone_key(key: &[u8]) -> Vec<u8> {
    const STRING: u8 = 0x30;
    let Some(text) = key.strip_prefix(&[STRING]) else {
        return Vec::new();
    };
    let ascii = text.iter().take_while(|byte| (1..0x80).contains(*byte));
    ascii.filter_map(|byte| byte.checked_sub(1)).collect()
}

/// `elpmaxe.www.:https:443` is `https://www.example:443`; attributes of a container may stand before it.
fn reversed(scope: &[u8]) -> Option<Box<str>> {
    let scope = str::from_utf8(scope).ok()?;
    let mut parts = scope.split(':').skip_while(|part| !part.ends_with('.'));
    let host: String = parts.next()?.trim_end_matches('.').chars().rev().collect();
    Some(match (parts.next(), parts.next()) {
        (Some(scheme), Some(port)) => format!("{scheme}://{host}:{port}").into(),
        _ => host.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_backwards() {
        let cases = [
            ("elpmaxe.www.:https:443", Some("https://www.example:443")),
            (
                "^userContextId=2:tsohlacol.:http:8080",
                Some("http://localhost:8080"),
            ),
            ("elpmaxe.", Some("example")),
            ("nothing", None),
        ];
        for (scope, origin) in cases {
            assert_eq!(reversed(scope.as_bytes()).as_deref(), origin, "{scope}");
        }
    }

    #[test]
    fn values_of_web_storage_are_unpacked() {
        let pair = Pair {
            store: Store::LocalStorage,
            name: "key",
            origin: Origin::None,
            code: Code::Packed,
        };
        let beside = |codes| Beside {
            codes,
            ..Beside::default()
        };
        let opened = |value: &[u8], codes| {
            let value = pair.opened(value, &beside(codes))?;
            Some(String::from_utf8(value.into_owned()).unwrap())
        };
        let utf8 = [Some(1), Some(0), None];
        assert_eq!(opened(b"plain", utf8).unwrap(), "plain");
        let utf16 = [Some(0), Some(0), None];
        assert_eq!(opened(b"a\0\x2d\x4e", utf16).unwrap(), "a\u{4e2d}");
        let packed = b"\x0b\x0cabcd\x01\x04\x0a\x01\x00";
        for codes in [[Some(1), Some(1), None], [None, None, Some(1)]] {
            assert_eq!(opened(packed, codes).unwrap(), "abcdabcdddd");
        }
        assert_eq!(opened(b"\x05abcd", [Some(1), Some(1), None]), None);
    }
}
