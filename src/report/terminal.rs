//! Nothing from the evidence reaches a terminal unescaped: page titles, URLs and file names are written by
//! whoever wants to be believed. Knows characters, nothing of reports.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every character that a terminal would act upon, or that would make the text look like
/// another, written as `\u{…}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hostile(character) {
            let _infallible = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// The words of a text in lines of at most so many characters; a word that is longer has a line of its own.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Whether a character acts, hides, or turns text around.
pub fn is_hostile(character: char) -> bool {
    matches!(character,
        // C0, DEL and C1: escape sequences start here.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Zero-width characters and direction marks; line and paragraph separators; embeddings and overrides.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, isolates, deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        // Fillers that are drawn as nothing.
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
        // Variation selectors, byte order mark, interlinear annotation.
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Tags.
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hostile: &str, shown: &str) {
        assert_eq!(escape(hostile), shown);
        assert_eq!(escape(shown), shown, "what was escaped stays as it is");
    }

    #[test]
    fn shows_clipboard_write_osc52() {
        check("\x1b]52;c;cm0gLXJm\x07", "\\u{1b}]52;c;cm0gLXJm\\u{7}");
    }

    #[test]
    fn shows_title_change_osc0() {
        check("\x1b]0;root#\x1b\\", "\\u{1b}]0;root#\\u{1b}\\");
    }

    #[test]
    fn shows_eight_bit_csi() {
        check("\u{9b}2J", "\\u{9b}2J");
    }

    #[test]
    fn shows_line_overwrite_by_carriage_return() {
        check("evil\rgood", "evil\\u{d}good");
        check("a\nb", "a\\u{a}b");
        check("a\u{2028}b", "a\\u{2028}b");
    }

    #[test]
    fn shows_direction_override() {
        check("exe.\u{202e}gpj", "exe.\\u{202e}gpj");
        check("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}");
    }

    #[test]
    fn shows_invisible_characters_in_a_host() {
        check("pay\u{200b}pal", "pay\\u{200b}pal");
        check("a\u{ad}b\u{feff}", "a\\u{ad}b\\u{feff}");
    }

    #[test]
    fn shows_smuggled_tags() {
        check("a\u{e0041}", "a\\u{e0041}");
    }

    #[test]
    fn leaves_text_of_any_script_alone() {
        let text = "https://bücher.example/日本語?q=né";
        assert!(matches!(escape(text), Cow::Borrowed(_)));
    }
}
