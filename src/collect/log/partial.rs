//! Container runtimes cut long output into parts, a line each: here they become one again. Knows the two
//! envelopes, and nothing of what is in them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json;
use super::lines::soft_edge;

/// Streams of a container. A line of another name is no part of any.
const STREAMS: [&[u8]; 2] = [b"stdout", b"stderr"];

/// Bytes of the first line that tell the envelope.
const LOOK: usize = 4096;

/// What became of a line.
#[derive(Debug)]
pub(super) enum Joined {
    /// It stands for itself.
    Whole,
    /// It waits for its other parts.
    Kept,
    /// It was the last part of this line, or of a piece of it where it is too long to be kept.
    Complete(Pending),
}

/// Parts so far.
#[derive(Debug)]
pub(super) struct Pending {
    /// Number of the first part's line; for a later piece, of the line of the part that was cut.
    pub(super) number: u64,
    /// Offset of that line.
    pub(super) byte: u64,
    /// That line's envelope and everything in the parts.
    pub(super) bytes: Vec<u8>,
}

/// Puts parts together.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    envelope: Option<Envelope>,
    looked: bool,
    waiting: BTreeMap<Vec<u8>, Pending>,
    /// Bytes after which a piece is handed on.
    limit: usize,
    /// Lines that were cut, each as often as it was.
    cuts: u64,
}

/// What stands around each part.
#[derive(Clone, Copy, Debug)]
enum Envelope {
    /// `time stream P|F part` (Kubernetes CRI logging).
    Cri,
    /// `{"log":"part","stream":"…","time":"…"}`; all but the last part lack the newline at the end.
    Docker,
}

/// A part, taken out of its envelope.
struct Slice<'a> {
    /// What stands before the first part.
    before: Cow<'a, [u8]>,
    stream: &'a [u8],
    text: Cow<'a, [u8]>,
    last: bool,
}

impl Joiner {
    /// One for lines of which `limit` bytes are read as one.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// One for lines below the first, where that told of no envelope.
    pub(super) fn without_envelope() -> Self {
        Self {
            looked: true,
            ..Self::default()
        }
    }

    /// Learns the envelope from the first line.
    pub(super) fn look(&mut self, start: &[u8]) {
        if std::mem::replace(&mut self.looked, true) {
            return;
        }
        let start = start.get(..LOOK).unwrap_or(start);
        let line = start
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        self.envelope = [Envelope::Cri, Envelope::Docker]
            .into_iter()
            .find(|envelope| envelope.fits(line));
    }

    /// Whether parts may stand anywhere, so that no line may be left out.
    pub(super) fn needs_every_line(&self) -> bool {
        self.envelope.is_some()
    }

    /// Takes the next line.
    pub(super) fn take(&mut self, line: &[u8], number: u64, byte: u64) -> Joined {
        let Some(slice) = self.envelope.and_then(|envelope| envelope.slice(line)) else {
            return Joined::Whole;
        };
        if slice.last && !self.waiting.contains_key(slice.stream) {
            return Joined::Whole;
        }
        let mut pending = self
            .waiting
            .remove(slice.stream)
            .unwrap_or_else(|| Pending {
                number,
                byte,
                bytes: slice.before.to_vec(),
            });
        pending.bytes.extend_from_slice(&slice.text);
        if slice.last {
            return Joined::Complete(pending);
        }
        let full = pending.bytes.len() >= self.limit;
        let cut = full.then(|| pending.bytes.split_off(soft_edge(&pending.bytes)));
        let (waiting, joined) = match cut {
            None => (pending, Joined::Kept),
            Some(rest) => {
                self.cuts += 1;
                let bytes = [&slice.before, rest.as_slice()].concat();
                let rest = Pending {
                    number,
                    byte,
                    bytes,
                };
                (rest, Joined::Complete(pending))
            }
        };
        self.waiting.insert(slice.stream.to_vec(), waiting);
        joined
    }

    /// How many times a line was cut.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts
    }

    /// What still waits at the end.
    pub(super) fn rest(&mut self) -> Vec<Pending> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

impl Envelope {
    fn fits(self, line: &[u8]) -> bool {
        match self {
            Self::Cri => cri(line).is_some(),
            Self::Docker => {
                line.starts_with(b"{\"log\":\"") && !line.starts_with(b"{\"log\":\"\",\"entries")
            }
        }
    }

    fn slice(self, line: &[u8]) -> Option<Slice<'_>> {
        match self {
            Self::Cri => cri(line),
            Self::Docker => docker(line),
        }
    }
}

fn cri(line: &[u8]) -> Option<Slice<'_>> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag) = (words.next()?, words.next()?, words.next()?);
    let text = words.next().unwrap_or_default();
    // Tags are parted by colons; the first says whether the line is whole.
    let flag = tag.split(|byte| *byte == b':').next()?;
    let known = STREAMS.contains(&stream) && matches!(flag, b"P" | b"F");
    let dated = time.contains(&b'T') && time.first()?.is_ascii_digit();
    let before = line.get(..line.len() - text.len())?;
    (known && dated).then_some(Slice {
        before: before.into(),
        stream,
        text: text.into(),
        last: flag == b"F",
    })
}

fn docker(line: &[u8]) -> Option<Slice<'_>> {
    let (text, rest) = json::string(line.strip_prefix(b"{\"log\":")?)?;
    let stream = member(rest, b"\"stream\":\"").filter(|stream| STREAMS.contains(stream))?;
    // The first part's time goes before the whole, in the envelope that is plain text.
    let time = member(rest, b"\"time\":\"").unwrap_or_default();
    Some(Slice {
        before: [time, b" ", stream, b" F "].concat().into(),
        stream,
        last: text.ends_with(b"\n"),
        text,
    })
}

/// The plain string after `key`.
fn member<'a>(object: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(object, key)?;
    let value = object.get(at + key.len()..)?;
    value.get(..memchr::memchr(b'"', value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(lines: &[&str]) -> Vec<(u64, String)> {
        let mut joiner = Joiner::new(200);
        joiner.look(lines.first().unwrap().as_bytes());
        let mut out = Vec::new();
        for (number, line) in (1..).zip(lines) {
            match joiner.take(line.as_bytes(), number, 0) {
                Joined::Whole => out.push((number, (*line).to_owned())),
                Joined::Kept => {}
                Joined::Complete(p) => out.push((p.number, String::from_utf8(p.bytes).unwrap())),
            }
        }
        out.extend(
            joiner
                .rest()
                .into_iter()
                .map(|p| (p.number, String::from_utf8(p.bytes).unwrap())),
        );
        out
    }

    #[test]
    fn parts_of_two_streams_are_kept_apart() {
        let joined = join(&[
            "2024-01-01T00:00:00Z stdout P acc",
            "2024-01-01T00:00:00Z stderr F other",
            "2024-01-01T00:00:00Z stdout F ess",
            "2024-01-01T00:00:00Z stdout P open",
        ]);
        let expect = [
            (2, "2024-01-01T00:00:00Z stderr F other"),
            (1, "2024-01-01T00:00:00Z stdout P access"),
            (4, "2024-01-01T00:00:00Z stdout P open"),
        ];
        assert_eq!(
            joined,
            expect.map(|(number, text)| (number, text.to_owned()))
        );
    }

    #[test]
    fn a_line_of_too_many_parts_is_cut_between_words() {
        let part = |text: &str| format!("2024-01-01T00:00:00Z stdout P {text}");
        let lines = [
            part(&"w ".repeat(60)),
            part(&["x".repeat(60), " acc".into()].concat()),
            part("ess"),
            "2024-01-01T00:00:00Z stdout F end".into(),
        ];
        let joined = join(&lines.each_ref().map(String::as_str));
        assert_eq!(joined.len(), 2);
        assert!(joined[0].0 == 1 && joined[0].1.ends_with("x "));
        assert_eq!(joined[1], (2, part("accessend")));
    }

    #[test]
    fn lines_of_streams_that_no_container_has_stand_for_themselves() {
        let line = |number: u32| {
            format!(
                "{{\"log\":\"half\",\"stream\":\"s{number}\",\"time\":\"2024-01-01T00:00:00Z\"}}"
            )
        };
        let first = line(0).replace("s0", "stdout");
        let lines: Vec<_> = [first].into_iter().chain((1..20).map(line)).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let joined = join(&lines);
        assert_eq!(joined.len(), 20);
        assert!(
            joined[..19]
                .iter()
                .zip(&lines[1..])
                .all(|(one, line)| one.1 == *line)
        );
    }
}
