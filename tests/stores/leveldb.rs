//! A small writer of LevelDB files, after `doc/log_format.md` and `doc/table_format.md`: as little as the
//! reader's tests need, and nothing of the reader's code.

const BLOCK: usize = 32 * 1024;

/// A change: a key, and its value or that it is deleted.
pub(crate) type Change = (Vec<u8>, Option<Vec<u8>>);

pub(crate) fn put(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Change {
    (key.as_ref().to_vec(), Some(value.as_ref().to_vec()))
}

pub(crate) fn delete(key: impl AsRef<[u8]>) -> Change {
    (key.as_ref().to_vec(), None)
}

/// A write-ahead file with one batch after the other, numbered from `first`.
pub(crate) fn log(first: u64, batches: &[Vec<Change>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sequence = first;
    for changes in batches {
        let mut batch = sequence.to_le_bytes().to_vec();
        batch.extend((changes.len() as u32).to_le_bytes());
        for (key, value) in changes {
            batch.push(u8::from(value.is_some()));
            counted(&mut batch, key);
            if let Some(value) = value {
                counted(&mut batch, value);
            }
        }
        sequence += changes.len() as u64;
        records(&mut out, &batch);
    }
    out
}

fn records(out: &mut Vec<u8>, mut data: &[u8]) {
    let mut begins = true;
    loop {
        let left = BLOCK - out.len() % BLOCK;
        if left < 7 {
            out.resize(out.len() + left, 0);
            continue;
        }
        let (piece, rest) = data.split_at(data.len().min(left - 7));
        let kind: u8 = match (begins, rest.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        out.extend(masked(&[&[kind], piece].concat()).to_le_bytes());
        out.extend((piece.len() as u16).to_le_bytes());
        out.push(kind);
        out.extend(piece);
        data = rest;
        begins = false;
        if rest.is_empty() {
            return;
        }
    }
}

/// An entry of a table: key, sequence, and its value or that it is deleted.
pub(crate) type Row = (Vec<u8>, u64, Option<Vec<u8>>);

/// A sorted file of one block, in which every version but the first is its number and its value alone.
pub(crate) fn versions(key: &[u8], values: &[Vec<u8>]) -> Vec<u8> {
    let mut contents = Vec::new();
    let mut last = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let shared = if index == 0 { 0 } else { key.len() };
        let tag = (index as u64 + 1) << 8 | 1;
        last = [key, &tag.to_le_bytes()].concat();
        varint(&mut contents, shared);
        varint(&mut contents, last.len() - shared);
        varint(&mut contents, value.len());
        contents.extend(&last[shared..]);
        contents.extend(value);
    }
    seal(&mut contents, &[0]);
    let mut out = Vec::new();
    let handle = stored(&mut out, contents, false);
    tail(&mut out, &[(last, handle)], false);
    out
}

/// A sorted file with so many entries in a block, packed with Snappy or not.
pub(crate) fn table(rows: &[Row], of_block: usize, packed: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut index = Vec::new();
    for rows in rows.chunks(of_block) {
        let entries: Vec<(Vec<u8>, Vec<u8>)> = rows
            .iter()
            .map(|(key, sequence, value)| {
                let tag = sequence << 8 | u64::from(value.is_some());
                let key = [&key[..], &tag.to_le_bytes()].concat();
                (key, value.clone().unwrap_or_default())
            })
            .collect();
        let handle = block(&mut out, &entries, packed);
        index.push((entries.last().unwrap().0.clone(), handle));
    }
    tail(&mut out, &index, packed);
    out
}

/// What stands behind the blocks with data.
fn tail(out: &mut Vec<u8>, index: &[(Vec<u8>, Vec<u8>)], packed: bool) {
    let meta = block(out, &[], false);
    let index = block(out, index, packed);
    let mut footer = [meta, index].concat();
    footer.resize(40, 0);
    out.extend(footer);
    out.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
}

/// Appends a block; its handle.
fn block(out: &mut Vec<u8>, entries: &[(Vec<u8>, Vec<u8>)], packed: bool) -> Vec<u8> {
    let mut contents = Vec::new();
    let mut restarts = Vec::new();
    let mut before: &[u8] = b"";
    for (index, (key, value)) in entries.iter().enumerate() {
        let mut shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
        if index % 3 == 0 {
            restarts.push(contents.len() as u32);
            shared = 0;
        }
        varint(&mut contents, shared);
        varint(&mut contents, key.len() - shared);
        varint(&mut contents, value.len());
        contents.extend(&key[shared..]);
        contents.extend(value);
        before = key;
    }
    if restarts.is_empty() {
        restarts.push(0);
    }
    seal(&mut contents, &restarts);
    stored(out, contents, packed)
}

/// What stands behind the entries of a block.
fn seal(contents: &mut Vec<u8>, restarts: &[u32]) {
    contents.extend(restarts.iter().flat_map(|at| at.to_le_bytes()));
    contents.extend((restarts.len() as u32).to_le_bytes());
}

/// Appends the contents of a block; its handle.
fn stored(out: &mut Vec<u8>, contents: Vec<u8>, packed: bool) -> Vec<u8> {
    let stored = if packed { snappy(&contents) } else { contents };
    let mut handle = Vec::new();
    varint(&mut handle, out.len());
    varint(&mut handle, stored.len());
    out.extend(&stored);
    out.push(u8::from(packed));
    out.extend(masked(&[&stored[..], &[u8::from(packed)]].concat()).to_le_bytes());
    handle
}

/// Literals of up to 60 bytes, and copies of four where the same four bytes stand a little before.
pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, bytes.len());
    let mut literal: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let window = at.saturating_sub(1000);
        let found = bytes.get(at..at + 4).and_then(|four| {
            let mut places = window..at.saturating_sub(4);
            places.rfind(|place| bytes.get(*place..*place + 4) == Some(four))
        });
        if literal.len() == 60 || found.is_some() && !literal.is_empty() {
            out.push((literal.len() as u8 - 1) << 2);
            out.append(&mut literal);
        }
        if let Some(place) = found {
            out.push(3 << 2 | 2);
            out.extend(((at - place) as u16).to_le_bytes());
            at += 4;
        } else {
            literal.push(bytes[at]);
            at += 1;
        }
    }
    if !literal.is_empty() {
        out.push((literal.len() as u8 - 1) << 2);
        out.append(&mut literal);
    }
    out
}

fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len());
    out.extend(bytes);
}

pub(crate) fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// CRC-32C bit by bit, masked as LevelDB does.
pub(crate) fn masked(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Key and value of local storage, in ISO 8859-1.
pub(crate) fn local(origin: &str, key: &str, value: &str) -> Change {
    put(local_key(origin, key), format!("\u{1}{value}"))
}

pub(crate) fn local_key(origin: &str, key: &str) -> String {
    format!("_{origin}\0\u{1}{key}")
}

/// Key and value of session storage.
pub(crate) fn session(map: u32, key: &str, value: &str) -> Change {
    put(format!("map-{map}-{key}"), wide(value))
}

/// The entry that gives a map its origin.
pub(crate) fn namespace(map: u32, origin: &str) -> Change {
    let id = "dabc53e1_8291_4de5_824f_dab8aa69c846";
    put(format!("namespace-{id}-{origin}/"), map.to_string())
}

pub(crate) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
