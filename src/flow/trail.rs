//! One run, told: its name, who took part, its steps in protocol order, why it is believed, what is wrong.

use jiff::Timestamp;

use super::index::{Index, is_request, is_response, is_token, value};
use super::names::{Flow, Pkce};
use super::run::Run;
use super::{Step, Trail, classify, client, clue, handoff, modifier, pkce, place, weakness};
use crate::atoms::{Digest, Kind, Masked, Slot};
use crate::detect::{Channel, Role, Sighting};

/// The trail of a run. `None` when its sightings show no protocol run, only values that lie somewhere.
pub(super) fn of(index: &Index<'_>, run: &Run) -> Option<Trail> {
    let pkce = pkce::observed(index, run);
    let grant = classify::grant(index, run, pkce);
    if grant == Flow::Unknown && !place::has_message(index, run) {
        return None;
    }
    let members = run.members();
    let ids: Vec<Digest> = index.each(members).map(|(_, s)| s.id).collect();
    Some(Trail {
        id: Digest::of(
            [b"trail".as_slice()]
                .into_iter()
                .chain(ids.iter().map(|id| id.as_bytes().as_slice())),
        ),
        grant,
        modifiers: modifier::of(index, run),
        client_id: client_id(index, run),
        issuer: issuer(index, run),
        redirect_uri: redirect_uri(index, run),
        pkce: if speaks_pkce(grant) {
            pkce
        } else {
            Pkce::NotObserved
        },
        steps: steps(index, run, grant),
        clues: clue::of(
            index,
            run,
            grant,
            if speaks_pkce(grant) {
                pkce
            } else {
                Pkce::NotObserved
            },
        ),
        weaknesses: weakness::of(index, run, grant, pkce),
    })
}

/// Whether PKCE has a meaning for the flow: it protects codes.
fn speaks_pkce(grant: Flow) -> bool {
    matches!(
        grant,
        Flow::Code
            | Flow::CodeNopkce
            | Flow::CodeNopkcePublic
            | Flow::CodeSecret
            | Flow::CodePkceS256
            | Flow::CodePkcePlain
            | Flow::HybridCodeIdtoken
            | Flow::HybridCodeToken
            | Flow::HybridCodeIdtokenToken
            | Flow::Failed
    )
}

/// The client as a message names it, else as a token does.
fn client_id(index: &Index<'_>, run: &Run) -> Option<Box<str>> {
    let members = run.members();
    let all = || index.each(members).map(|(_, sighting)| sighting);
    let claims = || {
        let own = all().filter(|s| !client::is_introspection(s));
        own.flat_map(|s| {
            s.credentials
                .iter()
                .filter_map(|c| Some((c.kind, c.claims.as_ref()?)))
        })
    };
    all()
        .find_map(client::named)
        .or_else(|| claims().find_map(|(_, claims)| claims.azp.as_deref()))
        .or_else(|| {
            let mut of_id_tokens = claims().filter(|(kind, _)| *kind == Kind::IdToken);
            of_id_tokens.find_map(|(_, claims)| claims.aud.first().map(|aud| &**aud))
        })
        .map(Into::into)
}

/// The issuer: the response's `iss` (RFC 9207), a claim, else the origin of the authorization endpoint.
fn issuer(index: &Index<'_>, run: &Run) -> Option<Box<str>> {
    let rest = || index.each(&run.rest).map(|(_, sighting)| sighting);
    let stated = rest()
        .filter(|s| is_response(s))
        .find_map(|s| value(s, "iss"));
    let claimed = || {
        let all = rest().flat_map(|s| &s.credentials);
        // What proves who the client is was issued by the client (RFC 7523 §3).
        let others = all.filter(|c| c.kind != Kind::ClientAssertion);
        let mut claims = others.filter_map(|c| c.claims.as_ref());
        claims.find_map(|claims| claims.iss.as_deref())
    };
    let origin = || {
        let requests = index.each(&run.requests).map(|(_, sighting)| sighting);
        let fronts = requests.filter(|s| s.role == Role::AuthorizationRequest);
        let mut addresses = fronts.filter_map(|s| s.address.as_ref());
        let address = addresses.find(|address| !address.host.is_empty())?;
        let port = address
            .port
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Some(format!("{}://{}{port}", address.scheme, address.host).into())
    };
    stated.or_else(claimed).map(Into::into).or_else(origin)
}

/// Where the response was to land: as the request says, else where it landed.
fn redirect_uri(index: &Index<'_>, run: &Run) -> Option<Masked> {
    let asked = index
        .each(&run.requests)
        .find_map(|(_, s)| value(s, "redirect_uri"));
    let landed = || {
        let responses = index.each(&run.rest).filter(|(_, s)| is_response(s));
        let mut addresses = responses.filter_map(|(_, s)| s.address.as_ref());
        let address = addresses.find(|address| !address.host.is_empty())?;
        let port = address
            .port
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Some(format!(
            "{}://{}{port}{}",
            address.scheme, address.host, address.path
        ))
    };
    // Both are public already: `detect` gives a value only where it may be shown.
    asked.map(str::to_owned).or_else(landed).map(Masked::vouch)
}

/// Where a step stands: phase of the protocol, moment, role, and index where all else is equal.
type Turn = (u8, Option<Timestamp>, Role, usize);

/// Steps in protocol order; what must have happened and was not seen stands without a sighting.
fn steps(index: &Index<'_>, run: &Run, grant: Flow) -> Vec<Step> {
    let mut seen: Vec<(Turn, Step)> = Vec::new();
    for (at, sighting) in index.each(run.members()) {
        let moment = sighting.at.map(|when| when.instant);
        let step = Step {
            sighting: Some(sighting.id),
            role: sighting.role,
            at: sighting.at,
        };
        seen.push(((phase(run, at, sighting), moment, sighting.role, at), step));
    }
    for role in unseen(index, run, grant) {
        let step = Step {
            sighting: None,
            role,
            at: None,
        };
        seen.push(((phase_of(role), None, role, usize::MAX), step));
    }
    seen.sort_by_key(|(key, _)| *key);
    seen.into_iter().map(|(_, step)| step).collect()
}

fn phase(run: &Run, at: usize, sighting: &Sighting) -> u8 {
    if run.requests.binary_search(&at).is_ok() {
        0
    } else {
        phase_of(sighting.role)
    }
}

/// Which part of the protocol a message belongs to. Token requests and responses alternate, by time.
fn phase_of(role: Role) -> u8 {
    match role {
        Role::AuthorizationRequest => 0,
        Role::ResponseInQuery | Role::ResponseInFragment | Role::ResponseInBody => 1,
        Role::TokenRequest | Role::TokenResponse => 2,
        Role::ResourceRequest | Role::Stored | Role::None => 3,
        Role::Logout => 4,
    }
}

/// Steps that must have happened. A code alone does not prove that it was redeemed.
fn unseen(index: &Index<'_>, run: &Run, grant: Flow) -> Vec<Role> {
    let rest = || index.each(&run.rest).map(|(_, sighting)| sighting);
    let answered = rest().any(is_response);
    let redeemed = rest().any(pkce::redeems_code);
    let asked_for = rest().any(|s| s.role == Role::TokenRequest);
    let token_response = rest().any(|s| s.role == Role::TokenResponse);
    let by_code = rest().any(|s| {
        index
            .credentials(s)
            .any(|(_, kind)| kind == Kind::AuthorizationCode)
    });
    // A token that the front channel did not bring came from the token endpoint.
    let tokens_behind = rest().any(|s| {
        index.credentials(s).any(|(credential, kind)| {
            is_token(kind)
                && (s.channel != Channel::Front || is_handed_over(index, run, s, credential.slot))
        })
    });
    let code_flow = by_code || redeemed;
    let front = grant.is_front();
    let mut roles = Vec::new();
    if !index.each(&run.requests).any(|(_, s)| is_request(s)) && (code_flow || (front && answered))
    {
        roles.push(Role::AuthorizationRequest);
    }
    if redeemed && !answered {
        roles.push(Role::ResponseInQuery);
    }
    if !asked_for && (token_response || (by_code && tokens_behind && !front)) {
        roles.push(Role::TokenRequest);
    }
    if !token_response && by_code && tokens_behind && !front {
        roles.push(Role::TokenResponse);
    }
    roles
}

fn is_handed_over(index: &Index<'_>, run: &Run, sighting: &Sighting, slot: Slot) -> bool {
    slot == Slot::Fragment
        && matches!(
            handoff::origin(index, run, sighting),
            handoff::Origin::BackEnd | handoff::Origin::Hosted
        )
}
