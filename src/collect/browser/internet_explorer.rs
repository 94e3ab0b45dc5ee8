//! The stores of Internet Explorer and of Edge before Chromium: recognised, and not read. Their formats (ESE,
//! `index.dat`) belong to no other browser.

use crate::collect::{Evidence, ReadError, Reader};

/// Tells of a `WebCacheV01.dat` or an `index.dat`.
pub static INTERNET_EXPLORER: Reader = Reader {
    name: "internet-explorer",
    claims: |evidence, _| is_index(evidence) || is_web_cache(evidence),
    read: |evidence, _, _, _| {
        Err(ReadError::Unsupported(
            if is_index(evidence) {
                "is a history or cache index of Internet Explorer (index.dat), which is not read; export its URLs as text, and scan that"
            } else {
                "is the history and cache of Internet Explorer or old Edge (an ESE database), which is not read; export its Container tables as text, and scan that"
            }
            .into(),
        ))
    },
};

/// The first bytes of an `index.dat`; its version follows.
fn is_index(evidence: &Evidence) -> bool {
    evidence.head().starts_with(b"Client UrlCache MMF Ver ")
}

/// An ESE database (its magic stands at offset 4); that it is a browser's is told by its name alone.
fn is_web_cache(evidence: &Evidence) -> bool {
    let magic = evidence.head().get(4..8);
    let name = evidence.file_name().to_ascii_lowercase();
    magic == Some(&[0xef, 0xcd, 0xab, 0x89]) && name.starts_with("webcachev")
}
