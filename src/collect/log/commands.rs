//! The commands that a shell was given, as its history keeps them: with times above or below them, and over several
//! lines where they were typed so. Knows no format of a line.

/// What stands before each command in the history of fish.
const FISH: &[u8] = b"- cmd: ";

/// Digits of a time, in seconds since 1970.
const TIME: std::ops::RangeInclusive<usize> = 9..=11;

/// Whose history it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shell {
    /// bash, zsh and others, and programs that keep lines as they do: a time in a line of its own, `#1763861284`, is that
    /// of the command below it (bash(1), `HISTTIMEFORMAT`; tcsh writes `#+`), and a `\` at the end of a line says that the
    /// command goes on.
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
        let is_named = name.starts_with('.') && name.ends_with("_history")
            || matches!(name.as_str(), ".history" | ".histfile");
        if text.starts_with(FISH) {
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
    /// Whether the line begins here.
    begins: bool,
    /// Whether the line is the time of the command below it.
    is_time: bool,
    /// Whether the line says, as far as it was read, that its command goes on.
    goes_on: bool,
}

impl Place {
    pub(super) fn new(shell: Shell) -> Self {
        Self {
            shell,
            begins: true,
            is_time: false,
            goes_on: false,
        }
    }

    /// The first of these bytes, as a record has it.
    pub(super) fn step(&mut self, byte: u8, rest: &[u8]) -> u8 {
        if std::mem::take(&mut self.begins) {
            self.is_time = is_time(rest);
        }
        if byte == b'\n' {
            let below = rest.get(1..).unwrap_or_default();
            let joins = match self.shell {
                Shell::Posix => (self.is_time || self.goes_on) && !is_time(below),
                Shell::Fish => !below.starts_with(FISH),
                Shell::Pwsh => self.goes_on,
            };
            *self = Self::new(self.shell);
            return if joins { b'\r' } else { b'\n' };
        }
        if byte == b'\r' {
            return b' ';
        }
        self.goes_on = match self.shell {
            // Behind another one it is a letter.
            Shell::Posix => byte == b'\\' && !self.goes_on,
            Shell::Fish => false,
            Shell::Pwsh => byte == b'`',
        };
        byte
    }
}

/// Whether a text begins with a line that is a time.
fn is_time(text: &[u8]) -> bool {
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
    fn a_command_goes_on_where_its_line_says_so() {
        of(
            Shell::Posix,
            ".zsh_history",
            ": 1763861284:0;curl \\\n  -d a \\\nb\n: 1763861285:0;echo \\\\\nls",
            &[
                ": 1763861284:0;curl \\\r  -d a \\\rb",
                ": 1763861285:0;echo \\\\",
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
        ] {
            assert_eq!(Shell::of("x", text.as_bytes()), None, "{text}");
        }
    }
}
