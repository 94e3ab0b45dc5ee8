//! Literals that mark a credential wherever they stand: those with a hyphen or an underscore are told at
//! that byte, the others by a packed search for a few telling bytes of each.

use aho_corasick::{AhoCorasick, Span, packed};

use super::cores::{Core, cores};
use super::triples::Triples;

/// Bytes of a literal that are compared; so a search need not look further than this behind its block.
pub(super) const LONGEST: usize = 64;

/// Cores in one packed search. It sorts them into eight sets and looks closer at what may be of one: with
/// more than three in a set that is most of the text, and several searches are faster than one.
const TOGETHER: usize = 24;

/// The literals, compiled.
#[derive(Debug, Default)]
pub(super) struct Literals {
    searches: Vec<Search>,
    jointed: Vec<Jointed>,
    joints: Triples,
}

/// A search for some of the cores.
#[derive(Debug)]
struct Search {
    engine: Engine,
    cores: Vec<Core>,
}

#[derive(Debug)]
enum Engine {
    Packed(packed::Searcher),
    /// On processors for which there is no packed search.
    Automaton(AhoCorasick),
}

/// A literal with a hyphen or an underscore in it.
#[derive(Debug)]
struct Jointed {
    /// Up to this byte.
    before: Box<[u8]>,
    /// From this byte on.
    after: Box<[u8]>,
}

impl Literals {
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<&[u8]> = literals
            .map(|literal| {
                let bytes = literal.as_bytes();
                bytes.get(..LONGEST).unwrap_or(bytes)
            })
            .filter(|literal| !literal.is_empty())
            .collect();
        all.sort_unstable();
        all.dedup();
        let mut compiled = Self::default();
        let mut searched = Vec::new();
        for literal in &all {
            let covered = all.iter().any(|other| {
                other.len() < literal.len() && memchr::memmem::find(literal, other).is_some()
            });
            if !covered && !compiled.add_jointed(literal) {
                searched.push(*literal);
            }
        }
        let mut cores = cores(&searched);
        // Alike ones together: the shortest of a search says how many bytes tell a candidate, and letters
        // are told from other bytes by half of each byte.
        cores.sort_by_key(Core::class);
        let groups = cores.chunk_by(|a, b| a.class() == b.class());
        for group in groups.flat_map(|group| group.chunks(TOGETHER)) {
            compiled.searches.extend(Search::new(group.to_vec()));
        }
        compiled
    }

    /// Takes a literal with a joint behind two bytes, of which the last is a letter: few bytes before a
    /// hyphen are.
    fn add_jointed(&mut self, literal: &[u8]) -> bool {
        let is_joint = |[before, joint]: &[u8; 2]| {
            before.is_ascii_alphabetic() && matches!(joint, b'-' | b'_')
        };
        let Some((before, after)) = literal
            .array_windows()
            .rposition(is_joint)
            .filter(|at| *at > 0)
            .and_then(|at| literal.split_at_checked(at + 1))
        else {
            return false;
        };
        self.joints.add(before.iter().rev().copied());
        self.jointed.push(Jointed {
            before: before.into(),
            after: after.into(),
        });
        true
    }

    /// Letters that stand before the joint of a literal.
    pub(super) fn joint_letters(&self) -> impl Iterator<Item = u8> {
        self.jointed
            .iter()
            .filter_map(|it| it.before.last().copied())
    }

    /// Offset of the first literal without a joint that begins in `start..limit`.
    pub(super) fn find(&self, bytes: &[u8], start: usize, limit: usize) -> Option<usize> {
        let mut limit = limit;
        let mut first = None;
        for search in &self.searches {
            if let Some(at) = search.find(bytes, start, limit) {
                first = Some(at);
                limit = at;
            }
        }
        first
    }

    /// Whether the joint at `at` is that of a literal.
    pub(super) fn is_jointed(&self, bytes: &[u8], at: usize) -> bool {
        let Some((before, after)) = bytes.split_at_checked(at) else {
            return false;
        };
        self.joints.may_end(before)
            && self
                .jointed
                .iter()
                .any(|it| before.ends_with(&it.before) && after.starts_with(&it.after))
    }
}

impl Search {
    fn new(cores: Vec<Core>) -> Option<Self> {
        let patterns = || cores.iter().map(|core| &core.bytes);
        let packed = packed::Config::new().builder().extend(patterns()).build();
        let engine = match packed {
            Some(packed) => Engine::Packed(packed),
            None => Engine::Automaton(AhoCorasick::new(patterns()).ok()?),
        };
        Some(Self { engine, cores })
    }

    /// Offset of the first literal of these that begins in `start..limit`.
    fn find(&self, bytes: &[u8], start: usize, limit: usize) -> Option<usize> {
        let end = limit.saturating_add(LONGEST).min(bytes.len());
        let mut from = start;
        while from < end {
            let (core, at) = self.next(bytes, from, end)?;
            let begins = core.literal_around(bytes, at);
            match begins.filter(|begins| *begins >= start) {
                // No later one can begin sooner, but for letters of one line.
                Some(begins) => return (begins < limit).then_some(begins),
                None => from = at.saturating_add(1),
            }
        }
        None
    }

    /// The next core, and where.
    fn next(&self, bytes: &[u8], from: usize, end: usize) -> Option<(&Core, usize)> {
        let (pattern, at) = match &self.engine {
            Engine::Packed(packed) => {
                let found = packed.find_in(bytes, Span { start: from, end })?;
                (found.pattern(), found.start())
            }
            Engine::Automaton(automaton) => {
                let found = automaton.find(bytes.get(from..end)?)?;
                (found.pattern(), from.saturating_add(found.start()))
            }
        };
        Some((self.cores.get(pattern.as_usize())?, at))
    }
}
