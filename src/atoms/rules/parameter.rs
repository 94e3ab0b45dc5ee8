//! Rules that know a credential by the name of its parameter, header or key, and parameters that are
//! public. A rule names the place, the surroundings and the points; `detect` adds them up.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::asked::{Asked, Set};
use super::condition::{Condition, Evidence, Pattern, shared};
use super::name::Name;
use super::needles::Vocabulary;
use super::table::{Table, Texts};
use crate::atoms::{Kind, Slot};

/// One way in which a credential shows itself.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique id, lower case with `-`, shared with what it finds.
    #[serde(deserialize_with = "shared")]
    pub id: Arc<str>,
    /// What it finds, for people.
    pub title: Box<str>,
    /// What the value is.
    pub kind: Kind,
    /// Names in their registered spelling; other spellings of them count too. `*` is any name, in its slots.
    #[serde(default)]
    pub names: Vec<Box<str>>,
    /// Whether longer names that end with one of [`Self::names`] count too (`provider_access_token`).
    #[serde(default)]
    pub suffix: bool,
    /// For a credential in a path: over `host/path`, the first group is the credential.
    pub location: Option<Pattern>,
    /// Literals that every URL which [`Self::location`] fits contains; needles.
    #[serde(default)]
    pub literals: Vec<Box<str>>,
    /// Slots where the rule counts; all when empty.
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// What must hold.
    #[serde(default)]
    pub when: Condition,
    /// What must not: any of these.
    #[serde(default)]
    pub unless: Vec<Condition>,
    /// Whether the name is an ordinary word too, so that a word before it may change its meaning.
    #[serde(default)]
    pub ambiguous: bool,
    /// Whether the claims of a JWT decide the kind.
    #[serde(default)]
    pub by_claims: bool,
    /// Whether the value may be a word that a person chose, so that placeholders and forms mean little.
    #[serde(default)]
    pub chosen: bool,
    /// Score before any evidence.
    #[serde(default)]
    pub base: i16,
    /// What changes the score.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Severity when nothing else is known: `critical`, `high`, `medium`, `low`, `info`.
    pub severity: Box<str>,
    /// What it is, in a sentence or two.
    pub description: Box<str>,
    /// Why it is bad where it was found.
    pub why: Box<str>,
    /// Id of the remediation text.
    pub remediation: Box<str>,
    /// Specifications and documentation.
    pub references: Vec<Box<str>>,
    /// Evidence snippets in which the rule finds something, as templates.
    pub examples: Vec<Box<str>>,
    /// Evidence snippets in which it must not.
    pub counterexamples: Vec<Box<str>>,
}

impl Rule {
    /// What must be changed before the rule can work.
    pub(super) fn fault(&self) -> Option<&'static str> {
        const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
        if self.names.is_empty() && self.location.is_none() {
            Some("a rule needs `names` or a `location`")
        } else if self.location.is_some() && self.literals.is_empty() {
            Some("a rule with a `location` needs `literals`, or no reader will look at it")
        } else if self.is_nameless() && (self.slots.is_empty() || self.literals.is_empty()) {
            Some("a rule for any name needs `slots`, and `literals`, or every value is asked")
        } else if self.examples.is_empty() {
            Some("a rule needs `examples`")
        } else if self.counterexamples.is_empty() {
            Some("a rule needs `counterexamples`")
        } else if !SEVERITIES.contains(&&*self.severity) {
            Some("`severity` must be critical, high, medium, low or info")
        } else if self.literals.iter().any(|literal| literal.len() < 3) {
            Some("a literal needs at least three bytes, or it is everywhere")
        } else {
            None
        }
    }

    /// Whether the rule asks for values of any name.
    pub fn is_nameless(&self) -> bool {
        self.names.iter().any(|name| &**name == "*")
    }

    /// Its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let weighed = self.evidence.iter().map(|evidence| &evidence.when);
        let conditions = std::iter::once(&self.when)
            .chain(&self.unless)
            .chain(weighed);
        conditions
            .flat_map(Condition::patterns)
            .chain(&self.location)
    }

    fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        let weighed = self.evidence.iter_mut().map(|evidence| &mut evidence.when);
        std::iter::once(&mut self.when)
            .chain(&mut self.unless)
            .chain(weighed)
    }

    /// Whether the rule counts in this slot.
    pub fn counts_in(&self, slot: Slot) -> bool {
        self.slots.is_empty() || self.slots.contains(&slot)
    }
}

/// A parameter that is no credential by itself, and explains those beside it.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// Registered spelling.
    pub name: Box<str>,
    /// Other names for the same thing.
    #[serde(default)]
    pub aliases: Vec<Box<str>>,
    /// Whether its value may be shown.
    #[serde(default)]
    pub show: Show,
    /// What a shown value must look like.
    pub value: Option<Pattern>,
    /// Whether the parameter makes a line or a row worth a second look.
    #[serde(default)]
    pub needle: bool,
    /// Whether it is a part of an authorization response, and so no part of the redirect URI.
    #[serde(default)]
    pub response: bool,
}

/// How a public parameter's value is shown.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// Not at all.
    #[default]
    Hidden,
    /// As it is.
    Plain,
    /// As a masked URL.
    Url,
}

/// Words that say that a token is no credential.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Ignored {
    /// Anywhere in a name (`csrf`).
    pub always: Vec<Box<str>>,
    /// In the names of ambiguous rules only (`page` in `page_token`).
    pub ambiguous: Vec<Box<str>>,
}

impl Ignored {
    pub(super) fn extend(&mut self, other: Self) {
        self.always.extend(other.always);
        self.ambiguous.extend(other.ambiguous);
    }
}

/// Rules of a name or of an ending of one.
#[derive(Clone, Copy)]
struct Fitting<'a> {
    listed: &'a [(usize, Box<str>)],
    /// Whether it is the whole name.
    whole: bool,
    /// Whether a word before it rules out what is an ordinary word too.
    certain: bool,
}

impl<'a> Fitting<'a> {
    fn rules(self, all: &'a [Arc<Rule>]) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.listed
            .iter()
            .filter_map(|(index, _)| all.get(*index))
            .filter(move |rule| (self.whole || rule.suffix) && !(self.certain && rule.ambiguous))
    }
}

/// Rules and public parameters, found by name.
#[derive(Debug)]
pub struct Catalogue {
    rules: Vec<Arc<Rule>>,
    publics: Vec<Public>,
    by_key: Table<Vec<(usize, Box<str>)>>,
    nameless: Vec<usize>,
    /// Literals of the rules that know a path; `None` where they are too many to be looked for together.
    near: Option<AhoCorasick>,
    asked: Asked,
    public_by_key: Table<usize>,
    ignored_always: Texts,
    ignored_ambiguous: Texts,
}

impl Catalogue {
    pub(super) fn new(mut rules: Vec<Rule>, publics: Vec<Public>, ignored: &Ignored) -> Self {
        let mut asked = Asked::default();
        let conditions = rules.iter_mut().flat_map(Rule::conditions_mut);
        conditions.for_each(|condition| asked.add(condition));
        let rules: Vec<Arc<Rule>> = rules.into_iter().map(Arc::new).collect();
        let mut by_key: Table<Vec<(usize, Box<str>)>> = Table::default();
        for (index, rule) in rules.iter().enumerate() {
            for name in &rule.names {
                by_key
                    .entry(Name::new(name).key)
                    .or_default()
                    .push((index, name.clone()));
            }
        }
        let nameless = (0..).zip(&rules).filter(|(_, rule)| rule.is_nameless());
        let nameless = nameless.map(|(index, _)| index).collect();
        let located = rules.iter().filter(|rule| rule.location.is_some());
        let near = located.flat_map(|rule| rule.literals.iter().map(|it| &**it));
        let near = AhoCorasick::new(near).ok();
        let mut public_by_key = Table::default();
        for (index, public) in publics.iter().enumerate() {
            for name in std::iter::once(&public.name).chain(&public.aliases) {
                public_by_key.insert(Name::new(name).key, index);
            }
        }
        Self {
            rules,
            publics,
            by_key,
            nameless,
            near,
            asked,
            public_by_key,
            ignored_always: ignored.always.iter().cloned().collect(),
            ignored_ambiguous: ignored.ambiguous.iter().cloned().collect(),
        }
    }

    /// All rules, in the order of the files.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Rules for a name: those for the whole name, or else those for the longest ending that a rule accepts.
    /// None for names with an ignored word.
    pub fn rules_for(&self, name: &Name) -> impl Iterator<Item = &Arc<Rule>> {
        let asked = (!self.is_ignored(name)).then_some(name);
        let found = asked.and_then(|name| {
            let found = self.fitting(name);
            found.or_else(|| self.fitting(&name.without_tail()?))
        });
        found
            .into_iter()
            .flat_map(|fitting| fitting.rules(&self.rules))
    }

    fn fitting(&self, name: &Name) -> Option<Fitting<'_>> {
        let certain = name.has_word(|word| self.ignored_ambiguous.contains(word));
        (0..).zip(name.suffixes()).find_map(|(skip, key)| {
            let fitting = Fitting {
                listed: self.by_key.get(key)?,
                whole: skip == 0,
                certain,
            };
            fitting.rules(&self.rules).next()?;
            Some(fitting)
        })
    }

    /// Rules for values of any name (`names = ["*"]`), in one slot.
    pub fn nameless(&self, slot: Slot) -> impl Iterator<Item = &Arc<Rule>> {
        self.nameless
            .iter()
            .filter_map(|index| self.rules.get(*index))
            .filter(move |rule| rule.slots.contains(&slot))
    }

    /// Whether a word of the name says that its value is no credential, whatever its form.
    pub fn is_ignored(&self, name: &Name) -> bool {
        self.ignored_always.contains(&name.key)
            || name.has_word(|word| self.ignored_always.contains(word))
    }

    /// The public parameter of this name.
    pub fn public(&self, name: &Name) -> Option<&Public> {
        self.publics.get(*self.public_by_key.get(&name.key)?)
    }

    /// Registered spelling of a name that a rule or a public parameter knows exactly.
    pub fn spelling(&self, name: &Name) -> Option<&str> {
        if let Some(public) = self.public(name) {
            return Some(&public.name);
        }
        let (_, spelling) = self.by_key.get(&name.key)?.first()?;
        Some(spelling)
    }

    /// Whether the name is that of a credential or of a parameter.
    pub fn knows(&self, name: &Name) -> bool {
        self.spelling(name).is_some() || self.rules_for(name).next().is_some()
    }

    /// Rules that know a credential in this `host/path`, and where it is.
    pub fn located(&self, place: &str) -> impl Iterator<Item = (&Arc<Rule>, Range<usize>)> {
        // Hardly a path has a literal of any rule: one look says so.
        let is_near = self.near.as_ref().is_none_or(|near| near.is_match(place));
        let rules = is_near.then_some(&self.rules).into_iter().flatten();
        rules.filter_map(move |rule| {
            let location = rule.location.as_ref()?;
            let is_near = rule
                .literals
                .iter()
                .any(|literal| place.contains(&**literal));
            Some((rule, is_near.then(|| location.capture(place))??))
        })
    }

    /// The number under which conditions ask about a name, if one does.
    pub fn number(&self, name: &Name) -> Option<usize> {
        self.asked.name(name)
    }

    /// Which of the words that conditions ask about are in a lower-case path.
    pub fn words(&self, path: &str) -> Set {
        self.asked.words(path)
    }

    /// Which of the segments that conditions ask about it has.
    pub fn segments(&self, path: &str) -> Set {
        self.asked.segments(path)
    }

    /// Keys of the names that make bytes worth a second look.
    pub(super) fn needle_names(&self) -> BTreeSet<Box<str>> {
        let rules = self.by_key.keys().cloned();
        let keys = rules.chain(self.needle_publics());
        keys.filter(|key| !key.is_empty()).collect()
    }

    /// What names mean, for those that only end like one of [`Self::needle_names`].
    pub(super) fn vocabulary(&self) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for (key, rules) in &self.by_key {
            for rule in rules.iter().filter_map(|(index, _)| self.rules.get(*index)) {
                vocabulary.add_rule(key, rule.suffix, rule.ambiguous);
            }
        }
        for key in self.needle_publics() {
            vocabulary.add_public(&key);
        }
        for word in &self.ignored_always {
            vocabulary.add_ignored(word, true);
        }
        for word in &self.ignored_ambiguous {
            vocabulary.add_ignored(word, false);
        }
        vocabulary
    }

    /// Keys of the public parameters that make bytes worth a second look.
    fn needle_publics(&self) -> impl Iterator<Item = Box<str>> {
        let publics = self.publics.iter().filter(|public| public.needle);
        let names = publics.flat_map(|public| std::iter::once(&public.name).chain(&public.aliases));
        names.map(|name| Name::new(name).key)
    }

    /// Literals of the path rules.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .flat_map(|rule| &rule.literals)
            .map(|literal| &**literal)
    }
}
