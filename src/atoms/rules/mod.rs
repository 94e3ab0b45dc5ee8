//! The rule files, read and validated, and the needles compiled from them. What a leak looks like is
//! data under `rules/`; this room knows the form of that data, and no evidence.

pub mod explain;
pub mod log_format;
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
    /// Log formats and wrappers.
    pub formats: log_format::LogFormats,
}

/// Why the rules cannot be used. Says what to change.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The provider table.
    #[error(transparent)]
    Provider(#[from] provider::ProviderError),
    /// The explanations.
    #[error(transparent)]
    Explain(#[from] explain::ExplainError),
    /// The log formats.
    #[error(transparent)]
    Format(#[from] log_format::FormatError),
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
            providers: Providers::builtin()?,
            explanations: Explanations::builtin()?,
            formats: log_format::LogFormats::builtin()?,
        })
    }
}
