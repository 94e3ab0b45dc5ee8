//! Bodies as servers encode them (RFC 9110 §8.4.1), which caches and captures keep. Decodes within bounds and keeps
//! what came before damage. Knows no format that holds them.

use std::io::Read;

use super::ReadError;

/// Decoded bytes of one body that are searched: as many as of an entry of a HAR file.
const MAX_BODY: u64 = 16 << 20;

/// Encodings, one around the other. Servers use one; a second one is a proxy's.
const MAX_LAYERS: usize = 3;

/// Window of a zstd body, as a power of two: RFC 9659 §3 allows 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The body without its encodings, and why it is not whole.
pub(super) fn decoded(body: Vec<u8>, encodings: &[u8]) -> (Vec<u8>, Option<ReadError>) {
    let mut body = body;
    let mut problem = None;
    let named = encodings.rsplit(|byte| *byte == b',');
    for (layer, name) in named.map(<[u8]>::trim_ascii).enumerate() {
        if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        if layer >= MAX_LAYERS {
            problem = Some(ReadError::Limit(
                format!("a body has more than {MAX_LAYERS} encodings; it was left alone").into(),
            ));
            break;
        }
        let Some(mut decoder) = decoder(&body, &name.to_ascii_lowercase()) else {
            problem = Some(ReadError::Unsupported(
                "a body is compressed with a dictionary or in an unknown way; it was left alone"
                    .into(),
            ));
            return (Vec::new(), problem);
        };
        let (content, error) = drained(&mut *decoder);
        drop(decoder);
        problem = error.or(problem);
        body = content;
    }
    (body, problem)
}

fn decoder<'a>(body: &'a [u8], name: &[u8]) -> Option<Box<dyn Read + 'a>> {
    let decoder: Box<dyn Read + 'a> = match (name, body) {
        (b"gzip" | b"x-gzip", [0x1f, 0x8b, ..]) => {
            Box::new(flate2::read::MultiGzDecoder::new(body))
        }
        // RFC 1950 §2.2: the first two bytes are a multiple of 31. Some servers send raw deflate.
        (b"deflate", [0x78, flags, ..]) if (0x7800 + u16::from(*flags)).is_multiple_of(31) => {
            Box::new(flate2::read::ZlibDecoder::new(body))
        }
        (b"deflate", _) => Box::new(flate2::read::DeflateDecoder::new(body)),
        (b"zstd", [0x28, 0xb5, 0x2f, 0xfd, ..]) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).ok()?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).ok()?;
            Box::new(decoder)
        }
        // Large windows, up to 1 GiB, are no part of RFC 7932 §9.1 and are not sent by servers.
        (b"br", [first, ..]) if first & 0x7f == 0x11 => return None,
        (b"br", _) => Box::new(brotli_decompressor::Decompressor::new(body, 4096)),
        // What has the name of an encoding and not its first bytes was kept decoded.
        (b"gzip" | b"x-gzip" | b"zstd", _) => Box::new(body),
        _ => return None,
    };
    Some(decoder)
}

fn drained(decoder: &mut dyn Read) -> (Vec<u8>, Option<ReadError>) {
    let mut content = Vec::new();
    let end = decoder.take(MAX_BODY).read_to_end(&mut content);
    let problem = match end {
        Err(_) => Some(ReadError::Malformed(
            "a body is damaged or was not received whole; what came before was searched".into(),
        )),
        Ok(_) if content.len() as u64 >= MAX_BODY => Some(ReadError::Limit(
            format!(
                "a body is larger than {} MiB; what follows in it was not searched",
                MAX_BODY >> 20
            )
            .into(),
        )),
        Ok(_) => None,
    };
    (content, problem)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap()
    }

    fn deflate(content: &[u8]) -> Vec<u8> {
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(content).unwrap();
        raw.finish().unwrap()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(content).unwrap();
        zlib.finish().unwrap()
    }

    /// `{"a":1}` by the reference encoder, quality 11.
    const BROTLI: &[u8] = b"\x0b\x03\x80{\"a\":1}\x03";

    #[test]
    fn what_servers_send_is_decoded() {
        let text = br#"{"a":1}"#;
        for (name, body) in [
            ("gzip", gzip(text)),
            ("GZIP", gzip(text)),
            ("deflate", zlib(text)),
            ("deflate", deflate(text)),
            ("zstd", zstd::encode_all(text.as_slice(), 1).unwrap()),
            ("br", BROTLI.to_vec()),
            ("gzip, gzip", gzip(&gzip(text))),
            ("", text.to_vec()),
            ("identity", text.to_vec()),
            ("gzip", text.to_vec()),
        ] {
            let (content, problem) = decoded(body, name.as_bytes());
            assert_eq!(content, text, "{name}");
            assert!(problem.is_none(), "{name}: {problem:?}");
        }
    }

    #[test]
    fn damage_and_unknown_encodings_are_told() {
        let half = gzip(&[b'x'; 1000]);
        let half = half.get(..half.len() - 6).unwrap().to_vec();
        let (content, problem) = decoded(half, b"gzip");
        assert!(content.starts_with(b"xxx"));
        assert!(matches!(problem, Some(ReadError::Malformed(_))));
        for name in ["dcb", "x", "gzip,gzip,gzip,gzip"] {
            assert!(decoded(b"x".to_vec(), name.as_bytes()).1.is_some());
        }
    }

    #[test]
    fn a_bomb_is_bounded() {
        let bomb = gzip(&vec![0; 40 << 20]);
        let (content, problem) = decoded(bomb, b"gzip");
        assert_eq!(content.len() as u64, MAX_BODY);
        assert!(matches!(problem, Some(ReadError::Limit(_))));
    }
}
