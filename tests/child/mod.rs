//! A program with all its streams in a test's hands.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "a program that cannot be started must stop the test; each test crate uses its part"
)]

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

/// Starts a program.
pub fn piped(command: &mut Command) -> (Child, ChildStdin) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

/// Starts a program that is given this standard input while it runs.
pub fn fed(command: &mut Command, input: &[u8]) -> Child {
    let (child, mut stdin) = piped(command);
    let input = input.to_vec();
    std::thread::spawn(move || {
        let _may_be_closed_early = stdin.write_all(&input);
    });
    child
}

/// What a program writes, given this standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    fed(command, input).wait_with_output().unwrap()
}
