//! Records of the audit system of Linux: a value that has a blank, a quotation mark or a control character in it stands
//! there in hexadecimal (`audit_log_n_untrustedstring` of the kernel, `audit_encode_nv_string` of libaudit). Here it becomes
//! text, in the room that it had. Knows the fields that hold what was typed or run, and nothing of what that means.

/// What stands behind the type of a record, and before its time.
const STAMP: &[u8] = b"audit(";

/// What journalctl writes before the type of a record; a number follows.
const PROGRAM: &[u8] = b" audit[";

/// What the names of arguments begin with; a number follows.
const ARGUMENT: &[u8] = b"a";

/// The command line of a process.
const TITLE: &[u8] = b"proctitle";

/// What a log keeps of what is typed.
const TYPED: &[u8] = b"data";

/// The fields of a record of some type that hold what was typed or run; the kernel by itself writes the type's number
/// (`linux/audit.h`).
const ENCODED: [(&[u8], &[u8], &[u8]); 5] = [
    (b"EXECVE", b"1309", ARGUMENT),
    (b"USER_CMD", b"1123", b"cmd"),
    (b"PROCTITLE", b"1327", TITLE),
    (b"TTY", b"1319", TYPED),
    (b"USER_TTY", b"1124", TYPED),
];

/// Bytes of a command line that the kernel keeps (`MAX_PROCTITLE_AUDIT_LEN`): the last word of a longer one is cut.
const MAX_TITLE: usize = 128;

/// What auditd puts between a record and the names of the numbers in it (`log_format = ENRICHED`).
const ENRICHED: u8 = 0x1d;

/// Whether a text has such records.
pub(super) fn is_audit(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    memchr::memmem::find(text, b"audit").is_some() && lines.any(|line| record(line).is_some())
}

/// The message that journald makes of a record, with what it has in hexadecimal as text: the type and the fields, or all
/// of a line that a program sent on. `None` where there is nothing to do.
pub(in crate::collect) fn message(message: &[u8]) -> Option<Vec<u8>> {
    let blank = memchr::memchr(b' ', message)?;
    let name = message.get(..blank).and_then(encoded);
    let (name, from) = name.map(|name| (name, blank)).or_else(|| record(message))?;
    let mut text = message.to_vec();
    decode(text.get_mut(from..)?, name);
    Some(text)
}

/// Where in a log a reader is.
#[derive(Default)]
pub(super) struct Place {
    /// Whether the line that goes on is longer than what is looked at, and stays as it is.
    is_long: bool,
}

impl Place {
    /// Turns the whole lines at the beginning of these bytes into text, and says where they end. The last is whole where
    /// the log has ended; one that fills all the room stays as it is.
    pub(super) fn step(&mut self, bytes: &mut [u8], ended: bool, is_full: bool) -> usize {
        let end = match memchr::memrchr(b'\n', bytes) {
            Some(newline) => newline.saturating_add(1),
            None if ended => bytes.len(),
            None => {
                self.is_long |= is_full;
                return if is_full { bytes.len() } else { 0 };
            }
        };
        let lines = bytes.get_mut(..end).unwrap_or_default();
        for line in lines.split_mut(|byte| *byte == b'\n') {
            if !std::mem::take(&mut self.is_long) {
                undo(line);
            }
        }
        end
    }
}

/// Turns what a line has in hexadecimal into text.
fn undo(line: &mut [u8]) {
    if let Some((name, from)) = record(line) {
        decode(line.get_mut(from..).unwrap_or_default(), name);
    }
}

/// The fields of a record on a line that may be encoded, and where its fields begin. auditd writes
/// `type=EXECVE msg=audit(1763861284.279:456): `, the kernel `type=1309 audit(1763861284.279:456): `, journalctl
/// `audit[812]: EXECVE `.
fn record(line: &[u8]) -> Option<(&'static [u8], usize)> {
    if let Some(at) = memchr::memmem::find(line, STAMP) {
        let (before, stamp) = line.split_at_checked(at)?;
        let before = before.strip_suffix(b"msg=").unwrap_or(before);
        let kind = before
            .strip_suffix(b" ")?
            .rsplit(|byte| *byte == b' ')
            .next()?;
        let end = memchr::memmem::find(stamp, b"): ")?;
        let from = at.saturating_add(end).saturating_add(b"): ".len());
        return Some((encoded(kind.strip_prefix(b"type=")?)?, from));
    }
    let at = memchr::memmem::find(line, PROGRAM)?;
    let end = memchr::memmem::find(line.get(at..)?, b"]: ")?;
    let from = at.saturating_add(end).saturating_add(b"]: ".len());
    let kind = line.get(from..)?.split(|byte| *byte == b' ').next()?;
    Some((encoded(kind)?, from.saturating_add(kind.len())))
}

/// The fields of a record of this type that may be encoded.
fn encoded(kind: &[u8]) -> Option<&'static [u8]> {
    let mut types = ENCODED.iter();
    let (.., name) = types.find(|(name, number, _)| *name == kind || *number == kind)?;
    Some(name)
}

/// Turns the values of some fields into text.
fn decode(fields: &mut [u8], name: &[u8]) {
    for field in fields.split_mut(|byte| matches!(*byte, b' ' | ENRICHED)) {
        let Some(equals) = memchr::memchr(b'=', field) else {
            continue;
        };
        let (found, value) = field.split_at_mut(equals);
        if is_named(found, name) {
            let value = value.get_mut(1..).unwrap_or_default();
            if let Some(text) = text(value, name, Piece::of(found)) {
                let blanks = std::iter::repeat(&b' ');
                let places = value.iter_mut().zip(text.iter().chain(blanks));
                places.for_each(|(place, byte)| *place = *byte);
            }
        }
    }
}

/// Whether a field has the name, or is one of the arguments: `a2`, or a piece of it, `a2[0]`.
fn is_named(found: &[u8], name: &[u8]) -> bool {
    let is_argument = |rest: &[u8]| {
        let is_number = |byte: &u8| byte.is_ascii_digit() || b"[]".contains(byte);
        !rest.is_empty() && rest.iter().all(is_number)
    };
    match name {
        ARGUMENT => found.strip_prefix(name).is_some_and(is_argument),
        _ => found == name,
    }
}

/// Which part of an argument a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Whole,
    /// `a2[0]`: what follows stands in the next record.
    First,
    /// `a2[1]` and so on.
    Later,
}

impl Piece {
    fn of(name: &[u8]) -> Self {
        match memchr::memchr(b'[', name).and_then(|at| name.get(at..)) {
            None => Self::Whole,
            Some(b"[0]") => Self::First,
            Some(_) => Self::Later,
        }
    }
}

/// What a value is in hexadecimal, no longer than that: an argument in quotation marks, a command line as it was typed.
/// A word that was cut is left, since nothing tells what it was.
fn text(value: &[u8], name: &[u8], piece: Piece) -> Option<Vec<u8>> {
    let mut text = data_encoding::HEXUPPER.decode(value).ok()?;
    let ends_word = |byte: &u8| *byte <= b' ' || b"&;,\"'".contains(byte);
    if name == TITLE && text.len() >= MAX_TITLE || piece != Piece::Whole {
        let end = text.iter().rposition(ends_word).unwrap_or(0);
        text.truncate(end);
    }
    if piece == Piece::Later {
        let begin = text.iter().position(ends_word).unwrap_or(text.len());
        text.drain(..begin);
    }
    if name == TYPED {
        text = typed(&text);
    }
    // Arguments are apart by NULs in a command line, and a line may have ends of lines in it.
    let controls = text.iter_mut().filter(|byte| byte.is_ascii_control());
    controls.for_each(|byte| *byte = b' ');
    if name == ARGUMENT && text.len() > 1 {
        let mark = if text.contains(&b'"') { b'\'' } else { b'"' };
        text.insert(0, mark);
        text.push(mark);
    }
    Some(text)
}

/// What is left of what was typed where keys deleted some of it.
fn typed(keys: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(keys.len());
    for key in keys {
        match key {
            0x08 | 0x7f => {
                text.pop();
            }
            key => text.push(*key),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use super::super::records::check;

    /// A field that has a value in hexadecimal, and as it is to be read, in the same room.
    fn field(name: &str, value: &str, text: &str) -> [String; 2] {
        let hex = data_encoding::HEXUPPER.encode(value.as_bytes());
        let read = format!("{name}={text:<0$}", hex.len());
        [format!("{name}={hex}"), read]
    }

    /// Holds records with the fields in the place of `{}` against what is read.
    fn of(records: &[(&str, [String; 2])]) {
        let as_one = |which: usize| {
            let lines = records.iter();
            let lines = lines.map(|(record, field)| record.replace("{}", &field[which]));
            lines.collect::<Vec<_>>()
        };
        let read = as_one(1);
        let read: Vec<_> = read.iter().map(String::as_str).collect();
        check("audit.log", &as_one(0).join("\n"), Layout::Audit, &read);
    }

    #[test]
    fn what_was_run_or_typed_is_read_as_it_was() {
        const STAMP: &str = "msg=audit(1763861284.279:456):";
        of(&[
            (
                &format!("type=EXECVE {STAMP} argc=3 a0=\"curl\" {{}} a2=\"x\""),
                field(
                    "a1",
                    "Authorization: Bearer x",
                    "\"Authorization: Bearer x\"",
                ),
            ),
            (
                &format!("type=EXECVE {STAMP} {{}} a2_len=4142 comm=4142"),
                field("a2", "{\"a\": 1}\n", "'{\"a\": 1} '"),
            ),
            (
                "web audisp: node=web type=EXECVE msg=audit(1.000:1): {}",
                field("a1", "x y", "\"x y\""),
            ),
            (
                "kernel: audit: type=1309 audit(1763861284.279:456): {}",
                field("a1", "x y", "\"x y\""),
            ),
            (
                "Nov 23 01:28:04 web audit[812]: USER_CMD pid=1 {}",
                field("cmd", "x y", "x y"),
            ),
            (
                &format!("type=PROCTITLE {STAMP} {{}}"),
                field("proctitle", "curl\0-u\0a:b c", "curl -u a:b c"),
            ),
            (
                &format!(
                    "node=web type=USER_CMD {STAMP} msg='cwd=\"/\" {{}} exe=\"/usr/bin/sudo\"'"
                ),
                field("cmd", "curl -u a:b", "curl -u a:b"),
            ),
            (
                &format!("type=TTY {STAMP} tty pid=2 {{}}\u{1d}UID=\"root\""),
                field("data", "lx\u{7f}s\r", "ls "),
            ),
        ]);
    }

    #[test]
    fn what_is_no_text_stays() {
        let text = "type=SYSCALL msg=audit(1763861284.279:456): a0=6375 a1=7573\n\
            type=USER_CMD msg=audit(1763861284.279:456): cmd=6c73 cmd=414 cmd= cmd=\"4142\" a0=4142\n\
            a0=4142\n\
            type=EXECVE a0=4142\n";
        let lines: Vec<_> = text.split('\n').collect();
        check("x", text, Layout::Audit, &lines);
    }

    #[test]
    fn a_word_that_was_cut_is_left() {
        let title = format!("curl\0-d\0a=b&c={}", "x".repeat(120));
        let arguments = "type=EXECVE msg=audit(1.000:1): {}";
        of(&[
            (
                "type=PROCTITLE msg=audit(1.000:1): {}",
                field("proctitle", &title, "curl -d a=b"),
            ),
            (arguments, field("a2[0]", "a b cut", "\"a b\"")),
            (arguments, field("a2[1]", "cut c d cut", "\" c d\"")),
            (arguments, field("a2[2]", "cutcut", "")),
        ]);
    }

    #[test]
    fn a_line_that_is_longer_than_any_record_stays() {
        let record = "type=TTY msg=audit(1.000:1): data=4142";
        let long = format!("{record} {}", "4142 data=4142".repeat(6_000));
        let text = format!("{record}\n{long}\n{record}\n");
        let read = "type=TTY msg=audit(1.000:1): data=AB  ";
        check("x", &text, Layout::Audit, &[read, &long, read, ""]);
    }
}
