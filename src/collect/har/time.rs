//! `startedDateTime` in every form that producers write. Knows no entry.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::atoms::{Basis, When, Zone};

/// Milliseconds of an entry's `time` beyond which it is no duration: a week. Long polls and streams last hours.
const MAX_DURATION: f64 = 7.0 * 86_400_000.0;

/// Reads an ISO 8601 time. Without a zone it is read in `zone`, UTC when that is not known.
pub(super) fn parse(text: &[u8], zone: Option<&TimeZone>) -> Option<When> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let when = |instant, zone| When {
        instant,
        basis: Basis::HarEntry,
        zone,
    };
    if let Ok(instant) = text.parse() {
        return Some(when(instant, Zone::Stated));
    }
    // Seen in the wild: `+03:002021-11-23T17:34:45.082`.
    if text.starts_with(['+', '-'])
        && let Some((offset, local)) = text.split_at_checked(6)
        && let Ok(instant) = format!("{local}{offset}").parse()
    {
        return Some(when(instant, Zone::Stated));
    }
    let local: DateTime = text.parse().ok()?;
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let instant = local.to_zoned(zone).ok()?.timestamp();
    Some(when(instant, Zone::Assumed))
}

/// The moment `millis` later: when the response was complete. Producers write -1 or null for "not known".
pub(super) fn later(start: When, millis: Option<f64>) -> When {
    let instant = millis
        .filter(|millis| (0.0..=MAX_DURATION).contains(millis))
        .and_then(|millis| SignedDuration::try_from_secs_f64(millis / 1_000.0).ok())
        .and_then(|duration| start.instant.checked_add(duration).ok());
    When {
        instant: instant.unwrap_or(start.instant),
        ..start
    }
}

/// A WebSocket message's own time: seconds since 1970, with a fraction, in Chrome; milliseconds elsewhere.
pub(super) fn epoch(number: f64) -> Option<When> {
    let seconds = match number {
        // 2001 to 2096 in seconds, and the same in milliseconds.
        1e9..=4e9 => number,
        1e12..=4e12 => number / 1_000.0,
        _ => return None,
    };
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    // A float of this size is exact to a microsecond at best.
    let millis = i64::try_from(since.as_millis()).ok()?;
    Some(When {
        instant: Timestamp::from_millisecond(millis).ok()?,
        basis: Basis::HarEntry,
        zone: Zone::Stated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Zone)> {
        let when = parse(text.as_bytes(), None)?;
        Some((when.instant.to_string(), when.zone))
    }

    #[test]
    fn every_form_that_producers_write_is_read() {
        for text in [
            "2021-11-23T14:34:45.082Z",
            "2021-11-23T17:34:45.082+03:00",
            "2021-11-23T14:34:45.082000Z",
            "2021-11-23T17:34:45.0820000+03:00",
            "+03:002021-11-23T17:34:45.082",
        ] {
            let expected = ("2021-11-23T14:34:45.082Z".to_owned(), Zone::Stated);
            assert_eq!(read(text), Some(expected), "{text}");
        }
        let assumed = ("2021-11-23T14:34:45.082Z".to_owned(), Zone::Assumed);
        assert_eq!(read("2021-11-23T14:34:45.082"), Some(assumed));
        for text in ["", "yesterday", "+03:00", "0000"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_that_is_none_changes_nothing() {
        let start = parse(b"2021-11-23T14:34:45Z", None).unwrap();
        for millis in [None, Some(-1.0), Some(f64::INFINITY), Some(1e300)] {
            assert_eq!(later(start, millis), start);
        }
        let end = later(start, Some(1500.0)).instant;
        assert_eq!(end.to_string(), "2021-11-23T14:34:46.5Z");
    }
}
