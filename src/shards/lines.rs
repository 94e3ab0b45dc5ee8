//! Lines of shards, whatever is in them. Bounded; believes nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Refused, ShardError};
use crate::atoms::Digest;
use crate::detect::Sighting;
use crate::report::restore;
use crate::report::wire::shard as wire;

/// Longest line: a sighting's fields are bounded where they are made, and come nowhere near it.
const MAX_LINE: u64 = 16 << 20;

/// Tells each sighting in the inputs, and the digest of its source. What is no sighting is passed over: whoever reads
/// the inputs for their own sake tells what is wrong with them.
pub fn each(
    inputs: &[PathBuf],
    tell: &mut dyn FnMut(&Sighting, Digest) -> io::Result<()>,
) -> Result<(), ShardError> {
    for path in inputs {
        let fail = |error| ShardError::File(path.display().to_string(), error);
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(fail)?)
        };
        let (mut input, mut line) = (BufReader::new(input), Vec::new());
        loop {
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

/// What comes next.
pub(super) enum Got {
    Line,
    TooLong,
    End,
}

/// The next line, without its end; what is too long is passed over.
pub(super) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Got> {
    line.clear();
    let mut limited = input.by_ref().take(MAX_LINE);
    limited.read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(Got::End);
    }
    if line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE {
        return Ok(Got::Line);
    }
    line.clear();
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
