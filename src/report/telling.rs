//! Words about findings that several formats share: titles, places, verdicts, ages, sizes. Turns wire types into
//! text, unescaped; knows no format.

use std::collections::HashMap;

use super::wire::{Finding, Locator, Problem, Sighting, Verdict};
use crate::detect::Channel;

/// The sighting that stands for the others: the first that travelled through the address bar, since that is
/// what its flow is named after.
pub(super) fn told(finding: &Finding) -> Option<&Sighting> {
    let front = |sighting: &&Sighting| sighting.channel == Channel::Front.as_str();
    let mut sightings = finding.sightings.iter();
    sightings.clone().find(front).or_else(|| sightings.next())
}

pub(super) fn title(finding: &Finding) -> String {
    let part = told(finding).and_then(|sighting| {
        let (slot, name) = (sighting.slot.as_ref()?, sighting.name.as_ref()?);
        Some(format!(" in {slot} `{name}`"))
    });
    let what = match &finding.weakness {
        Some(weakness) => format!("weakness {weakness}"),
        None => format!("{} ({})", finding.kind, finding.shown),
    };
    format!("{what}{}, flow {}", part.unwrap_or_default(), finding.flow)
}

/// State, basis, expiry, needs and reason in one line.
pub(super) fn verdict(verdict: &Verdict) -> String {
    let expires = verdict.expires_at.as_ref();
    let needs = (!verdict.needs.is_empty()).then(|| verdict.needs.join(" and "));
    let because = (!verdict.because.is_empty()).then_some(&verdict.because);
    [
        format!("{} ({})", verdict.state, verdict.basis),
        expires.map_or(String::new(), |at| format!(", until {at}")),
        needs.map_or(String::new(), |needs| format!(", needs {needs}")),
        because.map_or(String::new(), |because| format!(": {because}")),
    ]
    .concat()
}

/// A path, and the members inside it.
pub(super) fn path(path: &str, members: &[String]) -> String {
    let members = members.iter().map(String::as_str);
    let parts: Vec<&str> = std::iter::once(path).chain(members).collect();
    parts.join(" › ")
}

/// Problems in their order, those with the same reason as one: where the first is, how many others there are in words, and
/// the reason.
pub(super) fn alike(problems: &[Problem]) -> Vec<(String, String, &str)> {
    let mut told: Vec<(&Problem, u64)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for problem in problems {
        let place = *places.entry(&problem.reason).or_insert(told.len());
        match told.get_mut(place) {
            Some((_, others)) => *others = others.saturating_add(1),
            None => told.push((problem, 0)),
        }
    }
    let told = told.into_iter().map(|(problem, others)| {
        let first = path(&problem.path, &problem.members);
        let others = match others {
            0 => String::new(),
            others => format!(", and {}", plural(others, "other")),
        };
        (first, others, problem.reason.as_str())
    });
    told.collect()
}

/// Where in a source.
pub(super) fn locator(locator: &Locator) -> String {
    match locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => format!(", {table} row {rowid}, column {column}"),
        Locator::Line { number, .. } => format!(":{number}"),
        Locator::Entry {
            pointer,
            line,
            column,
            ..
        } => format!(":{line}:{column} {pointer}"),
        Locator::Record {
            file,
            key,
            sequence,
        } => format!(" {file} {key} #{sequence}"),
        Locator::Bytes {
            offset,
            file,
            within,
            uncertain,
        } => {
            let file = file.as_ref().map(|file| format!(", {file}"));
            let within = within.as_deref().map(self::within);
            let within = within.map(|within| format!(" ({within})"));
            let guess = if *uncertain {
                ", where it ends is a guess"
            } else {
                ""
            };
            let (file, within) = (file.unwrap_or_default(), within.unwrap_or_default());
            format!("{file} byte {offset}{within}{guess}")
        }
    }
}

/// What the residue of a database lies in.
fn within(name: &str) -> &str {
    match name {
        "free_page" => "page that was given up",
        "freeblock" => "block between rows",
        "unallocated" => "unused part of a page",
        "slack" => "behind the last page",
        "wal" => "log",
        "wal_slack" => "log behind its last commit",
        other => other,
    }
}

/// `3 d 4 h`: the two largest units of a number of seconds.
pub(super) fn age(seconds: i64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400, "y"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "min"),
        (1, "s"),
    ];
    let mut rest = seconds.unsigned_abs();
    let mut words = Vec::new();
    for (size, unit) in UNITS {
        let number = rest / size;
        rest %= size;
        if number > 0 {
            words.push(format!("{number} {unit}"));
        }
        // The unit after the largest one, or nothing: `3 d 4 h`, and `3 d` rather than `3 d 5 s`.
        if words.len() == 2 || (words.len() == 1 && number == 0) {
            break;
        }
    }
    let words = if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    };
    if seconds < 0 {
        format!("{words} after as-of")
    } else {
        words
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A size in the unit that keeps it short.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    for (shift, unit) in UNITS {
        if number >> shift > 0 {
            let tenths = (number >> (shift - 10)).saturating_mul(10) >> 10;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{number} B")
}

/// A name of the wire as words: `response_in_fragment`.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Who is told to mend it: the client, or where nothing names one, the host that the URL leads to.
pub(super) fn application(finding: &Finding) -> Option<&str> {
    let host = || told(finding)?.url.as_deref().and_then(host);
    finding.application.as_deref().or_else(host)
}

/// The host of a URL, with its port.
pub(super) fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("//")?;
    if !matches!(scheme, "" | "http:" | "https:" | "ws:" | "wss:") {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (273_600, "3 d 4 h"),
            (3 * 86_400 + 5, "3 d"),
            (400 * 86_400, "1 y 35 d"),
            (-60, "1 min after as-of"),
        ] {
            assert_eq!(age(seconds), words);
        }
        assert!(age(i64::MIN).ends_with("after as-of"));
    }

    #[test]
    fn problems_with_one_reason_are_told_once() {
        let problem = |path: &str, reason: &str| Problem {
            path: path.into(),
            members: vec!["in".to_owned()],
            reason: reason.into(),
        };
        let problems = [("b", "x"), ("a", "y"), ("c", "x"), ("d", "x")];
        let problems = problems.map(|(path, reason)| problem(path, reason));
        let told = [("b › in", ", and 2 others", "x"), ("a › in", "", "y")];
        assert_eq!(
            alike(&problems),
            told.map(|(path, others, reason)| (path.to_owned(), others.to_owned(), reason))
        );
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn hosts_are_cut_out_of_urls() {
        assert_eq!(host("https://a.example:8443/x?y#z"), Some("a.example:8443"));
        assert_eq!(host("https://a.example#access_token=x"), Some("a.example"));
        assert_eq!(host("//a.example/x"), Some("a.example"));
        assert_eq!(host("/relative?next=//b.example"), None);
        assert_eq!(host("com.example.app:///cb"), None);
    }
}
