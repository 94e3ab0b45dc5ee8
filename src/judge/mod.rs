//! Stage 4: exposures become findings: who can read the value there, what it is worth, and what to do.
//! Knows the decision table and `as_of`; reads no clock.

mod assemble;
pub mod baseline;
mod clock;
mod exposed;
mod facts;
pub mod gate;
mod holder;
mod leak;
mod profiles;
mod remedy;
mod severity;
mod verdict;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::atoms::rules::{Rules, Stores};
use crate::atoms::{Digest, Fingerprint, Kind, Masked};
use crate::flow::{Correlated, Flow, WeaknessKind};

pub use exposed::ATTACKS;
pub use profiles::{Act, Grip, Held, Profile};
pub use remedy::REMEDIES;

/// All findings, worst first; equal ones by first moment and id.
pub fn findings(correlated: &Correlated, judging: &Judging<'_>) -> Vec<Finding> {
    assemble::findings(correlated, judging)
}

/// What a thief of each browser profile in the evidence can do at `as_of`, from these findings of it.
pub fn profiles(correlated: &Correlated, findings: &[Finding], stores: &Stores) -> Vec<Profile> {
    profiles::profiles(correlated, findings, stores)
}

/// What the judge is given beside the evidence.
#[derive(Clone, Debug)]
pub struct Judging<'a> {
    /// The moment of the `now` verdict.
    pub as_of: Timestamp,
    /// Lifetime of codes whose provider is unknown; 600 s when not given (RFC 6749 §4.1.2).
    pub code_lifetime: Option<SignedDuration>,
    /// Providers and texts.
    pub rules: &'a Rules,
    /// By [`crate::atoms::Source::digest`]: seconds that the source's clock was ahead of the issuers' clocks.
    pub clock_errors: &'a BTreeMap<Digest, f64>,
}

/// One credential, or one weakness of a flow, with its verdicts.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Digest of the credential's id, or of the weakness and its place.
    pub id: Digest,
    /// Digest of flow, slot, origin, path template, parameter and client: survives a new recording with new tokens.
    pub leak: Digest,
    /// Identity of the value, when it may have one.
    pub fingerprint: Option<Fingerprint>,
    /// [`crate::detect::Credential::id`], to look a value up in the side table.
    pub credential: Option<Digest>,
    /// What it is.
    pub kind: Kind,
    /// The weakness, when it is one.
    pub weakness: Option<WeaknessKind>,
    /// Id of the rule that found it.
    pub rule: Box<str>,
    /// How the value got there.
    pub flow: Flow,
    /// What it would do in the worst hands, by the verdict at exposure.
    pub severity: Severity,
    /// The same by the verdict at `as_of`.
    pub severity_now: Severity,
    /// Kind and length.
    pub shown: Masked,
    /// Earliest moment in the evidence.
    pub first_seen: Option<Timestamp>,
    /// Latest moment in the evidence.
    pub last_seen: Option<Timestamp>,
    /// Worst over its sightings, when they happened.
    pub at_exposure: Verdict,
    /// At `as_of`.
    pub now: Verdict,
    /// Who can read it where it lies.
    pub exposed_to: ExposedTo,
    /// What to do: one sentence.
    pub remediation: Remediation,
    /// Where it was seen: index into [`crate::flow::Correlated::sightings`], index into its credentials
    /// (`None` for a weakness). Never empty.
    pub seen: Vec<(usize, Option<usize>)>,
    /// Trails that it takes part in: indices into [`crate::flow::Correlated::trails`].
    pub trails: Vec<usize>,
}

/// How bad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Not a credential, or a code that S256 keeps; needed to understand a flow.
    Info,
    /// Supports another attack.
    Low,
    /// Usable only with a second secret, or identity data.
    Medium,
    /// Usable with little else, or within a short window.
    High,
    /// The holder can act as the user or the client now.
    Critical,
}

impl Severity {
    /// The severity of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Every severity, least first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The name on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What one holder can do with a value at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// What it is worth.
    pub state: State,
    /// How that is known.
    pub basis: Basis,
    /// When it stops being usable, where that is known.
    pub expires_at: Option<Timestamp>,
    /// What this holder lacks: `code_verifier`, `client_secret` …
    pub needs: Vec<&'static str>,
    /// Who holds it: whoever has this profile, this log, this capture.
    pub holder: Box<str>,
    /// Why, in one sentence that names no value.
    pub because: Box<str>,
    /// The verdict for whoever has only the one file.
    pub alone: State,
}

/// What a value is worth, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Usable by any holder.
    Live,
    /// Everything needed to exchange it is exposed to the same holder.
    Replayable,
    /// Expiry or protection is not visible.
    Unknown,
    /// Needs a secret that was not found.
    Guarded,
    /// Bound to a key of the sender.
    Bound,
    /// Single-use, and used.
    Spent,
    /// Revoked, or replaced by rotation.
    Revoked,
    /// Past its expiry.
    Expired,
    /// Not a credential.
    Inert,
}

impl State {
    /// The state of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Every state, worst first.
    pub const ALL: [Self; 9] = [
        Self::Live,
        Self::Replayable,
        Self::Unknown,
        Self::Guarded,
        Self::Bound,
        Self::Spent,
        Self::Revoked,
        Self::Expired,
        Self::Inert,
    ];

    /// Position in the order, 0 the worst. Spent, revoked and expired are equally bad.
    pub fn rank(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Replayable => 1,
            Self::Unknown => 2,
            Self::Guarded => 3,
            Self::Bound => 4,
            Self::Spent | Self::Revoked | Self::Expired => 5,
            Self::Inert => 6,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replayable => "replayable",
            Self::Unknown => "unknown",
            Self::Guarded => "guarded",
            Self::Bound => "bound",
            Self::Spent => "spent",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Inert => "inert",
        }
    }
}

/// How a verdict is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Basis {
    /// By the evidence.
    Proven,
    /// By a provider's documentation.
    Documented,
    /// From a specification.
    Assumed,
}

impl Basis {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Documented => "documented",
            Self::Assumed => "assumed",
        }
    }
}

/// Who can read the value where it lies, and the attack that follows.
#[derive(Clone, PartialEq, Debug)]
pub struct ExposedTo {
    /// Readers: `whoever copies the browser profile` …
    pub who: Vec<Box<str>>,
    /// Id of the attack, for `explain`.
    pub attack: &'static str,
    /// Where it is described: `RFC 9700 §4.3.2`.
    pub reference: Box<str>,
    /// Which attack the code flow stops here, or why it does not: one sentence.
    pub code_flow: Box<str>,
}

/// What to change.
#[derive(Clone, PartialEq, Debug)]
pub struct Remediation {
    /// One sentence.
    pub text: Box<str>,
    /// Specifications.
    pub references: Vec<Box<str>>,
}
