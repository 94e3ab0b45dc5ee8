//! Where the `Location` headers of one response lead. Knows no capture.

use super::parts::resolve;

/// Headers `Location` of one response that are resolved by its URL, whose length each of them costs. A response has
/// one (RFC 9110 §10.2.2); further ones are taken as they are.
const MAX_RESOLVED: usize = 16;

/// Resolves what the headers of one response name, as many as are bounded.
#[derive(Default)]
pub(in crate::collect) struct Resolver {
    resolved: usize,
}

impl Resolver {
    /// Where a `Location` leads from the URL of its exchange.
    pub(in crate::collect) fn resolve(&mut self, base: &[u8], location: &[u8]) -> Vec<u8> {
        self.resolved = self.resolved.saturating_add(1);
        let is_resolved = self.resolved <= MAX_RESOLVED;
        resolve(if is_resolved { base } else { &[] }, location)
    }
}
