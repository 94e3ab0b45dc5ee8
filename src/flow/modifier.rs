//! What else is true of a run, beside its name.

use std::collections::HashSet;

use super::classify::{has_fragment_token, speaks_oauth};
use super::handoff::{self, Origin};
use super::index::{Index, is_answer, is_request, is_response, is_token, param, value};
use super::names::Modifier;
use super::run::Run;
use crate::atoms::{JoinKey, Kind, Slot};
use crate::collect::Via;
use crate::detect::{Role, Sighting};

/// What else is true of a run, sorted.
pub(super) fn of(index: &Index<'_>, run: &Run) -> Vec<Modifier> {
    let members = run.members();
    let all = || index.each(members).map(|(_, sighting)| sighting);
    let requests = || {
        index
            .each(&run.requests)
            .map(|(_, s)| s)
            .filter(|s| is_request(s))
    };
    let kind = |wanted: Kind| all().any(|s| index.credentials(s).any(|(_, kind)| kind == wanted));
    let mut found = Vec::new();
    let mut add = |is: bool, modifier| {
        if is {
            found.push(modifier);
        }
    };
    add(requests().any(is_par), Modifier::Par);
    add(
        requests().any(|s| param(s, "request").is_some()) || kind(Kind::RequestObject),
        Modifier::Jar,
    );
    add(
        kind(Kind::JarmResponse)
            || requests()
                .any(|s| value(s, "response_mode").is_some_and(|mode| mode.ends_with("jwt"))),
        Modifier::Jarm,
    );
    // SAML and WS-Federation post their responses by nature; for OAuth it is a response mode.
    let speaks_oauth = speaks_oauth(index, run);
    let posted = |s: &Sighting| {
        s.role == Role::ResponseInBody
            || value(s, "response_mode").is_some_and(|mode| mode.starts_with("form_post"))
    };
    add(speaks_oauth && all().any(posted), Modifier::FormPost);
    add(
        requests().any(|s| value(s, "prompt").is_some_and(|prompt| prompt == "none")),
        Modifier::Silent,
    );
    add(requests().any(asks_offline), Modifier::Offline);
    add(all().any(|s| is_dpop(index, s)), Modifier::Dpop);
    add(is_bff(index, run), Modifier::Bff);
    let hosted = |s: &Sighting| {
        s.address.as_ref().is_some_and(|address| {
            handoff::is_hosted_service(address) || is_hosted_login(&address.path)
        })
    };
    let handed = index.each(&run.rest).any(|(_, s)| {
        has_fragment_token(index, s) && handoff::origin(index, run, s) == Origin::Hosted
    });
    add(requests().any(hosted) || handed, Modifier::HostedAuth);
    add(
        requests().any(is_native) || all().any(lands_native),
        Modifier::Native,
    );
    found
}

fn is_par(request: &Sighting) -> bool {
    // RFC 9126 §2.2; a `request_uri` of another form is fetched by the server (RFC 9101 §5.2).
    super::index::is_pushed(request)
        || param(request, "request_uri").is_some_and(|param| {
            param
                .value
                .as_deref()
                .is_none_or(|uri| uri.starts_with("urn:"))
        })
}

fn asks_offline(request: &Sighting) -> bool {
    let scopes = value(request, "scope").unwrap_or_default();
    scopes
        .split([' ', '+', ','])
        .any(|scope| matches!(scope, "offline_access" | "offline.access"))
        || value(request, "access_type") == Some("offline")
        || value(request, "token_access_type") == Some("offline")
}

fn is_dpop(index: &Index<'_>, sighting: &Sighting) -> bool {
    let bound = index.credentials(sighting).any(|(credential, _)| {
        let claims = credential.claims.as_ref();
        claims.is_some_and(|claims| claims.cnf.as_deref() == Some("jkt"))
    });
    bound
        || param(sighting, "dpop_jkt").is_some()
        || param(sighting, "dpop").is_some()
        || value(sighting, "token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("DPoP"))
}

/// The callback was answered with a session cookie and no error, and the browser has no token of the run.
fn is_bff(index: &Index<'_>, run: &Run) -> bool {
    let rest = || index.each(&run.rest).map(|(_, sighting)| sighting);
    let callbacks = rest().filter(|s| is_response(s) && !is_answer(s));
    let mut callbacks: HashSet<Option<JoinKey>> = callbacks.map(|s| s.exchange).collect();
    for error in rest().filter(|s| s.leads_to_error()) {
        callbacks.remove(&error.exchange);
    }
    let session = rest().any(|s| {
        matches!(s.via, Via::Response)
            && !s.is_refused()
            && s.credentials
                .iter()
                .any(|c| c.slot == Slot::Cookie && c.kind == Kind::SessionId)
            && callbacks.contains(&s.exchange)
    });
    session && !rest().any(|s| index.credentials(s).any(|(_, kind)| is_token(kind)))
}

fn is_hosted_login(path: &str) -> bool {
    path.ends_with("/auth/v1/authorize")
}

/// A private-use scheme or a loopback address (RFC 8252 §7.1, §7.3).
fn is_native(request: &Sighting) -> bool {
    value(request, "redirect_uri").is_some_and(|uri| {
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
        let loopback = super::link::host_of(uri).is_some_and(is_loopback);
        scheme.is_some_and(is_private_scheme) || loopback
    })
}

fn lands_native(sighting: &Sighting) -> bool {
    is_response(sighting)
        && sighting.address.as_ref().is_some_and(|address| {
            is_private_scheme(&address.scheme)
                || (is_loopback(&address.host) && address.scheme.as_ref() == "http")
        })
}

/// Whether another application could register the scheme.
pub(super) fn is_private_scheme(scheme: &str) -> bool {
    !scheme.is_empty()
        && !matches!(
            scheme,
            "http"
                | "https"
                | "about"
                | "data"
                | "file"
                | "blob"
                | "chrome-extension"
                | "moz-extension"
                // A name, which no application receives: `urn:ietf:wg:oauth:2.0:oob` showed the code to the user.
                | "urn"
        )
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Whether the host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}
