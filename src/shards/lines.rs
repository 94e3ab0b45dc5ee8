//! Lines of shards, whatever is in them. Bounded; believes nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Refused, ShardError};
use crate::atoms::Digest;
use crate::atoms::rules::Rules;
use crate::detect::{Sighting, path};
use crate::report::restore;
use crate::report::wire::shard as wire;

/// Longest line: a sighting's fields are bounded where they are made, and come nowhere near it.
const MAX_LINE: u64 = 16 << 20;

/// Lines that are read before they are looked at, on all threads.
const LINES: usize = 1 << 10;

/// Bytes of lines behind which no further one is read before that.
const BYTES: usize = 4 << 20;

/// Tells each sighting in the inputs, and the digest of its source. What is no sighting is passed over: whoever reads
/// the inputs for their own sake tells what is wrong with them.
pub fn each(
    inputs: &[PathBuf],
    rules: &Rules,
    tell: &mut dyn FnMut(&Sighting, Digest) -> io::Result<()>,
) -> Result<(), ShardError> {
    for named in inputs {
        let fail = |error| ShardError::File(path::displayed(named, rules), error);
        let input: Box<dyn Read> = if named == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(named).map_err(fail)?)
        };
        let (mut input, mut line) = (BufReader::new(input), Vec::new());
        loop {
            line.clear();
            match next_line(&mut input, &mut line).map_err(fail)? {
                Got::End => break,
                Got::TooLong => continue,
                Got::Line => {}
            }
            let Ok(told) = parse::<wire::Sighting<'_>>(&line) else {
                continue;
            };
            let source = told.source.0;
            if let Ok(sighting) = restore::sighting(told, Arc::default()) {
                tell(&sighting, source).map_err(ShardError::Told)?;
            }
        }
    }
    Ok(())
}

/// Some lines that follow each other.
#[derive(Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Where each ends, and whether it was too long and passed over.
    ends: Vec<(usize, bool)>,
}

impl Lines {
    /// Takes the next ones in the place of those before: whether more may follow. What came before an error is there.
    pub(super) fn read(&mut self, input: &mut impl BufRead) -> io::Result<bool> {
        self.bytes.clear();
        self.ends.clear();
        while self.ends.len() < LINES && self.bytes.len() < BYTES {
            let is_too_long = match next_line(input, &mut self.bytes)? {
                Got::End => return Ok(false),
                Got::Line => false,
                Got::TooLong => true,
            };
            self.ends.push((self.bytes.len(), is_too_long));
        }
        Ok(true)
    }

    /// Each line; `None` for one that is too long.
    pub(super) fn all(&self) -> Vec<Option<&[u8]>> {
        let mut start = 0;
        let line = |(end, is_too_long): &(usize, bool)| {
            let line = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (!is_too_long).then_some(line)
        };
        self.ends.iter().map(line).collect()
    }
}

/// What comes next.
enum Got {
    Line,
    TooLong,
    End,
}

/// Appends the next line; what is too long is passed over.
fn next_line(input: &mut impl BufRead, lines: &mut Vec<u8>) -> io::Result<Got> {
    let start = lines.len();
    let mut limited = input.by_ref().take(MAX_LINE);
    let len = limited.read_until(b'\n', lines)?;
    if len == 0 {
        return Ok(Got::End);
    }
    if lines.ends_with(b"\n") || (len as u64) < MAX_LINE {
        return Ok(Got::Line);
    }
    lines.truncate(start);
    input.skip_until(b'\n')?;
    Ok(Got::TooLong)
}

pub(super) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Refused> {
    // Looked at once as a whole, not string by string. The message of serde_json may quote the line.
    match std::str::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        Err(_) => serde_json::from_slice(line),
    }
    .map_err(|_| Refused::Damaged)
}

/// The one text of a value, for comparing.
pub(super) fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
