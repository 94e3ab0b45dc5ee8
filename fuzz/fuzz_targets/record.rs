//! One log record: header lines, wrappers, grammars, roles, times.
#![no_main]

use std::sync::LazyLock;

use tokentrail::atoms::rules::log_format::LogFormats;
use tokentrail::collect::log::read_record;

static FORMATS: LazyLock<LogFormats> =
    LazyLock::new(|| LogFormats::builtin().expect("the built-in formats are sound"));

tokentrail_fuzz::target!(|data| {
    let record = read_record(data, &FORMATS, None);
    // What a part says must stand in the line, or be what its escapes stand for: never longer.
    for part in &record.parts {
        assert!(part.value.len() <= data.len().saturating_mul(4).max(64));
    }
});
