//! A place in the evidence as a SARIF location: a path that a checkout has, a line and a column. Knows nothing of
//! findings.

use std::fmt::Write;

use serde_json::{Value, json};

use super::super::telling;
use super::super::terminal::escape;
use super::super::wire::Locator;
use super::{message, set};

/// Where something lies.
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    pub(super) members: &'a [String],
    pub(super) locator: &'a Locator,
}

/// A location, with a message unless that is empty. What has no lines (a database, an archive) is pointed at by its
/// first one, which is what code scanning can show of it; the rest of the place is its logical location.
pub(super) fn location(place: Option<&Place<'_>>, text: &str) -> Value {
    let Some(place) = place else {
        return json!({"physicalLocation": {
            "artifactLocation": {"uri": "unknown"},
            "region": {"startLine": 1, "startColumn": 1},
        }});
    };
    let (line, column) = match place.locator {
        Locator::Line { number, .. } => (*number, 1),
        Locator::Entry { line, column, .. } => (*line, *column),
        Locator::Row { .. } | Locator::Record { .. } | Locator::Bytes { .. } => (1, 1),
    };
    let mut location = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(place.path)},
        "region": {"startLine": line.max(1), "startColumn": column.max(1)},
    }});
    let is_text = matches!(place.locator, Locator::Line { .. });
    if !is_text || !place.members.is_empty() {
        let name = telling::path("", place.members) + &telling::locator(place.locator);
        let name = name.trim_start_matches([' ', ',', ':', '›']);
        set(
            &mut location,
            "logicalLocations",
            json!([{"fullyQualifiedName": escape(name), "kind": "member"}]),
        );
    }
    if !text.is_empty() {
        set(&mut location, "message", message(text));
    }
    location
}

/// Whether a path starts at a root.
pub(super) fn is_absolute(path: &str) -> bool {
    let is_drive = matches!(
        path.as_bytes(),
        [b'a'..=b'z' | b'A'..=b'Z', b':', b'/' | b'\\', ..]
    );
    is_drive || path.starts_with(['/', '\\'])
}

/// A path as a relative reference, or as a `file:` URI where it is absolute (RFC 3986 §4.1, RFC 8089).
fn uri(path: &str) -> String {
    let mut out = String::from(if is_absolute(path) { "file:///" } else { "" });
    for byte in path.trim_start_matches(['/', '\\']).bytes() {
        match byte {
            b'\\' => out.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
    if out.is_empty() {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        for (path, reference) in [
            ("logs/a b.log", "logs/a%20b.log"),
            ("a:b/ü.har", "a%3Ab/%C3%BC.har"),
            ("/mnt/History", "file:///mnt/History"),
            ("C:\\x\\y.log", "file:///C%3A/x/y.log"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
            ("-", "-"),
            ("", "."),
        ] {
            assert_eq!(uri(path), reference);
        }
    }
}
