//! What the parts of a record say of its request, together: URL, method, status, host. Hands on nothing.

use std::borrow::Cow;
use std::sync::Arc;

use super::columns;
use super::observe::Spot;
use super::record::{Part, best};
use crate::atoms::rules::log_format::Role;
use crate::atoms::{Digest, JoinKey, KeyKind, Method, Raw};
use crate::collect::Exchange;

/// Longest host name (RFC 1035 §2.3.4), a port, and brackets.
const MAX_HOST: usize = 270;

/// What the parts say of the request, together.
#[derive(Default)]
pub(super) struct Request<'p> {
    /// URLs or targets of the request, none a part of another; the fullest first.
    pub(super) urls: Vec<Cow<'p, [u8]>>,
    method: Option<Method>,
    status: Option<u16>,
    host: Option<Box<str>>,
}

impl<'p> Request<'p> {
    pub(super) fn of(parts: &'p [Part<'_>]) -> Self {
        let value = |role| best(parts, role);
        let line = value(Role::Request).map(request_line);
        let query = value(Role::Query);
        let target = value(Role::Target)
            .map(|target| columns::join(target, query.unwrap_or_default()))
            .or_else(|| query.map(|query| columns::join(b"", query)));
        let line_target = line.map(|(_, target)| Cow::Borrowed(target));
        let absolute = value(Role::Url).map(Cow::Borrowed);
        let mut urls: Vec<Cow<'_, [u8]>> = Vec::new();
        for url in [absolute, line_target, target].into_iter().flatten() {
            let known = urls.iter().any(|other| contains(other, &url));
            if starts_url(&url) && !known {
                urls.retain(|other| !contains(&url, other));
                urls.push(url);
            }
        }
        let header = |name: &[u8]| {
            let headers = parts
                .iter()
                .filter(|part| part.role == Some(Role::RequestHeaders));
            let mut named = headers.filter(|part| part.name.eq_ignore_ascii_case(name));
            named.next().map(|part| &*part.value)
        };
        let method = line.and_then(|(method, _)| method).or(value(Role::Method));
        Self {
            method: method.and_then(|name| Method::of(name.trim_ascii())),
            status: value(Role::Status).and_then(status),
            host: value(Role::Host)
                .or_else(|| header(b"host"))
                .and_then(|host| short(host, MAX_HOST)),
            urls,
        }
    }

    pub(super) fn exchange(&self, spot: &Spot<'_>) -> Option<Arc<Exchange>> {
        let [number, ordinal] = spot.record.map(u64::to_le_bytes);
        let url = self.urls.first();
        if url.is_none() && self.status.is_none() && self.method.is_none() {
            return None;
        }
        Some(Arc::new(Exchange {
            key: JoinKey {
                kind: KeyKind::Exchange,
                digest: Digest::of([spot.digest.as_bytes().as_slice(), &number, &ordinal]),
            },
            method: self.method,
            status: self.status,
            url: Raw::new(url.map_or(&[][..], |url| url)),
            host: self.host.clone(),
        }))
    }

    /// Who received the request, and its `Referer`.
    pub(super) fn host_or_authority(&self) -> Option<Box<str>> {
        self.host.clone().or_else(|| {
            let url = self.urls.first()?;
            let start = memchr::memmem::find(url, b"://")? + 3;
            let rest = url.get(start..)?;
            let end = rest
                .iter()
                .position(|byte| b"/?#".contains(byte))
                .unwrap_or(rest.len());
            let authority = rest.get(..end)?;
            let host = authority.rsplit(|byte| *byte == b'@').next()?;
            short(host, MAX_HOST)
        })
    }
}

/// Method and target of a request line. The version may be cut off, and the target may hold blanks.
pub(super) fn request_line(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = memchr::memchr(b' ', line).unwrap_or(0);
    let (first, rest) = line.split_at_checked(end).unwrap_or((&[], line));
    let is_method = !first.is_empty()
        && first
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(byte));
    let (method, rest) = if is_method {
        (Some(first), rest)
    } else {
        (None, line)
    };
    let rest = rest.trim_ascii_start();
    let version = memchr::memrchr(b' ', rest).and_then(|at| rest.split_at_checked(at));
    let target = match version {
        Some((target, version)) if version.starts_with(b" HTTP/") => target,
        _ => rest,
    };
    (method, target)
}

fn status(value: &[u8]) -> Option<u16> {
    let status = std::str::from_utf8(value).ok()?.parse().ok()?;
    (100..1000).contains(&status).then_some(status)
}

/// Whether a value starts as a URL does: with a scheme, a path or a query.
pub(super) fn starts_url(value: &[u8]) -> bool {
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme = value.iter().take_while(|byte| is_of_scheme(byte)).count();
    let behind = value.get(scheme..).unwrap_or_default();
    matches!(value, [b'/' | b'?', ..]) || scheme > 0 && behind.starts_with(b"://")
}

pub(super) fn contains(outer: &[u8], inner: &[u8]) -> bool {
    // The usual case first: building a searcher costs more than the comparison.
    outer == inner || memchr::memmem::find(outer, inner).is_some()
}

fn short(value: &[u8], max: usize) -> Option<Box<str>> {
    let text = std::str::from_utf8(value).ok()?.trim();
    (!text.is_empty() && text != "-" && text.len() <= max).then(|| text.into())
}
