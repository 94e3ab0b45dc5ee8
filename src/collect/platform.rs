//! What only the operating system can tell about a place in the file tree, or do with a file. The one file of
//! this stage with platform calls; everywhere else a pseudo-filesystem is just a folder.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// File system types whose files are made up by the kernel: reading them says nothing of the past, and
/// some never end.
const PSEUDO_TYPES: [&str; 19] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// Mount points that hold devices or kernel state whatever their type says (`/dev` is a tmpfs in containers).
const PSEUDO_ROOTS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The pseudo-filesystems that are mounted now.
#[derive(Debug, Default)]
pub struct PseudoFilesystems(BTreeSet<u64>);

impl PseudoFilesystems {
    /// Asks the system. Where it does not tell, nothing is known to be one.
    #[cfg(unix)]
    pub fn mounted() -> Self {
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Self(
            mount_points(&table)
                .filter_map(|point| std::fs::metadata(point).ok())
                .map(|meta| meta.dev())
                .collect(),
        )
    }

    /// Asks the system. Where it does not tell, nothing is known to be one.
    #[cfg(not(unix))]
    pub fn mounted() -> Self {
        Self::default()
    }

    /// Whether the file or folder lies on one.
    #[cfg(unix)]
    pub fn hold(&self, meta: &Metadata) -> bool {
        self.0.contains(&meta.dev())
    }

    /// Whether the file or folder lies on one.
    #[cfg(not(unix))]
    pub fn hold(&self, _: &Metadata) -> bool {
        false
    }
}

/// Opens a file for reading, and nothing else: what was a file when it was found may be a pipe by now, or a device, and
/// reading that would never end.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    // Opening a pipe would wait for its writer.
    #[cfg(unix)]
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no file any more"))
    }
}

/// Reads from a place of a file, wherever others read it.
#[cfg(unix)]
pub fn read_at(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, from)
}

/// Reads from a place of a file, wherever others read it.
#[cfg(windows)]
pub fn read_at(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, from)
}

/// Reads from a place of a file, wherever others read it.
#[cfg(not(any(unix, windows)))]
pub fn read_at(mut file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock();
    file.seek(SeekFrom::Start(from))?;
    file.read(buffer)
}

/// Mount points of pseudo-filesystems in the text of `/proc/self/mountinfo` (man page `proc_pid_mountinfo`):
/// fields before ` - ` end in an optional list, the type follows it.
fn mount_points(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?;
        let kind = after.split(' ').next()?;
        (PSEUDO_TYPES.contains(&kind) || PSEUDO_ROOTS.contains(&point)).then_some(point)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = open(&path).unwrap_err();
        assert_eq!(error.to_string(), "it is no file any more");
        assert!(open(folder.path()).is_err());
    }

    #[test]
    fn kernel_filesystems_are_told_by_type_or_by_mount_point() {
        let table = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
             23 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n\
             24 22 0:22 / /dev rw - tmpfs tmpfs rw\n\
             25 22 0:23 / /mnt/image rw - ext4 /dev/loop0 ro\n";
        assert_eq!(mount_points(table).collect::<Vec<_>>(), ["/proc", "/dev"]);
    }
}
