//! The list of an archive's members while it is read: bounds, order, names that occur twice, and an account
//! of what was left out. Knows neither zip nor tar.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{ALLOWANCE_FLOOR, MAX_MEMBERS, MAX_NAME, MAX_NAMES, Member, ReadError};

/// Why a member was left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Loss {
    /// It needs a password.
    Encrypted,
    /// It is packed in a way that nothing here undoes.
    Method,
    /// It is stored without its holes, which are told apart from it.
    Sparse,
    /// It goes on in another volume.
    Continued,
    /// It shares bytes with another member.
    Overlap,
    /// It lies outside the archive.
    Outside,
    /// Its name is longer than any system opens.
    LongName,
    /// What the archive may expand to was used up by those before it.
    Expansion,
    /// It lies in an archive in an archive, too deep.
    Depth,
}

impl Loss {
    /// What happened to so many members, and what the user can do.
    pub(crate) fn told(self, count: u64) -> ReadError {
        let text = |why: &str| format!("{count} of its members {why}").into();
        match self {
            Self::Encrypted => ReadError::Unsupported(text(
                "are encrypted; unpack it with its password or key, and scan the folder",
            )),
            Self::Method => ReadError::Unsupported(text(
                "are packed by a method that is not read here; unpack it, and scan the folder",
            )),
            Self::Sparse => ReadError::Unsupported(text(
                "are stored without their holes; unpack it, and scan the folder",
            )),
            Self::Continued => ReadError::Unsupported(text(
                "go on in another volume; join the volumes, and scan that",
            )),
            Self::Overlap => ReadError::Malformed(text(
                "share their bytes with others, as only a decompression bomb does; they were not read",
            )),
            Self::Outside => ReadError::Malformed(text(
                "lie outside it; it is cut off or damaged: copy it again",
            )),
            Self::LongName => ReadError::Limit(text(
                "have names longer than any system opens; they were not read",
            )),
            Self::Expansion => ReadError::Limit(text(
                "were not read, for together they expand like a decompression bomb; unpack it yourself if it is genuine",
            )),
            Self::Depth => ReadError::Limit(text(
                "lie in archives too deep in archives; unpack it, and scan the folder",
            )),
        }
    }
}

/// Members as they come.
#[derive(Debug)]
pub(crate) struct Index {
    members: Vec<Member>,
    /// How many it takes: [`MAX_MEMBERS`].
    most: usize,
    names: usize,
    /// Bytes to which members may still be unpacked only to see where they end.
    pub(super) room: u64,
    losses: BTreeMap<Loss, u64>,
    passed_over: BTreeMap<&'static str, u64>,
    problems: Vec<ReadError>,
}

/// The sorted members, what was not read, and how many entries were passed over by reason.
type Finished = (Vec<Member>, Vec<ReadError>, Vec<(&'static str, u64)>);

impl Default for Index {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            most: MAX_MEMBERS,
            names: 0,
            room: ALLOWANCE_FLOOR,
            losses: BTreeMap::new(),
            passed_over: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

impl Index {
    /// One for which so many bytes may be unpacked only to see where members end.
    pub(super) fn new(room: u64) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Takes a member; false when no more are taken.
    pub(super) fn add(&mut self, member: Member) -> bool {
        if member.name.len() > MAX_NAME {
            self.lose(Loss::LongName);
            return true;
        }
        self.names = self.names.saturating_add(member.name.len());
        if self.members.len() >= self.most || self.names > MAX_NAMES {
            let why = format!(
                "holds more than {} files; the others were not read: unpack it, and scan the folder",
                self.members.len()
            );
            self.problem(ReadError::Limit(why.into()));
            return false;
        }
        self.members.push(member);
        true
    }

    /// Leaves a member out.
    pub(super) fn lose(&mut self, loss: Loss) {
        let count = self.losses.entry(loss).or_default();
        *count = count.saturating_add(1);
    }

    /// Passes over an entry that is no file.
    pub(super) fn pass_over(&mut self, reason: &'static str) {
        let count = self.passed_over.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes note of what is wrong with the archive as a whole.
    pub(super) fn problem(&mut self, problem: ReadError) {
        self.problems.push(problem);
    }

    /// Keeps the members that `keep` lets through; the others are a loss.
    pub(super) fn keep(&mut self, loss: Loss, keep: &[bool]) {
        let before = self.members.len();
        let mut keep = keep.iter();
        self.members.retain(|_| keep.next() != Some(&false));
        for _ in self.members.len()..before {
            self.lose(loss);
        }
    }

    /// Members in the order in which they came.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn finish(mut self, naming: &dyn Fn(&str) -> Option<String>) -> Finished {
        for member in &mut self.members {
            member.told = naming(&member.name).map(Into::into);
        }
        // Stable, so that members of one name stay in the order of the archive.
        self.members.sort_by(|a, b| a.name.cmp(&b.name));
        tell_apart(&mut self.members);
        let mut problems = self.problems;
        problems.extend(self.losses.iter().map(|(loss, count)| loss.told(*count)));
        (
            self.members,
            problems,
            self.passed_over.into_iter().collect(),
        )
    }
}

/// Gives members whose name an earlier one has too an ordinal: both are read, and each is one source.
fn tell_apart(members: &mut [Member]) {
    let shown = |member: &Member| member.told.clone().unwrap_or_else(|| member.name.clone());
    let repeats = members
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.name == b.name));
    if !repeats && members.iter().all(|member| member.told.is_none()) {
        return;
    }
    let mut taken: HashSet<Box<str>> = HashSet::new();
    let mut first: HashSet<Box<str>> = members.iter().map(shown).collect();
    let mut ordinals: HashMap<Box<str>, u64> = HashMap::new();
    for member in members {
        let name = shown(member);
        // The first of each name keeps it.
        if first.remove(&name) {
            taken.insert(name);
            continue;
        }
        let ordinal = ordinals.entry(name.clone()).or_insert(1);
        loop {
            *ordinal = ordinal.saturating_add(1);
            let told = Box::from(format!("{name}#{ordinal}"));
            if !taken.contains(&told) && !first.contains(&told) {
                taken.insert(told.clone());
                member.told = Some(told);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        let mut index = Index::default();
        for (at, name) in names.iter().enumerate() {
            assert!(index.add(Member {
                name: (*name).into(),
                told: None,
                at: at as u64,
                packed: 0,
                len: 0,
                method: None,
            }));
        }
        let (members, _, _) = index.finish(&|name| name.starts_with('!').then(|| "masked".into()));
        members
            .iter()
            .map(|member| {
                format!(
                    "{} {}",
                    member.told.as_ref().unwrap_or(&member.name),
                    member.at
                )
            })
            .collect()
    }

    #[test]
    fn every_member_has_a_name_of_its_own() {
        assert_eq!(
            named(&["b", "a", "b", "b"]),
            ["a 1", "b 0", "b#2 2", "b#3 3"]
        );
        assert_eq!(named(&["b", "b#2", "b"]), ["b 0", "b#3 2", "b#2 1"]);
        assert_eq!(named(&["!x", "!y", "c"]), ["masked 0", "masked#2 1", "c 2"]);
    }

    #[test]
    fn a_tar_without_end_is_left_at_the_bound() {
        /// Folders first, which are no members, then empty files for ever.
        struct Endless(u64);
        impl std::io::Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let mut block = [0_u8; 512];
                block[..4].copy_from_slice(b"name");
                block[124..136].copy_from_slice(b"00000000000\0");
                let number = self.0 / 512;
                block[156] = if number < 50_000 { b'5' } else { b'0' };
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                let from = usize::try_from(self.0 % 512).unwrap();
                let len = buffer.len().min(512 - from);
                buffer[..len].copy_from_slice(&block[from..from + len]);
                self.0 += len as u64;
                Ok(len)
            }
        }
        let evidence = crate::collect::Evidence::stream(Box::new(Endless(0)), "-").unwrap();
        let mut index = Index {
            most: 1_000,
            ..Index::default()
        };
        let span = super::super::tar::index(&evidence, &mut index).unwrap();
        assert!(span.is_empty());
        let (members, problems, _) = index.finish(&|_| None);
        assert_eq!(members.len(), 1_000);
        assert!(problems[0].to_string().contains("more than 1000 files"));
    }
}
