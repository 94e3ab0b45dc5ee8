//! URLs, text, headers, bodies and pairs: the splitter, nested decoding, JWT, SAML, masking.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokentrail::detect::Memory;
use tokentrail_fuzz::{detect, observation, payload};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    detect(&observation(payload(*kind, bytes)), &mut Memory::default());
});
