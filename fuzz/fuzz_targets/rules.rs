//! Rule files: any text is refused with an error, or compiles.
#![no_main]

use tokentrail::atoms::rules::Rules;

tokentrail_fuzz::target!(|data| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = Rules::with(&[("fuzz.toml", text)]) {
        assert!(!error.to_string().is_empty());
    }
});
