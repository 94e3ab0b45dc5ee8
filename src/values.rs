//! The forms of single values on the command line: moments, zones, patterns. Pure functions from text;
//! an error says what would be right.

use std::path::PathBuf;

use clap::ValueEnum;
use globset::{Glob, GlobBuilder};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::cli::Format;
use crate::judge::{Severity, State};

/// A zone, and how it was written.
#[derive(Clone, Debug)]
pub struct Zone {
    /// As written.
    pub text: String,
    /// What it means.
    pub zone: TimeZone,
}

/// An RFC 3339 time, or a date that stands for its first moment in UTC.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let day = |text: &str| {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let parsed = if text.len() == "2026-11-23".len() {
        day(text)
    } else {
        text.parse().ok()
    };
    parsed.ok_or_else(|| {
        "neither a date (2026-11-23) nor an RFC 3339 time (2026-11-23T08:00:00Z)".into()
    })
}

/// `UTC`, an offset, or a POSIX TZ string. Names of places need a database that differs between machines,
/// and with it the report.
pub fn zone(text: &str) -> Result<Zone, String> {
    let zone = match text.split_at_checked(1) {
        _ if text.eq_ignore_ascii_case("utc") || text == "Z" => Some(TimeZone::UTC),
        Some((sign @ ("+" | "-"), offset)) => offset_seconds(offset)
            .map(|seconds| if sign == "-" { -seconds } else { seconds })
            .and_then(|seconds| Offset::from_seconds(seconds).ok())
            .map(TimeZone::fixed),
        _ => TimeZone::posix(text).ok(),
    };
    let text = text.to_owned();
    zone.map(|zone| Zone { text, zone }).ok_or_else(|| {
        "neither `UTC`, nor an offset (+02:00), nor a POSIX TZ string (CET-1CEST,M3.5.0,M10.5.0/3)"
            .into()
    })
}

/// A severity by its name.
pub fn severity(text: &str) -> Result<Severity, String> {
    Severity::named(text)
        .ok_or_else(|| format!("none of {}", Severity::ALL.map(Severity::as_str).join(", ")))
}

/// A state of a verdict by its name.
pub fn state(text: &str) -> Result<State, String> {
    State::named(text)
        .ok_or_else(|| format!("none of {}", State::ALL.map(State::as_str).join(", ")))
}

/// A format, and the file for it: `json=result.json`.
pub fn target(text: &str) -> Result<(Format, PathBuf), String> {
    let formats = || {
        let all = Format::value_variants().iter();
        let names = all.filter_map(|it| Some(it.to_possible_value()?.get_name().to_owned()));
        names.collect::<Vec<_>>().join(", ")
    };
    match text.split_once('=') {
        Some((format, path)) if !path.is_empty() => Format::from_str(format, false)
            .map(|format| (format, path.into()))
            .map_err(|_| format!("its format is none of {}", formats())),
        _ => Err("is not FORMAT=FILE, like json=result.json".into()),
    }
}

/// A pattern: `*.log` is for names; `logs/*` stays inside one folder, `**` crosses folders.
pub fn glob(text: &str) -> Result<Glob, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map_err(|error| error.kind().to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_rfc_3339() {
        let at = |text| time(text).map(|at| at.to_string()).ok();
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
            let zone = zone(text).ok()?.zone;
            Some(zone.to_offset(Timestamp::UNIX_EPOCH).seconds())
        };
        assert_eq!(offset("utc"), Some(0));
        assert_eq!(offset("+02:00"), Some(7200));
        assert_eq!(offset("-0530"), Some(-19_800));
        assert_eq!(offset("CET-1CEST,M3.5.0,M10.5.0/3"), Some(3600));
        assert_eq!(offset("+99"), None);
        assert_eq!(offset("Nowhere/City"), None);
    }
}
