//! Sightings as few bytes, for this process alone: no format that anyone else reads. What is read
//! back was written by this program, and is believed no more than any other file.

use super::Held;
use super::unpacked::unpack;
use crate::atoms::{JoinKey, Locator, Method, Zone};
use crate::collect::Via;
use crate::detect::{Claims, Credential, Sighting};
use crate::pile::Form;

/// How a sighting is packed.
pub(super) const FORM: Form<Held> = Form { pack, unpack };

/// Appends a sighting. Its source is a number.
fn pack(held: &Held, out: &mut Vec<u8>) {
    number(u64::from(held.source), out);
    pack_sighting(&held.sighting, out);
}

/// Appends a sighting without its source.
pub(super) fn pack_sighting(it: &Sighting, out: &mut Vec<u8>) {
    out.extend_from_slice(it.id.as_bytes());
    locator(&it.place.locator, out);
    out.push(it.place.view as u8);
    optional(it.at.as_ref(), out, |at, out| {
        signed(at.instant.as_second(), out);
        signed(i64::from(at.instant.subsec_nanosecond()), out);
        out.extend([at.basis as u8, u8::from(at.zone == Zone::Assumed)]);
    });
    via(&it.via, out);
    optional(it.visit.as_ref(), out, |visit, out| {
        key(visit.own, out);
        list(&visit.ancestors, out, |(hops, ancestor), out| {
            out.push(*hops);
            key(*ancestor, out);
        });
    });
    optional(it.exchange.as_ref(), out, |it, out| key(*it, out));
    out.extend([it.role as u8, it.channel as u8]);
    optional(it.method.map(Method::as_str), out, text);
    optional(it.status.as_ref(), out, |it, out| {
        number(u64::from(*it), out);
    });
    optional(it.store.as_ref(), out, |it, out| out.push(*it as u8));
    optional(it.url.as_ref(), out, |it, out| text(it.as_str(), out));
    optional(it.address.as_ref(), out, |it, out| {
        text(&it.scheme, out);
        text(&it.host, out);
        optional(it.port.as_ref(), out, |it, out| number(u64::from(*it), out));
        text(&it.path, out);
    });
    for digest in [&it.landing, &it.redirect] {
        optional(digest.as_ref(), out, |it, out| out.extend(it.as_bytes()));
    }
    list(&it.params, out, |it, out| {
        text(&it.name, out);
        optional(it.value.as_deref(), out, text);
        out.push(it.slot as u8);
    });
    list(&it.keys, out, |it, out| key(*it, out));
    list(&it.near, out, |it, out| key(*it, out));
    list(&it.credentials, out, credential);
}

fn credential(it: &Credential, out: &mut Vec<u8>) {
    out.extend_from_slice(it.id.as_bytes());
    out.push(it.kind as u8);
    text(&it.rule, out);
    out.push(it.slot as u8);
    text(&it.name, out);
    list(&it.nesting, out, |it, out| out.push(*it as u8));
    text(it.shown.as_str(), out);
    optional(it.fingerprint.as_ref(), out, |it, out| {
        out.extend(it.as_bytes());
    });
    list(&it.keys, out, |it, out| key(*it, out));
    optional(it.claims.as_deref(), out, claims);
    out.push(it.signature as u8);
    signed(i64::from(it.score), out);
}

fn claims(it: &Claims, out: &mut Vec<u8>) {
    for word in [&it.alg, &it.typ, &it.iss, &it.azp, &it.scope, &it.cnf] {
        optional(word.as_deref(), out, text);
    }
    list(&it.aud, out, |it, out| text(it, out));
    for moment in [it.exp, it.iat, it.nbf] {
        optional(moment.as_ref(), out, |it, out| signed(*it, out));
    }
    let flags = [it.encrypted, it.nonce, it.personal, it.privileged];
    out.extend(flags.map(u8::from));
}

fn locator(it: &Locator, out: &mut Vec<u8>) {
    match it {
        Locator::Row {
            table,
            rowid,
            column,
        } => {
            out.push(0);
            text(table, out);
            signed(*rowid, out);
            text(column, out);
        }
        Locator::Line { number: line, byte } => {
            out.push(1);
            number(*line, out);
            number(*byte, out);
        }
        Locator::Entry {
            index,
            pointer,
            line,
            column,
        } => {
            out.push(2);
            number(*index, out);
            text(pointer, out);
            number(*line, out);
            number(*column, out);
        }
        Locator::Record {
            file,
            key,
            sequence,
        } => {
            out.push(3);
            text(file, out);
            text(key, out);
            number(*sequence, out);
        }
        Locator::Bytes { offset } => {
            out.push(4);
            number(*offset, out);
        }
        Locator::Residue {
            beside,
            offset,
            within,
            uncertain,
        } => {
            out.push(5);
            optional(beside.as_deref(), out, text);
            number(*offset, out);
            out.extend([*within as u8, u8::from(*uncertain)]);
        }
    }
}

fn via(it: &Via, out: &mut Vec<u8>) {
    let plain = Via::PLAIN.iter().position(|other| other == it);
    let plain = plain.and_then(|at| u8::try_from(at).ok());
    out.push(plain.unwrap_or(u8::MAX));
    if let Via::Referer { sent_to } = it {
        optional(sent_to.as_deref(), out, text);
    }
}

fn key(key: JoinKey, out: &mut Vec<u8>) {
    out.push(key.kind as u8);
    out.extend_from_slice(key.digest.as_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the low ones first.
fn number(mut value: u64, out: &mut Vec<u8>) {
    while let Some(high) = (value >> 7 > 0).then_some(value >> 7) {
        out.push((value & 0x7f) as u8 | 0x80);
        value = high;
    }
    out.push((value & 0x7f) as u8);
}

fn signed(value: i64, out: &mut Vec<u8>) {
    number(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}

fn optional<T: ?Sized>(value: Option<&T>, out: &mut Vec<u8>, put: fn(&T, &mut Vec<u8>)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(value, out);
    }
}

fn list<T>(values: &[T], out: &mut Vec<u8>, put: fn(&T, &mut Vec<u8>)) {
    number(values.len() as u64, out);
    for value in values {
        put(value, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::{Basis, KeyKind, Kind, Slot, View, When, Within};
    use crate::collect::Store;
    use crate::detect::sample::full;
    use crate::detect::{Channel, Role, Signature};

    fn again(sighting: &Sighting) -> Option<Sighting> {
        let held = Held {
            source: 70_000,
            sighting: sighting.clone(),
        };
        let mut bytes = Vec::new();
        pack(&held, &mut bytes);
        let read = unpack(&bytes)?;
        assert_eq!(read.source, 70_000);
        assert!(bytes.len() < 700, "{} bytes", bytes.len());
        // What is cut off is noticed wherever it is cut.
        assert!((0..bytes.len()).all(|end| unpack(&bytes[..end]).is_none()));
        Some(read.sighting)
    }

    #[test]
    fn a_sighting_is_the_same_when_it_is_read_back() {
        let full = full();
        assert_eq!(again(&full), Some(full.clone()));
        let mut bare = full;
        (bare.at, bare.visit, bare.exchange) = (None, None, None);
        (bare.url, bare.address, bare.store) = (None, None, None);
        (bare.credentials, bare.params, bare.near) = (Vec::new(), Vec::new(), Vec::new());
        assert_eq!(again(&bare), Some(bare.clone()));
    }

    #[test]
    fn every_name_is_the_same_when_it_is_read_back() {
        let mut it = full();
        let mut same = |change: &dyn Fn(&mut Sighting)| {
            change(&mut it);
            assert_eq!(again(&it), Some(it.clone()));
        };
        for via in Via::PLAIN {
            same(&|it| it.via = via.clone());
        }
        for role in Role::ALL {
            same(&|it| it.role = role);
        }
        for channel in Channel::ALL {
            same(&|it| it.channel = channel);
        }
        for store in Store::ALL {
            same(&|it| it.store = Some(store));
        }
        for view in View::ALL {
            same(&|it| it.place.view = view);
        }
        for basis in Basis::ALL {
            let at = |at: When| When { basis, ..at };
            same(&|it| it.at = it.at.map(at));
        }
        for kind in KeyKind::ALL {
            same(&|it| it.keys[0].kind = kind);
        }
        for kind in Kind::ALL {
            same(&|it| it.credentials[0].kind = kind);
        }
        for slot in Slot::ALL {
            same(&|it| it.credentials[0].slot = slot);
        }
        for signature in Signature::ALL {
            same(&|it| it.credentials[0].signature = signature);
        }
        let locators = [
            Locator::Bytes { offset: 9 },
            Locator::Row {
                table: "urls".into(),
                rowid: -1,
                column: "url".into(),
            },
            Locator::Line {
                number: 7,
                byte: u64::MAX,
            },
            Locator::Entry {
                index: 1,
                pointer: "/log".into(),
                line: 300,
                column: 4,
            },
            Locator::Record {
                file: "000003.log".into(),
                key: "k".into(),
                sequence: 128,
            },
        ];
        for locator in locators {
            same(&|it| it.place.locator = locator.clone());
        }
        for within in Within::ALL {
            let locator = Locator::Residue {
                beside: Some("History-journal".into()),
                offset: 9,
                within,
                uncertain: true,
            };
            same(&|it| it.place.locator = locator.clone());
        }
    }
}
