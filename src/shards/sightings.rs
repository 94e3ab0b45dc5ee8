//! Sightings that were read: each once, whichever runs have it, and one state of each.

use std::sync::Arc;

use super::lines::{parse, text};
use super::{MAX_ROWS, Reading, Refused};
use crate::atoms::{Digest, Source};
use crate::detect::Sighting;
use crate::gather::Gathered;
use crate::report::assemble::shard as assemble;
use crate::report::restore;
use crate::report::wire::shard as wire;

/// What a line says of a sighting.
pub(super) struct Sighted {
    run: Digest,
    source: Digest,
    /// In no source: it is put in place at the end.
    sighting: Sighting,
    /// Tells it from another state of it.
    state: u64,
}

impl Sighted {
    /// What this line says, which is one of a sighting.
    pub(super) fn by(line: &[u8], nowhere: &Arc<Source>) -> Result<Self, Refused> {
        let told: wire::Sighting<'_> = parse(line)?;
        let run = Digest::parse(&told.run).ok_or(Refused::Damaged)?;
        let source = told.source.0;
        let sighting = restore::sighting(told, nowhere.clone())?;
        Ok(Self {
            run,
            source,
            state: Gathered::hash(source, &sighting),
            sighting,
        })
    }
}

impl Reading {
    pub(super) fn sighting(&mut self, told: Sighted) -> Result<(), Refused> {
        let Sighted {
            run,
            source,
            sighting: new,
            state,
        } = told;
        let number = self.number(run)?;
        let is_new = match self.known.get(&new.id).copied() {
            None => {
                let next = u32::try_from(self.first.len()).map_err(|_| Refused::TooMany)?;
                if self.first.len() >= MAX_ROWS {
                    return Err(Refused::TooMany);
                }
                self.known.insert(new.id, next);
                self.first.push((number, state));
                self.gathered.add(source, new)?;
                true
            }
            Some(at) => {
                let known = self.first.get(at as usize).copied();
                let (first, known) = known.unwrap_or((number, state));
                if known != state {
                    self.in_another_state(at as usize, (source, new), state)?;
                }
                first != number && self.also.insert((number, at))
            }
        };
        self.run(run)?.sightings += u64::from(is_new);
        Ok(())
    }

    /// Keeps one of two states of a sighting, whichever came first.
    fn in_another_state(
        &mut self,
        at: usize,
        (source, new): (Digest, Sighting),
        state: u64,
    ) -> Result<(), Refused> {
        let (known_source, known) = self.gathered.get(at)?;
        self.in_two_states.extend([known_source, source]);
        let form = |source, it: &Sighting| text(&assemble::sighting("", source, it));
        if form(source, &new) < form(known_source, &known) {
            self.gathered.replace(at, source, new)?;
            if let Some(first) = self.first.get_mut(at) {
                first.1 = state;
            }
        } else {
            self.gathered.take_in(source, at, &new);
        }
        Ok(())
    }

    fn number(&mut self, run: Digest) -> Result<u32, Refused> {
        let known = self.run(run)?.number;
        let next = u32::try_from(self.numbers.len()).map_err(|_| Refused::TooMany)?;
        Ok(known.unwrap_or_else(|| {
            self.numbers.push(run);
            if let Some(run) = self.runs.get_mut(&run) {
                run.number = Some(next);
            }
            next
        }))
    }
}
