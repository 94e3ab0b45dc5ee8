//! Times as logs write them. Told apart by their shape, since writers are configured in every way;
//! knows no format.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::atoms::{Basis, When, Zone};

/// Before this second no web server logged, so a smaller number is no epoch: 1995-01-01.
const FIRST_SECOND: i64 = 788_918_400;

/// After this second a number is no epoch of seconds, but of smaller units: 2100-01-01.
const LAST_SECOND: i64 = 4_102_444_800;

/// English, whatever the server's locale (Apache and nginx have the names built in).
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A time as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// With its zone, or an epoch.
    Instant(Timestamp),
    /// Without a zone.
    Civil(DateTime),
    /// Without a zone, in digits of which nobody can tell the day from the month, read month first.
    Unordered(DateTime),
}

impl Stamp {
    /// The time in a format that writes the month first, or in another one.
    pub(super) fn ordered(self, month_first: bool) -> Self {
        match self {
            Self::Unordered(civil) if month_first => Self::Civil(civil),
            other => other,
        }
    }

    /// The moment, in the zone that the format fixes (`utc`) or that the user, or nobody, named.
    pub(super) fn when(self, utc: bool, assumed: Option<&TimeZone>) -> Option<When> {
        let (instant, zone) = match self {
            // Half a year beside the truth would turn verdicts.
            Self::Unordered(_) => return None,
            Self::Instant(instant) => (instant, Zone::Stated),
            Self::Civil(civil) => {
                let tz = if utc { None } else { assumed };
                let tz = tz.unwrap_or(&TimeZone::UTC).clone();
                let zoned = tz.to_ambiguous_zoned(civil).compatible().ok()?;
                (
                    zoned.timestamp(),
                    if utc { Zone::Stated } else { Zone::Assumed },
                )
            }
        };
        Some(When {
            instant,
            basis: Basis::LogLine,
            zone,
        })
    }
}

/// The time that `bytes` are, blanks around it aside.
pub(super) fn parse(bytes: &[u8]) -> Option<Stamp> {
    let mut cursor = Cursor(bytes.trim_ascii());
    let stamp = cursor.stamp()?;
    cursor.0.is_empty().then_some(stamp)
}

/// A time near the start of a line in no known format. Numbers alone are too often something else, so
/// an epoch counts only as the first word.
pub(super) fn find(line: &[u8]) -> Option<Stamp> {
    /// Where a logger puts its time: behind a level, a logger's name, a thread.
    const REACH: usize = 160;
    let near = line.get(..REACH).unwrap_or(line);
    let first = near.split(u8::is_ascii_whitespace).next()?;
    if let Some(epoch) = Cursor(first).epoch() {
        return Some(epoch);
    }
    let mut before = b' ';
    for (at, &byte) in near.iter().enumerate() {
        let starts = byte.is_ascii_alphanumeric() && !before.is_ascii_alphanumeric();
        before = byte;
        let found = starts.then(|| Cursor(line.get(at..)?).dated()).flatten();
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The day that a `#Date:` line or a date column names.
pub(super) fn date(bytes: &[u8]) -> Option<Date> {
    Cursor(bytes).iso_date()
}

/// The time of day in a column.
pub(super) fn time(bytes: &[u8]) -> Option<Time> {
    Cursor(bytes).time()
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn stamp(&mut self) -> Option<Stamp> {
        let all = self.0;
        self.epoch().filter(|_| self.0.is_empty()).or_else(|| {
            self.0 = all;
            self.dated()
        })
    }

    fn dated(&mut self) -> Option<Stamp> {
        let start = self.0;
        let forms: [fn(&mut Self) -> Option<Stamp>; 4] =
            [Self::iso, Self::clf, Self::ctime, Self::slashed];
        forms.into_iter().find_map(|form| {
            self.0 = start;
            form(self)
        })
    }

    /// RFC 3339, ISO 8601 with `,` before the fraction, and `2021/03/23 15:24:34`.
    fn iso(&mut self) -> Option<Stamp> {
        let date = self.iso_date()?;
        self.one_of(b"Tt _")?;
        let time = self.time()?;
        self.zoned(date.to_datetime(time))
    }

    fn iso_date(&mut self) -> Option<Date> {
        let year = self.digits(4, 4)?;
        let dash = self.one_of(b"-/")?;
        let month = self.digits(2, 2)?;
        self.one_of(&[dash])?;
        let day = self.digits(2, 2)?;
        Self::day(year, month, day)
    }

    /// `14/Jan/2015:12:48:57 +0000`, and HAProxy's with milliseconds and no zone.
    fn clf(&mut self) -> Option<Stamp> {
        let day = self.digits(1, 2)?;
        self.one_of(b"/")?;
        let month = self.month()?;
        self.one_of(b"/")?;
        let year = self.digits(4, 4)?;
        self.one_of(b": ")?;
        let time = self.time()?;
        let civil = Self::day(year, month, day)?.to_datetime(time);
        self.zoned(civil)
    }

    /// `Wed Aug 14 10:19:12.122393 2019` (Apache error log).
    fn ctime(&mut self) -> Option<Stamp> {
        self.0 = self.0.get(3..)?;
        self.one_of(b" ")?;
        let month = self.month()?;
        self.one_of(b" ")?;
        let _padding = self.one_of(b" ");
        let day = self.digits(1, 2)?;
        self.one_of(b" ")?;
        let time = self.time()?;
        self.one_of(b" ")?;
        let year = self.digits(4, 4)?;
        Some(Stamp::Civil(Self::day(year, month, day)?.to_datetime(time)))
    }

    /// `11/20/2023, 15:44:03` or `20/11/2023 15:44:03`: a number above twelve is the day. Where none is, the format says it
    /// (`month_first` in `rules/logs.toml`), or nobody does, and the line has no time: other lines do not decide it, for a
    /// log may hold days below the thirteenth only, and its parts must be read as the whole is.
    fn slashed(&mut self) -> Option<Stamp> {
        let first = self.digits(1, 2)?;
        self.one_of(b"/")?;
        let second = self.digits(1, 2)?;
        self.one_of(b"/")?;
        let year = match self.digits(4, 4) {
            Some(year) => year,
            None => self.digits(2, 2)? + 2000,
        };
        let _comma = self.one_of(b",");
        self.one_of(b" ")?;
        let time = self.time()?;
        let (month, day) = if first > 12 {
            (second, first)
        } else {
            (first, second)
        };
        let civil = Self::day(year, month, day)?.to_datetime(time);
        let is_told = first > 12 || second > 12 || first == second;
        Some(if is_told {
            Stamp::Civil(civil)
        } else {
            Stamp::Unordered(civil)
        })
    }

    /// Seconds with or without a fraction, or whole milli-, micro- or nanoseconds, by their size.
    fn epoch(&mut self) -> Option<Stamp> {
        let whole = self.digits(9, 19)?;
        let fraction = if self.one_of(b".").is_some() {
            self.fraction()?
        } else {
            0
        };
        let (mut seconds, mut nanos) = (whole, fraction);
        let mut unit = 1_000_000_000;
        while seconds > LAST_SECOND && unit > 1 {
            unit /= 1000;
            nanos = (seconds % 1000) * (1_000_000_000 / 1000) + nanos / 1000;
            seconds /= 1000;
        }
        // The number ends here: a hash, a longer id or a version is no time.
        let ends = !self.0.first().is_some_and(u8::is_ascii_alphanumeric);
        let plausible = ends && (FIRST_SECOND..=LAST_SECOND).contains(&seconds);
        let instant = Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?;
        plausible.then_some(Stamp::Instant(instant))
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(1, 2)?;
        self.one_of(b":")?;
        let minute = self.digits(2, 2)?;
        self.one_of(b":")?;
        // A leap second is told as the second before it.
        let second = self.digits(2, 2)?.min(59);
        let nanos = match self.0 {
            [b'.' | b',', digit, rest @ ..] if digit.is_ascii_digit() => {
                let _ = rest;
                self.one_of(b".,")?;
                self.fraction()?
            }
            _ => 0,
        };
        let hour = match self.half() {
            // Above 12 it counts to 24 already.
            Some(noon) if hour <= 12 => hour % 12 + noon,
            _ => hour,
        };
        let [hour, minute, second] = [hour, minute, second].map(|part| i8::try_from(part).ok());
        Time::new(hour?, minute?, second?, i32::try_from(nanos).ok()?).ok()
    }

    /// `AM`, `pm`, `p.m.` as the hours that it adds. CLDR 42 puts a narrow blank before it.
    fn half(&mut self) -> Option<i64> {
        let narrow = self.0.strip_prefix("\u{202f}".as_bytes());
        let rest = narrow.or_else(|| self.0.strip_prefix(b" "));
        let (noon, rest) = match rest.unwrap_or(self.0) {
            [b'A' | b'a', rest @ ..] => (0, rest),
            [b'P' | b'p', rest @ ..] => (12, rest),
            _ => return None,
        };
        let ([b'.', b'M' | b'm', b'.', rest @ ..] | [b'M' | b'm', rest @ ..]) = rest else {
            return None;
        };
        // Not the beginning of a word.
        let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
        ends.then(|| {
            self.0 = rest;
            noon
        })
    }

    /// Digits after a point, as nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (fraction, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let nanos = (0..9).fold(0, |nanos, place| {
            let digit = fraction.get(place).map_or(0, |byte| i64::from(byte - b'0'));
            nanos * 10 + digit
        });
        (digits > 0).then_some(nanos)
    }

    fn zoned(&mut self, civil: DateTime) -> Option<Stamp> {
        let rest = self.0;
        let _blank = self.one_of(b" ");
        if let [b'Z' | b'z', rest @ ..] = self.0 {
            self.0 = rest;
            return Some(Stamp::Instant(TimeZone::UTC.to_timestamp(civil).ok()?));
        }
        let universal = self.universal();
        let offset = universal.or_else(|| self.offset());
        let offset = offset.or_else(|| {
            self.0 = rest;
            self.hours()
        });
        let Some(seconds) = offset else {
            self.0 = rest;
            return Some(Stamp::Civil(civil));
        };
        let utc = civil.checked_sub(SignedDuration::from_secs(seconds)).ok()?;
        Offset::UTC.to_timestamp(utc).ok().map(Stamp::Instant)
    }

    /// `UTC` or `GMT`, which name no other zone anywhere; most abbreviations name several.
    fn universal(&mut self) -> Option<i64> {
        let rest = self.0.strip_prefix(b"UTC");
        let rest = rest.or_else(|| self.0.strip_prefix(b"GMT"))?;
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-_/".contains(byte);
        (!rest.first().is_some_and(goes_on)).then(|| {
            self.0 = rest;
            0
        })
    }

    /// `-08` as databases write it, without a blank: behind one it is a number as any.
    fn hours(&mut self) -> Option<i64> {
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2, 2)?;
        // A number, a range or a date goes on.
        let goes_on = match self.0 {
            [b'-' | b'/' | b':' | b'.', next, ..] | [next, ..] => next.is_ascii_alphanumeric(),
            [] => false,
        };
        (hours <= 14 && !goes_on).then_some(sign * hours * 3600)
    }

    /// `+0200` or `+02:00`, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2, 2)?;
        let _colon = self.one_of(b":");
        let minutes = self.digits(2, 2)?;
        let ends = !self.0.first().is_some_and(u8::is_ascii_digit);
        (hours <= 14 && minutes < 60 && ends).then_some(sign * (hours * 3600 + minutes * 60))
    }

    fn month(&mut self) -> Option<i64> {
        let (name, rest) = self.0.split_at_checked(3)?;
        let index = MONTHS.iter().position(|month| *month == name)?;
        self.0 = rest;
        i64::try_from(index + 1).ok()
    }

    fn day(year: i64, month: i64, day: i64) -> Option<Date> {
        // Another year is a number that happened to look like one.
        let year = i16::try_from(year)
            .ok()
            .filter(|year| (1995..2100).contains(year))?;
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<i64> {
        let count = self
            .0
            .iter()
            .take(max)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        if count < min {
            return None;
        }
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, instant: &str, zone: Zone) {
        let when = parse(text.as_bytes()).and_then(|stamp| stamp.when(false, None));
        let when = when.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            (when.instant.to_string().as_str(), when.zone),
            (instant, zone),
            "{text}"
        );
    }

    #[test]
    fn every_writers_time_is_read() {
        check(
            "23/Nov/2026:01:28:04 +0000",
            "2026-11-23T01:28:04Z",
            Zone::Stated,
        );
        check(
            "23/Nov/2026:01:28:04 -0530",
            "2026-11-23T06:58:04Z",
            Zone::Stated,
        );
        check(
            "14/Jan/2015:12:48:57.127",
            "2015-01-14T12:48:57.127Z",
            Zone::Assumed,
        );
        check(
            "Wed Aug 14 10:19:12.122393 2019",
            "2019-08-14T10:19:12.122393Z",
            Zone::Assumed,
        );
        check(
            "Thu Aug  1 10:19:12 2019",
            "2019-08-01T10:19:12Z",
            Zone::Assumed,
        );
        check("2021/03/23 15:24:34", "2021-03-23T15:24:34Z", Zone::Assumed);
        check(
            "2024-02-29T23:59:60.5+01:00",
            "2024-02-29T22:59:59.5Z",
            Zone::Stated,
        );
        check(
            "2024-02-29 10:00:00,123",
            "2024-02-29T10:00:00.123Z",
            Zone::Assumed,
        );
        check(
            "11/20/2023, 15:44:03",
            "2023-11-20T15:44:03Z",
            Zone::Assumed,
        );
        check("03/20/01, 7:55:20", "2001-03-20T07:55:20Z", Zone::Assumed);
        check("1795397246.6", "2026-11-23T01:27:26.6Z", Zone::Stated);
        check("1795397246600", "2026-11-23T01:27:26.6Z", Zone::Stated);
        check(
            "1795397246600000000",
            "2026-11-23T01:27:26.6Z",
            Zone::Stated,
        );
    }

    #[test]
    fn a_date_that_may_be_read_two_ways_is_no_time_but_where_the_month_stands_first() {
        for text in ["05/11/2026 10:00:00", "12/1/26, 1:28:04 PM"] {
            let stamp = parse(text.as_bytes()).unwrap();
            assert_eq!(stamp.when(false, None), None, "{text}");
            assert_eq!(find(text.as_bytes()), Some(stamp), "{text}");
            let first = stamp.ordered(true).when(false, None).unwrap();
            let month = first.instant.to_zoned(TimeZone::UTC).month();
            assert!(text.trim_start_matches('0').starts_with(&month.to_string()));
        }
        // It is the line's time; another one behind it is not.
        let line = find(b"05/11/2026 10:00:00 token until 2026-12-01T00:00:00Z").unwrap();
        assert_eq!(line.when(false, None), None);
        for text in ["23/11/2026 10:00:00", "11/23/2026 10:00:00"] {
            check(text, "2026-11-23T10:00:00Z", Zone::Assumed);
        }
        check("11/11/2026 10:00:00", "2026-11-11T10:00:00Z", Zone::Assumed);
        assert_eq!(parse(b"13/13/2026 10:00:00"), None);
    }

    #[test]
    fn the_half_of_the_day_counts() {
        for (text, instant) in [
            ("11/23/2026 1:28:04 PM", "2026-11-23T13:28:04Z"),
            ("11/23/2026 12:05:09 AM", "2026-11-23T00:05:09Z"),
            ("11/23/2026, 12:05:09\u{202f}PM", "2026-11-23T12:05:09Z"),
            ("2026-11-23 01:28:04 PM", "2026-11-23T13:28:04Z"),
            ("2026-11-23 01:28:04.5 p.m.", "2026-11-23T13:28:04.5Z"),
            ("2026-11-23 01:28:04am", "2026-11-23T01:28:04Z"),
            ("2026-11-23 13:28:04 PM", "2026-11-23T13:28:04Z"),
        ] {
            check(text, instant, Zone::Assumed);
        }
        check(
            "2026-11-23 01:28:04 PM +0100",
            "2026-11-23T12:28:04Z",
            Zone::Stated,
        );
        let word = find(b"2026-11-23 01:28:04 pmap started");
        assert_eq!(word, parse(b"2026-11-23 01:28:04"));
    }

    #[test]
    fn a_zone_is_stated_by_hours_and_by_its_name() {
        for (text, instant) in [
            ("2024-02-29 10:00:00-08", "2024-02-29T18:00:00Z"),
            ("2024-02-29 10:00:00.5+00", "2024-02-29T10:00:00.5Z"),
            ("2024-02-29 10:00:00 -0800", "2024-02-29T18:00:00Z"),
            ("2024-02-29 10:00:00 UTC", "2024-02-29T10:00:00Z"),
            ("2024-02-29 10:00:00.123 GMT", "2024-02-29T10:00:00.123Z"),
        ] {
            check(text, instant, Zone::Stated);
        }
        for more in [
            "-12345", " -08 dBm", "-08-01", "-08x", " CET", " UTCx", " GMT+2",
        ] {
            let line = format!("2024-02-29 10:00:00{more}");
            let found = find(line.as_bytes());
            assert_eq!(found, parse(b"2024-02-29 10:00:00"), "{more}");
        }
    }

    #[test]
    fn numbers_that_are_no_times_are_refused() {
        for text in [
            "",
            "404",
            "20240101",
            "192.0.2.1",
            "9999/99/99 99:99:99",
            "2024-02-30T00:00:00Z",
            "12345678901234567890",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(find(b"GET /a?v=1795397246 1.2.3"), None);
    }

    #[test]
    fn a_time_is_found_behind_a_level() {
        let stamp = find(b"INFO  [main] 2024-01-02 03:04:05,678 started").unwrap();
        assert!(matches!(stamp, Stamp::Civil(_)));
        assert!(matches!(
            find(b"level=info ts=2024-01-02T03:04:05Z"),
            Some(Stamp::Instant(_))
        ));
    }

    #[test]
    fn a_named_zone_is_applied_and_marked() {
        let tz = TimeZone::fixed(jiff::tz::offset(2));
        let when = parse(b"2021/03/23 15:24:34").unwrap();
        let local = when.when(false, Some(&tz)).unwrap();
        assert_eq!(local.instant.to_string(), "2021-03-23T13:24:34Z");
        assert_eq!(local.zone, Zone::Assumed);
        assert_eq!(when.when(true, Some(&tz)).unwrap().zone, Zone::Stated);
    }
}
