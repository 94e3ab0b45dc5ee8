//! The rule files, read and validated, and the needles compiled from them. What a leak looks like is
//! data under `rules/`; this room knows the form of that data, and no evidence.

mod asked;
pub mod condition;
pub mod explain;
mod log_form;
pub mod log_format;
mod log_pattern;
mod meant;
pub mod name;
pub mod needles;
pub mod parameter;
pub mod provider;
pub mod shape;
pub mod store;
mod table;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

pub use asked::{Numbers, Set};
pub use condition::{Condition, Evidence, Pattern, Patterns};
pub use explain::{Explanation, Explanations};
pub use log_format::LogFormats;
pub use name::Name;
pub use needles::Needles;
pub use parameter::{Catalogue, Public, Rule, Show};
pub use provider::Providers;
pub use shape::{Shape, Shapes};
pub use store::{Store, Stores};
use table::Table;

/// The rule files of this build: name for messages, and text.
const BUILTIN: &[(&str, &str)] = &[
    (
        "rules/oauth.toml",
        include_str!("../../../rules/oauth.toml"),
    ),
    ("rules/oidc.toml", include_str!("../../../rules/oidc.toml")),
    ("rules/saml.toml", include_str!("../../../rules/saml.toml")),
    ("rules/web.toml", include_str!("../../../rules/web.toml")),
    ("rules/keys.toml", include_str!("../../../rules/keys.toml")),
    (
        "rules/vendor.toml",
        include_str!("../../../rules/vendor.toml"),
    ),
    (
        "rules/public.toml",
        include_str!("../../../rules/public.toml"),
    ),
];

/// Everything that the rule files say.
#[derive(Debug)]
pub struct Rules {
    /// What makes bytes worth a second look.
    pub needles: Needles,
    /// Rules and public parameters, found by name.
    pub catalogue: Catalogue,
    /// Value shapes.
    pub shapes: Shapes,
    /// Values that are no credentials, whatever their name.
    pub placeholders: Placeholders,
    /// Who issues credentials, and for how long.
    pub providers: LazyLock<Providers>,
    /// Stores of a browser profile, and what clears them.
    pub stores: LazyLock<Stores>,
    /// What everything means.
    pub explanations: LazyLock<Explanations>,
    /// Log formats and wrappers.
    pub formats: LogFormats,
}

/// Bytes of a message about a rule file: some lines with a mark under the place.
const MAX_MESSAGE: usize = 1_000;

/// Why a rule file cannot be used. Says what to change.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, or not of the documented form.
    #[error("{file}: {message}")]
    Form {
        /// Name of the file.
        file: Box<str>,
        /// Line, column and what is wrong.
        message: Box<str>,
    },
    /// The log formats.
    #[error(transparent)]
    Format(#[from] log_format::FormatError),
    /// An entry that cannot work.
    #[error("{file}: `{id}`: {message}")]
    Entry {
        /// Name of the file.
        file: Box<str>,
        /// Id of the rule or shape, or name of the parameter.
        id: Box<str>,
        /// What to change.
        message: Box<str>,
    },
}

/// One rule file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    rule: Vec<Rule>,
    shape: Vec<Shape>,
    public: Vec<Public>,
    ignored: parameter::Ignored,
    placeholder: Vec<Placeholder>,
}

impl Rules {
    /// The rules of this build.
    pub fn builtin() -> Result<Self, RuleError> {
        Self::with(&[])
    }

    /// The rules of this build, and those of `extra` files: name for messages, and text.
    pub fn with(extra: &[(&str, &str)]) -> Result<Self, RuleError> {
        let mut all = File::default();
        let mut ids = HashSet::new();
        for (file, text) in BUILTIN.iter().chain(extra) {
            let part: File = toml::from_str(text).map_err(|error| RuleError::Form {
                file: (*file).into(),
                message: form(text, &error),
            })?;
            check(file, &part, &mut ids)?;
            if extra.iter().any(|(extra, _)| extra == file) {
                check_patterns(file, &part)?;
            }
            all.rule.extend(part.rule);
            all.shape.extend(part.shape);
            all.public.extend(part.public);
            all.ignored.extend(part.ignored);
            all.placeholder.extend(part.placeholder);
        }
        let shapes = Shapes::new(all.shape);
        let catalogue = Catalogue::new(all.rule, all.public, &all.ignored);
        let needles = Needles::new(
            &catalogue.needle_names(),
            catalogue.literals().chain(shapes.prefixes()),
            catalogue.vocabulary(),
        );
        Ok(Self {
            needles,
            catalogue,
            shapes,
            placeholders: Placeholders::new(all.placeholder),
            // Only what judges asks for these, and not in every run. A test holds that none of them can fail.
            providers: LazyLock::new(|| Providers::builtin().unwrap_or_default()),
            stores: LazyLock::new(|| Stores::builtin().unwrap_or_default()),
            explanations: LazyLock::new(|| Explanations::builtin().unwrap_or_default()),
            formats: LogFormats::builtin()?,
        })
    }

    /// What an id means: a flow, a verdict, a weakness, an attack, a kind, or a rule that finds a
    /// credential; with or without its topic (`flow:unknown`, `implicit`, `rule:access-token`). The rule of
    /// a weakness (`flow/no-pkce`) is the weakness.
    pub fn explain(&self, id: &str) -> Option<Explanation> {
        let texts = &self.explanations;
        if let Some(entry) = texts.get(id) {
            return Some(entry.clone());
        }
        if let Some(weakness) = id.strip_prefix("flow/") {
            return texts.get(&format!("weakness:{weakness}")).cloned();
        }
        let id = id.strip_prefix("rule:").unwrap_or(id);
        let rules = self.catalogue.rules().iter();
        if let Some(rule) = rules.into_iter().find(|rule| *rule.id == *id) {
            return texts.of_rule(id, &rule.title, &rule.description, rule.kind);
        }
        let shape = self.shapes.get(id)?;
        texts.of_rule(id, &shape.title, &shape.title, shape.kind)
    }

    /// Every id that [`Self::explain`] knows, with its topic, in the order of topics.
    pub fn explained(&self) -> Vec<String> {
        let texts = self.explanations.entries().iter();
        let texts = texts.map(|it| format!("{}:{}", it.topic.as_str(), it.id));
        let rules = self.catalogue.rules().iter().map(|rule| &rule.id);
        let rules = rules.chain(self.shapes.iter().map(|shape| &shape.id));
        texts.chain(rules.map(|id| format!("rule:{id}"))).collect()
    }

    /// Ids of [`Self::explained`] that somebody may have meant who wrote this one, the nearest first.
    pub fn meant(&self, id: &str) -> Vec<String> {
        meant::meant(id, &self.explained())
    }
}

fn check(file: &str, part: &File, ids: &mut HashSet<Arc<str>>) -> Result<(), RuleError> {
    let fail = |id: &str, message: &str| {
        Err(RuleError::Entry {
            file: file.into(),
            id: id.into(),
            message: message.into(),
        })
    };
    for rule in &part.rule {
        if let Some(message) = rule.fault() {
            return fail(&rule.id, message);
        }
    }
    for shape in &part.shape {
        if let Some(message) = shape.fault() {
            return fail(&shape.id, message);
        }
    }
    let of_rules = part.rule.iter().map(|rule| &rule.id);
    for id in of_rules.chain(part.shape.iter().map(|shape| &shape.id)) {
        if !ids.insert(id.clone()) {
            return fail(id, "this id is used already; ids must be unique");
        }
    }
    Ok(())
}

/// Whether every pattern of a file can be compiled.
fn check_patterns(file: &str, part: &File) -> Result<(), RuleError> {
    let rules = part.rule.iter().flat_map(|rule| {
        let patterns = rule.patterns();
        patterns.map(|pattern| (&*rule.id, pattern))
    });
    let shapes = part.shape.iter().map(|shape| (&*shape.id, &shape.pattern));
    let publics = part.public.iter();
    let publics = publics.filter_map(|public| Some((&*public.name, public.value.as_ref()?)));
    let placeholders = part.placeholder.iter();
    let placeholders = placeholders.filter_map(|it| Some((&*it.about, it.pattern.as_ref()?)));
    let mut all = rules.chain(shapes).chain(publics).chain(placeholders);
    match all.find_map(|(id, pattern)| Some((id, pattern.fault()?))) {
        None => Ok(()),
        Some((id, fault)) => Err(RuleError::Entry {
            file: file.into(),
            id: id.into(),
            message: fault.to_string().into(),
        }),
    }
}

/// A value that documentation, or an unfinished program, puts where a credential belongs.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// Where it comes from.
    pub about: Box<str>,
    /// The value itself.
    #[serde(default)]
    pub values: Vec<Box<str>>,
    /// Or its form, over the whole value.
    pub pattern: Option<Pattern>,
    /// Slots where it counts; all when empty.
    #[serde(default)]
    pub slots: Vec<crate::atoms::Slot>,
}

/// Values that are no credentials. Never judged by the host: fixtures live on `example.com` too.
#[derive(Debug)]
pub struct Placeholders {
    values: Table<Vec<Slots>>,
    /// Forms that count in the same slots, looked for together.
    forms: Vec<(Slots, Patterns)>,
}

/// Where an entry counts; everywhere when empty.
type Slots = Vec<crate::atoms::Slot>;

impl Placeholders {
    fn new(entries: Vec<Placeholder>) -> Self {
        let mut values: Table<Vec<Slots>> = Table::default();
        let mut forms: Vec<(Slots, Vec<Pattern>)> = Vec::new();
        for entry in entries {
            for value in entry.values {
                values.entry(value).or_default().push(entry.slots.clone());
            }
            match forms.iter_mut().find(|(slots, _)| *slots == entry.slots) {
                Some((_, patterns)) => patterns.extend(entry.pattern),
                None => forms.push((entry.slots, entry.pattern.into_iter().collect())),
            }
        }
        let forms = forms.into_iter();
        Self {
            values,
            forms: forms
                .map(|(slots, patterns)| (slots, Patterns::new(&patterns)))
                .collect(),
        }
    }

    /// Whether the value is one, where it sits.
    pub fn contain(&self, value: &str, slot: crate::atoms::Slot) -> bool {
        let here = |slots: &Slots| slots.is_empty() || slots.contains(&slot);
        let mut known = self.values.get(value).into_iter().flatten();
        known.any(here)
            || self
                .forms
                .iter()
                .any(|(slots, patterns)| here(slots) && patterns.any(value))
    }
}

/// What is wrong with a file, shown in its line; of a line that is too long for that, the number.
fn form(text: &str, error: &toml::de::Error) -> Box<str> {
    let told = error.to_string();
    if told.len() <= MAX_MESSAGE {
        return told.into();
    }
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    format!("line {line}: {}", error.message()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_later_can_be_read() {
        Providers::builtin().unwrap();
        Stores::builtin().unwrap();
        Explanations::builtin().unwrap();
    }

    #[test]
    fn every_pattern_of_this_build_compiles() {
        for (file, text) in BUILTIN {
            check_patterns(file, &toml::from_str(text).unwrap()).unwrap();
        }
    }

    #[test]
    fn every_pattern_says_the_same_of_ascii_in_either_form() {
        let parts: Vec<File> = BUILTIN
            .iter()
            .map(|(_, text)| toml::from_str(text).unwrap())
            .collect();
        let shapes = || parts.iter().flat_map(|part| &part.shape);
        let rules = parts.iter().flat_map(|part| &part.rule);
        let others = parts.iter().flat_map(|part| {
            let publics = part.public.iter().filter_map(|it| it.value.as_ref());
            let placeholders = part.placeholder.iter().filter_map(|it| it.pattern.as_ref());
            publics.chain(placeholders)
        });
        let patterns = rules.flat_map(Rule::patterns);
        let patterns = patterns
            .chain(shapes().map(|shape| &shape.pattern))
            .chain(others);
        let values: Vec<&str> = shapes()
            .flat_map(|shape| shape.examples.iter().chain(&shape.counterexamples))
            .map(|value| &**value)
            .chain([
                "",
                "your_token_here",
                "Password",
                "de-DE",
                "12345678",
                "a.b.c",
                "https://a.example/x?y=1",
            ])
            .filter(|value| value.is_ascii())
            .collect();
        for pattern in patterns {
            let unicode = regex::Regex::new(pattern.as_str()).unwrap();
            for value in &values {
                assert_eq!(
                    pattern.is_match(value),
                    unicode.is_match(value),
                    "{} {value}",
                    pattern.as_str()
                );
            }
        }
    }

    #[test]
    fn a_pattern_that_does_not_compile_is_told() {
        let shape =
            "[[shape]]\nid = 'x'\ntitle = 'x'\nkind = 'api_key'\npattern = '('\nexamples = ['x']\n";
        let error = Rules::with(&[("mine.toml", shape)])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("mine.toml: `x`: regex parse error"),
            "{error}"
        );
    }
}
