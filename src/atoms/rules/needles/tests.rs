//! What the needles mean, said plainly, and held against what they find.

mod places;

use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::atoms::rules::Name;

fn needles() -> Needles {
    let names = [
        "code",
        "access_token",
        "SAMLResponse",
        "sid",
        "x-amz-signature",
    ];
    let keys: BTreeSet<Box<str>> = names.iter().map(|name| Name::new(name).key).collect();
    let mut vocabulary = Vocabulary::default();
    for key in &keys {
        vocabulary.add_rule(key, true, true);
    }
    Needles::new(&keys, ["ghp_", "/webhooks/"].into_iter(), vocabulary)
}

/// What the needles mean, said as plainly as possible: a name of letters in any case with `_`, `-` or `.`
/// between them, each character perhaps percent-encoded, then quotes or blanks, then a separator under
/// any number of percent-encodings; or a literal.
fn plainly(bytes: &[u8]) -> bool {
    let text: Vec<u8> = bytes.to_vec();
    let literal = ["ghp_", "/webhooks/", "eyJ", "Bearer"]
        .iter()
        .any(|literal| {
            text.windows(literal.len())
                .any(|window| window == literal.as_bytes())
        });
    literal
        || (0..text.len()).any(|start| !is_inside_a_name(&text[..start]) && name_at(&text[start..]))
}

/// Whether what follows is the rest of a longer name in a query: `vocabulary` says what that means.
fn is_inside_a_name(before: &[u8]) -> bool {
    let run = before
        .iter()
        .rev()
        .take_while(|byte| is_of_plain_name(**byte))
        .count();
    run > 0 && matches!(before[..before.len() - run], [.., b'?' | b'&'])
}

fn name_at(text: &[u8]) -> bool {
    [
        "code",
        "accesstoken",
        "samlresponse",
        "sid",
        "xamzsignature",
    ]
    .iter()
    .any(|name| {
        let mut rest = text;
        for wanted in name.bytes() {
            loop {
                let (byte, used) = match rest {
                    [b'%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                        (unhex(*a, *b), 3)
                    }
                    [byte, ..] => (*byte, 1),
                    [] => return false,
                };
                rest = &rest[used..];
                if byte.to_ascii_lowercase() == wanted {
                    break;
                }
                if !matches!(byte, b'_' | b'-' | b'.') || rest.len() == text.len() - used {
                    return false;
                }
            }
        }
        while let [b'"' | b'\'' | b'\\' | b' ', tail @ ..] = rest {
            rest = tail;
        }
        matches!(rest, [b'=' | b':', ..]) || {
            let mut encoded = rest.strip_prefix(b"%".as_slice()).unwrap_or_default();
            while let Some(tail) = encoded.strip_prefix(b"25".as_slice()) {
                encoded = tail;
            }
            matches!(encoded, [b'3', b'd' | b'D' | b'a' | b'A', ..])
        }
    })
}

#[test]
fn every_spelling_of_a_name_is_seen() {
    let needles = needles();
    for text in [
        "code=1",
        "CODE=1",
        "?code%3D1",
        "%3Fcode%253D1",
        "access%5Ftoken=1",
        "%61ccess_token=1",
        "accessToken=1",
        "x[access_token]=1",
        "\"access_token\": 1",
        "\\\"code\\\":1",
        "sid: 1",
        "acc%2565ss_token=1",
        "name=\"SAMLResponse\"",
        "a=1&amp;code=2",
        "eyJ",
        "https://u:p@h/",
        "https://token@h/",
        "https%3A%2F%2Fu%3Ap%40h",
        "%accesstoken=1",
        "code\\u003d1",
        "code&#61;1",
    ] {
        assert!(needles.hit(text.as_bytes()), "{text}");
    }
    for text in [
        "a=1&b=2",
        "https://example.com/code/x",
        "12:30:59 GET / HTTP/1.1",
        "%D0%B0=1",
        "",
    ] {
        assert!(!needles.hit(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_literal_with_an_encoded_separator_in_it_is_found() {
    let literals = ["%3Dabc", "xy%25", "q%3d%3A", "%40me", "%41ly"];
    let needles = Needles::new(
        &BTreeSet::new(),
        literals.into_iter(),
        Vocabulary::default(),
    );
    for literal in literals {
        for before in 0..80 {
            let bytes = [&vec![b'a'; before], literal.as_bytes(), &[b' '; 40]].concat();
            assert_eq!(needles.find(&bytes, 0), Some(before), "{literal}");
        }
        let cut = literal.as_bytes()[..literal.len() - 1].repeat(20);
        assert!(!needles.hit(&cut), "{literal}");
    }
}

#[test]
fn more_literals_than_one_search_takes_are_all_found() {
    let literals: Vec<String> = (0..300).map(|it| format!("q{it:03}z")).collect();
    let keys = BTreeSet::new();
    let needles = Needles::new(
        &keys,
        literals.iter().map(|it| &**it),
        Vocabulary::default(),
    );
    for literal in &literals {
        let bytes = [&[b'q'; 50], literal.as_bytes(), &[b' '; 40]].concat();
        assert_eq!(needles.find(&bytes, 0), Some(50), "{literal}");
    }
    assert!(!needles.hit("q300z q00z qq001 ".repeat(9).as_bytes()));
}

#[test]
fn what_only_ends_like_a_name_is_told_as_the_catalogue_tells_it() {
    let rules = crate::atoms::rules::Rules::builtin().unwrap();
    let vocabulary = rules.catalogue.vocabulary();
    let words = [
        "page",
        "Page",
        "access",
        "token",
        "Token",
        "TOKEN",
        "code",
        "zip",
        "zipcode",
        "csrf",
        "state",
        "api",
        "key",
        "id",
        "session",
        "reset",
        "Password",
        "1",
        "user",
        "x",
        "_",
        "-",
        ".",
        "[",
        "]",
        "auth0",
        "SAML",
        "Response",
        "device",
        "d41d8cd98f00b204",
        "oauth",
        "client",
        "secret",
    ];
    let mut refused = 0;
    for first in words {
        for second in words {
            for third in ["", "_", "code", "Token", "0"] {
                for joint in ["", "_", "-"] {
                    let name = [first, joint, second, joint, third].concat();
                    let key = Name::new(&name);
                    let public = rules.catalogue.public(&key);
                    let matters = rules.catalogue.rules_for(&key).next().is_some()
                        || public.is_some_and(|public| public.needle);
                    let may = vocabulary.may_matter(name.as_bytes());
                    assert!(may || !matters, "{name}");
                    refused += u32::from(!may);
                }
            }
        }
    }
    assert!(refused > 5_000, "{refused}");
    for name in [
        "page_token",
        "zipcode",
        "csrf_token",
        "colorcode",
        "country_code",
    ] {
        assert!(!vocabulary.may_matter(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_million_escapes_cost_linear_time() {
    let needles = needles();
    assert!(!needles.hit("%25".repeat(1_000_000).as_bytes()));
    assert!(!needles.hit(format!("%{}", "25".repeat(1_000_000)).as_bytes()));
    assert!(!needles.hit("%253D".repeat(300_000).as_bytes()));
    assert!(!needles.hit("%61b".repeat(300_000).as_bytes()));
}

/// What the built-in rules ask for.
fn builtin() -> &'static Needles {
    static RULES: OnceLock<crate::atoms::rules::Rules> = OnceLock::new();
    let rules = RULES.get_or_init(|| crate::atoms::rules::Rules::builtin().unwrap());
    &rules.needles
}

/// The lookup against the plain search, from some places on and cut at others.
fn lookup_is_search(bytes: &[u8]) {
    for needles in [builtin(), &needles()] {
        for from in [0, 1, 2, 3, 63, bytes.len() / 2, bytes.len()] {
            let from = from.min(bytes.len());
            let found = needles.find_plainly(bytes, from);
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(needles.find(bytes, from), found, "from {from} in {text}");
        }
        for end in (0..bytes.len()).step_by(7) {
            let bytes = &bytes[..end];
            let found = needles.find_plainly(bytes, 0);
            assert_eq!(
                needles.find(bytes, 0),
                found,
                "in {}",
                String::from_utf8_lossy(bytes)
            );
            assert_eq!(needles.hit(bytes), found.is_some());
        }
    }
}

#[test]
fn the_lookup_finds_each_name_and_literal_that_the_search_finds() {
    assert!(
        builtin().lookup.is_some(),
        "this processor looks nothing up"
    );
    let names = builtin().names.reversed().map(|name| {
        let name: Vec<u8> = name.iter().rev().copied().collect();
        [name, b"=1".to_vec()].concat()
    });
    let cores = builtin().literals.cores().map(|core| core.bytes.to_vec());
    let plain: Vec<Vec<u8>> = LITERALS.iter().map(|it| it.as_bytes().to_vec()).collect();
    for needle in names.chain(cores).chain(plain) {
        for before in [0, 2, 61, 64] {
            let bytes = [&vec![b' '; before], needle.as_slice(), b" x"].concat();
            lookup_is_search(&bytes);
            lookup_is_search(&bytes.to_ascii_uppercase());
            lookup_is_search(&bytes[..before + needle.len()]);
        }
    }
}

#[test]
fn what_is_parted_by_a_joint_is_no_escape() {
    for text in ["%]25c:", "%25]61c:", "%2]5c=", "x%25.2Ec="] {
        lookup_is_search(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn the_lookup_finds_what_the_search_finds(
        before in 0..80_usize,
        text in "(code|CoDe|access|_|-|%5F|%2D|%61|%6f|%25|token|=|%3D|%253d|:|%3A|%40|@|://|\"|\\\\|'| |sid|SAML|Response|ghp_|xoxb-|gh|eyJ|&|name=\"|Bearer |/reset|pwd|wa|[a-z0-9%]|\\n|é|auth){0,30}",
        after in 0..70_usize,
    ) {
        let bytes = [vec![b' '; before], text.into_bytes(), vec![b'.'; after]].concat();
        lookup_is_search(&bytes);
    }

    #[test]
    fn the_lookup_finds_names_however_they_are_spelt(
        name in proptest::sample::select(builtin().names.reversed().map(<[u8]>::to_vec).collect::<Vec<_>>()),
        spelling in proptest::collection::vec((0..12_u8, any::<bool>()), 48),
        behind in "[-_. \\[\\]\"'\\\\\t]{0,4}|%2[027]|%5[CDF] ?|%2522",
        separator in "=|:|%3D|%3a|%253d| |",
        before in 0..70_usize,
    ) {
        let mut bytes = vec![b'/'; before];
        for (letter, (how, upper)) in name.iter().rev().zip(spelling) {
            let letter = if upper { letter.to_ascii_uppercase() } else { *letter };
            match how {
                0 => bytes.extend(format!("%{letter:02X}").bytes()),
                1 => bytes.extend(format!("%25{letter:02x}").bytes()),
                2 => bytes.extend([b'_', letter]),
                3 => bytes.extend([b"%2D".as_slice(), &[letter]].concat()),
                4 => bytes.extend([b"%5f".as_slice(), &[letter]].concat()),
                _ => bytes.push(letter),
            }
        }
        bytes.extend(behind.bytes().chain(separator.bytes()).chain(*b"x y"));
        lookup_is_search(&bytes);
    }

    #[test]
    fn the_lookup_finds_what_the_search_finds_in_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        lookup_is_search(&bytes);
    }

    #[test]
    fn never_no_in_vain(text in "(code|CoDe|access|_|-|%5F|%5f|%2D|%61|%25|token|=|%3D|%253d|%25253D|:|%3A|\"|\\\\|'| |sid|SAML|Response|ghp_|ghp|eyJ|&|%26|[a-z0-9%]|x-amz-signature){0,24}") {
        if plainly(text.as_bytes()) {
            prop_assert!(needles().hit(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn never_no_in_vain_wherever_a_step_or_a_block_ends(
        before in (0..200_usize).prop_union(960..1100_usize),
        text in "(code|CoDe|access|_|%5F|%25|token|=|%3D|%253d|:|%3A|\"|sid|ghp_|eyJ|&|[a-z%]|\\n){0,12}",
        after in 0..70_usize,
    ) {
        let bytes = [vec![b' '; before], text.clone().into_bytes(), vec![b'.'; after]].concat();
        if plainly(text.as_bytes()) {
            let found = needles().find(&bytes, 0);
            prop_assert!(found.is_some_and(|at| (before..before + text.len()).contains(&at)), "{}", text);
            prop_assert!(needles().hit(&bytes), "{}", text);
        }
    }

    #[test]
    fn never_no_in_vain_over_bytes(bytes in proptest::collection::vec(proptest::sample::select(b"code=%3D25a_:\" sid\\".to_vec()), 0..40)) {
        if plainly(&bytes) {
            prop_assert!(needles().hit(&bytes), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
