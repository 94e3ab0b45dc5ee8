//! URLs that a history holds outside its visits: downloads, link records, clusters, search terms. One row of a
//! static table for each column. Knows no browser.

use std::borrow::Cow;

use jiff::Timestamp;

use super::reading::Reading;
use crate::atoms::{Basis, Locator, Raw};
use crate::collect::sqlite::{Lookup, Number, Table};
use crate::collect::{Payload, ReadError, Via};

/// Columns of one table that hold URLs or text from them.
pub(super) struct Columns {
    /// The table.
    pub(super) table: &'static str,
    /// The column that stands for the rowid where the table has none; empty otherwise.
    pub(super) key: &'static str,
    /// The columns, and what each holds.
    pub(super) cells: &'static [(&'static str, Form)],
    /// When it happened.
    pub(super) time: Time,
    /// How it was reached.
    pub(super) via: Via,
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// A URL.
    Url,
    /// Free text.
    Text,
    /// A form body.
    Body,
}

/// Where the time of a row stands.
#[derive(Clone, Copy)]
pub(super) enum Time {
    /// Nowhere.
    None,
    /// In a column of the row.
    Own(&'static str, Basis),
    /// In the row of another table, which a column of this row points at: that column, the table, its column.
    Of(&'static str, &'static str, &'static str, Basis),
}

struct Hit {
    rowid: i64,
    column: &'static str,
    form: Form,
    bytes: Vec<u8>,
    /// The time itself, or the rowid that has it.
    time: Option<Number>,
}

/// Reads the columns of one table. Hits are few, so they are gathered in one pass, and their times fetched
/// behind it.
pub(super) fn read(
    spec: &Columns,
    clock: fn(Number) -> Option<Timestamp>,
    reading: &Reading<'_, '_>,
) -> Result<(), ReadError> {
    let database = reading.database();
    let Some(table) = database.table(spec.table)? else {
        return Ok(());
    };
    let mut names: Vec<&str> = spec.cells.iter().map(|(name, _)| *name).collect();
    if !names.iter().any(|name| table.has(name)) {
        return Ok(());
    }
    let time_index = names.len();
    names.extend(match spec.time {
        Time::None => None,
        Time::Own(column, _) | Time::Of(column, ..) => Some(column),
    });
    let needles = reading.needles();
    let mut hits = Vec::new();
    let damage = database.scan(&table, spec.key, &names, &mut |rowid, cells| {
        for (index, &(column, form)) in spec.cells.iter().enumerate() {
            if let Some(bytes) = cells.bytes(index).filter(|bytes| needles.hit(bytes)) {
                hits.push(Hit {
                    rowid,
                    column,
                    form,
                    bytes: Cow::into_owned(bytes),
                    time: cells.number(time_index),
                });
            }
        }
    })?;
    reading.problem(damage);
    let times = match spec.time {
        Time::Of(_, other, column, _) => match database.table(other)? {
            Some(other) => Some(database.lookup(&other, "rowid", &[column])?),
            None => None,
        },
        Time::None | Time::Own(..) => None,
    };
    for hit in hits {
        report(spec, clock, reading, &table, times.as_ref(), hit);
    }
    Ok(())
}

fn report(
    spec: &Columns,
    clock: fn(Number) -> Option<Timestamp>,
    reading: &Reading<'_, '_>,
    table: &Table,
    times: Option<&Lookup<'_>>,
    hit: Hit,
) {
    let at = match (spec.time, hit.time, times) {
        (Time::Own(_, basis), Some(number), _) => clock(number).map(|instant| (instant, basis)),
        (Time::Of(.., basis), Some(Number::Integer(rowid)), Some(times)) => {
            let number = times.one(rowid, |cells| cells.number(0));
            let number = number.unwrap_or_else(|error| {
                reading.problem(Some(error));
                None
            });
            let instant = number.flatten().and_then(clock);
            instant.map(|instant| (instant, basis))
        }
        _ => None,
    };
    let locator = Locator::Row {
        table: spec.table.into(),
        rowid: hit.rowid,
        column: hit.column.into(),
    };
    let view = reading.view(table, hit.rowid, hit.column, &hit.bytes);
    let bytes = Raw::new(hit.bytes);
    let payload = match hit.form {
        Form::Url => Payload::Url(bytes),
        Form::Text => Payload::Text(bytes),
        Form::Body => Payload::Body {
            mime: "application/x-www-form-urlencoded".into(),
            bytes,
        },
    };
    reading.observe(locator, view, at, spec.via.clone(), None, payload);
}
