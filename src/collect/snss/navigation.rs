//! One navigation of a tab: its URL, its title, the page before it, what was asked for at first, when; and the
//! state of its page. Field order: `serialized_navigation_entry.cc`.

use std::sync::Arc;

use super::page_state::{self, Frame, MAX_FIELDS};
use super::pickle::Pickle;
use crate::atoms::rules::Needles;
use crate::atoms::{
    Basis, Digest, JoinKey, KeyKind, Locator, Method, Place, Raw, Source, View, When, Zone,
};
use crate::collect::browser::{chromium_time, chromium_via};
use crate::collect::charset::utf16le;
use crate::collect::v8::{self, Value};
use crate::collect::{Context, Exchange, Observation, Payload, ReadError, Sink, Store, Via};

/// Where the finds of one command go.
pub(super) struct Out<'a, 's> {
    source: &'a Arc<Source>,
    file: &'a str,
    command: u64,
    needles: &'a Needles,
    sink: &'a mut Sink<'s>,
    at: Option<When>,
}

/// What a navigation says of itself.
struct Navigation<'a> {
    url: &'a [u8],
    title: &'a [u8],
    state: &'a [u8],
    transition: i32,
    referrer: &'a [u8],
    original: &'a [u8],
    at: i64,
    status: Option<u16>,
}

/// Reads a command that updates a navigation; any other with its id is no such pickle, and is passed over.
pub(super) fn read(payload: &[u8], out: &mut Out<'_, '_>) {
    let Some(navigation) = Pickle::new(payload).and_then(navigation) else {
        return;
    };
    out.at = chromium_time(navigation.at).map(|instant| When {
        instant,
        basis: Basis::Visit,
        zone: Zone::Stated,
    });
    let via = chromium_via(navigation.transition);
    out.url(navigation.url, via.clone());
    out.text(&utf16le(navigation.title));
    out.url(navigation.referrer, referer(navigation.url));
    if navigation.original != navigation.url {
        out.url(navigation.original, Via::Unknown);
    }
    if navigation.state.is_empty() {
        return;
    }
    let whole = page_state::frames(navigation.state, &mut |frame| {
        out.frame(&frame, &navigation, &via);
    });
    if !whole {
        out.unread_state();
    }
}

fn navigation(mut pickle: Pickle<'_>) -> Option<Navigation<'_>> {
    let (_tab, _index) = (pickle.int()?, pickle.int()?);
    let url = pickle.data()?;
    let title = pickle.wide()?;
    let state = pickle.data()?;
    let transition = pickle.int()?;
    let mut navigation = Navigation {
        url,
        title,
        state,
        transition,
        referrer: b"",
        original: b"",
        at: 0,
        status: None,
    };
    // What follows came with later versions.
    let _later = later(&mut pickle, &mut navigation);
    Some(navigation)
}

fn later<'a>(pickle: &mut Pickle<'a>, navigation: &mut Navigation<'a>) -> Option<()> {
    let _has_post_data = pickle.int()?;
    navigation.referrer = pickle.data()?;
    let _obsolete_policy = pickle.int()?;
    navigation.original = pickle.data()?;
    let _overrides_user_agent = pickle.int()?;
    navigation.at = pickle.long()?;
    let _search_terms = pickle.wide()?;
    navigation.status = u16::try_from(pickle.int()?)
        .ok()
        .filter(|status| *status > 0);
    Some(())
}

impl<'a, 's> Out<'a, 's> {
    pub(super) fn new(
        source: &'a Arc<Source>,
        file: &'a str,
        command: u64,
        context: &Context<'a>,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        Self {
            source,
            file,
            command,
            needles: &context.rules.needles,
            sink,
            at: None,
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, navigation: &Navigation<'_>, via: &Via) {
        let url = frame.url.as_bytes();
        if !frame.is_top {
            self.url(url, Via::Subframe);
        } else if url != navigation.url {
            self.url(url, via.clone());
        }
        if !frame.is_top || frame.referrer.as_bytes() != navigation.referrer {
            self.url(frame.referrer.as_bytes(), referer(url));
        }
        if self.needles.hit(&frame.body) {
            let exchange = self.exchange(frame, navigation);
            let payload = Payload::Body {
                mime: frame.mime.to_ascii_lowercase().into(),
                bytes: Raw::new(frame.body.as_slice()),
            };
            self.observe(payload, Via::Request, Some(exchange));
        }
        for state in &frame.states {
            if let Some(Value::Text(text) | Value::Json(text)) = v8::decode(state) {
                self.text(&text);
            }
        }
        let origin = origin(&frame.url);
        for (name, value) in &frame.fields {
            if self.needles.hit(format!("{name}={value}").as_bytes()) {
                let payload = Payload::Pair {
                    store: Store::Autofill,
                    origin: Some(origin.into()),
                    key: Raw::new(name.as_str()),
                    value: Raw::new(value.as_str()),
                };
                self.observe(payload, Via::Stored, None);
            }
        }
        if frame.more_fields {
            (self.sink.problem)(ReadError::Limit(
                format!("a page has more than {MAX_FIELDS} strings in its forms; those behind them were not read").into(),
            ));
        }
    }

    /// The request that a form was sent with.
    fn exchange(&self, frame: &Frame<'_>, navigation: &Navigation<'_>) -> Arc<Exchange> {
        let source = self.source.digest();
        let parts = [
            b"session".as_slice(),
            source.as_bytes().as_slice(),
            &self.command.to_le_bytes(),
            frame.url.as_bytes(),
        ];
        Arc::new(Exchange {
            key: JoinKey {
                kind: KeyKind::Exchange,
                digest: Digest::of(parts),
            },
            method: Method::of(b"POST"),
            status: navigation.status.filter(|_| frame.is_top),
            url: Raw::new(frame.url.as_str()),
            host: None,
        })
    }

    fn url(&mut self, url: &[u8], via: Via) {
        if self.needles.hit(url) {
            self.observe(Payload::Url(Raw::new(url)), via, None);
        }
    }

    fn text(&mut self, text: &str) {
        if self.needles.hit(text.as_bytes()) {
            self.observe(Payload::Text(Raw::new(text)), Via::Text, None);
        }
    }

    fn unread_state(&mut self) {
        (self.sink.problem)(ReadError::Unsupported(
            "the state of some pages is damaged or of a version that is not read; their URLs were read".into(),
        ));
    }

    fn observe(&mut self, payload: Payload, via: Via, exchange: Option<Arc<Exchange>>) {
        (self.sink.observe)(Observation {
            place: Place {
                source: self.source.clone(),
                locator: Locator::Record {
                    file: self.file.into(),
                    key: Box::default(),
                    sequence: self.command,
                },
                view: View::Live,
            },
            at: self.at,
            via,
            visit: None,
            exchange,
            payload,
        });
    }
}

/// The beginning of a frame's URL, which stands with each value that was typed into it.
fn origin(url: &str) -> &str {
    /// More than any origin and path. A frame may have ten thousand values.
    const MAX_ORIGIN: usize = 8 << 10;
    url.get(..url.floor_char_boundary(MAX_ORIGIN))
        .unwrap_or(url)
}

/// To whom the page before told its URL: the host of this one.
fn referer(url: &[u8]) -> Via {
    let text = String::from_utf8_lossy(url);
    let rest = text.split_once("://").map(|(_, rest)| rest);
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = authority.map(|authority| authority.rsplit('@').next().unwrap_or(authority));
    Via::Referer {
        sent_to: host.map(Into::into),
    }
}
