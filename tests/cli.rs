//! The command line, and the README, run as they are written.
//!
//! `TRYCMD=overwrite cargo test --test cli` accepts what the program writes now.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn transcripts_are_true() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .case("tests/cli/*.trycmd")
        .case("README.md");
}

/// A line of the combined format with a code and a state: what every authorization server's client logs.
const CALLBACK: &str = "203.0.113.7 - - [23/Nov/2026:05:00:00 +0000] \
    \"GET /cb?code=SplxlOBeZQQYbYS6WxSbIA4f7Qk2&state=af0ifjsldkjK3fq8Vb2mQw HTTP/1.1\" 302 0 \"-\" \"-\"\n";

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokentrail"));
    command
        .args(args)
        .args(["--as-of", "2026-11-24"])
        .current_dir(dir)
        .env_clear();
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

fn with_input(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = command(dir, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder with one log that holds a code, and one that holds nothing.
fn evidence() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("access.log"), CALLBACK.repeat(3)).unwrap();
    let clean = CALLBACK
        .replace("code=", "page=")
        .replace("state=", "sort=");
    std::fs::write(dir.path().join("clean.log"), clean).unwrap();
    dir
}

#[test]
fn a_finding_exits_with_1_and_a_clean_scan_with_0() {
    let dir = evidence();
    assert_eq!(run(dir.path(), &["scan", "."]).status.code(), Some(1));
    assert_eq!(
        run(dir.path(), &["scan", "clean.log"]).status.code(),
        Some(0)
    );
    for (fail_on, code) in [
        ("never", 0),
        ("info", 1),
        ("kind:authorization_code", 1),
        ("kind:password", 0),
    ] {
        let output = run(dir.path(), &["scan", ".", "--fail-on", fail_on]);
        assert_eq!(output.status.code(), Some(code), "{fail_on}");
    }
}

#[test]
fn what_was_not_read_exits_with_3_unless_something_worse_does() {
    let dir = evidence();
    let cut = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut off here";
    std::fs::write(dir.path().join("clean.log.gz"), cut).unwrap();
    let paths = ["scan", "clean.log", "clean.log.gz", "missing", "-f", "json"];
    let output = run(dir.path(), &paths);
    assert_eq!(output.status.code(), Some(3));
    let report = json(&output);
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["path"] == "missing"));
    let output = run(dir.path(), &["scan", ".", "missing"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn standard_input_is_evidence() {
    let dir = evidence();
    let output = with_input(
        dir.path(),
        &["scan", "-", "-f", "json"],
        CALLBACK.as_bytes(),
    );
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["sources"][0]["path"], "-");
    assert_eq!(report["findings"][0]["sightings"][0]["source"]["path"], "-");
}

#[test]
fn paths_come_from_a_list() {
    let dir = evidence();
    let list = b"clean.log\0access.log\0";
    let output = with_input(
        dir.path(),
        &["scan", "--files-from", "-", "-f", "json"],
        list,
    );
    let report = json(&output);
    let paths: Vec<_> = report["sources"].as_array().unwrap().iter().collect();
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0]["path"], "access.log");
}

#[test]
fn a_file_appears_whole_and_for_its_owner_alone() {
    let dir = evidence();
    let output = run(
        dir.path(),
        &["scan", ".", "-f", "json", "-o", "result.json"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let result = dir.path().join("result.json");
    let saved = std::fs::read(&result).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&saved).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&result).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing but the result was left beside the evidence.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_into_and_not_replaced() {
    use std::io::Read;
    use std::os::unix::fs::FileTypeExt;
    let dir = evidence();
    let pipe = dir.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // Open at both ends, so that neither the program nor the test waits for the other.
    let mut open = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let output = run(
        dir.path(),
        &["scan", "clean.log", "-f", "json", "-o", "pipe"],
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    let mut first = [0];
    open.read_exact(&mut first).unwrap();
    assert_eq!(first, *b"{");
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_file_that_is_renewed() {
    let dir = evidence();
    let link = dir.path().join("latest.json");
    std::fs::write(dir.path().join("result.json"), "old").unwrap();
    std::os::unix::fs::symlink("result.json", &link).unwrap();
    let args = ["scan", "clean.log", "-f", "json", "-o", "latest.json"];
    assert_eq!(run(dir.path(), &args).status.code(), Some(0));
    assert!(link.symlink_metadata().unwrap().is_symlink());
    let saved = std::fs::read(dir.path().join("result.json")).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&saved).is_ok());
}

#[test]
fn nothing_but_errors_is_written_to_standard_error() {
    let dir = evidence();
    for args in [
        &["scan", "."] as &[&str],
        &["scan", ".", "-f", "json"],
        &["scan", ".", "-f", "ndjson", "--quiet"],
    ] {
        let output = run(dir.path(), args);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let dir = evidence();
    std::fs::write(dir.path().join("access.log"), numbered(200)).unwrap();
    let mut child = command(dir.path(), &["scan", ".", "-f", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Lines with a code of its own each.
fn numbered(lines: u32) -> String {
    (0..lines)
        .map(|number| CALLBACK.replace("SplxlOBeZQ", &format!("Splx{number:06}")))
        .collect()
}

#[test]
fn many_findings_are_capped_in_the_table_and_complete_in_json() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("access.log"), numbered(80)).unwrap();
    let table = run(dir.path(), &["scan", "."]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("more findings: `--format json`"), "{table}");
    let report = json(&run(dir.path(), &["scan", ".", "-f", "json"]));
    assert!(report["findings"].as_array().unwrap().len() >= 80);
    // A group says how many it has, and not how many of them are shown.
    let grouped = run(dir.path(), &["scan", ".", "--group-by", "source"]);
    let grouped = String::from_utf8(grouped.stdout).unwrap();
    let all = report["findings"].as_array().unwrap().len();
    let heading = format!("\n== access.log: {all} findings, 50 shown\n");
    assert!(grouped.contains(&heading), "{grouped}");
}

#[test]
fn an_archive_has_its_hash_beside_those_of_its_members() {
    use sha2::Digest;
    let archive = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/archives/spa-login.har.zip"
    );
    let dir = tempfile::tempdir().unwrap();
    let report = json(&run(dir.path(), &["scan", archive, "--hash", "-f", "json"]));
    let of_file = sha2::Sha256::digest(std::fs::read(archive).unwrap());
    let of_file = data_encoding::HEXLOWER.encode(&of_file);
    let sources = report["sources"].as_array().unwrap();
    let itself = |it: &&serde_json::Value| it["members"].as_array().is_none_or(Vec::is_empty);
    let row = sources.iter().find(itself).unwrap();
    assert_eq!(row["sha256"], of_file, "{report:#}");
    assert!(sources.iter().all(|it| it["sha256"].is_string()));
}

/// What a page does by script or by its head, and no request shows, since captures cut the fragment from them.
#[test]
fn a_page_that_hands_a_token_over_in_a_fragment_fails_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let over = "https://app.example/cb#access_token=Qm7xZ2kLw9TfYb3NcR8vHs5JdGp4Ae6U&token_type=Bearer&expires_in=3600";
    for page in [
        format!("<meta http-equiv=refresh content=\"0;url={over}\">"),
        format!("<script>window.location.href=\"{over}\"</script>"),
    ] {
        let har = serde_json::json!({"log": {"version": "1.2", "creator": {"name": "t"}, "entries": [{
            "startedDateTime": "2026-11-23T05:00:00.000Z",
            "request": {"method": "GET", "url": "https://idp.example/done", "headers": []},
            "response": {"status": 200, "headers": [], "content": {"mimeType": "text/html", "text": page}},
        }]}});
        std::fs::write(dir.path().join("e2e.har"), har.to_string()).unwrap();
        let code = |options: &[&str]| {
            let output = run(dir.path(), &[&["scan", "e2e.har"], options].concat());
            output.status.code()
        };
        assert_eq!(code(&[]), Some(1), "{page}");
    }
}

#[test]
fn many_sightings_of_one_value_are_capped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("access.log"), CALLBACK.repeat(50)).unwrap();
    let report = json(&run(dir.path(), &["scan", ".", "-f", "json"]));
    let finding = &report["findings"][0];
    assert_eq!(finding["sightings"].as_array().unwrap().len(), 20);
    assert_eq!(finding["sightings_total"], 50);
    assert_eq!(finding["sightings_by_source"][0]["sightings"], 50);
}

#[cfg(unix)]
#[test]
fn hostile_names_reach_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let name = "evil\u{1b}]0;owned\u{7}\u{202e}gol.log";
    std::fs::write(dir.path().join(name), CALLBACK).unwrap();
    for format in ["table", "json", "ndjson", "sarif", "html", "ocsf", "ecs"] {
        let output = run(dir.path(), &["scan", ".", "-f", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{format}");
        assert!(text.contains("evil"), "{format}");
    }
}

#[test]
fn one_run_writes_every_report_that_is_asked_for() {
    let dir = evidence();
    let reports = ["--report", "json=a.json", "--report", "sarif=a.sarif"];
    let output = run(
        dir.path(),
        &[&["scan", "access.log"], &reports[..]].concat(),
    );
    assert_eq!(output.status.code(), Some(1));
    let table = run(dir.path(), &["scan", "access.log"]).stdout;
    assert_eq!(output.stdout, table, "the table is still written");
    let again = [
        "report",
        "a.json",
        "--report",
        "ndjson=b.ndjson",
        "-f",
        "sarif",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(again)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert_eq!(output.stdout, read("a.sarif"));
    let lines = run(dir.path(), &["scan", "access.log", "-f", "ndjson"]).stdout;
    assert_eq!(read("b.ndjson"), lines);
}

#[test]
fn the_table_is_sorted_grouped_and_filtered_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let at = |day: u32, query: &str| {
        format!(
            "203.0.113.7 - - [{day}/Nov/2026:05:00:00 +0000] \"GET {query} HTTP/1.1\" 200 0 \"-\" \"-\"\n"
        )
    };
    let lines = at(
        21,
        "/cb?code=SplxlOBeZQQYbYS6WxSbIA4f7Qk2&state=af0ifjsldkjK3fq8Vb2mQw",
    ) + &at(22, "/x?access_token=Qm7xZ2kLw9TfYb3NcR8vHs5JdGp4Ae6U");
    std::fs::write(dir.path().join("access.log"), lines).unwrap();
    let table = |options: &[&str]| {
        let output = run(dir.path(), &[&["scan", "."], options].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let order = |text: &str| {
        let at = |kind: &str| text.find(&format!(" {kind} (")).unwrap();
        at("authorization_code") < at("access_token")
    };
    assert!(order(&table(&["--sort", "oldest"])));
    assert!(!order(&table(&["--sort", "newest"])));
    let groups = table(&["--group-by", "flow"]);
    assert!(
        groups.contains("\n== bearer-in-query: 1 finding\n"),
        "{groups}"
    );
    let usable = table(&["--verdict", "unknown"]);
    assert!(usable.contains("(1 left out by filters)"), "{usable}");
    assert!(!usable.contains("authorization_code ("), "{usable}");
    let nothing = table(&["--verdict", "bound"]);
    assert!(
        nothing.contains("nothing of what is shown is usable"),
        "{nothing}"
    );
}

/// Someone who takes it for a client of HTTP, or names the outputs after the evidence.
#[test]
fn a_name_that_is_not_there_is_told_without_the_credential_in_it() {
    let dir = evidence();
    let code = "SplxlOBeZQQYbYS6WxSbIA4f7Qk2";
    let url = format!("https://app.example/cb?code={code}&state=af0ifjsldkjK3fq8Vb2mQw");
    let scan = run(dir.path(), &["scan", &url]);
    let key = format!("ghp_{}", "aB3dE5fG7hI9".repeat(3));
    let correlate = run(dir.path(), &["correlate", &format!("{key}.nd")]);
    let stats = ["correlate", "--write-key-stats", &format!("{key}.nd")];
    let stats = run(dir.path(), &stats);
    for (output, secret) in [(scan, code), (correlate, &key), (stats, &key)] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(!told.contains(secret) && told.contains('‹'), "{told}");
    }
}

/// Ended while one source is still being read: what was done before is whole, and the rest is missed.
#[cfg(unix)]
#[test]
fn a_run_that_is_ended_leaves_sightings_that_correlate_takes() {
    for (signal, to_stdout) in [("INT", false), ("INT", true), ("TERM", false)] {
        let dir = evidence();
        // Sources are written in the order of their names, and `-` is that of standard input.
        std::fs::rename(dir.path().join("access.log"), dir.path().join("+.log")).unwrap();
        let (part, folder) = (dir.path().join("part"), dir.path().join("out"));
        std::fs::create_dir(&folder).unwrap();
        let part = if to_stdout { part } else { folder.join("part") };
        let mut scan = interruptible(&["scan", "+.log", "-", "--sightings"]);
        scan.current_dir(dir.path());
        if to_stdout {
            scan.stdout(std::fs::File::create(&part).unwrap());
        } else {
            scan.args(["-o", "out/part"]);
        }
        let piped = scan.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let written = || std::fs::read_to_string(&part).unwrap_or_default();
        let start = std::time::Instant::now();
        while !written().contains("authorization_code") && start.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let pid = child.id().to_string();
        let mut kill = Command::new("kill");
        let ended = kill.args([&format!("-{signal}"), &pid]).status();
        assert!(ended.unwrap().success());
        assert!(!child.wait().unwrap().success());
        assert!(written().ends_with('\n'), "{signal}");
        let left = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(
            left,
            usize::from(!to_stdout),
            "no more than the sightings is left behind"
        );
        taken_as_partial(dir.path(), &part);
    }
}

#[test]
fn text_that_was_named_and_left_alone_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{
  "query": { "code": "5f1c9a3e7b2d4c6a8e0f1a2b3c4d5e6f", "state": "9b8a7c6d" }
}
"#;
    std::fs::write(dir.path().join("dump.json"), text).unwrap();
    std::fs::write(dir.path().join("zeros.bin"), [0; 64]).unwrap();
    let told = |output: &Output| {
        let sources = &json(output)["sources"];
        let sources = sources.as_array().unwrap().iter();
        let all = sources.map(|it| (it["path"].clone(), it["status"].clone()));
        all.collect::<Vec<_>>()
    };
    let named = run(
        dir.path(),
        &["scan", "dump.json", "zeros.bin", "-f", "json"],
    );
    assert_eq!(named.status.code(), Some(0));
    assert_eq!(told(&named), [("dump.json".into(), "unsupported".into())]);
    let reason = json(&named)["sources"][0]["reason"].clone();
    assert!(reason.as_str().unwrap().contains("--all-text"), "{reason}");
    let piped = with_input(dir.path(), &["scan", "-", "-f", "json"], text.as_bytes());
    assert_eq!(told(&piped), [("-".into(), "unsupported".into())]);
    // Of what only lies in a folder there may be millions.
    let found = run(dir.path(), &["scan", ".", "-f", "json"]);
    assert_eq!(told(&found), []);
    let read = run(dir.path(), &["scan", ".", "--all-text", "-f", "json"]);
    assert_eq!(read.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_ended_before_its_first_source_is_done_is_known_to_be_cut_off() {
    let dir = evidence();
    let mut scan = interruptible(&["scan", "-", "--sightings", "-o", "part"]);
    let piped = scan.current_dir(dir.path()).stdin(Stdio::piped());
    let mut child = piped.stderr(Stdio::null()).spawn().unwrap();
    let part = dir.path().join("part");
    let length = || std::fs::metadata(&part).map_or(0, |it| it.len());
    let start = std::time::Instant::now();
    while length() == 0 && start.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut kill = Command::new("kill");
    let ended = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(ended.unwrap().success());
    assert!(!child.wait().unwrap().success());
    let output = run(dir.path(), &["correlate", "part", "-f", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report = json(&output);
    let problem = report["problems"][0]["reason"].as_str().unwrap();
    assert!(problem.contains("cut off"), "{problem}");
}

/// A command that Ctrl-C ends, which is ignored where tests run in the background (POSIX, Shell Command Language
/// §2.11). Where `env` cannot undo that, it is as the tests have it.
#[cfg(unix)]
fn interruptible(args: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_tokentrail");
    let mut probe = Command::new("env");
    let probe = probe.args(["--default-signal=INT", "true"]).output();
    let mut command = if probe.is_ok_and(|it| it.status.success()) {
        let mut env = Command::new("env");
        env.args(["--default-signal=INT", program]);
        env
    } else {
        Command::new(program)
    };
    command.args(args);
    command
}

/// Whether `correlate` judges what a file holds, and says that it is not all; and that writing the same sightings
/// again makes it whole.
fn taken_as_partial(dir: &Path, part: &Path) {
    let tokentrail = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokentrail"));
        command.args(args).current_dir(dir).env_clear();
        command.stdin(Stdio::null()).output().unwrap()
    };
    let part = part.to_str().unwrap();
    let judged = ["-f", "json", "--fail-on", "never"];
    let output = tokentrail(&[&["correlate", part], &judged[..]].concat());
    assert_eq!(output.status.code(), Some(3));
    let report = json(&output);
    assert_eq!(report["findings"][0]["kind"], "authorization_code");
    let problem = report["problems"][0]["reason"].as_str().unwrap();
    assert!(problem.contains("cut off"), "{problem}");
    let again = ["scan", "+.log", "-", "--sightings", "-o", "again"];
    assert_eq!(tokentrail(&again).status.code(), Some(0));
    let output = tokentrail(&[&["correlate", part, "again"], &judged[..]].concat());
    let report = json(&output);
    assert_eq!(output.status.code(), Some(0), "{}", report["problems"]);
    assert_eq!(report["findings"][0]["sightings_total"], 3);
}

#[test]
fn every_command_has_a_page_and_every_shell_its_completions() {
    let dir = evidence();
    let written = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
            .args(args)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = written(&["completions", shell]);
        assert!(text.contains("source-root"), "{shell}");
    }
    assert!(written(&["man"]).contains("tokentrail\\-correlate(1)"));
    assert!(written(&["man", "scan"]).contains(r"\-\-source\-root"));
}
