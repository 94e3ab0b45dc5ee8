//! The strings of a property list that may hold something, with the time that stands beside them. Reads lists inside
//! data too: Safari keeps the pages of a tab so. Bounded in depth, and in how often an object is looked at.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::binary::{self, List, Object};
use super::time;
use super::xml::{Event, Events};
use crate::atoms::rules::Needles;
use crate::atoms::{Basis, Locator, Place, Raw, Source, View, When, Zone};
use crate::collect::har::parts;
use crate::collect::{Observation, Payload, ReadError, Sink, Via};

/// Arrays and dictionaries inside each other. Bookmarks have a few, each folder one.
const MAX_DEPTH: usize = 64;

/// References that are followed: one object may be named in many places, and a list of lists of one object is large
/// without being so.
const MAX_REFERENCES: u64 = 4_000_000;

/// Bytes of text and data that are searched, counted anew at each reference to them.
const MAX_SEARCHED: u64 = 512 << 20;

/// Lists inside the data of lists.
const MAX_NESTED: usize = 3;

/// Data may begin with a number of four bytes before the list in it.
const MAX_PREFIX: usize = 16;

/// Members that are named in a place; any other name may be evidence itself and is counted instead.
const NAMED: &[&str] = &[
    "",
    "SessionWindows",
    "TabStates",
    "TabURL",
    "TabTitle",
    "SessionState",
    "SessionHistory",
    "SessionHistoryEntries",
    "SessionHistoryEntryURL",
    "SessionHistoryEntryOriginalURL",
    "SessionHistoryEntryTitle",
    "SessionHistoryEntryData",
    "BackForwardList",
    "Entries",
    "URL",
    "Title",
    "ClosedTabOrWindowPersistentStates",
    "PersistentState",
    "WebHistoryDates",
    "redirectURLs",
    "title",
    "DownloadHistory",
    "DownloadEntryURL",
    "Children",
    "URLString",
    "URIDictionary",
    "TopSites",
    "TopSiteURLString",
    "TopSiteTitle",
    "BannedURLStrings",
    "ReadingList",
];

/// One list, and those in it.
pub(super) struct Walk<'a, 's> {
    source: &'a Arc<Source>,
    needles: &'a Needles,
    sink: &'a mut Sink<'s>,
    pointer: Vec<String>,
    references: u64,
    searched: u64,
    /// Offset of the list that is walked, when it lies in another.
    base: u64,
    problems: Problems,
}

#[derive(Default)]
struct Problems {
    damaged: bool,
    deep: bool,
    many: bool,
    encrypted: bool,
}

impl<'a, 's> Walk<'a, 's> {
    pub(super) fn new(
        source: &'a Arc<Source>,
        needles: &'a Needles,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        Self {
            source,
            needles,
            sink,
            pointer: Vec::new(),
            references: 0,
            searched: 0,
            base: 0,
            problems: Problems::default(),
        }
    }

    /// Says what was not read.
    pub(super) fn end(self) -> Result<(), ReadError> {
        let Problems {
            damaged,
            deep,
            many,
            encrypted,
        } = self.problems;
        let limits = [
            (
                deep,
                format!("nests deeper than {MAX_DEPTH} levels; what is below was not read"),
            ),
            (
                many,
                "names its objects more often than is followed; the rest was not read".to_owned(),
            ),
        ];
        for (_, reason) in limits.into_iter().filter(|(struck, _)| *struck) {
            (self.sink.problem)(ReadError::Limit(reason.into()));
        }
        if encrypted {
            (self.sink.problem)(ReadError::Unsupported(
                "holds the pages of tabs encrypted with a key of the keychain; only the last page of each was read".into(),
            ));
        }
        if damaged {
            return Err(ReadError::Malformed(
                "is cut off or damaged; copy it again, what could be read was".into(),
            ));
        }
        Ok(())
    }

    /// Reads a list of either form; `at` is the time around it, `nested` counts the lists around it.
    pub(super) fn list(&mut self, bytes: &[u8], (at, nested): (Option<Timestamp>, usize)) {
        if !bytes.starts_with(binary::MAGIC) {
            return self.xml(bytes, (at, nested));
        }
        let Some(list) = List::of(bytes) else {
            self.problems.damaged = true;
            return;
        };
        let mut open = HashSet::new();
        self.object(&list, list.top(), (at, nested), &mut open);
    }

    /// One object of a binary list. `open` are those around it: one that holds itself is not followed.
    fn object(
        &mut self,
        list: &List<'_>,
        number: u64,
        (at, nested): (Option<Timestamp>, usize),
        open: &mut HashSet<u64>,
    ) {
        self.references = self.references.saturating_add(1);
        if self.references > MAX_REFERENCES {
            self.problems.many = true;
            return;
        }
        let Some(object) = list.object(number) else {
            self.problems.damaged = true;
            return;
        };
        match object {
            Object::Ascii(offset, text) => self.text(offset, text, at),
            Object::Wide(offset, text) => self.text(offset, &utf8(text), at),
            Object::Data(offset, data) => self.data(offset, data, (at, nested)),
            Object::Array(_) | Object::Dictionary(..) => {
                if !open.insert(number) {
                    self.problems.damaged = true;
                    return;
                }
                if open.len() > MAX_DEPTH {
                    self.problems.deep = true;
                } else {
                    self.container(list, object, (at, nested), open);
                }
                open.remove(&number);
            }
            Object::Date(_) | Object::Other => {}
        }
    }

    fn container<'b>(
        &mut self,
        list: &List<'b>,
        object: Object<'b>,
        (at, nested): (Option<Timestamp>, usize),
        open: &mut HashSet<u64>,
    ) {
        match object {
            Object::Array(items) => {
                for (index, item) in list.numbers(items).enumerate() {
                    if self.problems.many {
                        break;
                    }
                    self.pointer.push(index.to_string());
                    self.object(list, item, (at, nested), open);
                    self.pointer.pop();
                }
            }
            Object::Dictionary(names, values) => {
                let at = time::of_dictionary(list, names, values).or(at);
                let members = list.numbers(names).zip(list.numbers(values));
                for (index, (name, value)) in members.enumerate() {
                    if self.problems.many {
                        break;
                    }
                    let name = match list.object(name) {
                        Some(Object::Ascii(_, name)) => Some(name),
                        _ => None,
                    };
                    self.step(name, index);
                    self.object(list, value, (at, nested), open);
                    self.pointer.pop();
                }
            }
            _ => {}
        }
    }

    /// Enters a member, or an item.
    fn step(&mut self, name: Option<&[u8]>, index: usize) {
        let known = NAMED.iter().find(|known| name == Some(known.as_bytes()));
        let step = known.map_or_else(|| index.to_string(), |known| (*known).to_owned());
        self.pointer.push(step);
    }

    /// A list in XML. Its times come in document order; that of a dictionary counts for what follows it there.
    fn xml(&mut self, text: &[u8], (around, nested): (Option<Timestamp>, usize)) {
        let depth = self.pointer.len();
        let times = time::in_order(text);
        let mut times = times.into_iter();
        let mut open: Vec<(Option<Timestamp>, usize)> = Vec::new();
        let mut key: Option<Vec<u8>> = None;
        for event in Events::new(text) {
            if let Event::Key(name) = event {
                key = Some(name.into_owned());
                continue;
            }
            if event == Event::End {
                open.pop();
                self.pointer
                    .truncate(depth.saturating_add(open.len()).saturating_sub(1));
                continue;
            }
            let at = open.last().map_or(around, |(at, _)| *at);
            if let Some((_, index)) = open.last_mut() {
                let number = *index;
                *index = index.saturating_add(1);
                self.step(key.take().as_deref(), number);
            }
            match event {
                Event::Begin => {
                    open.push((times.next().flatten().or(at), 0));
                    if open.len() > MAX_DEPTH {
                        self.problems.deep = true;
                        return;
                    }
                    continue;
                }
                Event::String(offset, text) => self.text(offset, &text, at),
                Event::Data(offset, base64) => {
                    self.data(offset, &parts::base64(&base64), (at, nested));
                }
                _ => {}
            }
            self.pointer
                .truncate(depth.saturating_add(open.len()).saturating_sub(1));
        }
        self.problems.damaged |= !open.is_empty();
    }

    /// Whether so many bytes may still be searched.
    fn may_search(&mut self, len: usize) -> bool {
        self.searched = self.searched.saturating_add(len as u64);
        self.problems.many |= self.searched > MAX_SEARCHED;
        !self.problems.many
    }

    fn text(&mut self, offset: usize, text: &[u8], at: Option<Timestamp>) {
        if self.may_search(text.len()) && self.needles.hit(text) {
            let payload = if parts::is_url(text) {
                Payload::Url(Raw::new(text))
            } else {
                Payload::Text(Raw::new(text))
            };
            self.observe(offset, at, payload);
        }
    }

    /// Data: a list in it, or printable runs.
    fn data(&mut self, offset: usize, data: &[u8], (at, nested): (Option<Timestamp>, usize)) {
        if !self.may_search(data.len()) {
            return;
        }
        let head = data.get(..data.len().min(MAX_PREFIX)).unwrap_or_default();
        let start = memchr::memmem::find(head, binary::MAGIC)
            .or_else(|| memchr::memmem::find(head, b"<?xml"));
        let inner = start.and_then(|start| Some((start, data.get(start..)?)));
        if let Some((start, list)) = inner.filter(|_| nested < MAX_NESTED) {
            let outer = self.base;
            self.base = outer
                .saturating_add(offset as u64)
                .saturating_add(start as u64);
            self.list(list, (at, nested.saturating_add(1)));
            self.base = outer;
            return;
        }
        // Newer Safari encrypts it, and says so beside it.
        self.problems.encrypted |= self.pointer.last().is_some_and(|it| it == "SessionState");
        for run in data.split(|byte| *byte < b' ' || *byte >= 0x7f) {
            self.text(offset, run, at);
        }
    }

    fn observe(&mut self, offset: usize, at: Option<Timestamp>, payload: Payload) {
        (self.sink.observe)(Observation {
            place: Place {
                source: Arc::clone(self.source),
                locator: Locator::Record {
                    file: "plist".into(),
                    key: format!("/{}", self.pointer.join("/")).into(),
                    sequence: self.base.saturating_add(offset as u64),
                },
                view: View::Live,
            },
            at: at.map(|instant| When {
                instant,
                basis: Basis::LastVisit,
                // An epoch fixes the zone.
                zone: Zone::Stated,
            }),
            via: Via::Stored,
            visit: None,
            exchange: None,
            payload,
        });
    }
}

fn utf8(wide: &[u8]) -> Vec<u8> {
    let (text, _) = encoding_rs::UTF_16BE.decode_without_bom_handling(wide);
    text.into_owned().into_bytes()
}
