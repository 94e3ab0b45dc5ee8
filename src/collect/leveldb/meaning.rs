//! What the entries of a store mean: which bytes are a key, a value, an origin, told by the keys' own form and
//! by the folder. Schemas: `local_storage_leveldb.h`, `session_storage_leveldb.h` and
//! `indexed_db_leveldb_coding.cc` of Chromium. What no needle is in is dropped here.

use super::protobuf;
use crate::atoms::Raw;
use crate::atoms::rules::Needles;
use crate::collect::charset::{latin1, utf16be, utf16le};
use crate::collect::cursor::Cursor;
use crate::collect::v8::{self, Value};
use crate::collect::{self, Payload};

/// Folders whose folders are each the storage of one extension or app, named by its id.
const OF_EXTENSIONS: [&str; 5] = [
    "Local Extension Settings",
    "Sync Extension Settings",
    "Managed Extension Settings",
    "Local App Settings",
    "Sync App Settings",
];

/// Stores of all extensions, whose keys begin with the id.
const OF_ALL_EXTENSIONS: [&str; 3] = ["Extension State", "Extension Rules", "Extension Scripts"];

/// Letters of an extension's id.
const EXTENSION_ID: usize = 32;

/// Entries of an object store that are its values (`kObjectStoreDataIndexId`).
const OBJECT_STORE_DATA: u64 = 1;

/// The store that a file belongs to, as far as its path tells.
pub(super) enum Store {
    /// The IndexedDB of an origin.
    IndexedDb(Option<Box<str>>),
    /// The storage of one extension.
    Extension(Box<str>),
    /// A store of all extensions.
    Extensions,
    /// Local storage, session storage, or anything else.
    Any,
}

/// What an entry holds.
pub(super) struct Meaning {
    /// The origin that it belongs to.
    pub(super) origin: Origin,
    /// Its name in its store, where it has one.
    pub(super) name: String,
    /// The store, and the value; or a text that no store names.
    pub(super) payload: Kind,
}

/// How an entry is told.
pub(super) enum Kind {
    Pair(collect::Store, String),
    Text(String),
}

/// The origin of an entry.
pub(super) enum Origin {
    /// As it stands there.
    Known(Option<Box<str>>),
    /// That of the map with this number, in session storage.
    OfMap(Box<[u8]>),
}

impl Store {
    /// Told by the folders above the file.
    pub(super) fn of(path: &str) -> Self {
        let mut folders = path.rsplit('/').skip(1);
        let folder = folders.next().unwrap_or_default();
        let above = folders.next().unwrap_or_default();
        if let Some(name) = folder.strip_suffix(".indexeddb.leveldb") {
            Self::IndexedDb(indexed_db_origin(name))
        } else if OF_EXTENSIONS.contains(&above) {
            Self::Extension(extension(folder))
        } else if OF_ALL_EXTENSIONS.contains(&folder) {
            Self::Extensions
        } else {
            Self::Any
        }
    }

    /// Hands on what is worth a look in an entry.
    pub(super) fn meanings(
        &self,
        key: &[u8],
        value: &[u8],
        needles: &Needles,
        each: &mut dyn FnMut(Meaning),
    ) {
        let pair = match self {
            Self::IndexedDb(origin) => indexed_db(key, value, origin.clone()),
            Self::Extension(origin) => Some(of_extension(origin.clone(), &lossy(key), value)),
            Self::Extensions => of_any_extension(key, value),
            Self::Any => local_storage(key, value)
                .or_else(|| session_storage(key, value))
                .or_else(|| indexed_db(key, value, None)),
        };
        if let Some(meaning) = pair {
            if meaning.is_hit(needles) {
                each(meaning);
            }
            return;
        }
        for bytes in [key, value] {
            protobuf::texts(bytes, &mut |text| {
                if needles.hit(text.as_bytes()) {
                    each(Meaning {
                        origin: Origin::Known(None),
                        name: String::new(),
                        payload: Kind::Text(text.to_owned()),
                    });
                }
            });
        }
    }
}

impl Meaning {
    fn is_hit(&self, needles: &Needles) -> bool {
        match &self.payload {
            Kind::Pair(_, value) => needles.hit(format!("{}={value}", self.name).as_bytes()),
            Kind::Text(text) => needles.hit(text.as_bytes()),
        }
    }

    /// The payload, once the origin is known.
    pub(super) fn payload(self, origin: Option<Box<str>>) -> Payload {
        match self.payload {
            Kind::Pair(store, value) => Payload::Pair {
                store,
                origin,
                key: Raw::new(self.name),
                value: Raw::new(value),
            },
            Kind::Text(text) if is_url(&text) => Payload::Url(Raw::new(text)),
            Kind::Text(text) => Payload::Text(Raw::new(text)),
        }
    }

    /// Bytes that it takes in memory.
    pub(super) fn len(&self) -> usize {
        let (Kind::Pair(_, value) | Kind::Text(value)) = &self.payload;
        self.name.len().saturating_add(value.len())
    }
}

/// Number and origin of a map, in an entry `namespace-<36 characters>-<origin>` of session storage.
pub(super) fn map_of_namespace<'a>(key: &[u8], value: &'a [u8]) -> Option<(&'a [u8], Box<str>)> {
    const SESSION: usize = 36;
    let rest = key.strip_prefix(b"namespace-")?.get(SESSION..)?;
    let origin = origin(rest.strip_prefix(b"-")?)?;
    value
        .iter()
        .all(u8::is_ascii_digit)
        .then_some((value, origin))
}

/// `_<origin>\0<key>`; key and value say in their first byte how they are encoded.
fn local_storage(key: &[u8], value: &[u8]) -> Option<Meaning> {
    let rest = key.strip_prefix(b"_")?;
    let end = memchr::memchr(0, rest)?;
    let (storage_key, key) = rest.split_at_checked(end)?;
    Some(Meaning {
        origin: Origin::Known(Some(origin(storage_key)?)),
        name: of_either_encoding(key.get(1..)?)?,
        payload: Kind::Pair(collect::Store::LocalStorage, of_either_encoding(value)?),
    })
}

/// `StringFormat` of `cached_storage_area.cc`: 0 is UTF-16, 1 is ISO 8859-1.
fn of_either_encoding(text: &[u8]) -> Option<String> {
    match text.split_first()? {
        (0, text) => Some(utf16le(text)),
        (1, text) => Some(latin1(text)),
        _ => None,
    }
}

/// `map-<number>-<key>`, with a value in UTF-16.
fn session_storage(key: &[u8], value: &[u8]) -> Option<Meaning> {
    let rest = key.strip_prefix(b"map-")?;
    let end = memchr::memchr(b'-', rest)?;
    let (map, key) = rest.split_at_checked(end)?;
    let is_number = !map.is_empty() && map.iter().all(u8::is_ascii_digit);
    is_number.then(|| Meaning {
        origin: Origin::OfMap(map.into()),
        name: lossy(key.get(1..).unwrap_or_default()),
        payload: Kind::Pair(collect::Store::SessionStorage, utf16le(value)),
    })
}

/// A value that a page stored as it is, behind the number of its version.
fn indexed_db(key: &[u8], value: &[u8], origin: Option<Box<str>>) -> Option<Meaning> {
    let mut value = Cursor::new(value);
    value.varint()?;
    let (Value::Text(value) | Value::Json(value)) = v8::decode(value.rest())?;
    Some(Meaning {
        origin: Origin::Known(origin),
        name: indexed_db_key(key).unwrap_or_default(),
        payload: Kind::Pair(collect::Store::IndexedDb, value),
    })
}

/// The key that the page gave, when it is a string: behind the numbers of database, object store and index,
/// whose lengths the first byte tells.
fn indexed_db_key(key: &[u8]) -> Option<String> {
    let mut rest = Cursor::new(key);
    let lengths = rest.u8()?;
    let number = |bits: u8| usize::from(bits) + 1;
    rest.take(number(lengths >> 5))?;
    rest.take(number(lengths >> 2 & 7))?;
    let index = rest.take(number(lengths & 3))?;
    let index = index
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u64::from(*byte));
    let is_string = index == OBJECT_STORE_DATA && rest.u8()? == 1;
    let len = is_string.then(|| rest.varint())??;
    Some(utf16be(rest.take_u64(len.checked_mul(2)?)?))
}

/// `https_app.example_0`: scheme, host and port, 0 for the scheme's own; buckets append `@` and a number.
fn indexed_db_origin(name: &str) -> Option<Box<str>> {
    let name = name.split('@').next()?;
    let (scheme, rest) = name.split_once('_')?;
    let (host, port) = rest.rsplit_once('_')?;
    let origin = match port {
        "0" => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    };
    Some(origin.into())
}

/// A key of an extension, and JSON.
fn of_extension(origin: Box<str>, key: &str, value: &[u8]) -> Meaning {
    Meaning {
        origin: Origin::Known(Some(origin)),
        name: key.to_owned(),
        payload: Kind::Pair(collect::Store::Extension, lossy(value)),
    }
}

/// `<id>.<key>`.
fn of_any_extension(key: &[u8], value: &[u8]) -> Option<Meaning> {
    let (id, key) = key.split_at_checked(EXTENSION_ID)?;
    let is_id = id.iter().all(|letter| (b'a'..=b'p').contains(letter));
    let key = key.strip_prefix(b".").filter(|_| is_id)?;
    Some(of_extension(extension(&lossy(id)), &lossy(key), value))
}

fn extension(id: &str) -> Box<str> {
    format!("chrome-extension://{id}").into()
}

/// The origin of a storage key: what follows a `^` says under which site it was embedded
/// (`blink::StorageKey::Serialize`).
fn origin(storage_key: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(storage_key).ok()?;
    let origin = text.split('^').next()?.trim_end_matches('/');
    Some(origin.into())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a text is one URL and nothing else.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = scheme.is_some_and(|scheme| {
        let mut letters = scheme.bytes();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    is_scheme && !text.contains(char::is_whitespace)
}
