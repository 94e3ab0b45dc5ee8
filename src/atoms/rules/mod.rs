//! The rule files, read and validated, and the needles compiled from them. What a leak looks like is
//! data under `rules/`; this room knows the form of that data, and no evidence.

pub mod log_format;
pub mod needles;

pub use needles::Needles;

/// Everything that the rule files say.
#[derive(Debug)]
pub struct Rules {
    /// What makes bytes worth a second look.
    pub needles: Needles,
    /// Log formats and wrappers.
    pub formats: log_format::LogFormats,
}
