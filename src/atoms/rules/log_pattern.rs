//! Patterns of log formats: what they match, and which role each of their groups gives. Compiled when they
//! are first asked, since a run meets few of the formats; opens no log.

use std::sync::OnceLock;

use regex::bytes::{Captures, Match, Regex, RegexBuilder};

use super::log_format::{FormatError, Role};

/// A compiled pattern may take this many bytes: a pattern over byte classes takes some 100 KiB.
const MAX_PATTERN_SIZE: usize = 4 << 20;

/// A pattern, and what it finds.
#[derive(Debug)]
pub struct Pattern {
    /// The pattern.
    pub regex: Expression,
    groups: OnceLock<Vec<(usize, Role)>>,
}

/// A regular expression over bytes, compiled when it is first asked: a run meets few of the formats.
#[derive(Debug)]
pub struct Expression {
    text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self {
            regex: Expression::new(text),
            groups: OnceLock::new(),
        }
    }

    /// Its named groups, in order: index, role.
    pub fn groups(&self) -> &[(usize, Role)] {
        self.groups.get_or_init(|| {
            let names = self.regex.regex().map(Regex::capture_names);
            let names = names.into_iter().flatten().enumerate();
            names
                .filter_map(|(index, name)| Some((index, Role::of_group(name?)?)))
                .collect()
        })
    }

    pub(super) fn fault(&self, id: &str) -> Option<FormatError> {
        self.regex.fault(id).or_else(|| {
            let odd = self
                .regex
                .names()
                .find(|name| Role::of_group(name).is_none())?;
            Some(FormatError::new(id, format!("no role is called {odd}")))
        })
    }
}

impl Expression {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Whether it matches.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(bytes))
    }

    /// Its groups, where it matches.
    pub fn captures<'b>(&self, bytes: &'b [u8]) -> Option<Captures<'b>> {
        self.regex()?.captures(bytes)
    }

    /// Every match.
    pub fn find_iter<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = Match<'b>> {
        let regex = self.regex().into_iter();
        regex.flat_map(move |regex| regex.find_iter(bytes))
    }

    /// Names of its groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.regex().map(Regex::capture_names);
        names.into_iter().flatten().flatten()
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || compile(&self.text).ok();
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Why it can never match.
    pub(super) fn fault(&self, id: &str) -> Option<FormatError> {
        if !self.text.starts_with('^') && !self.text.starts_with('\\') {
            let why = "the pattern must start at the record (`^`)";
            return Some(FormatError::new(id, why));
        }
        let error = compile(&self.text).err()?;
        Some(FormatError::new(id, error.to_string()))
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(MAX_PATTERN_SIZE)
        .build()
}
