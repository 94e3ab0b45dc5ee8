//! The template language of the shape tables, and one rendering of a shape: a protocol message with the list
//! of the credentials in it.
//!
//! `<maker>` is a value that is no credential, `<maker!kind>` a planted credential, `<maker!kind/other>` one
//! that may be called either, `<maker!?>` a value about which one can argue: it is counted neither way.
//! `<maker=name>` binds, `<$name>` uses the bound value again. `<pct:…>` percent-encodes its inside,
//! `<b64u:…>` and `<b64:…>` encode it in base64, `<html:…>` escapes it, `<raw:…>` leaves values as they are.
//! `<all!kind:…>` plants its whole inside as one credential. `\<` is a plain `<`.

use std::collections::HashMap;

use data_encoding::{BASE64, BASE64URL_NOPAD};

use crate::prng::Rng;
use crate::values;

/// A planted credential.
#[derive(Clone, Debug)]
pub struct Plant {
    /// The value before any encoding.
    pub value: String,
    /// Other forms that name it.
    pub aliases: Vec<String>,
    /// Kinds that are right; the first is the one it was planted as.
    pub kinds: Vec<String>,
}

/// What one template text yielded.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Credentials in it.
    pub plants: Vec<Plant>,
    /// Values that count neither way.
    pub ignored: Vec<String>,
}

/// Values bound while one shape is rendered, and its source of chance.
pub struct Scope {
    rng: Rng,
    bound: HashMap<String, Bound>,
    /// Labels since the last `take`.
    labels: Labels,
}

type Bound = (String, Vec<String>, Vec<(String, &'static str)>);

/// How a value is written where it stands.
#[derive(Clone, Copy, PartialEq)]
pub enum Writing {
    /// Percent-encoded as a URL component.
    Component,
    /// As it is.
    Plain,
}

impl Scope {
    /// An empty scope.
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            bound: HashMap::new(),
            labels: Labels::default(),
        }
    }

    /// The labels gathered since the last call.
    pub fn take(&mut self) -> Labels {
        std::mem::take(&mut self.labels)
    }

    /// The text of a template.
    pub fn render(&mut self, template: &str, writing: Writing) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['<', '\\']) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("\\<") {
                out.push('<');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('\\') {
                out.push('\\');
                rest = after;
            } else {
                let end =
                    closing(rest).unwrap_or_else(|| panic!("unclosed placeholder in {template:?}"));
                out.push_str(&self.placeholder(&rest[1..end], writing));
                rest = &rest[end + 1..];
            }
        }
        out.push_str(rest);
        out
    }

    fn placeholder(&mut self, inside: &str, writing: Writing) -> String {
        if let Some((kinds, inner)) = inside
            .strip_prefix("all!")
            .and_then(|rest| rest.split_once(':'))
        {
            let text = self.render(inner, Writing::Plain);
            self.label(&(text.clone(), Vec::new(), Vec::new()), Some(kinds));
            return written(&text, writing);
        }
        let call = inside
            .split_once(':')
            .filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()));
        match call {
            Some(("pct", inner)) => component(&self.render(inner, Writing::Component)),
            Some(("raw", inner)) => self.render(inner, Writing::Plain),
            Some(("b64u", inner)) => {
                BASE64URL_NOPAD.encode(self.render(inner, Writing::Plain).as_bytes())
            }
            Some(("b64", inner)) => written(
                &BASE64.encode(self.render(inner, Writing::Plain).as_bytes()),
                writing,
            ),
            Some(("html", inner)) => html(&self.render(inner, writing)),
            Some((other, _)) => panic!("no function {other:?}"),
            None => self.value(inside, writing),
        }
    }

    fn value(&mut self, inside: &str, writing: Writing) -> String {
        let (source, kinds) = inside
            .split_once('!')
            .map_or((inside, None), |(left, right)| (left, Some(right)));
        let (maker, name) = source
            .split_once('=')
            .map_or((source, None), |(left, right)| (left, Some(right)));
        let reused = maker
            .strip_prefix('$')
            .or_else(|| is_host(maker).then_some(maker));
        let made = match reused.and_then(|name| self.bound.get(name)) {
            Some(made) => made.clone(),
            None if maker.starts_with("$s256_") => {
                let verifier = &self.bound[maker.trim_start_matches("$s256_")].0;
                (values::s256(verifier), Vec::new(), Vec::new())
            }
            None => {
                let made = values::make(maker, &mut self.rng);
                (made.text, made.aliases, made.inner)
            }
        };
        if let Some(name) = name.or_else(|| is_host(maker).then_some(maker)) {
            self.bound.insert(name.to_owned(), made.clone());
        }
        self.label(&made, kinds);
        written(&made.0, writing)
    }

    fn label(&mut self, made: &Bound, kinds: Option<&str>) {
        match kinds {
            None => {}
            Some("?") => {
                self.labels.ignored.push(made.0.clone());
                self.labels.ignored.extend(made.1.clone());
            }
            Some(kinds) => {
                let kinds = kinds.split('/').map(str::to_owned).collect();
                self.labels.plants.push(Plant {
                    value: made.0.clone(),
                    aliases: made.1.clone(),
                    kinds,
                });
                for (value, kind) in &made.2 {
                    let kinds = vec![(*kind).to_owned()];
                    self.labels.plants.push(Plant {
                        value: value.clone(),
                        aliases: Vec::new(),
                        kinds,
                    });
                }
            }
        }
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
pub fn component(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Text for an HTML attribute.
pub fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Hosts stay the same within one shape without being bound by hand.
fn is_host(maker: &str) -> bool {
    matches!(maker, "app" | "idp" | "api" | "site" | "shop" | "cdn")
}

fn written(value: &str, writing: Writing) -> String {
    if writing == Writing::Component {
        component(value)
    } else {
        value.to_owned()
    }
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '<' => depth += 1,
            '>' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_value_is_encoded_as_deep_as_it_stands_and_labelled_raw() {
        let mut scope = Scope::new(Rng::new(1));
        let text = scope.render(
            "/x?next=<pct:/y?code=<gcode!authorization_code>&state=<opq8>>",
            Writing::Component,
        );
        let labels = scope.take();
        let plant = &labels.plants[0];
        assert!(plant.value.starts_with("4/0A"), "{plant:?}");
        assert!(
            text.contains(&component(&component(&plant.value))),
            "{text}"
        );
        assert!(text.starts_with("/x?next=%2Fy%3Fcode%3D4%252F0A"), "{text}");
    }

    #[test]
    fn a_bound_value_is_used_again_and_an_escaped_bracket_is_text() {
        let mut scope = Scope::new(Rng::new(2));
        let text = scope.render("<hex8=a>-<$a>-\\<b>", Writing::Plain);
        assert_eq!(text[..8], text[9..17]);
        assert!(text.ends_with("-<b>"), "{text}");
        assert!(scope.take().plants.is_empty());
    }
}
