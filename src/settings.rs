//! What was asked for, checked: the values of the command line become the inputs and settings of a run.
//! Opens the files that options name, and no evidence. Every error here is the user's to mend: exit 2.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::atoms::FingerprintKey;
use crate::atoms::rules::Rules;
use crate::atoms::rules::log_format::LogFormats;
use crate::cli::{self, Channel, Moment};
use crate::collect::find::Inputs;
use crate::collect::{READERS, Reader, read};
use crate::detect::Reveal;
use crate::judge::{Severity, gate};
use crate::report::wire;
use crate::scan::Settings;

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
    #[error("rules: {0}")]
    Rules(String),
    /// Nothing to read.
    #[error("no path matched anything: check the paths, --files-from and --glob")]
    NothingFound,
}

/// The evidence to be read.
pub fn inputs(scan: &cli::Scan) -> Result<Inputs, SetupError> {
    let input = &scan.input;
    let mut paths = scan.paths.clone();
    let listed_on_stdin = input.files_from.as_deref() == Some(Path::new("-"));
    if let Some(list) = &input.files_from {
        paths.extend(listed(list)?);
    }
    let named = paths.len();
    paths.retain(|path| path.as_os_str() != "-");
    let stdin = paths.len() < named;
    if stdin && listed_on_stdin {
        return Err(value(
            "--files-from",
            "standard input cannot be the list and evidence at once",
        ));
    }
    Ok(Inputs {
        paths,
        stdin,
        globs: globs("--glob", &input.glob)?,
        exclude: globs("--exclude", &input.exclude)?,
        source_root: input.source_root.clone(),
        one_file_system: input.one_file_system,
    })
}

/// The settings of a run. `now` stands in for a missing `--as-of`.
pub fn settings(scan: &cli::Scan, now: Timestamp) -> Result<Settings, SetupError> {
    let judging = &scan.judging;
    let as_of = match &judging.as_of {
        Some(text) => time("--as-of", text)?,
        None => now,
    };
    let since = optional_time("--since", judging.since.as_deref())?;
    let until = optional_time("--until", judging.until.as_deref())?;
    let min_severity = severity(&judging.min_severity)?;
    let log_timezone = scan
        .input
        .log_timezone
        .as_deref()
        .map(timezone)
        .transpose()?;
    let jwks = judging.jwks.as_deref().map(jwks).transpose()?;
    let forced = scan.input.reader.as_deref().map(reader).transpose()?;
    let fallback = scan.input.all_text.then(|| read::reader("log")).flatten();
    Ok(Settings {
        rules: rules(&judging.rules)?,
        key: key(judging.fingerprint_key.as_deref())?,
        jwks,
        reveal: Reveal {
            values: scan.shown.reveal.contains(&cli::Reveal::Values),
            identities: scan.shown.reveal.contains(&cli::Reveal::Identities),
        },
        log_timezone,
        reading: read::Options {
            forced,
            fallback,
            hash: scan.input.hash,
        },
        as_of,
        code_lifetime: judging.code_lifetime.map(SignedDuration::from_secs),
        min_severity,
        since,
        until,
        gate: gate(&scan.gate)?,
        strict: scan.gate.strict,
        label: judging.label.clone(),
        options: options(scan, min_severity, since, until),
    })
}

/// The rules of this build, and those of the files.
pub fn rules(files: &[PathBuf]) -> Result<Rules, SetupError> {
    let _ = files;
    Ok(Rules {
        needles: crate::atoms::rules::Needles::default(),
        formats: LogFormats::builtin().map_err(|error| SetupError::Rules(error.to_string()))?,
    })
}

fn options(
    scan: &cli::Scan,
    min_severity: Severity,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> wire::Options {
    let mut reveal = scan.shown.reveal.clone();
    reveal.sort_unstable();
    reveal.dedup();
    wire::Options {
        min_severity: min_severity.as_str().into(),
        since: since.map(|at| at.to_string()),
        until: until.map(|at| at.to_string()),
        reveal: reveal
            .iter()
            .map(|what| match what {
                cli::Reveal::Identities => "identities".into(),
                cli::Reveal::Values => "values".into(),
            })
            .collect(),
        fail_on: scan.gate.fail_on.clone(),
        gate: match scan.gate.gate {
            Moment::AtExposure => "at-exposure".into(),
            Moment::Now => "now".into(),
        },
        channel: match scan.gate.channel {
            Channel::Front => "front".into(),
            Channel::All => "all".into(),
        },
        code_lifetime: scan.judging.code_lifetime,
        r#type: scan.input.reader.clone(),
        log_timezone: scan.input.log_timezone.clone(),
        all_text: scan.input.all_text,
        fingerprint_key: scan.judging.fingerprint_key.is_some(),
        jwks: scan.judging.jwks.is_some(),
        rules: !scan.judging.rules.is_empty(),
    }
}

fn gate(gate: &cli::Gate) -> Result<gate::Gate, SetupError> {
    let selectors = gate
        .fail_on
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error| value("--fail-on", format!("`{text}`: {error}")))
        })
        .collect::<Result<_, _>>()?;
    Ok(gate::Gate {
        selectors,
        moment: match gate.gate {
            Moment::AtExposure => gate::Moment::AtExposure,
            Moment::Now => gate::Moment::Now,
        },
        direct: gate.channel == Channel::All,
    })
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

fn globs(option: &'static str, patterns: &[String]) -> Result<Option<GlobSet>, SetupError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let wrong = |error: globset::Error| value(option, error.to_string());
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        // `*.log` is for names; `logs/*` stays inside one folder, `**` crosses folders.
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        builder.add(glob.map_err(wrong)?);
    }
    builder.build().map(Some).map_err(wrong)
}

fn optional_time(
    option: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, SetupError> {
    text.map(|text| time(option, text)).transpose()
}

/// An RFC 3339 time, or a date that stands for its first moment in UTC.
fn time(option: &'static str, text: &str) -> Result<Timestamp, SetupError> {
    let day = |text: &str| {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let date_only = text.len() == "2026-11-23".len();
    let parsed = if date_only {
        day(text)
    } else {
        text.parse().ok()
    };
    parsed.ok_or_else(|| {
        value(
            option,
            format!("`{text}` is neither a date (2026-11-23) nor an RFC 3339 time (2026-11-23T08:00:00Z)"),
        )
    })
}

fn timezone(text: &str) -> Result<TimeZone, SetupError> {
    let zone = match text.split_at_checked(1) {
        _ if text.eq_ignore_ascii_case("utc") || text == "Z" => Some(TimeZone::UTC),
        Some((sign @ ("+" | "-"), offset)) => offset_seconds(offset)
            .map(|seconds| if sign == "-" { -seconds } else { seconds })
            .and_then(|seconds| Offset::from_seconds(seconds).ok())
            .map(TimeZone::fixed),
        _ => TimeZone::posix(text).ok(),
    };
    zone.ok_or_else(|| {
        value(
            "--log-timezone",
            format!("`{text}` is none of `UTC`, `+02:00`, or a POSIX TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`"),
        )
    })
}

/// `02:00` or `0200` in seconds.
fn offset_seconds(text: &str) -> Option<i32> {
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: i32 = hours.parse().ok().filter(|hours| *hours < 24)?;
    let minutes: i32 = match minutes {
        "" => 0,
        minutes => minutes.parse().ok().filter(|minutes| *minutes < 60)?,
    };
    Some(hours * 3600 + minutes * 60)
}

fn severity(text: &str) -> Result<Severity, SetupError> {
    let known = Severity::ALL
        .iter()
        .find(|severity| severity.as_str() == text);
    known.copied().ok_or_else(|| {
        let names = Severity::ALL.map(Severity::as_str).join(", ");
        value("--min-severity", format!("`{text}` is none of {names}"))
    })
}

fn reader(name: &str) -> Result<&'static Reader, SetupError> {
    read::reader(name).ok_or_else(|| {
        let names: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
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
    fn times_are_dates_or_rfc_3339() {
        let at = |text| time("--as-of", text).map(|at| at.to_string()).ok();
        assert_eq!(at("2026-11-23").as_deref(), Some("2026-11-23T00:00:00Z"));
        assert_eq!(
            at("2026-11-23T08:00:00+02:00").as_deref(),
            Some("2026-11-23T06:00:00Z")
        );
        for wrong in ["yesterday", "2026-13-01", "2026-11-23T08:00:00", ""] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn zones_are_fixed_or_posix() {
        let offset = |text: &str| {
            let zone = timezone(text).ok()?;
            Some(zone.to_offset(Timestamp::UNIX_EPOCH).seconds())
        };
        assert_eq!(offset("utc"), Some(0));
        assert_eq!(offset("+02:00"), Some(7200));
        assert_eq!(offset("-0530"), Some(-19_800));
        assert_eq!(offset("CET-1CEST,M3.5.0,M10.5.0/3"), Some(3600));
        assert_eq!(offset("+99"), None);
        assert_eq!(offset("Nowhere/City"), None);
    }

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
