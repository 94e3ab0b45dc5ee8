//! The rules of a SARIF run: one for each way in which a kind of value leaks, with the help that `explain` gives.
//! Its id lasts; its severity is that of its worst result, since code scanning takes it from nowhere else.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use super::super::wire::Finding;
use super::{level, rank, score};
use crate::atoms::rules::{Explanation, Explanations};

/// Characters of a description that GitHub takes.
const DESCRIPTION: usize = 1_024;

/// A rule.
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) descriptor: Value,
}

/// The id of the rule that a finding is a result of.
pub(super) fn id(finding: &Finding) -> String {
    let what = finding.weakness.as_ref().unwrap_or(&finding.kind);
    format!("tokentrail/{}/{what}", finding.flow)
}

/// The rules that the findings are results of, by id.
pub(super) fn rules(findings: &[Finding]) -> io::Result<Vec<Rule>> {
    let texts = Explanations::builtin().map_err(io::Error::other)?;
    let mut worst: BTreeMap<String, &Finding> = BTreeMap::new();
    for finding in findings {
        let known = worst.entry(id(finding)).or_insert(finding);
        if rank(&finding.severity) < rank(&known.severity) {
            *known = finding;
        }
    }
    Ok(worst
        .into_iter()
        .map(|(id, finding)| Rule {
            descriptor: descriptor(&id, finding, &texts),
            id,
        })
        .collect())
}

fn descriptor(id: &str, finding: &Finding, texts: &Explanations) -> Value {
    let flow = texts.get(&format!("flow:{}", finding.flow));
    let what = match &finding.weakness {
        Some(weakness) => texts.get(&format!("weakness:{weakness}")),
        None => texts.get(&format!("kind:{}", finding.kind)),
    };
    let name = finding.weakness.as_ref().unwrap_or(&finding.kind);
    let title = what.map_or(name.as_str(), |it| &it.title);
    let by = flow.map_or(finding.flow.as_str(), |it| &it.title);
    let means = [what, flow].into_iter().flatten().map(|it| &*it.means);
    let means = means.collect::<Vec<_>>().join(" ");
    let means = if means.is_empty() { title } else { &means };
    let both: Vec<&Explanation> = [what, flow].into_iter().flatten().collect();
    json!({
        "id": id,
        "name": pascal(&format!("{}_{name}", finding.flow)),
        "shortDescription": {"text": format!("{title}: {by}")},
        "fullDescription": {"text": means.chars().take(DESCRIPTION).collect::<String>()},
        "help": {"text": help(&both, false), "markdown": help(&both, true)},
        "defaultConfiguration": {"level": level(&finding.severity)},
        "properties": {
            "security-severity": score(&finding.severity),
            "precision": "high",
            // CWE-522: insufficiently protected credentials.
            "tags": ["security", "oauth", finding.flow, name, "external/cwe/cwe-522"],
        },
    })
}

/// What `explain` says, paragraph by paragraph.
fn help(entries: &[&Explanation], is_markdown: bool) -> String {
    let mut paragraphs = Vec::new();
    for entry in entries {
        paragraphs.push(if is_markdown {
            format!("## {}", entry.title)
        } else {
            entry.title.to_string()
        });
        let parts = [
            ("", Some(&entry.means)),
            ("Why it is bad", Some(&entry.bad)),
            ("With the code flow", entry.code_flow.as_ref()),
            ("To fix it", Some(&entry.fix)),
        ];
        for (label, text) in parts {
            let Some(text) = text else { continue };
            paragraphs.push(match (label, is_markdown) {
                ("", _) => text.to_string(),
                (label, true) => format!("**{label}.** {text}"),
                (label, false) => format!("{label}: {text}"),
            });
        }
        paragraphs.push(format!("See {}.", entry.references.join(", ")));
    }
    if paragraphs.is_empty() {
        paragraphs.push("Keep credentials out of what is recorded.".into());
    }
    paragraphs.join("\n\n")
}

/// `handoff-fragment_access_token` as `HandoffFragmentAccessToken`, which is how rules are named (§3.49.7).
fn pascal(name: &str) -> String {
    let words = name.split(['-', '_']).map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
