//! Literals that mark a credential wherever they stand: those with a hyphen or an underscore are told at that byte, the
//! others by a few telling bytes of each. Percent-encoded bytes that may be separators are told with them; whether one
//! ends a name is not known here.

use super::cores::{Core, TELLING, cores};
use super::triples::Triples;

/// Bytes of a literal that are compared.
const LONGEST: usize = 64;

/// The literals, compiled.
#[derive(Debug)]
pub(super) struct Literals {
    /// All cores by their last telling byte.
    by_last: Box<[Vec<Told>]>,
    jointed: Vec<Jointed>,
    joints: Triples,
}

/// A core, and its telling bytes as a number, of which these bits count.
#[derive(Debug)]
struct Told {
    bits: u32,
    telling: u32,
    core: Core,
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
        let mut by_last: Box<[Vec<Told>]> = (0..=u8::MAX).map(|_| Vec::new()).collect();
        let (mut jointed, mut joints) = (Vec::new(), Triples::default());
        let mut others = Vec::new();
        for literal in &all {
            let covered = all.iter().any(|other| {
                other.len() < literal.len()
                    && literal.windows(other.len()).any(|part| part == *other)
            });
            if covered {
                continue;
            }
            match Jointed::new(literal) {
                Some(it) => {
                    joints.add(it.before.iter().rev().copied());
                    jointed.push(it);
                }
                None => others.push(*literal),
            }
        }
        for core in cores(&others) {
            let telling = &core.bytes;
            let last = telling.last().copied().unwrap_or_default();
            if let Some(alike) = by_last.get_mut(usize::from(last)) {
                alike.push(Told {
                    bits: last_bytes(&vec![u8::MAX; telling.len()]),
                    telling: last_bytes(telling),
                    core,
                });
            }
        }
        Self {
            by_last,
            jointed,
            joints,
        }
    }

    /// What the literals without a joint are told by.
    pub(super) fn cores(&self) -> impl Iterator<Item = &Core> {
        self.by_last.iter().flatten().map(|told| &told.core)
    }

    /// The others, up to their joint and with it.
    pub(super) fn upto_joints(&self) -> impl Iterator<Item = Vec<u8>> {
        let joint = |it: &Jointed| it.after.first().copied();
        let upto = move |it: &Jointed| it.before.iter().copied().chain(joint(it)).collect();
        self.jointed.iter().map(upto)
    }

    /// Whether the telling bytes of one, or what is before its joint, may end with these bytes.
    #[inline]
    pub(super) fn may_be_told(&self, upto: [u8; TELLING]) -> bool {
        let [third, before, last, joint] = upto;
        let alike = self.by_last.get(usize::from(joint));
        let here = u32::from_be_bytes(upto);
        let mut alike = alike.into_iter().flatten();
        alike.any(|it| here & it.bits == it.telling)
            || matches!(joint, b'-' | b'_')
                && last.is_ascii_alphabetic()
                && self.joints.has(third, before, last)
    }

    /// Offset of the literal whose telling bytes end with the byte at `at` and that begins at or after `from`, or of the
    /// percent-encoded byte there that `is_separator` of a name.
    pub(super) fn told(
        &self,
        bytes: &[u8],
        from: usize,
        at: usize,
        is_separator: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let (upto, _) = bytes.split_at_checked(at.saturating_add(1))?;
        let alike = self.by_last.get(usize::from(*upto.last()?))?;
        if alike.is_empty() {
            return None;
        }
        let here = last_bytes(upto);
        let mut alike = alike.iter().filter(|it| here & it.bits == it.telling);
        alike.find_map(|it| {
            let core = upto.len().checked_sub(it.core.bytes.len())?;
            let literal = it.core.literal_around(bytes, core);
            let separator = || (it.core.is_escape() && is_separator(core)).then_some(core);
            let begins = literal.filter(|begins| *begins >= from);
            begins.or_else(separator).filter(|begins| *begins >= from)
        })
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

impl Jointed {
    /// A literal with a joint behind two bytes, of which the last is a letter: few bytes before a hyphen are.
    fn new(literal: &[u8]) -> Option<Self> {
        let is_joint = |[before, joint]: &[u8; 2]| {
            before.is_ascii_alphabetic() && matches!(joint, b'-' | b'_')
        };
        let at = literal.array_windows().rposition(is_joint);
        let (before, after) = literal.split_at_checked(at.filter(|at| *at > 0)? + 1)?;
        Some(Self {
            before: before.into(),
            after: after.into(),
        })
    }
}

/// The last bytes as one number, zeros where there are none.
fn last_bytes(bytes: &[u8]) -> u32 {
    let whole = bytes.last_chunk().copied();
    u32::from_be_bytes(whole.unwrap_or_else(|| {
        let mut last = [0; TELLING];
        let (_, to) = last.split_at_mut(TELLING.saturating_sub(bytes.len()));
        to.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        last
    }))
}
