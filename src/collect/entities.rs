//! References of XML: characters by their names or numbers. Knows no format.

use std::borrow::Cow;

use memchr::memchr;

/// Undoes the references of XML 1.0 §4.1 and §4.6. What is none stays as it is.
pub(super) fn undo(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'&', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr(b'&', rest) {
        let (plain, escape) = rest.split_at_checked(start).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        // The longest is `&#x10FFFF;`.
        let end = escape.iter().take(12).position(|byte| *byte == b';');
        let name = end.and_then(|end| escape.get(1..end)).unwrap_or_default();
        let (meant, passed) = match character(name) {
            Some(char) => (char, name.len().saturating_add(2)),
            None => ('&', 1),
        };
        out.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(passed..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn character(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let number = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_undone_and_others_stay() {
        for (text, undone) in [
            ("a", "a"),
            ("&lt;&quot;&amp;&apos;&gt;", "<\"&'>"),
            ("&#x3d;&#61;&#X1F600;", "==\u{1f600}"),
            (
                "&amp;quot; &nbsp; & &; &#xd800; &#x110000; &amp",
                "&quot; &nbsp; & &; &#xd800; &#x110000; &amp",
            ),
        ] {
            assert_eq!(undo(text.as_bytes()), undone.as_bytes(), "{text}");
        }
    }
}
