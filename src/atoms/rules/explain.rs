//! What every flow, verdict, weakness, attack and kind means, why it is bad and how to fix it: the texts
//! behind `explain` and behind each finding. Words only; which of them applies is decided elsewhere.

use serde::Deserialize;

use crate::atoms::Kind;

/// All texts.
#[derive(Clone, Debug, Default)]
pub struct Explanations {
    entries: Vec<Explanation>,
    remedies: Vec<Remedy>,
}

/// Why a file of texts was refused.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// Not TOML, or a field that is unknown or of the wrong form.
    #[error("the explanations cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// Two entries of a topic share an id.
    #[error("`{0}` is explained twice")]
    Twice(Box<str>),
}

/// What an explanation is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// State of a verdict.
    Verdict,
    /// Flow or grant.
    Flow,
    /// Weakness of a flow.
    Weakness,
    /// Attack.
    Attack,
    /// Kind of credential.
    Kind,
    /// Rule that finds a credential.
    Rule,
}

impl Topic {
    /// Every topic that has a file, in the order in which a bare id is looked up.
    pub const ALL: [Self; 5] = [
        Self::Verdict,
        Self::Flow,
        Self::Weakness,
        Self::Attack,
        Self::Kind,
    ];

    /// The prefix of an id: `flow:implicit`. The same as in `--fail-on`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Flow => "flow",
            Self::Weakness => "weakness",
            Self::Attack => "attack",
            Self::Kind => "kind",
            Self::Rule => "rule",
        }
    }
}

/// One entry of `explain`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Topic; that of the file.
    #[serde(skip, default = "no_topic")]
    pub topic: Topic,
    /// Id inside its topic: the name on the wire.
    pub id: Box<str>,
    /// Title.
    pub title: Box<str>,
    /// What it means.
    pub means: Box<str>,
    /// Why it is bad.
    pub bad: Box<str>,
    /// How to fix it.
    pub fix: Box<str>,
    /// What was measured, where something was.
    pub measured: Option<Box<str>>,
    /// For a flow: which attack the code flow stops here, or why it does not. For a weakness that takes some of that
    /// away: what is left.
    pub code_flow: Option<Box<str>>,
    /// Specifications.
    pub references: Vec<Box<str>>,
}

/// One sentence that says what to change.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Id.
    pub id: Box<str>,
    /// The sentence.
    pub text: Box<str>,
    /// Specifications.
    pub references: Vec<Box<str>>,
}

impl Explanations {
    /// The texts that are built in.
    pub fn builtin() -> Result<Self, ExplainError> {
        let files = [
            (Topic::Verdict, include_str!("../../../rules/verdicts.toml")),
            (Topic::Flow, include_str!("../../../rules/flows.toml")),
            (
                Topic::Weakness,
                include_str!("../../../rules/weaknesses.toml"),
            ),
            (Topic::Attack, include_str!("../../../rules/attacks.toml")),
            (Topic::Kind, include_str!("../../../rules/kinds.toml")),
        ];
        let mut texts = Self::default();
        for (topic, text) in files {
            texts.read(topic, text)?;
        }
        texts.read_remedies(include_str!("../../../rules/remedies.toml"))?;
        Ok(texts)
    }

    /// All entries, by topic and in the order of their files.
    pub fn entries(&self) -> &[Explanation] {
        &self.entries
    }

    /// All remedies.
    pub fn remedies(&self) -> &[Remedy] {
        &self.remedies
    }

    /// The entry with this id, with or without its topic: `flow:unknown`, `implicit`. A bare id that two
    /// topics share is the first topic's.
    pub fn get(&self, id: &str) -> Option<&Explanation> {
        let (topic, id) = match id.split_once(':') {
            Some((topic, id)) => (Some(topic), id),
            None => (None, id),
        };
        self.entries.iter().find(|entry| {
            *entry.id == *id && topic.is_none_or(|topic| topic == entry.topic.as_str())
        })
    }

    /// The entry of a rule that finds a kind: what the rule says of itself, and what holds for the kind.
    pub fn of_rule(
        &self,
        id: &str,
        title: &str,
        description: &str,
        kind: Kind,
    ) -> Option<Explanation> {
        let kind = self.get(&format!("kind:{}", kind.as_str()))?;
        Some(Explanation {
            topic: Topic::Rule,
            id: id.into(),
            title: title.into(),
            means: description.into(),
            ..kind.clone()
        })
    }

    /// The remedy with this id.
    pub fn remedy(&self, id: &str) -> Option<&Remedy> {
        self.remedies.iter().find(|remedy| *remedy.id == *id)
    }

    fn read(&mut self, topic: Topic, text: &str) -> Result<(), ExplainError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            entry: Vec<Explanation>,
        }
        for mut entry in toml::from_str::<File>(text)?.entry {
            entry.topic = topic;
            let known = self
                .entries
                .iter()
                .any(|it| it.topic == topic && it.id == entry.id);
            if known {
                return Err(ExplainError::Twice(entry.id));
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    fn read_remedies(&mut self, text: &str) -> Result<(), ExplainError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            remedy: Vec<Remedy>,
        }
        for remedy in toml::from_str::<File>(text)?.remedy {
            if self.remedy(&remedy.id).is_some() {
                return Err(ExplainError::Twice(remedy.id));
            }
            self.remedies.push(remedy);
        }
        Ok(())
    }
}

fn no_topic() -> Topic {
    Topic::Rule
}
