//! When a row outside the visits happened: by a column of its own, or of a row in another table that it points
//! at. Knows no browser.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::columns::Time;
use super::reading::Reading;
use crate::atoms::Basis;
use crate::collect::ReadError;
use crate::collect::sqlite::{Cells, Number};

/// The times of a table's hits, fetched behind the pass over it.
pub(super) struct Times {
    basis: Option<Basis>,
    /// By the number that the hit's row points with; `None` where the row has the time itself.
    elsewhere: Option<BTreeMap<i64, Number>>,
}

impl Times {
    /// Fetches what the hits point at: `numbers` are what their rows hold in the column of `time`.
    pub(super) fn of(
        time: Time,
        numbers: impl Iterator<Item = Number>,
        reading: &Reading<'_, '_>,
    ) -> Result<Self, ReadError> {
        let wanted = || {
            numbers.filter_map(|number| match number {
                Number::Integer(whole) => Some(whole),
                Number::Real(_) => None,
            })
        };
        let (basis, elsewhere) = match time {
            Time::None => (None, None),
            Time::Own(_, basis) => (Some(basis), None),
            Time::Of(_, table, column, basis) => {
                let found = by_rowid(wanted(), table, column, reading)?;
                (Some(basis), Some(found))
            }
            Time::By(_, table, by, column, basis) => {
                let found = by_column(wanted(), table, by, column, reading)?;
                (Some(basis), Some(found))
            }
        };
        Ok(Self { basis, elsewhere })
    }

    /// The time of a hit whose row holds this number.
    pub(super) fn at(
        &self,
        number: Option<Number>,
        clock: fn(Number) -> Option<Timestamp>,
    ) -> Option<(Timestamp, Basis)> {
        let own = match (&self.elsewhere, number?) {
            (None, own) => own,
            (Some(found), Number::Integer(key)) => *found.get(&key)?,
            (Some(_), Number::Real(_)) => return None,
        };
        Some((clock(own)?, self.basis?))
    }
}

/// A number of a row; a date as SQLite's `CURRENT_TIMESTAMP` writes it (UTC) becomes Unix seconds.
pub(super) fn number(cells: &Cells<'_>, index: usize) -> Option<Number> {
    cells.number(index).or_else(|| {
        let text = cells.bytes(index)?;
        let date: DateTime = str::from_utf8(&text).ok()?.parse().ok()?;
        let moment = date.to_zoned(TimeZone::UTC).ok()?;
        Some(Number::Integer(moment.timestamp().as_second()))
    })
}

fn by_rowid(
    wanted: impl Iterator<Item = i64>,
    table: &'static str,
    column: &str,
    reading: &Reading<'_, '_>,
) -> Result<BTreeMap<i64, Number>, ReadError> {
    let mut found = BTreeMap::new();
    let database = reading.database();
    let Some(table) = database.table(table)? else {
        return Ok(found);
    };
    let lookup = database.lookup(&table, None, &[column])?;
    for rowid in wanted {
        match lookup.one(rowid, |cells| number(cells, 0)) {
            Ok(time) => found.extend(time.flatten().map(|time| (rowid, time))),
            Err(error) => reading.problem(Some(error)),
        }
    }
    Ok(found)
}

/// One pass, since nothing promises an index. Of several rows the latest counts.
fn by_column(
    wanted: impl Iterator<Item = i64>,
    table: &'static str,
    by: &str,
    column: &str,
    reading: &Reading<'_, '_>,
) -> Result<BTreeMap<i64, Number>, ReadError> {
    let mut times: BTreeMap<i64, Option<Number>> = wanted.map(|key| (key, None)).collect();
    let database = reading.database();
    if times.is_empty() {
        return Ok(BTreeMap::new());
    }
    let Some(table) = database.table(table)? else {
        return Ok(BTreeMap::new());
    };
    let damage = database.scan(&table, by, &[by, column], &mut |_, cells| {
        let time = cells.integer(0).and_then(|key| times.get_mut(&key));
        if let (Some(time), Some(number)) = (time, number(cells, 1)) {
            let later = time.is_none_or(|known| value(known) < value(number));
            if later {
                *time = Some(number);
            }
        }
    })?;
    reading.problem(damage);
    let known = times.into_iter();
    Ok(known.filter_map(|(key, time)| Some((key, time?))).collect())
}

/// For comparing times of one clock.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1601 lose less than two of them"
)]
fn value(number: Number) -> f64 {
    match number {
        Number::Integer(whole) => whole as f64,
        Number::Real(real) => real,
    }
}
