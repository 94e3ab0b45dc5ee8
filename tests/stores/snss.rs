//! A small writer of session files: commands, pickles, page states in Mojo's wire format and in the one before
//! it. Nothing of the reader's code.

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};

use super::leveldb::wide;

pub(crate) const UPDATE_IN_SESSION: u8 = 6;
pub(crate) const UPDATE_IN_TABS: u8 = 1;

/// A navigation of a tab.
#[derive(Clone, Default)]
pub(crate) struct Navigation {
    pub url: String,
    pub title: String,
    pub state: Vec<u8>,
    pub transition: i32,
    pub referrer: String,
    pub original: String,
    /// Microseconds since 1601.
    pub at: i64,
}

/// A frame of a page.
#[derive(Clone, Default)]
pub(crate) struct Frame {
    pub url: String,
    pub referrer: String,
    pub mime: String,
    pub body: String,
    /// Serialised by V8.
    pub state: Vec<u8>,
    /// What was typed into its form: name, value.
    pub fields: Vec<(String, String)>,
    pub children: Vec<Frame>,
}

/// A file of a version whose commands are plain.
pub(crate) fn file(version: i32, commands: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = header(version);
    for (id, payload) in commands {
        out.extend((payload.len() as u16 + 1).to_le_bytes());
        out.push(*id);
        out.extend(payload);
    }
    out
}

/// A file of version 5, its commands under a key: that which is the same everywhere, or another.
pub(crate) fn sealed(commands: &[(u8, Vec<u8>)], key: [u8; 16]) -> Vec<u8> {
    let mut out = header(5);
    for (id, payload) in commands {
        let command = [&[*id][..], payload].concat();
        let record = [&b"v10"[..], &encrypted(command, key)].concat();
        out.extend((record.len() as u32).to_le_bytes());
        out.extend(record);
    }
    out
}

/// PBKDF2 of `peanuts` and `saltysalt`.
pub(crate) const FIXED_KEY: [u8; 16] = [
    0xfd, 0x62, 0x1f, 0xe5, 0xa2, 0xb4, 0x02, 0x53, 0x9d, 0xfa, 0x14, 0x7c, 0xa9, 0x27, 0x27, 0x78,
];

fn encrypted(mut plain: Vec<u8>, key: [u8; 16]) -> Vec<u8> {
    let padding = 16 - plain.len() % 16;
    plain.resize(plain.len() + padding, padding as u8);
    let cipher = Aes128::new(&key.into());
    let mut before = [b' '; 16];
    for block in plain.chunks_mut(16) {
        block
            .iter_mut()
            .zip(before)
            .for_each(|(byte, mask)| *byte ^= mask);
        let mut sealed = <[u8; 16]>::try_from(&*block).unwrap().into();
        cipher.encrypt_block(&mut sealed);
        block.copy_from_slice(&sealed);
        before.copy_from_slice(&sealed);
    }
    plain
}

fn header(version: i32) -> Vec<u8> {
    [b"SNSS", &version.to_le_bytes()[..]].concat()
}

/// The payload of a command that updates a navigation.
pub(crate) fn navigation(of: &Navigation) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.int(7);
    pickle.int(0);
    pickle.data(of.url.as_bytes());
    pickle.wide(&of.title);
    pickle.data(&of.state);
    pickle.int(of.transition);
    pickle.int(0);
    pickle.data(of.referrer.as_bytes());
    pickle.int(2);
    pickle.data(of.original.as_bytes());
    pickle.int(0);
    pickle.long(of.at);
    pickle.wide("");
    pickle.int(200);
    pickle.whole()
}

/// A page state of version 33.
pub(crate) fn mojo_state(top: &Frame) -> Vec<u8> {
    let mut message = Vec::new();
    let page = structure(&mut message, 2);
    let files = array(&mut message, b"", 0);
    point(&mut message, page, 0, files);
    let top = frame(&mut message, top);
    point(&mut message, page, 1, top);
    let mut pickle = Pickle::default();
    pickle.int(33);
    pickle.data(&message);
    pickle.whole()
}

/// One frame at which a thousand children point, as many levels deep as asked for.
pub(crate) fn crowded_state(levels: usize) -> Vec<u8> {
    let mut message = Vec::new();
    let page = structure(&mut message, 2);
    let mut at = page;
    let mut word = 1;
    for level in 0..=levels {
        let child = frame(
            &mut message,
            &Frame {
                url: "https://app.example/cb?code=abcdefghijklmnopqrst&state=0123456789abcdef"
                    .into(),
                ..Frame::default()
            },
        );
        if level == 0 {
            point(&mut message, at, word, child);
        } else {
            for item in 0..1000 {
                point(&mut message, at, item, child);
            }
        }
        let children = array(&mut message, &[0; 8000], 1000);
        point(&mut message, child, 10, children);
        at = children;
        word = 0;
    }
    let mut pickle = Pickle::default();
    pickle.int(33);
    pickle.data(&message);
    pickle.whole()
}

/// A page state of version 25, the last before Mojo, or of an older one.
pub(crate) fn legacy_state(version: i32, top: &Frame) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.int(version);
    if version >= 14 {
        pickle.int(0);
    }
    pickle.frame(version, top, true);
    pickle.whole()
}

fn frame(message: &mut Vec<u8>, of: &Frame) -> usize {
    let at = structure(message, 17);
    for (word, text) in [(0, &of.url), (1, &of.referrer)] {
        let text = string(message, text);
        point(message, at, word, text);
    }
    if !of.state.is_empty() {
        let state = structure(message, 1);
        let units = array(message, &of.state, of.state.len() / 2);
        point(message, state, 0, units);
        point(message, at, 3, state);
    }
    let strings = document(&of.fields);
    let document = array(message, &vec![0; strings.len() * 8], strings.len());
    point(message, at, 4, document);
    for (index, text) in strings.iter().enumerate() {
        let text = string(message, text);
        point(message, document, index, text);
    }
    let body = structure(message, 3);
    point(message, at, 9, body);
    if !of.body.is_empty() {
        let mime = string(message, &of.mime);
        point(message, body, 0, mime);
        let request = structure(message, 3);
        point(message, body, 1, request);
        let element = [&16_u32.to_le_bytes()[..], &1_u32.to_le_bytes(), &[0; 8]].concat();
        let elements = array(message, &element, 1);
        point(message, request, 0, elements);
        let bytes = array(message, of.body.as_bytes(), of.body.len());
        // The second half of the union.
        point(message, elements, 1, bytes);
    }
    let children = array(message, &vec![0; of.children.len() * 8], of.children.len());
    point(message, at, 10, children);
    for (index, child) in of.children.iter().enumerate() {
        let child = frame(message, child);
        point(message, children, index, child);
    }
    at
}

fn document(fields: &[(String, String)]) -> Vec<String> {
    if fields.is_empty() {
        return Vec::new();
    }
    let mut strings = vec!["signature".into(), "form".into(), fields.len().to_string()];
    for (name, value) in fields {
        strings.extend([name.clone(), "text".into(), "1".into(), value.clone()]);
    }
    strings
}

fn string(message: &mut Vec<u8>, text: &str) -> usize {
    let at = structure(message, 1);
    let units = wide(text);
    let array = array(message, &units, units.len() / 2);
    point(message, at, 0, array);
    at
}

fn structure(message: &mut Vec<u8>, words: usize) -> usize {
    let at = message.len();
    message.extend(((words as u32 + 1) * 8).to_le_bytes());
    message.extend(6_u32.to_le_bytes());
    message.resize(message.len() + words * 8, 0);
    at
}

fn array(message: &mut Vec<u8>, bytes: &[u8], count: usize) -> usize {
    let at = message.len();
    message.extend((bytes.len() as u32 + 8).to_le_bytes());
    message.extend((count as u32).to_le_bytes());
    message.extend(bytes);
    message.resize(message.len().next_multiple_of(8), 0);
    at
}

fn point(message: &mut [u8], object: usize, word: usize, target: usize) {
    let at = object + 8 + word * 8;
    message[at..at + 8].copy_from_slice(&((target - at) as u64).to_le_bytes());
}

#[derive(Default)]
struct Pickle(Vec<u8>);

impl Pickle {
    fn int(&mut self, number: i32) {
        self.0.extend(number.to_le_bytes());
    }

    fn long(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    fn data(&mut self, bytes: &[u8]) {
        self.int(bytes.len() as i32);
        self.0.extend(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn wide(&mut self, text: &str) {
        let units = wide(text);
        self.int(units.len() as i32 / 2);
        self.0.extend(units);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn whole(self) -> Vec<u8> {
        [&(self.0.len() as u32).to_le_bytes()[..], &self.0].concat()
    }

    fn frame(&mut self, version: i32, of: &Frame, is_top: bool) {
        if version < 14 && !is_top {
            self.int(version);
        }
        self.data(&wide(&of.url));
        if version < 19 {
            self.int(-1);
        }
        self.int(-1);
        if version < 15 {
            for _ in 0..3 {
                self.int(-1);
            }
            self.data(&[0; 8]);
        }
        if version >= 24 {
            self.int(1);
        }
        self.long(0);
        if version < 15 {
            self.long(0);
        }
        self.data(&wide(&of.referrer));
        let strings = document(&of.fields);
        self.int(strings.len() as i32);
        for text in strings {
            self.data(&wide(&text));
        }
        self.data(&[0; 8]);
        self.long(1);
        self.long(2);
        if (21..23).contains(&version) {
            self.long(0);
        }
        if (17..19).contains(&version) {
            self.long(0);
        }
        if version >= 18 {
            self.int(0);
        }
        if version >= 20 {
            self.data(&[0; 8]);
            self.data(&[0; 8]);
        }
        if version >= 22 {
            self.int(0);
        }
        self.int(i32::from(!of.state.is_empty()));
        if !of.state.is_empty() {
            self.data(&of.state);
        }
        self.int(i32::from(!of.body.is_empty()));
        if !of.body.is_empty() {
            self.int(2);
            // A file, then bytes.
            self.int(1);
            self.data(&wide("/tmp/x"));
            self.long(0);
            self.long(-1);
            self.data(&[0; 8]);
            self.int(0);
            self.data(of.body.as_bytes());
            self.long(5);
            if version >= 12 {
                self.int(0);
            }
        }
        self.data(&wide(&of.mime));
        if version < 14 {
            self.int(-1);
        }
        self.int(of.children.len() as i32);
        for child in &of.children {
            self.frame(version, child, false);
        }
    }
}
