//! The commands that a shell was given, as its history keeps them: with times above or below them, and over several
//! lines where they were typed so. Knows no format of a line.

/// What stands before each command in the history of fish.
const FISH_COMMAND: &[u8] = b"- cmd: ";

/// What stands before its time there.
const FISH_TIME: &[u8] = b"\n  when: ";

/// Digits of a time, in seconds since 1970.
const TIME: std::ops::RangeInclusive<usize> = 9..=11;

/// Whose history it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shell {
    /// bash, zsh and others, and programs that keep lines as they do. A time in a line of its own, `#1763861284`, is that
    /// of the command below it (bash(1), `HISTTIMEFORMAT`; tcsh writes `#+`), which goes on while a quotation is open;
    /// so does any whose line ends in `\`, of which zsh writes one more than was typed.
    Posix,
    /// fish: what it knows of a command stands in the lines below it.
    Fish,
    /// PowerShell: a grave accent at the end of a line says that the command goes on (`PSReadLine`, `HistorySavePath`).
    Pwsh,
}

impl Shell {
    /// The shell whose history a text is, by the name of its file or its first bytes.
    pub(super) fn of(name: &str, text: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let is_named = name.starts_with('.') && name.contains("history")
            || name.ends_with(".history")
            || ["bash_history", "zsh_history", ".zhistory", ".histfile"]
                .iter()
                .any(|it| name.starts_with(it));
        let has_time = || {
            let at = memchr::memmem::find(text, FISH_TIME);
            let time = at.and_then(|at| text.get(at + FISH_TIME.len()..));
            time.and_then(digits).is_some()
        };
        if text.starts_with(FISH_COMMAND) && (name == "fish_history" || has_time()) {
            Some(Self::Fish)
        } else if name.ends_with("host_history.txt") {
            Some(Self::Pwsh)
        } else {
            (is_named || is_time(text) || is_extended(text)).then_some(Self::Posix)
        }
    }
}

/// Where in a history a reader is.
pub(super) struct Place {
    shell: Shell,
    /// Whether the command has a time above it, below which its quotations are followed.
    is_timed: bool,
    /// The quotation mark that is open in it.
    quoted: Option<u8>,
    line: Line,
}

/// Where in a line.
#[derive(Default)]
struct Line {
    /// Whether anything of it was read.
    begun: bool,
    /// Whether it is the time of the command below it.
    is_time: bool,
    /// The last byte, the `\r` of an end aside.
    last: u8,
    /// Whether the last byte takes the meaning of the next.
    escapes: bool,
}

impl Place {
    pub(super) fn new(shell: Shell) -> Self {
        Self {
            shell,
            is_timed: false,
            quoted: None,
            line: Line::default(),
        }
    }

    /// The first of these bytes, as a record has it.
    pub(super) fn step(&mut self, byte: u8, rest: &[u8]) -> u8 {
        if !std::mem::replace(&mut self.line.begun, true) {
            self.line.is_time = self.shell == Shell::Posix && is_time(rest);
        }
        match byte {
            b'\n' => self.end(rest.get(1..).unwrap_or_default()),
            b'\r' => b' ',
            _ => {
                self.quote(byte);
                self.line.last = byte;
                byte
            }
        }
    }

    /// What the end of a line is, with these bytes below it.
    fn end(&mut self, below: &[u8]) -> u8 {
        let line = std::mem::take(&mut self.line);
        self.is_timed |= line.is_time;
        let joins = match self.shell {
            Shell::Posix => {
                let is_open = self.is_timed && self.quoted.is_some();
                (line.is_time || is_open || line.last == b'\\') && !is_time(below)
            }
            Shell::Fish => !below.starts_with(FISH_COMMAND),
            Shell::Pwsh => line.last == b'`',
        };
        if joins {
            return b'\r';
        }
        *self = Self::new(self.shell);
        b'\n'
    }

    /// Follows quotations (POSIX.1-2017, Shell Command Language, 2.2).
    fn quote(&mut self, byte: u8) {
        let escaped = std::mem::take(&mut self.line.escapes);
        match (self.quoted, byte) {
            _ if escaped => {}
            (None | Some(b'"'), b'\\') => self.line.escapes = true,
            (None, b'\'' | b'"') => self.quoted = Some(byte),
            (Some(open), _) if open == byte => self.quoted = None,
            _ => {}
        }
    }
}

/// Whether a text begins with a line that is a time.
fn is_time(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let rest = text
        .strip_prefix(b"#")
        .and_then(|it| digits(it.strip_prefix(b"+").unwrap_or(it)));
    matches!(rest, Some([] | [b'\n' | b'\r', ..]))
}

/// Whether a text begins with a time and a duration, as zsh writes them with `EXTENDED_HISTORY`.
fn is_extended(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b": ").and_then(digits);
    matches!(rest, Some([b':', b'0'..=b'9', ..]))
}

/// What stands behind the digits of a time.
fn digits(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    TIME.contains(&digits).then(|| text.get(digits..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::super::records::check;
    use super::*;

    fn of(shell: Shell, name: &str, history: &str, lines: &[&str]) {
        check(name, history, Layout::Commands(shell), lines);
    }

    #[test]
    fn a_time_is_of_the_command_below_it() {
        of(
            Shell::Posix,
            ".bash_history",
            "before\n#1763861284\ncurl a\n#1763861285\n#1763861286\r\n# b\nwithout\n",
            &[
                "before",
                "#1763861284\rcurl a",
                "#1763861285",
                "#1763861286 \r# b",
                "without",
                "",
            ],
        );
        of(
            Shell::Posix,
            "x",
            "#+1763861284\nls\n",
            &["#+1763861284\rls", ""],
        );
    }

    #[test]
    fn a_command_with_a_time_goes_on_while_a_quotation_is_open() {
        of(
            Shell::Posix,
            "x",
            "#1763861284\ncurl -d '{\n\"a\": \"\\\"'\nls \"a\n'\n#1763861285\nit\\'s\nls '\nx\n",
            &[
                "#1763861284\rcurl -d '{\r\"a\": \"\\\"'",
                "ls \"a",
                "'",
                "#1763861285\rit\\'s",
                "ls '",
                "x",
                "",
            ],
        );
        of(
            Shell::Posix,
            "x",
            "#1763861284\nit's\n#1763861285\nls\n",
            &["#1763861284\rit's", "#1763861285\rls", ""],
        );
    }

    #[test]
    fn a_command_goes_on_where_its_line_says_so() {
        of(
            Shell::Posix,
            ".zsh_history",
            ": 1763861284:0;curl \\\\\n  -d a \\\\\nb\n: 1763861285:0;echo \\\\ \nls",
            &[
                ": 1763861284:0;curl \\\\\r  -d a \\\\\rb",
                ": 1763861285:0;echo \\\\ ",
                "ls",
            ],
        );
        of(
            Shell::Pwsh,
            "ConsoleHost_history.txt",
            "irm `\r\n  x\r\ncd C:\\\r\n",
            &["irm ` \r  x ", "cd C:\\ ", ""],
        );
    }

    #[test]
    fn what_fish_knows_of_a_command_stands_below_it() {
        of(
            Shell::Fish,
            "fish_history",
            "- cmd: ls\n  when: 1763861284\n- cmd: cd x\n  when: 1763861285\n  paths:\n    - x\n",
            &[
                "- cmd: ls\r  when: 1763861284",
                "- cmd: cd x\r  when: 1763861285\r  paths:\r    - x\r",
            ],
        );
    }

    #[test]
    fn other_text_is_no_history() {
        for text in [
            "# 1763861284\nls\n",
            "#12345678\nls\n",
            "#1763861284 ls\n",
            ": 1763861284;x\n",
            "- cmd\n",
            "- cmd: npm run\n  env:\n    A: b\n",
        ] {
            assert_eq!(Shell::of("x", text.as_bytes()), None, "{text}");
        }
    }
}
