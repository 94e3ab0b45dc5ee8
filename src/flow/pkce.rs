//! What the evidence says of PKCE in a run. Says nothing of a request that was not seen.

use super::client::{is_captured, is_retold, is_whole};
use super::index::{Index, is_answer, is_request, is_token, param, value};
use super::names::Pkce;
use super::run::Run;
use super::tie::Link;
use crate::atoms::{Digest, JoinKey, KeyKind, Kind};
use crate::detect::{Role, Sighting};

/// PKCE as observed. A missing request proves nothing: it may have been pushed, posted, or pruned.
pub(super) fn observed(index: &Index<'_>, run: &Run) -> Pkce {
    let asked = || {
        index
            .each(&run.requests)
            .map(|(_, s)| s)
            .filter(|s| is_request(s))
    };
    if let Some(pkce) = asked().filter_map(challenge).max() {
        return pkce;
    }
    // A challenge of which nothing tells what opens it is one all the same.
    let lacks = |s: &Sighting| shows_parameters(s) && param(s, "code_challenge").is_none();
    if asked().any(lacks) {
        return Pkce::None;
    }
    let redemptions = index.each(&run.rest).filter(|(_, s)| redeems_code(s));
    match redemptions
        .filter_map(|(_, s)| sends_verifier(index, s))
        .max()
    {
        None => Pkce::NotObserved,
        Some(true) => Pkce::VerifierOnly,
        Some(false) => Pkce::None,
    }
}

/// Token requests for which a server issued tokens though they lack the verifier of the run's challenge, or have
/// another: it must refuse both (RFC 7636 §4.6; RFC 9700 §2.1.1). Only where a capture shows all of them, and the answer
/// where the request asked for it: a `state` in another file may be a constant.
pub(super) fn unenforced(index: &Index<'_>, run: &Run) -> Vec<Digest> {
    let ties = |wanted: fn(Link) -> bool| run.ties.iter().any(|tie| wanted(tie.link));
    if !ties(Link::is_proof) && !ties(|link| link == Link::RedirectUri) {
        return Vec::new();
    }
    let asked = index.each(&run.requests).map(|(_, s)| s);
    let asked = asked.filter(|s| is_request(s) && param(s, "code_challenge").is_some());
    let asked: Vec<&Sighting> = asked.collect();
    let challenges: Vec<JoinKey> = asked.iter().flat_map(|s| hashed_challenges(s)).collect();
    let misses = |redemption: &Sighting| match sends_verifier(index, redemption) {
        Some(true) => is_another(index, redemption, &challenges),
        Some(false) => !asked.is_empty(),
        None => false,
    };
    let all = index.each(&run.rest).map(|(_, s)| s);
    all.filter(|s| redeems_code(s) && is_captured(s) && is_granted(index, s) && misses(s))
        .map(|s| s.id)
        .collect()
}

/// Whether the verifier of a redemption opens none of these challenges.
fn is_another(index: &Index<'_>, redemption: &Sighting, asked: &[JoinKey]) -> bool {
    let parts = parts(index, redemption);
    let sent: Vec<JoinKey> = parts.flat_map(hashed_challenges).collect();
    let compared = || {
        asked
            .iter()
            .any(|key| sent.iter().any(|own| own.kind == key.kind))
    };
    compared() && sent.iter().all(|key| !asked.contains(key))
}

/// Challenges of a message, but those that are too short to be hashed: they are compared with nothing.
fn hashed_challenges(sighting: &Sighting) -> impl Iterator<Item = JoinKey> {
    let keys = sighting.keys.iter().copied();
    keys.filter(|key| {
        let challenge = matches!(key.kind, KeyKind::ChallengeS256 | KeyKind::ChallengePlain);
        challenge && key.digest.scope().is_none()
    })
}

/// Whether tokens came back.
fn is_granted(index: &Index<'_>, request: &Sighting) -> bool {
    let mates = request.exchange.map(|key| index.of_exchange(key));
    let mut mates = index.each(mates.unwrap_or_default());
    mates.any(|(_, mate)| {
        mate.role == Role::TokenResponse && mate.credentials.iter().any(|it| is_token(it.kind))
    })
}

/// What is known of one request: the sighting itself, and what else was sent in its exchange. A client may name the
/// grant in the query and send the rest in the body, and the server takes both for one request.
fn parts<'a>(
    index: &Index<'a>,
    request: &'a Sighting,
) -> impl Iterator<Item = &'a Sighting> + use<'a> {
    let mates = request.exchange.map(|key| index.of_exchange(key));
    let mates: Vec<&Sighting> = index
        .each(mates.unwrap_or_default())
        .map(|(_, mate)| mate)
        .filter(|mate| mate.role == Role::TokenRequest && !is_answer(mate) && mate.id != request.id)
        .collect();
    std::iter::once(request).chain(mates)
}

/// Whether the sighting is a part of a token request that redeems a code: the query may say so, and the body have it.
pub(super) fn is_of_redemption(index: &Index<'_>, sighting: &Sighting) -> bool {
    sighting.role == Role::TokenRequest && parts(index, sighting).any(redeems_code)
}

/// Whether the sighting is a token request that redeems a code, seen with its parameters.
pub(super) fn redeems_code(sighting: &Sighting) -> bool {
    sighting.role == Role::TokenRequest
        && matches!(
            value(sighting, "grant_type"),
            Some("authorization_code" | "pkce")
        )
}

/// Whether the request speaks OAuth and shows all that it asks: what may have lost its end does not, nor what was
/// retold.
pub(super) fn shows_parameters(request: &Sighting) -> bool {
    if request.place.is_uncertain() || is_retold(request) {
        return false;
    }
    let speaks_oauth = ["client_id", "response_type", "code_challenge"]
        .iter()
        .any(|name| param(request, name).is_some());
    speaks_oauth && !hides_parameters(request)
}

/// Whether the request keeps its parameters elsewhere: pushed, or in a request object that was not opened.
fn hides_parameters(request: &Sighting) -> bool {
    let opened = || {
        request.credentials.iter().any(|credential| {
            credential.kind == Kind::RequestObject
                && credential
                    .claims
                    .as_ref()
                    .is_some_and(|claims| !claims.encrypted)
        })
    };
    param(request, "request_uri").is_some() || (param(request, "request").is_some() && !opened())
}

/// The challenge of a request. A missing method is plain (RFC 7636 §4.3); one that is neither says nothing.
fn challenge(request: &Sighting) -> Option<Pkce> {
    let has = |kind| request.keys.iter().any(|key| key.kind == kind);
    if has(KeyKind::ChallengeS256) {
        return Some(Pkce::S256);
    }
    if has(KeyKind::ChallengePlain) {
        return Some(Pkce::Plain);
    }
    param(request, "code_challenge")?;
    match value(request, "code_challenge_method") {
        Some(method) if method.eq_ignore_ascii_case("S256") => Some(Pkce::S256),
        Some(method) if method.eq_ignore_ascii_case("plain") => Some(Pkce::Plain),
        _ if param(request, "code_challenge_method").is_some() => None,
        _ if request.place.is_uncertain() || is_retold(request) => None,
        _ => Some(Pkce::Plain),
    }
}

/// Whether a verifier was sent with a code; `None` where the part of the request that would have it was not recorded.
/// It stands where the other parameters do, in the body (RFC 7636 §4.5): of a body nothing shows in a query, but in a
/// capture, which has both. A log may show the name without the value, and a client may have a name of its own for
/// the value.
pub(super) fn sends_verifier(index: &Index<'_>, redemption: &Sighting) -> Option<bool> {
    let has_verifier = |part: &Sighting| {
        let mut kinds = part.credentials.iter().map(|it| it.kind);
        param(part, "code_verifier").is_some() || kinds.any(|kind| kind == Kind::CodeVerifier)
    };
    let sent = parts(index, redemption).any(has_verifier);
    (sent || is_whole(redemption)).then_some(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;
    use crate::atoms::{Digest, Slot};
    use crate::collect::Via;
    use crate::detect::{Param, sample};
    use crate::flow::census::Common;

    fn key(kind: KeyKind, name: &str) -> JoinKey {
        JoinKey {
            kind,
            digest: Digest::of([name.as_bytes()]),
        }
    }

    fn granting(value: &str) -> Param {
        sample::param("grant_type", Some(value), Slot::Query)
    }

    /// The query of a token request, its body, and the answer, with what one exchange makes of them.
    fn exchanged(change: impl FnOnce(&mut [Sighting; 3]), check: impl FnOnce(&Index<'_>)) {
        let mut number = 0;
        let parts = [Role::TokenRequest, Role::TokenRequest, Role::TokenResponse];
        let mut all = parts.map(|role| {
            number += 1;
            Sighting {
                exchange: Some(key(KeyKind::Exchange, "one")),
                ..sample::bare(number, 0, role)
            }
        });
        all[2].via = Via::Response;
        change(&mut all);
        let (common, rules) = (Common::default(), Rules::builtin().unwrap());
        check(&Index::new(&all, &common, &rules.providers));
    }

    #[test]
    fn a_request_has_the_parts_that_were_sent_and_each_once() {
        exchanged(
            |[query, ..]| query.params.push(granting("authorization_code")),
            |index| {
                let [query, body, answer] = [0, 1, 2].map(|at| index.get(at).unwrap());
                let ids = |it| -> Vec<Digest> { parts(index, it).map(|it| it.id).collect() };
                assert_eq!(ids(query), [query.id, body.id]);
                assert_eq!(ids(body), [body.id, query.id]);
                assert!(is_of_redemption(index, query) && is_of_redemption(index, body));
                assert!(!is_of_redemption(index, answer));
            },
        );
        exchanged(
            |[query, ..]| query.params.push(granting("refresh_token")),
            |index| assert!(!is_of_redemption(index, index.get(1).unwrap())),
        );
    }

    #[test]
    fn a_request_is_granted_by_a_token_in_its_answer() {
        let granted = |at: usize, kind| {
            let mut told = false;
            exchanged(
                |all| all[at].credentials.push(sample::credential(kind)),
                |index| told = is_granted(index, index.get(0).unwrap()),
            );
            told
        };
        assert!(granted(2, Kind::AccessToken));
        assert!(!granted(2, Kind::AuthorizationCode));
        assert!(!granted(1, Kind::RefreshToken));
    }

    #[test]
    fn a_verifier_is_another_where_challenges_of_its_kind_were_asked() {
        let asked = key(KeyKind::ChallengeS256, "asked");
        let is_another = |sent: JoinKey| {
            let mut told = false;
            exchanged(
                |all| all[1].keys = vec![key(KeyKind::State, "state"), sent],
                |index| told = is_another(index, index.get(0).unwrap(), &[asked]),
            );
            told
        };
        assert!(is_another(key(KeyKind::ChallengeS256, "other")));
        assert!(!is_another(key(KeyKind::ChallengePlain, "other")));
        assert!(!is_another(asked));
        let mut message = sample::bare(0, 0, Role::TokenRequest);
        message.keys = vec![key(KeyKind::State, "state"), asked];
        let hashed: Vec<JoinKey> = hashed_challenges(&message).collect();
        assert_eq!(hashed, [asked]);
    }
}
