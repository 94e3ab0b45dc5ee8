//! Sightings read back from the few bytes that `packed` made of them.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::Held;
use crate::atoms::{
    Basis, Digest, JoinKey, KeyKind, Kind, Locator, Masked, Method, Place, Slot, Source, View,
    When, Within, Zone,
};
use crate::collect::{Store, Via};
use crate::detect::{
    Address, Channel, Claims, Credential, Decoding, Param, Role, Sighting, Signature, VisitKeys,
};

/// The sighting of these bytes.
pub(super) fn unpack(bytes: &[u8]) -> Option<Held> {
    let mut it = Packed(bytes);
    let source = u32::try_from(it.number()?).ok()?;
    let id = it.digest()?;
    let place = Place {
        source: Arc::<Source>::default(),
        locator: it.locator()?,
        view: it.of(&View::ALL)?,
    };
    let at = it.optional(Packed::moment)?;
    let via = it.via()?;
    let visit = it.optional(Packed::visit)?.map(Box::new);
    let exchange = it.optional(Packed::key)?;
    let (role, channel) = (it.of(&Role::ALL)?, it.of(&Channel::ALL)?);
    let method = it.optional(|it| Method::of(it.str()?.as_bytes()))?;
    let status = it.optional(|it| u16::try_from(it.number()?).ok())?;
    let store = it.optional(|it| it.of(&Store::ALL))?;
    let url = it.optional(|it| it.str().map(Masked::vouch))?;
    let address = it.optional(Packed::address)?;
    let landing = it.optional(Packed::digest)?;
    let redirect = it.optional(Packed::digest)?;
    let params = it.list(Packed::param)?;
    let sighting = Sighting {
        id,
        place,
        at,
        via,
        visit,
        exchange,
        role,
        method,
        status,
        channel,
        store,
        url,
        address,
        landing,
        redirect,
        params,
        keys: it.list(Packed::key)?,
        near: it.list(Packed::key)?,
        credentials: it.list(Packed::credential)?,
    };
    Some(Held { source, sighting })
}

/// What was not yet read.
struct Packed<'a>(&'a [u8]);

impl Packed<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let at = self.byte()?;
        all.get(usize::from(at)).copied()
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? == 1)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn digest(&mut self) -> Option<Digest> {
        let (bytes, rest) = self.0.split_first_chunk::<16>()?;
        self.0 = rest;
        Some(Digest::from_bytes(*bytes))
    }

    fn key(&mut self) -> Option<JoinKey> {
        Some(JoinKey {
            kind: self.of(&KeyKind::ALL)?,
            digest: self.digest()?,
        })
    }

    fn str(&mut self) -> Option<&str> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        std::str::from_utf8(bytes).ok()
    }

    fn text<T: for<'t> From<&'t str>>(&mut self) -> Option<T> {
        self.str().map(T::from)
    }

    #[expect(
        clippy::option_option,
        reason = "one is of the value, the other of what cannot be read"
    )]
    fn optional<T>(&mut self, take: fn(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? {
            take(self).map(Some)
        } else {
            Some(None)
        }
    }

    fn list<T>(&mut self, take: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = usize::try_from(self.number()?).ok()?;
        (0..len).map(|_| take(self)).collect()
    }

    fn moment(&mut self) -> Option<When> {
        let (second, nano) = (self.signed()?, i32::try_from(self.signed()?).ok()?);
        Some(When {
            instant: Timestamp::new(second, nano).ok()?,
            basis: self.of(&Basis::ALL)?,
            zone: self.of(&[Zone::Stated, Zone::Assumed])?,
        })
    }

    fn visit(&mut self) -> Option<VisitKeys> {
        Some(VisitKeys {
            own: self.key()?,
            ancestors: self.list(|it| Some((it.byte()?, it.key()?)))?,
        })
    }

    fn address(&mut self) -> Option<Address> {
        Some(Address {
            scheme: self.text()?,
            host: self.text()?,
            port: self.optional(|it| u16::try_from(it.number()?).ok())?,
            path: self.text()?,
        })
    }

    fn param(&mut self) -> Option<Param> {
        Some(Param {
            name: self.text()?,
            value: self.optional(Self::text)?,
            slot: self.of(&Slot::ALL)?,
        })
    }

    fn via(&mut self) -> Option<Via> {
        match self.byte()? {
            u8::MAX => Some(Via::Referer {
                sent_to: self.optional(Self::text)?,
            }),
            plain => Via::PLAIN.get(usize::from(plain)).cloned(),
        }
    }

    fn locator(&mut self) -> Option<Locator> {
        Some(match self.byte()? {
            0 => Locator::Row {
                table: Cow::Owned(self.str()?.to_owned()),
                rowid: self.signed()?,
                column: Cow::Owned(self.str()?.to_owned()),
            },
            1 => Locator::Line {
                number: self.number()?,
                byte: self.number()?,
            },
            2 => Locator::Entry {
                index: self.number()?,
                pointer: self.text()?,
                line: self.number()?,
                column: self.number()?,
            },
            3 => Locator::Record {
                file: self.text()?,
                key: self.text()?,
                sequence: self.number()?,
            },
            4 => Locator::Bytes {
                offset: self.number()?,
            },
            5 => Locator::Residue {
                beside: self.optional(Self::text)?,
                offset: self.number()?,
                within: self.of(&Within::ALL)?,
                uncertain: self.flag()?,
            },
            _ => return None,
        })
    }

    fn credential(&mut self) -> Option<Credential> {
        Some(Credential {
            id: self.digest()?,
            kind: self.of(&Kind::ALL)?,
            rule: self.str()?.into(),
            slot: self.of(&Slot::ALL)?,
            name: self.text()?,
            nesting: self.list(|it| it.of(&Decoding::ALL))?,
            shown: Masked::vouch(self.str()?),
            fingerprint: self.optional(Self::digest)?,
            keys: self.list(Self::key)?,
            claims: self.optional(Self::claims)?.map(Box::new),
            signature: self.of(&Signature::ALL)?,
            score: i16::try_from(self.signed()?).ok()?,
        })
    }

    fn claims(&mut self) -> Option<Claims> {
        let mut word = || self.optional(Self::text);
        let (alg, typ, iss) = (word()?, word()?, word()?);
        let (azp, scope, cnf) = (word()?, word()?, word()?);
        let aud = self.list(Self::text)?;
        let mut moment = || self.optional(Self::signed);
        let (exp, iat, nbf) = (moment()?, moment()?, moment()?);
        Some(Claims {
            alg,
            typ,
            encrypted: self.flag()?,
            iss,
            aud,
            azp,
            scope,
            exp,
            iat,
            nbf,
            cnf,
            nonce: self.flag()?,
            personal: self.flag()?,
            privileged: self.flag()?,
        })
    }
}
