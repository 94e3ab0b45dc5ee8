//! Private keys in textual encoding (RFC 7468), which stand over several lines wherever they are written: those lines are
//! read as one. Knows their form, and looks into none.

use crate::atoms::armour::{MARK, MAX_KEY, label_before};

/// Longest line in one. Generators end theirs after 64 to 76 characters (RFC 7468 §2).
const MAX_LINE: usize = 256;

/// Where a line ends that goes on to `end`: with the key that begins on it, the end of its line.
pub(super) fn end(bytes: &[u8], start: usize, end: usize) -> usize {
    let line = bytes.get(start..end).unwrap_or_default();
    if !is_open(line) {
        return end;
    }
    match follow(bytes, end) {
        Follow::Ends(key) => key,
        Follow::Open | Follow::Other => end,
    }
}

/// How much of what was read may be handed on, of which the last line is whole: all of it, unless a key goes on behind it.
pub(super) fn whole(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(MAX_KEY);
    let tail = bytes.get(from..).unwrap_or_default();
    let Some(mark) = memchr::memmem::rfind(tail, MARK.as_bytes()).map(|at| from + at) else {
        return bytes.len();
    };
    let (before, after) = bytes.split_at_checked(mark).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', after).map_or(bytes.len(), |newline| mark + newline);
    let line = bytes.get(start..end).unwrap_or_default();
    match follow(bytes, end) {
        Follow::Open if is_open(line) => start,
        _ => bytes.len(),
    }
}

/// Whether a key begins on a line and does not end there.
fn is_open(line: &[u8]) -> bool {
    // With the ends of its lines escaped it stands on one.
    let before = line.trim_ascii_end().strip_suffix(MARK.as_bytes());
    before.and_then(label_before).is_some()
}

/// What follows the first line of a key.
enum Follow {
    /// The rest of it, up to here.
    Ends(usize),
    /// Lines of it, and nothing behind them yet.
    Open,
    /// Something else.
    Other,
}

fn follow(bytes: &[u8], from: usize) -> Follow {
    let far = bytes.len().min(from.saturating_add(MAX_KEY));
    let mut at = from + 1;
    while at < far {
        let rest = bytes.get(at..far).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', rest) else {
            break;
        };
        let line = rest.get(..length).unwrap_or_default().trim_ascii();
        if line.starts_with(b"-----END ") {
            return Follow::Ends(at + length);
        }
        if !is_inside(line) {
            return Follow::Other;
        }
        at += length + 1;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.trim_ascii_start().starts_with(b"-----END ") {
        // The last line of a file.
        Follow::Ends(bytes.len())
    } else if bytes.len() - from >= MAX_KEY {
        Follow::Other
    } else {
        Follow::Open
    }
}

/// Whether a line is one of base64, a header (RFC 1421 §4.6), or the blank one behind those.
fn is_inside(line: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let is_header = || line.starts_with(b"Proc-Type: ") || line.starts_with(b"DEK-Info: ");
    line.len() <= MAX_LINE && (line.iter().all(is_base64) || is_header())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "k: -----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMHcCAQEE\r\n  AwEHoUQD=\n-----END EC PRIVATE KEY-----";

    fn first(text: &str) -> &str {
        let line = text.find('\n').unwrap_or(text.len());
        text.get(..end(text.as_bytes(), 0, line)).unwrap()
    }

    #[test]
    fn the_lines_of_a_key_are_one() {
        assert_eq!(first(KEY), KEY);
        assert_eq!(first(&format!("{KEY}, b\nc")), format!("{KEY}, b"));
        for text in [
            "k: -----BEGIN PUBLIC KEY-----\nMHcC\n-----END PUBLIC KEY-----",
            "k: -----BEGIN PRIVATE KEY-----\\nMHcC\n-----END PRIVATE KEY-----",
            "k: -----BEGIN PRIVATE KEY-----\n{\"a\":1}\n-----END PRIVATE KEY-----",
            "k: -----BEGIN PRIVATE KEY-----\nMHcC\n",
            "k: -----END PRIVATE KEY-----\nMHcC\n-----END PRIVATE KEY-----",
            &KEY.replace("MHcC", &"MHcC\n".repeat(MAX_KEY)),
        ] {
            assert_eq!(first(text), text.split('\n').next().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_read_is_cut_before_a_key_that_goes_on() {
        let text = format!("a\n{KEY}\nb\n");
        for (cut, _) in text.match_indices('\n') {
            let read = text.get(..=cut).unwrap();
            let is_inside = (2..KEY.len() + 2).contains(&cut);
            let expected = if is_inside { 2 } else { read.len() };
            assert_eq!(whole(read.as_bytes()), expected, "{read}");
        }
        let long = format!("{KEY}\n").replace("MHcC", &"MHcC\n".repeat(MAX_KEY));
        assert_eq!(
            whole(long.get(..2 * MAX_KEY).unwrap().as_bytes()),
            2 * MAX_KEY
        );
    }
}
