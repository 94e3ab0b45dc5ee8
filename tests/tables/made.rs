//! Values and files as the browsers make them.

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use sha2::{Digest, Sha256};

/// Encrypts as Chromium on Linux does without a keyring.
pub(crate) fn v10(plain: &[u8]) -> Vec<u8> {
    let key = data_encoding::HEXLOWER.decode(b"fd621fe5a2b402539dfa147ca9272778");
    encrypt("v10", &key.unwrap(), plain)
}

/// The same under another key, as on macOS or with a keyring.
pub(crate) fn foreign(prefix: &str, plain: &[u8]) -> Vec<u8> {
    encrypt(prefix, &[7; 16], plain)
}

fn encrypt(prefix: &str, key: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new_from_slice(key).unwrap();
    let padding = 16 - plain.len() % 16;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + padding, padding as u8);
    let mut out = prefix.as_bytes().to_vec();
    let mut before = [b' '; 16];
    for block in padded.as_chunks::<16>().0 {
        let mut mixed = *block;
        mixed
            .iter_mut()
            .zip(before)
            .for_each(|(byte, mask)| *byte ^= mask);
        let mut open = mixed.into();
        cipher.encrypt_block(&mut open);
        before = open.into();
        out.extend(before);
    }
    out
}

/// A cookie's value with the digest of its host before it, as since Chromium 130.
pub(crate) fn bound(host: &str, value: &str) -> Vec<u8> {
    [&Sha256::digest(host)[..], value.as_bytes()].concat()
}

/// Bytes as a literal of SQL.
pub(crate) fn blob(bytes: &[u8]) -> String {
    format!("x'{}'", data_encoding::HEXLOWER.encode(bytes))
}

/// A raw Snappy block of literals alone.
pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes.len();
    while rest > 0x7f {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    for chunk in bytes.chunks(256) {
        out.extend([60 << 2, (chunk.len() - 1) as u8]);
        out.extend(chunk);
    }
    out
}

/// A `Cookies.binarycookies` with one page for each list of host, name, value, and Cocoa seconds.
pub(crate) fn binary_cookies(pages: &[&[(&str, &str, &str, f64)]]) -> Vec<u8> {
    let pages: Vec<Vec<u8>> = pages.iter().map(|cookies| page(cookies)).collect();
    let mut out = b"cook".to_vec();
    out.extend((pages.len() as u32).to_be_bytes());
    for page in &pages {
        out.extend((page.len() as u32).to_be_bytes());
    }
    out.extend(pages.concat());
    out.extend([0, 0, 0, 0, 7, 23, 32, 5]);
    out
}

fn page(cookies: &[(&str, &str, &str, f64)]) -> Vec<u8> {
    let records: Vec<Vec<u8>> = cookies
        .iter()
        .map(|(host, name, value, created)| {
            let mut record = vec![0; 56];
            let put = |record: &mut Vec<u8>, at: usize, text: &str| {
                let offset = record.len() as u32;
                record[at..at + 4].copy_from_slice(&offset.to_le_bytes());
                record.extend(text.as_bytes());
                record.push(0);
            };
            put(&mut record, 16, host);
            put(&mut record, 20, name);
            put(&mut record, 24, "/");
            put(&mut record, 28, value);
            record[48..56].copy_from_slice(&created.to_le_bytes());
            let len = record.len() as u32;
            record[..4].copy_from_slice(&len.to_le_bytes());
            record
        })
        .collect();
    let mut out = vec![0, 0, 1, 0];
    out.extend((records.len() as u32).to_le_bytes());
    let mut offset = out.len() + records.len() * 4 + 4;
    for record in &records {
        out.extend((offset as u32).to_le_bytes());
        offset += record.len();
    }
    out.extend([0; 4]);
    out.extend(records.concat());
    out
}
