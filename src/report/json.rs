//! A report as JSON, and read back. Characters that a terminal would act upon are written as `\uXXXX`,
//! which is the same JSON.

use std::cell::RefCell;
use std::io;

use serde::Serialize;
use serde::ser::{Error, SerializeSeq};
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::terminal::is_hostile;
use super::wire::{Counts, Problem, Profile, Report, Run, SCHEMA, Source, Summary, Tool};

/// The report, indented, with a newline at its end.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    pretty(report, out)
}

/// The report with these findings and trails, and not its own.
pub fn render_each(
    report: &Report,
    findings: impl Iterator<Item = io::Result<impl Serialize>>,
    trails: impl Iterator<Item = io::Result<impl Serialize>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    /// The fields of a report, in their order.
    #[derive(Serialize)]
    struct Fields<'a, F, T> {
        schema: &'a str,
        tool: &'a Tool,
        run: &'a Run,
        summary: &'a Summary,
        findings: F,
        trails: T,
        profiles: &'a [Profile],
        sources: &'a [Source],
        not_claimed: &'a Counts,
        problems: &'a [Problem],
    }
    let fields = Fields {
        schema: &report.schema,
        tool: &report.tool,
        run: &report.run,
        summary: &report.summary,
        findings: Each(RefCell::new(findings)),
        trails: Each(RefCell::new(trails)),
        profiles: &report.profiles,
        sources: &report.sources,
        not_claimed: &report.not_claimed,
        problems: &report.problems,
    };
    pretty(&fields, out)
}

/// Items that are written as they come, once.
struct Each<I>(RefCell<I>);

impl<I: Iterator<Item = io::Result<T>>, T: Serialize> Serialize for Each<I> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in &mut *self.0.borrow_mut() {
            list.serialize_element(&item.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// A value as indented JSON, with a newline at its end.
pub fn pretty(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    write(value, Harmless(PrettyFormatter::new()), out)
}

/// A value on one line.
pub fn line(value: &impl Serialize, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
    write(value, Harmless(serde_json::ser::CompactFormatter), out)
}

/// One text, with its quotation marks.
pub(super) fn text(text: &str, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let formatter = Harmless(serde_json::ser::CompactFormatter);
    text.serialize(&mut Serializer::with_formatter(out, formatter))
}

/// Reads what [`render`] wrote.
pub fn parse(text: &[u8]) -> Result<Report, ParseError> {
    let report: Report = serde_json::from_slice(text).map_err(|error| ParseError::Form {
        line: error.line(),
        column: error.column(),
    })?;
    if report.schema == SCHEMA {
        Ok(report)
    } else {
        Err(ParseError::Schema)
    }
}

/// Why a file is no saved result. Holds nothing of the file: it may not be ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// No JSON, or JSON of another form.
    #[error(
        "is no result of `tokentrail scan --format json` (line {line}, column {column}); save one with `-f json -o FILE`"
    )]
    Form {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another version.
    #[error("is not `{SCHEMA}`; render it with the version that wrote it")]
    Schema,
}

fn write(
    value: &impl Serialize,
    formatter: impl Formatter,
    out: &mut (impl io::Write + ?Sized),
) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
    out.write_all(b"\n")
}

/// Escapes in strings what JSON does not ask for.
struct Harmless<F>(F);

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = fragment;
        // Nearly all that is written, and told many bytes at a time.
        if plain.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(plain.as_bytes());
        }
        while let Some((at, character)) = plain.char_indices().find(|(_, c)| is_hostile(*c)) {
            let (before, rest) = plain.split_at_checked(at).unwrap_or((plain, ""));
            writer.write_all(before.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = rest
                .split_at_checked(character.len_utf8())
                .map_or("", |(_, rest)| rest);
        }
        writer.write_all(plain.as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_read_back() {
        let text = "a\u{9b}2J\u{202e}\u{e0041}é\"\n";
        let mut out = Vec::new();
        line(&text, &mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, "\"a\\u009b2J\\u202e\\udb40\\udc41é\\\"\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn errors_say_where_and_show_nothing() {
        let error = parse(br#"{"schema": "secret-value"}"#).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
