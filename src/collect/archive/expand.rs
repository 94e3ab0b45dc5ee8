//! From a found file to the evidence in it: itself, or the members of the archive that it is, and of the
//! archives in that. In parallel, in an order that depends on nothing but the names.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use globset::GlobSet;
use rayon::prelude::*;

use super::super::cache;
use super::super::capture;
use super::super::decode::MAX_RATIO;
use super::super::find::{self, File};
use super::super::read::{self, Options, Outcome};
use super::{ALLOWANCE_FLOOR, Archive, Evidence, Kind, Loss, MAX_DEPTH, MEMBER_FLOOR, ReadError};

/// What there is to be read, or to be told.
#[derive(Debug)]
pub enum Opened {
    /// Evidence that no reader has claimed yet.
    Evidence(Evidence),
    /// What is known without reading.
    Known(Outcome),
}

/// Which members are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only members that one of these matches; all when not given.
    pub globs: Option<GlobSet>,
    /// No member, and none in a folder, that one of these matches.
    pub exclude: Option<GlobSet>,
}

/// How to open what was found.
struct Opening<'a, T> {
    options: &'a Options,
    naming: &'a (dyn Fn(&str) -> Option<String> + Sync),
    work: &'a (dyn Fn(Opened) -> T + Sync),
    outcome: fn(&T) -> &Outcome,
}

/// Opens a found file and works on each piece of evidence in it, in parallel; the results come in the order of
/// the names. `naming` gives the name of a member that a report may show, where it is another one. Of members
/// that no reader claims, the results are counted only.
pub fn sources<T: Send>(
    file: &File,
    options: &Options,
    naming: &(dyn Fn(&str) -> Option<String> + Sync),
    work: &(dyn Fn(Opened) -> T + Sync),
    outcome: fn(&T) -> &Outcome,
) -> Vec<T> {
    let opening = Opening {
        options,
        naming,
        work,
        outcome,
    };
    match read::open(file) {
        Ok(evidence) => {
            let allowance = evidence.len().unwrap_or_default();
            let allowance = allowance.saturating_mul(MAX_RATIO).max(ALLOWANCE_FLOOR);
            opening.each(evidence, allowance, 0)
        }
        Err(error) => {
            let row = read::unopened(&file.shown, file.path.is_some(), &error);
            vec![work(Opened::Known(Outcome::Row(row)))]
        }
    }
}

impl<T: Send> Opening<'_, T> {
    /// `allowance` is what the evidence may expand to, `depth` how many archives it lies in.
    fn each(&self, evidence: Evidence, allowance: u64, depth: usize) -> Vec<T> {
        // An entry of Firefox's cache begins with its body, which may be an archive.
        let kind = Kind::of(evidence.head()).filter(|_| !cache::is_entry_of_firefox(&evidence));
        let Some(kind) = kind else {
            return vec![(self.work)(Opened::Evidence(evidence))];
        };
        if depth >= MAX_DEPTH {
            return vec![self.told(&evidence, kind, &[Loss::Depth.told(1)], false)];
        }
        match Archive::open(&evidence, kind, allowance, &|name| (self.naming)(name)) {
            Ok(archive) if capture::is_session_archive(&archive) => {
                let evidence = evidence.with_archive(archive);
                vec![(self.work)(Opened::Evidence(evidence))]
            }
            Ok(archive) if is_image(&archive) => {
                let problem = ReadError::Unsupported(
                    "is an image in the format AFF4, which is not opened here; expose it with an AFF4 imager, mount what that shows read-only, and scan the folder".into(),
                );
                vec![self.told(&evidence, kind, &[problem], false)]
            }
            Ok(archive) => self.members(&evidence, archive, allowance, depth),
            Err(error) => vec![self.told(&evidence, kind, &[error], false)],
        }
    }

    fn members(
        &self,
        evidence: &Evidence,
        mut archive: Archive,
        allowance: u64,
        depth: usize,
    ) -> Vec<T> {
        let mut problems = std::mem::take(&mut archive.problems);
        let mut passed_over: BTreeMap<&'static str, u64> = archive.passed_over.drain(..).collect();
        let chosen = self.chosen(
            evidence,
            &archive,
            allowance,
            &mut problems,
            &mut passed_over,
        );
        let total = chosen.iter().map(|(_, len)| *len).sum();
        let kind = archive.kind;
        let archive = Arc::new(archive);
        let unclaimed = Mutex::new(passed_over);
        let work = |(index, len): &(usize, u64)| {
            let share = share(allowance, *len, total);
            let mut done = match Evidence::member(evidence, &archive, *index, share) {
                Ok(member) => self.each(member, share, depth + 1),
                Err(error) => {
                    let row = read::unopened_member(evidence, &archive, *index, &error);
                    vec![(self.work)(Opened::Known(Outcome::Row(row)))]
                }
            };
            done.retain(|result| match (self.outcome)(result) {
                Outcome::Row(_) => true,
                Outcome::NotClaimed(reason, count) => {
                    let mut counts = unclaimed.lock().unwrap_or_else(PoisonError::into_inner);
                    let sum = counts.entry(reason).or_default();
                    *sum = sum.saturating_add(*count);
                    false
                }
            });
            done
        };
        let mut all: Vec<T> = chosen.par_iter().flat_map_iter(work).collect();
        if !all.is_empty() || !problems.is_empty() {
            all.insert(0, self.told(evidence, kind, &problems, true));
        }
        let mut unclaimed = unclaimed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() && unclaimed.is_empty() {
            unclaimed.insert("empty", 1);
        }
        for (reason, count) in unclaimed {
            all.push((self.work)(Opened::Known(Outcome::NotClaimed(
                reason, count,
            ))));
        }
        all
    }

    /// The members to be read, and how long they are.
    fn chosen(
        &self,
        evidence: &Evidence,
        archive: &Archive,
        allowance: u64,
        problems: &mut Vec<ReadError>,
        passed_over: &mut BTreeMap<&'static str, u64>,
    ) -> Vec<(usize, u64)> {
        let mut left = allowance;
        let mut lost = 0_u64;
        let mut chosen = Vec::new();
        for (index, member) in archive.members.iter().enumerate() {
            let filter = self.options.filter.as_ref();
            let reason = filter
                .and_then(|filter| filter.reason(evidence.shown(), &member.name))
                .or_else(|| belongs(archive, index));
            if let Some(reason) = reason {
                *passed_over.entry(reason).or_default() += 1;
                continue;
            }
            match left.checked_sub(member.len) {
                Some(rest) => {
                    left = rest;
                    chosen.push((index, member.len));
                }
                None => lost = lost.saturating_add(1),
            }
        }
        if lost > 0 {
            problems.push(Loss::Expansion.told(lost));
        }
        chosen
    }

    /// The row of an archive, with what was not read of it.
    fn told(&self, evidence: &Evidence, kind: Kind, problems: &[ReadError], opened: bool) -> T {
        let row = read::archive(evidence, kind.as_str(), problems, opened, self.options);
        (self.work)(Opened::Known(Outcome::Row(row)))
    }
}

/// What a member may expand to: as much of the whole allowance as it is of the whole archive.
fn share(allowance: u64, len: u64, total: u64) -> u64 {
    let share = u128::from(allowance) * u128::from(len) / u128::from(total.max(1));
    let share = u64::try_from(share).unwrap_or(u64::MAX);
    share.max(MEMBER_FLOOR)
}

/// Advanced Forensic Format 4: the disk lies in members that a description puts together.
fn is_image(archive: &Archive) -> bool {
    archive.named("information.turtle").is_some()
}

impl Filter {
    /// Why a member is not wanted.
    fn reason(&self, archive: &str, member: &str) -> Option<&'static str> {
        let shown = format!("{archive}/{member}");
        let folders = shown
            .match_indices('/')
            .skip(archive.matches('/').count() + 1);
        let ends = folders.map(|(at, _)| at).chain([shown.len()]);
        let excluded = ends
            .filter_map(|end| shown.get(..end))
            .any(|path| find::matches(self.exclude.as_ref(), path) == Some(true));
        if excluded {
            return Some("excluded");
        }
        let globs = find::matches(self.globs.as_ref(), &shown);
        (globs == Some(false)).then_some("not matched by --glob")
    }
}

/// Whether a member is read with another one, beside which it lies.
fn belongs(archive: &Archive, index: usize) -> Option<&'static str> {
    let name = &archive.member(index)?.name;
    let own = name.rsplit(['/', '\\']).next()?;
    find::belongs_to(own, |name| {
        let member = archive.member(archive.beside(index, name)?)?;
        let content = archive.content(member).ok()?;
        let mut first = Vec::new();
        // What was damaged behind its first bytes has them.
        let _ = content.take(find::FIRST).read_to_end(&mut first);
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_make_more_than_the_whole() {
        let lens = [1_u64 << 30, 3 << 30, 1 << 20, 0];
        let total = lens.iter().sum();
        let sum: u64 = lens.iter().map(|len| share(100 << 30, *len, total)).sum();
        assert!(sum <= (100 << 30) + 4 * MEMBER_FLOOR);
        assert_eq!(share(u64::MAX, u64::MAX, 1), u64::MAX);
        assert_eq!(share(0, 5, 0), MEMBER_FLOOR);
    }
}
