//! Indented JSON, as `serde_json` indents it, of what stands anywhere in a document. A part of `json`.

use std::io;

use serde_json::ser::Formatter;

/// Enough for what is nested in a report; what is deeper is indented by as much again.
const SPACES: &[u8] = &[b' '; 64];

/// Writes each member on a line of its own, two spaces deeper than what it is a member of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pretty {
    depth: usize,
    has_member: bool,
}

impl Pretty {
    /// For a value that stands this deep.
    pub(super) fn at(depth: usize) -> Self {
        Self {
            depth,
            has_member: false,
        }
    }

    fn begin<W: ?Sized + io::Write>(&mut self, with: &[u8], out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.has_member = false;
        out.write_all(with)
    }

    fn end<W: ?Sized + io::Write>(&mut self, with: &[u8], out: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.has_member {
            out.write_all(b"\n")?;
            indent(self.depth, out)?;
        }
        out.write_all(with)
    }

    fn member<W: ?Sized + io::Write>(&self, first: bool, out: &mut W) -> io::Result<()> {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        indent(self.depth, out)
    }
}

fn indent<W: ?Sized + io::Write>(depth: usize, out: &mut W) -> io::Result<()> {
    let mut left = depth.saturating_mul(2);
    while left > 0 {
        let spaces = SPACES.get(..left).unwrap_or(SPACES);
        out.write_all(spaces)?;
        left -= spaces.len();
    }
    Ok(())
}

impl Formatter for Pretty {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(b"[", out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(b"]", out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.member(first, out)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_member = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(b"{", out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(b"}", out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.member(first, out)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_member = true;
        Ok(())
    }
}

/// Appends JSON that stands on one line, indented as [`Pretty`] would have written it.
pub(super) fn indented(line: &[u8], mut depth: usize, out: &mut Vec<u8>) {
    // As much again for the indentation of a finding.
    out.reserve(line.len().saturating_mul(2));
    let next = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        match SPACES.get(..2 * depth) {
            Some(spaces) => out.extend_from_slice(spaces),
            None => out.resize(out.len() + 2 * depth, b' '),
        }
    };
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'"' => {
                let (text, behind) = rest.split_at(1 + string(after));
                out.extend_from_slice(text);
                rest = behind;
                continue;
            }
            b'{' | b'[' => {
                if let Some((b'}' | b']', behind)) = after.split_first() {
                    out.extend_from_slice(rest.get(..2).unwrap_or_default());
                    rest = behind;
                    continue;
                }
                out.push(*byte);
                depth += 1;
                next(out, depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                next(out, depth);
                out.push(*byte);
            }
            b',' => {
                out.push(b',');
                next(out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.push(*byte),
        }
        rest = after;
    }
}

/// Length of a string behind its first quotation mark, up to and with its last.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = rest
        .get(at..)
        .and_then(|it| memchr::memchr2(b'"', b'\\', it))
    {
        at += found + 1;
        match rest.get(at - 1) {
            // What stands behind it is part of the string, whatever it is.
            Some(b'\\') => at += 1,
            _ => return at,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::ser::Serializer;
    use serde_json::{Value, json};

    use super::*;

    fn values() -> [Value; 6] {
        [
            json!({}),
            json!([]),
            json!("a \"quoted\" {text}: [with], \\ and \\\""),
            json!([1, -2.5, true, null, [], [[]], {}, [{}], "\\"]),
            json!({"a": {"b": [{"c": []}, {"d": {}}]}, "e\n": [1, [2, [3, "},{"]]], "": ""}),
            (0..50).fold(json!({"k": [1, 2]}), |inner, _| json!([inner, {}])),
        ]
    }

    #[test]
    fn values_are_indented_as_serde_json_indents_them() {
        for value in values() {
            let wanted = serde_json::to_string_pretty(&value).unwrap();
            let mut own = Vec::new();
            value
                .serialize(&mut Serializer::with_formatter(&mut own, Pretty::default()))
                .unwrap();
            assert_eq!(String::from_utf8(own).unwrap(), wanted);
            let mut line = Vec::new();
            indented(value.to_string().as_bytes(), 0, &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), wanted);
        }
    }

    #[test]
    fn what_stands_deep_is_indented_as_in_its_document() {
        for value in values() {
            let whole = serde_json::to_string_pretty(&json!({"list": [value]})).unwrap();
            let mut own = b"{\n  \"list\": [\n    ".to_vec();
            let mut line = own.clone();
            value
                .serialize(&mut Serializer::with_formatter(&mut own, Pretty::at(2)))
                .unwrap();
            indented(value.to_string().as_bytes(), 2, &mut line);
            for mut text in [own, line] {
                text.extend_from_slice(b"\n  ]\n}");
                assert_eq!(String::from_utf8(text).unwrap(), whole);
            }
        }
    }

    #[test]
    fn a_text_that_is_cut_off_is_no_loop() {
        for text in [&b"\"abc"[..], b"\"abc\\", b"{\"a", b"]]}}", b"\""] {
            let mut out = Vec::new();
            indented(text, 0, &mut out);
            assert!(out.len() >= text.len());
        }
    }
}
