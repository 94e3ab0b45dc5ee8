//! SECURITY.md names tests that exist, and nothing in it is written by hand that a command writes.

use std::path::Path;

use walkdir::WalkDir;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// What stands in backticks and looks like `target::…::test`.
fn tests(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|it| it.contains("::") && !it.contains([' ', '(']))
        .collect()
}

/// The text of a test target: its file, or its folder; of `lib`, all sources.
fn target(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = if name == "lib" {
        vec![root.join("src")]
    } else {
        vec![
            root.join("tests").join(name),
            root.join(format!("tests/{name}.rs")),
        ]
    };
    let files = places.iter().flat_map(WalkDir::new).filter_map(Result::ok);
    files
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "rs"))
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect()
}

#[test]
fn every_test_that_security_md_names_exists() {
    let text = read("SECURITY.md");
    let named = tests(&text);
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        let (first, _) = name.split_once("::").unwrap();
        let (_, last) = name.rsplit_once("::").unwrap();
        assert!(target(first).contains(&format!("fn {last}(")), "{name}");
    }
    assert_eq!(
        tests("`a::b` and `c` and `x y::z`, `d::e::f`"),
        ["a::b", "d::e::f"]
    );
}

/// Words by which a program would reach out.
const REACHES: [&str; 8] = [
    "ToSocketAddrs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixDatagram",
    "process::Command",
    "Command::new(",
];

#[test]
fn no_source_opens_a_connection_or_starts_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = 0;
    for entry in WalkDir::new(root).into_iter().filter_map(Result::ok) {
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for word in REACHES {
            assert!(
                !code.contains(word),
                "{} has {word}",
                entry.path().display()
            );
        }
        files += 1;
    }
    assert!(files > 100);
}

/// Crates that others connect by.
const CONNECTS: [&str; 10] = [
    "async-io",
    "curl",
    "hyper",
    "mio",
    "native-tls",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "ureq",
];

#[test]
fn no_crate_that_connects_is_locked() {
    let locked = read("Cargo.lock");
    let names: Vec<&str> = locked
        .lines()
        .filter_map(|line| line.strip_prefix("name = "))
        .collect();
    assert!(names.contains(&"\"tokentrail\""));
    for name in CONNECTS {
        assert!(!names.contains(&format!("\"{name}\"").as_str()), "{name}");
    }
}

/// Whether a line names a bound: what is counted or held up to it.
fn is_bound(line: &str) -> bool {
    let name = line
        .trim_start()
        .split("const ")
        .nth(1)
        .and_then(|it| it.split(':').next());
    let starts = line.trim_start().starts_with(['c', 'p']);
    starts
        && name.is_some_and(|name| {
            name.starts_with("MAX_")
                || ["_CAP", "_FLOOR", "_BYTES"]
                    .iter()
                    .any(|end| name.ends_with(end))
                || ["HELD", "HOLD", "SIGHTINGS", "REASONS", "KEPT"].contains(&name)
        })
}

#[test]
fn every_bound_says_why_it_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut bounds = 0;
    for entry in WalkDir::new(root).into_iter().filter_map(Result::ok) {
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines: Vec<&str> = code.lines().collect();
        for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
            if is_bound(line) {
                let said = before.trim_start().starts_with("///");
                assert!(said, "{}: {line}", entry.path().display());
                bounds += 1;
            }
        }
    }
    assert!(bounds > 100, "{bounds}");
    assert!(is_bound("    pub(super) const MAX_X: usize = 1;") && !is_bound("use a::MAX_X;"));
}
