//! A value that cannot be printed by accident. Knows nothing of what the value means.

use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

/// A raw credential. No `Display`, no `Serialize`, a redacted `Debug`, zeroed on drop.
///
/// The text is the canonical value: percent-, JSON- and HTML-unescaped to a fixed point, `+` kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a canonical value into custody.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The raw value. A clippy `disallowed-method`: each caller is allowed by name, with its reason.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the value is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// Bytes as they were found in the evidence: a URL, a header, a body. They may hold credentials,
/// so they have no `Display`, a redacted `Debug`, and are zeroed on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(Zeroizing<Vec<u8>>);

impl Raw {
    /// Takes evidence bytes into custody.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for `detect` and for the readers that unwrap one layer from another.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_only_the_length() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(7 bytes)");
        assert_eq!(format!("{:?}", Raw::new(*b"hunter2")), "Raw(7 bytes)");
    }
}
