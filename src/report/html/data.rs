//! The findings as the script of the page reads them: JSON that cannot end the element it stands in, with texts cut
//! and made harmless here, and each text that recurs written once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use serde::Serialize;

use super::super::telling;
use super::super::wire::{Finding, Report, Sighting, Step, Trail, Verdict};
use super::charts::weight;
use super::text::plain;
use crate::atoms::rules::Explanations;
use crate::atoms::rules::explain::Topic;

/// Steps of a protocol run that its diagram can show.
const STEPS: usize = 40;

/// Writes the data.
pub(super) fn render(report: &Report, texts: &Explanations, out: &mut dyn Write) -> io::Result<()> {
    let mut words = Words::default();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for finding in &report.findings {
        used.extend(finding.trails.iter().map(String::as_str));
    }
    let trails = report.trails.iter().filter(|it| used.contains(&*it.id));
    let trails: Vec<&Trail> = trails.collect();
    let numbers: HashMap<&str, usize> = trails
        .iter()
        .enumerate()
        .map(|(number, trail)| (&*trail.id, number))
        .collect();
    let findings = report.findings.iter();
    let findings: Vec<Row> = findings.map(|it| row(it, &numbers, &mut words)).collect();
    let trails: Vec<Run> = trails.into_iter().map(|it| run(it, &mut words)).collect();
    let explained = explained(report, texts);
    let data = Data {
        as_of: plain(&report.run.as_of),
        texts: words.texts,
        findings,
        trails,
        explained,
    };
    serde_json::to_writer(Inert(out), &data)?;
    Ok(())
}

#[derive(Serialize)]
struct Data {
    as_of: String,
    texts: Vec<String>,
    findings: Vec<Row>,
    trails: Vec<Run>,
    explained: BTreeMap<String, Explained>,
}

/// A text by its number.
type Word = usize;

/// Texts, each once.
#[derive(Default)]
struct Words {
    texts: Vec<String>,
    numbers: HashMap<String, Word>,
}

impl Words {
    fn of(&mut self, text: &str) -> Word {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len();
        self.texts.push(plain(text));
        self.numbers.insert(text.into(), number);
        number
    }

    fn maybe(&mut self, text: Option<&str>) -> Option<Word> {
        text.map(|text| self.of(text))
    }
}

#[derive(Serialize)]
struct Row {
    id: String,
    leak: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    kind: Word,
    flow: Word,
    weight: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weakness: Option<Word>,
    severity: Word,
    status: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Word>,
    shown: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identities: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Word>,
    then: Worth,
    now: Worth,
    who: Word,
    attack: Word,
    reference: Word,
    code_flow: Word,
    fix: Word,
    references: Word,
    trails: Vec<usize>,
    seen: Vec<Place>,
    total: u64,
}

#[derive(Serialize)]
struct Worth {
    state: Word,
    basis: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    needs: Word,
    holder: Word,
    because: Word,
    alone: Word,
}

/// A place where a value, or a step of a run, lies.
#[derive(Serialize)]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    path: Word,
    locator: String,
    reader: Word,
    channel: Word,
    role: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Word>,
}

#[derive(Serialize)]
struct Run {
    grant: Word,
    modifiers: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<Word>,
    pkce: Word,
    clues: Vec<Word>,
    /// A step that was not seen has no path.
    steps: Vec<Hop>,
    more: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Hop {
    Seen(Place),
    Unseen { role: Word },
}

#[derive(Serialize)]
struct Explained {
    title: String,
    means: String,
    bad: String,
    fix: String,
    references: String,
}

fn row(finding: &Finding, trails: &HashMap<&str, usize>, words: &mut Words) -> Row {
    let exposed = &finding.exposed_to;
    let identities = finding.identities.iter().flatten();
    let why = finding
        .baseline
        .as_ref()
        .and_then(|it| it.reason.as_deref());
    Row {
        id: plain(&finding.id),
        leak: plain(&finding.leak),
        fingerprint: finding.fingerprint.as_deref().map(plain),
        kind: words.of(&finding.kind),
        flow: words.of(&finding.flow),
        weight: weight(&finding.flow),
        weakness: words.maybe(finding.weakness.as_deref()),
        severity: words.of(&finding.severity),
        status: words.of(&finding.status),
        why: words.maybe(why),
        shown: words.of(&finding.shown),
        value: finding.value.as_deref().map(plain),
        identities: identities
            .map(|(name, value)| (plain(name), plain(value)))
            .collect(),
        app: words.maybe(telling::application(finding)),
        issuer: words.maybe(finding.issuer.as_deref()),
        first: finding.first_seen_at.as_deref().map(plain),
        last: finding.last_seen_at.as_deref().map(plain),
        age: words.maybe(finding.age_seconds.map(telling::age).as_deref()),
        then: worth(&finding.at_exposure, words),
        now: worth(&finding.now, words),
        who: words.of(&exposed.who.join(", ")),
        attack: words.of(&exposed.attack),
        reference: words.of(&exposed.reference),
        code_flow: words.of(&exposed.code_flow),
        fix: words.of(&finding.remediation.text),
        references: words.of(&finding.remediation.references.join(", ")),
        trails: finding
            .trails
            .iter()
            .filter_map(|id| trails.get(&**id).copied())
            .collect(),
        seen: finding
            .sightings
            .iter()
            .map(|it| place(it, words))
            .collect(),
        total: finding.sightings_total,
    }
}

fn worth(verdict: &Verdict, words: &mut Words) -> Worth {
    Worth {
        state: words.of(&verdict.state),
        basis: words.of(&verdict.basis),
        until: verdict.expires_at.as_deref().map(plain),
        needs: words.of(&verdict.needs.join(" and ")),
        holder: words.of(&verdict.holder),
        because: words.of(&verdict.because),
        alone: words.of(&verdict.alone),
    }
}

fn place(sighting: &Sighting, words: &mut Words) -> Place {
    let source = &sighting.source;
    let part = sighting.slot.as_ref().zip(sighting.name.as_ref());
    let part = part.map(|(slot, name)| format!("{slot} {name}"));
    let view = Some(&*sighting.view).filter(|view| *view != "live");
    let clock = sighting.at_basis.as_ref().map(|basis| {
        let zone = if sighting.at_zone_assumed {
            ", zone assumed"
        } else {
            ""
        };
        format!("{}{zone}", telling::words(basis))
    });
    Place {
        id: Some(plain(&sighting.id)),
        path: words.of(&telling::path(&source.path, &source.members)),
        locator: plain(&telling::locator(&sighting.locator)),
        reader: words.of(&source.reader),
        channel: words.of(&sighting.channel),
        role: words.of(&sighting.role),
        at: sighting.at.as_deref().map(plain),
        url: sighting.url.as_deref().map(plain),
        part: words.maybe(part.as_deref()),
        view: words.maybe(view),
        clock: words.maybe(clock.as_deref()),
        sha256: words.maybe(source.sha256.as_deref()),
    }
}

fn run(trail: &Trail, words: &mut Words) -> Run {
    let clues = trail.clues.iter().take(STEPS);
    Run {
        grant: words.of(&trail.grant),
        modifiers: words.of(&trail.modifiers.join(", ")),
        client: words.maybe(trail.client_id.as_deref()),
        issuer: words.maybe(trail.issuer.as_deref()),
        redirect: words.maybe(trail.redirect_uri.as_deref()),
        pkce: words.of(&trail.pkce),
        clues: clues.map(|clue| words.of(&clue.text)).collect(),
        steps: trail
            .steps
            .iter()
            .take(STEPS)
            .map(|step| hop(step, words))
            .collect(),
        more: trail.steps.len().saturating_sub(STEPS),
    }
}

fn hop(step: &Step, words: &mut Words) -> Hop {
    let role = words.of(&step.role);
    match &step.seen {
        None => Hop::Unseen { role },
        Some(seen) => Hop::Seen(Place {
            id: step.sighting.as_deref().map(plain),
            path: words.of(&telling::path(&seen.path, &seen.members)),
            locator: plain(&telling::locator(&seen.locator)),
            reader: words.of(&seen.reader),
            channel: words.of(&seen.channel),
            role,
            at: step.at.as_deref().map(plain),
            url: seen.url.as_deref().map(plain),
            part: None,
            view: None,
            clock: None,
            sha256: None,
        }),
    }
}

/// The attacks and weaknesses that the findings name.
fn explained(report: &Report, texts: &Explanations) -> BTreeMap<String, Explained> {
    let findings = report.findings.iter();
    let named: BTreeSet<(Topic, &str)> = findings
        .flat_map(|it| {
            let weakness = it.weakness.as_deref();
            let weakness = weakness.map(|weakness| (Topic::Weakness, weakness));
            [
                (Topic::Attack, &*it.exposed_to.attack),
                (Topic::Flow, &*it.flow),
            ]
            .into_iter()
            .chain(weakness)
        })
        .collect();
    named
        .into_iter()
        .filter_map(|(topic, id)| {
            let name = format!("{}:{id}", topic.as_str());
            let entry = texts.get(&name)?;
            Some((
                name,
                Explained {
                    title: entry.title.to_string(),
                    means: entry.means.to_string(),
                    bad: entry.bad.to_string(),
                    fix: entry.fix.to_string(),
                    references: entry.references.join(", "),
                },
            ))
        })
        .collect()
}

/// Writes JSON so that no part of it is markup: `<`, `>` and `&` stand in strings alone, and there `\u003c` is the
/// same.
struct Inert<'a>(&'a mut dyn Write);

impl Write for Inert<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut plain = bytes;
        while let Some(at) = plain.iter().position(|it| matches!(it, b'<' | b'>' | b'&')) {
            let (before, rest) = plain.split_at_checked(at).unwrap_or((plain, &[]));
            self.0.write_all(before)?;
            if let Some((byte, rest)) = rest.split_first() {
                write!(self.0, "\\u{byte:04x}")?;
                plain = rest;
            }
        }
        self.0.write_all(plain)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_its_element() {
        let mut out = Vec::new();
        serde_json::to_writer(Inert(&mut out), "</script><!--&").unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, r#""\u003c/script\u003e\u003c!--\u0026""#);
        let read: String = serde_json::from_str(&json).unwrap();
        assert_eq!(read, "</script><!--&");
    }
}
