//! One input, from its first line to its last. What can be done with a line by itself is done on all threads, and the rest
//! in the order of the lines.

use std::io::BufRead;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::lines::Lines;
use super::sightings::Sighted;
use super::{Reading, Refused, ShardError};
use crate::atoms::Source;

impl Reading {
    /// Reads one input to its end. What cannot be used is a reason of the input.
    pub(super) fn input(&mut self, name: &str, mut input: impl BufRead) -> Result<(), ShardError> {
        let mut lines = Lines::default();
        let mut used = false;
        let mut number = 0;
        loop {
            let more = lines.read(&mut input);
            let nowhere = &self.nowhere;
            let all = lines.all();
            let looked_at = all.par_iter().map(|line| Looked::at(*line, nowhere));
            for line in looked_at.collect::<Vec<_>>() {
                number += 1;
                let done = match line {
                    Looked::Nothing => continue,
                    Looked::Sighting(told) => told.and_then(|told| self.sighting(*told)),
                    Looked::Other(line) => self.line(line),
                };
                let refused = match done {
                    Ok(()) => None,
                    Err(Refused::Schema) => return Err(ShardError::Schema(name.into(), number)),
                    Err(Refused::Kept(error)) => return Err(ShardError::Kept(error)),
                    Err(Refused::TooLong) => Some("is too long"),
                    Err(Refused::Damaged) => Some("is damaged or cut off"),
                    Err(Refused::Unknown) => Some("is of a type that this version does not know"),
                    Err(Refused::TooMany) => Some("is one too many to be kept"),
                };
                used |= refused.is_none();
                if let Some(what) = refused {
                    self.problem(&format!("line {number} {what}; it was left out"));
                }
            }
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let number = number + 1;
                    self.problem(&format!(
                        "cannot be read further than line {number}: {error}"
                    ));
                    return Ok(());
                }
            }
        }
        if !used {
            self.problem("holds no sightings: it was cut off before its first line");
        }
        Ok(())
    }
}

/// A line, after what can be done with each by itself.
enum Looked<'a> {
    Nothing,
    Sighting(Result<Box<Sighted>, Refused>),
    Other(&'a [u8]),
}

impl<'a> Looked<'a> {
    fn at(line: Option<&'a [u8]>, nowhere: &Arc<Source>) -> Self {
        match line {
            None => Self::Sighting(Err(Refused::TooLong)),
            // Nearly all lines, as `scan` writes them: there is no need to look twice.
            Some(line) if line.starts_with(b"{\"type\":\"sighting\",") => {
                Self::Sighting(Sighted::by(line, nowhere).map(Box::new))
            }
            Some(line) if line.iter().all(u8::is_ascii_whitespace) => Self::Nothing,
            Some(line) => Self::Other(line),
        }
    }
}
