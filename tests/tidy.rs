//! The house rules that a compiler does not hold: imports point left, files have captions and a size,
//! nothing prints, no live-looking secret is in the repository.

#![allow(clippy::unwrap_used, reason = "test")]

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Folders in the order in which data flows. Each may import those before it, and itself.
const STAGES: [&str; 6] = ["atoms", "collect", "detect", "flow", "judge", "report"];

/// Lines that a file of `src/` may have before its unit tests.
const LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder of the repository, with their text; files that are no text are left out.
fn texts(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = WalkDir::new(root().join(folder))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            Some((path.strip_prefix(root()).unwrap().to_owned(), text))
        })
        .collect();
    files.sort();
    files
}

/// The first segment of every path from the crate's root that the text imports or names.
fn imports(text: &str) -> Vec<&str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|path| {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
            path.get(..end.unwrap_or(path.len())).unwrap()
        })
        .collect()
}

fn stage(path: &Path) -> Option<usize> {
    let folder = path.components().nth(1)?.as_os_str().to_str()?;
    STAGES.iter().position(|stage| *stage == folder)
}

#[test]
fn stages_sort_as_data_flows() {
    let mut sorted = STAGES;
    sorted.sort_unstable();
    assert_eq!(sorted, STAGES);
    for stage in STAGES {
        assert!(root().join("src").join(stage).is_dir(), "{stage}");
    }
}

#[test]
fn imports_point_left() {
    for (path, text) in texts("src") {
        let Some(own) = stage(&path) else { continue };
        for import in imports(&text) {
            let theirs = STAGES.iter().position(|stage| *stage == import);
            assert!(
                theirs.is_some_and(|theirs| theirs <= own),
                "{} imports {import}: imports point left in {}",
                path.display(),
                STAGES.join(" → ")
            );
        }
    }
}

#[test]
fn the_import_test_can_fail() {
    let text = "// crate::report is only talked of\nuse crate::judge::Finding;\nlet x = crate::flow::trails(a);";
    assert_eq!(imports(text), ["judge", "flow"]);
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in texts("src") {
        let is_rust = path.extension().is_some_and(|it| it == "rs");
        let is_script = path.extension().is_some_and(|it| it == "js");
        assert!(
            if is_script {
                text.starts_with("// ")
            } else {
                !is_rust || text.starts_with("//! ")
            },
            "{} has no caption",
            path.display()
        );
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = texts("src")
        .iter()
        .filter_map(|(path, text)| {
            let code = text.split("#[cfg(test)]\nmod tests").next()?;
            let lines = code.lines().count();
            (lines > LINES).then(|| format!("{}: {lines}", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines, split: {long:#?}");
}

#[test]
fn nothing_prints() {
    for (path, text) in texts("src") {
        for call in ["println!", "eprintln!", "print!(", "eprint!(", "dbg!"] {
            let found = text
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(call));
            assert!(!found, "{} uses {call}", path.display());
        }
    }
}

/// Prefixes by which scanners of pushed commits know a live secret. Split, so that this file has none.
const VENDOR_PREFIXES: [(&str, &str); 14] = [
    ("gh", "p_"),
    ("gh", "o_"),
    ("gh", "s_"),
    ("github", "_pat_"),
    ("glp", "at-"),
    ("xox", "b-"),
    ("xox", "p-"),
    ("sk_", "live_"),
    ("rk_", "live_"),
    ("AK", "IA"),
    ("AI", "za"),
    ("ya", "29."),
    ("npm", "_"),
    ("hooks.slack.com/", "services/T"),
];

#[test]
fn no_live_looking_secret_is_in_the_repository() {
    for folder in ["rules", "fixtures", "tests", "docs"] {
        for (path, text) in texts(folder) {
            for (head, tail) in VENDOR_PREFIXES {
                let prefix = format!("{head}{tail}");
                for (at, _) in text.match_indices(&prefix) {
                    let value = text.get(at + prefix.len()..).unwrap();
                    let run = value
                        .bytes()
                        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte));
                    assert!(
                        run.count() < 10,
                        "{} holds {prefix}…: build it at run time",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn the_schemas_that_are_checked_in_are_those_of_the_types() {
    use tokentrail::report::{json, schema, shard_schema};
    for (schema, file, option) in [
        (schema(), "docs/tokentrail-1.schema.json", ""),
        (
            shard_schema(),
            "docs/tokentrail-sightings-1.schema.json",
            " --sightings",
        ),
    ] {
        let mut derived = Vec::new();
        json::pretty(&schema, &mut derived).unwrap();
        let saved = std::fs::read(root().join(file)).unwrap_or_default();
        assert!(
            derived == saved,
            "the wire types changed: cargo run -- schema{option} > {file}"
        );
    }
}
