//! The memory that a scan of standard input takes at most, as the kernel counts it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{program, scanning};

/// A finished scan, and the most memory that it had resident, in MiB.
pub(crate) struct Measured {
    pub(crate) peak: u64,
    pub(crate) report: Value,
    pub(crate) code: i32,
}

/// Scans what is fed. Two reports go into two pipes: when the first has ended, all work is done, and the program waits
/// for a reader of the second, so that it can be measured at rest.
pub(crate) fn measured(
    args: &[&str],
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    for name in ["first", "second"] {
        let made = Command::new("mkfifo")
            .arg(folder.path().join(name))
            .status();
        assert!(made.unwrap().success());
    }
    let reports = ["--report", "json=first", "--report", "json=second"];
    let args = scanning(&[&["-", "-j", "2"], args, &reports].concat());
    // Opened first, and without waiting: a program that dies leaves nobody behind.
    let mut first = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(folder.path().join("first"))
        .unwrap();
    let mut child = program(folder.path(), &args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let _may_have_seen_enough = feed(&mut stdin);
    });
    let report = to_end(&mut first, &mut child);
    let peak = peak(Path::new(&format!("/proc/{}/status", child.id())));
    let mut second = Vec::new();
    let mut reader = File::open(folder.path().join("second")).unwrap();
    reader.read_to_end(&mut second).unwrap();
    assert!(report == second, "one result, two reports");
    feeder.join().unwrap();
    Measured {
        peak,
        report: serde_json::from_slice(&report).unwrap(),
        code: child.wait().unwrap().code().unwrap(),
    }
}

/// What comes out of a pipe from its first byte to its last.
fn to_end(pipe: &mut File, child: &mut Child) -> Vec<u8> {
    let mut all = Vec::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match pipe.read(&mut block) {
            Ok(0) if !all.is_empty() => return all,
            Ok(0) => assert!(child.try_wait().unwrap().is_none(), "it died: {child:?}"),
            Ok(read) => {
                all.extend_from_slice(&block[..read]);
                continue;
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn peak(status: &Path) -> u64 {
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}
