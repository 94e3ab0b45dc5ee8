//! PKCE challenges in messages: hidden by S256, or the verifier itself. Knows RFC 7636, and nothing of flows.

use super::message::{Field, Message};
use super::score::Found;
use crate::atoms::Kind;
use crate::atoms::rules::Rules;

/// RFC 7636 §4.3: without a method the challenge is the verifier.
pub(super) fn is_s256(message: &Message, field: &Field) -> bool {
    message.fields.iter().any(|other| {
        other.group == field.group
            && *other.key.key == *"codechallengemethod"
            && other.canonical.eq_ignore_ascii_case("S256")
    })
}

/// A challenge that is the verifier itself, as a find of its rule.
pub(super) fn plain(message: &Message, rules: &Rules) -> Option<Found> {
    let rule = rules
        .catalogue
        .rules()
        .iter()
        .find(|rule| rule.kind == Kind::CodeChallenge)?;
    let (at, _) = message.fields.iter().enumerate().find(|(_, field)| {
        *field.key.key == *"codechallenge"
            && field.canonical.len() >= 16
            && !is_s256(message, field)
            && !rules.placeholders.contain(&field.canonical, field.slot)
    })?;
    Some(Found {
        field: at,
        rule: (&*rule.id).into(),
        kind: Kind::CodeChallenge,
        score: 100,
    })
}
