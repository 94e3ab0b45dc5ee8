//! The newest version of the keys that were found, across the files of a store, and the origins of its maps:
//! what tells a value that the application still sees from one that was overwritten or deleted. Files beside
//! the one that is read are looked into, and read for their own sake elsewhere.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::{Damage, Entry, Form, by_ending, entries, meaning, table};
use crate::collect::beside::MAX_NEIGHBOURS;
use crate::collect::evidence::Encoding;
use crate::collect::{Evidence, ReadError};

/// Bytes of the files beside one file that are looked into: more than a browser's store has, and a bound where
/// a server's database lies beside.
const MAX_BESIDE: u64 = 512 << 20;

/// Files beside one file that are looked into: as many as [`MAX_BESIDE`] is when each has the 2 MiB after which
/// LevelDB begins a new one. Each file of a folder looks into the others, so without a bound a folder of small files
/// would cost the square of their number.
const MAX_FILES: usize = 256;

/// Files that name a comparator. A store has one, and two while it begins a new one.
const MAX_MANIFESTS: usize = 16;

/// Bytes of the numbers and origins of maps of session storage that are remembered: of some 100,000. Each tab has one
/// for each origin.
const MAX_MAPS: usize = 8 << 20;

/// What the comparator of IndexedDB is called; it does not sort by bytes.
const BY_ANOTHER_ORDER: &[u8] = b"idb_cmp1";

/// Sequences by key, origins by number.
#[derive(Default)]
pub(super) struct Newest {
    sequences: BTreeMap<Box<[u8]>, Cell<u64>>,
    maps: Maps,
    wants_maps: bool,
}

/// Origins by the number of their map.
#[derive(Default)]
struct Maps {
    origins: BTreeMap<Box<[u8]>, Box<str>>,
    bytes: usize,
    is_full: bool,
}

impl Newest {
    /// Looks for these keys in the file and in those beside it.
    pub(super) fn of<'k>(
        keys: impl Iterator<Item = &'k [u8]>,
        wants_maps: bool,
        (evidence, form): (&Evidence, Form),
        problem: &mut dyn FnMut(ReadError),
    ) -> Self {
        let mut newest = Self {
            sequences: keys.map(|key| (key.into(), Cell::new(0))).collect(),
            maps: Maps::default(),
            wants_maps,
        };
        let names = evidence.neighbours().unwrap_or_else(|| {
            let why = format!("more than {MAX_NEIGHBOURS} files lie beside it; whether its values are deleted was not looked for in them");
            problem(ReadError::Limit(why.into()));
            Vec::new()
        });
        let by_bytes = is_by_bytes(evidence, &names);
        let mut room = table::MAX_UNPACKED;
        newest.look_into(evidence, form, by_bytes, &mut room);
        if !newest.look_beside(evidence, &names, by_bytes) {
            problem(ReadError::Limit(
                format!(
                    "more than {MAX_FILES} files or {} MiB of its store lie beside it; whether its values are deleted was not looked for in all of it",
                    MAX_BESIDE >> 20
                )
                .into(),
            ));
        }
        if newest.maps.is_full {
            problem(ReadError::Limit(
                "its store names more origins than are remembered; which origin some of its values have is not told".into(),
            ));
        }
        newest
    }

    /// Looks into the files beside this one, the latest first: what was written last is there. Whether into all.
    fn look_beside(&mut self, evidence: &Evidence, names: &[Box<str>], by_bytes: bool) -> bool {
        let own = evidence.file_name();
        let mut names = names
            .iter()
            .rev()
            .filter(|name| ***name != *own)
            .filter_map(|name| Some((name, by_ending(name)?)));
        let mut bytes = 0_u64;
        let mut room = table::MAX_UNPACKED;
        for (name, form) in names.by_ref().take(MAX_FILES) {
            // LevelDB packs nothing around its files, and what is would be of any length.
            let beside = evidence.beside(name);
            let Some(beside) = beside.filter(|it| it.encoding() == Encoding::Plain) else {
                continue;
            };
            bytes = bytes.saturating_add(beside.len().unwrap_or_default());
            if bytes > MAX_BESIDE {
                return false;
            }
            self.look_into(&beside, form, by_bytes, &mut room);
            if room == 0 {
                return false;
            }
        }
        names.next().is_none()
    }

    /// Whether a later version of the key was written.
    pub(super) fn is_later(&self, key: &[u8], sequence: u64) -> bool {
        self.sequences
            .get(key)
            .is_some_and(|newest| newest.get() > sequence)
    }

    /// The origin of a map.
    pub(super) fn origin(&self, map: &[u8]) -> Option<Box<str>> {
        self.maps.origins.get(map).cloned()
    }

    fn look_into(&mut self, evidence: &Evidence, form: Form, by_bytes: bool, room: &mut usize) {
        let mut maps = std::mem::take(&mut self.maps);
        let wanted = |before: &[u8], last: &[u8]| {
            !by_bytes || before > last || self.is_between(before, last)
        };
        let mut each = |entry: Entry<'_>| {
            if let Some(newest) = self.sequences.get(entry.key) {
                newest.set(newest.get().max(entry.sequence));
            }
            if self.wants_maps
                && let Some((map, origin)) = entry
                    .value
                    .and_then(|value| meaning::map_of_namespace(entry.key, value))
            {
                maps.add(map, origin);
            }
        };
        // It is a source of its own, and what is wrong with it is told there.
        let told = &mut Damage::default();
        let _told = entries(evidence, form, &wanted, room, told, &mut each);
        self.maps = maps;
    }

    /// Whether a block between these keys may hold one that is looked for.
    fn is_between(&self, before: &[u8], last: &[u8]) -> bool {
        const FIRST: &[u8] = b"namespace-";
        const BEHIND: &[u8] = b"namespace.";
        let own = self
            .sequences
            .range::<[u8], _>((
                std::ops::Bound::Included(before),
                std::ops::Bound::Included(last),
            ))
            .next()
            .is_some();
        own || self.wants_maps && before < BEHIND && last >= FIRST
    }
}

impl Maps {
    fn add(&mut self, map: &[u8], origin: Box<str>) {
        let before = self.origins.remove(map);
        let gone = before.map_or(0, |origin| map.len().saturating_add(origin.len()));
        let new = map.len().saturating_add(origin.len());
        let bytes = self.bytes.saturating_sub(gone).saturating_add(new);
        if bytes > MAX_MAPS {
            self.is_full = true;
            return;
        }
        self.origins.insert(map.into(), origin);
        self.bytes = bytes;
    }
}

/// Whether the store sorts its keys by their bytes, so that blocks that lie elsewhere need not be looked into.
fn is_by_bytes(evidence: &Evidence, names: &[Box<str>]) -> bool {
    let mut manifests = names.iter().filter(|name| name.starts_with("MANIFEST-"));
    let by_another = manifests
        .by_ref()
        .take(MAX_MANIFESTS)
        .filter_map(|name| evidence.beside(name))
        .any(|manifest| memchr::memmem::find(manifest.head(), BY_ANOTHER_ORDER).is_some());
    !by_another && manifests.next().is_none()
}
