//! What one look at a piece of evidence opened and the next goes on with, so that nothing is opened twice. Knows nothing
//! of what it is.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Room for one thing.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Box<dyn Any + Send>>>);

impl Kept {
    /// Keeps it, in the place of what was kept before.
    pub(super) fn put(&self, opened: impl Any + Send) {
        *self.lock() = Some(Box::new(opened));
    }

    /// Gives away what was kept, which is one of these: what is not is let go.
    pub(super) fn take<T: Any>(&self) -> Option<T> {
        let kept = self.lock().take()?.downcast().ok()?;
        Some(*kept)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
