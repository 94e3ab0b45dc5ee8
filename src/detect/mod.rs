//! Stage 2: rules turn observations into sightings. Knows the rules, URL grammar and JWT; opens no file and cannot fail.
//! Behind it nothing knows a raw value: sightings carry fingerprints, and what `--reveal` shows lies in a side table.

mod address;
mod assemble;
mod body;
mod challenge;
mod channel;
pub mod clock;
mod command;
mod cookies;
mod encoding;
mod endpoint;
mod failure;
mod fragment;
mod grant;
mod header;
mod html;
mod joins;
mod json;
mod jwt;
mod keys;
mod known;
mod mask;
mod message;
mod open;
pub mod path;
mod pem;
mod rewritten;
mod role;
mod saml;
#[cfg(test)]
pub(crate) mod sample;
mod score;
mod shared;
pub mod taken;
mod text;
mod url;
mod words;

use std::sync::Arc;

pub use address::Address;
pub use channel::Channel;
pub use endpoint::{INTROSPECTION, PUSHED, REVOCATION};

use crate::atoms::rules::Rules;
use crate::atoms::{
    Digest, Fingerprint, FingerprintKey, JoinKey, Kind, Masked, Method, Place, Slot, When,
};
use crate::collect::{Observation, Store, Via};

/// The sightings in one observation, in order of appearance: one for each protocol message that it
/// holds, nested ones included. Nothing when no rule finds anything in it.
pub fn sightings(
    observation: &Observation,
    detector: &Detector<'_>,
    memory: &mut Memory,
) -> Vec<Sighting> {
    let messages = message::messages(observation, detector.rules);
    if message::is_cut_short(&messages) {
        memory.cut_short = memory.cut_short.saturating_add(1);
    }
    assemble::sightings(observation, &messages, detector, memory)
}

/// What `detect` is given for a whole run.
#[derive(Clone, Copy, Debug)]
pub struct Detector<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Key of fingerprints and join keys.
    pub key: &'a FingerprintKey,
    /// Keys of `--jwks`.
    pub jwks: Option<&'a jsonwebtoken::jwk::JwkSet>,
    /// What the side table may keep.
    pub reveal: Reveal,
}

/// What `--reveal` was given.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Reveal {
    /// Raw credentials.
    pub values: bool,
    /// Personal claims.
    pub identities: bool,
}

/// What `detect` remembers of one source from one observation to the next.
#[derive(Default, Debug)]
pub struct Memory {
    /// The side table.
    pub revealed: Revealed,
    /// Observations that held more than is looked at in one.
    pub cut_short: u64,
    local: keys::Local,
    shared: shared::Shared,
}

/// One protocol message, or one stored value, seen once, with the credentials in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sighting {
    /// Digest of source, locator and part; the same on every machine and in every run.
    pub id: Digest,
    /// Where it lies.
    pub place: Place,
    /// When, where the evidence tells.
    pub at: Option<When>,
    /// How it was reached.
    pub via: Via,
    /// Its visit, and the earlier observed visits that led to it, in a browser history.
    pub visit: Option<Box<VisitKeys>>,
    /// The exchange it is a part of.
    pub exchange: Option<JoinKey>,
    /// Which protocol message it is.
    pub role: Role,
    /// Method of the exchange, where it is a known one.
    pub method: Option<Method>,
    /// Status of the exchange.
    pub status: Option<u16>,
    /// How it travelled.
    pub channel: Channel,
    /// The store it lies in, when it is a stored value.
    pub store: Option<Store>,
    /// The URL of the message, or of the exchange that carried it, masked.
    pub url: Option<Masked>,
    /// Public parts of that URL.
    pub address: Option<Address>,
    /// Digest of the URL without its response parameters and its fragment, to compare with a `redirect_uri`.
    pub landing: Option<Digest>,
    /// Digest of the decoded `redirect_uri` parameter (or `post_logout_redirect_uri`, `service`, `wreply`).
    pub redirect: Option<Digest>,
    /// Protocol parameters, in order of appearance; a value only where it is public.
    pub params: Vec<Param>,
    /// What is or may be a credential in it, in order of appearance.
    pub credentials: Vec<Credential>,
    /// Every key that joins this sighting to others: those of its credentials and of its parameters.
    pub keys: Vec<JoinKey>,
    /// What it may belong to where nothing names it: requests of its source by their ids, the nearest first,
    /// and stretches of time. Empty until `flow` has seen the whole source.
    pub near: Vec<JoinKey>,
}

impl Sighting {
    /// Whether its exchange was answered with an error. A status that is not known tells of none.
    pub fn is_refused(&self) -> bool {
        self.status.is_some_and(|status| status >= 400)
    }
}

/// Which protocol message a sighting is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Authorization request of OAuth, OpenID Connect, SAML, WS-Federation, CAS or OAuth 1.
    AuthorizationRequest,
    /// Authorization response in the query of the redirect URI.
    ResponseInQuery,
    /// Authorization response in the fragment of the redirect URI.
    ResponseInFragment,
    /// Authorization response in a body (`form_post`, SAML POST, WS-Federation).
    ResponseInBody,
    /// Token request, or another back-channel request (PAR, revocation, introspection, device).
    TokenRequest,
    /// Token response, or another back-channel response.
    TokenResponse,
    /// A call of an API with a token.
    ResourceRequest,
    /// Logout at the provider or at the client.
    Logout,
    /// A stored value.
    Stored,
    /// None of these.
    None,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::AuthorizationRequest,
        Self::ResponseInQuery,
        Self::ResponseInFragment,
        Self::ResponseInBody,
        Self::TokenRequest,
        Self::TokenResponse,
        Self::ResourceRequest,
        Self::Logout,
        Self::Stored,
        Self::None,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationRequest => "authorization_request",
            Self::ResponseInQuery => "response_in_query",
            Self::ResponseInFragment => "response_in_fragment",
            Self::ResponseInBody => "response_in_body",
            Self::TokenRequest => "token_request",
            Self::TokenResponse => "token_response",
            Self::ResourceRequest => "resource_request",
            Self::Logout => "logout",
            Self::Stored => "stored",
            Self::None => "none",
        }
    }
}

/// Keys of a visit and of the earlier observed visits that led to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VisitKeys {
    /// This visit.
    pub own: JoinKey,
    /// Hops between (1 = directly before) and key, nearest first.
    pub ancestors: Vec<(u8, JoinKey)>,
}

/// A protocol parameter of the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Param {
    /// Name in its canonical form (`snake_case`, as registered).
    pub name: Arc<str>,
    /// Its value when the parameter is public; `None` when it is there but not shown.
    pub value: Option<Box<str>>,
    /// Where it sat.
    pub slot: Slot,
}

/// What is, or may be, a credential.
#[derive(Clone, PartialEq, Debug)]
pub struct Credential {
    /// Names the credential: its fingerprint, or for a value without one the place where this source
    /// first showed it, so that a value of low entropy is recognised inside one source and nowhere else.
    pub id: Digest,
    /// What it is, as far as this message tells.
    pub kind: Kind,
    /// Id of the rule that found it.
    pub rule: Arc<str>,
    /// Which part of the message held it.
    pub slot: Slot,
    /// Parameter, header or key name as found.
    pub name: Arc<str>,
    /// Decodings between the evidence and the value, outermost first.
    pub nesting: Vec<Decoding>,
    /// Kind and length, never the value: `jwt, 843 characters`.
    pub shown: Masked,
    /// Identity of the value, when it may have one.
    pub fingerprint: Option<Fingerprint>,
    /// Its own join keys, also in the sighting's.
    pub keys: Vec<JoinKey>,
    /// What it says of itself when it is a JWT. Claims are claims until a signature is verified.
    /// Few credentials are one.
    pub claims: Option<Box<Claims>>,
    /// What is known of its signature.
    pub signature: Signature,
    /// Evidence so far, in the points of the rules: from [`REPORT`] on it is reported.
    pub score: i16,
}

/// Score from which a credential is reported.
pub const REPORT: i16 = 60;

/// Score from which a candidate is kept, for `flow` to promote or drop by evidence from elsewhere.
pub const CANDIDATE: i16 = 15;

/// One layer between the evidence and a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Decoding {
    /// Percent-encoding.
    Percent,
    /// Base64 or base64url.
    Base64,
    /// Member of a JSON document.
    Json,
    /// Claim of a JWT.
    Jwt,
    /// Raw deflate (SAML redirect binding).
    Deflate,
    /// HTML character references.
    Html,
    /// A URL inside a parameter.
    Url,
}

impl Decoding {
    /// Every layer.
    pub const ALL: [Self; 7] = [
        Self::Percent,
        Self::Base64,
        Self::Json,
        Self::Jwt,
        Self::Deflate,
        Self::Html,
        Self::Url,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Base64 => "base64",
            Self::Json => "json",
            Self::Jwt => "jwt",
            Self::Deflate => "deflate",
            Self::Html => "html",
            Self::Url => "url",
        }
    }
}

/// What a JWT, a SAML message or a provider's token form says of itself. Times are Unix seconds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Claims {
    /// Header `alg`; `none` included.
    pub alg: Option<Box<str>>,
    /// Header `typ`.
    pub typ: Option<Box<str>>,
    /// Whether it is encrypted (JWE): its claims cannot be read.
    pub encrypted: bool,
    /// `iss`.
    pub iss: Option<Box<str>>,
    /// `aud`, one or many.
    pub aud: Vec<Box<str>>,
    /// `azp`, `client_id`, `cid` or `appid`: the client.
    pub azp: Option<Box<str>>,
    /// `scope` or `scp`, space separated.
    pub scope: Option<Box<str>>,
    /// `exp`, or the earliest `NotOnOrAfter`.
    pub exp: Option<i64>,
    /// `iat`, or `IssueInstant`.
    pub iat: Option<i64>,
    /// `nbf`.
    pub nbf: Option<i64>,
    /// `cnf`: which member binds it to a key (`jkt`, `x5t#S256`, `jwk`).
    pub cnf: Option<Box<str>>,
    /// Whether `nonce` is among the claims.
    pub nonce: bool,
    /// Whether personal claims (`sub`, `email`, `name` …) are among them.
    pub personal: bool,
    /// Whether roles, groups or administrative scopes are among them.
    pub privileged: bool,
}

/// What is known of a JWT's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Signature {
    /// Not a signed value.
    #[default]
    None,
    /// Not checked: no `--jwks`, or no key that fits.
    Unverified,
    /// Verified with a key of `--jwks`.
    Verified,
    /// A key of `--jwks` says that it is false.
    Invalid,
    /// `alg` is `none`: nobody signed it.
    Unsigned,
    /// Shorter than any of its `alg`: it was cut off, or redacted.
    Cut,
}

impl Signature {
    /// Everything that may be known.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Unverified,
        Self::Verified,
        Self::Invalid,
        Self::Unsigned,
        Self::Cut,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unverified => "unverified",
            Self::Verified => "verified",
            Self::Invalid => "invalid",
            Self::Unsigned => "unsigned",
            Self::Cut => "cut",
        }
    }
}

/// What `--reveal` may show, keyed by [`Credential::id`]. Filled only when asked for.
#[derive(Default, Debug)]
pub struct Revealed {
    /// Raw values.
    pub values: std::collections::BTreeMap<Digest, crate::atoms::Secret>,
    /// Personal claims: name and value.
    pub identities: std::collections::BTreeMap<Digest, Vec<(Box<str>, crate::atoms::Secret)>>,
}
