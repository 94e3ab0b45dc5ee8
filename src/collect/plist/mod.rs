//! Property lists of Safari: open and closed tabs, the history of old versions, downloads, bookmarks and top sites.
//! Told by their content: the names that only Safari writes. Knows the two forms of property lists and nothing of
//! OAuth.

mod binary;
mod time;
mod walk;
mod xml;

use std::sync::Arc;

use memchr::memmem;

use super::{Context, Evidence, ReadError, Reader, Sink};
use crate::atoms::Source;

/// `LastSession.plist`, `RecentlyClosedTabs.plist`, `History.plist`, `Downloads.plist`, `Bookmarks.plist`,
/// `TopSites.plist` under any name.
pub static SAFARI_PLIST: Reader = Reader {
    name: "safari-plist",
    claims: |evidence, _| is_safari(evidence.head()),
    read,
};

/// Bytes of a list that is read: bookmarks with pictures and sessions of hundreds of tabs have some ten MiB.
const MAX_LIST: u64 = 64 << 20;

/// Names of dictionary members by which Safari's lists are known.
const SIGNATURES: &[&str] = &[
    "SessionWindows",
    "SessionVersion",
    "TabURL",
    "ClosedTabOrWindowPersistentStates",
    "WebHistoryDates",
    "WebHistoryFileVersion",
    "DownloadHistory",
    "DownloadEntryURL",
    "WebBookmarkType",
    "TopSiteURLString",
    "BannedURLStrings",
    "SessionHistoryEntryURL",
];

fn is_safari(head: &[u8]) -> bool {
    (head.starts_with(binary::MAGIC) || is_xml(head))
        && SIGNATURES
            .iter()
            .any(|name| memmem::find(head, name.as_bytes()).is_some())
}

fn is_xml(head: &[u8]) -> bool {
    let start = head.get(..1024).unwrap_or(head);
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    text.trim_ascii_start().starts_with(b"<") && memmem::find(start, b"<plist").is_some()
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let bytes = evidence.bytes(MAX_LIST)?;
    let mut walk = walk::Walk::new(source, &context.rules.needles, sink);
    walk.list(&bytes, (None, 0));
    walk.end()
}
