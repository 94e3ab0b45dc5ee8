//! Where results go: standard output, or files that appear whole. Knows formats by name, and nothing of what they
//! hold.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::cli::{self, Output};
use crate::report::Format;
use crate::report::table::{Group, Look, Sort};
use crate::told::Told;

/// Why a result was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A file.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// Standard output.
    #[error("cannot write the result: {0}")]
    Stdout(#[from] io::Error),
    /// Two results for one file.
    #[error("{0} would be written twice; give each report a file of its own")]
    Twice(String),
    /// A file in a folder that is not there.
    #[error("{0}: there is no such folder to write it to; make it first")]
    NoFolder(String),
    /// A folder where a file is to be.
    #[error("{0}: is a folder; name a file in it")]
    Folder(String),
}

/// Writes the result in every form that was asked for: files first, since whoever reads standard output may
/// have seen enough before its end.
pub fn write(told: &Told, output: &Output) -> Result<(), OutputError> {
    for (name, path) in &output.report {
        let format = format(*name, output, false);
        file(path, |out| told.render(format, out))?;
    }
    let format = format(output.format, output, output.output.is_none());
    match &output.output {
        Some(path) => file(path, |out| told.render(format, out)),
        None => stdout(|out| told.render(format, out)),
    }
}

/// Whether every result has a file of its own, in a folder that is there: asked before the evidence is read, not
/// after.
pub fn check(output: &Output) -> Result<(), OutputError> {
    let mut paths: Vec<&PathBuf> = output.report.iter().map(|(_, path)| path).collect();
    paths.extend(&output.output);
    for path in &paths {
        let named = || path.display().to_string();
        if path.is_dir() {
            return Err(OutputError::Folder(named()));
        }
        if !folder(path).is_dir() {
            return Err(OutputError::NoFolder(named()));
        }
    }
    paths.sort_unstable();
    let twice = paths.iter().zip(paths.iter().skip(1));
    match twice.filter(|(a, b)| a == b).map(|(a, _)| a).next() {
        Some(path) => Err(OutputError::Twice(path.display().to_string())),
        None => Ok(()),
    }
}

/// Writes a file of mode 0600 that appears whole. What is no file (`/dev/null`, a pipe) is written into: put
/// in its place, a file would take the device away from everyone.
pub fn file(
    path: &Path,
    render: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), OutputError> {
    let fail = |error: io::Error| OutputError::File(path.display().to_string(), error);
    let buffered = |file: &mut (dyn Write + Send)| -> io::Result<()> {
        let mut buffered = io::BufWriter::new(file);
        render(&mut buffered)?;
        buffered.flush()
    };
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let mut file = File::options().write(true).open(path).map_err(fail)?;
        return buffered(&mut file).map_err(fail);
    }
    let (mut file, target) = temporary(path).map_err(fail)?;
    buffered(&mut file).map_err(fail)?;
    file.persist(&target).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Writes lines into a file of mode 0600 that is there from the start and grows line by line: what was written before
/// a run was ended is whole lines.
pub fn lines(
    path: &Path,
    render: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), OutputError> {
    let fail = |error: io::Error| OutputError::File(path.display().to_string(), error);
    let written = |file: File| -> io::Result<()> {
        let mut lines = WholeLines {
            file,
            held: Vec::new(),
        };
        render(&mut lines)?;
        lines.flush()
    };
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let file = File::options().write(true).open(path).map_err(fail)?;
        return written(file).map_err(fail);
    }
    let (file, target) = temporary(path).map_err(fail)?;
    let file = file.persist(&target).map_err(|error| fail(error.error))?;
    written(file).map_err(fail)
}

/// Hands on whole lines, many at a time.
struct WholeLines {
    file: File,
    held: Vec<u8>,
}

/// Bytes that wait for more before they are handed on.
const HELD: usize = 1 << 16;

impl Write for WholeLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= HELD && self.held.ends_with(b"\n") {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.held)?;
        self.held.clear();
        Ok(())
    }
}

/// A file of mode 0600 beside the place where it is to appear.
fn temporary(path: &Path) -> io::Result<(tempfile::NamedTempFile, PathBuf)> {
    // A link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok((tempfile::NamedTempFile::new_in(folder(&target))?, target))
}

/// The folder that a path lies in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes to standard output.
pub fn stdout(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    render(&mut out)?;
    out.flush()?;
    Ok(())
}

/// How text looks on standard output, or elsewhere.
pub fn look(on_stdout: bool) -> Look {
    /// Width of a table that is not on a terminal: what fits a mail and a ticket.
    const PIPED: u16 = 100;
    let on_terminal = on_stdout && io::stdout().is_terminal();
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    Look {
        width: width.filter(|_| on_terminal).unwrap_or(PIPED),
        terminal: on_terminal,
        // no-color.org: set and not empty.
        color: on_terminal && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
        sort: Sort::default(),
        group: None,
    }
}

fn format(name: cli::Format, output: &Output, on_stdout: bool) -> Format {
    match name {
        cli::Format::Table => Format::Table(Look {
            sort: match output.sort {
                cli::Sort::Severity => Sort::Severity,
                cli::Sort::Verdict => Sort::Verdict,
                cli::Sort::Newest => Sort::Newest,
                cli::Sort::Oldest => Sort::Oldest,
            },
            group: output.group_by.map(|group| match group {
                cli::GroupBy::Application => Group::Application,
                cli::GroupBy::Issuer => Group::Issuer,
                cli::GroupBy::Flow => Group::Flow,
                cli::GroupBy::Source => Group::Source,
            }),
            ..look(on_stdout)
        }),
        cli::Format::Json => Format::Json,
        cli::Format::Ndjson => Format::Ndjson,
        cli::Format::Sarif => Format::Sarif,
        cli::Format::Html => Format::Html,
        cli::Format::Ocsf => Format::Ocsf,
        cli::Format::Ecs => Format::Ecs,
    }
}
