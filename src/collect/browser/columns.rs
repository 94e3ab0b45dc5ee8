//! Columns that hold URLs, text from them, or named values: what a history holds outside its visits, and all
//! of the smaller databases. One row of a static table for each column. Knows no browser.

use std::borrow::Cow;

use jiff::Timestamp;

use super::pairs::{Beside, Pair};
use super::reading::Reading;
use super::times::{self, Times};
use super::{os_crypt, pairs, sieve};
use crate::atoms::rules::Needles;
use crate::atoms::{Basis, Locator, Raw};
use crate::collect::sqlite::{Cells, Number, Table};
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
    /// A document of a type that nobody states: JSON, HTML, text.
    Document,
    /// Text under Chromium's fixed key.
    Sealed,
    /// The value of a named pair.
    Pair(&'static Pair),
}

impl Form {
    /// Whether it may be under a key that is elsewhere, which is told of all such values at once.
    fn is_sealed(self) -> bool {
        match self {
            Self::Sealed => true,
            Self::Pair(pair) => pair.is_sealed(),
            Self::Url | Self::Text | Self::Body | Self::Document => false,
        }
    }
}

/// Where the time of a row stands.
#[derive(Clone, Copy)]
pub(super) enum Time {
    /// Nowhere.
    None,
    /// In a column of the row.
    Own(&'static str, Basis),
    /// In the row of another table, which a column of this row points at by rowid: that column, the table, its
    /// column.
    Of(&'static str, &'static str, &'static str, Basis),
    /// The same, by a column of the other table that stands before its column with the time.
    By(
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Basis,
    ),
}

struct Hit {
    rowid: i64,
    column: &'static str,
    form: Form,
    bytes: Vec<u8>,
    /// What stands beside a value that has a name.
    beside: Beside,
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
    names.push(match spec.time {
        Time::None => "",
        Time::Own(column, _) | Time::Of(column, ..) | Time::By(column, ..) => column,
    });
    let beside_index = names.len();
    let pair = spec.cells.iter().find_map(|(_, form)| match form {
        Form::Pair(pair) => Some(*pair),
        _ => None,
    });
    names.extend(pair.map(Pair::columns).unwrap_or_default());
    let home = pair.and_then(|pair| pair.home(database));
    let mut hits = Vec::new();
    let mut unopened = false;
    let wanted = names.get(..time_index).unwrap_or_default();
    let mut each = |rowid, cells: &Cells<'_>| {
        for (index, &(column, form)) in spec.cells.iter().enumerate() {
            let Some(bytes) = cells.bytes(index).filter(|bytes| !bytes.is_empty()) else {
                continue;
            };
            let beside = match form {
                Form::Pair(pair) => pair.beside(cells, beside_index),
                _ => Beside::default(),
            };
            let hit = is_hit(form, &bytes, &beside, reading.needles());
            unopened |= hit.is_none() && !form.is_sealed();
            if hit == Some(true) {
                hits.push(Hit {
                    rowid,
                    column,
                    form,
                    bytes: Cow::into_owned(bytes),
                    beside,
                    time: times::number(cells, time_index),
                });
            }
        }
    };
    let few = rows(spec, reading, &table, wanted).unwrap_or_else(|error| {
        reading.problem(Some(error));
        None
    });
    let damage = match few {
        Some(rowids) => database.scan_rows(&table, &names, &rowids, &mut each)?,
        None => database.scan_where_any(&table, spec.key, &names, wanted, &mut each)?,
    };
    reading.problem(damage);
    if unopened {
        reading.problem(Some(ReadError::Malformed(
            "holds values that cannot be unpacked; they are damaged, or of a newer version: copy the file again".into(),
        )));
    }
    if hits.is_empty() {
        return Ok(());
    }
    let times = Times::of(spec.time, hits.iter().filter_map(|hit| hit.time), reading)?;
    for hit in hits {
        report(spec, clock, reading, &table, &times, home.as_deref(), hit);
    }
    Ok(())
}

/// The rows that may have a hit, where they are few among many. Values that must be opened first are not told by what
/// they hold.
fn rows(
    spec: &Columns,
    reading: &Reading<'_, '_>,
    table: &Table,
    wanted: &[&str],
) -> Result<Option<Vec<i64>>, ReadError> {
    let database = reading.database();
    let is_plain = |form: &Form| !matches!(form, Form::Pair(_) | Form::Sealed);
    if !spec.cells.iter().all(|(_, form)| is_plain(form)) {
        return database.few_set(table, wanted);
    }
    let Some(most) = database.most_lookups(table)? else {
        return Ok(None);
    };
    let passed = sieve::pass(database, table, wanted, reading.needles(), most);
    Ok(passed.map(|passed| {
        let mut rowids = [passed.hits, passed.unseen].concat();
        rowids.sort_unstable();
        rowids.dedup();
        rowids
    }))
}

/// Whether what a cell holds, once it is opened, is worth a second look; `None` if it cannot be opened.
fn is_hit(form: Form, bytes: &[u8], beside: &Beside, needles: &Needles) -> Option<bool> {
    match form {
        Form::Pair(pair) => {
            let value = pair.opened(bytes, beside)?;
            Some(pairs::is_hit(&beside.name, &value, needles))
        }
        Form::Sealed => Some(needles.hit(&os_crypt::decrypt_v10(bytes)?)),
        Form::Url | Form::Text | Form::Body | Form::Document => Some(needles.hit(bytes)),
    }
}

fn report(
    spec: &Columns,
    clock: fn(Number) -> Option<Timestamp>,
    reading: &Reading<'_, '_>,
    table: &Table,
    times: &Times,
    home: Option<&str>,
    hit: Hit,
) {
    let at = times.at(hit.time, clock);
    let locator = Locator::Row {
        table: spec.table.into(),
        rowid: hit.rowid,
        column: hit.column.into(),
    };
    let view = reading.view(table, hit.rowid, hit.column, &hit.bytes);
    if let Some(payload) = payload(hit, home) {
        reading.observe(locator, view, at, spec.via.clone(), None, payload);
    }
}

fn payload(hit: Hit, home: Option<&str>) -> Option<Payload> {
    let body = |mime: &str, bytes: Vec<u8>| Payload::Body {
        mime: mime.into(),
        bytes: Raw::new(bytes),
    };
    Some(match hit.form {
        Form::Url => Payload::Url(Raw::new(hit.bytes)),
        Form::Text => Payload::Text(Raw::new(hit.bytes)),
        Form::Body => body("application/x-www-form-urlencoded", hit.bytes),
        Form::Document => body("", hit.bytes),
        Form::Sealed => Payload::Text(Raw::new(os_crypt::decrypt_v10(&hit.bytes)?)),
        Form::Pair(pair) => pair.payload(&hit.bytes, hit.beside, home)?,
    })
}
