//! The strings of a session file that may hold something, by the part of the file that they stand in. Every string of
//! the document is looked at, known place or not.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::atoms::rules::Needles;
use crate::atoms::{Basis, Locator, Place, Raw, Source, View, When, Zone};
use crate::collect::browser::epoch;
use crate::collect::har::parts;
use crate::collect::json::{Value, unescape};
use crate::collect::sqlite::Number;
use crate::collect::{Observation, Payload, ReadError, Sink, Store, Via};

/// Objects and arrays inside each other that are entered. Frames in frames take four each; Firefox shows ten deep
/// (`kMaxFrameDepth`). Looking into a value costs its length at each level.
const MAX_DEPTH: usize = 48;

/// Members that are named in a place; any other name may be evidence itself and is counted instead.
const NAMED: &[&str] = &[
    "windows",
    "tabs",
    "entries",
    "children",
    "url",
    "originalURI",
    "resultPrincipalURI",
    "referrer",
    "referrerInfo",
    "title",
    "postdata_b64",
    "structuredCloneState",
    "_closedTabs",
    "_closedWindows",
    "closedGroups",
    "savedGroups",
    "state",
    "storage",
    "cookies",
    "value",
    "formdata",
    "id",
    "xpath",
    "userTypedValue",
    "image",
    "iconLoadingPrincipal",
    "extData",
    "triggeringPrincipal_base64",
    "principalToInherit_base64",
    "partitionedPrincipalToInherit_base64",
    "session",
    "global",
];

/// Walks a document.
pub(super) fn document(json: &[u8], source: &Arc<Source>, needles: &Needles, sink: &mut Sink<'_>) {
    let start = usize::from(json.starts_with(b"("));
    let mut walk = Walk {
        source,
        needles,
        sink,
        pointer: Vec::new(),
        too_deep: false,
    };
    let Some(mut root) = Value::at(json, start) else {
        walk.problem("is no JSON inside its wrapping; it was left alone");
        return;
    };
    walk.value(root, Part::Other, None);
    // A document that another follows is none, and the other is not lost.
    let is_walked = |value: &Value<'_>| value.is_object() || value.is_array();
    while let Some(next) = Value::at(json, root.end()).filter(is_walked) {
        root = next;
        walk.value(root, Part::Other, None);
    }
    if walk.too_deep {
        (walk.sink.problem)(ReadError::Limit(
            format!("nests deeper than {MAX_DEPTH} levels; what is below was searched as text")
                .into(),
        ));
    }
    if !root.whole {
        walk.problem("ends inside a JSON value; what was whole was read");
    } else if !walk.too_deep && !is_document(json) {
        walk.problem(
            "is no whole JSON document; in each part of it, what comes before the damage was read, copy it again for the rest",
        );
    }
}

/// Whether it is JSON from its first byte to its last, or in brackets as old Firefox wrote it. Members behind a byte
/// that is wrong are not walked, in whichever object it is.
fn is_document(json: &[u8]) -> bool {
    let inside = json
        .trim_ascii()
        .strip_prefix(b"(")
        .and_then(|json| json.strip_suffix(b")"));
    serde_json::from_slice::<serde::de::IgnoredAny>(inside.unwrap_or(json)).is_ok()
}

/// Which part of a session a value is, where that decides what its strings are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Other,
    /// Items are cookies.
    Cookies,
    /// Members are origins, whose members are pairs.
    Storage,
    /// Members are pairs of this origin.
    Origin(&'a [u8]),
    /// Members are fields of a form on this page.
    Form(&'a [u8]),
}

struct Walk<'a, 's> {
    source: &'a Arc<Source>,
    needles: &'a Needles,
    sink: &'a mut Sink<'s>,
    pointer: Vec<String>,
    too_deep: bool,
}

impl Walk<'_, '_> {
    fn problem(&mut self, reason: &str) {
        (self.sink.problem)(ReadError::Malformed(reason.into()));
    }

    fn value(&mut self, value: Value<'_>, part: Part<'_>, at: Option<Timestamp>) {
        if value.is_object() || value.is_array() {
            if self.pointer.len() >= MAX_DEPTH {
                self.below(value, at);
            } else if value.is_object() {
                self.object(value, part, at);
            } else {
                for (index, item) in value.items().enumerate() {
                    self.pointer.push(index.to_string());
                    match part {
                        Part::Cookies => self.cookie(item),
                        _ => self.value(item, part, at),
                    }
                    self.pointer.pop();
                }
            }
        } else if let Some((offset, content)) = value.content() {
            self.string(offset, content, b"", at);
        }
    }

    /// What lies too deep, as text.
    fn below(&mut self, value: Value<'_>, at: Option<Timestamp>) {
        self.too_deep = true;
        if self.needles.hit(value.raw) {
            let text = Payload::Text(Raw::new(value.raw));
            self.observe(value.start, Via::Text, at, text);
        }
    }

    fn object(&mut self, object: Value<'_>, part: Part<'_>, at: Option<Timestamp>) {
        let (own, seen) = page(object);
        let at = seen.or(at);
        // The page of a form is told inside it.
        let part = match part {
            Part::Form(_) if !own.is_empty() => Part::Form(&own),
            other => other,
        };
        for (index, (name, value)) in object.members().enumerate() {
            let known = NAMED.iter().find(|known| known.as_bytes() == &*name);
            let step = known.map_or_else(|| index.to_string(), |known| (*known).to_owned());
            self.pointer.push(step);
            match (part, &*name) {
                (Part::Storage, origin) => self.value(value, Part::Origin(origin), at),
                (Part::Origin(origin), name) => {
                    self.pair(value, Store::SessionStorage, origin, name, at);
                }
                (Part::Form(page), b"id" | b"xpath") => self.value(value, Part::Form(page), at),
                (Part::Form(page), name) if name != b"url" => {
                    let field = field_name(name);
                    self.pair(value, Store::Autofill, page, field, at);
                }
                (Part::Other, b"cookies") => self.value(value, Part::Cookies, at),
                (Part::Other, b"storage") => self.value(value, Part::Storage, at),
                (Part::Other, b"formdata") => self.value(value, Part::Form(&own), at),
                (_, name) => self.member(name, value, &own, at),
            }
            self.pointer.pop();
        }
    }

    /// A member without a special place.
    fn member(&mut self, name: &[u8], value: Value<'_>, own: &[u8], at: Option<Timestamp>) {
        let Some((offset, content)) = value.content() else {
            return self.value(value, Part::Other, at);
        };
        match name {
            // The page's URL again.
            b"originalURI" | b"resultPrincipalURI" if value.text().as_deref() == Some(own) => {}
            b"postdata_b64" => self.posted(offset, &parts::base64(content), at),
            // Serialised objects with URLs, and what `history.pushState` was given, in base64.
            b"referrerInfo" | b"structuredCloneState" => {
                self.runs(offset, &parts::base64(content), at);
            }
            _ => self.string(offset, content, name, at),
        }
    }

    /// Text or a URL; `name` is the member's.
    fn string(&mut self, offset: usize, content: &[u8], name: &[u8], at: Option<Timestamp>) {
        let text = unescape(content);
        if parts::is_url(&text) {
            if self.needles.hit(&text) {
                self.observe(offset, Via::Unknown, at, Payload::Url(Raw::new(text)));
            }
        } else if self.needles.hit(&text) {
            self.observe(offset, Via::Text, at, Payload::Text(Raw::new(text)));
        } else {
            // A name that is a needle, with its value.
            let pair = [b"\"", name, b"\":\"", &text, b"\""].concat();
            if !name.is_empty() && self.needles.hit(&pair) {
                self.observe(offset, Via::Text, at, Payload::Text(Raw::new(pair)));
            }
        }
    }

    /// A named value in a store; one that is no string is looked into.
    fn pair(
        &mut self,
        value: Value<'_>,
        store: Store,
        origin: &[u8],
        key: &[u8],
        at: Option<Timestamp>,
    ) {
        let (Some(text), Some((offset, _))) = (value.text(), value.content()) else {
            return self.value(value, Part::Other, at);
        };
        if self.needles.hit(&[key, b"=", &text].concat()) {
            let payload = Payload::Pair {
                store,
                origin: place_of(origin),
                key: Raw::new(key),
                value: Raw::new(text),
            };
            self.observe(offset, Via::Stored, at, payload);
        }
    }

    /// A cookie of the session, which lies in no other file.
    fn cookie(&mut self, cookie: Value<'_>) {
        let text = |name| cookie.get(name).and_then(Value::text);
        let (Some(name), Some(value)) = (text("name"), cookie.get("value")) else {
            return;
        };
        let host = text("host").unwrap_or_default();
        let host = host.strip_prefix(b".").unwrap_or(&host);
        self.pointer.push("value".into());
        self.pair(value, Store::Cookie, host, &name, None);
        self.pointer.pop();
    }

    /// What a form sent: headers, an empty line, the body (`SessionHistory.sys.mjs`).
    fn posted(&mut self, offset: usize, bytes: &[u8], at: Option<Timestamp>) {
        let split = memchr::memmem::find(bytes, b"\r\n\r\n");
        let (head, body) = match split {
            Some(end) => (
                bytes.get(..end).unwrap_or_default(),
                bytes.get(end.saturating_add(4)..).unwrap_or_default(),
            ),
            None => (&[][..], bytes),
        };
        if !self.needles.hit(body) {
            return;
        }
        let mime = head
            .split(|byte| *byte == b'\n')
            .filter_map(|line| line.split_at_checked(13))
            .find(|(name, _)| name.eq_ignore_ascii_case(b"content-type:"));
        let mime = mime.map_or_else(
            || "application/x-www-form-urlencoded".to_owned(),
            |(_, mime)| String::from_utf8_lossy(mime.trim_ascii()).to_ascii_lowercase(),
        );
        let payload = Payload::Body {
            mime: mime.into(),
            bytes: Raw::new(body),
        };
        self.observe(offset, Via::Request, at, payload);
    }

    /// The printable runs of bytes whose structure is not known.
    fn runs(&mut self, offset: usize, bytes: &[u8], at: Option<Timestamp>) {
        for run in bytes.split(|byte| *byte < b' ' || *byte >= 0x7f) {
            if !self.needles.hit(run) {
                continue;
            }
            // A length before a URL may be printable too.
            let url = memchr::memmem::find(run, b"http").and_then(|start| run.get(start..));
            let payload = match url.filter(|url| parts::is_url(url)) {
                Some(url) => Payload::Url(Raw::new(url)),
                None => Payload::Text(Raw::new(run)),
            };
            self.observe(offset, Via::Unknown, at, payload);
        }
    }

    fn observe(&mut self, offset: usize, via: Via, at: Option<Timestamp>, payload: Payload) {
        (self.sink.observe)(Observation {
            place: Place {
                source: Arc::clone(self.source),
                locator: Locator::Record {
                    file: "json".into(),
                    key: format!("/{}", self.pointer.join("/")).into(),
                    sequence: offset as u64,
                },
                view: View::Live,
            },
            at: at.map(|instant| When {
                instant,
                basis: Basis::LastVisit,
                // An epoch fixes the zone.
                zone: Zone::Stated,
            }),
            via,
            visit: None,
            exchange: None,
            payload,
        });
    }
}

/// The URL of a page, and when its tab was last looked at or its window closed: no page of it came later.
fn page(object: Value<'_>) -> (Cow<'_, [u8]>, Option<Timestamp>) {
    let (mut url, mut accessed, mut closed) = (Cow::default(), None, None);
    for (name, value) in object.members() {
        let time = || epoch::unix(Number::Real(value.number()?));
        match &*name {
            b"url" => url = value.text().unwrap_or_default(),
            b"lastAccessed" => accessed = time(),
            b"closedAt" => closed = time(),
            _ => {}
        }
    }
    (url, accessed.or(closed))
}

/// The origin of a URL, or a host that stands alone as that of a cookie does. Anything else may be evidence itself.
fn place_of(text: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(text).ok()?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let end = rest.find(['/', '?', '#', '^']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]+".contains(&byte);
    let is_named = !host.is_empty() && host.bytes().chain(scheme.bytes()).all(named);
    is_named.then(|| match scheme {
        "" => host.into(),
        scheme => format!("{scheme}://{host}").into(),
    })
}

/// The name of a field in the path to it: `/xhtml:html/…/xhtml:input[@name='code']`; its `id` otherwise.
fn field_name(path: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"[@name='";
    let start = memchr::memmem::rfind(path, MARK).map(|at| at.saturating_add(MARK.len()));
    let name = start.and_then(|start| path.get(start..)).unwrap_or(path);
    name.strip_suffix(b"']").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Rules;

    fn walked(json: &str) -> (Vec<Observation>, Vec<String>) {
        let rules = Rules::builtin().unwrap();
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        document(
            json.as_bytes(),
            &Arc::new(Source::default()),
            &rules.needles,
            &mut Sink {
                observe: &mut |observation| found.push(observation),
                problem: &mut |problem| problems.push(problem.to_string()),
            },
        );
        (found, problems)
    }

    #[test]
    fn what_lies_too_deep_is_searched_as_text() {
        let json = format!(
            "{}\"access_token=aB3dE5fG7hJ9kL1m\"{}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        let (found, problems) = walked(&json);
        assert!(matches!(found.as_slice(), [one] if matches!(one.payload, Payload::Text(_))));
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_byte_that_is_wrong_is_told() {
        let whole = r#"{"windows":[{"tabs":[]}],"_closedWindows":[{"tabs":[{"entries":[{"url":"https://a.example/#access_token=aB3dE5fG7hJ9kL1m"}]}]}]}"#;
        for json in [whole, &format!("({whole})\n"), &format!(" {whole} ")] {
            let (found, problems) = walked(json);
            assert_eq!((found.len(), problems.len()), (1, 0), "{problems:?}");
        }
        let (in_root, after_root) = (whole.replacen("],", "];", 1), whole.replacen('}', "}}", 2));
        for json in [in_root, after_root, format!("({whole}")] {
            let (_, problems) = walked(&json);
            assert_eq!(problems.len(), 1, "{json}: {problems:?}");
        }
    }

    #[test]
    fn names_that_are_evidence_are_not_in_a_place() {
        let json = r#"{"windows":[{"tabs":[{"storage":{"https://app.example":{"eyJhbGciOiJIUzI1NiJ9.x":{"access_token":"aB3dE5fG7hJ9kL1m"}}}}]}]}"#;
        let (found, _) = walked(json);
        let [one] = found.as_slice() else {
            panic!("{found:?}")
        };
        let Locator::Record { key, .. } = &one.place.locator else {
            panic!()
        };
        assert_eq!(&**key, "/windows/0/tabs/0/storage/0/0/0");
    }

    #[test]
    fn an_origin_is_told_without_what_may_follow_it() {
        for (text, place) in [
            (
                "https://app.example^partitionKey=%28x%29",
                Some("https://app.example"),
            ),
            (
                "https://app.example:8443/a?token=b#c",
                Some("https://app.example:8443"),
            ),
            ("app.example", Some("app.example")),
            ("https://user:secret@app.example/", None),
            ("", None),
        ] {
            assert_eq!(place_of(text.as_bytes()).as_deref(), place, "{text}");
        }
    }

    #[test]
    fn names_of_form_fields_are_taken_out_of_their_paths() {
        assert_eq!(
            field_name(b"/xhtml:html/xhtml:input[@name='code']"),
            b"code"
        );
        assert_eq!(field_name(b"code"), b"code");
        assert_eq!(field_name(b"[@name='"), b"");
    }
}
