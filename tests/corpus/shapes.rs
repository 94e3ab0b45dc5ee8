//! The shape tables: rows that name a situation, say in which kinds of source it occurs, and give its template.

use serde::Deserialize;

use crate::prng::Rng;
use crate::template::{Labels, Scope, Writing};

/// Credentials, in all their places.
const CREDENTIALS: &[&str] = &[
    include_str!("credentials.toml"),
    include_str!("bodies.toml"),
];
/// Values that look like credentials and are none.
const DECOYS: &[&str] = &[include_str!("decoys.toml")];
/// URLs and lines of well-known products, labelled by hand.
const WILD: &[&str] = &[include_str!("wild.toml")];

/// A kind of source: each has its own reader and its own figures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// Browser histories.
    History,
    /// Access and proxy logs.
    Log,
    /// HTTP archives.
    Har,
}

impl Medium {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::History, Self::Log, Self::Har];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Log => "log",
            Self::Har => "har",
        }
    }
}

/// What in a message leads to the URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// Whatever the source can hold.
    #[default]
    Any,
    /// The request itself.
    Request,
    /// A Referer header.
    Referer,
    /// A Location header.
    Location,
    /// A place where a URL stands whole, with its userinfo.
    Absolute,
    /// A place that shows the host beside the path.
    Host,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    shape: Vec<Shape>,
}

/// One row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Its name in the lists of misses and false finds.
    pub name: String,
    /// Where it occurs; left out, everywhere its parts can.
    pub on: Option<Vec<Medium>>,
    #[serde(default)]
    carrier: Carrier,
    url: Option<String>,
    /// Several URLs reached one from another.
    urls: Option<Vec<String>>,
    method: Option<String>,
    /// Fields of a form, as `application/x-www-form-urlencoded`.
    form: Option<String>,
    /// Fields of a multipart form, `name=value` each.
    multipart: Option<Vec<String>>,
    /// A JSON request body.
    json: Option<String>,
    /// A response body, and its type.
    response: Option<String>,
    response_type: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    response_headers: Vec<String>,
    #[serde(default)]
    frames: Vec<String>,
    /// A whole line of a log.
    line: Option<String>,
}

/// One request with its response, as far as the shape says.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Method.
    pub method: String,
    /// Absolute URL, the fragment included.
    pub url: String,
    /// What may carry the URL.
    pub carrier: Carrier,
    /// Type and text of the request body.
    pub body: Option<(String, String)>,
    /// Type and text of the response body.
    pub response: Option<(String, String)>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// Further response headers.
    pub response_headers: Vec<(String, String)>,
    /// WebSocket messages.
    pub frames: Vec<String>,
    /// A whole line of a log, in the place of everything else.
    pub line: Option<String>,
    /// What is in it.
    pub labels: Labels,
}

/// A shape rendered once.
#[derive(Clone, Debug)]
pub struct Event {
    /// The shape's name.
    pub shape: String,
    /// Messages in the order of their time, each reached from the one before.
    pub messages: Vec<Message>,
}

impl Shape {
    /// Whether the row has a place in such sources.
    pub fn occurs_in(&self, medium: Medium) -> bool {
        if let Some(on) = &self.on {
            return on.contains(&medium);
        }
        let bare = self.form.is_none()
            && self.multipart.is_none()
            && self.json.is_none()
            && self.response.is_none()
            && self.headers.is_empty()
            && self.response_headers.is_empty()
            && self.frames.is_empty();
        match medium {
            Medium::History => bare && self.line.is_none() && self.carrier != Carrier::Absolute,
            Medium::Log => bare,
            Medium::Har => self.line.is_none(),
        }
    }

    /// One rendering.
    pub fn event(&self, rng: Rng) -> Event {
        let mut scope = Scope::new(rng);
        let urls = self
            .urls
            .clone()
            .or_else(|| self.url.clone().map(|url| vec![url]))
            .unwrap_or_default();
        let last = urls.len().saturating_sub(1);
        let mut messages: Vec<Message> = Vec::new();
        for (index, url) in urls.iter().enumerate() {
            let mut message = Message {
                method: "GET".to_owned(),
                url: scope.render(url, Writing::Component),
                carrier: self.carrier,
                ..Message::default()
            };
            if index == last {
                self.fill(&mut message, &mut scope);
            }
            message.labels = scope.take();
            messages.push(message);
        }
        if let Some(line) = &self.line {
            let line = Some(scope.render(line, Writing::Component));
            messages.push(Message {
                line,
                labels: scope.take(),
                ..Message::default()
            });
        }
        Event {
            shape: self.name.clone(),
            messages,
        }
    }

    fn fill(&self, message: &mut Message, scope: &mut Scope) {
        if let Some(form) = &self.form {
            let text = scope.render(form, Writing::Component);
            message.body = Some(("application/x-www-form-urlencoded".to_owned(), text));
        }
        if let Some(json) = &self.json {
            message.body = Some((
                "application/json".to_owned(),
                scope.render(json, Writing::Plain),
            ));
        }
        if let Some(fields) = &self.multipart {
            message.body = Some(multipart(fields, scope));
        }
        if let Some(response) = &self.response {
            let mime = self
                .response_type
                .clone()
                .unwrap_or_else(|| "application/json".to_owned());
            message.response = Some((mime, scope.render(response, Writing::Plain)));
        }
        message.headers = headers(&self.headers, scope);
        message.response_headers = headers(&self.response_headers, scope);
        message.frames = self
            .frames
            .iter()
            .map(|frame| scope.render(frame, Writing::Plain))
            .collect();
        let default = if message.body.is_some() {
            "POST"
        } else {
            "GET"
        };
        message.method = self.method.clone().unwrap_or_else(|| default.to_owned());
    }
}

fn headers(lines: &[String], scope: &mut Scope) -> Vec<(String, String)> {
    let split = |line: &String| {
        let text = scope.render(line, Writing::Plain);
        let (name, value) = text
            .split_once(": ")
            .unwrap_or_else(|| panic!("no header: {line}"));
        (name.to_owned(), value.to_owned())
    };
    lines.iter().map(split).collect()
}

fn multipart(fields: &[String], scope: &mut Scope) -> (String, String) {
    let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
    let mut body = String::new();
    for field in fields {
        let text = scope.render(field, Writing::Plain);
        let (name, value) = text
            .split_once('=')
            .unwrap_or_else(|| panic!("no field: {field}"));
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn read(tables: &[&str]) -> Vec<Shape> {
    tables
        .iter()
        .flat_map(|text| {
            toml::from_str::<Table>(text)
                .unwrap_or_else(|error| panic!("shape table: {error}"))
                .shape
        })
        .collect()
}

/// Rows that plant credentials.
pub fn credentials() -> Vec<Shape> {
    read(CREDENTIALS)
}

/// Rows that plant none.
pub fn decoys() -> Vec<Shape> {
    read(DECOYS)
}

/// Rows taken from well-known products.
pub fn wild() -> Vec<Shape> {
    read(WILD)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn at_least_two_hundred_decoys_differ_in_name_and_template() {
        let decoys = decoys();
        let names: BTreeSet<_> = decoys.iter().map(|shape| shape.name.clone()).collect();
        let templates: BTreeSet<_> = decoys
            .iter()
            .map(|shape| {
                format!(
                    "{:?}",
                    Shape {
                        name: String::new(),
                        ..shape.clone()
                    }
                )
            })
            .collect();
        assert_eq!(names.len(), decoys.len());
        assert_eq!(templates.len(), decoys.len());
        assert!(decoys.len() >= 200, "{} decoys", decoys.len());
    }

    #[test]
    fn decoys_plant_nothing_and_credentials_plant_something() {
        for shape in decoys() {
            let event = shape.event(Rng::new(7));
            assert!(
                event
                    .messages
                    .iter()
                    .all(|message| message.labels.plants.is_empty()),
                "{}",
                shape.name
            );
        }
        for shape in credentials() {
            let event = shape.event(Rng::new(7));
            assert!(
                event
                    .messages
                    .iter()
                    .any(|message| !message.labels.plants.is_empty()),
                "{}",
                shape.name
            );
        }
    }
}
