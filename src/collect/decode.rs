//! The compression around bytes: told by magic, undone as a stream, bounded against bombs. Knows no format
//! of what is inside.

use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::ZlibDecoder;

use super::ReadError;

/// A compressed stream may grow by at most this factor once it has passed [`RATIO_FLOOR`]. Deflate cannot
/// exceed 1032; a log that compresses better than this is a bomb.
pub(super) const MAX_RATIO: u64 = 1_100;

/// Decoded bytes below which no ratio is checked.
const RATIO_FLOOR: u64 = 64 << 20;

/// Window that a zstd stream may ask for, as a power of two: 128 MiB, what `zstd -d` accepts by default.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Memory in KiB that an xz stream may ask for: what its strongest preset needs.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// Bytes by which a compression is told.
pub(super) const BEGIN: usize = 512;

/// Compression around the content, told by magic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// None.
    Plain,
    /// RFC 1952, members concatenated.
    Gzip,
    /// RFC 1950 (mitmproxy's `.zhar`), streams concatenated.
    Zlib,
    /// RFC 8878.
    Zstd,
    /// The `.xz` container.
    Xz,
    /// bzip2, streams concatenated.
    Bzip2,
    /// RFC 1951, with nothing around it: members of a zip. It has no magic.
    Deflate,
}

impl Encoding {
    /// Those that a name's ending tells.
    pub(super) const ALL: [Self; 5] = [Self::Gzip, Self::Zlib, Self::Zstd, Self::Xz, Self::Bzip2];

    /// The compression that these first bytes begin, up to [`BEGIN`] of them.
    pub(super) fn of(begin: &[u8]) -> Self {
        match begin {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A skippable frame may stand first (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Self::Bzip2,
            // RFC 1950 §2.2: the first two bytes are a multiple of 31. `x\x5e` is left out: it is text too often.
            [0x78, 0x01 | 0x9c | 0xda, ..] if may_be_zlib(begin) => Self::Zlib,
            _ => Self::Plain,
        }
    }

    /// Name endings that this compression adds.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Deflate => &[],
            Self::Gzip => &[".gz", ".gzip"],
            Self::Zlib => &[".z", ".zz"],
            Self::Zstd => &[".zst", ".zstd"],
            Self::Xz => &[".xz"],
            Self::Bzip2 => &[".bz2"],
        }
    }

    /// A name without the ending that this compression adds, where it has one.
    pub(super) fn strip(self, name: &str) -> Option<&str> {
        let mut suffixes = self.suffixes().iter();
        suffixes.find_map(|suffix| name.strip_suffix(suffix))
    }
}

/// Whether these first bytes can be inflated. Two bytes are no magic: one of 16,000 checksums, with which a log of
/// LevelDB begins, has them.
fn may_be_zlib(begin: &[u8]) -> bool {
    let end = io::copy(&mut ZlibDecoder::new(begin), &mut io::sink());
    // Most are longer than what was read of them.
    end.map_or_else(
        |error| error.kind() == io::ErrorKind::UnexpectedEof,
        |_| true,
    )
}

/// The decoded bytes of `input`, which fails once they are more than `cap`, or more than any honest data
/// expands to.
pub(super) fn decode(
    input: Box<dyn Read + Send>,
    encoding: Encoding,
    cap: u64,
) -> Result<Box<dyn Read + Send>, ReadError> {
    if encoding == Encoding::Plain {
        return Ok(input);
    }
    let counted = Counted {
        input,
        count: Arc::default(),
    };
    let consumed = counted.count.clone();
    let buffered = BufReader::with_capacity(256 * 1024, counted);
    let output: Box<dyn Read + Send> = match encoding {
        Encoding::Plain => Box::new(buffered),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        Encoding::Zlib => Box::new(Zlib(Some(ZlibDecoder::new(buffered)))),
        Encoding::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(buffered)),
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
        output: Some(output),
        produced: 0,
        cap,
        consumed,
    }))
}

/// Whether a decoder stopped because of a bound.
pub(super) fn is_bomb(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<BombError>())
}

/// Counts the bytes that a decoder takes.
struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Decodes one stream after the other. What follows one and is none is an error, as it is behind the other encodings.
struct Zlib(Option<ZlibDecoder<BufReader<Counted>>>);

impl Read for Zlib {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let is_last = decoder.get_mut().fill_buf()?.is_empty();
            let rest = self.0.take().map(ZlibDecoder::into_inner);
            self.0 = rest.filter(|_| !is_last).map(ZlibDecoder::new);
        }
        Ok(0)
    }
}

/// Stops a decoder that makes much out of little.
struct Bounded {
    /// None once it failed: a decoder that is asked again may be in any state, and that of bzip2 panics.
    output: Option<Box<dyn Read + Send>>,
    produced: u64,
    cap: u64,
    consumed: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(output) = &mut self.output else {
            return Err(io::Error::other("what follows was not decoded"));
        };
        let read = output.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.output = None;
            }
        })?;
        self.produced = self.produced.saturating_add(read as u64);
        let consumed = self.consumed.load(Ordering::Relaxed);
        let expands = self.produced > RATIO_FLOOR && self.produced / MAX_RATIO > consumed;
        if expands || self.produced > self.cap {
            return Err(io::Error::other(BombError));
        }
        Ok(read)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("decompression bomb")]
struct BombError;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;

    use super::*;

    fn zlib(text: &[u8]) -> Vec<u8> {
        zlib_at(Compression::fast(), text)
    }

    fn zlib_at(level: Compression, text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), level);
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn zlib_is_told_by_more_than_two_bytes() {
        let long = "GET /cb?code=1 200\n".repeat(5_000);
        let noise: Vec<u8> = (0_u32..4_000)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for text in [b"".as_slice(), b"x", long.as_bytes(), &noise] {
            for level in [
                Compression::none(),
                Compression::fast(),
                Compression::best(),
            ] {
                let whole = zlib_at(level, text);
                for len in 2..whole.len().min(BEGIN) {
                    let begin = &whole[..len];
                    // Level 1 of this encoder has a second byte that is text too often.
                    let told = Encoding::of(begin) == Encoding::Zlib;
                    assert!(told || begin[1] == 0x5e, "{len} of {} bytes", whole.len());
                }
            }
        }
        for second in [0x01, 0x9c, 0xda] {
            let other = [
                &[0x78, second],
                b"\x9a\x98\x11\x01\x01\xc2\0\0\0_https".as_slice(),
            ];
            assert_eq!(Encoding::of(&other.concat()), Encoding::Plain);
        }
    }

    #[test]
    fn a_decoder_that_failed_is_not_asked_again() {
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&b"a line of a log\n".repeat(99)).unwrap();
        let mut bytes = bzip2.finish().unwrap();
        // Behind the magic and the checksum of its first block.
        bytes[20] ^= 0xff;
        let input = Box::new(io::Cursor::new(bytes));
        let mut decoder = decode(input, Encoding::Bzip2, u64::MAX).unwrap();
        let first = decoder.read_to_end(&mut Vec::new()).unwrap_err();
        let second = decoder.read_to_end(&mut Vec::new()).unwrap_err();
        assert_ne!(first.to_string(), second.to_string());
    }

    #[test]
    fn what_follows_a_zlib_stream_is_read_or_told() {
        let decoded = |bytes: Vec<u8>| {
            let mut out = Vec::new();
            let input = Box::new(io::Cursor::new(bytes));
            let mut decoder = decode(input, Encoding::Zlib, u64::MAX).unwrap();
            let end = decoder.read_to_end(&mut out).map(|_| ());
            (out, end.is_ok())
        };
        let two = [zlib(b"one "), zlib(b""), zlib(b"two")].concat();
        assert_eq!(decoded(two.clone()), (b"one two".to_vec(), true));
        for behind in [b"GET /?access_token=a".as_slice(), b"\0", b"\x78\x9c"] {
            let bytes = [&two, behind].concat();
            assert_eq!(decoded(bytes), (b"one two".to_vec(), false), "{behind:?}");
        }
    }
}
