//! Compares a report with the truth, through the wire format alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::encode::rfc3339;
use crate::place::{Placed, World};
use crate::truth::{Credential, LEEWAY, Part, Run, Shown, State, Unseen};

/// Figures of one scan.
#[derive(Default)]
pub struct Outcome {
    /// True name and reported name of each run whose halves are both there: how often.
    pub confusion: BTreeMap<(&'static str, String), usize>,
    /// True and reported state: how often, at exposure and at the moment of the scan.
    pub at_exposure: BTreeMap<(String, String), usize>,
    pub now: BTreeMap<(String, String), usize>,
    /// Per case: credentials, unknown at exposure, unknown now.
    pub unknown: BTreeMap<&'static str, [usize; 3]>,
    /// Runs, whole runs, credentials in evidence.
    pub runs: usize,
    pub whole: usize,
    pub credentials: usize,
    /// Credentials of whole runs that no finding has.
    pub missing: Vec<String>,
    pub misnamed: Vec<String>,
    pub above: Vec<String>,
    /// Verdicts below the truth, by case, kind, true and reported state.
    pub below: BTreeMap<(&'static str, &'static str, String), usize>,
    /// Verdicts that only what no evidence shows would lower, by what that is.
    pub above_unseen: BTreeMap<&'static str, usize>,
}

/// A report, by value and by trail.
pub struct Report {
    findings: BTreeMap<String, Vec<Value>>,
    trails: BTreeMap<String, Value>,
    /// Trails by client and time of a step.
    steps: BTreeMap<(String, String), Vec<String>>,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

impl Report {
    pub fn read(report: &Value) -> Self {
        let mut read = Self {
            findings: BTreeMap::new(),
            trails: BTreeMap::new(),
            steps: BTreeMap::new(),
        };
        for finding in report["findings"].as_array().expect("findings") {
            if let Some(value) = finding["value"].as_str() {
                read.findings
                    .entry(value.to_owned())
                    .or_default()
                    .push(finding.clone());
            }
        }
        for trail in report["trails"].as_array().expect("trails") {
            let id = text(trail, "id").to_owned();
            for step in trail["steps"].as_array().into_iter().flatten() {
                if let Some(at) = instant(text(step, "at")) {
                    read.steps
                        .entry((text(trail, "client_id").to_owned(), at))
                        .or_default()
                        .push(id.clone());
                }
            }
            read.trails.insert(id, trail.clone());
        }
        read
    }

    fn grants(&self, finding: &Value) -> BTreeSet<String> {
        let ids = finding["trails"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        ids.filter_map(|id| self.trails.get(id))
            .map(|trail| text(trail, "grant").to_owned())
            .collect()
    }

    fn by_time(&self, client: &str, at: i64) -> BTreeSet<String> {
        let key = (client.to_owned(), rfc3339(at));
        let ids = self.steps.get(&key).into_iter().flatten();
        ids.map(|id| text(&self.trails[id], "grant").to_owned())
            .collect()
    }
}

/// One spelling of a time.
fn instant(text: &str) -> Option<String> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|time| rfc3339(time.as_millisecond()))
}

impl Outcome {
    /// Compares `report`, made as of `as_of` (milliseconds since 1970).
    pub fn of(world: &World, report: &Report, as_of: i64) -> Self {
        let mut outcome = Self {
            runs: world.runs.len(),
            ..Self::default()
        };
        for (number, (run, placed)) in world.runs.iter().zip(&world.placed).enumerate() {
            if placed.whole(run, world.unknown_clock(placed)) {
                outcome.whole += 1;
                outcome.name(number, run, placed, world, report);
            }
            for credential in &run.credentials {
                outcome.judge(number, run, placed, credential, world, report, as_of);
            }
        }
        outcome
    }

    fn name(&mut self, number: usize, run: &Run, placed: &Placed, world: &World, report: &Report) {
        let names = placed.names(run);
        let grants = match &run.primary {
            Some(value) => report
                .findings
                .get(value)
                .into_iter()
                .flatten()
                .flat_map(|finding| {
                    let grants = report.grants(finding);
                    if grants.is_empty() && run.single {
                        [text(finding, "flow").to_owned()].into()
                    } else {
                        grants
                    }
                })
                .collect(),
            None => self.by_request(run, placed, report),
        };
        let wrong: Vec<&String> = grants
            .iter()
            .filter(|grant| !names.contains(&grant.as_str()))
            .collect();
        let reported = wrong
            .first()
            .copied()
            .or(grants.first())
            .cloned()
            .unwrap_or_else(|| "(none)".to_owned());
        if !wrong.is_empty() || grants.is_empty() {
            self.misnamed.push(format!(
                "{}: {names:?}, trail {reported}",
                describe(number, run, placed, world)
            ));
        }
        *self.confusion.entry((names[0], reported)).or_default() += 1;
        for credential in run
            .credentials
            .iter()
            .filter(|credential| credential.kind != "client_secret")
        {
            let accepted = if credential.flows.is_empty() {
                &names
            } else {
                &credential.flows
            };
            for finding in report.findings.get(&credential.value).into_iter().flatten() {
                let flow = text(finding, "flow");
                // A log does not tell a page from a resource (RFC 6750 §2.3).
                let logged = flow == "bearer-in-query"
                    && accepted == &["handoff-query"]
                    && world.only_logged(&credential.value);
                if !accepted.contains(&flow) && !logged {
                    self.misnamed.push(format!(
                        "{}: {} {accepted:?}, flow {flow}",
                        describe(number, run, placed, world),
                        credential.kind
                    ));
                }
            }
        }
    }

    /// A run that left no credential is found by its client and its time.
    fn by_request(&self, run: &Run, placed: &Placed, report: &Report) -> BTreeSet<String> {
        let mut grants = BTreeSet::new();
        for &(file, index) in &placed.at {
            if run.messages[index].part == Part::Request {
                let error = match file {
                    crate::place::File::Profile(profile) => crate::history::clock_error(profile),
                    _ => 0,
                };
                let mut at = run.messages[index].at + error;
                if matches!(file, crate::place::File::Site(_)) {
                    at = at / 1000 * 1000;
                }
                grants.extend(report.by_time(&run.client_id, at));
            }
        }
        grants
    }

    #[expect(clippy::too_many_arguments, reason = "the truth and the claim")]
    fn judge(
        &mut self,
        number: usize,
        run: &Run,
        placed: &Placed,
        credential: &Credential,
        world: &World,
        report: &Report,
        as_of: i64,
    ) {
        let Some(seen) = world.evidence.seen.get(&credential.value) else {
            return;
        };
        self.credentials += 1;
        let findings = report.findings.get(&credential.value);
        let counts = self.unknown.entry(run.case).or_default();
        counts[0] += 1;
        let Some(findings) = findings else {
            if placed.whole(run, world.unknown_clock(placed)) {
                self.missing.push(format!(
                    "{}: {} not found",
                    describe(number, run, placed, world),
                    credential.kind
                ));
            }
            return;
        };
        let over = seen.iter().all(|&(_, at)| at <= as_of);
        let shown = Shown {
            message: &|message| placed.shows(message),
        };
        let worst = |at, unseen| {
            credential
                .worst(&world.evidence, at, &shown, unseen)
                .expect("seen")
        };
        for finding in findings {
            for (index, moment) in ["at_exposure", "now"].into_iter().enumerate() {
                if moment == "now" && !over {
                    continue;
                }
                let at = (moment == "now").then_some(as_of);
                let reported = State::named(text(&finding[moment], "state"));
                let alone = State::named(text(&finding[moment], "alone"));
                let nominal = worst(
                    at,
                    Unseen {
                        clock: -LEEWAY,
                        ..Unseen::default()
                    },
                );
                let truth = worst(at, Unseen::default());
                counts[1 + index] += usize::from(reported == State::Unknown);
                let table = if moment == "now" {
                    &mut self.now
                } else {
                    &mut self.at_exposure
                };
                *table
                    .entry((format!("{nominal:?}"), format!("{reported:?}")))
                    .or_default() += 1;
                if reported.rank() < nominal.rank() && reported != State::Unknown {
                    let states = format!("{moment} {nominal:?}: {reported:?}");
                    *self
                        .below
                        .entry((run.case, credential.kind, states))
                        .or_default() += 1;
                }
                for (what, claim) in [("", reported), (" alone", alone)] {
                    if claim == State::Unknown || claim.rank() <= truth.rank() {
                        continue;
                    }
                    let clock = world.unknown_clock(placed);
                    let causes = CAUSES.iter().map(|(name, unseen)| {
                        (
                            *name,
                            Unseen {
                                clock: unseen.clock * clock,
                                ..*unseen
                            },
                        )
                    });
                    if let Some((cause, _)) = causes
                        .into_iter()
                        .find(|(_, unseen)| claim.rank() <= worst(at, *unseen).rank())
                    {
                        *self.above_unseen.entry(cause).or_default() +=
                            usize::from(what.is_empty());
                        continue;
                    }
                    self.above.push(format!(
                        "{}: {} {moment}{what} {claim:?}, truth {truth:?} ({})",
                        describe(number, run, placed, world),
                        credential.kind,
                        text(&finding[moment], "because"),
                    ));
                }
            }
        }
    }
}

/// What excuses a verdict above the truth, the narrowest first. `clock` counts the machine's own error.
const CAUSES: &[(&str, Unseen)] = &[
    (
        "a use of the credential",
        Unseen {
            end: true,
            lifetime: false,
            clock: 0,
        },
    ),
    (
        "a shorter lifetime",
        Unseen {
            end: false,
            lifetime: true,
            clock: 0,
        },
    ),
    (
        "the clock's error",
        Unseen {
            end: false,
            lifetime: false,
            clock: 1,
        },
    ),
    (
        "several of these",
        Unseen {
            end: true,
            lifetime: true,
            clock: 1,
        },
    ),
];

/// The run in a line: where it is, under which server and clock.
fn describe(number: usize, run: &Run, placed: &Placed, world: &World) -> String {
    let files: BTreeSet<_> = placed.at.iter().map(|(file, _)| file).collect();
    format!(
        "run {number} ({}, {}, {:?}, clock unknown by {} ms) in {files:?}",
        run.case,
        run.client_id,
        run.tie,
        world.unknown_clock(placed)
    )
}
