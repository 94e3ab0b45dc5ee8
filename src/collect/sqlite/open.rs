//! Connections that a hostile file cannot turn against us, and that cannot touch the file: in place with
//! `immutable=1`, in memory, or on a private temporary copy. No lock, no journal, no `-shm`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::archive::spooled;
use super::super::span::SpoolError;
use super::ReadError;

/// Images up to this size are held in memory, larger ones in a temporary file: a history of ten years is
/// about a tenth of it, and some of them are read at once.
pub(super) const MEMORY_CAP: u64 = 256 << 20;

/// Largest temporary copy.
const COPY_CAP: u64 = 16 << 30;

/// Bytes of the header of a database (sqlite.org/fileformat2.html §1.3): sizes and versions, no content.
const HEADER: usize = 100;

/// Bytes that are copied at a time.
const BLOCK: usize = 256 * 1024;

/// Longest value that is read. Chromium keeps URLs of up to 2 MB.
const MAX_VALUE: i32 = 16 << 20;

/// Virtual machine instructions that any file may cost: a second or two.
const STEPS_FLOOR: u64 = 50_000_000;

/// Further instructions for each byte of the file: a full pass over the smallest rows costs about two.
const STEPS_PER_BYTE: u64 = 8;

/// Instructions between two looks at the budget.
const STEPS_SLICE: i32 = 10_000;

/// Opens a file where it lies. SQLite takes no lock and looks for no sidecar under `immutable`.
pub(super) fn in_place(path: &Path) -> Result<Connection, ReadError> {
    let len = path.metadata()?.len();
    harden(immutable(path)?, len)
}

/// Opens a stream of `len` bytes, in memory or, above [`MEMORY_CAP`], as a private file that never had a name while
/// it held more than a header.
pub(super) fn image(mut content: impl Read, len: u64) -> Result<Connection, ReadError> {
    match usize::try_from(len) {
        Ok(size) if len <= MEMORY_CAP => {
            let mut connection = Connection::open_in_memory().map_err(|error| told(&error))?;
            // SQLite takes no image of no bytes.
            if size > 0 {
                connection
                    .deserialize_read_exact("main", content, size, true)
                    .map_err(|_| changed())?;
            }
            harden(connection, len)
        }
        _ => copy_of_length(&std::env::temp_dir(), &mut content, len),
    }
}

/// Opens a private temporary copy of `len` bytes. SQLite opens a file by its name, and looks at its size and its
/// header then: both are there before the name goes, and all else is written after.
fn copy_of_length(
    folder: &Path,
    content: &mut dyn Read,
    len: u64,
) -> Result<Connection, ReadError> {
    if len > COPY_CAP {
        return Err(too_large());
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(no_copy)?;
    file.as_file().set_len(len).map_err(no_copy)?;
    let mut header = [0; HEADER];
    content.read_exact(&mut header).map_err(|_| changed())?;
    file.write_all(&header).map_err(no_copy)?;
    let connection = immutable(file.path())?;
    let (mut file, name) = file.into_parts();
    // Where an open file cannot lose its name, the system's cleaning of its temporary folder remains.
    let _removed = name.close();
    let rest = len.saturating_sub(HEADER as u64);
    let (copied, end) = copy_bytes(&mut content.take(rest), &mut file)?;
    if copied < rest || end.is_some() {
        return Err(changed());
    }
    harden(connection, len)
}

/// Opens a private temporary copy of a stream whose length is not known, as far as it can be read: also gives what
/// stopped it. It has no name any more when this returns.
pub(super) fn copy(content: &mut dyn Read) -> Result<(Connection, Option<io::Error>), ReadError> {
    let mut file = tempfile::NamedTempFile::new().map_err(no_copy)?;
    let (len, end) = copy_bytes(&mut content.take(COPY_CAP), file.as_file_mut())?;
    if len == COPY_CAP {
        return Err(too_large());
    }
    let connection = immutable(file.path())?;
    // Reading one page makes sure that SQLite holds the file before its name goes.
    let _first_page = connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
    let _removed = file.close();
    Ok((harden(connection, len)?, end))
}

/// Copies as far as the content can be read: how many bytes, and what stopped it.
fn copy_bytes(
    content: &mut dyn Read,
    file: &mut File,
) -> Result<(u64, Option<io::Error>), ReadError> {
    let mut block = vec![0; BLOCK];
    let mut copied = 0_u64;
    loop {
        let read = match content.read(&mut block) {
            Ok(0) => return Ok((copied, None)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok((copied, Some(error))),
        };
        let bytes = block.get(..read).unwrap_or_default();
        file.write_all(bytes).map_err(no_copy)?;
        copied = copied.saturating_add(read as u64);
    }
}

fn too_large() -> ReadError {
    let gib = COPY_CAP >> 30;
    ReadError::Limit(
        format!("is a database of more than {gib} GiB; unpack it, or let its application close it, and scan that").into(),
    )
}

fn no_copy(error: io::Error) -> ReadError {
    spooled(SpoolError::Disk(error))
}

/// What an error of SQLite means for the user. SQLite's own text is not used: it may quote the evidence.
pub(super) fn told(error: &rusqlite::Error) -> ReadError {
    let text = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            "is no SQLite database although it begins like one, or it is encrypted; decrypt a copy"
        }
        Some(ErrorCode::DatabaseCorrupt) => return damaged(),
        Some(ErrorCode::OperationInterrupted) => {
            return ReadError::Limit(
                "took far more steps than its size explains, like a crafted file; the rest was not read".into(),
            );
        }
        Some(ErrorCode::TooBig) => {
            return ReadError::Limit(
                "holds a value of more than 16 MiB, which was left out".into(),
            );
        }
        Some(ErrorCode::OutOfMemory) => {
            return ReadError::Limit("needs more memory than there is; scan it alone".into());
        }
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied) => {
            return ReadError::Io(io::Error::other("SQLite cannot read it"));
        }
        _ => return unlike(),
    };
    ReadError::Malformed(text.into())
}

/// Tables that no application makes.
pub(super) fn unlike() -> ReadError {
    ReadError::Malformed(
        "its tables are not as their application makes them; it may be of a newer version, or crafted".into(),
    )
}

/// Pages that contradict each other.
pub(super) fn damaged() -> ReadError {
    ReadError::Malformed(
        "the database is damaged; what can be reached was read, `sqlite3 .recover` on a copy may give more".into(),
    )
}

/// A file that did not hold still.
pub(super) fn changed() -> ReadError {
    ReadError::Io(io::Error::other("it changes while it is read"))
}

fn immutable(path: &Path) -> Result<Connection, ReadError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri(path), flags).map_err(|error| told(&error))
}

/// The path as a `file:` URI. `?`, `#` and `%` would end it or be decoded, so all but plain characters are
/// escaped (<https://sqlite.org/uri.html>).
fn uri(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let absolute = bytes.starts_with(b"/");
    let mut uri = String::from(if absolute { "file://" } else { "file:" });
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            b':' if cfg!(windows) => uri.push(':'),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// The settings that <https://sqlite.org/security.html> recommends for files of strangers.
fn harden(mut connection: Connection, len: u64) -> Result<Connection, ReadError> {
    let settings = || -> rusqlite::Result<()> {
        for (option, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        ] {
            connection.set_db_config(option, on)?;
        }
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            connection.set_limit(limit, value)?;
        }
        connection.execute_batch(
            "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;",
        )
    };
    settings().map_err(|error| told(&error))?;
    let budget = STEPS_FLOOR.saturating_add(len.saturating_mul(STEPS_PER_BYTE));
    let mut spent = 0_u64;
    // Counted in instructions, not in time, so that the same file always gives the same result.
    let over = move || {
        spent += u64::from(STEPS_SLICE.unsigned_abs());
        spent > budget
    };
    connection
        .progress_handler(STEPS_SLICE, Some(over))
        .map_err(|error| told(&error))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_copy_has_no_name_and_the_right_rows() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = Connection::open(file.path()).unwrap();
        source
            .execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(7);")
            .unwrap();
        let (copied, end) = copy(&mut File::open(file.path()).unwrap()).unwrap();
        assert!(end.is_none(), "{end:?}");
        let len = file.path().metadata().unwrap().len();
        let folder = tempfile::tempdir().unwrap();
        let known = copy_of_length(folder.path(), &mut File::open(file.path()).unwrap(), len);
        for copied in [copied, known.unwrap()] {
            let read = |sql: &str| copied.query_row(sql, [], |row| row.get::<_, i64>(0));
            assert_eq!(read("SELECT a FROM t").unwrap(), 7);
            assert!(!Path::new(copied.path().unwrap()).exists());
            assert!(copied.execute_batch("INSERT INTO t VALUES(8)").is_err());
        }
    }

    /// Content that looks at the folder of its copy whenever it is asked for more.
    struct Watching<'a> {
        content: &'a [u8],
        folder: &'a Path,
        seen_nameless: bool,
    }

    impl Read for Watching<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let names = std::fs::read_dir(self.folder)?.count();
            self.seen_nameless |= names == 0;
            let len = buffer.len().min(1_000);
            assert!(names == 0 || len <= HEADER, "content would have a name");
            self.content.read(buffer.get_mut(..len).unwrap())
        }
    }

    #[test]
    fn a_temporary_copy_loses_its_name_before_it_has_content() {
        let folder = tempfile::tempdir().unwrap();
        for page_size in [512, 1_024, 4_096, 65_536] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let source = Connection::open(file.path()).unwrap();
            source
                .execute_batch(&format!(
                    "PRAGMA page_size={page_size}; PRAGMA auto_vacuum=FULL; CREATE TABLE t(a);
                     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                     INSERT INTO t SELECT hex(randomblob(20)) FROM n;"
                ))
                .unwrap();
            drop(source);
            let bytes = std::fs::read(file.path()).unwrap();
            let mut content = Watching {
                content: &bytes,
                folder: folder.path(),
                seen_nameless: false,
            };
            let copied = copy_of_length(folder.path(), &mut content, bytes.len() as u64).unwrap();
            assert!(content.seen_nameless);
            let read = |sql: &str| copied.query_row(sql, [], |row| row.get::<_, i64>(0));
            assert_eq!(read("SELECT count(*) FROM t").unwrap(), 5_000);
            assert_eq!(read("PRAGMA page_size").unwrap(), page_size);
            let mut short = bytes.get(..bytes.len() - 1).unwrap();
            let changed = copy_of_length(folder.path(), &mut short, bytes.len() as u64);
            assert!(matches!(changed, Err(ReadError::Io(_))));
        }
    }

    struct Fails;

    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the input failed"))
        }
    }

    #[test]
    fn a_copy_keeps_what_came_before_its_source_failed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = Connection::open(file.path()).unwrap();
        source
            .execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(7);")
            .unwrap();
        let mut content = File::open(file.path()).unwrap().chain(Fails);
        let (copied, end) = copy(&mut content).unwrap();
        assert_eq!(end.unwrap().to_string(), "the input failed");
        let read = copied.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0));
        assert_eq!(read.unwrap(), 7);
    }

    #[test]
    fn nothing_can_be_attached_or_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let opened = in_place(file.path()).unwrap();
        for sql in [
            "ATTACH ':memory:' AS other",
            "CREATE TABLE t(a)",
            "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema",
            "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
        ] {
            assert!(opened.execute_batch(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn a_path_becomes_one_uri_whatever_it_holds() {
        assert_eq!(
            uri(Path::new("/a/Web Data?#%41")),
            "file:///a/Web%20Data%3F%23%2541?immutable=1"
        );
        assert_eq!(uri(Path::new("a/History")), "file:a/History?immutable=1");
        assert_eq!(uri(Path::new("//a")), "file:////a?immutable=1");
    }
}
