//! By which four bytes needles are told: the end of a name and what stands behind it, an encoded letter, the telling
//! bytes of literals. Tells too many places rather than too few.

use std::collections::BTreeSet;

use super::cores::TELLING;
use super::literals::Literals;
use super::lookup::Lookup;
use super::names::Names;
use super::sets::{Class, Pattern, REACH};

/// Ends the user information of a URL, whatever stands before it.
const USERINFO: u8 = b'@';

/// What a name ends before.
const SEPARATORS: &[u8] = b"=:";

/// What may stand inside a name. Bytes that differ in their high bits stand apart, since they would be mistaken for
/// others together.
const JOINTS: [&[u8]; 2] = [b"_[]", b"-."];

/// What may stand between a name and its separator.
const BEHIND: [&[u8]; 2] = [b"_[]\\\t\x0b\x0c", b"-. \"'"];

/// A letter that is percent-encoded, or a joint or digit, which need not be either.
const ENCODED: [[&[u8]; 3]; 3] = [
    [b"%", b"4567", b"0123456789ABCDEFabcdef"],
    [b"%", b"2", b"DEde"],
    [b"%", b"3", b"0123456789"],
];

/// What may stand behind a name, percent-encoded.
const ENCODED_BEHIND: [[&[u8]; 3]; 2] = [[b"%", b"25", b"027BCDEFbcdef"], [b"%", b"0", b"9BCbc"]];

/// Everything that a needle of these is told by, where the processor can look it up.
pub(super) fn lookup(names: &Names, literals: &Literals) -> Option<Lookup> {
    let mut all = BTreeSet::new();
    add_names(&mut all, names);
    all.extend(literals.upto_joints().map(|upto| pattern(&upto)));
    all.extend(literals.cores().map(|core| pattern(&core.bytes)));
    Lookup::new(all.into_iter().collect(), USERINFO)
}

/// The last letters of names in either case, and what encoded ones are told by.
fn add_names(all: &mut BTreeSet<Pattern>, names: &Names) {
    let of = |bytes: &[u8]| Class::of(bytes.iter().copied());
    let separators = of(SEPARATORS);
    for name in names.reversed().chain([b"eman".as_slice()]) {
        let [last, second, rest @ ..] = name else {
            continue;
        };
        let third = rest.first().map_or(Class::ANY, |third| {
            Class::of(JOINTS.concat().into_iter().chain(cases(*third)))
        });
        let (second, last) = (Class::of(cases(*second)), Class::of(cases(*last)));
        all.insert([third, second, last, separators]);
        all.extend(JOINTS.map(|joint| [Class::ANY, of(joint), last, separators]));
    }
    all.extend(BEHIND.map(|behind| [Class::ANY, Class::ANY, of(behind), separators]));
    all.extend(ENCODED_BEHIND.map(|[a, b, c]| [of(a), of(b), of(c), separators]));
    all.extend(ENCODED.map(|[a, b, c]| [Class::ANY, of(a), of(b), of(c)]));
}

/// A letter in both cases.
fn cases(letter: u8) -> [u8; 2] {
    [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]
}

/// The last bytes of a word, which anything may stand before.
fn pattern(word: &[u8]) -> Pattern {
    std::array::from_fn(|place| {
        let at = word.len().checked_sub(REACH - place);
        at.and_then(|at| word.get(at))
            .map_or(Class::ANY, |byte| Class::of([*byte]))
    })
}

const _: () = assert!(
    TELLING == REACH,
    "as many bytes of a core are looked up as tell it"
);
