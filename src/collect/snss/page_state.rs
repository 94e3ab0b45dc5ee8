//! What a page was, as Chromium keeps it with a navigation: its frames with their URLs, what was sent to
//! them, what they kept. Pickles until version 25, Mojo from 26 on (`page_state_serialization.cc`,
//! `page_state.mojom` of Blink). Hands on bytes; knows nothing of what they mean.

use super::mojo::{Account, Message, Struct};
use super::pickle::Pickle;
use crate::collect::charset::utf16le;

/// Frames of one page that are looked at. Pointers of a hostile state may lead to one frame from many places.
const MAX_FRAMES: usize = 1_000;

/// Frames inside frames.
const MAX_DEPTH: usize = 32;

/// Strings of a frame's forms that are looked at.
pub(super) const MAX_FIELDS: usize = 10_000;

/// Bytes of a control's name that stand with each of its values, from its end on. Names are a word or two.
const MAX_NAME: usize = 1024;

/// First version in Mojo's wire format.
const MOJO: i32 = 26;

/// One frame of a page.
#[derive(Default)]
pub(super) struct Frame<'a> {
    /// Whether it is the page itself.
    pub(super) is_top: bool,
    /// Its URL.
    pub(super) url: String,
    /// The page that its request named.
    pub(super) referrer: String,
    /// Media type of what was sent to it.
    pub(super) mime: String,
    /// What was sent to it.
    pub(super) body: Vec<u8>,
    /// What it kept with itself (`history.state`), serialised.
    pub(super) states: Vec<&'a [u8]>,
    /// What was typed into its forms: name, value. The whole of a long name is a value without one.
    pub(super) fields: Vec<(String, String)>,
    /// Whether its forms have more than [`MAX_FIELDS`] strings.
    pub(super) more_fields: bool,
}

/// Hands on every frame; whether the whole state could be read.
pub(super) fn frames(state: &[u8], each: &mut dyn FnMut(Frame<'_>)) -> bool {
    let mut left = MAX_FRAMES;
    let account = Account::default();
    let end = read(state, &account, &mut left, each);
    end.is_some() && !account.is_torn()
}

fn read(
    state: &[u8],
    account: &Account,
    left: &mut usize,
    each: &mut dyn FnMut(Frame<'_>),
) -> Option<()> {
    let mut pickle = Pickle::new(state)?;
    match pickle.int()? {
        // A URL, and nothing else.
        -1 => {
            each(Frame {
                is_top: true,
                url: String::from_utf8_lossy(pickle.data()?).into_owned(),
                ..Frame::default()
            });
            Some(())
        }
        version @ 11..MOJO => {
            if version >= 14 {
                strings(&mut pickle)?;
            }
            let mut legacy = Legacy {
                pickle,
                version,
                left,
                each,
            };
            legacy.frame(true, MAX_DEPTH)
        }
        MOJO.. => of_mojo(
            Message::new(pickle.data()?, account).root()?.structure(1)?,
            (true, MAX_DEPTH),
            left,
            each,
        ),
        _ => None,
    }
}

/// `FrameState` of `page_state.mojom`: its fields by their place in the struct.
fn of_mojo(
    state: Struct<'_>,
    (is_top, depth): (bool, usize),
    left: &mut usize,
    each: &mut dyn FnMut(Frame<'_>),
) -> Option<()> {
    *left = left.checked_sub(1)?;
    let text = |word| state.wide(word).map(utf16le).unwrap_or_default();
    let body = state.structure(9);
    let documents = state.array(4).into_iter().flat_map(|array| {
        let strings = array.structures();
        strings.map(|string| string?.array(0)?.bytes(2).map(utf16le))
    });
    let (fields, more_fields) = fields(documents);
    each(Frame {
        is_top,
        url: text(0),
        referrer: text(1),
        mime: body
            .and_then(|body| body.wide(0))
            .map(utf16le)
            .unwrap_or_default(),
        body: body.map(sent).unwrap_or_default(),
        // `history.state`, and that of the navigation API.
        states: [3, 14]
            .into_iter()
            .filter_map(|word| state.wide(word))
            .collect(),
        fields,
        more_fields,
    });
    let Some(children) = state.array(10) else {
        return Some(());
    };
    for child in children.structures() {
        of_mojo(child?, (false, depth.checked_sub(1)?), left, each)?;
    }
    Some(())
}

/// The bytes of a `HttpBody`; files that were sent with it are left out.
fn sent(body: Struct<'_>) -> Vec<u8> {
    const BYTES: u32 = 1;
    let elements = body.structure(1).and_then(|request| request.array(0));
    elements
        .into_iter()
        .flat_map(|elements| elements.arrays(BYTES))
        .filter_map(|bytes| bytes.bytes(1))
        .collect::<Vec<_>>()
        .concat()
}

/// Names and values of form controls: a signature, a key for each form, the number of its controls, and for
/// each its name, its type, the number of its values and these (`FormController` of Blink).
/// Says, too, whether there is more than is looked at.
fn fields(strings: impl Iterator<Item = Option<String>>) -> (Vec<(String, String)>, bool) {
    let mut more = false;
    let mut strings = strings.enumerate().map_while(|(at, text)| {
        more |= at >= MAX_FIELDS;
        (!more).then(|| text.unwrap_or_default())
    });
    let found = controls(&mut strings);
    (found, more)
}

fn controls(strings: &mut impl Iterator<Item = String>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let _signature = strings.next();
    while let (Some(_form), Some(count)) = (strings.next(), number(strings.next())) {
        for _ in 0..count.min(MAX_FIELDS) {
            let (Some(name), Some(_kind)) = (strings.next(), strings.next()) else {
                return found;
            };
            let Some(values) = number(strings.next()) else {
                return found;
            };
            let from = name.ceil_char_boundary(name.len().saturating_sub(MAX_NAME));
            let short = name.get(from..).unwrap_or_default();
            let values = strings.by_ref().take(values);
            found.extend(values.map(|value| (short.to_owned(), value)));
            if from > 0 {
                found.push((String::new(), name));
            }
        }
    }
    found
}

fn number(text: Option<String>) -> Option<usize> {
    text?.parse().ok()
}

/// The strings of a vector, in the format before Mojo.
fn strings<'a>(pickle: &mut Pickle<'a>) -> Option<Vec<&'a [u8]>> {
    let count = pickle.int()?;
    let mut found = Vec::new();
    for _ in 0..count {
        found.push(pickle.optional()?);
    }
    Some(found)
}

/// Frames in the format before Mojo, in the order of `ReadLegacyFrameState`.
struct Legacy<'a, 's> {
    pickle: Pickle<'a>,
    version: i32,
    left: &'s mut usize,
    each: &'s mut dyn FnMut(Frame<'_>),
}

impl Legacy<'_, '_> {
    fn frame(&mut self, is_top: bool, depth: usize) -> Option<()> {
        *self.left = self.left.checked_sub(1)?;
        let version = self.version;
        if version < 14 && !is_top {
            self.pickle.int()?;
        }
        let url = self.text()?;
        if version < 19 {
            self.pickle.optional()?;
        }
        // Target; before 15 parent, two titles and the time of the visit.
        self.pickle.optional()?;
        if version < 15 {
            for _ in 0..3 {
                self.pickle.optional()?;
            }
            self.pickle.data()?;
        }
        let scrolled = version < 24 || self.pickle.int()? != 0;
        if scrolled {
            self.pickle.long()?;
        }
        if version < 15 {
            self.pickle.long()?;
        }
        let referrer = self.text()?;
        let document = strings(&mut self.pickle)?;
        self.numbers(scrolled)?;
        let mut states = Vec::new();
        if self.pickle.int()? != 0 {
            states.push(self.pickle.optional()?);
        }
        let body = self.body()?;
        let mime = self.text()?;
        if version < 14 {
            self.pickle.optional()?;
        }
        let (fields, more_fields) = fields(document.into_iter().map(|text| Some(utf16le(text))));
        (self.each)(Frame {
            is_top,
            url,
            referrer,
            mime,
            body,
            states,
            fields,
            more_fields,
        });
        for _ in 0..self.pickle.int()? {
            self.frame(false, depth.checked_sub(1)?)?;
        }
        Some(())
    }

    /// Scale, sequence numbers, policies, scroll offsets.
    fn numbers(&mut self, scrolled: bool) -> Option<()> {
        let version = self.version;
        let pickle = &mut self.pickle;
        if scrolled {
            pickle.data()?;
        }
        pickle.long()?;
        pickle.long()?;
        if (21..23).contains(&version) {
            pickle.long()?;
        }
        if (17..19).contains(&version) {
            pickle.long()?;
        }
        if version >= 18 {
            pickle.int()?;
        }
        if version >= 20 && scrolled {
            pickle.data()?;
            pickle.data()?;
        }
        if version >= 22 {
            pickle.int()?;
        }
        Some(())
    }

    /// `ReadHttpBody`: elements are bytes, files and blobs.
    fn body(&mut self) -> Option<Vec<u8>> {
        const BYTES: i32 = 0;
        const FILE: i32 = 1;
        const BLOB: i32 = 2;
        let mut body = Vec::new();
        if self.pickle.int()? == 0 {
            return Some(body);
        }
        for _ in 0..self.pickle.int()? {
            match self.pickle.int()? {
                BYTES => body.extend_from_slice(self.pickle.data()?),
                FILE => {
                    self.pickle.optional()?;
                    self.pickle.long()?;
                    self.pickle.long()?;
                    self.pickle.data()?;
                }
                BLOB => {
                    self.pickle.data()?;
                }
                _ => {}
            }
        }
        self.pickle.long()?;
        if self.version >= 12 {
            self.pickle.int()?;
        }
        Some(body)
    }

    fn text(&mut self) -> Option<String> {
        self.pickle.optional().map(utf16le)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls_of(name: &str, values: usize) -> (Vec<(String, String)>, bool) {
        let begin = ["signature", "form", "1", name, "text", "1000000"];
        let values = std::iter::repeat_n("v", values);
        let strings = begin.into_iter().chain(values);
        fields(strings.map(|text| Some(text.to_owned())))
    }

    #[test]
    fn a_long_name_is_kept_once_whatever_its_control_holds() {
        let name = "ä".repeat(32 << 10);
        let (fields, more) = controls_of(&name, 9_000);
        assert_eq!((fields.len(), more), (9_001, false));
        let held: usize = fields.iter().map(|(name, _)| name.len()).sum();
        assert!(held <= fields.len() * MAX_NAME);
        assert!(fields.contains(&(String::new(), name)));
        assert_eq!(controls_of("user", 1).0, [("user".into(), "v".into())]);
    }

    #[test]
    fn strings_beyond_the_bound_are_no_more_than_counted() {
        let (fields, more) = controls_of("user", MAX_FIELDS - 6);
        assert_eq!((fields.len(), more), (MAX_FIELDS - 6, false));
        let (fields, more) = controls_of("user", MAX_FIELDS * 10);
        assert_eq!((fields.len(), more), (MAX_FIELDS - 6, true));
    }
}
