//! What is left of deleted rows in the unused bytes of a database, as observations: a value and its place, and
//! neither a time nor a chain, since no row says so. Knows no browser.

use super::reading::Reading;
use crate::atoms::{Locator, Raw, View};
use crate::collect::sqlite::{self, Found};
use crate::collect::{Evidence, Payload, ReadError, Via};

/// Reports what no row holds; `shown` is what other states showed.
pub(super) fn read(
    evidence: &Evidence,
    reading: &Reading<'_, '_>,
    shown: &[Vec<u8>],
) -> Result<(), ReadError> {
    let needles = reading.needles();
    let find = |bytes: &[u8], from: usize| needles.find(bytes, from);
    let (found, problem) = sqlite::residue(evidence, &find, shown)?;
    reading.problem(problem);
    for found in found {
        let locator = locator(&found, evidence);
        let is_url = found.is_url();
        let bytes = Raw::new(found.bytes);
        let (via, payload) = if is_url {
            (Via::Unknown, Payload::Url(bytes))
        } else {
            (Via::Text, Payload::Text(bytes))
        };
        reading.observe(locator, View::Recovered, None, via, None, payload);
    }
    Ok(())
}

fn locator(found: &Found, evidence: &Evidence) -> Locator {
    let spot = found.spot;
    let suffix = spot.file.suffix();
    Locator::Residue {
        beside: suffix.map(|suffix| [evidence.file_name(), suffix].concat().into()),
        offset: spot.offset,
        within: spot.within,
        uncertain: spot.uncertain,
    }
}
