//! Which findings make a run fail: `--fail-on`, `--gate`, `--channel`. Looks at findings, changes none.

use std::fmt;
use std::str::FromStr;

use super::{Finding, Severity, State, Verdict};
use crate::atoms::Kind;
use crate::collect::capture;
use crate::detect::Channel;
use crate::flow::{Correlated, Flow, WeaknessKind};

/// The gate of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    /// A finding that one of these selects meets the gate.
    pub selectors: Vec<Selector>,
    /// Which verdict counts.
    pub moment: Moment,
    /// Whether what only the direct channel of a capture shows counts too.
    pub direct: bool,
}

/// What `--fail-on` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    /// This severity, or a worse one.
    Severity(Severity),
    /// This way to get there.
    Flow(Flow),
    /// This kind of value.
    Kind(Kind),
    /// This state of the verdict.
    Verdict(State),
    /// One of these weaknesses of a flow.
    Weakness(&'static [WeaknessKind]),
    /// Nothing.
    Never,
}

/// Which verdict counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// When it was exposed: a leak is a leak after the token expired.
    AtExposure,
    /// At `as_of`.
    Now,
}

impl Gate {
    /// Whether the finding makes the run fail.
    pub fn meets(&self, finding: &Finding, correlated: &Correlated) -> bool {
        let verdict = match self.moment {
            Moment::AtExposure => &finding.at_exposure,
            Moment::Now => &finding.now,
        };
        (self.direct || reaches_beyond_the_capture(finding, correlated))
            && self
                .selectors
                .iter()
                .any(|selector| self.selects(*selector, finding, verdict))
    }

    fn selects(&self, selector: Selector, finding: &Finding, verdict: &Verdict) -> bool {
        match selector {
            Selector::Severity(least) => match self.moment {
                Moment::AtExposure => finding.severity >= least,
                // A flow stays weak when its tokens have died, and nothing dead is dangerous now.
                Moment::Now => {
                    finding.severity_now >= least
                        && (finding.weakness.is_some() || verdict.state <= State::Bound)
                }
            },
            Selector::Flow(flow) => finding.flow == flow,
            Selector::Kind(kind) => finding.kind == kind,
            Selector::Verdict(state) => verdict.state == state,
            Selector::Weakness(kinds) => finding.weakness.is_some_and(|kind| kinds.contains(&kind)),
            Selector::Never => false,
        }
    }
}

/// Whether it was seen anywhere but in the direct channel of a capture, which it always records.
fn reaches_beyond_the_capture(finding: &Finding, correlated: &Correlated) -> bool {
    finding.seen.iter().any(|(index, _)| {
        correlated.sightings.get(*index).is_some_and(|sighting| {
            sighting.channel == Channel::Front || !capture::is_one(&sighting.place.source.reader)
        })
    })
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(least) => f.write_str(least.as_str()),
            Self::Flow(flow) => write!(f, "flow:{}", flow.as_str()),
            Self::Kind(kind) => write!(f, "kind:{}", kind.as_str()),
            Self::Verdict(state) => write!(f, "verdict:{}", state.as_str()),
            Self::Weakness([one]) => write!(f, "weakness:{}", one.as_str()),
            Self::Weakness(_) => write!(f, "weakness:{NO_S256}"),
            Self::Never => f.write_str("never"),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((what, name)) = text.split_once(':') else {
            return match text {
                "never" => Ok(Self::Never),
                _ => match pick(text, &Severity::ALL, Severity::as_str) {
                    Ok(severity) => Ok(Self::Severity(severity)),
                    Err(known) => Err(format!(
                        "{known}, never, and starts with none of flow:, kind:, verdict:, weakness:"
                    )),
                },
            };
        };
        match what {
            "flow" => Ok(Self::Flow(pick(name, &Flow::ALL, Flow::as_str)?)),
            "kind" => Ok(Self::Kind(pick(name, &Kind::ALL, Kind::as_str)?)),
            "verdict" => Ok(Self::Verdict(pick(name, &State::ALL, State::as_str)?)),
            "weakness" => Ok(Self::Weakness(weakness(name)?)),
            _ => Err("a selector starts with flow:, kind:, verdict: or weakness:".into()),
        }
    }
}

static WEAKNESSES: [WeaknessKind; 10] = WeaknessKind::ALL;

const NO_S256: &str = "no-s256";

/// `no-s256` stands for both ways to lack it.
fn weakness(name: &str) -> Result<&'static [WeaknessKind], String> {
    if name == NO_S256 {
        return Ok(&[WeaknessKind::NoPkce, WeaknessKind::PkcePlain]);
    }
    let all: Vec<&'static WeaknessKind> = WEAKNESSES.iter().collect();
    pick(name, &all, |kind| kind.as_str())
        .map(std::slice::from_ref)
        .map_err(|known| format!("{known}, {NO_S256}"))
}

fn pick<T: Copy>(name: &str, all: &[T], as_str: fn(T) -> &'static str) -> Result<T, String> {
    all.iter()
        .copied()
        .find(|one| as_str(*one) == name)
        .ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
            format!("is none of {}", names.join(", "))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &Selector) {
        assert_eq!(text.parse::<Selector>().as_ref(), Ok(expect), "{text}");
        assert_eq!(expect.to_string(), text);
    }

    #[test]
    fn selectors_are_read_by_the_names_of_the_wire_format() {
        check("low", &Selector::Severity(Severity::Low));
        check("never", &Selector::Never);
        check("flow:implicit", &Selector::Flow(Flow::Implicit));
        check("kind:access_token", &Selector::Kind(Kind::AccessToken));
        check("verdict:live", &Selector::Verdict(State::Live));
        check(
            "weakness:no-state",
            &Selector::Weakness(&[WeaknessKind::NoState]),
        );
        check(
            "weakness:no-s256",
            &Selector::Weakness(&[WeaknessKind::NoPkce, WeaknessKind::PkcePlain]),
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "verdict:alive".parse::<Selector>().unwrap_err();
        assert!(error.contains("live, replayable"), "{error}");
        assert!("colour:red".parse::<Selector>().is_err());
        let error = "hihg".parse::<Selector>().unwrap_err();
        assert!(error.contains("critical, never"), "{error}");
        let error = "weakness:plain".parse::<Selector>().unwrap_err();
        assert!(error.ends_with("no-s256"), "{error}");
    }
}
