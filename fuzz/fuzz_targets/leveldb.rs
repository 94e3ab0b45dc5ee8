//! A write-ahead log or a table of LevelDB.
#![no_main]

use tokentrail_fuzz::{read_as, seal};

tokentrail_fuzz::target!(seal::leveldb, |data| {
    read_as("leveldb", "000003.log", data);
});
