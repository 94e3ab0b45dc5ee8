//! What holds evidence and is not opened here: images of disks, captures of packets, logs in forms of their own, archives
//! of other kinds, what belongs to a database that is missing. They are told by their first bytes, and the user is told
//! what to do instead. Reads nothing further.

use std::sync::Arc;

use super::{Context, Evidence, ReadError, Reader, Sink, find};
use crate::atoms::Source;

/// All of them.
pub const ALL: [&Reader; 5] = [
    &DISK_IMAGE,
    &PACKET_CAPTURE,
    &OTHER_LOG,
    &OTHER_ARCHIVE,
    &SIDECAR,
];

/// Images of disks and file systems.
pub static DISK_IMAGE: Reader = Reader {
    name: "disk-image",
    claims: |evidence, _| image(evidence).is_some(),
    read: |evidence, _, _, _| Err(told(image(evidence))),
};

/// Captures of packets.
pub static PACKET_CAPTURE: Reader = Reader {
    name: "packet-capture",
    claims: |evidence, _| packets(evidence).is_some(),
    read: |evidence, _, _, _| Err(told(packets(evidence))),
};

/// Logs of systems that are not opened.
pub static OTHER_LOG: Reader = Reader {
    name: "other-log",
    claims: |evidence, _| log(evidence).is_some(),
    read: |evidence, _, _, _| Err(told(log(evidence))),
};

/// Archives that are not opened.
pub static OTHER_ARCHIVE: Reader = Reader {
    name: "other-archive",
    claims: |evidence, _| archive(evidence).is_some(),
    read: |evidence: &Evidence, _: &Arc<Source>, _: &Context<'_>, _: &mut Sink<'_>| {
        Err(told(archive(evidence)))
    },
};

/// What SQLite keeps beside a database, where that is not. With it they are read; alone they are pages without a list of
/// what is in them.
pub static SIDECAR: Reader = Reader {
    name: "sqlite-sidecar",
    claims: |evidence, _| sidecar(evidence).is_some(),
    read: |evidence, _, _, _| Err(told(sidecar(evidence))),
};

/// Bytes of the smallest file that is taken for an image by signs that stand in small files too.
const SMALLEST_IMAGE: u64 = 1 << 20;

const EXPOSE: &str =
    "expose it with `ewfmount` (libewf), mount what that shows read-only, and scan the folder";

const ATTACH: &str = "attach it read-only (`qemu-nbd -r`, or `Mount-DiskImage -Access ReadOnly`), and scan the folder";

const MOUNT: &str = "mount it read-only (`mount -o ro,loop,noload`, or `losetup -r -P` for its partitions) and scan the folder";

fn told(what: Option<(&'static str, &'static str)>) -> ReadError {
    let (what, advice) = what.unwrap_or(("other data", "convert it first"));
    ReadError::Unsupported(format!("is {what}, which is not opened here; {advice}").into())
}

/// Containers of images: first bytes, what it is, what to do.
#[rustfmt::skip]
const CONTAINERS: [(&[u8], &str, &str); 9] = [
    (b"EVF\x09\x0d\x0a\xff\0", "an image in EnCase's format", EXPOSE),
    (b"EVF2\x0d\x0a\x81\0", "an image in EnCase's newer format", EXPOSE),
    (b"LVF\x09\x0d\x0a\xff\0", "a logical image in EnCase's format", "export its files, and scan the folder"),
    (b"ADSEGMENTEDFILE\0", "a logical image in AccessData's format", "export its files with FTK Imager, and scan the folder"),
    (b"vhdxfile", "a virtual disk (VHDX)", ATTACH),
    (b"conectix", "a virtual disk (VHD)", ATTACH),
    (b"KDMV", "a virtual disk (VMDK)", ATTACH),
    (b"# Disk DescriptorFile", "the description of a virtual disk (VMDK)", ATTACH),
    (b"QFI\xfb", "a virtual disk (qcow2)", ATTACH),
];

/// Boot sectors and superblocks: offset, the sign that stands there, what it is.
#[rustfmt::skip]
const SIGNS: [(usize, &[u8], &str); 10] = [
    (3, b"NTFS    ", "a raw image of an NTFS file system"),
    (3, b"-FVE-FS-", "a raw image of a file system that BitLocker encrypts"),
    (0, b"LUKS\xba\xbe", "a raw image of a file system that LUKS encrypts"),
    (32, b"NXSB", "a raw image of an APFS container"),
    (1024, b"H+\0\x04", "a raw image of an HFS+ file system"),
    (1024, b"HX\0\x05", "a raw image of an HFS+ file system"),
    (0, b"XFSB", "a raw image of an XFS file system"),
    (512, b"EFI PART", "a raw image of a disk (GPT)"),
    (4096, b"EFI PART", "a raw image of a disk (GPT)"),
    (82, b"FAT32   ", "a raw image of a FAT file system"),
];

/// What kind of image, and what to do.
fn image(evidence: &Evidence) -> Option<(&'static str, &'static str)> {
    let head = evidence.head();
    let mut containers = CONTAINERS.iter();
    if let Some((_, what, advice)) = containers.find(|(magic, ..)| head.starts_with(magic)) {
        return Some((what, advice));
    }
    if evidence.len().is_some_and(|len| len < SMALLEST_IMAGE) {
        return None;
    }
    let stands = |at: usize, sign: &[u8]| head.get(at..).is_some_and(|it| it.starts_with(sign));
    let sign = SIGNS.iter().find(|(at, sign, _)| stands(*at, sign));
    let what = match sign {
        Some((.., what)) => what,
        None if is_ext(head) => "a raw image of an ext file system",
        None if is_partitioned(head) => "a raw image of a disk (MBR)",
        None => return None,
    };
    Some((what, MOUNT))
}

/// The superblock at 1,024: magic at 56, a block size that exists at 24, a state at 58 (kernel documentation, ext4,
/// "Super Block").
fn is_ext(head: &[u8]) -> bool {
    let number = |at: usize| head.get(at).copied().unwrap_or(u8::MAX);
    head.get(1080..1082) == Some(b"\x53\xef") && number(1048) <= 6 && number(1082) <= 7
}

/// A table of partitions: its mark, flags that exist, and a partition that begins behind the table.
fn is_partitioned(head: &[u8]) -> bool {
    let Some(table) = head.get(446..510) else {
        return false;
    };
    let (rows, _) = table.as_chunks::<16>();
    let flags = rows.iter().all(|row| matches!(row.first(), Some(0 | 0x80)));
    let used = rows.iter().filter(|row| row.iter().any(|byte| *byte != 0));
    let number = |row: &[u8; 16], at: usize| {
        let bytes = row.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    let mut used = used.peekable();
    let any = used.peek().is_some();
    head.get(510..512) == Some(b"\x55\xaa")
        && flags
        && any
        && used.all(|row| row.get(4) != Some(&0) && number(row, 8) > 0 && number(row, 12) > 0)
}

/// What kind of packet capture, and what to do.
fn packets(evidence: &Evidence) -> Option<(&'static str, &'static str)> {
    const ADVICE: &str = "decrypt and export what was HTTP with the keys of the session (`SSLKEYLOGFILE`): `tshark -o tls.keylog_file:KEYS -r FILE --export-objects http,DIR`, or record again with mitmproxy or a browser's HAR";
    match evidence.head() {
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..] => Some(("a capture of packets (pcap)", ADVICE)),
        [
            0x0a,
            0x0d,
            0x0d,
            0x0a,
            _,
            _,
            _,
            _,
            0x1a,
            0x2b,
            0x3c,
            0x4d,
            ..,
        ]
        | [
            0x0a,
            0x0d,
            0x0d,
            0x0a,
            _,
            _,
            _,
            _,
            0x4d,
            0x3c,
            0x2b,
            0x1a,
            ..,
        ] => Some(("a capture of packets (pcapng)", ADVICE)),
        _ => None,
    }
}

/// What kind of log, and what to do.
fn log(evidence: &Evidence) -> Option<(&'static str, &'static str)> {
    match evidence.head() {
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => Some((
            "an event log of Windows",
            "write it out (`evtx_dump -o jsonl FILE`, or on Windows `wevtutil qe FILE /lf /f:xml`), and scan that",
        )),
        // The chunk that each begins with: a tag, a part of it, a length (`tracev3` of libyal's documentation).
        [0, 0x10, 0, 0, 0x11, 0, 0, 0, 0xd0, 0, 0, 0, 0, 0, 0, 0, ..] => Some((
            "a unified log of macOS",
            "write it out on a Mac (`log show --archive DIR.logarchive --style ndjson`), and scan that",
        )),
        _ => None,
    }
}

/// What kind of file beside a database, and what to do.
fn sidecar(evidence: &Evidence) -> Option<(&'static str, &'static str)> {
    const ADVICE: &str = "it holds pages that were changed: put it beside its database, under the database's name and its own ending, and scan that folder";
    let is = |suffix| find::is_sidecar(suffix, evidence.head());
    if is("-wal") {
        Some(("the write-ahead log of a database that is not here", ADVICE))
    } else if is("-journal") {
        Some((
            "the rollback journal of a database that is not here",
            ADVICE,
        ))
    } else {
        None
    }
}

/// What kind of archive, and what to do.
fn archive(evidence: &Evidence) -> Option<(&'static str, &'static str)> {
    const ADVICE: &str = "unpack it, and scan the folder";
    match evidence.head() {
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(("a 7z archive", ADVICE)),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Some(("a RAR archive", ADVICE)),
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => Some(("a cabinet archive", ADVICE)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(name: &str, bytes: Vec<u8>) -> Option<String> {
        let evidence = Evidence::stream(Box::new(std::io::Cursor::new(bytes)), name).unwrap();
        let found = image(&evidence)
            .or_else(|| packets(&evidence))
            .or_else(|| log(&evidence))
            .or_else(|| archive(&evidence))
            .or_else(|| sidecar(&evidence));
        found.map(|found| told(Some(found)).to_string())
    }

    fn with(at: usize, sign: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 8192];
        bytes[at..at + sign.len()].copy_from_slice(sign);
        bytes
    }

    #[test]
    fn images_and_captures_are_told_with_what_to_do() {
        let mut disk = with(510, b"\x55\xaa");
        disk[446..462].copy_from_slice(&[0x80, 0, 0, 0, 7, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0]);
        for (bytes, text) in [
            (with(0, b"EVF\x09\x0d\x0a\xff\0"), "ewfmount"),
            (with(0, b"vhdxfile"), "VHDX"),
            (with(0, b"QFI\xfb"), "qcow2"),
            (with(3, b"NTFS    "), "NTFS"),
            (with(32, b"NXSB"), "APFS"),
            (with(1080, b"\x53\xef\x01"), "ext"),
            (with(512, b"EFI PART"), "GPT"),
            (disk.clone(), "MBR"),
            (with(0, b"\xd4\xc3\xb2\xa1"), "tshark"),
            (
                with(0, b"\x0a\x0d\x0d\x0a\0\0\0\0\x4d\x3c\x2b\x1a"),
                "pcapng",
            ),
            (with(0, b"ElfFile\0"), "evtx_dump"),
            (
                with(0, b"\0\x10\0\0\x11\0\0\0\xd0\0\0\0\0\0\0\0"),
                "log show",
            ),
            (with(0, b"7z\xbc\xaf\x27\x1c"), "7z"),
            (with(0, b"Rar!\x1a\x07\x01"), "RAR"),
            (with(0, b"\x37\x7f\x06\x82"), "write-ahead log"),
            (
                with(0, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"),
                "rollback journal",
            ),
        ] {
            let told = claimed("x", bytes).unwrap();
            assert!(told.contains(text), "{told}");
        }
        // A boot loader alone is no image, nor is a partition of type 0.
        disk[450] = 0;
        for bytes in [disk, with(510, b"\x55\xaa"), with(0, b"EVF"), Vec::new()] {
            assert_eq!(claimed("x", bytes), None);
        }
    }
}
