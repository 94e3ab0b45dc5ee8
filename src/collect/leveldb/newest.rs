//! The newest version of the keys that were found, across the files of a store, and the origins of its maps:
//! what tells a value that the application still sees from one that was overwritten or deleted. Files beside
//! the one that is read are looked into, and read for their own sake elsewhere.

use std::collections::BTreeMap;

use super::{Damage, Entry, Form, by_ending, entries, meaning};
use crate::collect::beside::MAX_NEIGHBOURS;
use crate::collect::{Evidence, ReadError};

/// Bytes of the files beside one file that are looked into: more than a browser's store has, and a bound where
/// a server's database lies beside.
const MAX_BESIDE: u64 = 512 << 20;

/// Maps of session storage that are remembered. Each tab has one for each origin.
const MAX_MAPS: usize = 100_000;

/// What the comparator of IndexedDB is called; it does not sort by bytes.
const BY_ANOTHER_ORDER: &[u8] = b"idb_cmp1";

/// Sequences by key, origins by number.
#[derive(Default)]
pub(super) struct Newest {
    sequences: BTreeMap<Box<[u8]>, u64>,
    maps: BTreeMap<Box<[u8]>, Box<str>>,
    wants_maps: bool,
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
            sequences: keys.map(|key| (key.into(), 0)).collect(),
            maps: BTreeMap::new(),
            wants_maps,
        };
        let names = evidence.neighbours().unwrap_or_else(|| {
            let why = format!("more than {MAX_NEIGHBOURS} files lie beside it; whether its values are deleted was not looked for in them");
            problem(ReadError::Limit(why.into()));
            Vec::new()
        });
        let by_bytes = !names
            .iter()
            .filter(|name| name.starts_with("MANIFEST-"))
            .filter_map(|name| evidence.beside(name))
            .any(|manifest| memchr::memmem::find(manifest.head(), BY_ANOTHER_ORDER).is_some());
        newest.look_into(evidence, form, by_bytes);
        let mut bytes = 0;
        for name in &names {
            let Some(form) = by_ending(name).filter(|_| **name != *evidence.file_name()) else {
                continue;
            };
            let Some(beside) = evidence.beside(name) else {
                continue;
            };
            bytes += beside.len().unwrap_or_default();
            if bytes > MAX_BESIDE {
                problem(ReadError::Limit(
                    format!(
                        "more than {} MiB of its store lie beside it; whether its values are deleted was not looked for in all of it",
                        MAX_BESIDE >> 20
                    )
                    .into(),
                ));
                break;
            }
            newest.look_into(&beside, form, by_bytes);
        }
        newest
    }

    /// Whether a later version of the key was written.
    pub(super) fn is_later(&self, key: &[u8], sequence: u64) -> bool {
        self.sequences
            .get(key)
            .is_some_and(|newest| *newest > sequence)
    }

    /// The origin of a map.
    pub(super) fn origin(&self, map: &[u8]) -> Option<Box<str>> {
        self.maps.get(map).cloned()
    }

    fn look_into(&mut self, evidence: &Evidence, form: Form, by_bytes: bool) {
        let mut found = Vec::new();
        let mut maps = Vec::new();
        let wanted = |before: &[u8], last: &[u8]| {
            !by_bytes || before > last || self.is_between(before, last)
        };
        let mut each = |entry: Entry<'_>| {
            if let Some(newest) = self.sequences.get(entry.key)
                && entry.sequence > *newest
            {
                found.push((Box::<[u8]>::from(entry.key), entry.sequence));
            }
            if self.wants_maps
                && maps.len() < MAX_MAPS
                && let Some((map, origin)) = entry
                    .value
                    .and_then(|value| meaning::map_of_namespace(entry.key, value))
            {
                maps.push((Box::<[u8]>::from(map), origin));
            }
        };
        // It is a source of its own, and what is wrong with it is told there.
        let _told = entries(evidence, form, &wanted, &mut Damage::default(), &mut each);
        for (key, sequence) in found {
            let newest = self.sequences.entry(key).or_default();
            *newest = sequence.max(*newest);
        }
        if self.maps.len() < MAX_MAPS {
            self.maps.extend(maps);
        }
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
