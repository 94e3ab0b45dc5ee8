//! The sightings of one source, up to a bound; what lies behind it is counted. Knows nothing of what they are.

use super::Sighting;

/// Sightings that are taken from one source. Each costs half a kilobyte or more until its source is done, so a crafted
/// or an enormous file could take all memory; a log of a gigabyte with a token in each line has a third of it.
pub const SIGHTINGS: usize = 1 << 24;

/// Sightings as they come.
#[derive(Debug)]
pub struct Taken {
    /// Those that were taken.
    pub sightings: Vec<Sighting>,
    /// Observations that were not looked at any more.
    pub left_out: u64,
    /// How many it takes: [`SIGHTINGS`].
    most: usize,
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            sightings: Vec::new(),
            left_out: 0,
            most: SIGHTINGS,
        }
    }
}

impl Taken {
    /// Takes what one more observation yields, which is not even asked for when there is no room.
    pub fn add(&mut self, next: impl FnOnce() -> Vec<Sighting>) {
        if self.sightings.len() >= self.most {
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.sightings.extend(next());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;
    use crate::atoms::{FingerprintKey, Locator, Place, Raw, View};
    use crate::collect::{Observation, Payload, Via};
    use crate::detect::{self, Detector, Memory, Reveal};

    #[test]
    fn what_lies_behind_the_bound_is_counted_and_not_looked_at() {
        let (rules, key) = (Rules::builtin().unwrap(), FingerprintKey::default());
        let detector = Detector {
            rules: &rules,
            key: &key,
            jwks: None,
            reveal: Reveal::default(),
        };
        let observation = |number: u64| Observation {
            place: Place {
                source: std::sync::Arc::default(),
                locator: Locator::Line { number, byte: 0 },
                view: View::Live,
            },
            at: None,
            via: Via::Text,
            visit: None,
            exchange: None,
            payload: Payload::Url(Raw::new(
                *b"https://a.example/?access_token=qZ7x8Rv2LmT0bWc7Kp4HsYd9",
            )),
        };
        let mut memory = Memory::default();
        let mut taken = Taken {
            most: 3,
            ..Taken::default()
        };
        let mut asked = 0;
        for number in 1..=8 {
            taken.add(|| {
                asked += 1;
                detect::sightings(&observation(number), &detector, &mut memory)
            });
        }
        assert_eq!((taken.sightings.len(), asked, taken.left_out), (3, 3, 5));
    }
}
