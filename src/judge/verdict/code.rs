//! Authorization codes: used, bound, opened by a verifier, guarded by one or by a client secret, or open.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::client::Client;
use super::token::key_within;
use super::{Case, Reach, Ruling};
use crate::atoms::{JoinKey, KeyKind, Kind, Slot};
use crate::collect::Via;
use crate::detect::{PUSHED, Role, Sighting};
use crate::flow::{Flow, Modifier, Pkce, WeaknessKind};
use crate::judge::clock::later;
use crate::judge::facts::Event;
use crate::judge::{Basis, State};

/// A token request this soon after the callback, to an endpoint that answered with success, is taken for
/// the redemption when its body was not recorded. Clients redeem at once; a minute covers a slow one.
const REDEMPTION_WINDOW: i64 = 60;

const VERIFIER: &str = "code_verifier";
const SECRET: &str = "client_secret";

pub(super) fn rule(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    if let Some(ruling) = used(case, at, reach) {
        return ruling;
    }
    let mut ruling = by_pkce(case, reach);
    if case.steps().any(|(_, step)| binds(step)) {
        // RFC 9449 §10: the code is worth nothing without the key that dpop_jkt names.
        let Some(key) = key_within(case, reach, &keys_asked(case)) else {
            return Ruling::proven(State::Bound, "the request bound the code to a DPoP key")
                .needing(&["dpop_private_key"]);
        };
        ruling = with_key(ruling, key);
    }
    // That it is still within its lifetime is only as certain as the lifetime.
    let basis = match ruling.state {
        State::Replayable => ruling.basis.max(case.clock.basis),
        _ => ruling.basis,
    };
    case.unless_refused(Ruling { basis, ..ruling }, at, reach)
}

/// Rows 7 to 13.
fn by_pkce(case: &Case<'_>, reach: Reach) -> Ruling {
    match pkce(case) {
        Pkce::S256 | Pkce::Plain if case.is_unenforced() => opened(
            case,
            reach,
            "the request has a challenge, and the server issued tokens without the verifier that fits it",
        ),
        Pkce::S256 => s256(case, reach),
        Pkce::VerifierOnly => verifier_only(case, reach),
        Pkce::Plain => plain(case, reach),
        Pkce::None => none(case, reach),
        Pkce::NotObserved => not_observed(case, reach),
    }
}

/// To who has the key a code that is bound to it is as any other (RFC 9449 §11.4), and no better known than the key.
fn with_key(ruling: Ruling, key: Basis) -> Ruling {
    let lies = match key {
        Basis::Proven => "the key that the code is bound to lies in the same hands",
        _ => {
            "the code is bound to a key, and a private key lies in the same hands; nothing tells whether it is the same"
        }
    };
    Ruling {
        basis: ruling.basis.max(key),
        because: format!("{}; {lies}", ruling.because).into(),
        ..ruling
    }
}

/// Whether a request binds the code, by the thumbprint of the key or by a proof of it beside a pushed request (RFC 9449
/// §10.1). A token that is bound to a key does not say that its code was.
fn binds(step: &Sighting) -> bool {
    // A proof at the token endpoint is one of the token's key.
    let address = step.address.as_ref();
    let is_push =
        step.role == Role::TokenRequest && address.is_some_and(|address| address.path_has(&PUSHED));
    let mut params = step.params.iter();
    params.any(|it| &*it.name == "dpop_jkt" || &*it.name == "dpop" && is_push)
}

/// The keys that its requests bound it to, as far as they tell (RFC 7638).
fn keys_asked(case: &Case<'_>) -> Vec<JoinKey> {
    let requests = case.steps().filter(|(_, step)| binds(step));
    let keys = requests.flat_map(|(_, step)| &step.keys);
    keys.filter(|key| key.kind == KeyKind::Thumbprint)
        .copied()
        .collect()
}

/// Row 3. RFC 6749 §4.1.2: a second use must be denied, and should revoke the tokens.
pub(super) fn redeemed(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
    let because = if case.stands(Event::Refused, at, reach) {
        "a token request with this code was answered with success, and another was refused, at which a server should revoke the tokens already issued"
    } else {
        "a token request with this code was answered with success; a second use must be denied and should revoke the tokens already issued"
    };
    case.happened(Event::Redeemed, at, reach)
        .then(|| Ruling::new(State::Spent, case.grant_basis(at, reach), because))
}

/// Row 5 of the table: it was exchanged unseen. What was refused was not.
fn used(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Option<Ruling> {
    if case.happened(Event::Refused, at, reach) {
        return None;
    }
    let first = case.first_seen()?;
    let between = |index: usize| {
        let when = case.facts.time(index);
        when.is_some_and(|when| first < when) && case.past(index, at, reach)
    };
    let answered = case.steps().any(|(index, step)| {
        let tokens = step.credentials.iter();
        step.role == Role::TokenResponse
            && between(index)
            && tokens
                .map(|it| it.kind)
                .any(|kind| matches!(kind, Kind::AccessToken | Kind::IdToken))
    });
    if answered {
        return Some(Ruling::assumed(
            State::Spent,
            "a token response of the same run follows it, so the code was exchanged",
        ));
    }
    let soon = later(first, REDEMPTION_WINDOW)?;
    let hidden = case.steps().any(|(index, step)| {
        step.role == Role::TokenRequest
            && step
                .credentials
                .iter()
                .all(|it| it.kind != Kind::AuthorizationCode)
            && matches!(step.status, Some(200..=299))
            && between(index)
            && case.facts.time(index).is_some_and(|when| when <= soon)
    });
    if hidden {
        return Some(Ruling::assumed(
            State::Spent,
            "a token request of the same run was answered with success within a minute; its body was not recorded",
        ));
    }
    let went_on =
        at.is_some_and(|at| at > first) && (case.has(Modifier::Bff) || answered_by_cookie(case));
    (went_on || handed_over(case, &between)).then(|| {
        Ruling::assumed(
            State::Spent,
            "the client's back end went on with the session, so it had exchanged the code",
        )
    })
}

/// The callback itself was answered with a session, or with the tokens, in a cookie, and not with an error.
fn answered_by_cookie(case: &Case<'_>) -> bool {
    let mates = |sighting| case.facts.exchange(sighting).map(|(_, mate)| mate);
    let callbacks = case.sent().map(|(_, sighting)| sighting);
    callbacks
        .filter(|it| it.role != Role::TokenRequest && !mates(it).any(Sighting::leads_to_error))
        .flat_map(mates)
        .filter(|mate| mate.via == Via::Response && !mate.is_refused())
        .flat_map(|mate| &mate.credentials)
        .any(|it| {
            let session = matches!(
                it.kind,
                Kind::SessionId | Kind::AccessToken | Kind::IdToken | Kind::RefreshToken
            );
            it.slot == Slot::Cookie && session
        })
}

/// A token that the back end gave to the browser in the same run.
fn handed_over(case: &Case<'_>, between: &dyn Fn(usize) -> bool) -> bool {
    let trails = case.exposure.trails.iter();
    trails
        .flat_map(|trail| case.facts.exposures(*trail))
        .any(|other| {
            matches!(other.flow, Flow::HandoffFragment | Flow::HandoffQuery)
                && other.seen.iter().any(|(index, _)| between(*index))
        })
}

/// What is known best of PKCE in its trails.
fn pkce(case: &Case<'_>) -> Pkce {
    let known = |pkce: Pkce| match pkce {
        Pkce::NotObserved => 0,
        Pkce::None => 1,
        Pkce::VerifierOnly => 2,
        Pkce::Plain => 3,
        Pkce::S256 => 4,
    };
    let all = case.trails().map(|trail| trail.pkce);
    all.max_by_key(|pkce| known(*pkce))
        .unwrap_or(Pkce::NotObserved)
}

impl Case<'_> {
    /// Whether the server of its run issues tokens to whoever lacks the verifier: no challenge guards a code there.
    pub(in crate::judge) fn is_unenforced(&self) -> bool {
        let mut weaknesses = self.trails().flat_map(|trail| &trail.weaknesses);
        weaknesses.any(|it| it.kind == WeaknessKind::PkceNotEnforced)
    }
}

/// Rows 7 and 9 (RFC 9700 §2.1.1, §4.5.3.1; RFC 7636 §4.6).
fn s256(case: &Case<'_>, reach: Reach) -> Ruling {
    let verifiers: Vec<usize> = asked(case)
        .iter()
        .filter(|challenge| challenge.kind == KeyKind::ChallengeS256)
        .flat_map(|challenge| case.facts.verifiers(challenge))
        .collect();
    if verifiers.iter().any(|index| case.within(reach, *index)) {
        return opened(
            case,
            reach,
            "its code_verifier lies in the same hands, and S256 of it equals the challenge",
        );
    }
    let sends_another = || {
        let sent = case
            .steps()
            .filter(|(_, step)| step.role == Role::TokenRequest);
        let mut sent = sent.flat_map(|(_, step)| &step.credentials);
        sent.any(|it| {
            let mut keys = it.keys.iter().map(|key| key.kind);
            it.kind == Kind::CodeVerifier && keys.any(|kind| kind == KeyKind::ChallengeS256)
        })
    };
    closed(
        case,
        reach,
        match verifiers.is_empty() {
            false => {
                "the request has an S256 challenge, and only another holder has its code_verifier"
            }
            true if sends_another() => {
                "the request has an S256 challenge, and the code_verifier that was sent does not open it"
            }
            true => "the request has an S256 challenge, and its code_verifier was not found",
        },
    )
}

/// Challenges that its runs were asked under. A verifier that was sent with it may be another's.
fn asked(case: &Case<'_>) -> BTreeSet<JoinKey> {
    let trails = case.exposure.trails.iter();
    trails
        .flat_map(|trail| case.facts.challenges(*trail))
        .collect()
}

fn verifier_only(case: &Case<'_>, reach: Reach) -> Ruling {
    let within = case.steps().any(|(index, step)| {
        case.within(reach, index)
            && step
                .credentials
                .iter()
                .any(|it| it.kind == Kind::CodeVerifier)
    });
    if within {
        opened(
            case,
            reach,
            "the code_verifier that was sent with it lies in the same hands",
        )
    } else {
        closed(
            case,
            reach,
            "it was redeemed with a code_verifier, which another holder has",
        )
    }
}

/// Row 8: the challenge is the verifier (RFC 7636 §4.2, §7.2; RFC 9700 §2.1.1).
fn plain(case: &Case<'_>, reach: Reach) -> Ruling {
    let asked = asked(case);
    let mut within = case.steps().filter(|(index, _)| case.within(reach, *index));
    let exposed = within.any(|(_, step)| {
        let mut kinds = step.credentials.iter().map(|it| it.kind);
        step.keys.iter().any(|key| asked.contains(key))
            || kinds.any(|kind| match kind {
                Kind::CodeChallenge => true,
                // That of a challenge that cannot be compared.
                Kind::CodeVerifier => asked.is_empty(),
                _ => false,
            })
    });
    if exposed {
        opened(
            case,
            reach,
            "the challenge method is plain, so the challenge in the request is the code_verifier",
        )
    } else {
        closed(
            case,
            reach,
            "the challenge method is plain, but this holder does not have the request with it",
        )
    }
}

/// Rows 10 to 12a (RFC 9700 §2.1.1, §4.5).
fn none(case: &Case<'_>, reach: Reach) -> Ruling {
    match case.client() {
        Client::Public(basis) => Ruling::new(
            State::Replayable,
            basis,
            "the request has no PKCE challenge and the client does not authenticate, so the code alone is enough",
        ),
        _ if case.secret_within(reach) => Ruling::proven(
            State::Replayable,
            "the request has no PKCE challenge, and the client secret lies in the same hands",
        ),
        Client::Confidential(basis) => {
            Ruling::new(State::Guarded, basis, injectable(case)).needing(&[SECRET])
        }
        Client::NotObserved => untold("the request has no PKCE challenge"),
    }
}

/// Row 12a, and what 7 and 8 come to where nothing tells of the client: a secret may still stand before it.
fn untold(open: &str) -> Ruling {
    let because = format!(
        "client-auth-not-observed: {open}, so it is replayable if the client is public, and guarded by its secret if it is not"
    );
    Ruling::proven(State::Unknown, because).needing(&[SECRET])
}

/// OpenID Connect `nonce` lets a checking client notice an injected code (RFC 9700 §4.5.3.2).
fn injectable(case: &Case<'_>) -> &'static str {
    let nonce = case
        .steps()
        .any(|(_, step)| step.keys.iter().any(|key| key.kind == KeyKind::Nonce));
    if nonce {
        "the client authenticates with a secret that was not found; there is no PKCE, and a nonce lets a checking client notice an injected code"
    } else {
        "the client authenticates with a secret that was not found; without PKCE and nonce the code can still be injected through the genuine client"
    }
}

/// Row 13. A provider that authenticates every client settles it.
fn not_observed(case: &Case<'_>, reach: Reach) -> Ruling {
    match case.client() {
        Client::Confidential(basis) if !case.secret_within(reach) => Ruling::new(
            State::Guarded,
            basis,
            "the client must authenticate to redeem it, and its secret was not found",
        )
        .needing(&[SECRET]),
        // RFC 7636 §4.4.1: the server may know a method of its own, or the end of the request is missing.
        _ if has_challenge(case) => Ruling::proven(
            State::Unknown,
            "pkce-not-observed: the request has a challenge, and its method is unknown or was not seen, so nothing tells whether PKCE protects the code",
        ),
        _ => Ruling::proven(
            State::Unknown,
            "pkce-not-observed: the authorization request was not seen, so nothing tells whether PKCE protects the code",
        ),
    }
}

fn has_challenge(case: &Case<'_>) -> bool {
    case.steps().any(|(_, step)| {
        let mut names = step.params.iter().map(|it| &*it.name);
        step.role == Role::AuthorizationRequest && names.any(|name| name == "code_challenge")
    })
}

/// PKCE protects no more: a confidential client still has its secret, and so may one that nothing tells of.
fn opened(case: &Case<'_>, reach: Reach, because: &'static str) -> Ruling {
    match case.client() {
        Client::Confidential(basis) if !case.secret_within(reach) => {
            let because =
                format!("{because}, but the client authenticates with a secret that was not found");
            Ruling::new(State::Guarded, basis, because).needing(&[SECRET])
        }
        Client::Confidential(_) => Ruling::proven(State::Replayable, because),
        Client::Public(basis) => Ruling::new(State::Replayable, basis, because),
        Client::NotObserved if case.secret_within(reach) => {
            Ruling::proven(State::Replayable, because)
        }
        Client::NotObserved => untold(because),
    }
}

fn closed(case: &Case<'_>, reach: Reach, because: &'static str) -> Ruling {
    let ruling = Ruling::proven(State::Guarded, because).needing(&[VERIFIER]);
    match case.client() {
        Client::Confidential(_) if !case.secret_within(reach) => ruling.needing(&[SECRET]),
        _ => ruling,
    }
}
