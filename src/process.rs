//! What this process denies itself before it reads anything: its memory and the words of a panic may hold what no
//! report does. The program's own platform calls; knows nothing of evidence.

use std::io::{self, Write};
use std::panic::{self, Location};

/// Called once, first. A system that refuses a part of it leaves the rest in force.
pub fn seal() {
    panic::set_hook(Box::new(|panicked| {
        let _nowhere_left_to_say_so = writeln!(io::stderr(), "{}", fault(panicked.location()));
    }));
    forbid_dumps();
}

/// What is said of a panic. Its own message may quote what was read; the place in the program cannot.
fn fault(at: Option<&Location<'_>>) -> String {
    let at = at.map(|at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "tokentrail: a fault of the program{}; please report this line, and never the evidence",
        at.unwrap_or_default()
    )
}

/// No core dump, and no look into the memory by other programs of the same user.
#[cfg(unix)]
fn forbid_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _refused = setrlimit(Resource::Core, none);
    // A size of 0 does not hold where dumps are piped to a program (core(5)); this does, and it forbids ptrace too.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// No core dump: other systems have no such thing, or none that a process may refuse.
#[cfg(not(unix))]
fn forbid_dumps() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_by_its_place() {
        let told = fault(Some(Location::caller()));
        assert!(told.contains(" at src/process.rs:"), "{told}");
        assert_eq!(fault(None).lines().count(), 1);
    }
}
