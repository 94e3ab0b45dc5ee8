//! What a person wants first: what must be revoked now, which applications leak and by which flow, and the one
//! change that removes most of it. Counts what the findings say, for every format that speaks to people.

use std::collections::BTreeMap;

use super::telling;
use super::wire::{Finding, Report};

/// The answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Headline<'a> {
    /// Credentials that may be usable at `as_of`, by state, worst first: `live`, `replayable`, `unknown`.
    pub(super) usable: Vec<(&'static str, usize)>,
    /// Their kinds, most first.
    pub(super) kinds: Vec<(&'a str, usize)>,
    /// Who can revoke them, most first.
    pub(super) issuers: Vec<(&'a str, usize)>,
    /// Whose they are, where identities are revealed: name and value of the claim.
    pub(super) persons: Vec<(&'a str, &'a str)>,
    /// Application, flow and number of findings, most first.
    pub(super) leaking: Vec<(&'a str, &'a str, usize)>,
    /// What to change, the references for it, and how many findings it removes.
    pub(super) change: Option<(&'a str, &'a [String], usize)>,
    /// Usable ones that the baseline accepts: while there are any, not all is well.
    pub(super) accepted: usize,
}

/// States in which a value may be used by its holder.
pub(super) const USABLE: [&str; 3] = ["live", "replayable", "unknown"];

impl<'a> Headline<'a> {
    /// The answers of a report. What the baseline accepts is not asked for again.
    pub(super) fn of(report: &'a Report) -> Self {
        let open = || report.findings.iter().filter(|it| it.status == "new");
        let usable: Vec<&Finding> = open().filter(|it| is_usable(it)).collect();
        let states = USABLE.into_iter().map(|state| {
            let of_state = usable.iter().filter(|it| it.now.state == state);
            (state, of_state.count())
        });
        let named = |it: &'a Finding| Some((telling::application(it)?, &*it.flow));
        let leaks = open().filter(|it| it.weakness.is_none() && is_grave(it));
        let leaking = most(leaks.filter_map(named));
        // What only informs is as it has to be.
        let to_change = open().filter(|it| it.severity != "info");
        let changes =
            most(to_change.map(|it| (&*it.remediation.text, &*it.remediation.references)));
        Self {
            usable: states.filter(|(_, count)| *count > 0).collect(),
            kinds: most(usable.iter().map(|it| &*it.kind)),
            issuers: most(usable.iter().filter_map(|it| it.issuer.as_deref())),
            persons: persons(&usable),
            leaking: leaking
                .into_iter()
                .map(|((application, flow), count)| (application, flow, count))
                .collect(),
            change: changes
                .into_iter()
                .map(|((text, references), count)| (text, references, count))
                .find(|(text, ..)| !text.is_empty()),
            accepted: report
                .findings
                .iter()
                .filter(|it| it.status != "new" && is_usable(it))
                .count(),
        }
    }
}

/// Whether whoever holds it may be able to use it.
pub(super) fn is_usable(finding: &Finding) -> bool {
    finding.weakness.is_none() && USABLE.contains(&&*finding.now.state)
}

/// Whether it is more than a sign of a leak: a code that was used is none.
fn is_grave(finding: &Finding) -> bool {
    !matches!(&*finding.severity, "low" | "info")
}

fn persons<'a>(findings: &[&'a Finding]) -> Vec<(&'a str, &'a str)> {
    let claims = findings
        .iter()
        .flat_map(|it| it.identities.iter().flatten());
    let named = claims.map(|(name, value)| (&**name, &**value));
    let mut persons: Vec<_> = most(named).into_iter().map(|(claim, _)| claim).collect();
    persons.sort_unstable();
    persons
}

/// Each of them once with its number, most first; equal numbers in the order of names.
pub(super) fn most<T: Ord>(all: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_come_first_and_equals_by_name() {
        let counts = most(["b", "a", "c", "c"].into_iter());
        assert_eq!(counts, [("c", 2), ("a", 1), ("b", 1)]);
    }
}
