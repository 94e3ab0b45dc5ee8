//! What sightings say of all others, as lines: what an engine sums up over many machines, so that each can judge its
//! part. Lines may be repeated, and stand in any order; those of several files together are those of one.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::atoms::{Digest, JoinKey, Kind};
use crate::detect::Sighting;
use crate::flow::census::{Fact, facts};
use crate::flow::client::Habit;
use crate::report::json;
use crate::report::restore::{NotUnderstood, key};

/// Lines that are remembered, so that none is written twice in a row of so many: some tens of megabytes.
const REMEMBERED: usize = 1 << 20;

/// Why the lines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The file.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// A line. What is missing would change verdicts, so that none is passed over.
    #[error("{0}: line {1} is none that `correlate --write-key-stats` of this version writes")]
    Line(String, u64),
}

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    /// What stands beside a key.
    Key {
        key: String,
        /// In requests, by kind, and by the source's mark where they hold inside a source: digests of the other keys.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        beside: BTreeMap<String, BTreeSet<String>>,
        /// In responses, by kind: ids of the credentials.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        answers: BTreeMap<String, BTreeSet<String>>,
    },
    /// Where a request asks for its answer.
    Redirect { digest: String },
    /// A source that keeps the headers in which clients authenticate.
    Headers { source: String },
    /// How a client proves who it is.
    Client {
        source: String,
        client_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authenticates: Option<bool>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shows_secret: bool,
    },
}

/// Writes what sightings say.
pub struct Stats<'a> {
    out: &'a mut dyn Write,
    written: HashSet<u64>,
}

impl<'a> Stats<'a> {
    /// Nothing yet.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            written: HashSet::new(),
        }
    }

    /// Writes what a sighting of a source says.
    pub fn add(&mut self, sighting: &Sighting, source: Digest) -> io::Result<()> {
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        facts(sighting, source, &mut |fact| tell(fact, &mut lines));
        for line in lines.into_values() {
            self.write(&line)?;
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = Vec::new();
        json::line(line, &mut text)?;
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        if self.written.len() >= REMEMBERED {
            self.written.clear();
        }
        if self.written.insert(hash.finish()) {
            self.out.write_all(&text)?;
        }
        Ok(())
    }
}

/// Adds a fact to the lines of a sighting, each by its name.
fn tell(fact: Fact, lines: &mut BTreeMap<String, Line>) {
    let mut of_key = |key: JoinKey, add: &dyn Fn(&mut Sets, &mut Sets)| {
        let name = format!("{}:{}", key.kind.as_str(), key.digest);
        let line = lines.entry(name.clone()).or_insert_with(|| Line::Key {
            key: name,
            beside: BTreeMap::new(),
            answers: BTreeMap::new(),
        });
        if let Line::Key {
            beside, answers, ..
        } = line
        {
            add(beside, answers);
        }
    };
    match fact {
        Fact::Beside { key, other } => of_key(key, &|beside, _| {
            let kind = other.kind.as_str();
            let kind = match other.digest.scope() {
                Some(mark) => format!("{kind}@{:08x}", u32::from_be_bytes(mark)),
                None => kind.into(),
            };
            let others = beside.entry(kind).or_default();
            others.insert(other.digest.to_string());
        }),
        Fact::Answered {
            key,
            kind,
            credential,
        } => of_key(key, &|_, answers| {
            let credentials = answers.entry(kind.as_str().into()).or_default();
            credentials.insert(credential.to_string());
        }),
        Fact::Redirect(digest) => {
            let digest = digest.to_string();
            lines.insert(digest.clone(), Line::Redirect { digest });
        }
        Fact::Headers(source) => {
            let source = source.to_string();
            lines.insert("headers".into(), Line::Headers { source });
        }
        Fact::Client {
            source,
            client,
            habit,
        } => {
            let line = Line::Client {
                source: source.to_string(),
                client_id: client.into(),
                authenticates: habit.authenticates,
                shows_secret: habit.shows_secret,
            };
            lines.insert("client".into(), line);
        }
    }
}

type Sets = BTreeMap<String, BTreeSet<String>>;

/// Reads what sightings say.
pub fn read(path: &Path, note: &mut dyn FnMut(Fact)) -> Result<(), StatsError> {
    let name = || path.display().to_string();
    let file = File::open(path).map_err(|error| StatsError::File(name(), error))?;
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| StatsError::File(name(), error))?;
        if line.trim().is_empty() {
            continue;
        }
        // The message of serde_json may quote the line.
        let line: Option<Line> = serde_json::from_str(&line).ok();
        line.and_then(|line| understood(line, note).ok())
            .ok_or_else(|| StatsError::Line(name(), number))?;
    }
    Ok(())
}

fn understood(line: Line, note: &mut dyn FnMut(Fact)) -> Result<(), NotUnderstood> {
    match line {
        Line::Key {
            key: name,
            beside,
            answers,
        } => {
            let name = key(&name)?;
            for (kind, digests) in beside {
                let kind = kind.split_once('@').map_or(&*kind, |(kind, _)| kind);
                for digest in digests {
                    let other = key(&format!("{kind}:{digest}"))?;
                    note(Fact::Beside { key: name, other });
                }
            }
            for (kind, ids) in answers {
                let mut kinds = Kind::ALL.into_iter();
                let kind = kinds.find(|it| it.as_str() == kind).ok_or(NotUnderstood)?;
                for id in ids {
                    note(Fact::Answered {
                        key: name,
                        kind,
                        credential: digest(&id)?,
                    });
                }
            }
        }
        Line::Redirect { digest: text } => note(Fact::Redirect(digest(&text)?)),
        Line::Headers { source } => note(Fact::Headers(digest(&source)?)),
        Line::Client {
            source,
            client_id,
            authenticates,
            shows_secret,
        } => note(Fact::Client {
            source: digest(&source)?,
            client: client_id.into(),
            habit: Habit {
                authenticates,
                shows_secret,
            },
        }),
    }
    Ok(())
}

fn digest(text: &str) -> Result<Digest, NotUnderstood> {
    Digest::parse(text).ok_or(NotUnderstood)
}
