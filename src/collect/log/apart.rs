//! The records on one line: those that a writer glued together, and those of a JSON document: items of an array, or of
//! one in an object around it (`Records`, `value`, `hits.hits`), which is told from a record by the time that each
//! record has and it has not.

use super::{record, stamp};
use crate::atoms::rules::log_format::{LogFormats, Role, Shape};
use crate::collect::json::Value;

/// Objects around a record that are looked into: OpenTelemetry has three.
const MAX_AROUND: usize = 4;

/// Hands on the records of a line with their offsets: each with what follows it, up to the next.
pub(super) fn each<'l>(line: &'l [u8], formats: &LogFormats, on: &mut dyn FnMut(usize, &'l [u8])) {
    if !matches!(line.trim_ascii_start(), [b'{' | b'[', ..]) {
        return record::glued(line, formats)
            .into_iter()
            .for_each(|(offset, bytes)| on(offset, bytes));
    }
    let mut apart = Apart {
        line,
        formats,
        from: 0,
        on,
    };
    let mut at = 0;
    while let Some(object) = next_object(line, at) {
        apart.object(object, 0);
        at = object.end();
    }
    apart.end(line.len());
}

/// Whether the first object of a document has a time, or is around such.
pub(super) fn begins_with_time(document: &[u8], formats: &LogFormats) -> bool {
    let first = next_object(document, 0);
    first.is_some_and(|first| has_time(first, formats) || is_around(first, formats, 0))
}

/// The next object of a sequence, or of an array; one whose end is missing is none that another follows.
fn next_object(line: &[u8], at: usize) -> Option<Value<'_>> {
    let rest = line.get(at..)?;
    let between = |byte: &u8| byte.is_ascii_whitespace() || b"[,]".contains(byte);
    let skipped = rest.iter().take_while(|byte| between(byte)).count();
    Value::at(line, at + skipped).filter(|value| value.is_object())
}

struct Apart<'l, 'o> {
    line: &'l [u8],
    formats: &'o LogFormats,
    /// Where the record begins that is not handed on yet.
    from: usize,
    on: &'o mut dyn FnMut(usize, &'l [u8]),
}

impl<'l> Apart<'l, '_> {
    /// Hands on what ends here.
    fn end(&mut self, at: usize) {
        if at > self.from {
            (self.on)(self.from, self.line.get(self.from..at).unwrap_or_default());
            self.from = at;
        }
    }

    fn object(&mut self, object: Value<'l>, around: usize) {
        self.end(object.start);
        if !has_time(object, self.formats) {
            self.members(object, around);
        }
    }

    /// The records in an object that is none.
    fn members(&mut self, object: Value<'l>, around: usize) {
        for (_, member) in object.members() {
            if is_inside(member, self.formats, around) {
                for item in member.items().filter(|item| item.is_object()) {
                    self.object(item, around + 1);
                }
                if member.is_object() {
                    self.members(member, around + 1);
                }
                self.end(member.end());
            }
        }
    }
}

/// Whether records are in an object that has no time of its own.
fn is_around(object: Value<'_>, formats: &LogFormats, around: usize) -> bool {
    let mut members = object.members();
    members.any(|(_, member)| is_inside(member, formats, around))
}

/// Whether a member is an array of records, or around one.
fn is_inside(member: Value<'_>, formats: &LogFormats, around: usize) -> bool {
    if around >= MAX_AROUND {
        return false;
    }
    if member.is_object() {
        return !has_time(member, formats) && is_around(member, formats, around + 1);
    }
    let first = member.items().next().filter(|item| item.is_object());
    first.is_some_and(|it| has_time(it, formats) || is_around(it, formats, around + 1))
}

/// Whether an object says itself when it was.
fn has_time(object: Value<'_>, formats: &LogFormats) -> bool {
    object.members().any(|(key, value)| {
        let bare = (!value.is_object() && !value.is_array()).then_some(value.raw.into());
        let time = || value.text().or(bare);
        is_time(&key, formats) && time().is_some_and(|time| stamp::parse(&time).is_some())
    })
}

/// Whether any format calls its time so.
fn is_time(key: &[u8], formats: &LogFormats) -> bool {
    formats.formats.iter().any(|format| match &format.shape {
        Shape::Json { roles, .. } => roles
            .iter()
            .any(|(name, role)| *role == Role::Time && name.as_bytes().eq_ignore_ascii_case(key)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, records: &[&str]) {
        let formats = LogFormats::builtin().unwrap();
        let mut told = Vec::new();
        each(line.as_bytes(), &formats, &mut |offset, bytes| {
            assert_eq!(
                line.get(offset..offset + bytes.len()).unwrap().as_bytes(),
                bytes
            );
            told.push(String::from_utf8_lossy(bytes).into_owned());
        });
        assert_eq!(told.concat(), line);
        assert_eq!(told, records);
    }

    #[test]
    fn items_of_an_array_are_records() {
        check(
            r#"[{"ts":1795397246,"a":1}, {"ts":1795397247}]"#,
            &["[", r#"{"ts":1795397246,"a":1}, "#, r#"{"ts":1795397247}]"#],
        );
        check(r#"{"a":1}{"b":2} rest"#, &[r#"{"a":1}"#, r#"{"b":2} rest"#]);
    }

    #[test]
    fn what_is_around_records_is_none() {
        check(
            r#"{"Records":[{"eventTime":"2026-11-24T10:01:02Z"},{"eventTime":"2026-11-24T10:01:03Z"}],"next":"x"}"#,
            &[
                r#"{"Records":["#,
                r#"{"eventTime":"2026-11-24T10:01:02Z"},"#,
                r#"{"eventTime":"2026-11-24T10:01:03Z"}]"#,
                r#","next":"x"}"#,
            ],
        );
        check(
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795397284500000000"}]}]}]}"#,
            &[
                r#"{"resourceLogs":["#,
                r#"{"scopeLogs":["#,
                r#"{"logRecords":["#,
                r#"{"timeUnixNano":"1795397284500000000"}]"#,
                "}]",
                "}]",
                "}",
            ],
        );
        check(
            r#"{"hits":{"hits":[{"_source":{},"@timestamp":"2026-11-24T10:01:02Z"}]}}"#,
            &[
                r#"{"hits":{"hits":["#,
                r#"{"_source":{},"@timestamp":"2026-11-24T10:01:02Z"}]"#,
                "}",
                "}",
            ],
        );
    }

    #[test]
    fn a_record_is_not_divided() {
        for line in [
            r#"{"time":"2026-11-24T10:01:02Z","steps":[{"time":"2026-11-24T10:01:03Z"}]} and text"#,
            r#"{"headers":[{"name":"a","value":"b"}]}"#,
            r#"{"a":{"b":{"c":{"d":{"e":[{"ts":1795397246}]}}}}}"#,
            "plain words",
        ] {
            check(line, &[line]);
        }
    }
}
