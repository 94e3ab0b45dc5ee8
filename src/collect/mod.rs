//! Stage 1: evidence becomes observations. Knows file formats and nothing of OAuth; what has no needle
//! is dropped at once.

pub mod archive;
mod beside;
pub mod browser;
pub mod cache;
pub mod capture;
mod charset;
mod coding;
mod cursor;
mod decode;
mod entities;
mod error;
pub mod evidence;
pub mod find;
pub mod foreign;
pub mod har;
mod head;
pub mod journal;
mod json;
mod kept;
pub mod leveldb;
pub mod log;
mod lz4;
mod names;
pub mod platform;
pub mod plist;
mod promise;
pub mod read;
pub mod session;
mod snappy;
pub mod snss;
pub mod span;
pub mod sqlite;
mod v8;

use std::sync::Arc;

use crate::atoms::rules::Rules;
use crate::atoms::{JoinKey, Method, Place, Raw, Source, When};
pub use error::ReadError;
pub use evidence::Evidence;

/// What the evidence holds, where, when, and how it was reached. The only type that a reader must know.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Where it lies.
    pub place: Place,
    /// When it happened, where the evidence tells.
    pub at: Option<When>,
    /// How the browser, or the log, came by it.
    pub via: Via,
    /// The visit, in a browser history.
    pub visit: Option<Visit>,
    /// The request and response that it is a part of, in a HAR entry or a log line.
    pub exchange: Option<Arc<Exchange>>,
    /// The bytes as found.
    pub payload: Payload,
}

/// How something was reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Via {
    /// The evidence does not tell.
    Unknown,
    /// Typed, or chosen from the address bar.
    Typed,
    /// A link was followed.
    Link,
    /// A form was sent.
    Form,
    /// The page was loaded again, or restored.
    Reload,
    /// A frame inside a page.
    Subframe,
    /// A download.
    Download,
    /// The server redirected here.
    ServerRedirect,
    /// Script or a meta element redirected here.
    ClientRedirect,
    /// It is the request of an exchange: a request line, a request header, a request body.
    Request,
    /// It is the response of an exchange: a header, a body.
    Response,
    /// A response sent the browser here (`Location`, `Refresh`).
    Location,
    /// A `Referer`: the page before told its URL to this host (`None`: the log's own server, unnamed).
    Referer {
        /// Host that received it.
        sent_to: Option<Box<str>>,
    },
    /// It lies in a store (cookie jar, web storage, autofill, bookmark).
    Stored,
    /// It stands in running text.
    Text,
}

impl Via {
    /// Every way that needs no more words: all but [`Self::Referer`].
    pub const PLAIN: [Self; 14] = [
        Self::Unknown,
        Self::Typed,
        Self::Link,
        Self::Form,
        Self::Reload,
        Self::Subframe,
        Self::Download,
        Self::ServerRedirect,
        Self::ClientRedirect,
        Self::Request,
        Self::Response,
        Self::Location,
        Self::Stored,
        Self::Text,
    ];

    /// The name on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Typed => "typed",
            Self::Link => "link",
            Self::Form => "form",
            Self::Reload => "reload",
            Self::Subframe => "subframe",
            Self::Download => "download",
            Self::ServerRedirect => "server_redirect",
            Self::ClientRedirect => "client_redirect",
            Self::Request => "request",
            Self::Response => "response",
            Self::Location => "location",
            Self::Referer { .. } => "referer",
            Self::Stored => "stored",
            Self::Text => "text",
        }
    }
}

/// A visit, and those before it that led here, by the browser's own ids. Only visits whose URL was
/// worth an observation are named; the pages between were walked through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// This visit.
    pub id: i64,
    /// Earlier observed visits on the `from_visit` path: hops between (1 = directly before), id. Nearest first.
    pub ancestors: Vec<(u8, i64)>,
}

/// A request and its response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// Names the exchange: [`crate::atoms::KeyKind::Exchange`] over the source and the entry or line.
    pub key: JoinKey,
    /// Method, where it is a known one.
    pub method: Option<Method>,
    /// Status of the response.
    pub status: Option<u16>,
    /// Request URL as found, or the request target of a log line.
    pub url: Raw,
    /// Host that a log line names beside its target (vhost, `Host`), when the target has none.
    pub host: Option<Box<str>>,
}

/// Bytes as found, and what the format says they are.
#[derive(Clone, Debug)]
pub enum Payload {
    /// A URL, absolute or a request target.
    Url(Raw),
    /// An HTTP header. Cookies come as [`Payload::Pair`], `Location` and `Referer` as [`Payload::Url`].
    Header {
        /// Name as found.
        name: Box<str>,
        /// Value.
        value: Raw,
    },
    /// A named value in a store.
    Pair {
        /// Which store.
        store: Store,
        /// Host or origin that it belongs to, where known.
        origin: Option<Box<str>>,
        /// Name.
        key: Raw,
        /// Value.
        value: Raw,
    },
    /// Members of one JSON object in a log record, in order of appearance: names and values.
    Members {
        /// Host that the record names.
        origin: Option<Box<str>>,
        /// Names and values.
        members: Vec<(Raw, Raw)>,
    },
    /// The body of a request or a response, or a WebSocket message.
    Body {
        /// Media type as stated, lower case, parameters included; empty when not stated.
        mime: Box<str>,
        /// The decoded body.
        bytes: Raw,
    },
    /// Text without a known structure, one layer of escaping already undone.
    Text(Raw),
}

impl Payload {
    /// Bytes of the evidence in it.
    pub(in crate::collect) fn len(&self) -> usize {
        let both =
            |name: &Raw, value: &Raw| name.as_bytes().len().saturating_add(value.as_bytes().len());
        match self {
            Self::Url(raw) | Self::Text(raw) => raw.as_bytes().len(),
            Self::Header { name, value } => name.len().saturating_add(value.as_bytes().len()),
            Self::Pair { key, value, .. } => both(key, value),
            Self::Members { members, .. } => {
                let all = members.iter().map(|(name, value)| both(name, value));
                all.fold(0, usize::saturating_add)
            }
            Self::Body { bytes, .. } => bytes.as_bytes().len(),
        }
    }
}

/// Which store a pair lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    /// `Cookie`, `Set-Cookie`, a cookie jar.
    Cookie,
    /// Local storage.
    LocalStorage,
    /// Session storage.
    SessionStorage,
    /// Values that the browser offers in forms.
    Autofill,
    /// A login column of a log (`%u`, `username`, `password` of Zeek).
    LogField,
    /// An object store of IndexedDB.
    IndexedDb,
    /// The storage of a browser extension.
    Extension,
}

impl Store {
    /// Every store.
    pub const ALL: [Self; 7] = [
        Self::Cookie,
        Self::LocalStorage,
        Self::SessionStorage,
        Self::Autofill,
        Self::LogField,
        Self::IndexedDb,
        Self::Extension,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::LocalStorage => "local_storage",
            Self::SessionStorage => "session_storage",
            Self::Autofill => "autofill",
            Self::LogField => "log_field",
            Self::IndexedDb => "indexed_db",
            Self::Extension => "extension",
        }
    }
}

/// What every reader is given beside its evidence.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Needles and log formats.
    pub rules: &'a Rules,
    /// Zone of logs that state none; UTC when not given.
    pub log_timezone: Option<&'a jiff::tz::TimeZone>,
    /// Whether databases are searched for bytes that no row uses any more.
    pub residue: bool,
}

/// Takes observations, in their order, from one thread or from several.
pub type Observe<'a> = dyn FnMut(Observation) + Send + 'a;

/// Where a reader puts what it finds.
pub struct Sink<'a> {
    /// Takes an observation.
    pub observe: &'a mut Observe<'a>,
    /// Takes a reason why a part was not read. The source becomes `partial`.
    pub problem: &'a mut dyn FnMut(ReadError),
}

/// One kind of evidence: two plain functions and a name.
#[derive(Debug)]
pub struct Reader {
    /// The name on the wire and for `--type`.
    pub name: &'static str,
    /// Whether this reader knows the evidence: by content first, by name second.
    pub claims: fn(&Evidence, &Context<'_>) -> bool,
    /// Reads it to its end. An error means that nothing more can be read; what was put into the sink is kept.
    pub read: fn(&Evidence, &Arc<Source>, &Context<'_>, &mut Sink<'_>) -> Result<(), ReadError>,
}

/// All readers; the first that claims the evidence reads it. Logs come last: they hold everything that is text.
pub static READERS: &[&Reader] = &[
    &browser::CHROMIUM,
    &browser::FIREFOX,
    &browser::SAFARI,
    &browser::EPIPHANY,
    &browser::QUTEBROWSER,
    &browser::CHROMIUM_STORES,
    &browser::FIREFOX_STORES,
    &browser::SAFARI_STORES,
    &browser::JSON,
    &browser::BINARY_COOKIES,
    &browser::EPIPHANY_SESSION,
    &browser::INTERNET_EXPLORER,
    &leveldb::READER,
    &snss::READER,
    &cache::CHROMIUM_CACHE,
    &cache::CHROMIUM_BLOCK_CACHE,
    &cache::FIREFOX_CACHE,
    &cache::WEBKIT_CACHE,
    &session::FIREFOX_SESSION,
    &plist::SAFARI_PLIST,
    &har::READER,
    &capture::MITMPROXY,
    &capture::BURP,
    &capture::FIDDLER,
    &foreign::DISK_IMAGE,
    &foreign::PACKET_CAPTURE,
    &foreign::OTHER_LOG,
    &foreign::OTHER_ARCHIVE,
    &foreign::SIDECAR,
    &journal::JOURNAL,
    &log::LOG,
];
