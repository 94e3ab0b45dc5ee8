//! Logs whose columns a header line names: W3C extended logs (IIS, CloudFront) and Zeek. Remembers the
//! header that stands above a record; knows nothing of what values mean.

use std::borrow::Cow;

use jiff::civil::Date;

use super::record::{Part, short_name};
use super::{escape, stamp};
use crate::atoms::rules::log_format::{Escape, LogFormats, Role, Shape};

/// Columns that a header may name. IIS has some 30, CloudFront 33, Zeek's http.log 30.
const MAX_COLUMNS: usize = 256;

/// Values beyond the header's columns that are told apart. A few blanks in a value that was not escaped make some; what
/// follows goes on as one text.
const SPARE: usize = 32;

/// What the header lines above a record say.
#[derive(Debug)]
pub(super) struct Section {
    /// Index of the format.
    pub(super) format: usize,
    /// Day of `#Date:`, where records may have no date of their own.
    pub(super) date: Option<Date>,
    /// Whether a column is a secret by its name alone, so that no needle stands in the record.
    pub(super) holds_passwords: bool,
    columns: Vec<(Box<str>, Option<Role>)>,
    has_date: bool,
    separator: u8,
    escape: Escape,
}

/// Header lines seen so far.
#[derive(Debug, Default)]
pub(super) struct Header {
    date: Option<Date>,
    separator: Option<u8>,
    /// Set by the last `#Fields:`.
    pub(super) section: Option<Section>,
}

impl Header {
    /// Whether any line was read that says something of those below it.
    pub(super) fn is_set(&self) -> bool {
        self.date.is_some() || self.separator.is_some() || self.section.is_some()
    }

    /// Reads a line that starts with `#`. Says whether it was one that the format knows.
    pub(super) fn read(&mut self, line: &[u8], formats: &LogFormats) -> bool {
        let end = line
            .iter()
            .position(|byte| b" \t:".contains(byte))
            .unwrap_or(line.len());
        let Some((name, value)) = line.split_at_checked(end) else {
            return false;
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        match name.to_ascii_lowercase().as_slice() {
            b"#fields" => self.fields(value, formats),
            b"#date" => {
                let day = value.trim_ascii();
                self.date = stamp::date(day);
                if let Some(section) = &mut self.section {
                    section.date = self.date.filter(|_| !section.has_date);
                }
            }
            // Zeek: `#separator \x09`.
            b"#separator" => {
                let value = escape::undo(value.trim_ascii_start(), Escape::Backslash);
                self.separator = value.first().copied();
            }
            b"#version" | b"#software" | b"#start-date" | b"#end-date" | b"#remark" | b"#close"
            | b"#open" | b"#path" | b"#types" | b"#set_separator" | b"#empty_field"
            | b"#unset_field" => {}
            _ => return false,
        }
        true
    }

    fn fields(&mut self, value: &[u8], formats: &LogFormats) {
        let names: Vec<Box<str>> = value
            .split(u8::is_ascii_whitespace)
            .filter(|name| !name.is_empty())
            .take(MAX_COLUMNS)
            .map(|name| {
                String::from_utf8_lossy(short_name(name))
                    .to_lowercase()
                    .into()
            })
            .collect();
        self.section = formats
            .formats
            .iter()
            .enumerate()
            .find_map(|(index, format)| {
                let Shape::Columns {
                    requires,
                    roles,
                    separator,
                } = &format.shape
                else {
                    return None;
                };
                let all = requires.iter().all(|name| names.contains(name));
                let columns = || {
                    names
                        .iter()
                        .map(|name| (name.clone(), roles.get(name).copied()))
                };
                let has = |wanted| columns().any(|(_, role)| role == Some(wanted));
                all.then(|| Section {
                    format: index,
                    date: self.date.filter(|_| !has(Role::Date)),
                    holds_passwords: has(Role::Password),
                    has_date: has(Role::Date),
                    columns: columns().collect(),
                    separator: self.separator.unwrap_or(*separator),
                    escape: format.escape,
                })
            });
    }
}

impl Section {
    /// The columns of a record, or `None` when it does not fit its header.
    pub(super) fn split<'l>(&'l self, line: &'l [u8]) -> Option<Vec<Part<'l>>> {
        let values = self.values(line);
        let fits = values.len() == self.columns.len() || self.plausible(&values);
        if !fits {
            return None;
        }
        let mut parts = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let column = self.columns.get(index);
            let unset = matches!(value, b"" | b"-" | b"(empty)");
            if !unset {
                parts.push(Part {
                    role: column.and_then(|(_, role)| *role),
                    name: column
                        .map(|(name, _)| Cow::Borrowed(name.as_bytes()))
                        .unwrap_or_default(),
                    value: escape::undo(value, self.escape),
                    rank: index,
                    object: None,
                });
            }
        }
        Some(parts)
    }

    fn values<'l>(&self, line: &'l [u8]) -> Vec<&'l [u8]> {
        // CloudFront's header is parted by blanks, its records by tabs; so are some converted IIS logs.
        let tabs = self.separator == b' ' && memchr::memchr(b'\t', line).is_some();
        let most = self.columns.len() + SPARE;
        match if tabs { b'\t' } else { self.separator } {
            b' ' => {
                let values = quoted(line, false, most);
                // Two blanks may be an empty column, or mean nothing.
                if values.len() > self.columns.len() {
                    quoted(line, true, most)
                } else {
                    values
                }
            }
            separator => line.splitn(most + 1, |byte| *byte == separator).collect(),
        }
    }

    /// Whether columns mean what the header says although there are more or fewer of them: where a
    /// target belongs stands a path.
    fn plausible(&self, values: &[&[u8]]) -> bool {
        let pairs = values.iter().zip(&self.columns);
        let target = pairs
            .into_iter()
            .find(|(_, (_, role))| *role == Some(Role::Target));
        target.is_some_and(|(value, _)| value.starts_with(b"/"))
    }
}

/// Values between blanks; one in quotation marks may hold blanks. After `most` of them what is left is one more.
fn quoted(line: &[u8], squeeze: bool, most: usize) -> Vec<&[u8]> {
    let mut values = Vec::new();
    let mut rest = Some(line);
    // Where no mark ends a value, none ends a later one before the line does: it is not looked for again.
    let mut may_close = true;
    while let Some(bytes) = rest {
        if values.len() == most {
            values.push(bytes);
            break;
        }
        let closing = match bytes {
            [b'"', inside @ ..] => {
                let before_blank = may_close
                    .then(|| memchr::memmem::find(inside, b"\" "))
                    .flatten();
                may_close = before_blank.is_some();
                before_blank.or_else(|| inside.ends_with(b"\"").then(|| inside.len() - 1))
            }
            _ => None,
        };
        let (value, after) = match closing {
            Some(at) => (bytes.get(1..=at).unwrap_or_default(), bytes.get(at + 2..)),
            None => match memchr::memchr(b' ', bytes) {
                Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at..)),
                None => (bytes, None),
            },
        };
        if !(squeeze && value.is_empty()) {
            values.push(value);
        }
        rest = after.and_then(|after| after.strip_prefix(b" "));
    }
    values
}

/// The bytes of a header line, for the claim.
pub(super) fn is_header(line: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"#Fields:", b"#fields\t", b"#separator "];
    names.iter().any(|name| line.starts_with(name))
}

/// What of a header line is text: the words of a list of columns that are no names, or the whole line.
pub(super) fn remarks(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    /// No name of a column is longer.
    const NAME: usize = 64;
    let is_list = is_header(line);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.()".contains(byte);
    let texts = line.split(move |byte| is_list && byte.is_ascii_whitespace());
    texts.filter(move |text| !is_list || text.len() > NAME || !text.iter().all(is_of_name))
}

/// A target and its query, joined as they were sent.
pub(super) fn join<'a>(target: &'a [u8], query: &[u8]) -> Cow<'a, [u8]> {
    let query = query.strip_prefix(b"?").unwrap_or(query);
    if query.is_empty() || memchr::memchr(b'?', target).is_some() {
        return Cow::Borrowed(target);
    }
    Cow::Owned([target, b"?", query].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_quotes_part_values() {
        let split = |line: &str, squeeze| {
            let values = quoted(line.as_bytes(), squeeze, 3);
            values
                .iter()
                .map(|v| String::from_utf8_lossy(v).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(split("a \"b c\" d", false), ["a", "b c", "d"]);
        assert_eq!(split("a  d", false), ["a", "", "d"]);
        assert_eq!(split("a  d \"e f\"", true), ["a", "d", "e f"]);
        assert_eq!(split("\"open d", false), ["\"open", "d"]);
        assert_eq!(split("\"\" d", false), ["", "d"]);
        assert_eq!(split("\"a \"b c\"", false), ["a \"b c"]);
        assert_eq!(split("\"a b \"c d", false), ["\"a", "b", "\"c", "d"]);
        assert_eq!(
            split("a b  c d \"e f\"", true),
            ["a", "b", "c", "d \"e f\""]
        );
    }

    fn section(fields: &str) -> Section {
        let mut header = Header::default();
        let formats = LogFormats::builtin().unwrap();
        assert!(header.read(fields.as_bytes(), &formats));
        header.section.unwrap()
    }

    /// Values of a line as long as any, in columns.
    fn count(value: &str, fields: &str) -> usize {
        let section = section(fields);
        let line = [
            "/a ",
            &value.repeat(crate::collect::log::MAX_LINE / value.len()),
        ]
        .concat();
        let parts = section.split(line.as_bytes()).unwrap();
        let held: usize = parts.iter().map(|part| part.value.len()).sum();
        assert!(held >= line.len() / 2, "nothing of {value:?} is left out");
        parts.len()
    }

    #[test]
    fn a_line_of_any_values_is_looked_through_once_and_has_few() {
        let fields = "#Fields: cs-uri-stem cs-uri-query date time";
        // Looked for anew at every mark, the one that ends a value takes days.
        for value in ["\"a ", "\"a", "a ", "\"\"a ", "\"\t", "a\t"] {
            assert!(count(value, fields) <= 4 + SPARE + 1, "{value:?}");
        }
    }

    #[test]
    fn a_column_of_a_long_name_is_known_by_its_end() {
        let fields = format!("#Fields: cs-uri-stem date time {}-x", "n".repeat(1 << 20));
        let section = section(&fields);
        let parts = section.split(b"/a 2026-11-23 01:28:04 x").unwrap();
        let names: Vec<_> = parts.iter().map(|part| part.name.len()).collect();
        assert_eq!(names, [11, 4, 4, crate::collect::log::record::MAX_NAME]);
        assert!(parts.iter().any(|part| part.name.ends_with(b"n-x")));
    }

    #[test]
    fn a_query_is_joined_once() {
        assert_eq!(&*join(b"/a", b"b=c"), b"/a?b=c");
        assert_eq!(&*join(b"/a", b"?b=c"), b"/a?b=c");
        assert_eq!(&*join(b"/a?b=c", b"b=c"), b"/a?b=c");
        assert_eq!(&*join(b"/a", b""), b"/a");
    }
}
