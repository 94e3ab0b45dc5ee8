//! The figures as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::check::Outcome;

/// All tables of one scan; those that no moment changes with `first` alone.
pub fn render(outcome: &Outcome, moment: i64, first: bool) -> String {
    let mut text = String::new();
    if first {
        let _ = writeln!(
            text,
            "{} runs, {} with request and response in evidence, {} credentials in evidence, {} not found\n",
            outcome.runs,
            outcome.whole,
            outcome.credentials,
            outcome.missing.len()
        );
        confusion(&mut text, outcome);
        let _ = writeln!(text, "\nat exposure, true state against reported state");
        states(&mut text, &outcome.at_exposure);
    }
    let _ = writeln!(
        text,
        "\n{moment} s after the last run, true state against reported state"
    );
    states(&mut text, &outcome.now);
    let _ = writeln!(
        text,
        "{} misnamed, {} verdicts above the truth; above it by what no evidence shows: {:?}",
        outcome.misnamed.len(),
        outcome.above.len(),
        outcome.above_unseen
    );
    let _ = writeln!(
        text,
        "\nshare of unknown, at exposure and {moment} s after the last run"
    );
    for (case, [all, exposed, now]) in &outcome.unknown {
        let share = |part: &usize| 100.0 * *part as f64 / (*all).max(1) as f64;
        let _ = writeln!(
            text,
            "  {case:34} {:5.1} % {:5.1} % of {all}",
            share(exposed),
            share(now)
        );
    }
    if first {
        let _ = writeln!(text, "\nverdicts below the truth");
        for ((case, kind, states), count) in &outcome.below {
            let _ = writeln!(text, "  {case:34} {kind:20} {states}: {count}");
        }
    }
    text
}

/// True grant, then each reported grant with its count.
fn confusion(text: &mut String, outcome: &Outcome) {
    let _ = writeln!(text, "true grant                 reported grant: runs");
    let grants: BTreeSet<&str> = outcome.confusion.keys().map(|(truth, _)| *truth).collect();
    for grant in grants {
        let row: Vec<String> = outcome
            .confusion
            .iter()
            .filter(|((truth, _), _)| *truth == grant)
            .map(|((_, reported), count)| format!("{reported}: {count}"))
            .collect();
        let _ = writeln!(text, "  {grant:26} {}", row.join(", "));
    }
}

fn states(text: &mut String, table: &BTreeMap<(String, String), usize>) {
    let columns: BTreeSet<&String> = table.keys().map(|(_, reported)| reported).collect();
    let _ = write!(text, "  {:12}", "");
    for column in &columns {
        let _ = write!(text, "{column:>11}");
    }
    let _ = writeln!(text);
    let rows: BTreeSet<&String> = table.keys().map(|(truth, _)| truth).collect();
    for row in rows {
        let _ = write!(text, "  {row:12}");
        for column in &columns {
            let count = table
                .get(&(row.clone(), (*column).clone()))
                .copied()
                .unwrap_or(0);
            let _ = write!(text, "{count:>11}");
        }
        let _ = writeln!(text);
    }
}
