//! Evidence and circumstances that mean harm, put to the program as it is built: bounds, leaks, injection into
//! reports, interruption. SECURITY.md names these tests, and `tests/security/run` writes their figures into it.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::similar_names,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test"
)]

#[cfg(target_os = "linux")]
mod bounds;
#[path = "../child/mod.rs"]
mod child;
#[path = "../disguise/mod.rs"]
mod disguise;
mod injection;
#[cfg(target_os = "linux")]
mod interruption;
mod leaks;
#[cfg(target_os = "linux")]
mod memory;
mod named;

use std::path::Path;
use std::process::Command;

use child::run;
use serde_json::Value;

/// Every form of the report.
pub(crate) const FORMATS: [&str; 7] = ["table", "json", "ndjson", "sarif", "html", "ocsf", "ecs"];

const AS_OF: &str = "2026-11-24T00:00:00Z";

/// The program, in a folder, with nothing of this process's environment.
pub(crate) fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokentrail"));
    command.args(args).current_dir(dir).env_clear();
    command
}

/// The arguments of a scan that does not fail for what it finds.
pub(crate) fn scanning<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["scan", "--as-of", AS_OF, "--fail-on", "never"], args].concat()
}

/// The report of a scan as JSON, and its exit code.
pub(crate) fn report(dir: &Path, args: &[&str]) -> (Value, i32) {
    let args = scanning(&[args, &["-f", "json"]].concat());
    let output = run(&mut program(dir, &args), b"");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().unwrap())
}

/// The reasons that a report gives, each behind the name of its source.
pub(crate) fn problems(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().unwrap().iter();
    problems
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap();
            format!("{}: {}", text("path"), text("reason"))
        })
        .collect()
}

pub(crate) fn findings(report: &Value) -> usize {
    report["findings"].as_array().unwrap().len()
}

/// The names in a folder.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A log line with one access token.
pub(crate) fn line(number: u32) -> String {
    format!(
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /cb?access_token=qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6 HTTP/1.1\" 200 5\n"
    )
}

/// Takes note of what a test tried, where the command that writes SECURITY.md asks for it.
pub(crate) fn tried(test: &str, what: &str, count: usize) {
    if let Some(folder) = std::env::var_os("TOKENTRAIL_FIGURES") {
        let file = Path::new(&folder).join(format!("{test}.{what}"));
        std::fs::write(file, count.to_string()).unwrap();
    }
}
