//! URLs, text, headers, bodies and pairs: the splitter, nested decoding, JWT, SAML, masking. In a URL or a text
//! without a needle, which logs pass over, there must be nothing to find.
#![no_main]

use tokentrail::collect::Payload;
use tokentrail::detect::Memory;
use tokentrail_fuzz::{RULES, detect, observation, payload};

tokentrail_fuzz::target!(|data| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let payload = payload(*kind, bytes);
    let is_searched = matches!(payload, Payload::Url(_) | Payload::Text(_));
    let sightings = detect(&observation(payload), &mut Memory::default());
    let mut found = sightings.iter().flat_map(|it| &it.credentials);
    let told = found.find(|it| it.name.chars().all(is_of_name) && !it.name.starts_with("userinfo"));
    assert!(
        !is_searched || told.is_none() || RULES.needles.hit(bytes),
        "a {:?} without a needle",
        told.map(|it| &it.name)
    );
});

/// What needles take for a part of a name. Any other is a joint of words to detection, and an end to them; and
/// what stands before an `@` is looked for without blanks only.
fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-.[]".contains(letter)
}
