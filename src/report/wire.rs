//! The wire format `tokentrail/1`: types of their own, so that the domain can change and the format cannot.
//! Within the version fields are only added. Every report is rendered from these and from nothing else.

mod finding;
mod ids;
pub mod part;
pub mod shard;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use finding::{
    Accepted, Claims, ExposedTo, Finding, Locator, Remediation, SeenIn, Sighting, SightingSource,
    Verdict,
};

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "tokentrail/1";

/// Sightings that a finding carries; the others are counted, per source, in
/// [`Finding::sightings_by_source`]. More than an examiner looks up by hand.
pub const SIGHTINGS: usize = 20;

/// A count for each name.
pub type Counts = BTreeMap<String, u64>;

/// One run over some evidence. All times are RFC 3339, UTC; all ids are 32 hex characters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "tokentrail/1")]
pub struct Report {
    /// `tokentrail/1`.
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// What was asked for.
    pub run: Run,
    /// The run in numbers.
    pub summary: Summary,
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// Protocol runs that were put together again, clean ones too.
    pub trails: Vec<Trail>,
    /// Browser profiles, and what a thief of each can do.
    pub profiles: Vec<Profile>,
    /// Evidence that a reader claimed, or that could not be opened.
    pub sources: Vec<Source>,
    /// How many files no reader claimed, by reason.
    pub not_claimed: Counts,
    /// What was not read, or not to its end, and why.
    pub problems: Vec<Problem>,
}

/// A program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `tokentrail`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Moment of the `now` verdicts and of every age.
    pub as_of: String,
    /// `--label`.
    pub label: Option<String>,
    /// The machine that all attributed evidence comes from, when it is one.
    pub host: Option<String>,
    /// Options that change the result.
    pub options: Options,
}

/// Options that change the result, as they were in effect.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// `--min-severity`.
    pub min_severity: String,
    /// `--since`.
    pub since: Option<String>,
    /// `--until`.
    pub until: Option<String>,
    /// `--reveal`.
    pub reveal: Vec<String>,
    /// `--fail-on`.
    pub fail_on: Vec<String>,
    /// `--gate`.
    pub gate: String,
    /// `--channel`.
    pub channel: String,
    /// `--code-lifetime`, in seconds.
    pub code_lifetime: Option<i64>,
    /// `--type`.
    pub r#type: Option<String>,
    /// `--log-timezone`.
    pub log_timezone: Option<String>,
    /// `--all-text`.
    pub all_text: bool,
    /// `--residue`.
    #[serde(default)]
    pub residue: bool,
    /// Whether `--fingerprint-key` was given: fingerprints compare only with those under the same key.
    pub fingerprint_key: bool,
    /// Whether `--jwks` was given.
    pub jwks: bool,
    /// Whether rules of `--rules` were added.
    pub rules: bool,
    /// Whether `--baseline` was given.
    #[serde(default)]
    pub baseline: bool,
    /// `--verdict`.
    #[serde(default)]
    pub verdict: Vec<String>,
}

impl Options {
    /// With the options of the map half.
    #[must_use]
    pub fn behind(self, map: &shard::Options, is_keyed: bool) -> Self {
        Self {
            r#type: map.r#type.clone(),
            log_timezone: map.log_timezone.clone(),
            all_text: map.all_text,
            residue: map.residue,
            fingerprint_key: is_keyed,
            jwks: map.jwks,
            rules: self.rules || map.rules,
            ..self
        }
    }
}

/// The run in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Number of findings in the report.
    pub findings: u64,
    /// Findings that `--min-severity`, `--verdict`, `--since` or `--until` left out.
    pub left_out: u64,
    /// Findings that meet `--fail-on`.
    pub gated: u64,
    /// Findings by severity.
    pub by_severity: Counts,
    /// Findings by kind.
    pub by_kind: Counts,
    /// Findings by flow.
    pub by_flow: Counts,
    /// Findings by the state of their verdict at exposure.
    pub by_state_at_exposure: Counts,
    /// Findings by the state of their verdict now.
    pub by_state_now: Counts,
    /// Findings by status.
    #[serde(default)]
    pub by_status: Counts,
    /// Number of trails.
    pub trails: u64,
    /// Sources by status.
    pub sources: Counts,
    /// Size of the claimed sources on disk, in bytes.
    pub bytes: u64,
    /// Number of files that no reader claimed.
    pub not_claimed: u64,
}

/// One protocol run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Trail {
    /// Names the trail.
    pub id: String,
    /// What the run was.
    pub grant: String,
    /// What else is true of it.
    pub modifiers: Vec<String>,
    /// Client.
    pub client_id: Option<String>,
    /// Issuer.
    pub issuer: Option<String>,
    /// Where the response was to land, masked.
    pub redirect_uri: Option<String>,
    /// `not-observed`, `none`, `plain`, `s256` or `verifier-only`.
    pub pkce: String,
    /// Its steps in protocol order.
    pub steps: Vec<Step>,
    /// Why it is believed.
    pub clues: Vec<Clue>,
    /// What is wrong with the flow itself.
    pub weaknesses: Vec<Weakness>,
}

/// One step of a protocol run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The sighting; null when the step was not seen.
    pub sighting: Option<String>,
    /// What it was.
    pub role: String,
    /// When.
    pub at: Option<String>,
    /// Whether it must have happened, and was not seen.
    pub inferred: bool,
    /// Where it lies; null when the step was not seen.
    #[serde(default)]
    pub seen: Option<Seen>,
}

/// Where a step of a protocol run lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Path.
    pub path: String,
    /// Members inside archives.
    pub members: Vec<String>,
    /// Reader that claimed the source.
    pub reader: String,
    /// Where in it.
    pub locator: Locator,
    /// `front`, `direct` or `storage`.
    pub channel: String,
    /// The URL, masked.
    pub url: Option<String>,
}

/// Why a trail is believed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clue {
    /// One clause.
    pub text: String,
    /// Sightings that show it.
    pub sightings: Vec<String>,
}

/// What is wrong with a flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Weakness {
    /// Which.
    pub kind: String,
    /// Sightings that show it.
    pub sightings: Vec<String>,
}

/// One browser profile.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Machine.
    pub host: Option<String>,
    /// Account.
    pub user: Option<String>,
    /// Browser.
    pub browser: Option<String>,
    /// Name of the profile.
    pub profile: Option<String>,
    /// What whoever copies the profile can do at `as_of`.
    pub thief_can: ThiefCan,
}

/// What a thief can do with the findings of the result. Nothing when none of them is usable.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ThiefCan {
    /// State of the worst of them.
    pub worst: Option<String>,
    /// Each, worst first.
    pub acts: Vec<Act>,
}

/// A store of a browser profile, and how its owner clears it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HeldIn {
    /// What people call it.
    pub store: String,
    /// The box of the browser's own dialog that clears it; `null` where none is known to.
    pub cleared_by: Option<String>,
    /// What stays all the same.
    pub leaves: Option<String>,
    /// Whether that was measured on a real profile, not read off the dialog.
    pub measured: bool,
}

/// One thing that a thief can do at one application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// What: `refresh_tokens`, `log_in`, `redeem_code`, `call_api`, `take_over_session`, `impersonate`,
    /// `open_link`.
    pub act: String,
    /// Issuer of what is used for it.
    pub issuer: Option<String>,
    /// Client.
    pub application: Option<String>,
    /// The worst state among the findings.
    pub state: String,
    /// When the last of them stops being usable, where each has an expiry.
    pub until: Option<String>,
    /// The findings.
    pub findings: Vec<String>,
    /// The stores of the profile that hold them.
    #[serde(default)]
    pub held_in: Vec<HeldIn>,
}

/// One piece of evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Path as given, relative to `--source-root`; `-` is standard input.
    pub path: String,
    /// Members inside archives, outermost first.
    pub members: Vec<String>,
    /// Reader that claimed it; null when it could not be opened.
    pub reader: Option<String>,
    /// Size on disk; null for a stream.
    pub bytes: Option<u64>,
    /// `read`, `partial`, `unsupported` or `failed`.
    pub status: String,
    /// Why it is not `read`.
    pub reason: Option<String>,
    /// Seconds that its clock was ahead of the issuers' clocks, where tokens tell.
    pub clock_error_seconds: Option<f64>,
    /// SHA-256 of the file. Only with `--hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What was not read, or not to its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Path.
    pub path: String,
    /// Members inside archives.
    pub members: Vec<String>,
    /// Why, and what to do.
    pub reason: String,
}
