//! PKCE challenges in messages: hidden by S256, or the verifier itself. Knows RFC 7636, and nothing of flows.

use super::message::{Field, Message};
use super::score::Found;
use crate::atoms::rules::Rules;
use crate::atoms::{KeyKind, Kind, Place};

/// What the method makes of a challenge. Without one the challenge is the verifier (RFC 7636 §4.3), unless the end
/// of the message may be missing, and the method with it. No other method begins as S256 does: what follows it was
/// taken together with it. Under a method of a server's own nothing tells what opens the challenge (§4.4.1).
pub(super) fn key_kind(message: &Message, field: &Field, place: &Place) -> Option<KeyKind> {
    // RFC 6749 §3.1: a parameter without a value is one that was left out.
    let is_method = |other: &&Field| {
        other.group == field.group
            && *other.key.key == *"codechallengemethod"
            && !other.canonical.is_empty()
    };
    let methods = || message.fields.iter().filter(is_method);
    let begins = |name: &str| {
        let mut begins = methods().filter_map(|method| method.canonical.get(..name.len()));
        begins.any(|begin| begin.eq_ignore_ascii_case(name))
    };
    let is_left_out = || methods().next().is_none() && !place.is_uncertain();
    if begins("S256") {
        Some(KeyKind::ChallengeS256)
    } else if begins("plain") || is_left_out() {
        Some(KeyKind::ChallengePlain)
    } else {
        None
    }
}

/// Challenges that are the verifier itself, as finds of their rule, instead of those that their names gave.
pub(super) fn plain(found: &mut Vec<Found>, message: &Message, rules: &Rules, place: &Place) {
    let all = rules.catalogue.rules();
    let Some(rule) = all.iter().find(|rule| rule.kind == Kind::CodeChallenge) else {
        return;
    };
    found.retain(|found| *found.rule != *rule.id);
    let is_plain = |field: &Field| {
        *field.key.key == *"codechallenge"
            && field.canonical.len() >= 16
            && key_kind(message, field, place) == Some(KeyKind::ChallengePlain)
            && !rules.placeholders.contain(&field.canonical, field.slot)
    };
    let fields = message.fields.iter().enumerate();
    let fields = fields.filter(|(_, field)| is_plain(field));
    found.extend(fields.map(|(at, _)| Found {
        field: at,
        rule: (&*rule.id).into(),
        kind: Kind::CodeChallenge,
        score: 100,
    }));
}
