//! The result of a run: a report, or one whose findings and trails are so many that they wait packed. Where they waited
//! shows nowhere.

use std::cell::OnceCell;
use std::io;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::pile::{Pile, Texts};
use crate::report::wire::{Finding, Trail};
use crate::report::{self, Format, Report};

/// Items of a pile in an order of their own.
#[derive(Debug)]
pub struct Sorted<T> {
    pile: Pile<T>,
    order: Vec<u32>,
}

impl<T: Clone + Send> Sorted<T> {
    /// The items, in the order of their keys.
    pub fn by<K: Ord>(pile: Pile<T>, keys: &[K]) -> Self {
        let mut order: Vec<u32> = (0..).take(keys.len()).collect();
        order.sort_unstable_by_key(|number| keys.get(*number as usize));
        Self { pile, order }
    }

    /// Whether they are packed.
    pub fn is_packed(&self) -> bool {
        self.pile.is_packed()
    }

    /// The items, when they are in memory as they are; else the same as before.
    fn into_items(self) -> Result<Vec<T>, Self> {
        let order = self.order;
        match self.pile.into_items() {
            Ok(mut items) => {
                arrange(&mut items, order);
                Ok(items)
            }
            Err(pile) => Err(Self { pile, order }),
        }
    }

    /// Each item, packed.
    fn texts(&self) -> io::Result<Texts<'_, T>> {
        self.pile.in_order(&self.order)
    }

    /// Each item.
    pub fn items(&self) -> io::Result<Vec<T>> {
        let mut items = Vec::with_capacity(self.order.len());
        let form = self.pile.form();
        let mut texts = self.texts()?;
        loop {
            let some = report::json::some(&mut texts, SOME)?;
            if some.is_empty() {
                return Ok(items);
            }
            let unpacked = some.par_iter().map(|text| form.item(text));
            items.extend(unpacked.collect::<io::Result<Vec<T>>>()?);
        }
    }
}

/// Items that are unpacked at a time, on all threads of the current pool.
const SOME: usize = 1 << 12;

/// Puts the items in this order, where they lie: they are large.
fn arrange<T>(items: &mut [T], mut order: Vec<u32>) {
    for start in 0..items.len() {
        let mut at = start;
        while let Some(next) = order.get_mut(at) {
            let from = std::mem::replace(next, u32::try_from(at).unwrap_or_default()) as usize;
            if from == start || from >= items.len() {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Told {
    /// The report. Without its findings and trails, when they are far.
    report: Report,
    far: Option<(Sorted<Finding>, Sorted<Trail>)>,
    /// The whole report, once a format asked for it.
    whole: OnceCell<Report>,
}

impl Told {
    /// A report without its findings and trails, and these.
    pub fn new(mut report: Report, findings: Sorted<Finding>, trails: Sorted<Trail>) -> Self {
        let far = if findings.is_packed() || trails.is_packed() {
            Some((findings, trails))
        } else {
            report.findings = findings.into_items().unwrap_or_default();
            report.trails = trails.into_items().unwrap_or_default();
            None
        };
        Self {
            report,
            far,
            whole: OnceCell::new(),
        }
    }

    /// Writes it. Two formats are written as the findings come, from the JSON that they are packed as; for the
    /// others, all have to be in memory.
    pub fn render(&self, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
        match (&self.far, format) {
            (None, _) => report::render(&self.report, format, out),
            (Some((findings, trails)), Format::Json) => {
                report::json::render_each(&self.report, findings.texts()?, trails.texts()?, out)
            }
            (Some((findings, trails)), Format::Ndjson) => {
                report::ndjson::render_each(&self.report, findings.texts()?, trails.texts()?, out)
            }
            (Some(_), _) => report::render(self.whole()?, format, out),
        }
    }

    /// The whole report.
    pub fn whole(&self) -> io::Result<&Report> {
        let Some((findings, trails)) = &self.far else {
            return Ok(&self.report);
        };
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let mut whole = self.report.clone();
        whole.findings = findings.items()?;
        whole.trails = trails.items()?;
        Ok(self.whole.get_or_init(|| whole))
    }
}

impl From<Report> for Told {
    fn from(report: Report) -> Self {
        Self {
            report,
            far: None,
            whole: OnceCell::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_arranged_where_they_lie() {
        for (order, arranged) in [
            (vec![0, 1, 2, 3], "abcd"),
            (vec![3, 2, 1, 0], "dcba"),
            (vec![1, 2, 3, 0], "bcda"),
            (vec![2, 0, 3, 1], "cadb"),
            (vec![1, 0, 3, 2], "badc"),
        ] {
            let mut items = ['a', 'b', 'c', 'd'];
            arrange(&mut items, order);
            assert_eq!(String::from_iter(items), arranged);
        }
    }
}
