//! Whose lifetime a message tells. `expires_in` is the lifetime of the access token (RFC 6749 §5.1): of the one under
//! that name, or else of the only one. A hosted login puts the token of another provider beside it, which lives for as
//! long as that provider says.

use std::collections::HashMap;

use crate::atoms::rules::Name;
use crate::atoms::{Digest, Kind};
use crate::detect::{Credential, Sighting};

/// By sighting with more than one credential: of which of each family it speaks. Found once for all of them: a message
/// may hold thousands.
#[derive(Debug, Default)]
pub(super) struct Lifetimes(HashMap<usize, Vec<(Kind, Option<Digest>)>>);

impl Lifetimes {
    pub(super) fn of(sightings: &[Sighting]) -> Self {
        let all = sightings.iter().enumerate();
        let several = all.filter(|(_, sighting)| sighting.credentials.len() > 1);
        Self(several.map(|(index, it)| (index, owners(it))).collect())
    }

    /// Whether a sighting speaks of this credential where it tells a lifetime.
    pub(super) fn is_own(&self, sighting: usize, credential: &Credential) -> bool {
        let Some(owners) = self.0.get(&sighting) else {
            return true;
        };
        let family = family(credential.kind);
        let mut owners = owners.iter();
        owners.any(|(of, owner)| *of == family && *owner == Some(credential.id))
    }
}

/// The one credential of each family that has the registered name, or else the only one of it.
fn owners(sighting: &Sighting) -> Vec<(Kind, Option<Digest>)> {
    let mut families: Vec<(Kind, [Only; 2])> = Vec::new();
    for credential in &sighting.credentials {
        let family = family(credential.kind);
        let at = families.iter().position(|(known, _)| *known == family);
        let at = at.unwrap_or_else(|| {
            families.push((family, [Only::None; 2]));
            families.len() - 1
        });
        if let Some((_, [named, any])) = families.get_mut(at) {
            any.meet(credential.id);
            if is_registered(credential) {
                named.meet(credential.id);
            }
        }
    }
    let owner = |[named, any]: [Only; 2]| match (named, any) {
        (Only::One(id), _) | (Only::None, Only::One(id)) => Some(id),
        _ => None,
    };
    let families = families.into_iter();
    families.map(|(of, met)| (of, owner(met))).collect()
}

/// Of several, whether all are the same.
#[derive(Clone, Copy)]
enum Only {
    None,
    One(Digest),
    Several,
}

impl Only {
    fn meet(&mut self, id: Digest) {
        *self = match self {
            Self::None => Self::One(id),
            Self::One(known) if *known == id => return,
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// An opaque token under a name of its own may be an access token.
fn family(kind: Kind) -> Kind {
    match kind {
        Kind::OpaqueToken => Kind::AccessToken,
        kind => kind,
    }
}

/// Whether it has the name that a token response gives to its kind (RFC 6749 §5.1, RFC 8628 §3.2).
fn is_registered(credential: &Credential) -> bool {
    let name = match credential.kind {
        Kind::AccessToken | Kind::OpaqueToken => "accesstoken",
        Kind::RefreshToken => "refreshtoken",
        Kind::DeviceCode => "devicecode",
        Kind::UserCode => "usercode",
        _ => return false,
    };
    *Name::new(&credential.name).key == *name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Role, sample};

    #[test]
    fn one_token_that_is_there_twice_is_the_only_one() {
        let mut message = sample::bare(0, 0, Role::TokenResponse);
        let token = sample::credential(Kind::AccessToken);
        message.credentials = vec![token.clone(), token.clone()];
        assert_eq!(owners(&message), [(Kind::AccessToken, Some(token.id))]);
        message.credentials.push(Credential {
            id: Digest::of([b"another".as_slice()]),
            ..token
        });
        assert_eq!(owners(&message), [(Kind::AccessToken, None)]);
    }

    /// RFC 6749 §5.1, RFC 8628 §3.2.
    #[test]
    fn of_several_the_one_with_the_registered_name_is_spoken_of() {
        for (kind, name) in [
            (Kind::AccessToken, "access_token"),
            (Kind::RefreshToken, "refresh_token"),
            (Kind::DeviceCode, "device_code"),
            (Kind::UserCode, "user_code"),
        ] {
            let named = |name: &str| Credential {
                id: Digest::of([name.as_bytes()]),
                name: name.into(),
                ..sample::credential(kind)
            };
            let mut message = sample::bare(0, 0, Role::TokenResponse);
            message.credentials = vec![named("provider_value"), named(name)];
            assert_eq!(owners(&message), [(family(kind), Some(named(name).id))]);
        }
    }
}
