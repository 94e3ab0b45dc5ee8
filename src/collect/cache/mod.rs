//! HTTP caches of browsers: the URLs they were asked for, the `Location` of redirects with its fragment, headers, and
//! bodies that are text. Hidden frames, refused ports and schemes of apps leave their callbacks here and nowhere else.
//! Knows file formats and HTTP's own headers; nothing of OAuth.

mod blocks;
mod firefox;
mod info;
mod input;
mod key;
mod simple;
mod stored;
mod webkit;

pub use blocks::CHROMIUM_BLOCK_CACHE;
pub use firefox::FIREFOX_CACHE;
pub(super) use firefox::is_entry as is_entry_of_firefox;
pub use simple::CHROMIUM_CACHE;
pub use webkit::WEBKIT_CACHE;
