//! One record becomes its parts: what each field is, and its value with the writer's escaping undone.
//! Whatever no format knows becomes text; nothing of a record is dropped. Knows formats, and no needles.

use std::borrow::Cow;
use std::cell::Cell;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::stamp::{self, Stamp};
use super::{columns, escape, json};
use crate::atoms::When;
use crate::atoms::rules::log_format::{Escape, LogFormat, LogFormats, Role, Shape};

/// Records inside records: a container's output in a collector's JSON in a shipper's JSON, and one to spare.
const MAX_WRAPPING: usize = 6;

/// Longest line that is read by patterns: a record may have megabytes in a request, but a piece of a line without end,
/// such as a dump of memory has, is longer, and would be read by one pattern after another. Records in wrappers and in
/// JSON may be as long as any line.
const MAX_PATTERN: usize = 8 << 20;

/// Bytes of a key or column that are kept, from its end on, which says what the value is. A line may have thousands of
/// values of one key, a log millions of one column; names end at some hundred bytes.
pub(super) const MAX_NAME: usize = 1024;

/// What a record holds, in its line's own bytes where no escaping was undone.
#[derive(Debug, Default)]
pub struct Record<'l> {
    /// Name of its format; `None` for a line in no known format.
    pub format: Option<Box<str>>,
    /// When it was written.
    pub at: Option<When>,
    /// Its parts, in order of appearance.
    pub parts: Vec<Part<'l>>,
}

impl Record<'_> {
    /// The record, in bytes of its own.
    pub(super) fn into_owned(self) -> Record<'static> {
        let parts = self.parts.into_iter().map(|part| Part {
            role: part.role,
            name: Cow::Owned(part.name.into_owned()),
            value: Cow::Owned(part.value.into_owned()),
            rank: part.rank,
            object: part.object,
        });
        Record {
            format: self.format,
            at: self.at,
            parts: parts.collect(),
        }
    }
}

/// A part of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Part<'l> {
    /// What it is; `None` for text, or for a member of JSON that no format names.
    pub role: Option<Role>,
    /// Key or column, where it has one.
    pub name: Cow<'l, [u8]>,
    /// Value, escaping undone.
    pub value: Cow<'l, [u8]>,
    /// Of several parts of one role, the lowest rank counts.
    pub(super) rank: usize,
    /// The JSON object that it is a member of, by a number that is its own in the record.
    pub(super) object: Option<u32>,
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} bytes)", self.role, self.value.len())
    }
}

impl<'l> Part<'l> {
    pub(super) fn text(value: Cow<'l, [u8]>) -> Self {
        Self {
            role: None,
            name: Cow::default(),
            value,
            rank: 0,
            object: None,
        }
    }
}

/// What reading a record takes beside its bytes.
#[derive(Clone, Copy)]
pub(super) struct Grammar<'a> {
    pub(super) formats: &'a LogFormats,
    /// Columns that a header above the record named.
    pub(super) section: Option<&'a columns::Section>,
    /// Zone of times that state none.
    pub(super) tz: Option<&'a TimeZone>,
    /// Members of JSON that may still be told apart in the line.
    pub(super) members: &'a Cell<usize>,
}

impl<'a> Grammar<'a> {
    /// The parts of one record.
    pub(super) fn read<'l>(&self, line: &'l [u8]) -> Record<'l>
    where
        'a: 'l,
    {
        if let Some(section) = self.section {
            let format = self.formats.formats.get(section.format);
            let parts = section.split(line);
            if let (Some(format), Some(parts)) = (format, parts) {
                return self.dated(format, parts, section.date);
            }
        }
        self.known(line, 0).unwrap_or_else(|| self.unknown(line))
    }

    /// The record in `line`, when its format is known, wrappers undone.
    fn known<'l>(&self, line: &'l [u8], depth: usize) -> Option<Record<'l>> {
        if depth > MAX_WRAPPING {
            return None;
        }
        match escape::without_ansi(line) {
            Cow::Borrowed(line) => self.plain(line, depth),
            Cow::Owned(line) => self.plain(&line, depth).map(Record::into_owned),
        }
    }

    fn plain<'l>(&self, line: &'l [u8], depth: usize) -> Option<Record<'l>> {
        let direct = self.json(line, depth).or_else(|| self.pattern(line));
        direct.or_else(|| {
            let (inner, arrival, escape) = self.unwrapped(line)?;
            let known = match escape::undo(inner, escape) {
                Cow::Borrowed(inner) => self.known(inner, depth + 1),
                Cow::Owned(inner) => {
                    let known = self.known(&inner, depth + 1);
                    let known = known.unwrap_or_else(|| self.unknown(&inner));
                    Some(known.into_owned())
                }
            };
            let mut record = match known {
                Some(record) => record,
                // Only the arrival is worth more than reading the line as it stands.
                None if arrival.is_some() => self.unknown(with_name(line, inner)),
                None => return None,
            };
            record.at = better(record.at, arrival);
            Some(record)
        })
    }

    /// The first wrapper that fits: the record in it, when it says that the record arrived, and how it escapes.
    fn unwrapped<'l>(&self, line: &'l [u8]) -> Option<(&'l [u8], Option<When>, Escape)> {
        self.formats.wrappers.iter().find_map(|wrapper| {
            let captures = wrapper.pattern.captures(line)?;
            let inner = captures.name("inner")?.as_bytes();
            let time = captures
                .name("time")
                .and_then(|time| stamp::parse(time.as_bytes()));
            let arrival = time.and_then(|time| time.when(false, self.tz));
            Some((inner, arrival, wrapper.escape))
        })
    }

    fn pattern<'l>(&self, line: &'l [u8]) -> Option<Record<'l>> {
        if !may_fit(line) {
            return None;
        }
        self.formats.formats.iter().find_map(|format| {
            let Shape::Pattern(patterns) = &format.shape else {
                return None;
            };
            let mut fitting = patterns.iter();
            let (pattern, captures) =
                fitting.find_map(|pattern| Some((pattern, pattern.regex.captures(line)?)))?;
            let mut spans: Vec<_> = pattern
                .groups()
                .iter()
                .filter_map(|(index, role)| Some((captures.get(*index)?.range(), *role)))
                .collect();
            spans.sort_unstable_by_key(|(span, _)| span.start);
            // Each has a text before it, and the last one after it.
            let mut parts = Vec::with_capacity(spans.len() * 2 + 1);
            let mut from = 0;
            let undo = |range: std::ops::Range<usize>| {
                let bytes = line.get(range).unwrap_or_default();
                escape::undo(bytes, format.escape)
            };
            for (span, role) in spans {
                if span.start > from {
                    parts.push(Part::text(undo(from..span.start)));
                }
                from = from.max(span.end);
                parts.push(Part {
                    role: Some(role),
                    ..Part::text(undo(span))
                });
            }
            if from < line.len() {
                parts.push(Part::text(undo(from..line.len())));
            }
            Some(self.dated(format, parts, None))
        })
    }

    fn json<'l>(&self, line: &'l [u8], depth: usize) -> Option<Record<'l>> {
        let (members, rest) = json::members_within(line, self.members)?;
        let has = |wanted: &str| members.iter().any(|member| ends_with(&member.path, wanted));
        let format = self
            .formats
            .formats
            .iter()
            .find(|format| match &format.shape {
                Shape::Json { requires, .. } => requires.iter().all(|path| has(path)),
                _ => false,
            })?;
        let Shape::Json { roles, .. } = &format.shape else {
            return None;
        };
        let mut parts = Vec::new();
        let mut inside = Vec::new();
        for member in members {
            let (rank, role) = role_of(roles, &member.path).unzip();
            let rank = rank.unwrap_or(usize::MAX);
            // A body is JSON too, and stays a body.
            let wrapped = match role {
                None => member.value.first() == Some(&b'{'),
                role => role == Some(Role::Line),
            };
            let inner = || self.known(&member.value, depth + 1);
            let inner = wrapped.then(inner).flatten();
            match inner.map(Record::into_owned) {
                Some(record) => inside.push(record),
                None => parts.push(Part {
                    role: role.filter(|role| *role != Role::Line),
                    name: Cow::Owned(member.key),
                    value: member.value,
                    rank,
                    object: Some(member.object),
                }),
            }
        }
        if !rest.trim_ascii().is_empty() {
            parts.push(Part::text(escape::undo(rest, Escape::Backslash)));
        }
        let mut objects = count(&parts);
        let mut record = self.dated(format, parts, None);
        for inner in inside {
            record.at = better(inner.at, record.at);
            record.format = inner.format.or(record.format);
            let before = objects;
            objects = objects.saturating_add(count(&inner.parts));
            record
                .parts
                .extend(inner.parts.into_iter().map(|part| Part {
                    object: part.object.map(|it| it.saturating_add(before)),
                    ..part
                }));
        }
        Some(record)
    }

    /// A line in no known format: text, and the members of a JSON object at its end.
    pub(super) fn unknown<'l>(&self, line: &'l [u8]) -> Record<'l> {
        let at = stamp::find(line).and_then(|stamp| stamp.when(false, self.tz));
        let object = memchr::memmem::find(line, b"{\"").and_then(|at| line.split_at_checked(at));
        let inside = object.and_then(|(before, object)| Some((before, self.json(object, 1)?)));
        let undo = |bytes| Part::text(escape::undo(bytes, Escape::Backslash));
        match inside {
            Some((before, inner)) => Record {
                format: inner.format,
                at: better(inner.at, at),
                parts: [undo(before)].into_iter().chain(inner.parts).collect(),
            },
            None => Record {
                format: None,
                at,
                parts: vec![undo(line)],
            },
        }
    }

    fn dated<'l>(&self, format: &LogFormat, parts: Vec<Part<'l>>, day: Option<Date>) -> Record<'l> {
        let value = |role| best(&parts, role);
        let date = value(Role::Date).and_then(stamp::date).or(day);
        let time = value(Role::Time);
        let stamp = match (date, time, value(Role::Date)) {
            (Some(date), Some(time), _) => {
                let clock = stamp::time(time);
                let civil = clock.map(|clock| Stamp::Civil(date.to_datetime(clock)));
                civil.or_else(|| stamp::parse(time))
            }
            (None, Some(time), Some(date)) => stamp::parse(&[date, time].join(&b' ')),
            (None, Some(time), None) => stamp::parse(time),
            (_, None, _) => None,
        };
        let stamp = stamp.map(|stamp| stamp.ordered(format.month_first));
        Record {
            format: Some(format.id.clone()),
            at: stamp.and_then(|stamp| stamp.when(format.utc, self.tz)),
            parts,
        }
    }
}

/// The first number that no object of these parts has.
fn count(parts: &[Part<'_>]) -> u32 {
    let last = parts.iter().filter_map(|part| part.object).max();
    last.map_or(0, |last| last.saturating_add(1))
}

/// The part of a name that is kept.
pub(super) fn short_name(name: &[u8]) -> &[u8] {
    let from = name.len().saturating_sub(MAX_NAME);
    name.get(from..).unwrap_or(name)
}

/// Whether a line may be a record of a format that has patterns.
fn may_fit(line: &[u8]) -> bool {
    line.len() <= MAX_PATTERN
}

/// The records on one line, each with its offset: Squid cuts a record with an overlong URL at its buffer's
/// end, without a newline, and the next record goes on there.
pub(super) fn glued<'l>(line: &'l [u8], formats: &LogFormats) -> Vec<(usize, &'l [u8])> {
    let mut whole = vec![(0, line)];
    if !may_fit(line) {
        return whole;
    }
    for format in &formats.formats {
        let (Some(restart), Shape::Pattern(patterns)) = (&format.restart, &format.shape) else {
            continue;
        };
        if !patterns.iter().any(|pattern| pattern.regex.is_match(line)) {
            continue;
        }
        let starts = restart
            .find_iter(line)
            .map(|found| found.start())
            .filter(|start| *start > 0);
        let mut from = 0;
        let mut records = Vec::new();
        for start in starts.chain([line.len()]) {
            records.push((from, line.get(from..start).unwrap_or_default()));
            from = start;
        }
        whole = records;
    }
    whole
}

/// The value that counts among those of a role; a dash stands for none.
pub(super) fn best<'p>(parts: &'p [Part<'_>], role: Role) -> Option<&'p [u8]> {
    let parts = parts.iter().filter(|part| part.role == Some(role));
    let set = parts.filter(|part| is_set(&part.value));
    set.min_by_key(|part| part.rank).map(|part| &*part.value)
}

/// Whether a writer had something to write.
pub(super) fn is_set(value: &[u8]) -> bool {
    !matches!(value, b"" | b"-" | b"(empty)" | b"null")
}

/// The inner record, or the whole line when a name and a colon stand before it: `12:00 DEBUG access_token: x` only
/// looks as if a program of that name had written it.
fn with_name<'l>(line: &'l [u8], inner: &'l [u8]) -> &'l [u8] {
    let before = line.strip_suffix(inner).unwrap_or_default();
    if before.ends_with(b": ") { line } else { inner }
}

/// The better of two moments: the record's own, unless only the collector's states its zone.
pub(super) fn better(own: Option<When>, arrival: Option<When>) -> Option<When> {
    let (Some(one), Some(other)) = (own, arrival) else {
        return own.or(arrival);
    };
    Some(if other.zone < one.zone { other } else { one })
}

fn role_of(roles: &[(Box<str>, Role)], path: &[u8]) -> Option<(usize, Role)> {
    let parent = path.iter().rposition(|byte| *byte == b'.');
    let parent = parent.and_then(|dot| path.get(..dot)).unwrap_or_default();
    roles.iter().enumerate().find_map(|(rank, (wanted, role))| {
        let path = match role {
            Role::RequestHeaders | Role::ResponseHeaders => parent,
            _ => path,
        };
        ends_with(path, wanted).then_some((rank, *role))
    })
}

/// Whether the last keys of `path` are those of `wanted`, in any case.
fn ends_with(path: &[u8], wanted: &str) -> bool {
    let Some((before, tail)) = path
        .len()
        .checked_sub(wanted.len())
        .and_then(|at| path.split_at_checked(at))
    else {
        return false;
    };
    tail.eq_ignore_ascii_case(wanted.as_bytes()) && matches!(before.last(), None | Some(b'.'))
}
