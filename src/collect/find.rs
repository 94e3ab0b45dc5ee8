//! Finds the evidence: walks what was named, follows no link, enters no pseudo-filesystem, and lists the
//! files to be read. Looks at names and kinds of directory entries; content is for the readers, but for the first bytes
//! of what by its name is read with another file.

use std::collections::{BTreeMap, HashSet};
use std::fs::Metadata;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::platform::{self, PseudoFilesystems};
use super::{ReadError, sqlite};

/// Where to look, and for what.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files and folders. `-` stands for standard input and is not among them.
    pub paths: Vec<PathBuf>,
    /// Files and folders that a list names. Somebody else has walked: a file that is read with another one of the
    /// list is not read again, as if both had been found here.
    pub listed: Vec<PathBuf>,
    /// Whether standard input is evidence.
    pub stdin: bool,
    /// Only files that one of these matches; all when not given.
    pub globs: Option<GlobSet>,
    /// No file or folder that one of these matches.
    pub exclude: Option<GlobSet>,
    /// Paths are shown relative to this folder.
    pub source_root: Option<PathBuf>,
    /// Put before every path that is shown, so that one path on two machines is two sources.
    pub prefix: Option<Box<str>>,
    /// Whether to stay on the file system that a path lies on.
    pub one_file_system: bool,
}

/// What there is to read, and what was passed over.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, sorted by the bytes of their shown path, none twice.
    pub files: Vec<File>,
    /// How many files and folders were passed over, by reason.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// What could not be looked at: shown path and reason, sorted.
    pub problems: Vec<(Box<str>, ReadError)>,
    /// Whether there is anything to report: a file, or something that is there and cannot be looked at.
    pub matched: bool,
}

/// A file that may be evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Path to open; `None` is standard input.
    pub path: Option<PathBuf>,
    /// Name in the report.
    pub shown: Box<str>,
    /// Size in bytes; 0 for standard input.
    pub len: u64,
    /// Whether it was asked for by its own name.
    pub is_named: bool,
}

/// Suffixes of the files that SQLite keeps beside a database (sqlite.org/tempfiles.html), and how those begin that are
/// in use (sqlite.org/walformat.html, sqlite.org/fileformat2.html §3). Others are empty, or begin with zeros.
const SIDECARS: [(&str, [&[u8]; 2]); 3] = [
    ("-wal", [b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"]),
    ("-shm", [b"\x18\xe2\x2d\x00", b"\x00\x2d\xe2\x18"]),
    ("-journal", [b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"; 2]),
];

/// First bytes of a file that decide whether it is read with another one: some members of a JSON text stand there.
pub(super) const FIRST: u64 = 4_096;

/// Walks the inputs.
pub fn find(inputs: &Inputs) -> Found {
    let mut found = Found::default();
    if inputs.stdin {
        found.files.push(File {
            path: None,
            shown: "-".into(),
            len: 0,
            is_named: true,
        });
    }
    let pseudo = PseudoFilesystems::mounted();
    for path in &inputs.paths {
        walk(path, None, inputs, &pseudo, &mut found);
    }
    let listed: HashSet<&Path> = inputs.listed.iter().map(PathBuf::as_path).collect();
    for path in &inputs.listed {
        walk(path, Some(&listed), inputs, &pseudo, &mut found);
    }
    if let Some(prefix) = &inputs.prefix {
        prefixed(prefix, &mut found);
    }
    dedup(&mut found);
    tell_shared_names(&mut found);
    found.matched =
        !found.files.is_empty() || found.problems.iter().any(|(_, error)| is_there(error));
    found
}

/// The name of a path in the report: relative to the root, `/` between segments, bytes that are no
/// UTF-8 as `\xNN`. A backslash before what looks like such a byte is shown as one itself, so that no two files share
/// a name.
pub fn shown(path: &Path, source_root: Option<&Path>) -> Box<str> {
    let relative = source_root
        .and_then(|root| path.strip_prefix(root).ok())
        .unwrap_or(path);
    let mut out = String::new();
    for component in relative.components() {
        let text = match component {
            Component::CurDir => continue,
            Component::RootDir => {
                out.push('/');
                continue;
            }
            other => other.as_os_str(),
        };
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        segment(text.as_encoded_bytes(), &mut out);
    }
    if out.is_empty() {
        out.push('.');
    }
    out.into()
}

/// One segment of a path.
fn segment(name: &[u8], out: &mut String) {
    let mut rest = name;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.push_str(&text(plain));
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_like_a_byte = matches!(behind, [_, b'x', a, b, ..] if is_digit(a) && is_digit(b));
        out.push_str(if is_like_a_byte { "\\x5c" } else { "\\" });
        rest = behind.get(1..).unwrap_or_default();
    }
    out.push_str(&text(rest));
}

/// A name as text; bytes that are no UTF-8 as `\xNN`.
pub(super) fn text(name: &[u8]) -> String {
    let mut out = String::new();
    for chunk in name.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str("\\x");
            out.push_str(&data_encoding::HEXLOWER.encode(&[*byte]));
        }
    }
    out
}

/// Walks what lies at `root`, which is a member of the list, if there is one.
fn walk(
    root: &Path,
    list: Option<&HashSet<&Path>>,
    inputs: &Inputs,
    pseudo: &PseudoFilesystems,
    found: &mut Found,
) {
    // A link that was named is followed, as every tool does; those inside are not.
    let name = |path: &Path| shown(path, inputs.source_root.as_deref());
    let mut walker = WalkDir::new(root)
        .follow_links(false)
        .follow_root_links(true)
        .same_file_system(inputs.one_file_system)
        .into_iter();
    while let Some(entry) = walker.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let at = name(error.path().unwrap_or(root));
                let error = error
                    .into_io_error()
                    .unwrap_or_else(|| std::io::Error::other("folder cannot be walked"));
                found.problems.push((at, ReadError::Io(error)));
                continue;
            }
        };
        let at = name(entry.path());
        match decide(&entry, list, &at, inputs, pseudo) {
            Ok(Kind::Folder) => {}
            Ok(Kind::File(len)) => found.files.push(File {
                is_named: entry.depth() == 0 && list.is_none(),
                path: Some(entry.into_path()),
                shown: at,
                len,
            }),
            Ok(Kind::PassedOver(reason)) => {
                *found.passed_over.entry(reason).or_default() += 1;
                // A named link to a folder is no folder by its own type.
                if entry.file_type().is_dir() || entry.depth() == 0 {
                    walker.skip_current_dir();
                }
            }
            Err(error) => found.problems.push((at, error)),
        }
    }
}

/// Shows every path below a folder of this name.
fn prefixed(prefix: &str, found: &mut Found) {
    let files = found.files.iter_mut().map(|file| &mut file.shown);
    let problems = found.problems.iter_mut().map(|(path, _)| path);
    for name in files.chain(problems) {
        let below = name.trim_start_matches('/');
        *name = [prefix.trim_end_matches('/'), "/", below].concat().into();
    }
}

/// Tells of files that have one name in the report, and would pass for one there: `/a/b` below a root `/a`, and `b`.
fn tell_shared_names(found: &mut Found) {
    let pairs = found.files.windows(2);
    let shared = pairs.filter_map(|pair| match pair {
        [a, b] if a.shown == b.shown => Some(a.shown.clone()),
        _ => None,
    });
    let why = "is the name of several files in this report, which pass for one; scan them from one folder, or each by itself";
    let mut told: Vec<(Box<str>, ReadError)> = shared
        .map(|name| (name, ReadError::Malformed(why.into())))
        .collect();
    told.dedup_by(|a, b| a.0 == b.0);
    if !told.is_empty() {
        found.problems.append(&mut told);
        found.problems.sort_by(|a, b| a.0.cmp(&b.0));
    }
}

fn is_there(error: &ReadError) -> bool {
    !matches!(error, ReadError::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
}

enum Kind {
    Folder,
    File(u64),
    PassedOver(&'static str),
}

fn decide(
    entry: &DirEntry,
    list: Option<&HashSet<&Path>>,
    shown: &str,
    inputs: &Inputs,
    pseudo: &PseudoFilesystems,
) -> Result<Kind, ReadError> {
    let named = entry.depth() == 0;
    let kind = entry.file_type();
    if kind.is_symlink() && !named {
        return Ok(Kind::PassedOver("symbolic link"));
    }
    if !named && matches(inputs.exclude.as_ref(), shown) == Some(true) {
        return Ok(Kind::PassedOver("excluded"));
    }
    let meta: Metadata = if named {
        entry.path().metadata()?
    } else {
        entry
            .metadata()
            .map_err(|error| ReadError::Io(error.into()))?
    };
    if meta.is_dir() {
        let reason = "pseudo-filesystem";
        return Ok(if pseudo.hold(&meta) {
            Kind::PassedOver(reason)
        } else {
            Kind::Folder
        });
    }
    if !meta.is_file() {
        return Ok(Kind::PassedOver("special file"));
    }
    if pseudo.hold(&meta) {
        return Ok(Kind::PassedOver("pseudo-filesystem"));
    }
    if !named && matches(inputs.globs.as_ref(), shown) == Some(false) {
        return Ok(Kind::PassedOver("not matched by --glob"));
    }
    let is_found = |main: &Path| {
        let is_listed = list.is_some_and(|list| list.contains(main));
        let is_found = !named || is_listed || main == entry.path();
        is_found && main.symlink_metadata().is_ok_and(|meta| meta.is_file())
    };
    if let Some(reason) = is_read_with_another(entry.path(), is_found) {
        return Ok(Kind::PassedOver(reason));
    }
    Ok(Kind::File(meta.len()))
}

/// Whether a set matches the shown path, or its last segment; `None` without a set.
pub(super) fn matches(set: Option<&GlobSet>, shown: &str) -> Option<bool> {
    let name = shown.rsplit('/').next().unwrap_or(shown);
    set.map(|set| set.is_match(shown) || set.is_match(name))
}

/// Why the file needs no reading of its own: it is read with one that lies beside it.
fn is_read_with_another(path: &Path, is_found: impl Fn(&Path) -> bool) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    belongs_to(name, |name| {
        let path = path.with_file_name(name);
        let file = is_found(&path).then(|| platform::open(&path))?;
        let mut first = Vec::new();
        file.ok()?.take(FIRST).read_to_end(&mut first).ok()?;
        Some(first)
    })
}

/// Why a file of this name needs no reading of its own. `first` gives the first bytes of a file in its folder: a name
/// alone proves nothing, and what is passed over in vain is read by nobody.
pub(super) fn belongs_to(
    name: &str,
    first: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<&'static str> {
    let sidecar = SIDECARS
        .iter()
        .find_map(|(suffix, begins)| Some((name.strip_suffix(suffix)?, begins)));
    if let Some((main, begins)) = sidecar.filter(|(main, _)| !main.is_empty()) {
        let is_database = || first(main).is_some_and(|it| it.starts_with(sqlite::MAGIC));
        let own = first(name)?;
        let is_blank = own.iter().take(8).all(|byte| *byte == 0);
        let is_sidecar = is_blank || begins.iter().any(|begin| own.starts_with(begin));
        return (is_sidecar && is_database()).then_some("read with its database");
    }
    // What Playwright writes beside the capture of a `.har.zip`; as a log, its messages would be seen twice.
    let is_message = || first(name).is_some_and(|it| is_message_of_web_socket(&it));
    let is_named = name.strip_suffix(".jsonl").is_some();
    let is_one = is_named && first("har.har").is_some() && is_message();
    is_one.then_some("read with its capture")
}

/// Whether these first bytes are those of a file that `SQLite` keeps under this ending.
pub(super) fn is_sidecar(suffix: &str, first: &[u8]) -> bool {
    let mut sidecars = SIDECARS.iter().filter(|(ending, _)| *ending == suffix);
    sidecars.any(|(_, begins)| begins.iter().any(|begin| first.starts_with(begin)))
}

/// Whether a text begins with a message of a WebSocket as a capture holds it (`harTracer.ts` of Playwright).
fn is_message_of_web_socket(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |name: &[u8]| memchr::memmem::find(line, name).is_some();
    line.starts_with(b"{") && has(b"\"opcode\"") && has(b"\"data\"")
}

/// Sorts, and keeps each file once, however many arguments lead to it.
fn dedup(found: &mut Found) {
    let mut seen = std::collections::BTreeSet::new();
    // Of one file, what was said by its name counts.
    found
        .files
        .sort_by(|a, b| (&a.shown, !a.is_named).cmp(&(&b.shown, !b.is_named)));
    found.files.retain(|file| match &file.path {
        Some(path) => seen.insert(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        None => true,
    });
    found.problems.sort_by(|a, b| a.0.cmp(&b.0));
    found.problems.dedup_by(|a, b| a.0 == b.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let content = match path.file_name().unwrap().to_str().unwrap() {
                "History" => [sqlite::MAGIC, b"x"].concat(),
                "History-wal" => b"\x37\x7f\x06\x82x".into(),
                _ => b"x".into(),
            };
            std::fs::write(path, content).unwrap();
        }
        dir
    }

    fn names(found: &Found) -> Vec<&str> {
        found.files.iter().map(|file| &*file.shown).collect()
    }

    fn inputs(root: &Path) -> Inputs {
        Inputs {
            paths: vec![root.to_owned()],
            source_root: Some(root.to_owned()),
            ..Inputs::default()
        }
    }

    #[test]
    fn files_are_sorted_and_sidecars_belong_to_their_database() {
        let dir = tree(&["b", "a/History", "a/History-wal", "a/x-journal"]);
        let found = find(&inputs(dir.path()));
        assert_eq!(names(&found), ["a/History", "a/x-journal", "b"]);
        assert_eq!(found.passed_over["read with its database"], 1);
    }

    #[test]
    fn what_only_has_the_name_of_a_sidecar_is_found() {
        let all = [
            "History",
            "History-journal",
            "History-shm",
            "History-wal",
            "a.jsonl",
            "access",
            "access-wal",
            "b.jsonl",
            "har.har",
        ];
        let dir = tree(&all);
        let write = |name: &str, content: &[u8]| {
            std::fs::write(dir.path().join(name), content).unwrap();
        };
        write("access-wal", b"\x37\x7f\x06\x82");
        write(
            "b.jsonl",
            b"{\"type\":\"send\",\"opcode\":1,\"data\":\"x\"}\n",
        );
        let found = find(&inputs(dir.path()));
        let expected = all
            .into_iter()
            .filter(|it| !["History-wal", "b.jsonl"].contains(it));
        assert_eq!(names(&found), expected.collect::<Vec<_>>());
        assert_eq!(found.passed_over["read with its database"], 1);
        assert_eq!(found.passed_over["read with its capture"], 1);
        write("History-journal", b"");
        write("History-shm", &[0; 32]);
        let found = find(&inputs(dir.path()));
        assert_eq!(found.passed_over["read with its database"], 3);
    }

    #[test]
    fn one_path_on_two_machines_is_two_sources() {
        let dir = tree(&["b"]);
        let mut inputs = inputs(dir.path());
        inputs.prefix = Some("ws-1".into());
        inputs.paths.push(PathBuf::from("/does/not/exist"));
        let found = find(&inputs);
        assert_eq!(names(&found), ["ws-1/b"]);
        assert_eq!(&*found.problems[0].0, "ws-1/does/not/exist");
    }

    #[test]
    fn files_that_share_their_shown_name_are_told() {
        let dir = tree(&["Cargo.toml", "a/Cargo.toml"]);
        let mut inputs = inputs(dir.path());
        assert!(find(&inputs).problems.is_empty());
        // The second one is that of the folder in which tests are run.
        inputs.paths = vec![dir.path().join("Cargo.toml"), "Cargo.toml".into()];
        let found = find(&inputs);
        assert_eq!(names(&found), ["Cargo.toml", "Cargo.toml"]);
        assert_eq!(found.problems.len(), 1);
        assert_eq!(&*found.problems[0].0, "Cargo.toml");
    }

    #[test]
    fn a_list_of_what_a_walk_finds_finds_the_same() {
        let dir = tree(&["b", "a/History", "a/History-wal"]);
        let walked = find(&inputs(dir.path()));
        let mut listed = inputs(dir.path());
        listed.paths.clear();
        listed.listed = ["b", "a/History-wal", "a/History"]
            .map(|it| dir.path().join(it))
            .into();
        let listed = find(&listed);
        assert_eq!(names(&listed), names(&walked));
        assert_eq!(listed.passed_over, walked.passed_over);
        let mut alone = inputs(dir.path());
        alone.paths.clear();
        alone.listed = vec![dir.path().join("a/History-wal")];
        assert_eq!(names(&find(&alone)), ["a/History-wal"]);
    }

    #[test]
    fn a_file_named_twice_is_found_once() {
        let dir = tree(&["a/b"]);
        let mut inputs = inputs(dir.path());
        inputs.paths.push(dir.path().join("a"));
        inputs.paths.push(dir.path().join("a/b"));
        assert_eq!(names(&find(&inputs)), ["a/b"]);
    }

    #[test]
    fn patterns_match_the_path_or_the_name() {
        let dir = tree(&["a/x.log", "a/y.txt", "old/x.log"]);
        let set = |pattern: &str| {
            let mut builder = globset::GlobSetBuilder::new();
            builder.add(globset::Glob::new(pattern).unwrap());
            Some(builder.build().unwrap())
        };
        let mut inputs = inputs(dir.path());
        inputs.globs = set("*.log");
        inputs.exclude = set("old");
        let found = find(&inputs);
        assert_eq!(names(&found), ["a/x.log"]);
        assert_eq!(found.passed_over["excluded"], 1);
        assert_eq!(found.passed_over["not matched by --glob"], 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_sockets_and_the_kernel_are_left_alone() {
        let dir = tree(&["a"]);
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let found = find(&inputs(dir.path()));
        assert_eq!(names(&found), ["a"]);
        assert_eq!(found.passed_over["symbolic link"], 1);
        assert_eq!(found.passed_over["special file"], 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_table_is_no_evidence() {
        let found = find(&inputs(Path::new("/proc/self")));
        assert_eq!(names(&found), [] as [&str; 0]);
        assert_eq!(found.passed_over["pseudo-filesystem"], 1);
    }

    #[test]
    fn what_is_not_there_is_a_problem_with_its_name() {
        let found = find(&inputs(Path::new("does/not/exist")));
        assert!(!found.matched);
        assert_eq!(found.problems.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_utf8_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"./a/\xff"));
        assert_eq!(&*shown(path, None), "a/\\xff");
        let names: [&[u8]; 8] = [
            b"\xff",
            b"\\xff",
            b"\\x5cxff",
            b"\\\xff",
            b"\\\\xff",
            b"\\xFF",
            b"\\xf",
            b"\\xf\xff",
        ];
        let names = names.map(|name| shown(Path::new(std::ffi::OsStr::from_bytes(name)), None));
        assert_eq!(&*names[1], "\\x5cxff");
        assert_eq!(&*names[5], "\\xFF", "as it is where nothing is like it");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert_eq!(&*shown(Path::new("/x/y/z"), Some(Path::new("/x"))), "y/z");
        assert_eq!(&*shown(Path::new("."), None), ".");
    }
}
