//! The identity of a leak: flow, slot, origin, path template, parameter and client, never the value. It
//! survives a new recording with new tokens, so that baselines and trends can follow it.

use super::verdict::Case;
use crate::atoms::{Digest, Slot};
use crate::detect::Sighting;
use crate::flow::{Flow, Trail, Weakness};

/// The leak of a credential: its first place in the order of places, so that which of several recordings
/// came first changes nothing.
pub(super) fn leak(case: &Case<'_>) -> Digest {
    let client = case
        .trails()
        .filter_map(|trail| trail.client_id.as_deref())
        .min();
    let place = case
        .credentials()
        .map(|(_, sighting, it)| {
            (
                it.slot.as_str(),
                origin(sighting),
                path(sighting),
                &*it.name,
            )
        })
        .min();
    let (slot, origin, path, name) = place.unwrap_or_default();
    digest(
        case.exposure.flow,
        [slot, &origin, path, name, client.unwrap_or_default()],
    )
}

/// The leak of a weakness: the request that shows it.
pub(super) fn leak_of(weakness: &Weakness, trail: &Trail, seen: &[&Sighting]) -> Digest {
    let place = seen.iter().map(|it| (origin(it), path(it))).min();
    let (origin, path) = place.unwrap_or_default();
    let client = trail.client_id.as_deref().unwrap_or_default();
    let issuer = trail.issuer.as_deref().unwrap_or_default();
    let name = weakness.kind.as_str();
    let slot = Slot::Query.as_str();
    Digest::of([
        digest(trail.grant, [slot, &origin, path, name, client])
            .as_bytes()
            .as_slice(),
        issuer.as_bytes(),
    ])
}

fn digest(flow: Flow, parts: [&str; 5]) -> Digest {
    let head = ["leak", flow.as_str()];
    Digest::of(head.into_iter().chain(parts).map(str::as_bytes))
}

fn origin(sighting: &Sighting) -> String {
    let Some(address) = &sighting.address else {
        return String::new();
    };
    let port = address
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{}{port}", address.scheme, address.host)
}

fn path(sighting: &Sighting) -> &str {
    sighting
        .address
        .as_ref()
        .map_or("", |address| &address.path)
}
