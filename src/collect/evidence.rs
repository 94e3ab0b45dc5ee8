//! One file, one stream or one member of an archive, opened without harm: decompressed by magic, bounded,
//! never written. Knows no format beyond the compression around it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use super::archive::{self, Archive};
pub use super::decode::Encoding;
use super::decode::{self, BEGIN, decode};
use super::error::ReadError;
use super::head::{read_up_to, read_up_to_error, read_within};
use super::kept::Kept;
use super::platform;
use super::span::Span;

/// Decoded bytes that readers see before they claim: enough for a magic number, a first HAR entry,
/// some log lines.
pub const HEAD: usize = 64 * 1024;

/// Evidence that no reader has claimed yet.
#[derive(Debug)]
pub struct Evidence {
    path: Box<str>,
    members: Vec<Box<str>>,
    shown: Box<str>,
    pub(super) origin: Origin,
    encoding: Encoding,
    head: Box<[u8]>,
    head_error: Option<Box<str>>,
    len: Option<u64>,
    is_named: bool,
    recognised: OnceLock<Option<&'static str>>,
    /// What a look into the content opened, for the reader that follows.
    pub(super) kept: Kept,
    archive: Option<Arc<Archive>>,
}

pub(super) enum Origin {
    File(PathBuf),
    /// Standard input: what remains after the raw head, readable once.
    Stream(Mutex<Option<Box<dyn Read + Send>>>),
    /// A member of an archive, and what it may expand to.
    Member {
        archive: Arc<Archive>,
        index: usize,
        cap: u64,
    },
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Stream(_) => "Stream",
            Self::Member { .. } => "Member",
        })
    }
}

impl Evidence {
    /// Opens a file for reading and decodes its head. `shown` is its name in the report.
    pub fn file(path: &Path, shown: impl Into<Box<str>>) -> Result<Self, ReadError> {
        let mut file = platform::open(path)?;
        let len = file.metadata()?.len();
        let raw = read_up_to(&mut file, BEGIN)?;
        let encoding = Encoding::of(&raw);
        let origin = Origin::File(path.to_owned());
        let mut evidence = Self::new(shown.into(), Vec::new(), origin, encoding, Some(len));
        if encoding == Encoding::Plain {
            evidence.read_head(raw, &mut file);
        } else {
            evidence.read_head(Vec::new(), &mut *evidence.open()?);
        }
        Ok(evidence)
    }

    /// Opens a member of an archive, which is `outer`; it may expand to `cap` bytes.
    pub(super) fn member(
        outer: &Self,
        archive: &Arc<Archive>,
        index: usize,
        cap: u64,
    ) -> Result<Self, ReadError> {
        let member = archive.member(index).ok_or_else(nothing)?;
        let raw = read_up_to(&mut *archive.content(member)?, BEGIN);
        // It is told when it is read.
        let encoding = Encoding::of(&raw.unwrap_or_default());
        let members = [outer.members(), &[archive.told(index)]].concat();
        let origin = Origin::Member {
            archive: archive.clone(),
            index,
            cap,
        };
        let mut evidence = Self::new(
            outer.path.clone(),
            members,
            origin,
            encoding,
            Some(member.len),
        );
        evidence.read_head(Vec::new(), &mut *evidence.open()?);
        Ok(evidence)
    }

    /// The same, asked for by its own name, or as standard input.
    #[must_use]
    pub fn named(self) -> Self {
        Self {
            is_named: true,
            ..self
        }
    }

    /// Whether it was asked for by its own name, and not found in a folder or an archive.
    pub fn is_named(&self) -> bool {
        self.is_named
    }

    /// The same under other members: it is no member of the archive that it was opened by, but lies beside it.
    pub(super) fn under(mut self, members: Vec<Box<str>>) -> Self {
        self.members = members;
        self.shown = joined(&self.path, &self.members);
        self
    }

    fn new(
        path: Box<str>,
        members: Vec<Box<str>>,
        origin: Origin,
        encoding: Encoding,
        len: Option<u64>,
    ) -> Self {
        Self {
            shown: joined(&path, &members),
            path,
            members,
            origin,
            encoding,
            head: Box::default(),
            head_error: None,
            len,
            is_named: false,
            recognised: OnceLock::new(),
            kept: Kept::default(),
            archive: None,
        }
    }

    /// Keeps the head, whose first bytes are read already.
    fn read_head(&mut self, begun: Vec<u8>, rest: &mut dyn Read) {
        // What is compressed holds more than its length says.
        let plain = self.len.filter(|_| self.encoding == Encoding::Plain);
        let len = plain.and_then(|len| usize::try_from(len).ok());
        (self.head, self.head_error) = read_up_to_error(begun, rest, HEAD, len.unwrap_or(HEAD));
    }

    /// Takes a stream that can be read once.
    pub fn stream(
        mut input: Box<dyn Read + Send>,
        shown: impl Into<Box<str>>,
    ) -> Result<Self, ReadError> {
        let raw = read_up_to(&mut input, BEGIN)?;
        let encoding = Encoding::of(&raw);
        let input = Box::new(io::Cursor::new(raw).chain(input));
        let mut decoded = decode(input, encoding, u64::MAX)?;
        let (head, head_error) = read_up_to_error(Vec::new(), &mut decoded, HEAD, HEAD);
        let rest = Box::new(io::Cursor::new(head.clone()).chain(decoded));
        let origin = Origin::Stream(Mutex::new(Some(rest)));
        Ok(Self {
            head,
            head_error,
            ..Self::new(shown.into(), Vec::new(), origin, encoding, None)
        })
    }

    /// The archive that it is, for a format that is one as a whole.
    pub(super) fn archive(&self) -> Option<&Arc<Archive>> {
        self.archive.as_ref()
    }

    pub(super) fn with_archive(self, archive: Archive) -> Self {
        Self {
            archive: Some(Arc::new(archive)),
            ..self
        }
    }

    /// Path in the report; of an archive's member, that of the outermost archive.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names of the archive's members that lead to it, outermost first.
    pub fn members(&self) -> &[Box<str>] {
        &self.members
    }

    /// Path and members in one, with `/` between folders.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Last segment of the name, without the ending that its compression added.
    pub fn file_name(&self) -> &str {
        let name = self.shown.rsplit('/').next().unwrap_or_default();
        self.encoding.strip(name).unwrap_or(name)
    }

    /// Last segment of the name without the ending of any compression, and whether it had one: for a file
    /// whose content does not tell.
    pub fn name_promised(&self) -> (&str, bool) {
        let name = self.shown.rsplit('/').next().unwrap_or_default();
        let stripped = Encoding::ALL
            .iter()
            .find_map(|encoding| encoding.strip(name));
        (stripped.unwrap_or(name), stripped.is_some())
    }

    /// What stopped the decoding within the head, when something did.
    pub fn head_error(&self) -> Option<ReadError> {
        let text = self.head_error.clone()?;
        Some(if self.is_packed() {
            ReadError::Compression(text)
        } else {
            ReadError::Io(io::Error::other(text.into_string()))
        })
    }

    /// First decoded bytes, at most [`HEAD`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Size on disk, before decompression; unknown for a stream.
    pub fn len(&self) -> Option<u64> {
        self.len
    }

    /// Whether the head is the whole content, as it lies there.
    pub fn is_all_in_head(&self) -> bool {
        self.encoding == Encoding::Plain
            && self.len == Some(self.head.len() as u64)
            && self.head_error.is_none()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Compression around it.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether it can be read once only.
    pub fn is_stream(&self) -> bool {
        matches!(self.origin, Origin::Stream(_))
    }

    /// The name of the reader that a costly look into the content found, kept so that the other readers of
    /// that kind need not look again.
    pub fn recognised(
        &self,
        look: impl FnOnce(&Self) -> Option<&'static str>,
    ) -> Option<&'static str> {
        *self.recognised.get_or_init(|| look(self))
    }

    /// The file on disk, when it can be used as it is: not compressed, not a stream.
    pub fn plain_file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) if self.encoding == Encoding::Plain => Some(path),
            _ => None,
        }
    }

    /// The content where it lies, if it can be read there from any place: neither compressed nor a stream.
    pub(super) fn plain_span(&self) -> Result<Option<Span>, ReadError> {
        if self.encoding != Encoding::Plain {
            return Ok(None);
        }
        self.raw_span()
    }

    /// The content where it lies, whatever it begins like: for a reader whose format only looks like compressed
    /// data.
    pub(super) fn raw_span(&self) -> Result<Option<Span>, ReadError> {
        Ok(match &self.origin {
            Origin::File(_) if self.is_all_in_head() => Some(Span::memory(self.head.to_vec())),
            Origin::File(path) => Some(Span::file(platform::open(path)?)?),
            Origin::Member { archive, index, .. } => {
                let member = archive.member(*index).ok_or_else(nothing)?;
                archive.plain(member)
            }
            Origin::Stream(_) => None,
        })
    }

    /// The decoded content where it can be read from any place: where it lies, in memory, or in a private
    /// temporary file.
    pub fn at_rest(&self) -> Result<Span, ReadError> {
        archive::at_rest(self)
    }

    /// The content before it is decoded. A stream has only the decoded one.
    pub(super) fn raw(&self) -> Result<Box<dyn Read + Send>, ReadError> {
        match &self.origin {
            Origin::File(path) => Ok(Box::new(platform::open(path)?)),
            Origin::Member { archive, index, .. } => {
                archive.content(archive.member(*index).ok_or_else(nothing)?)
            }
            Origin::Stream(_) => self.open(),
        }
    }

    /// The decoded content from its first byte. A stream gives it once, later calls give an error.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, ReadError> {
        match &self.origin {
            // There are many files that are small, and opening one again costs more than its bytes.
            Origin::File(_) if self.is_all_in_head() => {
                Ok(Box::new(io::Cursor::new(self.head.clone())))
            }
            Origin::File(_) => decode(self.raw()?, self.encoding, u64::MAX),
            Origin::Member { cap, .. } => decode(self.raw()?, self.encoding, *cap),
            Origin::Stream(rest) => {
                let taken = rest.lock().ok().and_then(|mut rest| rest.take());
                taken.ok_or_else(|| {
                    ReadError::Io(io::Error::other("standard input was read already"))
                })
            }
        }
    }

    /// The decoded content as one buffer, if it is no longer than `cap` bytes.
    pub fn bytes(&self, cap: u64) -> Result<Vec<u8>, ReadError> {
        let read = read_within(&mut self.open()?, cap);
        let (bytes, is_whole) = read.map_err(|error| self.error(error))?;
        if !is_whole {
            let mib = cap >> 20;
            return Err(ReadError::Limit(
                format!("is larger than {mib} MiB once decoded; unpack it first").into(),
            ));
        }
        Ok(bytes)
    }

    /// Names an error met while reading from [`Self::open`].
    pub fn error(&self, error: io::Error) -> ReadError {
        if decode::is_bomb(&error) {
            ReadError::Bomb
        } else if self.is_packed() {
            ReadError::Compression(error.to_string().into())
        } else {
            ReadError::Io(error)
        }
    }

    fn is_packed(&self) -> bool {
        self.encoding != Encoding::Plain || matches!(self.origin, Origin::Member { .. })
    }
}

/// Path and members as one path. Zips that Windows made may have `\` between folders.
fn joined(path: &str, members: &[Box<str>]) -> Box<str> {
    let mut shown = path.to_owned();
    for member in members {
        shown.push('/');
        if member.contains('/') {
            shown.push_str(member);
        } else {
            shown.push_str(&member.replace('\\', "/"));
        }
    }
    shown.into()
}

fn nothing() -> ReadError {
    ReadError::Malformed("is no member of its archive".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_is_opened_once() {
        for len in [0, 1, 16, 17, HEAD - 1, HEAD, HEAD + 1] {
            let bytes: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            let evidence = Evidence::file(file.path(), "a").unwrap();
            assert_eq!(evidence.head(), bytes.get(..HEAD).unwrap_or(&bytes));
            assert_eq!(evidence.is_all_in_head(), len <= HEAD);
            if evidence.is_all_in_head() {
                drop(file);
            }
            assert_eq!(evidence.bytes(u64::MAX - 1).unwrap(), bytes);
            let span = evidence.plain_span().unwrap().unwrap();
            assert_eq!(span.bytes(0, len + 1).unwrap(), bytes);
        }
    }
}
