//! Assertions, and the tickets and tokens of SAML, WS-Federation, CAS and OAuth 1.

use jiff::Timestamp;

use super::token::not_a_token;
use super::{Case, Reach, Ruling};
use crate::atoms::rules::Name;
use crate::atoms::{Kind, Method};
use crate::collect::Via;
use crate::detect::{Credential, Role, Sighting};
use crate::flow::Flow;
use crate::judge::State;
use crate::judge::clock::Age;
use crate::judge::facts::Event;

/// The rule that finds a signature under PLAINTEXT, wherever it stands; of any other method one is no credential.
const PLAINTEXT: &str = "oauth1-plaintext-signature";

pub(super) fn rule(case: &Case<'_>, at: Option<Timestamp>, age: Age, reach: Reach) -> Ruling {
    match case.kind {
        Kind::ClientAssertion | Kind::Assertion => {
            case.unless_refused(assertion(case, age), at, reach)
        }
        Kind::SamlMessage if case.asserts_nothing() => Ruling::proven(
            State::Inert,
            "it is a request, which begins a login or ends a session, and logs nobody in",
        ),
        Kind::SamlMessage | Kind::WsfedToken => federated(case, at, age, reach),
        // Row 30: SAML bindings §3.6; RFC 5849 §3.
        Kind::SamlArtifact if case.happened(Event::Redeemed, at, reach) => Ruling::proven(
            State::Spent,
            "it was resolved, and an artifact is resolved once",
        ),
        Kind::SamlArtifact => Ruling::assumed(
            State::Guarded,
            "only the authenticated service provider can resolve an artifact",
        )
        .needing(&["service_provider_credentials"]),
        Kind::CasTicket => ticket(case, at, reach),
        _ => oauth1(case, reach),
    }
}

/// Row 24 (RFC 7523 §3).
fn assertion(case: &Case<'_>, age: Age) -> Ruling {
    if let Some(ruling) = not_a_token(case) {
        return ruling;
    }
    match age {
        // RFC 7523 §3: a server may remember its jti, and none did that the evidence shows.
        Age::Fresh => Ruling::assumed(
            State::Live,
            format!(
                "{} has not passed; it can be sent again where its jti is not remembered",
                case.clock.says
            ),
        ),
        _ => Ruling::assumed(State::Unknown, "nothing tells when it expires"),
    }
}

/// Row 29: the service provider should remember assertion ids (SAML profiles §4.1.4.5).
fn federated(case: &Case<'_>, at: Option<Timestamp>, age: Age, reach: Reach) -> Ruling {
    if taken(case, at, reach) {
        return Ruling::assumed(
            State::Spent,
            "the service provider answered it with a session, and should refuse the same assertion again",
        );
    }
    match age {
        Age::Fresh => Ruling::assumed(
            State::Live,
            format!(
                "{} has not passed; its audience takes it as the user, unless it took it before",
                case.clock.says
            ),
        ),
        _ => Ruling::assumed(State::Unknown, "nothing tells when it expires"),
    }
}

/// Row 31: CAS protocol §3.1.1: a ticket is validated once.
fn ticket(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> Ruling {
    if taken(case, at, reach) || followed(case, at, reach) {
        return Ruling::assumed(
            State::Spent,
            "the application went on after it, and a service ticket is validated once",
        );
    }
    Ruling::assumed(
        State::Unknown,
        "a service ticket is validated once, and nothing tells whether this one was",
    )
}

/// Row 30: the token's secret and the consumer's must both be there (RFC 5849 §3.4.2). Under PLAINTEXT the signature is
/// both, joined by `&`, and the same for every request (§3.4.4).
fn oauth1(case: &Case<'_>, reach: Reach) -> Ruling {
    let holds = |wanted: &dyn Fn(&Credential) -> bool| {
        case.steps()
            .chain(case.sightings())
            .any(|(index, step)| case.within(reach, index) && step.credentials.iter().any(wanted))
    };
    if holds(&|it| *it.rule == *PLAINTEXT) {
        return Ruling::proven(
            State::Replayable,
            "the signature is PLAINTEXT, which is consumer secret and token secret themselves, and signs any request",
        );
    }
    let shown = |part: &str| holds(&|it| it.name.to_ascii_lowercase().contains(part));
    let mut needs = Vec::new();
    for (part, name) in [
        ("token_secret", "token_secret"),
        ("consumer_secret", "consumer_secret"),
    ] {
        if !shown(part) {
            needs.push(name);
        }
    }
    if needs.is_empty() {
        return Ruling::proven(
            State::Replayable,
            "token, token secret and consumer secret lie in the same hands",
        );
    }
    Ruling::assumed(
        State::Guarded,
        "requests must be signed with secrets that this holder does not have",
    )
    .needing(&needs)
}

impl<'a> Case<'a> {
    /// Whether it is a message of SAML that asks, and so has no assertion of who the user is (SAML Core §3.2.1, §3.7.1).
    pub(in crate::judge) fn asserts_nothing(&self) -> bool {
        let asks = |name: &str| {
            let name = Name::new(name);
            name.key.ends_with("samlrequest") || name.key.ends_with("logoutrequest")
        };
        self.kind == Kind::SamlMessage && self.credentials().all(|(_, _, it)| asks(&it.name))
    }

    /// Where it was sent: the answer that brought it sets the session of the server that issued it.
    pub(super) fn sent(&self) -> impl Iterator<Item = (usize, &'a Sighting)> {
        self.sightings().filter(|(_, sighting)| {
            !matches!(
                sighting.via,
                Via::Response | Via::Location | Via::Referer { .. }
            )
        })
    }
}

/// Whether the answer to the same request set a session. A page of error does that too, and so does the form that a
/// link to reset a password opens.
pub(super) fn taken(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> bool {
    case.sent().any(|(index, sighting)| {
        let answered = case.past(index, at, reach) && case.facts.time(index) != at;
        let complete = case.past(index, None, reach);
        (answered || complete)
            && accepted(case, sighting)
            // A cookie that the request brought is of a session from before.
            && case.facts.exchange(sighting).any(|(_, mate)| {
                mate.via == Via::Response
                    && mate.credentials.iter().any(|it| it.kind == Kind::SessionId)
            })
    })
}

/// Whether the answer to a request can be one of success: by its status, by what it redirects to, and for a link, which
/// may only show a form, by what was asked.
fn accepted(case: &Case<'_>, sighting: &Sighting) -> bool {
    let mut status = sighting.status;
    let mut failed = false;
    for (_, mate) in case.facts.exchange(sighting) {
        status = status.or(mate.status);
        failed |= mate.leads_to_error();
    }
    let posted = sighting.method.map(Method::as_str) == Some("POST");
    let accepted = match status {
        Some(200..=299) => posted || case.kind != Kind::OneTimeLink,
        // One that acts on an account may lead to its form by a redirect: only what is sent with it acts.
        Some(300..=399) => posted || case.exposure.flow != Flow::AccountAction,
        Some(_) => false,
        None => case.kind != Kind::OneTimeLink || posted,
    };
    accepted && !failed
}

/// Whether the visit after one of its own no longer has it, nor an error.
pub(super) fn followed(case: &Case<'_>, at: Option<Timestamp>, reach: Reach) -> bool {
    let own = case.exposure.credential;
    let is_after = |index: usize, next: &Sighting| {
        case.past(index, at, reach)
            && next.credentials.iter().all(|it| it.id != own)
            && next.params.iter().all(|param| *param.name != *"error")
    };
    case.sightings().any(|(_, sighting)| {
        let next = case.facts.next_visits(sighting).iter();
        next.filter_map(|&index| Some((index, case.facts.sighting(index)?)))
            .any(|(index, next)| is_after(index, next) && goes_on(case, sighting, next))
    })
}

/// Whether the visit after a link is a page of the application that took it: who leaves the page of a link, to log in
/// elsewhere, has not used it, and who is redirected by one that acts on an account has its form before them.
fn goes_on(case: &Case<'_>, link: &Sighting, next: &Sighting) -> bool {
    if case.kind != Kind::OneTimeLink {
        return true;
    }
    let both = link.address.as_ref().zip(next.address.as_ref());
    let stays = both.is_some_and(|(own, other)| own.host == other.host);
    let is_redirect = matches!(next.via, Via::ServerRedirect | Via::ClientRedirect);
    let is_form = is_redirect && case.exposure.flow == Flow::AccountAction;
    stays && next.role != Role::AuthorizationRequest && !is_form
}
