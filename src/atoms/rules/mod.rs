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
