//! Who holds what: the evidence of one browser profile is in one pair of hands, a log and a capture each
//! in another. Knows places; nothing of credentials.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::sync::Arc;

use crate::atoms::{Digest, Locator, Place, Source};
use crate::collect;
use crate::detect::Sighting;

/// What kind of evidence a holder has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Hands {
    /// A browser profile: everything of the same host, user, browser and profile.
    Profile,
    /// One log.
    Log,
    /// One capture.
    Capture,
    /// One file that no structure explains.
    File,
}

/// One holder: whoever has this profile, this log, this capture.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Holder {
    pub(super) hands: Hands,
    /// For the report: never a value.
    pub(super) label: Box<str>,
    /// Where the holder is a profile: one of its sources, for host, user, browser and profile.
    pub(super) source: Arc<Source>,
}

/// Holders and files, by index of the sighting.
#[derive(Debug, Default)]
pub(super) struct Holders {
    /// Sorted by their first sighting.
    pub(super) list: Vec<Holder>,
    by_sighting: Vec<(usize, usize)>,
    sources: Vec<Digest>,
}

impl Holders {
    pub(super) fn of(sightings: &[Sighting]) -> Self {
        let mut holders = Self::default();
        let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
        let mut files: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut last: Option<(&Place, (usize, usize))> = None;
        for sighting in sightings {
            let place = &sighting.place;
            // Sightings of one source stand together, and nearly all lie in places of one kind.
            if let Some((before, pair)) = last
                && Arc::ptr_eq(&before.source, &place.source)
                && discriminant(&before.locator) == discriminant(&place.locator)
            {
                holders.by_sighting.push(pair);
                continue;
            }
            let hands = hands(place);
            let holder = *known.entry(key(place, hands)).or_insert_with(|| {
                holders.list.push(Holder {
                    hands,
                    label: label(place, hands),
                    source: place.source.clone(),
                });
                holders.list.len() - 1
            });
            let source = place.source.digest();
            let next = files.len();
            let file = *files.entry(source).or_insert(next);
            if file == next {
                holders.sources.push(source);
            }
            holders.by_sighting.push((holder, file));
            last = Some((place, (holder, file)));
        }
        holders
    }

    /// The holder of a sighting. A sighting that is not there belongs to the first.
    pub(super) fn holder(&self, sighting: usize) -> usize {
        self.by_sighting.get(sighting).map_or(0, |pair| pair.0)
    }

    /// The file of a sighting.
    pub(super) fn file(&self, sighting: usize) -> usize {
        self.by_sighting.get(sighting).map_or(0, |pair| pair.1)
    }

    /// Digest of the source of a sighting. One that is not there has none.
    pub(super) fn source(&self, sighting: usize) -> Digest {
        let source = self.sources.get(self.file(sighting));
        source.copied().unwrap_or(Digest::from_bytes([0; 16]))
    }

    pub(super) fn get(&self, holder: usize) -> Option<&Holder> {
        self.list.get(holder)
    }
}

type Key<'a> = (Hands, [Option<&'a str>; 4], Option<Digest>);

/// A profile that neither path nor content names is as wide as its one file: two nameless files may
/// belong to two people.
fn key(place: &Place, hands: Hands) -> Key<'_> {
    let source = &place.source;
    if hands == Hands::Profile && is_named(source) {
        let parts = [&source.host, &source.user, &source.browser, &source.profile];
        (hands, parts.map(Option::as_deref), None)
    } else {
        (hands, [None; 4], Some(source.digest()))
    }
}

/// Whether path or content name the profile.
pub(super) fn is_named(source: &Source) -> bool {
    source.browser.is_some() || source.profile.is_some()
}

/// By the source and the kind of place in it, and nothing else.
fn hands(place: &Place) -> Hands {
    let source = &place.source;
    let browser = source.browser.is_some()
        || source.profile.is_some()
        || collect::browser::is_of_profile(&source.reader);
    match place.locator {
        Locator::Record { .. } if collect::journal::is_journal(&source.reader) => Hands::Log,
        Locator::Row { .. } | Locator::Record { .. } | Locator::Residue { .. } => Hands::Profile,
        _ if browser => Hands::Profile,
        Locator::Line { .. } => Hands::Log,
        Locator::Entry { .. } => Hands::Capture,
        Locator::Bytes { .. } => Hands::File,
    }
}

fn label(place: &Place, hands: Hands) -> Box<str> {
    let source = &place.source;
    let file = source.members.last().unwrap_or(&source.path);
    match hands {
        Hands::Profile => {
            let names: Vec<&str> = [&source.host, &source.user, &source.browser, &source.profile]
                .into_iter()
                .filter_map(Option::as_deref)
                .collect();
            if names.is_empty() {
                format!("whoever has the browser profile of {file}")
            } else {
                format!("whoever has the browser profile {}", names.join("/"))
            }
        }
        Hands::Log => format!("whoever reads the log {file}"),
        Hands::Capture => format!("whoever has the capture {file}"),
        Hands::File => format!("whoever has the file {file}"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::Within;
    use crate::detect::sample;

    fn source(path: &str, reader: &'static str, names: [Option<&str>; 2]) -> Arc<Source> {
        let [browser, profile] = names.map(|name| name.map(Box::from));
        Arc::new(Source {
            path: path.into(),
            reader: reader.into(),
            browser,
            profile,
            ..Source::default()
        })
    }

    fn at(source: &Arc<Source>, locator: Locator) -> Sighting {
        let mut sighting = sample::full();
        sighting.place.source = source.clone();
        sighting.place.locator = locator;
        sighting
    }

    fn line() -> Locator {
        Locator::Line { number: 1, byte: 0 }
    }

    fn bytes() -> Locator {
        Locator::Bytes { offset: 0 }
    }

    fn row() -> Locator {
        Locator::Row {
            table: "t".into(),
            rowid: 1,
            column: "c".into(),
        }
    }

    #[test]
    fn whose_it_is_tells_the_profile_the_reader_or_else_the_kind_of_place() {
        let entry = Locator::Entry {
            index: 0,
            pointer: "/log".into(),
            line: 1,
            column: 1,
        };
        let record = Locator::Record {
            file: "f".into(),
            key: "k".into(),
            sequence: 1,
        };
        let residue = Locator::Residue {
            beside: None,
            offset: 0,
            within: Within::Slack,
            uncertain: false,
        };
        let (browser, profile) = (Some("safari"), Some("Default"));
        for (reader, names, locator, wanted) in [
            ("log", [None, None], line(), Hands::Log),
            ("har", [None, None], entry.clone(), Hands::Capture),
            ("text", [None, None], bytes(), Hands::File),
            ("text", [None, None], row(), Hands::Profile),
            ("text", [None, None], record.clone(), Hands::Profile),
            ("systemd-journal", [None, None], record, Hands::Log),
            ("text", [None, None], residue, Hands::Profile),
            ("text", [browser, None], line(), Hands::Profile),
            ("text", [None, profile], entry, Hands::Profile),
            // A cookie file says by its form that a browser wrote it.
            ("binary-cookies", [None, None], bytes(), Hands::Profile),
        ] {
            let sightings = [at(&source("x", reader, names), locator)];
            let holders = Holders::of(&sightings);
            let found = holders.get(holders.holder(0)).unwrap().hands;
            assert_eq!(found, wanted, "{reader} {names:?}");
        }
    }

    fn holders(sources: [Arc<Source>; 2]) -> [usize; 2] {
        let [a, b] = sources;
        let all = Holders::of(&[at(&a, row()), at(&b, row())]);
        assert_eq!([all.file(0), all.file(1)], [0, 1]);
        [all.holder(0), all.holder(1)]
    }

    #[test]
    fn files_of_one_name_are_in_one_pair_of_hands_and_those_of_none_each_in_its_own() {
        let two = |names| ["a", "b"].map(|path| source(path, "chromium-history", names));
        let (browser, profile) = (Some("safari"), Some("Default"));
        // Safari has one profile, and a path may name a profile of no known browser.
        for names in [[browser, None], [None, profile], [browser, profile]] {
            assert_eq!(holders(two(names)), [0, 0], "{names:?}");
        }
        assert_eq!(holders(two([None, None])), [0, 1]);
        let [a, _] = two([browser, None]);
        let [_, b] = two([browser, profile]);
        assert_eq!(holders([a, b]), [0, 1]);
    }

    #[test]
    fn one_file_with_places_of_two_kinds_is_one_file_in_two_pairs_of_hands() {
        let (a, b) = (
            source("a", "text", [None, None]),
            source("b", "text", [None, None]),
        );
        let of = |kinds: [Locator; 4]| {
            let [first, second, third, fourth] = kinds;
            let all = [at(&a, first), at(&a, second), at(&a, third), at(&b, fourth)];
            Holders::of(&all).by_sighting
        };
        let found = of([line(), line(), bytes(), bytes()]);
        assert_eq!(found, [(0, 0), (0, 0), (1, 0), (2, 1)]);
        let found = of([line(), bytes(), line(), line()]);
        assert_eq!(found, [(0, 0), (1, 0), (0, 0), (2, 1)]);
    }
}
