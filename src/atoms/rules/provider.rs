//! The provider table: which product answers at an endpoint, and what its documentation says of
//! lifetimes. Facts carry their evidence, and only documented ones may stand behind a verdict.

mod pattern;

use serde::Deserialize;

pub use pattern::Pattern;
use pattern::{segments, split};

/// The table that comes with the program.
const BUILTIN: &str = include_str!("../../../rules/providers.toml");

/// All providers, in the order of their file: the first that matches wins.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    rows: Vec<Provider>,
}

/// Why a provider table was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Not TOML, or a field that is unknown or of the wrong form.
    #[error("the provider table cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// Two rows share an id.
    #[error("provider `{0}` is listed twice")]
    Twice(Box<str>),
    /// A row does not match its own example.
    #[error("provider `{id}`: the example `{example}` is recognised as {found}")]
    Example {
        /// The row.
        id: Box<str>,
        /// Its example.
        example: Box<str>,
        /// What it is taken for instead.
        found: Box<str>,
    },
}

/// One product or service that issues credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Stable id.
    pub id: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// Authorization endpoints.
    #[serde(default)]
    pub authorize: Vec<Pattern>,
    /// Token endpoints.
    #[serde(default)]
    pub token: Vec<Pattern>,
    /// Issuers, without their scheme.
    #[serde(default)]
    pub issuer: Vec<Pattern>,
    /// The patterns say too little to be sure (a path that many products share): the row names the
    /// product, and its lifetimes stay out of verdicts.
    #[serde(default)]
    pub shared_path: bool,
    /// Lifetime of an authorization code.
    pub code: Option<Lifetime>,
    /// Lifetime of an access token.
    pub access: Option<Lifetime>,
    /// Lifetime of a refresh token.
    pub refresh: Option<Lifetime>,
    /// Form of its tokens.
    pub token_form: Option<Box<str>>,
    /// Form of its codes.
    pub code_form: Option<Box<str>>,
    /// What is known of the implicit grant.
    pub implicit: Option<Implicit>,
    /// Whether every client must authenticate to redeem a code, and the evidence for that.
    pub client_authentication: Option<Fact>,
    /// What becomes of a refresh token whose use brought another.
    pub replaced_refresh: Option<Rotation>,
    /// Whether an authorization request without `response_type` asks for a code.
    #[serde(default)]
    pub defaults_to_code: bool,
    /// URLs that the row must match.
    #[serde(default)]
    pub examples: Examples,
}

/// How long something is usable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetime {
    /// Seconds; the longest of them where the documentation names a range.
    pub seconds: u32,
    /// How it is known.
    pub grade: Grade,
    /// Whose statement it is.
    pub source: Box<str>,
}

/// Evidence for a fact.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// How it is known.
    pub grade: Grade,
    /// Whose statement it is.
    pub source: Box<str>,
}

/// What becomes of a refresh token whose use brought another, and the evidence for that.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// What becomes of it.
    pub old: Replaced,
    /// How it is known.
    pub grade: Grade,
    /// Whose statement it is.
    pub source: Box<str>,
}

/// What becomes of a refresh token that was replaced (RFC 6749 §6 leaves it to the server).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replaced {
    /// It ends.
    Ends,
    /// It works on.
    Lives,
    /// A setting of the server decides.
    PerSetting,
}

/// How a fact is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub enum Grade {
    /// Read in a specification.
    S,
    /// Read in the provider's documentation.
    D,
    /// Quoted from the provider's documentation.
    Q,
    /// Read in the product's source code or configuration.
    C,
    /// Hearsay: a hypothesis, never the base of a verdict.
    R,
}

impl Grade {
    /// Whether a verdict may rest on it.
    pub fn is_documented(self) -> bool {
        self != Self::R
    }
}

/// What is known of a provider's implicit grant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Implicit {
    /// Whether the authorization endpoint issues access tokens.
    pub supported: Support,
    /// First day without it.
    pub until: Option<Day>,
    /// How it is known.
    pub grade: Grade,
    /// Whose statement it is.
    pub source: Box<str>,
}

/// A day of the UTC calendar, written `2025-11-27`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(pub jiff::civil::Date);

impl TryFrom<String> for Day {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// Whether a provider supports something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// Every client may use it.
    Yes,
    /// A setting of the client or the tenant decides.
    PerClient,
    /// It was supported, until a date or until some year.
    Formerly,
    /// No client may use it.
    No,
}

/// URLs that a row must match, and that nothing before it may match.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// Authorization endpoints.
    #[serde(default)]
    pub authorize: Vec<Box<str>>,
    /// Token endpoints.
    #[serde(default)]
    pub token: Vec<Box<str>>,
    /// Issuers.
    #[serde(default)]
    pub issuer: Vec<Box<str>>,
}

/// Which endpoint of a provider a URL is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// Authorization endpoint.
    Authorize,
    /// Token endpoint.
    Token,
}

impl Providers {
    /// Reads and validates a table: ids are unique, and each row is the first to match its own examples.
    pub fn parse(text: &str) -> Result<Self, ProviderError> {
        let table = Self::read(text)?;
        table.validate()?;
        Ok(table)
    }

    /// The table that is built in. Its examples are the tests' part: asking them took a fifth of the start.
    pub fn builtin() -> Result<Self, ProviderError> {
        Self::read(BUILTIN)
    }

    fn read(text: &str) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            provider: Vec<Provider>,
        }
        Ok(Self {
            rows: toml::from_str::<File>(text)?.provider,
        })
    }

    /// All rows.
    pub fn rows(&self) -> &[Provider] {
        &self.rows
    }

    /// The provider with this id.
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.rows.iter().find(|row| *row.id == *id)
    }

    /// The provider that answers at a lower-case host and a path; path segments may be `{}` of a template.
    pub fn by_endpoint(&self, host: &str, path: &str) -> Option<(&Provider, Endpoint)> {
        let path = segments(path);
        self.rows.iter().find_map(|row| {
            let endpoint = if row.authorize.iter().any(|at| at.matches(host, &path)) {
                Endpoint::Authorize
            } else if row.token.iter().any(|at| at.matches(host, &path)) {
                Endpoint::Token
            } else {
                return None;
            };
            Some((row, endpoint))
        })
    }

    /// The provider of an issuer identifier, with or without a scheme and a trailing slash.
    pub fn by_issuer(&self, issuer: &str) -> Option<&Provider> {
        let (host, path) = split(issuer);
        let path = segments(path);
        self.rows
            .iter()
            .find(|row| row.issuer.iter().any(|at| at.matches(&host, &path)))
    }

    fn validate(&self) -> Result<(), ProviderError> {
        let mut seen = std::collections::BTreeSet::new();
        for row in &self.rows {
            if !seen.insert(&row.id) {
                return Err(ProviderError::Twice(row.id.clone()));
            }
            let endpoints = [
                (&row.examples.authorize, Endpoint::Authorize),
                (&row.examples.token, Endpoint::Token),
            ];
            for (examples, expected) in endpoints {
                for example in examples {
                    let (host, path) = split(example);
                    let found = self.by_endpoint(&host, path);
                    if found.is_none_or(|(by, at)| by.id != row.id || at != expected) {
                        return Err(wrong(row, example, found.map(|(by, _)| by)));
                    }
                }
            }
            for example in &row.examples.issuer {
                let found = self.by_issuer(example);
                if found.is_none_or(|by| by.id != row.id) {
                    return Err(wrong(row, example, found));
                }
            }
        }
        Ok(())
    }
}

impl Provider {
    /// Lifetime of an authorization code, when a verdict may rest on it.
    pub fn code_lifetime(&self) -> Option<u32> {
        self.documented(self.code.as_ref())
    }

    /// Lifetime of an access token, when a verdict may rest on it.
    pub fn access_lifetime(&self) -> Option<u32> {
        self.documented(self.access.as_ref())
    }

    /// Whether the authorization endpoint answered no request of this moment with an access token, as documented.
    /// Without a moment only what was never supported counts.
    pub fn is_without_implicit(&self, at: Option<jiff::Timestamp>) -> bool {
        let Some(implicit) = self.implicit.as_ref() else {
            return false;
        };
        let over = || {
            let until = implicit.until.map(|day| day.0)?;
            let until = until.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
            Some(at? >= until)
        };
        let without = match implicit.supported {
            Support::No => true,
            Support::Formerly => over().unwrap_or(false),
            Support::Yes | Support::PerClient => false,
        };
        without && self.documents(implicit.grade)
    }

    /// Whether every client must authenticate to redeem a code, as documented.
    pub fn requires_client_authentication(&self) -> bool {
        let fact = self.client_authentication.as_ref();
        fact.is_some_and(|fact| self.documents(fact.grade))
    }

    /// What becomes of a refresh token whose use brought another, as documented.
    pub fn replaced(&self) -> Option<Replaced> {
        let rotation = self.replaced_refresh.as_ref()?;
        self.documents(rotation.grade).then_some(rotation.old)
    }

    fn documented(&self, lifetime: Option<&Lifetime>) -> Option<u32> {
        lifetime
            .filter(|it| self.documents(it.grade))
            .map(|it| it.seconds)
    }

    /// Whether what is known in this way counts: a path that many share tells not whose product it is.
    fn documents(&self, grade: Grade) -> bool {
        !self.shared_path && grade.is_documented()
    }
}

fn wrong(row: &Provider, example: &str, found: Option<&Provider>) -> ProviderError {
    ProviderError::Example {
        id: row.id.clone(),
        example: example.into(),
        found: found.map_or_else(|| "nothing".into(), |by| by.id.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_row_is_the_first_to_match_its_examples() {
        let table = Providers::parse(BUILTIN).unwrap();
        assert!(table.rows().len() > 50);
        for row in table.rows() {
            let patterns = [
                (&row.authorize, &row.examples.authorize),
                (&row.token, &row.examples.token),
                (&row.issuer, &row.examples.issuer),
            ];
            for (patterns, examples) in patterns {
                for pattern in patterns {
                    let shown = examples.iter().any(|example| {
                        let (host, path) = split(example);
                        pattern.matches(&host, &segments(path))
                    });
                    assert!(shown, "{}: {pattern:?} has no example", row.id);
                }
            }
        }
    }

    #[test]
    fn hearsay_and_shared_paths_stay_out_of_verdicts() {
        let table = Providers::parse(
            r#"
            [[provider]]
            id = "hearsay"
            name = "Hearsay"
            code = { seconds = 30, grade = "R", source = "somebody" }
            access = { seconds = 3600, grade = "D", source = "its documentation" }

            [[provider]]
            id = "shared"
            name = "Shared"
            shared_path = true
            code = { seconds = 30, grade = "D", source = "its documentation" }
            "#,
        )
        .unwrap();
        assert_eq!(table.get("hearsay").unwrap().code_lifetime(), None);
        assert_eq!(table.get("hearsay").unwrap().access_lifetime(), Some(3600));
        assert_eq!(table.get("shared").unwrap().code_lifetime(), None);
    }

    #[test]
    fn a_row_that_misses_its_example_is_refused() {
        let text = r#"
            [[provider]]
            id = "a"
            name = "A"
            token = ["a.test/token"]
            examples.token = ["https://b.test/token"]
        "#;
        assert!(matches!(
            Providers::parse(text),
            Err(ProviderError::Example { .. })
        ));
    }
}
