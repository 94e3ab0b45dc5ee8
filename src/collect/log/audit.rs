//! Records of the audit system of Linux: a value that has a blank, a quotation mark or a control character in it stands
//! there in hexadecimal (`audit_log_n_untrustedstring` of the kernel, `audit_encode_nv_string` of libaudit). Here it becomes
//! text, in the room that it had. Knows the fields that hold what was typed or run, and nothing of what that means.

/// What each record begins with, behind the name of a node where there is one.
const BEGINNING: &[u8] = b"type=";

/// What stands between the type and the fields.
const STAMP: &[u8] = b" msg=audit(";

/// What the names of arguments begin with; a number follows.
const ARGUMENT: &[u8] = b"a";

/// The command line of a process.
const TITLE: &[u8] = b"proctitle";

/// The fields of a record of some type that hold what was typed or run.
const ENCODED: [(&[u8], &[u8]); 5] = [
    (b"EXECVE", ARGUMENT),
    (b"USER_CMD", b"cmd"),
    (b"PROCTITLE", TITLE),
    (b"TTY", b"data"),
    (b"USER_TTY", b"data"),
];

/// Bytes of a command line that the kernel keeps (`MAX_PROCTITLE_AUDIT_LEN`): the last argument of a longer one is cut.
const MAX_TITLE: usize = 128;

/// What auditd puts between a record and the names of the numbers in it (`log_format = ENRICHED`).
const ENRICHED: u8 = 0x1d;

/// Whether a text begins with such a record.
pub(super) fn is_audit(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next();
    line.and_then(record).is_some()
}

/// Whether the message that journald makes of a record, its type and its fields, may have such values.
pub(in crate::collect) fn is_audit_message(message: &[u8]) -> bool {
    message
        .split(|byte| *byte == b' ')
        .next()
        .and_then(encoded)
        .is_some()
}

/// Turns into text what such a message has in hexadecimal.
pub(in crate::collect) fn undo_audit_message(message: &mut [u8]) {
    let blank = memchr::memchr(b' ', message).unwrap_or(0);
    let (kind, fields) = message.split_at_mut(blank);
    if let Some(name) = encoded(kind) {
        decode(fields, name);
    }
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
    let name = record(line).and_then(|(kind, from)| Some((encoded(kind)?, from)));
    if let Some((name, from)) = name {
        decode(line.get_mut(from..).unwrap_or_default(), name);
    }
}

/// The type of a record, and where its fields begin.
fn record(line: &[u8]) -> Option<(&[u8], usize)> {
    let node = line
        .starts_with(b"node=")
        .then(|| memchr::memchr(b' ', line));
    let start = node.flatten().map_or(0, |blank| blank.saturating_add(1));
    let rest = line.get(start..)?.strip_prefix(BEGINNING)?;
    let kind = rest.split(|byte| *byte == b' ').next()?;
    let stamp = rest.get(kind.len()..)?;
    let fields = stamp
        .starts_with(STAMP)
        .then(|| memchr::memmem::find(stamp, b"): "))??;
    let from = start + BEGINNING.len() + kind.len() + fields + 3;
    Some((kind, from))
}

/// The fields of a record of this type that may be encoded.
fn encoded(kind: &[u8]) -> Option<&'static [u8]> {
    let (_, name) = ENCODED.iter().find(|(name, _)| *name == kind)?;
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
            if let Some(text) = text(value, name) {
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

/// What a value is in hexadecimal, no longer than that: an argument in quotation marks, a command line as it was typed.
fn text(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut text = data_encoding::HEXUPPER.decode(value).ok()?;
    if name == TITLE && text.len() >= MAX_TITLE {
        text.truncate(memchr::memrchr(0, &text).unwrap_or(0));
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
                field("a2[0]", "{\"a\": 1}\n", "'{\"a\": 1} '"),
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
                field("data", "ls\r", "ls "),
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
    fn the_argument_that_a_command_line_was_cut_in_is_left() {
        let title = format!("curl\0-u\0{}", "x".repeat(120));
        of(&[(
            "type=PROCTITLE msg=audit(1.000:1): {}",
            field("proctitle", &title, "curl -u"),
        )]);
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
