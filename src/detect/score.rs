//! Rules asked of a message: which of its values are, or may be, credentials, and with how many points.
//! The questions and the points are data; answering them is all that happens here.

use std::cell::OnceCell;
use std::sync::Arc;

use super::encoding;
use super::jwt::Jwt;
use super::message::{Field, Form, Message};
use super::{CANDIDATE, REPORT};
use crate::atoms::Kind;
use crate::atoms::rules::{Condition, Pattern, Rule, Rules, Set, Shape};

/// Points of a value that tells itself by its form.
const BY_FORM: i16 = 100;

/// A value that is, or may be, a credential.
#[derive(Debug)]
pub(super) struct Found {
    /// Index into the message's fields.
    pub field: usize,
    /// Id of the rule or the shape.
    pub rule: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// Points.
    pub score: i16,
}

/// What surrounds the values of a message.
pub(super) struct Setting<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Decoded path and hash route of the message's URL, or of its exchange's, in lower case.
    pub words: String,
    /// What conditions ask about and is in them.
    pub told: Set,
    /// What they ask about and is a whole segment of them.
    pub segments: Set,
    /// Host of that URL.
    pub host: &'a str,
    /// Whether a server or a script sent the browser here, where the evidence tells.
    pub redirected: Option<bool>,
    /// Method of the exchange.
    pub method: Option<&'a str>,
    /// Whether an application on the device answers the URL.
    pub native: bool,
    /// Whether it came with a response.
    pub response: bool,
    /// `grant_type` in the query of that URL.
    pub grant: Option<&'a str>,
}

/// All candidates of a message, in order of appearance.
pub(super) fn found(message: &Message, setting: &Setting<'_>) -> Vec<Found> {
    let beside = Beside::new(message, setting.rules);
    message
        .fields
        .iter()
        .enumerate()
        .filter_map(|(at, field)| judge(at, field, message, &beside, setting))
        .collect()
}

fn judge(
    at: usize,
    field: &Field,
    message: &Message,
    beside: &Beside<'_>,
    setting: &Setting<'_>,
) -> Option<Found> {
    let value = field.canonical.as_str();
    let jwt = field.jwt();
    let catalogue = &setting.rules.catalogue;
    let mut named = catalogue.rules_for(&field.key).peekable();
    let is_named = named.peek().is_some();
    let nameless = (!is_named).then(|| catalogue.nameless(field.slot));
    let mut named = named.chain(nameless.into_iter().flatten()).peekable();
    let by_form = by_form(field, setting);
    // Most fields are of no interest: the dearer questions are for the others.
    let asks = by_form.is_some() || named.peek().is_some() || field.rule.is_some();
    if !asks
        || value.is_empty()
        || jwt.is_some_and(|jwt| jwt.is_proof() || jwt.is_public())
        || setting.rules.placeholders.contain(value, field.slot)
        || setting.rules.shapes.is_public(value)
    {
        return None;
    }
    let asked = Asked {
        field,
        value,
        entropy: OnceCell::new(),
        beside,
        message,
        setting,
    };
    let located = field.rule.iter().map(|rule| (rule, true));
    let best = located
        .chain(named.map(|rule| (rule, false)))
        .filter_map(|(rule, located)| Some((rule, asked.score(rule, located)?)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    match (best, by_form) {
        // No name makes anything else of a key.
        (_, Some((Some(shape), kind @ Kind::PrivateKey))) => Some(Found {
            field: at,
            rule: Arc::clone(&shape.id),
            kind,
            score: BY_FORM,
        }),
        (Some((rule, score)), form) if score >= REPORT || score >= CANDIDATE && form.is_none() => {
            let claimed = jwt.and_then(Jwt::kind).or(form.map(|(_, kind)| kind));
            Some(Found {
                field: at,
                rule: Arc::clone(&rule.id),
                kind: claimed.filter(|_| rule.by_claims).unwrap_or(rule.kind),
                score,
            })
        }
        (_, Some((shape, kind))) => Some(Found {
            field: at,
            rule: shape.map_or_else(|| "jwt".into(), |shape| Arc::clone(&shape.id)),
            kind,
            score: BY_FORM,
        }),
        _ => None,
    }
}

/// A value that tells itself, and what it is: a vendor's prefix, or without a shape a JWT.
fn by_form<'a>(field: &Field, setting: &Setting<'a>) -> Option<(Option<&'a Shape>, Kind)> {
    let catalogue = &setting.rules.catalogue;
    if let Some(shape) = setting.rules.shapes.alone(&field.canonical) {
        return Some((Some(shape), shape.kind));
    }
    // A JWT under a protocol parameter's name is what that parameter says: `state` is a state.
    let jwt = field.jwt()?;
    if catalogue.public(&field.key).is_some() || catalogue.is_ignored(&field.key) {
        return None;
    }
    Some((None, jwt.kind().unwrap_or(Kind::OpaqueToken)))
}

/// Names with values, by group, under the numbers by which conditions ask about them.
struct Beside<'a> {
    names: Vec<(u32, Set)>,
    none: Set,
    fields: &'a [Field],
}

impl<'a> Beside<'a> {
    fn new(message: &'a Message, rules: &Rules) -> Self {
        let valued = message.fields.iter();
        let valued = valued.filter(|field| !field.canonical.is_empty());
        let mut numbers: Vec<_> = valued
            .filter_map(|field| Some((field.group, rules.catalogue.number(&field.key)?)))
            .collect();
        numbers.sort_unstable();
        let mut names: Vec<(u32, Set)> = Vec::new();
        for (group, number) in numbers {
            if names.last().is_none_or(|(last, _)| *last != group) {
                names.push((group, Set::default()));
            }
            if let Some((_, set)) = names.last_mut() {
                set.insert(number);
            }
        }
        Self {
            names,
            none: Set::default(),
            fields: &message.fields,
        }
    }

    fn names(&self, group: u32) -> &Set {
        let at = self.names.binary_search_by_key(&group, |(group, _)| *group);
        let found = at.ok().and_then(|at| self.names.get(at));
        found.map_or(&self.none, |(_, set)| set)
    }

    /// First 256 fields of the group: `only` and `beside_value` are questions about small messages.
    fn group(&self, group: u32) -> impl Iterator<Item = &'a Field> {
        self.fields
            .iter()
            .filter(move |field| field.group == group)
            .take(256)
    }
}

/// One value, and what may be asked of it.
struct Asked<'a> {
    field: &'a Field,
    value: &'a str,
    entropy: OnceCell<f32>,
    beside: &'a Beside<'a>,
    message: &'a Message,
    setting: &'a Setting<'a>,
}

impl Asked<'_> {
    /// Points under a rule; `None` when the rule does not apply.
    fn score(&self, rule: &Rule, located: bool) -> Option<i16> {
        let applies = (located || rule.location.is_none())
            && rule.counts_in(self.field.slot)
            && self.holds(&rule.when)
            && !rule.unless.iter().any(|condition| self.holds(condition));
        if !applies {
            return None;
        }
        let evidence = rule
            .evidence
            .iter()
            .filter(|evidence| self.holds(&evidence.when))
            .fold(rule.base, |score, evidence| {
                score.saturating_add(evidence.points)
            });
        Some(evidence)
    }

    fn holds(&self, when: &Condition) -> bool {
        self.place_holds(when) && self.beside_holds(when) && self.value_holds(when)
    }

    fn value_holds(&self, when: &Condition) -> bool {
        let length = self.value.len();
        when.min_length.is_none_or(|min| length >= min)
            && when.max_length.is_none_or(|max| length <= max)
            && when.jwt.is_none_or(|jwt| jwt == self.field.jwt().is_some())
            && when.min_entropy.is_none_or(|min| self.entropy() >= min)
            && when.max_entropy.is_none_or(|max| self.entropy() <= max)
            && when
                .value
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(self.value))
            && (when.shape.is_empty() || when.shape.iter().any(|id| self.has_shape(id)))
            && (when.saml.is_empty() || self.is_saml(&when.saml))
            && when.asserts.is_none_or(|asserts| {
                let saml = self.field.saml();
                saml.and_then(|saml| saml.asserts) == Some(asserts)
            })
            && when
                .name
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&self.field.name))
            && (when.word.is_empty()
                || self
                    .field
                    .key
                    .has_word(|word| when.word.iter().any(|wanted| **wanted == *word)))
    }

    fn entropy(&self) -> f32 {
        *self.entropy.get_or_init(|| encoding::entropy(self.value))
    }

    fn has_shape(&self, id: &str) -> bool {
        let shape = self.setting.rules.shapes.get(id);
        shape.is_some_and(|shape| shape.pattern.is_match(self.value))
    }

    fn is_saml(&self, roots: &[Box<str>]) -> bool {
        self.field
            .saml()
            .is_some_and(|saml| roots.contains(&saml.root))
    }

    fn beside_holds(&self, when: &Condition) -> bool {
        let names = self.beside.names(self.field.group);
        let matches = |name: &str, pattern: &Pattern| {
            let mut group = self.beside.group(self.field.group);
            group.any(|field| *field.key.key == *name && pattern.is_match(&field.canonical))
        };
        (when.beside.is_empty() || names.meets(&when.numbers.beside))
            && names.holds(&when.numbers.beside_all)
            && !names.meets(&when.numbers.lacks)
            && when
                .beside_value
                .iter()
                .all(|(name, pattern)| matches(name.as_str(), pattern))
            && (when.only.is_empty() || self.only_beside(&when.only))
    }

    fn only_beside(&self, allowed: &[Box<str>]) -> bool {
        let mut others = self
            .beside
            .group(self.field.group)
            .filter(|field| field.key != self.field.key)
            .peekable();
        let fits = |field: &Field| {
            allowed.iter().any(|name| match name.strip_suffix('*') {
                Some(start) => field.name.to_ascii_lowercase().starts_with(start),
                None => field.name.eq_ignore_ascii_case(name),
            })
        };
        others.peek().is_some() && others.all(fits)
    }

    fn place_holds(&self, when: &Condition) -> bool {
        let host = self.setting.host;
        let under = |suffix: &str| {
            host.strip_suffix(suffix).is_some_and(|rest| {
                rest.is_empty() || rest.ends_with('.') || suffix.starts_with('.')
            })
        };
        let segments = &self.setting.segments;
        (when.path.is_empty() || self.setting.told.meets(&when.numbers.path))
            && (when.segment.is_empty() || segments.meets(&when.numbers.segment))
            && (when.host.is_empty() || when.host.iter().any(|suffix| under(suffix)))
            && (when.slot.is_empty() || when.slot.contains(&self.field.slot))
            && when
                .redirected
                .is_none_or(|redirected| self.setting.redirected == Some(redirected))
            && when
                .native
                .is_none_or(|native| native == self.setting.native)
            && when
                .response
                .is_none_or(|response| response == self.setting.response)
            && (when.method.is_empty()
                || self.setting.method.is_some_and(|method| {
                    when.method
                        .iter()
                        .any(|wanted| wanted.eq_ignore_ascii_case(method))
                }))
            && when
                .form
                .is_none_or(|form| form == (self.message.form == Form::Fields))
    }
}
