//! The wire format `tokentrail-sightings/1`: what the map half of a run hands to the reduce half, one object
//! a line. Of its own, so that reports and shards can change apart; within the version fields are only added.
//!
//! Lines stand in any order and may be repeated. Each names its run; a run's trailer says how many it has.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Locator, is_false};
pub use super::ids::{Hex, Key};
use super::{Counts, Tool};

/// Value of [`Run::schema`].
pub const SCHEMA: &str = "tokentrail-sightings/1";

/// A text of a sighting: the sighting's own while it is written, of its own when it was read.
pub type Text<'a> = Cow<'a, str>;

/// One line. All ids and digests are 32 hex characters, all times RFC 3339, UTC.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(title = "tokentrail-sightings/1")]
pub enum Line<'a> {
    /// What was asked for.
    Run(Run),
    /// One piece of evidence.
    Source(Source),
    /// Why a source was not read, or not to its end.
    Problem(Problem),
    /// Files that no reader claimed.
    NotClaimed(NotClaimed),
    /// One protocol message, or one stored value, seen once.
    Sighting(Box<Sighting<'a>>),
    /// The end.
    Trailer(Trailer),
}

/// What every line has.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Head {
    /// What the line is.
    pub r#type: String,
    /// Its run. What a part came to has none.
    pub run: Option<String>,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Names the run: the same for the same files and options, on any machine.
    pub run: String,
    /// `tokentrail-sightings/1`.
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// `--label`.
    pub label: Option<String>,
    /// Names the key of `--fingerprint-key`: all runs that meet must have the same one.
    pub fingerprint_key: Option<String>,
    /// Options that change the sightings.
    pub options: Options,
}

/// Options that change the sightings, as they were in effect.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// `--type`.
    pub r#type: Option<String>,
    /// `--log-timezone`.
    pub log_timezone: Option<String>,
    /// `--all-text`.
    pub all_text: bool,
    /// `--hash`.
    pub hash: bool,
    /// `--residue`.
    #[serde(default)]
    pub residue: bool,
    /// Whether `--jwks` was given.
    pub jwks: bool,
    /// Whether rules of `--rules` were added.
    pub rules: bool,
}

/// One piece of evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its run.
    pub run: String,
    /// Names the source: a digest of its path and members.
    pub id: String,
    /// Path as given, relative to `--source-root`; `-` is standard input.
    pub path: String,
    /// Members inside archives, outermost first.
    pub members: Vec<String>,
    /// Reader that claimed it; null when it could not be opened.
    pub reader: Option<String>,
    /// Machine.
    pub host: Option<String>,
    /// Account.
    pub user: Option<String>,
    /// Browser.
    pub browser: Option<String>,
    /// Browser profile.
    pub profile: Option<String>,
    /// Size on disk; null for a stream.
    pub bytes: Option<u64>,
    /// `read`, `partial`, `unsupported` or `failed`.
    pub status: String,
    /// Seconds that its clock was ahead of the issuers' clocks, where tokens tell.
    pub clock_error_seconds: Option<f64>,
    /// SHA-256 of the file. Only with `--hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Why a source was not read, or not to its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Its run.
    pub run: String,
    /// Id of the source.
    pub source: String,
    /// Its place among the problems of the source, from 0.
    pub number: u64,
    /// Why, and what to do.
    pub reason: String,
}

/// Files that no reader claimed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotClaimed {
    /// Its run.
    pub run: String,
    /// How many, by reason.
    pub files: Counts,
}

/// The end of a run: how many different lines of each type it has. A run without one was cut off.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
pub struct Totals {
    /// Lines of type `source`.
    pub sources: u64,
    /// Lines of type `problem`.
    pub problems: u64,
    /// Lines of type `sighting`.
    pub sightings: u64,
    /// Files in the line of type `not_claimed`.
    pub not_claimed: u64,
}

/// The end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Trailer {
    /// Its run.
    pub run: String,
    /// What the run has.
    #[serde(flatten)]
    pub totals: Totals,
}

/// One protocol message, or one stored value, seen once. Holds no raw credential and no personal claim.
/// Fields that say nothing are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sighting<'a> {
    /// Its run.
    pub run: Text<'a>,
    /// Names the sighting: the same on every machine and in every run.
    pub id: Hex,
    /// Id of the source.
    pub source: Hex,
    /// Where in it.
    pub locator: Locator,
    /// `live`, `uncheckpointed` or `recovered`.
    pub view: Text<'a>,
    /// When, where the evidence tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment<'a>>,
    /// How it was reached.
    pub via: Text<'a>,
    /// Host that received a `Referer`, where the evidence names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<Text<'a>>,
    /// Its visit in a browser history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    /// Key of the exchange that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Key>,
    /// Which protocol message it is.
    pub role: Text<'a>,
    /// Method of the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Text<'a>>,
    /// Status of the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `front`, `direct` or `storage`.
    pub channel: Text<'a>,
    /// The store, when it is a stored value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Text<'a>>,
    /// The URL, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Text<'a>>,
    /// Public parts of that URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address<'a>>,
    /// Digest of where it landed, to compare with `redirect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing: Option<Hex>,
    /// Digest of where the response was to land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Hex>,
    /// Protocol parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param<'a>>,
    /// What is or may be a credential in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential<'a>>,
    /// Every key that joins it to others, as `kind:digest`: what an engine groups by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// What it may belong to by time alone, as `near:` with the id of another sighting of the source or with the
    /// digest of a stretch of time: joins as `keys` do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Key>,
}

/// A moment, and how far its clock can be believed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moment<'a> {
    /// The moment.
    pub instant: Text<'a>,
    /// Which clock said so.
    pub basis: Text<'a>,
    /// Whether the zone of that clock was assumed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub zone_assumed: bool,
}

/// A visit, and the earlier observed ones that led to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    /// Its key.
    pub own: Key,
    /// Those before it, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<Ancestor>,
}

/// An earlier visit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ancestor {
    /// Hops between; 1 is directly before.
    pub hops: u8,
    /// Its key.
    pub key: Key,
}

/// Public parts of a URL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Address<'a> {
    /// Scheme; empty for a request target.
    pub scheme: Text<'a>,
    /// Host; empty for a request target on an unnamed server.
    pub host: Text<'a>,
    /// Port, when it is not the scheme's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Path, its variable segments replaced by `{}`.
    pub path: Text<'a>,
}

/// A protocol parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Param<'a> {
    /// Registered name.
    pub name: Text<'a>,
    /// Its value, when it is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Text<'a>>,
    /// Where it sat.
    pub slot: Text<'a>,
}

/// What is or may be a credential.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Credential<'a> {
    /// Names the credential.
    pub id: Hex,
    /// What it is, as far as this message tells.
    pub kind: Text<'a>,
    /// The rule that found it.
    pub rule: Text<'a>,
    /// Which part of the message held it.
    pub slot: Text<'a>,
    /// Parameter, header or key.
    pub name: Text<'a>,
    /// Decodings between the evidence and the value, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nesting: Vec<Text<'a>>,
    /// Kind and length of the value.
    pub shown: Text<'a>,
    /// Names the value; left out when the value could be guessed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Hex>,
    /// Its own join keys, as `kind:digest`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims<'a>>,
    /// What is known of its signature.
    pub signature: Text<'a>,
    /// Evidence so far, in the points of the rules.
    pub score: i16,
}

/// What a token says of itself. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Claims<'a> {
    /// `alg` of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<Text<'a>>,
    /// `typ` of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typ: Option<Text<'a>>,
    /// Whether it is encrypted, and its claims unreadable.
    #[serde(skip_serializing_if = "is_false")]
    pub encrypted: bool,
    /// `iss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<Text<'a>>,
    /// `aud`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<Text<'a>>,
    /// `azp`, or another claim that names the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<Text<'a>>,
    /// `scope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Text<'a>>,
    /// `exp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// `iat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// `nbf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Which member of `cnf` binds it to a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Text<'a>>,
    /// Whether it has a `nonce`.
    #[serde(skip_serializing_if = "is_false")]
    pub nonce: bool,
    /// Whether it has personal claims; which ones is not said.
    #[serde(skip_serializing_if = "is_false")]
    pub personal: bool,
    /// Whether it has roles, groups or administrative scopes.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
}
