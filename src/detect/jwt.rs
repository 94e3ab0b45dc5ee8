//! JWTs as the evidence holds them: padded, unsigned, encrypted, cut. Reads what they claim, and with the
//! keys of `--jwks` whether their signature holds. A claim is a claim: nothing here believes one.

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::encoding;
use super::json::{self, Json};
use super::{Claims, Signature};
use crate::atoms::Kind;

/// Longest value that is decoded. Servers refuse headers far below this.
const MAX_TOKEN: usize = 1 << 20;

/// A decoded JWT.
#[derive(Clone, Debug)]
pub(super) struct Jwt {
    header: Map<String, Value>,
    payload: Map<String, Value>,
    encrypted: bool,
}

impl Jwt {
    /// Decodes a JWS with a JSON payload, or the header of a JWE. `None` when it is neither.
    pub(super) fn decode(value: &str) -> Option<Self> {
        if value.len() > MAX_TOKEN || !value.starts_with("ey") && !value.starts_with("ew") {
            return None;
        }
        let parts: Vec<&str> = value.splitn(6, '.').collect();
        match *parts.as_slice() {
            // RFC 7519 §6.1: the signature of an unsecured JWT is empty; some leave out its dot too, as does who
            // cuts it.
            [header, payload] | [header, payload, _] => {
                let header = object(header)?;
                header.contains_key("alg").then_some(())?;
                Some(Self {
                    header,
                    payload: object(payload)?,
                    encrypted: false,
                })
            }
            // RFC 7516 §3.1.
            [header, _, _, _, _] => {
                let header = object(header)?;
                header.contains_key("enc").then_some(())?;
                Some(Self {
                    header,
                    payload: Map::new(),
                    encrypted: true,
                })
            }
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.payload
            .get(name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.payload.get(name).is_some_and(|value| !value.is_null())
    }

    /// A claim of this name, when it is text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.text(name)
    }

    /// The thumbprint of the key that it is bound to (RFC 9449 §6.1).
    pub(super) fn thumbprint(&self) -> Option<&str> {
        self.payload.get("cnf")?.get("jkt")?.as_str()
    }

    /// Whether it is a JWE: its claims cannot be read.
    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether it proves possession of a key for one request, and so is of no use to another.
    pub(super) fn is_proof(&self) -> bool {
        self.header_typ().is_some_and(|typ| typ == "dpop+jwt") || self.has("htm") && self.has("htu")
    }

    /// Whether it is a key for anybody: Supabase's `anon` role stands in every page of an application.
    pub(super) fn is_public(&self) -> bool {
        self.text("iss") == Some("supabase") && self.text("role") == Some("anon")
    }

    fn header_typ(&self) -> Option<String> {
        let typ = self.header.get("typ")?.as_str()?.to_ascii_lowercase();
        Some(
            typ.strip_prefix("application/")
                .map_or(typ.clone(), str::to_owned),
        )
    }

    /// What the claims say that it is, if they say it.
    pub(super) fn kind(&self) -> Option<Kind> {
        let typ = self.header_typ().unwrap_or_default();
        let own_type = self.text("typ").unwrap_or_default().to_ascii_lowercase();
        let logout = self
            .payload
            .get("events")
            .and_then(Value::as_object)
            .is_some_and(|events| {
                events
                    .keys()
                    .any(|event| event.contains("backchannel-logout"))
            });
        let scope = self.has("scope") || self.has("scp");
        match (typ.as_str(), own_type.as_str(), self.text("token_use")) {
            // RFC 9068 §2.1; OpenID Connect Back-Channel Logout §2.4; RFC 9101 §10.8.
            ("at+jwt", _, _) | (_, "bearer", _) | (_, _, Some("access")) => Some(Kind::AccessToken),
            ("logout+jwt", _, _) => Some(Kind::LogoutToken),
            ("oauth-authz-req+jwt", _, _) => Some(Kind::RequestObject),
            (_, "id", _) | (_, _, Some("id")) => Some(Kind::IdToken),
            (_, "refresh" | "offline", _) => Some(Kind::RefreshToken),
            _ if logout => Some(Kind::LogoutToken),
            _ if self.has("response_type") => Some(Kind::RequestObject),
            _ if self.has("code") && self.has("iss") => Some(Kind::JarmResponse),
            _ if self.has("at_hash") || self.has("c_hash") || self.has("nonce") && !scope => {
                Some(Kind::IdToken)
            }
            _ if scope || self.has("client_id") || self.has("cid") || self.has("appid") => {
                Some(Kind::AccessToken)
            }
            _ if self
                .text("iss")
                .is_some_and(|iss| iss.contains("securetoken.google.com")) =>
            {
                Some(Kind::IdToken)
            }
            _ if self.has("azp") && self.payload.get("azp") != self.payload.get("aud") => {
                Some(Kind::AccessToken)
            }
            _ if self.has("azp") || self.has("email_verified") || self.has("auth_time") => {
                Some(Kind::IdToken)
            }
            _ => None,
        }
    }

    /// What it says of itself.
    pub(super) fn claims(&self) -> Claims {
        const PERSONAL: [&str; 12] = [
            "sub",
            "email",
            "name",
            "preferred_username",
            "given_name",
            "family_name",
            "nickname",
            "phone_number",
            "upn",
            "unique_name",
            "birthdate",
            "address",
        ];
        let boxed = |text: &str| -> Box<str> { text.into() };
        let header = |name: &str| self.header.get(name).and_then(Value::as_str).map(boxed);
        let scope = self
            .payload
            .get("scope")
            .or_else(|| self.payload.get("scp"));
        Claims {
            alg: header("alg"),
            typ: header("typ"),
            encrypted: self.encrypted,
            iss: self.text("iss").map(boxed),
            aud: texts(self.payload.get("aud")),
            azp: ["azp", "client_id", "cid", "appid"]
                .iter()
                .find_map(|name| self.text(name))
                .map(boxed),
            scope: scope.map(|value| texts(Some(value)).join(" ").into()),
            exp: seconds(self.payload.get("exp")),
            iat: seconds(self.payload.get("iat")),
            nbf: seconds(self.payload.get("nbf")),
            cnf: self
                .payload
                .get("cnf")
                .and_then(Value::as_object)
                .and_then(|cnf| cnf.keys().next())
                .map(|member| boxed(member)),
            nonce: self.has("nonce"),
            personal: PERSONAL.iter().any(|name| self.has(name)),
            privileged: self.is_privileged(),
        }
    }

    fn is_privileged(&self) -> bool {
        let named = [
            "roles",
            "groups",
            "wids",
            "role",
            "permissions",
            "cognito:groups",
        ]
        .iter()
        .any(|name| match self.payload.get(*name) {
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            _ => false,
        });
        let scope = self
            .payload
            .get("scope")
            .or_else(|| self.payload.get("scp"));
        named
            || texts(scope)
                .iter()
                .any(|scope| scope.to_ascii_lowercase().contains("admin"))
    }

    /// Personal claims, name and value.
    pub(super) fn identities(&self) -> impl Iterator<Item = (&str, &str)> {
        const SHOWN: [&str; 9] = [
            "sub",
            "email",
            "name",
            "preferred_username",
            "given_name",
            "family_name",
            "upn",
            "unique_name",
            "phone_number",
        ];
        SHOWN
            .iter()
            .filter_map(|name| Some((*name, self.text(name)?)))
    }

    /// What is known of the signature. Times and audience are the judge's part.
    pub(super) fn signature(&self, token: &str, keys: Option<&JwkSet>) -> Signature {
        let alg = self
            .header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if self.encrypted {
            return Signature::Unverified;
        }
        if alg.eq_ignore_ascii_case("none") {
            return Signature::Unsigned;
        }
        if is_cut(token, alg) {
            return Signature::Cut;
        }
        match keys {
            Some(keys) => verify(token, keys),
            None => Signature::Unverified,
        }
    }
}

/// Whether the signature is shorter than any of its algorithm: cut off, or replaced by a word. What follows a whole one
/// was taken together with it, and a longer one may be of another encoding; nobody shortens one that holds.
fn is_cut(token: &str, alg: &str) -> bool {
    let signature = token.split('.').nth(2).unwrap_or_default().bytes();
    let digits =
        signature.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte));
    // Four digits of base64 are three bytes.
    digits.count().saturating_mul(3) / 4 < shortest_signature(alg)
}

/// Bytes of an algorithm's shortest signature (RFC 7518 §3.2 to §3.5; RFC 8037 §3.1). An RSA signature is as long as
/// the modulus: 2048 bits are asked for, and 1024 were common before. Of an algorithm that is not known, nothing more
/// is than that it gives something.
fn shortest_signature(alg: &str) -> usize {
    match alg {
        "HS256" => 32,
        "HS384" => 48,
        "HS512" | "ES256" | "ES256K" | "EdDSA" | "Ed25519" => 64,
        "ES384" => 96,
        "Ed448" => 114,
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => 128,
        "ES512" => 132,
        _ => 1,
    }
}

/// Tries the keys that the header names, or, when it names none, every key that fits the algorithm. More than one may
/// have the name: servers of two issuers give the same (RFC 7517 §4.5).
fn verify(token: &str, keys: &JwkSet) -> Signature {
    let Ok(header) = jsonwebtoken::decode_header(token) else {
        return Signature::Unverified;
    };
    let is_named = |jwk: &&Jwk| header.kid.is_none() || jwk.common.key_id == header.kid;
    let mut result = Signature::Unverified;
    let mut is_tried = true;
    for jwk in keys.keys.iter().filter(is_named) {
        // The key's own algorithm decides where it states one: a token must not choose (RFC 8725 §3.1).
        let algorithm = jwk
            .common
            .key_algorithm
            .and_then(algorithm)
            .unwrap_or(header.alg);
        if algorithm != header.alg {
            continue;
        }
        let Ok(key) = DecodingKey::from_jwk(jwk) else {
            is_tried = false;
            continue;
        };
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        match jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation) {
            Ok(_) => return Signature::Verified,
            Err(error) => {
                let is_false = matches!(
                    error.kind(),
                    jsonwebtoken::errors::ErrorKind::InvalidSignature
                );
                // Without a `kid` another key may be the right one: nothing is proven by one that fails.
                if is_false && header.kid.is_some() {
                    result = Signature::Invalid;
                }
            }
        }
    }
    // A key that could not be tried may be the right one.
    if is_tried {
        result
    } else {
        Signature::Unverified
    }
}

fn algorithm(of_key: KeyAlgorithm) -> Option<Algorithm> {
    of_key.to_string().parse().ok()
}

/// The payload of a JWS as a document.
pub(super) fn payload(value: &str) -> Option<Json> {
    Jwt::decode(value).filter(|jwt| !jwt.encrypted)?;
    let part = encoding::base64(value.split('.').nth(1)?)?;
    json::parse(&String::from_utf8(part).ok()?)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&encoding::base64(part)?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// One text or a list of texts.
fn texts(value: Option<&Value>) -> Vec<Box<str>> {
    match value {
        Some(Value::String(text)) => vec![text.as_str().into()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(Into::into)
            .collect(),
        _ => Vec::new(),
    }
}

/// Unix seconds; some issuers write a fraction, or text.
fn seconds(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64().or_else(|| {
            #[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
            let whole = number.as_f64()? as i64;
            Some(whole)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
