//! PKCE challenges in messages: hidden by S256, or the verifier itself. Knows RFC 7636, and nothing of flows.

use super::message::{Field, Message};
use super::score::Found;
use crate::atoms::rules::Rules;
use crate::atoms::{KeyKind, Kind, Place};

/// What the method makes of a challenge. Without one the challenge is the verifier (RFC 7636 §4.3), unless the end
/// of the message may be missing, and the method with it. No other method begins as S256 does: what follows it was
/// taken together with it.
pub(super) fn key_kind(message: &Message, field: &Field, place: &Place) -> Option<KeyKind> {
    let is_method =
        |other: &Field| other.group == field.group && *other.key.key == *"codechallengemethod";
    let begins = |name: &str| {
        let methods = message.fields.iter().filter(|other| is_method(other));
        let begins = methods.map(|method| method.canonical.get(..name.len()));
        begins
            .flatten()
            .any(|begin| begin.eq_ignore_ascii_case(name))
    };
    if begins("S256") {
        Some(KeyKind::ChallengeS256)
    } else if begins("plain") || !place.is_uncertain() {
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
