//! Pages and their visits, as all browsers store them: a table of URLs, a table of visits that point at it,
//! and visits that point at the visit before. The browsers differ in names, clocks and codes only, which is
//! what a [`Shape`] says.
//!
//! An observation's place is the cell that holds the URL: that is where an examiner finds the bytes. Which of
//! its visits is meant is told by `at` and by `visit.id`, the rowid in the table of visits.

use std::borrow::Cow;

use jiff::Timestamp;

use super::reading::Reading;
use super::sieve::{self, Sieve};
use crate::atoms::{Basis, Locator, Raw, View};
use crate::collect::sqlite::{Cells, Lookup, Number, Table};
use crate::collect::{Payload, ReadError, Via, Visit};

/// Steps back along a chain of visits. Sign-in with several pages took four in measured flows; Chromium keeps
/// no more than 32 redirects (`kMaxRedirectCount`), of which the nearest matter.
const MAX_HOPS: u8 = 12;

/// Visits of one URL that are reported: the first ones and the last. More say nothing new.
const MAX_VISITS_PER_URL: usize = 1_000;

/// Bytes that the visits of one URL come to, each with a copy of it: as many visits as are reported of a URL of 4
/// KiB. A row with a visit takes some 20 bytes, so that a small file with long URLs would come to a thousand times
/// its size.
const MAX_BYTES_PER_URL: usize = 4 << 20;

/// URLs whose visits are held at a time.
const CHUNK: usize = 65_536;

/// Looking the visits of one URL up by index costs as much as passing over this many visits.
const PASS_FACTOR: i64 = 115;

/// And asking whether there is an index, as much as passing over so many.
const PASS_LEAST: i64 = 4_096;

/// Codes of a visit that say how it was reached.
pub(super) const CODES: usize = 2;

/// How a browser stores pages and visits.
pub(super) struct Shape {
    /// Table with the URLs.
    pub(super) pages: &'static str,
    /// Its column with the URL.
    pub(super) url: &'static str,
    /// Its columns with the time of the last visit; the latest counts.
    pub(super) last: &'static [&'static str],
    /// Table with the visits.
    pub(super) visits: &'static str,
    /// Its column with the rowid of the page.
    pub(super) page: &'static str,
    /// Its column with the time.
    pub(super) time: &'static str,
    /// Its columns that [`Self::via`] looks at.
    pub(super) codes: [&'static str; CODES],
    /// Its columns with the visit before, best first; 0 and NULL are none.
    pub(super) from: [&'static str; 2],
    /// The browser's clock.
    pub(super) clock: fn(Number) -> Option<Timestamp>,
    /// How the visit was reached.
    pub(super) via: fn([i64; CODES]) -> Via,
}

struct Row {
    page: i64,
    id: i64,
    at: Option<Timestamp>,
    codes: [i64; CODES],
    from: i64,
}

/// Reads all visits of all URLs that have a needle, and URLs whose visits are gone.
pub(super) fn read(shape: &Shape, reading: &Reading<'_, '_>) -> Result<(), ReadError> {
    let database = reading.database();
    let Some(pages) = database.table(shape.pages)? else {
        return Ok(());
    };
    let visits = database.table(shape.visits)?;
    let hits = hits(shape, reading, &pages)?;
    if hits.is_empty() {
        return Ok(());
    }
    let mut columns = vec![shape.url];
    columns.extend(shape.last);
    let walk = Walk {
        shape,
        reading,
        page: database.lookup(&pages, None, &columns)?,
        pages,
        before: match &visits {
            Some(visits) => {
                let [from_1, from_2] = shape.from;
                let columns = [shape.page, from_1, from_2, shape.time];
                Some(database.lookup(visits, None, &columns)?)
            }
            None => None,
        },
        hits: &hits,
    };
    let mut truncated = false;
    for chunk in hits.chunks(CHUNK) {
        let rows = match &visits {
            Some(visits) => visits_of(shape, reading, visits, chunk)?,
            None => Vec::new(),
        };
        let mut rest = rows.as_slice();
        for &page in chunk {
            let own = rest.partition_point(|row| row.page <= page);
            let (of_page, behind) = rest.split_at_checked(own).unwrap_or((rest, &[]));
            rest = behind;
            truncated |= walk.page(page, of_page);
        }
    }
    if truncated {
        reading.problem(Some(ReadError::Limit(
            format!(
                "a URL has more than {MAX_VISITS_PER_URL} visits, or comes to more than {} MiB with them; only the first ones and the last are reported",
                MAX_BYTES_PER_URL >> 20
            )
            .into(),
        )));
    }
    Ok(())
}

/// The rowids of the pages that have a needle, sorted.
fn hits(shape: &Shape, reading: &Reading<'_, '_>, pages: &Table) -> Result<Vec<i64>, ReadError> {
    let (database, needles) = (reading.database(), reading.needles());
    let mut hits = Vec::new();
    if let Some(passed) = sieve::pass(database, pages, &[shape.url], needles, usize::MAX) {
        hits = passed.hits;
        let mut look = |rowid, cells: &Cells<'_>| {
            if cells.bytes(0).is_some_and(|url| needles.hit(&url)) {
                hits.push(rowid);
            }
        };
        let unseen = &passed.unseen;
        reading.problem(database.scan_rows(pages, &[shape.url], unseen, &mut look)?);
    } else {
        let mut sieve = Sieve::new(needles);
        let damage = database.scan(pages, "", &[shape.url], &mut |rowid, cells| {
            if let Some(url) = cells.bytes(0) {
                sieve.put(&url, rowid, &mut |rowid, _| hits.push(rowid));
            }
        })?;
        reading.problem(damage);
        sieve.flush(&mut |rowid, _| hits.push(rowid));
    }
    hits.sort_unstable();
    Ok(hits)
}

/// The visits of these pages, by page and id.
fn visits_of(
    shape: &Shape,
    reading: &Reading<'_, '_>,
    visits: &Table,
    pages: &[i64],
) -> Result<Vec<Row>, ReadError> {
    let database = reading.database();
    let [code_1, code_2] = shape.codes;
    let [from_1, from_2] = shape.from;
    let columns = [shape.page, shape.time, code_1, code_2, from_1, from_2];
    let mut rows = Vec::new();
    let last = database.last_rowid(visits).unwrap_or_else(|error| {
        reading.problem(Some(error));
        0
    });
    let worth = last.saturating_sub(PASS_LEAST) / PASS_FACTOR;
    let few = i64::try_from(pages.len()).unwrap_or(i64::MAX) < worth;
    let mut by_index = few && database.is_indexed(visits, shape.page);
    if by_index {
        let of_page = database.lookup(visits, Some(shape.page), &columns)?;
        for &page in pages {
            let mut take = |id, cells: &Cells<'_>| rows.push(Row::of(shape, id, cells));
            if of_page.each(page, &mut take).is_err() {
                // A broken index must not hide visits.
                by_index = false;
                rows.clear();
                break;
            }
        }
    }
    if !by_index {
        let damage = database.scan(visits, "", &columns, &mut |id, cells| {
            let row = Row::of(shape, id, cells);
            if pages.binary_search(&row.page).is_ok() {
                rows.push(row);
            }
        })?;
        reading.problem(damage);
    }
    rows.sort_unstable_by_key(|row| (row.page, row.id));
    Ok(rows)
}

impl Row {
    fn of(shape: &Shape, id: i64, cells: &Cells<'_>) -> Self {
        let number = |index| cells.integer(index).unwrap_or_default();
        Self {
            page: number(0),
            id,
            at: cells.number(1).and_then(shape.clock),
            codes: [number(2), number(3)],
            from: first_set(number(4), number(5)),
        }
    }
}

/// What reporting needs for each hit.
struct Walk<'a, 'b, 's> {
    shape: &'a Shape,
    reading: &'a Reading<'b, 's>,
    pages: Table,
    /// URL and times of a page, by rowid.
    page: Lookup<'a>,
    /// Page of a visit and the visits before it, by rowid.
    before: Option<Lookup<'a>>,
    /// Rowids of the pages that have a needle, sorted.
    hits: &'a [i64],
}

impl Walk<'_, '_, '_> {
    /// Reports one page: once for each visit, or once when it has none. Whether visits were left out.
    fn page(&self, page: i64, rows: &[Row]) -> bool {
        let shape = self.shape;
        let read = self.page.one(page, |cells| {
            let times = (1..=shape.last.len())
                .filter_map(|index| cells.number(index))
                .filter_map(shape.clock);
            (cells.bytes(0).map(Cow::into_owned), times.max())
        });
        let (url, last) = match read {
            Ok(Some((Some(url), last))) => (url, last),
            Ok(_) => return false,
            Err(error) => {
                self.reading.problem(Some(error));
                return false;
            }
        };
        let most = most_visits(url.len());
        let view = self.reading.view(&self.pages, page, shape.url, &url);
        let url = Payload::Url(Raw::new(url));
        let place = Locator::Row {
            table: shape.pages.into(),
            rowid: page,
            column: shape.url.into(),
        };
        let of_visit = |row: &Row| self.reading.visit(row.id, row.page, row.at, view);
        let met: Vec<(i64, View)> = rows.iter().map(of_visit).collect();
        let mut rows = rows.iter().zip(met);
        let Some(last_row) = rows.next_back() else {
            let at = last.map(|instant| (instant, Basis::LastVisit));
            self.reading
                .observe(place, view, at, Via::Unknown, None, url);
            return false;
        };
        let left_out = rows.len() >= most;
        for (row, (id, view)) in rows.take(most - 1).chain([last_row]) {
            let visit = Visit {
                id,
                ancestors: self.ancestors(row),
            };
            let at = row.at.map(|instant| (instant, Basis::Visit));
            let via = (shape.via)(row.codes);
            self.reading
                .observe(place.clone(), view, at, via, Some(visit), url.clone());
        }
        left_out
    }

    /// Walks back along the chain. Pages without a needle are walked through. A loop ends where it comes back
    /// to a visit that it passed, or at [`MAX_HOPS`].
    fn ancestors(&self, row: &Row) -> Vec<(u8, i64)> {
        let mut found: Vec<(u8, i64)> = Vec::new();
        let mut passed: Vec<i64> = Vec::new();
        let Some(before) = &self.before else {
            return found;
        };
        let mut id = row.from;
        for hop in 1..=MAX_HOPS {
            if id == 0 || id == row.id || passed.contains(&id) {
                break;
            }
            passed.push(id);
            let step = before.one(id, |cells| {
                let number = |index| cells.integer(index).unwrap_or_default();
                let at = cells.number(3).and_then(self.shape.clock);
                (number(0), first_set(number(1), number(2)), at)
            });
            let (page, from, at) = match step {
                Ok(Some(step)) => step,
                Ok(None) => break,
                Err(error) => {
                    self.reading.problem(Some(error));
                    break;
                }
            };
            if self.hits.binary_search(&page).is_ok() {
                found.push((hop, self.reading.visit_id(id, page, at)));
            }
            id = from;
        }
        found
    }
}

/// How many visits of a URL of this length are reported: at least the first one and the last.
fn most_visits(len: usize) -> usize {
    (MAX_BYTES_PER_URL / len.max(1)).clamp(2, MAX_VISITS_PER_URL)
}

fn first_set(first: i64, second: i64) -> i64 {
    if first == 0 { second } else { first }
}
