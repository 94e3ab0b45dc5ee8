//! Tokens in a fragment: did the authorization server put them there (implicit), or the client's own back
//! end? Both leave the same URL. The first certain test decides, then points; nothing is named when they tie.

use jiff::SignedDuration;

use super::classify::Words;
use super::index::{Index, param, same_name, value};
use super::link::host_of;
use super::run::Run;
use crate::atoms::{KeyKind, Kind, Slot};
use crate::detect::{Address, Role, Sighting};

/// Points by which one side must lead.
const LEAD: i16 = 3;

/// A code request at most this long before a fragment explains it, when none asked for a token.
const CODE_LOGIN: SignedDuration = SignedDuration::from_mins(10);

/// Hosts of authentication services that a client rents, by ending, and the path of their callback.
const HOSTED: [(&str, &str); 3] = [
    (".supabase.co", "/auth/v1/callback"),
    (".firebaseapp.com", "/__/auth/handler"),
    (".clerk.accounts.dev", "/"),
];

/// Names of tokens that no specification has.
const FOREIGN_NAMES: [&str; 4] = ["accesstoken", "jwt", "token", "idtoken"];

/// Parameters beside a token that no specification has.
const FOREIGN_PARAMS: [&str; 4] = ["expires_at", "user", "user_id", "provider_token"];

/// Who put tokens into a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The authorization server.
    Server,
    /// The client's own back end.
    BackEnd,
    /// An authentication service that the client rents.
    Hosted,
    /// The evidence does not tell.
    Open,
}

/// Who put the tokens into the fragment of a sighting of the run.
pub(super) fn origin(index: &Index<'_>, run: &Run, sighting: &Sighting) -> Origin {
    // A linked request asked for a token, and this is where it asked for it, or the browser came straight from it.
    if run.wanted(index).tokens_at(sighting) {
        return Origin::Server;
    }
    if is_hosted_form(sighting) {
        return Origin::Hosted;
    }
    if holds(sighting, Kind::RefreshToken) {
        // RFC 6749 §4.2.2: the server must not issue one here.
        return Origin::BackEnd;
    }
    for before in hops_before(index, sighting) {
        if before.address.as_ref().is_some_and(is_hosted_service) {
            return Origin::Hosted;
        }
        if holds(before, Kind::AuthorizationCode) && same_site(before, sighting) {
            return Origin::BackEnd;
        }
    }
    let lead = hand_off_points(index, run, sighting) - implicit_points(index, run, sighting);
    match lead {
        LEAD.. => Origin::BackEnd,
        _ if lead <= -LEAD => Origin::Server,
        _ => Origin::Open,
    }
}

/// Whether the address is the callback of a rented authentication service.
pub(super) fn is_hosted_service(address: &Address) -> bool {
    HOSTED
        .iter()
        .any(|(host, path)| address.host.ends_with(host) && address.path.starts_with(path))
}

/// What the browser, or the exchange, was at directly before.
fn hops_before<'a>(index: &Index<'a>, sighting: &Sighting) -> Vec<&'a Sighting> {
    let ancestors = sighting.visit.iter().flat_map(|visit| &visit.ancestors);
    let visits = ancestors
        .filter(|(hops, _)| *hops <= 1)
        .flat_map(|(_, key)| index.of_visit(*key));
    let exchange = sighting
        .exchange
        .iter()
        .flat_map(|key| index.of_exchange(*key));
    visits
        .chain(exchange)
        .filter_map(|at| index.get(*at))
        .filter(|other| other.id != sighting.id)
        .collect()
}

fn hand_off_points(index: &Index<'_>, run: &Run, sighting: &Sighting) -> i16 {
    let mut points = 0;
    if holds(sighting, Kind::AccessToken) && param(sighting, "token_type").is_none() {
        points += 3;
    }
    if run.wanted(index).state && param(sighting, "state").is_none() {
        points += 3;
    }
    if has_foreign_names(sighting) {
        points += 3;
    }
    // The masked URL sets a route apart by a second `#`.
    if fragment(sighting).is_some_and(|it| it.contains('#') || it.starts_with('/')) {
        // RFC 6749 §3.1.2: a redirect URI has no fragment, so that no server was told to build this.
        points += 4;
    }
    if issued_by_landing(index, run, sighting) {
        points += 3;
    }
    if code_login_before(index, run, sighting) {
        points += 4;
    }
    if run.wanted(index).is_without_implicit(index, sighting) {
        points += 5;
    }
    points
}

fn implicit_points(index: &Index<'_>, run: &Run, sighting: &Sighting) -> i16 {
    let mut points = 0;
    let whole = ["expires_in", "token_type", "scope", "state"]
        .iter()
        .all(|name| param(sighting, name).is_some());
    if whole && run.wanted(index).by_state {
        points += 3;
    }
    // What a back end got for a code, and hands on, has an `at_hash` and an ID token, too (OpenID Connect Core
    // §3.1.3.6): they speak for the server only in what looks like an answer to a request.
    let answers = !run.requests.is_empty() || param(sighting, "state").is_some();
    if answers && at_hash_fits(sighting) {
        points += 4;
    }
    if answers && holds(sighting, Kind::IdToken) && sighting.role == Role::ResponseInFragment {
        // An ID token in a fragment under its own name is OpenID Connect Core §3.2.2.5.
        points += 3;
    }
    points
}

fn holds(sighting: &Sighting, kind: Kind) -> bool {
    let mut kinds = sighting
        .credentials
        .iter()
        .map(|credential| credential.kind);
    kinds.any(|held| held == kind)
}

/// The form that rented services give a fragment.
fn is_hosted_form(sighting: &Sighting) -> bool {
    param(sighting, "provider_token").is_some()
        || sighting.credentials.iter().any(|credential| {
            credential.name.starts_with("provider_")
                || credential
                    .claims
                    .as_ref()
                    .and_then(|claims| host_of(claims.iss.as_deref()?))
                    .is_some_and(|host| HOSTED.iter().any(|(ending, _)| host.ends_with(ending)))
        })
}

fn has_foreign_names(sighting: &Sighting) -> bool {
    let by_name = sighting.credentials.iter().any(|credential| {
        credential.slot == Slot::Fragment
            && FOREIGN_NAMES.contains(&&*credential.name.to_ascii_lowercase())
    });
    // Not every name is one that a rule knows; the masked URL keeps them all.
    let fragment = fragment(sighting).unwrap_or_default();
    let mut names = fragment
        .split(['#', '&', '?'])
        .filter_map(|part| Some(part.split_once('=')?.0));
    let by_param = names.any(|name| FOREIGN_PARAMS.iter().any(|other| same_name(name, other)));
    by_name || by_param || value(sighting, "type") == Some("recovery")
}

/// What stands behind the first `#` of the masked URL.
fn fragment(sighting: &Sighting) -> Option<&str> {
    let (_, fragment) = sighting.url.as_ref()?.as_str().split_once('#')?;
    Some(fragment)
}

/// The token is by the page's own site, and nobody was sent to another server for it. A server of the same
/// company beside the page (`login.example.com`) is another server.
fn issued_by_landing(index: &Index<'_>, run: &Run, sighting: &Sighting) -> bool {
    let Some(landing) = sighting.address.as_ref().map(|address| &*address.host) else {
        return false;
    };
    let own = |host: &str| host == landing || psl::domain_str(landing) == Some(host);
    let mut claims = sighting
        .credentials
        .iter()
        .filter_map(|c| c.claims.as_ref());
    claims.any(|claims| claims.iss.as_deref().and_then(host_of).is_some_and(own))
        && run.wanted(index).hosts.iter().all(|host| own(host))
}

/// A login by code in the run, or shortly before on the same site in the same source, and none for a token.
fn code_login_before(index: &Index<'_>, run: &Run, sighting: &Sighting) -> bool {
    let landed = sighting.at.map(|when| when.instant);
    let soon = |asked: jiff::Timestamp| {
        landed.is_none_or(|landed| landed.duration_since(asked) <= CODE_LOGIN)
    };
    let near = index
        .requests_near(sighting)
        .filter_map(|at| index.get(at))
        .take_while(|request| request.at.is_some_and(|when| soon(when.instant)))
        .filter(|request| lands_on_site(request, sighting));
    let near: Vec<Words> = near.filter_map(Words::of).collect();
    let wanted = run.wanted(index);
    let code = wanted.code.since(landed, CODE_LOGIN) || near.iter().any(|words| words.code);
    let none = near.iter().all(|words| !words.token && !words.id_token);
    code && none && !wanted.tokens.since(landed, CODE_LOGIN)
}

/// Whether the request asks for its answer on the site where the fragment landed.
fn lands_on_site(request: &Sighting, sighting: &Sighting) -> bool {
    let asked = value(request, "redirect_uri").and_then(host_of);
    let landed = sighting.address.as_ref().map(|address| &*address.host);
    let (Some(asked), Some(landed)) = (asked, landed) else {
        return false;
    };
    asked == landed
        || psl::domain_str(asked).is_some_and(|domain| psl::domain_str(landed) == Some(domain))
}

fn at_hash_fits(sighting: &Sighting) -> bool {
    let keys_of = |kind: Kind| {
        let of_kind = sighting.credentials.iter().filter(move |c| c.kind == kind);
        of_kind
            .flat_map(|c| &c.keys)
            .filter(|key| key.kind == KeyKind::AtHash)
    };
    keys_of(Kind::IdToken).any(|key| keys_of(Kind::AccessToken).any(|other| other == key))
}

/// Whether two URLs are of one registrable domain, or of one host that has none.
fn same_site(one: &Sighting, other: &Sighting) -> bool {
    let (Some(one), Some(other)) = (&one.address, &other.address) else {
        // A log line's request target and its `Location` are of one server unless they say otherwise.
        return true;
    };
    one.host == other.host
        || one.host.is_empty()
        || psl::domain_str(&one.host)
            .is_some_and(|domain| psl::domain_str(&other.host) == Some(domain))
}
