//! Compares a report with what was planted, and prints the figures.
//!
//! The unit is one value in one file. It is found when the report has it there under a right kind. Every
//! value of the report that was neither planted nor declared arguable is false.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::truth::{Placed, Spot};

/// No list in the output is longer.
const LISTED: usize = 50;
/// Kinds whose value may stand in the report with more around it: a whole URL, a path, a pair.
const WIDER: &[&str] = &[
    "webhook_url",
    "basic_credentials",
    "signed_url",
    "one_time_link",
];
/// Planted kind, and another kind that says no less about the same value.
const SIBLINGS: &[(&str, &str)] = &[
    ("one_time_link", "opaque_token"),
    ("session_id", "opaque_token"),
    ("api_key", "opaque_token"),
    ("api_key", "access_token"),
    ("access_token", "api_key"),
    ("basic_credentials", "password"),
    ("password", "basic_credentials"),
    ("code_challenge", "code_verifier"),
    ("webhook_url", "api_key"),
];

/// A value of the report in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Find {
    value: String,
    kind: String,
    file: String,
    spots: BTreeSet<Spot>,
}

/// Counts for one kind of credential.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Count {
    /// Values planted, each file for itself.
    pub planted: usize,
    /// Of them found, under a right kind or a sibling.
    pub found: usize,
    /// Of the found, under a sibling kind only.
    pub sibling: usize,
    /// Of the found, with their exact place.
    pub placed: usize,
    /// Reported under this kind, and never planted.
    pub wrong: usize,
}

/// The result for one kind of source.
#[derive(Default, Debug)]
pub struct Score {
    /// Per kind of credential.
    pub kinds: BTreeMap<String, Count>,
    /// Shape and planted kind of what was missed, with what came in its place.
    pub misses: BTreeMap<String, usize>,
    /// Shape and reported kind of what is false.
    pub falses: BTreeMap<String, usize>,
}

impl Score {
    /// All kinds together.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        for count in self.kinds.values() {
            total.planted += count.planted;
            total.found += count.found;
            total.sibling += count.sibling;
            total.placed += count.placed;
            total.wrong += count.wrong;
        }
        total
    }

    /// Found of planted.
    pub fn recall(&self) -> f64 {
        ratio(self.total().found, self.total().planted)
    }

    /// Right of reported.
    pub fn precision(&self) -> f64 {
        let total = self.total();
        ratio(total.found, total.found + total.wrong)
    }

    /// Of the found, those whose place in the report is the place in the file.
    pub fn placing(&self) -> f64 {
        ratio(self.total().placed, self.total().found)
    }

    /// The table, and the lists of what is wrong.
    pub fn table(&self, title: &str) -> String {
        let mut out = format!(
            "\n{title}\n{:<20}{:>8}{:>7}{:>8}{:>8}{:>7}{:>7}{:>9}{:>11}\n",
            "kind",
            "planted",
            "found",
            "sibling",
            "placed",
            "missed",
            "false",
            "recall",
            "precision"
        );
        let rows = self
            .kinds
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .chain([("all", self.total())]);
        for (kind, count) in rows {
            let Count {
                planted,
                found,
                sibling,
                placed,
                wrong,
            } = count;
            let missed = planted - found;
            let (recall, precision) = (ratio(found, planted), ratio(found, found + wrong));
            let _ = writeln!(
                out,
                "{kind:<20}{planted:>8}{found:>7}{sibling:>8}{placed:>8}{missed:>7}{wrong:>7}{recall:>9.4}{precision:>11.4}"
            );
        }
        for (name, list) in [("missed", &self.misses), ("false", &self.falses)] {
            for (what, times) in list.iter().take(LISTED) {
                let _ = writeln!(out, "  {name}: {what} x{times}");
            }
            if list.len() > LISTED {
                let _ = writeln!(out, "  {name}: {} further", list.len() - LISTED);
            }
        }
        out
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a test corpus")]
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// What a report in the wire format `tokentrail/1` says, with values revealed.
pub fn finds(report: &Value) -> Vec<Find> {
    let mut all: BTreeMap<(String, String, String), BTreeSet<Spot>> = BTreeMap::new();
    for finding in report["findings"].as_array().into_iter().flatten() {
        let kind = finding["kind"].as_str().unwrap_or("").to_owned();
        let Some(value) = finding["value"].as_str() else {
            continue;
        };
        for sighting in finding["sightings"].as_array().into_iter().flatten() {
            let path = sighting["source"]["path"].as_str().unwrap_or("").to_owned();
            let key = (canonical(value), kind.clone(), path);
            all.entry(key)
                .or_default()
                .extend(spots(&sighting["locator"]));
        }
    }
    all.into_iter()
        .map(|((value, kind, file), spots)| Find {
            value,
            kind,
            file,
            spots,
        })
        .collect()
}

/// Places named by a locator, whichever way it is tagged.
fn spots(locator: &Value) -> Vec<Spot> {
    let inner = locator
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, value)| {
            if value.is_object() {
                spots(value)
            } else {
                Vec::new()
            }
        });
    let number = |names: &[&str]| names.iter().find_map(|name| locator[*name].as_u64());
    let own =
        if let (Some(table), Some(row)) = (locator["table"].as_str(), locator["rowid"].as_i64()) {
            table_name(table).map(|table| Spot::Row(table, row))
        } else if let Some(index) = number(&["index", "entry"]) {
            Some(Spot::Entry(index))
        } else {
            number(&["number", "line"]).map(Spot::Line)
        };
    inner.chain(own).collect()
}

fn table_name(name: &str) -> Option<&'static str> {
    let known = [
        "urls",
        "visits",
        "visited_links",
        "downloads",
        "downloads_url_chains",
        "moz_places",
        "moz_historyvisits",
        "history_items",
        "history_visits",
    ];
    known.into_iter().find(|known| *known == name)
}

/// Judges a report.
pub fn score(truth: &[Placed], found: &[Find]) -> Score {
    let mut score = Score::default();
    let mut used = vec![false; found.len()];
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, find) in found.iter().enumerate() {
        by_file.entry(&find.file).or_default().push(index);
    }
    for expected in expectations(truth) {
        let here = by_file
            .get(expected.file.as_str())
            .map_or(&[][..], Vec::as_slice);
        let hits: Vec<usize> = here
            .iter()
            .copied()
            .filter(|&index| expected.names(&found[index]))
            .collect();
        for &hit in &hits {
            used[hit] = true;
        }
        let first = &expected.kinds[0];
        let count = score.kinds.entry(first.clone()).or_default();
        count.planted += 1;
        let right = |find: &Find| expected.kinds.contains(&find.kind);
        let sibling = |find: &Find| {
            expected
                .kinds
                .iter()
                .any(|kind| SIBLINGS.contains(&(kind.as_str(), find.kind.as_str())))
        };
        if let Some(&best) = hits
            .iter()
            .find(|&&hit| right(&found[hit]))
            .or_else(|| hits.iter().find(|&&hit| sibling(&found[hit])))
        {
            count.found += 1;
            count.sibling += usize::from(found[best].kind != *first);
            count.placed += usize::from(hits.iter().any(|&hit| {
                found[hit]
                    .spots
                    .intersection(&expected.spots)
                    .next()
                    .is_some()
            }));
        } else {
            let instead = hits.first().map_or(String::new(), |&hit| {
                format!(" (reported as {})", found[hit].kind)
            });
            *score
                .misses
                .entry(format!("{} {first}{instead}", expected.shape))
                .or_default() += 1;
        }
    }
    falses(truth, found, &used, &mut score);
    score
}

fn falses(truth: &[Placed], found: &[Find], used: &[bool], score: &mut Score) {
    let mut ignored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut shapes: BTreeMap<(&str, &Spot), &str> = BTreeMap::new();
    for placed in truth {
        ignored
            .entry(&placed.file)
            .or_default()
            .extend(placed.labels.ignored.iter().map(|value| canonical(value)));
        for spot in &placed.spots {
            shapes.insert((&placed.file, spot), &placed.shape);
        }
    }
    for (find, used) in found.iter().zip(used) {
        let arguable = ignored.get(find.file.as_str()).is_some_and(|list| {
            list.iter().any(|value| {
                *value == find.value || (value.len() >= 12 && find.value.contains(value.as_str()))
            })
        });
        if *used || arguable {
            continue;
        }
        score.kinds.entry(find.kind.clone()).or_default().wrong += 1;
        let shape = find
            .spots
            .iter()
            .find_map(|spot| shapes.get(&(find.file.as_str(), spot)));
        let name = shape.map_or_else(
            || format!("(unknown place in {} {:?})", find.file, find.spots),
            |shape| (*shape).to_owned(),
        );
        let head: String = find.value.chars().take(24).collect();
        *score
            .falses
            .entry(format!("{name} as {} [{head}]", find.kind))
            .or_default() += 1;
    }
    let mut merged: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (what, times) in std::mem::take(&mut score.falses) {
        let (name, value) = what.split_once(" [").unwrap_or((&what, ""));
        let row = merged
            .entry(name.to_owned())
            .or_insert((0, value.to_owned()));
        row.0 += times;
    }
    score.falses = merged
        .into_iter()
        .map(|(name, (times, value))| (format!("{name} [{value}"), times))
        .collect();
}

struct Expected {
    file: String,
    names: Vec<String>,
    kinds: Vec<String>,
    spots: BTreeSet<Spot>,
    shape: String,
}

impl Expected {
    fn names(&self, find: &Find) -> bool {
        let wider = self.kinds.iter().any(|kind| WIDER.contains(&kind.as_str()));
        self.names.iter().any(|name| {
            *name == find.value
                || (wider && name.len() >= 6 && find.value.contains(name.as_str()))
                || (wider && find.value.len() >= 16 && name.contains(find.value.as_str()))
        })
    }
}

/// One expectation for each value and file.
fn expectations(truth: &[Placed]) -> Vec<Expected> {
    let mut all: BTreeMap<(String, String), Expected> = BTreeMap::new();
    for placed in truth {
        for plant in &placed.labels.plants {
            let value = canonical(&plant.value);
            let names = std::iter::once(value.clone())
                .chain(plant.aliases.iter().map(|alias| canonical(alias)))
                .collect();
            let entry = all
                .entry((placed.file.clone(), value))
                .or_insert_with(|| Expected {
                    file: placed.file.clone(),
                    names,
                    kinds: Vec::new(),
                    spots: BTreeSet::new(),
                    shape: placed.shape.clone(),
                });
            entry.spots.extend(placed.spots.iter().cloned());
            for kind in &plant.kinds {
                if !entry.kinds.contains(kind) {
                    entry.kinds.push(kind.clone());
                }
            }
        }
    }
    all.into_values().collect()
}

/// Percent- and HTML-escapes undone to a fixed point; `+` is kept.
pub fn canonical(text: &str) -> String {
    let mut now = text.to_owned();
    for _ in 0..6 {
        let next = unescaped(&now);
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn unescaped(text: &str) -> String {
    let html = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    let bytes = html.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(decoded) = hex
            .filter(|_| byte == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            out.push(decoded);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::{Labels, Plant};

    fn planted(shape: &str, line: u64, value: &str, kind: &str) -> Placed {
        let plant = Plant {
            value: value.to_owned(),
            aliases: Vec::new(),
            kinds: vec![kind.to_owned()],
        };
        let labels = Labels {
            plants: vec![plant],
            ignored: vec!["arguable-value-1".to_owned()],
        };
        Placed {
            file: "a.log".to_owned(),
            spots: vec![Spot::Line(line)],
            shape: shape.to_owned(),
            labels,
        }
    }

    fn finding(kind: &str, value: &str, line: u64) -> Value {
        let sighting =
            json!({"source": {"path": "a.log"}, "locator": {"line": {"number": line, "byte": 0}}});
        json!({"kind": kind, "value": value, "sightings": [sighting]})
    }

    #[test]
    fn a_miss_a_sibling_and_a_false_find_are_each_counted_once() {
        let truth = [
            planted("seen", 1, "4/0Abc", "authorization_code"),
            planted("missed", 2, "another-code", "authorization_code"),
            planted("sibling", 3, "key-key-key-key", "api_key"),
            Placed {
                labels: Labels::default(),
                ..planted("coupon", 4, "", "")
            },
        ];
        let report = json!({"findings": [
            finding("authorization_code", "4%2F0Abc", 1),
            finding("opaque_token", "key-key-key-key", 9),
            finding("authorization_code", "SUMMER26", 4),
            finding("api_key", "arguable-value-1", 4),
        ]});
        let score = score(&truth, &finds(&report));
        let total = score.total();
        assert_eq!(
            total,
            Count {
                planted: 3,
                found: 2,
                sibling: 1,
                placed: 1,
                wrong: 1
            }
        );
        assert!((score.recall() - 2.0 / 3.0).abs() < 1e-9);
        assert!((score.precision() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(
            score.misses.keys().next().map(String::as_str),
            Some("missed authorization_code")
        );
        assert_eq!(
            score.falses.keys().next().map(String::as_str),
            Some("coupon as authorization_code [SUMMER26]")
        );
    }

    #[test]
    fn a_value_in_another_file_or_of_another_kind_is_not_found() {
        let truth = [planted("one", 1, "value-value-value", "refresh_token")];
        let other_kind = json!({"findings": [finding("access_token", "value-value-value", 1)]});
        let scored = score(&truth, &finds(&other_kind));
        assert_eq!(
            scored.total(),
            Count {
                planted: 1,
                ..Count::default()
            }
        );
        assert_eq!(
            scored.misses.keys().next().map(String::as_str),
            Some("one refresh_token (reported as access_token)")
        );
        let mut other_file =
            json!({"findings": [finding("refresh_token", "value-value-value", 1)]});
        other_file["findings"][0]["sightings"][0]["source"]["path"] = json!("b.log");
        let total = score(&truth, &finds(&other_file)).total();
        assert_eq!((total.found, total.wrong), (0, 1));
    }

    #[test]
    fn every_kind_of_locator_is_read() {
        assert_eq!(
            spots(&json!({"row": {"table": "urls", "rowid": 7, "column": "url"}})),
            [Spot::Row("urls", 7)]
        );
        assert_eq!(spots(&json!({"line": 3, "byte": 90})), [Spot::Line(3)]);
        assert_eq!(
            spots(&json!({"index": 2, "pointer": "/log", "line": 8, "column": 1})),
            [Spot::Entry(2)]
        );
    }
}
