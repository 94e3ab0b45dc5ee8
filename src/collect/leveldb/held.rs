//! What was found in a file, held until it is known whether it was deleted since and whose it is. Knows no
//! format.

use std::rc::Rc;
use std::sync::Arc;

use super::meaning::{Meaning, Origin};
use super::newest::Newest;
use super::{Entry, Form};
use crate::atoms::{Locator, Place, Source, View};
use crate::collect::names::public_name;
use crate::collect::{Evidence, Observation, ReadError, Sink, Via};

/// Bytes of values that are held; beyond, they are told and the next ones gathered.
const MAX_BYTES: usize = 64 << 20;

/// Values that are held.
const MAX_HITS: usize = 50_000;

/// Times that later versions of what is held are looked for, in the file and beside it: 512 MiB of values, or 400,000
/// of them, where a whole store has some. Each costs as much as reading them all.
const MAX_LOOKS: u32 = 8;

/// Values that wait for their view and their origin.
pub(super) struct Held<'a, 's> {
    evidence: &'a Evidence,
    form: Form,
    source: &'a Arc<Source>,
    sink: &'a mut Sink<'s>,
    hits: Vec<Hit>,
    bytes: usize,
    looks: u32,
    /// Whether it was told that no more is looked for.
    is_told: bool,
}

struct Hit {
    key: Rc<[u8]>,
    sequence: u64,
    meaning: Meaning,
}

impl<'a, 's> Held<'a, 's> {
    pub(super) fn new(
        evidence: &'a Evidence,
        form: Form,
        source: &'a Arc<Source>,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        Self {
            evidence,
            form,
            source,
            sink,
            hits: Vec::new(),
            bytes: 0,
            looks: 0,
            is_told: false,
        }
    }

    /// Takes what an entry holds. All that it holds shares `key`, which is made when there is something.
    pub(super) fn add(&mut self, entry: Entry<'_>, key: &mut Option<Rc<[u8]>>, meaning: Meaning) {
        let len = key.as_ref().map_or(entry.key.len(), |_| 0);
        let len = len.saturating_add(meaning.len());
        self.bytes = self.bytes.saturating_add(len);
        self.hits.push(Hit {
            key: key.get_or_insert_with(|| entry.key.into()).clone(),
            sequence: entry.sequence,
            meaning,
        });
        if self.bytes > MAX_BYTES || self.hits.len() >= MAX_HITS {
            self.flow();
        }
    }

    /// Gives out what is held.
    pub(super) fn flow(&mut self) {
        let hits = std::mem::take(&mut self.hits);
        self.bytes = 0;
        if hits.is_empty() {
            return;
        }
        let wants_maps = hits
            .iter()
            .any(|hit| matches!(hit.meaning.origin, Origin::OfMap(_)));
        let newest = if self.looks < MAX_LOOKS {
            self.looks = self.looks.saturating_add(1);
            Newest::of(
                hits.iter().map(|hit| &*hit.key),
                wants_maps,
                (self.evidence, self.form),
                self.sink.problem,
            )
        } else {
            if !std::mem::replace(&mut self.is_told, true) {
                (self.sink.problem)(ReadError::Limit(
                    "holds more values with credentials than any browser's store; whether those behind the first ones are deleted, and whose they are, was not looked for".into(),
                ));
            }
            Newest::default()
        };
        for hit in hits {
            let observation = self.observation(hit, &newest);
            (self.sink.observe)(observation);
        }
    }

    fn observation(&self, hit: Hit, newest: &Newest) -> Observation {
        let view = if newest.is_later(&hit.key, hit.sequence) {
            View::Recovered
        } else {
            View::Live
        };
        let origin = match &hit.meaning.origin {
            Origin::Known(origin) => origin.clone(),
            Origin::OfMap(map) => newest.origin(map),
        };
        let key = public_name(&hit.meaning.name);
        Observation {
            place: Place {
                source: self.source.clone(),
                locator: Locator::Record {
                    file: self.evidence.file_name().into(),
                    key: key.into(),
                    sequence: hit.sequence,
                },
                view,
            },
            at: None,
            via: Via::Stored,
            visit: None,
            exchange: None,
            payload: hit.meaning.payload(origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Store;
    use crate::collect::leveldb::meaning::Kind;

    #[test]
    fn later_versions_are_looked_for_so_often_and_the_rest_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("000003.log");
        std::fs::write(&path, b"no record").unwrap();
        let evidence = Evidence::file(&path, "000003.log").unwrap();
        let source = Arc::new(Source::default());
        let (mut observed, mut problems) = (0, Vec::new());
        let mut sink = Sink {
            observe: &mut |_| observed += 1,
            problem: &mut |problem| problems.push(problem.to_string()),
        };
        let mut held = Held::new(&evidence, Form::Log, &source, &mut sink);
        for sequence in 0..u64::from(MAX_LOOKS) + 5 {
            let meaning = Meaning {
                origin: Origin::Known(None),
                name: "access_token".into(),
                payload: Kind::Pair(Store::LocalStorage, "made-up".into()),
            };
            let entry = Entry {
                sequence,
                key: b"key",
                value: None,
            };
            held.add(entry, &mut None, meaning);
            held.flow();
        }
        assert_eq!(held.looks, MAX_LOOKS);
        assert_eq!(observed, MAX_LOOKS + 5);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}
