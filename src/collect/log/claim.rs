//! Whether evidence is a log, by its first bytes and its name. Reads no records.

use std::borrow::Cow;
use std::io::Read as _;

use super::commands::Shell;
use super::transcode::Text;
use super::{apart, columns, json, stamp};
use crate::atoms::rules::log_format::{LogFormats, Shape};
use crate::collect::Evidence;

/// Lines of the head that are looked at.
const SAMPLE: usize = 64;

/// Share of sampled lines, in percent, that must be of a known format or have a time.
const ENOUGH: usize = 60;

/// Whether the content looks like a log, or is text under a log's name.
pub(super) fn looks_like_log(evidence: &Evidence, formats: &LogFormats) -> bool {
    let head = evidence.head();
    let Some(text) = text(head).filter(|_| !is_leveldb(head)) else {
        return false;
    };
    let text = beginning(&text);
    let name = evidence.file_name();
    // A log's first line may be damaged JSON, or a page that a server printed.
    is_log_name(name)
        || Shell::of(name, text).is_some()
        || if is_json_document(text) {
            apart::begins_with_time(text, formats)
        } else {
            !is_document(text) && most_lines_are_records(text, formats)
        }
}

/// Whether the content is text in UTF-8, UTF-16 or an 8-bit encoding.
pub(in crate::collect) fn is_text(head: &[u8]) -> bool {
    text(head).is_some()
}

/// The UTF-16 that `head` is written in, and how many bytes its mark takes.
pub(super) fn utf16(head: &[u8]) -> Option<(&'static encoding_rs::Encoding, usize)> {
    match head {
        [0xff, 0xfe, ..] => Some((encoding_rs::UTF_16LE, 2)),
        [0xfe, 0xff, ..] => Some((encoding_rs::UTF_16BE, 2)),
        // ASCII text as UTF-16 has a NUL in every other byte.
        [a, 0, b, 0, c, 0, ..] if *a != 0 && *b != 0 && *c != 0 => Some((encoding_rs::UTF_16LE, 0)),
        [0, a, 0, b, 0, c, ..] if *a != 0 && *b != 0 && *c != 0 => Some((encoding_rs::UTF_16BE, 0)),
        _ => None,
    }
}

/// The head as bytes of UTF-8, or `None` for what is no text.
pub(super) fn text(head: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(encoding) = utf16(head) {
        return Some(transcoded(head, Some(encoding)).into());
    }
    // A crash leaves NULs at the end; `copytruncate` of logrotate leaves them at the beginning, as many
    // as there were bytes.
    let mut written = Cow::Borrowed(trim_nuls(head));
    // UTF-16 that a shell appended. Files that are no text have a NUL sooner.
    if memchr::memchr(0, &written).is_some_and(|nul| nul >= 16) {
        written = transcoded(&written, None).into();
    }
    // Control bytes: a log cut off by a crash has some NULs, an attacker's request some others.
    let odd = written
        .iter()
        .filter(|byte| **byte < 0x20 && !b"\t\n\r\x0c\x1b".contains(byte))
        .count();
    (!head.is_empty() && odd * 20 <= written.len()).then_some(written)
}

fn transcoded(head: &[u8], utf16: Option<(&'static encoding_rs::Encoding, usize)>) -> Vec<u8> {
    let mut text = Vec::new();
    // Memory can be read.
    let _ = Text::new(head, utf16).read_to_end(&mut text);
    text
}

/// A text without a mark of its encoding and blank lines before it.
pub(super) fn beginning(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.trim_ascii_start()
}

fn trim_nuls(bytes: &[u8]) -> &[u8] {
    let from = bytes.iter().position(|byte| *byte != 0);
    let to = bytes.iter().rposition(|byte| *byte != 0);
    let bounds = from.zip(to).map(|(from, to)| from..=to);
    bounds
        .and_then(|bounds| bytes.get(bounds))
        .unwrap_or_default()
}

/// LevelDB calls its write-ahead file `000003.log`. Its records start with a checksum, a length and a type
/// from 1 to 4 (`LevelDB`, `doc/log_format.md`); no text has such a control byte in its first line, but in UTF-16, where
/// it is half a letter of many scripts.
fn is_leveldb(head: &[u8]) -> bool {
    matches!(head, [_, _, _, _, _, _, 1..=4, ..]) && utf16(head).is_none()
}

/// Documents that hold times and URLs too, and belong to other readers or to none.
fn is_document(text: &[u8]) -> bool {
    let lower = text.get(..64).unwrap_or(text).to_ascii_lowercase();
    let markers: [&[u8]; 9] = [
        b"<!doctype",
        b"<html",
        b"<?xml",
        b"<?php",
        b"#!",
        b"%pdf",
        b"sqlite format",
        b"-----begin",
        b"bplist",
    ];
    markers.iter().any(|marker| lower.starts_with(marker))
}

/// A JSON document goes on over its lines, or is an array; JSON lines are one object each.
fn is_json_document(text: &[u8]) -> bool {
    let Some(first) = text.split(|byte| *byte == b'\n').next() else {
        return false;
    };
    let first = first.trim_ascii();
    let members =
        || json::members(first).map(|(members, rest)| !members.is_empty() && rest.is_empty());
    match first {
        // `[Wed Aug 14 …] [error]` is a log.
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start(), [] | [b'{' | b'"' | b'[', ..]),
        [b'{', ..] => {
            !first.ends_with(b"}") && first.len() < text.len()
                || members() == Some(false)
                || is_only_line(first, text) && !is_event(first)
        }
        _ => false,
    }
}

fn is_only_line(line: &[u8], text: &[u8]) -> bool {
    text.trim_ascii().len() == line.len()
}

/// One object alone is a log's only line when it says what happened. The settings that programs keep as one line of
/// JSON do not.
fn is_event(object: &[u8]) -> bool {
    const KEYS: [&[u8]; 3] = [b"msg", b"message", b"log"];
    let (members, _) = json::members(object).unwrap_or_default();
    members.iter().any(|member| {
        let path = member.path.to_ascii_lowercase();
        KEYS.contains(&path.as_slice())
    })
}

/// `access.log`, `access_log`, `access.log.2`, `access.log-20240101`, `u_ex240101.log`, `messages`: the
/// names that servers and logrotate give. The compression's ending is already gone.
pub(in crate::collect) fn is_log_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    let stem = name.trim_end_matches(digits);
    let has = |stem: &str| {
        let ends = [".log", "_log"].iter().any(|end| stem.ends_with(end));
        ends || matches!(stem, "syslog" | "messages" | "access" | "error")
    };
    has(stem) || has(&name)
}

fn most_lines_are_records(text: &[u8], formats: &LogFormats) -> bool {
    let complete = match memchr::memrchr(b'\n', text) {
        Some(end) => text.get(..end).unwrap_or(text),
        None => text,
    };
    let lines = complete
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii);
    let (mut seen, mut records) = (0, 0);
    for line in lines.filter(|line| !line.is_empty()).take(SAMPLE) {
        if columns::is_header(line) {
            return true;
        }
        if !line.starts_with(b"#") {
            seen += 1;
            records += usize::from(is_record(line, formats));
        }
    }
    seen > 0 && records * 100 >= seen * ENOUGH
}

/// Whether a line is of a known format, or starts with a time as no sentence and no table does.
fn is_record(line: &[u8], formats: &LogFormats) -> bool {
    let known = formats.formats.iter().any(|format| match &format.shape {
        Shape::Pattern(patterns) => patterns.iter().any(|pattern| pattern.regex.is_match(line)),
        _ => false,
    });
    let wrapped = || {
        formats
            .wrappers
            .iter()
            .any(|wrapper| wrapper.pattern.is_match(line))
    };
    known || wrapped() || json::members(line).is_some() || is_dated(line)
}

/// A table's row (`2024-01-01 10:00:00,12,34`) has a time too.
fn is_dated(line: &[u8]) -> bool {
    let separators = line
        .iter()
        .filter(|byte| matches!(byte, b',' | b';'))
        .count();
    let blanks = memchr::memchr_iter(b' ', line).count();
    blanks > separators && stamp::find(line).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(name: &str, text: impl AsRef<[u8]>) -> bool {
        let input = std::io::Cursor::new(text.as_ref().to_vec());
        let evidence = Evidence::stream(Box::new(input), name).unwrap();
        looks_like_log(&evidence, &LogFormats::builtin().unwrap())
    }

    #[test]
    fn names_of_rotated_logs_are_known() {
        for name in [
            "access.log",
            "access_log",
            "access.log.2",
            "access.log-20240101",
            "access_log-20240101",
            "u_ex240101.log",
            "access-2024-01-01.log",
            "syslog.1",
            "ERROR.LOG",
        ] {
            assert!(is_log_name(name), "{name}");
            assert!(claimed(name, "no time in this line\n"), "{name}");
        }
        for name in [
            "catalog",
            "blog.md",
            "changelog",
            "History",
            "logo.png",
            "log.rs",
        ] {
            assert!(!is_log_name(name), "{name}");
        }
    }

    #[test]
    fn logs_are_known_by_their_lines() {
        for text in [
            "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET / HTTP/1.1\" 200 5\n",
            "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-uri-stem\n",
            "{\"ts\":1795397246.6,\"msg\":\"x\"}\n{\"ts\":1795397247.6,\"msg\":\"y\"}\n",
            "2024-01-02 03:04:05,678 INFO [main] started in 3 s\n",
            "Nov 23 01:28:04 web-1 haproxy[12]: started\n",
            "web-1  | listening on 8080\n",
            "[\n  {\n    \"time\": \"2024-01-02T03:04:05Z\"\n  }\n]\n",
            "\u{feff}\n[{\"time\":\"2024-01-02T03:04:05Z\"}]\n",
            "{\n  \"value\": [\n    {\n      \"createdDateTime\": \"2024-01-02T03:04:05Z\"\n",
            "{\"Records\":[{\"eventTime\":\"2024-01-02T03:04:05Z\"}]}",
        ] {
            assert!(claimed("x", text), "{text}");
        }
    }

    #[test]
    fn a_log_in_utf_16_may_begin_in_any_script() {
        for word in ["Журнал", "Ημέρα", "ńāłę", "Tag"] {
            let text = format!("\u{feff}{word}\n2024-01-02 03:04:05 INFO started in 3 s\n");
            let units = || text.encode_utf16();
            let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
            let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
            assert!(claimed("x.log", big), "{word}");
            assert!(claimed("x.log", little), "{word}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        for (name, text) in [
            ("a.html", "<!DOCTYPE html>\n<p>2024-01-02 03:04:05 a b c\n"),
            ("a.json", "{\n  \"at\": \"2024-01-02T03:04:05Z\"\n}\n"),
            ("a.json", "[{\"at\":\"2024-01-02T03:04:05Z\"}]\n"),
            ("a.json", "[{\"time\":\"noon\"}]\n"),
            ("a.json", "[\"2024-01-02T03:04:05Z\"]\n"),
            (
                "a.json",
                "{\n  \"value\": [\n    {\n      \"name\": \"x\"\n",
            ),
            ("a.har", "{\"log\":{\"version\":\"1.2\",\"entries\":[]}}\n"),
            (
                "a.md",
                "# Notes\n\nOn 2024-01-02 we met.\nThen we ate.\nIt was good.\n",
            ),
            (
                "a.csv",
                "at,who\n2024-01-02 03:04:05,x\n2024-01-02 03:04:06,y\n",
            ),
            (
                "Preferences",
                "{\"browser\":{\"time\":\"2024-01-02T03:04:05Z\"},\"a\":{\"token\":\"b\"}}",
            ),
            (
                "000003.log",
                "\u{1}\u{1}\u{1}\u{1}\u{9}\u{1}\u{1}{\"ts\":1,\"access_token\":\"x\"} and a lot of text behind it, so that control bytes are few: 2024-01-02 03:04:05 x y z, and then some more of it, as a record of web storage has it\n",
            ),
            ("a.rs", "fn main() {\n    let x = 1;\n}\n"),
            ("a.txt", "Dear all,\nthis is prose.\n"),
            ("a.log", "\u{1}\u{2}\u{3}\u{0}\u{0}\u{0}\u{4}"),
            ("a.log", ""),
        ] {
            assert!(!claimed(name, text), "{name}: {text}");
        }
    }
}
