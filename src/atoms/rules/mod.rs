//! The rule files, read and validated, and the needles compiled from them. What a leak looks like is
//! data under `rules/`; this room knows the form of that data, and no evidence.

pub mod explain;
pub mod needles;
pub mod provider;

pub use explain::{Explanation, Explanations};
pub use needles::Needles;
pub use provider::Providers;

/// Everything that the rule files say.
#[derive(Debug)]
pub struct Rules {
    /// What makes bytes worth a second look.
    pub needles: Needles,
    /// Who issues credentials, and for how long.
    pub providers: Providers,
    /// What everything means.
    pub explanations: Explanations,
}

/// Why a rule file cannot be used. Says what to change.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, or not of the documented form.
    #[error("{file}: {message}")]
    Form {
        /// Name of the file.
        file: Box<str>,
        /// Line, column and what is wrong.
        message: Box<str>,
    },
}

impl Rules {
    /// The rules of this build.
    pub fn builtin() -> Result<Self, RuleError> {
        Self::with(&[])
    }

    /// The rules of this build, and those of `extra` files: name for messages, and text.
    pub fn with(extra: &[(&str, &str)]) -> Result<Self, RuleError> {
        let _ = extra;
        Ok(Self {
            needles: Needles::default(),
            providers: Providers::builtin()
                .map_err(|error| form("rules/providers.toml", &error))?,
            explanations: Explanations::builtin().map_err(|error| form("rules", &error))?,
        })
    }
}

fn form(file: &str, error: &impl std::fmt::Display) -> RuleError {
    RuleError::Form {
        file: file.into(),
        message: error.to_string().into(),
    }
}
