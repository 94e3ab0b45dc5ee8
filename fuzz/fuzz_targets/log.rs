//! Logs of every format and of none, JSON documents among them, whole files. How much is read at once must not show.
#![no_main]

use tokentrail::collect::log::WINDOW;
use tokentrail_fuzz::read_log;

tokentrail_fuzz::target!(|data| {
    let narrow = 1 + data.len() % 61;
    assert!(
        read_log(data, narrow) == read_log(data, WINDOW),
        "a window of {narrow} bytes shows"
    );
});
