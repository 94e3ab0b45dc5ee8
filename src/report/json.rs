//! A report as JSON, and read back. Characters that a terminal would act upon are written as `\uXXXX`,
//! which is the same JSON.

mod pretty;

use std::io;

use pretty::{Pretty, indented};
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::terminal::is_hostile;
use super::wire::{Counts, Problem, Profile, Report, Run, SCHEMA, Source, Summary, Tool};

/// Findings or trails that one thread renders at a time: some hundred kilobytes.
const SHARE: usize = 64;

/// Shares that each thread renders before all are written: less than a megabyte as a rule.
const SHARES: usize = 4;

/// Bytes that a finding or a trail takes at most, as a rule: room that need not grow.
const ROOM: usize = 1 << 12;

/// How deep a finding or a trail stands in a report.
const DEPTH: usize = 2;

/// The report, indented, with a newline at its end.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = |out: &mut dyn io::Write| list(&report.findings, out);
    around(report, findings, |out| list(&report.trails, out), out)
}

/// The report with these findings and trails, and not its own. Each is what [`text`] makes of it.
pub fn render_each(
    report: &Report,
    findings: impl Iterator<Item = io::Result<Vec<u8>>>,
    trails: impl Iterator<Item = io::Result<Vec<u8>>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let findings = |out: &mut dyn io::Write| list_of_texts(findings, out);
    around(report, findings, |out| list_of_texts(trails, out), out)
}

/// The report, with what writes its findings and what writes its trails.
fn around(
    report: &Report,
    findings: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    trails: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    /// The fields before the findings, in their order.
    #[derive(Serialize)]
    struct Head<'a> {
        schema: &'a str,
        tool: &'a Tool,
        run: &'a Run,
        summary: &'a Summary,
    }
    /// The fields behind the trails, in their order.
    #[derive(Serialize)]
    struct Tail<'a> {
        profiles: &'a [Profile],
        sources: &'a [Source],
        not_claimed: &'a Counts,
        problems: &'a [Problem],
    }
    let mut head = Vec::new();
    let first = Head {
        schema: &report.schema,
        tool: &report.tool,
        run: &report.run,
        summary: &report.summary,
    };
    put(&first, Pretty::default(), &mut head)?;
    let mut tail = Vec::new();
    let last = Tail {
        profiles: &report.profiles,
        sources: &report.sources,
        not_claimed: &report.not_claimed,
        problems: &report.problems,
    };
    put(&last, Pretty::default(), &mut tail)?;
    // One object: without the brace that ends the first part, and the one that begins the last.
    out.write_all(head.strip_suffix(b"\n}").unwrap_or(&head))?;
    out.write_all(b",\n  \"findings\": ")?;
    findings(out)?;
    out.write_all(b",\n  \"trails\": ")?;
    trails(out)?;
    out.write_all(b",")?;
    out.write_all(tail.strip_prefix(b"{").unwrap_or(&tail))?;
    out.write_all(b"\n")
}

/// The findings or the trails of a report.
fn list<T: Serialize + Sync>(items: &[T], out: &mut dyn io::Write) -> io::Result<()> {
    if items.is_empty() {
        return out.write_all(b"[]");
    }
    let render = |item: &T, text: &mut Vec<u8>| put(item, Pretty::at(DEPTH), text);
    members(items, b"[", &render, out)?;
    out.write_all(b"\n  ]")
}

/// The same, of texts.
fn list_of_texts(
    mut texts: impl Iterator<Item = io::Result<Vec<u8>>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let render = |line: &Vec<u8>, text: &mut Vec<u8>| {
        indented(line, DEPTH, text);
        Ok(())
    };
    let mut before: &[u8] = b"[";
    loop {
        let some = some(&mut texts, at_once())?;
        if some.is_empty() {
            return out.write_all(if before == b"[" { b"[]" } else { b"\n  ]" });
        }
        members(&some, before, &render, out)?;
        before = b",";
    }
}

/// The next texts: so many, or fewer where they are long.
pub fn some(
    texts: &mut impl Iterator<Item = io::Result<Vec<u8>>>,
    most: usize,
) -> io::Result<Vec<Vec<u8>>> {
    /// Bytes behind which no further text is taken.
    const ENOUGH: usize = 4 << 20;
    let mut some = Vec::new();
    let mut size = 0;
    while some.len() < most
        && size < ENOUGH
        && let Some(text) = texts.next().transpose()?
    {
        size += text.len();
        some.push(text);
    }
    Ok(some)
}

/// Some members of a list, with this before the first.
fn members<T: Sync>(
    items: &[T],
    before: &[u8],
    render: &(dyn Fn(&T, &mut Vec<u8>) -> io::Result<()> + Sync),
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let member = |item: &T, text: &mut Vec<u8>| {
        text.extend_from_slice(b"\n    ");
        render(item, text)
    };
    let Some((first, rest)) = items.split_first() else {
        return Ok(());
    };
    let mut text = before.to_vec();
    member(first, &mut text)?;
    out.write_all(&text)?;
    let further = |item: &T, text: &mut Vec<u8>| {
        text.push(b',');
        member(item, text)
    };
    in_shares(rest, &further, out)
}

/// Renders items on all threads of the current pool, and writes them in their order.
pub(super) fn in_shares<T: Sync>(
    items: &[T],
    render: &(dyn Fn(&T, &mut Vec<u8>) -> io::Result<()> + Sync),
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let share = |items: &[T]| -> io::Result<Vec<u8>> {
        let mut text = Vec::with_capacity(items.len().saturating_mul(ROOM));
        for item in items {
            render(item, &mut text)?;
        }
        Ok(text)
    };
    for items in items.chunks(at_once()) {
        // What is little is not worth other threads.
        if items.len() <= SHARE {
            out.write_all(&share(items)?)?;
            continue;
        }
        let texts: Vec<io::Result<Vec<u8>>> = items.par_chunks(SHARE).map(share).collect();
        for text in texts {
            out.write_all(&text?)?;
        }
    }
    Ok(())
}

/// Findings or trails that are rendered before they are written.
fn at_once() -> usize {
    SHARE * SHARES * rayon::current_num_threads()
}

/// A value as indented JSON, with a newline at its end.
pub fn pretty(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = Vec::new();
    put(value, Pretty::default(), &mut text)?;
    text.push(b'\n');
    out.write_all(&text)
}

/// A value on one line.
pub fn line(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = text(value)?;
    text.push(b'\n');
    out.write_all(&text)
}

/// The same without the end of the line.
pub fn text(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(ROOM);
    put_text(value, &mut text)?;
    Ok(text)
}

/// Appends the same.
pub fn put_text(value: &impl Serialize, out: &mut Vec<u8>) -> io::Result<()> {
    put(value, CompactFormatter, out)
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

/// Into memory: hundreds of small pieces make one value, and each would ask the writer for room.
fn put(value: &impl Serialize, formatter: impl Formatter, out: &mut Vec<u8>) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless(formatter)))?;
    Ok(())
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
        // Nearly all that is written, and told many bytes at a time: there is no early end.
        let other = |byte: u8| u8::from(!matches!(byte, b' '..=b'~'));
        if plain.bytes().fold(0, |any, byte| any | other(byte)) == 0 {
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
