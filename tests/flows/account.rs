//! All that is told of one story, as text: trails with their steps and clues, findings with both verdicts, and what
//! a thief of the profile can do. Steps have numbers, so that a clue names its sightings by them.

use std::collections::BTreeMap;

use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, Masked};
use tokentrail::flow::{Correlated, Trail};
use tokentrail::judge::{self, Finding, Profile, Verdict};

use super::found::{Found, find};
use super::story::Story;

/// What comes of a story.
pub(crate) struct Told {
    pub(crate) correlated: Correlated,
    pub(crate) findings: Vec<Finding>,
    pub(crate) profiles: Vec<Profile>,
}

impl Told {
    pub(crate) fn of(story: &Story, rules: &Rules) -> Self {
        let Found {
            correlated,
            findings,
        } = find(&story.observations, story.as_of, rules);
        let profiles = judge::profiles(&correlated, &findings, &rules.stores);
        Self {
            correlated,
            findings,
            profiles,
        }
    }

    /// All of it, as text.
    pub(crate) fn account(&self, name: &str) -> String {
        let mut text = format!("{name}\n");
        let numbers: BTreeMap<Digest, usize> = self
            .correlated
            .sightings
            .iter()
            .enumerate()
            .map(|(at, sighting)| (sighting.id, at + 1))
            .collect();
        for (at, sighting) in self.correlated.sightings.iter().enumerate() {
            let url = sighting.url.as_ref().map(Masked::as_str);
            text += &format!(
                "  {} {} {}\n",
                at + 1,
                sighting.role.as_str(),
                url.unwrap_or("-")
            );
        }
        for trail in &self.correlated.trails {
            text += &of_trail(trail, &numbers);
        }
        for finding in &self.findings {
            text += &of_finding(finding, &self.correlated);
        }
        for profile in &self.profiles {
            text += &of_profile(profile, &self.findings);
        }
        text
    }
}

fn of_trail(trail: &Trail, numbers: &BTreeMap<Digest, usize>) -> String {
    let list = |ids: &[Digest]| {
        ids.iter()
            .map(|id| format!(" {}", numbers[id]))
            .collect::<String>()
    };
    let mut text = format!("  trail {}", trail.grant.as_str());
    let facts = [
        ("client", trail.client_id.as_deref()),
        ("issuer", trail.issuer.as_deref()),
        ("to", trail.redirect_uri.as_ref().map(Masked::as_str)),
        ("pkce", Some(trail.pkce.as_str())),
    ];
    for (what, value) in facts {
        text += &value.map_or_else(String::new, |value| format!(" | {what} {value}"));
    }
    for modifier in &trail.modifiers {
        text += &format!(" | {}", modifier.as_str());
    }
    text += "\n    steps";
    for step in &trail.steps {
        text += &match step.sighting {
            Some(id) => format!(" {}", numbers[&id]),
            None => format!(" ({})", step.role.as_str()),
        };
    }
    text += "\n";
    for clue in &trail.clues {
        text += &format!("    because {}:{}\n", clue.text, list(&clue.sightings));
    }
    for weakness in &trail.weaknesses {
        let sightings = list(&weakness.sightings);
        text += &format!("    weak {}:{sightings}\n", weakness.kind.as_str());
    }
    text
}

fn of_finding(finding: &Finding, correlated: &Correlated) -> String {
    let exposed = &finding.exposed_to;
    let seen: String = finding
        .seen
        .iter()
        .map(|(at, _)| format!(" {}", at + 1))
        .collect();
    let grants: String = finding
        .trails
        .iter()
        .map(|at| format!(" {}", correlated.trails[*at].grant.as_str()))
        .collect();
    format!(
        "  finding {} {} by {} | seen{seen} | in{grants}\n    {} to {} | {} {}\n    to {}\n    {} ({})\n    {}\n    then {}\n    now {}\n",
        finding.kind.as_str(),
        finding.flow.as_str(),
        finding.rule,
        finding.severity.as_str(),
        finding.severity_now.as_str(),
        moment(finding.first_seen),
        moment(finding.last_seen),
        exposed.who.join(", "),
        exposed.attack,
        exposed.reference,
        finding.remediation.text,
        of_verdict(&finding.at_exposure),
        of_verdict(&finding.now),
    )
}

fn of_verdict(verdict: &Verdict) -> String {
    format!(
        "{} {}, alone {}, until {}, {}, needs [{}]: {}",
        verdict.state.as_str(),
        verdict.basis.as_str(),
        verdict.alone.as_str(),
        moment(verdict.expires_at),
        verdict.holder,
        verdict.needs.join(" "),
        verdict.because,
    )
}

fn of_profile(profile: &Profile, findings: &[Finding]) -> String {
    let name = |part: &Option<Box<str>>| part.as_deref().unwrap_or("-").to_owned();
    let mut text = format!(
        "  thief of {} {} {} {}\n",
        name(&profile.host),
        name(&profile.user),
        name(&profile.browser),
        name(&profile.profile)
    );
    for grip in &profile.thief_can {
        let kinds: String = findings
            .iter()
            .filter(|it| grip.findings.contains(&it.id))
            .map(|it| format!(" {}", it.kind.as_str()))
            .collect();
        let held: Vec<&str> = grip.held_in.iter().map(|it| &*it.store).collect();
        text += &format!(
            "    can {} as {} at {} ({}, until {}) with{kinds}, held in {}\n",
            grip.act.as_str(),
            name(&grip.application),
            name(&grip.issuer),
            grip.state.as_str(),
            moment(grip.until),
            held.join(", ")
        );
    }
    text
}

fn moment(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}
