//! Literals that mark a credential wherever they stand: those with a hyphen or an underscore are told at
//! that byte, the others by a packed search over many bytes at once.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, packed};

use super::triples::Triples;

/// Bytes of a literal that are compared; so a search need not look further than this behind its block.
pub(super) const LONGEST: usize = 64;

/// Literals in one packed search. With more, each byte has to be looked at in twice as many ways.
const TOGETHER: usize = 32;

/// Bytes that the packed search compares before it looks closer.
const TELLING: usize = 4;

/// The literals, compiled.
#[derive(Debug, Default)]
pub(super) struct Literals {
    packed: Vec<packed::Searcher>,
    /// What the packed search cannot take, on this processor or in this number.
    others: Option<AhoCorasick>,
    jointed: Vec<Jointed>,
    joints: Triples,
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
        let all: BTreeSet<&[u8]> = literals
            .map(|literal| {
                literal
                    .as_bytes()
                    .get(..LONGEST)
                    .unwrap_or(literal.as_bytes())
            })
            .filter(|literal| !literal.is_empty())
            .collect();
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
        // Short ones by themselves: the shortest of a search says how many bytes tell a candidate.
        searched.sort_by_key(|literal| literal.len() < TELLING);
        let groups = searched.chunk_by(|a, b| (a.len() < TELLING) == (b.len() < TELLING));
        for group in groups.flat_map(|group| group.chunks(TOGETHER)) {
            let mut builder = packed::Config::new().builder();
            if let Some(searcher) = builder.extend(group).build() {
                compiled.packed.push(searcher);
            } else {
                compiled.packed.clear();
                compiled.others = AhoCorasick::new(&searched).ok();
                break;
            }
        }
        compiled
    }

    fn add_jointed(&mut self, literal: &[u8]) -> bool {
        let joint = literal.iter().rposition(|byte| matches!(byte, b'-' | b'_'));
        let Some((before, after)) = joint.and_then(|at| literal.split_at_checked(at)) else {
            return false;
        };
        let added = before.len() >= 2;
        if added {
            self.joints.add(before.iter().rev().copied());
            self.jointed.push(Jointed {
                before: before.into(),
                after: after.into(),
            });
        }
        added
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
        for search in 0..self.packed.len() + usize::from(self.others.is_some()) {
            let end = limit.saturating_add(LONGEST).min(bytes.len());
            let window = bytes.get(start..end)?;
            let found = match self.packed.get(search) {
                Some(packed) => packed.find(window).map(|found| found.start()),
                None => self
                    .others
                    .as_ref()?
                    .find(window)
                    .map(|found| found.start()),
            };
            if let Some(at) = found
                .map(|at| start.saturating_add(at))
                .filter(|at| *at < limit)
            {
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
