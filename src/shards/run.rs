//! What was read of one run: whether it is whole, and what it was asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::ShardError;
use crate::atoms::Digest;
use crate::reduce::Beside;
use crate::report::wire::Counts;
use crate::report::wire::shard::{self as wire, Totals};

/// What was read of one run.
#[derive(Default)]
pub(super) struct Run {
    /// Input that had its first line.
    pub(super) input: usize,
    /// Its number among those with sightings.
    pub(super) number: Option<u32>,
    pub(super) headers: BTreeMap<String, wire::Run>,
    pub(super) trailers: BTreeSet<Totals>,
    pub(super) sources: BTreeSet<Digest>,
    pub(super) problems: BTreeSet<(Digest, u64)>,
    pub(super) sightings: u64,
    pub(super) not_claimed: Counts,
    pub(super) orphans: u64,
}

impl Run {
    /// What is wrong with the run as it was read.
    pub(super) fn problems(&self, id: Digest) -> Vec<String> {
        let has = Totals {
            sources: self.sources.len() as u64,
            problems: self.problems.len() as u64,
            sightings: self.sightings,
            not_claimed: self
                .not_claimed
                .values()
                .fold(0, |sum, count| sum.saturating_add(*count)),
        };
        let trailers: Vec<&Totals> = self.trailers.iter().collect();
        let mut problems = Vec::new();
        if self.headers.len() != 1 {
            problems.push(format!(
                "run {id} has {} different first lines, and should have one",
                self.headers.len()
            ));
        }
        match trailers.as_slice() {
            [] => problems.push(format!(
                "run {id} has no trailer: it was cut off, and what it has was judged; write it again"
            )),
            [said] if **said == has => {}
            [said] => problems.push(format!(
                "run {id} has {} of {} sightings, {} of {} sources, {} of {} problems and {} of {} files that are no evidence; write it again",
                has.sightings,
                said.sightings,
                has.sources,
                said.sources,
                has.problems,
                said.problems,
                has.not_claimed,
                said.not_claimed
            )),
            many => problems.push(format!(
                "run {id} has {} different trailers; write it again",
                many.len()
            )),
        }
        if self.orphans > 0 {
            problems.push(format!(
                "run {id} has {} sightings of sources that it does not name; they were left out",
                self.orphans
            ));
        }
        problems
    }
}

/// What the runs were asked for, together.
pub(super) fn headers(runs: &BTreeMap<Digest, Run>, beside: &mut Beside) -> Result<(), ShardError> {
    let headers: Vec<&wire::Run> = runs.values().flat_map(|run| run.headers.values()).collect();
    let keys: BTreeSet<_> = headers
        .iter()
        .map(|it| it.fingerprint_key.as_deref())
        .collect();
    if keys.len() > 1 {
        return Err(ShardError::Keys);
    }
    let any = |is: fn(&wire::Options) -> bool| headers.iter().any(|it| is(&it.options));
    let one = |text: fn(&wire::Run) -> Option<&str>| {
        let texts: BTreeSet<&str> = headers.iter().filter_map(|it| text(it)).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    };
    beside.is_keyed = keys.iter().any(Option::is_some);
    beside.label = one(|it| it.label.as_deref());
    beside.options = wire::Options {
        r#type: one(|it| it.options.r#type.as_deref()),
        log_timezone: one(|it| it.options.log_timezone.as_deref()),
        all_text: any(|it| it.all_text),
        hash: any(|it| it.hash),
        residue: any(|it| it.residue),
        jwks: any(|it| it.jwks),
        rules: any(|it| it.rules),
    };
    Ok(())
}
