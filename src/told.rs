//! The result of a run: a report, or one whose findings and trails are so many that they wait in a temporary file. Where
//! they waited shows nowhere.

use std::cell::{OnceCell, RefCell};
use std::io;

use crate::pile::Pile;
use crate::report::wire::{Finding, Trail};
use crate::report::{self, Format, Report};

/// Items of a pile in an order of their own.
#[derive(Debug)]
pub struct Sorted<T> {
    pile: RefCell<Pile<T>>,
    order: Vec<u32>,
}

impl<T: Clone> Sorted<T> {
    /// The items, in the order of their keys.
    pub fn by<K: Ord>(pile: Pile<T>, keys: &[K]) -> Self {
        let mut order: Vec<u32> = (0..).take(keys.len()).collect();
        order.sort_unstable_by_key(|number| keys.get(*number as usize));
        Self {
            pile: RefCell::new(pile),
            order,
        }
    }

    /// Whether they wait in a file.
    pub fn is_far(&self) -> bool {
        self.pile.borrow().is_far()
    }

    /// The items, when they are in memory; else the same as before.
    fn in_memory(self) -> Result<Vec<T>, Self> {
        let order = self.order;
        match self.pile.into_inner().in_memory() {
            Ok(mut items) => {
                arrange(&mut items, order);
                Ok(items)
            }
            Err(pile) => Err(Self {
                pile: RefCell::new(pile),
                order,
            }),
        }
    }

    /// Each item, packed.
    fn packed(&self) -> impl Iterator<Item = io::Result<Vec<u8>>> + '_ {
        let numbers = self.order.iter();
        numbers.map(|number| self.pile.borrow_mut().packed(*number as usize))
    }

    /// Each item.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<T>> + '_ {
        let numbers = self.order.iter();
        numbers.map(|number| self.pile.borrow_mut().get(*number as usize))
    }
}

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
        let far = if findings.is_far() || trails.is_far() {
            Some((findings, trails))
        } else {
            report.findings = findings.in_memory().unwrap_or_default();
            report.trails = trails.in_memory().unwrap_or_default();
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
                report::json::render_each(&self.report, findings.packed(), trails.packed(), out)
            }
            (Some((findings, trails)), Format::Ndjson) => {
                report::ndjson::render_each(&self.report, findings.packed(), trails.packed(), out)
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
        whole.findings = findings.iter().collect::<io::Result<_>>()?;
        whole.trails = trails.iter().collect::<io::Result<_>>()?;
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
