//! Literals that mark a credential wherever they stand: those with a hyphen or an underscore are told at
//! that byte, the others by a packed search for a few telling bytes of each. Percent-encoded separators are
//! searched with them; whether one ends a name is not told here.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, Span, packed};

use super::cores::{Core, cores};
use super::sets::in_sets;
use super::triples::Triples;

/// Bytes of a literal that are compared; so a search need not look further than this behind its block.
pub(super) const LONGEST: usize = 64;

/// Cores in one packed search: with more, one that looks at half as many bytes at once is chosen for us.
const TOGETHER: usize = 32;

/// Cores besides the shortest ones in the search for those. It looks closer at what is like the first three bytes
/// of one, and with more it does so too often.
const AMONG_SHORT: usize = 16;

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
                other.len() < literal.len()
                    && literal.windows(other.len()).any(|part| part == *other)
            });
            if !covered && !compiled.add_jointed(literal) {
                searched.push(*literal);
            }
        }
        let (mut short, mut long): (Vec<Core>, Vec<Core>) =
            cores(&searched).into_iter().partition(Core::is_short);
        // Beside the short ones stand those whose first bytes are rarest.
        long.sort_by_cached_key(Core::rarity);
        let rarest = AMONG_SHORT.min(TOGETHER.saturating_sub(short.len()));
        short.extend(long.drain(..rarest.min(long.len())));
        let groups = short.chunks(TOGETHER).chain(long.chunks(TOGETHER));
        compiled.searches = groups
            .filter_map(|group| Search::new(in_sets(group.to_vec())))
            .collect();
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
    pub(super) fn joint_letters(&self) -> BTreeSet<u8> {
        let before = self.jointed.iter().map(|it| &it.before);
        before.filter_map(|before| before.last().copied()).collect()
    }

    /// Offset of the first literal without a joint that begins in `start..limit`, or percent-encoded byte there
    /// that `is_separator` of a name.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        start: usize,
        limit: usize,
        is_separator: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut limit = limit;
        let mut first = None;
        for search in &self.searches {
            if let Some(at) = search.find(bytes, start, limit, is_separator) {
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

    /// Offset of the first literal of these, or of such a separator, that begins in `start..limit`.
    fn find(
        &self,
        bytes: &[u8],
        start: usize,
        limit: usize,
        is_separator: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let end = limit.saturating_add(LONGEST).min(bytes.len());
        let mut from = start;
        while from < end {
            let (core, at) = self.next(bytes, from, end)?;
            let begins = core.literal_around(bytes, at);
            let begins = begins.filter(|begins| *begins >= start);
            let separator = || (core.is_escape() && is_separator(at)).then_some(at);
            match begins.or_else(separator) {
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
