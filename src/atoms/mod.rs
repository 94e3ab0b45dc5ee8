//! What every stage speaks: values that cannot leak, names for them, places, moments, and the rules.
//! Imports nothing else of ours.

pub mod armour;
pub mod identity;
pub mod kind;
pub mod masked;
pub mod method;
pub mod place;
pub mod rules;
pub mod secret;
pub(crate) mod step;
pub mod when;

pub use identity::{Digest, Fingerprint, FingerprintKey, JoinKey, KeyKind};
pub use kind::{Kind, Slot};
pub use masked::Masked;
pub use method::Method;
pub use place::{Locator, Place, Source, View, Within};
pub use secret::{Raw, Secret};
pub use when::{Basis, When, Zone};
