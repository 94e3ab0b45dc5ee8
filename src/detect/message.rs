//! What one observation holds before it is judged: messages, and the named values in them. Reads the
//! payload's outer form and hands what is inside to the rooms that know it.

use super::encoding;
use super::jwt::Jwt;
use super::saml::{self, Saml};
use super::url::Url;
use super::{Decoding, body, fragment, header, open, pem, rewritten, text, url};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crate::atoms::rules::{Name, Rule, Rules};
use crate::atoms::{Raw, Slot};
use crate::collect::{Observation, Payload, Store};

/// Messages of one observation. A page with more links that carry tokens than this says nothing new.
pub(super) const MAX_MESSAGES: usize = 1024;

/// Named values of one message. A JSON document may hold a list of all API keys.
pub(super) const MAX_FIELDS: usize = 8192;

/// Whether a bound was reached, so that something in the observation may not have been looked at.
pub(super) fn is_cut_short(messages: &[Message]) -> bool {
    messages.len() >= MAX_MESSAGES
        || messages
            .iter()
            .any(|message| message.fields.len() >= MAX_FIELDS)
}

/// One message, or what may be one.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Its URL, when it is one.
    pub url: Option<Url>,
    /// Which part of the observation it is.
    pub form: Form,
    /// Its named values, in order of appearance.
    pub fields: Vec<Field>,
    /// Decodings between the evidence and the message.
    pub nesting: Vec<Decoding>,
    /// How many messages it lies in.
    pub depth: usize,
}

/// Which part of the observation a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Form {
    /// A URL, also one inside another message.
    Url,
    /// A header.
    Header,
    /// A stored pair.
    Pair(Store),
    /// Members of an object in a log record.
    Members,
    /// Fields of a form in a body: sent, or waiting in an HTML page.
    Fields,
    /// A JSON document in a body.
    Json,
    /// Running text.
    #[default]
    Text,
    /// JSON, or form data, inside a parameter.
    Inner,
}

/// One named value.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// As found, one layer of escaping undone.
    pub name: String,
    /// In words.
    pub key: Name,
    /// One layer of escaping undone: what is opened.
    pub value: String,
    /// To a fixed point: what is judged.
    pub canonical: String,
    /// Where it sat.
    pub slot: Slot,
    /// Decodings between the message and the value.
    pub nesting: Vec<Decoding>,
    /// Values with the same number stand beside each other: one JSON object, one query.
    pub group: u32,
    /// The rule that found it by its place in a path.
    pub rule: Option<Arc<Rule>>,
    jwt: OnceCell<Option<Jwt>>,
    saml: OnceCell<Option<Box<Saml>>>,
}

impl Field {
    /// A field from a name and a value without escaping.
    pub(super) fn new(name: &str, value: String, slot: Slot) -> Self {
        let canonical = encoding::canonical(&value);
        let mut key = Name::new(name);
        let mut nesting = Vec::new();
        let canonical = if let Some((private, hidden)) = pem::in_value(&canonical) {
            nesting.extend(hidden.then_some(Decoding::Base64));
            private
        } else if let Some(token) = header::bearer(&canonical) {
            if key.key.ends_with("authorization") {
                key = Name::new("authorization_bearer");
            }
            token.to_owned()
        } else {
            canonical.into_owned()
        };
        Self {
            name: name.to_owned(),
            key,
            value,
            canonical,
            slot,
            nesting,
            group: 0,
            rule: None,
            jwt: OnceCell::new(),
            saml: OnceCell::new(),
        }
    }

    /// The JWT that it is, decoded when it is first asked for and held while its observation is looked at.
    pub(super) fn jwt(&self) -> Option<&Jwt> {
        let decode = || Jwt::decode(&self.canonical);
        self.jwt.get_or_init(decode).as_ref()
    }

    /// The SAML message that it is, decoded when it is first asked for.
    pub(super) fn saml(&self) -> Option<&Saml> {
        let read = || saml::read(&self.canonical).map(Box::new);
        self.saml.get_or_init(read).as_deref()
    }
}

/// All messages in an observation, outermost first.
pub(super) fn messages(observation: &Observation, rules: &Rules) -> Vec<Message> {
    // Nearly all hold one.
    let mut out = Vec::with_capacity(1);
    match &observation.payload {
        Payload::Url(raw) => {
            let text = encoding::text(raw.as_bytes());
            let mut url = Url::of(&text, &observation.via);
            if let Some(host) = observation
                .exchange
                .as_ref()
                .and_then(|exchange| exchange.host.as_deref())
            {
                url = url.on_host(host);
            }
            out.push(of_url(url, rules));
        }
        Payload::Header { name, value } => {
            let value = encoding::text(value.as_bytes());
            let mut message = header::message(name, &value);
            header::note_client(&mut message, name, &value, observation);
            out.push(message);
        }
        Payload::Pair {
            store, key, value, ..
        } => {
            let slot = match store {
                Store::Cookie => Slot::Cookie,
                _ => Slot::Storage,
            };
            out.push(Message {
                form: Form::Pair(*store),
                fields: vec![stored(key, value, slot)],
                ..Message::default()
            });
        }
        Payload::Members { members, .. } => {
            let members = members.iter().take(MAX_FIELDS);
            out.push(Message {
                form: Form::Members,
                fields: members
                    .map(|(name, value)| stored(name, value, Slot::Json))
                    .collect(),
                ..Message::default()
            });
        }
        Payload::Body { mime, bytes } => {
            body::messages(mime, &encoding::text(bytes.as_bytes()), rules, &mut out);
        }
        Payload::Text(raw) => text::messages(&encoding::text(raw.as_bytes()), rules, &mut out),
    }
    open::nested(&mut out, rules);
    out.truncate(MAX_MESSAGES);
    out
}

/// A value and its name as a store or a record has them.
fn stored(name: &Raw, value: &Raw, slot: Slot) -> Field {
    let value = encoding::text(value.as_bytes());
    let value = value.trim_matches('"').to_owned();
    Field::new(&encoding::text(name.as_bytes()), value, slot)
}

/// A URL as a message.
pub(super) fn of_url(url: Url, rules: &Rules) -> Message {
    if let Some(inner) = rewritten::inner(&url) {
        // Nothing in it is the gateway's own.
        return Message {
            fields: vec![Field::new("", inner, Slot::Path)],
            url: Some(url),
            form: Form::Url,
            ..Message::default()
        };
    }
    let mut fields = located(&url.with_path(&url.path), Slot::Path, rules);
    for segment in url.telling_segments() {
        fields.extend(by_form(segment, Slot::Path, rules));
    }
    if let Some(userinfo) = &url.userinfo {
        fields.push(userinfo_field(userinfo));
    }
    for pair in url::path_pairs(&url.path) {
        fields.push(pair_field(pair, Slot::Path, 0));
    }
    if let Some(session) = url::aspnet_session(&url.path) {
        fields.push(Field::new("(S())", session.to_owned(), Slot::Path));
    }
    let query = url.query.as_deref().unwrap_or_default();
    let more = memchr::memchr_iter(b'&', query.as_bytes()).count();
    fields.reserve_exact(MAX_FIELDS.min(more + usize::from(!query.is_empty())));
    for pair in url::pairs(query) {
        fields.push(pair_field(pair, Slot::Query, 0));
    }
    let routes = url.fragment.as_deref().unwrap_or_default();
    for route in fragment::routes(routes) {
        fields.extend(located(&url.with_path(route), Slot::Fragment, rules));
    }
    for segment in fragment::route_segments(routes) {
        fields.extend(by_form(segment, Slot::Fragment, rules));
    }
    for segment in fragment::segments(routes) {
        let pairs = url::pairs(segment).filter(|pair| !pair.name.is_empty());
        fields.extend(pairs.map(|pair| pair_field(pair, Slot::Fragment, 0)));
    }
    fields.truncate(MAX_FIELDS);
    Message {
        url: Some(url),
        form: Form::Url,
        fields,
        ..Message::default()
    }
}

/// A segment of a path or of a hash route that tells by its form what it is, or is a URL.
fn by_form(segment: Cow<'_, str>, slot: Slot, rules: &Rules) -> Option<Field> {
    let jwt = Jwt::decode(&segment);
    let by_form = jwt.is_some() || rules.shapes.alone(&segment).is_some();
    if !by_form && !url::looks_like_url(&segment) {
        return None;
    }
    let mut field = Field::new("", segment.into_owned(), slot);
    if field.canonical == field.value {
        field.jwt = OnceCell::from(jwt);
    }
    Some(field)
}

/// Credentials in a path behind its host, by the rules that know such paths.
fn located(place: &str, slot: Slot, rules: &Rules) -> Vec<Field> {
    rules
        .catalogue
        .located(place)
        .filter_map(|(rule, range)| {
            let value = place.get(range)?;
            let mut field = Field::new("path", value.to_owned(), slot);
            field.rule = Some(rule.clone());
            Some(field)
        })
        .collect()
}

/// A pair of form data as a field.
pub(super) fn pair_field(pair: url::Pair<'_>, slot: Slot, group: u32) -> Field {
    let name = url::decoded_name(pair.name);
    let value = url::strip_tail(pair.value);
    let mut field = Field::new(&name, encoding::percent(value).into_owned(), slot);
    field.group = group;
    field
}

/// `user:password`, `token`, `x-access-token:TOKEN` before the `@`.
fn userinfo_field(userinfo: &str) -> Field {
    let decoded = encoding::percent(userinfo).into_owned();
    let (name, value) = match decoded.split_once(':') {
        None => ("userinfo_only".into(), &*decoded),
        Some((user, "")) => ("userinfo_only".into(), user),
        Some((user, password)) => match header::token_as_user(&decoded) {
            Some(token) => ("user_only".into(), token),
            None if TOKEN_USERS.contains(&user) => (format!("userinfo_{user}"), password),
            None => ("userinfo".into(), &*decoded),
        },
    };
    Field::new(&name, value.to_owned(), Slot::Userinfo)
}

/// User names that say that the password is a token (documentation of GitHub, GitLab, Bitbucket).
const TOKEN_USERS: [&str; 6] = [
    "x-access-token",
    "oauth2",
    "x-token-auth",
    "gitlab-ci-token",
    "oauthtoken",
    "token",
];
