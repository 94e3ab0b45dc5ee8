//! Which name somebody meant who wrote one that nothing has. Knows spelling, and nothing of what names stand for.

use strsim::osa_distance;

/// Names that are told at most: more are a list to read, and there is a command for that.
const TOLD: usize = 3;

/// Bytes of a name that are compared: no name is half as long, and the time grows by the square.
const LONGEST: usize = 64;

/// The known names (`topic:id`) that this one may stand for, the nearest first: those from which a slip or two make
/// it, then those that have it as a part (`pkce`).
pub(super) fn meant(name: &str, known: &[String]) -> Vec<String> {
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = folded(bare(name));
    let mut near: Vec<(bool, usize, &String)> = known
        .iter()
        .filter_map(|full| {
            let (is_part, distance) = likeness(&name, &folded(bare(full)))?;
            Some((is_part, distance, full))
        })
        .collect();
    near.sort_unstable();
    let near = near.into_iter().map(|(_, _, full)| full.clone());
    near.take(TOLD).collect()
}

/// Whether the name is only a part of the known one, and how many slips lie between them.
fn likeness(name: &str, known: &str) -> Option<(bool, usize)> {
    let distance = osa_distance(name, known);
    // One slip in three characters, so that one or two characters are no name.
    if distance <= name.chars().count() / 3 {
        return Some((false, distance));
    }
    let mut parts = known.match_indices(name).map(|(at, _)| at);
    let is_part = parts.any(|at| {
        let before = known.get(..at).and_then(|it| it.chars().next_back());
        let after = known.get(at + name.len()..);
        let after = after.and_then(|it| it.chars().next());
        let mut ends = [before, after].into_iter().flatten();
        ends.all(|it| !it.is_alphanumeric())
    });
    (is_part && !name.is_empty()).then_some((true, distance))
}

/// The name without its topic: people take one for another.
fn bare(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, id)| id)
}

/// Names of the wire have `_`, those of flows and rules `-`; people write either.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(name: &str) -> Vec<String> {
        let known = [
            "verdict:unknown",
            "flow:implicit",
            "flow:code-nopkce",
            "flow:code-pkce-s256",
            "flow:cas",
            "flow:unknown",
            "weakness:no-pkce",
            "weakness:pkce-plain",
            "weakness:no-state",
            "kind:access_token",
            "kind:id_token",
        ];
        meant(name, &known.map(String::from))
    }

    #[test]
    fn a_slip_is_mended() {
        for (name, wanted) in [
            ("implict", "flow:implicit"),
            ("Implicit", "flow:implicit"),
            ("flow:impilcit", "flow:implicit"),
            ("flw:implicit", "flow:implicit"),
            ("acess-token", "kind:access_token"),
            ("cass", "flow:cas"),
            ("code-pkce-s265", "flow:code-pkce-s256"),
            ("kind:acces_token", "kind:access_token"),
            ("kind:cas", "flow:cas"),
        ] {
            assert_eq!(near(name), [wanted], "{name}");
        }
        assert_eq!(near("unknwon"), ["flow:unknown", "verdict:unknown"]);
    }

    #[test]
    fn a_part_is_told_as_a_whole_word_and_after_a_slip() {
        let with_pkce = [
            "weakness:no-pkce",
            "weakness:pkce-plain",
            "flow:code-pkce-s256",
        ];
        assert_eq!(near("pkce"), with_pkce);
        assert_eq!(near("kce"), [""; 0]);
        assert_eq!(near("no_pkc"), ["weakness:no-pkce"]);
        assert_eq!(near("state"), ["weakness:no-state"]);
    }

    #[test]
    fn what_is_like_nothing_is_answered_with_nothing() {
        for name in ["", "-", "x", "ca", "frobnicate", ":", "é", "flow:"] {
            assert_eq!(near(name), [""; 0], "{name}");
        }
        assert_eq!(near(&"implicit".repeat(1 << 16)), [""; 0]);
    }
}
