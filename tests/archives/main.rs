//! Archives: what lies in one is reported as if it lay in a folder; nothing of it is believed, and nothing is
//! written. The archives are made here, the hostile ones at run time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test"
)]

mod captures;
#[path = "../child/mod.rs"]
mod child;
mod fixtures;
mod hostile;
mod pack;
mod run;
mod same;

/// A line with one access token.
pub(crate) fn line(number: u32) -> String {
    format!(
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /cb?access_token=qZ{number:04}x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6 HTTP/1.1\" 200 5\n"
    )
}
