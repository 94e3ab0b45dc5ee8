//! What a corpus holds: each message that was written, its file, its place there, and its labels.

use crate::shapes::{Event, Message};
use crate::template::Labels;

/// Where in a file, in the terms of the format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Table and rowid.
    Row(&'static str, i64),
    /// Line from 1, after decompression.
    Line(u64),
    /// Index of an HAR entry, from 0.
    Entry(u64),
}

/// One message in one file.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Path relative to the corpus.
    pub file: String,
    /// Every place that shows it.
    pub spots: Vec<Spot>,
    /// The shape's name.
    pub shape: String,
    /// What is there.
    pub labels: Labels,
}

impl Placed {
    /// A message of `event` at `spots`.
    pub fn new(file: &str, event: &Event, message: &Message, spots: Vec<Spot>) -> Self {
        Self {
            file: file.to_owned(),
            spots,
            shape: event.shape.clone(),
            labels: message.labels.clone(),
        }
    }
}
