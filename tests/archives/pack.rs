//! Writers of archives, honest and hostile ones: what a library refuses to write must be written too.

use std::io::Write;

/// A member of a zip.
#[derive(Clone, Default)]
pub(crate) struct Zipped {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) deflate: bool,
    pub(crate) flags: u16,
    pub(crate) unix_mode: u32,
    /// Sizes and offset in a zip64 field.
    pub(crate) wide: bool,
    /// Bit 3: sizes and checksum behind the data.
    pub(crate) descriptor: bool,
    /// The size that is stated.
    pub(crate) claims: Option<u64>,
    pub(crate) method: Option<u16>,
}

pub(crate) fn zipped(name: &str, data: impl Into<Vec<u8>>) -> Zipped {
    Zipped {
        name: name.into(),
        data: data.into(),
        ..Zipped::default()
    }
}

pub(crate) fn deflated(name: &str, data: impl Into<Vec<u8>>) -> Zipped {
    Zipped {
        deflate: true,
        ..zipped(name, data)
    }
}

fn put(out: &mut Vec<u8>, number: u64, width: usize) {
    out.extend_from_slice(&number.to_le_bytes()[..width]);
}

/// Local headers and data, and the central directory that is due.
pub(crate) struct Zip {
    pub(crate) body: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    pub(crate) entries: u64,
}

impl Zip {
    pub(crate) fn new() -> Self {
        Self {
            body: Vec::new(),
            directory: Vec::new(),
            entries: 0,
        }
    }

    pub(crate) fn add(&mut self, member: &Zipped) {
        let packed = if member.deflate {
            deflate(&member.data)
        } else {
            member.data.clone()
        };
        let at = self.body.len() as u64;
        self.local(member, &packed);
        self.body.extend_from_slice(&packed);
        if member.descriptor {
            self.body.extend_from_slice(b"PK\x07\x08");
            put(&mut self.body, u64::from(crc(&member.data)), 4);
            put(&mut self.body, packed.len() as u64, 4);
            put(&mut self.body, member.data.len() as u64, 4);
        }
        self.list(member, packed.len() as u64, at);
    }

    fn local(&mut self, member: &Zipped, packed: &[u8]) {
        let out = &mut self.body;
        out.extend_from_slice(b"PK\x03\x04");
        put(out, 20, 2);
        let flags = member.flags | if member.descriptor { 8 } else { 0 };
        put(out, u64::from(flags), 2);
        put(
            out,
            u64::from(member.method.unwrap_or(if member.deflate { 8 } else { 0 })),
            2,
        );
        put(out, 0, 4);
        let known = u64::from(!member.descriptor);
        put(out, known * u64::from(crc(&member.data)), 4);
        put(out, known * packed.len() as u64, 4);
        put(out, known * member.data.len() as u64, 4);
        put(out, member.name.len() as u64, 2);
        put(out, 0, 2);
        out.extend_from_slice(&member.name);
    }

    /// A line of the list, which may lie.
    pub(crate) fn list(&mut self, member: &Zipped, packed: u64, at: u64) {
        let size = member.claims.unwrap_or(member.data.len() as u64);
        let out = &mut self.directory;
        out.extend_from_slice(b"PK\x01\x02");
        put(out, 0x0314, 2);
        put(out, 20, 2);
        put(out, u64::from(member.flags), 2);
        put(
            out,
            u64::from(member.method.unwrap_or(if member.deflate { 8 } else { 0 })),
            2,
        );
        put(out, 0, 4);
        put(out, u64::from(crc(&member.data)), 4);
        for number in [packed, size] {
            put(out, if member.wide { u64::MAX } else { number }, 4);
        }
        put(out, member.name.len() as u64, 2);
        put(out, if member.wide { 28 } else { 0 }, 2);
        put(out, 0, 2);
        put(out, 0, 2);
        put(out, 0, 2);
        put(out, u64::from(member.unix_mode) << 16, 4);
        put(out, if member.wide { u64::MAX } else { at }, 4);
        out.extend_from_slice(&member.name);
        if member.wide {
            put(out, 1, 2);
            put(out, 24, 2);
            for number in [size, packed, at] {
                put(out, number, 8);
            }
        }
        self.entries += 1;
    }

    pub(crate) fn finish(self, wide: bool) -> Vec<u8> {
        let mut out = self.body;
        let (at, len) = (out.len() as u64, self.directory.len() as u64);
        out.extend_from_slice(&self.directory);
        if wide {
            let record = out.len() as u64;
            out.extend_from_slice(b"PK\x06\x06");
            put(&mut out, 44, 8);
            put(&mut out, 45, 2);
            put(&mut out, 45, 2);
            put(&mut out, 0, 8);
            for number in [self.entries, self.entries, len, at] {
                put(&mut out, number, 8);
            }
            out.extend_from_slice(b"PK\x06\x07");
            put(&mut out, 0, 4);
            put(&mut out, record, 8);
            put(&mut out, 1, 4);
        }
        out.extend_from_slice(b"PK\x05\x06");
        put(&mut out, 0, 4);
        for (number, width) in [(self.entries, 2), (self.entries, 2), (len, 4), (at, 4)] {
            put(&mut out, if wide { u64::MAX } else { number }, width);
        }
        put(&mut out, 0, 2);
        out
    }
}

pub(crate) fn zip(members: &[Zipped]) -> Vec<u8> {
    let mut zip = Zip::new();
    for member in members {
        zip.add(member);
    }
    zip.finish(members.iter().any(|member| member.wide))
}

pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

pub(crate) fn crc(data: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    crc.sum()
}

/// A member of a tar, in the plain `ustar` form.
pub(crate) fn tarred(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 512];
    let cut = name.match_indices('/').map(|(at, _)| at);
    let cut = cut.filter(|at| name.len() - at <= 101).min();
    let (prefix, name) = match cut.filter(|_| name.len() > 100) {
        None => ("", name),
        Some(cut) => (&name[..cut], &name[cut + 1..]),
    };
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    let mut out = block.to_vec();
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// Writes the checksum of a header.
pub(crate) fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(crate) fn tar<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out: Vec<u8> = members
        .into_iter()
        .flat_map(|(name, data)| tarred(name, b'0', data))
        .collect();
    out.resize(out.len() + 1024, 0);
    out
}

/// A `pax` record.
pub(crate) fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut len = rest.len() + 1;
    while format!("{len}{rest}").len() != len {
        len += 1;
    }
    format!("{len}{rest}").into_bytes()
}
