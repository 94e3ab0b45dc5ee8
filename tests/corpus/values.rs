//! Makers of values: tokens, codes, tickets, identifiers. Shapes of real products are put together here at
//! run time from prefix and random part, so that no live-looking credential stands in the repository.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};

use crate::messages::{federation, jwt, token};
use crate::prng::Rng;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// An alphabet.
pub const DIGITS: &str = "0123456789";
/// An alphabet.
pub const HEX: &str = "0123456789abcdef";
/// An alphabet.
pub const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// An alphabet.
pub const URLSAFE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Names of organisations.
pub const WORDS: &[&str] = &[
    "northwind",
    "contoso",
    "fabrikam",
    "umbrella",
    "acme",
    "globex",
    "initech",
    "hooli",
    "stark",
    "wayne",
    "tyrell",
    "cyberdyne",
    "soylent",
    "vandelay",
    "wonka",
    "duff",
    "oscorp",
    "aperture",
    "blackmesa",
    "monarch",
    "harbor",
    "maple",
    "granite",
    "willow",
    "cobalt",
    "meadow",
    "lantern",
    "quartz",
    "saffron",
    "juniper",
];
/// Names of users.
pub const NAMES: &[&str] = &[
    "alice", "bob", "carol", "dana", "erin", "frank", "grace", "heidi", "ivan", "judy",
];
/// Seconds.
pub const DAY: u64 = 86_400;
/// 2026-11-01T00:00:00Z, seconds since 1970.
pub const NOVEMBER: u64 = 1_793_491_200;

/// A value, the other forms in which a report may name it, and credentials inside it.
pub struct Made {
    /// As it is before any encoding of its container.
    pub text: String,
    /// Other forms that name the same credential, such as the decoded pair of a Basic header.
    pub aliases: Vec<String>,
    /// Credentials carried inside, with their kind.
    pub inner: Vec<(String, &'static str)>,
}

impl From<String> for Made {
    fn from(text: String) -> Self {
        Self {
            text,
            aliases: Vec::new(),
            inner: Vec::new(),
        }
    }
}

/// The value that `name` asks for: a fixed name such as `uuid`, or a class and a length such as `hex32`.
///
/// # Panics
///
/// When there is no such maker: the shape tables are wrong then.
pub fn make(name: &str, rng: &mut Rng) -> Made {
    if let Some(made) = composite(name, rng) {
        return made;
    }
    let text = identifier(name, rng)
        .or_else(|| vendor(name, rng))
        .or_else(|| token(name, rng))
        .or_else(|| federation(name, rng))
        .or_else(|| sized(name, rng));
    text.unwrap_or_else(|| panic!("no maker of values named {name:?}"))
        .into()
}

/// The code challenge of a verifier (RFC 7636 §4.2).
pub fn s256(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()))
}

fn composite(name: &str, rng: &mut Rng) -> Option<Made> {
    match name {
        "basic_client" | "basic_user" => {
            let secret = rng.text(ALNUM, 24);
            let pair = if name == "basic_client" {
                format!("{}-client:{secret}", rng.pick(WORDS))
            } else {
                format!("{}:{}", rng.pick(NAMES), password(rng))
            };
            let secret = pair
                .split_once(':')
                .map_or(secret, |(_, right)| right.to_owned());
            Some(Made {
                text: BASE64.encode(pair.as_bytes()),
                aliases: vec![pair, secret],
                inner: Vec::new(),
            })
        }
        "jarm" => {
            let code = opaque(rng, 43);
            let claims = serde_json::json!({
                "iss": host("idp", rng), "aud": format!("{}-spa", rng.pick(WORDS)), "exp": NOVEMBER + 20 * DAY,
                "code": code, "state": opaque(rng, 22),
            });
            Some(Made {
                text: jwt(
                    &serde_json::json!({"alg": "RS256", "kid": "k1"}),
                    &claims,
                    rng,
                ),
                aliases: Vec::new(),
                inner: vec![(code, "authorization_code")],
            })
        }
        "jwt_none" => {
            let header = serde_json::json!({"alg": "none"});
            let claims = serde_json::json!({"sub": uuid(rng), "aud": "orders", "scope": "read", "exp": NOVEMBER + 20 * DAY});
            let whole = jwt(&header, &claims, rng);
            let unsigned = whole
                .rsplit_once('.')
                .map_or(whole.as_str(), |(left, _)| left);
            // In running text the last point may as well end the sentence.
            Some(Made {
                text: format!("{unsigned}."),
                aliases: vec![unsigned.to_owned()],
                inner: Vec::new(),
            })
        }
        _ => None,
    }
}

fn identifier(name: &str, rng: &mut Rng) -> Option<String> {
    Some(match name {
        "app" | "idp" | "api" | "site" | "shop" | "cdn" => host(name, rng),
        "word" => (*rng.pick(WORDS)).to_owned(),
        "user" => (*rng.pick(NAMES)).to_owned(),
        "email" => format!("{}@{}.com", rng.pick(NAMES), rng.pick(WORDS)),
        "uuid" => uuid(rng),
        "epoch" => (NOVEMBER + rng.bits() % (20 * DAY)).to_string(),
        "epochms" => ((NOVEMBER + rng.bits() % (20 * DAY)) * 1000 + rng.bits() % 1000).to_string(),
        "future" => (NOVEMBER + 30 * DAY + rng.bits() % (300 * DAY)).to_string(),
        "amzdate" => format!(
            "202611{:02}T{:02}1502Z",
            rng.between(1, 22),
            rng.between(0, 23)
        ),
        "day" => format!("202611{:02}", rng.between(1, 22)),
        "pw" => password(rng),
        "port" => rng.between(1025, 65000).to_string(),
        "client" => format!(
            "{}-{}",
            rng.pick(WORDS),
            rng.pick(&["web", "spa", "mobile", "portal"])
        ),
        "ver43" => opaque(rng, 43),
        "ver64" => opaque(rng, 64),
        "ver128" => opaque(rng, 128),
        "ch" => s256(&opaque(rng, 43)),
        _ => return None,
    })
}

fn vendor(name: &str, rng: &mut Rng) -> Option<String> {
    let mut with = |prefix: &str, alphabet: &str, count: usize| {
        format!("{prefix}{}", rng.text(alphabet, count))
    };
    Some(match name {
        "ghp" => with("ghp_", ALNUM, 36),
        "gho" => with("gho_", ALNUM, 36),
        "ghs" => with("ghs_", ALNUM, 36),
        "ghr" => with("ghr_", ALNUM, 76),
        "glpat" => with("glpat-", ALNUM, 20),
        "xoxb" => {
            let ids = format!(
                "xoxb-{}-{}-",
                rng.text("123456789", 12),
                rng.text("123456789", 13)
            );
            ids + &rng.text(ALNUM, 24)
        }
        "xoxp" => {
            let ids = format!(
                "xoxp-{}-{}-",
                rng.text("123456789", 12),
                rng.text("123456789", 12)
            );
            ids + &rng.text(HEX, 32)
        }
        "slack_code" => {
            let ids = format!(
                "{}.{}.",
                rng.text("123456789", 12),
                rng.text("123456789", 13)
            );
            ids + &rng.text(HEX, 64)
        }
        "ya29" => with("ya29.a0", URLSAFE, 150),
        "gcode" => with("4/0A", URLSAFE, 70),
        "grt" => with("1//0", URLSAFE, 90),
        "aiza" => with("AIza", URLSAFE, 35),
        "akid" => with("AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        "asia" => with("ASIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        "eaa" => with("EAAB", ALNUM, 160),
        "sk_live" => with("sk_live_", ALNUM, 24),
        "rk_live" => with("rk_live_", ALNUM, 24),
        "pk_live" => with("pk_live_", ALNUM, 24),
        "cs_live" => with("cs_live_a1", ALNUM, 58),
        "ac_stripe" => with("ac_", ALNUM, 32),
        "shpat" => with("shpat_", HEX, 32),
        "doo" => with("doo_v1_", HEX, 64),
        "hrku" => with("HRKU-AA", URLSAFE, 58),
        "oryat" => format!("ory_at_{}.{}", rng.text(URLSAFE, 43), rng.text(URLSAFE, 43)),
        "oryac" => format!("ory_ac_{}.{}", rng.text(URLSAFE, 43), rng.text(URLSAFE, 43)),
        "dropbox" => with("sl.B", URLSAFE, 136),
        "atlassian" => with("ATATT3xFfGF0", URLSAFE, 170) + "=" + &rng.text("0123456789ABCDEF", 8),
        "entra_code" => with("0.A", URLSAFE, 340),
        "entra_code1" => with("1.A", URLSAFE, 500),
        "entra_secret" => format!("{}8Q~{}", rng.text(ALNUM, 3), rng.text(ALNUM, 34)),
        "mapbox" => format!(
            "pk.{}.{}",
            BASE64URL_NOPAD.encode(
                format!(
                    "{{\"u\":\"{}\",\"a\":\"c{}\"}}",
                    rng.pick(WORDS),
                    rng.text("klmn0123456789", 24)
                )
                .as_bytes()
            ),
            rng.text(URLSAFE, 22)
        ),
        "telegram" => format!("{}:AA{}", rng.text("123456789", 10), rng.text(URLSAFE, 33)),
        "fcm" => format!("{}:APA91b{}", rng.text(URLSAFE, 22), rng.text(URLSAFE, 134)),
        "captcha" => with("03A", URLSAFE, 420),
        "turnstile" => format!(
            "0.{}.{}.{}",
            rng.text(URLSAFE, 180),
            rng.text(URLSAFE, 22),
            rng.text(HEX, 64)
        ),
        "gclid" => with("Cj0KCQ", URLSAFE, 80) + "wcB",
        "fbclid" => with("IwAR", URLSAFE, 57),
        "gpage" => with("CAUQ", ALNUM, 2) + "AA",
        _ => return None,
    })
}

/// Classes with a length: `hex32`, `up8`, `opq43` …
fn sized(name: &str, rng: &mut Rng) -> Option<String> {
    let split = name.find(|c: char| c.is_ascii_digit())?;
    let (class, count) = name.split_at(split);
    let count: usize = count.parse().ok()?;
    Some(match class {
        "hex" => rng.text(HEX, count),
        "HEX" => rng.text("0123456789ABCDEF", count),
        "num" => rng.text("123456789", 1) + &rng.text(DIGITS, count - 1),
        "low" => rng.text(LOWER, count),
        "let" => rng.text(UPPER, count),
        "up" => rng.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", count),
        "lan" => {
            rng.text("abcdefghijklmnopqrstuvwxyz", 1)
                + &rng.text("abcdefghijklmnopqrstuvwxyz0123456789", count - 2)
                + &rng.text(DIGITS, 1)
        }
        "aln" => mixed(rng, ALNUM, count),
        "opq" => opaque(rng, count),
        "b" => BASE64.encode(&rng.bytes(count)),
        _ => return None,
    })
}

/// A host in the role of `app`, `idp`, `api` …
pub fn host(role: &str, rng: &mut Rng) -> String {
    let word = rng.pick(WORDS);
    let number = rng.between(10, 99_999);
    let zone = rng.pick(&["com", "io", "net", "org", "co.uk", "de"]);
    match role {
        "app" => format!(
            "{}.{word}{number}.{zone}",
            rng.pick(&["app", "portal", "my", "dashboard", "www"])
        ),
        "idp" => format!(
            "{}.{word}{number}.{zone}",
            rng.pick(&["login", "id", "sso", "accounts", "auth"])
        ),
        "api" => format!("api.{word}{number}.{zone}"),
        "shop" => format!(
            "{}.{word}{number}.{zone}",
            rng.pick(&["shop", "store", "www"])
        ),
        "cdn" => format!(
            "{}.{word}{number}.{zone}",
            rng.pick(&["cdn", "static", "media", "img"])
        ),
        _ => format!("www.{word}{number}.{zone}"),
    }
}

/// A version 4 UUID.
pub fn uuid(rng: &mut Rng) -> String {
    format!(
        "{}-{}-4{}-{}{}-{}",
        rng.text(HEX, 8),
        rng.text(HEX, 4),
        rng.text(HEX, 3),
        rng.text("89ab", 1),
        rng.text(HEX, 3),
        rng.text(HEX, 12)
    )
}

fn password(rng: &mut Rng) -> String {
    let season = rng.pick(&[
        "Summer", "Winter", "Autumn", "Harbour", "Giraffe", "Tulip", "Orchid",
    ]);
    format!(
        "{season}{}{}{}",
        rng.between(1970, 2029),
        rng.text("!#$*", 1),
        rng.text(LOWER, rng.clone().below(5))
    )
}

/// Base64url text in which both cases and a digit are sure to occur.
pub fn opaque(rng: &mut Rng, count: usize) -> String {
    mixed(rng, URLSAFE, count)
}

fn mixed(rng: &mut Rng, alphabet: &str, count: usize) -> String {
    loop {
        let text = rng.text(alphabet, count);
        let all = |test: fn(&char) -> bool| text.chars().any(|c| test(&c));
        let edges = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric());
        if count < 6
            || (edges
                && all(char::is_ascii_digit)
                && all(char::is_ascii_uppercase)
                && all(char::is_ascii_lowercase))
        {
            return text;
        }
    }
}
