//! The wire form of what one part of the evidence comes to: what `correlate --part` hands to the `correlate` that puts
//! parts together. Between two processes of one version, and no format that anyone else reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Act, Finding, Trail};

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// A finding.
    Finding(Box<Told>),
    /// A trail.
    Trail {
        /// The trail.
        trail: Box<Trail>,
    },
    /// What a thief of a profile can do with what is in this part.
    Profile(Profile),
    /// The end.
    Part(Account),
}

/// A finding. That of a weakness is one of several, which are merged.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The finding. All sources are counted in it.
    pub finding: Finding,
    /// Whether it meets `--fail-on`, but for the baseline.
    pub meets: bool,
}

/// A browser profile, as far as it is in this part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// What tells it from others.
    #[serde(flatten)]
    pub name: Name,
    /// What its thief can do.
    pub acts: Vec<Act>,
}

/// What tells a profile from others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Name {
    /// Machine.
    pub host: Option<String>,
    /// Account.
    pub user: Option<String>,
    /// Browser.
    pub browser: Option<String>,
    /// Name of the profile.
    pub profile: Option<String>,
    /// Path and members of the one file that is the profile, where nothing names it.
    pub file: Option<(String, Vec<String>)>,
}

/// What a part had.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    /// Names the part: a digest of the sightings in it.
    pub part: String,
    /// Sightings by run.
    pub sightings: BTreeMap<String, u64>,
    /// Findings that the filters left out.
    pub left_out: u64,
}
