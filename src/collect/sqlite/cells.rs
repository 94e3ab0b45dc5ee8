//! The cells of one row as SQLite has them: text as bytes, numbers as they were stored. Asks for no row.

use std::borrow::Cow;

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A number as it was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Number {
    /// Stored as an integer.
    Integer(i64),
    /// Stored as a float.
    Real(f64),
}

/// Cells of a row that are fetched at once: asking SQLite twice costs more than most rows are looked at.
const FETCHED: usize = 8;

/// The wanted cells of one row.
pub struct Cells<'a> {
    row: &'a Row<'a>,
    /// The first ones.
    values: [ValueRef<'a>; FETCHED],
}

impl<'a> Cells<'a> {
    /// The cells of a row, `columns` of them behind the key.
    pub(super) fn of(row: &'a Row<'a>, columns: usize) -> Self {
        let mut values = [ValueRef::Null; FETCHED];
        for (index, value) in values.iter_mut().enumerate().take(columns) {
            *value = row.get_ref(index + 1).unwrap_or(ValueRef::Null);
        }
        Self { row, values }
    }

    /// The bytes of a cell, whatever its type; `None` for NULL. Text may be invalid UTF-8.
    pub fn bytes(&self, index: usize) -> Option<Cow<'_, [u8]>> {
        match self.value(index)? {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cow::Borrowed(bytes)),
            ValueRef::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            ValueRef::Real(number) => Some(Cow::Owned(number.to_string().into_bytes())),
        }
    }

    /// A number, also one that was stored as text.
    pub fn number(&self, index: usize) -> Option<Number> {
        match self.value(index)? {
            ValueRef::Integer(number) => Some(Number::Integer(number)),
            ValueRef::Real(number) => Some(Number::Real(number)),
            ValueRef::Text(bytes) => {
                let text = str::from_utf8(bytes).ok()?.trim();
                let integer = text.parse().map(Number::Integer);
                integer.or_else(|_| text.parse().map(Number::Real)).ok()
            }
            ValueRef::Null | ValueRef::Blob(_) => None,
        }
    }

    /// An integer; `None` for anything else.
    pub fn integer(&self, index: usize) -> Option<i64> {
        match self.number(index)? {
            Number::Integer(number) => Some(number),
            Number::Real(_) => None,
        }
    }

    /// Cell `index` of the wanted ones.
    fn value(&self, index: usize) -> Option<ValueRef<'_>> {
        match self.values.get(index) {
            Some(value) => Some(*value),
            None => self.row.get_ref(index + 1).ok(),
        }
    }

    pub(super) fn size(&self, columns: usize) -> u64 {
        let sizes = (0..columns).map(|index| match self.value(index) {
            Some(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => bytes.len() as u64,
            _ => 8,
        });
        sizes.sum()
    }
}
