//! Identities: fingerprints of values, join keys, and for values too short to be hashed, numbers that
//! hold inside one source.

use std::collections::HashMap;
use std::sync::Arc;

use super::Detector;
use crate::atoms::identity::MIN_HASHED_LEN;
use crate::atoms::{Digest, Fingerprint, JoinKey, KeyKind, Kind, Locator, Place, Source, View};

/// Short values of one source that are remembered, and rows of its older states. Each costs some 50 bytes; beyond, a
/// value is known by its own place only.
const MAX_LOCAL: usize = 1 << 20;

/// Short values of one source, by where they were first seen.
#[derive(Default, Debug)]
pub(super) struct Local {
    first: HashMap<Digest, Digest>,
    /// The source, and its name.
    source: Option<(Arc<Source>, Digest)>,
    /// The place of the last observation, and its view: several observations of one log line share it.
    place: Option<(Digest, View)>,
    made: Made,
    /// What was named at the places of rows that are not live: each older state may hold a row of one number with
    /// another value in it, and other rows are read in between.
    recovered: HashMap<Digest, Made>,
}

/// What was named at a place so far.
#[derive(Clone, Copy, Default, Debug)]
struct Made {
    parts: u64,
    values: u64,
}

impl Local {
    fn go_to(&mut self, place: Digest, view: View) {
        if self.place == Some((place, view)) {
            return;
        }
        if let Some((left, View::Recovered)) = self.place.replace((place, view))
            && self.recovered.len() < MAX_LOCAL
        {
            self.recovered.insert(left, self.made);
        }
        self.made = self.recovered.get(&place).copied().unwrap_or_default();
    }
}

/// Makes the names of one observation's values.
pub(super) struct Keyring<'a> {
    detector: &'a Detector<'a>,
    local: &'a mut Local,
    source: Digest,
    place: Digest,
}

impl<'a> Keyring<'a> {
    pub(super) fn new(detector: &'a Detector<'a>, local: &'a mut Local, place: &Place) -> Self {
        let known = local.source.as_ref();
        let known = known.filter(|(source, _)| Arc::ptr_eq(source, &place.source));
        let source = known.map_or_else(|| place.source.digest(), |(_, digest)| *digest);
        local.source = Some((Arc::clone(&place.source), source));
        let digest = place_digest(source, place);
        local.go_to(digest, place.view);
        Self {
            detector,
            local,
            source,
            place: digest,
        }
    }

    /// Keys of `--jwks`.
    pub(super) fn jwks(&self) -> Option<&'a jsonwebtoken::jwk::JwkSet> {
        self.detector.jwks
    }

    /// Names the next part of the place.
    pub(super) fn part(&mut self) -> Digest {
        let index = self.local.made.parts.to_le_bytes();
        self.local.made.parts = self.local.made.parts.saturating_add(1);
        Digest::of([b"sighting".as_slice(), self.place.as_bytes(), &index])
    }

    /// A visit of this source.
    pub(super) fn visit(&self, id: i64) -> JoinKey {
        JoinKey {
            kind: KeyKind::Visit,
            digest: Digest::of([
                b"visit".as_slice(),
                self.source.as_bytes(),
                &id.to_le_bytes(),
            ]),
        }
    }

    /// Whether what is computed from a value may be hashed in its place: a hash of the hash of a short value
    /// tells it as well as a bare hash would.
    pub(super) fn may_derive(&self, value: &str) -> bool {
        self.detector.key.is_keyed() || value.len() >= MIN_HASHED_LEN
    }

    /// The key of a value. That of a short one says so, since another source has another for the same value.
    pub(super) fn key(&mut self, kind: KeyKind, value: &str) -> JoinKey {
        let digest = self
            .detector
            .key
            .digest(kind.as_str(), value.as_bytes())
            .unwrap_or_else(|| self.local(kind.as_str(), value).within(self.source));
        JoinKey { kind, digest }
    }

    /// Identity of a credential, and its fingerprint when it may have one.
    pub(super) fn credential(&mut self, kind: Kind, value: &str) -> (Digest, Option<Fingerprint>) {
        let may = !kind.is_low_entropy() || self.detector.key.is_keyed();
        let digest = self
            .detector
            .key
            .digest("credential", value.as_bytes())
            .filter(|_| may);
        let id = digest.unwrap_or_else(|| self.local("credential", value));
        (id, digest)
    }

    /// Names a value by where this source first showed it.
    fn local(&mut self, domain: &str, value: &str) -> Digest {
        let name = Digest::of([domain.as_bytes(), value.as_bytes()]);
        if let Some(first) = self.local.first.get(&name) {
            return *first;
        }
        let first = Digest::of([
            b"local".as_slice(),
            domain.as_bytes(),
            self.place.as_bytes(),
            &self.local.made.values.to_le_bytes(),
        ]);
        self.local.made.values = self.local.made.values.saturating_add(1);
        if self.local.first.len() < MAX_LOCAL {
            self.local.first.insert(name, first);
        }
        first
    }
}

/// Digest of source, locator and view.
fn place_digest(source: Digest, place: &Place) -> Digest {
    let number = u64::to_le_bytes;
    let source = source.as_bytes().as_slice();
    let view = place.view.as_str().as_bytes();
    match &place.locator {
        Locator::Row {
            table,
            rowid,
            column,
        } => Digest::of([
            source,
            view,
            b"row",
            table.as_bytes(),
            &rowid.to_le_bytes(),
            column.as_bytes(),
        ]),
        Locator::Line { number: line, byte } => {
            Digest::of([source, view, b"line", &number(*line), &number(*byte)])
        }
        Locator::Entry { index, pointer, .. } => {
            Digest::of([source, view, b"entry", &number(*index), pointer.as_bytes()])
        }
        Locator::Record {
            file,
            key,
            sequence,
        } => Digest::of([
            source,
            view,
            b"record",
            file.as_bytes(),
            key.as_bytes(),
            &number(*sequence),
        ]),
        Locator::Bytes { offset } => Digest::of([source, view, b"bytes", &number(*offset)]),
        // What is known of the place may grow; where it is stays.
        Locator::Residue { beside, offset, .. } => Digest::of([
            source,
            view,
            b"residue",
            beside.as_deref().unwrap_or_default().as_bytes(),
            &number(*offset),
        ]),
    }
}
