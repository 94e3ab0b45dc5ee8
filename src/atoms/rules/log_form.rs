//! The form of `rules/logs.toml`, before it is validated.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::log_format::{Escape, Example, Role, WrapperExample};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) format: Vec<RawFormat>,
    #[serde(default)]
    pub(super) wrapper: Vec<RawWrapper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFormat {
    pub(super) id: Box<str>,
    pub(super) title: Box<str>,
    pub(super) source: Box<str>,
    pub(super) shape: RawShape,
    #[serde(default)]
    pub(super) patterns: Vec<Box<str>>,
    #[serde(default)]
    pub(super) requires: Vec<Box<str>>,
    #[serde(default)]
    pub(super) roles: BTreeMap<Role, Vec<Box<str>>>,
    pub(super) separator: Option<Separator>,
    #[serde(default)]
    pub(super) escape: Escape,
    #[serde(default)]
    pub(super) utc: bool,
    #[serde(default)]
    pub(super) month_first: bool,
    pub(super) restart: Option<Box<str>>,
    pub(super) examples: Vec<Example>,
    pub(super) counterexamples: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWrapper {
    pub(super) id: Box<str>,
    pub(super) title: Box<str>,
    pub(super) source: Box<str>,
    pub(super) pattern: Box<str>,
    pub(super) escape: Option<Escape>,
    pub(super) examples: Vec<WrapperExample>,
    pub(super) counterexamples: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawShape {
    Pattern,
    Columns,
    Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Separator {
    Tab,
    Space,
}
