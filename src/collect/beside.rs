//! What lies around the evidence: the end of its file, the files in its folder. Opens what it is asked for by
//! name, and knows no format.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::Evidence;

/// Files of one folder that are looked at to find those that belong together. A store has some hundred.
const MAX_NEIGHBOURS: usize = 100_000;

impl Evidence {
    /// The last bytes of a file on disk, when it has so many.
    pub fn tail(&self, len: usize) -> Option<Vec<u8>> {
        let back = i64::try_from(len).ok()?;
        let mut file = File::open(self.plain_file()?).ok()?;
        file.seek(SeekFrom::End(back.checked_neg()?)).ok()?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).ok()?;
        (tail.len() == len).then_some(tail)
    }

    /// Names of the files in the same folder, sorted; of more than a hundred thousand none.
    pub fn neighbours(&self) -> Vec<Box<str>> {
        let folder = self.plain_file().and_then(Path::parent);
        let entries = folder.and_then(|folder| {
            // The folder of a bare name is nameless.
            let here = folder.as_os_str().is_empty();
            std::fs::read_dir(if here { Path::new(".") } else { folder }).ok()
        });
        let mut names: Vec<Box<str>> = entries
            .into_iter()
            .flatten()
            .take(MAX_NEIGHBOURS)
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.into()))
            .collect();
        names.sort_unstable();
        if names.len() < MAX_NEIGHBOURS {
            names
        } else {
            Vec::new()
        }
    }

    /// The file of this name in the same folder.
    pub fn beside(&self, name: &str) -> Option<Self> {
        let path = self.plain_file()?.with_file_name(name);
        // A link would lead out of the evidence.
        let is_file = path.symlink_metadata().is_ok_and(|meta| meta.is_file());
        is_file.then(|| Self::file(&path, name).ok())?
    }
}
