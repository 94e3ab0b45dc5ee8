//! What holds for every evidence, from the observations to the findings: order and strangers change nothing, time
//! makes nothing worse, a verifier opens its own challenge alone, and a half that is missing proves nothing.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    reason = "a test fails by panicking, and reads stories without their expectations"
)]

#[path = "flows/found.rs"]
mod found;
#[path = "flows/grouped.rs"]
mod grouped;
#[path = "flows/story.rs"]
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use found::{Found, find};
use grouped::Account;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use story::Story;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{Digest, Kind};
use tokentrail::collect::Observation;
use tokentrail::flow::{self, Flow, Pkce};
use tokentrail::judge::{Finding, State};

const CODE: Kind = Kind::AuthorizationCode;

/// RFC 7636 §4.1. What ends in dots was cut by whoever wrote it down, and is none.
const VERIFIER: &str = "[A-Za-z0-9._~-]{42,127}[A-Za-z0-9_~-]";

/// RFC 7636 appendix B, and GitLab's documentation of its OAuth provider.
const VECTORS: [(&str, &str); 2] = [
    (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ),
    (
        "ks02i3jdikdo2k0dkfodf3m39rjfjsdk0wk349rj3jrhf",
        "2i0WFA-0AerkjQm4X4oDEhqA17QIAKNjXpagHBXmO_U",
    ),
];

#[test]
fn the_formula_is_that_of_the_published_verifiers_and_opens_no_other() {
    for (verifier, challenge) in VECTORS {
        assert_eq!(s256(verifier), challenge);
        // A published value is a sample and no secret, so that the evidence holds one a letter longer.
        let verifier = format!("{verifier}x");
        let challenge = s256(&verifier);
        assert_eq!(with_verifier(&verifier, &challenge), State::Replayable);
        assert_eq!(with_verifier(&verifier, VECTORS[0].1), State::Guarded);
        // A challenge under S256 is no verifier, and a verifier is not compared as it is.
        assert_eq!(with_verifier(&challenge, &challenge), State::Guarded);
        assert_eq!(with_verifier(&verifier, &verifier), State::Guarded);
    }
}

#[test]
fn a_token_handed_to_a_page_is_no_call_when_the_page_is_loaded_with_it() {
    let found = Found::of(
        "```log\n\
         12:00:01 GET https://app.example.com/cb?code={code}&state={state} 302 -> https://app.example.com/welcome?access_token={token}\n\
         12:00:02 GET https://app.example.com/welcome?access_token={token} 200\n```",
    );
    assert_eq!(found.flow(Kind::AccessToken), Flow::HandoffQuery);
    let found = Found::of(
        "```log\n\
         12:00:01 GET https://app.example.com/cb?code={code}&state={state} 302 -> https://app.example.com/welcome?access_token={token}\n\
         12:00:09 GET https://api.example.com/v1/me?access_token={token} 200\n```",
    );
    assert_eq!(found.flow(Kind::AccessToken), Flow::BearerInQuery);
}

#[test]
fn an_error_that_is_seen_twice_is_one_failed_run() {
    let found = Found::of(
        "```log\n\
         12:00:01 GET https://idp.example.net/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state={state}&code_challenge={s256:v}&code_challenge_method=S256 302 -> https://app.example.com/cb?error=access_denied&state={state}\n\
         12:00:02 GET https://app.example.com/cb?error=access_denied&state={state} 200\n```",
    );
    let grants: Vec<Flow> = found.correlated.trails.iter().map(|it| it.grant).collect();
    assert_eq!(grants, [Flow::Failed]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn order_of_files_and_rows_changes_nothing(world in world(), seed in any::<u64>()) {
        let story = Story::parse(&text(&world));
        let plain = Found::from(&story.observations, story.as_of);
        // Rows of one file keep their order, as a reader keeps it; files come in any order.
        let mut sources: BTreeMap<Box<str>, Vec<Observation>> = BTreeMap::new();
        for observation in story.observations {
            sources.entry(observation.place.source.path.clone()).or_default().push(observation);
        }
        let mut sources: Vec<Vec<Observation>> = sources.into_values().collect();
        shuffle(&mut sources, seed);
        let mixed = Found::from(&sources.concat(), story.as_of);
        prop_assert_eq!(&plain.correlated, &mixed.correlated);
        let places = plain.correlated.sightings.iter().map(|it| &it.place);
        prop_assert!(places.is_sorted());
        prop_assert_eq!(&plain.findings, &mixed.findings);
        // What one run yields comes in any order too: threads end when they end.
        let mut sightings = plain.correlated.sightings.clone();
        shuffle(&mut sightings, seed);
        prop_assert_eq!(&plain.correlated, &flow::trails(sightings, rules()));
    }

    #[test]
    fn groups_by_themselves_are_all_at_once(world in world()) {
        let whole = Found::of(&text(&world)).correlated;
        prop_assert_eq!(Account::in_groups(&whole, rules()).0, Account::of(&whole));
    }

    #[test]
    fn strangers_change_no_finding(world in world(), stranger in run(), place in 0_usize..3) {
        let before = Found::of(&text(&world));
        let mut more = world.clone();
        more.push(Login { site: 9, elsewhere: place == 1, captured: place == 2, shared_state: false, ..stranger });
        let after = Found::of(&text(&more));
        for finding in &before.findings {
            let same = after.findings.iter().find(|other| other.id == finding.id);
            let same = same.expect("the finding is still there");
            prop_assert_eq!(known(finding), known(same));
        }
    }

    #[test]
    fn no_verdict_rises_as_time_passes(world in world(), mut steps in prop::collection::vec(0_i64..90_000, 2..5)) {
        let story = Story::parse(&text(&world));
        steps.sort_unstable();
        let start = story.as_of.checked_sub(SignedDuration::from_hours(13)).unwrap();
        let mut last: BTreeMap<Digest, State> = BTreeMap::new();
        for step in steps {
            let as_of = start.checked_add(SignedDuration::from_secs(step)).unwrap();
            for finding in Found::from(&story.observations, as_of).findings {
                let before = last.insert(finding.id, finding.now.state);
                prop_assert!(before.is_none_or(|before| before.rank() <= finding.now.state.rank()), "{before:?} then {:?}", finding.now);
            }
        }
    }

    #[test]
    fn a_verifier_opens_a_challenge_exactly_by_the_formula(verifier in VERIFIER, other in VERIFIER, own in any::<bool>(), at in 0_usize..43) {
        let challenge = s256(if own { &verifier } else { &other });
        let opens = own || verifier == other;
        prop_assert_eq!(with_verifier(&verifier, &challenge), if opens { State::Replayable } else { State::Guarded });
        // One letter more, less, or other is another challenge.
        let mut letters: Vec<char> = challenge.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        let near: String = letters.into_iter().collect();
        prop_assert_eq!(with_verifier(&verifier, &near), State::Guarded);
    }

    #[test]
    fn without_the_requests_nothing_stronger_is_said_of_pkce(world in world()) {
        let whole = Found::of(&text(&world));
        let without: Vec<Login> = world.iter().map(|login| Login { asked: false, ..*login }).collect();
        let without = Found::of(&text(&without));
        for finding in without.findings.iter().filter(|it| it.kind == CODE) {
            let of = |found: &Found| -> BTreeSet<Pkce> {
                let same = found.findings.iter().find(|it| it.id == finding.id);
                let trails = same.map(|it| it.trails.clone()).unwrap_or_default();
                trails.into_iter().map(|at| found.correlated.trails[at].pkce).collect()
            };
            for pkce in of(&without) {
                let weaker = matches!(pkce, Pkce::NotObserved | Pkce::VerifierOnly);
                prop_assert!(weaker || of(&whole).contains(&pkce), "{pkce:?} of {:?}", of(&whole));
            }
            let same = whole.findings.iter().find(|it| it.id == finding.id);
            if finding.now.state == State::Replayable {
                prop_assert_eq!(same.map(|it| it.now.state), Some(State::Replayable));
            }
        }
    }
}

/// One login, and what of it was recorded.
#[derive(Clone, Copy, Debug)]
struct Login {
    /// Host of client and server.
    site: u8,
    asked: bool,
    pkce: Pkce,
    /// Whether one `state` serves several logins.
    shared_state: bool,
    /// Whether the verifier lies in the browser's storage.
    stored: bool,
    /// Whether a capture has the token request.
    captured: bool,
    /// Whether a log, and not the history, has the callback.
    elsewhere: bool,
    /// Whether the token lands in a fragment.
    handed_over: bool,
}

fn run() -> impl Strategy<Value = Login> {
    let pkce = prop::sample::select(vec![Pkce::None, Pkce::Plain, Pkce::S256]);
    let flags = prop::array::uniform6(any::<bool>());
    (0_u8..2, any::<bool>(), pkce, flags).prop_map(|(site, asked, pkce, flags)| Login {
        site,
        asked,
        pkce,
        shared_state: flags[0] && flags[1],
        stored: flags[2],
        captured: flags[3],
        elsewhere: flags[4],
        handed_over: flags[5],
    })
}

fn world() -> impl Strategy<Value = Vec<Login>> {
    prop::collection::vec(run(), 1..5)
}

/// The evidence of a world, as a story.
fn text(world: &[Login]) -> String {
    let mut history = String::new();
    let mut rows = 0;
    let mut rest = String::new();
    let mut log = String::new();
    let mut stored: BTreeMap<u8, String> = BTreeMap::new();
    for (number, login) in world.iter().enumerate() {
        let Login { site, .. } = *login;
        // A stranger comes in the midst of the others: time ties nothing across sites.
        let minute = if site == 9 { 1 } else { number * 3 };
        let name = format!("{site}-{number}");
        let state = if login.shared_state {
            format!("{{state-{site}-shared}}")
        } else {
            format!("{{state-{name}}}")
        };
        let challenge = match login.pkce {
            Pkce::S256 => {
                format!("&code_challenge={{s256:verifier-{name}}}&code_challenge_method=S256")
            }
            Pkce::Plain => format!("&code_challenge={{verifier-{name}}}"),
            _ => String::new(),
        };
        if login.asked {
            history += &format!(
                "12:{minute:02}:01 https://idp{site}.net/authorize?response_type=code&client_id=app{site}&redirect_uri=https%3A%2F%2Fapp{site}.org%2Fcb&state={state}{challenge}\n"
            );
            rows += 1;
        }
        let callback = format!("https://app{site}.org/cb?code={{code-{name}}}&state={state}");
        if login.elsewhere {
            log += &format!("12:{minute:02}:04 GET {callback} 302\n");
        } else {
            let before = if login.asked {
                format!("<{rows} redirect ")
            } else {
                String::new()
            };
            history += &format!("12:{minute:02}:04 {before}{callback}\n");
            rows += 1;
            if login.handed_over {
                history += &format!(
                    "12:{minute:02}:05 <{rows} redirect https://app{site}.org/#access_token={{token-{name}}}&expires_in=3600\n"
                );
                rows += 1;
            }
        }
        let verifier = login.pkce != Pkce::None;
        if login.stored && verifier {
            let kept = stored.entry(site).or_default();
            *kept += &format!("code_verifier.{number} = {{verifier-{name}}}\n");
        }
        if login.captured {
            let sent = if verifier {
                format!("&code_verifier={{verifier-{name}}}")
            } else {
                String::new()
            };
            rest += &format!(
                "```har-entry\n12:{minute:02}:05 POST https://idp{site}.net/token 200\n> form: grant_type=authorization_code&client_id=app{site}&code={{code-{name}}}{sent}\n< json: {{\"access_token\":\"{{direct-{name}}}\",\"expires_in\":600}}\n```\n"
            );
        }
    }
    for (site, kept) in stored {
        rest += &format!("```storage session https://app{site}.org\n{kept}```\n");
    }
    format!("```history\n{history}```\n```log\n{log}```\n{rest}")
}

impl Found {
    fn of(text: &str) -> Self {
        let story = Story::parse(text);
        Self::from(&story.observations, story.as_of)
    }

    fn from(observations: &[Observation], as_of: Timestamp) -> Self {
        find(observations, as_of, rules())
    }

    fn flow(&self, kind: Kind) -> Flow {
        self.findings
            .iter()
            .find(|it| it.kind == kind)
            .expect("a finding")
            .flow
    }
}

/// What the judge says of the code of a login whose verifier lies in session storage.
fn with_verifier(verifier: &str, challenge: &str) -> State {
    let found = Found::of(&format!(
        "```history\n\
         12:00:01 https://idp.example.net/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state={{state}}&code_challenge={challenge}&code_challenge_method=S256\n\
         12:00:04 <1 redirect https://app.example.com/cb?code={{code}}&state={{state}}\n```\n\
         ```storage session https://app.example.com\ncode_verifier = {verifier}\n```\n\
         ```expect\nas-of: 12:01:00\n```"
    ));
    let mut codes = found.findings.iter().filter(|it| it.kind == CODE);
    codes.next().expect("the code").now.state
}

/// Everything about a finding that does not count its neighbours.
fn known(finding: &Finding) -> impl PartialEq + std::fmt::Debug {
    (
        (
            finding.leak,
            finding.kind,
            finding.flow,
            finding.severity,
            finding.severity_now,
        ),
        (finding.at_exposure.clone(), finding.now.clone()),
        (finding.exposed_to.clone(), finding.remediation.clone()),
        (
            finding.first_seen,
            finding.last_seen,
            finding.seen.len(),
            finding.trails.len(),
        ),
    )
}

fn s256(verifier: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()))
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| Rules::builtin().expect("the built-in rules"))
}

/// Fisher-Yates with a linear congruential generator (Knuth's MMIX constants).
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for at in (1..items.len()).rev() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(seed >> 33).unwrap() % (at + 1);
        items.swap(at, other);
    }
}
