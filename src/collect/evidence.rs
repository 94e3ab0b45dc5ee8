//! One file or one stream, opened without harm: decompressed by magic, bounded, never written.
//! Knows no format beyond the compression around it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// Decoded bytes that readers see before they claim: enough for a magic number, a first HAR entry,
/// some log lines.
pub const HEAD: usize = 64 * 1024;

/// A compressed stream may grow by at most this factor once it has passed [`RATIO_FLOOR`]. Deflate cannot
/// exceed 1032; a log that compresses better than this is a bomb.
const MAX_RATIO: u64 = 1_100;

/// Decoded bytes below which no ratio is checked.
const RATIO_FLOOR: u64 = 64 << 20;

/// Window that a zstd stream may ask for, as a power of two: 128 MiB, what `zstd -d` accepts by default.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Memory in KiB that an xz stream may ask for: what its strongest preset needs.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// Why evidence, or a part of it, was not read. Says what the user can do. The file's name is the problem's
/// own field, and no variant holds bytes of the evidence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("cannot be read: {0}; check its permissions, or scan a copy")]
    Io(#[from] io::Error),
    /// Compressed data is damaged, or something follows it.
    #[error(
        "compressed data is damaged or followed by something else ({0}); what came before was read"
    )]
    Compression(Box<str>),
    /// Expands beyond all bounds.
    #[error(
        "expands more than {MAX_RATIO} times, like a decompression bomb; unpack it yourself if it is genuine"
    )]
    Bomb,
    /// Recognised, but this version does not read it.
    #[error("{0}")]
    Unsupported(Box<str>),
    /// The content breaks the rules of its format.
    #[error("{0}")]
    Malformed(Box<str>),
    /// A bound of ours was reached.
    #[error("{0}")]
    Limit(Box<str>),
}

/// Compression around the content, told by magic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// None.
    Plain,
    /// RFC 1952, members concatenated.
    Gzip,
    /// RFC 1950 (mitmproxy's `.zhar`).
    Zlib,
    /// RFC 8878.
    Zstd,
    /// The `.xz` container.
    Xz,
    /// bzip2, streams concatenated.
    Bzip2,
}

impl Encoding {
    const ALL: [Self; 5] = [Self::Gzip, Self::Zlib, Self::Zstd, Self::Xz, Self::Bzip2];

    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A skippable frame may stand first (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Self::Bzip2,
            // RFC 1950 §2.2: the first two bytes are a multiple of 31. `x\x5e` is left out: it is text too often.
            [0x78, 0x01 | 0x9c | 0xda, ..] => Self::Zlib,
            _ => Self::Plain,
        }
    }

    /// Name endings that this compression adds.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Gzip => &[".gz", ".gzip"],
            Self::Zlib => &[".z", ".zz"],
            Self::Zstd => &[".zst", ".zstd"],
            Self::Xz => &[".xz"],
            Self::Bzip2 => &[".bz2"],
        }
    }

    /// A name without the ending that this compression adds, where it has one.
    fn strip(self, name: &str) -> Option<&str> {
        let mut suffixes = self.suffixes().iter();
        suffixes.find_map(|suffix| name.strip_suffix(suffix))
    }
}

/// Evidence that no reader has claimed yet.
pub struct Evidence {
    shown: Box<str>,
    origin: Origin,
    encoding: Encoding,
    head: Box<[u8]>,
    head_error: Option<Box<str>>,
    len: Option<u64>,
    recognised: OnceLock<Option<&'static str>>,
}

enum Origin {
    File(PathBuf),
    /// Standard input: what remains after the raw head, readable once.
    Stream(Mutex<Option<Box<dyn Read + Send>>>),
}

impl Evidence {
    /// Opens a file for reading and decodes its head. `shown` is its name in the report.
    pub fn file(path: &Path, shown: impl Into<Box<str>>) -> Result<Self, ReadError> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let raw = read_up_to(&mut file, 16)?;
        let encoding = Encoding::of(&raw);
        let mut evidence = Self {
            shown: shown.into(),
            origin: Origin::File(path.to_owned()),
            encoding,
            head: Box::default(),
            head_error: None,
            len: Some(len),
            recognised: OnceLock::new(),
        };
        (evidence.head, evidence.head_error) = read_up_to_error(&mut *evidence.open()?, HEAD);
        Ok(evidence)
    }

    /// Takes a stream that can be read once.
    pub fn stream(
        mut input: Box<dyn Read + Send>,
        shown: impl Into<Box<str>>,
    ) -> Result<Self, ReadError> {
        let raw = read_up_to(&mut input, 16)?;
        let encoding = Encoding::of(&raw);
        let mut decoded = decode(Box::new(io::Cursor::new(raw).chain(input)), encoding)?;
        let (head, head_error) = read_up_to_error(&mut decoded, HEAD);
        let rest = Box::new(io::Cursor::new(head.clone()).chain(decoded));
        Ok(Self {
            shown: shown.into(),
            origin: Origin::Stream(Mutex::new(Some(rest))),
            encoding,
            head,
            head_error,
            len: None,
            recognised: OnceLock::new(),
        })
    }

    /// Name in the report.
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
        Some(if self.encoding == Encoding::Plain {
            ReadError::Io(io::Error::other(text.into_string()))
        } else {
            ReadError::Compression(text)
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

    /// The file on disk, whatever it holds: for a reader whose format only looks like compressed data.
    pub fn file_as_it_is(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Stream(_) => None,
        }
    }

    /// A file beside this one whose name is this one's plus `suffix` (`-wal`, `-journal`).
    pub fn sidecar(&self, suffix: &str) -> Option<PathBuf> {
        let mut name = self.plain_file()?.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        // A link would lead out of the evidence.
        path.symlink_metadata()
            .is_ok_and(|meta| meta.is_file())
            .then_some(path)
    }

    /// The decoded content from its first byte. A stream gives it once, later calls give an error.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, ReadError> {
        match &self.origin {
            Origin::File(path) => {
                let file = File::open(path)?;
                decode(Box::new(file), self.encoding)
            }
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
        let mut bytes = Vec::new();
        self.open()?
            .take(cap.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.error(error))?;
        if bytes.len() as u64 > cap {
            let mib = cap >> 20;
            return Err(ReadError::Limit(
                format!("is larger than {mib} MiB once decoded; unpack it first").into(),
            ));
        }
        Ok(bytes)
    }

    /// Names an error met while reading from [`Self::open`].
    pub fn error(&self, error: io::Error) -> ReadError {
        if matches!(error.get_ref(), Some(inner) if inner.is::<BombError>()) {
            ReadError::Bomb
        } else if self.encoding == Encoding::Plain {
            ReadError::Io(error)
        } else {
            ReadError::Compression(error.to_string().into())
        }
    }
}

fn decode(
    input: Box<dyn Read + Send>,
    encoding: Encoding,
) -> Result<Box<dyn Read + Send>, ReadError> {
    if encoding == Encoding::Plain {
        return Ok(input);
    }
    let counted = Counted {
        input,
        count: std::sync::Arc::default(),
    };
    let consumed = counted.count.clone();
    let buffered = BufReader::with_capacity(256 * 1024, counted);
    let output: Box<dyn Read + Send> = match encoding {
        Encoding::Plain => Box::new(buffered),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        Encoding::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(buffered)),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Encoding::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
            buffered,
            true,
            XZ_MEMORY_KIB,
        )),
        Encoding::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
    };
    Ok(Box::new(Bounded {
        output,
        produced: 0,
        consumed,
    }))
}

/// Reads up to `limit` bytes, fewer only at the end.
fn read_up_to(input: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Like [`read_up_to`], but keeps what came before an error: a reader will meet it again, and report it.
fn read_up_to_error(input: &mut dyn Read, limit: usize) -> (Box<[u8]>, Option<Box<str>>) {
    let mut bytes = Vec::new();
    let end = input.take(limit as u64).read_to_end(&mut bytes);
    (
        bytes.into(),
        end.err().map(|error| error.to_string().into()),
    )
}

/// Counts the bytes that a decoder takes.
struct Counted {
    input: Box<dyn Read + Send>,
    count: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count
            .fetch_add(read as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops a decoder that makes much out of little.
struct Bounded {
    output: Box<dyn Read + Send>,
    produced: u64,
    consumed: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        self.produced += read as u64;
        let consumed = self.consumed.load(std::sync::atomic::Ordering::Relaxed);
        if self.produced > RATIO_FLOOR && self.produced / MAX_RATIO > consumed {
            return Err(io::Error::other(BombError));
        }
        Ok(read)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("decompression bomb")]
struct BombError;
