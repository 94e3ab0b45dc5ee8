//! What the conditions of all rules ask about names and paths, numbered: a message is looked at once for all
//! of them, and each condition is then answered by its numbers. Knows no evidence.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::condition::{Condition, Key};
use super::name::Name;
use super::table::Table;

/// Some of the numbered things.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set(Vec<u64>);

impl Set {
    /// Adds one.
    pub fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (number % 64);
        }
    }

    /// Whether any is in both.
    pub fn meets(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.any(|(one, other)| one & other != 0)
    }

    /// Whether all of the other are in this one.
    pub fn holds(&self, other: &Self) -> bool {
        let own = self.0.iter().copied().chain(std::iter::repeat(0));
        other
            .0
            .iter()
            .zip(own)
            .all(|(other, own)| other & !own == 0)
    }
}

/// The numbers of one condition.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Of [`Condition::beside`].
    pub beside: Set,
    /// Of [`Condition::beside_all`] and [`Condition::beside_value`].
    pub beside_all: Set,
    /// Of [`Condition::lacks`].
    pub lacks: Set,
    /// Of [`Condition::path`].
    pub path: Set,
    /// Of [`Condition::segment`].
    pub segment: Set,
}

/// Everything that is asked about.
#[derive(Debug, Default)]
pub(super) struct Asked {
    names: Table<usize>,
    /// Words of a path, a `$` behind those that must end it.
    words: Table<usize>,
    /// Whole segments of a path.
    segments: Table<usize>,
    search: OnceLock<Search>,
}

impl Asked {
    /// Numbers what a condition asks about.
    pub(super) fn add(&mut self, condition: &mut Condition) {
        let numbers = |known: &mut Table<usize>, asked: &mut dyn Iterator<Item = &str>| {
            let mut set = Set::default();
            for text in asked {
                let next = known.len();
                set.insert(*known.entry(text.into()).or_insert(next));
            }
            set
        };
        let all = condition.beside_all.iter();
        let all = all.chain(condition.beside_value.keys());
        let names = &mut self.names;
        condition.numbers = Numbers {
            beside: numbers(names, &mut condition.beside.iter().map(Key::as_str)),
            beside_all: numbers(names, &mut all.map(Key::as_str)),
            lacks: numbers(names, &mut condition.lacks.iter().map(Key::as_str)),
            path: numbers(
                &mut self.words,
                &mut condition.path.iter().map(AsRef::as_ref),
            ),
            segment: numbers(
                &mut self.segments,
                &mut condition.segment.iter().map(AsRef::as_ref),
            ),
        };
    }

    /// The number of a name that a condition asks about.
    pub(super) fn name(&self, name: &Name) -> Option<usize> {
        self.names.get(&name.key).copied()
    }

    /// The words that a path holds.
    pub(super) fn words(&self, path: &str) -> Set {
        let search = self.search.get_or_init(|| Search::new(&self.words));
        let mut set = Set::default();
        search.find(path, &mut |number| set.insert(number));
        set
    }

    /// The segments that a path has, whatever file name extension or path parameter they end with.
    pub(super) fn segments(&self, path: &str) -> Set {
        let mut set = Set::default();
        for segment in path.split('/') {
            let stem = segment.split(['.', ';']).next().unwrap_or(segment);
            let numbers = [segment, stem].map(|text| self.segments.get(text).copied());
            for number in numbers.into_iter().flatten() {
                set.insert(number);
            }
        }
        set
    }
}

/// The words of paths, to be found in one pass.
#[derive(Debug)]
struct Search {
    /// `None` where they are too many to be looked for together.
    together: Option<AhoCorasick>,
    anywhere: Vec<(Box<str>, usize)>,
    at_the_end: Vec<(Box<str>, usize)>,
}

impl Search {
    fn new(words: &Table<usize>) -> Self {
        let (mut anywhere, mut at_the_end) = (Vec::new(), Vec::new());
        for (word, number) in words {
            match word.strip_suffix('$') {
                Some(end) => at_the_end.push((end.into(), *number)),
                None => anywhere.push((word.clone(), *number)),
            }
        }
        Self {
            together: AhoCorasick::new(anywhere.iter().map(|(word, _)| &**word)).ok(),
            anywhere,
            at_the_end,
        }
    }

    fn find(&self, path: &str, take: &mut dyn FnMut(usize)) {
        for (end, number) in &self.at_the_end {
            if path.ends_with(&**end) {
                take(*number);
            }
        }
        if let Some(together) = &self.together {
            for found in together.find_overlapping_iter(path) {
                if let Some((_, number)) = self.anywhere.get(found.pattern().as_usize()) {
                    take(*number);
                }
            }
            return;
        }
        for (word, number) in &self.anywhere {
            if path.contains(&**word) {
                take(*number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_answered_by_its_numbers() {
        let mut asked = Asked::default();
        let mut condition: Condition = toml::from_str(
            "beside = ['state', 'iss']\nbeside_all = ['scope']\nbeside_value = { hd = 'x' }\nlacks = ['error']\npath = ['/cb', 'auth', 'token$']",
        )
        .unwrap();
        asked.add(&mut condition);
        let names = |names: &[&str]| {
            let mut set = Set::default();
            let numbers = names.iter().filter_map(|name| asked.name(&Name::new(name)));
            for number in numbers {
                set.insert(number);
            }
            set
        };
        let numbers = &condition.numbers;
        assert!(names(&["a", "ISS"]).meets(&numbers.beside));
        assert!(!names(&["a", "scope"]).meets(&numbers.beside));
        assert!(names(&["hd", "scope"]).holds(&numbers.beside_all));
        assert!(!names(&["scope"]).holds(&numbers.beside_all));
        assert!(names(&["error"]).meets(&numbers.lacks));
        for (path, is_there) in [
            ("/cb", true),
            ("/a/oauth", true),
            ("/token", true),
            ("/tokens", false),
            ("", false),
        ] {
            assert_eq!(asked.words(path).meets(&numbers.path), is_there, "{path}");
        }
    }

    #[test]
    fn a_segment_is_a_whole_one() {
        let mut asked = Asked::default();
        let mut condition: Condition = toml::from_str("segment = ['log', 'socket.io']").unwrap();
        asked.add(&mut condition);
        for (path, is_there) in [
            ("/log", true),
            ("/a/log/b", true),
            ("/log.php", true),
            ("/log;v=1", true),
            ("/socket.io/", true),
            ("/login", false),
            ("/blog", false),
            ("/socket", false),
            ("", false),
        ] {
            let segments = asked.segments(path);
            assert_eq!(
                segments.meets(&condition.numbers.segment),
                is_there,
                "{path}"
            );
        }
    }

    #[test]
    fn sets_of_any_length_compare() {
        let of = |numbers: &[usize]| {
            let mut set = Set::default();
            for number in numbers {
                set.insert(*number);
            }
            set
        };
        assert!(of(&[1, 700]).holds(&of(&[700])));
        assert!(!of(&[1]).holds(&of(&[700])));
        assert!(of(&[1]).holds(&of(&[])));
        assert!(!of(&[]).meets(&of(&[3])));
        assert!(of(&[64]).meets(&of(&[64, 300])));
    }
}
