//! The smaller databases of a profile: what a family's table says of each, and how any of them is read. Knows no
//! browser.

use std::sync::Arc;

use jiff::Timestamp;

use super::columns::{self, Columns};
use super::reading::{self, Reading};
use super::visits::{self, Shape};
use super::{Signature, os_crypt, pairs};
use crate::atoms::Source;
use crate::collect::sqlite::Number;
use crate::collect::{Context, Evidence, ReadError, Sink};

/// One kind of database.
pub(super) struct Store {
    /// How it is known.
    pub(super) signature: Signature,
    /// Its pages and visits, where it is a history after all.
    pub(super) shape: Option<Shape>,
    /// What it holds.
    pub(super) columns: &'static [Columns],
    /// Its clock.
    pub(super) clock: fn(Number) -> Option<Timestamp>,
    /// What it holds under a key that is elsewhere.
    pub(super) sealed: Option<Sealed>,
}

/// A column that is encrypted, or may be.
pub(super) struct Sealed {
    /// The table.
    pub(super) table: &'static str,
    /// The column.
    pub(super) column: &'static str,
    /// The column with the host that stands inside the value; empty where none does.
    pub(super) host: &'static str,
    /// What it holds, as the report calls it.
    pub(super) what: &'static str,
}

/// Reads a database by the first of the stores that it fits.
pub(super) fn read(
    stores: &[Store],
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    reading::read(evidence, source, context, sink, |reading| {
        let fits = |store: &&Store| store.signature.fits(reading.live());
        let Some(store) = stores.iter().find(fits) else {
            return Err(ReadError::Malformed(
                "has the name of a browser's database and not its tables; it is damaged, or of an unknown version: copy it again".into(),
            ));
        };
        if let Some(shape) = &store.shape {
            visits::read(shape, reading)?;
        }
        for columns in store.columns {
            columns::read(columns, store.clock, reading)?;
        }
        match &store.sealed {
            Some(sealed) => tell(sealed, reading),
            None => Ok(()),
        }
    })
}

/// Says how many values are under a key that is not in the file. They are counted and not decrypted, but for
/// the check that they cannot be.
fn tell(sealed: &Sealed, reading: &Reading<'_, '_>) -> Result<(), ReadError> {
    let database = reading.database();
    let Some(table) = database.table(sealed.table)? else {
        return Ok(());
    };
    let mut count = 0_u64;
    let columns = [sealed.column, sealed.host];
    let damage = database.scan(&table, "", &columns, &mut |_, cells| {
        let Some(value) = cells.bytes(0).filter(|value| !value.is_empty()) else {
            return;
        };
        let host = cells.bytes(1).unwrap_or_default();
        let is_open = if sealed.host.is_empty() {
            os_crypt::decrypt_v10(&value).is_some()
        } else {
            pairs::cookie(&value, &host).is_some()
        };
        count += u64::from(!is_open);
    })?;
    reading.problem(damage);
    if count == 0 {
        return Ok(());
    }
    let what = sealed.what;
    Err(ReadError::Unsupported(
        format!("its {what} ({count}) are encrypted under a key that this file does not hold, and were not read; their user can see them in the browser").into(),
    ))
}
