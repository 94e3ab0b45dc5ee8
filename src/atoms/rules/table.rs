//! Tables of the rules. What is looked up in them may come from the evidence, but what stands in them comes from the rules
//! alone: nobody can fill them with what collides, so they need no hash that withstands that, at four times the cost.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Values by a text of the rules.
pub(super) type Table<T> = HashMap<Box<str>, T, BuildHasherDefault<Words>>;

/// Texts of the rules.
pub(super) type Texts = HashSet<Box<str>, BuildHasherDefault<Words>>;

/// Hashes eight bytes at a time: each word is mixed in by a multiplication, which carries every bit to the left.
#[derive(Default)]
pub(super) struct Words(u64);

impl Words {
    fn add(&mut self, word: u64) {
        /// 2^64 over the golden ratio, odd: Knuth, The Art of Computer Programming, volume 3, section 6.4.
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let word = rest
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.add(word);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(byte.into());
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher as _;

    use super::*;

    #[test]
    fn names_are_told_apart() {
        let hash = |text: &str| BuildHasherDefault::<Words>::default().hash_one(text);
        let names = (0..10_000).map(|number| format!("a_name_of_{number}"));
        let low: HashSet<u64> = names.map(|name| hash(&name) & 0xffff).collect();
        // As many as 10,000 draws out of 65,536 leave different, but for a twentieth.
        assert!(low.len() > 8_800, "{}", low.len());
        assert_ne!(hash("code"), hash("code\0"));
    }
}
