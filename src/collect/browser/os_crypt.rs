//! Values that Chromium on Linux encrypts with a key that is the same everywhere: what it does where no
//! keyring holds one. Such a value is as readable as plain text to whoever has the file. Values under any
//! other key (`v11` of a keyring, macOS, Windows) are left as they are. Knows no file and no table.

use aes::Aes128;
use aes::cipher::{BlockDecrypt, KeyInit};

/// What stands before the ciphertext: `kObfuscationPrefixV10` of `os_crypt_linux.cc`. macOS and Windows write
/// the same and mean other ciphers.
const PREFIX: &[u8] = b"v10";

/// PBKDF2-HMAC-SHA1 of the password `peanuts` with the salt `saltysalt`, one iteration (`os_crypt_linux.cc`).
const KEY: [u8; BLOCK] = [
    0xfd, 0x62, 0x1f, 0xe5, 0xa2, 0xb4, 0x02, 0x53, 0x9d, 0xfa, 0x14, 0x7c, 0xa9, 0x27, 0x27, 0x78,
];

/// The initialisation vector: spaces.
const VECTOR: [u8; BLOCK] = [b' '; BLOCK];

/// Bytes of a block, and of the key.
const BLOCK: usize = 16;

/// Decrypts `v10` and AES-128-CBC under the fixed key. `None` for everything else: another prefix, broken
/// blocks, a padding that this key does not explain.
///
/// The padding is a weak check: one value in 256 under another key passes it. What comes out must still look
/// like what it should be.
pub(in crate::collect) fn decrypt_v10(value: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes128::new(&KEY.into());
    let (blocks, rest) = value.strip_prefix(PREFIX)?.as_chunks::<BLOCK>();
    if !rest.is_empty() {
        return None;
    }
    let mut plain = Vec::with_capacity(blocks.len() * BLOCK);
    let mut before = &VECTOR;
    for block in blocks {
        let mut open = (*block).into();
        cipher.decrypt_block(&mut open);
        plain.extend(open.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before = block;
    }
    unpad(plain)
}

/// Takes the padding off: its bytes are its length (RFC 5652 §6.3).
fn unpad(mut plain: Vec<u8>) -> Option<Vec<u8>> {
    let padding = usize::from(*plain.last()?);
    let len = plain.len().checked_sub(padding)?;
    let is_padding = |bytes: &[u8]| bytes.iter().all(|byte| usize::from(*byte) == padding);
    let fits = (1..=BLOCK).contains(&padding) && plain.get(len..).is_some_and(is_padding);
    plain.truncate(len);
    fits.then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl enc -aes-128-cbc`.
    fn sealed(hex: &str) -> Vec<u8> {
        let mut value = PREFIX.to_vec();
        value.extend(data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap());
        value
    }

    #[test]
    fn values_of_openssl_are_opened() {
        let cases = [
            (
                "867941f8fe9212afb95e1fd5507864a1c06427c2ba266fc5734842172e7b321e372fa48a32be1bf8dd4312ab94255d33",
                "session=a made-up value of a test",
            ),
            (
                "b8bf4d8208b16e3446a91e2ffc8069ead4644facae68884658111e83efec1722",
                "sixteen bytes...",
            ),
            ("2bbc717b6f460c3a2bd002dcb1e48a97", ""),
        ];
        for (hex, plain) in cases {
            assert_eq!(decrypt_v10(&sealed(hex)).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn what_is_no_such_value_is_left() {
        let good = sealed("b8bf4d8208b16e3446a91e2ffc8069ead4644facae68884658111e83efec1722");
        for len in 0..good.len() {
            let opened = decrypt_v10(&good[..len]);
            // The first block alone ends in a dot.
            assert_eq!(opened, None, "{len}");
        }
        let mut v11 = good.clone();
        v11[2] = b'1';
        assert_eq!(decrypt_v10(&v11), None);
        let mut changed = good;
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(decrypt_v10(&changed), None);
    }
}
