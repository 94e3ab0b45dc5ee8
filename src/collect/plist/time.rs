//! The times that stand beside the strings of a property list, by the names that Safari gives them.

use jiff::Timestamp;

use super::binary::{List, Object};
use super::xml::{Event, Events};
use crate::collect::browser::epoch;
use crate::collect::sqlite::Number;

/// Members that are times, the one that is nearest to the visit first. Old histories write them as text.
const TIMES: &[&[u8]] = &[
    b"lastVisitedDate",
    b"LastVisitTime",
    b"DateClosed",
    b"DownloadEntryDateAddedKey",
    b"DateAdded",
];

/// Dictionaries and arrays of one list whose times are kept.
const MAX_CONTAINERS: usize = 1_000_000;

/// The time of a dictionary of a binary list.
pub(super) fn of_dictionary<'a>(
    list: &List<'a>,
    names: &'a [u8],
    values: &'a [u8],
) -> Option<Timestamp> {
    let mut found = None;
    for (name, value) in list.numbers(names).zip(list.numbers(values)) {
        let Some(Object::Ascii(_, name)) = list.object(name) else {
            continue;
        };
        let Some(rank) = TIMES.iter().position(|time| *time == name) else {
            continue;
        };
        let seconds = match list.object(value) {
            Some(Object::Date(seconds)) => Some(seconds),
            Some(Object::Ascii(_, text)) => number(text),
            _ => None,
        };
        if let Some(time) = seconds.and_then(|seconds| epoch::cocoa(Number::Real(seconds))) {
            let better = found.is_none_or(|(known, _)| rank < known);
            found = if better { Some((rank, time)) } else { found };
        }
    }
    found.map(|(_, time)| time)
}

/// The time of each dictionary and array of an XML list, in the order in which they begin.
pub(super) fn in_order(text: &[u8]) -> Vec<Option<Timestamp>> {
    let mut times: Vec<Option<(usize, Timestamp)>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rank = None;
    for event in Events::new(text) {
        let time = match &event {
            Event::Begin => {
                if times.len() >= MAX_CONTAINERS {
                    break;
                }
                open.push(times.len());
                times.push(None);
                None
            }
            Event::End => {
                open.pop();
                None
            }
            Event::Key(name) => {
                rank = TIMES.iter().position(|time| *time == &**name);
                continue;
            }
            Event::Date(text) => std::str::from_utf8(text.trim_ascii())
                .ok()
                .and_then(|text| text.parse().ok()),
            Event::String(_, text) if rank.is_some() => {
                number(text).and_then(|seconds| epoch::cocoa(Number::Real(seconds)))
            }
            _ => None,
        };
        if let (Some(rank), Some(time)) = (rank.take(), time)
            && let Some(slot) = open.last().and_then(|at| times.get_mut(*at))
            && slot.is_none_or(|(known, _)| rank < known)
        {
            *slot = Some((rank, time));
        }
    }
    times
        .into_iter()
        .map(|time| time.map(|(_, time)| time))
        .collect()
}

fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}
