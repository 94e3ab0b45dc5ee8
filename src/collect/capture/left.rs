//! What a flow holds beside what is read as HTTP: members of other names, names that stand there twice, and what damage
//! has cut off. Nothing of it is lost, and nothing told twice.

use std::collections::BTreeMap;

use super::http::Found;
use super::tnet::Value;
use crate::atoms::Raw;
use crate::collect::names::public_name;
use crate::collect::{Payload, Via};

/// Members of a flow, of its request and of its response that are read as what they are.
const READ: [&[u8]; 18] = [
    b"authority",
    b"backup",
    b"body",
    b"code",
    b"content",
    b"headers",
    b"host",
    b"http_version",
    b"method",
    b"path",
    b"port",
    b"request",
    b"response",
    b"scheme",
    b"status_code",
    b"timestamp_end",
    b"timestamp_start",
    b"websocket",
];

/// Values inside values that are followed, the flow itself the first. A header in the response of a backup is the
/// fifth.
pub(super) const LEVELS: usize = 16;

/// Hands on the texts of all that is read as nothing else: comments, metadata, trailers, whatever later versions add,
/// and all but the last of what is read and stands there twice. So many levels are followed below the state.
pub(super) fn others<'a>(state: Value<'a>, levels: usize, found: &mut dyn FnMut(Found)) {
    let below = levels.saturating_sub(1);
    let sides = [("/request", "request"), ("/response", "response")];
    let sides = sides.map(|(path, name)| (path, state.get(name), below));
    for (path, value, levels) in [("", Some(state), levels)].into_iter().chain(sides) {
        let Some(value) = value else {
            continue;
        };
        let read = read(value);
        for (name, member) in value.members() {
            if read.get(name) == Some(&member.at) {
                continue;
            }
            let shown = public_name(std::str::from_utf8(name).unwrap_or_default());
            let shown = if shown.is_empty() { "*" } else { shown };
            texts(name, member, levels, &mut |name, value: Value<'a>| {
                let line = [b"\"", name, b"\":\"", value.content, b"\""].concat();
                found(text(value.at, format!("{path}/{shown}"), line));
            });
        }
    }
}

/// Where the members stand that are read as what they are: of each name the last.
fn read(value: Value<'_>) -> BTreeMap<&[u8], usize> {
    let mut places = BTreeMap::new();
    for (name, member) in value.members().filter(|(name, _)| READ.contains(name)) {
        places.insert(name, member.at);
    }
    places
}

/// Hands on the texts in a value, each with the name that it goes by. Two in a list are a name and a value, as headers
/// are.
fn texts<'a>(
    name: &'a [u8],
    value: Value<'a>,
    levels: usize,
    found: &mut dyn FnMut(&'a [u8], Value<'a>),
) {
    if value.text().is_some() {
        found(name, value);
        return;
    }
    // What lies deeper is not reached, and is handed on as that.
    let Some(levels) = levels.checked_sub(1) else {
        return;
    };
    if !value.is_list() {
        for (name, member) in value.members() {
            texts(name, member, levels, found);
        }
        return;
    }
    let mut items = value.items();
    let pair = (items.next(), items.next(), items.next());
    if let (Some(first), Some(second), None) = pair
        && let Some(name) = first.text()
        && second.text().is_some()
    {
        found(name, second);
        return;
    }
    for item in value.items() {
        texts(name, item, levels, found);
    }
}

/// Whether there is something in a flow that is not reached.
pub(super) fn is_damaged(state: Value<'_>) -> bool {
    let mut any = false;
    state.unread(LEVELS, &mut |_, _| any = true);
    any
}

/// Hands on what is not reached, as it stands.
pub(super) fn unread(state: Value<'_>, found: &mut dyn FnMut(Found)) {
    state.unread(LEVELS, &mut |at, bytes| {
        found(text(at, "/*".to_owned(), bytes.to_vec()));
    });
}

fn text(offset: usize, pointer: String, text: Vec<u8>) -> Found {
    Found {
        offset,
        pointer,
        via: Via::Text,
        at: None,
        payload: Payload::Text(Raw::new(text)),
    }
}
