//! What lies beside a piece of evidence, in the same folder or in the same folder of the same archive: the log
//! of a database, the bodies of a capture, the other files of a store. Knows none of their formats.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Evidence;
use super::evidence::Origin;

/// Files of one folder that are looked at to find those that belong together. A store has some hundred; each of its
/// files asks for them all.
pub(in crate::collect) const MAX_NEIGHBOURS: usize = 4_096;

impl Evidence {
    /// A file beside this one whose name is this one's plus `suffix` (`-wal`, `-journal`). Members of archives
    /// have no such file, but may have such a member: [`Self::attached`].
    pub fn sidecar(&self, suffix: &str) -> Option<PathBuf> {
        let mut name = self.plain_file()?.as_os_str().to_owned();
        name.push(suffix);
        file(PathBuf::from(name))
    }

    /// The file of this name in the same folder, or in the same folder of the same archive. The name may come
    /// from the evidence: it leads to nothing outside the folder.
    pub fn beside(&self, name: &str) -> Option<Self> {
        if matches!(name, "" | "." | "..") || name.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        match &self.origin {
            Origin::File(path) => {
                let file = file(path.with_file_name(name))?;
                let folder = self.shown().rfind('/').map_or(0, |at| at.saturating_add(1));
                let shown = [self.shown().get(..folder)?, name].concat();
                Self::file(&file, shown).ok()
            }
            Origin::Member {
                archive,
                index,
                cap,
            } => {
                let there = archive.beside(*index, name)?;
                let (_, outer) = self.members().split_last()?;
                let members = [outer, &[archive.told(there)]].concat();
                let found = Self::member(self, archive, there, *cap).ok()?;
                Some(found.under(members))
            }
            Origin::Stream(_) => None,
        }
    }

    /// A file or member beside this one whose name is this one's plus `suffix`.
    pub fn attached(&self, suffix: &str) -> Option<Self> {
        let name = self.own_name()?;
        self.beside(&[name, suffix].concat())
    }

    /// Names of the files in the same folder, this one's among them, sorted; `None` where there are more than
    /// `MAX_NEIGHBOURS`, in an archive those in its folders counted.
    pub fn neighbours(&self) -> Option<Vec<Box<str>>> {
        let mut names: Vec<Box<str>> = match &self.origin {
            Origin::File(path) => path.parent().map(listed).unwrap_or_default(),
            Origin::Member { archive, index, .. } => {
                let names = archive.below(*index).take(MAX_NEIGHBOURS + 1);
                names.map(Into::into).collect()
            }
            Origin::Stream(_) => Vec::new(),
        };
        if names.len() > MAX_NEIGHBOURS {
            return None;
        }
        names.retain(|name| !name.contains(['/', '\\']));
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// The last bytes, when there are so many and they can be read where they lie.
    pub fn tail(&self, len: usize) -> Option<Vec<u8>> {
        let span = self.plain_span().ok()??;
        let mut reader = span.reader();
        let back = i64::try_from(len).ok()?;
        reader.seek(SeekFrom::End(back.checked_neg()?)).ok()?;
        let mut tail = Vec::new();
        reader.read_to_end(&mut tail).ok()?;
        (tail.len() == len).then_some(tail)
    }

    /// The last segment of the name as found.
    fn own_name(&self) -> Option<&str> {
        match &self.origin {
            Origin::File(path) => path.file_name()?.to_str(),
            Origin::Member { archive, index, .. } => {
                archive.member(*index)?.name.rsplit(['/', '\\']).next()
            }
            Origin::Stream(_) => None,
        }
    }
}

/// A path, if it is that of a file: a link would lead out of the evidence.
fn file(path: PathBuf) -> Option<PathBuf> {
    let meta = path.symlink_metadata();
    meta.is_ok_and(|meta| meta.is_file()).then_some(path)
}

fn listed(folder: &Path) -> Vec<Box<str>> {
    // The folder of a bare name is nameless.
    let here = folder.as_os_str().is_empty();
    let entries = std::fs::read_dir(if here { Path::new(".") } else { folder });
    let entries = entries.into_iter().flatten().take(MAX_NEIGHBOURS + 1);
    entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_too_many_files_is_told_apart_from_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("000003.log");
        for number in 0..MAX_NEIGHBOURS {
            std::fs::write(folder.path().join(number.to_string()), b"").unwrap();
        }
        let evidence = || {
            std::fs::write(&path, b"x").unwrap();
            Evidence::file(&path, "000003.log").unwrap()
        };
        assert!(evidence().neighbours().is_none());
        std::fs::remove_file(folder.path().join("7")).unwrap();
        assert_eq!(
            evidence().neighbours().map(|it| it.len()),
            Some(MAX_NEIGHBOURS)
        );
    }
}
