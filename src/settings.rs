//! What was asked for, checked: the values of the command line become the inputs and settings of a run.
//! Opens the files that options name, and no evidence. Every error here is the user's to mend: exit 2.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::{SignedDuration, Timestamp};

use crate::atoms::FingerprintKey;
use crate::atoms::rules::{RuleError, Rules};
use crate::cli::{self, Channel, Moment};
use crate::collect::archive::Filter;
use crate::collect::find::Inputs;
use crate::collect::{Reader, log, read};
use crate::detect::Reveal;
use crate::judge::baseline::{Baseline, BaselineError};
use crate::judge::gate;
use crate::reduce::Reducing;
use crate::report::wire;
use crate::scan::Mapping;
use crate::values;

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file that an option names cannot be read.
    #[error("{option}: {path}: {error}")]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The value of an option cannot be used.
    #[error("{option}: {message}")]
    Value {
        /// The option.
        option: &'static str,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// The baseline cannot be used.
    #[error("--baseline: {0} {1}")]
    Baseline(String, BaselineError),
    /// Nothing to read.
    #[error("{0}: nothing to read there; check the paths, --files-from and --glob")]
    NothingFound(String),
    /// An empty list of paths.
    #[error("--files-from: names no path; nothing was read")]
    NothingNamed,
}

/// The evidence to be read.
pub fn inputs(scan: &cli::Scan) -> Result<Inputs, SetupError> {
    let input = &scan.input;
    let mut paths = scan.paths.clone();
    let listed_on_stdin = input.files_from.as_deref() == Some(Path::new("-"));
    let mut list = match &input.files_from {
        Some(path) => listed(path)?,
        None => Vec::new(),
    };
    let named = paths.len().saturating_add(list.len());
    paths.retain(|path| path.as_os_str() != "-");
    list.retain(|path| path.as_os_str() != "-");
    let stdin = paths.len().saturating_add(list.len()) < named;
    if stdin && listed_on_stdin {
        return Err(value(
            "--files-from",
            "standard input cannot be the list and evidence at once",
        ));
    }
    Ok(Inputs {
        paths,
        listed: list,
        stdin,
        globs: globs("--glob", &input.glob)?,
        exclude: globs("--exclude", &input.exclude)?,
        source_root: input.source_root.clone(),
        prefix: input.source_prefix.as_deref().map(Into::into),
        one_file_system: input.one_file_system,
    })
}

/// What the map half is asked for.
pub fn mapping(scan: &cli::Scan, rules: Arc<Rules>) -> Result<Mapping, SetupError> {
    let input = &scan.input;
    let detecting = &scan.detecting;
    let forced = input.reader.as_deref().map(reader).transpose()?;
    let fallback = input.all_text.then_some(&log::ANY_TEXT);
    let zone = input.log_timezone.as_ref();
    Ok(Mapping {
        rules,
        key: key(detecting.fingerprint_key.as_deref())?,
        jwks: detecting.jwks.as_deref().map(jwks).transpose()?,
        reveal: Reveal {
            values: scan.shown.reveal.contains(&cli::Reveal::Values),
            identities: scan.shown.reveal.contains(&cli::Reveal::Identities),
        },
        log_timezone: zone.map(|zone| zone.zone.clone()),
        reading: read::Options {
            forced,
            fallback,
            hash: input.hash,
            filter: filter(input)?,
        },
        residue: input.residue,
        label: scan.judging.label.clone(),
        options: wire::shard::Options {
            r#type: input.reader.clone(),
            log_timezone: zone.map(|zone| zone.text.clone()),
            all_text: input.all_text,
            hash: input.hash,
            residue: input.residue,
            jwks: detecting.jwks.is_some(),
            rules: !scan.judging.rules.is_empty(),
        },
    })
}

/// What the reduce half is asked for. `now` stands in for a missing `--as-of`.
pub fn reducing(
    judging: &cli::Judging,
    gate: &cli::Gate,
    reveal: &[cli::Reveal],
    rules: Arc<Rules>,
    now: Timestamp,
) -> Result<Reducing, SetupError> {
    Ok(Reducing {
        rules,
        as_of: judging.as_of.unwrap_or(now),
        code_lifetime: judging.code_lifetime.map(SignedDuration::from_secs),
        min_severity: judging.min_severity,
        verdicts: judging.verdict.clone(),
        since: judging.since,
        until: judging.until,
        gate: self::gate(gate),
        baseline: match &gate.baseline {
            Some(path) => baseline(path)?,
            None => Baseline::default(),
        },
        strict: gate.strict,
        label: judging.label.clone(),
        options: options(judging, gate, reveal),
    })
}

/// The baseline in a file.
pub fn baseline(path: &Path) -> Result<Baseline, SetupError> {
    let text = std::fs::read_to_string(path).map_err(|error| file("--baseline", path, error))?;
    Baseline::parse(&text, |text| values::time(text).ok())
        .map_err(|error| SetupError::Baseline(path.display().to_string(), error))
}

/// The rules of this build, and those of the files.
pub fn rules(files: &[PathBuf]) -> Result<Rules, SetupError> {
    let texts = files
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path);
            Ok((
                path.display().to_string(),
                text.map_err(|error| file("--rules", path, error))?,
            ))
        })
        .collect::<Result<Vec<_>, SetupError>>()?;
    let extra: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    Ok(Rules::with(&extra)?)
}

fn options(judging: &cli::Judging, gate: &cli::Gate, reveal: &[cli::Reveal]) -> wire::Options {
    let mut reveal = reveal.to_vec();
    reveal.sort_unstable();
    reveal.dedup();
    wire::Options {
        min_severity: judging.min_severity.as_str().into(),
        since: judging.since.map(|at| at.to_string()),
        until: judging.until.map(|at| at.to_string()),
        reveal: reveal
            .iter()
            .map(|what| match what {
                cli::Reveal::Identities => "identities".into(),
                cli::Reveal::Values => "values".into(),
            })
            .collect(),
        fail_on: gate.fail_on.iter().map(ToString::to_string).collect(),
        gate: match gate.gate {
            Moment::AtExposure => "at-exposure".into(),
            Moment::Now => "now".into(),
        },
        channel: match gate.channel {
            Channel::Front => "front".into(),
            Channel::All => "all".into(),
        },
        code_lifetime: judging.code_lifetime,
        rules: !judging.rules.is_empty(),
        baseline: gate.baseline.is_some(),
        verdict: judging
            .verdict
            .iter()
            .map(|state| state.as_str().into())
            .collect(),
        ..wire::Options::default()
    }
}

fn gate(gate: &cli::Gate) -> gate::Gate {
    gate::Gate {
        selectors: gate.fail_on.clone(),
        moment: match gate.gate {
            Moment::AtExposure => gate::Moment::AtExposure,
            Moment::Now => gate::Moment::Now,
        },
        direct: gate.channel == Channel::All,
    }
}

/// Paths in a list. A NUL anywhere means that NULs separate, so that newlines may be part of names.
fn listed(list: &Path) -> Result<Vec<PathBuf>, SetupError> {
    let bytes = if list == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(list)
    }
    .map_err(|error| file("--files-from", list, error))?;
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    Ok(bytes
        .split(|byte| *byte == separator)
        .map(|line| match separator {
            b'\n' => line.strip_suffix(b"\r").unwrap_or(line),
            _ => line,
        })
        .filter(|line| !line.is_empty())
        .map(path)
        .collect())
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Which members of archives are read.
fn filter(input: &cli::Input) -> Result<Option<Filter>, SetupError> {
    let filter = Filter {
        globs: globs("--glob", &input.glob)?,
        exclude: globs("--exclude", &input.exclude)?,
    };
    Ok((filter.globs.is_some() || filter.exclude.is_some()).then_some(filter))
}

fn globs(option: &'static str, patterns: &[Glob]) -> Result<Option<GlobSet>, SetupError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(pattern.clone());
    }
    let set = builder
        .build()
        .map_err(|error| value(option, error.to_string()));
    set.map(Some)
}

fn reader(name: &str) -> Result<&'static Reader, SetupError> {
    read::named()
        .find(|reader| reader.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = read::named().map(|reader| reader.name).collect();
            value(
                "--type",
                format!("`{name}` is none of {}", names.join(", ")),
            )
        })
}

fn key(path: Option<&Path>) -> Result<FingerprintKey, SetupError> {
    const LEAST: usize = 16;
    let Some(path) = path else {
        return Ok(FingerprintKey::default());
    };
    let bytes = std::fs::read(path).map_err(|error| file("--fingerprint-key", path, error))?;
    if bytes.len() < LEAST {
        return Err(value(
            "--fingerprint-key",
            format!("needs at least {LEAST} bytes, or short values could be searched for"),
        ));
    }
    Ok(FingerprintKey::new(bytes))
}

fn jwks(path: &Path) -> Result<jsonwebtoken::jwk::JwkSet, SetupError> {
    let bytes = std::fs::read(path).map_err(|error| file("--jwks", path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        // The message of serde_json may quote the file, and a JWK may be a private key.
        let (line, column) = (error.line(), error.column());
        value(
            "--jwks",
            format!(
                "{} is no JWK set (line {line}, column {column})",
                path.display()
            ),
        )
    })
}

fn file(option: &'static str, path: &Path, error: io::Error) -> SetupError {
    SetupError::File {
        option,
        path: path.display().to_string(),
        error,
    }
}

fn value(option: &'static str, message: impl Into<String>) -> SetupError {
    SetupError::Value {
        option,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_be_separated_by_nul() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("list");
        std::fs::write(&list, "a b\0c\nd\0").unwrap();
        assert_eq!(
            listed(&list).unwrap(),
            [PathBuf::from("a b"), PathBuf::from("c\nd")]
        );
        std::fs::write(&list, "a\r\nb\n\n").unwrap();
        assert_eq!(listed(&list).unwrap(), [PathBuf::from("a"), "b".into()]);
    }
}
