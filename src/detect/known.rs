//! The values of a message that are credentials, and what is shown in their place. A message may hold thousands, and
//! each of its names and places must be without all of them.

use std::collections::{HashMap, HashSet};

/// Shorter values are words of every URL.
pub(super) const MIN_SCRUBBED: usize = 6;

/// Values up to which each is looked for by itself.
const FEW: usize = 16;

/// Values that are credentials, with what is shown instead.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// In order of appearance; of many, none twice.
    values: Vec<(&'a str, String)>,
    /// Where there are many: those that begin so.
    begins: HashMap<[u8; MIN_SCRUBBED], Vec<usize>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(values: impl Iterator<Item = (&'a str, String)>) -> Self {
        let mut values: Vec<_> = values.collect();
        let mut begins: HashMap<_, Vec<usize>> = HashMap::new();
        if values.len() > FEW {
            let mut seen = HashSet::new();
            values.retain(|(value, _)| seen.insert(*value));
            for (at, (value, _)) in values.iter().enumerate() {
                if let Some(begin) = value.as_bytes().first_chunk() {
                    begins.entry(*begin).or_default().push(at);
                }
            }
        }
        Self { values, begins }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'a str, String)> {
        self.values.iter()
    }

    /// Those of at least [`MIN_SCRUBBED`] bytes that a text holds, in order of appearance.
    pub(super) fn within(&self, text: &str) -> impl Iterator<Item = &(&'a str, String)> {
        let few = self.begins.is_empty().then_some(&self.values);
        let few = few.into_iter().flatten().filter(|(value, _)| {
            (MIN_SCRUBBED..=text.len()).contains(&value.len()) && text.contains(value)
        });
        let many = self.among_many(text).into_iter();
        few.chain(many.filter_map(|at| self.values.get(at)))
    }

    fn among_many(&self, text: &str) -> Vec<usize> {
        if self.begins.is_empty() {
            return Vec::new();
        }
        let windows = text.as_bytes().windows(MIN_SCRUBBED).enumerate();
        let mut found: Vec<usize> = windows
            .filter_map(|(at, begin)| Some((at, self.begins.get(begin)?)))
            .flat_map(|(at, values)| values.iter().map(move |value| (at, *value)))
            .filter(|(at, value)| {
                let rest = text.as_bytes().get(*at..).unwrap_or_default();
                let value = self.values.get(*value);
                value.is_some_and(|(value, _)| rest.starts_with(value.as_bytes()))
            })
            .map(|(_, value)| value)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_found_as_few_are() {
        let values: Vec<String> = (0..400)
            .map(|at| format!("{at}-value-{}", at % 7))
            .collect();
        let text = format!(
            "{}/{}x{}é{}",
            values[3], values[39], values[39], values[203]
        );
        let held = |known: &Known<'_>| {
            let within = known.within(&text);
            within
                .map(|(value, _)| (*value).to_owned())
                .collect::<Vec<_>>()
        };
        let pairs = |range: std::ops::Range<usize>| {
            Known::of(values[range].iter().map(|it| (it.as_str(), String::new())))
        };
        let plainly = values.iter().filter(|value| text.contains(value.as_str()));
        assert_eq!(held(&pairs(0..400)), plainly.cloned().collect::<Vec<_>>());
        assert_eq!(held(&pairs(36..40)), ["39-value-4"]);
        assert!(held(&pairs(0..0)).is_empty());
        let short = Known::of([("abc", String::new())].into_iter());
        assert_eq!(short.within("abcabc").count(), 0);
    }
}
