//! Writers of the formats, after the sources that the readers cite: what they make is read by the readers, and was
//! compared byte by byte with files of Chromium 156 and Firefox 153.

use std::io::Write as _;

/// Microseconds since 1601 of a Unix time.
pub(super) fn webkit(seconds: i64) -> i64 {
    (seconds + 11_644_473_600) * 1_000_000
}

/// An `HttpResponseInfo` as `MakePickle` writes it: headers separated by `\n` here, by NUL there.
pub(super) fn pickle(headers: &str, seconds: i64) -> Vec<u8> {
    let mut block = headers.replace('\n', "\0").into_bytes();
    block.extend(b"\0\0");
    let mut payload = Vec::new();
    payload.extend((3_u32 | 1 << 31).to_le_bytes());
    payload.extend(4_u32.to_le_bytes());
    for shift in [0, 1, 1] {
        payload.extend((webkit(seconds) + shift).to_le_bytes());
    }
    payload.extend((block.len() as u32).to_le_bytes());
    payload.extend(&block);
    payload.resize(payload.len().next_multiple_of(4), 0);
    // The address of the server, and its port.
    payload.extend(9_u32.to_le_bytes());
    payload.extend(b"192.0.2.1\0\0\0");
    payload.extend(443_u32.to_le_bytes());
    let mut pickle = (payload.len() as u32).to_le_bytes().to_vec();
    pickle.extend(payload);
    pickle
}

/// A `CacheMetadata`: headers are pairs.
pub(super) fn metadata(
    method: &str,
    request: &[(&str, &str)],
    status: u16,
    response: &[(&str, &str)],
    seconds: i64,
) -> Vec<u8> {
    fn varint(mut number: u64, out: &mut Vec<u8>) {
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }
    fn bytes(field: u64, bytes: &[u8], out: &mut Vec<u8>) {
        varint(field << 3 | 2, out);
        varint(bytes.len() as u64, out);
        out.extend(bytes);
    }
    fn number(field: u64, number: u64, out: &mut Vec<u8>) {
        varint(field << 3, out);
        varint(number, out);
    }
    fn headers(field: u64, list: &[(&str, &str)], out: &mut Vec<u8>) {
        for (name, value) in list {
            let mut header = Vec::new();
            bytes(1, name.as_bytes(), &mut header);
            bytes(2, value.as_bytes(), &mut header);
            bytes(field, &header, out);
        }
    }
    let (mut of_request, mut of_response, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    bytes(1, method.as_bytes(), &mut of_request);
    headers(2, request, &mut of_request);
    number(1, status.into(), &mut of_response);
    bytes(2, b"OK", &mut of_response);
    number(3, 0, &mut of_response);
    headers(4, response, &mut of_response);
    number(6, webkit(seconds) as u64, &mut of_response);
    bytes(1, &of_request, &mut whole);
    bytes(2, &of_response, &mut whole);
    number(3, webkit(seconds) as u64, &mut whole);
    whole
}

/// A file of the simple cache with both streams.
pub(super) fn simple(key: &str, headers: &[u8], body: &[u8]) -> Vec<u8> {
    fn end(flags: u32, size: usize, out: &mut Vec<u8>) {
        out.extend(0xf4fa_6f45_970d_41d8_u64.to_le_bytes());
        out.extend(flags.to_le_bytes());
        out.extend([0; 4]);
        out.extend((size as u32).to_le_bytes());
        out.extend([0; 4]);
    }
    let mut file = simple_head(key);
    file.extend(body);
    end(1, 0, &mut file);
    file.extend(headers);
    file.extend([0xab; 32]);
    end(3, headers.len(), &mut file);
    file
}

/// The header and key of a file of the simple cache.
pub(super) fn simple_head(key: &str) -> Vec<u8> {
    let mut file = 0xfcfb_6d1b_a772_5c30_u64.to_le_bytes().to_vec();
    file.extend(5_u32.to_le_bytes());
    file.extend((key.len() as u32).to_le_bytes());
    file.extend([0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0]);
    file.extend(key.as_bytes());
    file
}

/// A block-file cache: `data_0` to `data_3`, and `f_` files.
#[derive(Default)]
pub(super) struct Blocks {
    /// Blocks in use and not, of each file but the first: their bytes, and whether they are in use.
    blocks: [Vec<(Vec<u8>, bool)>; 3],
    external: Vec<Vec<u8>>,
}

const SIZES: [usize; 3] = [256, 1024, 4096];

impl Blocks {
    /// Stores data where it fits, and gives its address.
    fn data(&mut self, data: &[u8]) -> u32 {
        let fitting = SIZES.iter().position(|size| data.len() <= size * 4);
        let Some(file) = fitting else {
            self.external.push(data.to_vec());
            return 0x8000_0000 | (self.external.len() as u32 - 1);
        };
        self.put(file, data, true)
    }

    fn put(&mut self, file: usize, data: &[u8], used: bool) -> u32 {
        let first = self.blocks[file].len() as u32;
        let parts: Vec<&[u8]> = data.chunks(SIZES[file]).collect();
        for part in &parts {
            let mut block = part.to_vec();
            block.resize(SIZES[file], 0);
            self.blocks[file].push((block, used));
        }
        let kind = file as u32 + 2;
        0x8000_0000 | kind << 28 | (parts.len() as u32 - 1) << 24 | (file as u32 + 1) << 16 | first
    }

    /// Adds an entry; a deleted one keeps its bytes.
    pub(super) fn entry(
        &mut self,
        key: &str,
        headers: &[u8],
        body: &[u8],
        seconds: i64,
        used: bool,
    ) {
        let streams = [headers, body];
        let addresses = streams.map(|data| if data.is_empty() { 0 } else { self.data(data) });
        let long = if key.len() > 1024 - 96 - 1 {
            self.data(key.as_bytes())
        } else {
            0
        };
        let mut entry = Vec::new();
        entry.extend(0x1234_5678_u32.to_le_bytes());
        entry.extend(0_u32.to_le_bytes());
        entry.extend(0x9000_0001_u32.to_le_bytes());
        entry.extend([0; 12]);
        entry.extend(webkit(seconds).to_le_bytes());
        entry.extend((key.len() as u32).to_le_bytes());
        entry.extend(long.to_le_bytes());
        for data in [headers.len(), body.len(), 0, 0] {
            entry.extend((data as u32).to_le_bytes());
        }
        for address in [addresses[0], addresses[1], 0, 0] {
            entry.extend(address.to_le_bytes());
        }
        entry.resize(96, 0);
        if long == 0 {
            entry.extend(key.as_bytes());
        }
        self.put(0, &entry, used);
    }

    /// Names and contents of the files.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let header = |number: u16, size: u32, count: usize| {
            let mut header = 0xc104_cac3_u32.to_le_bytes().to_vec();
            header.extend(0x2_0000_u32.to_le_bytes());
            header.extend(number.to_le_bytes());
            header.extend(0_u16.to_le_bytes());
            header.extend(size.to_le_bytes());
            header.extend((count as u32).to_le_bytes());
            header.extend((count as u32).to_le_bytes());
            header.resize(8192, 0);
            header
        };
        let mut files = vec![("data_0".to_owned(), header(0, 36, 0))];
        for (number, (blocks, size)) in (1..).zip(self.blocks.iter().zip(SIZES)) {
            let mut file = header(number, size as u32, blocks.len());
            for (index, (block, used)) in blocks.iter().enumerate() {
                file[80 + index / 8] |= u8::from(*used) << (index % 8);
                file.extend(block);
            }
            files.push((format!("data_{number}"), file));
        }
        for (number, data) in self.external.iter().enumerate() {
            files.push((format!("f_{number:06x}"), data.clone()));
        }
        files
    }
}

/// An entry of Firefox's cache.
pub(super) fn firefox(key: &str, elements: &[(&str, &str)], body: &[u8], seconds: u32) -> Vec<u8> {
    let mut file = body.to_vec();
    file.extend([0xa0, 0x32, 0xd6, 0x60]);
    for _ in 0..body.len().div_ceil(256 * 1024) {
        file.extend([0x6e, 0xe2]);
    }
    for number in [
        4,
        1,
        seconds + 9,
        seconds,
        0x4a2f_5224,
        seconds + 3600,
        key.len() as u32,
        0,
    ] {
        file.extend(number.to_be_bytes());
    }
    file.extend(key.as_bytes());
    file.push(0);
    for (name, value) in elements {
        for text in [name, value] {
            file.extend(text.as_bytes());
            file.push(0);
        }
    }
    file.extend(4_u32.to_be_bytes());
    file.extend((body.len() as u32).to_be_bytes());
    file
}

/// A string of WebKit and its length.
fn string(text: &str, out: &mut Vec<u8>) {
    out.extend((text.encode_utf16().count() as u32).to_le_bytes());
    out.push(u8::from(text.is_ascii()));
    if text.is_ascii() {
        out.extend(text.as_bytes());
    } else {
        out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }
}

/// A response of WebKit in a form of which only the strings are known.
pub(super) fn webkit_strings(strings: &[&str]) -> Vec<u8> {
    let mut header = vec![1, 0, 3, 0];
    for text in strings {
        header.extend([7, 0, 200]);
        string(text, &mut header);
    }
    header
}

/// A response of WebKit with its headers, as of version 17.
pub(super) fn webkit_response(url: &str, status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut header = vec![0];
    string(url, &mut header);
    string("text/html", &mut header);
    header.extend(16_u64.to_le_bytes());
    header.extend(u32::MAX.to_le_bytes());
    string("Found", &mut header);
    string("HTTP/1.1", &mut header);
    header.extend((headers.len() as u64).to_le_bytes());
    for (name, value) in headers {
        string(name, &mut header);
        string(value, &mut header);
    }
    header.extend(status.to_le_bytes());
    header.extend([0; 60]);
    header
}

/// A record of WebKit's cache with this response.
pub(super) fn webkit_record(url: &str, header: &[u8], body: &[u8], seconds: f64) -> Vec<u8> {
    let mut file = 17_u32.to_le_bytes().to_vec();
    string("app.example", &mut file);
    string("Resource", &mut file);
    string(url, &mut file);
    file.extend(u32::MAX.to_le_bytes());
    file.extend([0xcd; 40]);
    file.extend(seconds.to_le_bytes());
    file.extend([0xce; 20]);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend([0xcf; 20]);
    file.extend((body.len() as u64).to_le_bytes());
    file.push(1);
    file.extend([0xd0; 20]);
    file.extend(header);
    file.extend(body);
    file
}

/// JSON in Firefox's wrapping. Looks for copies as an LZ4 encoder does.
pub(super) fn mozlz4(json: &[u8]) -> Vec<u8> {
    let mut file = b"mozLz40\0".to_vec();
    file.extend((json.len() as u32).to_le_bytes());
    let mut known = std::collections::HashMap::new();
    let (mut at, mut start) = (0, 0);
    // The last five bytes are literals.
    while at + 12 < json.len() {
        let found = known.insert(&json[at..at + 4], at);
        match found.filter(|from| at - from < 65_536) {
            Some(from) => {
                let limit = json.len() - 5 - at;
                let len = (0..limit)
                    .take_while(|i| json[from + i] == json[at + i])
                    .count();
                lz4_sequence(&json[start..at], Some((at - from, len)), &mut file);
                at += len;
                start = at;
            }
            None => at += 1,
        }
    }
    lz4_sequence(&json[start..], None, &mut file);
    file
}

fn lz4_sequence(literals: &[u8], copy: Option<(usize, usize)>, out: &mut Vec<u8>) {
    fn more(length: usize, out: &mut Vec<u8>) {
        if let Some(mut rest) = length.checked_sub(15) {
            while rest >= 255 {
                out.push(255);
                rest -= 255;
            }
            out.push(rest as u8);
        }
    }
    let copied = copy.map_or(0, |(_, len)| len - 4);
    out.push((literals.len().min(15) << 4 | copied.min(15)) as u8);
    more(literals.len(), out);
    out.extend(literals);
    if let Some((distance, _)) = copy {
        out.extend((distance as u16).to_le_bytes());
        more(copied, out);
    }
}

/// A property list.
pub(super) enum List {
    Dict(Vec<(&'static str, List)>),
    Array(Vec<List>),
    Text(String),
    Date(f64),
    Data(Vec<u8>),
}

impl List {
    /// The binary form; each object is written once for each place that it has.
    pub(super) fn binary(&self) -> Vec<u8> {
        let mut objects: Vec<Vec<u8>> = Vec::new();
        self.object(&mut objects);
        let mut file = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for object in &objects {
            offsets.push(file.len() as u32);
            file.extend(object);
        }
        let table = file.len() as u64;
        file.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        file.extend([0, 0, 0, 0, 0, 0, 4, 2]);
        for number in [objects.len() as u64, objects.len() as u64 - 1, table] {
            file.extend(number.to_be_bytes());
        }
        file
    }

    /// Adds the object and what is in it; gives its number.
    fn object(&self, objects: &mut Vec<Vec<u8>>) -> u16 {
        fn marked(kind: u8, len: usize) -> Vec<u8> {
            if len < 15 {
                return vec![kind << 4 | len as u8];
            }
            let mut object = vec![kind << 4 | 15, 0x12];
            object.extend((len as u32).to_be_bytes());
            object
        }
        let object = match self {
            Self::Dict(members) => {
                let names = members
                    .iter()
                    .map(|(name, _)| List::Text((*name).to_owned()));
                let mut numbers: Vec<u16> = names.map(|name| name.object(objects)).collect();
                numbers.extend(
                    members
                        .iter()
                        .map(|(_, value)| value.object(objects))
                        .collect::<Vec<_>>(),
                );
                let mut object = marked(13, members.len());
                object.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
                object
            }
            Self::Array(items) => {
                let numbers: Vec<u16> = items.iter().map(|item| item.object(objects)).collect();
                let mut object = marked(10, items.len());
                object.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
                object
            }
            Self::Text(text) if text.is_ascii() => {
                [marked(5, text.len()), text.as_bytes().to_vec()].concat()
            }
            Self::Text(text) => {
                let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                [marked(6, units.len() / 2), units].concat()
            }
            Self::Date(seconds) => [vec![0x33], seconds.to_be_bytes().to_vec()].concat(),
            Self::Data(data) => [marked(4, data.len()), data.clone()].concat(),
        };
        objects.push(object);
        objects.len() as u16 - 1
    }

    /// The form in XML.
    pub(super) fn xml(&self) -> Vec<u8> {
        let mut out = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n".to_vec();
        self.element(&mut out);
        out.extend(b"</plist>\n");
        out
    }

    fn element(&self, out: &mut Vec<u8>) {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        match self {
            Self::Dict(members) => {
                out.extend(b"<dict>\n");
                for (name, value) in members {
                    writeln!(out, "<key>{}</key>", escaped(name)).unwrap();
                    value.element(out);
                }
                out.extend(b"</dict>\n");
            }
            Self::Array(items) => {
                out.extend(b"<array>\n");
                for item in items {
                    item.element(out);
                }
                out.extend(b"</array>\n");
            }
            Self::Text(text) => writeln!(out, "<string>{}</string>", escaped(text)).unwrap(),
            Self::Date(seconds) => {
                let unix = jiff::Timestamp::from_second(*seconds as i64 + 978_307_200).unwrap();
                writeln!(out, "<date>{unix}</date>").unwrap();
            }
            Self::Data(data) => {
                let text = data_encoding::BASE64.encode(data);
                writeln!(out, "<data>\n{text}\n</data>").unwrap();
            }
        }
    }
}
