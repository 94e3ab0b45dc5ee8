//! Running text, cut into words.

/// A word, and what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Word<'l> {
    /// The delimiters before it.
    pub(super) before: &'l str,
    pub(super) text: &'l str,
    /// The rest of the line.
    pub(super) after: &'l str,
}

/// What stands between delimiters: blanks, quotation marks, angle brackets, bars.
pub(super) fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let word = rest.trim_start_matches(is_delimiter);
        let before = rest.get(..rest.len().saturating_sub(word.len()))?;
        let (text, after) = word.split_at_checked(word_end(word))?;
        rest = after;
        let word = Word {
            before,
            text,
            after,
        };
        (!text.is_empty()).then_some(word)
    })
}

/// Where the first delimiter is. A word may be megabytes long: blocks of ASCII without one are passed at once.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "only where every comparison is made are they made for many bytes at a time"
)]
fn word_end(text: &str) -> usize {
    let is_plain = |byte: &u8| {
        let others = b"\"'<>`|";
        (b'!'..=b'~').contains(byte) & others.iter().fold(true, |all, other| all & (byte != other))
    };
    let block = |block: &&[u8; 16]| block.iter().fold(true, |all, byte| all & is_plain(byte));
    let (blocks, _) = text.as_bytes().as_chunks();
    let passed = 16 * blocks.iter().take_while(block).count();
    let tail = text.get(passed..).unwrap_or_default();
    tail.find(is_delimiter)
        .map_or(text.len(), |end| passed.saturating_add(end))
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stands_between_delimiters() {
        let long = "x".repeat(40);
        for text in [
            "",
            " ",
            "a",
            "a b",
            "\"a\" 'b'|<c>`d`",
            "0123456789abcdef 0123456789abcde\tf",
            "ключ=\u{a0}значение\u{2028}0123456789abcdefключ",
            "a\u{1}b\u{7f}c\u{85}d",
            &format!("{long} {long}é{long}>{long}"),
        ] {
            let expected: Vec<_> = text
                .split(is_delimiter)
                .filter(|it| !it.is_empty())
                .collect();
            let told: Vec<_> = words(text).map(|it| it.text).collect();
            assert_eq!(told, expected, "{text}");
        }
    }
}
