//! Archives, read where they lie: which members there are, and the bytes of each. A member's name is a text
//! for the report and leads nowhere. Knows zip and tar; what is in a member is for the readers.

mod expand;
mod index;
mod salvage;
mod tar;
mod unlisted;
mod zip;

use std::io::{self, Read};

use super::decode::{self, Encoding};
use super::span::{Span, Spool, SpoolError};
use super::{Evidence, ReadError};
pub use expand::{Filter, Opened, sources};
pub(crate) use index::{Index, Loss};

/// Archives inside archives that are opened: a collection in a case file in a download. Each level may
/// multiply the work.
pub const MAX_DEPTH: usize = 3;

/// Members of one archive: the files of a whole telephone or laptop. Each costs some hundred bytes of memory.
pub const MAX_MEMBERS: usize = 1_000_000;

/// Bytes of a member's name, after which the member is left out: no system opens a longer path (`PATH_MAX`).
pub const MAX_NAME: usize = 4_096;

/// Bytes of all names together.
pub const MAX_NAMES: usize = 256 << 20;

/// What an archive may expand to whatever its own size: small archives of logs expand most.
const ALLOWANCE_FLOOR: u64 = 4 << 30;

/// The same for a member that is compressed data, or an archive, itself.
const MEMBER_FLOOR: u64 = 16 << 20;

/// How the members are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// APPNOTE.TXT of PKWARE.
    Zip,
    /// POSIX.1-1988 to 2001 (`ustar`, `pax`), GNU tar, and what was before them.
    Tar,
}

impl Kind {
    /// What the first decoded bytes begin.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            // An empty archive is its end alone; one that was split begins with a marker (APPNOTE.TXT §8.5).
            [b'P', b'K', 3, 4, ..]
            | [b'P', b'K', 5, 6, ..]
            | [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            _ => tar::is_header(head).then_some(Self::Tar),
        }
    }

    /// The name in the report, where readers stand otherwise.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// A file in an archive.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Name as found, bytes that are no UTF-8 as `\xNN`.
    pub(crate) name: Box<str>,
    /// Name in the report, where it is another one: it holds a credential, or an earlier member has it too.
    pub(crate) told: Option<Box<str>>,
    /// Where its data, in a zip its own header, begins.
    pub(crate) at: u64,
    /// Bytes in the archive.
    pub(crate) packed: u64,
    /// Bytes of the file.
    pub(crate) len: u64,
    /// How it is packed; nothing of a member that stands in a tar.
    pub(crate) method: Option<zip::Method>,
}

/// An archive whose list of members was read.
#[derive(Debug)]
pub struct Archive {
    kind: Kind,
    span: Span,
    /// Sorted by name, those of one name in the order of the archive.
    members: Vec<Member>,
    /// What was not read of it.
    problems: Vec<ReadError>,
    /// How many entries were passed over, by reason.
    passed_over: Vec<(&'static str, u64)>,
}

impl Archive {
    /// Reads the list of members. `allowance` is what the archive may expand to, also where members are unpacked only
    /// to see where they end; `naming` gives the name that the report may show, where it is another one.
    pub(super) fn open(
        evidence: &Evidence,
        kind: Kind,
        allowance: u64,
        naming: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ReadError> {
        let mut index = Index::new(allowance);
        let span = match kind {
            Kind::Zip => {
                let span = at_rest(evidence)?;
                zip::index(&span, &mut index)?;
                span
            }
            Kind::Tar => tar::index(evidence, &mut index)?,
        };
        let (members, problems, passed_over) = index.finish(naming);
        Ok(Self {
            kind,
            span,
            members,
            problems,
            passed_over,
        })
    }

    /// The member of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Member> {
        let at = self.members.partition_point(|member| *member.name < *name);
        self.member(at).filter(|member| *member.name == *name)
    }

    /// The bytes of a member, which fail at the end if they are not what the archive says of them.
    pub(super) fn content(&self, member: &Member) -> Result<Box<dyn Read + Send>, ReadError> {
        match member.method {
            None => Ok(Box::new(self.span.part(member.at, member.packed).reader())),
            Some(method) => zip::content(&self.span, member, method),
        }
    }

    /// The bytes of a member that can be read from any place as they are.
    pub(super) fn plain(&self, member: &Member) -> Option<Span> {
        match member.method {
            None => Some(self.span.part(member.at, member.packed)),
            Some(method) => zip::stored(&self.span, member, method),
        }
    }

    /// How the members are put together.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Its members, sorted by name.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// What was not read of it.
    pub(super) fn problems(&self) -> &[ReadError] {
        &self.problems
    }

    pub(super) fn member(&self, index: usize) -> Option<&Member> {
        self.members.get(index)
    }

    /// The name that the report may show.
    pub(super) fn told(&self, index: usize) -> Box<str> {
        let member = self.member(index);
        let told = member.map(|it| it.told.as_ref().unwrap_or(&it.name).clone());
        told.unwrap_or_default()
    }

    /// The names of all members in the folder of one, and in those in it, without the folder's.
    pub(super) fn below(&self, index: usize) -> impl Iterator<Item = &str> {
        let folder = self.member(index).map_or("", |own| folder(&own.name));
        let first = self
            .members
            .partition_point(|member| *member.name < *folder);
        let members = self.members.get(first..).unwrap_or_default().iter();
        members.map_while(move |member| member.name.strip_prefix(folder))
    }

    /// The member of this name in the folder of another. Of several, the one that has as many before it.
    pub(super) fn beside(&self, index: usize, name: &str) -> Option<usize> {
        let own = self.member(index)?;
        let folder = folder(&own.name);
        let wanted = format!("{folder}{name}");
        let first = |name: &str| self.members.partition_point(|member| *member.name < *name);
        let is_it = |at: &usize| self.member(*at).is_some_and(|there| *there.name == *wanted);
        let nth = index.saturating_sub(first(&own.name));
        let at = first(&wanted);
        [at.saturating_add(nth), at].into_iter().find(is_it)
    }
}

/// The part of a name up to the last separator, which is included.
fn folder(name: &str) -> &str {
    let end = name.rfind(['/', '\\']).map_or(0, |at| at.saturating_add(1));
    name.get(..end).unwrap_or_default()
}

/// The content of evidence where it can be read from any place; a copy in memory or in a private temporary
/// file where it cannot.
pub(super) fn at_rest(evidence: &Evidence) -> Result<Span, ReadError> {
    if let Some(span) = evidence.plain_span()? {
        return Ok(span);
    }
    let mut spool = Spool::new(u64::MAX);
    match spool.take(&mut *evidence.open()?) {
        // The end of a zip is its list; without it, the members are looked for.
        Ok(_) | Err(SpoolError::Input(_)) => Ok(spool.finish()),
        Err(error) => Err(spooled(error)),
    }
}

/// What an error of a spool means for the user.
pub(super) fn spooled(error: SpoolError) -> ReadError {
    match error {
        SpoolError::Input(error) => ReadError::Compression(error.to_string().into()),
        SpoolError::Disk(error) => ReadError::Io(io::Error::other(format!(
            "no temporary copy can be written ({error}); give TMPDIR a folder with space"
        ))),
        SpoolError::Full(cap) => {
            let gib = cap >> 30;
            ReadError::Limit(
                format!("holds more than {gib} GiB that can only be read in order; unpack it, and scan the folder").into(),
            )
        }
    }
}

/// Holds the bytes of a member to what the archive says of them.
struct Checked {
    content: Box<dyn Read + Send>,
    left: u64,
    sum: flate2::Crc,
    stated: Option<u32>,
}

impl Checked {
    fn new(content: Box<dyn Read + Send>, len: u64, stated: Option<u32>) -> Self {
        Self {
            content,
            left: len,
            sum: flate2::Crc::new(),
            stated,
        }
    }
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if read as u64 > self.left {
            return Err(io::Error::other("a member is longer than its archive says"));
        }
        self.left = self.left.saturating_sub(read as u64);
        self.sum.update(bytes);
        let wrong = self.stated.is_some_and(|stated| stated != self.sum.sum());
        if read == 0 && !buffer.is_empty() && self.left > 0 {
            return Err(io::Error::other("a member ends before its archive says"));
        }
        if read == 0 && !buffer.is_empty() && wrong {
            return Err(io::Error::other("a member's checksum does not match"));
        }
        Ok(read)
    }
}

/// A member's data without the compression that a zip put around it.
fn unpacked(
    packed: &Span,
    encoding: Encoding,
    len: u64,
    stated: Option<u32>,
) -> Result<Box<dyn Read + Send>, ReadError> {
    let content = decode::decode(Box::new(packed.reader()), encoding, u64::MAX)?;
    Ok(Box::new(Checked::new(content, len, stated)))
}
