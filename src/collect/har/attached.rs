//! Bodies in files beside a capture (`_file`), each read for the entries that name it. Knows nothing of what is in
//! them.

use std::collections::HashMap;

use super::piece::Limits;
use crate::atoms::Digest;
use crate::collect::Evidence;

/// Names of files that are remembered. A capture of a long session has some thousand.
const MAX_NAMES: usize = 100_000;

/// Bytes that are read for a second time and more often. A capture names one file for every answer that was the same;
/// those with a token in them are a few kilobytes. A small capture may name the largest file in each of its entries.
const MAX_AGAIN: u64 = 64 << 20;

/// The files beside one capture.
pub(super) struct Attached<'a> {
    evidence: &'a Evidence,
    /// Digests of the names that were read, and whether there was something in the file.
    known: HashMap<Digest, bool>,
    /// Bytes that were read again.
    again: u64,
    /// How often a file was named that was not there.
    pub(super) missing: u64,
    /// How often a file was named and not read again.
    pub(super) left_out: u64,
}

/// What an entry gets of a file that it names.
pub(super) enum File {
    Bytes(Vec<u8>),
    /// It was read for an entry before this one.
    Known,
    /// There is none.
    Missing,
}

impl<'a> Attached<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        Self {
            evidence,
            known: HashMap::new(),
            again: 0,
            missing: 0,
            left_out: 0,
        }
    }

    /// The content of the file of this name.
    pub(super) fn read(&mut self, name: &[u8]) -> File {
        let known = self.known.get(&Digest::of([name])).copied();
        let is_again = known.is_some() || self.known.len() >= MAX_NAMES;
        if known == Some(false) {
            return File::Known;
        }
        if is_again && self.again >= MAX_AGAIN {
            self.left_out = self.left_out.saturating_add(1);
            return File::Known;
        }
        let beside = std::str::from_utf8(name).ok();
        let beside = beside.and_then(|name| self.evidence.beside(name));
        let most = Limits::USUAL.item as u64;
        let bytes = beside.as_ref().map(|beside| beside.bytes(most).ok());
        if is_again && let Some(bytes) = &bytes {
            let len = bytes.as_ref().map_or(most, |bytes| bytes.len() as u64);
            self.again = self.again.saturating_add(len);
        }
        if !is_again && bytes.is_some() {
            self.known.insert(Digest::of([name]), true);
        }
        bytes.flatten().map_or_else(
            || {
                self.missing = self.missing.saturating_add(1);
                File::Missing
            },
            File::Bytes,
        )
    }

    /// Takes note that there is nothing in the file of this name, whoever names it.
    pub(super) fn is_empty(&mut self, name: &[u8]) {
        if let Some(something) = self.known.get_mut(&Digest::of([name])) {
            *something = false;
        }
    }

    /// Says what was not read again, if anything.
    pub(super) fn told(&self) -> Option<String> {
        let (count, mib) = (self.left_out, MAX_AGAIN >> 20);
        (count > 0).then(|| {
            format!(
                "names bodies in other files (`_file`) again and again; after {mib} MiB of them {count} were not read for a further entry, what is in them stands at the first that names them"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_up_to_a_bound_and_never_when_nothing_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.har");
        for (name, len) in [("x.har", 2), ("something", 1 << 20), ("nothing", 1 << 20)] {
            std::fs::write(folder.path().join(name), vec![b'a'; len]).unwrap();
        }
        let evidence = Evidence::file(&path, "x.har").unwrap();
        let mut attached = Attached::new(&evidence);
        let count = |name: &[u8], attached: &mut Attached<'_>| {
            let reads = (0..1_000).filter(|_| {
                let is_read = matches!(attached.read(name), File::Bytes(_));
                if name == b"nothing" {
                    attached.is_empty(name);
                }
                is_read
            });
            reads.count()
        };
        assert_eq!(count(b"nothing", &mut attached), 1);
        assert!(attached.told().is_none());
        assert_eq!(count(b"something", &mut attached), 65);
        assert!(attached.told().unwrap().contains("935 were not read"));
        assert_eq!(count(b"no such file", &mut attached), 0);
        assert_eq!((attached.missing, attached.left_out), (1_000, 935));
    }
}
