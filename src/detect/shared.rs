//! Texts that many sightings of one source share: hosts, paths, names, lengths. Each is kept once.

use std::collections::HashSet;
use std::sync::Arc;

/// Different texts of one source that are shared, each of some hundred bytes at most. Beyond, a sighting has
/// its own: a server may have any number of paths.
const MAX_SHARED: usize = 1 << 14;

/// Longest text that is shared: a longer one hardly comes again.
const MAX_LENGTH: usize = 256;

/// The texts.
#[derive(Default, Debug)]
pub(super) struct Shared(HashSet<Arc<str>>);

impl Shared {
    /// The text, with those that are the same.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        if text.len() <= MAX_LENGTH && self.0.len() < MAX_SHARED {
            self.0.insert(Arc::clone(&text));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_kept_once_and_their_number_is_bounded() {
        let mut shared = Shared::default();
        let one = shared.text("app.example");
        assert!(Arc::ptr_eq(&one, &shared.text("app.example")));
        for number in 0..2 * MAX_SHARED {
            shared.text(&number.to_string());
        }
        assert_eq!(shared.0.len(), MAX_SHARED);
        assert!(Arc::ptr_eq(&one, &shared.text("app.example")));
        assert_eq!(&*shared.text("beyond"), "beyond");
    }
}
