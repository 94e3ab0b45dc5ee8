//! The clocks of the browsers, each with its epoch and unit. Zero, and what lies outside the calendar, is no
//! time.

use jiff::{SignedDuration, Timestamp, Unit};

use crate::collect::sqlite::Number;

/// Seconds from 1601-01-01 to 1970-01-01.
const WEBKIT_EPOCH: i64 = 11_644_473_600;

/// Seconds from 1970-01-01 to 2001-01-01.
const COCOA_EPOCH: i64 = 978_307_200;

/// Chromium: microseconds since 1601. Below 1e16 (the year 1917) it is Unix time: microseconds in the History
/// of old Chromium on macOS and Linux (`MigrateTimeEpoch` in `history_database.cc`), seconds in old downloads.
pub(in crate::collect) fn webkit(number: Number) -> Option<Timestamp> {
    match integer(number)? {
        seconds @ 1..100_000_000_000 => Timestamp::from_second(seconds).ok(),
        micros @ 100_000_000_000..10_000_000_000_000_000 => {
            Timestamp::from_microsecond(micros).ok()
        }
        micros => {
            let micros = micros.checked_sub(WEBKIT_EPOCH * 1_000_000)?;
            Timestamp::from_microsecond(micros).ok()
        }
    }
}

/// Firefox (`PRTime`) and GNOME Web: microseconds since 1970. Firefox for Android and iOS writes milliseconds,
/// which are told by their size (1e14 microseconds are in 1973); old GNOME Web and qutebrowser seconds.
pub(in crate::collect) fn unix(number: Number) -> Option<Timestamp> {
    match integer(number)? {
        seconds @ 1..100_000_000_000 => Timestamp::from_second(seconds).ok(),
        millis @ 100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(millis).ok(),
        micros => Timestamp::from_microsecond(micros).ok(),
    }
}

/// Safari: seconds since 2001 with a fraction.
pub(in crate::collect) fn cocoa(number: Number) -> Option<Timestamp> {
    let since = match number {
        Number::Integer(0) => return None,
        Number::Integer(seconds) => SignedDuration::from_secs(seconds),
        Number::Real(seconds) if seconds > 0.0 => {
            SignedDuration::try_from_secs_f64(seconds).ok()?
        }
        Number::Real(_) => return None,
    };
    let epoch = Timestamp::from_second(COCOA_EPOCH).ok()?;
    let exact = epoch.checked_add(since).ok()?;
    // A float of this size resolves a tenth of a microsecond.
    exact.round(Unit::Microsecond).ok()
}

/// What Apple's smaller databases hold: Cocoa seconds, or Unix seconds where SQLite or WebKit wrote them. They
/// are told apart by their size: 1e9 Unix seconds are in 2001, as many Cocoa seconds in 2032.
pub(super) fn apple(number: Number) -> Option<Timestamp> {
    match integer(number)? {
        1_000_000_000.. => unix(number),
        _ => cocoa(number),
    }
}

/// A positive whole number.
fn integer(number: Number) -> Option<i64> {
    let whole = match number {
        Number::Integer(whole) => whole,
        Number::Real(real) => SignedDuration::try_from_secs_f64(real).ok()?.as_secs(),
    };
    (whole > 0).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(moment: Option<Timestamp>) -> String {
        moment.map_or_else(|| "none".into(), |moment| moment.to_string())
    }

    #[test]
    fn webkit_time_counts_from_1601_and_old_files_from_1970() {
        let read = |number| shown(webkit(Number::Integer(number)));
        assert_eq!(read(13_408_000_000_123_456), "2025-11-19T04:26:40.123456Z");
        assert_eq!(read(1_300_000_000_000_000), "2011-03-13T07:06:40Z");
        assert_eq!(read(1_300_000_000), "2011-03-13T07:06:40Z");
        assert_eq!(read(0), "none");
        assert_eq!(read(-5), "none");
        assert_eq!(read(i64::MAX), "none");
    }

    #[test]
    fn firefox_time_is_told_from_milliseconds_by_size() {
        let read = |number| shown(unix(Number::Integer(number)));
        assert_eq!(read(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
        assert_eq!(read(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(read(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(read(0), "none");
    }

    #[test]
    fn cocoa_time_counts_from_2001_with_a_fraction() {
        let read = |number| shown(cocoa(number));
        assert_eq!(
            read(Number::Real(721_692_800.25)),
            "2023-11-14T22:13:20.25Z"
        );
        assert_eq!(read(Number::Integer(721_692_800)), "2023-11-14T22:13:20Z");
        assert_eq!(read(Number::Real(f64::NAN)), "none");
        assert_eq!(read(Number::Real(1e300)), "none");
        assert_eq!(read(Number::Real(0.0)), "none");
    }

    #[test]
    fn the_clocks_of_apple_are_told_apart_by_size() {
        let read = |number| shown(apple(number));
        assert_eq!(
            read(Number::Real(721_692_800.25)),
            "2023-11-14T22:13:20.25Z"
        );
        assert_eq!(read(Number::Integer(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(read(Number::Integer(0)), "none");
    }
}
