//! The kinds of run, and the world made of them.

use crate::client::Client;
use crate::code::{self, Kind};
use crate::place::{PROFILES, World};
use crate::prng::Rng;
use crate::truth::{Challenge, Run};
use crate::{direct, front, other};

/// 2026-11-23T00:00:00Z in seconds since 1970: the world ends.
pub const END: i64 = 1_795_392_000;

/// Clients that use any grant, as one does that moves from one to another.
const MIXED: usize = 8;
/// Clients per case: each authorization server, public and confidential.
const PER_CASE: usize = 8;

#[derive(Clone, Copy)]
enum Case {
    Code(&'static str, Challenge, Kind),
    Front(usize),
    Silent(usize),
    Direct(usize),
    Other(usize),
}

const CODES: &[(&str, Challenge, Kind)] = &[
    ("code, step up", Challenge::S256, Kind::StepUp),
    ("code, S256", Challenge::S256, Kind::Common),
    ("code, plain", Challenge::Plain, Kind::Common),
    (
        "code, challenge without method",
        Challenge::Unnamed,
        Kind::Common,
    ),
    ("code, no PKCE", Challenge::None, Kind::Common),
    ("code, pushed request", Challenge::S256, Kind::Par),
    ("code, signed request, S256", Challenge::S256, Kind::Jar),
    ("code, signed request, plain", Challenge::Plain, Kind::Jar),
    ("code, signed response", Challenge::S256, Kind::Jarm),
    (
        "code, signed response, no PKCE",
        Challenge::None,
        Kind::Jarm,
    ),
    ("code, form_post", Challenge::S256, Kind::FormPost),
    ("code, silent", Challenge::S256, Kind::Silent),
    ("user error", Challenge::S256, Kind::Denied),
    ("code, BFF with a cookie", Challenge::S256, Kind::Bff),
    (
        "hand-off in a fragment, S256",
        Challenge::S256,
        Kind::HandoffFragment,
    ),
    (
        "hand-off in a fragment, no PKCE",
        Challenge::None,
        Kind::HandoffFragment,
    ),
    ("hand-off in a query", Challenge::S256, Kind::HandoffQuery),
    ("code, Referer leak", Challenge::S256, Kind::Referer),
    ("code, Referer leak, plain", Challenge::Plain, Kind::Referer),
    ("code in a fragment, S256", Challenge::S256, Kind::Fragment),
    ("code, DPoP", Challenge::S256, Kind::Dpop),
    (
        "code through another server",
        Challenge::S256,
        Kind::Federated,
    ),
];

fn cases() -> Vec<Case> {
    let codes = CODES
        .iter()
        .map(|&(name, challenge, kind)| Case::Code(name, challenge, kind));
    codes
        .chain((0..front::TYPES.len()).map(Case::Front))
        .chain([1, 2].map(Case::Silent))
        .chain((0..direct::CASES.len()).map(Case::Direct))
        .chain((0..other::CASES.len()).map(Case::Other))
        .collect()
}

/// A world of `runs` runs.
pub fn world(seed: u64, runs: usize) -> World {
    let mut rng = Rng::new(seed);
    let cases = cases();
    let clients: Vec<Client> = (0..MIXED + cases.len() * PER_CASE)
        .map(|index| Client::new(&mut rng, index))
        .collect();
    let mut world = World::default();
    let mut last: Option<(usize, usize, i64)> = None;
    for number in 0..runs {
        let index = number % cases.len();
        let profile = rng.below(PROFILES);
        // Ages from a second to eleven days, each order of magnitude as often.
        let age = (10f64.powf(rng.share() * 6.0) * 1000.0) as i64;
        let mut start = END * 1000 - age - rng.between(500, 9000);
        let mut client = if rng.chance(10) {
            rng.below(MIXED)
        } else {
            MIXED + index * PER_CASE + rng.below(PER_CASE)
        };
        let mut user = profile;
        // Some runs go on beside another in the same browser, of the same application.
        if let (Some((beside, same, at)), true) = (last, rng.chance(12)) {
            (user, start) = (beside, at + rng.between(100, 3000));
            client = if same < MIXED { same } else { client };
        }
        last = Some((user, client, start));
        let run = make(cases[index], &mut rng, &clients[client], start);
        world.add(&mut rng, run, user);
    }
    world
}

fn make(case: Case, rng: &mut Rng, client: &Client, start: i64) -> Run {
    match case {
        Case::Code(name, challenge, kind) => code::run(rng, client, start, name, challenge, kind),
        Case::Front(index) => front::run(rng, client, start, index, false),
        Case::Silent(index) => front::run(rng, client, start, index, true),
        Case::Direct(index) => direct::run(rng, client, start, index),
        Case::Other(index) => other::run(rng, client, start, index),
    }
}
