//! The wire form of a finding.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One credential, or one weakness of a flow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Names the finding.
    pub id: String,
    /// Names the leak: survives a new recording with new tokens.
    pub leak: String,
    /// Names the value, the same wherever it is seen; null when the value could be guessed from it.
    pub fingerprint: Option<String>,
    /// What it is.
    pub kind: String,
    /// The rule that found it.
    pub rule: String,
    /// How the value got there.
    pub flow: String,
    /// Client, where a message or a claim names it.
    #[serde(default)]
    pub application: Option<String>,
    /// Issuer, where a message or a claim names it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Which weakness, when `kind` is `flow_weakness`.
    pub weakness: Option<String>,
    /// `info`, `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The same by the verdict at `as_of`.
    #[serde(default)]
    pub severity_now: String,
    /// `new`; or by `--baseline` `known`, or `suppressed` with a reason.
    pub status: String,
    /// What the baseline says of its leak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Accepted>,
    /// Kind and length of the value.
    pub shown: String,
    /// The raw value. Only with `--reveal values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Personal claims by name. Only with `--reveal identities`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<BTreeMap<String, String>>,
    /// What the value says of itself, when it is a token that says anything.
    pub claims: Option<Claims>,
    /// First moment in the evidence.
    pub first_seen_at: Option<String>,
    /// Last moment in the evidence.
    pub last_seen_at: Option<String>,
    /// Seconds from the first moment to `as_of`; null where the evidence has no time.
    pub age_seconds: Option<i64>,
    /// Worst over its sightings, when they happened.
    pub at_exposure: Verdict,
    /// At `as_of`.
    pub now: Verdict,
    /// Who can read it where it lies.
    pub exposed_to: ExposedTo,
    /// Trails that it takes part in.
    pub trails: Vec<String>,
    /// What to change.
    pub remediation: Remediation,
    /// Where it was seen, earliest first. Never empty; capped at 20.
    pub sightings: Vec<Sighting>,
    /// How often it was seen.
    pub sightings_total: u64,
    /// Per source, when `sightings` is capped; else empty.
    pub sightings_by_source: Vec<SeenIn>,
}

/// An entry of the baseline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// Why the leak is accepted.
    pub reason: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// Whether that has passed at `as_of`, so that the finding is `new` again.
    pub is_over: bool,
}

/// Protocol claims of a token. Claims until `signature` is `verified`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Claims {
    /// `none`, `unverified`, `verified`, `invalid`, `unsigned` or `cut`.
    pub signature: String,
    /// `alg` of the header.
    pub alg: Option<String>,
    /// `typ` of the header.
    pub typ: Option<String>,
    /// Whether it is encrypted, and its claims unreadable.
    pub encrypted: bool,
    /// `iss`.
    pub iss: Option<String>,
    /// `aud`.
    pub aud: Vec<String>,
    /// `azp`, or another claim that names the client.
    pub azp: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `iat`.
    pub iat: Option<i64>,
    /// `exp`.
    pub exp: Option<i64>,
    /// Which member of `cnf` binds it to a key.
    pub cnf: Option<String>,
}

/// What one holder can do with a value at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// `live`, `replayable`, `unknown`, `guarded`, `bound`, `spent`, `revoked`, `expired` or `inert`.
    pub state: String,
    /// How that is known: `proven` by the evidence, `documented` by a provider, `assumed` from a specification.
    pub basis: String,
    /// When it stops being usable, where that is known.
    pub expires_at: Option<String>,
    /// What this holder lacks.
    pub needs: Vec<String>,
    /// Who the holder is.
    pub holder: String,
    /// Why, in one sentence.
    pub because: String,
    /// The state for whoever has only the one file.
    pub alone: String,
}

/// Who can read a value where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExposedTo {
    /// Its readers.
    pub who: Vec<String>,
    /// Id of the attack that follows.
    pub attack: String,
    /// Where the attack is described.
    pub reference: String,
    /// Which attack the code flow stops here, or why it does not: one sentence.
    #[serde(default)]
    pub code_flow: String,
}

/// What to change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Remediation {
    /// One sentence.
    pub text: String,
    /// Specifications.
    pub references: Vec<String>,
}

/// One value, or one message, seen once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// Names the sighting.
    pub id: String,
    /// The evidence.
    pub source: SightingSource,
    /// Where in it.
    pub locator: Locator,
    /// `live`, `uncheckpointed` or `recovered`.
    pub view: String,
    /// Which protocol message it is.
    pub role: String,
    /// `front`, `direct` or `storage`.
    pub channel: String,
    /// Which part of the message held it; null for a weakness.
    pub slot: Option<String>,
    /// Parameter, header or key; null for a weakness.
    pub name: Option<String>,
    /// When.
    pub at: Option<String>,
    /// Which clock said so.
    pub at_basis: Option<String>,
    /// Whether the zone of that clock was assumed.
    pub at_zone_assumed: bool,
    /// The URL, masked.
    pub url: Option<String>,
}

/// The evidence of a sighting.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SightingSource {
    /// Path as given, relative to `--source-root`; `-` is standard input.
    pub path: String,
    /// Members inside archives, outermost first.
    pub members: Vec<String>,
    /// Reader that claimed it.
    pub reader: String,
    /// Browser.
    pub browser: Option<String>,
    /// Browser profile.
    pub profile: Option<String>,
    /// Machine.
    pub host: Option<String>,
    /// Account.
    pub user: Option<String>,
    /// SHA-256 of the file. Only with `--hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Where in a source. Lines and columns count from 1, bytes and indices from 0.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Locator {
    /// A cell of a SQLite table.
    Row {
        /// Table.
        table: String,
        /// SQLite rowid.
        rowid: i64,
        /// Column.
        column: String,
    },
    /// A line of text, after decompression.
    Line {
        /// Line.
        number: u64,
        /// Offset of its first byte.
        byte: u64,
    },
    /// A value of a HAR entry.
    Entry {
        /// Index of the entry.
        index: u64,
        /// JSON pointer from the document's root (RFC 6901).
        pointer: String,
        /// Line of the value.
        line: u64,
        /// Column of the value, in bytes.
        column: u64,
    },
    /// A record of a key-value store, a session file, a cache or a journal.
    Record {
        /// File inside the store.
        file: String,
        /// Key, when it is public.
        key: String,
        /// Sequence number.
        sequence: u64,
    },
    /// Bytes that no structure explains.
    Bytes {
        /// Offset in the file.
        offset: u64,
        /// The file that has them, where it is not the source itself but lies beside it (`History-journal`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// What the residue of a database lies in: `free_page`, `freeblock`, `unallocated`, `slack`, `wal`,
        /// `wal_slack` or `journal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<String>,
        /// Whether nothing tells where the value begins or ends.
        #[serde(default, skip_serializing_if = "is_false")]
        uncertain: bool,
    },
}

/// A source in which a finding was seen often.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SeenIn {
    /// Path.
    pub path: String,
    /// Members inside archives.
    pub members: Vec<String>,
    /// How often.
    pub sightings: u64,
    /// First moment.
    pub first_at: Option<String>,
    /// Last moment.
    pub last_at: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
