//! Needles: the fast search finds what the plain one does, from any place on.
#![no_main]

use tokentrail_fuzz::RULES;

tokentrail_fuzz::target!(|data| {
    let Some((from, bytes)) = data.split_first() else {
        return;
    };
    let needles = &RULES.needles;
    let from = usize::from(*from).min(bytes.len());
    assert_eq!(needles.find(bytes, from), needles.find_plainly(bytes, from));
});
