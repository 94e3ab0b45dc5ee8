//! The needles: a cheap test whether bytes may hold anything that a rule would look at. Readers are
//! given it as a value and know nothing of what it looks for.

/// Names before a separator, and literals that mark a credential wherever they stand.
#[derive(Debug, Default)]
pub struct Needles {}

impl Needles {
    /// Whether anything in `bytes` is worth a second look. May say yes in vain, never no in vain.
    pub fn hit(&self, bytes: &[u8]) -> bool {
        self.find(bytes, 0).is_some()
    }

    /// Offset of the first place at or after `from` that is worth a second look.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        (from < bytes.len()).then_some(from)
    }
}
