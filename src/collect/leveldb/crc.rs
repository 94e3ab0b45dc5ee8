//! CRC-32C as LevelDB stores it: masked, so that the checksum of bytes that hold checksums is none of their
//! own (`util/crc32c.h`).

/// The Castagnoli polynomial, reflected.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// What is added to the rotated checksum.
const MASK: u32 = 0xa282_ead8;

const TABLE: [u32; 256] = table();

/// Whether the stored checksum is that of these bytes, one behind the other.
pub(super) fn fits(stored: u32, parts: [&[u8]; 2]) -> bool {
    let bytes = parts.into_iter().flatten();
    let crc = !bytes.fold(!0_u32, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        // The index is a byte, and the table has an entry for each.
        let step = TABLE.get(usize::from(low ^ byte)).copied();
        (crc >> 8) ^ step.unwrap_or_default()
    });
    crc.rotate_right(15).wrapping_add(MASK) == stored
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut number = 0_u32;
    let mut rest: &mut [u32] = &mut table;
    while let [first, behind @ ..] = rest {
        let mut crc = number;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        *first = crc;
        number += 1;
        rest = behind;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_record_that_chromium_wrote() {
        let record = b"\x01\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\x07version\x011";
        let (kind, data) = record.split_at(1);
        assert!(fits(0x2b6a_bef9, [kind, data]));
        assert!(!fits(0x2b6a_bef8, [kind, data]));
        // RFC 3720 §B.4: 32 bytes of zeros have the checksum 8a9136aa.
        let masked = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(MASK);
        assert!(fits(masked, [&[0; 32], b""]));
    }
}
