//! What was found in a file, held until it is known whether it was deleted since and whose it is. Knows no
//! format.

use std::sync::Arc;

use super::meaning::{Meaning, Origin};
use super::newest::Newest;
use super::{Entry, Form};
use crate::atoms::{Locator, Place, Source, View};
use crate::collect::{Evidence, Observation, Sink, Via};

/// Bytes of values that are held; beyond, they are told and the next ones gathered.
const MAX_BYTES: usize = 64 << 20;

/// Values that are held.
const MAX_HITS: usize = 50_000;

/// Longest name that is shown.
const MAX_NAME: usize = 40;

/// Values that wait for their view and their origin.
pub(super) struct Held<'a, 's> {
    evidence: &'a Evidence,
    form: Form,
    source: &'a Arc<Source>,
    sink: &'a mut Sink<'s>,
    hits: Vec<Hit>,
    bytes: usize,
}

struct Hit {
    key: Box<[u8]>,
    sequence: u64,
    meaning: Meaning,
}

impl<'a, 's> Held<'a, 's> {
    pub(super) fn new(
        evidence: &'a Evidence,
        form: Form,
        source: &'a Arc<Source>,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        Self {
            evidence,
            form,
            source,
            sink,
            hits: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes what an entry holds.
    pub(super) fn add(&mut self, entry: Entry<'_>, meaning: Meaning) {
        let len = entry.key.len().saturating_add(meaning.len());
        self.bytes = self.bytes.saturating_add(len);
        self.hits.push(Hit {
            key: entry.key.into(),
            sequence: entry.sequence,
            meaning,
        });
        if self.bytes > MAX_BYTES || self.hits.len() >= MAX_HITS {
            self.flow();
        }
    }

    /// Gives out what is held.
    pub(super) fn flow(&mut self) {
        let hits = std::mem::take(&mut self.hits);
        self.bytes = 0;
        if hits.is_empty() {
            return;
        }
        let wants_maps = hits
            .iter()
            .any(|hit| matches!(hit.meaning.origin, Origin::OfMap(_)));
        let newest = Newest::of(
            hits.iter().map(|hit| &*hit.key),
            wants_maps,
            (self.evidence, self.form),
            self.sink.problem,
        );
        for hit in hits {
            let observation = self.observation(hit, &newest);
            (self.sink.observe)(observation);
        }
    }

    fn observation(&self, hit: Hit, newest: &Newest) -> Observation {
        let view = if newest.is_later(&hit.key, hit.sequence) {
            View::Recovered
        } else {
            View::Live
        };
        let origin = match &hit.meaning.origin {
            Origin::Known(origin) => origin.clone(),
            Origin::OfMap(map) => newest.origin(map),
        };
        let key = public_name(&hit.meaning.name);
        Observation {
            place: Place {
                source: self.source.clone(),
                locator: Locator::Record {
                    file: self.evidence.file_name().into(),
                    key: key.into(),
                    sequence: hit.sequence,
                },
                view,
            },
            at: None,
            via: Via::Stored,
            visit: None,
            exchange: None,
            payload: hit.meaning.payload(origin),
        }
    }
}

/// A name that is made of words; any other may hold a state, an account or a token, and is left out.
fn public_name(name: &str) -> &str {
    let is_word = |word: &str| {
        let lower = word.bytes().filter(u8::is_ascii_lowercase).count();
        let turns = word.as_bytes().windows(2).filter(
            |pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()),
        );
        let begins = word.len().saturating_sub(lower);
        // `verifier`, `VERIFIER`, `codeVerifier`.
        lower == 0 || begins <= turns.count() + 1 && begins * 4 <= word.len()
    };
    let is_public = name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || b"_.-:".contains(&byte))
        && name.split(['_', '.', '-', ':']).all(is_word);
    if is_public { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_shown_as_a_name() {
        for name in [
            "access_token",
            "pkce-code-verifier",
            "accessToken",
            "CODE_VERIFIER",
            "oidc.user",
        ] {
            assert_eq!(public_name(name), name);
        }
        for name in [
            "oidc.0f3a99",
            "oidc.XkzQpAbLmNrT",
            "user@example.com",
            "a0.spajs.txs.Ab1",
            "",
        ] {
            assert_eq!(public_name(name), "", "{name}");
        }
    }
}
