//! The fast search held against a slow one that asks each byte by itself, at every cut, and at every place of
//! a step.

use super::*;

/// Places that are worth a second look, each byte asked by itself.
fn places_one_by_one(needles: &Needles, bytes: &[u8]) -> Vec<usize> {
    let literals = LITERALS.iter().copied().chain(["ghp_", "/webhooks/"]);
    let literals: Vec<&str> = literals.filter(|literal| !literal.contains('_')).collect();
    let is_place = |at: &usize| {
        needles.is_needle(bytes, *at)
            || literals
                .iter()
                .any(|literal| bytes[*at..].starts_with(literal.as_bytes()))
    };
    (0..bytes.len()).filter(is_place).collect()
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..at]).count()
}

#[test]
fn the_fast_search_stops_on_the_line_where_a_slow_one_does_at_every_cut() {
    let needles = needles();
    let pieces = [
        "/a?code=1 ",
        "%3Dx",
        "\n",
        "a=1&",
        "ghp_",
        "eyJ",
        "- - [10:20:30] ",
        "/webhook",
        "s/",
        "zipcode=",
        "?",
        "&",
        "\u{e9}",
        "%D0%B0",
        "access%5Ftoken=",
        "\"sid\": ",
        "x@h",
        "https://u:p@h/",
        "BASIC Basic ",
        "code",
        "=",
        "%",
        "%253D",
        "%40",
        "%25",
        "3A",
        "cod%65",
        "%65=",
        "<SID>",
        "[sid]:",
        "\0",
        "name=\"code\"",
    ];
    let mut next = numbers();
    for round in 0..60 {
        let mut text = vec![b'.'; round * 3 % 70];
        for _ in 0..next() % 40 {
            text.extend_from_slice(pieces[next() % pieces.len()].as_bytes());
            text.extend(std::iter::repeat_n(
                b' ',
                if next().is_multiple_of(3) {
                    next() % 50
                } else {
                    0
                },
            ));
        }
        for cut in [0, next() % 64, next() % 64] {
            let bytes = &text[..text.len().saturating_sub(cut)];
            let slow = places_one_by_one(&needles, bytes);
            for from in 0..bytes.len() {
                let expected = slow.iter().find(|at| **at >= from);
                let found = needles.find(bytes, from);
                assert_eq!(
                    found.map(|at| line_of(bytes, at)),
                    expected.map(|at| line_of(bytes, *at)),
                    "{:?} from {from}",
                    String::from_utf8_lossy(bytes)
                );
            }
            assert_eq!(needles.hit(bytes), !slow.is_empty());
        }
    }
}

/// A plain generator: the same numbers in every run.
fn numbers() -> impl FnMut() -> usize {
    let mut seed = 7_u64;
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 40).unwrap()
    }
}

#[test]
fn the_first_place_is_the_same_at_every_place_of_a_step() {
    let needles = needles();
    let needle = [
        "sid=",
        "%3Asid%253d",
        "x-amz-signature%3D",
        "ghp_",
        "eyJ",
        "https://a:b@c",
    ];
    for before in 0..200 {
        for needle in needle {
            for filler in *b" a%" {
                let bytes = [&vec![filler; before], needle.as_bytes(), &[b'.'; 80]].concat();
                let slow = places_one_by_one(&needles, &bytes);
                let line = |at: Option<usize>| at.map(|at| at < before + needle.len());
                assert_eq!(line(needles.find(&bytes, 0)), line(slow.first().copied()));
                assert_eq!(needles.hit(&bytes), !slow.is_empty());
            }
        }
    }
}

#[test]
fn the_needles_of_this_build_stop_on_the_line_where_a_slow_search_does() {
    let rules = crate::atoms::rules::Rules::builtin().unwrap();
    let literals: Vec<&str> = rules
        .catalogue
        .literals()
        .chain(rules.shapes.prefixes())
        .chain(LITERALS.iter().copied())
        .collect();
    let names = rules.catalogue.needle_names();
    let pieces: Vec<&str> = literals
        .iter()
        .copied()
        .chain(names.iter().map(|name| &**name))
        .collect();
    let between = [
        "=", ":", "%3D", "%253d", " ", "\n", "&", "?", "_", "-", "%40", "://", "@", "\"", "x",
        "%D0%B0", "0",
    ];
    let needles = &rules.needles;
    let mut next = numbers();
    let mut hits = 0;
    for _ in 0..400 {
        let mut bytes = vec![b'.'; next() % 70];
        for _ in 0..next() % 30 {
            let piece = pieces[next() % pieces.len()];
            // Often only a part of it, which is no needle.
            let part = if next().is_multiple_of(2) {
                piece.len()
            } else {
                next() % piece.len()
            };
            bytes.extend_from_slice(&piece.as_bytes()[..part]);
            for _ in 0..next() % 4 {
                bytes.extend_from_slice(between[next() % between.len()].as_bytes());
            }
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            let literal = literals
                .iter()
                .any(|literal| memchr::memmem::find(line, literal.as_bytes()).is_some());
            let slow = literal || (0..line.len()).any(|at| needles.is_needle(line, at));
            assert_eq!(
                needles.hit(line),
                slow,
                "{:?}",
                String::from_utf8_lossy(line)
            );
            hits += usize::from(slow);
        }
    }
    assert!(hits > 300, "{hits}");
}
