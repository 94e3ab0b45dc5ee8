//! Names for things that must be recognised again without being shown: fingerprints of credentials,
//! join keys between protocol messages, ids of sightings. All are truncated SHA-256, or HMAC-SHA-256
//! under `--fingerprint-key`; none can be turned back into the value of a high-entropy credential,
//! and values of low entropy get none without a key (a bare hash of a PIN would be the PIN).

use std::fmt;
use std::hash::{Hash, Hasher};

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Values shorter than this many bytes are of low entropy whatever their kind: 16 base64url characters
/// hold at most 96 bits, and a shorter one can be searched for from its hash.
pub const MIN_HASHED_LEN: usize = 16;

/// How a name ends that one source gave, behind the source's own four bytes. What is a digest of a value ends so by
/// chance once in four thousand million times, and is then compared inside one source only.
const LOCAL: [u8; 4] = *b"here";

/// 128 bits that name something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All are of one length, so that it need not be hashed with them: tables are full of these.
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

impl Digest {
    /// The digest of some parts that are no secrets. A length prefix keeps the parts apart.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self::truncate(&hash.finalize())
    }

    /// The digest that these 16 bytes are.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 32 lower-case hex characters that it is written as.
    pub fn hex(&self) -> [u8; 32] {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
        let mut hex = [0; 32];
        for (pair, byte) in hex.as_chunks_mut().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        hex
    }

    /// Reads the 32 lower-case hex characters that `Display` writes.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if hex.len() != 2 * bytes.len() {
            return None;
        }
        let (pairs, _) = hex.as_bytes().as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self(bytes))
    }

    /// The same as a name that holds inside a source: another source gives the same thing another name.
    #[must_use]
    pub fn within(self, source: Self) -> Self {
        let mut bytes = self.0;
        let end = source.mark().into_iter().chain(LOCAL);
        for (to, from) in bytes.iter_mut().skip(8).zip(end) {
            *to = from;
        }
        Self(bytes)
    }

    /// The mark of the source inside of which the name holds; `None` where it is compared with all others.
    pub fn scope(&self) -> Option<[u8; 4]> {
        let (_, end) = self.0.split_last_chunk::<8>()?;
        let (mark, local) = end.split_first_chunk::<4>()?;
        (local == LOCAL).then_some(*mark)
    }

    /// A source's mark in the names that it gives.
    pub fn mark(&self) -> [u8; 4] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    fn truncate(full: &[u8]) -> Self {
        let mut out = [0; 16];
        for (to, from) in out.iter_mut().zip(full) {
            *to = *from;
        }
        Self(out)
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Identity of a credential's value: the same in a history, a log and a HAR, on any machine.
pub type Fingerprint = Digest;

/// What a join key stands for. Two sightings that share a key of a kind belong to one protocol run,
/// unless the key is seen too often (`reference: design, join keys`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum KeyKind {
    /// `state` (RFC 6749 §4.1.1), `RelayState` (SAML bindings) or an OAuth 1 request token.
    State,
    /// `nonce` of a request, or the claim of an ID token (OpenID Connect Core §3.1.2.1).
    Nonce,
    /// An authorization code, a CAS ticket or a SAML artifact.
    Code,
    /// `code_challenge` under S256, or S256 of a verifier (RFC 7636 §4.6).
    ChallengeS256,
    /// `code_challenge` under plain or without a method, or a verifier as it is (RFC 7636 §4.3).
    ChallengePlain,
    /// `at_hash`, or its formula over an access token (OpenID Connect Core §3.2.2.10).
    AtHash,
    /// `c_hash`, or its formula over a code (OpenID Connect Core §3.3.2.11).
    CHash,
    /// `s_hash`, or its formula over a `state` (FAPI).
    SHash,
    /// `request_uri` of a pushed request (RFC 9126 §2.2).
    RequestUri,
    /// `device_code` (RFC 8628) or `auth_req_id` (CIBA).
    DeviceCode,
    /// `jti` together with `iss`.
    Jti,
    /// The value of a token, which ties a token response to the token's later use.
    Value,
    /// One visit of one history.
    Visit,
    /// One HAR entry or one log line: a request and its response.
    Exchange,
    /// A sighting by its id, or a stretch of time in one source: what another may belong to by time alone.
    Near,
    /// The thumbprint of a private key (RFC 7638), or `cnf.jkt` of a token that is bound to one (RFC 9449 §6.1).
    Thumbprint,
}

impl KeyKind {
    /// Every kind of key.
    pub const ALL: [Self; 16] = [
        Self::State,
        Self::Nonce,
        Self::Code,
        Self::ChallengeS256,
        Self::ChallengePlain,
        Self::AtHash,
        Self::CHash,
        Self::SHash,
        Self::RequestUri,
        Self::DeviceCode,
        Self::Jti,
        Self::Value,
        Self::Visit,
        Self::Exchange,
        Self::Near,
        Self::Thumbprint,
    ];

    /// The name on the wire and in a clue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Nonce => "nonce",
            Self::Code => "code",
            Self::ChallengeS256 => "challenge-s256",
            Self::ChallengePlain => "challenge-plain",
            Self::AtHash => "at_hash",
            Self::CHash => "c_hash",
            Self::SHash => "s_hash",
            Self::RequestUri => "request_uri",
            Self::DeviceCode => "device_code",
            Self::Jti => "jti",
            Self::Value => "value",
            Self::Visit => "chain",
            Self::Exchange => "exchange",
            Self::Near => "near",
            Self::Thumbprint => "jkt",
        }
    }
}

/// One join key. Holds a digest only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct JoinKey {
    /// What it joins.
    pub kind: KeyKind,
    /// Digest of the joined value under the run's [`FingerprintKey`].
    pub digest: Digest,
}

impl Hash for JoinKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One word, and not three. That keys of two kinds may so be alike is no matter: a table compares them.
        let digest = u128::from_ne_bytes(self.digest.0);
        state.write_u128(digest ^ self.kind as u128);
    }
}

/// The key of `--fingerprint-key`, or none. The same key must be used wherever results are to meet.
#[derive(Clone, Default)]
pub struct FingerprintKey(Option<Zeroizing<Vec<u8>>>);

impl FingerprintKey {
    /// A key from the bytes of a key file.
    pub fn new(key: impl Into<Vec<u8>>) -> Self {
        Self(Some(Zeroizing::new(key.into())))
    }

    /// Whether values of low entropy may be hashed too.
    pub fn is_keyed(&self) -> bool {
        self.0.is_some()
    }

    /// Digest of `value` in the name space `domain`, or `None` when the value could be guessed from it.
    pub fn digest(&self, domain: &str, value: &[u8]) -> Option<Digest> {
        match &self.0 {
            None if value.len() < MIN_HASHED_LEN => None,
            None => Some(Digest::of([
                b"tokentrail/1".as_slice(),
                domain.as_bytes(),
                value,
            ])),
            Some(key) => {
                // HMAC takes keys of any length (RFC 2104 §3), so this cannot fail.
                let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
                mac.update(&(domain.len() as u64).to_le_bytes());
                mac.update(domain.as_bytes());
                mac.update(value);
                Some(Digest::truncate(&mac.finalize().into_bytes()))
            }
        }
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_keyed() {
            "FingerprintKey(set)"
        } else {
            "FingerprintKey(none)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_have_no_digest_without_a_key() {
        let bare = FingerprintKey::default();
        assert_eq!(bare.digest("value", b"hunter2"), None);
        assert!(bare.digest("value", b"0123456789abcdef").is_some());
        assert!(
            FingerprintKey::new(*b"k")
                .digest("value", b"hunter2")
                .is_some()
        );
    }

    #[test]
    fn domains_and_keys_separate() {
        let value = b"0123456789abcdef";
        let bare = FingerprintKey::default();
        assert_ne!(bare.digest("a", value), bare.digest("b", value));
        assert_ne!(
            bare.digest("a", value),
            FingerprintKey::new(*b"k").digest("a", value)
        );
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(
            Digest::of([b"ab".as_slice(), b"c"]),
            Digest::of([b"a".as_slice(), b"bc"])
        );
    }

    #[test]
    fn a_name_that_holds_inside_a_source_tells_which() {
        let digest = |name: &[u8]| Digest::of([name]);
        let (one, other) = (digest(b"one"), digest(b"other"));
        let name = |of: &[u8], source| digest(of).within(source);
        assert_eq!(name(b"x", one).scope(), Some(one.mark()));
        assert_ne!(name(b"x", one).scope(), name(b"x", other).scope());
        assert_ne!(name(b"x", one), name(b"y", one));
        assert_eq!(digest(b"x").scope(), None);
    }

    #[test]
    fn display_and_parse_agree() {
        let digest = Digest::of([b"x".as_slice()]);
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("no"), None);
        for wrong in [
            "0123456789abcdef0123456789abcdeF",
            "0123456789abcdef0123456789abcde-",
        ] {
            assert_eq!(Digest::parse(wrong), None);
        }
    }
}
