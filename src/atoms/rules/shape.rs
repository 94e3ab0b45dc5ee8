//! Value shapes: forms that tell a credential whatever its name is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::condition::{Pattern, Patterns, shared};
use super::table::Table;
use crate::atoms::Kind;

/// One form of a value.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Unique id, shared with what it finds.
    #[serde(deserialize_with = "shared")]
    pub id: Arc<str>,
    /// What it is, for people.
    pub title: Box<str>,
    /// What the value is; for a shape that is none by itself, what it is under a fitting name.
    pub kind: Kind,
    /// Over the whole canonical value.
    pub pattern: Pattern,
    /// Literals that every such value begins with; needles. Empty for a shape that is asked for by name only.
    #[serde(default)]
    pub prefixes: Vec<Box<str>>,
    /// Whether the value is a credential by its form alone, whatever its name.
    #[serde(default)]
    pub alone: bool,
    /// Whether the value is public by design, so that no rule may report it.
    #[serde(default)]
    pub public: bool,
    /// Where the form is documented.
    #[serde(default)]
    pub references: Vec<Box<str>>,
    /// Values of this form, as templates.
    pub examples: Vec<Box<str>>,
    /// Values that are not.
    #[serde(default)]
    pub counterexamples: Vec<Box<str>>,
}

impl Shape {
    /// What must be changed before the shape can work.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.examples.is_empty() {
            Some("a shape needs `examples`")
        } else if self.alone && self.prefixes.is_empty() {
            Some("a shape that stands `alone` needs `prefixes`, or no reader will look at it")
        } else if self.prefixes.iter().any(|prefix| prefix.len() < 3) {
            Some("a prefix needs at least three bytes, or it is everywhere")
        } else {
            None
        }
    }
}

/// All shapes.
#[derive(Debug)]
pub struct Shapes {
    all: Vec<Shape>,
    by_id: Table<usize>,
    /// First bytes of those that stand alone, with the shapes that may begin so, in the order of the files.
    first: BTreeMap<u8, Vec<usize>>,
    public: Patterns,
}

impl Shapes {
    pub(super) fn new(all: Vec<Shape>) -> Self {
        let mut first: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (at, shape) in all.iter().enumerate().filter(|(_, shape)| shape.alone) {
            for byte in shape.prefixes.iter().filter_map(|it| it.bytes().next()) {
                let begun = first.entry(byte).or_default();
                if begun.last() != Some(&at) {
                    begun.push(at);
                }
            }
        }
        let public = all.iter().filter(|shape| shape.public);
        Self {
            public: Patterns::new(public.map(|shape| &shape.pattern)),
            by_id: (0..)
                .zip(&all)
                .map(|(at, it)| (it.id.as_ref().into(), at))
                .collect(),
            first,
            all,
        }
    }

    /// All of them, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.all.iter()
    }

    /// The shape of this id.
    pub fn get(&self, id: &str) -> Option<&Shape> {
        self.all.get(*self.by_id.get(id)?)
    }

    /// The first shape that makes `value` a credential by itself.
    pub fn alone(&self, value: &str) -> Option<&Shape> {
        self.begun(value)
            .find(|shape| shape.pattern.is_match(value))
    }

    /// Whether a value that is a credential by itself may begin as this text does.
    pub fn may_begin(&self, text: &str) -> bool {
        self.begun(text).next().is_some()
    }

    /// Those that stand alone, and begin as this text does.
    fn begun(&self, text: &str) -> impl Iterator<Item = &Shape> {
        let first = text.as_bytes().first();
        let begun = first.and_then(|first| self.first.get(first));
        let shapes = begun.into_iter().flatten();
        let shapes = shapes.filter_map(|at| self.all.get(*at));
        shapes.filter(move |shape| {
            let mut prefixes = shape.prefixes.iter();
            prefixes.any(|prefix| text.starts_with(&**prefix))
        })
    }

    /// Whether `value` is public by design.
    pub fn is_public(&self, value: &str) -> bool {
        self.public.any(value)
    }

    /// Literals to look for.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.all
            .iter()
            .filter(|shape| shape.alone)
            .flat_map(|shape| &shape.prefixes)
            .map(|prefix| &**prefix)
    }
}
