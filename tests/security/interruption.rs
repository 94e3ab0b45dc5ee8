//! A run that is ended, that cannot write, or whose evidence goes away under it: under the final name lies a whole
//! file or the one that was there, and one line says what happened.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output};

use crate::child::piped;
use crate::{FORMATS, findings, line, names, problems, program, report, run, scanning, tried};

const OLD: &str = "the report of last week";

/// More than a pipe holds: when it is written, the program is reading, and has listed its evidence.
fn much() -> Vec<u8> {
    line(1).into_bytes().repeat(4_000)
}

/// A command with signals as a terminal's programs have them: tests may run where some are ignored.
fn signalled(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("env");
    let own = ["--default-signal", env!("CARGO_BIN_EXE_tokentrail")];
    command.args(own).args(args).current_dir(dir);
    command
}

/// A scan of a standard input that has not ended, and of what else is named, that has begun to read.
fn begun(mut command: Command) -> (Child, std::process::ChildStdin) {
    let (child, mut stdin) = piped(&mut command);
    stdin.write_all(&much()).unwrap();
    (child, stdin)
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn ctrl_c_and_kill_leave_the_old_file_and_nothing_else() {
    let signals = [("-INT", 2), ("-TERM", 15), ("-HUP", 1), ("-KILL", 9)];
    for (signal, number) in signals {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("out.json"), OLD).unwrap();
        let reports = ["-f", "json", "-o", "out.json", "--report", "html=new.html"];
        let args = scanning(&[&["-"], &reports[..]].concat());
        let (mut child, stdin) = begun(signalled(dir.path(), &args));
        send(signal, &child);
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        drop(stdin);
        assert_eq!(
            fs::read_to_string(dir.path().join("out.json")).unwrap(),
            OLD
        );
        assert_eq!(names(dir.path()), ["out.json"]);
    }
    let test = "ctrl_c_and_kill_leave_the_old_file_and_nothing_else";
    tried(test, "faults", signals.len());
}

/// The program in a shell that lets no file grow beyond some kilobytes.
fn cramped(dir: &Path, before: &str, args: &[&str]) -> Command {
    let script = format!("{before} ulimit -f 8; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    let own = ["-c", &script, env!("CARGO_BIN_EXE_tokentrail")];
    command.args(own).args(args).current_dir(dir);
    command
}

fn one_line(output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("tokentrail: "), "{error}");
    error
}

#[test]
fn a_kill_while_the_report_is_written_leaves_the_old_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("access.log"),
        (1..200).map(line).collect::<String>(),
    )
    .unwrap();
    for format in FORMATS {
        fs::write(dir.path().join("out"), OLD).unwrap();
        let args = scanning(&["access.log", "-f", format, "-o", "out"]);
        // Nobody ignores SIGXFSZ here, so that the write that goes too far is the last thing that happens.
        let output = run(&mut cramped(dir.path(), "", &args), b"");
        assert_eq!(output.status.signal(), Some(25), "{format}: {output:?}");
        assert_eq!(fs::read_to_string(dir.path().join("out")).unwrap(), OLD);
    }
    let test = "a_kill_while_the_report_is_written_leaves_the_old_file";
    tried(test, "faults", FORMATS.len());
}

#[test]
fn a_full_disk_leaves_the_old_file_and_a_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("access.log"),
        (1..200).map(line).collect::<String>(),
    )
    .unwrap();
    let mut faults = 0;
    for format in FORMATS {
        fs::write(dir.path().join("out"), OLD).unwrap();
        let scan = scanning(&["access.log", "-f", format, "-o", "out"]);
        let output = run(&mut cramped(dir.path(), "trap '' XFSZ;", &scan), b"");
        assert_eq!(output.status.code(), Some(2), "{format}: {output:?}");
        let error = one_line(&output);
        assert!(
            error.contains("out: ") && error.contains("too large"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(dir.path().join("out")).unwrap(), OLD);
        assert_eq!(names(dir.path()), ["access.log", "out"], "{format}");
        // What stands on standard output cannot be taken back; that it is not all is said.
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let args = scanning(&["access.log", "-f", format]);
        let output = program(dir.path(), &args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{format}: {output:?}");
        let error = one_line(&output);
        assert!(error.contains("cannot write the result"), "{error}");
        faults += 2;
    }
    tried(
        "a_full_disk_leaves_the_old_file_and_a_clear_line",
        "faults",
        faults,
    );
}

#[test]
fn a_full_disk_leaves_whole_lines_of_sightings() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("access.log"),
        (1..200).map(line).collect::<String>(),
    )
    .unwrap();
    let args = ["scan", "access.log", "--sightings", "-o", "out"];
    let output = run(&mut cramped(dir.path(), "trap '' XFSZ;", &args), b"");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(one_line(&output).contains("too large"));
    // What was written is told to be cut off, and is no reason to believe the rest.
    let args = ["correlate", "out", "--fail-on", "never", "-f", "json"];
    let output = run(&mut program(dir.path(), &args), b"");
    assert!(matches!(output.status.code(), Some(2 | 3)), "{output:?}");
    tried("a_full_disk_leaves_whole_lines_of_sightings", "faults", 1);
}

#[test]
fn a_full_temporary_folder_costs_the_source_that_needs_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("access.log"), line(1)).unwrap();
    // Too much for memory, and unlike itself, so that it stays that large in an archive.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(20 << 20)
    .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let mut header = [0_u8; 512];
    header[..9].copy_from_slice(b"noise.log");
    header[124..136].copy_from_slice(format!("{:011o}\0", noise.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    gzip.write_all(&header).unwrap();
    gzip.write_all(&noise).unwrap();
    fs::write(dir.path().join("x.tar.gz"), gzip.finish().unwrap()).unwrap();
    let args = scanning(&["access.log", "x.tar.gz", "-f", "json"]);
    let output = run(&mut cramped(dir.path(), "trap '' XFSZ;", &args), b"");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let told = problems(&report);
    assert!(
        told.iter()
            .any(|it| it.starts_with("x.tar.gz: ") && it.contains("TMPDIR")),
        "{told:?}"
    );
    assert_eq!(findings(&report), 1, "what lies beside it is read");
    tried(
        "a_full_temporary_folder_costs_the_source_that_needs_it",
        "faults",
        1,
    );
}

#[test]
fn a_closed_pipe_is_success_and_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("access.log"),
        (1..2_000).map(line).collect::<String>(),
    )
    .unwrap();
    for format in FORMATS {
        let args = ["scan", "access.log", "-f", format];
        let (reads, writes) = std::io::pipe().unwrap();
        drop(reads);
        let output = program(dir.path(), &args).stdout(writes).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}: {output:?}");
        assert!(output.stderr.is_empty(), "{format}: {output:?}");
    }
    tried(
        "a_closed_pipe_is_success_and_says_nothing",
        "faults",
        FORMATS.len(),
    );
}

/// Scans `z.log` and a good log after something was done to the former behind the program's back.
fn meanwhile(act: impl FnOnce(&Path)) -> (serde_json::Value, i32) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("z.log");
    fs::write(&path, line(2).repeat(1_000)).unwrap();
    fs::write(dir.path().join("zz.log"), line(3)).unwrap();
    // One thread reads in order, and standard input comes first.
    let args = scanning(&["-", "z.log", "zz.log", "-j", "1", "-f", "json"]);
    let (child, stdin) = begun(program(dir.path(), &args));
    act(&path);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (report, output.status.code().unwrap())
}

#[test]
fn a_source_that_vanishes_costs_its_own_row() {
    let (report, code) = meanwhile(|path| fs::remove_file(path).unwrap());
    let told = problems(&report);
    assert!(
        told[0].starts_with("z.log: cannot be read: No such file"),
        "{told:?}"
    );
    assert_eq!((findings(&report), told.len(), code), (2, 1, 3));
    tried("a_source_that_vanishes_costs_its_own_row", "faults", 1);
}

#[test]
fn a_source_that_becomes_a_pipe_or_a_folder_does_not_hold_the_run() {
    let pipe = |path: &Path| {
        fs::remove_file(path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let folder = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    };
    let device = |path: &Path| {
        fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    };
    for act in [&pipe as &dyn Fn(&Path), &folder, &device] {
        let (report, code) = meanwhile(act);
        let told = problems(&report);
        assert!(
            told[0].starts_with("z.log: cannot be read: it is no file any more"),
            "{told:?}"
        );
        assert_eq!((findings(&report), told.len(), code), (2, 1, 3));
    }
    tried(
        "a_source_that_becomes_a_pipe_or_a_folder_does_not_hold_the_run",
        "faults",
        3,
    );
}

#[test]
fn a_source_that_changes_is_read_as_it_is_then() {
    let (report, code) = meanwhile(|path| fs::write(path, line(4)).unwrap());
    assert_eq!((findings(&report), code), (3, 0), "{:?}", problems(&report));
    let (report, code) = meanwhile(|path| fs::write(path, "").unwrap());
    let told = problems(&report);
    assert_eq!((findings(&report), code), (2, 0), "{told:?}");
    assert!(
        told[0].starts_with("z.log: "),
        "an empty log is told: {told:?}"
    );
    tried("a_source_that_changes_is_read_as_it_is_then", "faults", 2);
}

/// The program without the right to pass over permissions, which root has.
fn unprivileged(dir: &Path, args: &[&str]) -> Command {
    let probe = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(probe.path(), fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(probe.path()).is_err() {
        return program(dir, args);
    }
    let mut command = Command::new("setpriv");
    let bounds = [
        "--bounding-set",
        "-dac_override,-dac_read_search",
        "--inh-caps",
        "-all",
    ];
    command
        .args(bounds)
        .arg(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .current_dir(dir);
    command
}

#[test]
fn what_may_not_be_read_is_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let set = |name: &str, mode| {
        let path = dir.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(dir.path().join("closed")).unwrap();
    for name in ["a.log", "b.log", "closed/c.log", "History"] {
        fs::write(dir.path().join(name), line(5)).unwrap();
    }
    for (name, mode) in [("b.log", 0o000), ("History", 0o200), ("closed", 0o000)] {
        set(name, mode);
    }
    let args = scanning(&[".", "-f", "json"]);
    let output = run(&mut unprivileged(dir.path(), &args), b"");
    set("closed", 0o700);
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let told = problems(&report);
    for name in ["History: ", "b.log: ", "closed: "] {
        let is_told = |it: &String| it.starts_with(name) && it.contains("check its permissions");
        assert!(told.iter().any(is_told), "{name}{told:?}");
    }
    assert_eq!((findings(&report), told.len()), (1, 3), "{told:?}");
    assert_eq!(output.status.code(), Some(3));
    tried("what_may_not_be_read_is_told_by_name", "faults", 3);
}

#[test]
fn a_report_that_may_not_be_written_is_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("access.log"), line(1)).unwrap();
    fs::create_dir(dir.path().join("closed")).unwrap();
    let closed = dir.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    for target in ["closed/out", "missing/out", "access.log/out"] {
        let args = scanning(&["access.log", "-o", target]);
        let output = run(&mut unprivileged(dir.path(), &args), b"");
        assert_eq!(output.status.code(), Some(2), "{target}: {output:?}");
        assert!(one_line(&output).contains(target), "{output:?}");
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(names(dir.path()), ["access.log", "closed"]);
    assert!(names(&closed).is_empty());
    // What was read stays as it was, also where it is named as the output of another run.
    let (report, code) = report(dir.path(), &["access.log"]);
    assert_eq!((findings(&report), code), (1, 0));
    tried(
        "a_report_that_may_not_be_written_is_told_by_name",
        "faults",
        3,
    );
}
