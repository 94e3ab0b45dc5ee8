//! Text of the evidence as text of a page: nothing of it is markup, nothing of it acts, nothing of it is endless.

use std::borrow::Cow;

use super::super::terminal::escape;

/// Characters of one text of the evidence that the page shows. A URL that matters is shorter, and a page of values
/// of 100 kB would not open.
const SHOWN: usize = 1_000;

/// The text, cut to what is shown, with what hides or turns text around written out.
pub(super) fn plain(text: &str) -> String {
    clipped(text, SHOWN)
}

/// The same, cut to a number of characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    let end = text.char_indices().nth(most).map(|(at, _)| at);
    match end.and_then(|end| text.get(..end)) {
        None => escape(text).into_owned(),
        Some(head) => {
            let more = text.chars().count().saturating_sub(most);
            format!("{}… ({more} more characters)", escape(head))
        }
    }
}

/// The text as HTML, between tags and in attributes that stand in double quotes.
pub(super) fn escaped(text: &str) -> String {
    entities(&plain(text)).into_owned()
}

fn entities(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// A moment as people read it: `2026-11-23 05:00:00Z`.
pub(super) fn moment(at: &str) -> String {
    let at = at.strip_suffix('Z').unwrap_or(at);
    let at = at.split_once('.').map_or(at, |(seconds, _)| seconds);
    escaped(&format!("{}Z", at.replacen('T', " ", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_direction_are_text() {
        assert_eq!(
            escaped("</script><img onerror='x' a=\"&\">\u{202e}"),
            "&lt;/script&gt;&lt;img onerror=&#39;x&#39; a=&quot;&amp;&quot;&gt;\\u{202e}"
        );
    }

    #[test]
    fn long_texts_end() {
        let shown = plain(&"é".repeat(100_000));
        assert!(shown.ends_with("… (99000 more characters)"));
        assert_eq!(clipped("abc", 3), "abc");
    }

    #[test]
    fn moments_are_short() {
        assert_eq!(moment("2026-11-23T05:00:00.2533Z"), "2026-11-23 05:00:00Z");
    }
}
