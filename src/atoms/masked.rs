//! Text that may be shown: what is left of a URL or a value once everything not known to be public is gone.

use std::fmt;
use std::sync::Arc;

/// A URL, or another text from the evidence, with its secrets masked. Only `detect` makes one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Masked(Arc<str>);

impl Masked {
    /// Declares that `text` holds nothing but allow-listed values and masks.
    pub fn vouch(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
