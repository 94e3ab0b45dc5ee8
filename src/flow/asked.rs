//! Requests that carry one key, in the order of time: finds those nearest to an answer without a look at the others.
//! Compares nothing but places and moments.

use crate::detect::Sighting;

/// Requests with one key that are compared with an answer, of its source and of all: as many as the places that show
/// one request, and a bound where one was sent thousands of times.
const MAX_NAMED: usize = 8;

/// Requests that carry one key, by their numbers.
#[derive(Default)]
pub(super) struct Asked {
    /// In the order of time.
    all: Vec<usize>,
    /// In the order of sources, then of time. Empty where all of them are compared.
    by_source: Vec<usize>,
}

impl Asked {
    /// Adds one. They come in the order of their numbers.
    pub(super) fn push(&mut self, at: usize) {
        self.all.push(at);
    }

    /// Sorts them, once all are known.
    pub(super) fn sort(&mut self, sightings: &[Sighting], source_of: &[u32]) {
        if self.all.len() <= MAX_NAMED {
            return;
        }
        let moment = |at: usize| Some(sightings.get(at)?.at?.instant);
        self.by_source.clone_from(&self.all);
        self.by_source
            .sort_by_key(|at| (source_of.get(*at), moment(*at), *at));
        self.all.sort_by_key(|at| (moment(*at), *at));
    }

    /// Those that the sighting with this number may answer: the nearest of its source, and the nearest of all.
    pub(super) fn near<'a>(
        &'a self,
        at: usize,
        sightings: &'a [Sighting],
        source_of: &'a [u32],
    ) -> impl Iterator<Item = usize> + 'a {
        let source = source_of.get(at);
        let start = self
            .by_source
            .partition_point(|it| source_of.get(*it) < source);
        let own = self.by_source.get(start..).unwrap_or_default();
        let end = own.partition_point(|it| source_of.get(*it) == source);
        let own = own.get(..end).unwrap_or_default();
        nearest(own, at, sightings).chain(nearest(&self.all, at, sightings))
    }
}

/// Of requests in the order of time: those before a moment, the latest first, then those after it.
fn nearest<'a>(
    requests: &'a [usize],
    at: usize,
    sightings: &'a [Sighting],
) -> impl Iterator<Item = usize> + 'a {
    let moment = |at: usize| Some(sightings.get(at)?.at?.instant);
    let until = match moment(at) {
        Some(answered) => requests.partition_point(|it| moment(*it) <= Some(answered)),
        None => requests.len(),
    };
    let (before, after) = requests.split_at_checked(until).unwrap_or_default();
    before.iter().rev().chain(after).copied().take(MAX_NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Role, sample};

    /// Of sixty requests, each third one is of one source, and the first is the latest.
    #[test]
    fn the_nearest_of_the_same_source_come_first_then_the_nearest_of_all() {
        let request = |second| sample::bare(0, second, Role::AuthorizationRequest);
        let mut sightings: Vec<_> = (0..60).rev().map(request).collect();
        let mut source_of: Vec<u32> = (0..60).map(|number| number % 3).collect();
        let mut asked = Asked::default();
        (0..60).for_each(|number| asked.push(number));
        asked.sort(&sightings, &source_of);
        sightings.push(request(30));
        for (source, first) in [(0, 30), (1, 31), (2, 29)] {
            source_of.truncate(60);
            source_of.push(source);
            let near: Vec<usize> = asked.near(60, &sightings, &source_of).collect();
            let (own, all) = near.split_at(MAX_NAMED);
            assert!(own.iter().copied().eq((first..).step_by(3).take(MAX_NAMED)));
            assert_eq!(all, [29, 30, 31, 32, 33, 34, 35, 36]);
        }
    }
}
