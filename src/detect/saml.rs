//! SAML messages and WS-Federation responses: decoded from their bindings, told by their root element.
//! A byte scan for a few attributes; no XML parser, so no entity is ever expanded.

use std::io::Read as _;

use super::encoding;
use super::message::{Field, Form, Message};
use super::{Claims, Decoding};
use crate::atoms::Slot;
use crate::atoms::rules::Name;

/// Largest message after inflation: a response with a thousand attributes has some hundred kilobytes.
const MAX_XML: u64 = 4 << 20;

/// A message and what it says of itself.
#[derive(Clone, Debug)]
pub(super) struct Saml {
    /// Local name of the root element: `Response`, `AuthnRequest`, `RequestSecurityTokenResponse` …
    pub root: Box<str>,
    /// Whether it has what logs somebody in; `None` where its end is missing, and so may that be.
    pub asserts: Option<bool>,
    /// Decodings from the value to the XML.
    pub nesting: Vec<Decoding>,
    /// What it says of itself.
    pub claims: Claims,
}

/// Whether a parameter of this name holds such a message.
pub(super) fn is_name(name: &Name) -> bool {
    matches!(
        &*name.key,
        "samlrequest" | "samlresponse" | "wresult" | "logoutrequest"
    )
}

/// Reads the value of such a parameter. `None` when it is not readable: cut, or something else.
pub(super) fn read(value: &str) -> Option<Saml> {
    let trimmed = value.trim_start();
    if trimmed.starts_with('<') {
        return scan(trimmed, Vec::new());
    }
    // A form decoder may have put blanks where `+` stood.
    let bytes = encoding::base64(&value.replace(' ', "+"))?;
    let text = String::from_utf8_lossy(&bytes);
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
    {
        return scan(&text, vec![Decoding::Base64]);
    }
    let mut inflated = Vec::new();
    // SAML bindings §3.4.4.1: raw deflate. What came before an error is enough for the root.
    let _cut = flate2::read::DeflateDecoder::new(bytes.as_slice())
        .take(MAX_XML)
        .read_to_end(&mut inflated);
    let text = String::from_utf8_lossy(&inflated);
    text.trim_start()
        .starts_with('<')
        .then(|| scan(&text, vec![Decoding::Base64, Decoding::Deflate]))?
}

/// A body that is such a message itself (SOAP binding, WS-Trust), as a message with one field.
pub(super) fn body(text: &str) -> Option<Message> {
    if !text.starts_with('<') {
        return None;
    }
    let saml = scan(text, Vec::new())?;
    let is_assertion = matches!(
        &*saml.root,
        "Response"
            | "Assertion"
            | "RequestSecurityTokenResponse"
            | "RequestSecurityTokenResponseCollection"
    );
    let is_saml = text.contains("urn:oasis:names:tc:SAML") || text.contains("ws-sx/ws-trust");
    (is_assertion && is_saml).then(|| Message {
        form: Form::Fields,
        fields: vec![Field::new("SAMLResponse", text.to_owned(), Slot::Form)],
        ..Message::default()
    })
}

fn scan(xml: &str, nesting: Vec<Decoding>) -> Option<Saml> {
    let root = elements(xml).next()?;
    let boxed = |text: &str| -> Box<str> { encoding::html(text.trim()).into() };
    let claims = Claims {
        iss: element_text(xml, "Issuer").map(boxed),
        aud: element_text(xml, "Audience")
            .map(boxed)
            .into_iter()
            .collect(),
        exp: attributes(xml, "NotOnOrAfter").filter_map(instant).min(),
        iat: attributes(xml, "IssueInstant").find_map(instant),
        nbf: attributes(xml, "NotBefore").filter_map(instant).max(),
        encrypted: xml.contains("EncryptedAssertion"),
        personal: xml.contains("NameID")
            || xml.contains("NameIdentifier")
            || xml.contains("<saml:Attribute"),
        ..Claims::default()
    };
    Some(Saml {
        root: root.into(),
        asserts: asserts(xml, root),
        nesting,
        claims,
    })
}

/// An assertion, encrypted or not, or a token that a security token service issued. A response that says why a login
/// failed has none (SAML Profiles §4.1.4.2), nor has a request, nor what answers a logout.
fn asserts(xml: &str, root: &str) -> Option<bool> {
    let found = elements(xml).any(|name| {
        matches!(
            name,
            "Assertion" | "EncryptedAssertion" | "RequestedSecurityToken"
        )
    });
    let is_whole = || {
        let end = xml.trim_end().strip_suffix('>').map(str::trim_end);
        end.is_some_and(|end| match end.rsplit_once("</") {
            Some((_, name)) => name.rsplit(':').next() == Some(root),
            None => end.ends_with('/') && elements(xml).nth(1).is_none(),
        })
    };
    (found || is_whole()).then_some(found)
}

/// Local names of the elements, in order.
fn elements(xml: &str) -> impl Iterator<Item = &str> {
    xml.split('<').skip(1).filter_map(|piece| {
        let end = piece
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))
            .unwrap_or(piece.len());
        let name = piece.get(..end).filter(|name| !name.is_empty())?;
        Some(name.rsplit(':').next().unwrap_or(name))
    })
}

/// Text of the first element of this local name.
fn element_text<'a>(xml: &'a str, local: &str) -> Option<&'a str> {
    xml.split('<').skip(1).find_map(|piece| {
        let (tag, text) = piece.split_once('>')?;
        let name = tag.split(|c: char| c.is_whitespace()).next()?;
        let name = name.rsplit(':').next()?;
        (name == local && !text.trim().is_empty()).then_some(text)
    })
}

/// Values of an attribute, wherever it stands.
fn attributes<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    xml.match_indices(name).filter_map(move |(at, _)| {
        let rest = xml.get(at.saturating_add(name.len())..)?.trim_start();
        let rest = rest.strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split_once(quote).map(|(value, _)| value)
    })
}

fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let stamp = text.parse::<jiff::Timestamp>().ok();
    let stamp = stamp.or_else(|| format!("{text}Z").parse().ok());
    stamp.map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_logs_nobody_in_is_known_of_what_was_read_to_its_end() {
        for (xml, wanted) in [
            ("<p:Response><a:Assertion/></p:Response>", Some(true)),
            ("<Response><EncryptedAssertion>x", Some(true)),
            (
                "<t:RequestSecurityTokenResponse><t:RequestedSecurityToken>x",
                Some(true),
            ),
            ("<p:Response><p:Status/></p:Response>\n", Some(false)),
            (
                "<?xml version='1.0'?><p:LogoutRequest ID='_1' />",
                Some(false),
            ),
            ("<p:Response><p:Status/></p:Response >", Some(false)),
            ("<p:Response><p:Status/><a:Asser", None),
            ("<p:Response>", None),
            ("<p:Response><p:Status/>", None),
            ("<p:Response><p:Status></p:Status>", None),
        ] {
            assert_eq!(read(xml).unwrap().asserts, wanted, "{xml}");
        }
    }
}
